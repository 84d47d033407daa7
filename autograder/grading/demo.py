"""A class of generated submissions, from release to marks, feedback and an overview."""

import ast
import inspect
import json
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

from tqdm import tqdm

from autograder.exercise import exercise, mutant_source, parts, stub
from autograder.grading import classroom, overview
from autograder.grading.books import Books
from autograder.grading.grade import grade, surveyed
from autograder.grading.listing import table
from autograder.grading.sanitise import answer_cells
from autograder.notebooks import TEXT_STUB, units
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
    """Make the class, grade all units of the course, and say where everything is.

    Parameters
    ----------
    folder : Path
        Where the class is made.
    """
    course = list(units())
    print(
        f"A class in {folder}: {len(submissions(UNIT))} learners, {len(course)} units", flush=True
    )
    classroom.new(folder)
    for unit in tqdm(course, desc="release and hand in"):
        hand_in(folder, unit=unit)
    results = grade(folder, *course)
    print("\n".join(table(results)))
    print(f"\nfeedback  {folder / 'feedback'}")
    print(f"marks     {folder / 'gradebook.db'} (nbgrader's gradebook)")
    print(f"overview  {overview.page(folder, [surveyed(folder, unit) for unit in course])}")


def crowd(count: int, unit: str = UNIT) -> dict[str, Make]:
    """A class of any size: the demo's kinds of submission by turns, but for the one that hangs."""
    kinds = [cache(make) for student, make in submissions(unit).items() if student != "omar"]
    return {f"learner-{n:05}": kinds[n % len(kinds)] for n in range(count)}


def hand_in(folder: Path, learners: dict[str, Make] | None = None, unit: str = UNIT) -> None:
    """Release a unit and write every generated submission; those of the demo, if left out."""
    name = text_of(unit).with_suffix(".ipynb").name
    source = folder / "source" / unit / name
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(instructor_notebook(unit), "utf-8")
    Books(folder).generate(unit)
    for student, make in (learners or submissions(unit)).items():
        place = folder / "submitted" / student / unit
        place.mkdir(parents=True, exist_ok=True)
        for file, text in make(name).items():
            (place / file).write_text(text, "utf-8")


def submissions(unit: str = UNIT) -> dict[str, Make]:
    """From learner to what they hand in: a function of the notebook's name, to files."""
    return _odd() if unit == UNIT else slips(unit)


def slips(unit: str) -> dict[str, Make]:
    """One is right, one is right in other words, some have a misconception, one has nothing."""
    names = units()[unit]
    mistaken = {}
    for i, student in enumerate(("boris", "chen", "dina", "emeka")):
        name = names[-1 - i % len(names)]
        edits = exercise(name).misconceptions
        mistaken[student] = {name: mutant_source(exercise(name).reference, edits[i % len(edits)])}
    answers = {"anna": {}, **mistaken, "nora": other_words(unit, 0)}
    handed_in = {student: handing_in(texts, unit) for student, texts in answers.items()}
    return {**handed_in, "karim": partial(_untouched, unit=unit)}


def _odd() -> dict[str, Make]:
    """What a class may hand in."""
    edited = {
        student: handing_in({name: _mistaken(name, id_)})
        for student, (name, id_) in MISTAKEN.items()
    }
    return {
        "anna": handing_in({}),
        **edited,
        "karim": _untouched,
        "lena": handing_in(
            {"rnn_cell_forward": "def rnn_cell_forward(x_t, a_prev, params)\n    pass"}
        ),
        "mateo": handing_in({"output_forward": _raising("output_forward")}),
        "nora": handing_in(other_words(UNIT, 0)),
        "omar": handing_in({"rnn_generate": _endless("rnn_generate")}),
        "petra": lambda name: {name: '{"cells": ['},
        "quinn": _without("last_states"),
        "rosa": _twice("softmax"),
        "sven": lambda name: {"Copy of notebook.ipynb": solved({})},
        "tara": lambda name: {name: ""},
    }


def other_words(unit: str, k: int) -> dict[str, str]:
    """Answers to a unit's exercises, each in its k-th other form; from exercise to source."""
    forms = {name: _forms(name) for name in units()[unit]}
    return {name: standalone(those[k % len(those)], name) for name, those in forms.items()}


def _forms(name: str) -> list[Callable]:
    """An exercise's other forms, but for those that are its reference on other numbers."""
    return [f for f in exercise(name).alternatives if name not in f.__code__.co_names]


def solved(answers: dict[str, str], unit: str = UNIT) -> str:
    """The finished notebook, with these answers in place of right ones."""
    notebook = json.loads(instructor_notebook(unit))
    for grade_id, cell in answer_cells(notebook):
        cell["source"] = answers.get(grade_id, cell["source"])
    return json.dumps(notebook)


def handing_in(answers: dict[str, str], unit: str = UNIT) -> Make:
    return lambda name: {name: solved(answers, unit)}


def _untouched(name: str, unit: str = UNIT) -> dict[str, str]:
    notebook = json.loads(instructor_notebook(unit))
    for grade_id, cell in answer_cells(notebook):
        code = cell["cell_type"] == "code"
        cell["source"] = stub(exercise(grade_id).reference) if code else TEXT_STUB
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


def standalone(function: Callable, name: str) -> str:
    """A function under another name, with all that it uses of its module, as a learner has it."""
    tree = ast.parse(inspect.getsource(inspect.getmodule(function)))  # type: ignore[arg-type]
    defined = {bound: node for node in tree.body for bound in _bound(node)}
    needed: set[ast.stmt] = set()
    todo = [defined[function.__name__]]
    while todo:
        needed.add(node := todo.pop())
        used = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
        todo += [defined[n] for n in sorted(used & defined.keys()) if defined[n] not in needed]
    for node in needed:
        _rename(node, function.__name__, name)
    return "\n\n".join(ast.unparse(node) for node in tree.body if node in needed)


def _bound(node: ast.stmt) -> list[str]:
    """The names that a statement binds, but for those of solutions: a learner has their own."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("solutions"):
        return []
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name for alias in node.names]
    names = [n for n in ast.walk(node) if isinstance(n, ast.Name)]
    return [n.id for n in names if isinstance(n.ctx, ast.Store)]


def _rename(node: ast.stmt, old: str, new: str) -> None:
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef) and part.name == old:
            part.name = new
        if isinstance(part, ast.Name) and part.id == old:
            part.id = new


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
