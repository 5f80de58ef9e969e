"""Settings: what wins, what a repository may set, and what a mistake is answered with."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oversight.config import FILE_LIMIT, Paths, Settings, load
from oversight.errors import ConfigError

NONE: dict[str, str] = {}


def refused(file: bytes | None = None, environment: dict[str, str] | None = None, **flags: Any) -> ConfigError:
    """The error that these settings are refused with: printable, one line."""
    with pytest.raises(ConfigError) as caught:
        load(file, environment=environment or NONE, **flags)
    assert str(caught.value).isprintable()
    return caught.value


def test_defaults() -> None:
    """Nothing set means a budget of 10 %, all files, the shipped principles and the shipped model."""
    assert load(environment=NONE) == Settings(10.0, Paths(), None, None)


def test_file() -> None:
    """A file sets budget, paths and a folder of principles."""
    file = b'budget = 5\nprinciples = "rules/ours/"\n[paths]\ninclude = ["src/**", "lib/"]\nexclude = ["**/*.lock"]\n'
    assert load(file, environment=NONE) == Settings(5.0, Paths(("src/**", "lib"), ("**/*.lock",)), "rules/ours")


def test_order() -> None:
    """A flag wins over the environment, that over the file, and the file over the default."""
    file = b'budget = 5\n[paths]\ninclude = ["a"]\nexclude = ["b"]\n'
    environment = {"OVERSIGHT_BUDGET": "20", "OVERSIGHT_PATHS__INCLUDE": '["c", "d"]'}
    settings = load(file, environment=environment, budget=30, model="dir")
    assert settings == Settings(30.0, Paths(("c", "d"), ("b",)), None, "dir")
    assert load(file, environment=environment).budget == 20.0
    assert load(file, environment=NONE).budget == 5.0


def test_environment() -> None:
    """Lists are JSON arrays or words between commas; an empty variable is an unset one; others are not ours."""
    environment = {
        "OVERSIGHT_BUDGET": "",
        "OVERSIGHT_PATHS__EXCLUDE": "docs, **/*.md\nvendor",
        "OVERSIGHT_PRINCIPLES": "rules",
        "OVERSIGHT_MODEL": "/models/mine",
        "OVERSIGHT_DATABASE_URL": "sqlite://",
        "BUDGET": "3",
    }
    assert load(environment=environment) == Settings(
        10.0, Paths((), ("docs", "**/*.md", "vendor")), "rules", "/models/mine"
    )


def test_process_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process's own environment is read where none is given."""
    monkeypatch.setenv("OVERSIGHT_BUDGET", "7.5")
    assert load().budget == 7.5


@pytest.mark.parametrize("value", ["0", "-1", "100.1", "nan", "inf", "-inf", "true", '"ten"', "[]", "1e400", "{}"])
def test_budget_in_range(value: str) -> None:
    """A budget is a percentage above 0 and at most 100, and says so otherwise."""
    error = refused(f"budget = {value}".encode())
    assert "above 0 and at most 100" in error.mend
    assert error.message.startswith("oversight.toml: budget is")


@pytest.mark.parametrize("value", [0.001, 100])
def test_budget_limits(value: float) -> None:
    """The limits themselves are budgets where they should be."""
    assert load(environment=NONE, budget=value).budget == value


def test_errors_name_their_source() -> None:
    """An error says which of the sources is wrong."""
    assert refused(budget=0).message.startswith("--budget is")
    assert refused(environment={"OVERSIGHT_BUDGET": "x"}).message.startswith("OVERSIGHT_BUDGET is 'x'")
    assert refused(b'[paths]\ninclude = "src"').message.startswith("oversight.toml: paths.include")
    assert (
        refused(environment={"OVERSIGHT_PATHS__INCLUDE": "[1"}).message == "OVERSIGHT_PATHS__INCLUDE is no JSON array"
    )


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ('model = "theirs"', "--model or OVERSIGHT_MODEL"),
        ('database_url = "sqlite://"', "OVERSIGHT_DATABASE_URL"),
        ('webhook-secret = "x"', "OVERSIGHT_WEBHOOK_SECRET"),
        ("[github]\napp_id = 1", "OVERSIGHT_GITHUB__APP_ID"),
        ('fail_on = "never"', "--fail-on"),
        ('my_password = "x"', "the environment of whoever runs the review"),
        ("send_code_to_llm = true", "the environment of whoever runs the review"),
        ('Claude = "yes"', "the environment of whoever runs the review"),
        ('[paths]\nbase_url = "x"', "the environment of whoever runs the review"),
    ],
)
def test_what_a_repository_may_not_set(line: str, where: str) -> None:
    """Secrets, addresses, databases, models and leave to send code are refused, with why and where they belong."""
    error = refused(line.encode())
    assert "may not set" in error.message
    assert "who is reviewed" in error.message
    assert where in error.mend


