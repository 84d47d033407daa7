"""nbgrader's exchange: a folder in which a learner owns what they hand in, whatever it is.

nbgrader's own `collect` believes what the learner's files say of who handed in, and when; follows
links to files that only the instructor can read; and stops for everybody at the first thing that is
odd. This one reads the system's clock and owners, takes plain files, and goes on.
"""

import contextlib
import os
import pwd
import re
import shutil
import stat
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange import ExchangeError
from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import ignore_patterns, parse_utc

from autograder.grading import files
from autograder.grading.books import Books, quiet, require_done
from autograder.grading.classroom import ODD_NAME, harmless
from autograder.grading.entries import SECRET, STAMP, stamp_of
from autograder.grading.errors import ClassError
from autograder.grading.sanitise import line

FORMAT = "%Y-%m-%d %H:%M:%S.%f UTC"
SOON = timedelta(minutes=1)
"""What lies between the time that `nbgrader submit` writes down, and its last change of a file."""


class Arrival(NamedTuple):
    """One submission in the exchange. `when` is the last change of any of its files."""

    student: str
    path: Path
    claimed: datetime
    when: datetime

    @property
    def counts(self) -> datetime:
        """The time that counts: what the learner was told, if that can be true."""
        honest = timedelta() <= self.when - self.claimed <= SOON
        return self.claimed if honest else self.when


