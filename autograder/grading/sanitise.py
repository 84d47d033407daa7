"""From what was handed in to what is graded: the class's own notebook with the learner's answers.

Nothing of a submission is taken but the text of its answer cells, and the functions, imports and
constants that an answer uses from a cell of the learner's own. What is broken is repaired where
its meaning is clear; each repair, and whatever cannot be repaired, is said in a remark.
"""

import ast
import copy
import json
import os
import re
import warnings
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from autograder import wire
from autograder.grading import files
from autograder.notebooks import source_of

MAX_FILE = 128 << 20  # a notebook of 100 MB of outputs is read in two seconds
MAX_OTHERS = 20  # files that are looked into when the right one is missing
MAX_LISTS = 1 << 20  # [ and { in a file; each takes 64 bytes and more once it is read
MAX_COMMAS = 1 << 23  # in a file; between two of them stands what takes 60 bytes and more
MAX_CELLS = 10_000
MAX_TEXT = 4 << 20  # characters in all cells; the course's longest notebook has 40,000
MAX_CELL = wire.MAX_TEXT
MAX_PROSE = 20_000  # characters of an answer in Markdown; a page's converter takes seconds for them
MAX_PARSED = 1 << 20  # characters of cells that are no answers; Python takes a second for them
MAX_LINE = 600

