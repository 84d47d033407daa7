"""Locking a process up, for good, just before it runs a learner's code."""

import os
import sys
from collections.abc import Sequence
from typing import NamedTuple

from autograder.grading.sandbox import landlock, seccomp, syscalls

if sys.platform != "win32":  # where `unrolled doctor` gives advice, and nothing else works
    import resource

MEBIBYTE = 1 << 20
SIGNALS = 64  # that wait, with timers: all processes of a user have one store of them


class Limits(NamedTuple):
    """What one submission may use.

    `memory` is address space; since no process can be started, it holds for the whole submission.
    So does `cpu_seconds`. `folder` is the size of its own folder, which counts as memory too.
    """

    memory: int = 2048 * MEBIBYTE
    cpu_seconds: int = 240
    file_size: int = 64 * MEBIBYTE
    files: int = 128
    folder: int = 64 * MEBIBYTE


def lock(
    limits: Limits, readable: Sequence[str], writable: str | None, sockets: str | None = None
) -> None:
    """Give up every right that a notebook has no use for.

    No file but these, no network, no new process, no signal to another; and where it crashes, the
    system's own handler, which the limit of cores does not stop, is not told.

    Parameters
    ----------
    limits : Limits
    readable : sequence of str
        Folders and files that may be read.
    writable : str or None
        The one folder that may be written, if any.
    sockets : str, optional
        The one folder in which sockets may be made, and nothing else; then the process may also
        make sockets that lead nowhere, as ipykernel must. By default it may make none.

    Raises
    ------
    OSError
        The kernel cannot do it; then nothing of a learner's may be run.
    """
    limit(limits)
    rules = [(path, landlock.READING) for path in readable]
    rules += [("/dev/null", landlock.READ | landlock.WRITE), ("/dev/urandom", landlock.READ)]
    if writable is not None:
        rules.append((writable, landlock.WRITING))
    if sockets is not None:
        rules.append((sockets, landlock.MEETING))
    landlock.restrict(rules)
    syscalls.prctl("leave no core", syscalls.SET_DUMPABLE, 0)
    seccomp.install(signals_only_to=os.getpid(), sockets=sockets is not None)


def available() -> bool:
    """Whether this machine can lock a process up, or only limit it."""
    return syscalls.supported() and landlock.abi() > 0


def limit(limits: Limits) -> None:
    """Set the limits alone."""
    caps = {
        resource.RLIMIT_AS: limits.memory,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_FSIZE: limits.file_size,
        resource.RLIMIT_NOFILE: limits.files,
        resource.RLIMIT_CORE: 0,
    }
    if sys.platform == "linux":
        caps[resource.RLIMIT_SIGPENDING] = SIGNALS
    if sys.platform == "darwin":
        del caps[resource.RLIMIT_AS]  # macOS refuses to set it
    for kind, value in caps.items():
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
