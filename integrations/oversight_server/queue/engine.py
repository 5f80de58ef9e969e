"""dbos behind one class: a durable queue of turns, in a database of its own.

It keeps ids alone: the turn of a job is its input, a word its output. A turn that was begun by a worker that died is
begun again by another, from the start: jobs may be done twice, and do nothing twice.

dbos is kept from what it would do by itself: it writes JSON rather than pickles, reports nowhere, reads no variables of
its own (in its own cloud it would; there we refuse to start), and logs through the loggers of this process.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable
from datetime import datetime

from dbos import DBOS, DBOSClient, DBOSConfig, DBOSPortableJSONSerializer, EnqueueOptions, WorkflowStatus
from sqlalchemy.engine import URL

from oversight.audit.store.engine import connect
from oversight.errors import ConfigError
from oversight_server.queue.model import Due

_NAME = "oversight"
_QUEUE = "jobs"
_WORKFLOW = "turn"
_SCHEMA = "oversight_queue"
# Jobs begin from the start, so a later version of this code can go on with those of an earlier one.
_VERSION = "1"
_CLOUD = "DBOS__CLOUD"
_PENDING = "PENDING"
_GOING = frozenset({"ENQUEUED", "DELAYED", _PENDING})
_SPARE = 4  # connections beside those of turns: the queue's own threads
_AT_ONCE = 500  # turns that are looked up or deleted in one statement


class Engine:
    """The queue, and the threads of this process that take from it.

    `url` is that of the server's database (`queue_url`); `worker` this process's name among all that share it; `run`
    does a turn, and does not raise. One to a process, since dbos is one to a process.
    """

    def __init__(self, url: URL, worker: str, run: Callable[[Due], str], *, workers: int, poll: float) -> None:
        if os.environ.get(_CLOUD):
            raise ConfigError(f"{_CLOUD} is set, with which the queue would report to others", mend=f"unset {_CLOUD}")
        self._url = queue_url(url)
        self._worker = worker
        self._run = run
        self._workers = workers
        self._poll = poll

    def start(self) -> None:
        """Make or migrate the queue's tables, and begin to take turns."""
        logger = logging.getLogger("dbos")
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())  # else it adds one of its own
        if self._url.get_backend_name() == "sqlite":
            connect(self._url).connect().close()  # makes the file, for its user alone, and sets its journal
        address = self._url.render_as_string(hide_password=False)
        config = DBOSConfig(
            name=_NAME,
            system_database_url=address,
            dbos_system_schema=_SCHEMA,
            application_version=_VERSION,
            executor_id=self._worker,
            serializer=DBOSPortableJSONSerializer(),
            enable_otlp=False,
            log_level="WARNING",
            sys_db_pool_size=self._workers + _SPARE,
        )
        DBOS(config=config)

        @DBOS.workflow(name=_WORKFLOW, max_recovery_attempts=None)
        def turn(identity: str, number: int, place: str) -> str:
            return self._run(Due(identity, number, place))

        DBOS.launch()
        DBOS.register_queue(
            _QUEUE,
            worker_concurrency=self._workers,
            partition_concurrency=1,
            polling_interval_sec=self._poll,
            on_conflict="always_update",
        )
        self._client = DBOSClient(
            system_database_url=address,
            dbos_system_schema=_SCHEMA,
            serializer=DBOSPortableJSONSerializer(),
            application_name=_NAME,
        )

    def put(self, due: Due, delay: float = 0.0) -> None:
        """Put a turn into the queue, to be taken after `delay` seconds; one that is in it already stays as it is."""
        options = EnqueueOptions(
            workflow_name=_WORKFLOW, queue_name=_QUEUE, workflow_id=_name(due), queue_partition_key=due.place
        )
        if delay > 0:
            options["delay_seconds"] = delay
        self._client.enqueue(options, due.id, due.turn, due.place)

    def standing(self, dues: Iterable[Due]) -> dict[Due, bool]:
        """Return of the turns that are known here whether they are still waiting or being done."""
        found = {_name(due): due for due in dues}
        if not found:
            return {}
        told = self._client.list_workflows(workflow_ids=list(found), load_input=False, load_output=False)
        return {found[one.workflow_id]: one.status in _GOING for one in told}

    def holders(self) -> set[str]:
        """Return the workers that have begun something and not ended it."""
        return {one.executor_id for one in self._pending() if one.executor_id is not None}

    def hand_on(self, worker: str) -> list[str]:
        """Put back what a worker had begun that is no more, and return the ids of those jobs."""
        found = [one.workflow_id for one in self._pending(worker)]
        if found:
            self._client.resume_workflows(found, queue_name=_QUEUE)
        return [name.rpartition("/")[0] for name in found]

    def _pending(self, worker: str | None = None) -> list[WorkflowStatus]:
        return self._client.list_workflows(
            status=_PENDING, executor_id=worker, queue_name=_QUEUE, load_input=False, load_output=False
        )

    def tidy(self, before: datetime) -> None:
        """Forget the turns that were done before then."""
        while True:
            found = self._client.list_workflows(
                completed_before=before.isoformat(), limit=_AT_ONCE, load_input=False, load_output=False
            )
            self._client.delete_workflows([one.workflow_id for one in found])
            if len(found) < _AT_ONCE:
                return

    def stop(self, seconds: float) -> None:
        """Take no more turns, and wait so long for those that are being done."""
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=round(seconds))

    def close(self) -> None:
        """Close the connections."""
        self._client.destroy()


def queue_url(url: URL) -> URL:
    """Return where the queue is: beside a file of SQLite, so that deliveries never wait for it; in PostgreSQL's
    database in a schema of its own.
    """
    if url.get_backend_name() != "sqlite":
        return url
    stem, dot, suffix = (url.database or "").rpartition(".")
    return url.set(database=f"{stem}-queue.{suffix}" if dot else f"{url.database}-queue")


def _name(due: Due) -> str:
    return f"{due.id}/{due.turn}"
