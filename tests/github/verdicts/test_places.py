"""Where verdicts are kept: nothing is lost to another writer, and nothing foreign is believed or written over."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from oversight.audit.lines import parse, written
from oversight.audit.verdict import Landing, Record
from oversight.errors import LabelError, OutputError, UsageError
from oversight_github.client import Client, Forbidden, GitHubError, Unavailable, Unprocessable
from oversight_github.verdicts import places
from oversight_github.verdicts.places import ARTIFACT, FILE, REF, FilePlace, RefPlace, place_of
from tests.audit.builders import HEAD, OTHER, at, verdict
from tests.github.double import Double

SHORT = REF.removeprefix("refs/")
ONE, TWO, THREE = verdict(), verdict("safe", who="bob", hours=1), verdict("safe", hours=2)
LANDED = Landing(HEAD, OTHER, "octo/repo", 7, at(3))
MOVE = "/repos/{owner}/{repo}/git/refs/{ref}"


def held(github: Double, ref: str = SHORT) -> bytes | None:
    return github.world.read(ref, FILE)


def test_what_is_kept_on_a_ref_is_there_the_next_time(github: Double, api: Client):
    """Each run adds a commit on top, and the ref is no branch."""
    assert RefPlace(api).read() == Record()
    assert RefPlace(api).append([ONE]) == [ONE]
    assert RefPlace(api).append([TWO, LANDED]) == [TWO, LANDED]
    assert RefPlace(api).read() == Record((ONE, TWO), (LANDED,))
    assert held(github) == written([ONE, TWO, LANDED]).encode()
    tip = github.world.commits[github.world.refs[SHORT]]
    assert len(tip["parents"]) == 1


def test_what_is_on_record_is_not_written_again(github: Double, api: Client):
    """Twice the same is once; where nothing is new there is no commit."""
    RefPlace(api).append([ONE, ONE])
    before = len(github.writes)
    assert RefPlace(api).append([ONE]) == []
    assert len(github.writes) == before


def test_a_branch_keeps_its_other_files(github: Double, api: Client):
    """A branch may be chosen for it."""
    github.world.write("heads/data", {"readme.md": b"ours"})
    RefPlace(api, "refs/heads/data").append([ONE])
    assert github.world.read("heads/data", "readme.md") == b"ours"
    assert parse(held(github, "heads/data") or b"").verdicts == (ONE,)


@pytest.fixture
def before_the_move(api: Client, monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object], int], None]:
    """Let somebody else act right before a run moves the ref, the first `times`."""

    def register(act: Callable[[], object], times: int) -> None:
        left = iter(range(times))

        def late(send: Callable[..., Any], path: str, body: Mapping[str, Any]) -> Any:
            if "/git/refs" in path and next(left, None) is not None:
                act()
            return send(path, body)

        for verb in ("post", "patch"):
            monkeypatch.setattr(api, verb, partial(late, getattr(api, verb)))

    return register


def test_of_two_that_write_at_the_same_time_neither_loses_a_line(github: Double, api: Client, before_the_move: Any):
    """The ref moves by fast-forward alone: who comes second reads again."""
    RefPlace(api).append([ONE])
    before_the_move(lambda: github.world.write(SHORT, {FILE: written([ONE, TWO]).encode()}), 1)
    assert RefPlace(api).append([THREE]) == [THREE]
    assert RefPlace(api).read().verdicts == (ONE, TWO, THREE)


def test_of_two_that_make_the_ref_neither_loses_a_line(github: Double, api: Client, before_the_move: Any):
    """Likewise for the very first verdict."""
    before_the_move(lambda: github.world.write(SHORT, {FILE: written([TWO]).encode()}), 1)
    assert RefPlace(api).append([ONE]) == [ONE]
    assert RefPlace(api).read().verdicts == (TWO, ONE)


def test_who_always_comes_second_gives_up_in_the_end(github: Double, api: Client, before_the_move: Any):
    """With a line that says so, and the other's lines as they are."""
    RefPlace(api).append([ONE])
    before_the_move(lambda: github.world.write(SHORT, {"other": b"%d" % github.world.id()}), 100)
    with pytest.raises(OutputError, match="changed 6 times while they were being written"):
        RefPlace(api).append([TWO])
    assert RefPlace(api).read().verdicts == (ONE,)


