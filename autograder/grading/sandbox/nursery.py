"""The template process: it imports everything once, and each submission is a locked-up fork of it.

    grader -> template -> waiter (enters namespaces, waits, reports) -> child (locks itself up)

The template and the waiters obey the grader only, and never read what a child says. The template
ends when the grader does, and everything below ends with it.
"""

import gc
import json
import os
import random
import signal
import socket
import sys
import threading
from typing import Any, NoReturn

from autograder.grading.sandbox import namespaces
from autograder.grading.sandbox.hardening import Limits, lock

READY = b"ready"
HIGHEST = 1 << 10  # descriptors of the template; it has a handful


def main() -> None:
    """Fork on demand, as the first argument says (JSON)."""
    order = json.loads(sys.argv[1])
    namespaces.die_with_parent()
    control = socket.socket(fileno=order["control"])
    if order["errand"] == "serve":
        _warm()
    os.dup2(0, 2)  # nothing more to say: the grader has read this process's errors until here
    control.send(READY)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # waiters leave no zombies
    while True:
        message, files, _, _ = socket.recv_fds(control, 1 << 12, 2)
        if not message:
            os._exit(0)
        _fork(order, Limits(**json.loads(message)), *files)
        for file in files:
            os.close(file)


def _warm() -> None:
    from autograder.grading import child

    child.warm()
    if threading.active_count() > 1:
        raise RuntimeError(f"the template has threads: {threading.enumerate()}")
    gc.collect()
    gc.freeze()  # a child's collections then leave the shared memory alone


def _fork(order: dict[str, Any], limits: Limits, channel: int, report: int) -> None:
    """Start a waiter and its child; what goes wrong is told through the report."""
    try:
        if os.fork() == 0:
            _wait(order, limits, channel, report)
    except OSError as error:
        _tell(report, failed=str(error))


def _tell(report: int, **said: Any) -> None:
    os.write(report, json.dumps(said).encode())


def _wait(order: dict[str, Any], limits: Limits, channel: int, report: int) -> NoReturn:
    """The waiter: start the child, wait for its end, and report what it used."""
    try:
        os.close(order["control"])
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        if order["namespaces"]:
            namespaces.enter()
        namespaces.die_with_parent()
        if (child := os.fork()) == 0:
            _live(order, limits, channel, report)
        os.close(channel)
        _, status, used = os.wait4(child, 0)
        _tell(
            report,
            code=os.waitstatus_to_exitcode(status),
            cpu=used.ru_utime + used.ru_stime,
            memory=used.ru_maxrss * 1024,
        )
    except BaseException as error:
        _tell(report, failed=repr(error))
    finally:
        os._exit(0)


def _live(order: dict[str, Any], limits: Limits, channel: int, report: int) -> NoReturn:
    """The child: lock up, hand the grader a handle on this process, and serve it."""
    try:
        handle = os.pidfd_open(os.getpid())
        _lock_up(order, limits)
        with socket.socket(fileno=os.dup(report)) as line:
            socket.send_fds(line, [READY], [handle])
        os.closerange(3, channel)
        os.closerange(channel + 1, HIGHEST)
    except BaseException as error:
        _tell(report, failed=repr(error))
        os._exit(1)
    try:
        _serve(order["errand"], socket.socket(fileno=channel))
    finally:
        os._exit(0)


def _lock_up(order: dict[str, Any], limits: Limits) -> None:
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")  # where memory runs out, this process goes first
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if order["namespaces"]:
        namespaces.furnish(order["folder"], limits.folder)
        os.chdir(order["folder"])
    else:
        namespaces.give_up_rights()
    namespaces.die_with_parent()
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)  # every learner's process begins alike
    lock(limits, order["readable"], order["folder"] if order["namespaces"] else None)


def _serve(errand: str, channel: socket.socket) -> None:
    if errand == "serve":
        from autograder.grading import child

        child.serve(channel)
    else:
        channel.sendall(json.dumps(escapes()).encode())


def escapes() -> list[str]:
    """What this process can do and should not; empty where it is locked up."""
    import tempfile  # not at the start of every template

    attempts = {
        "read /etc/passwd": lambda: open("/etc/passwd").close(),
        "list the system's processes": lambda: os.listdir("/proc/1"),
        "write to /var/tmp": lambda: tempfile.TemporaryFile(dir="/var/tmp").close(),
        "open a socket": lambda: socket.socket().close(),
        "start a process": lambda: os.fork() or os._exit(0),
        "signal another process": lambda: os.kill(os.getppid(), 0),
    }
    return [name for name, attempt in attempts.items() if _works(attempt)]


def _works(attempt: Any) -> bool:
    try:
        attempt()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
