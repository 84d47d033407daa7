"""`unrolled class`: the life of a class, from its folder to the feedback."""

import argparse
import sys
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from datetime import datetime
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

from autograder.grading.errors import ClassError, typed
from autograder.grading.options import moment, on_a_class, percent, zone


def add_commands(classes: argparse.ArgumentParser) -> None:
    """Add what one does with a class to a parser."""
    actions = classes.add_subparsers(required=True, metavar="ACTION")
    new = on_a_class(actions, "new", _new, "make a class folder")
    new.add_argument(
        "--late-per-day", type=percent, metavar="PERCENT", help="what a day of lateness costs"
    )
    add = on_a_class(actions, "add-students", _add_students, "enter learners from a roster")
    add.add_argument(
        "roster", type=Path, metavar="CSV", help="with a column id; or of Canvas, Moodle, …"
    )
    release = _of_assignment(actions, "release", _release, "make a unit's notebook for learners")
    release.add_argument("--due", type=moment, metavar="WHEN", help="such as 2026-01-31 18:00 UTC")
    release.add_argument("--zip", action="store_true", help="also as one zip file, for an LMS")
    release.add_argument("--exchange", action="store_true", help="also to nbgrader's exchange")
    release.add_argument(
        "--anew", action="store_true", help="the course's notebook, in place of one edited here"
    )
    extend = _of_assignment(actions, "extend", _extend, "give single learners more time")
    extend.add_argument("students", nargs="+", metavar="LEARNER")
    until = extend.add_mutually_exclusive_group(required=True)
    until.add_argument("--until", type=moment, metavar="WHEN", help="such as 2026-02-03 18:00 UTC")
    until.add_argument("--none", action="store_true", help="take the extension back")
    collect = _of_assignment(actions, "collect", _collect, "take in what is handed in")
    source = collect.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "archive", type=Path, nargs="?", metavar="ZIP", help="of Canvas, Moodle, Blackboard"
    )
    source.add_argument("--exchange", action="store_true", help="from nbgrader's exchange")
    collect.add_argument(
        "--zone", type=zone, default="UTC", help="of the LMS's clock, such as Europe/Berlin (UTC)"
    )
    feedback = _of_assignment(actions, "feedback", _feedback, "the feedback pages, to be given out")
    how = feedback.add_mutually_exclusive_group()
    how.add_argument("--each", action="store_true", help="a zip file for each learner")
    how.add_argument(
        "--archive", type=Path, metavar="ZIP", help="that was collected, to be uploaded again"
    )
    how.add_argument("--exchange", action="store_true", help="to nbgrader's exchange")
    for command in (collect, feedback):
        command.add_argument(
            "--worksheet", type=Path, metavar="CSV", help="Moodle's, which tells who, and when"
        )
    for command in (add, release, extend, collect, feedback):
        command.add_argument("--dry-run", action="store_true", help="say what would be done")


def _of_assignment(commands: Any, name: str, run: Any, does: str) -> Any:
    command = on_a_class(commands, name, run, does)
    command.add_argument("assignment", metavar="A", help="a unit, such as 02_rnn_forward")
    return command


def _new(options: argparse.Namespace) -> int:
    from autograder.grading import classroom

    known = (options.folder / classroom.PRIVATE / "secret").exists()
    classroom.new(options.folder, options.late_per_day)
    print(f"{options.folder} {'was a class before, and is as it was' if known else 'is a class'}.")
    if known and options.late_per_day is not None:
        print(f"What lateness costs is set in {options.folder / 'nbgrader_config.py'}.")
    print(f"Keep {classroom.PRIVATE}/secret to yourself.")
    print(f"Next: {typed('class', 'add-students', options.folder, 'ROSTER.csv')}, or at once")
    print(f"      {typed('class', 'release', options.folder, '02_rnn_forward')}")
    return 0


