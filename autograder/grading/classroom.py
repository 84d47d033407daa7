"""A class: an nbgrader course folder with a secret, and what is done with it."""

import contextlib
import fcntl
import json
import os
import re
import secrets as random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

from autograder.grading import tasks, versions
from autograder.grading.alike import fingerprint
from autograder.grading.journal import Journal, Results
from autograder.grading.judge import Result, common_key
from autograder.grading.sanitise import MAX_FILE, Clean, Notebook
from autograder.grading.tasks import Job, Task
from autograder.notebooks import exercise_of, exercises
from autograder.trial import run

PRIVATE = ".unrolled"
CONFIG = '''"""nbgrader's settings for this class. Add your own below; what `configure` sets makes
`nbgrader autograde` and the formgrader grade with Unrolled's judge."""

from autograder.grading.bridge import configure

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = {course!r}
configure(c)
'''


LATE = """
# What late work costs; see unrolled class release --due.
c.AssignLatePenalties.plugin_class = "autograder.grading.late.PerDay"
c.PerDay.percent = {percent:g}
"""


class ClassError(Exception):
    """Something about a class folder that its owner can mend."""


# ------------------------------------------------------------------ the folder


def new(folder: Path, late_per_day: float | None = None) -> None:
    """Make a class folder; one that is there already keeps everything it has.

    Parameters
    ----------
    folder : Path
    late_per_day : float, optional
        Percent of the score that each day of lateness costs.
    """
    for part in ("source", "release", "submitted", "autograded", "feedback", PRIVATE):
        (folder / part).mkdir(parents=True, exist_ok=True)
    (folder / PRIVATE).chmod(0o700)
    config = folder / "nbgrader_config.py"
    if not config.exists():
        name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder.resolve().name)
        late = "" if late_per_day is None else LATE.format(percent=late_per_day)
        config.write_text(CONFIG.format(course=name) + late, "utf-8")
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


def handed_in(folder: Path, assignment: str, student: str) -> dict[str, bytes]:
    """The notebooks in a learner's folder, unread, by file name.

    Only regular files, and of each no more than `sanitise` will look at: a longer one is refused
    there, by its length.
    """
    found = {}
    with contextlib.suppress(OSError):  # what is gone, or cannot be read, is not there
        for entry in os.scandir(folder / "submitted" / student / assignment):
            if entry.name.endswith(".ipynb") and entry.is_file(follow_symlinks=False):
                with contextlib.suppress(OSError):
                    found[entry.name] = _bytes(Path(entry.path))
    return found


def _bytes(path: Path) -> bytes:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    with open(descriptor, "rb") as file:
        return file.read(MAX_FILE + 1)


def job(folder: Path, assignments: Sequence[str]) -> Job:
    """What grading these assignments has in common.

    Raises
    ------
    ClassError
        A cell of a notebook bears points that nothing would give.
    """
    templates = {
        tasks.label(assignment, name): template(folder, assignment, name)
        for assignment in assignments
        for name in released(folder, assignment)
    }
    for label, notebook in templates.items():
        for cell in notebook["cells"]:
            grading = cell["metadata"].get("nbgrader", {})
            code = cell["cell_type"] == "code" and grading.get("grade")
            if code and not grading["solution"] and not exercise_of(cell):
                raise ClassError(
                    f"{label}: the cell {grading['grade_id']} bears points, but checks no "
                    "exercise; nbgrader would give full marks to everybody"
                )
    return Job(secret(folder), templates, versions.judge())


def task(folder: Path, label: str, student: str) -> Task:
    """One notebook of one learner, as it is handed in now."""
    known = frozenset(results(folder).keys(student, label))
    return Task(student, label, handed_in(folder, label.split("/")[0], student), known)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold a class for oneself; the system lets go of it when the process ends, however it ends."""
    with open(require(folder) / PRIVATE / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ClassError(f"{folder} is being graded by another process; wait for it") from None
        yield


def likeness(folder: Path, exercise: str, wanted: str) -> Callable[[Callable], bool]:
    """What tells whether a function does what a group of a class's wrong answers did.

    Parameters
    ----------
    folder : Path
    exercise : str
    wanted : str
        The group's fingerprint.

    Raises
    ------
    ClassError
        The exercise is in nothing that was released.
    """
    keys = [
        common_key(secret(folder), tasks.label(assignment, name), exercise)
        for assignment in assignments(require(folder))
        for name in released(folder, assignment)
        if exercise in exercises(template(folder, assignment, name))
    ]
    if not keys:
        raise ClassError(f"{exercise} is in nothing that was released in {folder}")
    return lambda function: any(fingerprint(run(function, key.cases)) == wanted for key in keys)


# ------------------------------------------------------------------ results


def results(folder: Path) -> Results:
    """The results so far."""
    return _results(require(folder).resolve() / PRIVATE / "results.jsonl").refresh()


@cache
def _results(path: Path) -> Results:
    """One reader of a file in a process, which reads only what is new."""
    return Results(path)


def up_to_date(folder: Path, label: str, student: str) -> Result | None:
    """The latest result on a notebook, if it is about what is handed in now."""
    return as_it_is(folder, label, student)[1]


def as_it_is(folder: Path, label: str, student: str) -> tuple[Clean, Result | None]:
    """What is handed in now, and the result on it, if there is one."""
    released_as = template(folder, *_file(label))
    clean = tasks.read(released_as, task(folder, label, student))
    result = results(folder).latest(student, label)
    return clean, result if result and result["answers"] == tasks.digests(clean) else None


def _file(label: str) -> tuple[str, str]:
    assignment, stem = label.split("/")
    return assignment, f"{stem}.ipynb"


def pages(folder: Path) -> Journal:
    """Which pages have been written: [assignment's notebook, learner, stamp], the latest last."""
    return Journal(require(folder) / PRIVATE / "pages.jsonl")
