"""Locking a process up, for good, just before it runs a learner's code."""

import os
import resource
from collections.abc import Sequence
from typing import NamedTuple

from autograder.grading.sandbox import landlock, seccomp, syscalls

MEBIBYTE = 1 << 20


class Limits(NamedTuple):
    """What one submission may use.

    `memory` is address space, and since no process can be started it holds for the whole
    submission; `disk` is its own /tmp, in memory too.
    """

    memory: int = 2048 * MEBIBYTE
    cpu_seconds: int = 120
    disk: int = 64 * MEBIBYTE
    threads: int = 64
    files: int = 128


def own_world(disk: int) -> None:
    """A fresh, small /tmp and a /proc of this process's own namespace.

    Call it as the first process of new user, mount and pid namespaces.
    """
    no_tricks = syscalls.NO_SUID | syscalls.NO_DEVICES
    syscalls.make_mounts_private()
    options = f"size={disk},nr_inodes=4096,mode=700"
    syscalls.mount("tmpfs", "/tmp", no_tricks | syscalls.NO_EXEC, options)
    try:
        syscalls.mount("proc", "/proc", no_tricks | syscalls.NO_EXEC)
    except OSError:  # a container may forbid it: then there is no /proc at all
        syscalls.mount("tmpfs", "/proc", no_tricks | syscalls.READ_ONLY, "size=4k,nr_inodes=8")
    syscalls.drop_capabilities()


def lock(limits: Limits, readable: Sequence[str], writable: str | None, alone: bool) -> int:
    """Give up every right that a notebook has no use for.

    Parameters
    ----------
    limits : Limits
    readable : sequence of str
        Folders that may be read.
    writable : str or None
        The one folder that may be written.
    alone : bool
        Whether a pid namespace hides all other processes.

    Returns
    -------
    int
        The Landlock ABI in force; 0 means none.
    """
    limit(limits)
    if alone:  # elsewhere it would count the user's other processes too
        _cap(resource.RLIMIT_NPROC, limits.threads)
    rules = [(path, landlock.READING) for path in readable]
    rules += [("/dev/null", landlock.READ | landlock.WRITE), ("/dev/urandom", landlock.READ)]
    if writable is not None:
        rules.append((writable, landlock.WRITING))
    version = landlock.restrict(rules)
    seccomp.install(signals_only_to=None if alone else os.getpid())
    return version


def limit(limits: Limits) -> None:
    """Cap what this process may use of the machine."""
    caps = {
        resource.RLIMIT_AS: limits.memory,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_FSIZE: limits.disk,
        resource.RLIMIT_NOFILE: limits.files,
        resource.RLIMIT_CORE: 0,
    }
    for kind, value in caps.items():
        _cap(kind, value)


def _cap(kind: int, value: int) -> None:
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))
