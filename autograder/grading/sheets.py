"""Tables as spreadsheets and learning systems write them: CSV in any of its dialects."""

import codecs
import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from autograder.grading.errors import ClassError

DELIMITERS = ",;\t"
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # of Excel's "Unicode text", and of Blackboard


class Sheet(NamedTuple):
    """A table as it was read: its header, its rows, how it was written, and where its rows end."""

    header: list[str]
    rows: list[list[str]]
    delimiter: str = ","
    encoding: str = "utf-8"
    lines: Sequence[int] = ()

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

    def data(self) -> bytes:
        """The table as the bytes of a file, in the encoding that it was read in."""
        return self.text().encode(self.encoding)


def read(path: Path) -> Sheet:
    """A table from a file.

    Raises
    ------
    ClassError
        It is not there, or is no table; says what to do.
    """
    try:
        data = path.read_bytes()
        encoding = "utf-16" if data.startswith(WIDE) else "utf-8"
        text = data.decode(encoding).removeprefix("\ufeff")
    except OSError as error:
        raise ClassError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ClassError(f"{path} is not in UTF-8; save it as CSV UTF-8") from None
    first = re.sub('"[^"]*"', "", text).partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        rows = [(reader.line_num, row) for row in reader if any(row)]
    except csv.Error as error:
        raise ClassError(
            f"{path}, line {reader.line_num}: {error}; a quotation mark may be missing"
        ) from None
    if not rows:
        raise ClassError(f"{path} is empty; its first line must name the columns")
    width = max(len(row) for _, row in rows)
    header, *table = [[*row, *[""] * (width - len(row))] for _, row in rows]
    return Sheet(header, table, delimiter, encoding, [line for line, _ in rows[1:]])
