"""Grading a class: judge what is handed in, enter the marks, write the pages.

Whatever ends a run, the next one goes on from there: results are kept as they come, marks are
entered in whole transactions, and files are written whole.
"""

import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from autograder.grading import classroom, integrity, pages, tasks
from autograder.grading.books import Books, Sheet
from autograder.grading.classroom import ODD_NAME
from autograder.grading.errors import ClassError
from autograder.grading.journal import Journal
from autograder.grading.judge import Result
from autograder.grading.pages import Page
from autograder.grading.sandbox import tiers
from autograder.grading.sanitise import line
from autograder.grading.survey import Survey, survey
from autograder.grading.tasks import Done, Job, Task
from autograder.grading.workers import Executor, Local, Lost, WorkersFailed, cpus
from autograder.report import Rung

BATCH = 100
"""Results in one transaction: a transaction costs as much as ten of them."""

PAGES = 30
"""Pages that are worth one more process: its start costs as much as some thirty of them."""


class How(NamedTuple):
    """Where a run takes place, and what it shows.

    Attributes
    ----------
    workers : int, optional
        Processes of this machine; as many as it has processors, if left out.
    dask : str, optional
        The address of a dask scheduler, whose workers judge.
    trust : bool, optional
        Run the submissions where there is no sandbox, too.
    quiet : bool, optional
        Show no progress.
    feedback : bool, optional
        Write the pages, too; otherwise the next run does.
    say : callable, optional
        Takes what an instructor should know, a line at a time.
    """

    workers: int | None = None
    dask: str | None = None
    trust: bool = False
    quiet: bool = False
    feedback: bool = True
    say: Callable[[str], None] = lambda line: tqdm.write(line, file=sys.stderr)

    @property
    def processes(self) -> int:
        return self.workers or cpus()

    def placed(self, job: Job) -> Job:
        """A job that knows its sandbox; on a cluster each worker has its own."""
        if self.dask is None:
            return job._replace(tier=tiers.require(self.trust))
        return job._replace(trust=self.trust)

    def executor(self, job: Job) -> Executor:
        """What runs the tasks of a job that is placed."""
        if self.dask is None:
            return Local(partial(tasks.opened, job), self.processes)
        from autograder.grading.cluster import Dask

        return Dask(partial(tasks.opened, job), self.dask)


class Pair(NamedTuple):
    """One notebook, by its label, of one learner."""

    label: str
    student: str

    @property
    def assignment(self) -> str:
        return self.label.split("/")[0]

    @property
    def stem(self) -> str:
        return self.label.split("/")[1]


class Graded(NamedTuple):
    """What came of a run: results in the order of the pairs, and whose pages were written."""

    results: list[Result]
    pages: list[Pair]


def grade(folder: Path, *assignments: str, quiet: bool = False, **how: Any) -> list[Result]:
    """Grade all submissions of some assignments, and write marks and feedback.

    Parameters
    ----------
    folder : Path
        A class.
    *assignments : str
    quiet : bool, optional
    **how
        See `How`.

    Returns
    -------
    list of dict
        One result per learner and notebook. Results that are stored already are not made again. One
        that could not be made says why under "lost".
    """
    pairs = [pair for assignment in assignments for pair in handed_in(folder, assignment)]
    chosen = How(quiet=quiet, **how)
    for assignment in assignments:
        for name in classroom.passed_over(folder, assignment):
            chosen.say(f"passed over: {name!r}: {ODD_NAME}")
    return run(folder, pairs, chosen).results


def handed_in(folder: Path, assignment: str) -> list[Pair]:
    """What there is to grade of an assignment.

    Raises
    ------
    ClassError
        Nothing.
    """
    classroom.require(folder)
    if assignment not in classroom.assignments(folder):
        known = ", ".join(classroom.assignments(folder)) or "nothing"
        raise ClassError(f"{assignment!r} is not released in {folder}; released is {known}")
    students = classroom.submissions(folder, assignment)
    if not students:
        place = folder / "submitted" / "LEARNER" / assignment
        raise ClassError(f"nothing is handed in; put the notebooks into {place}")
    names = classroom.released(folder, assignment)
    return [Pair(tasks.label(assignment, name), student) for student in students for name in names]


def surveyed(folder: Path, assignment: str) -> Survey:
    """What came of an assignment so far; what has no result on what is handed in is named."""
    found = {
        pair: classroom.up_to_date(folder, pair.label, pair.student)
        for pair in handed_in(folder, assignment)
    }
    results = [result for result in found.values() if result is not None]
    lost = {tuple(known): why for *known, why in classroom.lost(folder).unread()}
    ungraded = [
        (pair.student, f"{pair.stem}: {_why_not(folder, pair, lost)}")
        for pair, result in found.items()
        if result is None
    ]
    ungraded += [(line(name), ODD_NAME) for name in classroom.passed_over(folder, assignment)]
    students = [student.id for student in Books(folder).students()]
    return survey(assignment, results, ungraded, students)


def _why_not(folder: Path, pair: Pair, lost: dict[tuple[str, ...], str]) -> str:
    """Why there is no result on what is handed in."""
    files = tasks.files_print(classroom.task(folder, *pair).files)
    why = lost.get((*pair, files))
    return f"it could not be graded: {why}" if why else "not graded since it was handed in"


def alike(folder: Path, assignment: str) -> list[integrity.Pair]:
    """Pairs of learners whose answers have more in common than chance would have it."""
    code: dict[str, dict[str, str]] = defaultdict(dict)
    outputs: dict[str, dict[str, str]] = defaultdict(dict)
    for pair in handed_in(folder, assignment):
        clean, result = classroom.as_it_is(folder, pair.label, pair.student)
        checks = result["checks"].values() if result else ()
        for check in (check for check in checks if check["rung"] != Rung.NOT_ATTEMPTED):
            name = check["name"]
            text = integrity.normal(clean.answers.get(name, ""), name)
            if text is not None:
                code[name][pair.student] = text
            if check["alike"]:
                outputs[name][pair.student] = check["alike"]
    return integrity.pairs(code, outputs)


