"""Doing a unit of work many times, in supervised processes of this machine.

A worker may die at any moment: it is replaced, what it was doing is tried once more, and nobody
else's work is lost. (The standard library's pool breaks as a whole when one of its processes dies.)
"""

import contextlib
import multiprocessing
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from itertools import islice
from multiprocessing.connection import Connection, wait
from typing import Any, NamedTuple, NoReturn, Protocol

from autograder.grading.sandbox import syscalls

Opened = Callable[[], AbstractContextManager[Callable[[Any], Any]]]
"""Makes a process ready for its work; what it gives is called with every task. Picklable."""

ATTEMPTS = 2
STARTS = 3
PATIENCE = 600.0
"""Seconds for one task: twice what a whole notebook is given (`Clock`), and the judge's own."""

GRACE = 5
"""Seconds for closing a sandbox when the end comes early."""

_SPAWN = multiprocessing.get_context("spawn")  # a fork would copy the locks of other threads
_PARENT_DEATH_SIGNAL = 1  # <sys/prctl.h>


def cpus() -> int:
    """Processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Lost(NamedTuple):
    """A task has no answer; says why, in words that follow a colon."""

    why: str


class WorkersFailed(Exception):
    """No worker can be made ready; says why."""


class NotReady(Exception):
    """A worker finds that it can do no task at all; says why."""


class Executor(Protocol):
    """Runs tasks somewhere."""

    def run(self, tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """Every task once, with its answer or `Lost`, in the order in which they are ready.

        Tasks are taken from the iterable as they are needed.
        """


class _Attempt(NamedTuple):
    task: Any
    number: int = 1


class _Queue:
    """Tasks that wait; those that are tried again go first."""

    def __init__(self, tasks: Iterable[Any]) -> None:
        self._fresh = map(_Attempt, tasks)
        self._next: deque[_Attempt] = deque()

    def holds(self, count: int) -> bool:
        """Whether at least so many wait."""
        self._next.extend(islice(self._fresh, max(0, count - len(self._next))))
        return len(self._next) >= count

    def take(self) -> _Attempt:
        return self._next.popleft()

    def put_back(self, attempt: _Attempt) -> None:
        self._next.appendleft(attempt._replace(number=attempt.number + 1))


class Local:
    """An executor: processes of this machine.

    Parameters
    ----------
    opened : callable
        Makes a worker ready.
    count : int
        Workers.
    """

    def __init__(self, opened: Opened, count: int) -> None:
        self._opened, self._count = opened, count
        self._workers: list[_Worker] = []
        self._false_starts = 0

    def run(self, tasks: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
        """Every task once, as `Executor` says.

        Raises
        ------
        WorkersFailed
        """
        queue = _Queue(tasks)
        try:
            while True:
                self._hand_out(queue)
                if not any(worker.attempt for worker in self._workers) and not queue.holds(1):
                    return
                for worker in self._heard():
                    yield from self._answer(worker, queue)
        finally:
            self._close()

    def _hand_out(self, queue: _Queue) -> None:
        """Start the workers that are needed, and give work to those that have none."""
        for worker in self._workers:
            if worker.ready and not worker.attempt and queue.holds(1):
                worker.give(queue.take())
        starting = sum(not worker.ready for worker in self._workers)
        while len(self._workers) < self._count and queue.holds(starting + 1):
            self._workers.append(_Worker(self._opened))
            starting += 1

    def _heard(self) -> list["_Worker"]:
        """The workers that have something to say, or have ended."""
        active = {w.pipe: w for w in self._workers if w.attempt or not w.ready}
        heard = [active[pipe] for pipe in wait(list(active), timeout=1.0)]  # type: ignore[index]
        for worker in active.values():
            if worker.attempt and time.monotonic() - worker.since > PATIENCE:
                worker.kill(f"it did not end within {PATIENCE:g} seconds")
        return heard

    def _answer(self, worker: "_Worker", queue: _Queue) -> Iterator[tuple[Any, Any]]:
        """What a worker has to say about its task, if that is the last word."""
        kind, said = worker.hear()
        if kind == "refused":
            raise WorkersFailed(said)
        if kind == "ready":
            self._false_starts = 0
        elif kind == "done":
            yield worker.finished(), said
        else:
            self._workers.remove(worker)
            worker.join()
            yield from self._lost(worker, said, queue)

    def _lost(self, worker: "_Worker", why: str, queue: _Queue) -> Iterator[tuple[Any, Any]]:
        attempt = worker.attempt
        if attempt is None:
            self._false_starts += 1
            if self._false_starts == STARTS:
                raise WorkersFailed(f"a worker ended {STARTS} times while it started: {why}")
        elif attempt.number < ATTEMPTS:
            queue.put_back(attempt)
        else:
            yield attempt.task, Lost(f"{why} ({ATTEMPTS} attempts)")

    def _close(self) -> None:
        for worker in self._workers:
            worker.close()
        for worker in self._workers:
            worker.join()
        self._workers.clear()


class _Worker:
    """One process, as its supervisor sees it."""

    def __init__(self, opened: Opened) -> None:
        self.ready = False
        self.attempt: _Attempt | None = None
        self.since = 0.0
        self._why = ""
        self.pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(
            target=_serve, args=(theirs, opened, os.getpid()), daemon=True
        )
        self._process.start()
        theirs.close()

    def give(self, attempt: _Attempt) -> None:
        self.attempt, self.since = attempt, time.monotonic()
        with contextlib.suppress(OSError):  # it has just died; `hear` will say so
            self.pipe.send(attempt.task)

    def hear(self) -> tuple[str, Any]:
        """A message; "failed" with the reason, if it is dead or as good as dead."""
        try:
            kind, said = self.pipe.recv()
        except (EOFError, OSError):
            self._process.join(1.0)
            return "failed", self._why or _ending(self._process.exitcode)
        self.ready = True
        return kind, said

    def finished(self) -> Any:
        """The task that it has done."""
        assert self.attempt is not None
        task, self.attempt = self.attempt.task, None
        return task

    def kill(self, why: str) -> None:
        self._why = why
        self._process.kill()

    def close(self) -> None:
        """Let it end: it sees that the pipe is closed, unless it is at work."""
        self.pipe.close()
        if self.attempt or not self.ready:
            self._process.terminate()

    def join(self) -> None:
        self.pipe.close()
        self._process.join(2 * GRACE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _ending(code: int | None) -> str:
    if code is not None and code < 0:
        return f"the worker was killed by {signal.Signals(-code).name}"
    return f"the worker ended with exit code {code}"


# ------------------------------------------------------------------ in the worker


def _serve(pipe: Connection, opened: Opened, supervisor: int) -> None:
    """A worker's life: tasks from the pipe, answers into it."""
    signal.signal(signal.SIGTERM, _leave)
    _end_with(supervisor)
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C is the supervisor's; a child's is reset
    stage = "refused"
    try:
        with opened() as work:
            pipe.send(("ready", None))
            stage = "failed"
            while True:
                pipe.send(("done", work(pipe.recv())))
    except EOFError:
        return
    except Exception as error:
        if isinstance(error, NotReady):
            stage = "refused"
        said = str(error) if stage == "refused" else f"{type(error).__name__}: {error}"
        with contextlib.suppress(OSError):
            pipe.send((stage, said))


def _leave(*_: object) -> NoReturn:
    """Close what is open and end; end without that, if it takes long."""
    signal.alarm(GRACE)
    sys.exit(1)


def _end_with(supervisor: int) -> None:
    """Be ended when the supervisor's thread is, however it ends."""
    if syscalls.supported():
        syscalls.prctl("parent death signal", _PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if os.getppid() != supervisor:
        sys.exit(1)
