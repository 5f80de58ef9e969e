"""`oversight audit`: files in, the chain proved, files out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from oversight.audit import lines
from oversight.audit.store import Store
from oversight.reports import as_json
from tests.audit.builders import HEAD, OTHER, verdict
from tests.audit.store.test_intake import LABEL, SCORE, rows
from tests.builders import GitRepository
from tests.cli.conftest import PROGRAM, Oversight
from tests.postgres import Postgres, cluster, postgres
from tests.reports.examples import flagged_by_principle

__all__ = ["cluster", "postgres"]


def test_what_the_commands_write_is_taken_in(oversight: Oversight, repository: GitRepository, tmp_path: Path):
    """A report, scores and labels of one repository, from a folder; a second time nothing is new."""
    folder = tmp_path / "written"
    (folder / "reports").mkdir(parents=True)
    (folder / "README.md").write_text("not ours")
    assert (
        oversight("review", "--repo", repository.path, "--format", "json", "--output", folder / "reports/a.json").code
        == 0
    )
    assert oversight("score", "--repo", repository.path, "--jobs", 1, "--output", folder / "scores.jsonl").code == 0
    assert oversight("mine", "--repo", repository.path, "--with-clean", "--output", folder / "labels.jsonl").code == 0
    mined = (folder / "labels.jsonl").read_text().splitlines()
    more = [json.dumps({**LABEL, "commit": commit}) for commit in (HEAD, OTHER)]
    (folder / "labels.jsonl").write_text("\n".join([*mined, *more]) + "\n")
    done = oversight("audit", "import", folder, "--repository", "octo/repo")
    assert (done.code, done.err) == (0, "")
    told = {line.rpartition("/")[2] for line in done.out.splitlines()}
    scored = len((folder / "scores.jsonl").read_text().splitlines())
    assert told == {
        f"labels.jsonl: {len(mined) + 2} labels, {len(mined) + 2} new",
        "a.json: 1 report, 1 new",
        f"scores.jsonl: {scored} scores, {scored} new",
    }
    again = oversight("audit", "import", folder, "--repository", "octo/repo")
    assert again.out.count(", 0 new") == 3
    assert oversight("audit", "export", "scores").out == (folder / "scores.jsonl").read_text()


def test_a_clone_tells_who_wrote_what_was_scored_and_where(
    oversight: Oversight, repository: GitRepository, tmp_path: Path
):
    """Rows of scores name a commit alone; a second import learns it too, and commits that it lacks stay unknown."""
    repository.commit("Generate\n\nCo-authored-by: Claude <noreply@anthropic.com>", {"deep/er/c.py": "c = 1\n"})
    scores = tmp_path / "scores.jsonl"
    assert oversight("score", "--repo", repository.path, "--jobs", 1, "--output", scores).code == 0
    scores.write_bytes(scores.read_bytes() + rows(SCORE))
    call = ("audit", "import", scores, "--repository", "octo/repo")
    assert oversight(*call).code == 0
    queued = ("audit", "queue", "--budget", "100%", "--format", "json")
    assert {one["provenance"] for one in oversight(*queued).json["entries"]} == {None}
    assert ", 0 new" in oversight(*call, "--repo", repository.path).out
    found = {one["commit"]: one for one in oversight(*queued).json["entries"]}
    last, unknown = found[repository.commits[-1]], found[HEAD]
    assert (last["title"], last["author"], last["provenance"]) == (
        "Generate", "Ada Lovelace <ada@example.org>", "agent",
    )  # fmt: skip
    assert (unknown["title"], unknown["author"], unknown["provenance"]) == (None, None, None)
    assert {one["provenance"] for one in found.values()} == {None, "agent", "human"}
    other = ("--database", f"sqlite:///{tmp_path / 'other.db'}")  # what is in a queue stays in the stratum it had
    assert oversight(*call, "--repo", repository.path, *other).code == 0
    where = {one["commit"]: one["directory"] for one in oversight(*queued, *other).json["entries"]}
    assert (where[repository.commits[-1]], where[HEAD]) == ("deep/er", "")
    assert oversight(*call, "--repo", tmp_path).code == 2


def test_verdicts_go_round(oversight: Oversight, tmp_path: Path):
    """In through a pipe, proved, out again byte by byte; the head that was printed is one to hold against."""
    content = lines.written([verdict(), verdict("safe", hours=1)])
    assert oversight("audit", "import", "-", stdin=content.encode()).out.startswith("standard input: 2 verdicts, 2 new")
    proved = oversight("audit", "verify")
    assert proved.code == 0
    words, head = proved.out.splitlines()
    assert words == "2 entries hold, and the head is"
    assert oversight("audit", "verify", "--head", head).code == 0
    assert oversight("audit", "import", "-", stdin=b"").out == "standard input: nothing in it\n"
    assert oversight("audit", "export").out == content
    out = tmp_path / "out.csv"
    assert oversight("audit", "export", "--format", "csv", "--output", out).code == 0
    assert out.read_text().splitlines()[-1].endswith(f'"{head}"')


def test_a_broken_chain_ends_with_2_and_names_the_link(oversight: Oversight, tmp_path: Path):
    """So does a head that is not in it."""
    url = f"sqlite:///{tmp_path}/audit.db"
    with Store.open(url) as store:
        store.append([verdict(), verdict(hours=1)])
        with store.engine.begin() as connection:
            connection.exec_driver_sql("UPDATE verdicts SET note = 'x' WHERE sequence = 2")
    done = oversight("audit", "verify", "--database", url)
    assert (done.code, done.out) == (2, "")
    assert "broken at entry 2: its content is not what its hash was made of" in done.err
    assert oversight("audit", "verify", "--database", url, "--head", "main").code == 2
    with Store.open() as store:
        store.append([verdict()])
    assert oversight("audit", "verify", "--head", "a" * 64).err.startswith("oversight: the ledger is broken at entry 2")


@pytest.mark.parametrize("command", ["verify", "export", "report", "queue"])
def test_a_database_that_is_not_there_is_no_empty_one(oversight: Oversight, tmp_path: Path, command: str):
    """A name that is misspelt proves nothing, and makes no file."""
    done = oversight("audit", command, "--database", f"sqlite:///{tmp_path}/folder/mistyped.db")
    assert (done.code, done.out) == (2, "")
    assert "there is no database" in done.err
    assert "mistyped.db (name another one" in done.err
    assert list(tmp_path.glob("folder*")) == []


@pytest.mark.parametrize("command", ["report", "queue"])
def test_a_repository_that_is_not_on_record_is_no_empty_one(oversight: Oversight, command: str):
    """The names that are known help; one of verdicts alone is known, in whichever case."""
    with Store.open() as store:
        store.append([verdict()])
        assert oversight("audit", command, "--repository", "Octo/Repo").code == 0
        mistyped = ("audit", command, "--repository", "octo/reop")
        assert "no repository octo/reop is in the store (oversight audit import" in oversight(*mistyped).err
        report = as_json.as_dict(flagged_by_principle())
        store.add_report(report, source="import", repository="octo/other", at=verdict().decided_at)
    done = oversight(*mistyped)
    assert (done.code, done.out) == (2, "")
    assert "no repository octo/reop is in the store (choose one: octo/other)" in done.err


def test_of_several_files_each_stands_for_itself(oversight: Oversight, tmp_path: Path):
    """What is amiss is named, file and line; the others are taken in; the exit code tells."""
    for name, content in (("good", rows(SCORE)), ("bad", rows(SCORE, {})), ("worse", b"?")):
        (tmp_path / f"{name}.jsonl").write_bytes(content)
    files = [tmp_path / f"{name}.jsonl" for name in ("bad", "missing", "good", "worse")]
    done = oversight("audit", "import", *files, "--repository", "octo/repo")
    assert done.code == 2
    assert done.out.endswith("good.jsonl: 1 score, 1 new\n")
    bad, missing, worse = done.err.splitlines()
    assert "bad.jsonl: line 2 has no" in bad
    assert "missing.jsonl cannot be read: No such file" in missing
    assert "worse.jsonl: line 1 is not JSON" in worse


def test_names_of_files_are_shown_escaped(oversight: Oversight, tmp_path: Path):
    """A file's name obeys no terminal."""
    path = tmp_path / "\x1b[2Ja.jsonl"
    path.write_bytes(rows(SCORE))
    done = oversight("audit", "import", path)
    assert done.code == 2
    assert "\x1b" not in done.out + done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["import"], "FILE"),
        (["import", "EMPTY"], "no .json or .jsonl"),
        (["import", "EMPTY", "--repository", " "], "--repository"),
        (["export", "everything"], "Invalid value for 'what': 'everything' is not one of"),
        (["verify", "--database", "mysql://user:hunter2@host/name"], "no kind of database"),
        (["verify", "--database", "hunter2"], "cannot be understood"),
        (["frobnicate"], "frobnicate"),
        ([], "import"),
    ],
)
def test_calls_that_make_no_sense_end_with_2(oversight: Oversight, tmp_path: Path, arguments: list[str], says: str):
    """With a line, and without the password that may have been in it."""
    (tmp_path / "empty").mkdir()
    done = oversight("audit", *(str(tmp_path / "empty") if one == "EMPTY" else one for one in arguments))
    assert done.code == 2
    assert says in done.err
    assert "hunter2" not in done.err


