"""What people say on GitHub becomes verdicts: of those who may judge, on the head that they had before them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from oversight.audit.verdict import Decision, Record, Selection, Shown
from oversight_github import connections
from oversight_github.client import Client
from oversight_github.verdicts.gather import Gathered, Gatherer
from oversight_github.verdicts.pulls import Pulls
from oversight_github.verdicts.sampling import SHARE, in_slice
from tests.github.double import Double
from tests.github.verdicts.conftest import FINDING, MODEL, Reviewed

START = datetime(2025, 12, 1, tzinfo=UTC)
ONE, TWO, THREE = "1" * 40, "2" * 40, "3" * 40
FLAGGED = Shown(Selection.FLAGGED, 1.0, True, 0.5, 97.25, MODEL)


def gathered(api: Client, record: Record | None = None) -> Gathered:
    return Gatherer(api, record or Record()).since(START)


def why(found: Gathered) -> list[str]:
    return [refusal.why for refusal in found.refusals]


def test_a_command_of_a_person_who_may_judge_is_a_verdict(reviewed: Reviewed, api: Client):
    """Who, what, why and when, on which head, and what had been shown of it."""
    comment = reviewed.say(7, "Looked at it.\n/oversight risky the lock is gone", login="bob")
    (verdict,) = gathered(api).verdicts
    assert (verdict.who, verdict.decision, verdict.note) == ("bob", Decision.RISKY, "the lock is gone")
    assert (verdict.change_id, verdict.shown, verdict.finding, verdict.own) == (ONE, FLAGGED, None, False)
    assert verdict.decided_at.isoformat().startswith(comment["created_at"].removesuffix("Z"))
    assert (verdict.source.kind, verdict.source.repository) == ("comment", "octo/repo")
    assert (verdict.source.number, verdict.source.id) == (7, comment["id"])


def test_labels_are_verdicts_too(reviewed: Reviewed, api: Client):
    """Of who put them there, when, also where the name is written otherwise; other labels are none."""
    reviewed.world.set_labels(7, ["Oversight: Risky", "bug"], login="bob")
    (verdict,) = gathered(api).verdicts
    assert (verdict.who, verdict.decision, verdict.source.kind) == ("bob", Decision.RISKY, "label")
    assert Gatherer(api, Record()).labels(7).verdicts == (verdict,)


def test_gathering_twice_adds_nothing(reviewed: Reviewed, api: Client):
    """And asks nothing about what is on record."""
    reviewed.say(7, "/oversight safe", login="bob")
    reviewed.reply(7, "/oversight dismiss generated", reviewed.finding(7), login="bob")
    reviewed.world.set_labels(7, ["oversight: safe"], login="cid")
    first = gathered(api)
    assert len(first.verdicts) == 3
    before = len(reviewed.github.calls)
    assert gathered(api, Record(first.verdicts)) == Gathered()
    assert len(reviewed.github.calls) - before == 5  # two lists of comments, two of issues, one of events


@pytest.mark.parametrize("permission", ["read", "none", "triage"])
def test_who_may_not_write_may_not_judge(reviewed: Reviewed, api: Client, permission: str):
    """Whatever their association: what counts is what GitHub says they may do."""
    reviewed.person("eve", permission)
    reviewed.say(7, "/oversight safe", login="eve")["author_association"] = "MEMBER"
    reviewed.world.set_labels(7, ["oversight: safe"], login="eve")
    found = gathered(api)
    assert found.verdicts == ()
    assert why(found) == ["no write access"] * 2
    assert reviewed.github.count("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission") == 1


def test_a_finding_that_somebody_rewrote_is_none(reviewed: Reviewed, api: Client):
    """Who may write can edit our comment, and would have another finding dismissed by those who answer it."""
    finding = reviewed.finding(7)
    reviewed.edit(finding, finding["body"].replace("f" * 32, "e" * 32), by="ann")
    reviewed.reply(7, "/oversight dismiss generated", finding, login="bob")
    assert why(gathered(api)) == ["a dismissal that answers no finding"]


def test_without_the_right_to_ask_nobody_may_judge(reviewed: Reviewed, api: Client):
    """Nothing is taken for granted."""
    reviewed.say(7, "/oversight safe", login="bob")
    reviewed.github.fail("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", 403)
    assert why(gathered(api)) == ["the token may not ask who has write access"]
    reviewed.github.fail("GET", "/repos/{owner}/{repo}/collaborators/{username}/permission", 404)
    assert why(gathered(api)) == ["no write access"]


def test_bots_say_nothing(reviewed: Reviewed, api: Client):
    """Our own comments tell how to answer; others quote. Nor does an account that is gone."""
    reviewed.person("helper[bot]", "admin")
    reviewed.say(7, "/oversight safe", login="helper[bot]")
    reviewed.say(7, "/oversight safe", login="")
    reviewed.say(7, "/oversight safe", login="bob")["user"] = None
    reviewed.world.set_labels(7, ["oversight: safe"], login="helper[bot]")
    assert gathered(api) == Gathered()


def test_the_author_is_told_apart(reviewed: Reviewed, api: Client):
    """The verdict is theirs, and does not count where it would clear; logins are the same in any case."""
    reviewed.world.pulls[7]["user"]["login"] = "Ann"
    reviewed.say(7, "/oversight safe", login="ann")
    reviewed.say(7, "/oversight risky", login="ann")
    assert [(one.own, one.counts) for one in gathered(api).verdicts] == [(True, False), (True, True)]


class TestWhoHasAPart:
    """Whoever had a hand in a change clears nothing of it, whoever opened the pull request."""

    def own(self, reviewed: Reviewed, api: Client, login: str = "bob") -> bool:
        reviewed.say(7, "/oversight safe", login=reviewed.person(login))
        return gathered(api).verdicts[-1].own

    @pytest.mark.parametrize("commit", [("bob",), ("helper", "Bob"), ("", "bob")])
    def test_authors_and_co_authors_of_commits_do(
        self, reviewed: Reviewed, api: Client, commit: tuple[str, ...]
    ) -> None:
        """As of a pull request that a bot has opened for them; also of one commit among many."""
        reviewed.world.pulls[7]["user"] = reviewed.world.user("helper[bot]")
        reviewed.world.made_by[7] = [("ann",)] * 120 + [commit]
        assert self.own(reviewed, api)

    def test_others_do_not(self, reviewed: Reviewed, api: Client) -> None:
        """Nor does anybody by commits that GitHub knows no user for."""
        reviewed.world.made_by[7] = [("ann", "carol"), ("",)]
        assert not self.own(reviewed, api)

    def test_of_more_commits_than_github_lists_anybody_may_have_made_one(self, reviewed: Reviewed, api: Client) -> None:
        """It lists 250; and of one commit a hundred authors are read."""
        reviewed.world.made_by[7] = [("ann",)] * 251
        assert self.own(reviewed, api)

    def test_of_more_authors_than_are_read_anybody_may_be_one(self, reviewed: Reviewed, api: Client) -> None:
        """A hundred of a commit are read."""
        reviewed.world.made_by[7] = [tuple(f"x{number}" for number in range(101))]
        assert self.own(reviewed, api)

    def test_a_verdict_that_was_put_on_record_for_one_of_them_clears_nothing(
        self, reviewed: Reviewed, api: Client
    ) -> None:
        """Whoever may push may write to the record: it is asked after."""
        reviewed.say(7, "/oversight safe", login=reviewed.person("bob"))
        (verdict,) = gathered(api).verdicts
        assert Gatherer(api, Record()).confirms(verdict, verdict.change_id)
        reviewed.world.made_by[7] = [("ann", "bob")]
        assert not Gatherer(api, Record()).confirms(verdict, verdict.change_id)


def test_of_an_author_who_is_gone_everybody_is_told_apart(reviewed: Reviewed, api: Client):
    """GitHub calls all of them ghost, which nobody is."""
    reviewed.world.pulls[7]["user"] = reviewed.world.user("ghost")
    reviewed.say(7, "/oversight safe", login="bob")
    assert not gathered(api).verdicts[0].own


def test_what_is_no_command_of_ours_is_refused_or_not_heard(reviewed: Reviewed, api: Client):
    """An unknown verb and a dismissal without a reason are told of; prose, quotes and reviews asked for are not."""
    for body in ("/oversight approve", "/oversight dismiss", "> /oversight safe", "hello", "/oversight review"):
        reviewed.say(7, body, login="bob")
    found = gathered(api)
    assert found.verdicts == ()
    assert why(found) == ["an unknown command", "a dismissal without a reason"]


def test_comments_below_issues_are_none_of_ours(reviewed: Reviewed, api: Client):
    """There is no change to judge."""
    reviewed.say(99, "/oversight safe", login="bob")
    assert gathered(api) == Gathered()


class TestEdits:
    """An edit is another verdict of the same person; nobody puts words into another's mouth."""

    def test_an_edit_is_a_verdict_of_its_own(self, reviewed: Reviewed, api: Client):
        """Of the moment of the edit; the first stays on record, and the last one counts."""
        comment = reviewed.say(7, "/oversight safe", login="bob")
        first = gathered(api).verdicts
        reviewed.edit(comment, "/oversight risky on second thought")
        (second,) = gathered(api, Record(first)).verdicts
        assert (second.decision, second.source) == (Decision.RISKY, first[0].source)
        assert second.decided_at > first[0].decided_at
        assert gathered(api, Record((*first, second))) == Gathered()

    def test_an_edit_that_says_the_same_adds_nothing(self, reviewed: Reviewed, api: Client):
        """A spelling elsewhere in the comment was mended."""
        comment = reviewed.say(7, "Teh lock.\n/oversight safe fine", login="bob")
        first = gathered(api).verdicts
        reviewed.edit(comment, "The lock.\n/oversight safe fine")
        assert gathered(api, Record(first)) == Gathered()

    def test_words_that_somebody_else_wrote_do_not_count(self, reviewed: Reviewed, api: Client):
        """An author with write access can edit a reviewer's comment; what was on record stays."""
        comment = reviewed.say(7, "/oversight risky", login="bob")
        first = gathered(api).verdicts
        reviewed.edit(comment, "/oversight safe", by="ann")
        for record in (Record(), Record(first)):
            found = gathered(api, record)
            assert found.verdicts == ()
            assert why(found) == ["edited by somebody else"]

    def test_a_comment_that_only_seems_edited_is_as_old_as_it_is(self, reviewed: Reviewed, api: Client):
        """GitHub touches comments for reasons of its own."""
        comment = reviewed.say(7, "/oversight safe", login="bob")
        comment["updated_at"] = reviewed.world.now()
        (verdict,) = gathered(api).verdicts
        assert verdict.decided_at == datetime.fromisoformat(comment["created_at"])
        assert gathered(api, Record((verdict,))) == Gathered()

    def test_a_deleted_comment_stays_on_record(self, reviewed: Reviewed, api: Client):
        """There is nothing to gather, and nothing to take back."""
        comment = reviewed.say(7, "/oversight safe", login="bob")
        reviewed.world.comments[7].remove(comment)
        assert Gatherer(api, Record()).comment(comment["id"], inline=False) == Gathered()

    def test_many_edits_are_looked_up_at_once(self, reviewed: Reviewed, api: Client):
        """A hundred at a time."""
        for number in range(105):
            comment = reviewed.say(7, f"/oversight safe {number}", login="bob")
            reviewed.edit(comment, f"/oversight risky {number}")
        assert len(gathered(api).verdicts) == 105
        asked = [
            call for call in reviewed.github.calls if call.template == "/graphql" and "nodes(ids" in str(call.body)
        ]
        assert [len(call.body["variables"]["ids"]) for call in asked] == [100, 5]


