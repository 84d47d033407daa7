"""The instructor's commands."""

import argparse
import contextlib
import importlib.util
import json
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from textwrap import shorten
from typing import Any
from zoneinfo import ZoneInfo

from autograder.grading import doctor

NEEDED = ("nbgrader", "nbclient", "tqdm", "solutions")


def add_commands(commands: Any) -> None:
    """Add `class`, `grade`, `regrade`, `report`, `export`, `doctor` and `demo` to a parser."""
    _class_commands(commands.add_parser("class", help="make a class, release an assignment"))
    _assignment_commands(commands)
    doctor.add_command(commands)
    demo = commands.add_parser("demo", help="all of it on a small class, in a temporary folder")
    demo.add_argument("--keep", type=Path, metavar="DIR", help="make the class here")
    demo.set_defaults(run=_guarded(_demo))


def _on_a_class(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], does: str
) -> Any:
    """A command whose first argument is a class folder."""
    command = commands.add_parser(name, help=does)
    command.add_argument("folder", type=Path, metavar="DIR")
    command.set_defaults(run=_guarded(run))
    return command


def _class_commands(classes: argparse.ArgumentParser) -> None:
    actions = classes.add_subparsers(required=True, metavar="ACTION")
    new = _on_a_class(actions, "new", _new, "make a class folder")
    new.add_argument(
        "--late-per-day", type=_percent, metavar="PERCENT", help="what a day of lateness costs"
    )
    add = _on_a_class(actions, "add-students", _add_students, "enter learners from a roster")
    add.add_argument(
        "roster", type=Path, metavar="CSV", help="with a column id; or of Canvas, Moodle"
    )
    release = _on_a_class(actions, "release", _release, "make a unit's notebook for learners")
    release.add_argument("assignment", help="a unit, such as 02_rnn_forward")
    release.add_argument("--due", type=_time, metavar="WHEN", help="such as '2026-01-31 18:00 UTC'")
    release.add_argument("--zip", action="store_true", help="also as one zip file, for an LMS")
    collect = _on_a_class(actions, "collect", _collect, "take what is handed in out of an archive")
    collect.add_argument("assignment", metavar="A")
    collect.add_argument("archive", type=Path, metavar="ZIP", help="of Canvas, Moodle, Blackboard")
    collect.add_argument(
        "--zone", type=_zone, default="UTC", help="of the LMS's clock, such as Europe/Berlin (UTC)"
    )
    feedback = _on_a_class(actions, "feedback", _feedback, "the feedback pages as a zip file")
    feedback.add_argument("assignment", metavar="A")
    for command in (add, collect):
        command.add_argument("--dry-run", action="store_true", help="say what would be done")


def _assignment_commands(commands: Any) -> None:
    grade = _on_a_class(commands, "grade", _grade, "grade what learners have handed in")
    grade.add_argument(
        "--no-feedback", action="store_true", help="marks only; the next run writes the pages"
    )
    regrade = _on_a_class(
        commands, "regrade", _regrade, "grade again what a mended exercise touches"
    )
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
    report = _on_a_class(commands, "report", _report, "a class at a glance, as an HTML page")
    report.add_argument("--json", action="store_true", help="print the figures as JSON")
    report.add_argument("--anonymous", action="store_true", help="leave the learners' names out")
    report.add_argument(
        "--integrity", action="store_true", help="add pairs whose answers have much in common"
    )
    export = _on_a_class(commands, "export", _export, "the gradebook's marks")
    export.add_argument("--format", choices=["csv", "json", "canvas", "moodle"], default="csv")
    export.add_argument(
        "--into", type=Path, metavar="CSV", help="a gradebook exported from Canvas or Moodle"
    )
    for command in (grade, regrade, report, export):
        command.add_argument("--assignment", metavar="A", help="all that are released by default")


def _positive(text: str) -> int:
    if not text.isdigit() or not int(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of 1 or more")
    return int(text)


def _percent(text: str) -> float:
    with contextlib.suppress(ValueError):
        if 0 <= float(text) <= 100:
            return float(text)
    raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 100")


def _time(text: str) -> datetime:
    """A time with its zone; without one, nobody knows which hour is meant."""
    from dateutil.parser import ParserError, parse

    with contextlib.suppress(ParserError, OverflowError):
        found = parse(text)
        if found.tzinfo is not None:
            return found.astimezone(UTC)
    raise argparse.ArgumentTypeError(f"{text!r} is no time with a zone; write 2026-01-31 18:00 UTC")


def _zone(text: str) -> ZoneInfo:
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time zone; write one such as Europe/Berlin"
        ) from None


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

    classroom.new(options.folder, options.late_per_day)
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
    books = Books(folder)
    books.generate(unit)
    if options.due:
        books.set_due(unit, options.due)
        print(f"Due {options.due:%Y-%m-%d %H:%M} UTC.")
    print(f"Give this to the learners: {folder / 'release' / unit / name}")
    if options.zip:
        files = sorted(path for path in (folder / "release" / unit).rglob("*") if path.is_file())
        made = _zipped(files, folder / "release", folder / f"{unit}.zip")
        print(f"or, zipped:                {made}")
    print(f"What they hand in goes to:  {folder / 'submitted' / 'LEARNER' / unit / name}")
    print(f"Next: unrolled grade {folder}")
    return 0


