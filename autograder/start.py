"""A learner's folder: notebooks are put there, and what a learner has written is never touched."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from autograder.notebooks import (
    CODE_STUB,
    TEXT_STUB,
    answer_id,
    release_of,
    source_of,
    student_notebooks,
)

Notebook = dict[str, Any]


class Put(NamedTuple):
    """What became of one notebook: "wrote", "kept" or "newer", its file, and a remark."""

    what: str
    path: Path
    remark: str = ""


def start(folder: Path) -> Iterator[Put]:
    """Copy each student notebook that is not there yet; put a newer release beside an older one.

    Parameters
    ----------
    folder : Path
        Made if it is not there.

    Yields
    ------
    Put
    """
    folder.mkdir(parents=True, exist_ok=True)
    for unit, released in student_notebooks().items():
        mine = folder / f"{unit}.ipynb"
        if mine.exists():
            yield _beside(mine, released)
        else:
            shutil.copyfile(released, mine)
            yield Put("wrote", mine)


def _beside(mine: Path, released: Path) -> Put:
    """What to do about a notebook that is there already."""
    new = _read(released)
    old = _read(mine)
    if old is None or new is None:
        return Put("kept", mine, "it cannot be read as a notebook")
    release = release_of(new)
    if release_of(old) == release:
        return Put("kept", mine, "it is yours already")
    newer = mine.with_name(f"{mine.stem}.release-{release}.ipynb")
    if newer.exists():
        return Put("kept", newer, f"the newer release of {mine.name}")
    carried = carry_answers(old, new)
    newer.write_text(json.dumps(new, indent=1, ensure_ascii=False) + "\n", "utf-8")
    cells = "1 answer" if carried == 1 else f"{carried} answers"
    return Put("newer", newer, f"the newer release, with {cells} of {mine.name}, which is kept")


def carry_answers(old: Notebook, new: Notebook) -> int:
    """Put the answers of an old notebook into a new one's cells; returns how many there are."""
    answers = {answer_id(cell): source_of(cell) for cell in old["cells"]}
    carried = 0
    for cell in new["cells"]:
        name = answer_id(cell)
        if name in answers and name is not None and not _blank(answers[name]):
            cell["source"] = answers[name]
            carried += 1
    return carried


def _blank(source: str) -> bool:
    """Whether nobody has written in a cell."""
    return CODE_STUB[-1] in source or TEXT_STUB in source


def _read(path: Path) -> Notebook | None:
    """A notebook as JSON; None for what is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    cells = found.get("cells") if isinstance(found, dict) else None
    whole = isinstance(cells, list) and all(isinstance(cell, dict) for cell in cells)
    return found if whole else None
