"""A small encoder of diffs with a tokenizer of its own: `python -m benchmarks.diff_encoder CLONES --output DIR`.

    changed lines of a hunk ── byte-level BPE, marks as tokens ── transformer ┬─ the tokens that were hidden
                                                                              └─ was the edit turned round?

Learned without labels, from the permissive histories alone (`benchmarks.repositories`) and from changes before any that
is measured on: masked tokens (Devlin et al. 2019, arXiv:1810.04805), and the direction of the edit. For the latter the
marks of half of the hunks are swapped, so that what was added looks deleted; the mean state has to tell. Steps are kept
in DIR: a run that was stopped goes on. The result is a directory that transformers reads.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from benchmarks.hunk_vectors import TOKENS, read_lines
from benchmarks.repositories import PERMISSIVE
from benchmarks.student_rows import clone_of, read_tables
from oversight.changes.repository import Repository

VOCABULARY = 8_192
WIDTH = 160
LAYERS = 3
ROWS = 5_000
"""Changes of each history that are learned from: the newest before its validation window."""

_PAD, _MASK, _UNKNOWN = "[PAD]", "[MASK]", "[UNK]"
_MARKS = "\n+", "\n-"
_PIECE = r"\n[+-]| ?[A-Za-z_]+| ?\d| ?[^\sA-Za-z\d_]+|\s+"  # a mark, a word, a digit, signs
_HIDDEN = 0.2  # share of the tokens that have to be guessed
_BATCH = 64
_RATE = 1e-3
_WARM_UP = 0.05
_KEPT_EVERY = 500  # steps
_FEWEST_TOKENS = 4  # of a hunk


def say(text: str) -> None:
    """Tell how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def read_texts(chosen: argparse.Namespace) -> list[str]:
    """Return the changed lines of every hunk that is learned from."""
    found: list[str] = []
    for source in PERMISSIVE:
        train, _ = read_tables(source, chosen.clones, chosen.work, window="validation", train=ROWS, test=ROWS, jobs=1)
        with Repository.open(clone_of(source, chosen.clones)) as repository:
            for _, hunks in read_lines(repository, [example.change_id for example in train.examples]):
                found += hunks.values()
        say(f"{source.name}: {len(found)} hunks so far")
    return found


def trained_tokenizer(texts: Sequence[str]) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer, in which a line's mark is a token."""
    tokenizer = Tokenizer(models.BPE(unk_token=_UNKNOWN))
    pieces = pre_tokenizers.Split(Regex(_PIECE), behavior="isolated")
    # Its own expression would part a mark from its line.
    read = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pieces, read])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY, special_tokens=[_PAD, _MASK, _UNKNOWN], min_frequency=20, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )  # fmt: skip
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token=_PAD, mask_token=_MASK, unk_token=_UNKNOWN, model_max_length=TOKENS
    )


class Guesser(nn.Module):
    """The encoder with the two heads that it learns by: hidden tokens, and the direction of the edit."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.encoder = BertModel(
            BertConfig(
                vocab_size=vocabulary, hidden_size=WIDTH, num_hidden_layers=LAYERS, num_attention_heads=4,
                intermediate_size=4 * WIDTH, max_position_embeddings=TOKENS, pad_token_id=0,
            ),
            add_pooling_layer=False,
        )  # fmt: skip
        self.token = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.LayerNorm(WIDTH))
        self.turned = nn.Linear(WIDTH, 1)

    def forward(self, tokens: Tensor, mask: Tensor, hidden: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits of the hidden tokens (K, V), for tokens (H, T) where `hidden` (H, T), and of turning (H,)."""
        states = self.encoder(input_ids=tokens, attention_mask=mask).last_hidden_state
        kept = mask.unsqueeze(2).to(states.dtype)
        mean = (states * kept).sum(1) / kept.sum(1).clamp(min=1)
        vectors = self.encoder.embeddings.word_embeddings.weight
        return self.token(states[hidden]) @ vectors.T, self.turned(mean).squeeze(1)


@dataclass(frozen=True, slots=True)
class Step:
    """Tokens (H, T) as they are shown, the mask of what is no padding, what was hidden and what it was, (H, T), and
    which hunks were turned round (H,).
    """

    tokens: Tensor
    mask: Tensor
    hidden: Tensor
    wanted: Tensor
    turned: Tensor


class Steps:
    """Hunks in random order, those of like length together: step `number` of a seed is always the same."""

    def __init__(self, tokens: Sequence[NDArray[np.int32]], marks: tuple[int, int], mask: int, epochs: int) -> None:
        self.tokens, self.marks, self.mask = tokens, marks, mask
        random = np.random.default_rng(0)
        lengths = np.array([one.size for one in tokens])
        self.batches: list[NDArray[np.int64]] = []
        for _ in range(epochs):
            order = np.argsort(lengths + random.random(lengths.size) * 8, kind="stable")
            parts = [order[at : at + _BATCH] for at in range(0, order.size, _BATCH)]
            self.batches += [parts[at] for at in random.permutation(len(parts)).tolist()]

    def __len__(self) -> int:
        return len(self.batches)

    def after(self, number: int) -> Iterator[Step]:
        """Yield the steps from `number` on."""
        for at in range(number, len(self)):
            yield self._step(self.batches[at], np.random.default_rng((1, at)))

    def _step(self, batch: NDArray[np.int64], random: np.random.Generator) -> Step:
        rows = [self.tokens[number] for number in batch.tolist()]
        tokens = np.zeros((len(rows), max(row.size for row in rows)), dtype=np.int64)
        for at, row in enumerate(rows):
            tokens[at, : row.size] = row
        mask = tokens != 0
        added, deleted = ((tokens == mark) for mark in self.marks)
        turned = random.random(len(rows)) < 0.5
        tokens[added & turned[:, None]], tokens[deleted & turned[:, None]] = self.marks[1], self.marks[0]
        # Marks stay: they are what the direction is read from.
        hidden = (random.random(tokens.shape) < _HIDDEN) & mask & ~added & ~deleted
        wanted = tokens[hidden]
        tokens[hidden] = self.mask
        return Step(*map(torch.from_numpy, (tokens, mask, hidden, wanted, turned.astype(np.float32))))


