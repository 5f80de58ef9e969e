"""The measures of a change as known at its moment and no later.

Sources: the fourteen of Kamei et al., "A Large-Scale Empirical Study of Just-in-Time Quality Assurance" (TSE
2013), in their names; repairs of files after Graves et al. (TSE 2000) and Kim et al., "Predicting Faults from
Cached History" (ICSE 2007); ownership after Bird et al., "Don't Touch My Code!" (FSE 2011); co-change after
Zimmermann et al., "Mining Version Histories to Guide Software Changes" (TSE 2005). Values are raw counts,
days and shares; models scale them as they need.

| measure | what |
|---|---|
| ns nd nf | subsystems (top-level directories), directories and files touched |
| entropy | H = -sum p log2 p over the files, p a file's share of the changed lines |
| la ld | lines added, deleted |
| fix | the message says that it repairs something |
| lt | lines in a touched file before the change, mean |
| ndev | people who changed the touched files before |
| age | days since a touched file last changed, mean |
| nuc | distinct last changes of the touched files |
| exp rexp sexp | the author's earlier changes: all; each weighed 1 / (years + 1); in these subsystems, mean |

The others stand beside their names in `MEASURES`. Each history measure is over the first `HISTORY_FILES`
touched files by path, and NaN where nothing is known: no file with a record, an author never seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from oversight.changes.model import Change
from oversight.history.log import touch_of
from oversight.history.measures import HISTORY, SIZE, history_values, size_values
from oversight.history.model import Commit, Completeness, Context
from oversight.history.naming import Names, handles_of, resolve
from oversight.history.references import References, is_fix, read_references
from oversight.history.state import Event, State, author_key, partners_of

MEASURES: Final[tuple[str, ...]] = (*SIZE, *HISTORY)
"""Names of all measures, in the order of `Context.values`."""

_UNKNOWN_HISTORY = [float("nan")] * len(HISTORY)


def context_at(state: State, commit: Commit, completeness: Completeness = Completeness.FULL) -> Context:
    """The context of `commit` in `state`, which holds exactly what came before it."""
    values = size_values(commit) + history_values(state, commit)
    return Context(np.array(values, dtype=np.float32), completeness)


def context_without_history(commit: Commit, completeness: Completeness) -> Context:
    """The context of a commit whose history cannot be known: size measures, and NaN for the rest."""
    return Context(np.array(size_values(commit) + _UNKNOWN_HISTORY, dtype=np.float32), completeness)


def contexts(commits: Iterable[Commit], *, shallow: bool = False) -> Iterator[tuple[Commit, Context]]:
    """Every commit with its context. `commits` in the total order of `Repository.commits`, oldest first.

    In a shallow clone counts would begin where the clone is cut off and tell of the cut, not of the project;
    history measures are NaN there and the context is partial.
    """
    if shallow:
        for commit in commits:
            yield commit, context_without_history(commit, Completeness.PARTIAL)
        return
    replay = Replay()
    for commit in commits:
        yield commit, context_at(replay.state, commit)
        replay.add(commit)


class Replay:
    """A `State` fed with whole commits in order, which finds out itself whom each commit names."""

    def __init__(self) -> None:
        self.state = State()
        self._names = Names()
        self._named: set[int] = set()

    def add(self, commit: Commit, references: References | None = None) -> None:
        """Take in the next commit of the order. `references` spares reading the message again."""
        said = references if references is not None else read_references(commit.message)
        culprits = []
        for reference in (*said.fixes, *said.reverts):
            found, _ = resolve(reference, commit.sha, self._names)
            if found is not None and found not in self._named:
                self._named.add(found)
                culprits.append(found)
        identifier = self._names.add(handles_of(commit))
        self.state.apply(
            Event(
                identifier=identifier,
                order=identifier,
                author=author_key(commit),
                time=commit.committed_at,
                fix=is_fix(commit.message),
                touches=commit.touches,
                partners=partners_of(commit.touches),
                culprits=culprits,
            )
        )


def context_of_diff(change: Change) -> Context:
    """The context of a bare diff: size measures are known, history is not."""
    return context_without_history(commit_of(change), Completeness.NONE)


def commit_of(change: Change, *, committed_at: int = 0) -> Commit:
    """A change as the log would give it, so that both are measured by the same code."""
    name, _, rest = (change.author or "").rpartition(" <")
    message = f"{change.title}\n\n{change.body}" if change.body else change.title
    return Commit(
        sha=change.id,
        parents=(change.base,) if change.base else (),
        author_name=name,
        author_email=rest.removesuffix(">"),
        authored_at=int(change.authored_at.timestamp()) if change.authored_at else 0,
        committed_at=committed_at,
        message=message,
        touches=tuple(touch_of(file) for file in change.files),
    )
