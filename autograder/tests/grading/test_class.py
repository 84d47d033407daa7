"""From a class folder to marks, and the same marks from nbgrader's own commands."""

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.cli import main
from autograder.grading import classroom, demo
from autograder.grading.books import Books
from autograder.grading.grade import grade

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


def test_nbgrader_autograde_gives_the_same_marks(graded_class, tmp_path):
    """In a copy of the class without stored results, nbgrader's own command judges by itself."""
    folder, _ = graded_class
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    some = {"anna", "boris", "goran", "karim", "petra", "rosa", "sven"}
    for student in (copy / "submitted").iterdir():
        if student.name not in some:
            shutil.rmtree(student)
    shutil.rmtree(copy / "autograded")
    (copy / ".unrolled" / "results.jsonl").unlink()
    Books(copy)  # puts this interpreter's folder on PATH
    run = [sys.executable, "-m", "nbgrader", "autograde", UNIT]
    done = subprocess.run(run, cwd=copy, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    ours = {m.student: m for m in Books(folder).marks(UNIT) if m.student in some}
    theirs = {m.student: m for m in Books(copy).marks(UNIT) if m.student in some}
    assert ours == theirs
    judged = classroom.stored(copy)
    assert len(judged) == len(some)


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
    assert "background:#fdf0ef" in page, "the card kept its style"
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


def test_the_secret_is_private_and_kept(tmp_path):
    classroom.new(tmp_path)
    first = classroom.secret(tmp_path)
    classroom.new(tmp_path)
    assert classroom.secret(tmp_path) == first
    assert len(first) == 32
    assert (tmp_path / ".unrolled" / "secret").stat().st_mode & 0o777 == 0o600


def test_a_result_that_was_cut_short_is_made_again(graded_class, tmp_path):
    folder, _ = graded_class
    known = classroom.stored(folder)
    copy = tmp_path / ".unrolled"
    copy.mkdir()
    data = (folder / ".unrolled" / "results.jsonl").read_bytes()
    (copy / "results.jsonl").write_bytes(data[:-40])
    assert len(classroom.stored(tmp_path)) == len(known) - 1
    classroom.store(tmp_path, "k", {"new": 1})
    assert classroom.stored(tmp_path)["k"] == {"new": 1}


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