class TestFindings:
    """A reply to an inline comment of ours is about that finding."""

    def test_a_dismissal_is_of_the_finding_that_it_answers(self, reviewed: Reviewed, api: Client):
        """By its fingerprint, which does not move with its lines."""
        reply = reviewed.reply(7, "/oversight dismiss test data", reviewed.finding(7), login="bob")
        (verdict,) = gathered(api).verdicts
        assert (verdict.decision, verdict.finding, verdict.note) == (Decision.DISMISSED, FINDING, "test data")
        assert Gatherer(api, Record()).comment(reply["id"], inline=True).verdicts == (verdict,)

    def test_a_mark_that_somebody_copied_is_none(self, reviewed: Reviewed, api: Client):
        """Otherwise a contributor could have a maintainer dismiss another finding than they think."""
        reviewed.reply(7, "/oversight dismiss nothing there", reviewed.finding(7, login="eve"), login="bob")
        assert why(gathered(api)) == ["a dismissal that answers no finding"]

    def test_a_verdict_in_somebody_elses_thread_is_about_the_change(self, reviewed: Reviewed, api: Client):
        """A dismissal there would be of nobody knows what."""
        thread = reviewed.world.review_comment(7, "Why this?", login="cid", path="a.py", line=1)
        reviewed.reply(7, "/oversight risky", thread, login="bob")
        reviewed.world.review_comment(7, "/oversight dismiss no", login="bob", path="a.py", line=1)
        found = gathered(api)
        assert [(one.finding, one.source.kind) for one in found.verdicts] == [(None, "review-comment")]
        assert why(found) == ["a dismissal that answers no finding"]

    def test_a_thread_whose_first_comment_is_gone_is_nobodys(self, reviewed: Reviewed, api: Client):
        """As when we took it back."""
        root = reviewed.finding(7)
        reviewed.reply(7, "/oversight safe", root, login="bob")
        reviewed.world.review_comments[7].remove(root)
        assert gathered(api).verdicts[0].finding is None