class Collect(ExchangeCollect):
    """nbgrader's `collect`, for its command, its formgrader and `unrolled class collect`.

    After `start`, `taken` are those whose submission was put into the class, and `odd` says what
    was left in the exchange, or is not as it claims to be.
    """

    write = True
    """Whether anything is copied, or only looked for."""

    def init_src(self) -> None:
        """Find the submission of each learner that counts."""
        self.taken, self.odd = list[str](), list[str]()
        if not self.coursedir.course_id:
            self.fail("the class has no course id; set c.CourseDirectory.course_id")
        inbound = Path(self.root, self.coursedir.course_id, "inbound")
        if not os.access(inbound, os.R_OK | os.X_OK):
            self.fail(f"nothing was released to the exchange yet: {inbound} cannot be read")
        arrivals = defaultdict(list)
        for arrival in self._arrivals(inbound):
            arrivals[arrival.student].append(arrival)
        due = self._due() if self.before_duedate else None
        self._chosen = [_last(arrivals[student], due) for student in sorted(arrivals)]

    def _due(self) -> datetime | None:
        due: datetime | None = None
        course = self.coursedir
        with (
            contextlib.suppress(MissingEntry),
            Gradebook(course.db_url, course.course_id) as gradebook,
        ):
            due = gradebook.find_assignment(course.assignment_id).duedate
        return due

    def _arrivals(self, inbound: Path) -> Iterator[Arrival]:
        """What was handed in by those whose it claims to be."""
        wanted = re.escape(self.coursedir.assignment_id)
        form = re.compile(rf"(?P<student>[^/]+)\+{wanted}\+(?P<time>[^+]+)(\+[^+]*)?")
        for path in sorted(inbound.iterdir()):
            match = form.fullmatch(path.name)
            if match is None or self.coursedir.student_id not in ("", "*", match["student"]):
                continue
            try:
                yield self._arrival(path, match["student"], match["time"])
            except (ValueError, OverflowError, OSError, RecursionError) as error:
                self._say(f"{path.name} is left out: {error}")

    def _arrival(self, path: Path, student: str, time: str) -> Arrival:
        found = path.lstat()
        if not harmless(student):
            raise ValueError(ODD_NAME)
        if not stat.S_ISDIR(found.st_mode):
            raise ValueError("it is no folder")
        if self.check_owner and not _may_be_of(student, found.st_uid):
            raise ValueError(f"it does not belong to {student}")
        return Arrival(student, path, parse_utc(time), _changed(path))

    def _say(self, what: str) -> None:
        what = line(what)  # a learner has named the files
        self.odd.append(what)
        self.log.warning(what)

    def copy_files(self) -> None:
        """Put each chosen submission into the class, if it is newer than what is there."""
        for arrival in self._chosen:
            try:
                self._take(arrival)
            except (OSError, ExchangeError, ValueError, RecursionError) as error:
                self._say(f"{arrival.path.name} cannot be collected: {error}")

    def _take(self, arrival: Arrival) -> None:
        assignment = self.coursedir.assignment_id
        known = self.coursedir.submitted_directory, arrival.student, assignment
        place = Path(self.coursedir.format_path(*known))
        if place.is_dir() and not (self.update and _is_newer(arrival, place)):
            return
        if self.write:
            arrival = self._put(arrival, place)
        self.taken.append(arrival.student)
        self.log.info("Collecting submission: %s %s", arrival.student, assignment)
        if arrival.counts != arrival.claimed:
            self._say(
                f"{arrival.student} says {arrival.claimed:%Y-%m-%d %H:%M} UTC, but the files are "
                f"of {arrival.when:%Y-%m-%d %H:%M} UTC, which counts"
            )

    def _put(self, arrival: Arrival, place: Path) -> Arrival:
        """Copy a submission, and write beside it the time that counts."""
        fresh = place.with_name(f".{place.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        self._copy(arrival.path, fresh)
        arrival = arrival._replace(when=_changed(arrival.path))  # it may have changed meanwhile
        (fresh / STAMP).unlink(missing_ok=True)
        (fresh / STAMP).write_text(f"{arrival.counts:{FORMAT}}")
        shutil.rmtree(place, ignore_errors=True)
        fresh.replace(place)
        return arrival

    def _copy(self, source: Path, target: Path) -> None:
        """Copy plain files, and nothing through a link, even if one is put there meanwhile."""
        ignored = ignore_patterns(
            exclude=self.coursedir.ignore, include=self.coursedir.include,
            max_file_size=self.coursedir.max_file_size, log=self.log,
        )  # fmt: skip
        left = 1000 * self.coursedir.max_dir_size
        for place, folders, names, descriptor in os.fwalk(source, follow_symlinks=False):
            passed_over = set(ignored(place, [*folders, *names]))
            folders[:] = [name for name in folders if name not in passed_over]
            here = target / Path(place).relative_to(source)
            here.mkdir(parents=True, exist_ok=True)
            for name in (name for name in names if name not in passed_over):
                try:
                    with files.plain(name, descriptor) as file:
                        data = file.read(min(left + 1, os.fstat(file.fileno()).st_size))
                except (OSError, ValueError) as error:
                    self._say(f"{source.name}: {name} is left out: {error}")
                    continue
                left -= len(data)
                if left < 0:
                    raise ExchangeError("it is too big; see c.CourseDirectory.max_dir_size")
                (here / name).write_bytes(data)


def _changed(path: Path) -> datetime:
    """The last change of a folder or anything in it, by the clock of the system that keeps it.

    A learner can set the time of a file's last modification, but not that of its inode's change.
    """
    last = path.lstat().st_ctime
    for _, folders, names, descriptor in os.fwalk(path, follow_symlinks=False):
        for name in [*folders, *names]:
            with contextlib.suppress(FileNotFoundError):
                found = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                last = max(last, found.st_ctime)
    return datetime.fromtimestamp(last, UTC).replace(tzinfo=None)


def _may_be_of(student: str, owner: int) -> bool:
    """Whether a folder's owner may be this learner.

    Who has an account here owns what they hand in. Where learners have none, as with containers,
    owners tell nothing. What the instructor puts there is believed.
    """
    try:
        return owner in (pwd.getpwnam(student).pw_uid, os.geteuid(), 0)
    except KeyError:
        return True


def _last(arrivals: Sequence[Arrival], due: datetime | None) -> Arrival:
    """The last submission of a learner; the last that is on time, if there is a time and one."""
    in_time = [each for each in arrivals if due is not None and each.counts <= due]
    return max(in_time or arrivals, key=lambda each: each.counts)


def _is_newer(arrival: Arrival, place: Path) -> bool:
    with contextlib.suppress(ValueError, OverflowError):
        return bool(arrival.counts > parse_utc(stamp_of(place)))
    return True


# ------------------------------------------------------------------ the instructor's side


def place(books: Books) -> Path:
    """Where a class has its part of the exchange."""
    return Path(_collector(books).root, books.api.coursedir.course_id)


def _collector(books: Books) -> Collect:
    api = books.api
    return Collect(coursedir=api.coursedir, authenticator=api.authenticator, parent=api)


def _require_root(books: Books) -> None:
    root = place(books).parent
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        raise ClassError(
            f"the exchange {root} is not there, or is not yours to use; make it with "
            f"mkdir -m 1777 {root}, or name another one in {books.folder / 'nbgrader_config.py'}: "
            "c.Exchange.root = ..."
        )


def release(books: Books, assignment: str) -> None:
    """Let learners fetch an assignment; what was released before is replaced.

    Raises
    ------
    ClassError
        nbgrader could not; says why.
    """
    _require_root(books)
    books.api.config.ExchangeReleaseAssignment.force = True
    with contextlib.chdir(books.folder), quiet():
        require_done(books.api.release_assignment(assignment), f"release {assignment}")


def collect(books: Books, assignment: str, write: bool = True) -> Collect:
    """Take what learners have submitted; says who is new, and what is odd.

    Parameters
    ----------
    books : Books
    assignment : str
    write : bool, optional
        If not, only find out what would be done.

    Raises
    ------
    ClassError
        nbgrader could not; says why.
    """
    _require_root(books)
    books.api.coursedir.assignment_id = assignment
    found = _collector(books)
    found.update, found.write = True, write
    found.log.propagate = False
    try:
        with contextlib.chdir(books.folder), quiet():
            found.start()
    except ExchangeError as error:
        raise ClassError(f"collect {assignment}: {error}") from None
    return found


def came_by(feedback: Path) -> bool:
    """Whether a learner's feedback is on something that came by the exchange."""
    return bool(stamp_of(feedback, SECRET))


def release_feedback(books: Books, assignment: str, student: str) -> None:
    """Let a learner fetch the feedback on what they submitted.

    Raises
    ------
    ClassError
        nbgrader could not; says why.
    """
    with contextlib.chdir(books.folder), quiet():
        done = books.api.release_feedback(assignment, student)
    require_done(done, f"release the feedback of {student}")
