"""Where a change comes from: the checkout, a clone of our own, or the API; and what it leaves as it was."""

from __future__ import annotations

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from oversight.changes.quarantine import git_version
from oversight.errors import ModelError, UnscoredError, UsageError
from oversight.history.schema import cache_directory
from oversight_github.action.runner import Runner
from oversight_github.action.source import find
from oversight_github.code import clone as module
from oversight_github.code import source as source_module
from oversight_github.code.clone import Clone, FetchError, GoneError, Limits
from oversight_github.code.remote import Remote, basic
from oversight_github.code.source import GitSource, Source
from oversight_github.code.wanted import Wanted
from tests.builders import GitRepository
from tests.github.action.conftest import NAME, UNSAFE, Workshop
from tests.github.action.server import GitServer
from tests.github.double import TOKEN

LARGE = 10_000_000


@pytest.fixture
def asked(workshop: Workshop) -> Wanted:
    """The pull request of the workshop."""
    return Wanted(workshop.head, (workshop.base,))


def sought(
    workshop: Workshop,
    wanted: Wanted,
    *,
    size: int | None = 1,
    server: str | None = None,
    limits: Limits | None = None,
) -> Any:
    runner = Runner(
        "pull_request", Path("none"), NAME, workshop.head, workshop.workspace, workshop.home, workshop.github.url,
        server or workshop.server.url,
    )  # fmt: skip
    return find(wanted, runner, TOKEN, workshop.github.client(), kilobytes=size, limits=limits)


def files(source: Source) -> list[str]:
    assert isinstance(source, GitSource)
    change = source.repository.change(source.span)
    assert not any(file.unread for file in change.files)
    return [file.path for file in change.files]


def refs(repository: GitRepository) -> str:
    return repository.git("for-each-ref") + repository.git("config", "--list", "--local")


def test_a_whole_checkout_is_read_as_it_is(workshop: Workshop, asked: Wanted) -> None:
    """With fetch-depth: 0 nothing goes over the network."""
    workshop.checkout("main", "--no-single-branch")
    with sought(workshop, asked) as source:
        assert files(source) == ["a.py"]
        assert source.clone is None
    assert workshop.server.asked == []


@pytest.mark.parametrize("options", [("--depth=1",), ("--filter=blob:none", "--no-single-branch")])
def test_what_a_checkout_lacks_is_fetched_beside_it(
    workshop: Workshop, asked: Wanted, options: tuple[str, ...]
) -> None:
    """One that is cut off, and one without contents: it stays as it was, down to its refs and configuration."""
    workshop.checkout("main", *options)
    checkout = GitRepository(workshop.workspace)
    before = refs(checkout)
    objects = sorted((workshop.workspace / ".git").rglob("*"))
    with sought(workshop, asked) as source:
        assert files(source) == ["a.py"]
        assert source.repository.name == "repo"
        assert source.base == workshop.base
        assert source.span.base == workshop.origin.git("merge-base", "main", "topic")
    assert refs(checkout) == before
    assert sorted((workshop.workspace / ".git").rglob("*")) == objects
    assert list(workshop.workspace.rglob("a.py")) == [workshop.workspace / "a.py"]


@pytest.mark.parametrize("size", [1, LARGE, None])
def test_no_checkout_is_needed(workshop: Workshop, asked: Wanted, size: int | None) -> None:
    """Small repositories come whole; of large ones, and of those of unknown size, what a review reads."""
    with sought(workshop, asked, size=size) as source:
        assert files(source) == ["a.py"]
        assert source.clone.blobless is (size != 1)
        assert source.settings() is None


