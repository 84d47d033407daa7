"""Who is in a class: rosters as nbgrader, Canvas, Moodle and Blackboard write them."""

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from autograder.grading import sheets
from autograder.grading.errors import ClassError
from autograder.grading.sheets import Sheet

POINTS_POSSIBLE = "points possible"
TEST_STUDENT = ("student", "test")
HARMLESS = str.maketrans("<>", "‹›")  # learners may choose their names; the formgrader runs them

# Headings: ours, Blackboard's, and those of Moodle, which speaks its user's language.
FIRST = ("first_name", "First name", "Vorname", "Prénom", "Nombre", "Nome", "Voornaam")
LAST = (
    "last_name", "Last name", "Surname", "Nachname", "Nom", "Nom de famille", "Apellido(s)",
    "Apellidos", "Cognome", "Sobrenome", "Apelido", "Achternaam",
)  # fmt: skip
USERNAME = (
    "Username", "Anmeldename", "Nom d'utilisateur", "Nombre de usuario", "Nome de usuário",
    "Gebruikersnaam",
)  # fmt: skip
NUMBER = (
    "ID number", "Student ID", "ID-Nummer", "Numéro d'identification", "Número de ID",
    "Codice identificativo",
)  # fmt: skip
EMAIL = (
    "Email address", "Email", "E-Mail-Adresse", "E-Mail", "Adresse de courriel",
    "Dirección de correo", "Dirección Email", "Indirizzo email", "Endereço de email", "E-mailadres",
)  # fmt: skip
SIS = ("SIS Login ID", "SIS User ID")
WHO = {
    name.lower()
    for name in (
        "Student", "FirstName", "LastName", "ID", "Section", "Identifier", "Full name",
        *FIRST, *LAST, *USERNAME, *NUMBER, *EMAIL, *SIS,
    )
}  # fmt: skip


class Student(NamedTuple):
    """One learner. `id` names their folder; `lms_user_id` is the learning system's own number."""

    id: str
    first_name: str = ""
    last_name: str = ""
    email: str = ""
    lms_user_id: str = ""

    @property
    def name(self) -> str:
        """First name first."""
        return f"{self.first_name} {self.last_name}".strip()


class Roster(NamedTuple):
    """The learners of a file, and what was passed over."""

    students: list[Student]
    kind: str
    skipped: list[str]


def read(path: Path) -> Roster:
    """The learners in a roster.

    Parameters
    ----------
    path : Path
        CSV with the columns `id`, and any of `first_name`, `last_name`, `email` and
        `lms_user_id`; or the gradebook that Canvas or Blackboard exports; or Moodle's list of
        participants, or its grades.

    Raises
    ------
    ClassError
        It is none of these, or a learner has no id, or two have the same.
    """
    sheet = sheets.read(path)
    kind = kind_of(sheet)
    if kind is None:
        raise ClassError(
            f"{path}: no column says who is who; name one `id` (and first_name, last_name, email), "
            "or use a gradebook exported from Canvas, Blackboard or Moodle (in English); "
            f"its columns are {_said(sheet.header)}"
        )
    if kind == "worksheet":
        raise ClassError(
            f"{path} is a grading worksheet, which does not tell first names from last; "
            "download Moodle's list of participants"
        )
    students, skipped = [], []
    for line, row in zip(sheet.lines, sheet.rows, strict=True):
        found = READERS[kind](sheet, row)
        if found is None:
            skipped.append(f"line {line}: {' '.join(filter(None, row))[:60]}")
        elif not found.id:
            raise ClassError(
                f"{path}, line {line}: {found.name or 'this line'} has no id; a column must hold "
                "one: id, or a username, an ID number or an e-mail address"
            )
        elif not valid(found.id):
            raise ClassError(
                f"{path}, line {line}: {found.id!r} of {found.name or 'nobody'} cannot name "
                "a folder; an id is letters, digits and . _ @ + - "
            )
        else:
            students.append(found)
    _all_different(path, students)
    return Roster(students, kind, skipped)


def _said(header: list[str], most: int = 8) -> str:
    named = [name.strip() for name in header if name.strip()]
    return ", ".join([*named[:most], *(["…"] if len(named) > most else [])])


def kind_of(sheet: Sheet) -> str | None:
    """Which system wrote a table."""

    def has(*names: str) -> bool:
        return sheet.column(*names) is not None

    if "id" in sheet.header or has("student_id"):
        return "csv"
    if has("Student", "LastName") and (has(*SIS) or (has("ID") and has("Section"))):
        return "canvas"
    if has("Identifier") and has("Full name"):
        return "worksheet"
    if has(*FIRST) and has(*LAST):
        return "blackboard" if has("Username") and has("Student ID") else "moodle"
    return "csv" if has("id") else None


def valid(student: str) -> bool:
    """Whether an id can name a folder; nbgrader takes its folders apart at slashes alone."""
    return re.fullmatch(r"[\w@][\w.@+-]*", student) is not None


def _all_different(path: Path, students: list[Student]) -> None:
    counts = Counter(student.id.lower() for student in students)  # folders may not tell cases apart
    twice = [student for student in students if counts[student.id.lower()] > 1]
    if twice:
        said = ", ".join(f"{student.id} ({student.name})" for student in twice)
        raise ClassError(f"{path}: these have one id: {said}")


# ------------------------------------------------------------------ who is in a row


def tells_who(column: str) -> bool:
    """Whether a column of a learning system's table says who somebody is, and holds no marks."""
    return column.strip().lower() in WHO


def cell(sheet: Sheet, row: list[str], *names: str) -> str:
    """The cell of a row under the first of these names; empty where there is none."""
    at = sheet.column(*names)
    return row[at].strip().translate(HARMLESS) if at is not None else ""


