"""From a class folder to marks, and the same marks from nbgrader's own commands."""

import contextlib
import csv
import io
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from autograder.cli import main
from autograder.grading import classroom, demo
from autograder.grading.books import Books
from autograder.grading.grade import grade
from autograder.grading.journal import Results
from autograder.grading.sanitise import MAX_FILE

UNIT = demo.UNIT
pytestmark = pytest.mark.slow


def test_every_planted_mistake_is_named(graded_class):
    _, results = graded_class
    checks = {result["student"]: result["checks"] for result in results}
    for student, (name, misconception) in demo.MISTAKEN.items():
        assert checks[student][f"check-{name}"]["misconception"] == misconception
        others = {k: c for k, c in checks[student].items() if k != f"check-{name}"}
        assert all(check["passed"] for check in others.values()), student


def test_everybody_has_the_mark_they_earned(graded_class):
    folder, _ = graded_class
    marks = {mark.student: mark for mark in Books(folder).marks(UNIT)}
    assert marks.keys() == demo.submissions().keys()
    full = {"anna", "nora", "rosa", "sven"}
    none = {"karim", "petra", "tara"}
    assert {s for s, mark in marks.items() if mark.score == 16} == full
    assert {s for s, mark in marks.items() if mark.score == 0} == none
    assert marks["omar"].score == 13
    assert marks["anna"].manual


SOME = ("anna", "boris", "goran", "karim", "petra", "quinn", "sven", "mateo")
LATE = """
c.LateSubmissionPlugin.penalty_method = "zero"
"""


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """The same class graded by us, and by nbgrader's own commands; some were late."""
    ours = tmp_path_factory.mktemp("twice") / "ours"
    classroom.new(ours)
    demo.hand_in(ours, {student: demo.submissions()[student] for student in SOME})
    with open(ours / "nbgrader_config.py", "a") as config:
        config.write(LATE)
    (ours / "source" / UNIT / "picture.txt").write_text("the instructor's own")
    set_duedate(ours, "2026-01-10 12:00:00")
    stamps = {
        "anna": "2026-01-10 11:00:00 UTC",
        "boris": "2026-01-11 09:00:00 UTC",
        "karim": "2026-01-12",
    }
    for student, stamp in stamps.items():
        (ours / "submitted" / student / UNIT / "timestamp.txt").write_text(stamp)
    theirs = ours.with_name("theirs")
    shutil.copytree(ours, theirs)
    grade(ours, UNIT, quiet=True, workers=1)
    nbgrader(theirs, "autograde", UNIT)
    nbgrader(theirs, "generate_feedback", UNIT)
    return ours, theirs


def nbgrader(folder, *words):
    run = [sys.executable, "-m", "nbgrader", *words]
    done = subprocess.run(run, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]


def set_duedate(folder, when):
    books = Books(folder)
    with books._gradebook() as gradebook:
        gradebook.update_or_create_assignment(UNIT, duedate=when)


def test_the_gradebook_s_rows_are_those_that_nbgrader_writes(twice):
    ours, theirs = (rows(folder / "gradebook.db") for folder in twice)
    assert ours.keys() == theirs.keys()
    for table in ours:
        assert ours[table] == theirs[table], table
    assert len(ours["grade"]) == len(SOME) * 8
    penalties = {row[0]: row[-1] for row in ours["submitted_notebook"]}
    assert penalties["boris"] == 14, "late, and its points are taken"
    assert penalties["anna"] is None and penalties["goran"] is None


ROWS = {
    "student": "select * from student",
    "assignment": "select name, duedate, course_id from assignment",
    "alembic": "select * from alembic_version",
    "submitted_assignment": "select student_id, timestamp, extension from submitted_assignment",
    "submitted_notebook": """select a.student_id, n.name, s.flagged, s.late_submission_penalty
        from submitted_notebook s join submitted_assignment a on a.id = s.assignment_id
        join notebook n on n.id = s.notebook_id""",
    "grade": """select a.student_id, n.name, c.name, c.type, g.auto_score, g.manual_score,
        g.extra_credit, g.needs_manual_grade, k.max_score, k.cell_type
        from grade g join submitted_notebook s on s.id = g.notebook_id
        join submitted_assignment a on a.id = s.assignment_id join notebook n on n.id = s.notebook_id
        join base_cell c on c.id = g.cell_id join grade_cells k on k.id = g.cell_id""",
    "comment": """select a.student_id, n.name, c.name, c.type, g.auto_comment, g.manual_comment
        from comment g join submitted_notebook s on s.id = g.notebook_id
        join submitted_assignment a on a.id = s.assignment_id join notebook n on n.id = s.notebook_id
        join base_cell c on c.id = g.cell_id""",
    "failed": "select count(*) from grade where auto_score = 0",
}


