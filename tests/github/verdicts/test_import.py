"""What the Action keeps of verdicts is what `oversight audit import` takes in, from wherever it is kept."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from oversight.audit.lines import parse
from oversight.audit.store import Store
from oversight.audit.store.intake import Taken, take
from oversight.audit.verdict import Decision, Landing, judgements, to_gold
from oversight_github.client import Client
from oversight_github.verdicts.handle import handle
from oversight_github.verdicts.places import FILE, REF
from tests.github.verdicts import test_handle
from tests.github.verdicts.conftest import Reviewed
from tests.github.verdicts.test_handle import commented, labelled, scheduled


def answered(reviewed: Reviewed, api: Client, where: str | None) -> bytes:
    """People answer in every way that there is, one thinks better of it, it is merged; return what is kept of that."""
    for said in ("/oversight safe \u202e=1+1", "/oversight risky on second thoughts, the lock is gone"):
        handle(commented(reviewed.say(7, said, login="bob")), api, where=where)
    reply = reviewed.reply(7, "/oversight dismiss generated", reviewed.finding(7), login="bob")
    handle(commented(reply, inline=True), api, where=where)
    reviewed.world.set_labels(7, ["oversight: risky"], login="cid")
    handle(labelled("oversight: risky"), api, where=where)
    handle(commented(reviewed.say(7, "/oversight safe it is mine", login="ann")), api, where=where)
    scheduled(api, where=where)
    test_handle.TestLandings().merged(reviewed)
    scheduled(api, where=where)
    if where is not None:  # as long as nothing is uploaded, the last run wrote all of it
        return Path(where).read_bytes()
    content: bytes = reviewed.world.read(REF.removeprefix("refs/"), FILE)
    return content


@pytest.mark.parametrize("place", ["ref", "artifact"])
def test_what_the_action_keeps_is_taken_in_and_means_the_same(
    place: str, reviewed: Reviewed, api: Client, tmp_path: Path
):
    """Line by line the same record, the same judgements and the same labels of commits; and it can be proved."""
    content = answered(reviewed, api, None if place == "ref" else str(tmp_path / FILE))
    record = parse(content)
    assert {one.source.kind for one in record.verdicts} == {"comment", "review-comment", "label"}
    assert {Decision.RISKY, Decision.SAFE, Decision.DISMISSED} <= {one.decision for one in record.verdicts}
    assert any(one.own for one in record.verdicts)
    assert [type(one) for one in record.landings] == [Landing]
    found = len(record.verdicts) + len(record.landings)
    with Store.open(f"sqlite:///{tmp_path}/audit.db") as store:
        assert take(store.engine, io.BytesIO(content), FILE) == Taken("verdicts", found, found)
        assert take(store.engine, io.BytesIO(content), FILE) == Taken("verdicts", found, 0)
        assert store.verify() is None
        kept = store.record()
    assert kept == record
    assert judgements(kept.verdicts, kept.commits) == judgements(record.verdicts, record.commits)
    assert to_gold(kept.verdicts, kept.commits) == to_gold(record.verdicts, record.commits) != []


def test_what_the_action_adds_later_is_added(reviewed: Reviewed, api: Client, tmp_path: Path):
    """The ref only grows, and is fetched again and again."""
    with Store.open(f"sqlite:///{tmp_path}/audit.db") as store:
        for number, said in enumerate(("/oversight risky", "/oversight safe", "/oversight dismiss known"), 1):
            handle(commented(reviewed.say(7, said, login="bob")), api)
            content = reviewed.world.read(REF.removeprefix("refs/"), FILE)
            assert content is not None
            assert take(store.engine, io.BytesIO(content), FILE).added == 1
            assert store.head().entries == number
        assert store.record() == parse(content)