def _add_students(options: argparse.Namespace) -> int:
    from autograder.grading import classroom, roster
    from autograder.grading.books import Books
    from autograder.grading.sanitise import line

    books = Books(classroom.require(options.folder))
    read = roster.read(options.roster)
    there = books.students()
    same = roster.known_as(read.students, there)
    students = [each._replace(id=same.get(each.id, each.id)) for each in read.students]
    known, listed = {student.id for student in there}, {student.id for student in students}
    if not options.dry_run:
        books.add_students(students)
    would = "would be " if options.dry_run else ""
    print(f"{len(listed - known)} {would}added, {len(listed & known)} known ({read.kind}).")
    for row in map(line, read.skipped):
        print(f"passed over  {row}")
    for own, other in same.items():
        print(f"known as     {other} (in the roster {own}, of the same number or address)")
    named = roster.Known(there)
    for each in (each for each in students if each.id not in known):
        for twin in named.named(each.name):
            print(
                f"namesake     {each.id} is called as {twin.id} is; if they are one, see the guide"
            )
    for student in sorted(known - listed):
        print(f"not listed   {student} (in the class, and kept)")
    print(f"Next: {typed('class', 'release', options.folder, '02_rnn_forward')}")
    return 0


# ------------------------------------------------------------------ release


def _release(options: argparse.Namespace) -> int:
    from autograder.grading import classroom, files
    from autograder.grading.books import Books
    from autograder.weave import instructor_notebook, text_of

    folder, unit = classroom.require(options.folder), options.assignment
    text, name = instructor_notebook(unit), text_of(unit).with_suffix(".ipynb").name
    source = folder / "source" / unit / name
    edited = source.exists() and source.read_text("utf-8") != text and not options.anew
    if edited:
        print(f"{source} is not the course's, and is kept; --anew replaces it.")
    books = Books(folder)
    if options.dry_run:
        return _said("would release", options, *_released(options, books, name))
    try:
        with files.unharmed(source.parent), files.unharmed(folder / "release" / unit):
            if not edited:
                source.parent.mkdir(parents=True, exist_ok=True)
                source.write_text(text, "utf-8")
            classroom.require_gradable(f"{unit}/{source.stem}", classroom.read(source))
            books.generate(unit)
    except ClassError as error:
        mend = f"mend {source}, or release the course's own by --anew"
        raise ClassError(
            f"{error}; all is as it was{'' if options.anew else f': {mend}'}"
        ) from None
    if options.due:
        books.set_due(unit, options.due)
    if options.zip:
        made = folder / "release" / unit
        those = sorted(path for path in made.rglob("*") if path.is_file())
        _zipped(_zip_of(folder, unit), {file: file.relative_to(made.parent) for file in those})
    if options.exchange:
        from autograder.grading import exchange

        exchange.release(books, unit)
    _said("released", options, *_released(options, books, name))
    print(f"What they hand in goes to {folder / 'submitted' / 'LEARNER' / unit / name},")
    print("by hand or by unrolled class collect.")
    print(f"Next: {typed('grade', folder)}")
    return 0


def _released(options: argparse.Namespace, books: Any, name: str) -> Iterator[str]:
    """Where a release is, or would be."""
    from autograder.grading import exchange

    yield f"for the learners  {options.folder / 'release' / options.assignment / name}"
    if options.zip:
        yield f"the same, zipped  {_zip_of(options.folder, options.assignment)}"
    if options.exchange:
        yield f"in the exchange   {exchange.place(books) / 'outbound' / options.assignment}"
    if options.due:
        yield f"due               {_utc(options.due)}"


def _said(what: str, options: argparse.Namespace, *lines: str) -> int:
    print("\n".join([f"{what} {options.assignment}", *(f"  {line}" for line in lines)]))
    return 0


def _zip_of(folder: Path, unit: str) -> Path:
    return folder / f"{unit}.zip"


def _utc(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M} UTC"