@pytest.mark.parametrize(
    ("file", "mend"),
    [
        (b"budgt = 3", "did you mean budget?"),
        (b"Budget = 3", "did you mean budget?"),
        (b"principals = 'x'", "did you mean principles?"),
        (b"[paths]\nincludes = []", "did you mean paths.include?"),
        (b"zzz = 1", "the settings are budget, paths, principles"),
        (b"paths = ['src']", "write [paths]"),
    ],
)
def test_unknown_keys(file: bytes, mend: str) -> None:
    """An unknown key is refused, with the nearest known one, or all of them."""
    assert mend in refused(file).mend


def test_unknown_variable() -> None:
    """A variable that can only be meant for the paths is refused where it is misspelt."""
    error = refused(environment={"OVERSIGHT_PATHS__INCLUD": "src"})
    assert error.mend == "did you mean OVERSIGHT_PATHS__INCLUDE?"


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (b"\xff", "not UTF-8"),
        (b"budget", "not TOML"),
        (b"budget = 1\nbudget = 2", "not TOML"),
        (b"a = " + b"9" * 5_000, "not TOML"),
        (b"a = " + b"[" * 20_000, "nested too deeply"),
        (b"#" * (FILE_LIMIT + 1), "more than 65,536 bytes"),
        (b"'\\u001b[2J' = 1", "no setting"),
        (b'"\\u001b[2J\\u202e" = 1', r"\x1b[2J\u202e"),
    ],
    ids=["encoding", "syntax", "twice", "digits", "depth", "size", "key", "escapes"],
)
def test_broken_files(file: bytes, message: str) -> None:
    """A file that cannot be read is refused in one printable line, whatever it holds."""
    assert message in refused(file).message


def answer(file: bytes) -> str:
    """What a person is told of a file: its settings, or what is wrong with it."""
    try:
        return repr(load(file, environment=NONE))
    except ConfigError as error:
        return str(error)


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode()))
@example(b"")
def test_any_file(file: bytes) -> None:
    """Any bytes are settings or a ConfigError, and print in either case."""
    assert answer(file).isprintable()


@pytest.mark.parametrize(
    "glob", ["", "/", "/src", "../x", "a//b", "./a", "a/..", "!docs", "a\\b", "**.py", "src/a**/b", "x" * 301]
)
def test_patterns_that_would_mislead(glob: str) -> None:
    """A pattern that could not match as its author thinks is refused."""
    refused(include=[glob])
    refused(exclude=[glob])


def test_too_many_patterns() -> None:
    """The number of patterns has a limit."""
    refused(include=["a"] * 201)


@pytest.mark.parametrize("folder", ["", "/etc", "../up", "a/../b", "-option", "HEAD:x", "a\\b", "a\nb", "x" * 301])
def test_principles_stay_in_the_repository(folder: str) -> None:
    """The folder of principles is one below the repository's root, and nothing that git could misread."""
    refused(principles=folder)
    if folder and "\n" not in folder and "\\" not in folder:
        refused(f'principles = "{folder}"'.encode())


@pytest.mark.parametrize("model", ["", "  ", "a\0b"])
def test_model_is_named(model: str) -> None:
    """A model that is given has a name."""
    refused(model=model)


@pytest.mark.parametrize(
    ("glob", "path", "covered"),
    [
        ("src", "src/a/b.py", True),
        ("src", "src", True),
        ("src", "lib/src/a.py", False),
        ("src/**", "src/a/b.py", True),
        ("*.py", "a.py", True),
        ("*.py", "src/a.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "src/x/a.py", True),
        ("**/*.py", "src/a.pyc", False),
        ("**/test/**", "a/test/b", True),
        ("**/test/**", "a/tests/b", False),
        ("a/**/z", "a/z", True),
        ("a/**/z", "a/b/c/z", True),
        ("a/**/z", "a/b/c/y", False),
        ("a/?.c", "a/b.c", True),
        ("a/?.c", "a/bb.c", False),
        ("a/[bc].c", "a/b.c", True),
        ("A/*", "a/b", False),
        ("**", "anything/at all", True),
        ("a/*/c", "a/b/c/d", True),
        ("x\udcff", "x\udcff/y", True),
    ],
)
def test_patterns(glob: str, path: str, covered: bool) -> None:
    """`*` stays in a folder, `**` crosses folders, and a pattern that matches a folder takes what is below."""
    assert Paths(include=(glob,)).covers(path) is covered
    assert Paths(exclude=(glob,)).covers(path) is not covered


def test_exclude_wins() -> None:
    """A path that both lists name is left out."""
    assert not Paths(("src",), ("src/a",)).covers("src/a/b")
    assert Paths(("src",), ("src/a",)).covers("src/b")


def test_patterns_cannot_explode() -> None:
    """A pattern of many `**` and stars against a long path is answered at once."""
    glob = "/".join(["**", "*a*a*a*a*b"] * 70)
    assert not Paths(include=(glob,)).covers("/".join(["a" * 30] * 130))


def test_light() -> None:
    """Importing the settings loads neither pydantic nor a TOML parser."""
    script = (
        "import sys, oversight.config\nprint(sorted({'pydantic', 'tomllib', 'json', 'difflib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
