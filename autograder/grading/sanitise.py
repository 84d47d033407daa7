"""From what was handed in to what is graded: the class's own notebook with the learner's answers.

Nothing of a submission is taken but the text of its answer cells. What is broken is repaired
where its meaning is clear; each repair, and whatever cannot be repaired, is said in a remark.
"""

import ast
import copy
import html
import json
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from autograder.notebooks import source_of

MAX_FILE = 20 << 20
MAX_CELL = 200_000
FOREIGN_LINK = re.compile(r"\]([(:])\s*(?!https?://|mailto:|#)", re.IGNORECASE)

Notebook = dict[str, Any]


class Cell(NamedTuple):
    """What is read of a submitted cell."""

    grade_id: str | None
    code: bool
    source: str


class Clean(NamedTuple):
    """A notebook fit for grading.

    `extra` maps names that a learner defined outside the answer cells, which are not run, to
    nothing but themselves: a NameError can then be explained.
    """

    notebook: Notebook
    remarks: tuple[str, ...]
    extra: frozenset[str]

    @property
    def answers(self) -> dict[str, str]:
        """The learner's answers by grade_id: all that a mark can depend on."""
        return {grade_id: source_of(cell) for grade_id, cell in answer_cells(self.notebook)}


def answer_cells(notebook: Notebook) -> Iterator[tuple[str, dict[str, Any]]]:
    """The cells of a class notebook that a learner fills, by grade_id."""
    for cell in notebook["cells"]:
        grading = cell["metadata"].get("nbgrader", {})
        if grading.get("solution"):
            yield grading["grade_id"], cell


def sanitise(template: Notebook, folder: Path, name: str) -> Clean:
    """The class's notebook with the answers that stand in a submission.

    Parameters
    ----------
    template : dict
        The notebook that was released, as JSON.
    folder : Path
        What one learner handed in.
    name : str
        The file name that the notebook should have.

    Returns
    -------
    Clean
        Never an exception: what cannot be read leaves the template's stubs, and a remark.
    """
    clean = copy.deepcopy(template)
    expected = dict(answer_cells(clean))
    cells, remarks = _read(folder, name, set(expected))
    for grade_id, cell in expected.items():
        source, said = _answer(grade_id, cell, cells)
        remarks += [f"{grade_id}: {text}" for text in said]
        if source is not None:
            cell["source"] = source if cell["cell_type"] == "code" else _harmless(source)
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    if not cells:
        remarks.append("Nothing in it could be graded.")
    given = {source_of(cell).strip() for cell in template["cells"]}
    extra = {
        defined
        for cell in cells
        if cell.code and cell.grade_id not in expected and cell.source.strip() not in given
        for defined in _defined(cell.source)
    }
    return Clean(clean, tuple(remarks), frozenset(extra))


def remark_cell(remarks: Sequence[str]) -> dict[str, Any]:
    """The remarks as a Markdown cell, which holds nobody's markup."""
    lines = "\n".join(f"- {html.escape(remark)}" for remark in remarks)
    source = f"**What the grader had to say about this file**\n\n{lines}"
    return {"cell_type": "markdown", "id": "graders-remarks", "metadata": {}, "source": source}


# ------------------------------------------------------------------ one answer


def _answer(grade_id: str, cell: dict[str, Any], cells: list[Cell]) -> tuple[str | None, list[str]]:
    """The source to grade in place of a template's stub, and what there is to say about it."""
    code, stub = cell["cell_type"] == "code", source_of(cell)
    mine = [c.source for c in cells if c.grade_id == grade_id]
    written = [source for source in mine if source.strip() != stub.strip()]
    said = []
    if len(mine) > 1:
        said.append(f"it is there {len(mine)} times; the last that was changed is graded.")
    answer = (written or mine)[-1] if mine else None
    if code and (answer is None or not _defines(answer, grade_id)):
        elsewhere = [c.source for c in cells if c.code and c.grade_id is None]
        found = [source for source in elsewhere if _defines(source, grade_id)]
        if found:
            said.append("its answer was found in another cell, and is graded.")
            return _cut(found[-1], said), said
    if answer is None and cells:
        said.append("its answer cell is missing.")
    return (None if answer is None else _cut(answer, said)), said


def _harmless(markdown: str) -> str:
    """Markdown without HTML, and with links to web pages only.

    It is shown on the instructor's pages, where a script could act.
    """
    return FOREIGN_LINK.sub(r"] \1", markdown.replace("<", "&lt;"))


