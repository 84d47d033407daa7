"""Tables as Canvas, Moodle, Blackboard and spreadsheets write them, read and filled with marks."""

import csv
import io

import pytest

from autograder.cli import main
from autograder.grading import classroom, export, roster, sheets
from autograder.grading.books import Books, Mark
from autograder.grading.errors import ClassError
from autograder.grading.roster import Student

UNIT, OTHER = "02_rnn_forward", "03_bptt"
ADA = Student("ada", "Ada", "Lovelace", "ada@uni.example", "7")
BELA = Student("bela", "Béla", "Bartók", "bela@uni.example", "8")

CANVAS = (
    "Student,ID,SIS Login ID,Section,02_rnn_forward (55),Final Score\n"
    ",,,,Manual Posting,\n"
    "    Points Possible,,,,16.00,(read only)\n"
    '"Lovelace, Ada",7,ada,"A and B",EX,\n'
    '"Bartók, Béla",8,bela,A,,\n'
    '"Student, Test",9,,A,,\n'
)
TWO_NAMES = (
    "LastName,FirstName,ID,Section,02_rnn_forward (55)\n"
    "    Points Possible,,,,20\nLovelace,Ada,7,A,\nBartók,Béla,8,A,\nStudent,Test,9,A,\n"
)
BLACKBOARD = (
    '"Last Name"\t"First Name"\t"Username"\t"Student ID"\t"Availability"\t'
    '"02_rnn_forward [Total Pts: 100 Score] |123"\n'
    '"Lovelace"\t"Ada"\t"ada"\t"7"\t"Yes"\t""\n"Bartók"\t"Béla"\t"bela"\t"8"\t"Yes"\t""\n'
)
GERMAN = (
    "Vorname;Nachname;ID-Nummer;E-Mail-Adresse;Aufgabe: 02_rnn_forward (Punkte);Kurs\n"
    "Ada;Lovelace;7;ada@uni.example;-;12,50\nBéla;Bartók;8;bela@uni.example;-;1,00\n"
)
WORKSHEET = (
    "Identifier,Full name,Email address,Grade,Maximum Grade,Last modified (grade)\n"
    "Participant 12,Ada Lovelace,ada@uni.example,,100.00,-\n"
    "Participant 13,Béla Bartók,bela@uni.example,,100.00,-\n"
)
TABLES = {
    "canvas": CANVAS, "canvas, two names": TWO_NAMES, "blackboard": BLACKBOARD,
    "moodle, German": GERMAN, "moodle's worksheet": WORKSHEET,
}  # fmt: skip


def marks(*scores, penalty=0.0, manual=False, assignment=UNIT):
    return [
        Mark(student, assignment, score, 16.0, {}, manual, penalty)
        for student, score in zip(("ada", "bela"), scores, strict=True)
    ]


