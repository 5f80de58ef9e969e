"""The events that carry verdicts, from the event to what is on record, and what people get to see of it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from oversight.audit.verdict import Decision, Landing, Selection
from oversight.errors import LabelError
from oversight_github.client import Client, Forbidden
from oversight_github.events import Comment, Event, Manual, Pull, PullRequestEvent, Push, Scheduled
from oversight_github.verdicts import asking
from oversight_github.verdicts.handle import LOOK_BACK, Heard, Outcome, carries_verdicts, handle, heard
from oversight_github.verdicts.places import FILE, REF, RefPlace
from oversight_github.verdicts.sampling import in_slice
from tests.github.verdicts.conftest import FINDING, Reviewed

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ONE, TWO = "1" * 40, "2" * 40
SHORT = REF.removeprefix("refs/")


def commented(comment: dict[str, Any], number: int = 7, *, action: str = "created", inline: bool = False) -> Comment:
    """The event of a comment; what is in it about its author is not what counts."""
    return Comment(action, comment["id"], number, True, comment["body"], None, "OWNER", "User", inline)


def labelled(label: str, *, action: str = "labeled") -> PullRequestEvent:
    pull = Pull(7, "open", "main", TWO, "topic", ONE, "octo/repo", False, False, "A change", "ann", (label,))
    return PullRequestEvent(action, pull, label, "bob")


def scheduled(client: Client, **options: Any) -> Outcome:
    return handle(Scheduled(), client, now=NOW, **options)


def reactions(comment: dict[str, Any]) -> list[str]:
    return list(comment.get("reacted", []))


def test_a_comment_is_recorded_and_its_author_sees_it(reviewed: Reviewed, api: Client):
    """A reaction, no comment; the line in the log says who and what."""
    comment = reviewed.say(7, "/oversight risky", login="bob")
    outcome = handle(commented(comment), api)
    assert [entry.decision for entry in outcome.added] == [Decision.RISKY]  # type: ignore[union-attr]
    assert outcome.log == ("recorded: #7, risky by bob",)
    assert reactions(comment) == ["+1"]
    assert RefPlace(api).read().verdicts == outcome.added
    assert len(reviewed.world.comments[7]) == 2


def test_what_counts_is_what_github_says_not_what_the_event_says(reviewed: Reviewed, api: Client):
    """A payload that claims a command, of a comment that holds none."""
    comment = reviewed.say(7, "hello", login="bob")
    event = Comment("created", comment["id"], 7, True, "/oversight safe", "ann", "OWNER", "User")
    assert handle(event, api) == Outcome()
    assert not reviewed.github.writes


def test_inline_comments_and_labels_are_recorded(reviewed: Reviewed, api: Client):
    """Of labels there is nothing to react to."""
    reply = reviewed.reply(7, "/oversight dismiss generated", reviewed.finding(7), login="bob")
    assert len(handle(commented(reply, inline=True), api).added) == 1
    assert reactions(reply) == ["+1"]
    reviewed.world.set_labels(7, ["oversight: safe"], login="cid")
    assert handle(labelled("oversight: safe"), api).log == ("recorded: #7, safe by cid",)


def test_what_changes_nothing_is_heard(reviewed: Reviewed, api: Client):
    """The author's own word is on record, and the author sees that it was read."""
    comment = reviewed.say(7, "/oversight safe", login="ann")
    assert len(handle(commented(comment), api).added) == 1
    assert reactions(comment) == ["eyes"]


@pytest.mark.parametrize("body", ["/oversight approve", "/oversight dismiss", "/oversight safe"])
def test_what_is_refused_gets_a_reaction_and_no_words(reviewed: Reviewed, api: Client, body: str):
    """A command that is none, or of somebody who may not judge; the log says why."""
    reviewed.person("eve", "read")
    comment = reviewed.say(7, body, login="eve")
    outcome = handle(commented(comment), api)
    assert outcome.added == ()
    assert len(outcome.log) == len(outcome.refusals) == 1
    assert reactions(comment) == ["confused"]
    assert len(reviewed.world.comments[7]) == 2


def test_a_review_that_is_asked_for_is_the_actions_to_do(reviewed: Reviewed, api: Client):
    """Of those who may write."""
    comment = reviewed.say(7, "/oversight review", login="bob")
    assert handle(commented(comment), api) == Outcome(review=7)
    assert reactions(comment) == ["eyes"]
    reviewed.person("eve", "read")
    assert handle(commented(reviewed.say(7, "/oversight review", login="eve")), api) == Outcome()


