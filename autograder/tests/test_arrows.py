"""Imports point one way: course.given <- solutions <- autograder."""

import ast
from pathlib import Path

import pytest

from autograder.grading import library

ROOT = Path(__file__).parents[2]
LEARNER = {
    "desk",
    "altered",
    "answers",
    "curves",
    "diagnosis",
    "diary",
    "distributions",
    "fits",
    "formulas",
    "kinds",
    "near",
    "notebooks",
    "notices",
    "parts",
    "raised",
    "report",
    "handed",
    "specs",
    "standins",
    "terminal",
    "tree",
    "trial",
    "wire",
    "__init__",
}
AUTHOR = {"exercise", "exercises", "weave", "verify", "inputs"}


def imported(path):
    """The modules that a file names in import statements, wherever they stand."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(folder):
    return [p for p in (ROOT / folder).rglob("*.py") if "tests" not in p.parts]


def roots(path):
    return {name.split(".")[0] for name in imported(path)}


@pytest.mark.parametrize("path", files("course"), ids=str)
def test_the_learner_s_library_knows_nobody(path):
    assert not roots(path) & {"solutions", "autograder"}


@pytest.mark.parametrize("path", files("solutions"), ids=str)
def test_solutions_know_the_library_only(path):
    assert "autograder" not in roots(path)


@pytest.mark.parametrize("name", library.LEARNER)
def test_the_learner_s_process_has_what_its_modules_import(name):
    """In the sandbox nothing else is there, and an import that fails costs every submission."""
    there = {"autograder", *(f"autograder.{module}" for module in library.LEARNER)}
    ours = {n for n in imported(ROOT / f"autograder/{name}.py") if n.startswith("autograder")}
    assert {".".join(module.split(".")[:2]) for module in ours} <= there


@pytest.mark.parametrize("name", sorted(LEARNER))
def test_the_learner_s_part_imports_no_answers(name):
    path = ROOT / "autograder" / f"{name}.py"
    assert not roots(path) & {"solutions", "nbgrader", "nbconvert", "nbformat", "jupytext"}
    authors = {f"autograder.{part}" for part in (*AUTHOR, "grading")}
    assert not {n for n in imported(path) if n.startswith(tuple(authors))}


def test_nobody_but_the_command_line_and_the_benchmark_imports_grading():
    for path in files("autograder"):
        if not {"bench", "grading", "cli", "verify_notebooks"} & {*path.parts, path.stem}:
            assert not [n for n in imported(path) if n.startswith("autograder.grading")], path