def test_of_a_large_repository_only_what_is_read_is_fetched(
    workshop: Workshop, asked: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Contents of the change, of those before it, and what the base says of reviews; older ones stay away."""
    monkeypatch.setattr(module, "NEIGHBOURS", 1)
    base = workshop.origin
    base.commit("Settings", {"oversight.toml": "budget = 3\n", "x/p.toml": "p", "x/deep/q.toml": "q", "y.txt": "y"})
    with sought(workshop, Wanted(workshop.head, (workshop.base,)), size=LARGE) as source:
        assert files(source) == ["a.py"]
        read = source.repository
        assert read.read(workshop.base, "x/p.toml") is None
        assert source.settings() == b"budget = 3\n"
        assert source.model("x") == {"p.toml": b"p"}
        assert [name for name, _ in source.principles("x")] == ["deep/q.toml", "p.toml"]
        assert read.read(workshop.base, "y.txt") is None
        old = base.git("rev-parse", "main~1:notes.txt")
        assert b"missing" in read.run("cat-file", "--batch-check", stdin=old.encode() + b"\n")


@pytest.mark.parametrize("size", [1, LARGE])
def test_a_model_at_the_base_has_its_bounds(workshop: Workshop, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """A link in its folder is no file of it, and one that is too large is refused before it is read."""
    (workshop.origin.path / "m").mkdir()
    (workshop.origin.path / "m" / "link").symlink_to("../a.py")
    workshop.origin.commit("A model", {"m/a": "12345", "m/deep/b": "b"})
    wanted = Wanted(workshop.head, (workshop.base,))
    with sought(workshop, wanted, size=size) as source:
        assert source.model("m") == {"a": b"12345"}
        assert source.model("none") is None
        monkeypatch.setattr(source_module, "LARGEST_MODEL_FILE", 4)
        with pytest.raises(ModelError, match="too large"):
            source.model("m")


def test_a_report_on_a_large_repository_is_that_on_a_whole_one(workshop: Workshop) -> None:
    """Where the history is short enough that all contents are needed, nothing is lost."""
    payload = workshop.pull_request()
    reports = []
    for size in (1, LARGE):
        payload["repository"] = workshop.repository(size)
        shutil.rmtree(cache_directory())
        report = workshop.step("pull_request", payload, comment="never", check_run="no").report
        report.pop("notes", None)
        reports.append(report)
    assert reports[0] == reports[1]


def test_a_later_run_fetches_what_is_new(workshop: Workshop, asked: Wanted) -> None:
    """Nothing new means one short exchange; new commits come on top of what is there."""
    with sought(workshop, asked) as source:
        packs = list((source.clone.path / "objects" / "pack").glob("*.pack"))
    assert len(packs) == 1
    with sought(workshop, asked):
        assert list(packs[0].parent.glob("*.pack")) == packs
    workshop.origin.switch("topic")
    workshop.origin.commit("More", {"b.py": "b\n"})
    with sought(workshop, Wanted(workshop.head, (workshop.base,))) as source:
        assert files(source) == ["a.py", "b.py"]
        assert len(list(packs[0].parent.glob("*.pack"))) == 2


def test_many_packs_become_one(workshop: Workshop, asked: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    """A runner that lives for years does not drown in them, and nothing that is indexed gets lost."""
    monkeypatch.setattr(module, "_PACKS", 2)
    for number in range(4):
        workshop.origin.switch("topic")
        workshop.origin.commit("More", {f"{number}.py": "b\n"})
        with sought(workshop, Wanted(workshop.head, (workshop.base,)), size=LARGE) as source:
            assert f"{number}.py" in files(source)
            pack = source.clone.path / "objects" / "pack"
    assert len(list(pack.glob("*.pack"))) <= 4
    with sought(workshop, asked, size=LARGE) as source:
        assert files(source) == ["a.py"]


@pytest.mark.parametrize("damage", ["empty", "pack", "config"])
def test_a_clone_that_was_damaged_is_made_anew(workshop: Workshop, asked: Wanted, damage: str) -> None:
    """A job that was cancelled, a full disk, a cache that somebody has been at: none of them ends a review."""
    with sought(workshop, asked) as source:
        path = source.clone.path
    if damage == "empty":
        shutil.rmtree(path / "objects")
        (path / "objects").mkdir()
    elif damage == "pack":
        for pack in (path / "objects" / "pack").glob("*.pack"):
            pack.chmod(0o644)
            pack.write_bytes(b"damaged")
    else:
        (path / "config").write_text(
            '[core]\n\tfsmonitor = "touch evil"\n\tsshCommand = touch evil\n[include]\npath = x\n'
        )
    with sought(workshop, asked) as source:
        assert files(source) == ["a.py"]
    assert not list(path.rglob("evil"))


def test_names_are_looked_up_on_the_server(workshop: Workshop) -> None:
    """Branches before tags, tags by their commits, whole refs as they are; others are a mistake."""
    origin = workshop.origin
    origin.git("tag", "-a", "-m", "v", "v1", "main~1")
    for head, base in (("topic", "main"), ("refs/heads/topic", "v1"), ("topic", "refs/tags/v1")):
        with sought(workshop, Wanted(head, (base,))) as source:
            assert files(source) == ["a.py"]
            assert source.base == origin.git("rev-parse", f"{base}^{{commit}}")
    for wanted in (Wanted("nowhere", ("main",)), Wanted("topic", ("nowhere",)), Wanted("--upload-pack=x", ("main",))):
        with pytest.raises(UsageError, match="no branch or tag"), sought(workshop, wanted):
            pass


def test_names_in_a_whole_checkout_are_those_of_the_server(workshop: Workshop) -> None:
    """A branch that the checkout has of its own is not the base branch."""
    workshop.checkout("main", "--no-single-branch")
    checkout = GitRepository(workshop.workspace)
    checkout.git("branch", "-f", "main", "origin/topic")
    with sought(workshop, Wanted("topic", ("refs/heads/main",))) as source:
        assert (source.clone, source.base) == (None, workshop.base)


def test_the_head_of_a_fork_is_there_under_the_base_repository(workshop: Workshop) -> None:
    """A fork that was deleted is not missed: its commits stay where the pull request is."""
    origin = workshop.origin
    origin.branch("gone", "main")
    head = origin.commit("From a fork", {"f.py": UNSAFE})
    origin.git("update-ref", "refs/pull/7/head", head)
    origin.switch("main")
    origin.git("branch", "-D", "gone")
    with sought(workshop, Wanted(head, (workshop.base,))) as source:
        assert files(source) == ["f.py"]


def test_a_head_that_was_replaced_is_unscored(workshop: Workshop) -> None:
    """Its run says so, and that of the newer head reviews it."""
    with (
        pytest.raises(UnscoredError, match="no longer on the server") as caught,
        sought(workshop, Wanted("d" * 40, (workshop.base,))),
    ):
        pass
    assert "force push" in caught.value.mend


def test_after_a_force_push_what_was_there_before_may_be_gone(workshop: Workshop) -> None:
    """Then the next base stands in, and in the end the newest commit alone."""
    with sought(workshop, Wanted(workshop.head, ("d" * 40, "refs/heads/main"), else_alone=True)) as source:
        assert source.base == workshop.base
    with sought(workshop, Wanted(workshop.head, ("d" * 40, "refs/heads/none"), else_alone=True)) as source:
        assert source.span.single
        assert files(source) == ["a.py"]


def test_a_new_branch_without_commits_of_its_own_is_its_newest(workshop: Workshop) -> None:
    """What was pushed adds nothing to the default branch, and is reviewed all the same."""
    with sought(workshop, Wanted(workshop.base, ("refs/heads/main",), else_alone=True)) as source:
        assert source.span == (workshop.origin.git("rev-parse", "main~1"), workshop.base, True)


def test_histories_without_a_common_ancestor_are_unscored(workshop: Workshop) -> None:
    """There is nothing to compare with, which is said; alone, where that was asked for, it can be read."""
    origin = workshop.origin
    origin.git("checkout", "-q", "--orphan", "other")
    head = origin.commit("Unrelated", {"o.py": "o\n"})
    with (
        pytest.raises(UnscoredError, match="nothing to compare with"),
        sought(workshop, Wanted(head, (workshop.base,))),
    ):
        pass
    with sought(workshop, Wanted(head, (workshop.base,), else_alone=True)) as source:
        assert source.span == (None, head, True)


def test_the_token_is_in_no_argument_and_no_file(
    workshop: Workshop, asked: Wanted, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other processes can read the arguments of ours, and later steps our files."""
    started: list[list[str]] = []
    begin = subprocess.Popen.__init__

    def noted(self: Any, command: list[str], *arguments: Any, **options: Any) -> None:
        started.append(command)
        begin(self, command, *arguments, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", noted)
    with sought(workshop, asked, size=LARGE):
        pass
    assert len(started) > 3
    secrets = (TOKEN, basic(TOKEN))
    assert not any(secret in part for command in started for part in command for secret in secrets)
    contents = b"".join(path.read_bytes() for path in cache_directory().rglob("*") if path.is_file())
    assert not any(secret.encode() in contents for secret in secrets)


def test_the_machine_may_name_proxies_but_no_helpers_and_no_other_place(
    workshop: Workshop, asked: Wanted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its configuration is read for certificates; what would run a program, or send the token away, is not obeyed."""
    helper = tmp_path / "helper"
    helper.write_text("#!/bin/sh\ntouch " + str(tmp_path / "evil"))
    helper.chmod(0o755)
    (tmp_path / "config").write_text(
        f'[core]\n\thooksPath = {tmp_path}\n\taskPass = {helper}\n[credential]\n\thelper = "!{helper}"\n'
        f'[url "ext::{helper} "]\n\tinsteadOf = nowhere:\n[http]\n\textraHeader = "X-Other: 1"\n'
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    monkeypatch.setenv("GIT_TRACE_CURL", str(tmp_path / "trace"))
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    with sought(workshop, asked) as source:
        assert files(source) == ["a.py"]
    assert not (tmp_path / "evil").exists()
    assert not (tmp_path / "trace").exists()


def test_git_speaks_to_a_server_over_https_alone(workshop: Workshop, asked: Wanted) -> None:
    """Plain http and files are for tests, on one machine."""
    with sought(workshop, asked, server=workshop.server.root.as_uri()) as source:
        assert files(source) == ["a.py"]
    assert workshop.server.asked == []
    for url in ("http://example.org", "ssh://example.org", "ext::sh", "git://127.0.0.1", ""):
        with pytest.raises(UsageError, match="https"):
            Remote(url, NAME, None)
    assert Remote("https://ghe.example.org:8443", NAME, None).place.parts[:2] == ("github", "ghe.example.org_8443")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits take no time."""
    monkeypatch.setattr(module, "_PAUSE", 0.0)


@pytest.mark.usefixtures("impatient")
def test_git_tries_twice_and_says_why_it_cannot(workshop: Workshop, tmp_path: Path) -> None:
    """A failure that may pass is tried again; a refusal is not, and says what the token needs."""
    server = workshop.server
    server.broken = True
    clone = Clone(Remote(server.url, NAME, TOKEN), tmp_path / "clone", kilobytes=1)
    with pytest.raises(FetchError) as caught:
        clone.fetch([workshop.head])
    assert caught.value.passing
    assert len(server.asked) == 2
    server.broken = False
    refused = Clone(Remote(server.url, NAME, "wrong"), tmp_path / "other", kilobytes=1)
    server.asked.clear()
    with pytest.raises(FetchError) as caught:
        refused.fetch([workshop.head])
    assert caught.value.refused
    assert "contents: read" in caught.value.mend
    assert "wrong" not in str(caught.value)
    assert len(server.asked) == 1
    with pytest.raises(GoneError):
        clone.fetch(["d" * 40])


def test_two_jobs_at_the_same_time_do_not_disturb_each_other(workshop: Workshop, asked: Wanted) -> None:
    """On a runner that several jobs share, both have one clone."""
    with sought(workshop, asked) as first, sought(workshop, asked) as second:
        lock = first.clone.path / "packed-refs.lock"
        lock.touch()
        assert files(first) == files(second) == ["a.py"]
        with sought(workshop, asked) as third:
            assert files(third) == ["a.py"]


def test_jobs_that_begin_together_make_one_clone(workshop: Workshop, asked: Wanted) -> None:
    """None of them sees a repository, or a configuration, that another has half written."""

    def job(_: int) -> list[str]:
        with sought(workshop, asked, size=LARGE) as source:
            return files(source)

    git_version()  # GitPython looks it up once a process, and real jobs are processes
    with ThreadPoolExecutor(4) as jobs:
        assert list(jobs.map(job, range(8))) == [["a.py"]] * 8
    (clone,) = (cache_directory() / Remote(workshop.server.url, NAME, None).place).parent.iterdir()
    assert not [path for path in clone.iterdir() if path.name.startswith(("config.", "HEAD."))]


def test_a_cache_that_cannot_be_written_is_done_without(
    workshop: Workshop, asked: Wanted, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clone is made in the job's own folder then, and lost with it."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("OVERSIGHT_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with sought(workshop, asked) as source:
        assert files(source) == ["a.py"]
        assert source.clone.path.is_relative_to(workshop.home)


def test_a_runner_without_git_is_told(workshop: Workshop, asked: Wanted, monkeypatch: pytest.MonkeyPatch) -> None:
    """It falls back to the API, whose answer here is that there is no such thing."""
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(UnscoredError, match="git is not installed"), sought(workshop, asked):
        pass


def test_a_server_that_is_no_server_of_git(workshop: Workshop, asked: Wanted, tmp_path: Path) -> None:
    """An address that answers with anything else is a failure to fetch, and no crash."""
    with GitServer(tmp_path) as empty:
        clone = Clone(Remote(empty.url, NAME, None), tmp_path / "clone", kilobytes=1)
        with pytest.raises(FetchError):
            clone.fetch([asked.head])
