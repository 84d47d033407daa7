"""The folder of Python modules that a learner's process may import: a library without answers.

It holds the learner's part of this package, and links to NumPy, matplotlib, IPython and what they
need. Nothing else that is installed can be imported there, be it PyTorch or nbgrader.
"""

import atexit
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import cache
from importlib import metadata, resources
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OPEN = {"__init__.py", "activations.py", "tokens.py", "types.py"}
"""Modules of course.given that graded code may use. The others are for experiments."""

LEARNER = (
    "__init__", "altered", "answers", "card", "curves", "desk", "diagnosis", "diary",
    "distributions", "fits", "formulas", "handed", "kernel", "kinds", "near", "notebooks",
    "notices", "parts", "raised", "report", "specs", "standins", "tree", "trial", "wire",
)  # fmt: skip
PROCESS = (
    "__init__", "child", "frames", "sandbox/__init__", "sandbox/hardening", "sandbox/kernel",
    "sandbox/landlock", "sandbox/namespaces", "sandbox/nursery", "sandbox/seccomp",
    "sandbox/syscalls",
)  # fmt: skip
"""Modules of autograder.grading that the learner's process itself is made of."""

PACKAGES = ("numpy", "matplotlib", "ipython")

SYSTEM = (
    "/lib", "/lib64", "/usr/lib", "/usr/lib64", "/nix/store", "/etc/ld.so.cache", "/etc/fonts",
    "/usr/share/fonts", "/usr/share/fontconfig", "/usr/share/zoneinfo", "/etc/localtime",
)  # fmt: skip
"""What Python and its packages read of the system: its libraries, its fonts and its time zone."""

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
def folder(packages: tuple[str, ...] = PACKAGES) -> Path:
    """The library, made once per process and removed at its end."""
    made = Path(tempfile.mkdtemp(prefix="unrolled-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    fill(made, packages)
    return made


def interpreter() -> list[str]:
    """The files and folders of Python itself, without its programs and without /usr/share."""
    libraries = [f"{sys.base_prefix}/{name}" for name in ("lib", "lib64")]
    return [str(Path(sys.executable).resolve()), *libraries]


def fill(target: Path, packages: tuple[str, ...] = PACKAGES) -> None:
    """Write the library into a folder.

    Parameters
    ----------
    target : Path
        Made if it is not there; must be empty.
    packages : tuple of str, optional
        Installed packages that it links to, with all that they need.
    """
    autograder, course = (Path(str(resources.files(name))) for name in ("autograder", "course"))
    modules = [*LEARNER, *(f"grading/{name}" for name in PROCESS)]
    for name in modules:
        _copy(autograder / f"{name}.py", target / "autograder" / f"{name}.py")
    _copy(course / "__init__.py", target / "course" / "__init__.py")
    (target / "course" / "given").mkdir()
    for path in (course / "given").iterdir():
        place = target / "course" / "given" / path.name
        if path.name in OPEN:
            _copy(path, place)
        elif path.suffix == ".py" or (path / "__init__.py").exists():
            place.with_suffix(".py").write_text(REFUSAL, "utf-8")
    for path in set(_places(packages)):  # packages of one namespace share a folder
        (target / path.name).symlink_to(path)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)


def _places(packages: tuple[str, ...]) -> Iterator[Path]:
    """The installed files and folders that the library links to."""
    for name in _needed(packages):
        distribution = metadata.distribution(name)
        tops = {file.parts[0] for file in distribution.files or ()}
        for top in tops - {"..", "__pycache__"}:
            yield Path(str(distribution.locate_file(top))).resolve()


def _needed(names: tuple[str, ...]) -> set[str]:
    """Packages with all that they need, without extras."""
    found: set[str] = set()
    todo = list(names)
    while todo:
        name = canonicalize_name(todo.pop())
        if name in found:
            continue
        found.add(name)
        wanted = map(Requirement, metadata.requires(name) or ())
        todo += [r.name for r in wanted if r.marker is None or r.marker.evaluate({"extra": ""})]
    return found
