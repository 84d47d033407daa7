"""The folder of Python modules that a learner's process may import: a library without answers."""

import atexit
import shutil
import tempfile
from functools import cache
from importlib import resources
from pathlib import Path

OPEN = {"__init__.py", "activations.py", "tokens.py", "types.py"}
"""Modules of course.given that graded code may use. The others are for experiments."""

LEARNER = (
    "__init__", "answers", "desk", "diagnosis", "diary", "distributions", "fits", "notebooks",
    "notices", "report", "specs", "standins", "tree", "trial", "wire",
)  # fmt: skip

REFUSAL = '''"""A module for experiments, which are not run where notebooks are graded."""


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)

    def refuse(*arguments, **named):
        raise RuntimeError(
            f"{name} of course.given is for experiments; in a graded function, write it yourself"
        )

    return refuse
'''


@cache
def folder() -> Path:
    """The library, made once per process and removed at its end."""
    made = Path(tempfile.mkdtemp(prefix="unrolled-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    fill(made)
    return made


def fill(target: Path) -> None:
    """Write the library into a folder.

    Parameters
    ----------
    target : Path
        Made if it is not there; must be empty.
    """
    autograder, course = (Path(str(resources.files(name))) for name in ("autograder", "course"))
    for name in LEARNER:
        _copy(autograder / f"{name}.py", target / "autograder" / f"{name}.py")
    for path in (
        autograder / "grading" / name for name in ("__init__.py", "child.py", "frames.py")
    ):
        _copy(path, target / "autograder" / path.relative_to(autograder))
    for path in (autograder / "grading" / "sandbox").glob("*.py"):
        _copy(path, target / "autograder" / path.relative_to(autograder))
    _copy(course / "__init__.py", target / "course" / "__init__.py")
    (target / "course" / "given").mkdir()
    for path in (course / "given").iterdir():
        place = target / "course" / "given" / path.name
        if path.name in OPEN:
            _copy(path, place)
        elif path.suffix == ".py" or (path / "__init__.py").exists():
            place.with_suffix(".py").write_text(REFUSAL, "utf-8")


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
