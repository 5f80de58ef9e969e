"""Written methods: what they can do in the sandbox, and all that they cannot."""

from __future__ import annotations

import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import oversight
from oversight.errors import ResearchError
from oversight.research import runner, sandbox
from oversight.research.laboratory import Laboratory
from oversight.research.model import WRITTEN, Configuration, Experiment, Proposal
from oversight.research.racing import Race
from oversight.research.runner import Clock, TrainingError, Worker
from oversight.research.worker.limits import Limits
from tests.needed import needed
from tests.research.grounds import study, world

LIMITS = Limits(cpu=2, wall=60.0)
WHOLE = world().ground
GROUNDS = [replace(WHOLE, draws=WHOLE.draws[:1])]  # each training has a sandbox, which takes seconds to start

METHOD = """
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

{before}

@dataclass(frozen=True)
class Written:
    learner: Any
    weight: float = 1.0

    def fit(self, examples, weak_labels, human_labels, *, seed):
        {inside}
        told = {{one.change_id: one.risk for one in weak_labels}}
        told.update({{one.change_id: float(one.risky) for one in human_labels}})
        known = [one for one in examples if one.change_id in told]
        return self.learner.fit(known, [told[one.change_id] for one in known], seed=seed)


METHOD = Written
"""


TAKEOVER = """
import sys
import numpy as np
from oversight.research.worker import frames

seen, frame = {}, sys._getframe()
while frame.f_code.co_name != "_train":
    frame = frame.f_back
inward, outward, told, arrays = (frame.f_locals[name] for name in ("inward", "outward", "told", "arrays"))
while True:  # in the worker's place
    seen.update((row, label) for row, label in zip(arrays["rows"].tolist(), arrays["human"].tolist()) if label == label)
    frames.send(outward, {"kind": "fitted", "seconds": 10 ** 400})
    while True:
        asked, rows = frames.receive(inward)
        if asked["kind"] == "end":
            break
        risk = [seen.get(row, 0.3) for row in rows["numbers"].tolist()]
        frames.send(outward, {"kind": "predicted"}, {"risk": np.array(risk, np.float32)})
    frames.send(outward, {"kind": "ended", "status": 0})
    told, arrays = frames.receive(inward)
"""
"""A method that takes its worker over, keeps all human labels that it is sent, and says of other rows .3."""


def written(before: str = "", inside: str = "pass", **parameters: float) -> Configuration:
    named = {f"{WRITTEN}.{name}": value for name, value in parameters.items()}
    return Configuration(WRITTEN, named, METHOD.format(before=before, inside=inside))


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    """One worker in the sandbox for all tests."""
    why = sandbox.unavailable()
    needed(why is None, f"a sandbox ({why})", mend="install bubblewrap, where namespaces may be made")
    with Worker(GROUNDS, LIMITS, written=True) as made:
        yield made


def screen(worker: Worker, configuration: Configuration) -> float:
    return runner.screen(worker, GROUNDS, configuration, Clock(LIMITS)).auroc


def test_a_written_method_trains(worker: Worker) -> None:
    """A method within the contract learns in the sandbox what it would learn outside, with parameters of its own."""
    assert screen(worker, written(weight=2.0)) > 0.7
    with pytest.raises(TrainingError, match="unexpected keyword"):
        screen(worker, written(nothing=2.0))


@pytest.mark.parametrize(
    ("before", "reason"),
    [
        ("raise SystemExit", "ended by itself"),
        ("1 / 0", "ZeroDivisionError in line 7"),
        ("import os; os._exit(0)", "ended by itself"),
        ("while True: pass", "processor time"),
        ("held = [0] * (1 << 33)", "MemoryError"),
        ("METHOD = 3", "TypeError|no METHOD|AttributeError"),
    ],
)
def test_a_written_method_that_fails_is_a_result(worker: Worker, before: str, reason: str) -> None:
    """Whatever it raises, uses up or ends costs its experiment, with the reason in a line."""
    code = written(before).code or ""
    if before.startswith("METHOD"):
        code += f"\n{before}\n"
    with pytest.raises(TrainingError, match=reason):
        screen(worker, Configuration(WRITTEN, {}, code))