def test_nothing_is_written_where_the_command_runs(
    oversight: Oversight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """It may be the repository under review; nor is anything read there."""
    here = tmp_path / "here"
    here.mkdir()
    (here / "oversight.toml").write_text('database_url = "sqlite:///evil.db"\n')
    (here / "alembic.ini").write_text("[alembic]\nscript_location = .\n")
    (here / "env.py").write_text("raise SystemExit('run')\n")
    monkeypatch.chdir(here)
    assert oversight("audit", "import", "-", stdin=lines.line(verdict()).encode()).code == 0
    assert {path.name for path in here.iterdir()} == {"oversight.toml", "alembic.ini", "env.py"}


def test_a_server_answers_to_the_environment(oversight: Oversight, postgres: Postgres, monkeypatch: pytest.MonkeyPatch):
    """A password belongs there, where no list of processes shows it; nobody repeats it."""
    monkeypatch.setenv("OVERSIGHT_DATABASE_URL", postgres.url)
    assert oversight("audit", "import", "-", stdin=lines.line(verdict()).encode()).code == 0
    assert oversight("audit", "export").out == lines.line(verdict())
    assert postgres.sql("SELECT count(*) FROM verdicts") == "1\n"
    monkeypatch.setenv("OVERSIGHT_DATABASE_URL", postgres.url.replace(postgres.name, "nowhere"))
    done = oversight("audit", "verify")
    assert done.code == 2
    assert postgres.password not in done.err


def test_without_the_packages_the_mend_is_said(tmp_path: Path):
    """The rest of the command line works without them."""
    program = "import sys; sys.modules['sqlalchemy'] = None; from oversight.cli import run; sys.exit(run(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, "audit", "verify"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 2
    assert "pip install 'oversight-review[audit]'" in done.stderr


def test_an_import_that_is_interrupted_leaves_nothing(tmp_path: Path, start: Callable[..., subprocess.Popen[bytes]]):
    """Ctrl-C in the middle of a file: one line, 130, and the store is as it was."""
    pipe, url = tmp_path / "scores.jsonl", f"sqlite:///{tmp_path}/audit.db"
    os.mkfifo(pipe)
    process = start("audit", "import", pipe, "--repository", "octo/repo", "--database", url)
    with pipe.open("wb", buffering=0) as file:
        for number in range(3000):
            file.write(rows({**SCORE, "commit": f"{number:040x}"}))
        time.sleep(0.2)
        os.kill(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert b"Traceback" not in errors
    done = subprocess.run([PROGRAM, "audit", "export", "scores", "--database", url], capture_output=True, check=True)
    assert done.stdout == b""
