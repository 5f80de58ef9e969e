"""A change through GitHub's API alone, for where git cannot fetch: its diff, without the history before it.

Above 300 files GitHub gives no diff; then files are listed with their patches, and checked against the counts that
stand beside them: what is missing or cut off is marked as unread, and thereby is in the coverage receipt.

GitHub obeys `.gitattributes`, with which an author can have code shown as binary; git of our own does not. So code
that comes as binary is unread as well, and so is every binary file beside a change of these attributes.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from oversight.base_settings import Files
from oversight.changes.diff import change_from_diff, parse_diff
from oversight.changes.languages import language_of
from oversight.changes.model import Change, FileChange, FileStatus
from oversight.changes.patches import EVERYTHING
from oversight.config import FILE_LIMIT, FILE_NAME
from oversight.errors import ConfigError, DiffError, OversightError, UnscoredError
from oversight.reports import RiskReport
from oversight.review import Reviewer
from oversight.reviewers.principles.constitution_files import EXTRA_LIMIT
from oversight_github.client import Client, GitHubError, NotFound, TooLarge
from oversight_github.code.wanted import Wanted

_DIFF = "application/vnd.github.diff"
_STATUS = {
    "added": FileStatus.ADDED, "removed": FileStatus.DELETED, "renamed": FileStatus.RENAMED,
    "copied": FileStatus.COPIED, "changed": FileStatus.TYPE_CHANGED,
}  # fmt: skip
_NO_PATCH = "GitHub gives no diff of it, since it is too large"
_CUT = "GitHub gives a part of its diff only"
_HIDDEN = "GitHub shows it as binary, as attributes of the repository may have it do"
_ATTRIBUTES = ".gitattributes"
_EMPTY_BLOBS = (
    "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813",
)
_NOTE = "The diff came from GitHub's API, without the history before it, since git could not be used: {}."


@dataclass(frozen=True, slots=True)
class ApiSource:
    """A change of which the diff is known; `base` is the tip of the base, None where there is none."""

    client: Client
    change: Change
    base: str | None
    note: str

    def settings(self) -> bytes | None:
        """Return `oversight.toml` at the base. Raises ConfigError, GitHubError."""
        entry = {one["path"]: one for one in self._tree()}.get(FILE_NAME)
        if entry is None:
            return None
        if not _regular(entry) or entry.get("size", 0) > FILE_LIMIT:
            raise ConfigError(
                f"{FILE_NAME} at the base revision is no regular file, or has more than {FILE_LIMIT:,} bytes",
                mend="commit the file itself, and keep it to review settings",
            )
        return self._content(entry)

    def principles(self, folder: str | None) -> Files:
        """Return the principle files below a folder of the base. Raises ConfigError, GitHubError."""
        if folder is None or self.base is None:
            return ()
        entries = [one for one in self._below(folder) if one["path"].endswith(".toml")]
        if not entries or len(entries) > EXTRA_LIMIT or not all(map(_regular, entries)):
            raise ConfigError(
                f"the folder that `principles` names holds no principle files at the base revision, more than "
                f"{EXTRA_LIMIT}, or some that are no regular files",
                mend="commit them to the base branch first, or leave the setting out",
            )
        return tuple((one["path"], self._content(one)) for one in sorted(entries, key=lambda one: str(one["path"])))

    def model(self, folder: str) -> Mapping[str, bytes] | None:
        """Return the files right below a folder of the base. Raises GitHubError."""
        files = [one for one in self._below(folder) if "/" not in one["path"] and _regular(one)]
        return {one["path"]: self._content(one) for one in files} or None

    def review(self, reviewer: Reviewer) -> RiskReport:
        """Review the diff."""
        report = reviewer.change(self.change)
        return replace(report, notes=(*report.notes, self.note))

    def _below(self, folder: str) -> list[dict[str, Any]]:
        """Return the files below a folder of the base, by their paths in it; nothing where there is no such folder."""
        prefix = folder.strip("/") + "/"
        found = [one for one in self._tree(recursive=True) if one["path"].startswith(prefix)]
        return [one | {"path": one["path"].removeprefix(prefix)} for one in found if one.get("type") == "blob"]

    def _tree(self, *, recursive: bool = False) -> list[dict[str, Any]]:
        if self.base is None:
            return []
        path = self.client.here("git", "trees", self.base)
        answer = self.client.get(path, recursive=1) if recursive else self.client.get(path)
        if answer.get("truncated"):
            raise ConfigError(
                "GitHub does not list all files of the base revision", mend="have git read it: see why it could not"
            )
        return list(answer["tree"])

    def _content(self, entry: Mapping[str, Any]) -> bytes:
        answer = self.client.get(self.client.here("git", "blobs", entry["sha"]))
        try:
            return base64.b64decode(answer["content"])
        except (binascii.Error, KeyError, TypeError, ValueError):
            raise ConfigError("a file of the base revision cannot be read", mend="run again later") from None


def through_api(wanted: Wanted, client: Client, *, because: OversightError) -> ApiSource:
    """Return what is wanted through the API. Raises UnscoredError where that fails too; `because` is why not git."""
    try:
        base, change = _compared(wanted, client) if wanted.bases else _alone(wanted.head, client)
    except (GitHubError, DiffError, KeyError, TypeError, ValueError) as error:
        why = error.message if isinstance(error, OversightError) else "GitHub answered with something else than a diff"
        raise UnscoredError(
            f"the change could not be read: {because.message}; through the API: {why}", mend=because.mend
        ) from error
    return ApiSource(client, replace(change, repository=client.repository), base, _NOTE.format(because.message))


def _alone(name: str, client: Client) -> tuple[str | None, Change]:
    path = client.here("commits", name)
    about = client.get(path)
    parents = about["parents"]
    base = str(parents[0]["sha"]) if parents else None
    try:
        change = change_from_diff(client.raw(path, _DIFF))
    except TooLarge:
        change = _listed(about.get("files") or [], total=None)
    return base, _named(change, base, str(about["sha"]), str(about["commit"]["message"]))


def _compared(wanted: Wanted, client: Client) -> tuple[str | None, Change]:
    for name in wanted.bases:
        path = client.here("compare", f"{name.removeprefix('refs/heads/')}...{wanted.head}")
        try:
            about = client.get(path)
        except NotFound:
            continue
        try:
            change = change_from_diff(client.raw(path, _DIFF))
        except TooLarge:
            change = _of_many_files(wanted, client, about)
        commits = about.get("commits") or []
        # Of many commits GitHub lists the first ones.
        newest = (
            commits[-1]
            if commits and commits[-1]["sha"] == wanted.head
            else client.get(client.here("commits", wanted.head))
        )
        message, head = str(newest["commit"]["message"]), str(newest["sha"])
        merge_base = str(about["merge_base_commit"]["sha"])
        return str(about["base_commit"]["sha"]), _named(change, merge_base, head, message)
    if wanted.else_alone:
        return _alone(wanted.head, client)
    raise NotFound("GitHub knows nothing that the two commits have in common", mend="name two commits that have")


def _named(change: Change, base: str | None, head: str, message: str) -> Change:
    title, _, body = message.strip("\n").partition("\n")
    touched = any(file.path.rpartition("/")[2] == _ATTRIBUTES for file in change.files)
    files = tuple(replace(file, unread=_HIDDEN) if _hidden(file, touched=touched) else file for file in change.files)
    return replace(change, id=head, base=base, head=head, title=title, body=body.strip("\n"), files=files)


def _hidden(file: FileChange, *, touched: bool) -> bool:
    """Whether a file may be code that attributes have GitHub show as binary; `touched`: by this very change."""
    return file.binary and not file.hunks and (touched or file.language is not None)


def _of_many_files(wanted: Wanted, client: Client, about: Mapping[str, Any]) -> Change:
    """Return the change from the list of its files, which is longer for a pull request than for two commits."""
    if wanted.pull is None:
        return _listed(about.get("files") or [], total=None)
    path = client.here("pulls", wanted.pull.number)
    now = client.get(path)
    if now["head"]["sha"] != wanted.head:
        return _listed(about.get("files") or [], total=None)
    return _listed(client.pages(f"{path}/files"), total=int(now["changed_files"]))


def _listed(entries: Iterator[dict[str, Any]] | list[dict[str, Any]], *, total: int | None) -> Change:
    """Return a change from GitHub's entries for its files; `total` is how many there are, None where unknown."""
    files = [_file(entry) for entry in entries]
    if total is None or len(files) < total:
        told = "of an unknown number of" if total is None else f"of {total}"
        files.append(_unread(EVERYTHING, f"GitHub lists {len(files)} {told} changed files"))
    return replace(change_from_diff(b""), files=tuple(files))


