"""seccomp: the kernel refuses system calls that a notebook has no business with.

A deny-list, since new versions of NumPy and libc bring new calls. No new process or program, no
socket, no namespace, mount, tracing, key, kernel module, and no new limits. Threads are allowed.
Own code, since the binding on PyPI needs a system library that is often missing.
"""

import ctypes
import errno
import platform
import struct

from autograder.grading.sandbox.syscalls import SET_SECCOMP, no_new_privileges, prctl

ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, FIRST, SECOND, THIRD = 0, 4, 16, 24, 32  # offsets in struct seccomp_data
FILTER_MODE = 2
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
X32 = 0x40000000

# name: number on (x86_64, aarch64); None where there is no such call
DENIED: dict[str, tuple[int | None, int | None]] = {
    "fork": (57, None), "vfork": (58, None), "execve": (59, 221), "execveat": (322, 281),
    "socket": (41, 198), "socketpair": (53, 199),
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "kcmp": (312, 272), "pidfd_getfd": (438, 438), "perf_event_open": (298, 241),
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51),
    "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433),
    "mount_setattr": (442, 442), "open_by_handle_at": (304, 265), "quotactl": (179, 60),
    "unshare": (272, 97), "setns": (308, 268), "bpf": (321, 280), "userfaultfd": (323, 282),
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218),
    "io_uring_setup": (425, 425), "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "reboot": (169, 142),
    "swapon": (167, 224), "swapoff": (168, 225), "syslog": (103, 116), "acct": (163, 89),
    "personality": (135, 92), "setrlimit": (160, 164), "memfd_secret": (447, 447),
    "vmsplice": (278, 75), "setpgid": (109, 154), "setsid": (112, 157),
    # memory that no limit of a process counts, and that outlives it
    "memfd_create": (319, 279), "shmget": (29, 194), "msgget": (68, 186), "semget": (64, 190),
    "mq_open": (240, 180),
    # who comes first
    "setpriority": (141, 140), "sched_setparam": (142, 118), "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122), "sched_setattr": (314, 274), "ioprio_set": (251, 30),
}  # fmt: skip
OF_KERNELS = ("socket", "socketpair", "sched_setscheduler")
"""What a Jupyter kernel's libzmq cannot do without: it aborts where it is refused."""
CLONE, CLONE3, PRLIMIT = (56, 220), (435, 435), (302, 261)
SIGNALS_BY_PID = ((62, 129), (234, 131))  # kill, tgkill
OTHER_SIGNALS = ((200, 130), (424, 424), (129, 138), (297, 240))  # tkill, pidfd, rt_*sigqueueinfo
CLONE_THREAD = 0x10000
# Second ways to a signal: a file's owner is sent one when the file is ready. And whoever dies with
# its parent must go on doing so.
REFUSED_ARGUMENTS = (
    ((72, 25), SECOND, (8, 10, 15)),  # fcntl: F_SETOWN, F_SETSIG, F_SETOWN_EX
    ((16, 29), SECOND, (0x8901, 0x8902)),  # ioctl: FIOSETOWN, SIOCSPGRP
    ((157, 167), FIRST, (1,)),  # prctl: PR_SET_PDEATHSIG
)


def program(signals_only_to: int | None = None, sockets: bool = False) -> bytes:
    """The filter, as classic BPF.

    Parameters
    ----------
    signals_only_to : int, optional
        The one process that signals may be sent to, where no namespace hides the others.
    sockets : bool, optional
        Allow them, where a namespace makes them harmless.
    """
    machine = platform.machine()
    column = ("x86_64", "aarch64").index(machine)
    lines: list[tuple[int, int, int, int]] = [
        (LOAD, 0, 0, ARCHITECTURE),
        (JUMP_EQUAL, 1, 0, AUDIT[machine]),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
    ]
    if machine == "x86_64":
        lines += [(JUMP_AT_LEAST, 0, 1, X32), (RETURN, 0, 0, ERROR | errno.ENOSYS)]
    for name, pair in DENIED.items():
        if sockets and name in OF_KERNELS:
            continue
        lines += _refuse(pair[column], errno.EPERM)
    lines += _refuse(CLONE3[column], errno.ENOSYS)  # libc then uses clone, whose flags can be seen
    lines += _unless(CLONE[column], FIRST, JUMP_ANY_BIT, CLONE_THREAD)
    if signals_only_to is not None:
        for pair in SIGNALS_BY_PID:
            lines += _unless(pair[column], FIRST, JUMP_EQUAL, signals_only_to)
        for pair in OTHER_SIGNALS:
            lines += _refuse(pair[column], errno.EPERM)
    for pair, argument, values in REFUSED_ARGUMENTS:
        lines += _refuse_if(pair[column], argument, values)
    lines += _no_new_limits(PRLIMIT[column])
    lines.append((RETURN, 0, 0, ALLOW))
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def _refuse(number: int | None, error: int) -> list[tuple[int, int, int, int]]:
    if number is None:
        return []
    return [(JUMP_EQUAL, 0, 1, number), (RETURN, 0, 0, ERROR | error)]


def _unless(number: int, argument: int, test: int, value: int) -> list[tuple[int, int, int, int]]:
    """Refuse a call unless the low word of an argument passes a test."""
    return [
        (JUMP_EQUAL, 0, 4, number),
        (LOAD, 0, 0, argument),
        (test, 1, 0, value),
        (RETURN, 0, 0, ERROR | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]


def _refuse_if(
    number: int, argument: int, values: tuple[int, ...]
) -> list[tuple[int, int, int, int]]:
    """Refuse a call where the low word of an argument is one of these."""
    body = [(LOAD, 0, 0, argument)]
    for value in values:
        body += [(JUMP_EQUAL, 0, 1, value), (RETURN, 0, 0, ERROR | errno.EPERM)]
    body.append((RETURN, 0, 0, ALLOW))
    return [(JUMP_EQUAL, 0, len(body), number), *body]


def _no_new_limits(number: int) -> list[tuple[int, int, int, int]]:
    """prlimit may read limits (its third argument is NULL), and set none."""
    return [
        (JUMP_EQUAL, 0, 6, number),
        (LOAD, 0, 0, THIRD),
        (JUMP_EQUAL, 0, 2, 0),
        (LOAD, 0, 0, THIRD + 4),
        (JUMP_EQUAL, 1, 0, 0),
        (RETURN, 0, 0, ERROR | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def install(signals_only_to: int | None = None, sockets: bool = False) -> None:
    """Apply the filter to this process, for ever."""
    code = program(signals_only_to, sockets)
    buffer = ctypes.create_string_buffer(code, len(code))
    filled = _Program(len(code) // 8, ctypes.cast(buffer, ctypes.c_void_p))
    no_new_privileges()
    address = ctypes.cast(ctypes.byref(filled), ctypes.c_void_p)
    prctl("install the seccomp filter", SET_SECCOMP, FILTER_MODE, address)
