"""What pages know of who looks at them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Literal

Via = Literal["github", "token"]


class Role(IntEnum):
    """What somebody may do in one repository; each may do what those before may.

    A viewer sees reports and verdicts, an auditor gives verdicts, an admin looks after the repository.
    """

    VIEWER = 1
    AUDITOR = 2
    ADMIN = 3


@dataclass(frozen=True)
class Person:
    """Somebody who has logged in. `csrf` goes into every form, as the field `csrf`; `via` is how they came in.

    `ask` answers for many repositories at once, since GitHub is asked about each.
    """

    login: str
    csrf: str = field(repr=False)
    via: Via
    ask: Callable[[Iterable[str]], Mapping[str, Role]] = field(repr=False, compare=False)

    def role(self, repository: str) -> Role | None:
        """Return what they may do in "owner/name", None where they may not see it. Asks GitHub now and then."""
        return self.ask([repository]).get(repository)

    def roles(self, repositories: Iterable[str]) -> Mapping[str, Role]:
        """Return the repositories of these that they may see, each with what they may do there."""
        return self.ask(repositories)