def test_events_that_carry_no_verdict_cost_nothing(reviewed: Reviewed, api: Client):
    """Other labels, other actions, comments below issues, pushes; and most comments, which hold no command."""
    comment = reviewed.say(7, "/oversight safe", login="bob")
    prose = reviewed.say(7, "Is it safe?\n> /oversight safe", login="bob")
    below_an_issue = Comment("created", comment["id"], 7, False, "", None, "OWNER", "User")
    events: list[Event] = [
        labelled("bug"), labelled("oversight: safe", action="unlabeled"), below_an_issue,
        commented(comment, action="deleted"), commented(prose), commented(prose, inline=True),
        Push("refs/heads/main", ONE, TWO, False),
    ]  # fmt: skip
    for event in events:
        assert not carries_verdicts(event)
        assert handle(event, api) == Outcome()
    assert reviewed.github.calls == []


def test_without_the_right_to_write_the_pull_request_does_not_fail(reviewed: Reviewed, api: Client):
    """As with a fork's token: the next scheduled run records it, and only that one fails if it cannot."""
    comment = reviewed.say(7, "/oversight risky", login="bob")
    reviewed.github.read_only = True
    outcome = handle(commented(comment), api)
    assert outcome.added == ()
    assert outcome.log[0].startswith("not recorded, the next scheduled run will: POST ")
    late = scheduled(api)
    assert isinstance(late.failure, Forbidden)
    assert "1 verdict of 1 person on record" in late.summary
    reviewed.github.read_only = False
    assert len(scheduled(api).added) == 1


def test_without_the_right_to_react_it_is_recorded_all_the_same(reviewed: Reviewed, api: Client):
    """The log says that nobody could be told."""
    comment = reviewed.say(7, "/oversight risky", login="bob")
    reviewed.github.fail("POST", "/repos/{owner}/{repo}/issues/comments/{comment_id}/reactions", 403)
    outcome = handle(commented(comment), api)
    assert len(outcome.added) == 1
    assert outcome.log[1].startswith(f"no reaction to comment {comment['id']}: ")


def test_a_scheduled_run_makes_up_for_what_was_missed(reviewed: Reviewed, api: Client):
    """Comments, replies and labels; a second run finds nothing new, and the summary tells of all."""
    said = reviewed.say(7, "/oversight risky", login="bob")
    reply = reviewed.reply(7, "/oversight dismiss generated", reviewed.finding(7), login="bob")
    reviewed.world.set_labels(7, ["oversight: safe"], login="cid")
    reviewed.say(7, "/oversight nonsense", login="cid")
    first = scheduled(api)
    assert len(first.added) == 3
    assert reactions(said) == reactions(reply) == ["+1"]
    assert "3 verdicts of 2 people on record, 3 of them new" in first.summary
    assert "Refused: 1 command" in first.summary
    second = handle(Manual(), api, now=NOW)
    assert second.added == ()
    assert "3 verdicts of 2 people on record, 0 of them new" in second.summary


def test_a_scheduled_run_in_a_quiet_repository_writes_nothing(reviewed: Reviewed, api: Client):
    """It says how to begin."""
    outcome = scheduled(api)
    assert "Nobody has given a verdict yet" in outcome.summary
    assert (outcome.added, outcome.log, outcome.failure) == ((), (), None)
    assert not reviewed.github.writes


def test_what_somebody_put_in_the_place_of_verdicts_stops_the_run(reviewed: Reviewed, api: Client):
    """With the line that is amiss; nothing is written over it, and reviews dismiss nothing."""
    tip = reviewed.world.write(SHORT, {FILE: b"{}\n"})
    comment = reviewed.say(7, "/oversight safe", login="bob")
    for event in (commented(comment), Scheduled()):
        with pytest.raises(LabelError, match="line 1 of the verdicts"):
            handle(event, api, now=NOW)
    assert reviewed.world.refs[SHORT] == tip
    found = heard(api, 7, ONE)
    assert (found.dismissed, found.cleared) == ({}, None)
    assert "line 1 of the verdicts" in (found.problem or "")


def test_a_review_hears_what_was_dismissed(reviewed: Reviewed, api: Client):
    """Findings of this pull request, and the flag of this very head."""
    reply = reviewed.reply(7, "/oversight dismiss generated", reviewed.finding(7), login="bob")
    handle(commented(reply, inline=True), api)
    handle(commented(reviewed.say(7, "/oversight dismiss planned", login="bob")), api)
    found = heard(api, 7, ONE)
    assert found.dismissed == {FINDING: "generated"}
    assert found.cleared is not None
    assert found.cleared.note == "planned"
    assert heard(api, 7, TWO).cleared is None
    assert heard(api, 8, ONE).dismissed == {}


