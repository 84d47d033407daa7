"""The learner's wheel: what is in it and what is not, and that it says what a checkout says."""

import ast
import json
import os
import re
import subprocess
import sys
import textwrap
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

from autograder import wire
from autograder.exercise import exercise, mutant_source, source
from autograder.notebooks import units
from autograder.tests.wheels import ROOT, UV, built
from autograder.tree import leaves

SCRIPT = Path(__file__).with_name("finish_notebooks.py")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def members(wheel):
    """From name to content."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_it_has_notebooks_and_keys_and_no_solutions(members):
    solved = ("solutions/", "autograder/exercise", "autograder/bench")
    assert not [m for m in members if m.startswith(solved)]
    assert not [m for m in members if "/tests/" in m or m.endswith(".md")]
    wanted = {p.relative_to(ROOT).as_posix() for p in (ROOT / "course").glob("*_*/*.ipynb")}
    wanted |= {"course/given/manifest.toml"}
    wanted |= {f"autograder/frozen/{n}.wire" for names in units().values() for n in names}
    assert wanted <= members.keys()


# ------------------------------------------------------------------ the same reports


@pytest.fixture(scope="module")
def learner(wheel, tmp_path_factory):
    """The Python of a new environment that has the wheel and what that asks for."""
    home = tmp_path_factory.mktemp("learner") / "environment"
    python = home / "bin" / "python"
    # rounding, and so the digits in a report, may differ between releases of NumPy
    same = [f"{name}=={version(name)}" for name in ("numpy", "matplotlib", "ipywidgets")]
    for command in (
        ["venv", "--python", sys.executable, home],
        ["pip", "install", "--python", python, wheel, *same],
    ):
        subprocess.run([UV, *command], check=True, capture_output=True, text=True)
    return python


def finished(python, tasks, folder, **environment):
    """What all checks of all notebooks say to this Python."""
    own = {"UNROLLED_HOME": str(folder / "diary"), "MPLBACKEND": "agg", **environment}
    done = subprocess.run(
        [*python, SCRIPT],
        input=json.dumps(tasks),
        env={**os.environ, **own},
        cwd=folder,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def edits(name):
    """Two misconceptions of an exercise, the first and the last."""
    return (exercise(name).misconceptions[i] for i in (0, -1))


def test_every_notebook_gets_the_reports_that_a_checkout_gives(learner, tmp_path):
    """Stubs, right answers and two misconceptions of every exercise, in every student notebook."""
    tasks = {
        unit: {
            "right": {name: source(exercise(name).reference) for name in names},
            "wrong": [
                (name, mutant_source(exercise(name).reference, edit))
                for name in names
                for edit in edits(name)
            ],
        }
        for unit, names in units().items()
    }
    folders = tmp_path / "wheel", tmp_path / "checkout"
    for folder in folders:
        folder.mkdir()
    wheel = finished([learner, "-I"], tasks, folders[0])
    checkout = finished([sys.executable], tasks, folders[1], PYTHONPATH=str(ROOT))

    assert not wheel["here"]["reference"]
    assert checkout["here"]["reference"]
    assert not [p for p in (*wheel["here"]["path"], wheel["here"]["module"]) if str(ROOT) in p]
    assert wheel["units"].keys() == units().keys()
    for unit, names in units().items():
        found = wheel["units"][unit]
        assert found == checkout["units"][unit]
        assert [*found["stubs"]] == [*found["right"]] == names
        for name in names:
            assert found["stubs"][name][0].startswith(f"○ {name}: not attempted")
            assert found["right"][name][0].startswith(f"✓ {name}: right on all")
        named = [(name, edit) for name in names for edit in edits(name)]
        for (name, edit), (said, text, id_) in zip(named, found["wrong"], strict=True):
            assert (said, id_) == (name, edit.id)
            assert " ".join(edit.why.split()) in " ".join(text.split())


# ------------------------------------------------------------------ no answers

STATEMENT, EXPRESSION = 30, 40
"""From how many characters on, without spaces, one line of a solution would be recognised."""

ALLOWED = {
    "autograder/frozen/truncated_bptt.wire": {
        # its third hint, which is to be nearly the answer
        "rnn_backward(da[chunk], caches[chunk], params)",
    },
    "autograder/frozen/lstm_cell_backward.wire": {
        # a hint on the way back reminds of the way forward, which was another exercise
        "c = forget * c_prev + update * candidate",
    },
    "autograder/standins.py": {
        # drawing from given weights is no secret; which weights is the exercise
        "rng.choice(len(y_hat), p=weights / weights.sum())",
        # what the cache's field z is, as the course defines it
        "z = np.concatenate([a_prev, x_t], axis=1)",
    },
    "course/04_language_model/language_model.ipynb": {
        # a cell that is given keeps NumPy quiet, as the solution does
        "np.errstate(divide='ignore', over='ignore')",
    },
    "course/given/seq2seq.py": {
        # the layers' own interface
        "encoder.forward(x, lengths=lengths)",
    },
}
"""Pieces of solutions that stand in the wheel on purpose, and why."""


def squeezed(text):
    """Without spaces, and with one kind of quotes: layout is no difference."""
    return re.sub(r"\s+", "", text).replace('"', "'")


def normal(text):
    """Code as Python would write it, without comments and docstrings; other text as it is."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return squeezed(text)
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and ast.get_docstring(
            node
        ):
            node.body[0] = ast.Pass()
    return squeezed(ast.unparse(tree))


