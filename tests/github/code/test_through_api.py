"""A change through the API: what GitHub gives is checked against what it says there is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oversight.changes.model import FileStatus
from oversight.config import Settings
from oversight.errors import ConfigError, RepositoryError, UnscoredError
from oversight.reports.model import RiskReport, Status
from oversight.review import Reviewer
from oversight.reviewers.principles import Principles
from oversight.students.runtime import load
from oversight_github.client import Client
from oversight_github.code.through_api import ApiSource, through_api
from oversight_github.code.wanted import Wanted
from oversight_github.events import Pull
from tests.builders import file_diff
from tests.github import routes
from tests.github.action.conftest import UNSAFE
from tests.github.double import Double

HEAD = "a" * 40
WHY = RepositoryError("git is not installed", mend="install it")
DIFF = file_diff("a.py", ["def f(x):", "    return x"], UNSAFE.splitlines()).encode()


@pytest.fixture
def base(github: Double) -> str:
    """The tip of main, with settings and principles."""
    return github.world.write(
        "heads/main",
        {"oversight.toml": b"budget = 3\n", "rules/x.toml": b"x", "rules/readme": b"r", "models/m/config.json": b"{}"},
    )


def compared(github: Double, base: str, diff: bytes | None = DIFF, files: int = 0, name: str | None = None) -> None:
    """Let GitHub know the comparison of base and head; without a diff it is too large for one."""
    message = {"message": "Fetch it\n\nBecause.\n"}
    listed = [
        {"filename": f"{number}.py", "status": "added", "additions": 1, "deletions": 0, "patch": "@@ -0,0 +1 @@\n+x"}
        for number in range(files)
    ]
    basehead = f"{name or base}...{HEAD}"
    github.world.compares[basehead] = {
        "base_commit": {"sha": base}, "merge_base_commit": {"sha": "e" * 40}, "status": "ahead",
        "commits": [{"sha": HEAD, "commit": message}], "files": listed,
    }  # fmt: skip
    if diff is not None:
        github.world.compare_diffs[basehead] = diff


def pull_of(github: Double, base: str, diff: bytes) -> Pull:
    github.world.pull(7, diff=diff, base_sha=base, head_sha=HEAD)
    return Pull(7, "open", "main", base, "topic", HEAD, None, True, False, "The title", "ann", ())


def read(github: Double, wanted: Wanted) -> ApiSource:
    return through_api(wanted, github.client(), because=WHY)


def test_two_commits_are_compared(github: Double, base: str) -> None:
    """The diff is that from the merge base, with the message of the newest commit."""
    compared(github, base)
    source = read(github, Wanted(HEAD, (base,)))
    assert [file.path for file in source.change.files] == ["a.py"]
    change = source.change
    assert (change.id, change.base, change.head, source.base) == (HEAD, "e" * 40, HEAD, base)
    assert (change.title, change.body, change.repository) == ("Fetch it", "Because.", "octo/repo")
    assert "git is not installed" in source.note


def test_a_name_is_compared_and_settings_are_those_of_its_tip(github: Double, base: str) -> None:
    """Later commits on the branch do not matter: what was compared is what is asked."""
    compared(github, base, name="main")
    source = read(github, Wanted(HEAD, ("d" * 40, "refs/heads/main")))
    github.world.write("heads/main", {"oversight.toml": b"budget = 100\n"})
    assert source.settings() == b"budget = 3\n"


def test_of_more_commits_than_are_listed_the_head_is_still_the_head(github: Double, base: str) -> None:
    """GitHub lists the first 250, and the last of them is not what was reviewed."""
    head = github.world.write("heads/topic", {"a.py": b"x\n"}, "The newest")
    compared(github, base, name=base)
    listed = github.world.compares.pop(f"{base}...{HEAD}") | {"commits": [{"sha": "d" * 40}]}
    for name in (head, "topic"):
        github.world.compares[f"{base}...{name}"] = listed
        github.world.compare_diffs[f"{base}...{name}"] = DIFF
        change = read(github, Wanted(name, (base,))).change
        assert (change.head, change.title) == (head, "The newest")


BINARY = b"diff --git a/%s b/%s\nindex 1111111..2222222 100644\nBinary files a/%s and b/%s differ\n"
ATTRIBUTES = file_diff(".gitattributes", [], ["* binary"]).encode()


@pytest.mark.parametrize(
    ("path", "beside", "unread"),
    [(b"a.py", b"", True), (b"a.png", b"", False), (b"Dockerfile", ATTRIBUTES, True), (b"a.png", ATTRIBUTES, True)],
)
def test_attributes_hide_no_code(github: Double, base: str, path: bytes, beside: bytes, unread: bool) -> None:
    """GitHub obeys those that an author wrote: what it then shows as binary has not been read."""
    compared(github, base, diff=beside + BINARY % ((path,) * 4))
    file = read(github, Wanted(HEAD, (base,))).change.files[-1]
    assert (file.path, file.unread is not None) == (path.decode(), unread)


def test_one_commit_is_its_own_diff(github: Double, base: str) -> None:
    """Against its first parent, which is also where its settings come from."""
    head = github.world.write("heads/main", {"a.py": b"x\n", "oversight.toml": b"budget = 100\n"}, "A commit")
    github.world.compare_diffs[head] = DIFF
    for wanted in (Wanted(head), Wanted(head, ("d" * 40,), else_alone=True)):
        source = read(github, wanted)
        assert (source.base, source.change.title, source.settings()) == (base, "A commit", b"budget = 3\n")


def test_the_base_says_what_it_says_of_reviews(github: Double, base: str) -> None:
    """Settings, principles by their names in the folder, and the files of a model."""
    compared(github, base)
    source = read(github, Wanted(HEAD, (base,)))
    assert source.principles("rules") == (("x.toml", b"x"),)
    assert source.principles(None) == ()
    assert source.model("models/m") == {"config.json": b"{}"}
    assert source.model("models") is None
    with pytest.raises(ConfigError, match="no principle files"):
        source.principles("nowhere")


@pytest.mark.parametrize(
    ("content", "entry"),
    [(b"x", {"mode": "120000"}), (b"x", {"type": "tree"}), (b"x", {"size": 70_000})],
)
def test_settings_that_are_no_file_are_refused(
    github: Double, base: str, content: bytes, entry: dict[str, str]
) -> None:
    """Reviewing without them might leave out a principle that they name."""
    compared(github, base)
    tree = github.world.trees[github.world.commits[base]["tree"]]
    tree["oversight.toml"] |= entry
    with pytest.raises(ConfigError):
        read(github, Wanted(HEAD, (base,))).settings()


def test_without_settings_there_are_none(github: Double) -> None:
    """As with git."""
    bare = github.world.write("heads/bare", {"a": b"a"})
    compared(github, bare)
    source = read(github, Wanted(HEAD, (bare,)))
    assert source.settings() is None
    assert replace(source, base=None).settings() is None


def many(count: int) -> bytes:
    return b"".join(file_diff(f"f{number}.py", [], ["x"]).encode() for number in range(count))


def test_above_300_files_a_pull_request_is_read_from_its_list(github: Double, base: str) -> None:
    """All files are listed, with their patches, and all lines are counted."""
    compared(github, base, diff=None)
    source = read(github, Wanted(HEAD, (base,), pull=pull_of(github, base, many(350))))
    assert len(source.change.files) == 350
    assert source.change.added == 350
    assert (source.change.title, source.change.files[0].status) == ("Fetch it", FileStatus.ADDED)


def test_what_github_does_not_list_is_said_to_be_unread(
    github: Double, base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It lists no more than 3,000 files, here fewer; the receipt says how many there were."""
    monkeypatch.setattr(routes, "MAX_FILES", 30)
    compared(github, base, diff=None)
    change = read(github, Wanted(HEAD, (base,), pull=pull_of(github, base, many(40)))).change
    assert change.files[-1].unread == "GitHub lists 30 of 40 changed files"
    assert change.added is None


