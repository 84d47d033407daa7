"""Every exercise holds what it declares."""

import random
import re
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from autograder import answers, diagnosis, trial
from autograder.exercise import Edit, EditError, exercise, mutant, parts, source
from autograder.near import BESIDES
from autograder.verify import verify

NAMES = answers.names()
# "da0 is zero. It is what is left": the second *is* is what should be, and reads as what is.
WRONG_AND_RIGHT_ALIKE = re.compile(
    r"(?!This|These)[^.:;]*\b(is|are|starts|reads?|comes?|stands?)\b(?! not| left out)[^.:;]*"
    r"\. (?:It|They|Step t|Only [\w ]+) \1\b"
)


@pytest.mark.parametrize("name", NAMES)
def test_exercise(name):
    verdict = verify(name, seeds=range(5))
    assert not verdict.faults
    assert verdict.named == verdict.misconceptions >= 8


@pytest.mark.parametrize("name", NAMES)
def test_the_texts_are_whole(name):
    declared = exercise(name)
    for text in (*declared.hints, *(edit.why for edit in declared.misconceptions)):
        assert text.endswith((".", "?", ":")), text
        assert "  " not in text
    assert len(declared.hints) == 3


@pytest.mark.parametrize("name", NAMES)
def test_what_should_be_is_told_from_what_is(name):
    for edit in exercise(name).misconceptions:
        assert not WRONG_AND_RIGHT_ALIKE.match(edit.why), edit.why


def test_where_a_logarithm_may_be_wrong_its_base_is_told():
    told = {name: exercise(name) for name in NAMES}
    asked = {n for n, e in told.items() if any(m.id.startswith("base-") for m in e.misconceptions)}
    assert asked == {"cross_entropy", "sequence_log_probability", "beam_search"}
    assert all("natural" in told[name].reference.__doc__.lower() for name in (*asked, "perplexity"))


@pytest.mark.parametrize("name", NAMES)
def test_two_bugs_at_once_are_never_misnamed(name):
    """A pair of misconceptions is caught, and given no name that is not one of the two."""
    declared = exercise(name)
    key = answers.key(name)
    elsewhere = 0
    for one, two in some_pairs(declared.misconceptions):
        both = Edit("both", one.old, one.new, "", (*one.also, (two.old, two.new), *two.also))
        try:
            function = mutant(declared.reference, both)
        except (EditError, SyntaxError):
            continue
        report = diagnosis.judge(key, lambda lend, f=function: trial.run(f, key.cases, lend))
        assert not report.passed, (one.id, two.id)
        assert report.misconception in (None, one.id, two.id) or behaves_like(
            declared, key, report.misconception, function
        )
        if report.misconception is None and report.cause.endswith(BESIDES):
            told = (m for m in declared.misconceptions if report.cause.startswith(m.why))
            elsewhere += not any(slips(m) <= slips(one) | slips(two) for m in told)
    assert elsewhere <= 5, "two bugs that look like a third, with something besides"


def some_pairs(edits):
    """Pairs in an order that tells nothing, as many as a test has time for."""
    pairs = list(combinations(sorted(edits, key=lambda edit: edit.id), 2))
    return random.Random(0).sample(pairs, min(len(pairs), 250))


def slips(edit):
    """What a misconception is made of: "not-carried-and-overwritten" is two slips."""
    return {*edit.id.split("-and-")}


def behaves_like(declared, key, name, function):
    """Whether two bugs together compute exactly what a third, named, does."""
    edit = next(edit for edit in declared.misconceptions if edit.id == name)
    third = mutant(declared.reference, edit)
    pairs = zip(trial.run(function, key.cases), trial.run(third, key.cases), strict=True)
    return all(trial.identical(a.value, b.value) or a.failure for a, b in pairs)


def test_an_edit_may_not_fail_on_a_name_of_its_own(monkeypatch):
    """It would be caught, and be named as what it is; and no learner's slip would ever match."""
    softmax = exercise("softmax")
    typo = Edit("typo", "exponentials / exponentials.sum", "expo / exponentials.sum", "A slip.")
    declared = replace(softmax, misconceptions=(*softmax.misconceptions, typo))
    monkeypatch.setattr("autograder.verify.exercise", lambda name: declared)
    faults = verify("softmax", seeds=[0]).faults
    assert "misconception 'typo' uses a name that has no value there" in faults


def test_an_edit_that_no_longer_fits_is_an_error():
    softmax = exercise("softmax").reference
    with pytest.raises(EditError, match="stands 0 times"):
        mutant(softmax, Edit("gone", "no such text", "", ""))
    with pytest.raises(EditError, match="must stand there once"):
        mutant(softmax, Edit("twice", "exponentials", "e", ""))


def test_edits_reach_the_solution_only():
    softmax = exercise("softmax").reference
    assert "Turn scores" in source(softmax)
    with pytest.raises(EditError):
        mutant(softmax, Edit("docstring", "Turn scores", "", ""))


@pytest.mark.parametrize("name", NAMES)
def test_frozen_keys_say_what_live_keys_say(name):
    live = answers.key(name)
    frozen = answers.thaw(answers.freeze(live))
    declared = exercise(name)
    for function in (
        declared.reference,
        *(mutant(declared.reference, edit) for edit in declared.misconceptions),
    ):
        reports = [
            str(diagnosis.judge(key, lambda lend, k=key, f=function: trial.run(f, k.cases, lend)))
            for key in (live, frozen)
        ]
        assert reports[0] == reports[1]


@pytest.mark.parametrize("name", NAMES)
def test_a_frozen_key_holds_no_line_of_the_answer(name):
    data = answers.freeze(answers.key(name))
    declared = exercise(name)

    for line in parts(declared.reference)[1].splitlines():
        if len(line.strip()) > 25:
            assert line.strip().encode() not in data


def test_public_cases_differ_in_size():
    key = answers.key("rnn_cell_forward")
    shapes = [key.cases[0]["x_t"].shape, key.cases[0]["params"].Wax.shape]
    assert len({n for shape in shapes for n in shape}) == 3
    assert all(np.all(case["params"].ba != 0) for case in key.cases)
