"""Submissions out of an archive that Canvas, Moodle or Blackboard exports, into a class.

Nothing is guessed: what cannot be told to be one learner's, or which of several notebooks counts,
is listed and left in the archive. Of an archive only notebooks are taken, under names that the
class gives them.
"""

import contextlib
import os
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from autograder.grading import classroom, files, worksheet
from autograder.grading.entries import STAMP
from autograder.grading.errors import ClassError
from autograder.grading.roster import Known, Student
from autograder.grading.sanitise import MAX_FILE

MAX_ENTRIES = 100_000
MAX_PATH = 1000  # characters; patterns take a minute for 40,000, and no learning system writes more
AN_HOUR = timedelta(hours=1)
"""An archive is made in less; a class takes more to hand in."""

CANVAS = re.compile(
    r"(?P<name>[^/]+?)_(?P<late>LATE_)?(?P<lms>\d+)_"
    r"(?:(?P<attempt>\d+)_(?P<file>.+)|(?P<page>(?:text|link)\.html))"
)
MOODLE = re.compile(
    r"(?P<name>[^/]+?)_(?P<number>\d+)_assignsubmission_[a-z]+"
    r"(?:_(?P<flat>[^/]+)|_?/(?:.*/)?(?P<file>[^/]+))"
)
BLACKBOARD = re.compile(
    r"(?P<whose>.+?_.+?)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<file>.+)|\.txt)"
)
NAMELESS = re.compile(r"(?:^|/)(?:anon_|Participant_\d+_assignsubmission_)")
NOTEBOOK = re.compile(r"\.ipynb(?:\.txt|\.json)?$", re.IGNORECASE)
COPY = re.compile(r"^copy of |[ +_]?\(\d+\)$|-(?:copy)?\d+$| - copy$| copy$")
"""What browsers, Jupyter, systems and Canvas add to a name that is there already."""
UNREADABLE = (
    OSError, EOFError, UnicodeDecodeError, zipfile.BadZipFile, zlib.error, RuntimeError,
    NotImplementedError,
)  # fmt: skip
NO_TIME = datetime(1980, 1, 1, tzinfo=UTC)
JUST = timedelta(seconds=1)
MACOS = ("__MACOSX", "._")  # what its archives hold beside the files
UTF_8 = 0x800  # the bit of a member by which a zip file says so


class Entry(NamedTuple):
    """One file in an archive: who may have handed it in, and when.

    `when` is None where the archive does not tell, and `of_archive` is whether it is the time of
    the member, which may be when the archive was made. `late` is what the learning system says;
    None if it says nothing.
    """

    source: zipfile.ZipInfo
    file: str
    candidates: tuple[Student, ...]
    when: datetime | None = None
    attempt: str = ""
    late: bool | None = None
    of_archive: bool = False

    @property
    def member(self) -> str:
        """Its name in the archive."""
        return self.source.filename

    @property
    def untold(self) -> bool:
        """Whether there is no telling when, and whether in time."""
        return self.when is None and self.late is not False

    @property
    def is_notebook(self) -> bool:
        return NOTEBOOK.search(self.file) is not None

    @property
    def those(self) -> set[str]:
        """The ids of those whose it may be."""
        return {student.id for student in self.candidates}


Readings = dict[str, Entry]
"""From learning system to what a name would mean in its archives."""
Left = list[tuple[str, str]]
"""Members of an archive, each with the reason why it is not taken."""


class Found(NamedTuple):
    """What an archive holds: of each learner the notebook that counts, or several if none does."""

    taken: dict[str, Entry]
    unclear: dict[str, list[Entry]]
    left: Left
    passed: Left


class Collected(NamedTuple):
    """What was (or would be) put where: from learner to the archive's member, and what was not.

    `left` are members of which it is not clear whose they are, or which of several counts, and
    what of a learner is no notebook; `passed` are members beside which another one counts;
    `replaced` are learners who had handed in something else before; `missing` are those of whom
    there is nothing; `late` are those who are late, it is not said by how much.
    """

    taken: dict[str, Entry]
    left: Left
    passed: Left
    replaced: list[str]
    missing: list[str]
    late: list[str]