def run(folder: Path, pairs: Sequence[Pair], how: How) -> Graded:
    """Judge, enter and write these; see `grade`."""
    job = how.placed(classroom.job(folder, sorted({pair.assignment for pair in pairs})))
    with classroom.locked(folder):
        books = Books(folder)
        try:
            results = _judge(folder, pairs, job, books, how)
            written = _write(folder, pairs, job, books, results, how) if how.feedback else []
        except WorkersFailed as error:
            raise ClassError(str(error)) from None
    return Graded([results[pair] for pair in pairs], written)


# ------------------------------------------------------------------ marks


def _judge(
    folder: Path, pairs: Sequence[Pair], job: Job, books: Books, how: How
) -> dict[Pair, Result]:
    """All results; new ones are stored as they come, and all are entered."""
    results: dict[Pair, Result] = {}
    judged = _judged(folder, pairs, job, how)
    while batch := dict(islice(judged, BATCH)):
        results |= batch
        for assignment in sorted({pair.assignment for pair in batch}):
            mine = [result for pair, result in batch.items() if pair.assignment == assignment]
            for notice in books.enter(assignment, mine):
                how.say(notice)
    return results


def _judged(
    folder: Path, pairs: Sequence[Pair], job: Job, how: How
) -> Iterator[tuple[Pair, Result]]:
    """Results in the order in which they are ready: first those that stand, as they are stored."""
    latest, todo, lost = classroom.results(folder).latest, list[Pair](), 0
    with _bar("judging", len(pairs), how) as bar:
        for pair in pairs:
            result = latest(pair.student, pair.label)
            if result and tasks.stands(job, classroom.task(folder, *pair), result):
                bar.update()
                yield pair, result
            else:
                todo.append(pair)
        work = (classroom.task(folder, *pair) for pair in todo)
        for task, answer in how.executor(job).run(work):
            result = _kept(folder, task, answer)
            lost += "lost" in result
            bar.set_postfix_str(f"{lost} could not be graded" if lost else "", refresh=False)
            bar.update()
            yield Pair(task.label, task.student), result


def _kept(folder: Path, task: Task, answer: Done | Lost) -> Result:
    """A result, stored if it is new; one that says so, and is not stored, if there is none."""
    if isinstance(answer, Lost):
        known = [task.label, task.student, tasks.files_print(task.files)]
        classroom.lost(folder).append([*known, answer.why])
        return _none(task, answer.why)
    results = classroom.results(folder)
    if answer.result is not None:
        results.add(answer.key, answer.result)
    elif answer.key != results.keys(task.student, task.label)[-1]:
        results.add(answer.key, results[answer.key])  # it holds again
    return results[answer.key]


def _none(task: Task, why: str) -> Result:
    """What is said where nothing can be said: nobody's mark is lost without a word."""
    return {
        "student": task.student,
        "assignment": task.label,
        "checks": {},
        "outputs": {},
        "remarks": [f"It could not be graded: {why}. Grade it again, or mark it by hand."],
        "tier": "",
        "seconds": 0.0,
        "lost": why,
    }


# ------------------------------------------------------------------ pages


def _write(
    folder: Path, pairs: Sequence[Pair], job: Job, books: Books, results: dict[Pair, Result],
    how: How,
) -> list[Pair]:  # fmt: skip
    """Write the pages that are not as they should be, and say whose they were."""
    sheets, journal, written = sheets_of(books, pairs), classroom.pages(folder), []
    todo = _outdated(folder, pairs, journal, results, sheets)
    work = (Page(classroom.task(folder, *pair), results[pair], sheets[pair]) for pair in todo)
    count = min(how.processes, 1 + len(todo) // PAGES)
    printers = Local(partial(pages.opened, folder.resolve(), job), count)
    with _bar("feedback", len(todo), how) as bar:
        for page, answer in printers.run(work):
            pair = Pair(page.task.label, page.task.student)
            bar.update()
            if answer:
                why = answer.why if isinstance(answer, Lost) else answer
                how.say(f"{pair.student}: no feedback page for {pair.label}: {why}")
            else:
                journal.append([*pair, todo[pair]])
                written.append(pair)
    return written


def sheets_of(books: Books, pairs: Sequence[Pair]) -> dict[Pair, Sheet]:
    """What the gradebook says on the assignments of these pairs."""
    return {
        Pair(f"{assignment}/{stem}", student): sheet
        for assignment in sorted({pair.assignment for pair in pairs})
        for (student, stem), sheet in books.sheets(assignment).items()
    }


def _outdated(
    folder: Path, pairs: Sequence[Pair], journal: Journal, results: dict[Pair, Result],
    sheets: dict[Pair, Sheet],
) -> dict[Pair, str]:  # fmt: skip
    """The pages that are missing, or say something else than they should, with their stamps."""
    written = {Pair(label, student): stamp for label, student, stamp in journal.unread()}
    stamps = {
        pair: pages.stamp(results[pair], sheets[pair])
        for pair in pairs
        if "lost" not in results[pair]
    }
    return {
        pair: stamp
        for pair, stamp in stamps.items()
        if written.get(pair) != stamp or not pages.are_there(folder, *pair)
    }


def _bar(title: str, count: int, how: How) -> "tqdm[Any]":
    """A progress bar, with rate and remaining time."""
    return tqdm(total=count, desc=title, unit=" notebooks", smoothing=0.05, disable=how.quiet)
