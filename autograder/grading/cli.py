"""The instructor's commands."""

import argparse
import contextlib
import csv
import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from textwrap import shorten
from typing import Any

from autograder.grading import doctor

NEEDED = ("nbgrader", "nbclient", "tqdm", "solutions")


def add_commands(commands: Any) -> None:
    """Add `class`, `grade`, `regrade`, `report`, `export`, `doctor` and `demo` to a parser."""
    classes = commands.add_parser("class", help="make a class, release an assignment")
    actions = classes.add_subparsers(required=True, metavar="ACTION")
    new = actions.add_parser("new", help="make a class folder")
    new.add_argument("folder", type=Path, metavar="DIR")
    new.set_defaults(run=_guarded(_new))
    release = actions.add_parser("release", help="make a unit's notebook ready for learners")
    release.add_argument("folder", type=Path, metavar="DIR")
    release.add_argument("assignment", help="a unit, such as 02_rnn_forward")
    release.set_defaults(run=_guarded(_release))
    _assignment_commands(commands)
    doctor.add_command(commands)
    demo = commands.add_parser("demo", help="all of it on a small class, in a temporary folder")
    demo.add_argument("--keep", type=Path, metavar="DIR", help="make the class here")
    demo.set_defaults(run=_guarded(_demo))


def _assignment_commands(commands: Any) -> None:
    grade = commands.add_parser("grade", help="grade what learners have handed in")
    grade.set_defaults(run=_guarded(_grade))
    grade.add_argument(
        "--no-feedback", action="store_true", help="marks only; the next run writes the pages"
    )
    regrade = commands.add_parser("regrade", help="grade again what a mended exercise touches")
    regrade.set_defaults(run=_guarded(_regrade))
    for command in (grade, regrade):
        where = command.add_mutually_exclusive_group()
        where.add_argument(
            "--workers", type=_positive, metavar="N", help="processes; one per processor by default"
        )
        where.add_argument("--dask", metavar="ADDRESS", help="judge on a dask cluster's workers")
        command.add_argument("--json", action="store_true", help="print what came of it as JSON")
        command.add_argument(
            "--trust-submissions",
            action="store_true",
            help="run them even without a sandbox",
        )
    report = commands.add_parser("report", help="a class at a glance, as an HTML page")
    report.add_argument("--json", action="store_true", help="print the figures as JSON")
    report.add_argument("--anonymous", action="store_true", help="leave the learners' names out")
    report.set_defaults(run=_guarded(_report))
    export = commands.add_parser("export", help="the gradebook's marks")
    export.add_argument("--format", choices=["csv"], default="csv")
    export.set_defaults(run=_guarded(_export))
    for command in (grade, regrade, report, export):
        command.add_argument("folder", type=Path, metavar="DIR")
        command.add_argument("--assignment", metavar="A", help="all that are released by default")


