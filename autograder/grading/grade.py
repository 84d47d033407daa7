"""Grading a class: judge every submission in parallel, then let one writer fill the books."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from autograder.grading import classroom
from autograder.grading.books import Books
from autograder.grading.classroom import ClassError
from autograder.grading.judge import Result, grade_notebook
from autograder.grading.sanitise import Clean


class Task(NamedTuple):
    """One notebook to judge: a pure function of these."""

    key: str
    student: str
    label: str
    clean: Clean
    secret: bytes


def grade(folder: Path, assignment: str, workers: int = 2, quiet: bool = False) -> list[Result]:
    """Grade all submissions of an assignment, and write marks and feedback.

    Parameters
    ----------
    folder : Path
        A class.
    assignment : str
    workers : int, optional
        Submissions that are judged at once.
    quiet : bool, optional
        Show no progress.

    Returns
    -------
    list of dict
        One result per learner and notebook. Results that are stored already are not made again.
    """
    classroom.require(folder)
    if assignment not in classroom.assignments(folder):
        known = ", ".join(classroom.assignments(folder)) or "nothing"
        raise ClassError(f"{assignment!r} is not released in {folder}; released is {known}")
    students = classroom.submissions(folder, assignment)
    if not students:
        place = folder / "submitted" / "LEARNER" / assignment
        raise ClassError(f"nothing is handed in; put the notebooks into {place}")
    tasks = [task for student in students for task in _tasks(folder, assignment, student)]
    results = _judge(folder, tasks, workers, quiet)
    _write(folder, assignment, students, quiet)
    return [results[task.key] for task in tasks]


def _tasks(folder: Path, assignment: str, student: str) -> Iterator[Task]:
    secret = classroom.secret(folder)
    for name, clean in classroom.cleaned(folder, assignment, student).items():
        key = classroom.result_key(folder, assignment, student, clean)
        yield Task(key, student, f"{assignment}/{Path(name).stem}", clean, secret)


def _judge(folder: Path, tasks: Sequence[Task], workers: int, quiet: bool) -> dict[str, Result]:
    """The results of all tasks; new ones are stored as they come."""
    known = dict(classroom.stored(folder))
    todo = [task for task in tasks if task.key not in known]
    spawn = multiprocessing.get_context("spawn")
    with (
        tqdm(
            total=len(tasks), initial=len(tasks) - len(todo), desc="judging", disable=quiet
        ) as bar,
        ProcessPoolExecutor(max(1, min(workers, len(todo))), mp_context=spawn) as pool,
    ):
        running: dict[Future[Result], Task] = {pool.submit(_work, task): task for task in todo}
        for done in as_completed(running):
            task = running[done]
            known[task.key] = done.result()
            classroom.store(folder, task.key, known[task.key])
            bar.update()
    return known


def _work(task: Task) -> Result:
    return grade_notebook(task.clean, task.student, task.label, task.secret)


def _write(folder: Path, assignment: str, students: Sequence[str], quiet: bool) -> None:
    """Marks and feedback into nbgrader's books, one learner after the other."""
    books = Books(folder)
    for student in tqdm(students, desc="gradebook", disable=quiet):
        place = folder / "submitted" / student / assignment
        if not any(place.glob("*.ipynb")):
            books.zero(assignment, student)
            continue
        books.autograde(assignment, student)
        books.feedback(assignment, student)
