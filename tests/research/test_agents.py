"""Claude as a researcher: a recorded dialogue with real runs; what leaves; what is paid; what goes wrong."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest

from oversight.cli import run
from oversight.research import sandbox
from oversight.research.director import Budget, Director
from oversight.research.laboratory import Laboratory
from oversight.research.proposers import Known
from oversight.research.proposers.claude import agent as loop
from oversight.research.proposers.claude.dialogue import bills
from oversight.research.proposers.search import searchers
from oversight.research.report import figures, status
from oversight.research.study import Study
from oversight.research.vault.client import Vault
from oversight.research.worker.limits import Limits
from tests.claude_stub import KEY, Fault, Said, Stub, text
from tests.needed import needed
from tests.research.doubles import Bench, Box
from tests.research.grounds import study, world
from tests.research.researcher import (
    call,
    dialogue,
    heard,
    hired,
    kinds,
    name_of,
    proposing,
    ran,
    recorded,
    turn,
)

SMALL = world(student=20, human=20, test=40)


@pytest.fixture(scope="module")
def whole(account: Stub, tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, list[dict[str, Any]]]:
    """A study that the recorded researcher went through, with real trainings and a real vault, and what was sent."""
    why = sandbox.unavailable()
    needed(why is None, f"a sandbox ({why})", mend="install bubblewrap, where namespaces may be made")
    one = study(tmp_path_factory.mktemp("whole") / "hush", world("hush-repo"))
    account.forget()
    account.reply = recorded()
    with (
        hired(one, account.url) as staff,
        Vault(one.vault) as vault,
        Laboratory(one, limits=Limits(wall=120.0)) as laboratory,
    ):
        ended = Director(one, staff, vault, laboratory).run(Budget(10))
    assert ended == "no researcher has anything new to propose"
    assert len(account.asked) == 8
    assert set(account.paid.values()) == {1}
    return one, account.messages()


def test_a_researcher_proposes_runs_learns_and_concludes(whole: tuple[Study, list[dict[str, Any]]]) -> None:
    """The recorded dialogue leads to a configuration and a written method that were trained and screened, to findings
    beside those of the director, and to an end.
    """
    one, _ = whole
    first, second = one.experiments()[3:]
    assert {first.experiment.researcher, second.experiment.researcher} == {"noise"}
    assert dict(first.configuration.parameters) == {"head.variance": 0.01, "mixed.weak_weight": 0.8}
    assert second.configuration.method == "written"
    assert "class Blend" in (second.configuration.code or "")
    for result in (first, second):
        assert result.screen is not None
        assert result.screen.auroc > 0.6
        assert result.answer is not None or result.unasked
    told = [(one["experiment"], one["text"][:20]) for one in one.findings() if one["researcher"] == "noise"]
    assert told == [
        ("e0003", "mixed orders held-ou"),
        ("e0003", "A heavy weight on th"),
        ("e0004", "written orders held-"),
        ("e0004", "Blending the reviewe"),
        ("e0004", "With one repository "),
    ]
    assert dialogue(one)[-1]["concluded"]


def test_what_leaves_is_methods_numbers_and_findings(whole: tuple[Study, list[dict[str, Any]]]) -> None:
    """No name or path of a repository or of the study, no number of a row, no label, no key and no hash is in anything
    that was sent; the rules are the same bytes each time, and cached.
    """
    one, sent = whole
    everything = repr(sent)
    home = str(Path.home())
    for secret in (
        KEY,
        "hush",
        str(one.folder),
        home if len(home) > 2 else "/root",
        str(Path(sandbox.__file__).parent),
    ):
        assert secret not in everything
    assert not re.search(r"\br\d+\b|\bp1\.\d", everything)
    fences = {name for params in sent for name in re.findall(r"=== \w+ (\w{32}) (?:begins|ends)", repr(params))}
    assert set(re.findall(r"\b[0-9a-f]{12,}\b", everything)) == fences
    assert len({repr(params["system"]) for params in sent}) == 1
    assert sent[0]["system"][0]["cache_control"]
    assert all(params["messages"][-1]["content"][-1]["cache_control"] for params in sent)


def test_a_dialogue_is_its_owner_s_and_says_what_it_cost(whole: tuple[Study, list[dict[str, Any]]]) -> None:
    """The records are readable by their owner alone and hold no key; status and report tell the cost and the end."""
    one, _ = whole
    path = one.folder / "agents" / "noise.jsonl"
    assert path.stat().st_mode & 0o077 == 0
    assert path.parent.stat().st_mode & 0o077 == 0
    assert KEY not in path.read_text()
    (bill,) = bills(one.folder)
    assert bill.answers == 8
    assert bill.usd > 0
    assert figures(one)["agents"]["noise"]["usd"] == bill.usd
    page = "\n".join(status(one))
    assert "Claude has cost $0.0" in page
    assert "8 answers, ended: With one repository" in page


def test_the_command_shows_what_it_will_cost_and_has_cost(
    whole: tuple[Study, list[dict[str, Any]]],
    stub: Stub,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A dry run sends nothing and needs no key; a run needs one; who has concluded is not asked again; the cost is in
    what it prints.
    """
    one, _ = whole
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    asked = ["research", "run", str(one.folder), "--agents", "1", "--experiments", "5", "--jobs", "1"]
    assert run([*asked, "--dry-run"]) == 0
    told = capsys.readouterr()
    assert "1 agent of claude-sonnet-5-5, 0 rounds each at most: roughly $0.00" in told.err
    assert "paid until now $0.0" in told.err
    assert run(asked) == 2
    assert "there is no key of Claude in ANTHROPIC_API_KEY" in capsys.readouterr().err
    assert run([*asked, "--agents", "7"]) == 2
    assert run([*asked, "--model", "gpt"]) == 2
    assert run([*asked, "--max-usd", "nan"]) == 2
    assert run(["research", "run", str(one.folder), "--dry-run"]) == 2
    assert "without agents a run costs nothing" in capsys.readouterr().err
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    monkeypatch.setenv("ANTHROPIC_BASE_URL", stub.url)
    assert run(asked) == 0
    told = capsys.readouterr()
    assert "all experiments are done" in told.out
    assert "Claude has cost $0.0" in told.out
    assert KEY not in told.out + told.err
    assert not stub.asked


