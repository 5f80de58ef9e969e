"""Log lines: JSON, with what is needed to find a delivery, without secrets and without code."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from oversight.errors import UnscoredError
from oversight_server.logs import JsonLines, Sparse, bound

SECRET = "xyzzy123"


def line(name: str = "oversight.server", message: str = "event", *arguments: object, **more: Any) -> dict[str, Any]:
    """A line as it is written, of one record."""
    record = logging.getLogger(name).makeRecord(
        name, logging.INFO, __file__, 1, message, arguments, more.pop("exc_info", None), extra=more
    )
    text = JsonLines([SECRET, ""]).format(record)
    assert "\n" not in text
    assert text.isascii()
    found: dict[str, Any] = json.loads(text)
    return found


def raised(error: BaseException, cause: BaseException | None = None) -> Any:
    """What `exc_info` is of an error that was raised."""
    try:
        raise error from cause
    except BaseException as caught:
        return type(caught), caught, caught.__traceback__


def test_a_line_has_time_level_and_event():
    """Every line can be ordered, filtered and counted."""
    found = line()
    assert set(found) == {"time", "level", "event"}
    assert (found["level"], found["event"]) == ("info", "event")
    assert found["time"].endswith("Z")
    assert "T" in found["time"]


def test_lines_of_a_delivery_carry_its_fields():
    """What is bound is on every line of the block, on the inner ones as well, and on none behind it."""
    with bound(delivery="d-1", repository="octo/repo"), bound(pull=7, head=None):
        assert line(duration=0.123456) | {"time": ""} == {
            "time": "", "level": "info", "event": "event", "delivery": "d-1", "repository": "octo/repo", "pull": 7,
            "duration": 0.1235,
        }  # fmt: skip
    assert "delivery" not in line()


def test_hostile_values_are_one_line_of_limited_length():
    """A name from a payload neither ends a line, nor moves a cursor, nor floods the log."""
    found = line(fields={"repository": "a\n\x1b[31m" + "x" * 10_000})
    assert found["repository"].isprintable()
    assert len(found["repository"]) <= 300
    assert "\n" not in found["repository"]


def test_an_exception_shows_its_type_and_its_way_and_no_text():
    """The message of an error that is not ours may quote code or a secret; where it came through helps as much."""
    error = raised(ValueError("password = hunter2"), KeyError("hunter3"))
    found = line(exc_info=error)
    assert found["error"] == "ValueError"
    assert found["cause"] == "KeyError"
    assert found["at"][-1].endswith("raised")
    assert "hunter" not in json.dumps(found)


def test_messages_of_our_errors_are_shown_without_secrets():
    """Errors of ours are made to be read; a secret in one is struck out all the same."""
    found = line(exc_info=raised(UnscoredError(f"no answer with {SECRET}", mend="wait")))
    assert found["message"] == "no answer with *** (wait)"


def test_lines_of_libraries_are_cut_and_cleaned():
    """Libraries say what they like: the first line of it stays, known secrets go."""
    found = line("dbos", "token %s failed\nTraceback: code", SECRET)
    assert (found["event"], found["logger"]) == ("token *** failed", "dbos")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), b"\xff", 2**70, True])
def test_any_value_can_be_logged(value: object):
    """Whatever is bound, the line is written."""
    with bound(thing=value):
        assert "thing" in line()


def test_what_strangers_send_fills_no_log():
    """The web server's warnings are written once in a while, each kind by itself, and its errors always."""
    sparse = Sparse()

    def written(level: int, text: str) -> bool:
        return bool(sparse.filter(logging.getLogger("uvicorn.error").makeRecord("u", level, "", 1, text, (), None)))

    assert [written(logging.WARNING, "Invalid HTTP request") for _ in range(50)] == [True] + [False] * 49
    assert written(logging.WARNING, "Exceeded concurrency limit")
    assert all(written(logging.ERROR, "Exception in application") for _ in range(3))