def test_a_move_whose_answer_was_lost_is_found_to_have_happened(api: Client, monkeypatch: pytest.MonkeyPatch):
    """A connection that ends after the ref moved is no failure, and one that ends before is."""
    RefPlace(api).append([ONE])
    move, lost = api.patch, Unavailable("no answer", mend="run again")

    def obeyed(path: str, body: Mapping[str, Any]) -> Any:
        move(path, body)
        raise lost

    monkeypatch.setattr(api, "patch", obeyed)
    assert RefPlace(api).append([TWO]) == [TWO]
    assert RefPlace(api).read().verdicts == (ONE, TWO)
    monkeypatch.setattr(api, "patch", Mock(side_effect=lost))
    with pytest.raises(Unavailable):
        RefPlace(api).append([THREE])


def test_a_refusal_that_is_no_conflict_is_told_at_once(github: Double, api: Client):
    """A protected ref, or a token that may not write."""
    RefPlace(api).append([ONE])
    github.fail("PATCH", MOVE, 422, message="Protected branch update failed")
    with pytest.raises(Unprocessable, match="Protected branch"):
        RefPlace(api).append([TWO])
    github.read_only = True
    with pytest.raises(Forbidden):
        RefPlace(api).append([TWO])
    assert RefPlace(api).read().verdicts == (ONE,)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"<script>", "line 1 of the verdicts is not JSON"),
        (written([ONE]).encode() + b'{"schema_version": "1.0"}\n', 'line 2 of the verdicts has no "'),
        (written([ONE, ONE]).encode(), "line 2 of the verdicts repeats line 1"),
        (b"\xff\xfe", "line 1 of the verdicts is not UTF-8"),
    ],
)
def test_what_others_put_there_is_refused_and_left_as_it_is(github: Double, api: Client, content: bytes, says: str):
    """Nothing of it is believed, nothing is written over it, and the line is named."""
    tip = github.world.write(SHORT, {FILE: content})
    for act in (RefPlace(api).read, lambda: RefPlace(api).append([TWO])):
        with pytest.raises(LabelError, match=says):
            act()
    assert github.world.refs[SHORT] == tip
    assert not github.writes


def test_a_ref_of_our_own_without_the_file_is_not_taken_for_an_empty_one(github: Double, api: Client):
    """Somebody removed it; on a branch it may just not be there yet."""
    github.world.write(SHORT, {"other.txt": b""})
    with pytest.raises(LabelError, match=r"holds no verdicts\.jsonl"):
        RefPlace(api).append([ONE])
    sha = github.world.blob(b"x")
    tree = github.world.tree({FILE: {"mode": "120000", "type": "blob", "sha": sha}})
    github.world.refs[SHORT] = github.world.commit(tree, [], "a link")
    with pytest.raises(LabelError, match="that is no file"):
        RefPlace(api).read()


def test_a_last_line_without_its_end_is_not_run_into(github: Double, api: Client):
    """Editors leave files so."""
    github.world.write(SHORT, {FILE: written([ONE]).encode().rstrip()})
    RefPlace(api).append([TWO])
    assert RefPlace(api).read().verdicts == (ONE, TWO)


def test_answers_that_are_none_of_github_are_errors_of_its_tree(github: Double, api: Client):
    """A proxy that answers with JSON of its own."""
    github.world.write(SHORT, {FILE: b""})
    github.fail("GET", "/repos/{owner}/{repo}/git/commits/{commit_sha}", 200, message="welcome")
    with pytest.raises(GitHubError, match=r"no sha as tree\.sha"):
        RefPlace(api).read()


