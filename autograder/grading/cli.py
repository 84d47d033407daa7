"""The instructor's commands."""

import argparse
import contextlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.grading import class_cli, doctor, listing
from autograder.grading.errors import ClassError, typed
from autograder.grading.options import guarded, on_a_class, positive

LMS = ("canvas", "moodle", "blackboard")


def add_commands(commands: Any) -> None:
    """Add `class`, `grade`, `regrade`, `report`, `export`, `doctor` and `demo` to a parser."""
    class_cli.add_commands(commands.add_parser("class", help="make a class, release an assignment"))
    _assignment_commands(commands)
    doctor.add_command(commands)
    demo = commands.add_parser("demo", help="all of it on a small class, in a temporary folder")
    demo.add_argument("--keep", type=Path, metavar="DIR", help="make the class here")
    demo.set_defaults(run=guarded(_demo))


def _assignment_commands(commands: Any) -> None:
    grade = on_a_class(commands, "grade", _grade, "grade what learners have handed in")
    grade.add_argument(
        "--no-feedback", action="store_true", help="marks only; the next run writes the pages"
    )
    regrade = on_a_class(
        commands, "regrade", _regrade, "grade again what a mended exercise touches"
    )
    for command in (grade, regrade):
        where = command.add_mutually_exclusive_group()
        where.add_argument(
            "--workers", type=positive, metavar="N", help="processes; one per processor by default"
        )
        where.add_argument("--dask", metavar="ADDRESS", help="judge on a dask cluster's workers")
        command.add_argument("--json", action="store_true", help="print what came of it as JSON")
        command.add_argument(
            "--trust-submissions",
            action="store_true",
            help="run them even without a sandbox",
        )
    report = on_a_class(commands, "report", _report, "a class at a glance, as an HTML page")
    printed = report.add_mutually_exclusive_group()
    printed.add_argument("--json", action="store_true", help="print the figures as JSON")
    printed.add_argument("--csv", action="store_true", help="print the figures as one table")
    report.add_argument("--anonymous", action="store_true", help="leave the learners' names out")
    report.add_argument(
        "--integrity", action="store_true", help="add pairs whose answers have much in common"
    )
    export = on_a_class(commands, "export", _export, "the gradebook's marks")
    export.add_argument("--format", choices=["csv", "json", *LMS], default="csv")
    export.add_argument(
        "--into", type=Path, metavar="CSV", help="a gradebook from there, or Moodle's worksheet"
    )
    export.add_argument(
        "--column", metavar="NAME", help="in that file, for one assignment whose name it has not"
    )
    for command in (grade, regrade, report, export):
        command.add_argument("--assignment", metavar="A", help="all that are released by default")


def _chosen(options: argparse.Namespace) -> Iterator[str]:
    """The assignments that a command is about."""
    from autograder.grading import classroom

    folder = classroom.require(options.folder)
    if options.assignment:
        yield options.assignment
        return
    released = classroom.assignments(folder)
    if not released:
        raise ClassError(f"nothing is released in {folder}; see: unrolled class release")
    handed_in = [name for name in released if classroom.submissions(folder, name)]
    yield from handed_in or released


def _grade(options: argparse.Namespace) -> int:
    from autograder.grading.grade import grade

    how = {**_how(options), "feedback": not options.no_feedback}
    results = grade(options.folder, *_chosen(options), **how)
    if options.json:
        print(json.dumps(results, indent=1))
        return _lost(results)
    print("\n".join(listing.table(results)))
    there = f"pages in {options.folder / 'feedback'}"
    pages = "no pages are written yet" if options.no_feedback else there
    print(f"Marks are in nbgrader's gradebook of {options.folder}, {pages}.")
    print(f"Next: {typed('report', options.folder)}; {typed('export', options.folder)}")
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


def _report(options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from autograder.grading import classroom, overview, survey
    from autograder.grading.grade import alike, surveyed

    folder = options.folder
    chosen = list(_chosen(options))
    bar = tqdm(chosen, "counting", unit=" assignments", disable=len(chosen) == 1)
    surveys = [surveyed(folder, assignment) for assignment in bar]
    called = survey.numbers(surveys, classroom.secret(folder)) if options.anonymous else None
    if options.json or options.csv:
        _print_figures(options, [survey.anonymous(s, called) if called else s for s in surveys])
        return 0
    pairs = None
    if options.integrity:
        pairs = {each: alike(folder, each) for each in tqdm(chosen, "comparing")}
    name = f"overview-{options.assignment}" if options.assignment else "overview"
    print(overview.page(folder, surveys, called, pairs, name))
    for each in surveys:
        if each.ungraded:
            left = f"{len(each.ungraded)} of the submissions to {each.assignment} have no result"
            print(f"  {left}; the page says why")
    return 0


def _print_figures(options: argparse.Namespace, surveys: list[Any]) -> None:
    """The figures of a report, for other programs."""
    from autograder.grading import export, survey

    summaries = [each.summary() for each in surveys]
    if options.json:
        print(json.dumps(summaries, indent=1))
    else:
        rows = (row for summary in summaries for row in survey.rows(summary))
        sys.stdout.write(export.as_table(rows, survey.COLUMNS))


def _export(options: argparse.Namespace) -> int:
    from autograder.grading import export
    from autograder.grading.books import Books

    chosen = list(_chosen(options))
    books = Books(options.folder)
    marks = [mark for name in chosen for mark in books.marks(name)]
    if options.format == "json":
        print(json.dumps(export.as_json(marks), indent=1))
    elif options.format == "csv":
        sys.stdout.write(export.as_csv(marks))
    else:
        _fill(options, marks, books.students())
    return 0


def _fill(options: argparse.Namespace, marks: list[Any], students: list[Any]) -> None:
    """Marks in an LMS's own table, on standard output; what does not fit is said beside it."""
    from autograder.grading import export

    if options.into is None:
        raise ClassError(
            f"export the gradebook from {options.format.capitalize()} first, and name the file: "
            + typed("export", options.folder, "--format", options.format, "--into", "FILE.csv")
        )
    filled = export.fill(options.into, marks, students, options.column)
    sys.stdout.buffer.write(filled.sheet.data())
    sys.stdout.flush()
    for line in _beside(options.into, filled, marks):
        print(f"unrolled: {line}", file=sys.stderr)


def _beside(table: Path, filled: Any, marks: list[Any]) -> Iterator[str]:
    """What to know of a table that was filled."""
    for assignment, (column, added) in filled.columns.items():
        new = ", which was added: none had its name (see --column)" if added else ""
        yield f"the marks of {assignment} are in the column {column!r}{new}"
    for assignment, most in filled.mosts.items():
        full = max(mark.most for mark in marks if mark.assignment == assignment)
        yield (
            f"{table} says that {assignment} has {most:g} points, and here it has {full:g}; "
            f"marks are not scaled: make it {full:g} there"
        )
    waiting = sorted({mark.student for mark in marks if mark.manual})
    if waiting:
        said = ", ".join([*waiting[:5], *(["…"] if len(waiting) > 5 else [])])
        yield f"{len(waiting)} have questions that wait for a mark by hand, and count 0: {said}"
    for student, cell in filled.kept:
        yield f"{student} keeps {cell} in {table}"
    for student in filled.missing:
        yield f"{student} has marks, but no line in {table}"
    for student in filled.unmarked:
        yield f"{student} has no marks"


def _demo(options: argparse.Namespace) -> int:
    import tempfile

    from autograder.grading.demo import demo

    folder = options.keep or Path(tempfile.mkdtemp(prefix="unrolled-demo-"))
    with contextlib.suppress(BrokenPipeError):
        demo(folder)
    return 0