def rows(database):
    """All that a gradebook says, with names in place of its random identifiers."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return {name: sorted(connection.execute(query), key=repr) for name, query in ROWS.items()}


@pytest.mark.parametrize("step", ["autograded", "feedback"])
def test_the_files_are_those_that_nbgrader_writes(twice, step):
    ours, theirs = (files(folder / step) for folder in twice)
    assert ours.keys() == theirs.keys()
    assert any(path.name == "timestamp.txt" for path in ours)
    assert any(path.name == "picture.txt" for path in ours)
    for path, (mode, data) in theirs.items():
        assert ours[path][0] == mode, path
        mine = ours[path][1]
        if path.suffix == ".html":  # nbconvert writes what its parser makes of the same page
            mine = str(BeautifulSoup(mine.decode(), "html.parser")).encode()
        assert mine == data, path


def files(folder):
    return {
        path.relative_to(folder): (path.stat().st_mode, path.read_bytes())
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_nbgrader_finds_our_results_and_we_find_its(twice):
    ours, theirs = twice
    known = len(classroom.results(ours)), len(classroom.results(theirs))
    assert known == (len(SOME), len(SOME))
    nbgrader(ours, "autograde", UNIT, "--force", "--student", "goran")
    grade(theirs, UNIT, quiet=True)
    assert (len(classroom.results(ours)), len(classroom.results(theirs))) == known
    assert rows(ours / "gradebook.db") == rows(theirs / "gradebook.db")


def test_a_second_run_changes_nothing(graded_class):
    folder, results = graded_class
    before = Books(folder).marks(UNIT)
    size = (folder / ".unrolled" / "results.jsonl").stat().st_size
    assert grade(folder, UNIT, quiet=True) == results
    assert Books(folder).marks(UNIT) == before
    assert (folder / ".unrolled" / "results.jsonl").stat().st_size == size


def test_feedback_pages_name_the_cause(graded_class):
    folder, _ = graded_class
    page = (folder / "feedback" / "goran" / UNIT / "rnn_forward.html").read_text()
    assert "Likely cause:" in page
    assert "the new state is stored but never carried on" in page
    assert "background:var(--u-paper,#fdf0ef)" in page, "the card kept its style"
    broken = (folder / "feedback" / "petra" / UNIT / "rnn_forward.html").read_text()
    assert "it is not JSON" in broken


def test_no_script_reaches_the_feedback(graded_class, tmp_path):
    folder, _ = graded_class
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    shutil.rmtree(copy / "submitted")
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)> [x](javascript:alert(3))"
    answers = {"why-one-set-of-weights": evil, "softmax": f"def softmax(z):\n    raise ValueError('{evil}')\nprint('{evil}')"}  # fmt: skip
    place = copy / "submitted" / "mallory" / UNIT
    place.mkdir(parents=True)
    (place / "rnn_forward.ipynb").write_text(demo.solved(answers))
    grade(copy, UNIT, quiet=True)
    page = (copy / "feedback" / "mallory" / UNIT / "rnn_forward.html").read_text()
    assert "alert(1)" in page, "the text is still there to read"
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert 'href="javascript:' not in page


def test_a_learner_without_a_notebook_gets_zero_and_nobody_else_is_touched(tmp_path):
    classroom.new(tmp_path)
    demo.hand_in(tmp_path)
    for student in (tmp_path / "submitted").iterdir():
        if student.name not in {"anna", "karim"}:
            shutil.rmtree(student)
    (tmp_path / "submitted" / "karim" / UNIT / "rnn_forward.ipynb").unlink()
    results = grade(tmp_path, UNIT, quiet=True)
    marks = {mark.student: mark.score for mark in Books(tmp_path).marks(UNIT)}
    assert marks == {"anna": 16, "karim": 0}
    assert results[1]["remarks"][0] == "There is no file rnn_forward.ipynb."


def test_a_folder_whose_name_would_run_in_the_formgrader_is_passed_over(tmp_path, capsys):
    evil = "<img src=x onerror=alert(1)>"
    odd = (os.fsdecode(b"m\xff"), "\x1b]0;x\x07", "a\nb", "*", "ann[a]")
    classroom.new(tmp_path)
    demo.hand_in(tmp_path, {student: demo.handing_in({}) for student in ("anna", evil, *odd)})
    assert main(["grade", str(tmp_path), "--workers", "1"]) == 0
    said = capsys.readouterr().err
    assert all(f"passed over: {name!r}" in said for name in (evil, *odd))
    assert main(["report", str(tmp_path)]) == main(["report", str(tmp_path), "--csv"]) == 0
    assert "\x1b" not in capsys.readouterr().out
    with pytest.raises(AssertionError, match="no learner's name may begin"):
        nbgrader(tmp_path, "autograde", UNIT, "--student", evil)
    nbgrader(tmp_path, "autograde", UNIT, "--force")
    assert [path.name for path in (tmp_path / "autograded").iterdir()] == ["anna"]


def test_many_large_files_take_no_more_memory_than_is_looked_at(tmp_path):
    """Empty ones of any size cost a learner nothing."""
    classroom.new(tmp_path)
    demo.hand_in(tmp_path, {"eve": demo.handing_in({})})
    place = tmp_path / "submitted" / "eve" / UNIT
    for n in range(30):
        with open(place / f"{n:02}.ipynb", "wb") as file:
            file.truncate(MAX_FILE // 4 if n < 10 else 1)
    found = classroom.handed_in(tmp_path, UNIT, "eve")
    assert list(found) == ["rnn_forward.ipynb", *(f"{n:02}.ipynb" for n in range(4))]


def test_a_folder_that_is_a_link_is_nobody_s_work(tmp_path):
    """It may lead to another learner's folder, or to the instructor's."""
    classroom.new(tmp_path)
    demo.hand_in(tmp_path, {"anna": demo.handing_in({})})
    (tmp_path / "submitted" / "eve").mkdir()
    (tmp_path / "submitted" / "eve" / UNIT).symlink_to(tmp_path / "submitted" / "anna" / UNIT)
    assert classroom.handed_in(tmp_path, UNIT, "anna").keys() == {"rnn_forward.ipynb"}
    assert classroom.handed_in(tmp_path, UNIT, "eve") == {}


def test_the_secret_is_private_and_kept(tmp_path):
    classroom.new(tmp_path)
    first = classroom.secret(tmp_path)
    classroom.new(tmp_path)
    assert classroom.secret(tmp_path) == first
    assert len(first) == 32
    assert (tmp_path / ".unrolled" / "secret").stat().st_mode & 0o777 == 0o600


def test_a_new_class_is_for_its_owner_only(tmp_path):
    classroom.new(tmp_path / "c")
    assert (tmp_path / "c").stat().st_mode & 0o777 == 0o700
    (tmp_path / "c").chmod(0o750)
    classroom.new(tmp_path / "c")
    assert (tmp_path / "c").stat().st_mode & 0o777 == 0o750, "those who grade with them may look"


def test_a_result_that_was_cut_short_is_made_again(graded_class, tmp_path):
    folder, _ = graded_class
    known = classroom.results(folder)
    data = (folder / ".unrolled" / "results.jsonl").read_bytes()
    (tmp_path / "results.jsonl").write_bytes(data[:-40])
    results = Results(tmp_path / "results.jsonl").refresh()
    assert len(results) == len(known) - 1
    new = {"student": "zoe", "assignment": "a/b"}
    results.add("k", new)
    assert results["k"] == new
    assert len(Results(tmp_path / "results.jsonl").refresh()) == len(known)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["grade", "nowhere"], "is not a class; make one with: unrolled class new"),
        (["grade", "CLASS", "--assignment", "99_none"], "'99_none' is not released"),
        (["class", "release", "CLASS", "99_none"], "there is no unit '99_none'"),
        (["export", "nowhere"], "is not a class"),
        (["check", "nowhere.ipynb"], "there is no notebook nowhere.ipynb"),
        (["verify", "nothing"], "there is no unit or exercise 'nothing'"),
        (["lab", "nowhere"], "there is no folder nowhere"),
    ],
)
def test_wrong_use_is_one_sentence(graded_class, capsys, words, says):
    folder, _ = graded_class
    assert main([str(folder) if word == "CLASS" else word for word in words]) == 2
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1


def test_notebooks_of_a_submission_are_found_by_an_index_in_a_class_old_or_new(tmp_path):
    folder = tmp_path / "c"
    look_up = "explain query plan select * from submitted_notebook where assignment_id = 'x'"
    assert main(["class", "new", str(folder)]) == 0
    for _ in ("new", "old"):
        assert main(["class", "release", str(folder), UNIT]) == 0
        with contextlib.closing(sqlite3.connect(folder / "gradebook.db")) as gradebook:
            ((*_, plan),) = gradebook.execute(look_up)
            assert "USING INDEX unrolled" in plan
            gradebook.execute("drop index unrolled_notebooks_of_submission")


def test_an_empty_class_says_what_to_do(tmp_path, capsys):
    assert main(["class", "new", str(tmp_path / "c")]) == 0
    assert main(["grade", str(tmp_path / "c")]) == 2
    assert "nothing is released" in capsys.readouterr().err


def test_export_and_report(graded_class, capsys):
    folder, _ = graded_class
    assert main(["export", str(folder)]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert {row["student"] for row in rows} == demo.submissions().keys()
    goran = next(row for row in rows if row["student"] == "goran")
    assert (float(goran["score"]), float(goran["check-rnn_forward"])) == (12, 0)
    assert main(["report", str(folder)]) == 0
    page = Path(capsys.readouterr().out.strip()).read_text()
    assert "Waa was not transposed" in page
    assert 'href="feedback/goran/' in page
    assert "http" not in page


def test_grade_prints_json(graded_class, capsys):
    folder, results = graded_class
    assert main(["grade", str(folder), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == results
