"""What a learner types, and what they get for a slip."""

import json
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

import autograder
from autograder import answers, desk, diary
from autograder.cli import main
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
    [
        (3, "got an object of type int"),
        (np.ones(3), "of type ndarray: perhaps what the function returned"),
        ("rnn_forward", "got the text 'rnn_forward'. Write check(rnn_forward), without quotes"),
        (None, "got nothing"),
    ],
)
def test_check_of_something_else(thing, says):
    answer = autograder.check(thing)
    assert says in answer
    assert "Write check(" in answer


class Odd:
    """Something that can be called, and does not let itself be looked at."""

    __name__ = property(lambda self: 1 / 0)
    __wrapped__ = property(lambda self: 1 / 0)

    def __call__(self, z):
        return z


class Numbered(Odd):
    __name__ = 5


def around_itself(z):
    return z


around_itself.__wrapped__ = around_itself


ODD = {"odd": Odd(), "numbered": Numbered(), "loop": around_itself, "digits": lambda z: 10**5000}


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("name", [None, "softmax"])
def test_check_of_something_that_cannot_be_looked_at(kind, name):
    answer = autograder.check(ODD[kind], name)
    assert str(answer) and answer._repr_html_()
    assert not answer.passed


def test_what_numpy_may_raise_is_the_learner_s_affair(monkeypatch):
    """Who lets NumPy raise is told so of their own function, and not of ours."""
    answers._key.cache_clear()
    with np.errstate(all="raise"):
        report = autograder.check(rnn.softmax)
        assert "FloatingPointError" in str(report)
        assert autograder.check(rnn.rnn_cell_forward).passed
    assert autograder.check(rnn.softmax).passed


# ------------------------------------------------------------------ in the terminal

SOFTMAX = """
def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)
"""


def file(tmp_path, *sources, **check):
    cells = [{"cell_type": "code", "metadata": {}, "source": source} for source in sources]
    cells += [{"cell_type": "code", "metadata": {"unrolled": {"check": "softmax", **check}}}]
    (tmp_path / "a.ipynb").write_text(json.dumps({"cells": cells}))
    return str(tmp_path / "a.ipynb")


@pytest.mark.parametrize(
    "source",
    [
        "exit()",
        "raise SystemExit",
        "%matplotlib inline\nif np:\n    !pip install numpy\n?np\nnp.exp?",
        "rest = (7\n        % 3)\nassert rest == 1",
        "x = '\\0'",
        "x = 0x" + "f" * 5000,
        "def f(:",
        "\0",
        "-" * 90_000 + "1",
    ],
)
def test_no_cell_ends_a_check_in_the_terminal(tmp_path, capsys, source):
    assert main(["check", file(tmp_path, "import numpy as np", source, SOFTMAX)]) == 0
    assert "1 of 1 exercises are right" in capsys.readouterr().out


def test_lines_for_ipython_do_nothing_in_the_terminal(tmp_path, capsys):
    lines = "%matplotlib inline\nimport numpy as np  # why?\nif np:\n    !ls\nnp.exp??\n"
    assert main(["check", file(tmp_path, lines + SOFTMAX)]) == 0
    assert not capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    ["{", "[]", '{"cells": 1}', '{"cells": [1]}', '{"cells": [{}]}', "[" * 100_000,
     '{"cells": [{"cell_type": "code", "source": 1, "metadata": {"unrolled": {"check": []}}}]}',
     '{"cells": [{"cell_type": "code", "source": [1], "metadata": {}}]}',
     '{"cells": [{"cell_type": "code", "metadata": {"unrolled": 1}}]}'],
)  # fmt: skip
def test_what_is_no_notebook_is_told_in_the_terminal(tmp_path, capsys, text):
    (tmp_path / "a.ipynb").write_text(text)
    assert main(["check", str(tmp_path / "a.ipynb")]) == 2
    assert "is not a notebook" in capsys.readouterr().err


