"""Starting the process that runs a learner's code, and ending it. Later tiers replace `Plain`."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from typing import Protocol

from autograder.grading import library
from autograder.grading.sandbox.hardening import Limits, available

ENVIRONMENT = {
    "LANG": "C.UTF-8",
    "MPLBACKEND": "agg",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "PATH": "/usr/bin:/bin",
    "PYTHONDONTWRITEBYTECODE": "1",
}
START = "import sys; sys.path[1:1] = sys.argv.pop(1).split('\\n'); " + (
    "from autograder.grading.child import main; main()"
)


class Process(Protocol):
    """A running child: its socket, and its end."""

    channel: socket.socket

    def interrupt(self) -> None:
        """Raise KeyboardInterrupt in the learner's code."""

    def end(self) -> str:
        """Kill it, with all that it started, and say how it ended."""


SYSTEM = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/etc/localtime")


class Plain:
    """A child process of its own session, in an empty folder, without the answers on its path.

    Where the kernel can, it locks itself up before it runs anything of a learner's: it reads
    Python and the library only, and has no network and no other process.
    """

    tier = (
        "child process with Landlock, seccomp and limits" if available()
        else "child process with limits only"
    )  # fmt: skip

    def __init__(self, limits: Limits) -> None:
        self.channel, theirs = socket.socketpair()
        self._folder = tempfile.mkdtemp(prefix="unrolled-run-")
        path = [str(library.folder()), sysconfig.get_path("purelib")]
        order = {
            "socket": theirs.fileno(),
            "limits": limits._asdict(),
            "readable": [*SYSTEM, sys.base_prefix, *path],
        }
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", START, "\n".join(path), json.dumps(order)],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            env={**ENVIRONMENT, **dict.fromkeys(("HOME", "TMPDIR", "IPYTHONDIR"), self._folder)},
            start_new_session=True,
        )
        theirs.close()

    def interrupt(self) -> None:
        """Send SIGINT."""
        self._process.send_signal(signal.SIGINT)

    def end(self) -> str:
        """Kill its whole session and remove its folder."""
        self.channel.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(0.05)  # it may have ended by itself; then its code says how
        code = self._process.poll()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
        return _how(code)


def _how(code: int | None) -> str:
    if code is None:
        return "it was stopped"
    if code < 0:
        return f"the process was killed by signal {-code} ({signal.Signals(-code).name})"
    return f"the process ended itself with exit code {code}"