FAULTS: dict[str, tuple[Said | Fault, str]] = {
    "refusal": (Said([], "refusal"), "declined"),
    "cut off": (text("I had", stop_reason="max_tokens"), "cut off"),
    "no object": (Said([{"type": "tool_use", "id": "a", "name": "conclude", "input": []}], "tool_use"), "its own form"),
    "a pause": (text("Wait.", stop_reason="pause_turn"), "its own form"),
    "overload": (Fault(529), "out of reach"),
    "lost": (Fault(lost=True), "got lost"),
    "no key": (Fault(401, message=f"invalid {KEY}"), "401, invalid [key]"),
    "half": (Fault(body=b'{"id": "msg'), "its own form"),
    "no number": (
        Fault(
            body=b'{"model": "m", "stop_reason": "tool_use", "content": [{"type": "text", "text": NaN}],'
            b' "usage": {"input_tokens": 1, "output_tokens": 1}}'
        ),
        "its own form",
    ),
}


@pytest.mark.parametrize(("fault", "reason"), FAULTS.values(), ids=FAULTS)
def test_a_round_that_fails_is_passed(stub: Stub, tmp_path: Path, fault: Said | Fault, reason: str) -> None:
    """An agent that cannot go on passes the round, with the reason on record, and the others never stop; in the next
    round it is back, in a conversation that holds nothing of what failed.
    """
    one = study(tmp_path / "s", SMALL)
    if isinstance(fault, Fault):
        stub.faults = {1: fault}
    else:
        stub.reply = lambda params: fault if len(stub.asked) == 1 else proposing(params)
    assert ran(one, stub.url, 6, 2) == "all experiments are done"
    records = dialogue(one)
    passed = next(record for record in records if record["kind"] == "passed")
    assert reason in passed["reason"]
    assert KEY not in repr(records)
    assert [result.experiment.researcher for result in one.experiments()[3:]] == ["trust", "noise", "trust"]
    (first, *_), (second, *_) = (params["messages"] for params in stub.messages() if name_of(params) == "noise")
    assert first["role"] == second["role"] == "user"
    assert turn(stub.messages()[2]) == 0


def test_an_agent_that_goes_on_failing_ends_for_this_run(stub: Stub, tmp_path: Path) -> None:
    """After three rounds that came to nothing it asks no more, with the reason on record; the next run tries again."""
    one = study(tmp_path / "s", SMALL)
    stub.reply = lambda params: text("", stop_reason="refusal") if name_of(params) == "noise" else proposing(params)
    ran(one, stub.url, 9, 2)
    assert kinds(dialogue(one)).count("asked") == 3
    ended = dialogue(one)[-1]
    assert "3 rounds in a row came to nothing" in ended["reason"]
    assert not ended["concluded"]
    stub.reply = proposing
    ran(one, stub.url, 11, 2)
    results = one.experiments()[3:]
    assert [result.experiment.researcher for result in results] == ["trust"] * 6 + ["noise", "trust"]
    assert len({result.configuration.identity for result in results}) == len(results)


def test_who_only_talks_or_reads_is_stopped(stub: Stub, tmp_path: Path) -> None:
    """A round has so many requests; text without a tool is asked for a tool; several calls at once are not obeyed."""
    one = study(tmp_path / "s", SMALL)
    twice = [{"type": "tool_use", "id": f"toolu_{n}", "name": "read_leaderboard", "input": {}} for n in (1, 2)]

    def reply(params: dict[str, Any]) -> Said:
        match turn(params):
            case 0:
                return text("Let me think aloud.")
            case 1:
                assert "Use one of the tools" in heard(params)
                return Said(twice, "tool_use")
            case 2:
                assert "One call at a time" in heard(params)
        return call("read_method", turn(params), name="naive")

    stub.reply = reply
    assert ran(one, stub.url, 9) == "no researcher has anything new to propose"
    assert len(stub.asked) == loop.TURNS
    assert dialogue(one)[-1]["reason"] == "it did not come to a proposal within the round"


