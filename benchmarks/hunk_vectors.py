"""Hunks as vectors from encoders that read their lines in sequence, to be compared with bags of marked tokens.

An encoder is one of transformers by name or directory: a public one, or the one that `benchmarks.diff_encoder` trains.
It stays as it is: of each hunk the first `TOKENS` tokens of the changed lines are read, states are averaged, and the
averages brought to a few principal components of unit variance, those of the rows that are learned from. A student
finds them where the vectors of its tokens would be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from benchmarks.repositories import Source
from benchmarks.student_rows import Table, clone_of, write_arrays
from oversight.changes.model import Hunk, LineKind
from oversight.changes.repository import Repository, change_of
from oversight.errors import DiffError
from oversight.features.model import Example
from oversight.students.network import Architecture, Network
from oversight.students.pretrained import Pretrained

TOKENS = 64
"""Tokens of a hunk that are read."""

HUNKS = 16
"""Hunks of a change that are read, those with the most changed lines; the others have no vector."""

WIDTHS = (8, 24, 64)
"""Components that are tried: a history with fifty risky changes bears few."""

_CHARACTERS = 600  # of a hunk: more than `TOKENS` tokens hold
_AT_ONCE = 64
_EDITION = 1

Floats: TypeAlias = NDArray[np.float32]
Place: TypeAlias = tuple[int, int]
"""The number of a file in `Change.files`, and of the hunk in it."""


def lines_of(hunk: Hunk) -> str:
    """Return the changed lines as one text: each begins on a new line with its mark, indentation and blank ones go."""
    changed = ((str(line.kind), line.text.strip()) for line in hunk.lines if line.kind is not LineKind.CONTEXT)
    text = "".join(f"\n{mark}{line}" for mark, line in changed if line)[:_CHARACTERS]
    return text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates, which no tokenizer takes


def read_lines(repository: Repository, shas: Sequence[str]) -> Iterator[tuple[str, dict[Place, str]]]:
    """Yield each change with the texts of its hunks by place; one whose diff cannot be parsed is left out."""
    for patch in repository.patches(shas):
        try:
            change = change_of(patch, repository.name)
        except DiffError:
            continue
        hunks = [((at, of), hunk) for at, file in enumerate(change.files) for of, hunk in enumerate(file.hunks)]
        hunks.sort(key=lambda pair: pair[1].count(LineKind.CONTEXT) - len(pair[1].lines))
        texts = ((place, lines_of(hunk)) for place, hunk in hunks[:HUNKS])
        yield patch.sha, {place: text for place, text in texts if text}


def encoded(pretrained: Pretrained, texts: Sequence[str]) -> NDArray[np.float16]:
    """Return the mean state of each text's tokens (H, W); texts of like length are encoded together."""
    model = pretrained.fresh().eval().to(torch.bfloat16)
    found = np.zeros((len(texts), pretrained.width), dtype=np.float16)
    order = sorted(range(len(texts)), key=lambda number: len(texts[number]))
    with torch.inference_mode():
        for start in range(0, len(order), _AT_ONCE):
            chosen = order[start : start + _AT_ONCE]
            read = pretrained.tokenizer(
                [texts[number] for number in chosen], padding=True, truncation=True, max_length=TOKENS,
                return_tensors="pt", split_special_tokens=True,
            )  # fmt: skip
            tokens, mask = read["input_ids"], read["attention_mask"]
            states = model(input_ids=tokens, attention_mask=mask).last_hidden_state.float()
            kept = mask.unsqueeze(2).float()
            found[chosen] = ((states * kept).sum(1) / kept.sum(1).clamp(min=1)).half().numpy()
    return found