def _cut(source: str, said: list[str]) -> str:
    if len(source) > MAX_CELL:
        said.append(f"its answer is {len(source)} characters long and is cut at {MAX_CELL}.")
    return source[:MAX_CELL]


def _parsed(source: str) -> list[ast.stmt]:
    try:
        return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _defines(source: str, name: str) -> bool:
    """Whether code defines a function, or would if its syntax were right."""
    return (
        re.search(rf"^\s*(def\s+{re.escape(name)}\b|{re.escape(name)}\s*=)", source, re.M)
        is not None
    )


def _defined(source: str) -> Iterator[str]:
    """The names that code gives a value at its top level."""
    for node in _parsed(source):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
        else:
            stores = (n for n in ast.walk(node) if isinstance(n, ast.Name))
            yield from (n.id for n in stores if isinstance(n.ctx, ast.Store))


# ------------------------------------------------------------------ reading what was handed in


def _read(folder: Path, name: str, expected: set[str]) -> tuple[list[Cell], list[str]]:
    """The cells of the notebook that was meant, and remarks on how it was found."""
    readings = {path.name: _cells_of(path) for path in _notebooks(folder)}
    others = {file: cells for file, (cells, _) in readings.items() if file != name}
    if name in readings and readings[name][0]:
        return readings[name][0], readings[name][1]
    remarks = list(readings[name][1]) if name in readings else [f"There is no file {name}."]
    matches = {file: sum(c.grade_id in expected for c in cells) for file, cells in others.items()}
    best = max(matches, key=lambda file: (matches[file], file), default=None)
    if best is None or not matches[best]:
        return [], remarks
    return others[best], [*remarks, f"{best} is graded in its place.", *readings[best][1]]


def _notebooks(folder: Path) -> list[Path]:
    """Regular files that end in .ipynb; no links, no folders."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return []
    return [
        Path(entry.path)
        for entry in entries
        if entry.name.endswith(".ipynb") and entry.is_file(follow_symlinks=False)
    ]


def _cells_of(path: Path) -> tuple[list[Cell], list[str]]:
    """A file's cells; an empty list, and a remark, if it is no notebook."""
    remarks: list[str] = []
    try:
        data = _bytes(path)
        document = json.loads(_decoded(data, remarks))
        cells = [_cell(raw) for raw in _raw_cells(document)]
    except OSError as error:
        return [], [f"{path.name} cannot be read: {error.strerror}."]
    except (ValueError, RecursionError) as error:
        return [], [f"{path.name} is not a notebook: {_why(error)}."]
    return [cell for cell in cells if cell is not None], remarks


def _bytes(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError("it is no regular file")
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise ValueError(f"it is larger than {MAX_FILE >> 20} MB")
    if not data.strip():
        raise ValueError("it is empty")
    return data


def _decoded(data: bytes, remarks: list[str]) -> str:
    for encoding in ("utf-8-sig", "utf-16"):
        if encoding == "utf-16" and not data.startswith((b"\xff\xfe", b"\xfe\xff")):
            continue
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-16":
            remarks.append("The file is in UTF-16; notebooks are in UTF-8.")
        return text
    remarks.append("The file is not in UTF-8; it was read as Latin-1.")
    return data.decode("latin-1")


def _why(error: Exception) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"it is not JSON ({error.msg}, line {error.lineno})"
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)


def _raw_cells(document: Any) -> list[Any]:
    """The cells of a notebook, also of the old format 3."""
    if not isinstance(document, dict):
        raise ValueError("it is JSON, but no notebook")
    cells = document.get("cells")
    if not isinstance(cells, list):
        sheets = document.get("worksheets")
        sheets = sheets if isinstance(sheets, list) else []
        cells = [
            c for sheet in sheets if isinstance(sheet, dict) for c in _list(sheet.get("cells"))
        ]
    if not cells:
        raise ValueError("it has no cells")
    return cells


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _cell(raw: Any) -> Cell | None:
    """What counts of a submitted cell; None if it is none."""
    if not isinstance(raw, dict):
        return None
    source = raw.get("source", raw.get("input", ""))
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        return None
    metadata = raw.get("metadata")
    grading = metadata.get("nbgrader") if isinstance(metadata, dict) else None
    grade_id = grading.get("grade_id") if isinstance(grading, dict) else None
    source = source.encode("utf-8", "replace").decode("utf-8")  # lone surrogates
    return Cell(
        grade_id if isinstance(grade_id, str) else None, raw.get("cell_type") == "code", source
    )
