"""What a class remembers: files that only ever grow, one line of JSON an entry.

A process that is killed while it writes leaves a line cut short, which is passed over.
"""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.grading.judge import Result


class Journal:
    """One such file; it need not be there.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path, self._read = path, 0

    def shrunk(self) -> bool:
        """Whether it is not the file any more that was read; then reading begins anew."""
        gone = self._size() < self._read
        self._read = 0 if gone else self._read
        return gone

    def _size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0

    def unread(self) -> Iterator[Any]:
        """The entries since the last time."""
        if self._size() > self._read:
            with open(self._path, "rb") as file:
                file.seek(self._read)
                whole, end, _ = file.read().rpartition(b"\n")
            self._read += len(whole + end)
            for line in whole.splitlines():
                with contextlib.suppress(ValueError):
                    yield json.loads(line)

    def append(self, entry: Any) -> None:
        """Add an entry, whole or not at all."""
        line = json.dumps(entry)
        with open(self._path, "ab", buffering=0) as file:
            file.write(f"\n{line}\n".encode())  # a line that was left cut short ends here


class Results:
    """Results by key, and by learner and notebook.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._journal = Journal(path)
        self._all: dict[str, Result] = {}
        self._keys: dict[tuple[str, str], list[str]] = {}

    def refresh(self) -> "Results":
        """Read what has been appended since the last time."""
        if self._journal.shrunk():
            self._all.clear()
            self._keys.clear()
        for key, result in self._journal.unread():
            self._all[key] = result
            keys = self._keys.setdefault((result["student"], result["assignment"]), [])
            keys[:] = [*(other for other in keys if other != key), key]
        return self

    def add(self, key: str, result: Result) -> None:
        """Append a result; it is now the latest on its notebook."""
        self._journal.append([key, result])
        self.refresh()

    def __getitem__(self, key: str) -> Result:
        return self._all[key]

    def __len__(self) -> int:
        return len(self._all)

    def keys(self, student: str, label: str) -> list[str]:
        """The keys of all results on one learner's notebook, the latest last."""
        return list(self._keys.get((student, label), ()))

    def latest(self, student: str, label: str) -> Result | None:
        """What was last said of one learner's notebook."""
        keys = self.keys(student, label)
        return self._all[keys[-1]] if keys else None
