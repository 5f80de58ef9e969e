"""What runs in a worker process of its own, that can be killed.

It takes the deliveries that it is given, as the inbox would hand them over until it hears that they were taken, and
works until it is killed. `kill` names a method of ours before or after which it kills itself: "Book.finish:after".
"""

from __future__ import annotations

import base64
import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any

from oversight.audit.store import Store
from oversight_server.inbox import Delivery
from oversight_server.queue.book import Book
from oversight_server.queue.engine import Engine
from oversight_server.queue.jobs import Jobs
from oversight_server.services import Services
from tests.server.works import FAST, App, Counted, Reviews

NAMED = {"Book": Book, "Engine": Engine, "Store": Store}


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killing(method: Callable[..., Any], *, before: bool) -> Callable[..., Any]:
    @wraps(method)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if before:
            die()
        result = method(*args, **kwargs)
        die()
        return result

    return wrapper


def main(wishes: dict[str, Any]) -> None:
    log = os.open(wishes["log"], os.O_WRONLY | os.O_CREAT)
    for standard in (1, 2):
        os.dup2(log, standard)
    parent = os.getppid()
    if wishes["kill"]:
        name, _, when = wishes["kill"].partition(":")
        of, _, method = name.partition(".")
        setattr(NAMED[of], method, killing(getattr(NAMED[of], method), before=when == "before"))
    options = replace(FAST, limits=replace(FAST.limits, crashes=1_000))
    store = Store.open(wishes["database"])
    jobs = Jobs(Services(App(wishes["github"]), Reviews(), store, Counted(), options), sweep=0.5)
    jobs.start()
    for one in wishes["deliveries"]:
        at = datetime.fromisoformat(one["at"])
        jobs.enqueue(Delivery(one["id"], one["event"], base64.b64decode(one["payload"]), at))
    Path(wishes["taken"]).touch()
    while os.getppid() == parent:
        time.sleep(0.1)