def table(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_everybody_s_mark_is_in_their_line_and_nothing_else_moves(tmp_path, name, encoding, ends):
    text = TABLES[name]
    path = table(tmp_path, text.replace("EX", "").replace("\n", ends), encoding)
    filled = export.fill(path, marks(14.5, 9.123456789, penalty=0.1), [ADA, BELA])
    (tmp_path / "filled.csv").write_bytes(filled.sheet.data())
    before, after = sheets.read(path), sheets.read(tmp_path / "filled.csv")
    assert before.encoding == after.encoding
    (column, added) = filled.columns[UNIT]
    assert not added
    at = after.header.index(column)
    changed = [
        (row[0], new[k])
        for row, new in zip(before.rows, after.rows, strict=True)
        for k in range(len(row))
        if row[k] != new[k]
    ]
    numbers = ["14,4", "9,023456789"] if "German" in name else ["14.4", "9.023456789"]
    assert [number for _, number in changed] == numbers
    assert [row[at] for row in after.rows if row[at] in numbers] == numbers
    assert (filled.missing, filled.unmarked, filled.kept) == ([], [], [])
    most = {"canvas": {}, "canvas, two names": {UNIT: 20}, "moodle, German": {}}
    assert filled.mosts == most.get(name, {UNIT: 100})


def test_who_is_excused_stays_so(tmp_path):
    filled = export.fill(table(tmp_path, CANVAS), marks(16, 16), [ADA, BELA])
    assert filled.kept == [("ada", "EX")]
    assert [row[4] for row in filled.sheet.rows] == ["Manual Posting", "16.00", "EX", "16", ""]


def test_an_added_column_comes_after_all_that_is_there(tmp_path):
    text = "First name,Last name,Username\nAda,Lovelace,ada,x,y\nBéla,Bartók,bela\n"
    filled = export.fill(table(tmp_path, text), marks(1, 2), [ADA, BELA])
    rows = list(csv.reader(io.StringIO(filled.sheet.text())))
    assert rows[0] == ["First name", "Last name", "Username", "", "", UNIT]
    assert [row[3:] for row in rows[1:]] == [["x", "y", "1"], ["", "", "2"]]
    assert filled.columns == {UNIT: (UNIT, True)}


def test_a_worksheet_is_about_one_assignment_and_names_may_be_all_it_has(tmp_path):
    path = table(tmp_path, WORKSHEET)
    both = [*marks(1, 2), *marks(3, 4, assignment=OTHER)]
    with pytest.raises(ClassError, match="--assignment A"):
        export.fill(path, both, [ADA, BELA])
    lines = [line.split(",") for line in WORKSHEET.splitlines()]
    path = table(tmp_path, "\n".join(",".join(line[:2] + line[3:]) for line in lines))
    assert export.fill(path, marks(1, 2), [ADA, BELA]).missing == []
    twins = [ADA, BELA, ADA._replace(id="ada2", email="other@uni.example")]
    assert export.fill(path, marks(1, 2), twins).missing == ["ada"], "nothing is guessed"


def test_beside_moodle_s_points_may_stand_letters_and_feedback(tmp_path):
    head = [f"Assignment: {UNIT} ({kind})" for kind in ("Letter", "Real", "Feedback")]
    text = f"First name,Surname,Email address,{','.join(head)}\nAda,Lovelace,ada@uni.example,,,\n"
    assert export.fill(table(tmp_path, text), marks(1, 2), [ADA, BELA]).columns == {
        UNIT: (head[1], False)
    }


def test_a_column_of_any_name_is_filled_if_it_is_named(tmp_path):
    text = CANVAS.replace(UNIT, "Week 2")
    path = table(tmp_path, text)
    (name,) = [column for column in sheets.read(path).header if column.startswith("Week 2")]
    for asked in (name, "week 2"):
        filled = export.fill(path, marks(1, 2), [ADA, BELA], asked)
        assert filled.columns == {UNIT: (name, False)}
    with pytest.raises(ClassError, match="say which by --assignment A"):
        export.fill(path, [*marks(1, 2), *marks(3, 4, assignment=OTHER)], [ADA, BELA], name)
    for other in ("Student", "ID", "Week 3"):  # who somebody is, is never written over
        with pytest.raises(ClassError, match=f"no column for marks is called {other}; name one"):
            export.fill(path, marks(1, 2), [ADA, BELA], other)
    twice = table(tmp_path, text.replace(name, f"{name},Week 2 (9)"))
    with pytest.raises(ClassError, match="name one by --column"):
        export.fill(twice, marks(1, 2), [ADA, BELA], "Week 2")
    filled = export.fill(twice, marks(1, 2), [ADA, BELA], "Week 2 (9)")
    assert filled.columns == {UNIT: ("Week 2 (9)", False)}


def test_what_stands_beside_the_table(tmp_path, capsysbinary, monkeypatch):
    classroom.new(tmp_path / "c")
    assert main(["class", "release", str(tmp_path / "c"), UNIT]) == 0
    Books(tmp_path / "c").add_students([ADA, BELA])
    monkeypatch.setattr(Books, "marks", lambda *_: marks(16, 16, manual=True))
    path = table(tmp_path, BLACKBOARD, "utf-16")
    capsysbinary.readouterr()
    words = ["export", str(tmp_path / "c"), "--format", "blackboard", "--into", str(path)]
    assert main([*words, "--assignment", UNIT]) == 0
    out, err = capsysbinary.readouterr()
    assert "\tbela\t8\tYes\t16\r\n" in out.decode("utf-16")
    err = err.decode()
    assert f"the marks of {UNIT} are in the column '{UNIT} [Total Pts: 100 Score] |123'\n" in err
    assert "marks are not scaled: make it 16 there" in err
    assert "2 have questions that wait for a mark by hand, and count 0: ada, bela" in err


# ------------------------------------------------------------------ who is in it


@pytest.mark.parametrize(
    ("name", "kind", "ids"),
    [
        ("canvas", "canvas", ["ada", "bela"]),
        ("canvas, two names", "canvas", ["7", "8"]),
        ("blackboard", "blackboard", ["ada", "bela"]),
        ("moodle, German", "moodle", ["7", "8"]),
    ],
)
def test_whom_a_table_lists(tmp_path, name, kind, ids):
    read = roster.read(table(tmp_path, TABLES[name]))
    assert read.kind == kind
    assert [student.id for student in read.students] == ids
    assert [student.name for student in read.students] == ["Ada Lovelace", "Béla Bartók"]
    assert {student.lms_user_id for student in read.students} == {"7", "8"}


def test_own_columns_may_be_called_as_moodle_calls_them(tmp_path):
    text = "id,First name,Last name,Email\nada,Ada,Lovelace,a@b\n"
    (student,) = roster.read(table(tmp_path, text)).students
    assert student == Student("ada", "Ada", "Lovelace", "a@b")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (WORKSHEET, "download Moodle's list of participants"),
        ("Имя,Фамилия\nАда,Лавлейс\n", "its columns are Имя, Фамилия"),
        ('id\n"two\nlines"\n\n\na b\n', "line 3: 'two"),
        ("id\na\n\n\nb c\n", "line 5: 'b c'"),
        ("First name,Surname\nAda,L\n", "line 2: Ada L has no id"),
        ('id\n"' + "x" * 200_000, "line 2: field larger than field limit"),
    ],
    ids=range(6),
)
def test_what_is_wrong_is_said_with_its_line(tmp_path, text, says):
    with pytest.raises(ClassError) as error:
        roster.read(table(tmp_path, text))
    assert says in str(error.value)


