"""Submissions out of an archive that Canvas, Moodle or Blackboard exports, into a class.

Nothing is guessed: what cannot be told to be one learner's is listed and left in the archive.
Of an archive only notebooks are taken, under names that the class gives them.
"""

import re
import zipfile
from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from autograder.grading import roster
from autograder.grading.classroom import ClassError
from autograder.grading.entries import STAMP
from autograder.grading.roster import Student
from autograder.grading.sanitise import MAX_FILE

MAX_ENTRIES = 100_000

CANVAS = re.compile(r"(?P<name>[^_/]+)_(?:LATE_)?(?P<lms>\d+)_(?P<attempt>\d+)_(?P<file>.+)")
MOODLE = re.compile(
    r"(?P<name>[^/]+)_\d+_assignsubmission_file(?:_(?P<flat>[^/]+)|_?/(?:.*/)?(?P<file>[^/]+))"
)
BLACKBOARD = re.compile(
    r"(?P<assignment>.+)_(?P<id>[^_]+)_attempt_(?P<time>\d{4}(?:-\d\d){5})_(?P<file>.+)"
)


class Entry(NamedTuple):
    """One notebook in an archive: who may have handed it in, and when."""

    member: str
    file: str
    candidates: tuple[Student, ...]
    when: datetime
    attempt: str = ""


class Collected(NamedTuple):
    """What was (or would be) put where: from learner to the archive's member, and what was not.

    `left` are members of which it is not clear whose they are, and why; `replaced` are learners
    who had handed in something else before; `missing` are those of whom there is nothing.
    """

    taken: dict[str, Entry]
    left: list[tuple[str, str]]
    replaced: list[str]
    missing: list[str]


def collect(
    folder: Path, assignment: str, archive: Path, students: Sequence[Student], notebook: str,
    write: bool = True, zone: tzinfo = UTC,
) -> Collected:  # fmt: skip
    """Put the notebooks of an archive into a class.

    Parameters
    ----------
    folder : Path
        The class.
    assignment : str
    archive : Path
        A zip file.
    students : sequence of Student
    notebook : str
        The file name that the assignment's notebook has.
    write : bool, optional
        If not, only say what would be done.
    zone : tzinfo, optional
        Of the learning system's clock: an archive tells times without it.

    Raises
    ------
    ClassError
        It is no archive that can be read.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            entries, left = _sorted(opened, _Finder(students, zone))
            taken = _latest(entries)
            places = {student: folder / "submitted" / student / assignment for student in taken}
            data = {student: _bytes(opened, entry.member) for student, entry in taken.items()}
    except (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise ClassError(f"{archive} cannot be read as a zip file: {error}") from None
    replaced = [who for who, place in places.items() if _differs(place / notebook, data[who])]
    for student, place in places.items() if write else ():
        place.mkdir(parents=True, exist_ok=True)
        _put(place / notebook, data[student])
        when = taken[student].when.astimezone(UTC)
        _put(place / STAMP, f"{when:%Y-%m-%d %H:%M:%S} UTC".encode())
    missing = [student.id for student in students if student.id not in taken]
    return Collected(taken, left, replaced, missing)


def _latest(entries: Sequence[Entry]) -> dict[str, Entry]:
    """Of each learner what was handed in last, by learner."""
    by_time = sorted(entries, key=lambda entry: (entry.when, len(entry.attempt), entry.attempt))
    last = {entry.candidates[0].id: entry for entry in by_time}
    return dict(sorted(last.items()))


def _differs(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() != data


def _put(path: Path, data: bytes) -> None:
    """Write a file whole; a link that lies there is replaced, not followed."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.write_bytes(data)
    fresh.replace(path)


def _bytes(archive: zipfile.ZipFile, member: str) -> bytes:
    """A member's bytes; no more of them than grading will look at."""
    with archive.open(member) as file:
        return file.read(MAX_FILE + 1)


# ------------------------------------------------------------------ whose is it?


def _sorted(archive: zipfile.ZipFile, find: "_Finder") -> tuple[list[Entry], list[tuple[str, str]]]:
    """The members that are one learner's, and the others with the reason."""
    members = archive.infolist()
    if len(members) > MAX_ENTRIES:
        raise ClassError(f"the archive has {len(members)} entries; {MAX_ENTRIES} are the most")
    entries, left = [], []
    for member in members:
        if member.is_dir() or not member.filename.endswith(".ipynb"):
            continue
        entry = find(member)
        if entry is None:
            left.append((member.filename, "its name is of none of the forms that are known"))
        elif not entry.candidates:
            left.append((member.filename, "nobody in the class is called so"))
        elif len(entry.candidates) > 1:
            those = " or ".join(student.id for student in entry.candidates)
            left.append((member.filename, f"it may be of {those}"))
        else:
            entries.append(entry)
    return entries, left


class _Finder:
    """Tells whose a member is, from its name."""

    def __init__(self, students: Sequence[Student], zone: tzinfo) -> None:
        self._zone = zone
        self._ids = {student.id.lower(): student for student in students}
        self._lms = {student.lms_user_id: student for student in students if student.lms_user_id}
        self._names = roster.by_name(list(students))

    def __call__(self, member: zipfile.ZipInfo) -> Entry | None:
        name = PurePosixPath(member.filename).name
        if match := MOODLE.search(member.filename):
            return self._moodle(match, member)
        if match := BLACKBOARD.fullmatch(name):
            return self._blackboard(match, member)
        match = CANVAS.fullmatch(name)
        return self._canvas(match, member) if match else None

    def _canvas(self, match: re.Match[str], member: zipfile.ZipInfo) -> Entry:
        known = self._lms.get(match["lms"])
        named = self._names.get(roster.plain(match["name"]), [])
        without = [student for student in named if not student.lms_user_id]
        candidates = (known,) if known else tuple(without)
        when = self._time(member)
        return Entry(member.filename, match["file"], candidates, when, match["attempt"])

    def _moodle(self, match: re.Match[str], member: zipfile.ZipInfo) -> Entry:
        candidates = tuple(self._names.get(roster.plain(match["name"]), []))
        file = match["flat"] or match["file"]
        return Entry(member.filename, file, candidates, self._time(member))

    def _blackboard(self, match: re.Match[str], member: zipfile.ZipInfo) -> Entry:
        known = self._ids.get(match["id"].lower())
        when = datetime.strptime(match["time"], "%Y-%m-%d-%H-%M-%S").replace(tzinfo=self._zone)
        return Entry(member.filename, match["file"], (known,) if known else (), when)

    def _time(self, member: zipfile.ZipInfo) -> datetime:
        """When the learning system put a file into the archive, or had received it."""
        try:
            return datetime(*member.date_time, tzinfo=self._zone)
        except ValueError:
            return datetime(1980, 1, 1, tzinfo=self._zone)
