"""After an exercise is mended: only what it touches is run, and every mark that moved is named.

A checkout is copied, and its exercise edited as an author would.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.cli import main
from autograder.grading import classroom, demo
from autograder.grading.books import Books
from autograder.grading.grade import grade
from autograder.grading.regrade import Move, regrade
from autograder.tests.grading.test_scale import a_class, by_hand

ROOT = Path(__file__).parents[3]
UNIT, LABEL, OTHER = demo.UNIT, f"{demo.UNIT}/rnn_forward", "99_shapes"
STUDENTS = ("anna", "chen", "goran")
pytestmark = pytest.mark.slow


def overflow_is_right(place):
    """Mend `softmax`, so to speak: no case asks for large scores any more."""
    edit(place, 'Case("scores near 1000 and -1000", large),', "")
    edit(place, 'Case("rows 2000 apart", far_apart),', "")


@pytest.fixture
def checkout(tmp_path):
    """A copy of the checkout, and a class graded by it: chen's softmax overflows."""
    place = copied(tmp_path / "checkout")
    folder = a_class(place / "class", STUDENTS)
    another_assignment(folder)
    by = run(place, "grade", folder)
    assert len(by) == 6
    return place, folder


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """A class that was graded as things are; tests work on copies of it."""
    folder = a_class(tmp_path_factory.mktemp("graded") / "class", STUDENTS)
    grade(folder, UNIT, quiet=True)
    return folder


def copied(place):
    """A checkout of one's own, to be edited."""
    for package in ("autograder", "course", "solutions"):
        shutil.copytree(ROOT / package, place / package, ignore=shutil.ignore_patterns("tests"))
    return place


def another_assignment(folder):
    """One more, with last_states and nothing else to check."""

    def shortened(notebook):
        keep = {"last_states", "check-last_states", ""}
        ids = lambda cell: cell["metadata"].get("nbgrader", {}).get("grade_id", "")  # noqa: E731
        cells = [cell for cell in notebook["cells"] if ids(cell) in keep]
        return json.dumps({**notebook, "cells": cells})

    finished = shortened(json.loads(demo.solved({})))
    for path in [
        folder / "source" / OTHER,
        *((folder / "submitted" / s / OTHER) for s in STUDENTS),
    ]:
        path.mkdir(parents=True)
        (path / "shapes.ipynb").write_text(finished)
    Books(folder).generate(OTHER)


def run(place, *words):
    """A command of the copied checkout, and the JSON that it prints."""
    command = [sys.executable, "-m", "autograder.cli", *map(str, words), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(place)}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def edit(place, old, new):
    path = place / "autograder" / "exercises" / "softmax.py"
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_a_mended_exercise_moves_the_marks_that_it_should_and_no_others(checkout):
    place, folder = checkout
    by_hand(folder, "anna", essay=1.5)
    by_hand(folder, "chen", check=1.0)
    run(place, "grade", folder)
    before = Books(folder).sheets(UNIT)
    others = classroom.results(folder).keys("chen", f"{OTHER}/shapes")
    assert run(place, "regrade", folder) == {"judged": 0, "moves": [], "feedback": []}

    overflow_is_right(place)
    done = run(place, "regrade", folder)
    assert done["judged"] == 3, "the other assignment has no softmax"
    (move,) = done["moves"]
    assert move["student"] == "chen" and move["exercise"] == "softmax"
    assert (move["before"], move["after"], move["kept"]) == (0.0, 2.0, 1.0)
    assert move["why"] == "the exercise was changed: passed"
    assert set(done["feedback"]) == set(STUDENTS), "all are told of fewer cases"
    assert classroom.results(folder).keys("chen", f"{OTHER}/shapes") == others

    after = Books(folder).sheets(UNIT)
    chen = after["chen", "rnn_forward"]
    assert chen.auto["check-softmax"] == 2.0 and chen.scores["check-softmax"] == 1.0
    assert "check-softmax" in chen.open, "a mark by hand over a new one asks for a second look"
    assert chen.comments["softmax"] == "Come and see me."
    assert after["anna", "rnn_forward"] == before["anna", "rnn_forward"]
    assert run(place, "regrade", folder)["judged"] == 0

    going_back_uses_the_results_that_are_there(place, folder)


def going_back_uses_the_results_that_are_there(place, folder):
    path = place / "autograder" / "exercises" / "softmax.py"
    known = len(classroom.results(folder))
    shutil.copyfile(ROOT / "autograder" / "exercises" / "softmax.py", path)
    done = run(place, "regrade", folder)
    assert [(m["student"], m["before"], m["after"]) for m in done["moves"]] == [("chen", 2.0, 0.0)]
    assert len(classroom.results(folder)) == known, "no submission was run again"
    assert run(place, "regrade", folder)["judged"] == 0