def _file(entry: Mapping[str, Any]) -> FileChange:
    path = str(entry["filename"])
    status = _STATUS.get(entry.get("status", ""), FileStatus.MODIFIED)
    old = None if status is FileStatus.ADDED else str(entry.get("previous_filename") or path)
    new = None if status is FileStatus.DELETED else path
    told = int(entry.get("additions", 0)), int(entry.get("deletions", 0))
    file = FileChange(old, new, status, language_of(path), ())
    patch = entry.get("patch")
    if not isinstance(patch, str):
        if told == (0, 0):  # nothing but a new name, nothing at all, or no text
            empty = entry.get("sha") in _EMPTY_BLOBS or status in (FileStatus.RENAMED, FileStatus.COPIED)
            return replace(file, binary=not empty)
        return replace(file, unread=_NO_PATCH)
    # The name comes from the list: as a header it would have to be quoted first.
    text = f"--- a/x\n+++ b/x\n{patch}\n".encode("utf-8", "surrogateescape")
    try:
        (parsed,) = parse_diff(text)
    except (DiffError, ValueError):
        return replace(file, unread=_CUT)
    seen = sum(len(hunk.added) for hunk in parsed.hunks), sum(len(hunk.deleted) for hunk in parsed.hunks)
    return replace(file, hunks=parsed.hunks) if seen == told else replace(file, unread=_CUT)


def _unread(path: str, reason: str) -> FileChange:
    return FileChange(path, path, FileStatus.MODIFIED, None, (), unread=reason)


def _regular(entry: Mapping[str, Any]) -> bool:
    return entry.get("type") == "blob" and str(entry.get("mode", "")).startswith("100")
