"""The few system calls that Python has no function for, by ctypes; Linux on x86_64 and aarch64."""

import ctypes
import os
import platform
from typing import Any

_libc: Any = ctypes.CDLL(None, use_errno=True) if os.name == "posix" else None

# <sys/prctl.h>
SET_DUMPABLE, SET_SECCOMP, SET_NO_NEW_PRIVILEGES = 4, 22, 38


def supported() -> bool:
    """Whether the numbers in this package are this machine's."""
    return platform.system() == "Linux" and platform.machine() in ("x86_64", "aarch64")


def checked(result: int, what: str) -> int:
    """The result of a call, or an OSError that names it."""
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def call(what: str, number: int, *arguments: object) -> int:
    """A system call by its number."""
    return checked(_libc.syscall(ctypes.c_long(number), *arguments), what)


def call_libc(name: str, *arguments: object) -> int:
    """A system call by libc's function."""
    function = _libc[name]
    function.restype = ctypes.c_int
    return checked(function(*arguments), name)


def prctl(what: str, option: int, *arguments: int | ctypes.c_void_p) -> None:
    """``prctl`` with its arguments filled up by zeros."""
    wide = [a if isinstance(a, ctypes.c_void_p) else ctypes.c_ulong(a) for a in arguments]
    wide += [ctypes.c_ulong(0)] * (4 - len(wide))
    checked(_libc.prctl(option, *wide), what)


def no_new_privileges() -> None:
    """Let nothing that is executed gain rights; Landlock and seccomp want it."""
    prctl("no new privileges", SET_NO_NEW_PRIVILEGES, 1)