def _zipped(files: Iterable[Path], beneath: Path, target: Path) -> Path:
    """A zip file of these files, each under its path beneath a folder."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.relative_to(beneath))
    return target


def _add_students(options: argparse.Namespace) -> int:
    from autograder.grading import classroom, roster
    from autograder.grading.books import Books

    books = Books(classroom.require(options.folder))
    read = roster.read(options.roster)
    known = {student.id for student in books.students()}
    listed = {student.id for student in read.students}
    if not options.dry_run:
        books.add_students(read.students)
    would = "would be " if options.dry_run else ""
    print(f"{len(listed - known)} {would}added, {len(listed & known)} known ({read.kind}).")
    for line in read.skipped:
        print(f"passed over  {line}")
    for student in sorted(known - listed):
        print(f"not listed   {student} (in the class, and kept)")
    print(f"Next: unrolled class release {options.folder} 02_rnn_forward")
    return 0


def _collect(options: argparse.Namespace) -> int:
    from autograder.grading import classroom
    from autograder.grading.books import Books
    from autograder.grading.collect import collect

    folder, assignment = classroom.require(options.folder), options.assignment
    released = classroom.released(folder, assignment)
    if len(released) != 1:
        said = f"has {len(released)} notebooks" if released else "is not released"
        raise classroom.ClassError(f"{assignment} {said}; an archive is collected into exactly one")
    students = Books(folder).students()
    if not students:
        raise classroom.ClassError(
            f"nobody is in the class; run: unrolled class add-students {folder} ROSTER.csv"
        )
    write, zone = not options.dry_run, options.zone
    done = collect(folder, assignment, options.archive, students, released[0], write, zone)
    print(f"{len(done.taken)} {'' if write else 'would be '}collected.")
    print(f"Times in the archive are taken as those of {zone}; see --zone.")
    for student in done.replaced:
        print(f"replaced     {student} (another notebook was there)")
    for member, why in done.left:
        print(f"left out     {member}: {why}")
    for student in done.missing:
        print(f"nothing of   {student}")
    print(f"Next: unrolled grade {folder} --assignment {assignment}")
    return 1 if done.left else 0


def _feedback(options: argparse.Namespace) -> int:
    from autograder.grading import classroom

    folder, assignment = classroom.require(options.folder), options.assignment
    pages = sorted((folder / "feedback").glob(f"*/{assignment}/*.html"))  # beside them are secrets
    if not pages:
        raise classroom.ClassError(f"{assignment} has no pages yet; run: unrolled grade {folder}")
    made = _zipped(pages, folder / "feedback", folder / f"feedback-{assignment}.zip")
    print(f"{len({page.parents[1] for page in pages})} learners' pages: {made}")
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
    from autograder.grading.grade import alike, surveyed

    surveys = [surveyed(options.folder, assignment) for assignment in _chosen(options)]
    if options.json:
        print(json.dumps([survey.summary(options.anonymous) for survey in surveys], indent=1))
        return 0
    for survey in surveys:
        pairs = alike(options.folder, survey.assignment) if options.integrity else None
        print(overview.page(options.folder, survey, options.anonymous, pairs))
        if survey.ungraded:
            left = f"{len(survey.ungraded)} of its submissions have no result"
            print(f"  {left}; run: unrolled grade {options.folder}")
    return 0


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
    from autograder.grading.classroom import ClassError

    if options.into is None:
        raise ClassError(
            f"export the gradebook from {options.format.capitalize()} first, and name the file: "
            f"unrolled export {options.folder} --format {options.format} --into FILE.csv"
        )
    filled = export.fill(options.into, marks, students)
    sys.stdout.write(filled.sheet.text())
    for student in filled.missing:
        print(f"unrolled: {student} has marks, but no line in {options.into}", file=sys.stderr)
    for student in filled.unmarked:
        print(f"unrolled: {student} has no marks", file=sys.stderr)


def _demo(options: argparse.Namespace) -> int:
    import tempfile

    from autograder.grading.demo import demo

    folder = options.keep or Path(tempfile.mkdtemp(prefix="unrolled-demo-"))
    with contextlib.suppress(BrokenPipeError):
        demo(folder)
    return 0