def test_an_exercise_that_is_not_here_is_told_in_the_terminal(tmp_path, capsys):
    assert main(["check", file(tmp_path, "def SofMax(z): pass", check="SofMax")]) == 1
    assert "There is no exercise called 'SofMax'" in capsys.readouterr().out


def test_check_of_nothing_at_all():
    assert "got nothing" in autograder.check()


def test_check_of_a_misspelt_function():
    def soft_max(z):
        return z

    assert "Do you mean softmax?" in autograder.check(soft_max)
    assert autograder.check(soft_max, "softmax").passed is False


@pytest.mark.parametrize("made", [lambda f: lambda z: f(z), partial])
def test_a_function_without_a_name_has_the_notebook_s(made, monkeypatch):
    softmax = made(rnn.softmax)
    monkeypatch.setattr(sys.modules["__main__"], "softmax", softmax, raising=False)
    assert autograder.check(softmax).passed
    assert "Hint 1" in str(autograder.hint(softmax))
    assert "There is no exercise called" in autograder.check(made(rnn.softmax))


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


def test_a_wrong_answer_is_shown_the_next_hint():
    wrong = autograder.check(lambda z: z, "softmax")
    assert "Stuck? hint(softmax) shows hint 1 of 3." in str(wrong)
    assert "<summary>Hint 1 of 3</summary>" in wrong._repr_html_()
    text = str(autograder.hint("softmax")).removeprefix("Hint 1 of 3: ")
    assert wrong.hint.text == text
    assert "hint 2 of 3" in str(autograder.check(lambda z: z, "softmax"))
    assert autograder.check(rnn.softmax).hint is None


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
    assert "def softmax(z):" in str(autograder.solution("softmax"))


def test_solution_says_how_yours_differs():
    autograder.check(rnn.softmax)
    assert "Yours is right, too" in str(autograder.solution(rnn.softmax))

    def softmax(z):
        e = np.exp(z - z.max(axis=-1, keepdims=True))
        return e / e.sum()

    shown = autograder.solution(softmax)
    for said in (str(shown), shown._repr_html_()):
        assert "def softmax(z):" in said
        assert "whole batch shares one distribution" in said
    assert "says how yours differs" in str(autograder.solution("softmax"))


def test_progress_counts_what_is_done():
    autograder.check(rnn.softmax)
    autograder.check(lambda x, a0, p: None, "rnn_forward")
    shown = autograder.progress()
    assert "02_rnn_forward: 1 of 6 done" in str(shown)
    assert "✓ done      softmax" in str(shown)
    assert "✗ attempted rnn_forward" in str(shown)
    assert "○ to do     last_states" in str(shown)
    assert str(diary.path()) in str(shown), "it says where it is kept"
    assert '<progress aria-label="02_rnn_forward: 1 of 6 exercises done" value="1" max="6">' in (
        shown._repr_html_()
    )


def test_argument_names_are_the_learner_s_own_affair():
    def rnn_forward(words, start, weights):
        return rnn.rnn_forward(words, start, weights)

    assert autograder.check(rnn_forward).passed


def test_too_few_arguments_are_named():
    said = str(autograder.check(lambda x: x, "rnn_forward"))
    assert "takes (x, a0, params), in this order" in said


def test_a_notebook_run_out_of_order_is_told_so():
    """In a real kernel: the exercise's cell was not run."""
    from nbclient import NotebookClient
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [new_code_cell("from autograder import check"), new_code_cell("check(softmax)"),
             new_code_cell("check(soft_max)")]  # fmt: skip
    notebook = new_notebook(cells=cells)
    NotebookClient(notebook, allow_errors=True, kernel_name="python3").execute()
    told, other = (
        [o for o in cell.outputs if o.output_type == "display_data"] for cell in cells[1:]
    )
    assert "softmax is an exercise of this notebook" in told[0].data["text/plain"]
    assert any(o.output_type == "error" and o.ename == "NameError" for o in cells[1].outputs)
    assert other == []


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