class TestHeads:
    """A verdict is of the head that the person had before them, whatever has been pushed since."""

    def test_an_answer_to_an_earlier_review_is_of_the_earlier_head(self, reviewed: Reviewed, api: Client):
        """Though the summary has moved on by the time of gathering."""
        reviewed.say(7, "/oversight safe", login="bob")
        reviewed.world.pulls[7]["head"]["sha"] = TWO
        reviewed.summary(7, TWO, risk=0.9)
        reviewed.say(7, "/oversight risky", login="bob")
        assert [(one.change_id, one.shown.risk) for one in gathered(api).verdicts] == [(ONE, 0.5), (TWO, 0.9)]

    def test_what_was_pushed_after_the_verdict_gets_none(self, reviewed: Reviewed, api: Client):
        """Not even where the review of it was not done yet when it was gathered."""
        reviewed.say(7, "/oversight safe", login="bob")
        reviewed.world.pulls[7]["head"]["sha"] = TWO
        assert gathered(api).verdicts[0].change_id == ONE

    def test_a_summary_that_somebody_forged_is_not_believed(self, reviewed: Reviewed, api: Client):
        """Nor ours, where somebody else has edited it."""
        reviewed.summary(7, TWO, login="eve", risk=0.001)
        reviewed.say(7, "/oversight safe", login="bob")
        assert gathered(api).verdicts[0].change_id == ONE
        reviewed.world.comments[7][0]["edited_by"] = "ann"
        assert why(gathered(api)) == ["nobody can tell which head it is about: no review of ours was there"]

    def test_marks_inside_of_a_comment_mark_nothing(self, reviewed: Reviewed, api: Client):
        """Comment bodies hold anything, JSON and marks included."""
        body = f'<!-- oversight:shown v1 head={TWO} -->\n/oversight safe {{"decision": "risky"}} <!-- x -->'
        reviewed.say(7, body, login="bob")
        (verdict,) = gathered(api).verdicts
        assert (verdict.decision, verdict.change_id) == (Decision.SAFE, ONE)
        assert verdict.note == '{"decision": "risky"} <!-- x -->'

    def test_a_check_run_shows_as_much_as_a_summary(self, reviewed: Reviewed, api: Client):
        """Where nothing was flagged there is no summary; whether it is of the slice is drawn by the number."""
        drawn = next(number for number in range(10, 1_000) if in_slice("octo/repo", number))
        for number in (drawn, drawn + 1):
            reviewed.world.pull(number, author="ann", head_sha=f"{number:040x}")
            reviewed.check(f"{number:040x}")
            reviewed.say(number, "/oversight risky", login="bob")
        first, second = gathered(api).verdicts
        assert (first.shown.selection, first.shown.propensity, first.shown.flagged) == (Selection.RANDOM, SHARE, False)
        assert (second.shown.selection, second.shown.propensity) == (Selection.REQUEST, None)
        assert (second.change_id, second.shown.risk) == (f"{drawn + 1:040x}", 0.5)

    def test_a_flag_that_was_cleared_had_been_shown(self, reviewed: Reviewed, api: Client):
        """Who answers afterwards came for the flag, not by the draw; what stood there then is told as it was."""
        reviewed.summary(7, ONE, flagged=False)
        reviewed.say(7, "/oversight safe", login="bob")
        shown = gathered(api).verdicts[0].shown
        assert (shown.selection, shown.propensity, shown.flagged) == (Selection.FLAGGED, 1.0, False)

    def test_a_check_run_of_another_head_shows_nothing_of_this_one(self, reviewed: Reviewed, api: Client):
        """A mark names its head."""
        reviewed.world.pull(8, author="ann", head_sha=TWO)
        reviewed.check(TWO, text=f"{reviewed.shown(THREE)}\n")
        reviewed.world.suites[TWO] = [reviewed.world.now()]
        reviewed.say(8, "/oversight safe", login="bob")
        assert gathered(api).verdicts[0].shown == Shown(Selection.REQUEST)

    def test_check_runs_of_earlier_commits_are_looked_at(self, reviewed: Reviewed, monkeypatch: pytest.MonkeyPatch):
        """Where the pull request has moved on since somebody spoke."""
        reviewed.world.pull(8, author="ann", head_sha=TWO)
        reviewed.check(TWO)
        reviewed.say(8, "/oversight risky", login="bob")
        reviewed.check(THREE)
        client: Any = reviewed.github.client()
        listed = client.pages

        def pages(path: str, **options: Any) -> Any:
            if path.endswith("/pulls/8/commits"):
                return iter([{"sha": TWO}, {"sha": THREE}])
            return listed(path, **options)

        monkeypatch.setattr(client, "pages", pages)
        reviewed.world.pulls[8]["head"]["sha"] = THREE
        assert gathered(client).verdicts[0].change_id == TWO

    def test_without_a_review_the_head_counts_that_github_knew_by_then(self, reviewed: Reviewed, api: Client):
        """By GitHub's clock: a commit's own date is the author's to set, and a check run's that of its maker."""
        reviewed.world.pull(8, author="ann", head_sha=TWO)
        before = reviewed.world.now()
        reviewed.say(8, "/oversight risky", login="bob")
        assert why(gathered(api)) == ["nobody can tell which head it is about: no review of ours was there"]
        reviewed.check(TWO, text="tests passed")
        reviewed.world.suites[TWO] = [reviewed.world.now()]
        assert len(why(gathered(api))) == 1
        reviewed.world.suites[TWO].append(before)
        (verdict,) = gathered(api).verdicts
        assert (verdict.change_id, verdict.shown) == (TWO, Shown(Selection.REQUEST))

    @pytest.mark.parametrize(("app", "flags"), [(None, [True]), ("15368", [True]), ("12345", []), ("Iv1.0123abc", [])])
    def test_a_check_run_of_another_app_shows_nothing(
        self, reviewed: Reviewed, api: Client, app: str | None, flags: list[bool]
    ):
        """Any App, and any workflow, may give one our name and our marks; so it is read where workflows are us."""
        reviewed.world.pull(8, author="ann", head_sha=TWO)
        reviewed.check(TWO, flagged=True, app=15368)
        reviewed.say(8, "/oversight safe", login="bob")
        assert [one.shown.flagged for one in Gatherer(api, Record(), Pulls(api, app)).since(START).verdicts] == flags

    def test_without_the_right_to_read_checks_the_summary_will_do(self, reviewed: Reviewed, api: Client):
        """A token may lack it."""
        reviewed.say(7, "/oversight safe", login="bob")
        reviewed.github.fail("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs", 403)
        assert gathered(api).verdicts[0].shown == FLAGGED

    def test_long_pull_requests_are_read_to_the_end(
        self, reviewed: Reviewed, api: Client, monkeypatch: pytest.MonkeyPatch
    ):
        """The summary may stand on a later page of comments; a list without an end is no list."""
        reviewed.world.pull(8, author="ann", head_sha=TWO)
        for number in range(120):
            reviewed.say(8, f"word {number}", login="bob")
        reviewed.summary(8, TWO)
        reviewed.say(8, "/oversight safe", login="bob")
        assert gathered(api).verdicts[0].change_id == TWO
        monkeypatch.setattr(connections, "_MAX_PAGES", 1)
        with pytest.raises(Exception, match="a list of comments without an end"):
            gathered(api)


def test_odd_logins_and_bodies_are_shown_escaped(github: Double, reviewed: Reviewed, api: Client):
    """The line in the log is one line, and obeys nobody."""
    login = "::error::\x1b[2J<b>"
    reviewed.person(login, "read")
    reviewed.say(7, "/oversight safe", login=login)
    (refusal,) = gathered(api).refusals
    shown = str(refusal)
    assert "\x1b" not in shown
    assert "\n" not in shown
    assert shown.startswith("#7, comment ")


def test_what_is_older_than_the_moment_is_left_alone(reviewed: Reviewed, api: Client):
    """A run looks back as far as it is told."""
    reviewed.say(7, "/oversight safe", login="bob")
    later = reviewed.now() + timedelta(days=1)
    assert Gatherer(api, Record()).since(later) == Gathered()
