"""From a roster to marks in the learning system: nobody lost, nobody doubled, nothing guessed."""

import csv
import io
import json
import shlex
import zipfile

import pytest

from autograder.cli import main
from autograder.grading import classroom, demo, roster
from autograder.grading.books import Books
from autograder.grading.collect import collect
from autograder.grading.errors import ClassError
from autograder.grading.late import PerDay
from autograder.grading.roster import Student

UNIT, NAME = demo.UNIT, "rnn_forward.ipynb"
WRONG = "def softmax(z):\n    return z"

PEOPLE = {  # id: first, last, the LMS's number, what is handed in
    "oneill": ("Siobhán", "O'Neill, Jr.", "101", {}),
    "quote": ('Ann "Q"', "Müller-Lüdenscheidt", "102", {"softmax": WRONG}),
    "kim1": ("Min", "Kim", "103", {}),
    "kim2": ("Min", "Kim", "104", {"softmax": WRONG}),
    "late": ("Lena", "Spät", "105", {}),
    "none": ("Noah", "Nothing", "106", None),
    "gone": ("Gül", "Gegangen", "107", {"softmax": WRONG}),  # hands in, then leaves the course
}
FULL, LESS = 16.0, 14.0
EXPECTED = {"oneill": FULL, "quote": LESS, "kim1": FULL, "kim2": LESS, "late": FULL, "gone": LESS}


def table(rows, delimiter=","):
    out = io.StringIO()
    csv.writer(out, delimiter=delimiter).writerows(rows)
    return "\ufeff" + out.getvalue()


def canvas_gradebook():
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", f"{UNIT} (77)", "Final"]
    possible = ["    Points Possible", "", "", "", "", "16", "(read only)"]
    rows = [[f"{last}, {first}".replace("O'Neill, Jr.", "O'Neill Jr."), lms, f"sis{lms}", who, "A", "", "0"]
            for who, (first, last, lms, _) in PEOPLE.items()]  # fmt: skip
    return table([head, possible, *rows, ["Student, Test", "9", "", "x", "A", "", ""]])


def moodle_grades():
    head = ["First name", "Last name", "ID number", "Username", "Email address",
            f"Assignment: {UNIT} (Real)", "Last downloaded"]  # fmt: skip
    rows = [[first, last, lms, who, f"{who}@uni.example", "-", "1"]
            for who, (first, last, lms, _) in PEOPLE.items()]  # fmt: skip
    return table([head, *rows], ";")


def plain_csv():
    head = ["id", "first_name", "last_name", "email", "lms_user_id"]
    rows = [[who, first, last, "", lms] for who, (first, last, lms, _) in PEOPLE.items()]
    return table([head, *rows])


def handed_in():
    """(learner, notebook), twice of one: the second is what counts."""
    for who, (_, _, _, answers) in PEOPLE.items():
        if answers is not None:
            if who == "quote":
                yield who, demo.solved({}), 0
            yield who, demo.solved(answers), 1


def letters(name):
    return "".join(c for c in name.lower() if c.isalnum())


def canvas_archive(path):
    """All times in it are those of the download."""
    with zipfile.ZipFile(path, "w") as archive:
        for who, text, attempt in handed_in():
            first, last, lms, _ = PEOPLE[who]
            late = "LATE_" if who == "late" else ""
            name = (
                f"{letters(last + first)}_{late}{lms}_{900 + attempt}_rnn_forward-{attempt}.ipynb"
            )
            archive.writestr(zipfile.ZipInfo(name, (2026, 1, 25, 12, 0, 0)), text)
        archive.writestr("strangerperson_999_1_rnn_forward.ipynb", "{}")


def moodle_archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        for k, (who, text, attempt) in enumerate(handed_in()):
            first, last, _, _ = PEOPLE[who]
            name = f"{first} {last}_{5000 + k}_assignsubmission_file/mine/{NAME}"
            archive.writestr(stamped(name, attempt, who), text)
            archive.writestr(
                f"{first} {last}_{5000 + k}_assignsubmission_file/timestamp.txt", "1999-01-01"
            )
        archive.writestr("Some Body_1_assignsubmission_file_/rnn_forward.ipynb", "{}")