def _positive(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
    return int(text)


def _guarded(run: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """A command that says what is missing, or what to mend, in one sentence."""

    def guarded(options: argparse.Namespace) -> int:
        missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
        if missing:
            print(
                f"unrolled: grading needs {', '.join(missing)}; use a checkout of the course, and "
                "run: pip install -e '.[grading,author]'",
                file=sys.stderr,
            )
            return 2
        from autograder.grading.classroom import ClassError
        from autograder.weave import WeaveError

        try:
            return run(options)
        except (ClassError, WeaveError) as error:
            print(f"unrolled: {error}", file=sys.stderr)
            return 2

    return guarded


def _new(options: argparse.Namespace) -> int:
    from autograder.grading import classroom

    classroom.new(options.folder)
    print(f"{options.folder} is a class. Keep {classroom.PRIVATE}/secret to yourself.")
    print(f"Next: unrolled class release {options.folder} 02_rnn_forward")
    return 0


def _release(options: argparse.Namespace) -> int:
    from autograder.grading import classroom
    from autograder.grading.books import Books
    from autograder.weave import instructor_notebook, text_of

    folder, unit = classroom.require(options.folder), options.assignment
    name = text_of(unit).with_suffix(".ipynb").name
    source = folder / "source" / unit / name
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(instructor_notebook(unit), "utf-8")
    Books(folder).generate(unit)
    print(f"Give this to the learners: {folder / 'release' / unit / name}")
    print(f"What they hand in goes to:  {folder / 'submitted' / 'LEARNER' / unit / name}")
    print(f"Next: unrolled grade {folder}")
    return 0


def _chosen(options: argparse.Namespace) -> Iterator[str]:
    """The assignments that a command is about."""
    from autograder.grading import classroom

    folder = classroom.require(options.folder)
    if options.assignment:
        yield options.assignment
        return
    released = classroom.assignments(folder)
    if not released:
        raise classroom.ClassError(f"nothing is released in {folder}; see: unrolled class release")
    handed_in = [name for name in released if classroom.submissions(folder, name)]
    yield from handed_in or released


def _grade(options: argparse.Namespace) -> int:
    from autograder.grading.grade import grade

    how = {**_how(options), "feedback": not options.no_feedback}
    results = grade(options.folder, *_chosen(options), **how)
    if options.json:
        print(json.dumps(results, indent=1))
        return _lost(results)
    print("\n".join(table(results)))
    there = f"pages in {options.folder / 'feedback'}"
    pages = "no pages are written yet" if options.no_feedback else there
    print(f"Marks are in nbgrader's gradebook of {options.folder}, {pages}.")
    print(f"Next: unrolled report {options.folder}; unrolled export {options.folder}")
    return _lost(results)


def _how(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "workers": options.workers,
        "dask": options.dask,
        "trust": options.trust_submissions,
        "quiet": options.json,
    }


def _lost(results: list[dict[str, Any]]) -> int:
    """The exit code: whether all could be graded; if not, who could not is said."""
    lost = [result for result in results if "lost" in result]
    for result in lost:
        print(
            f"unrolled: {result['student']}: {result['assignment']} could not be graded: "
            f"{result['lost']}",
            file=sys.stderr,
        )
    return 1 if lost else 0


def _regrade(options: argparse.Namespace) -> int:
    from autograder.grading.regrade import regrade

    done = regrade(options.folder, *_chosen(options), **_how(options))
    if options.json:
        moves = [move._asdict() for move in done.moves]
        counted = {"judged": len(done.results), "moves": moves, "feedback": done.feedback}
        print(json.dumps(counted, indent=1))
    else:
        print("\n".join(_moved(done)))
    return _lost(done.results)


def _moved(done: Any) -> Iterator[str]:
    """What came of grading again, as lines of text."""
    if not done.results:
        yield "Nothing that judges has changed since the last grading."
        return
    yield f"{len(done.results)} judged again, {len(done.moves)} marks moved."
    for move in done.moves:
        kept = "" if move.kept is None else f" (the mark {move.kept:g} given by hand stays)"
        before, after = (f"{mark:g}" if mark is not None else "open" for mark in move[3:5])
        yield f"{move.student}  {move.exercise}  {before} -> {after}{kept}  {move.why}"
    if done.feedback:
        yield f"Feedback to be sent again: {', '.join(done.feedback)}"


def table(results: list[dict[str, Any]]) -> Iterator[str]:
    """Results as lines of text: assignment by assignment, learner, mark, diagnosis."""
    width = max([len("learner"), *(len(result["student"]) for result in results)])
    for assignment, those in groupby(results, lambda result: result["assignment"]):
        yield f"{assignment}\n{'learner':<{width}}  {'mark':>9}  diagnosis"
        for result in those:
            checks = list(result["checks"].values())
            points, most = sum(c["points"] for c in checks), sum(c["max"] for c in checks)
            first, *more = [*_diagnoses(checks), *result["remarks"]] or ["all right"]
            yield f"{result['student']:<{width}}  {f'{points:g} of {most:g}':>9}  {first}"
            yield from (f"{'':<{width}}  {'':>9}  {line}" for line in more)
        yield ""


def _diagnoses(checks: list[dict[str, Any]]) -> list[str]:
    if checks and all(check["rung"] == "not attempted" for check in checks):
        return ["nothing attempted"]
    return [
        shorten(f"{check['name']}: {check['misconception'] or check['diagnosis']}", 100)
        for check in checks
        if not check["passed"]
    ]


def _report(options: argparse.Namespace) -> int:
    from autograder.grading import overview
    from autograder.grading.grade import surveyed

    surveys = [surveyed(options.folder, assignment) for assignment in _chosen(options)]
    if options.json:
        print(json.dumps([survey.summary() for survey in surveys], indent=1))
        return 0
    for survey in surveys:
        print(overview.page(options.folder, survey, options.anonymous))
        if survey.ungraded:
            left = f"{len(survey.ungraded)} of its submissions have no result"
            print(f"  {left}; run: unrolled grade {options.folder}")
    return 0


def _export(options: argparse.Namespace) -> int:
    from autograder.grading.books import Books

    chosen = list(_chosen(options))
    books = Books(options.folder)
    marks = [mark for name in chosen for mark in books.marks(name)]
    parts = list(dict.fromkeys(part for mark in marks for part in mark.parts))
    writer = csv.writer(sys.stdout, quoting=csv.QUOTE_NONNUMERIC)
    facts = ["student", "assignment", "score", "max_score", "late_penalty", "needs_manual_grade"]
    writer.writerow([*facts, *parts])
    for mark in marks:
        manual = "yes" if mark.manual else "no"
        cells = [mark.parts.get(part, "") for part in parts]
        known = [mark.student, mark.assignment, mark.score, mark.most, mark.penalty, manual]
        writer.writerow([*known, *cells])
    return 0


def _demo(options: argparse.Namespace) -> int:
    import tempfile

    from autograder.grading.demo import demo

    folder = options.keep or Path(tempfile.mkdtemp(prefix="unrolled-demo-"))
    with contextlib.suppress(BrokenPipeError):
        demo(folder)
    return 0