class TestForged:
    """Who may push may write to the ref, and who may write may edit comments: a review asks GitHub who said what."""

    def test_words_that_nobody_said_clear_nothing(self, reviewed: Reviewed, api: Client):
        """In the name of somebody who said something else, nothing, or something elsewhere."""
        said = reviewed.say(7, "Looks risky to me.", login="bob")
        finding = reviewed.finding(7)
        real = reviewed.say(7, "/oversight safe", login="ann")
        handle(commented(real), api)
        (own,) = RefPlace(api).read().verdicts
        forged = [
            replace(own, own=False),
            *(replace(own, own=False, who="bob", source=replace(own.source, id=one)) for one in (said["id"], 9, None)),
            replace(own, own=False, who="bob", source=replace(own.source, kind="label")),
            replace(own, own=False, who="bob", source=replace(own.source, kind="terminal")),
            replace(own, own=False, who="bob", finding=FINDING, source=replace(own.source, id=finding["id"])),
        ]
        RefPlace(api).append(forged)
        assert heard(api, 7, ONE) == Heard()

    def test_another_head_or_finding_than_was_meant_is_not_cleared(self, reviewed: Reviewed, api: Client):
        """The words are real, and what they are put to is not."""
        handle(commented(reviewed.say(7, "/oversight safe", login="bob")), api)
        reply = reviewed.reply(7, "/oversight dismiss generated", reviewed.finding(7), login="bob")
        handle(commented(reply, inline=True), api)
        safe, dismissal = RefPlace(api).read().verdicts
        reviewed.world.pulls[7]["head"]["sha"] = TWO
        other = "e" * 32 + ":1"
        RefPlace(api).append([replace(safe, change_id=TWO), replace(dismissal, finding=other)])
        found = heard(api, 7, TWO)
        assert (dict(found.dismissed), found.cleared) == ({FINDING: "generated"}, None)

    @pytest.mark.parametrize("how", ["deleted", "edited by another", "no longer allowed"])
    def test_words_that_are_no_more_clear_no_more(self, reviewed: Reviewed, api: Client, how: str):
        """They stay on record, and another review has to be told again."""
        comment = reviewed.say(7, "/oversight safe", login="bob")
        handle(commented(comment), api)
        assert heard(api, 7, ONE).cleared is not None
        if how == "deleted":
            reviewed.world.comments[7].remove(comment)
        elif how == "edited by another":
            reviewed.edit(comment, "/oversight safe", by="ann")
        else:
            reviewed.person("bob", "read")
        assert heard(api, 7, ONE).cleared is None

    @pytest.mark.parametrize("event", ["base_ref_changed", "automatic_base_change_succeeded"])
    def test_against_another_branch_it_is_another_change(self, reviewed: Reviewed, api: Client, event: str):
        """Of which nobody has said anything: the author chooses the base, and may do so late."""
        moved = {"id": 1, "event": event, "actor": reviewed.world.user("ann")}
        reviewed.world.events[7].append(moved | {"created_at": reviewed.world.now()})
        handle(commented(reviewed.say(7, "/oversight safe", login="bob")), api)
        assert heard(api, 7, ONE).cleared is not None
        reviewed.world.events[7].append(moved | {"created_at": reviewed.world.now()})
        assert heard(api, 7, ONE).cleared is None

    def test_labels_are_asked_after_as_well(self, reviewed: Reviewed, api: Client):
        """Who put them, and when."""
        reviewed.world.set_labels(7, ["oversight: safe"], login="cid")
        handle(labelled("oversight: safe"), api)
        assert heard(api, 7, ONE).cleared is not None
        reviewed.world.events[7].clear()
        assert heard(api, 7, ONE).cleared is None


def test_verdicts_can_be_kept_in_a_file(reviewed: Reviewed, api: Client, tmp_path: Path):
    """Which the workflow uploads; by the event's run and by the scheduled one alike."""
    where = str(tmp_path / "verdicts.jsonl")
    comment = reviewed.say(7, "/oversight safe", login="bob")
    assert len(handle(commented(comment), api, where=where).added) == 1
    assert Path(where).read_text().count("\n") == 1
    assert len(scheduled(api, where=where).added) == 1  # nothing has been uploaded