def test_nothing_of_ours_is_in_sight(worker: Worker, tmp_path: Path) -> None:
    """Files outside of Python and this package do not exist, no process but its own, no variable, and nothing can be
    written anywhere.
    """
    gold = tmp_path / "gold.npz"
    gold.write_text("labels")
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    tries = (
        f"open({str(gold)!r})",
        f"open({str(Path(oversight.__file__).parent / 'new.py')!r}, 'w')",
        "open('/tmp/new', 'w')",
        "open('/dev/shm/new', 'w')",
        "open('/etc/passwd')",
        "open('/proc/self/environ')",
        f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)",
        "import socket; socket.create_connection(('192.0.2.1', 80), 1)",
        "import os; os.kill(os.getppid() + 100000, 0)",
        "import os; os.mkdir('/tmp/new')",
    )
    before = "passed = []\n"
    for one in tries:
        before += f"try:\n    {one}\n    passed.append({one!r})\nexcept OSError: pass\n"
    before += "import os\nassert not passed, passed\n"
    before += "assert set(os.environ) <= set('PATH PWD LC_CTYPE OMP_NUM_THREADS OPENBLAS_NUM_THREADS'.split()) | {\n"
    before += "    name for name in os.environ if name.startswith(('TORCH', 'KMP'))}, set(os.environ)\n"
    with listener:
        assert screen(worker, written(before)) > 0.7


def test_a_training_leaves_nothing_to_the_next(worker: Worker) -> None:
    """What one training puts into modules is gone in the next: no fold hears of another's labels."""
    assert screen(worker, written(inside="import math; assert not hasattr(math, 'seen'); math.seen = 1")) > 0.7


def test_a_method_that_takes_its_worker_over_hears_of_no_other_training(worker: Worker) -> None:
    """It finds the pipes, answers in the worker's name, and has seen no label but those of its own training: the folds
    that it hears of first would tell it those that are held out of the second.
    """
    clock = Clock(LIMITS)
    assert runner.screen(worker, GROUNDS, Configuration(WRITTEN, {}, TAKEOVER), clock).auroc == 0.5
    assert 0 < clock.seconds < LIMITS.wall


def test_predictions_that_depend_on_their_order_are_told(worker: Worker) -> None:
    """A student that looks at where a row stands differs between two orders, which the vault is told."""
    code = (
        (written().code or "")
        .replace("return self.learner.fit(", "return Ordered(self.learner.fit(")
        .replace("known], seed=seed)", "known], seed=seed))")
    )
    code += """
class Ordered:
    def __init__(self, student): self.student = student
    def predict(self, examples): return self.student.predict(examples) * [1 / (1 + n % 7) for n in range(len(examples))]
"""
    _, proxies = runner.predicted(worker, GROUNDS, Configuration(WRITTEN, {}, code), Clock(LIMITS), seed=0)
    assert proxies["order"] > 1e-3


def test_a_written_experiment_is_one_like_others(worker: Worker, tmp_path: Path) -> None:
    """A laboratory screens it and has it predict, in a sandbox of its own."""
    one = study(tmp_path / "s", replace(world(), ground=GROUNDS[0]))
    with Laboratory(one, limits=LIMITS) as laboratory:
        (done,) = laboratory.train([Experiment(1, 1, "writer", Proposal(written(), ""))], Race())
    assert done.predictions is not None
    assert done.predictions["a"].shape == (1, 150)
    assert done.proxies["order"] < 1e-3
    assert done.proxies["screen"] > 0.7


def test_a_study_in_sight_is_refused(worker: Worker) -> None:
    """A study in a folder that the sandbox shows is no place for gold."""
    with pytest.raises(ResearchError, match="may look"):
        sandbox.command([], hidden=Path(oversight.__file__).parent / "study")


def test_a_study_in_sight_under_another_name_is_refused(
    worker: Worker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is bound under the name of a link shows what the link leads to."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "link"))
    for hidden in (tmp_path / "link" / "study", tmp_path / "real" / "study"):
        with pytest.raises(ResearchError, match="may look"):
            sandbox.command([], hidden=hidden)


def test_keys_of_a_session_do_not_pass_between_sandboxes(worker: Worker) -> None:
    """Namespaces share the keyring of a session: every sandbox has one of its own."""
    if platform.machine() != "x86_64":
        pytest.skip("the numbers of system calls below are those of x86-64")
    keep = "S(248, b'user', b'labels', b'1', ctypes.c_size_t(1), ctypes.c_long(-3)) > 0"
    find = "S(250, ctypes.c_long(10), ctypes.c_long(-3), b'user', b'labels', ctypes.c_long(0)) < 0"
    sandbox.apart()  # as where people log in: a session with a keyring
    for apart, expression in ((False, keep), (True, find)):
        if apart:
            sandbox.apart()
        code = f"import ctypes; S = ctypes.CDLL(None).syscall; S.restype = ctypes.c_long; assert {expression}"
        assert subprocess.run(sandbox.command(["-I", "-c", code]), check=False).returncode == 0


def test_without_a_sandbox_written_code_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where bubblewrap is missing written methods run nowhere, and the reason is said."""
    monkeypatch.setattr(sandbox, "unavailable", lambda: "bubblewrap is not installed")
    with pytest.raises(ResearchError, match="bubblewrap is not installed"):
        Worker(GROUNDS, LIMITS, written=True)
