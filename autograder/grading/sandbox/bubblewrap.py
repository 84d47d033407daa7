"""bubblewrap: the world of the template process. It holds Python and the library, and no class."""

import shutil
from collections.abc import Iterable
from pathlib import Path

LIBRARY, FOLDER = "/opt/unrolled", "/tmp"
HOST = "/opt/host"
SIZE = 64 << 20
USER = "1000"  # any but 0
OWN = (
    "--unshare-all", "--unshare-user", "--uid", USER, "--gid", USER, "--cap-drop", "ALL",
    "--hostname", "grader", "--die-with-parent",
)  # fmt: skip
# /proc/sys belongs to root: run by root, a process in there could write to it. And bubblewrap's
# own / and /dev, with /dev/shm, can be written to without bound, unless they are closed at last.
END = (
    "--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys", "--dev", "/dev", "--size", str(SIZE),
    "--tmpfs", FOLDER, "--chdir", FOLDER, "--remount-ro", "/dev", "--remount-ro", "/",
)  # fmt: skip


def program() -> str | None:
    """Where bubblewrap is, if it is installed."""
    return shutil.which("bwrap")


def inside(path: str) -> str:
    """Where a path of ours is seen in there: /tmp is another one, so what lies in it moves."""
    return HOST + path if Path(path).is_relative_to(FOLDER) else path


def command(readable: Iterable[str], library: Path) -> list[str]:
    """What to put before a command, to run it where there is nothing else.

    Parameters
    ----------
    readable : iterable of str
        Files and folders; what does not exist is passed over.
    library : Path
        Seen as `LIBRARY`, with what its links lead to.
    """
    words = [program() or "bwrap", *OWN]
    for path in map(Path, readable):
        if path.is_symlink() and path.parent == Path("/"):  # /lib -> usr/lib
            words += ["--symlink", str(path.readlink()), str(path)]
        elif path.exists():
            words += ["--ro-bind", str(path.resolve()), inside(str(path))]
    for entry in sorted(library.iterdir()):
        words += ["--ro-bind", str(entry.resolve()), f"{LIBRARY}/{entry.name}"]
    return [*words, *END]
