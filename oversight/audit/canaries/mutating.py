"""One real change with one defect planted in what it shows: the class says where, the seed which of the places."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence

from oversight.audit.canaries.classes import Mutation
from oversight.audit.canaries.dialects import DIALECTS
from oversight.audit.canaries.model import Canary, draw, marked
from oversight.audit.canaries.rewriting import regions_of, rewritten
from oversight.audit.canaries.source import Site, Source
from oversight.changes.model import Change, FileChange, FileStatus, LineKind
from oversight.changes.repository import Repository, Span
from oversight.changes.syntax import Allowance
from oversight.changes.syntax.grammar import load
from oversight.changes.syntax.parsing import parse
from oversight.history.paths import PathKind, kinds_of

MOST_BYTES = 200_000
"""Files that are longer are left alone: reading them takes long, and most were written by a program."""

_WRITTEN = frozenset({FileStatus.ADDED, FileStatus.MODIFIED, FileStatus.RENAMED})
_MOST_SITES = 4


def mutated(
    repository: Repository, host: Change, kinds: Sequence[Mutation], seed: int, fits: Callable[[str, int, int], bool]
) -> Canary | None:
    """Return the first canary of a host that `fits`, the classes tried one after another; None where none does.

    `fits` is asked with the language of the file and the lines that the whole change would add and delete. Each file is
    read and parsed once, and only where a class may find something in what the change shows of it.
    """
    files = [(place, file) for place, file in enumerate(host.files) if _is_source(file)]
    files.sort(key=lambda pair: draw(seed, host.id, pair[1].path))
    sources: dict[int, Source | None] = {}
    for kind in kinds:
        for place, file in files:
            if not kind.worth(_shown(file), test=_is_test(file)):
                continue
            if place not in sources:
                sources[place] = _source(repository, host, file)
            source = sources[place]
            found = None if source is None else _planted(host, place, source, kind, seed, fits)
            if found is not None:
                return found
    return None


def sound(source: Source, site: Site) -> bool:
    """Whether a file parses no worse with a defect than without."""
    text = source.text
    for edit in sorted(site, reverse=True):
        text = text[: edit.start] + edit.text + text[edit.end :]
    tree = parse(source.loaded, text, Allowance())
    return tree is not None and (source.root.has_error or not tree.root_node.has_error)


def source_of(file: FileChange, text: bytes) -> Source | None:
    """Return the new side of a file as classes of mutations see it, None where it cannot be parsed."""
    language = file.language or ""
    loaded = load(language, text)
    tree = parse(loaded, text, Allowance())
    if tree is None:
        return None
    rows = frozenset(line.new_number - 1 for hunk in file.hunks for line in hunk.lines if line.new_number is not None)
    return Source(text, tree.root_node, loaded, DIALECTS[language], rows, _is_test(file))


def _is_source(file: FileChange) -> bool:
    kinds = kinds_of(file.path)
    written = file.status in _WRITTEN and file.language in DIALECTS and file.new_path is not None
    return written and not file.symlink and PathKind.GENERATED not in kinds and PathKind.VENDORED not in kinds


def _is_test(file: FileChange) -> bool:
    return PathKind.TEST in kinds_of(file.path)


def _shown(file: FileChange) -> str:
    """The rows of the new side that a change shows of a file."""
    return "\n".join(line.text for hunk in file.hunks for line in hunk.lines if line.kind is not LineKind.DELETED)


def _source(repository: Repository, host: Change, file: FileChange) -> Source | None:
    text = repository.read(host.id, file.path)
    return None if text is None or len(text) > MOST_BYTES else source_of(file, text)


def _planted(
    host: Change, place: int, source: Source, kind: Mutation, seed: int, fits: Callable[[str, int, int], bool]
) -> Canary | None:
    file = host.files[place]
    added = {line.new_number for hunk in file.hunks for line in hunk.lines if line.kind is LineKind.ADDED}
    sites = sorted(
        kind.sites(source),
        key=lambda site: (
            source.text.count(b"\n", 0, site[0].start) + 1 not in added,
            draw(seed, host.id, kind.name, str(site[0].start)),
        ),
    )
    span = Span(host.base, host.id, single=True)
    for site in sites[:_MOST_SITES]:
        more, gone = _counts(source, site, added)
        if not fits(file.language or "", (host.added or 0) + more, (host.deleted or 0) + gone):
            continue
        changed = rewritten(file, source.text, site)
        if changed is None or not sound(source, site):
            continue
        files = tuple(changed if other == place else one for other, one in enumerate(host.files))
        return Canary(marked(host, files), kind.name, file.language or "", host.id, span, file.path)
    return None


def _counts(source: Source, site: Site, added: Container[int | None]) -> tuple[int, int]:
    """How many more lines a change would add and delete with a site's defect; `added` are its lines now, from 1."""
    more = gone = 0
    for region in regions_of(source.text, site):
        rows = range(region.first + 1, region.last + 1)
        ours = sum(row in added for row in rows)
        more += len(region.rows) - ours
        gone += len(rows) - ours
    return more, gone