UNSEEN = re.compile("\x1b\\[[0-9;?]*[A-Za-z]|[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
"""What acts on a terminal or turns text round: escape sequences, controls, bidi overrides."""
BLANK = re.compile(r"^[^\S\n]+$", re.M)
NO_MATHS = "tex2jax_ignore mathjax_ignore"  # classes that MathJax 2, and 3 and 4, leave alone

Notebook = dict[str, Any]


class Cell(NamedTuple):
    """What is read of a submitted cell."""

    grade_id: str | None
    code: bool
    source: str
    id: str | None = None


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
    cells, remarks = _read(folder, name, {g: source_of(cell) for g, cell in expected.items()})
    cells = list(_rejoined(_marked(cells, expected, remarks), expected))
    own = _own(cells, template, expected)
    for grade_id, cell in expected.items():
        source, said = _answer(grade_id, cell, cells)
        if source not in (None, source_of(cell)) and cell["cell_type"] == "code":
            source = _with_helpers(_cut(source, said), own, said)
        remarks += [f"{grade_id}: {text}" for text in said]
        if source is not None:
            cell["source"] = source if cell["cell_type"] == "code" else _harmless(source)
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    if not cells:
        remarks.append("Nothing in it could be graded.")
    return Clean(clean, tuple(map(line, remarks)), frozenset(own.names))


# ------------------------------------------------------------------ for other people's screens


def legible(text: str, most: int = MAX_LINE) -> str:
    """A text that a learner had a hand in, such that any screen and any file can take it.

    Parameters
    ----------
    text : str
    most : int, optional
        Characters; what is cut off is said to be.
    """
    text = text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates
    text = UNSEEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text if len(text) <= most else f"{text[:most]}… ({len(text) - most} characters more)"


def line(text: str, most: int = MAX_LINE) -> str:
    """`legible` text on one line."""
    return re.sub(r"[\n\t]", " ", legible(text, most))


def remark_cell(remarks: Sequence[str]) -> dict[str, Any]:
    """The remarks as a cell of one HTML list, which holds nobody's HTML, Markdown or LaTeX."""
    items = "\n".join(f"<li>{_entities(remark)}</li>" for remark in remarks)
    source = (
        f'**What the grader had to say about this file**\n\n<ul class="{NO_MATHS}">\n{items}\n</ul>'
    )
    return {"cell_type": "markdown", "id": "graders-remarks", "metadata": {}, "source": source}


def _entities(text: str) -> str:
    """Text with all that Markdown and HTML could act on as character references.

    What LaTeX begins with is a look-alike, since a converter may write references out again.
    """
    text = text.replace("\\", "\N{SET MINUS}")
    return re.sub(r"[^\w\s.,;:()-]|_", lambda sign: f"&#{ord(sign[0])};", text)


LINK = re.compile(r"\]([(:])\s*(?!https?://|mailto:|#)", re.IGNORECASE)
IMAGE = re.compile(r"(?<!!)!+\[")
ENTITY = re.compile(r"&(?=#?\w+;)")
MACRO = re.compile(
    r"(?<!\\)\\+(?=(?:href|url|style|class|cssId|data|unicode|mmlToken|bbox|require"
    r"|[egx]?def|let|html[a-z]*|(?:re)?new[a-z]+|Declare[a-z]+)(?![a-z]))",
    re.IGNORECASE,
)
"""LaTeX that makes links, sets styles, loads extensions, or defines what does."""


def _harmless(markdown: str) -> str:
    """Markdown without HTML, images or acting LaTeX, and with links to web pages only.

    It is shown on the instructor's pages, where a script could act.
    """
    text = MACRO.sub("", legible(markdown, MAX_PROSE))  # first: what it leaves may be an entity
    text = ENTITY.sub("&amp;", text).replace("<", "&lt;")
    return LINK.sub(r"] \1", IMAGE.sub("[", text))


# ------------------------------------------------------------------ one answer


def _answer(grade_id: str, cell: dict[str, Any], cells: list[Cell]) -> tuple[str | None, list[str]]:
    """The source to grade in place of a template's stub, and what there is to say about it."""
    code, stub = cell["cell_type"] == "code", source_of(cell)
    mine = [c for c in cells if c.grade_id == grade_id]
    written = [c for c in mine if c.source.strip() != stub.strip()]
    if code:
        written = [c for c in written if _defines(c.source, grade_id)] or written
        if not any(_defines(c.source, grade_id) for c in written):
            found = _elsewhere(grade_id, cells, stub)
            if found is not None:
                renamed = written[-1:] if f"def {grade_id}" not in found else []
                whole = "\n\n".join([*(c.source for c in renamed), found])
                return whole, ["its answer was found in another cell, and is graded."]
    if not mine:
        return None, ["its answer cell is missing."] if cells else []
    said = []
    if len(mine) > 1:
        said.append(f"it is there {len(mine)} times; the last that was changed is graded.")
    chosen = (written or mine)[-1]
    if code and not chosen.code:
        said.append("its answer cell is no code cell any more; it is graded as code.")
        return _unfenced(chosen.source), said
    return chosen.source, said


def _marked(
    cells: list[Cell], expected: Mapping[str, dict[str, Any]], remarks: list[str]
) -> list[Cell]:
    """The cells, where answers whose nbgrader metadata some program took away are known by ids."""
    there = {cell.grade_id for cell in cells}
    lost = {cell.get("id"): name for name, cell in expected.items() if name not in there}
    marked = [
        cell._replace(grade_id=lost.get(cell.id)) if cell.grade_id is None and cell.id else cell
        for cell in cells
    ]
    if marked != cells:
        remarks.append("Cells had lost nbgrader's metadata, and were known by their ids.")
    return marked


def _rejoined(cells: Sequence[Cell], expected: Container[str | None]) -> Iterator[Cell]:
    """The cells, where an answer that was split in the middle of a function is whole again."""
    budget = MAX_PARSED
    for first, *rest in _runs(cells):
        whole = "\n".join(cell.source for cell in (first, *rest))
        budget -= len(whole) if rest else 0
        if rest and budget >= 0 and first.grade_id in expected and _parsed(whole):
            yield first._replace(source=whole)
        else:
            yield from (first, *rest)


def _runs(cells: Sequence[Cell]) -> Iterator[list[Cell]]:
    """Each cell with those after it that begin in the middle of something."""
    run: list[Cell] = []
    for cell in cells:
        inside = cell.code and cell.source.lstrip("\n").startswith((" ", "\t"))
        if run and run[0].code and inside and cell.grade_id in (None, run[0].grade_id):
            run.append(cell)
            continue
        if run:
            yield run
        run = [cell]
    if run:
        yield run


def _elsewhere(grade_id: str, cells: Sequence[Cell], stub: str) -> str | None:
    """The last text of any other cell that defines a function and is not its stub."""
    texts = [c.source if c.code else _unfenced(c.source) for c in cells if c.grade_id != grade_id]
    found = [text for text in texts if _defines(text, grade_id) and text.strip() != stub.strip()]
    return next((text for text in reversed(found[-3:]) if _parsed(text)), None)


def _unfenced(markdown: str) -> str:
    """The code between ``` and ``` in Markdown, or all of it."""
    found = re.findall(r"^```\w*\n(.*?)^```", markdown + "\n", re.M | re.S)
    return "\n".join(found) or markdown


def _cut(source: str, said: list[str]) -> str:
    """An answer of a length that can be shown.

    White space alone on a line is left out: a page's highlighter could make hours of it.
    """
    if len(source) > MAX_CELL:
        said.append(f"its answer is {len(source)} characters long and is cut at {MAX_CELL}.")
    return BLANK.sub("", source[:MAX_CELL])


def _defines(source: str, name: str) -> bool:
    """Whether code defines a function, or would if its syntax were right."""
    pattern = rf"^[ \t]*(def[ \t]+{re.escape(name)}\b|{re.escape(name)}[ \t]*=)"
    return re.search(pattern, source, re.M) is not None


# ------------------------------------------------------------------ what an answer leans on


class Own(NamedTuple):
    """What stands in cells of a learner's own: all names, and what may be used of it, by name."""

    names: set[str]
    helpers: Mapping[str, ast.stmt]


def _own(cells: Sequence[Cell], template: Notebook, expected: Mapping[str, Any]) -> Own:
    given = {source_of(cell).strip() for cell in template["cells"]}
    mine = [
        cell.source
        for cell in cells
        if cell.code and cell.grade_id not in expected and cell.source.strip() not in given
    ]
    nodes = [node for source in _up_to(MAX_PARSED, mine) for node in _parsed(source)]
    if not nodes:
        return Own(set(), {})
    known = {name for cell in template["cells"] for name in _names_in(cell)} | set(expected)
    names = {name for node in nodes for name in _bound(node)}
    helpers = {
        name: node
        for node in nodes
        if isinstance(node, DEFINITION) or _is_constant(node)
        for name in _bound(node)
        if name not in known
    }
    return Own(names, helpers)


DEFINITION = ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom


def _is_constant(node: ast.stmt) -> bool:
    """Whether a statement gives names a number or a text, such as ``EPSILON = 1e-8``."""
    if not isinstance(node, ast.Assign) or not all(isinstance(t, ast.Name) for t in node.targets):
        return False
    value = node.value.operand if isinstance(node.value, ast.UnaryOp) else node.value
    return isinstance(value, ast.Constant)


def _with_helpers(source: str, own: Own, said: list[str]) -> str:
    """An answer, under all of the learner's own cells that it uses and that may be used."""
    used = _used(source, own)
    if not used:
        return source
    nodes = [node for node in dict.fromkeys(own.helpers.values()) if node in used]
    try:
        whole = "\n\n".join([*(ast.unparse(node) for node in nodes), source])
    except (RecursionError, ValueError):  # a number may have too many digits to be written
        return source
    if len(whole) > MAX_CELL:
        return source
    names = sorted({name for node in nodes for name in _bound(node)} & own.helpers.keys())
    said.append(f"it uses {', '.join(names)} of a cell of your own, now put above it.")
    return whole


def _used(source: str, own: Own) -> set[ast.stmt]:
    """The functions, imports and constants that a source uses, or that those use in their turn."""
    looked = _parsed(source)
    used: set[ast.stmt] = set()
    bound = {name for node in looked for name in _bound(node)}
    while looked:
        loads = (n for node in looked for n in ast.walk(node) if isinstance(n, ast.Name))
        wanted = {n.id for n in loads if isinstance(n.ctx, ast.Load)} - bound
        bound |= wanted
        looked = [own.helpers[name] for name in wanted & own.helpers.keys()]
        used.update(looked)
    return used


def _up_to(most: int, sources: Iterable[str]) -> Iterator[str]:
    """Sources, as long as they are not too long together."""
    for source in sources:
        most -= len(source)
        if most >= 0:
            yield source


def _parsed(source: str) -> list[ast.stmt]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is odd in the source, such as "\d"
            return ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _names_in(cell: dict[str, Any]) -> set[str]:
    """The names that a given code cell gives a value."""
    if cell["cell_type"] != "code":
        return set()
    return {name for node in _parsed(source_of(cell)) for name in _bound(node)}


def _bound(node: ast.stmt) -> Iterator[str]:
    """The names that a statement at top level gives a value."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from (alias.asname or alias.name.split(".")[0] for alias in node.names)
    else:
        stores = (n for n in ast.walk(node) if isinstance(n, ast.Name))
        yield from (n.id for n in stores if isinstance(n.ctx, ast.Store))


# ------------------------------------------------------------------ reading what was handed in


def _read(folder: Path, name: str, stubs: dict[str, str]) -> tuple[list[Cell], list[str]]:
    """The cells of the notebook that was meant, and remarks on how it was found."""
    if folder.is_symlink():
        return [], ["The folder is a link; what it leads to is not graded."]
    notebooks = notebooks_in(folder)
    right = next((path for path in notebooks if path.name == name), None)
    cells, remarks = _cells_of(right) if right else ([], [f"There is no file {name}."])
    if _worth(cells, stubs):
        return cells, remarks
    others = [path for path in notebooks if path != right]
    readings = [(path.name, *_cells_of(path)) for path in affordable(others)]
    best = max(readings, key=lambda reading: _worth(reading[1], stubs), default=None)
    if best is None or not _worth(best[1], stubs):
        return cells, [*remarks, *_unread(folder)] if not cells else remarks
    if right and cells:
        remarks = [*remarks, f"There is no answer in {name}."]
    return best[1], [*remarks, f"{best[0]} is graded in its place.", *best[2]]


def _worth(cells: Sequence[Cell], stubs: dict[str, str]) -> int:
    """How many answers there are that are not as they were released."""
    return len(
        {
            grade_id
            for cell in cells
            for grade_id in ([cell.grade_id] if cell.grade_id in stubs else stubs)
            if cell.source.strip() not in ("", stubs[grade_id].strip())
            and (cell.grade_id == grade_id or _defines(cell.source, grade_id))
        }
    )


def notebooks_in(folder: Path) -> list[Path]:
    """Regular files that end in .ipynb; no links, no folders."""
    return [path for path in _files(folder) if path.name.endswith(".ipynb")]


def _files(folder: Path) -> list[Path]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return []
    return [Path(entry.path) for entry in entries if entry.is_file(follow_symlinks=False)]


def affordable(paths: Sequence[Path]) -> Iterator[Path]:
    """The first few files, as long as they are not too large together."""
    left = MAX_FILE
    for path in paths[:MAX_OTHERS]:
        left -= path.lstat().st_size
        if left >= 0:
            yield path


def _unread(folder: Path) -> list[str]:
    """Files that are notebooks by the middle of their names."""
    names = [path.name for path in _files(folder)]
    hidden = [n for n in names if ".ipynb" in n.lower() and not n.endswith(".ipynb")]
    return [f"{name} may be the notebook; its name must end in .ipynb." for name in hidden[:3]]


def _cells_of(path: Path) -> tuple[list[Cell], list[str]]:
    """A file's cells; an empty list, and a remark, if it is no notebook."""
    remarks: list[str] = []
    try:
        cells = _bounded(_raw_cells(_document(_bytes(path), remarks)))
    except OSError as error:
        return [], [f"{path.name} cannot be read: {error.strerror}."]
    except (ValueError, RecursionError, MemoryError) as error:
        return [], [f"{path.name} is not a notebook: {_why(error)}."]
    return cells, remarks


def _bounded(raw_cells: list[Any]) -> list[Cell]:
    """The cells that are cells, unless they are too many or too long."""
    if len(raw_cells) > MAX_CELLS:
        raise ValueError(f"it has more than {MAX_CELLS} cells")
    cells = [cell for raw in raw_cells if (cell := _cell(raw)) is not None]
    if sum(len(cell.source) for cell in cells) > MAX_TEXT:
        raise ValueError(f"its cells hold more than {MAX_TEXT} characters")
    return cells


def _bytes(path: Path) -> bytes:
    with files.plain(path) as file:
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise ValueError(f"it is larger than {MAX_FILE >> 20} MB; clear its outputs")
    if not data.strip():
        raise ValueError("it is empty")
    return data


def _document(data: bytes, remarks: list[str]) -> Any:
    """The JSON in a file, but for the outputs of cells."""
    if data.count(b"[") + data.count(b"{") > MAX_LISTS:
        raise ValueError(f"it has more than {MAX_LISTS} lists and dictionaries; clear its outputs")
    if data.count(b",") > MAX_COMMAS:
        raise ValueError(f"it has more than {MAX_COMMAS} commas; clear its outputs")
    text = _decoded(data, remarks)  # no number in it counts, and an int may have too many digits
    return json.loads(text, object_pairs_hook=_without_outputs, parse_int=float)


def _without_outputs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {key: value for key, value in pairs if key not in ("outputs", "attachments")}


def _decoded(data: bytes, remarks: list[str]) -> str:
    encoding = json.detect_encoding(data)
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        remarks.append("The file is not in UTF-8; it was read as Latin-1.")
        return data.decode("latin-1")
    if not encoding.startswith("utf-8"):
        remarks.append(f"The file is in {encoding.upper()}; notebooks are in UTF-8.")
    return text


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
    grade_id = grade_id if isinstance(grade_id, str) else None
    id_ = raw.get("id")
    id_ = id_ if isinstance(id_, str) else None
    return Cell(grade_id, raw.get("cell_type") == "code", _mended(source), id_)


def _mended(source: str) -> str:
    """A source with one kind of line ends, and without what no editor shows."""
    source = source.encode("utf-8", "replace").decode("utf-8")  # lone surrogates
    source = source.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff")
    return source.replace("\0", "\ufffd")
