"""A class: an nbgrader course folder with a secret, and what is done with it."""

import hashlib
import json
import os
import re
import secrets as random
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path

from autograder.grading.judge import Result, grade_notebook
from autograder.grading.sanitise import Clean, Notebook, sanitise
from autograder.notebooks import source_of

PRIVATE = ".unrolled"
CONFIG = '''"""nbgrader's settings for this class. Add your own below; what `configure` sets makes
`nbgrader autograde` and the formgrader grade with Unrolled's judge."""

from autograder.grading.bridge import configure

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = {course!r}
configure(c)
'''


class ClassError(Exception):
    """Something about a class folder that its owner can mend."""


# ------------------------------------------------------------------ the folder


def new(folder: Path) -> None:
    """Make a class folder; one that is there already keeps everything it has.

    Parameters
    ----------
    folder : Path
    """
    for part in ("source", "release", "submitted", "autograded", "feedback", PRIVATE):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / PRIVATE).chmod(0o700)
    config = folder / "nbgrader_config.py"
    if not config.exists():
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name)
        config.write_text(CONFIG.format(course=name), "utf-8")
    secret = folder / PRIVATE / "secret"
    if not secret.exists():
        descriptor = os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with open(descriptor, "w") as file:
            file.write(random.token_hex(32))


def require(folder: Path) -> Path:
    """The folder, if it is a class.

    Raises
    ------
    ClassError
    """
    if not (folder / PRIVATE / "secret").is_file():
        raise ClassError(f"{folder} is not a class; make one with: unrolled class new {folder}")
    return folder


def secret(folder: Path) -> bytes:
    """The class secret, from which inputs are drawn."""
    return bytes.fromhex((require(folder) / PRIVATE / "secret").read_text().strip())


def released(folder: Path, assignment: str) -> list[str]:
    """The names of an assignment's notebooks."""
    return sorted(path.name for path in (folder / "release" / assignment).glob("*.ipynb"))


def assignments(folder: Path) -> list[str]:
    """What has been released, in order."""
    return sorted(p.name for p in (folder / "release").iterdir() if released(folder, p.name))


def template(folder: Path, assignment: str, name: str) -> Notebook:
    """A notebook as it was released."""
    path = folder / "release" / assignment / name
    notebook: Notebook = json.loads(path.read_text("utf-8"))
    return notebook


def submissions(folder: Path, assignment: str) -> list[str]:
    """The learners who have handed something in, by their folders."""
    paths = (folder / "submitted").glob(f"*/{assignment}")
    return sorted(path.parent.name for path in paths if path.is_dir())


# ------------------------------------------------------------------ results


@cache
def version() -> str:
    """What judges: a hash of the exercises, the reference and the judge itself."""
    digest = hashlib.sha256()
    for package in ("autograder", "solutions", "course"):
        root = Path(str(resources.files(package)))
        for path in sorted(root.rglob("*.py")):
            if "tests" not in path.parts:
                digest.update(path.relative_to(root).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()


def result_key(folder: Path, assignment: str, student: str, clean: Clean) -> str:
    """What a result depends on, and nothing else."""
    facts = [version(), assignment, student, sorted(clean.answers.items()), sorted(clean.extra)]
    cells = [source_of(cell) for cell in clean.notebook["cells"]]
    text = json.dumps([facts, cells, list(clean.remarks)])
    return hashlib.sha256(secret(folder) + text.encode()).hexdigest()


def _results_file(folder: Path) -> Path:
    return folder / PRIVATE / "results.jsonl"


def stored(folder: Path) -> dict[str, Result]:
    """The results so far, by key. A line that was cut short is passed over."""
    path = _results_file(folder)
    return _stored(path, path.stat().st_size) if path.exists() else {}


@lru_cache(maxsize=1)
def _stored(path: Path, size: int) -> dict[str, Result]:
    """The results in a file of that size; it only ever grows."""
    return dict(_lines(path))


def _lines(path: Path) -> Iterator[tuple[str, Result]]:
    for line in path.read_text("utf-8").splitlines():
        try:
            key, result = json.loads(line)
        except ValueError:
            continue
        yield key, result


def store(folder: Path, key: str, result: Result) -> None:
    """Append a result, whole or not at all."""
    line = json.dumps([key, result])
    with open(_results_file(folder), "ab", buffering=0) as file:
        file.write(f"\n{line}\n".encode())  # a line that an earlier run left cut short ends here


def judged(folder: Path, assignment: str, student: str, clean: Clean, notebook: str) -> Result:
    """The stored result on these answers, or a new one, which is stored."""
    key = result_key(folder, assignment, student, clean)
    known = stored(folder).get(key)
    if known is None:
        known = grade_notebook(clean, student, f"{assignment}/{notebook}", secret(folder))
        store(folder, key, known)
    return known


def cleaned(folder: Path, assignment: str, student: str) -> dict[str, Clean]:
    """A learner's notebooks of an assignment, fit for grading, by name."""
    place = folder / "submitted" / student / assignment
    return {
        name: sanitise(template(folder, assignment, name), place, name)
        for name in released(folder, assignment)
    }
