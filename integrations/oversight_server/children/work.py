"""The reviews themselves, as a child computes them. Loads no web framework, no client, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from oversight.base_settings import Files, principle_files, settings_file
from oversight.changes.model import Change
from oversight.changes.repository import Repository
from oversight.config import FILE_NAME, Settings, load
from oversight.errors import UsageError
from oversight.reports import RiskReport
from oversight.review import Reviewer
from oversight.reviewers.principles import Principles, parse_named
from oversight.students.runtime import Model, open_model
from oversight_github.code.clone import blobs_below, missing_of, read_for_review
from oversight_github.code.source import GitSource, between
from oversight_server.children import wire


@dataclass
class Tools:
    """What stays loaded from review to review."""

    model: Model

    @classmethod
    def load(cls, name: str | None) -> Tools:
        """Load a model by its name or folder (None: the shipped one), and run it once. Raises ModelError."""
        tools = cls(open_model(name))
        # The first run of the network, and the first use of most of our modules, take longer than the others.
        tools._reviewer(Settings()).diff(b"--- a/x.py\n+++ b/x.py\n@@ -1 +1 @@\n-a = 1\n+a = 2\n")
        return tools

    def do(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Answer one message of the parent. Raises OversightError."""
        match message["do"]:
            case "revision":
                return self._revision(message)
            case "span":
                return {"report": wire.encode(self._span(message))}
            case "diff":
                text = message["text"].encode("utf-8", "surrogateescape")
                return {"report": wire.encode(self._reviewer(_settings(None, message)).diff(text))}
            case "change":
                return {"report": wire.encode(self._change(message))}
            case other:
                raise UsageError(f"no such message: {other}", mend="restart the server: its parts differ in version")

    def _reviewer(self, settings: Settings, extra: Files = ()) -> Reviewer:
        return Reviewer(self.model, Principles(parse_named(extra)), settings)

    def _change(self, message: Mapping[str, Any]) -> RiskReport:
        """Review a change that came through the API, with what its base says of reviews."""
        change = wire.decode(Change, message["change"])
        extra = tuple((name, _bytes(text)) for name, text in message["principles"])
        return self._reviewer(_settings(message["settings"], message), extra).change(change)

    def _span(self, message: Mapping[str, Any]) -> RiskReport:
        """Review a revision or a range of a repository of this machine."""
        with Repository.open(Path(message["path"])) as repository:
            span = repository.span(message["span"])
            source = GitSource(repository, span, span.base, message["name"], index=Path(message["index"]))
            return self._of(source, message)

    def _revision(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Review a change of a clone, or say which contents it lacks for that; `complete`: there will be no others."""
        with Repository.open(Path(message["path"])) as repository:
            source = between(
                repository, message["tip"], message["head"], message["name"], else_alone=message["else_alone"]
            )
            source = replace(source, index=Path(message["index"]))
            if message["blobless"] and not message["complete"]:
                lacking = self._lacking(source)
                if lacking:
                    return {"lacking": lacking}
            return {"report": wire.encode(self._of(source, message))}

    def _lacking(self, source: GitSource) -> list[str]:
        """Return the contents that are not here yet: of the change, of those before it, and what the base says."""
        repository, base = source.repository, source.base
        own, before = read_for_review(repository, source.span.base, source.span.head)
        wanted = [*own, *before]
        if base is not None:
            wanted += blobs_below(repository, base, [FILE_NAME])
        lacking = missing_of(repository, wanted)
        if lacking or base is None:
            return lacking
        folder = load(settings_file(repository, base)).principles
        return missing_of(repository, blobs_below(repository, base, [folder])) if folder is not None else []

    def _of(self, source: GitSource, message: Mapping[str, Any]) -> RiskReport:
        settings = _settings_of(settings_file(source.repository, source.base), message)
        extra = principle_files(source.repository, source.base, settings.principles)
        report = source.review(self._reviewer(settings, extra))
        return replace(report, notes=(*report.notes, *message["notes"]))


def _settings(text: str | None, message: Mapping[str, Any]) -> Settings:
    return _settings_of(None if text is None else _bytes(text), message)


def _settings_of(content: bytes | None, message: Mapping[str, Any]) -> Settings:
    return load(content, budget=message["budget"])


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
