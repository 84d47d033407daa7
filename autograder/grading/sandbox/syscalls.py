"""The few system calls that Python has no function for, by ctypes; Linux on x86_64 and aarch64."""

import ctypes
import os
import platform

_libc = ctypes.CDLL(None, use_errno=True)

# <sched.h>
NEW_MOUNTS, NEW_UTS, NEW_IPC, NEW_USER = 0x20000, 0x4000000, 0x8000000, 0x10000000
NEW_PIDS, NEW_NET = 0x20000000, 0x40000000
NEW_EVERYTHING = NEW_MOUNTS | NEW_UTS | NEW_IPC | NEW_USER | NEW_PIDS | NEW_NET

# <sys/mount.h>
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC, RECURSIVE, PRIVATE = 1, 2, 4, 8, 16384, 1 << 18

# <sys/prctl.h>
SET_DEATH_SIGNAL, SET_DUMPABLE, SET_SECCOMP, DROP_BOUND = 1, 4, 22, 24
SET_NO_NEW_PRIVILEGES, AMBIENT, AMBIENT_CLEAR = 38, 47, 4
CAPABILITY_VERSION_3, LAST_CAPABILITY = 0x20080522, 40  # CAP_CHECKPOINT_RESTORE, since 5.9


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


def prctl(what: str, option: int, *arguments: int | ctypes.c_void_p) -> None:
    """``prctl`` with its arguments filled up by zeros."""
    wide = [a if isinstance(a, ctypes.c_void_p) else ctypes.c_ulong(a) for a in arguments]
    wide += [ctypes.c_ulong(0)] * (4 - len(wide))
    checked(_libc.prctl(option, *wide), what)


def unshare(flags: int) -> None:
    """Leave namespaces for new ones. The caller must have one thread."""
    checked(_libc.unshare(flags), "unshare")


def map_ids(uid: int, gid: int) -> None:
    """Be the same user and group in a new user namespace, and nobody else."""
    for name, line in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(line)


def mount(kind: str, target: str, flags: int, options: str = "") -> None:
    """Mount a file system that has no device, such as a tmpfs."""
    texts = [text.encode() for text in (kind, target, kind)]
    result = _libc.mount(*texts, ctypes.c_ulong(flags), options.encode() or None)
    checked(result, f"mount {kind} on {target}")


def make_mounts_private() -> None:
    """Let no mount of ours reach the parent namespace."""
    flags = ctypes.c_ulong(RECURSIVE | PRIVATE)
    checked(_libc.mount(None, b"/", None, flags, None), "make mounts private")


def drop_capabilities() -> None:
    """Give up every capability, for this process and all that it may start."""
    prctl("clear ambient capabilities", AMBIENT, AMBIENT_CLEAR)
    for capability in range(LAST_CAPABILITY + 1):
        prctl("drop a capability", DROP_BOUND, capability)
    head = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()
    checked(_libc.capset(ctypes.byref(head), ctypes.byref(sets)), "capset")


def die_with_parent(signal: int = 9) -> None:
    """Be killed when the thread that forked this process ends."""
    prctl("set the death signal", SET_DEATH_SIGNAL, signal)


def no_new_privileges() -> None:
    """Let nothing that is executed gain rights; Landlock and seccomp want it."""
    prctl("no new privileges", SET_NO_NEW_PRIVILEGES, 1)