def test_a_list_is_not_taken_for_that_of_another_head(github: Double, base: str) -> None:
    """Somebody has pushed meanwhile: the comparison lists 300 files of the head that was asked for, and no count."""
    compared(github, base, diff=None, files=300)
    pull = pull_of(github, base, many(350))
    github.world.pulls[7]["head"]["sha"] = "f" * 40
    for wanted in (Wanted(HEAD, (base,), pull=pull), Wanted(HEAD, (base,))):
        change = read(github, wanted).change
        assert len(change.files) == 301
        assert change.files[-1].unread == "GitHub lists 300 of an unknown number of changed files"


@pytest.mark.parametrize(
    ("entry", "unread", "binary"),
    [
        ({"patch": "@@ -0,0 +1 @@\n+x"}, False, False),
        ({"patch": "@@ -0,0 +1,2 @@\n+x\n+y"}, True, False),
        ({"patch": "@@ -0,0 +1,3 @@\n+x"}, True, False),
        ({"patch": "no patch at all"}, True, False),
        ({"patch": ""}, True, False),
        ({}, True, False),
        ({"additions": 0}, True, True),
        ({"additions": 0, "filename": "f.png"}, False, True),
        ({"additions": 0, "sha": "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"}, False, False),
        ({"additions": 0, "status": "renamed", "previous_filename": "o"}, False, False),
        ({"filename": 'a\nb\\ "c', "patch": "@@ -0,0 +1 @@\n+x"}, False, False),
    ],
)
def test_a_patch_that_is_missing_or_cut_is_unread(
    github: Double, base: str, entry: dict[str, str], unread: bool, binary: bool
) -> None:
    """Its lines are counted against those that GitHub says there are."""
    compared(github, base, diff=None)
    whole = {"filename": "f.py", "status": "added", "additions": 1, "deletions": 0} | entry
    github.world.compares[f"{base}...{HEAD}"]["files"] = [whole]
    file = read(github, Wanted(HEAD, (base,))).change.files[0]
    assert (file.unread is not None, file.binary) == (unread, binary)
    assert file.path == whole["filename"]


