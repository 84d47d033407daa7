"""Files that others can put somewhere, or change while they are read."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def plain(path: Path | str, folder: int | None = None) -> Iterator[BinaryIO]:
    """Open a file to be read, if it is one: neither a link nor anything that could wait.

    Parameters
    ----------
    path : Path or str
    folder : int, optional
        The descriptor of an open folder, which the path is then seen from.

    Raises
    ------
    OSError
        It is a link, or cannot be opened.
    ValueError
        It is a folder, a pipe or a device.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no regular file")
        with open(descriptor, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(descriptor)


def put(path: Path, data: bytes) -> None:
    """Write a file whole or not at all; a link that lies there is replaced, not followed."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.write_bytes(data)
    fresh.replace(path)


@contextmanager
def unharmed(folder: Path) -> Iterator[None]:
    """Leave a folder as it was, if what is done to it fails."""
    with tempfile.TemporaryDirectory() as aside:
        if folder.exists():
            shutil.copytree(folder, Path(aside) / folder.name, symlinks=True)
        try:
            yield
        except BaseException:
            for there in Path(aside).iterdir():
                shutil.rmtree(folder, ignore_errors=True)
                shutil.copytree(there, folder, symlinks=True)
            raise
