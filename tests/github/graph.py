"""GraphQL answers, from a schema that names what we ask for in the words of GitHub's own."""

from __future__ import annotations

from typing import Any

import graphql

from tests.github.double import route
from tests.github.exchange import Reply, Request
from tests.github.world import JSON, World

SCHEMA = graphql.build_schema(
    """
    type Query {
      repository(owner: String!, name: String!, followRenames: Boolean): Repository
      node(id: ID!): Node  nodes(ids: [ID!]!): [Node]!
    }
    type Mutation {
      resolveReviewThread(input: ResolveReviewThreadInput!): ResolveReviewThreadPayload
      unresolveReviewThread(input: UnresolveReviewThreadInput!): UnresolveReviewThreadPayload
      minimizeComment(input: MinimizeCommentInput!): MinimizeCommentPayload
    }
    interface Node { id: ID! }
    interface Actor { login: String! }
    type User implements Actor { login: String! }
    type Bot implements Actor { login: String! }
    type Repository { pullRequest(number: Int!): PullRequest }
    type PullRequest implements Node {
      id: ID!  number: Int!  headRefOid: GitObjectID!
      comments(first: Int, after: String, last: Int, before: String): IssueCommentConnection!
      reviewThreads(first: Int, after: String, last: Int, before: String): PullRequestReviewThreadConnection!
      commits(first: Int, after: String, last: Int, before: String): PullRequestCommitConnection!
    }
    type PullRequestCommitConnection { nodes: [PullRequestCommit]  pageInfo: PageInfo!  totalCount: Int! }
    type PullRequestCommit implements Node { id: ID!  commit: Commit! }
    type Commit {
      authors(first: Int, after: String, last: Int, before: String): GitActorConnection!  committer: GitActor
    }
    type GitActorConnection { nodes: [GitActor]  pageInfo: PageInfo!  totalCount: Int! }
    type GitActor { user: User }
    type PageInfo { hasNextPage: Boolean!  endCursor: String }
    type PullRequestReviewThreadConnection {
      nodes: [PullRequestReviewThread]  pageInfo: PageInfo!  totalCount: Int!
    }
    type PullRequestReviewThread implements Node {
      id: ID!  isResolved: Boolean!  isOutdated: Boolean!  path: String!  line: Int
      subjectType: PullRequestReviewThreadSubjectType!  resolvedBy: User  viewerCanResolve: Boolean!
      comments(first: Int, after: String, last: Int, before: String): PullRequestReviewCommentConnection!
    }
    type PullRequestReviewCommentConnection {
      nodes: [PullRequestReviewComment]  pageInfo: PageInfo!  totalCount: Int!
    }
    type PullRequestReviewComment implements Node {
      id: ID!  databaseId: Int  fullDatabaseId: BigInt  body: String!
      author: Actor  authorAssociation: CommentAuthorAssociation!  isMinimized: Boolean!
      createdAt: DateTime!  viewerDidAuthor: Boolean!  editor: Actor  lastEditedAt: DateTime
    }
    type IssueCommentConnection { nodes: [IssueComment]  pageInfo: PageInfo!  totalCount: Int! }
    scalar BigInt
    scalar DateTime
    scalar GitObjectID
    enum PullRequestReviewThreadSubjectType { FILE LINE }
    enum CommentAuthorAssociation {
      COLLABORATOR CONTRIBUTOR FIRST_TIMER FIRST_TIME_CONTRIBUTOR MANNEQUIN MEMBER NONE OWNER
    }
    input ResolveReviewThreadInput { threadId: ID!  clientMutationId: String }
    input UnresolveReviewThreadInput { threadId: ID!  clientMutationId: String }
    type ResolveReviewThreadPayload { thread: PullRequestReviewThread  clientMutationId: String }
    type UnresolveReviewThreadPayload { thread: PullRequestReviewThread  clientMutationId: String }
    input MinimizeCommentInput { subjectId: ID!  classifier: ReportedContentClassifiers!  clientMutationId: String }
    enum ReportedContentClassifiers { OUTDATED RESOLVED DUPLICATE OFF_TOPIC SPAM ABUSE }
    interface Minimizable { isMinimized: Boolean! }
    type IssueComment implements Node & Minimizable {
      id: ID!  databaseId: Int  fullDatabaseId: BigInt  body: String!
      author: Actor  authorAssociation: CommentAuthorAssociation!  isMinimized: Boolean!
      createdAt: DateTime!  viewerDidAuthor: Boolean!  editor: Actor  lastEditedAt: DateTime
    }
    type MinimizeCommentPayload { minimizedComment: Minimizable  clientMutationId: String }
    """
)


@route("POST", "/graphql")
def answer(world: World, request: Request) -> Reply:
    def repository(_: object, **of: Any) -> JSON | None:
        return _repository(world) if f"{of['owner']}/{of['name']}" == world.repository else None

    def node(_: object, **of: Any) -> JSON | None:
        return next((_thread(world, thread) for thread in _threads(world) if thread["id"] == of["id"]), None)

    root = {
        "repository": repository,
        "node": node,
        "nodes": lambda _, ids: [_node(world, identity) for identity in ids],
        "resolveReviewThread": lambda _, **of: {"thread": _resolve(world, of["input"]["threadId"], world.viewer)},
        "unresolveReviewThread": lambda _, **of: {"thread": _resolve(world, of["input"]["threadId"], None)},
        "minimizeComment": lambda _, **of: {"minimizedComment": _minimize(world, of["input"]["subjectId"])},
    }
    variables = request.body.get("variables") or {}
    result = graphql.graphql_sync(SCHEMA, request.body["query"], root, variable_values=variables)
    errors = [
        {"message": e.message, "type": (e.extensions or {}).get("type", "INVALID"), "path": e.path}
        for e in result.errors or []
    ]
    return Reply({"data": result.data, **({"errors": errors} if errors else {})})


