"""Landlock: the kernel refuses every path that is not listed (Linux 5.13 and later).

Own code, since the packages that bind it cover files only, while TCP (ABI 4), abstract sockets
and signals (ABI 6) are refused here too.
"""

import ctypes
import os
import struct
from collections.abc import Iterable

from autograder.grading.sandbox.syscalls import call, no_new_privileges

CREATE, ADD_RULE, RESTRICT = 444, 445, 446
VERSION, PATH_BENEATH = 1, 1

(
    EXECUTE, WRITE, READ, READ_FOLDER, REMOVE_FOLDER, REMOVE_FILE, MAKE_CHAR, MAKE_FOLDER,
    MAKE_FILE, MAKE_SOCKET, MAKE_FIFO, MAKE_BLOCK, MAKE_LINK, REFER, TRUNCATE, IOCTL,
) = (1 << bit for bit in range(16))  # fmt: skip

ON_FILES = EXECUTE | WRITE | READ | TRUNCATE | IOCTL
READING = READ | READ_FOLDER
MEETING = READING | MAKE_SOCKET | REMOVE_FILE
WRITING = READING | WRITE | REMOVE_FOLDER | REMOVE_FILE | MAKE_FOLDER | MAKE_FILE | TRUNCATE

RIGHTS_BY_ABI = (0, 13, 14, 15, 15, 16)  # how many of the bits above an ABI knows
TCP_ABI, SCOPE_ABI = 4, 6
BIND_AND_CONNECT, SOCKETS_AND_SIGNALS = 3, 3


def abi() -> int:
    """The Landlock version of this kernel; 0 where there is none."""
    try:
        return call("ask for Landlock", CREATE, None, ctypes.c_size_t(0), ctypes.c_uint(VERSION))
    except OSError:
        return 0


def restrict(rules: Iterable[tuple[str, int]]) -> int:
    """Refuse this process, for ever, all paths but these.

    Parameters
    ----------
    rules : iterable of (path, rights)
        Rights hold for the path and all below it. A path that does not exist is passed over.

    Returns
    -------
    int
        The ABI used; 0 means that nothing was refused, for want of Landlock.
    """
    version = abi()
    if not version:
        return 0
    handled = (1 << RIGHTS_BY_ABI[min(version, len(RIGHTS_BY_ABI) - 1)]) - 1
    attributes = struct.pack("<Q", handled)
    if version >= TCP_ABI:
        attributes += struct.pack("<Q", BIND_AND_CONNECT)
    if version >= SCOPE_ABI:
        attributes += struct.pack("<Q", SOCKETS_AND_SIGNALS)
    size = ctypes.c_size_t(len(attributes))
    ruleset = call("landlock_create_ruleset", CREATE, attributes, size, ctypes.c_uint(0))
    try:
        for path, rights in rules:
            _allow(ruleset, path, rights & handled)
        no_new_privileges()
        call("landlock_restrict_self", RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint(0))
    finally:
        os.close(ruleset)
    return version


def _allow(ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):
            rights &= ON_FILES
        rule = struct.pack("<Qi", rights, place)
        call(
            f"landlock_add_rule {path}",
            ADD_RULE,
            ctypes.c_int(ruleset),
            ctypes.c_int(PATH_BENEATH),
            rule,
            ctypes.c_uint(0),
        )
    finally:
        os.close(place)