def blackboard_archive(path):
    with zipfile.ZipFile(path, "w") as archive:
        for who, text, attempt in handed_in():
            day = 20 if who == "late" else 5 + attempt
            name = f"Unit 2_{who}_attempt_2026-01-{day:02}-12-00-00_rnn_forward.ipynb"
            archive.writestr(name, text)
            archive.writestr(name.replace("_rnn_forward.ipynb", ".txt"), "Name: x")
        archive.writestr("Unit 2_ghost_attempt_2026-01-06-12-00-00_x.ipynb", "{}")


def stamped(name, attempt, who):
    return zipfile.ZipInfo(name, (2026, 1, 20 if who == "late" else 5 + attempt, 12, 0, 0))


ROSTERS = {"canvas": canvas_gradebook, "moodle": moodle_grades, "csv": plain_csv}
ARCHIVES = {"canvas": canvas_archive, "moodle": moodle_archive, "csv": blackboard_archive}


def made(tmp_path, kind):
    folder, listed = tmp_path / "class", tmp_path / "roster.csv"
    listed.write_text(ROSTERS[kind](), "utf-8")
    assert main(["class", "new", str(folder), "--late-per-day", "10"]) == 0
    due = "2026-01-18 20:00 +02:00"
    assert main(["class", "release", str(folder), UNIT, "--zip", "--due", due]) == 0
    assert main(["class", "add-students", str(folder), str(listed)]) == 0
    return folder, listed