def test_without_a_sandbox_the_model_hears_it_and_goes_on(
    stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A written method that cannot run anywhere is an error of its call, and the round is not lost."""
    monkeypatch.setattr(sandbox, "unavailable", lambda: "bubblewrap is not installed")

    def reply(params: dict[str, Any]) -> Said:
        if turn(params):
            return proposing(params)
        return call("propose_method", code="METHOD = 1", parts=["written"], settings=[], why="")

    stub.reply = reply
    one = study(tmp_path / "s", SMALL)
    ran(one, stub.url, 4)
    answer = stub.messages()[1]["messages"][-1]["content"][0]
    assert answer["is_error"]
    assert "there is no sandbox on this machine" in answer["content"]
    assert one.experiments()[-1].configuration.method == "mixed"


def test_nobody_is_asked_for_what_will_not_be_run(stub: Stub, tmp_path: Path) -> None:
    """Who would come after the last experiment of the budget is asked when there is room for it."""
    one = study(tmp_path / "s", SMALL)
    assert ran(one, stub.url, 4, 2) == "all experiments are done"
    assert [name_of(params) for params in stub.messages()] == ["noise"]
    ran(one, stub.url, 5, 2)
    assert [name_of(params) for params in stub.messages()] == ["noise", "trust"]


def test_an_answer_without_words_is_asked_for_more(stub: Stub, tmp_path: Path) -> None:
    """Nothing said is no turn, and no failure: the agent is asked to use a tool."""
    one = study(tmp_path / "s", SMALL)
    stub.reply = lambda params: text("") if len(stub.asked) == 1 else proposing(params)
    ran(one, stub.url, 4)
    (again,) = stub.messages()[1]["messages"]
    assert "Use one of the tools" in again["content"][-1]["text"]
    assert one.experiments()[-1].experiment.researcher == "noise"


def test_a_cap_ends_agents_and_no_others(stub: Stub, tmp_path: Path) -> None:
    """Nothing is asked whose dearest outcome does not fit beside what all agents have cost, earlier runs included; a
    higher cap lets them go on.
    """
    one = study(tmp_path / "s", SMALL)

    def ran_under(max_usd: float) -> tuple[int, str]:
        asked, done = len(stub.asked), len(one.experiments())
        with hired(one, stub.url, max_usd=max_usd) as staff:
            Director(one, [*searchers(0)[:1], *staff], Box(), Bench()).run(Budget(done + 5))
        assert len(one.experiments()) == done + 5
        return len(stub.asked) - asked, bills(one.folder)[0].why

    capped = "the cap holds no further request"
    assert ran_under(0.05) == (0, capped)
    assert ran_under(5.0) == (3, "")
    assert ran_under(bills(one.folder)[0].usd + 0.05) == (0, capped)


def test_a_long_conversation_ends_and_another_begins(
    stub: Stub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sent stays bounded: a new conversation begins with what the agent has tried, and with nothing else."""
    monkeypatch.setattr(loop, "LONGEST", 2_000)
    one = study(tmp_path / "s", SMALL)
    ran(one, stub.url, 9)
    assert [turn(params) for params in stub.messages()].count(0) > 1
    opening = heard([params for params in stub.messages() if turn(params) == 0][-1])
    assert "experiment|e0003|noise|mixed|" in opening


def test_a_proposal_that_was_never_carried_out_is_told_so(stub: Stub, tmp_path: Path) -> None:
    """Where a run without agents came between, the agent hears that its proposal was dropped."""
    one = study(tmp_path / "s", SMALL)
    mixer = searchers(0)[0]
    with hired(one, stub.url) as staff, pytest.raises(KeyboardInterrupt):
        Director(one, [mixer, *staff], Box(), Bench(4)).run(Budget(9))
    Director(Study(one.folder), [mixer], Box(), Bench()).run(Budget(5))
    with hired(one, stub.url) as staff:
        Director(Study(one.folder), [mixer, *staff], Box(), Bench()).run(Budget(6))
    assert "It was not carried out" in heard(stub.messages()[-1])
    assert stub.messages()[-1]["messages"][-1]["content"][0]["is_error"]


def test_an_agent_that_is_out_of_time_asks_nothing_and_goes_on_later(stub: Stub, tmp_path: Path) -> None:
    """Once the hours of a run are over no request leaves and no round is passed; a later run goes on with it."""
    one = study(tmp_path / "s", SMALL)
    with hired(one, stub.url) as (noise,):
        assert noise.propose(Known((), (), 3, round=1, deadline=time.monotonic() - 1)) is None
        assert stub.asked == []
        assert dialogue(one) == []
        assert noise.propose(Known((), (), 3, round=1, deadline=time.monotonic() + 600)) is not None
    assert len(stub.asked) == 1