def _refuse(kind: str, message: str) -> graphql.GraphQLError:
    return graphql.GraphQLError(message, extensions={"type": kind})


def _threads(world: World) -> list[JSON]:
    return [thread for threads in world.threads.values() for thread in threads]


def _repository(world: World) -> JSON:
    return {"pullRequest": lambda _, number: _pull(world, number)}


def _pull(world: World, number: int) -> JSON:
    if number not in world.pulls:
        raise _refuse("NOT_FOUND", f"Could not resolve to a PullRequest with the number of {number}.")
    threads = [_thread(world, thread) for thread in world.threads[number]]
    comments = [_comment(world, comment, "IssueComment") for comment in world.comments[number]]
    commits = [_commit(makers) for makers in world.made_by[number]]
    return {
        "__typename": "PullRequest",
        "id": f"PR_{number}",
        "number": number,
        "headRefOid": world.pulls[number]["head"]["sha"],
        "comments": lambda _, **cut: _connection(comments, **cut),
        "reviewThreads": lambda _, **cut: _connection(threads, **cut),
        "commits": lambda _, **cut: _connection(commits[:250], **cut),
    }


def _commit(makers: tuple[str, ...]) -> JSON:
    """A commit of an author, who also committed it, and its co-authors; "": somebody whom GitHub knows no user for."""
    actors = [{"user": {"login": login} if login else None} for login in makers]
    commit = {"authors": lambda _, **cut: _connection(actors, **cut), "committer": actors[0]}
    return {"__typename": "PullRequestCommit", "id": "C", "commit": commit}


def _thread(world: World, thread: JSON) -> JSON:
    first = thread["comments"][0] if thread["comments"] else {}
    by = thread["resolved_by"]
    return {
        "__typename": "PullRequestReviewThread",
        "id": thread["id"],
        "isResolved": by is not None,
        "isOutdated": bool(thread.get("outdated")),
        "path": first.get("path", ""),
        "line": first.get("line"),
        "subjectType": first.get("subject_type", "line").upper(),
        "resolvedBy": by and {"login": by},
        "viewerCanResolve": by is None and world.resolves,
        "comments": lambda _, **cut: _connection([_comment(world, c) for c in thread["comments"]], **cut),
    }


def _node(world: World, identity: str) -> JSON | None:
    """A comment by its id; GitHub answers with null and an error where there is none."""
    for lists, kind in ((world.comments, "IssueComment"), (world.review_comments, "PullRequestReviewComment")):
        for comment in (one for comments in lists.values() for one in comments if one["node_id"] == identity):
            return _comment(world, comment, kind)
    raise _refuse("NOT_FOUND", f"Could not resolve to a node with the global id of '{identity}'.")


def _actor(user: JSON | None) -> JSON | None:
    # GraphQL names a bot without the ending that REST gives it.
    return user and {"__typename": user["type"], "login": user["login"].removesuffix("[bot]")}


def _comment(world: World, comment: JSON, kind: str = "PullRequestReviewComment") -> JSON:
    login = comment["user"] and comment["user"]["login"]
    edited = comment.get("edited_by")
    return {
        "__typename": kind,
        "id": comment["node_id"],
        "databaseId": comment["id"],
        "fullDatabaseId": str(comment["id"]),
        "body": comment["body"],
        "author": _actor(comment["user"]),
        "editor": edited and _actor(world.user(edited)),
        "lastEditedAt": comment["updated_at"] if edited else None,
        "authorAssociation": comment["author_association"],
        "isMinimized": bool(comment.get("minimized")),
        "createdAt": comment["created_at"],
        "viewerDidAuthor": login == world.viewer,
    }


def _connection(nodes: list[JSON], first: int | None = None, after: str | None = None, **_: Any) -> JSON:
    """Cut a list as Relay's connections are; the cursor is the number of nodes before."""
    if first is None or not 1 <= first <= 100:
        raise _refuse("EXCESSIVE_PAGINATION", "`first` is between 1 and 100.")
    start = int(after or 0)
    end = start + first
    page = {"hasNextPage": end < len(nodes), "endCursor": str(min(end, len(nodes))) if nodes else None}
    return {"nodes": nodes[start:end], "pageInfo": page, "totalCount": len(nodes)}


def _resolve(world: World, identity: str, by: str | None) -> JSON:
    thread = next((thread for thread in _threads(world) if thread["id"] == identity), None)
    if thread is None:
        raise _refuse("NOT_FOUND", f"Could not resolve to a node with the global id of '{identity}'.")
    if not world.resolves:
        raise _refuse("FORBIDDEN", "Resource not accessible by integration")
    thread["resolved_by"] = by
    return _thread(world, thread)


def _minimize(world: World, identity: str) -> JSON:
    everything = [*world.comments.values(), *world.review_comments.values()]
    comment = next((c for comments in everything for c in comments if c["node_id"] == identity), None)
    if comment is None:
        raise _refuse("NOT_FOUND", f"Could not resolve to a node with the global id of '{identity}'.")
    comment["minimized"] = True
    return {"__typename": "IssueComment", "isMinimized": True}
