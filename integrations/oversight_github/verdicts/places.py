"""Where verdicts are kept between runs: on a ref of the repository, or in a file that becomes an artifact.

Both only ever grow, and what is in them is believed whole or not at all (`oversight.audit.lines`): where somebody has
put anything else there, nothing is read, and nothing is written over it.

A ref, `refs/oversight/verdicts` by default, is not a branch: no clone fetches it and no workflow runs for it. It moves
by fast-forward alone, so that of two runs that write at the same time one starts over, knowing what the other wrote.

A file is uploaded by the workflow. It is read back from the newest artifact of the default branch, never from the disk,
where a checkout may have put a file of the pull request's author; nor from artifacts of other branches and of forks,
whose workflows may upload what they like under any name. Of two runs at the same time the later upload wins.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from oversight.audit.lines import LARGEST, name_of, parse, written
from oversight.audit.verdict import Landing, Record, Verdict
from oversight.errors import LabelError, OutputError, UsageError
from oversight.reports.escape import terminal
from oversight.reports.output import write_bytes
from oversight_github.archives import ArchiveError, unpacking
from oversight_github.client import Client, NotFound, Unavailable, Unprocessable
from oversight_github.verdicts.answers import at, list_at, number_at, sha_at

REF = "refs/oversight/verdicts"
FILE = "verdicts.jsonl"
ARTIFACT = "oversight-verdicts"

_ATTEMPTS = 6
_RAW = "application/vnd.github.raw+json"

Entry = Verdict | Landing


class Place(Protocol):
    """Somewhere that verdicts are kept."""

    @property
    def ours(self) -> bool:
        """Whether nobody but us can write there."""
        ...

    def read(self) -> Record:
        """Return all that is on record; `LabelError` where something else is there."""
        ...

    def append(self, entries: Iterable[Entry]) -> list[Entry]:
        """Put on record what is not there yet, and return it. Errors as of `read`, and of GitHub or the disk."""
        ...


def place_of(where: str | Place | None, client: Client) -> Place:
    """Return the place of that name: a ref by its full name, a file by its path; by default `REF`."""
    if where is not None and not isinstance(where, str):
        return where
    if where is None or where.startswith("refs/"):
        return RefPlace(client, where or REF)
    return FilePlace(client, Path(where))


def unknown(entries: Iterable[Entry], record: Record) -> list[Entry]:
    """Return the entries that are not on record, each once."""
    held: tuple[Entry, ...] = (*record.verdicts, *record.landings)
    known = {name_of(entry) for entry in held}
    fresh = {name_of(entry): entry for entry in entries if name_of(entry) not in known}
    return list(fresh.values())


@dataclass(frozen=True, slots=True)
class _Held:
    """What a ref holds: its commit and that commit's tree, None where there is no ref yet."""

    tip: str | None
    tree: str | None
    content: bytes


class RefPlace:
    """A file on a ref of the repository, written through GitHub's git interface; needs `contents: write`.

    The ref may be a branch with other files, which stay as they are.
    """

    ours = False

    def __init__(self, client: Client, ref: str = REF, file: str = FILE) -> None:
        short = ref.removeprefix("refs/")
        if short == ref or "/" not in short or not all(short.split("/")) or not ref.isprintable():
            raise UsageError(f"{terminal(ref, 100)} is no ref for verdicts", mend=f"name one in full, such as {REF}")
        self._client = client
        self._ref = ref
        self._short = short.split("/")
        self._file = file

    def read(self) -> Record:
        """Return all that is on record."""
        return parse(self._held().content)

    def append(self, entries: Iterable[Entry]) -> list[Entry]:
        """Put what is new at the end of the file, in a commit on top of what is there."""
        wanted = list(entries)
        for _ in range(_ATTEMPTS):
            held = self._held()
            fresh = unknown(wanted, parse(held.content))
            if not fresh:
                return []
            commit = self._commit(held, _extended(held.content, fresh), len(fresh))
            try:
                self._move(held.tip, commit)
            except (Unprocessable, Unavailable):
                tip = self._tip()
                if tip == held.tip:
                    raise
                if tip != commit:
                    continue
            return fresh
        raise OutputError(
            f"the verdicts on {terminal(self._ref, 100)} changed {_ATTEMPTS} times while they were being written",
            mend="run again; let runs wait for each other with `concurrency:`",
        )

    def _held(self) -> _Held:
        tip = self._tip()
        if tip is None:
            return _Held(None, None, b"")
        tree = sha_at(self._client.get(self._client.here("git", "commits", tip)), "tree", "sha")
        listed = list_at(self._client.get(self._client.here("git", "trees", tree)), "tree")
        entry = next((one for one in listed if at(one, "path") == self._file), None)
        if entry is None:
            # A branch may hold other files first; a ref of our own has held nothing else since it was made.
            if self._ref.startswith("refs/heads/"):
                return _Held(tip, tree, b"")
            raise self._foreign(f"no {self._file}")
        if at(entry, "type") != "blob" or at(entry, "mode") not in ("100644", "100755"):
            raise self._foreign(f"a {self._file} that is no file")
        return _Held(tip, tree, self._client.raw(self._client.here("git", "blobs", sha_at(entry, "sha")), _RAW))

    def _tip(self) -> str | None:
        try:
            told = self._client.get(self._client.here("git", "ref", *self._short))
        except NotFound:
            return None
        if at(told, "object", "type") != "commit":
            raise self._foreign("no commit")
        return sha_at(told, "object", "sha")

    def _commit(self, held: _Held, content: bytes, fresh: int) -> str:
        """Store a commit with `content` on top of what is there, and return its sha; no ref points to it yet."""
        here, post = self._client.here, self._client.post
        coded = base64.b64encode(content).decode("ascii")
        blob = sha_at(post(here("git", "blobs"), {"content": coded, "encoding": "base64"}), "sha")
        entry = {"path": self._file, "mode": "100644", "type": "blob", "sha": blob}
        base = {} if held.tree is None else {"base_tree": held.tree}
        tree = sha_at(post(here("git", "trees"), {**base, "tree": [entry]}), "sha")
        parents = [] if held.tip is None else [held.tip]
        message = f"Record {fresh} more of what people said of changes"
        return sha_at(post(here("git", "commits"), {"message": message, "tree": tree, "parents": parents}), "sha")

    def _move(self, tip: str | None, commit: str) -> None:
        if tip is None:
            self._client.post(self._client.here("git", "refs"), {"ref": self._ref, "sha": commit})
        else:
            path = self._client.here("git", "refs", *self._short)
            self._client.patch(path, {"sha": commit, "force": False})

    def _foreign(self, what: str) -> LabelError:
        return LabelError(
            f"{terminal(self._ref, 100)} holds {what}, and verdicts are kept there",
            mend="put back the commit from before it was touched, or keep verdicts on another ref",
        )


