"""What the reviewer says and how."""

from __future__ import annotations

from oversight.changes.model import Change, FileChange, FileStatus, Hunk, Line, LineKind
from oversight.changes.syntax import analyse
from oversight.reviewers.model import Severity
from oversight.reviewers.principles import Principles, builtin
from oversight.reviewers.principles.model import RISK_BY_SEVERITY
from oversight.reviewers.principles.view import ROW_LENGTH
from tests.reviewers.principles.annotated import all_examples, change_of_files, context_with

REVIEWER = Principles()


def added_file(path: str, language: str | None, *rows: str) -> Change:
    lines = tuple(Line(LineKind.ADDED, None, number, text) for number, text in enumerate(rows, 1))
    return change_of_files(FileChange(None, path, FileStatus.ADDED, language, (Hunk(0, 1, "", lines),)))


def test_given_syntax_changes_nothing() -> None:
    """Opinions are the same whether the syntax is handed over or worked out."""
    for example in all_examples():
        syntax = tuple(analyse(file) for file in example.change.files)
        assert REVIEWER.review(example.change, example.context, syntax) == REVIEWER.review(
            example.change, example.context
        )


def test_a_reason_is_the_sentence_and_never_quotes_the_change() -> None:
    """A secret that is found is not repeated anywhere in the opinion."""
    secret = "vT7#kq9Lm2Zx4Rw8"
    opinions = REVIEWER.review(added_file("a.py", "python", f'password = "{secret}"'), context_with())
    assert [opinion.principle for opinion in opinions] == ["secret-assigned"]
    assert secret not in repr(opinions)


def test_votes_follow_severity_unless_the_file_names_one() -> None:
    """Low principles abstain; graver ones vote higher; every opinion carries its principle and severity."""
    for principle in builtin():
        assert principle.risk == RISK_BY_SEVERITY[principle.severity]
    votes = [RISK_BY_SEVERITY[severity] for severity in (Severity.MEDIUM, Severity.HIGH, Severity.CRITICAL)]
    assert RISK_BY_SEVERITY[Severity.LOW] is None
    assert votes == sorted(votes, key=lambda vote: vote or 0.0)


def test_an_empty_change_sets_nothing_off() -> None:
    """Nothing changed, nothing said."""
    assert REVIEWER.review(change_of_files(), context_with()) == ()


def test_consecutive_rows_are_one_place() -> None:
    """Places join neighbouring rows and keep apart those with others in between."""
    change = added_file("a.py", "python", "x = 1", "eval(a)", "eval(b)", "y = 2", "eval(c)")
    (opinion,) = REVIEWER.review(change, context_with())
    assert [(place.start, place.end) for place in opinion.lines] == [(2, 3), (5, 5)]


def test_what_patterns_do_not_read_is_reported() -> None:
    """A payload behind the part of a row that is read cannot pass in silence."""
    change = added_file("a.py", "python", f"x = {'1 + ' * ROW_LENGTH}eval(y)")
    assert [opinion.principle for opinion in REVIEWER.review(change, context_with())] == ["unreadable-row"]


def test_the_constitution_covers_what_it_promises() -> None:
    """At least 40 principles in every field of the constitution, with sentences fit for a report."""
    categories = {principle.category for principle in builtin()}
    assert len(builtin()) >= 40
    assert categories >= {
        "test-tampering", "evaluation-awareness", "guards", "errors", "authorisation", "injection", "cryptography",
        "secrets", "pipeline", "dependencies", "concurrency", "memory-safety", "data-loss", "opaque-content",
        "review-evasion",
    }  # fmt: skip
    for principle in builtin():
        assert principle.sentence.endswith(".")
        assert len(principle.sentence) < 300


def test_unparsed_rows_excuse_nothing() -> None:
    """In a file too long to parse, `unless` and put-back rows are not believed."""
    padding = [f"x{number} = {number}" for number in range(40_000)]
    change = added_file("a.py", "python", *padding, "yaml.load(a, Loader=yaml.SafeLoader)")
    assert "unsafe-deserialisation" in [opinion.principle for opinion in REVIEWER.review(change, context_with())]


def test_blocks_in_blocks_hide_no_empty_handler() -> None:
    """However deep the braces, an empty handler is one, and nobody runs out of stack."""
    change = added_file("a.cpp", "cpp", "void f() { try { g(); }", f"catch (E& e) {'{' * 3000}{'}' * 3000}", "}")
    assert "exception-swallowed" in [opinion.principle for opinion in REVIEWER.review(change, context_with())]
