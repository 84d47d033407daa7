"""Running one notebook in a process that may crash, hang, flood or lie.

The trusted side. A step that ends the process costs that step only: a new process is started and
the cells before it are run again. A cell that does not end is interrupted, as a kernel does it, and
what it has defined by then counts.
"""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from autograder import trial, wire
from autograder.grading import frames
from autograder.grading.process import Process, Usage
from autograder.grading.sandbox.hardening import Limits
from autograder.tree import plain
from autograder.trial import Outcome


class Clock(NamedTuple):
    """Wall time, in seconds: for one cell or check, for starting, and for a whole notebook."""

    step: float = 10.0
    start: float = 60.0
    notebook: float = 240.0
    mercy: float = 1.0


class StepFailed(Exception):
    """A step gave no answer; says why. The session goes on without it."""


class Session:
    """One learner's notebook, cell by cell.

    Parameters
    ----------
    spawn : callable
        Starts a process under limits.
    limits : Limits
    clock : Clock

    Attributes
    ----------
    tier : str
        What protects the grader, once a process was started.
    usage : Usage or None
        Of all processes so far that have ended.
    """

    tier: str = "unknown"
    usage: Usage | None = None

    def __init__(
        self,
        spawn: Callable[[Limits], Process],
        limits: Limits = Limits(),  # noqa: B008  # a NamedTuple of numbers never changes
        clock: Clock = Clock(),  # noqa: B008
    ) -> None:
        self._spawn, self._limits, self._clock = spawn, limits, clock
        self._end = time.monotonic() + clock.notebook
        self._history: list[str] = []
        self._process: Process | None = None

    def __enter__(self) -> "Session":
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def run(self, source: str) -> dict[str, Any]:
        """Run one cell.

        Returns
        -------
        dict
            "error": one line or None; "output": what it printed.

        Raises
        ------
        StepFailed
            It ended the process, could not be interrupted, or answered nonsense. It is not run
            again.
        """
        reply = self._ask({"do": "run", "source": source})
        self._history.append(source)
        error, output = reply.get("error"), reply.get("output", "")
        texts = isinstance(output, str) and (error is None or isinstance(error, str))
        return {"error": error, "output": output} if texts else {"error": None, "output": ""}

    def probe(
        self, function: str, cases: Sequence[trial.Case], lend: Sequence[str]
    ) -> list[Outcome]:
        """Run one function on cases.

        Raises
        ------
        StepFailed
            As for `run`, or the function is not defined.
        """
        cases_ = plain(tuple(cases))
        request = {"do": "probe", "function": function, "lend": tuple(lend), "cases": cases_}
        reply = self._ask(request)
        if reply.get("error") is not None:
            raise StepFailed(_words(reply["error"], function))
        try:
            outcomes = trial.from_tree(reply.get("outcomes"))
        except (ValueError, TypeError):
            self._stop()
            raise StepFailed("its process answered in a form that is not allowed") from None
        if len(outcomes) != len(cases):
            self._stop()
            raise StepFailed("its process answered for another number of cases")
        return outcomes

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """One request and its reply, from a process that has run the cells so far."""
        if self._process is None:
            self._start()
        return self._exchange(request, self._clock.step)

    def _start(self) -> None:
        self._process = self._spawn(self._limits)
        self.tier = self._process.tier
        self._exchange({"do": "run", "source": ""}, self._clock.start)
        for source in list(self._history):
            self._exchange({"do": "run", "source": source}, self._clock.step)

    def _exchange(self, request: dict[str, Any], seconds: float) -> dict[str, Any]:
        left = self._end - time.monotonic()
        if left <= 0:
            self._stop()
            raise StepFailed(f"the notebook's {self._clock.notebook:g} seconds are used up")
        nonce = secrets.token_hex(8)
        try:
            reply = self._send_and_wait({**request, "nonce": nonce}, min(seconds, left))
        except frames.TimeUp:
            self._stop()
            raise StepFailed(_late(min(seconds, left))) from None
        except frames.Closed:
            raise StepFailed(f"{self._stop()} while it ran") from None
        except wire.WireError as error:
            self._stop()
            raise StepFailed(f"its process sent something that is not allowed: {error}") from None
        if not isinstance(reply, dict) or reply.get("nonce") != nonce:
            self._stop()
            raise StepFailed("its process answered something that was not asked")
        return reply

    def _send_and_wait(self, request: dict[str, Any], seconds: float) -> Any:
        """The reply; a request that takes too long is interrupted, and given a moment.

        What was interrupted is a failure; but a cell that was has run so far.
        """
        process = self._process
        assert process is not None
        try:
            process.channel.settimeout(seconds)
            frames.send(process.channel, request)
        except TimeoutError:
            raise frames.TimeUp from None
        except OSError:
            raise frames.Closed from None
        try:
            return frames.receive(process.channel, seconds)
        except frames.TimeUp:
            process.interrupt()
            reply = frames.receive(process.channel, self._clock.mercy)
            if request["do"] != "run" or not isinstance(reply, dict):
                raise
            return {**reply, "error": _late(seconds)}

    def _stop(self) -> str:
        """End the process, if there is one, and say how it ended."""
        process, self._process = self._process, None
        if process is None:
            return "the process was gone"
        said = process.end()
        self.usage = process.usage.plus(self.usage) if process.usage else self.usage
        return said


def _late(seconds: float) -> str:
    return f"it did not end within {seconds:.0f} seconds"


def _words(error: Any, function: str) -> str:
    if error == "undefined":
        return f"{function} is not defined"
    return str(error)[:300]
