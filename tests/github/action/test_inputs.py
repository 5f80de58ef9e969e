"""Inputs of the Action: what each may be, and how every mistake is told."""

from __future__ import annotations

from typing import Any

import pytest

from oversight_github.action.inputs import FailOn, Inputs, InputsError, read, variable
from oversight_github.publish.model import Comment


def given(**inputs: str) -> Inputs:
    return read({variable(name.replace("_", "-")): value for name, value in inputs.items()})


def mistakes(**inputs: str) -> list[str]:
    with pytest.raises(InputsError) as caught:
        given(**inputs)
    assert all(mistake.mend for mistake in caught.value.mistakes)
    return [mistake.message for mistake in caught.value.mistakes]


def test_an_empty_input_is_one_that_was_not_given() -> None:
    """Unset inputs of a workflow arrive as empty text, and blanks around a value mean nothing."""
    assert given() == given(budget="", token="  ", paths="\n")
    assert given().budget is None
    assert (given().comment, given().check_run, given().inline) == (Comment.AUTO, True, False)
    assert given(budget=" 5 ").budget == 5.0


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("budget", "0.5", 0.5),
        ("budget", "100%", 100.0),
        ("fail_on", "flagged", FailOn.FLAGGED),
        ("fail_on", "Never", FailOn.NEVER),
        ("comment", "always", Comment.ALWAYS),
        ("inline", "TRUE", True),
        ("check_run", "no", False),
        ("labels", "on", True),
        ("base", "release/2.x", "release/2.x"),
        ("sarif_file", "out/a b.sarif", "out/a b.sarif"),
    ],
)
def test_each_value_is_understood_as_people_write_it(name: str, value: str, expected: Any) -> None:
    """Case and a percent sign do not matter where they cannot mean anything else."""
    assert getattr(given(**{name: value}), name) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("budget", "0"), ("budget", "101"), ("budget", "nan"), ("budget", "inf"), ("budget", "ten"), ("budget", "-5"),
        ("fail_on", "always"), ("comment", "sometimes"), ("inline", "maybe"), ("token", "a b"), ("token", "a\nb"),
        ("token", "ä"), ("base", "-x"), ("base", "a..b"), ("head", "a b"), ("head", "x" * 301), ("paths", "/abs"),
        ("paths", "!../x"), ("paths", "a//b"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_by_its_name(name: str, value: str) -> None:
    """The message begins with the input, so that one knows where to look."""
    (message,) = mistakes(**{name: value})
    assert message.startswith(f"input {name.replace('_', '-')}: ")


def test_every_mistake_is_told_at_once() -> None:
    """Nobody wants to push once for each of them."""
    told = mistakes(budget="x", inline="x", model_sha256="x")
    assert [message.split(":")[0] for message in told] == ["input model-sha256", "input budget", "input inline",
                                                          "input model-sha256"]  # fmt: skip


def test_no_message_holds_the_token() -> None:
    """A token with a line end in it is refused without being shown."""
    assert "secret" not in "".join(mistakes(token="secret\n::error::secret"))


def test_paths_are_lines_and_a_mark_in_front_leaves_out() -> None:
    """What is included and what is left out come from one list."""
    found = given(paths="services/a\n!services/a/vendor/**\n lib/*.py , !**/gen")
    assert found.include == ("services/a", "lib/*.py")
    assert found.exclude == ("services/a/vendor/**", "**/gen")


def test_a_sha256_needs_a_model_and_is_compared_in_lower_case() -> None:
    """A pin without what it pins is a mistake."""
    assert given(model="m.zip", model_sha256="AB" * 32).model_sha256 == "ab" * 32
    assert mistakes(model_sha256="ab" * 32)
