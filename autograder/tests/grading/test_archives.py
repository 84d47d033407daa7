"""What an archive of handed-in files may hold: whose, which, when; and what is said of the rest."""

import shutil
import subprocess
import sys
import time
import unicodedata
import zipfile
from datetime import UTC, datetime

import pytest

from autograder.cli import main
from autograder.grading import classroom, collect, demo
from autograder.grading.books import Books
from autograder.grading.errors import ClassError
from autograder.grading.roster import Student

NAME = "rnn_forward.ipynb"
CLASS = [
    Student("ada", "Ada", "Lovelace", "ada@uni.example", "7"),
    Student("bela", "Béla", "Bartók", "bela@uni.example", "8"),
]
NOON, DUE = (2026, 1, 5, 12, 0, 0), datetime(2026, 1, 1, tzinfo=UTC)
CANVAS, MOODLE = "lovelaceada_7_", "Ada Lovelace_12_assignsubmission_file/"


def blackboard(day, file):
    return f"T_ada_attempt_2026-01-{day:02}-12-00-00_{file}"


def archive(path, *members):
    """A zip file; a member is a name, or its name, time and text."""
    with zipfile.ZipFile(path, "w") as made:
        for member in members:
            name, when, text = (member, NOON, member) if isinstance(member, str) else member
            made.writestr(zipfile.ZipInfo(name, when), text)
    return path


def collected(tmp_path, *members, students=CLASS, **how):
    made = archive(tmp_path / "z.zip", *members)
    return collect.collect(tmp_path / "c", "u", made, students, NAME, **how)


def place(tmp_path, student="ada"):
    return tmp_path / "c" / "submitted" / student / "u"


@pytest.mark.parametrize(
    ("members", "taken", "passed"),
    [
        ([f"{CANVAS}5_x.ipynb"], 0, 0),
        ([f"{CANVAS}5_{NAME}", f"{CANVAS}6_rnn_forward-1.ipynb"], 1, 0),
        ([f"{CANVAS}6_RNN_forward (2).ipynb", f"{CANVAS}5_rnn_forward.ipynb"], 0, 0),
        ([f"{CANVAS}5_{NAME}", f"{CANVAS}6_scratch.ipynb"], 0, 1),  # of one time: the right name
        ([f"{CANVAS}5_a.ipynb", f"{CANVAS}6_b.ipynb"], None, 0),
        ([f"{MOODLE}x.ipynb", f"{MOODLE}x (1).ipynb"], 1, 0),
        ([f"{MOODLE}x-Copy2.ipynb", f"{MOODLE}x-Copy10.ipynb"], 1, 0),
        ([f"{MOODLE}deep/{NAME}", f"{MOODLE}notes.ipynb", f"{MOODLE}b.ipynb"], 0, 2),
        ([blackboard(9, "b.ipynb"), blackboard(5, "b.ipynb")], 0, 0),
        ([blackboard(5, "a.ipynb"), blackboard(9, NAME)], 1, 1),
        ([blackboard(5, NAME), blackboard(9, "final.ipynb")], None, 0),  # the last is another one
        ([f"{MOODLE}Copy of x.ipynb", f"{MOODLE}x.ipynb"], 0, 0),
    ],
)  # fmt: skip
def test_of_several_notebooks_the_last_counts_if_it_is_clear_which(
    tmp_path, members, taken, passed
):
    done = collected(tmp_path, *members)
    assert [entry.member for entry in done.taken.values()] == (
        [] if taken is None else [members[taken]]
    )
    assert len(done.passed) == passed
    assert [member for member, _ in done.left] == (members if taken is None else [])
    assert done.missing == ["bela"], "who has handed in something unclear is no one who has not"


def test_the_one_that_is_put_there_counts_at_the_next_run(tmp_path):
    members = f"{CANVAS}5_a.ipynb", f"{CANVAS}6_b.ipynb"
    done = collected(tmp_path, *members)
    for _, why in done.left:
        assert str(place(tmp_path) / NAME) in why, "the remedy names the place"
    place(tmp_path).mkdir(parents=True)
    (place(tmp_path) / NAME).write_text(members[0])
    done = collected(tmp_path, *members)
    assert (done.left, done.replaced) == ([], [])
    assert done.taken["ada"].member == members[0]


def test_an_archive_of_another_assignment_is_refused(tmp_path):
    for unit, name in ("u", NAME), ("v", "bptt.ipynb"):
        (tmp_path / "c" / "release" / unit).mkdir(parents=True)
        (tmp_path / "c" / "release" / unit / name).touch()
    members = [f"{CANVAS}5_bptt-1.ipynb", "bartokbela_8_6_bptt.ipynb"]
    with pytest.raises(ClassError, match="holds notebooks of v, by their names"):
        collected(tmp_path, *members)
    assert not (tmp_path / "c" / "submitted").exists()
    assert len(collected(tmp_path, members[0], "bartokbela_8_6_mine.ipynb").taken) == 2