class FilePlace:
    """A file that the workflow uploads as the artifact `artifact` after each run; reading needs `actions: read`."""

    ours = False

    def __init__(self, client: Client, path: Path, artifact: str = ARTIFACT) -> None:
        self._client = client
        self._path = path
        self._artifact = artifact

    def read(self) -> Record:
        """Return all that is on record in the newest artifact."""
        return parse(self._held())

    def append(self, entries: Iterable[Entry]) -> list[Entry]:
        """Write the file: what the newest artifact holds, and what is new. It is written also where nothing is, so
        that the next upload takes the place of one that expires.
        """
        if self._path.is_symlink():
            raise OutputError("the file of verdicts is a symbolic link", mend="name one outside of the checkout")
        held = self._held()
        fresh = unknown(entries, parse(held))
        write_bytes(_extended(held, fresh), self._path, option="the place for verdicts")
        return fresh

    def _held(self) -> bytes:
        told = self._client.get(self._client.here())
        # All of them: forks may upload any number under that name, which must not push ours out of sight.
        listed = self._client.pages(self._client.here("actions", "artifacts"), key="artifacts", name=self._artifact)
        usable = [number_at(one, "id") for one in listed if _ours(one, told)]
        if not usable:
            return b""
        path = self._client.here("actions", "artifacts", max(usable), "zip")
        return _unpacked(self._client.raw(path, "application/vnd.github+json"), self._path.name)


def _ours(artifact: Any, repository: Any) -> bool:
    """Whether an artifact can be had and was made by a run of the repository's own default branch."""
    identity, run = number_at(repository, "id"), at(artifact, "workflow_run")
    own = at(run, "repository_id") == identity and at(run, "head_repository_id") == identity
    return own and at(run, "head_branch") == at(repository, "default_branch") and at(artifact, "expired") is False


def _unpacked(archive: bytes, name: str) -> bytes:
    """Return the file `name` of a zip archive; never more than `LARGEST` bytes of it are unpacked."""
    try:
        with unpacking(io.BytesIO(archive)) as held, held.open(name) as file:
            content = file.read(LARGEST + 1)
    except ArchiveError as error:
        raise _bad_artifact(f"has no {terminal(name, 100)} that can be unpacked") from error
    if len(content) > LARGEST:
        raise _bad_artifact("is too large")
    return content


def _bad_artifact(what: str) -> LabelError:
    return LabelError(
        f"the newest artifact with verdicts {what}",
        mend="delete the artifact, so that the one before it counts, or keep verdicts under another name",
    )


def _extended(content: bytes, fresh: Iterable[Entry]) -> bytes:
    """Return the content with more lines at its end; what was there stays, byte by byte."""
    if content and not content.endswith(b"\n"):
        content += b"\n"
    content += written(fresh).encode("ascii")
    if len(content) > LARGEST:
        raise OutputError("the file of verdicts is full", mend="go on in another place, and keep this one")
    return content
