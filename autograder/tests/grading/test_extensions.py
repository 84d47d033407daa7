"""Single learners with more time, in our grading and in nbgrader's."""

import subprocess
import sys
from datetime import UTC
from pathlib import Path

import pytest

from autograder.cli import main
from autograder.grading import demo, extensions
from autograder.grading.books import Books
from autograder.grading.errors import ClassError

UNIT, NAME = demo.UNIT, "rnn_forward.ipynb"
DUE = "2026-01-10 12:00 UTC"
NBGRADER = Path(sys.executable).with_name("nbgrader")
FULL = 16.0


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """Three learners, all two days late."""
    folder = tmp_path_factory.mktemp("extensions") / "class"
    assert main(["class", "new", str(folder), "--late-per-day", "10"]) == 0
    assert main(["class", "release", str(folder), UNIT, "--due", DUE]) == 0
    for student in ("ada", "bob", "cy"):
        place = folder / "submitted" / student / UNIT
        place.mkdir(parents=True)
        (place / NAME).write_text(demo.solved({}))
        (place / "timestamp.txt").write_text("2026-01-12 11:00:00 UTC")
    assert main(["grade", str(folder), "--no-feedback"]) == 0
    return folder


def extend(folder, *words):
    return main(["class", "extend", str(folder), UNIT, *words])


def penalties(folder):
    return {mark.student: mark.penalty for mark in Books(folder).marks(UNIT)}


def by_nbgrader(folder):
    words = [NBGRADER, "autograde", UNIT, "--force"]
    subprocess.run(words, cwd=folder, check=True, capture_output=True)


@pytest.mark.slow
def test_who_has_more_time_is_late_later(desk, capsys):
    late = pytest.approx(0.2 * FULL)
    assert penalties(desk) == {"ada": late, "bob": late, "cy": late}
    assert extend(desk, "ada", "--until", "2026-01-12 12:00 UTC", "--dry-run") == 0
    assert not (desk / extensions.FILE).exists()
    assert extend(desk, "ada", "--until", "2026-01-12 13:00 +01:00") == 0
    assert "ada has time for 02_rnn_forward until 2026-01-12 12:00 UTC" in capsys.readouterr().out
    assert extend(desk, "bob", "--until", "2026-01-11 11:30 UTC") == 0
    expected = {"ada": 0, "bob": pytest.approx(0.1 * FULL), "cy": late}
    assert main(["grade", str(desk), "--no-feedback"]) == 0
    assert penalties(desk) == expected

    by_nbgrader(desk)
    assert penalties(desk) == expected
    assert extend(desk, "ada", "bob", "--none") == 0
    by_nbgrader(desk)
    assert penalties(desk) == {"ada": late, "bob": late, "cy": late}
    assert extend(desk, "cy", "--until", "2027-01-12 13:00 UTC") == 0
    assert main(["grade", str(desk), "--no-feedback"]) == 0
    assert penalties(desk) == {"ada": late, "bob": late, "cy": 0}


@pytest.mark.slow
@pytest.mark.parametrize("grade", [by_nbgrader, lambda desk: main(["grade", str(desk)])])
def test_without_its_time_a_submission_is_in_time(desk, grade):
    stamp = desk / "submitted" / "bob" / UNIT / "timestamp.txt"
    text = stamp.read_text()
    main(["grade", str(desk), "--no-feedback"])
    assert penalties(desk)["bob"] > 0
    stamp.unlink()
    grade(desk)
    assert penalties(desk)["bob"] == 0
    stamp.write_text(text)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("2026-02-03 18:00 UTC", 18),
        ("2026-02-03 18:00 +01:00", 17),
        ("2026-02-03 18:00 Europe/Berlin", 17),
        ("2026-07-03 18:00 Europe/Berlin", 16),  # by the clock there, summer or winter
        (" 3 Feb 2026 18:00  America/New_York ", 23),
    ],
)
def test_a_time_says_where_it_is_meant(text, hour):
    when = extensions.moment(text)
    assert (when.hour, when.tzinfo) == (hour, UTC)


@pytest.mark.parametrize("text", ["18:00 Mars/Olympus", "Europe/Berlin", "", "3/2/2026", "x ../y"])
def test_a_time_of_nowhere_is_none(text):
    with pytest.raises(ValueError, match="no time with a zone"):
        extensions.moment(text)


def test_what_cannot_be_granted(desk, capsys):
    assert extend(desk, "ada", "zoe", "--until", "2026-02-01 12:00 UTC") == 2
    assert "not in the class: zoe" in capsys.readouterr().err
    assert extend(desk, "ada", "--until", DUE) == 2
    assert "is due 2026-01-10 12:00 UTC as it is" in capsys.readouterr().err
    assert main(["class", "extend", str(desk), "x", "ada", "--until", DUE]) == 2
    assert "has no due date" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("who,what\n", "its first line must be student,assignment,until"),
        ("student,assignment,until\na,b,tomorrow\n", "line 2: 'tomorrow' is no time"),
    ],
)
def test_a_table_that_is_none(tmp_path, text, says):
    (tmp_path / extensions.FILE).write_text(text)
    with pytest.raises(ClassError) as error:
        extensions.read(tmp_path)
    assert says in str(error.value)