@pytest.mark.parametrize("ending", [".IPYNB", ".ipynb.txt", ".ipynb.json", ".Ipynb.TXT"])
def test_a_notebook_that_a_browser_has_renamed_is_one(tmp_path, ending):
    done = collected(tmp_path, f"{CANVAS}5_x{ending}")
    assert list(done.taken) == ["ada"]
    assert (place(tmp_path) / NAME).is_file()


@pytest.mark.parametrize(
    "member",
    [f"{CANVAS}5_x.pdf", "lovelaceada_7_text.html", f"{MOODLE}x.zip", blackboard(5, "x.py"),
     "Ada Lovelace_12_assignsubmission_onlinetext/onlinetext.html",
     "T_ada_attempt_2026-01-05-12-00-00.txt"],
)  # fmt: skip
def test_what_is_no_notebook_is_said_of_who_has_handed_in_none(tmp_path, member):
    done = collected(tmp_path, member)
    assert done.left == [(member, "no notebook, and there is none of ada")]
    beside = f"{CANVAS}5_{NAME}", member, "rollcall.csv", "bela_bartok.pdf"
    assert collected(tmp_path, *beside).left == [], "no noise of who has handed one in"


def test_a_name_without_end_costs_no_time(tmp_path):
    endless = f"{CANVAS}5_x{'-1' * 15_000}.ipynb"
    start = time.process_time()
    done = collected(tmp_path, f"{CANVAS}4_{NAME}", endless)
    assert time.process_time() - start < 3
    assert done.left == [(endless, "its name is of none of the forms known")]
    assert list(done.taken) == ["ada"]


def test_names_are_read_as_they_were_meant(tmp_path):
    """Canvas and macOS write UTF-8 and do not say so; macOS takes accents apart, and adds files."""
    name = f"Béla Bartók_12_assignsubmission_file/{NAME}"
    apart = unicodedata.normalize("NFD", name)
    made = tmp_path / "z.zip"
    with zipfile.ZipFile(made, "w") as opened:
        opened.writestr(apart, "his")
        opened.writestr(f"__MACOSX/._{apart}", "no notebook")
        opened.writestr(apart.replace("file/", "file/._"), "no notebook")
    raw = made.read_bytes()
    for header, at in (b"PK\x03\x04", 6), (b"PK\x01\x02", 8):
        pieces = raw.split(header)
        rest = [p[: at - 4] + b"\0\0" + p[at - 2 :] for p in pieces[1:]]  # no flag for UTF-8
        raw = header.join([pieces[0], *rest])
    made.write_bytes(raw)
    assert "BÃ" not in zipfile.ZipFile(made).namelist()[0]
    done = collect.collect(tmp_path / "c", "u", made, CLASS, NAME)
    assert (place(tmp_path, "bela") / NAME).read_text() == "his"
    assert (done.left, done.passed) == ([], [])
    assert done.taken["bela"].member == apart


@pytest.mark.parametrize(
    "member", ["anon_x1Yz2_55_x.ipynb", "Participant_12_assignsubmission_file/x.ipynb"]
)
def test_hidden_names_are_not_looked_for(tmp_path, member):
    assert "names are hidden" in collected(tmp_path, member).left[0][1]


def test_one_broken_member_costs_that_member(tmp_path):
    made = archive(tmp_path / "z.zip", f"{CANVAS}5_x.ipynb", "bartokbela_8_6_x.ipynb")
    data = bytearray(made.read_bytes())
    data[data.index(b"lovelaceada", 40)] = ord("m")  # its text is not what was packed
    made.write_bytes(data)
    done = collect.collect(tmp_path / "c", "u", made, CLASS, NAME)
    assert list(done.taken) == ["bela"]
    assert "it cannot be read" in done.left[0][1]


@pytest.mark.parametrize(
    ("owners", "taken"),
    [
        (["j_smith", "smith"], ["j_smith", "smith"]),
        (["j_smith", "ada"], ["j_smith", "ada"]),
        (["smith", "k_smith"], ["smith"]),  # of whom nobody knows, and who is not smith
        (["A_Smith"], ["a_smith"]),
        (["b_smith"], ["smith", "b_smith"]),  # one alone does not tell where the assignment ends
    ],
)
def test_in_blackboard_ids_and_assignments_may_hold_underscores(tmp_path, owners, taken):
    students = [Student(who) for who in ("ada", "smith", "j_smith", "a_smith", "b_smith")]
    students = [s for s in students if s.id in taken or s.id == "ada" or len(owners) > 1]
    members = [f"Unit_2_ x_{who}_attempt_2026-01-05-12-00-00_{NAME}" for who in owners]
    done = collected(tmp_path, *members, students=students)
    if len(owners) == 1 and len(taken) > 1:
        assert done.left == [(members[0], "it may be of b_smith or smith")]
    else:
        assert sorted(done.taken) == sorted(taken)


