"""Declared steps: a step runs when its code, inputs, settings or outputs changed, else not at all.

What was done stands in a lock file with the sha256 of everything that went in and came out. A
step writes into a temporary folder; only when it is through are its outputs moved into place and
locked, so that nothing half-written ever counts as done.
"""

import fcntl
import random
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bento.train.code import code_digests
from bento.train.errors import TrainError
from bento.train.lock import (
    LOCK,
    Record,
    Scalar,
    path_sha256,
    read_lock,
    why_run,
    write_lock,
)


@dataclass(frozen=True, slots=True)
class Task:
    """What a step's function gets: where to read, where to write, and the seed."""

    inputs: Mapping[str, Path]
    outputs: Mapping[str, Path]
    seed: int


@dataclass(frozen=True, slots=True)
class Step:
    """One declared step.

    `inputs` and `outputs` name files or folders; `modules` are dotted names of the code that makes
    the result, a package standing for all its modules; what of ours they import counts, too.
    `settings` holds whatever else decides the result. `run` must write every output it is given,
    at the path it is given.
    """

    name: str
    help: str
    run: Callable[[Task], None]
    inputs: Mapping[str, Path] = field(default_factory=dict)
    outputs: Mapping[str, Path] = field(default_factory=dict)
    modules: Sequence[str] = ()
    settings: Mapping[str, Scalar] = field(default_factory=dict)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a step. `reason` says why it ran, or that nothing changed."""

    step: str
    ran: bool
    reason: str
    seconds: float


def run_steps(
    steps: Sequence[Step],
    work: Path,
    *,
    force: bool = False,
    on_start: Callable[[Step, str], None] = lambda step, reason: None,
) -> Iterator[Result]:
    """Run the steps that need it, in the order given, and yield what became of each.

    The lock lies in `work`. With `force` every step runs. `on_start` is told each step that runs,
    and why. Raises TrainError when a step is
    declared wrongly, an input is missing, or an output was not written; what a step's function
    raises comes through as it is. In each case the steps before stay done.
    """
    check_steps(steps)
    work.mkdir(parents=True, exist_ok=True)
    lock_path = work / LOCK
    with _alone_in(work):
        yield from _run_each(steps, work, lock_path, force=force, on_start=on_start)


@contextmanager
def _alone_in(work: Path) -> Iterator[None]:
    """Raise TrainError when another process runs steps in the folder."""
    with (work / ".running").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TrainError(f"[{work}] steps are running there already") from None
        yield


def _run_each(
    steps: Sequence[Step],
    work: Path,
    lock_path: Path,
    *,
    force: bool,
    on_start: Callable[[Step, str], None],
) -> Iterator[Result]:
    for step in steps:
        lock = read_lock(lock_path)
        wanted = _wanted(step)
        present = {name: _digest_or_none(path) for name, path in step.outputs.items()}
        reason = why_run(lock.steps.get(step.name), wanted, present)
        if reason is None and not force:
            yield Result(step.name, ran=False, reason="nothing changed", seconds=0.0)
            continue
        reason = reason or "forced"
        on_start(step, reason)
        started = time.monotonic()
        digests = _run_into_place(step, work)
        seconds = round(time.monotonic() - started, 3)
        done = wanted.model_copy(update={"outputs": digests, "seconds": seconds})
        lock.steps[step.name] = done
        write_lock(lock_path, lock)
        yield Result(step.name, ran=True, reason=reason, seconds=seconds)


def check_steps(steps: Sequence[Step]) -> None:
    """Raise TrainError for a name used twice, an output made twice, or an input made too late."""
    names: set[str] = set()
    makers: dict[Path, str] = {}
    for step in steps:
        if step.name in names:
            raise TrainError(f"[{step.name} -> name] two steps have this name")
        names.add(step.name)
        for key, path in step.outputs.items():
            if path in makers:
                raise TrainError(f"[{step.name} -> {key}] {makers[path]} makes {path} already")
            makers[path] = step.name
    seen: set[str] = set()
    for step in steps:
        for key, path in step.inputs.items():
            if path in makers and makers[path] not in seen:
                raise TrainError(f"[{step.name} -> {key}] {makers[path]} makes it, but runs later")
        seen.add(step.name)


def _wanted(step: Step) -> Record:
    inputs = {}
    for name, path in step.inputs.items():
        try:
            inputs[name] = path_sha256(path)
        except OSError:
            raise TrainError(f"[{step.name} -> {name}] {path} is missing or unreadable") from None
    return Record(
        seed=step.seed,
        settings=dict(step.settings),
        code=code_digests(step.modules),
        inputs=inputs,
        outputs={},
        seconds=0.0,
    )


def _digest_or_none(path: Path) -> str | None:
    return path_sha256(path) if path.exists() else None


def _run_into_place(step: Step, work: Path) -> dict[str, str]:
    """Run into a temporary folder of `work`, then move each output to its place."""
    for left_by_a_killed_run in work.glob(f".{step.name}-*"):
        shutil.rmtree(left_by_a_killed_run)
    with tempfile.TemporaryDirectory(dir=work, prefix=f".{step.name}-") as folder:
        drafts = {
            name: Path(folder) / f"{index}-{path.name}"
            for index, (name, path) in enumerate(step.outputs.items())
        }
        random.seed(step.seed)
        np.random.seed(step.seed)
        step.run(Task(inputs=step.inputs, outputs=drafts, seed=step.seed))
        for name, draft in drafts.items():
            if not draft.exists():
                raise TrainError(f"[{step.name} -> {name}] the step ended without writing it")
        digests = {name: path_sha256(draft) for name, draft in drafts.items()}
        for name, path in step.outputs.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            shutil.move(drafts[name], path)
    return digests