def test_a_regrading_that_was_cut_short_is_finished(graded, tmp_path, capsys):
    """The new results are stored; the gradebook still has an old mark."""
    copy = shutil.copytree(graded, tmp_path / "copy")
    books = Books(copy)
    with books._gradebook() as gradebook:
        mark = gradebook.find_grade("check-rnn_forward", "rnn_forward", UNIT, "goran")
        assert mark.auto_score == 0
        mark.auto_score = 4.0
        gradebook.db.commit()
    done = regrade(copy, UNIT, quiet=True)
    assert done.feedback == [], "the page has said so all along"
    (move,) = done.moves
    assert move[:5] == ("goran", LABEL, "rnn_forward", 4.0, 0.0) and isinstance(move, Move)
    assert main(["regrade", str(copy)]) == 0
    assert "Nothing that judges has changed" in capsys.readouterr().out


def test_points_that_were_changed_move_marks(graded, tmp_path):
    """An instructor gives an exercise more points than the course does, after grading."""
    copy = shutil.copytree(graded, tmp_path / "copy")
    source = copy / "source" / UNIT / "rnn_forward.ipynb"
    notebook = json.loads(source.read_text())
    check = next(
        c for c in notebook["cells"] if c["metadata"].get("unrolled") == {"check": "softmax"}
    )
    check["metadata"]["nbgrader"]["points"] = 7.5
    source.write_text(json.dumps(notebook))
    assert main(["class", "release", str(copy), UNIT]) == 0
    done = regrade(copy, UNIT, quiet=True)
    assert [move[:1] + move[2:6] for move in done.moves] == [
        (who, "softmax", 2.0, 7.5, "its points were changed: passed") for who in ("anna", "goran")
    ]
    sheets = Books(copy).sheets(UNIT)
    assert sheets["anna", "rnn_forward"].auto["check-softmax"] == 7.5
    assert sheets["chen", "rnn_forward"].auto["check-softmax"] == 0
    assert regrade(copy, UNIT, quiet=True).results == []
    by_nbgrader = subprocess.run(
        [Path(sys.executable).with_name("nbgrader"), "autograde", UNIT, "--force"],
        cwd=copy, capture_output=True, text=True,
    )  # fmt: skip
    assert by_nbgrader.returncode == 0, by_nbgrader.stderr
    assert Books(copy).sheets(UNIT) == sheets


def test_a_release_that_fails_leaves_the_one_before(graded, tmp_path, capsys):
    copy = shutil.copytree(graded, tmp_path / "copy")
    source, release = (copy / part / UNIT / "rnn_forward.ipynb" for part in ("source", "release"))
    before, notebook = release.read_text(), json.loads(source.read_text())
    del notebook["cells"][-1], notebook["cells"][-1]
    checks = [c for c in notebook["cells"] if c["metadata"].get("unrolled", {}).get("check")]
    notebook["cells"].remove(checks[-1])
    source.write_text(json.dumps(notebook))
    assert main(["class", "release", str(copy), UNIT]) == 2
    said = capsys.readouterr().err
    assert "Cannot add or remove cells for notebook 'rnn_forward'" in said
    assert f"all is as it was: mend {source}, or release the course's own by --anew" in said
    assert release.read_text() == before
    assert json.loads(source.read_text()) == notebook, "what was edited is not lost"
    assert main(["class", "release", str(copy), UNIT, "--anew"]) == 0
    assert release.read_text() == before


def test_what_moved_is_said_in_words(graded, tmp_path, capsys):
    copy = shutil.copytree(graded, tmp_path / "copy")
    (copy / "submitted" / "goran" / UNIT / "rnn_forward.ipynb").write_text(demo.solved({}))
    with Books(copy)._gradebook() as gradebook:
        gradebook.find_grade("check-softmax", "rnn_forward", UNIT, "goran").auto_score = 0.5
        gradebook.db.commit()
    assert main(["regrade", str(copy), "--assignment", UNIT]) == 0
    said = capsys.readouterr().out
    assert "1 judged again, 2 marks moved." in said
    assert "goran  rnn_forward  0 -> 4  another version was handed in: passed" in said
    assert "goran  softmax  0.5 -> 2  another version was handed in: passed" in said
    assert "Feedback to be sent again: goran" in said
