"""What a learner types, and what they get for a slip."""

import subprocess
import sys

import numpy as np
import pytest

import autograder
from autograder import desk, diary
from solutions import rnn


@pytest.fixture(autouse=True)
def _own_diary(tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_HOME", str(tmp_path))
    monkeypatch.setattr(desk, "_HINTS_SHOWN", {})


def test_check_shows_a_card_and_never_raises():
    report = autograder.check(rnn.softmax)
    assert report.passed
    assert 'role="status"' in report._repr_html_()


@pytest.mark.parametrize(
    ("thing", "says"),
    [(3, "this is a int"), ("softmax", "this is a str"), (None, "this is a NoneType")],
)
def test_check_of_something_else(thing, says):
    answer = autograder.check(thing)
    assert says in answer
    assert "Write check(" in answer


def test_check_of_a_misspelt_function():
    def soft_max(z):
        return z

    assert "Do you mean softmax?" in autograder.check(soft_max)
    assert autograder.check(soft_max, "softmax").passed is False


def test_nbgrader_validate_is_told_by_an_exception(monkeypatch):
    monkeypatch.setenv("NBGRADER_EXECUTION", "validate")
    assert autograder.check(rnn.softmax).passed
    with pytest.raises(desk.CheckFailed, match="softmax: 0 of"):
        autograder.check(lambda z: z * 0, "softmax")


def test_three_hints_then_again():
    texts = [autograder.hint(rnn.softmax) for _ in range(4)]
    assert [text[:11] for text in texts] == [
        "Hint 1 of 3",
        "Hint 2 of 3",
        "Hint 3 of 3",
        "Hint 1 of 3",
    ]
    assert "no exercise" in autograder.hint("nothing")


def test_case_gives_fresh_arguments():
    first = autograder.case("rnn_forward", 0)
    first["a0"][:] = 0
    assert np.any(autograder.case("rnn_forward", 0)["a0"])
    rnn.rnn_forward(**autograder.case(rnn.rnn_forward, 1))
    with pytest.raises(IndexError, match="cases 0 to"):
        autograder.case("rnn_forward", 99)


def test_solution_wants_an_attempt_first():
    assert "Try it first" in autograder.solution("softmax")
    autograder.check(rnn.softmax)
    assert "def softmax(z):" in autograder.solution(rnn.softmax)


def test_the_diary_keeps_what_is_done():
    autograder.check(rnn.softmax)
    autograder.check(lambda z: z, "softmax")
    autograder.check(lambda x, a0, p: None, "rnn_forward")
    assert diary.read() == {"softmax": "done", "rnn_forward": "attempted"}
    diary.path().write_text("not json")
    assert diary.read() == {}


def test_the_learner_s_import_is_light():
    """No solutions, no nbgrader, nbconvert or nbformat, no matplotlib; numpy is most of it."""
    code = (
        "import sys, autograder\n"
        "heavy = {'solutions', 'nbgrader', 'nbconvert', 'nbformat', 'jupytext', 'matplotlib', "
        "'autograder.exercise', 'autograder.exercises', 'autograder.grading'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