# ------------------------------------------------------------------ when?


def stamp(tmp_path, student="ada"):
    path = place(tmp_path, student) / "timestamp.txt"
    return path.read_text() if path.exists() else None


def test_canvas_says_who_is_late_and_not_by_how_much(tmp_path):
    """The times in its archives are those of the download."""
    members = f"{CANVAS}5_{NAME}", f"bartokbela_LATE_8_6_{NAME}"
    done = collected(tmp_path, *members, due=DUE)
    assert (done.late, stamp(tmp_path)) == (["bela"], None)
    assert stamp(tmp_path, "bela") == "2026-01-01 00:00:01 UTC"
    (place(tmp_path, "bela") / "timestamp.txt").write_text("2026-01-03 08:00:00 UTC")
    assert collected(tmp_path, *members, due=DUE).late == []
    assert stamp(tmp_path, "bela") == "2026-01-03 08:00:00 UTC", "what was written by hand stays"
    assert collected(tmp_path, f"bartokbela_8_6_{NAME}", due=DUE).late == []
    assert stamp(tmp_path, "bela") is None, "Canvas has given more time"


def moodle(*times):
    names = ("Ada Lovelace_12", "Béla Bartók_13")
    return [
        (f"{name}_assignsubmission_file/{NAME}", (2026, 1, *time, 0), name)
        for name, time in zip(names, times, strict=True)
    ]


def test_an_archive_that_was_made_within_an_hour_tells_no_times(tmp_path):
    """Moodle has written the time of the download into its archives since it streams them."""
    done = collected(tmp_path, *moodle((9, 8, 0), (9, 8, 59)), due=DUE)
    assert [entry.when for entry in done.taken.values()] == [None, None]
    assert (stamp(tmp_path), done.late) == (None, [])
    collected(tmp_path, *moodle((9, 8, 0), (9, 9, 0)), due=DUE)
    assert stamp(tmp_path) == "2026-01-09 08:00:00 UTC"


WORKSHEET = (
    "Identifier,Full name,Email address,Status,Grade,Maximum Grade,"
    '"Last modified (submission)","Last modified (grade)"\r\n'
    'Participant 12,Ada Lovelace,ada@uni.example,x,,16,"Friday, 9 January 2026, 8:05 PM",-\r\n'
    'Participant 13,Béla Bartók,bela@uni.example,x,,16,-,-\r\n'
)  # fmt: skip


def test_moodle_s_worksheet_tells_times_and_namesakes_apart(tmp_path):
    sheet = tmp_path / "worksheet.csv"
    sheet.write_text(WORKSHEET, "utf-8-sig")
    twins = [*CLASS, Student("ada2", "Ada", "Lovelace", "second@uni.example")]
    members = moodle((20, 8, 0), (20, 8, 0))
    assert list(collected(tmp_path, *members, students=twins).taken) == ["bela"]
    done = collected(tmp_path, *members, students=twins, times=sheet)
    assert list(done.taken) == ["ada", "bela"]
    assert (stamp(tmp_path), stamp(tmp_path, "bela")) == ("2026-01-09 20:05:00 UTC", None)


def test_of_whom_no_time_is_told_is_said(tmp_path, capsys, monkeypatch):
    folder, sheet = tmp_path / "class", tmp_path / "worksheet.csv"
    sheet.write_text(WORKSHEET)
    classroom.new(folder)
    (folder / "release" / "u").mkdir()
    (folder / "release" / "u" / NAME).touch()
    Books(folder).add_students(CLASS)
    made = archive(tmp_path / "z.zip", *moodle((9, 8, 0), (9, 8, 0)))
    words = ["class", "collect", str(folder), "u", str(made), "--dry-run"]
    for due in None, DUE:
        monkeypatch.setattr(Books, "due", lambda *_, due=due: due)
        assert main(words) == 0
        assert ("does not tell when" in capsys.readouterr().out) == bool(due)
    assert main([*words, "--worksheet", str(sheet)]) == 0
    said = capsys.readouterr().out
    assert "does not tell" not in said
    assert f"in time      bela (no time in {sheet})" in said


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("Friday, 9 January", "vendredi 9 janvier", "line 2: 'vendredi 9 janvier 2026, 8:05 PM'"),
        ("Friday, 9 January 2026", "09/01/26", "no time that can be read"),
        ("Identifier", "ID", "is no grading worksheet"),
        ("(submission)", "(Abgabe)", "is no grading worksheet"),
    ],
)
def test_a_worksheet_that_cannot_be_read_says_where_and_what_to_do(tmp_path, before, after, says):
    sheet = tmp_path / "worksheet.csv"
    sheet.write_text(WORKSHEET.replace(before, after))
    with pytest.raises(ClassError, match="in English") as error:
        collected(tmp_path, *moodle((9, 8, 0), (9, 8, 0)), times=sheet)
    assert says in str(error.value)


