"""What judges an answer, as hashes: a stored result stands as long as these stay the same."""

import ast
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib import resources
from importlib.util import find_spec
from pathlib import Path

from autograder.grading.sanitise import Notebook
from autograder.notebooks import exercises

BY_EXERCISE = ("autograder.exercises", "solutions")
"""Packages whose modules count for the exercises that use them, and for no others."""

_DOTTED = tuple(f"{package}." for package in BY_EXERCISE)

BYSTANDERS = {
    "bench", "cli.py", "misconceptions.py", "start.py", "terminal.py", "verify.py",
    "verify_notebooks.py", "weave.py", "grading/books.py", "grading/bridge.py",
    "grading/class_cli.py", "grading/classroom.py", "grading/cli.py", "grading/cluster.py",
    "grading/collect.py", "grading/demo.py", "grading/doctor.py", "grading/entries.py",
    "grading/errors.py", "grading/exchange.py", "grading/export.py", "grading/extensions.py",
    "grading/grade.py", "grading/integrity.py", "grading/journal.py", "grading/late.py",
    "grading/listing.py", "grading/marking.py", "grading/options.py", "grading/overview.py",
    "grading/pages.py", "grading/regrade.py", "grading/roster.py", "grading/sheets.py",
    "grading/survey.py", "grading/versions.py", "grading/workers.py", "grading/worksheet.py",
    "grading/zipcollect.py",
}  # fmt: skip
"""Parts of `autograder` that start, store or show a verdict, but have no say in it."""


def of(template: Notebook) -> dict[str, str]:
    """What judges a notebook: the version of each of its exercises, and of the judge itself."""
    return {"the judge": judge(), **{name: exercise(name) for name in exercises(template)}}


@cache
def judge() -> str:
    """A hash of all that judges every exercise."""
    texts = []
    for package in ("autograder", "course"):
        root = Path(str(resources.files(package)))
        for path in sorted(root.rglob("*.py")):
            name = path.relative_to(root)
            if not {"tests", "exercises"} & set(name.parts) and not _bystander(package, name):
                texts.append(f"{package}/{name.as_posix()}\n{path.read_text('utf-8')}")
    return _hash(texts)


def _bystander(package: str, name: Path) -> bool:
    return package == "autograder" and bool({name.as_posix(), name.parts[0]} & BYSTANDERS)


@cache
def exercise(name: str) -> str:
    """A hash of one exercise: its declaration, and every module with answers that it uses."""
    found: dict[str, str] = {}
    waiting = [f"autograder.exercises.{name}"]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found[module] = _text(module)
            waiting += _imported(found[module])
    return _hash([f"{module}\n{found[module]}" for module in sorted(found)])


def _text(module: str) -> str:
    spec = find_spec(module)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).read_text("utf-8")


def _imported(text: str) -> Iterator[str]:
    """The modules with answers that a module's text imports from."""
    for node in ast.walk(ast.parse(text)):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
        yield from (name for name in names if f"{name}.".startswith(_DOTTED))


def _hash(texts: Sequence[str]) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()[:16]