@dataclass(frozen=True, eq=False)
class Vectors:
    """Vectors (H, W) of hunks, and for each change which of them are whose, by place."""

    matrix: Floats
    rows: Mapping[str, Mapping[Place, int]]

    @property
    def fingerprint(self) -> str:
        """A hash of the vectors."""
        return hashlib.sha256(self.matrix.tobytes()).hexdigest()[:16]

    def first(self, width: int) -> Vectors:
        """Return the vectors with their first components alone."""
        return Vectors(np.ascontiguousarray(self.matrix[:, :width]), self.rows)

    def in_place_of_tokens(self, example: Example) -> Example:
        """Return the change with one token a hunk: the number of its vector."""
        places = [(int(at), int(of)) for at, of in example.places]
        mine = [self.rows.get(example.change_id, {}).get(place) for place in places]
        offsets = np.concatenate(([0], np.cumsum([row is not None for row in mine]))).astype(np.int64)
        tokens = np.array([row for row in mine if row is not None], dtype=np.uint32)
        return replace(example, tokens=tokens, offsets=offsets)

    def build(self, architecture: Architecture) -> Network:
        """Return a network that has these vectors where others learn those of their tokens."""
        network = Network(replace(architecture, buckets=len(self.matrix), embedding=self.matrix.shape[1]))
        network.embedding = nn.Parameter(torch.from_numpy(self.matrix), requires_grad=False)
        return network


def read_vectors(
    pretrained: Pretrained,
    sources: Mapping[str, Source],
    trains: Mapping[str, Table],
    evaluations: Mapping[str, Table],
    *,
    clones: Path,
    work: Path,
    say: Callable[[str], None] = lambda _text: None,
) -> Vectors:
    """Return the vectors of all hunks of these rows; what was encoded before is kept in `work`, by repository."""
    parts, rows, learned, count = [], {}, [], 0
    for name, source in sources.items():
        shas = [example.change_id for table in (trains[name], evaluations[name]) for example in table.examples]
        kept = _kept(pretrained, source, shas, clones, work)
        taught = {example.change_id for example in trains[name].examples}
        for number, (owner, at, of) in enumerate(zip(kept["owners"].tolist(), *kept["places"].T.tolist(), strict=True)):
            rows.setdefault(shas[owner], {})[at, of] = count + number
        learned.append(np.array([shas[owner] in taught for owner in kept["owners"].tolist()]))
        parts.append(kept["vectors"].astype(np.float32))
        count += len(parts[-1])
        say(f"{name}: {len(parts[-1])} hunks as vectors of {pretrained.width} numbers")
    return Vectors(_components(np.concatenate(parts), np.concatenate(learned)), rows)


def _kept(
    pretrained: Pretrained, source: Source, shas: Sequence[str], clones: Path, work: Path
) -> Mapping[str, NDArray[np.generic]]:
    """Return owners (H,), places (H, 2) and vectors (H, W) of one repository's hunks."""
    weights = hashlib.sha256()
    for part, value in pretrained.model.state_dict().items():
        if not part.startswith("pooler"):  # never read here, and drawn anew where a checkpoint lacks it
            weights.update(value.numpy().tobytes())
    what = repr((_EDITION, TOKENS, HUNKS, _CHARACTERS, weights.hexdigest(), source.revision, shas))
    path = work / f"vectors-{source.name}-{hashlib.sha256(what.encode()).hexdigest()[:16]}.npz"
    if not path.exists():
        numbers = {sha: number for number, sha in enumerate(shas)}
        owners, places, texts = [], [], []
        with Repository.open(clone_of(source, clones)) as repository:
            for sha, hunks in read_lines(repository, shas):
                owners += [numbers[sha]] * len(hunks)
                places += list(hunks)
                texts += list(hunks.values())
        arrays = {"owners": np.array(owners), "places": np.array(places), "vectors": encoded(pretrained, texts)}
        write_arrays(path, arrays)
    with np.load(path) as kept:
        return {name: kept[name] for name in kept.files}


def _components(vectors: Floats, learned: NDArray[np.bool_]) -> Floats:
    """Return the first principal components (H, C), of unit variance over the rows that are `learned` from."""
    mean = vectors[learned].mean(axis=0)
    centred = vectors - mean
    spread = centred[learned].T.astype(np.float64) @ centred[learned] / learned.sum()
    variance, directions = np.linalg.eigh(spread)
    chosen = np.argsort(variance)[::-1][: max(WIDTHS)]
    scaled = directions[:, chosen] / np.sqrt(np.maximum(variance[chosen], 1e-12))
    return np.ascontiguousarray(centred @ scaled.astype(np.float32))