def test_what_is_said_at_the_desk(tmp_path, capsys):
    """All of it at once; and nothing that is asked first is done."""
    folder = tmp_path / "class"
    classroom.new(folder)
    assert main(["class", "release", str(folder), demo.UNIT, "--due", "2026-01-01 00:00 UTC"]) == 0
    Books(folder).add_students([*CLASS, Student("cleo", "Cleo", "Kay", "", "9")])
    made = archive(
        tmp_path / "z.zip",
        f"lovelaceada_LATE_7_5_{NAME}", "lovelaceada_LATE_7_6_x.ipynb",
        "bartokbela_8_7_a.ipynb", "bartokbela_8_8_\x1b[2Jb.ipynb", "kaycleo_9_9_x.pdf",
    )  # fmt: skip
    words = ["class", "collect", str(folder), demo.UNIT, str(made)]
    capsys.readouterr()
    assert main([*words, "--dry-run"]) == 1
    planned = capsys.readouterr().out
    assert not list((folder / "submitted").iterdir())
    assert main(words) == 1
    said = capsys.readouterr().out
    assert said == planned.replace("would be ", "")
    for line in (
        "late         ada, by a moment", f"passed over  lovelaceada_LATE_7_6_x.ipynb: ada has {NAME} as well",
        "left out     bartokbela_8_7_a.ipynb: bela has several; put the one that counts at ",
        "left out     bartokbela_8_8_b.ipynb: bela", "left out     kaycleo_9_9_x.pdf: no notebook",
        "nothing of   cleo",
    ):  # fmt: skip
        assert line in said
    assert "nothing of   bela" not in said
    assert main(words) == 1
    assert "late         " not in capsys.readouterr().out, "it was said"


@pytest.mark.slow
def test_nbgrader_s_zip_collect_finds_the_same(tmp_path):
    """One odd file stops nobody else, and nothing is unpacked but notebooks."""
    folder = tmp_path / "class"
    classroom.new(folder)
    assert main(["class", "release", str(folder), demo.UNIT, "--due", "2026-01-01 00:00 UTC"]) == 0
    students = [*CLASS, *(Student(who, who, "x", "", str(k)) for k, who in enumerate("cde", 20))]
    Books(folder).add_students(students)
    downloaded = folder / "downloaded" / demo.UNIT / "archive"
    downloaded.mkdir(parents=True)
    made = archive(
        downloaded / "z.zip", f"lovelaceada_7_5_{NAME}", "bartokbela_LATE_8_6_x-1.ipynb",
        "xc_20_7_a.ipynb", "xc_20_8_b.ipynb", "xd_21_7_x.zip", "who_99_7_x.ipynb",
    )  # fmt: skip
    blackboard = archive(
        downloaded / "blackboard.zip",
        f"T_e_attempt_2026-01-03-12-00-00_{NAME}", f"T_e_attempt_2026-01-02-12-00-00_{NAME}",
    )  # fmt: skip
    (downloaded / "notes.pdf").write_text("no archive")
    done = nbgrader(folder, "zip_collect", demo.UNIT)
    assert done.returncode == 0, done.stderr
    for odd in ("c has several", "xd_21_7_x.zip: no notebook", "who_99", "notes.pdf"):
        assert odd in done.stderr
    theirs = tree(folder / "submitted")
    assert len(theirs) == 5, "three notebooks, and two times"
    shutil.rmtree(folder / "submitted")
    for each in (blackboard, made):
        main(["class", "collect", str(folder), demo.UNIT, str(each)])
    assert tree(folder / "submitted") == theirs


def tree(folder):
    """The files of a folder; times in whichever form nbgrader reads."""
    return {
        path.relative_to(folder).as_posix(): path.read_text().removesuffix(" UTC")
        for path in folder.rglob("*")
        if path.is_file()
    }


def nbgrader(folder, *words):
    command = [sys.executable, "-m", "nbgrader", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