@pytest.mark.parametrize("ref", ["main", "refs/main", "refs//x", "refs/a/\n", "refs/oversight/"])
def test_names_that_are_no_refs_are_refused(api: Client, ref: str):
    """Before anything is asked for."""
    with pytest.raises(UsageError, match="no ref for verdicts"):
        RefPlace(api, ref)


def test_a_place_is_named_by_its_ref_or_its_path(api: Client):
    """The default is the ref of our own."""
    assert isinstance(place_of(None, api), RefPlace)
    assert isinstance(place_of("refs/heads/data", api), RefPlace)
    assert isinstance(place_of("out/verdicts.jsonl", api), FilePlace)


def archive(content: bytes, name: str = FILE) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr(name, content)
    return packed.getvalue()


def test_what_was_uploaded_is_read_back(github: Double, api: Client, tmp_path: Path):
    """The newest artifact counts; the file is written anew each time, so that the next upload does not expire."""
    path = tmp_path / FILE
    assert FilePlace(api, path).append([]) == []
    assert path.read_bytes() == b""
    assert FilePlace(api, path).append([ONE]) == [ONE]
    github.world.artifact(ARTIFACT, archive(path.read_bytes()))
    assert FilePlace(api, path).append([TWO]) == [TWO]
    github.world.artifact(ARTIFACT, archive(path.read_bytes()))
    path.unlink()
    assert FilePlace(api, path).append([TWO]) == []
    assert parse(path.read_bytes()).verdicts == FilePlace(api, path).read().verdicts == (ONE, TWO)


def test_artifacts_of_others_are_not_believed(github: Double, api: Client, tmp_path: Path):
    """A fork's workflow may upload anything under any name, and so may one on a branch; expired ones are gone."""
    forged = archive(written([TWO]).encode())
    github.world.artifact(ARTIFACT, archive(written([ONE]).encode()))
    for _ in range(120):
        github.world.artifact(ARTIFACT, forged, fork=True)
    github.world.artifact(ARTIFACT, forged, branch="topic")
    github.world.artifact(ARTIFACT, forged, expired=True)
    github.world.artifact("another", forged)
    assert FilePlace(api, tmp_path / FILE).read().verdicts == (ONE,)


def test_a_file_that_lies_in_the_checkout_is_not_believed(api: Client, tmp_path: Path):
    """Whoever wrote the pull request may have written it; and a link leads out of the checkout."""
    path = tmp_path / FILE
    path.write_text(written([TWO]))
    FilePlace(api, path).append([ONE])
    assert parse(path.read_bytes()).verdicts == (ONE,)
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutputError, match="symbolic link"):
        FilePlace(api, path).append([ONE])
    assert not (tmp_path / "elsewhere").exists()


def test_an_artifact_that_is_no_archive_of_ours_is_refused(
    github: Double, api: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Garbage, another file, one that unpacks to more than there is room for, or lines that are none."""
    path = tmp_path / FILE
    for content, says in (
        (b"no zip", "has no verdicts.jsonl that can be unpacked"),
        (archive(b"", "other.jsonl"), "has no verdicts.jsonl that can be unpacked"),
        (archive(json.dumps([1]).encode()), "line 1 of the verdicts is no object"),
    ):
        github.world.artifact(ARTIFACT, content)
        with pytest.raises(LabelError, match=says):
            FilePlace(api, path).append([ONE])
    monkeypatch.setattr(places, "LARGEST", 1_000)
    github.world.artifact(ARTIFACT, archive(b"\n" * 100_000))
    with pytest.raises(LabelError, match="is too large"):
        FilePlace(api, path).append([ONE])
    assert not path.exists()


def test_a_full_place_is_not_made_fuller(api: Client, monkeypatch: pytest.MonkeyPatch):
    """Rather than write what could never be read again."""
    monkeypatch.setattr(places, "LARGEST", 100)
    with pytest.raises(OutputError, match="is full"):
        RefPlace(api).append([ONE])