class TestLandings:
    """How a judged head came into the history is recorded once it is merged."""

    def merged(self, reviewed: Reviewed, *, parents: int = 1, lines: int = 1) -> str:
        world = reviewed.world
        pull = world.pulls[7]
        world.diffs[7] = b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n+y\n"
        roots = [world.commit(world.tree({}), [], f"Root {number}") for number in range(parents)]
        squashed = world.commit(world.tree({}), roots, "A change (#7)")
        world.commits[squashed]["stats"] = {"additions": lines, "deletions": 1, "total": lines + 1}
        pull.update(state="closed", merged_at=world.now(), merge_commit_sha=squashed)
        return str(squashed)

    def landings(self, outcome: Outcome) -> list[Landing]:
        return [entry for entry in outcome.added if isinstance(entry, Landing)]

    def test_a_squashed_pull_request_landed_as_one_commit(self, reviewed: Reviewed, api: Client):
        """Found by the run after the merge, and asked for no more after that."""
        handle(commented(reviewed.say(7, "/oversight risky", login="bob")), api)
        assert self.landings(scheduled(api)) == []
        squashed = self.merged(reviewed)
        outcome = scheduled(api)
        (landing,) = self.landings(outcome)
        assert (landing.change_id, landing.commit, landing.number) == (ONE, squashed, 7)
        assert outcome.log == (f"#7 landed as {squashed}",)
        before = reviewed.github.count("GET", "/repos/{owner}/{repo}/commits/{ref}")
        assert scheduled(api).added == ()
        assert reviewed.github.count("GET", "/repos/{owner}/{repo}/commits/{ref}") == before

    def test_a_merge_commit_and_one_of_several_commits_are_no_landing(self, reviewed: Reviewed, api: Client):
        """The head is in the history by itself, or in parts."""
        handle(commented(reviewed.say(7, "/oversight risky", login="bob")), api)
        self.merged(reviewed, parents=2)
        assert self.landings(scheduled(api)) == []
        self.merged(reviewed, lines=9)
        assert self.landings(scheduled(api)) == []
        reviewed.world.pulls[7]["merge_commit_sha"] = "9" * 40
        assert self.landings(scheduled(api)) == []

    def test_a_head_that_was_pushed_over_before_the_merge_landed_nowhere(self, reviewed: Reviewed, api: Client):
        """What was judged is not what was merged."""
        handle(commented(reviewed.say(7, "/oversight risky", login="bob")), api)
        reviewed.world.pulls[7]["head"]["sha"] = TWO
        self.merged(reviewed)
        assert self.landings(scheduled(api)) == []


class TestAsking:
    """Some of what was merged without a flag is drawn, by its number alone, for people to judge."""

    @pytest.fixture
    def drawn(self, reviewed: Reviewed) -> int:
        number = next(number for number in range(10, 1_000) if in_slice("octo/repo", number))
        for one in (number, number + 1):
            pull = reviewed.world.pull(one, author="ann", head_sha=f"{one:040x}", state="closed")
            reviewed.check(f"{one:040x}")
            pull.update(merged_at=reviewed.world.now(), updated_at=reviewed.world.now())
        return number

    def test_what_was_drawn_is_asked_for_until_it_is_judged(self, reviewed: Reviewed, api: Client, drawn: int):
        """And the verdict has the propensity of the draw."""
        summary = scheduled(api).summary
        assert f"[#{drawn}](https://github.test/octo/repo/pull/{drawn})" in summary
        assert f"#{drawn + 1}" not in summary
        reviewed.say(drawn, "/oversight risky", login="bob")
        outcome = scheduled(api)
        assert "Please judge" not in outcome.summary
        assert [entry.shown.selection for entry in outcome.added] == [Selection.RANDOM]  # type: ignore[union-attr]

    def test_what_was_flagged_or_never_reviewed_is_not_asked_for(self, reviewed: Reviewed, api: Client, drawn: int):
        """The one needs no draw, of the other there is nothing to learn."""
        reviewed.world.check_runs[0]["output"]["text"] = "somebody else's"
        assert "Please judge" not in scheduled(api).summary
        reviewed.summary(drawn, f"{drawn:040x}", flagged=True)
        reviewed.world.pulls[drawn]["merged_at"] = reviewed.world.now()
        assert "Please judge" not in scheduled(api).summary

    def test_nobody_is_asked_for_more_than_they_can_read(
        self, reviewed: Reviewed, api: Client, drawn: int, monkeypatch: pytest.MonkeyPatch
    ):
        """Nor for what is older than a run looks back, nor led to an odd address."""
        monkeypatch.setattr(asking, "MOST", 0)
        assert "Please judge" not in scheduled(api).summary
        monkeypatch.setattr(asking, "MOST", 1)
        later = NOW + LOOK_BACK + timedelta(days=1)
        assert "Please judge" not in handle(Scheduled(), api, now=later).summary
        reviewed.world.pulls[drawn]["html_url"] = "https://github.test/x) [y](javascript:alert(1)"
        summary = scheduled(api).summary
        assert f"- #{drawn}\n" in summary
        assert "javascript" not in summary


def test_an_event_loads_nothing_heavy():
    """Figures are for scheduled runs; a comment is recorded without numpy."""
    heavy = ("numpy", "torch", "sklearn", "onnxruntime", "git", "oversight.audit.figures")
    program = f"import sys, oversight_github.verdicts; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