@pytest.mark.slow
@pytest.mark.parametrize("kind", ROSTERS)
def test_from_roster_to_marks(tmp_path, kind, capsys):
    folder, listed = made(tmp_path, kind)
    assert f"7 added, 0 known ({kind})" in capsys.readouterr().out
    assert zipfile.ZipFile(folder / f"{UNIT}.zip").namelist()[-1] == f"{UNIT}/{NAME}"
    ARCHIVES[kind](tmp_path / "handed-in.zip")
    words = ["class", "collect", str(folder), UNIT, str(tmp_path / "handed-in.zip")]

    assert main([*words, "--dry-run"]) == 1
    assert list((folder / "submitted").iterdir()) == []
    assert main(words) == 1, "something was left out"
    said = capsys.readouterr().out
    assert "nothing of   none" in said
    expected = dict(EXPECTED)
    if kind == "moodle":  # it tells learners by their names, and two have one
        assert said.count("it may be of kim1 or kim2") == 2 * 2, "of the dry run, too"
        del expected["kim1"], expected["kim2"]
        for who in ("kim1", "kim2"):
            place = folder / "submitted" / who / UNIT
            place.mkdir(parents=True)
            (place / NAME).write_text(demo.solved(PEOPLE[who][3]))
        expected = dict(EXPECTED)
    assert "nobody in the class is called so" in said
    assert main(words) == 1
    assert "replaced" not in capsys.readouterr().out, "the same again changes nothing"

    assert main(["grade", str(folder)]) == 0
    marks = Books(folder).marks(UNIT)
    assert {mark.student: mark.score for mark in marks} == expected
    penalties = {mark.student: mark.penalty for mark in marks if mark.penalty}
    days = 1 if kind == "canvas" else 2  # Canvas does not say how many; a day and 18 hours are two
    assert penalties == {"late": pytest.approx(days * 0.1 * FULL)}
    assert main(["class", "feedback", str(folder), UNIT]) == 0
    names = zipfile.ZipFile(folder / f"feedback-{UNIT}.zip").namelist()
    assert sorted(names) == [f"{who}/{UNIT}/rnn_forward.html" for who in sorted(expected)]
    the_feedback(folder, tmp_path / "handed-in.zip", kind, capsys, sorted(expected))
    capsys.readouterr()

    assert main(["export", str(folder), "--format", "json"]) == 0
    exported = {m["student"]: m["total"] for m in json.loads(capsys.readouterr().out)}
    expected["late"] *= 1 - days * 0.1
    assert exported == pytest.approx(expected)
    assert main(["export", str(folder)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["student"]: float(row["total"]) for row in rows} == pytest.approx(expected)
    softmax = {row["student"]: float(row["check-softmax"]) for row in rows}
    assert softmax == {who: 0 if PEOPLE[who][3] else 2 for who in expected}
    without = "".join(line for line in ROSTERS[kind]().splitlines(True) if "Gegangen" not in line)
    listed.write_text(without, "utf-8")
    assert main(["class", "add-students", str(folder), str(listed)]) == 0
    assert "not listed   gone (in the class, and kept)" in capsys.readouterr().out
    if kind != "csv":
        back_into_the_table(folder, listed, kind, capsys, expected)


def the_feedback(folder, archive, kind, capsys, expected):
    """A file for each, and one that the learning system takes back: its own names, our pages."""
    words = ["class", "feedback", str(folder), UNIT]
    for more in (["--each"], ["--archive", str(archive)]):
        assert main([*words, *more, "--dry-run"]) == 0
    upload = folder / f"feedback-{UNIT}-upload.zip"
    assert not upload.exists()
    capsys.readouterr()
    assert main([*words, "--each"]) == 0
    for who in expected:
        (name,) = zipfile.ZipFile(folder / f"feedback-{UNIT}" / f"{who}.zip").namelist()
        assert name == f"{who}/{UNIT}/rnn_forward.html"
    assert main([*words, "--archive", str(archive)]) == 0
    said = capsys.readouterr().out
    unclear = ["kim1", "kim2"] if kind == "moodle" else []
    assert [line.split()[3] for line in said.splitlines() if "not in it" in line] == unclear
    with zipfile.ZipFile(upload) as pages, zipfile.ZipFile(archive) as handed_in:
        stems = {name.removesuffix(".ipynb") for name in handed_in.namelist()}
        assert {name.removesuffix(".html") for name in pages.namelist()} <= stems
        held = {pages.read(name) for name in pages.namelist()}
        assert len(pages.namelist()) == len(expected) - len(unclear)
    there = [folder / "feedback" / who / UNIT / "rnn_forward.html" for who in expected]
    assert held == {page.read_bytes() for page in there if page.parents[1].name not in unclear}


def back_into_the_table(folder, listed, kind, capsys, expected):
    assert main(["export", str(folder), "--format", kind, "--into", str(listed)]) == 0
    out, err = capsys.readouterr()
    delimiter = ";" if kind == "moodle" else ","
    before = list(csv.reader(io.StringIO(listed.read_text("utf-8-sig")), delimiter=delimiter))
    after = list(csv.reader(io.StringIO(out), delimiter=delimiter))
    at = next(k for k, name in enumerate(before[0]) if UNIT in name)
    assert [row[:at] + row[at + 1 :] for row in after] == [r[:at] + r[at + 1 :] for r in before]
    who = before[0].index("SIS Login ID" if kind == "canvas" else "Username")
    marks = {row[who]: row[at] for row in after[1:]}
    assert err.count("gone has marks, but no line in") == 1, "nobody is lost without a word"
    still = {name: mark for name, mark in expected.items() if name != "gone"}
    assert {name: marks[name] for name in still} == {n: f"{m:g}" for n, m in still.items()}
    assert "gone" not in marks
    assert marks["none"] in ("", "-")
    assert "none has no marks" in err


def test_lateness_is_the_archive_s_not_the_learner_s(tmp_path, capsys):
    folder, _ = made(tmp_path, "csv")
    moodle_archive(tmp_path / "a.zip")
    for zone, hour in ((), 12), (("--zone", "Europe/Berlin"), 11), (("--zone", "Asia/Tokyo"), 3):
        main(["class", "collect", str(folder), UNIT, str(tmp_path / "a.zip"), *zone])
        said = capsys.readouterr().out
        assert f"taken as those of {zone[1] if zone else 'UTC'}" in said
        stamps = {
            p.parent.parent.name: p.read_text() for p in folder.glob("submitted/*/*/timestamp.txt")
        }
        assert stamps["late"] == f"2026-01-20 {hour:02}:00:00 UTC"
        assert stamps["oneill"] == f"2026-01-06 {hour:02}:00:00 UTC"


def test_a_new_roster_adds_and_never_removes(tmp_path, capsys):
    folder, _ = made(tmp_path, "csv")
    (tmp_path / "next.csv").write_text("id,first_name\nkim1,Minnie\nnew,Neo\n")
    capsys.readouterr()
    words = ["class", "add-students", str(folder), str(tmp_path / "next.csv")]
    assert main([*words, "--dry-run"]) == 0
    assert "1 would be added, 1 known" in capsys.readouterr().out
    assert len(Books(folder).students()) == 7
    assert main(words) == 0
    assert "not listed   quote (in the class, and kept)" in capsys.readouterr().out
    found = {student.id: student for student in Books(folder).students()}
    assert len(found) == 8
    assert found["kim1"] == Student("kim1", "Minnie", "Kim", "", "103"), "what is not said is kept"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty"),
        ("name,age\nx,3\n", "no column says who is who"),
        ("id\na\nb\nA\n", "these have one id: a (), A ()"),
        ("id,first_name\n../x,Eve\n", "cannot name a folder"),
        ("id\n \"\"\nx y\n", "cannot name a folder"),
        ("id,first_name\n,Eve\n", "line 2: Eve has no id"),
    ],
)  # fmt: skip
def test_a_roster_that_is_none(tmp_path, text, says):
    (tmp_path / "r.csv").write_text(text)
    with pytest.raises(ClassError) as error:
        roster.read(tmp_path / "r.csv")
    assert says in str(error.value)


