"""What people said on GitHub becomes verdicts: who may judge, what they had before them, and what is on record already.

    comments and label events ── said ──> who may? ──> seen what? ──> Verdict, or Refusal

Who has write access may judge, which GitHub is asked for each person: an association such as MEMBER says nothing of
that. Asking again changes nothing: what is on record is not asked after. A comment that was edited is a verdict of its
own, of the moment of the edit, if its author edited it and it says something else now; others with write access can
edit it too, and put words in somebody's mouth, which do not count. One that was deleted stays on record, and clears
nothing any more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from oversight.audit.verdict import Decision, Record, Source, Verdict, in_order
from oversight_github.client import Client, Forbidden, NotFound
from oversight_github.markers import as_written, read_finding
from oversight_github.verdicts.answers import at, list_at, moment_at, number_at, text_at
from oversight_github.verdicts.pulls import Pulls, Seen
from oversight_github.verdicts.said import (
    BUTTON,
    COMMENT,
    INLINE,
    LABEL,
    LABELS,
    PARTS,
    Refusal,
    Said,
    asks_for_review,
    of_comment,
    of_label,
)

_MAY_JUDGE = ("admin", "write")  # maintainers count as write, and those who may only triage as read
_AT_ONCE = 100  # ids that GraphQL takes
_FIELDS = "id viewerDidAuthor lastEditedAt author { login } editor { login }"
_NODES = f"""
query ($ids: [ID!]!) {{
  nodes(ids: $ids) {{
    ... on IssueComment {{ {_FIELDS} }}
    ... on PullRequestReviewComment {{ {_FIELDS} }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Gathered:
    """Verdicts that are not on record yet, in the order in which they were given, and what was refused."""

    verdicts: tuple[Verdict, ...] = ()
    refusals: tuple[Refusal, ...] = ()


class Gatherer:
    """Gathers from one repository, and asks GitHub each thing once."""

    def __init__(self, client: Client, record: Record, pulls: Pulls | None = None) -> None:
        self._client = client
        self._pulls = pulls or Pulls(client)
        self._may: dict[str, str | None] = {}
        self._known: dict[tuple[str, int | None], Verdict] = {}
        for verdict in in_order(record.verdicts):
            source = verdict.source
            if (source.repository or "").lower() == client.repository.lower():
                self._known[source.kind, source.id] = verdict

    def since(self, moment: datetime) -> Gathered:
        """Gather from all comments that changed since then, and from the labels of pull requests that did."""
        first = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return self._gathered(self._everything(first))

    def comment(self, identity: int, *, inline: bool) -> Gathered:
        """Gather from one comment; nothing where it is gone."""
        return self._gathered([self._commented(identity, INLINE if inline else COMMENT)])

    def labels(self, number: int) -> Gathered:
        """Gather from the labels that one pull request ever got."""
        return self._gathered(self._labelled(number))

    def confirms(self, verdict: Verdict, head: str, *, ours: bool = False) -> bool:
        """Whether GitHub bears out a verdict that clears something of a change with this head: who may push may write
        to the record in anybody's name.

        The same person, who may judge and is not the author, still has to say it of the same finding; or of the same
        head as it was compared then, since against another base it is another change. A button leaves nothing on GitHub
        that says who pressed it: it is believed where the record is `ours`, and nobody else writes to it.
        """
        source = verdict.source
        if source.id is None or source.number is None:
            return False
        if source.kind == BUTTON:
            allowed = ours and not self.owns(source.number, verdict.who) and self.why_not(verdict.who) is None
            return allowed and verdict.change_id == head and not self._pulls.moved(source.number, verdict.decided_at)
        if source.kind == LABEL:
            found = [one for one in self._labelled(source.number) if one is not None and one.id == source.id]
        else:
            one = self._commented(source.id, source.kind)
            found = [one] if isinstance(one, Said) else []
        return any(isinstance(said, Said) and self._bears_out(said, verdict, head) for said in self._settled(found))

    def wants_review(self, identity: int) -> bool:
        """Whether a comment below a pull request asks for another review, and its author may."""
        try:
            found = self._client.get(self._client.here("issues", "comments", identity))
        except NotFound:
            return False
        return asks_for_review(found) and self.why_not(text_at(found, "user", "login")) is None

    def _everything(self, first: str) -> Iterator[Said | Refusal | None]:
        for kind, part in PARTS.items():
            path = self._client.here(part, "comments")
            for comment in self._client.pages(path, since=first, sort="updated", direction="asc"):
                yield of_comment(comment, kind)
        for name in LABELS:
            path = self._client.here("issues")
            for issue in self._client.pages(path, labels=name, state="all", since=first):
                if at(issue, "pull_request") is not None:
                    yield from self._labelled(number_at(issue, "number"))

    def _commented(self, identity: int, kind: str) -> Said | Refusal | None:
        try:
            found = self._client.get(self._client.here(PARTS[kind], "comments", identity))
        except (KeyError, NotFound):
            return None
        return of_comment(found, kind)

    def _labelled(self, number: int) -> Iterator[Said | None]:
        for event in self._client.pages(self._client.here("issues", number, "events")):
            yield of_label(event, number)

    def _gathered(self, found: Iterable[Said | Refusal | None]) -> Gathered:
        refusals: dict[tuple[str, int], Refusal] = {}
        said: dict[tuple[str, int], Said] = {}
        for one in found:
            if isinstance(one, Refusal):
                refusals[one.kind, one.id] = one
            elif one is not None and (one.edited or (one.kind, one.id) not in self._known):
                said[one.kind, one.id] = one
        verdicts: list[Verdict] = []
        for one in self._settled(list(said.values())):
            made = one if isinstance(one, Refusal) else self._judged(one)
            if isinstance(made, Refusal):
                refusals[made.kind, made.id] = made
            elif made is not None:
                verdicts.append(made)
        return Gathered(tuple(in_order(verdicts)), tuple(refusals.values()))

    def _settled(self, said: Sequence[Said]) -> Iterator[Said | Refusal]:
        """Yield what was said, as of when it was said: where something was edited, by whom and when is looked up."""
        nodes = self._nodes([one.node for one in said if one.edited])
        for one in said:
            node = nodes.get(one.node)
            moment = moment_at(node, "lastEditedAt")
            if not one.edited or (node is not None and moment is None):
                if (one.kind, one.id) not in self._known:
                    yield one
            elif moment is None or text_at(node, "editor", "login") != text_at(node, "author", "login"):
                yield _refusal(one, "edited by somebody else")
            else:
                yield replace(one, at=moment)

    def _nodes(self, ids: Sequence[str]) -> dict[str, Any]:
        """Return what GraphQL knows of comments, by their ids."""
        found: dict[str, Any] = {}
        for start in range(0, len(ids), _AT_ONCE):
            answer = self._client.graphql(_NODES, {"ids": list(ids[start : start + _AT_ONCE])})
            found |= {text_at(node, "id"): node for node in list_at(answer, "nodes") if node}
        return found

    def _judged(self, said: Said) -> Verdict | Refusal | None:
        """Return the verdict that something said is, None where it is none, or is on record."""
        if self._pulls.pull(said.number) is None:
            return None
        why_not = self.why_not(said.who)
        if why_not is not None:
            return _refusal(said, why_not)
        if _same(self._known.get((said.kind, said.id)), said):
            return None
        finding = self._finding(said)
        if said.kind == INLINE and said.decision is Decision.DISMISSED and finding is None:
            return _refusal(said, "a dismissal that answers no finding")
        seen = self._pulls.seen(said.number, said.at)
        if seen is None:
            return _refusal(said, "nobody can tell which head it is about: no review of ours was there")
        return self._verdict(said, seen, finding)

    def _bears_out(self, said: Said, verdict: Verdict, head: str) -> bool:
        same = (said.number, said.who, said.decision) == (verdict.source.number, verdict.who, verdict.decision)
        if not same or self.owns(said.number, said.who) or self.why_not(said.who) is not None:
            return False
        if self._finding(said) != verdict.finding:
            return False
        if verdict.finding is not None and verdict.change_id != head:
            return True
        seen = self._pulls.seen(said.number, said.at)
        return seen is not None and seen.head == verdict.change_id and not self._pulls.moved(said.number, said.at)

    def owns(self, number: int, who: str) -> bool:
        """Whether a pull request is somebody's own work or they have a part in it, as far as that is known."""
        return self._pulls.has_part(number, who)

    def _verdict(self, said: Said, seen: Seen, finding: str | None) -> Verdict:
        return Verdict(
            change_id=seen.head,
            who=said.who,
            decision=said.decision,
            note=said.note,
            decided_at=said.at,
            shown=seen.shown,
            source=Source(said.kind, self._client.repository, said.number, said.id),
            finding=finding,
            own=self.owns(said.number, said.who),
        )

    def _finding(self, said: Said) -> str | None:
        """Return the fingerprint of the finding that a reply in the diff is about, None where it is about none."""
        if said.answers is None:
            return None
        try:
            root = self._client.get(self._client.here("pulls", "comments", said.answers))
        except NotFound:
            return None
        mark, node = read_finding(text_at(root, "body")), text_at(root, "node_id")
        about = self._nodes([node]).get(node) if mark is not None else None
        return mark.id if mark is not None and as_written(about) else None

    def why_not(self, who: str) -> str | None:
        """Return why somebody may not judge, None where they may."""
        if who not in self._may:
            self._may[who] = self._asked(who)
        return self._may[who]

    def _asked(self, who: str) -> str | None:
        try:
            answer = self._client.get(self._client.here("collaborators", who, "permission"))
        except NotFound:
            return "no write access"
        except Forbidden:
            return "the token may not ask who has write access"
        return None if at(answer, "permission") in _MAY_JUDGE else "no write access"


def _same(known: Verdict | None, said: Said) -> bool:
    """Whether what is on record says what was said, in the same words."""
    return known is not None and (known.decision, known.note) == (said.decision, said.note)


def _refusal(said: Said, why: str) -> Refusal:
    return Refusal(said.kind, said.id, said.number, said.who, why)