def _first(sheet: Sheet, row: list[str], *names: str) -> str:
    """The first of these cells that holds anything."""
    return next(filter(None, (cell(sheet, row, name) for name in names)), "")


def _of_csv(sheet: Sheet, row: list[str]) -> Student | None:
    names = (("id", "student_id"), FIRST, LAST, EMAIL, ("lms_user_id",))
    return Student(*(cell(sheet, row, *those) for those in names))


def _of_canvas(sheet: Sheet, row: list[str]) -> Student | None:
    last, _, first = (part.strip() for part in cell(sheet, row, "Student").partition(","))
    last, first = last or cell(sheet, row, "LastName"), first or cell(sheet, row, "FirstName")
    if not last or is_points_possible(sheet, row) or (last.lower(), first.lower()) == TEST_STUDENT:
        return None
    login = _first(sheet, row, *SIS, "ID")
    email = login if "@" in login else ""
    return Student(login, first, last, email, cell(sheet, row, "ID"))


def is_points_possible(sheet: Sheet, row: list[str]) -> bool:
    """Whether a row of Canvas's gradebook holds what could be had, and is nobody's."""
    return cell(sheet, row, "Student", "LastName").lower() == POINTS_POSSIBLE


def _of_moodle(sheet: Sheet, row: list[str]) -> Student | None:
    first, last = cell(sheet, row, *FIRST), cell(sheet, row, *LAST)
    if not first and not last:
        return None
    own = _first(sheet, row, *USERNAME, *NUMBER, *EMAIL)
    return Student(own, first, last, cell(sheet, row, *EMAIL), cell(sheet, row, *NUMBER))


def _of_worksheet(sheet: Sheet, row: list[str]) -> Student | None:
    own = _first(sheet, row, *USERNAME, *NUMBER, *EMAIL)
    known = cell(sheet, row, *EMAIL), cell(sheet, row, *NUMBER)
    return Student(own, cell(sheet, row, "Full name"), "", *known)


READERS: dict[str, Callable[[Sheet, list[str]], Student | None]] = {
    "csv": _of_csv,
    "canvas": _of_canvas,
    "moodle": _of_moodle,
    "blackboard": _of_moodle,
    "worksheet": _of_worksheet,
}


# ------------------------------------------------------------------ who is who


class Known:
    """The learners of a class, to be found by what another table says of them."""

    def __init__(self, students: Sequence[Student]) -> None:
        self._numbers = _index(students, lambda student: [student.lms_user_id])
        self._ids = _index(students, lambda student: [student.id])
        self._emails = _index(students, lambda student: [student.email])
        self._names = by_name(students)

    def find(self, said: Student, *ids: str) -> Student | None:
        """The one learner who has this number, or else one of these ids, or else this address."""
        looks = [
            (self._numbers, said.lms_user_id),
            *((self._ids, own) for own in (said.id, *ids)),
            (self._emails, said.email),
        ]
        return _only(next((index[k.lower()] for index, k in looks if k and k.lower() in index), []))

    def in_row(self, kind: str, sheet: Sheet, row: list[str]) -> Student | None:
        """The learner whom a row of a table is about.

        By a name only where the table has nothing else, and nobody else has that name.
        """
        said = READERS[kind](sheet, row)
        if said is None:
            return None
        ids = [cell(sheet, row, name) for name in (*SIS, *USERNAME, *NUMBER, *EMAIL)]
        alone = kind == "worksheet" and not said.id
        return _only(self._names.get(plain(said.name), [])) if alone else self.find(said, *ids)

    def named(self, name: str) -> list[Student]:
        """All who bear a name, in any of the forms that archives use."""
        return self._names.get(plain(name), [])


def _index(
    students: Iterable[Student], keys: Callable[[Student], Iterable[str]]
) -> dict[str, list[Student]]:
    found: dict[str, list[Student]] = {}
    for student in students:
        for key in filter(None, keys(student)):
            found.setdefault(key.lower(), []).append(student)
    return found


def _only(students: Sequence[Student]) -> Student | None:
    return students[0] if len(students) == 1 else None


def known_as(students: Sequence[Student], there: Sequence[Student]) -> dict[str, str]:
    """Whom a class has under another id: from the id of a roster to that of the class.

    The learning system's number is the same, or the e-mail address and the first name (families
    share addresses); and the roster does not list the other id as well.
    """
    known, listed = Known(there), {student.id for student in students}
    ids = {student.id for student in there}
    found = [(student, known.find(student)) for student in students if student.id not in ids]
    pairs = [(student, same) for student, same in found if same and _are_one(student, same)]
    counts = Counter(same.id for _, same in pairs)
    return {
        student.id: same.id
        for student, same in pairs
        if same.id not in listed and counts[same.id] == 1
    }


def _are_one(student: Student, other: Student) -> bool:
    if student.id.lower() == other.id.lower() or student.lms_user_id == other.lms_user_id != "":
        return True
    return plain(student.first_name) == plain(other.first_name)


def by_name(students: Sequence[Student]) -> dict[str, list[Student]]:
    """From a name, in the forms that archives use, to all who bear it."""
    return _index(students, lambda student: set(_forms(student)))


def _forms(student: Student) -> Iterator[str]:
    yield plain(student.name)
    yield plain(f"{student.last_name} {student.first_name}")


def plain(name: str) -> str:
    """A name as the letters and digits that it is made of, in lower case."""
    composed = unicodedata.normalize("NFC", name.lower())
    return "".join(re.findall(r"\w", composed.replace("_", "")))
