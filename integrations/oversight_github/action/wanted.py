"""Which change an event asks to have reviewed. No I/O.

| event | change |
|---|---|
| `pull_request`, `pull_request_target` | what the head adds to the base branch |
| `merge_group` | what the group adds to the branch it waits for |
| `push` | what was pushed; of a new branch, and where a push was forced, what it adds to the default branch |
| `workflow_dispatch`, `schedule` | the newest commit |

The inputs `base` and `head` replace one side each.
"""

from __future__ import annotations

from dataclasses import replace

from oversight.errors import UnscoredError, UsageError
from oversight_github.action.inputs import Inputs
from oversight_github.code.wanted import Wanted
from oversight_github.events import Event, Manual, MergeGroup, PullRequestEvent, Push, Scheduled

_TAGS = "refs/tags/"


def wanted(event: Event, inputs: Inputs, *, sha: str | None, default_branch: str | None) -> Wanted:
    """Return what is to be reviewed; `sha` is the runner's.

    Raises UnscoredError for an event that leaves nothing to review, UsageError for one that is about no change.
    """
    found = _of_event(event, sha, default_branch)
    if inputs.head is not None and inputs.head != found.head:
        kept = found.bases if isinstance(event, PullRequestEvent | MergeGroup) else ()
        found = Wanted(inputs.head, kept)
    if inputs.base is not None:
        found = replace(found, bases=(inputs.base,), else_alone=False)
    return found


def _of_event(event: Event, sha: str | None, default_branch: str | None) -> Wanted:
    match event:
        case PullRequestEvent(pull=pull):
            return Wanted(pull.head_sha, (pull.base_sha,), pull=pull if pull.state == "open" else None)
        case MergeGroup(action="destroyed"):
            raise UnscoredError("the merge group is gone, which leaves nothing to review", mend="run when it is made")
        case MergeGroup():
            return Wanted(event.head_sha, (event.base_sha,))
        case Push():
            return _of_push(event, sha, default_branch)
        case Manual() | Scheduled() if sha is not None:
            return Wanted(sha)
        case _:
            raise UsageError(
                "this event is about no change",
                mend="run on pull_request, pull_request_target, push, merge_group, workflow_dispatch or schedule",
            )


def _of_push(push: Push, sha: str | None, default_branch: str | None) -> Wanted:
    if _is_nothing(push.after):
        raise UnscoredError("the push deleted its branch, which leaves nothing to review", mend="leave such pushes out")
    if push.ref.startswith(_TAGS):
        return Wanted(sha or push.after)  # what was pushed may be a tag's own object, and the runner's is its commit
    default = (f"refs/heads/{default_branch}",) if default_branch else ()
    if _is_nothing(push.before):
        return Wanted(push.after, default, else_alone=True)
    return Wanted(push.after, (push.before, *default) if push.forced else (push.before,), else_alone=push.forced)


def _is_nothing(sha: str) -> bool:
    """Whether it is what stands for a branch that was not there, or is no more."""
    return not sha.strip("0")
