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
from typing import IO, Any

from autograder.grading import library
from autograder.grading.process import (
    LAST_WORDS,
    SandboxLost,
    Tier,
    Usage,
    at_end,
    environment,
    how,
    python,
)
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
        self.tier, self._lost = tier, False
        self._folder = tempfile.mkdtemp(prefix="unrolled-template-")
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with tempfile.TemporaryFile() as errors:
            with theirs:
                command = self._command({"control": theirs.fileno(), "errand": errand})
                self._launch(*command, theirs.fileno(), errors)
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

    def _launch(
        self, words: list[str], variables: dict[str, str], control: int, errors: IO[bytes]
    ) -> None:
        """Start the template from a thread that lasts as long: it dies with its thread."""
        started = threading.Event()

        def keep() -> None:
            try:
                process = subprocess.Popen(
                    words,
                    env=variables,
                    pass_fds=[control],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    cwd=self._folder,
                    start_new_session=True,
                )
            except OSError as error:
                errors.write(str(error).encode())
                return
            finally:
                started.set()
            process.wait()

        self._keeper = threading.Thread(target=keep, name="template", daemon=True)
        self._keeper.start()
        started.wait()

    def _greet(self, errors: IO[bytes]) -> None:
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
        return self._keeper.is_alive() and not self._lost

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
        report.settimeout(SPAWN)
        try:
            with theirs, reporting:
                files = [theirs.fileno(), reporting.fileno()]
                socket.send_fds(self._control, [order], files)
            said, files, _, _ = socket.recv_fds(report, 1 << 12, 1, socket.MSG_CMSG_CLOEXEC)
            if said != READY:
                raise SandboxLost(f"a fork could not be locked up: {_failure(said)}")
        except (OSError, SandboxLost) as error:
            self._lost = True  # which its keeper may learn a moment later
            channel.close()
            report.close()
            raise SandboxLost(f"the sandbox is lost: {error}") from None
        return Fork(self.tier, limits, channel, report, files[0])

    def close(self) -> None:
        """End the template and all its forks."""
        self._control.close()  # at that the template ends by itself, and all else with it
        self._keeper.join(END)
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> "Forks":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class Fork:
    """One fork of the template: the grader holds its channel, and a handle that means no other."""

    usage: Usage | None = None

    def __init__(
        self, tier: Tier, limits: Limits, channel: socket.socket, report: socket.socket, handle: int
    ) -> None:
        self.tier, self.channel = tier, channel
        self._limits, self._report, self._handle = limits, report, handle

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
