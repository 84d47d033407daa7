"""Namespaces: a process sees no file, process or network but its own (Linux, no rights needed).

`enter` is for a process with one thread; its next child is the first process of the new world,
which `furnish` arranges. Own code, since a program such as unshare cannot do it to a fork.
"""

import ctypes
import os
import signal

from autograder.grading.sandbox.syscalls import call_libc, prctl

# <sched.h>
NEW_MOUNTS, NEW_NAMES, NEW_IPC, NEW_USER, NEW_PIDS, NEW_NETWORK = (
    0x00020000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000,
)  # fmt: skip
EVERYTHING = NEW_MOUNTS | NEW_NAMES | NEW_IPC | NEW_USER | NEW_PIDS | NEW_NETWORK
# <sys/mount.h>
READ_ONLY, NO_SETUID, NO_DEVICES, NO_PROGRAMS, RECURSIVE, PRIVATE = 1, 2, 4, 8, 1 << 14, 1 << 18
BARE = NO_SETUID | NO_DEVICES | NO_PROGRAMS
# <linux/capability.h>
CAPABILITIES_3 = 0x20080522
PARENT_DEATH_SIGNAL = 1  # <sys/prctl.h>


def enter() -> None:
    """Leave all namespaces for new ones; the user keeps his number and has no other."""
    user, group = os.getuid(), os.getgid()
    call_libc("unshare", ctypes.c_int(EVERYTHING))
    maps = {"setgroups": "deny", "uid_map": f"{user} {user} 1", "gid_map": f"{group} {group} 1"}
    for name, text in maps.items():
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def furnish(folder: str, size: int) -> None:
    """Lay an empty folder of bounded size over a place, hide /proc, and give up all rights.

    Parameters
    ----------
    folder : str
    size : int
        Bytes.
    """
    _mount(None, "/", None, RECURSIVE | PRIVATE)
    _mount("tmpfs", folder, "tmpfs", BARE, f"size={size},nr_inodes=4096,mode=700")
    _mount("tmpfs", "/proc", "tmpfs", BARE | READ_ONLY, "size=4096,nr_inodes=2")
    give_up_rights()


def give_up_rights() -> None:
    """Have none of what root may and others may not: setting clocks, names, priorities."""
    header = ctypes.create_string_buffer(CAPABILITIES_3.to_bytes(4, "little") + bytes(4), 8)
    call_libc("capset", header, ctypes.create_string_buffer(24))


def _mount(source: str | None, place: str, kind: str | None, flags: int, data: str = "") -> None:
    texts = [text.encode() if text is not None else None for text in (source, place, kind)]
    call_libc("mount", *texts, ctypes.c_ulong(flags), data.encode())


def die_with_parent() -> None:
    """Be killed when the parent ends. New rights undo it: call it after `enter` and `furnish`."""
    prctl("die with the parent", PARENT_DEATH_SIGNAL, signal.SIGKILL)
