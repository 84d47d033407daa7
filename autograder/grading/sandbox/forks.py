"""The grader's side of the template process: starting it, and asking it for forks."""

import contextlib
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

from autograder.grading import library
from autograder.grading.process import (
    LAST_WORDS, SandboxLost, Tier, Usage, at_end, environment, how, python,
)  # fmt: skip
from autograder.grading.sandbox import bubblewrap
from autograder.grading.sandbox.hardening import Limits

START, SPAWN, END = 120.0, 30.0, 10.0
"""Seconds after which the sandbox counts as broken; each takes a small part of that."""
NURSERY = "autograder.grading.sandbox.nursery"
READY = b"ready"


class Forks:
    """A template process and its forks.

    Parameters
    ----------
    tier : Tier
        FULL or LANDLOCK.
    errand : str, optional
        "serve" to run submissions; "attempt" to try out the locks, with nothing imported.

    Raises
    ------
    SandboxLost
        It did not start; says why.
    """

    def __init__(self, tier: Tier, errand: str = "serve") -> None:
        self.tier = tier
        self._folder = tempfile.mkdtemp(prefix="unrolled-template-")
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._started = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        with theirs, tempfile.TemporaryFile() as errors:
            command = self._command({"control": theirs.fileno(), "errand": errand})
            # a template dies with the thread that starts it, so that thread lives as long as it does
            keeper = (command, theirs.fileno(), errors.fileno())
            threading.Thread(target=self._keep, args=keeper, daemon=True).start()
            self._started.wait()
            theirs.close()
            self._greet(errors)

    def _command(self, order: dict[str, Any]) -> tuple[list[str], dict[str, str]]:
        """The template's command and environment."""
        modules, readable = library.folder(), [*library.SYSTEM, *library.interpreter()]
        if self.tier is Tier.FULL:
            prefix = bubblewrap.command(readable, modules)
            readable = [bubblewrap.inside(path) for path in readable] + [bubblewrap.LIBRARY]
            order |= {"namespaces": True, "folder": bubblewrap.FOLDER, "readable": readable}
            words = python(NURSERY, json.dumps(order))
            words[0] = bubblewrap.inside(words[0])
            return prefix + words, environment(bubblewrap.LIBRARY, bubblewrap.FOLDER)
        links = [str(path.resolve()) for path in modules.iterdir()]
        readable += [str(modules), *links]
        order |= {"namespaces": False, "folder": self._folder, "readable": readable}
        return python(NURSERY, json.dumps(order)), environment(str(modules), self._folder)

    def _keep(
        self, command: tuple[list[str], dict[str, str]], control: int, errors: int
    ) -> None:
        try:
            self._process = subprocess.Popen(
                command[0],
                env=command[1],
                pass_fds=[control],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                cwd=self._folder,
                start_new_session=True,
            )
        except OSError as error:
            os.write(errors, str(error).encode())
        self._started.set()
        if self._process is not None:
            self._process.wait()

    def _greet(self, errors: Any) -> None:
        """Wait until the template is ready."""
        self._control.settimeout(START)
        said = b""
        with contextlib.suppress(OSError):
            said = self._control.recv(len(READY))
        if said != READY:
            errors.seek(0)
            lines = errors.read().decode(errors="replace").strip().splitlines()
            self.close()
            raise SandboxLost(f"the sandbox did not start: {lines[-1] if lines else 'no reason'}")

    @property
    def alive(self) -> bool:
        """Whether forks can still be had."""
        return self._process is not None and self._process.poll() is None

    def spawn(self, limits: Limits) -> "Fork":
        """Fork, and lock the fork up.

        Raises
        ------
        SandboxLost
            The template has died, or locks failed.
        """
        channel, theirs = socket.socketpair()
        report, reporting = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        order = json.dumps(limits._asdict()).encode()
        try:
            with theirs, reporting:
                files = [theirs.fileno(), reporting.fileno()]
                socket.send_fds(self._control, [order], files)
            return Fork(self.tier, limits, channel, report)
        except OSError as error:
            channel.close()
            report.close()
            raise SandboxLost(f"the template process is gone: {error}") from None

    def close(self) -> None:
        """End the template and all its forks."""
        self._control.close()  # the template ends by itself at that
        if self._process is not None:
            try:
                self._process.wait(END)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> "Forks":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Fork:
    """One fork of the template: the grader holds its channel, and a handle that means no other."""

    def __init__(
        self, tier: Tier, limits: Limits, channel: socket.socket, report: socket.socket
    ) -> None:
        self.tier, self.channel, self.usage = tier, channel, None
        self._limits, self._report = limits, report
        self._report.settimeout(SPAWN)
        said, files, _, _ = socket.recv_fds(report, 1 << 12, 1, socket.MSG_CMSG_CLOEXEC)
        if said != READY:
            raise SandboxLost(f"a fork could not be locked up: {_failure(said)}")
        self._handle = files[0]

    usage: Usage | None

    def interrupt(self) -> None:
        """Send SIGINT."""
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGINT)

    def end(self) -> str:
        """Kill it, and read the waiter's report on how it ended and what it used."""
        ended = at_end(self.channel) and select.select([self._handle], [], [], LAST_WORDS)[0]
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._handle, signal.SIGKILL)
        os.close(self._handle)
        self.channel.close()
        report = self._read()
        self.usage = Usage(report["cpu"], report["memory"])
        return how(report["code"] if ended else None, self.usage, self._limits)

    def _read(self) -> dict[str, Any]:
        self._report.settimeout(END)
        try:
            said = self._report.recv(1 << 12)
        except OSError as error:
            said = json.dumps({"failed": str(error)}).encode()
        finally:
            self._report.close()
        report: dict[str, Any] = json.loads(said) if said else {}
        if "code" not in report:
            raise SandboxLost(f"the sandbox ended while a submission ran: {_failure(said)}")
        return report


def _failure(said: bytes) -> str:
    """What a report says that reports a failure."""
    return json.loads(said).get("failed", "no reason") if said else "its process was killed"
