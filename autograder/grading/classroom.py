"""A class: an nbgrader course folder with a secret, and what is done with it."""

import contextlib
import fcntl
import json
import os
import re
import secrets as random
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

from autograder.grading import files, tasks, versions
from autograder.grading.alike import fingerprint
from autograder.grading.errors import ClassError, typed
from autograder.grading.journal import Journal, Results
from autograder.grading.judge import Result, common_key
from autograder.grading.sanitise import (
    MAX_FILE,
    Clean,
    Notebook,
    affordable,
    line,
    notebooks_in,
)
from autograder.grading.tasks import Job, Task
from autograder.notebooks import exercise_of, exercises
from autograder.trial import run

PRIVATE = ".unrolled"
CONFIG = '''"""nbgrader's settings for this class. Add your own below; what `configure` sets makes
`nbgrader autograde` and the formgrader grade with Unrolled's judge."""

from autograder.grading.bridge import configure

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = {course!r}
configure(c, __file__)
'''


LATE = """
# What late work costs; see unrolled class release --due.
c.AssignLatePenalties.plugin_class = "autograder.grading.late.PerDay"
c.PerDay.percent = {percent:g}
"""


# ------------------------------------------------------------------ the folder


def new(folder: Path, late_per_day: float | None = None) -> None:
    """Make a class folder, for its owner's eyes only; one that is there keeps everything it has.

    Parameters
    ----------
    folder : Path
    late_per_day : float, optional
        Percent of the score that each day of lateness costs.
    """
    if not folder.exists():
        folder.mkdir(mode=0o700, parents=True)
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
        raise ClassError(f"{folder} is not a class; make one with: {typed('class', 'new', folder)}")
    return folder


def secret(folder: Path) -> bytes:
    """The class secret, from which inputs are drawn."""
    return bytes.fromhex((require(folder) / PRIVATE / "secret").read_text().strip())


def released(folder: Path, assignment: str) -> list[str]:
    """The names of an assignment's notebooks."""
    return sorted(path.name for path in (folder / "release" / assignment).glob("*.ipynb"))


def only_notebook(folder: Path, assignment: str) -> str:
    """The name of an assignment's notebook, of which there is one.

    Raises
    ------
    ClassError
        There are more, or none.
    """
    names = released(folder, assignment)
    if len(names) != 1:
        said = f"has {len(names)} notebooks" if names else "is not released"
        raise ClassError(f"{assignment} {said}; an archive is about exactly one")
    return names[0]


def assignments(folder: Path) -> list[str]:
    """What has been released, in order."""
    return sorted({path.parent.name for path in (folder / "release").glob("*/*.ipynb")})


def template(folder: Path, assignment: str, name: str) -> Notebook:
    """A notebook as it was released."""
    return read(folder / "release" / assignment / name)


def read(path: Path) -> Notebook:
    """A notebook of an instructor's.

    Raises
    ------
    ClassError
        It is none.
    """
    try:
        notebook: Notebook = json.loads(path.read_text("utf-8"))
        for cell in notebook["cells"]:
            cell["metadata"].items()  # it has some
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise ClassError(f"{path} is no notebook: {error}") from None
    return notebook


def submissions(folder: Path, assignment: str) -> list[str]:
    """The learners who have handed something in, by their folders."""
    return [name for name in _folders(folder, assignment) if harmless(name)]


def passed_over(folder: Path, assignment: str) -> list[str]:
    """The folders that can be no learner's."""
    return [name for name in _folders(folder, assignment) if not harmless(name)]


ODD_NAME = (
    "no learner's name may begin with a dot, or hold <, >, \", *, ?, [ or what is no character"
)


def harmless(student: str) -> bool:
    """Whether a folder's name leads nowhere else, can be written into any file, and is nothing to
    a terminal, to the formgrader's pages of HTML, or to nbgrader, which takes it for a pattern.

    Whoever writes into nbgrader's exchange by hand chooses that name.
    """
    return (
        not student.startswith(".")
        and not set(student) & set('<>"*?[')
        and line(student) == student
    )


def _folders(folder: Path, assignment: str) -> list[str]:
    paths = (folder / "submitted").glob(f"*/{assignment}")
    return sorted(path.parent.name for path in paths if path.is_dir())


def handed_in(folder: Path, assignment: str, student: str) -> dict[str, bytes]:
    """The notebooks in a learner's folder, unread, by file name.

    Only regular files, in a folder that is no link, and no more than `sanitise` will look at: a
    longer one is refused there, by its length, and of many beside the right ones it opens few.
    """
    found: dict[str, bytes] = {}
    place = folder / "submitted" / student / assignment
    if place.is_symlink():  # to somebody else's work, or to the instructor's
        return found
    right, all_ = released(folder, assignment), notebooks_in(place)
    with contextlib.suppress(OSError):  # what is gone, or cannot be read, is not there
        others = affordable([path for path in all_ if path.name not in right])
        for path in chain((path for path in all_ if path.name in right), others):
            with contextlib.suppress(OSError, ValueError), files.plain(path) as file:
                found[path.name] = file.read(MAX_FILE + 1)
    return found


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
        require_gradable(label, notebook)
    prints = {label: tasks.template_print(notebook) for label, notebook in templates.items()}
    return Job(secret(folder), templates, prints, versions.judge())


def require_gradable(label: str, notebook: Notebook) -> None:
    """That something can give the points of every cell of a notebook.

    Raises
    ------
    ClassError
    """
    for cell in notebook["cells"]:
        if why := _ungradable(cell):
            named = cell["metadata"]["nbgrader"]["grade_id"]
            raise ClassError(f"{label}: the cell {named} {why}")


def _ungradable(cell: dict[str, Any]) -> str:
    """Why no judge and no person could give the points of a cell, or nothing."""
    grading = cell["metadata"].get("nbgrader", {})
    if grading.get("task"):
        return (
            "is a task, for cells that learners add, and those are left out when they are graded; "
            "make it a manually graded answer"
        )
    code = cell["cell_type"] == "code" and grading.get("grade")
    if code and not grading["solution"] and not exercise_of(cell):
        return "bears points, but checks no exercise; nbgrader would give full marks to everybody"
    return ""


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
    result = results(folder).latest(student, label)
    if tasks.is_of(handed_in(folder, label.split("/")[0], student), result):
        return result
    return as_it_is(folder, label, student)[1] if result else None


def as_it_is(folder: Path, label: str, student: str) -> tuple[Clean, Result | None]:
    """What is handed in now, and the result on it, if there is one."""
    released_as = template(folder, *_file(label))
    clean = tasks.read(released_as, task(folder, label, student))
    result = results(folder).latest(student, label)
    return clean, result if result and result["answers"] == tasks.digests(clean) else None


def _file(label: str) -> tuple[str, str]:
    assignment, stem = label.split("/")
    return assignment, f"{stem}.ipynb"


def lost(folder: Path) -> Journal:
    """What could not be graded: [assignment's notebook, learner, hash of the files, why]."""
    return Journal(require(folder) / PRIVATE / "lost.jsonl")


def pages(folder: Path) -> Journal:
    """Which pages have been written: [assignment's notebook, learner, stamp], the latest last."""
    return Journal(require(folder) / PRIVATE / "pages.jsonl")