def test_a_name_that_would_run_in_the_formgrader_is_only_read(tmp_path):
    roster_ = tmp_path / "roster.csv"
    roster_.write_text("id,first_name,last_name\nmal,<script>alert(1)</script>,O'Neill & Sons\n")
    (student,) = roster.read(roster_).students
    assert student.first_name == "‹script›alert(1)‹/script›"
    assert student.last_name == "O'Neill & Sons"


def test_a_roster_in_another_encoding_or_none(tmp_path):
    (tmp_path / "r.csv").write_bytes("id,first_name\na,Zoë\n".encode("latin-1"))
    with pytest.raises(ClassError, match="not in UTF-8"):
        roster.read(tmp_path / "r.csv")
    with pytest.raises(ClassError, match="cannot be read"):
        roster.read(tmp_path / "gone.csv")


PAIR = [Student("a", "Ann", "Lee", "", "7"), Student("b", "Bob", "Ray")]


@pytest.mark.parametrize(
    ("member", "taken"),
    [
        ("leeann_7_55_x.ipynb", "a"),
        ("leeann_LATE_7_55_x-1.ipynb", "a"),
        ("raybob_8_55_x.ipynb", "b"),  # no number is known of Bob, and nobody else is called so
        ("leeann_8_55_x.ipynb", None),  # Ann has another number
        ("Ann Lee_12_assignsubmission_file_x.ipynb", "a"),
        ("sub/Bob Ray_12_assignsubmission_file/deep/er/x.ipynb", "b"),
        ("T_a_attempt_2026-02-03-04-05-06_x.ipynb", "a"),
        ("T_A_attempt_2026-02-03-04-05-06_x.ipynb", "a"),
        ("../../etc/Ann Lee_12_assignsubmission_file_/x.ipynb", "a"),
        ("x.ipynb", None),
        ("notes.txt", None),
        # a learner names the file, such that the whole looks like somebody else's
        ("T_b_attempt_2026-02-03-04-05-06_x_a_attempt_2026-02-03-04-05-07_x.ipynb", "b"),
        ("Bob Ray_1_assignsubmission_file_Ann Lee_2_assignsubmission_file_x.ipynb", "b"),
        ("raybob_8_55_x_a_attempt_2026-02-03-04-05-06_x.ipynb", None),
        ("raybob_8_55_x_a_attempt_2026-99-99-99-99-99_x.ipynb", "b"),
        ("T_a_attempt_2026-99-99-99-99-99_x.ipynb", None),
    ],
)
def test_whose_a_member_is(tmp_path, member, taken):
    classroom.new(tmp_path / "class")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr(member, "{}")
    done = collect(tmp_path / "class", "u", tmp_path / "z.zip", PAIR, "x.ipynb")
    assert list(done.taken) == ([taken] if taken else [])
    written = sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*.ipynb"))
    assert written == ([f"class/submitted/{taken}/u/x.ipynb"] if taken else [])
    assert len(done.left) == (taken is None and member.endswith(".ipynb"))