def pieces(code):
    """The statements and expressions of a solution that would be recognised, as Python text."""
    for node in ast.walk(ast.parse(textwrap.dedent(code))):
        text = ast.unparse(node) if isinstance(node, ast.stmt | ast.expr) else ""
        least = STATEMENT if isinstance(node, ast.stmt) else EXPRESSION
        if "\n" in text or len(squeezed(text)) >= least:
            yield text


def solved():
    """Every piece of every solution, without spaces, and as it stands."""
    pattern = re.compile(r"^ *### BEGIN SOLUTION\n(.*?)^ *### END SOLUTION", re.S | re.M)
    files = sorted((ROOT / "solutions").glob("*.py"))
    bodies = [b for path in files for b in pattern.findall(path.read_text("utf-8"))]
    return {squeezed(text): text for body in bodies for text in pieces(body)}


def texts(member, content):
    """All that can be read in a member: a notebook cell by cell, a key text by text."""
    if member.endswith(".wire"):
        tree = wire.unpack(content, len(content), 1 << 24, share=True)
        return [str(value) for value in leaves(tree).values() if isinstance(value, str)]
    text = content.decode("utf-8")
    if member.endswith(".ipynb"):
        return [text, *("".join(cell["source"]) for cell in json.loads(text)["cells"])]
    return [text]


def found(pieces_, member, content):
    """The pieces that stand in a member, as code or in comments, docstrings and prose."""
    readable = {form(text) for text in texts(member, content) for form in (normal, squeezed)}
    return {text for piece, text in pieces_.items() if any(piece in read for read in readable)}


def test_nothing_in_it_is_a_piece_of_a_solution(members):
    known = solved()
    assert len(known) > 200
    leaks = {member: found(known, member, content) for member, content in members.items()}
    assert {member: leak for member, leak in leaks.items() if leak} == ALLOWED


@pytest.mark.parametrize("member", ["code.py", "prose.md", "notebook.ipynb", "key.wire"])
def test_a_solution_would_be_found(member):
    """Laid out otherwise, in every kind of member."""
    planted = (
        "def f(z):\n  e = np.exp( z-z.max(axis=-1,\n     keepdims=True) )  # mine\n  return e\n"
    )
    piece = "np.exp(z - z.max(axis=-1, keepdims=True))"
    content = {
        "code.py": planted.encode(),
        "prose.md": f"Write {piece}.".encode(),
        "notebook.ipynb": json.dumps({"cells": [{"source": planted.splitlines(True)}]}).encode(),
        "key.wire": wire.pack({"facts": {"stub": planted}}),
    }[member]
    assert piece in found({squeezed(text): text for text in pieces(piece)}, member, content)
