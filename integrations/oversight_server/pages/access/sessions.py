"""Who is logged in: a row of the database each, under the digest of a random key that the browser alone has.

Whoever reads the database can log in as nobody. A session ends when it was not used for a while, at the latest some
hours after the login, and at once with the logout; the row goes then, or with the next sweep.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

from sqlalchemy import ColumnElement, Engine, delete, insert, or_, select, update

from oversight.audit.store.engine import reading, writing
from oversight.errors import StoreError
from oversight_server.pages.access.people import Via
from oversight_server.tables import sessions

EACH = 10
"""Sessions that one person may have at once; the oldest goes when another comes."""

_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
_TOUCH = timedelta(minutes=1)
_SWEEP = 3600.0

_log = logging.getLogger("oversight.server")


@dataclass(frozen=True, slots=True)
class Session:
    """One login. `account` is GitHub's number of the person, None for a token; `issuer` what vouched for them."""

    login: str
    via: Via
    issuer: str
    account: int | None
    used_at: datetime
    ends_at: datetime


class Sessions:
    """The table of sessions. Every method asks the database, and raises StoreError where it fails."""

    def __init__(
        self, engine: Engine, *, idle: timedelta, longest: timedelta,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:  # fmt: skip
        self.engine = engine
        self._idle = idle
        self._clock = clock
        self.longest = longest

    def begin(self, login: str, *, via: Via, issuer: str, account: int | None = None) -> str:
        """Store a session and return its key; sessions that are over go, and of this person all but the newest."""
        key, now = secrets.token_urlsafe(32), self._clock()
        row = {"key": _digest(key), "login": login, "via": via, "issuer": issuer, "account": account,
               "created_at": now, "used_at": now, "ends_at": now + self.longest}  # fmt: skip
        own = (sessions.c.login == login, sessions.c.issuer == issuer)
        newest = select(sessions.c.key).where(*own).order_by(sessions.c.created_at.desc()).limit(EACH - 1)
        with writing(self.engine) as connection:
            connection.execute(delete(sessions).where(self._over(now)))
            kept = connection.execute(newest).scalars().all()
            connection.execute(delete(sessions).where(*own, sessions.c.key.not_in(kept)))
            connection.execute(insert(sessions).values(row))
        return key

    def find(self, key: str | None) -> Session | None:
        """Return the session of a key, None where there is none any more; it counts as used."""
        if key is None or not _KEY.fullmatch(key):
            return None
        now = self._clock()
        columns = [sessions.c[name] for name in Session.__dataclass_fields__]
        with reading(self.engine) as connection:
            row = connection.execute(select(*columns).where(sessions.c.key == _digest(key), ~self._over(now))).first()
        if row is None:
            return None
        if now - row.used_at > _TOUCH:
            with writing(self.engine) as connection:
                connection.execute(update(sessions).where(sessions.c.key == _digest(key)).values(used_at=now))
        return Session(row.login, cast("Via", row.via), row.issuer, row.account, row.used_at, row.ends_at)

    def end(self, key: str | None) -> None:
        """Remove a session, if there is one."""
        if key is not None and _KEY.fullmatch(key):
            with writing(self.engine) as connection:
                connection.execute(delete(sessions).where(sessions.c.key == _digest(key)))

    async def sweep(self) -> None:
        """Remove what is over now and then, until cancelled."""
        while True:
            try:
                await asyncio.to_thread(self._swept)
            except StoreError as error:
                _log.warning("sessions not swept", exc_info=error)
            await asyncio.sleep(_SWEEP)

    def _swept(self) -> None:
        with writing(self.engine) as connection:
            connection.execute(delete(sessions).where(self._over(self._clock())))

    def _over(self, now: datetime) -> ColumnElement[bool]:
        return or_(sessions.c.ends_at <= now, sessions.c.used_at <= now - self._idle)


def csrf_of(key: str) -> str:
    """Return what the forms of a session bear. It is made of the key, and tells nothing of it."""
    return hmac.new(key.encode(), b"csrf", hashlib.sha256).hexdigest()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
