"""A cluster becomes an entry: proved first, then written where an author would write it."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from autograder import misconceptions
from autograder.exercise import Edit
from autograder.misconceptions import MisconceptionError, add, entry, with_entry

SUM = "exponentials.sum(axis=-1, keepdims=True)"
FRESH = Edit("half", SUM, f"{SUM} / 2", "They sum to 2. " * 12 + 'Say "1".')


@pytest.fixture
def module(tmp_path, monkeypatch):
    """The exercise softmax, written somewhere else."""
    from autograder.exercises import softmax

    copy = tmp_path / "softmax.py"
    with open(softmax.__file__, encoding="utf-8") as file:
        copy.write_text(file.read(), "utf-8")
    monkeypatch.setattr(softmax, "__file__", str(copy))
    return copy


def edits(path):
    scope = {}
    exec(compile(path.read_text("utf-8"), str(path), "exec"), scope)
    return scope["EXERCISE"].misconceptions


@pytest.mark.parametrize("fresh", [FRESH, FRESH._replace(also=(("np.exp(z", "np.exp(2 * z"),))])
def test_an_entry_is_written_at_the_end_and_in_form(module, fresh):
    before = edits(module)
    assert add("softmax", fresh) == module
    after = edits(module)
    assert after[:-1] == before
    assert after[-1] == fresh
    format_ = [sys.executable, "-m", "ruff", "format", "--diff", "--isolated", "--line-length=100"]
    done = subprocess.run([*format_, str(module)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("edit", "says"),
    [
        (FRESH._replace(id="no-axis"), "has a misconception no-axis already"),
        (FRESH._replace(id="no axis"), "is no id"),
        (FRESH._replace(old="nowhere"), "must stand there once"),
        (FRESH._replace(new="("), "never closed"),
        (FRESH._replace(new=f"{SUM} * 1"), "right on every case"),
        (FRESH._replace(new="exponentials.sum()"), "does the same as no-axis"),
    ],
)
def test_what_is_no_misconception_is_refused(module, edit, says):
    text = module.read_text()
    with pytest.raises(MisconceptionError, match=says):
        add("softmax", edit)
    assert module.read_text() == text


def test_it_must_do_what_the_learners_did(module):
    with pytest.raises(MisconceptionError, match="something else"):
        add("softmax", FRESH, like=lambda function: False)
    with pytest.raises(MisconceptionError, match="no exercise called soft"):
        add("soft", FRESH)


def test_entries_of_every_exercise_could_be_written():
    for name in ("softmax", "lstm_backward", "beam_search", "adam_step"):
        path = Path(import_module(f"autograder.exercises.{name}").__file__)
        text = with_entry(path.read_text("utf-8"), FRESH)
        ast.parse(text)
        assert entry(FRESH) in text


def test_what_is_not_written_out_is_left_to_the_author():
    with pytest.raises(MisconceptionError, match="by hand"):
        with_entry("EXERCISE = Exercise(misconceptions=tuple(make()))", FRESH)


@pytest.mark.parametrize("text", ["plain", 'with "quotes"', "both ' and \"", "a\\b", "a\nb", ""])
def test_quoted_is_the_text(text):
    assert ast.literal_eval(misconceptions.quoted(text)) == text
