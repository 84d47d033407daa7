"""seccomp: the kernel refuses system calls that a notebook has no business with.

A deny-list, since new versions of NumPy and libc bring new calls. No new process, thread or
program, no socket, no namespace, mount, tracing, key, kernel module, and no new limits. Only a
Jupyter kernel may start threads: they count as processes, and a machine soon has no more of them.
Own code, since the binding on PyPI needs a system library that is often missing.
"""

import ctypes
import errno
import platform
import struct

from autograder.grading.sandbox.syscalls import SET_SECCOMP, no_new_privileges, prctl

ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
LOAD, AND, JUMP_EQUAL, JUMP_AT_LEAST, JUMP_ANY_BIT, RETURN = 0x20, 0x54, 0x15, 0x35, 0x45, 0x06
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
    "seccomp": (317, 277), "sync": (162, 81), "syncfs": (306, 267),
    "pidfd_open": (434, 434), "statmount": (457, 457), "listmount": (458, 458),
    # memory that no limit of a process counts, and that outlives it; and that of others
    "memfd_create": (319, 279), "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195),
    "msgget": (68, 186), "msgsnd": (69, 189), "msgrcv": (70, 188), "msgctl": (71, 187),
    "semget": (64, 190), "semop": (65, 193), "semtimedop": (220, 192), "semctl": (66, 191),
    "mq_open": (240, 180), "mq_unlink": (241, 181),
    # what Landlock leaves free on every path: rights, owners, times and attributes of files, and
    # being told what others do with them; and, before Linux 6.2, cutting them off
    "chmod": (90, None), "fchmod": (91, 52), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "chown": (92, None), "lchown": (94, None), "fchown": (93, 55), "fchownat": (260, 54),
    "utime": (132, None), "utimes": (235, None), "futimesat": (261, None), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "setxattrat": (463, 463),
    "removexattr": (197, 14), "lremovexattr": (198, 15), "fremovexattr": (199, 16),
    "removexattrat": (466, 466), "file_setattr": (469, 469),
    "getxattr": (191, 8), "lgetxattr": (192, 9), "fgetxattr": (193, 10), "getxattrat": (464, 464),
    "listxattr": (194, 11), "llistxattr": (195, 12), "flistxattr": (196, 13),
    "listxattrat": (465, 465),
    "inotify_init": (253, None), "inotify_init1": (294, 26), "fanotify_init": (300, 262),
    "truncate": (76, 45),
    # who comes first
    "setpriority": (141, 140), "sched_setparam": (142, 118), "sched_setscheduler": (144, 119),
    "sched_setaffinity": (203, 122), "sched_setattr": (314, 274), "ioprio_set": (251, 30),
}  # fmt: skip
OF_KERNELS = ("socket", "socketpair", "sched_setscheduler", "chmod", "fchmodat")
"""What a Jupyter kernel cannot do without: libzmq aborts, and IPython makes itself a profile."""
CLONE, PRLIMIT = (56, 220), (302, 261)
UNSEEN = ((435, 435), (437, 437))
"""clone3 and openat2, whose flags cannot be seen; libc then uses others, whose flags can."""
SIGNALS_BY_PID = ((62, 129), (234, 131))  # kill, tgkill
OTHER_SIGNALS = ((200, 130), (424, 424), (129, 138), (297, 240))  # tkill, pidfd, rt_*sigqueueinfo
CLONE_THREAD = 0x10000
# Second ways to a signal: a file's owner is sent one when the file is ready. Leases and notices on
# files, which their writers wait for, or are betrayed by. And whoever dies with its parent, and
# leaves no core, must go on doing so. A filter of one's own could fill the system's log.
REFUSED_ARGUMENTS = (
    # fcntl: F_SETOWN, F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY
    ((72, 25), SECOND, (8, 10, 15, 1024, 1026)),
    ((16, 29), SECOND, (0x8901, 0x8902)),  # ioctl: FIOSETOWN, SIOCSPGRP
    ((157, 167), FIRST, (1, 4, 22)),  # prctl: PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP
)
# Opening for reading alone, and cutting off: before Linux 6.2 Landlock takes it for reading.
OPENING = (((2, None), SECOND), ((257, 56), THIRD))  # open, openat
ACCESS_AND_CUT, READ_AND_CUT = 0x203, 0x200  # O_ACCMODE | O_TRUNC, O_RDONLY | O_TRUNC


def program(signals_only_to: int | None = None, sockets: bool = False) -> bytes:
    """The filter, as classic BPF.

    Parameters
    ----------
    signals_only_to : int, optional
        The one process that signals may be sent to, where no namespace hides the others.
    sockets : bool, optional
        Allow them and what else a kernel needs, where namespaces make it harmless.
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
    for pair in UNSEEN:
        lines += _refuse(pair[column], errno.ENOSYS)
    if sockets:
        lines += _unless(CLONE[column], FIRST, JUMP_ANY_BIT, CLONE_THREAD)
    else:
        lines += _refuse(CLONE[column], errno.EPERM)
    if signals_only_to is not None:
        for pair in SIGNALS_BY_PID:
            lines += _unless(pair[column], FIRST, JUMP_EQUAL, signals_only_to)
        for pair in OTHER_SIGNALS:
            lines += _refuse(pair[column], errno.EPERM)
    for pair, argument, values in REFUSED_ARGUMENTS:
        lines += _refuse_if(pair[column], argument, values)
    for pair, argument in OPENING:
        lines += _no_cutting(pair[column], argument)
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


def _no_cutting(number: int | None, flags: int) -> list[tuple[int, int, int, int]]:
    """A file that is only to be read is not cut off as it is opened."""
    if number is None:
        return []
    return [
        (JUMP_EQUAL, 0, 5, number),
        (LOAD, 0, 0, flags),
        (AND, 0, 0, ACCESS_AND_CUT),
        (JUMP_EQUAL, 0, 1, READ_AND_CUT),
        (RETURN, 0, 0, ERROR | errno.EPERM),
        (RETURN, 0, 0, ALLOW),
    ]


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