def test_a_delimiter_in_quotes_is_none(tmp_path):
    text = '"id","a;b;c;d"\nada,1\n'
    assert sheets.read(table(tmp_path, text)).header == ["id", "a;b;c;d"]


def test_a_learner_whose_id_is_another_now_stays_one_learner(tmp_path, capsys):
    classroom.new(tmp_path / "c")
    Books(tmp_path / "c").add_students([ADA, BELA])
    text = (
        "id,first_name,last_name,email,lms_user_id\nADA,Ada,King,,\nbb,Béla,B.,Bela@uni.example,\n"
        "bela2,Béla,Bartók,,\n"
    )
    words = ["class", "add-students", str(tmp_path / "c"), str(table(tmp_path, text))]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "1 added, 2 known (csv)" in out
    assert "known as     ada (in the roster ADA" in out
    assert "known as     bela (in the roster bb" in out
    assert "namesake     bela2 is called as bela is" in out
    found = {student.id: student.name for student in Books(tmp_path / "c").students()}
    assert found == {"ada": "Ada King", "bela": "Béla B.", "bela2": "Béla Bartók"}
    assert main(words) == 0
    assert "0 added, 3 known" in capsys.readouterr().out


def test_a_family_s_address_makes_nobody_one(tmp_path):
    anna, ada = ADA._replace(id="anna", first_name="Anna", lms_user_id=""), ADA._replace(id="a")
    assert roster.known_as([anna], [ADA]) == {}
    assert roster.known_as([ada], [ADA]) == {"a": "ada"}
    assert roster.known_as([ada, ADA], [ADA]) == {}
    assert roster.known_as([ada, ada._replace(id="b")], [ADA]) == {}, "which of the two?"