def collect(
    folder: Path, assignment: str, archive: Path, students: Sequence[Student], notebook: str,
    write: bool = True, zone: tzinfo = UTC, due: datetime | None = None,
    times: Path | None = None,
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
    due : datetime, optional
        Until when the assignment may be handed in.
    times : Path, optional
        Moodle's grading worksheet.

    Raises
    ------
    ClassError
        It is no archive that can be read.
    """
    if archive.is_dir():
        raise ClassError(f"{archive} is a folder; name the zip file that was downloaded, or zip it")
    rows = worksheet.read(times, students, zone) if times else None
    places = {student.id: folder / "submitted" / student.id / assignment for student in students}
    try:
        with zipfile.ZipFile(archive) as opened:
            found = look(opened, Finder(students, zone, rows), notebook)
            for student, several in found.unclear.items():
                put = _there(places[student] / notebook)
                same = [entry for entry in several if put and _bytes(opened, entry) == put]
                if same:
                    found.taken[student] = same[-1]
                else:
                    why = f"{student} has several; put the one that counts at"
                    found.left.extend(
                        (entry.member, f"{why} {places[student] / notebook}") for entry in several
                    )
            data = contents(opened, found)
    except UNREADABLE as error:
        said = getattr(error, "strerror", None) or error
        raise ClassError(f"{archive} cannot be read as a zip file: {said}") from None
    _require_its_own(folder, assignment, archive, found)
    replaced, late = [], []
    for student, entry in found.taken.items():
        place, before = places[student], _there(places[student] / notebook)
        if before not in (None, data[student]):
            replaced.append(student)
        kept = entry.untold and before == data[student] and (place / STAMP).is_file()
        when = counts(entry, due)
        if when and entry.untold and not kept:
            late.append(student)
        if write:
            place.mkdir(parents=True, exist_ok=True)
            files.put(place / notebook, data[student])
            if not kept:
                _put_stamp(place / STAMP, when)
    missing = [who for who in places if who not in {*found.taken, *found.unclear}]
    return Collected(found.taken, found.left, found.passed, replaced, missing, late)


def _require_its_own(folder: Path, assignment: str, archive: Path, found: Found) -> None:
    """That the notebooks are not, all of them, called as that of another assignment."""
    names = {_bare(entry.file) for entry in found.taken.values()}
    for other in classroom.assignments(folder) if names else ():
        theirs = {_bare(name) for name in classroom.released(folder, other)}
        if other != assignment and names <= theirs:
            raise ClassError(
                f"{archive} holds notebooks of {other}, by their names; if they are of "
                f"{assignment}, put them into {folder / 'submitted' / 'LEARNER' / assignment}"
            )


def counts(entry: Entry, due: datetime | None) -> datetime | None:
    """The time that counts; None is in time. Of who is late it is the least, if no more is said."""
    return entry.when or (due + JUST if entry.late and due else None)


def as_stamp(when: datetime) -> str:
    """A time as nbgrader keeps it beside a submission."""
    return f"{when.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _there(path: Path) -> bytes | None:
    """What lies at a path: nothing, the bytes of a plain file, or what is none."""
    try:
        with files.plain(path) as file:
            return file.read(MAX_FILE + 1)
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return b""


def _put_stamp(path: Path, when: datetime | None) -> None:
    if when is None:
        path.unlink(missing_ok=True)
    else:
        files.put(path, as_stamp(when).encode())


def contents(archive: zipfile.ZipFile, found: Found) -> dict[str, bytes]:
    """The bytes of what is taken, by learner; what cannot be read is left, and said to be."""
    data = {}
    for student, entry in sorted(found.taken.items()):
        try:
            data[student] = _bytes(archive, entry)
        except UNREADABLE as error:
            found.left.append((entry.member, f"it cannot be read: {error}"))
            del found.taken[student]
    return data


def _bytes(archive: zipfile.ZipFile, entry: Entry) -> bytes:
    """A member's bytes; no more of them than grading will look at."""
    with archive.open(entry.source) as file:
        return file.read(MAX_FILE + 1)


# ------------------------------------------------------------------ which one counts?


def look(archive: zipfile.ZipFile, find: "Finder", notebook: str) -> Found:
    """Sort an archive out.

    Parameters
    ----------
    archive : zipfile.ZipFile
    find : Finder
    notebook : str
        The file name that the assignment's notebook has.

    Raises
    ------
    ClassError
        It has more entries than anything that a class hands in.
    """
    members = list(_members(archive))
    entries = _honest(find(members))
    known = {entry.member for entry in entries}
    left: Left = [
        (member.filename, _nameless(member.filename) or "its name is of none of the forms known")
        for member in members
        if member.filename not in known and NOTEBOOK.search(member.filename)
    ]
    have = {student for entry in entries if entry.is_notebook for student in entry.those}
    mine: dict[str, list[Entry]] = {}
    for entry in entries:
        if not entry.is_notebook:
            if entry.candidates and not entry.those & have:
                left.append((entry.member, f"no notebook, and there is none of {_or(entry)}"))
        elif len(entry.candidates) == 1:
            mine.setdefault(entry.candidates[0].id, []).append(entry)
        elif entry.candidates:
            left.append((entry.member, f"it may be of {_or(entry)}"))
        else:
            nobody = "nobody in the class is called so"
            left.append((entry.member, _nameless(entry.member) or nobody))
    return _chosen(mine, left, notebook)


def _nameless(member: str) -> str:
    hidden = NAMELESS.search(member)
    return "names are hidden; show them there, and download it again" if hidden else ""


def _or(entry: Entry) -> str:
    return " or ".join(student.id for student in entry.candidates)


def _chosen(mine: Mapping[str, list[Entry]], left: Left, notebook: str) -> Found:
    """Of each learner the last notebook, if others have its name, or it has the right one."""
    right = _bare(notebook)
    found = Found({}, {}, left, [])
    for student, entries in sorted(mine.items()):
        *_, last = sorted(entries, key=lambda entry: _rank(entry, right))
        others = [entry for entry in entries if _bare(entry.file) != _bare(last.file)]
        if others and _bare(last.file) != right:
            found.unclear[student] = entries
            continue
        found.taken[student] = last
        found.passed.extend((e.member, f"{student} has {last.file} as well") for e in others)
    return found


def _rank(entry: Entry, right: str) -> tuple[datetime, bool, int, str, int, str]:
    """What is handed in later comes later; of one time, what has the right name, or is a copy."""
    when, own = entry.when or NO_TIME, _bare(entry.file) == right
    return when, own, len(entry.attempt), entry.attempt, len(entry.file), entry.file


def _bare(file: str) -> str:
    """A notebook's name without its ending, in lower case, and without what marks a copy."""
    name = NOTEBOOK.sub("", file).lower()
    while (shorter := COPY.sub("", name)) not in ("", name):
        name = shorter
    return name


def _honest(entries: Sequence[Entry]) -> list[Entry]:
    """The entries without such times as only tell when the archive was made."""
    times = [entry.when for entry in entries if entry.of_archive and entry.when]
    made = not times or max(times) - min(times) < AN_HOUR
    return [e._replace(when=None) if made and e.of_archive else e for e in entries]


# ------------------------------------------------------------------ whose is it?


def _members(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """What somebody may have handed in, under the names that were meant."""
    members = archive.infolist()
    if len(members) > MAX_ENTRIES:
        raise ClassError(f"the archive has {len(members)} entries; {MAX_ENTRIES} are the most")
    for member in members:
        if not member.flag_bits & UTF_8:  # Canvas and macOS write UTF-8, and do not say so
            with contextlib.suppress(UnicodeError):
                member.filename = member.filename.encode("cp437").decode("utf-8")
        parts = PurePosixPath(member.filename).parts
        if not member.is_dir() and not any(part.startswith(MACOS) for part in parts):
            yield member


def _systems(readings: Sequence[Readings]) -> list[str]:
    """The system that made an archive; several, where it may have been any of them.

    It is whose form most names are of, and tells of most whose they are: the end of a name is the
    learner's choice, and may look like another system's name of somebody else's work.
    """
    fit, told = Counter[str](), Counter[str]()
    for reading in readings:
        fit.update(reading.keys())
        told.update(system for system, entry in reading.items() if len(entry.candidates) == 1)
    most = max(((fit[system], told[system]) for system in fit), default=None)
    return [system for system in fit if (fit[system], told[system]) == most]


def _of(reading: Readings, systems: Sequence[str]) -> Entry | None:
    """What a name means in an archive of this system, or of one of these."""
    found = [reading[system] for system in systems if system in reading]
    those = {who.id: who for entry in found for who in entry.candidates}
    return found[0]._replace(candidates=tuple(those.values())) if found else None


class Finder:
    """Tells whose a member is, from its name.

    Parameters
    ----------
    students : sequence of Student
        The class.
    zone : tzinfo
        Of the learning system's clock.
    rows : mapping, optional
        What Moodle's worksheet says of each number.
    """

    def __init__(
        self,
        students: Sequence[Student],
        zone: tzinfo = UTC,
        rows: Mapping[str, worksheet.Row] | None = None,
    ) -> None:
        self._zone, self._rows, self._shared = zone, rows, ""
        self._ids = {student.id.lower(): student for student in students}
        self._lms = {student.lms_user_id: student for student in students if student.lms_user_id}
        self._known = Known(students)

    def __call__(self, members: Sequence[zipfile.ZipInfo]) -> list[Entry]:
        """Who may have handed what in, and when, of all whose names have one of the forms."""
        members = [member for member in members if len(member.filename) <= MAX_PATH]
        names = [BLACKBOARD.fullmatch(PurePosixPath(member.filename).name) for member in members]
        whose = [match["whose"] for match in names if match]
        self._shared = os.path.commonprefix(whose)  # noqa: RUF071 - these are no paths
        readings = [self._readings(member) for member in members]
        systems = _systems(readings)
        return [entry for each in readings if (entry := _of(each, systems)) is not None]

    def _readings(self, member: zipfile.ZipInfo) -> Readings:
        name, found = PurePosixPath(member.filename).name, {}
        if match := MOODLE.search(member.filename):
            found["moodle"] = self._moodle(match, member)
        if match := BLACKBOARD.fullmatch(name):
            with contextlib.suppress(ValueError):  # there is no such time
                found["blackboard"] = self._blackboard(match, member)
        if match := CANVAS.fullmatch(name):
            found["canvas"] = self._canvas(match, member)
        return found

    def _canvas(self, match: re.Match[str], member: zipfile.ZipInfo) -> Entry:
        known = self._lms.get(match["lms"])
        without = [s for s in self._known.named(match["name"]) if not s.lms_user_id]
        candidates = (known,) if known else tuple(without)
        file, attempt = match["file"] or match["page"], match["attempt"] or ""
        return Entry(member, file, candidates, None, attempt, late=bool(match["late"]))

    def _moodle(self, match: re.Match[str], member: zipfile.ZipInfo) -> Entry:
        file, number = match["flat"] or match["file"], match["number"]
        named = tuple(self._known.named(match["name"]))
        if self._rows is None:
            return Entry(member, file, named, self._time(member), of_archive=True)
        row = self._rows.get(number, worksheet.Row(None, None))
        return Entry(member, file, (row.student,) if row.student else named, row.when)

    def _blackboard(self, match: re.Match[str], member: zipfile.ZipInfo) -> Entry:
        """Before the id stands the assignment, as in all other members; either may hold _."""
        whose = match["whose"]
        ends = [k for k, sign in enumerate(whose) if sign == "_" and k < len(self._shared)]
        ids = [whose[k + 1 :].lower() for k in ends]
        known = tuple(self._ids[own] for own in ids if own in self._ids)
        when = datetime.strptime(match["time"], "%Y-%m-%d-%H-%M-%S").replace(tzinfo=self._zone)
        return Entry(member, match["file"] or member.filename, known, when)

    def _time(self, member: zipfile.ZipInfo) -> datetime:
        """When the learning system put a file into the archive, or had received it."""
        try:
            return datetime(*member.date_time, tzinfo=self._zone)
        except ValueError:
            return NO_TIME