def review(source: ApiSource, model: object) -> RiskReport:
    return source.review(Reviewer(load(model), Principles(), Settings()))  # type: ignore[arg-type]


def test_a_report_says_what_could_not_be_seen(github: Double, base: str, model: object) -> None:
    """The history is unknown, and why it is stands in the notes; findings are found as ever."""
    compared(github, base)
    report = review(read(github, Wanted(HEAD, (base,))), model)
    assert report.status is Status.SCORED
    assert report.flagged
    assert report.coverage.context == "none"
    assert any("git is not installed" in note for note in report.notes)


@pytest.mark.parametrize("status", [403, 404, 422])
def test_where_the_api_fails_as_well_the_change_is_unscored(github: Double, base: str, status: int) -> None:
    """Both reasons are told."""
    github.fail("GET", "/repos/{owner}/{repo}/compare/{basehead}", status, message="No")
    with pytest.raises(UnscoredError, match="git is not installed"):
        read(github, Wanted(HEAD, (base,)))


@pytest.mark.parametrize("diff", [b"this is no diff", DIFF[: DIFF.rindex(b"\n", 0, -1) + 1]])
def test_a_diff_that_is_none_is_unscored(github: Double, base: str, diff: bytes) -> None:
    """A proxy that answers in GitHub's place is not believed."""
    compared(github, base, diff=diff)
    with pytest.raises(UnscoredError, match="could not be read"):
        read(github, Wanted(HEAD, (base,)))


def test_an_answer_of_another_shape_is_unscored(github: Double, base: str, api: Client) -> None:
    """A key that is missing is no crash."""
    compared(github, base)
    del github.world.compares[f"{base}...{HEAD}"]["merge_base_commit"]
    with pytest.raises(UnscoredError):
        through_api(Wanted(HEAD, (base,)), api, because=WHY)