def _zipped(target: Path, files: Mapping[Path, PurePath]) -> None:
    """A zip file of some files, each under another name."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, name in files.items():
            archive.write(file, name)


# ------------------------------------------------------------------ who has more time


def _extend(options: argparse.Namespace) -> int:
    from autograder.grading import classroom, extensions
    from autograder.grading.books import Books

    folder, assignment = classroom.require(options.folder), options.assignment
    books = Books(folder)
    due = books.due(assignment)
    if due is None:
        raise ClassError(
            f"{assignment} has no due date, so nobody is late; give it one with: "
            + typed("class", "release", folder, assignment, "--due", "WHEN")
        )
    if options.until and options.until <= due:
        raise ClassError(f"{assignment} is due {_utc(due)} as it is, not earlier")
    known = {student.id for student in books.students()}
    unknown = [student for student in options.students if student not in known]
    if unknown:
        raise ClassError(
            f"not in the class: {', '.join(unknown)}; enter them with: "
            + typed("class", "add-students", folder, "ROSTER.csv")
        )
    if not options.dry_run:
        extensions.grant(folder, assignment, options.students, options.until)
    would = "would have" if options.dry_run else "have" if len(options.students) > 1 else "has"
    until = f"until {_utc(options.until)}" if options.until else f"until {_utc(due)}, as everybody"
    print(f"{', '.join(options.students)} {would} time for {assignment} {until}.")
    print(f"All extensions are in {folder / extensions.FILE}.")
    print(f"Next: {typed('grade', folder, '--assignment', assignment)}")
    return 0


# ------------------------------------------------------------------ collect


def _collect(options: argparse.Namespace) -> int:
    from autograder.grading import classroom
    from autograder.grading.books import Books

    folder, assignment = classroom.require(options.folder), options.assignment
    books = Books(folder)
    students = books.students()
    if options.exchange:
        odd = _from_the_exchange(options, books, [student.id for student in students])
    elif students:
        odd = _from_an_archive(options, students)
    else:
        raise ClassError(
            "nobody is in the class; run: " + typed("class", "add-students", folder, "ROSTER.csv")
        )
    print(f"Next: {typed('grade', folder, '--assignment', assignment)}")
    return 1 if odd else 0


def _from_an_archive(options: argparse.Namespace, students: Sequence[Any]) -> Sequence[Any]:
    """Collect an archive; says what was left in it."""
    from autograder.grading import classroom
    from autograder.grading.books import Books
    from autograder.grading.collect import collect
    from autograder.grading.entries import STAMP
    from autograder.grading.sanitise import line

    folder, assignment, write = options.folder, options.assignment, not options.dry_run
    notebook, due = classroom.only_notebook(folder, assignment), Books(folder).due(assignment)
    done = collect(
        folder, assignment, options.archive, students, notebook, write, options.zone, due,
        options.worksheet,
    )  # fmt: skip
    print(f"{len(done.taken)} {'' if write else 'would be '}collected.")
    if any(entry.when for entry in done.taken.values()):
        print(f"Times are taken as those of {options.zone}; see --zone.")
    untold = [who for who, each in done.taken.items() if each.when is None and each.late is None]
    if due and untold and not options.worksheet:
        print("The archive does not tell when they were handed in, so nobody is late;")
        print("Moodle's grading worksheet tells: --worksheet CSV.")
    for student in untold if due and options.worksheet else ():
        print(f"in time      {student} (no time in {options.worksheet})")
    for student in done.late:
        stamp = folder / "submitted" / student / assignment / STAMP
        print(f"late         {student}, by a moment; if you know when, write that into {stamp}")
    for student in done.replaced:
        print(f"replaced     {student} (another notebook was there)")
    for member, why in done.passed:
        print(f"passed over  {line(member)}: {line(why)}")
    for member, why in done.left:
        print(f"left out     {line(member)}: {line(why)}")
    _print_missing(done.missing)
    return done.left


def _from_the_exchange(
    options: argparse.Namespace, books: Any, students: Sequence[str]
) -> Sequence[str]:
    """Collect from nbgrader's exchange; says what is odd."""
    from autograder.grading import classroom, exchange

    done = exchange.collect(books, options.assignment, write=not options.dry_run)
    print(f"{len(done.taken)} {'would be ' if options.dry_run else ''}collected.")
    for what in done.odd:
        print(f"odd          {what}")
    there = {*done.taken, *classroom.submissions(options.folder, options.assignment)}
    for student in sorted(there - set(students)):
        print(f"not listed   {student} (entered when graded)")
    _print_missing(student for student in students if student not in there)
    return done.odd