def test_an_archive_is_of_one_system(tmp_path, capsys):
    """Bob hands in to Canvas a file whose name is like Ann's in Blackboard, and acts on terminals."""
    names = ("leeann_7_55_x.ipynb", "raybob_8_56_x_a_attempt_2099-01-01-00-00-00_x.ipynb",
             "T_a_attempt_2099-01-01-00-00-00_\x1b]0;x\x07\n.ipynb")  # fmt: skip
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        for name in names:
            archive.writestr(name, name)
    done = collect(tmp_path, "u", tmp_path / "z.zip", PAIR, "x.ipynb")
    assert {who: entry.member for who, entry in done.taken.items()} == {
        "a": names[0],
        "b": names[1],
    }
    assert (tmp_path / "submitted/a/u/x.ipynb").read_text() == names[0]
    assert len(done.left) == 1


def test_an_archive_that_is_none(tmp_path):
    (tmp_path / "z.zip").write_text("no zip")
    with pytest.raises(ClassError, match="cannot be read as a zip file"):
        collect(tmp_path, "u", tmp_path / "z.zip", PAIR, "x.ipynb")
    with pytest.raises(ClassError, match="is a folder; name the zip file"):
        collect(tmp_path, "u", tmp_path, PAIR, "x.ipynb")


def test_a_bomb_is_read_no_further_than_grading_would(tmp_path):
    from autograder.grading.sanitise import MAX_FILE

    with zipfile.ZipFile(tmp_path / "z.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("leeann_7_55_x.ipynb", b"0" * (MAX_FILE + 5_000_000))
    collect(tmp_path, "u", tmp_path / "z.zip", PAIR, "x.ipynb")
    assert (tmp_path / "submitted/a/u/x.ipynb").stat().st_size == MAX_FILE + 1


def test_what_stands_where_a_notebook_goes_is_replaced_not_followed(tmp_path):
    place = tmp_path / "submitted/a/u"
    place.mkdir(parents=True)
    (tmp_path / "precious").write_text("keep")
    (place / "x.ipynb").symlink_to(tmp_path / "precious")
    (place / "timestamp.txt").symlink_to(tmp_path / "precious")
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("leeann_7_55_x.ipynb", "{}")
    done = collect(tmp_path, "u", tmp_path / "z.zip", PAIR, "x.ipynb")
    assert (tmp_path / "precious").read_text() == "keep"
    assert (place / "x.ipynb").read_text() == "{}"
    assert done.replaced == ["a"]


def test_export_wants_a_table_to_fill(tmp_path, capsys):
    folder, listed = made(tmp_path, "csv")
    assert main(["export", str(folder), "--format", "canvas"]) == 2
    assert "--into FILE.csv" in capsys.readouterr().err
    assert main(["export", str(folder), "--format", "moodle", "--into", str(listed)]) == 2
    assert "no gradebook of Canvas, Moodle or Blackboard" in capsys.readouterr().err


def test_what_comes_next_can_be_copied_whatever_a_class_is_called(tmp_path, capsys):
    folder = tmp_path / "the 2nd year's"
    assert main(["class", "new", str(folder)]) == 0
    *_, said, _ = capsys.readouterr().out.split("\n")
    assert shlex.split(said) == ["unrolled", "class", "release", str(folder), UNIT]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["new", "x", "--late-per-day", "110"], "not a number from 0 to 100"),
        (["release", "x", UNIT, "--due", "tomorrow"], "no time with a zone"),
        (["collect", "x", UNIT, "z.zip", "--zone", "Atlantis"], "no time zone"),
        (["release", "x", UNIT, "--due", "2026-01-18 20:00"], "no time with a zone"),
    ],
)
def test_what_is_no_percentage_or_time(words, says, capsys):
    with pytest.raises(SystemExit):
        main(["class", *words])
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    ("hours", "grace", "share"), [(0, 0, 0), (1, 0, 0.1), (24, 0, 0.1), (25, 0, 0.2), (1, 1, 0),
                                  (26, 1, 0.2), (24 * 30, 0, 1)]
)  # fmt: skip
def test_every_day_begun_costs(hours, grace, share):
    plugin = PerDay(percent=10, grace_hours=grace)
    assert (plugin.late_submission_penalty("a", 20, hours * 3600) or 0) == pytest.approx(20 * share)
