"""Messages that git puts before a diff."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta, timezone
from io import BytesIO
from pathlib import Path

import pytest

from oversight.changes.diff import change_from_diff
from oversight.changes.model import ProvenanceKind
from oversight.errors import DiffError
from tests.builders import AUTHOR, EPOCH, HOUR, GitRepository, file_diff

DIFF = file_diff("x.py", ["a"], ["b"])


def written(path: Path, message: str, author: str = AUTHOR) -> GitRepository:
    repository = GitRepository.create(path / "r")
    repository.commit("First", {"x.py": "a\n"})
    repository.commit(message, {"x.py": "b\n"}, author=author)
    return repository


@pytest.mark.parametrize(
    "command",
    [
        ("show",),
        ("show", "--format=fuller"),
        ("show", "--date=iso"),
        ("show", "--date=iso-strict"),
        ("show", "--date=rfc"),
        ("log", "-p", "-1", "--stat"),
        ("format-patch", "-1", "--stdout"),
    ],
    ids=" ".join,
)
def test_title_author_and_date_come_from_what_git_writes(tmp_path: Path, command: tuple[str, ...]) -> None:
    """`git show`, `git log` and `git format-patch` in their common formats tell who, when and why."""
    repository = written(tmp_path, "Fix the thing\n\nIt was broken.\n\n    indented\n")
    change = change_from_diff(repository.git(*command).encode())
    assert (change.title, change.author) == ("Fix the thing", "Ada Lovelace <ada@example.org>")
    assert change.body == "It was broken.\n\n    indented"
    assert change.authored_at == datetime.fromtimestamp(EPOCH + 2 * HOUR, UTC)
    assert [file.path for file in change.files] == ["x.py"]


def test_a_bare_diff_has_an_id_and_nothing_that_it_does_not_tell() -> None:
    """The id is the sha256 of the bytes, also of a stream; unknown is None."""
    change = change_from_diff(BytesIO(DIFF.encode()))
    assert change.id == change_from_diff(DIFF.encode()).id == hashlib.sha256(DIFF.encode()).hexdigest()
    assert (change.repository, change.base, change.head, change.author, change.authored_at) == (None,) * 5
    assert (change.title, change.body, change.provenance.kind) == ("", "", ProvenanceKind.UNKNOWN)


def test_the_id_covers_bytes_that_are_not_read() -> None:
    """Also what a limit cuts off counts: two diffs with one id are one diff."""
    head = b"--- a/x\n+++ b/x\n@@ -0,0 +1 @@\n+"
    data = head + b"x" * 2_000_000
    assert change_from_diff(BytesIO(data)).id == hashlib.sha256(data).hexdigest()


def test_encoded_words_and_folded_subjects_are_read(tmp_path: Path) -> None:
    """format-patch encodes what is not ASCII and folds long subjects."""
    title = "Größe " * 30 + "Ende"
    repository = written(tmp_path, title, author="Ödön Ä <o@example.org>")
    change = change_from_diff(repository.git("format-patch", "-1", "--stdout").encode())
    assert (change.title, change.author) == (title, "Ödön Ä <o@example.org>")


def test_several_commits_are_one_list_of_files(tmp_path: Path) -> None:
    """An mbox is one change: the first message is its own, and an agent in any of them counts."""
    repository = written(tmp_path, "Second")
    repository.commit("Third\n\nCo-Authored-By: Claude <noreply@anthropic.com>", {"y.py": "c\n"})
    change = change_from_diff(repository.git("format-patch", "-2", "--stdout").encode())
    assert (change.title, [file.path for file in change.files]) == ("Second", ["x.py", "y.py"])
    assert (change.provenance.kind, change.provenance.name) == (ProvenanceKind.AGENT, "Claude Code")


def test_a_message_may_talk_about_diffs() -> None:
    """Hunk headers and dashes in a message are words; a commit without files is an empty change."""
    head = f"From {'0' * 40} Mon Sep 17 00:00:00 2001\nFrom: A <a@b.c>\nSubject: [PATCH] T\n\n"
    body = "@@ -1 +1 @@\n--- what\n+++ ever\nOnly in x: y\n---\n x.py | 2 +-\n\n"
    change = change_from_diff((head + body + DIFF + "-- \n2.39\n\n").encode())
    assert (change.title, [file.path for file in change.files]) == ("T", ["x.py"])
    assert change_from_diff((head + "nothing\n").encode()).files == ()


def test_a_forged_hunk_in_a_message_cannot_swallow_the_files() -> None:
    """A hunk that promises more lines than the message has runs into the first file, and that is an error."""
    head = f"From {'0' * 40} Mon Sep 17 00:00:00 2001\nSubject: T\n\n--- a/x\n+++ b/x\n@@ -1,99 +1,99 @@\n \n"
    with pytest.raises(DiffError):
        change_from_diff((head + DIFF).encode())


def test_a_mail_that_is_encoded_is_refused() -> None:
    """Quoted-printable changes the lines, so a diff in it is not what was sent."""
    head = f"From {'0' * 40} Mon Sep 17 00:00:00 2001\nSubject: T\nContent-Transfer-Encoding: quoted-printable\n\n"
    with pytest.raises(DiffError, match="encoded"):
        change_from_diff((head + DIFF).encode())


def test_a_date_nobody_can_read_is_unknown() -> None:
    """A wrong date is no reason to refuse a diff, and no date is made up."""
    for date in ("yesterday", "Thu, 99 Foo 20000 99:99:99 +9999", "9" * 50):
        head = f"commit {'1' * 40}\nAuthor: A <a@b.c>\nDate: {date}\n\n    T\n\n"
        assert change_from_diff((head + DIFF).encode()).authored_at is None


def test_a_date_keeps_its_time_zone() -> None:
    """Local time at the author's place is part of what git tells."""
    head = f"commit {'1' * 40}\nAuthor: A <a@b.c>\nDate: Thu Apr 7 15:13:13 2005 -0700\n\n    T\n\n"
    expected = datetime(2005, 4, 7, 15, 13, 13, tzinfo=timezone(timedelta(hours=-7)))
    assert change_from_diff((head + DIFF).encode()).authored_at == expected


def test_headers_in_the_message_of_a_mail_are_text() -> None:
    """A mail may speak of files in any words, `---` and `+++` among them."""
    mail = f"From {'0' * 40} Mon Sep 17 00:00:00 2001\nFrom: {AUTHOR}\nSubject: On headers\n\n--- a/x\n+++ b/x\n---\n"
    change = change_from_diff((mail + DIFF).encode())
    assert (change.title, [file.path for file in change.files]) == ("On headers", ["x.py"])