def _print_missing(students: Iterable[str]) -> None:
    for student in students:
        print(f"nothing of   {student}")


# ------------------------------------------------------------------ feedback


def _feedback(options: argparse.Namespace) -> int:
    from autograder.grading import classroom

    folder, assignment = classroom.require(options.folder), options.assignment
    pages: dict[str, list[Path]] = {}
    for page in sorted((folder / "feedback").glob(f"*/{assignment}/*.html")):
        pages.setdefault(page.parents[1].name, []).append(page)  # beside them are secrets
    if not pages:
        raise ClassError(f"{assignment} has no pages yet; run: {typed('grade', folder)}")
    if options.exchange:
        return _to_the_exchange(options, pages)
    target = folder / f"feedback-{assignment}"
    if options.archive:
        return _back_into(options, pages, target.with_name(f"{target.name}-upload.zip"))
    zips = {target.with_suffix(".zip"): list(pages)}
    if options.each:
        zips = {target / f"{student}.zip": [student] for student in pages}
    if not options.dry_run:
        for path, students in zips.items():
            path.parent.mkdir(exist_ok=True)
            those = [page for student in students for page in pages[student]]
            _zipped(path, {page: page.relative_to(folder / "feedback") for page in those})
    would = "would be in" if options.dry_run else "are in"
    there = f"{target}, a file each" if options.each else next(iter(zips))
    print(f"The pages of {_learners(pages)} {would} {there}.")
    print(f"Next: {typed('export', folder)}")
    return 0


def _learners(those: Sized) -> str:
    return "1 learner" if len(those) == 1 else f"{len(those)} learners"


def _back_into(options: argparse.Namespace, pages: dict[str, list[Path]], target: Path) -> int:
    """The pages under the names that the learning system gave to what it was handed."""
    from autograder.grading import classroom
    from autograder.grading.books import Books
    from autograder.grading.collect import collect

    folder, assignment = options.folder, options.assignment
    students, notebook = Books(folder).students(), classroom.only_notebook(folder, assignment)
    taken = collect(
        folder, assignment, options.archive, students, notebook, write=False,
        times=options.worksheet,
    ).taken  # fmt: skip
    names = {
        pages[student][0]: PurePosixPath(entry.member).with_suffix(".html")
        for student, entry in taken.items()
        if student in pages
    }
    if not options.dry_run:
        _zipped(target, names)
    would = "would be in" if options.dry_run else "are in"
    print(f"The pages of {_learners(names)} {would} {target}, under the names of the archive.")
    for student in sorted(set(pages) - set(taken)):
        print(f"not in it    {student} (has a page, and is not in {options.archive})")
    print("Next: upload it there, where submissions are handed back")
    return 0


def _to_the_exchange(options: argparse.Namespace, pages: dict[str, list[Path]]) -> int:
    """Those pages whose learners handed in by the exchange."""
    from tqdm import tqdm

    from autograder.grading import exchange
    from autograder.grading.books import Books

    books = Books(options.folder)
    came = [student for student, those in pages.items() if exchange.came_by(those[0].parent)]
    if not options.dry_run:
        for student in tqdm(came, desc="feedback", unit=" learners", file=sys.stderr):
            exchange.release_feedback(books, options.assignment, student)
    would = "would be" if options.dry_run else "are"
    print(f"The pages of {_learners(came)} {would} in {exchange.place(books) / 'feedback'}.")
    for student in sorted(set(pages) - set(came)):
        print(f"not sent     {student} (did not hand in by the exchange)")
    print(f"Next: {typed('export', options.folder)}")
    return 0
