"""What a learner's process is to the grader, and the plain one that has no sandbox."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from enum import StrEnum
from typing import NamedTuple, Protocol

from autograder.grading import library
from autograder.grading.sandbox.hardening import Limits

ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "MPLBACKEND": "agg",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "PYTHONHASHSEED": "0",
}
LAST_WORDS = 0.2
"""Seconds for a process that has closed its channel to be gone."""


class SandboxLost(RuntimeError):
    """The sandbox is broken, through no fault of the learner's: nothing can be said of the code."""


class Tier(StrEnum):
    """What stands between a learner's code and the grader; the best first."""

    FULL = "full"  # bubblewrap, namespaces, Landlock, seccomp and limits
    LANDLOCK = "landlock"  # Landlock, seccomp and limits
    NONE = "none"  # limits only


class Usage(NamedTuple):
    """What a process has used, as the kernel counted it: seconds of CPU, and bytes at its peak."""

    cpu: float
    memory: int | None

    def plus(self, other: "Usage | None") -> "Usage":
        """Of two processes, one after the other."""
        if other is None:
            return self
        peaks = [peak for peak in (self.memory, other.memory) if peak is not None]
        return Usage(self.cpu + other.cpu, max(peaks, default=None))


class Process(Protocol):
    """A running child: its socket, and its end."""

    tier: Tier
    channel: socket.socket
    usage: Usage | None
    """Known after `end`."""

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the learner's code."""

    def end(self) -> str:
        """Kill it, with all that it started, and say how it ended.

        Raises
        ------
        SandboxLost
            What ended was not the learner's code alone.
        """


def python(module: str, *arguments: str) -> list[str]:
    """A command that runs a module of the library, and sees no other package."""
    return [os.path.realpath(sys.executable), "-s", "-P", "-S", "-B", "-m", module, *arguments]


def environment(modules: str, folder: str) -> dict[str, str]:
    """The variables of a learner's process: where its modules are, and its own folder."""
    own = dict.fromkeys(("HOME", "TMPDIR", "IPYTHONDIR", "MPLCONFIGDIR"), folder)
    return {**ENVIRONMENT, **own, "PYTHONPATH": modules}


class Plain:
    """A new process with limits and nothing else, for code that is trusted."""

    tier = Tier.NONE

    def __init__(self, limits: Limits) -> None:
        self.usage: Usage | None = None
        self.channel, theirs = socket.socketpair()
        self._limits, self._folder = limits, tempfile.mkdtemp(prefix="unrolled-run-")
        order = json.dumps({"socket": theirs.fileno(), "limits": limits._asdict()})
        self._process = subprocess.Popen(
            python("autograder.grading.child", order),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env=environment(str(library.folder()), self._folder),
            start_new_session=True,
        )
        theirs.close()

    def interrupt(self) -> None:
        """Send SIGINT."""
        self._process.send_signal(signal.SIGINT)

    def end(self) -> str:
        """Kill its whole session and remove its folder."""
        code = None
        if at_end(self.channel):
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = self._process.wait(LAST_WORDS)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.channel.close()
        shutil.rmtree(self._folder, ignore_errors=True)
        return how(code, self.usage, self._limits)


def at_end(channel: socket.socket) -> bool:
    """Whether the other side has closed its end."""
    channel.setblocking(False)
    try:
        return not channel.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


def how(code: int | None, usage: Usage | None, limits: Limits) -> str:
    """How a process ended, for the learner; None is the code of one that was stopped."""
    if code is None:
        return "it was stopped"
    if code >= 0:
        return f"the process ended itself with exit code {code}"
    if code != -signal.SIGKILL:
        named = [f" ({known.name})" for known in signal.Signals if known == -code]
        return f"the process was killed by signal {-code}{''.join(named)}"
    if usage is not None and usage.cpu >= limits.cpu_seconds - 1:
        return f"the process used up its {limits.cpu_seconds} seconds of computing time"
    return "the process was killed by the system, most likely for want of memory,"
