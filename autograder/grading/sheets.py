"""Tables as spreadsheets and learning systems write them: CSV in any of its dialects."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from autograder.grading.classroom import ClassError

DELIMITERS = ",;\t"


class Sheet(NamedTuple):
    """A table as it was read: its header, its rows, and how it was written."""

    header: list[str]
    rows: list[list[str]]
    delimiter: str = ","

    def column(self, *names: str) -> int | None:
        """The first column of one of these names, whatever their case."""
        known = [name.strip().lower() for name in self.header]
        return next((known.index(name.lower()) for name in names if name.lower() in known), None)

    def text(self) -> str:
        """The table as CSV."""
        out = io.StringIO()
        writer = csv.writer(out, delimiter=self.delimiter, lineterminator="\r\n")
        writer.writerows([self.header, *self.rows])
        return out.getvalue()


def read(path: Path) -> Sheet:
    """A table from a file.

    Raises
    ------
    ClassError
        It is not there, or is no table; says what to do.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ClassError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ClassError(f"{path} is not in UTF-8; save it as CSV UTF-8") from None
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=delimiter) if any(row)]
    if not rows:
        raise ClassError(f"{path} is empty; its first line must name the columns")
    return Sheet(rows[0], [_padded(row, len(rows[0])) for row in rows[1:]], delimiter)


def _padded(row: Sequence[str], width: int) -> list[str]:
    return [*row, *[""] * (width - len(row))]
