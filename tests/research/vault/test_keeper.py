"""One open vault: what it answers, what that costs, and what it never tells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.vault_world import Asker, World, asked, laid, world
from oversight.errors import VaultError
from oversight.research.vault import Policy, keep, wire
from oversight.research.vault.files import GOLD, LEDGER, SUBMISSIONS
from oversight.research.vault.gold import grounds_of
from oversight.research.vault.keeper import Keeper

MADE = world(4, {"first": 1_200, "second": 900}, {"away": 900})
GOOD = MADE.student(0.1, 11)


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    return laid(tmp_path / "vault", MADE, Policy(queries=8, each=5, seals=1))


@contextmanager
def opened(vault: Path, *, people: bool = False) -> Iterator[Keeper]:
    with closing(Keeper(vault, people=people)) as keeper:
        yield keeper


def request(keeper: Keeper, kind: str, **told: Any) -> dict[str, Any]:
    return keeper.answer(wire.request(wire.line(kind, **told)))


def student(number: int, away: float = 0.75) -> dict[str, Any]:
    return MADE.student(away, [20, number + 1])


def test_what_is_better_is_told_a_rounded_score_and_what_is_not_is_told_nothing(vault: Path) -> None:
    """Best with a score in steps, and the next one has to beat it; else no score, and the best so far."""
    with opened(vault) as keeper:
        ask = Asker(keeper)
        poor = ask(student(0))
        assert (poor["answer"], poor["score"], poor["left"]) == ("not better", None, 4)
        good = ask(GOOD)
        assert (good["answer"], good["best"], good["left"]) == ("best", good["score"], 3)
        assert good["score"] == round(good["score"] / 0.05) * 0.05
        assert poor["best"] < good["score"]
        assert ask(student(1))["best"] == good["score"]


def test_a_question_that_was_answered_costs_nothing_also_in_another_process(vault: Path) -> None:
    """The same experiment with the same predictions gets the same answer; with others it is refused, and pays."""
    line = asked("e1", "one", GOOD)
    with opened(vault) as keeper:
        first = keeper.answer(wire.request(line))
    with opened(vault) as keeper:
        assert keeper.answer(wire.request(line)) == first
        other = asked("e1", "one", student(3))
        refused = keeper.answer(wire.request(other))
        assert (refused["answer"], refused["flags"], refused["left"]) == ("refused", ["again"], first["left"] - 1)
        assert keeper.answer(wire.request(other)) == refused


def test_a_vault_that_was_closed_goes_on_as_if_it_had_not_been(vault: Path, tmp_path: Path) -> None:
    """The same answers to the same questions, whether one process hears all of them or each a process of its own."""
    lines = [asked(f"e{number}", "one", student(number, 0.2 + 0.1 * number)) for number in range(4)]
    with opened(vault) as keeper:
        whole = [keeper.answer(wire.request(line)) for line in lines]
    again = laid(tmp_path / "again", MADE, Policy(queries=8, each=5, seals=1))
    divided = []
    for line in lines:
        with opened(again) as keeper:
            divided.append(keeper.answer(wire.request(line)))
    assert divided == whole


def test_a_configuration_is_scored_once(vault: Path) -> None:
    """Under another name, with other predictions: refused, at the cost of a query."""
    with opened(vault) as keeper:
        told = {"researcher": "one", "configuration": "c", "method": "naive", "proxies": {}}
        request(keeper, "ask", experiment="e1", predictions=student(1), **told)
        again = request(keeper, "ask", experiment="e2", predictions=student(2), **told)
        assert (again["answer"], again["flags"]) == ("refused", ["again"])


def test_queries_end_for_a_researcher_and_for_the_study(vault: Path) -> None:
    """Refused ones count; who has none left is not scored and leaves no entry, under whatever name."""
    with opened(vault) as keeper:
        first, second = Asker(keeper, "one"), Asker(keeper, "two")
        copies = [first(MADE.default())["answer"] for _ in range(5)]
        assert copies == ["refused"] * 5
        assert first(GOOD)["reason"] == "no queries are left"
        assert [second(student(number))["left"] for number in range(3)] == [2, 1, 0]
        assert second(GOOD)["answer"] == "refused"
        assert Asker(keeper, "three")(GOOD)["answer"] == "refused"
    assert len((vault / LEDGER).read_text().splitlines()) == 1 + 8


def test_refusals_reasons_and_flags_know_no_label(tmp_path: Path) -> None:
    """With all labels exchanged the same questions get the same refusals and flags; "best" alone may differ."""
    mixed = np.random.default_rng(0)
    golds = {name: replace(gold, truth=mixed.permutation(gold.truth)) for name, gold in MADE.golds.items()}
    # With labels that nothing explains there may be no gap: the ends have to stay in their order.
    for name, gold in golds.items():
        ceiling = np.clip(gold.series["ceiling"] * 0.5 + 0.4 * gold.truth, 0, 1).astype(np.float32)
        golds[name] = replace(gold, series={**gold.series, "ceiling": ceiling})
    exchanged = replace(MADE, golds=golds)
    moved = {name: runs.copy() for name, runs in MADE.default().items()}
    moved["first"][:, :5] = 1.0
    questions = [GOOD, MADE.default(), student(1), moved, {name: 0 * runs for name, runs in GOOD.items()}, student(1)]

    def said(made: World, name: str) -> list[tuple[bool, Any, Any]]:
        with opened(laid(tmp_path / name, made)) as keeper:
            answers = [Asker(keeper, str(number))(one) for number, one in enumerate(questions)]
        return [(answer["answer"] == "refused", answer["reason"], answer["flags"]) for answer in answers]

    assert said(MADE, "true") == said(exchanged, "exchanged")


def test_the_ledger_holds_no_more_of_the_labels_than_the_answers(vault: Path) -> None:
    """What an entry says beside the answer was in the question."""
    with opened(vault) as keeper:
        Asker(keeper)(GOOD, screen=0.8)
        entry = keeper._ledger.entries[-1]
    own = {"entry", "at", "kind", "hash", "answer"}
    assert entry.keys() - own == {"experiment", "researcher", "configuration", "method", "predictions", "proxies"}
    assert entry["answer"].keys() == {"answer", "score", "best", "flags", "reason", "left"}


def test_a_run_reaches_neither_the_sealed_half_nor_what_people_see(vault: Path) -> None:
    """Seal and confirm are refused to it, and its board says what it was told; people cannot ask."""
    with opened(vault) as keeper:
        Asker(keeper)(student(0))
        good = Asker(keeper, "other")(GOOD)
        for kind, told in (("seal", {}), ("confirm", {"ground": "away", "predictions": {}})):
            with pytest.raises(VaultError, match="not for a run"):
                request(keeper, kind, experiment="other-0", **told)
        assert request(keeper, "board") == {
            "best": good["score"],
            "bests": [{"experiment": "other-0", "researcher": "other", "method": "naive", "score": good["score"]}],
            "asked": 2,
            "left": 6,
        }
    with opened(vault, people=True) as keeper, pytest.raises(VaultError, match="for a run alone"):
        Asker(keeper)(GOOD)


def test_promotion_scores_the_sealed_half_once_and_ends_the_search(vault: Path) -> None:
    """The entry is told again and never made anew; no other experiment has a place; nothing more can be asked."""
    with opened(vault) as keeper:
        Asker(keeper)(student(0))
        Asker(keeper, "other")(GOOD)
    with opened(vault, people=True) as keeper:
        with pytest.raises(VaultError, match="has not scored"):
            request(keeper, "seal", experiment="nobody-0")
        sealed = request(keeper, "seal", experiment="other-0")
        assert sealed["result"]["differences"].keys() == {"naive", "human_only", "default"}
        low, high = sealed["result"]["interval"]
        assert low < sealed["result"]["pgr"] < high
        assert request(keeper, "seal", experiment="other-0") == sealed
        with pytest.raises(VaultError, match="no more may be"):
            request(keeper, "seal", experiment="somebody-0")
    with opened(vault) as keeper:
        closed = Asker(keeper, "third")(student(5))
        assert closed["reason"].startswith("closed")
        assert Asker(keeper, "other")(GOOD)["answer"] == "best"


def test_a_confirmation_is_of_what_was_sealed_on_a_ground_that_was_never_queried(vault: Path) -> None:
    """Once; not on a ground of the study, not before the sealed half, not with other predictions instead."""
    with opened(vault) as keeper:
        Asker(keeper)(GOOD)
    shape = MADE.golds["away"].series["default"].shape
    predictions = {"away": MADE.golds["away"].series["ceiling"]}
    with opened(vault, people=True) as keeper:
        told = {"experiment": "somebody-0", "ground": "away"}
        with pytest.raises(VaultError, match="promote it first"):
            request(keeper, "confirm", predictions=predictions, **told)
        request(keeper, "seal", experiment="somebody-0")
        with pytest.raises(VaultError, match="no such ground"):
            request(keeper, "confirm", predictions=predictions, experiment="somebody-0", ground="first")
        with pytest.raises(VaultError, match="shape"):
            request(keeper, "confirm", predictions={"away": np.zeros((1, 2))}, **told)
        confirmed = request(keeper, "confirm", predictions=predictions, **told)
        assert confirmed["result"]["pgr"] == pytest.approx(1)
        assert request(keeper, "confirm", predictions={"away": np.full(shape, 0.5)}, **told) == confirmed


def test_people_see_every_query_with_intervals_and_what_was_told_in_bits(vault: Path) -> None:
    """Best first, the series that everything is compared with beside them; also while a run writes."""
    with opened(vault) as keeper:
        ask = Asker(keeper)
        for predictions in (student(0), GOOD, MADE.default()):
            ask(predictions)
        with opened(vault, people=True) as reader:
            board = request(reader, "board")
    assert [row["experiment"] for row in board["figures"]] == ["somebody-1", "somebody-0"]
    assert [row["experiment"] for row in board["beside"]] == ["default", "human_only", "naive"]
    assert [query["answer"]["answer"] for query in board["queries"]] == ["not better", "best", "refused"]
    assert board["figures"][0]["differences"]["naive"]["interval"] is not None
    assert 10 < board["bits"] < 20
    assert board["entries"] == 4


def test_what_was_tampered_with_is_not_scored(vault: Path) -> None:
    """Predictions that were exchanged, labels that were, and a policy that was, after the vault was opened."""
    with opened(vault) as keeper:
        Asker(keeper)(GOOD)
    kept = vault / SUBMISSIONS / "somebody-0"
    content = kept.read_bytes()
    for forged in (content[:-4] + b"\0\0\0\0", content[:-1], b""):
        kept.write_bytes(forged)
        with pytest.raises(VaultError, match="not those that were scored"):
            Keeper(vault, people=True)
    kept.write_bytes(content)
    policy = (vault / "policy.json").read_text()
    (vault / "policy.json").write_text(policy.replace('"queries": 8', '"queries": 800'))
    with pytest.raises(VaultError, match="opened with"):
        Keeper(vault, people=False)
    (vault / "policy.json").write_text(policy)
    gold = vault / GOLD / "second.npz"
    gold.write_bytes((vault / GOLD / "first.npz").read_bytes())
    with pytest.raises(VaultError, match="opened with"):
        Keeper(vault, people=False)


def test_a_vault_in_which_nothing_can_be_recovered_is_not_opened(tmp_path: Path) -> None:
    """No grounds at all; a ceiling below the weak reviewer."""
    (tmp_path / "empty").mkdir()
    with pytest.raises(VaultError, match="no labels"):
        Keeper(tmp_path / "empty", people=False)
    (tmp_path / "low").mkdir()
    gold = MADE.golds["first"]
    low = {**gold.series, "weak": gold.series["ceiling"], "ceiling": gold.series["weak"]}
    keep(tmp_path / "low", replace(gold, series=low), seed=1)
    assert list(grounds_of(tmp_path / "low")) == ["first"]
    with pytest.raises(VaultError, match="no gap"):
        Keeper(tmp_path / "low", people=False)


@pytest.mark.parametrize(
    "line",
    [
        b"nothing\n",
        b"[]\n",
        b'{"kind": "sing"}\n',
        b'{"kind": "seal"}\n',
        b'{"kind": "seal", "experiment": "../x"}\n',
        b'{"kind": "seal", "experiment": "x", "more": 1}\n',
        b'{"kind": "confirm", "experiment": "x", "ground": "y", "predictions": {"y": 1}}\n',
        b'{"kind": "confirm", "experiment": "x", "ground": "y", "predictions": {"y": {"shape": [2], "data": "AA"}}}\n',
        b'{"kind": "confirm", "experiment": "x", "ground": "y", "predictions": {"y": {"shape": [1], "data": "%"}}}\n',
        wire.line(
            "ask", experiment="x", researcher="y", configuration="c", method="m", proxies={"a": "b"}, predictions={}
        ),
    ],
)
def test_what_is_no_request_is_refused(line: bytes) -> None:
    """Fields that are missing, too many, or hold something else, and arrays that are none."""
    with pytest.raises(VaultError):
        wire.request(line)
