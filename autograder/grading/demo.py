"""A class of twenty generated submissions, from release to marks, feedback and an overview."""

import ast
import inspect
import json
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autograder.exercise import exercise, mutant_source, parts, stub
from autograder.grading import classroom, overview
from autograder.grading.books import Books
from autograder.grading.cli import table
from autograder.grading.grade import grade
from autograder.grading.sanitise import answer_cells
from autograder.weave import instructor_notebook, text_of

UNIT = "02_rnn_forward"
Notebook = dict[str, Any]
Make = Callable[[str], dict[str, str]]
"""From a notebook's name to the files that a learner hands in."""

MISTAKEN = {
    "boris": ("softmax", "no-axis"),
    "chen": ("softmax", "no-shift"),
    "dina": ("rnn_cell_forward", "Waa-transposed"),
    "emeka": ("rnn_cell_forward", "Waa-transposed"),
    "fatima": ("rnn_cell_forward", "bias-outside-tanh"),
    "goran": ("rnn_forward", "state-not-carried"),
    "hana": ("rnn_forward", "a0-ignored"),
    "igor": ("last_states", "last-slot-for-all"),
    "jaya": ("rnn_generate", "always-the-first-input"),
}


def demo(folder: Path) -> None:
    """Make the class, grade it, and say where everything is.

    Parameters
    ----------
    folder : Path
        Where the class is made.
    """
    print(f"A class in {folder}, with {len(submissions())} submissions of {UNIT}", flush=True)
    classroom.new(folder)
    hand_in(folder)
    results = grade(folder, UNIT)
    print("\n".join(table(results)))
    print(f"\noverview  {overview.page(folder, UNIT, results)}")
    print(f"feedback  {folder / 'feedback'}")
    print(f"marks     {folder / 'gradebook.db'} (nbgrader's gradebook)")


def crowd(count: int) -> dict[str, Make]:
    """A class of any size: the demo's kinds of submission by turns, but for the one that hangs."""
    kinds = [make for student, make in submissions().items() if student != "omar"]
    return {f"learner-{n:05}": kinds[n % len(kinds)] for n in range(count)}


def hand_in(folder: Path, learners: dict[str, Make] | None = None) -> None:
    """Release the unit and write every generated submission; those of the demo, if left out."""
    name = text_of(UNIT).with_suffix(".ipynb").name
    source = folder / "source" / UNIT / name
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(instructor_notebook(UNIT), "utf-8")
    Books(folder).generate(UNIT)
    for student, make in (learners or submissions()).items():
        place = folder / "submitted" / student / UNIT
        place.mkdir(parents=True, exist_ok=True)
        for file, text in make(name).items():
            (place / file).write_text(text, "utf-8")


def submissions() -> dict[str, Make]:
    """From learner to what they hand in: a function of the notebook's name, to files."""
    edited = {
        student: _with({name: _mistaken(name, id_)}) for student, (name, id_) in MISTAKEN.items()
    }
    return {
        "anna": _with({}),
        **edited,
        "karim": _untouched,
        "lena": _with({"rnn_cell_forward": "def rnn_cell_forward(x_t, a_prev, params)\n    pass"}),
        "mateo": _with({"output_forward": _raising("output_forward")}),
        "nora": _with({name: _alternative(name) for name in ("softmax", "last_states")}),
        "omar": _with({"rnn_generate": _endless("rnn_generate")}),
        "petra": lambda name: {name: '{"cells": ['},
        "quinn": _without("last_states"),
        "rosa": _twice("softmax"),
        "sven": lambda name: {"Copy of notebook.ipynb": solved({})},
        "tara": lambda name: {name: ""},
    }


def solved(answers: dict[str, str]) -> str:
    """The finished notebook, with these answers in place of right ones."""
    notebook = json.loads(instructor_notebook(UNIT))
    for grade_id, cell in answer_cells(notebook):
        cell["source"] = answers.get(grade_id, cell["source"])
    return json.dumps(notebook)


def _with(answers: dict[str, str]) -> Make:
    return lambda name: {name: solved(answers)}


def _untouched(name: str) -> dict[str, str]:
    notebook = json.loads(instructor_notebook(UNIT))
    for grade_id, cell in answer_cells(notebook):
        code = cell["cell_type"] == "code"
        cell["source"] = stub(exercise(grade_id).reference) if code else "YOUR ANSWER HERE"
    return {name: json.dumps(notebook)}


def _mistaken(name: str, misconception: str) -> str:
    """A reference's source with one misconception in it."""
    declared = exercise(name)
    edit = next(e for e in declared.misconceptions if e.id == misconception)
    return mutant_source(declared.reference, edit)


def _in_body(name: str, line: str) -> str:
    head, body, tail = parts(exercise(name).reference)
    indent = body[: len(body) - len(body.lstrip())]
    return f"{head}{indent}{line}\n{body}{tail}"


def _raising(name: str) -> str:
    return _in_body(name, "a = a @ params.Wya")


def _endless(name: str) -> str:
    return _in_body(name, "while T_y: pass")


def _alternative(name: str) -> str:
    """Another correct form, under the name that is asked for."""
    function = exercise(name).alternatives[0]
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    definition = tree.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.name = name
    return ast.unparse(tree)


def _cells(text: str, keep: Callable[[str, Notebook], list[Notebook]]) -> str:
    notebook = json.loads(text)
    notebook["cells"] = [
        copy
        for cell in notebook["cells"]
        for copy in keep(cell["metadata"].get("nbgrader", {}).get("grade_id", ""), cell)
    ]
    return json.dumps(notebook)


def _without(grade_id: str) -> Make:
    return lambda name: {name: _cells(solved({}), lambda g, cell: [] if g == grade_id else [cell])}


def _twice(grade_id: str) -> Make:
    first = {"source": stub(exercise(grade_id).reference)}
    return lambda name: {
        name: _cells(solved({}), lambda g, c: [{**c, **first}, c] if g == grade_id else [c])
    }