def train(tokens: Sequence[NDArray[np.int32]], tokenizer: Any, directory: Path, epochs: int) -> tuple[Guesser, float]:
    """Train, from the last step that is kept in `directory`; return the encoder and the mean of the last losses."""
    torch.manual_seed(0)
    ids = [tokenizer(mark)["input_ids"] for mark in _MARKS]
    steps = Steps(tokens, (ids[0][0], ids[1][0]), tokenizer.mask_token_id, epochs)
    guesser = Guesser(len(tokenizer))
    optimiser = torch.optim.AdamW(guesser.parameters(), lr=_RATE, weight_decay=0.01)
    first, losses, started = _resume(directory, guesser, optimiser), [], time.perf_counter()
    guesser.train()
    for number, step in enumerate(steps.after(first), first):
        for group in optimiser.param_groups:
            group["lr"] = _RATE * _warmth(number / len(steps))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            guessed, turned = guesser(step.tokens, step.mask, step.hidden)
        value = cross_entropy(guessed.float(), step.wanted) if len(step.wanted) else torch.zeros(())
        direction = binary_cross_entropy_with_logits(turned.float(), step.turned)
        optimiser.zero_grad()
        (value + direction).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(guesser.parameters(), 1.0)
        optimiser.step()
        losses.append((value.item(), direction.item()))
        if (number + 1) % _KEPT_EVERY == 0 or number + 1 == len(steps):
            _keep(directory, guesser, optimiser, number + 1)
            token, turn = np.mean(losses[-_KEPT_EVERY:], axis=0)
            rate = (number + 1 - first) / (time.perf_counter() - started)
            say(f"{number + 1}/{len(steps)}: {token:.3f} a token, {turn:.3f} a turn, {rate:.1f} a second")
    return guesser.eval(), float(np.mean([sum(pair) for pair in losses[-_KEPT_EVERY:]])) if losses else math.nan


def _warmth(share: float) -> float:
    """Return the rate at a share of the training: up in a line, down along a cosine."""
    return share / _WARM_UP if share < _WARM_UP else (1 + math.cos(math.pi * (share - _WARM_UP) / (1 - _WARM_UP))) / 2


def _keep(directory: Path, guesser: Guesser, optimiser: torch.optim.Optimizer, number: int) -> None:
    state = {f"weights.{name}": value for name, value in guesser.state_dict().items()}
    for name, parameter in guesser.named_parameters():
        for moment in ("exp_avg", "exp_avg_sq", "step"):
            state[f"{moment}.{name}"] = optimiser.state[parameter][moment].detach().clone()
    part = directory / "steps.part"
    save_file(state, part, metadata={"steps": str(number)})
    part.replace(directory / "steps.safetensors")


def _resume(directory: Path, guesser: Guesser, optimiser: torch.optim.Optimizer) -> int:
    """Take weights and moments from what is kept; return how many steps they have behind them."""
    from safetensors import safe_open

    path = directory / "steps.safetensors"
    if not path.exists():
        return 0
    state = load_file(path)
    guesser.load_state_dict({name: state[f"weights.{name}"] for name in guesser.state_dict()})
    for name, parameter in guesser.named_parameters():
        optimiser.state[parameter] = {moment: state[f"{moment}.{name}"] for moment in ("exp_avg", "exp_avg_sq", "step")}
    with safe_open(path, framework="pt") as file:
        return int(file.metadata()["steps"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Learn tokenizer and encoder, and write them where transformers reads them, with what there is to say of them."""
    parser = argparse.ArgumentParser(description="Train a small encoder of diffs, from local clones.")
    parser.add_argument("clones", type=Path, help="directory with a clone of each repository")
    parser.add_argument("--output", type=Path, default=Path("build/diff-encoder"))
    parser.add_argument("--work", type=Path, default=Path("build/student"), help="where benchmarks.student keeps rows")
    parser.add_argument("--epochs", type=int, default=1)
    chosen = parser.parse_args(arguments)
    started = time.perf_counter()
    texts = read_texts(chosen)
    chosen.output.mkdir(parents=True, exist_ok=True)
    tokenizer = trained_tokenizer(texts)
    tokenizer.save_pretrained(chosen.output)
    read = tokenizer(texts, truncation=True, max_length=TOKENS)["input_ids"]
    tokens = [np.array(one, dtype=np.int32) for one in read if len(one) >= _FEWEST_TOKENS]
    say(f"{len(tokens)} hunks, {sum(one.size for one in tokens)} tokens, {len(tokenizer)} kinds of them")
    guesser, loss = train(tokens, tokenizer, chosen.output, chosen.epochs)
    guesser.encoder.save_pretrained(chosen.output)
    told = {
        "histories": [source.name for source in PERMISSIVE], "hunks": len(tokens), "vocabulary": len(tokenizer),
        "tokens": sum(one.size for one in tokens), "epochs": chosen.epochs, "loss": loss,
        "parameters": sum(value.numel() for value in guesser.encoder.parameters()),
        "seconds": round(time.perf_counter() - started, 1),
    }  # fmt: skip
    (chosen.output / "training.json").write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
