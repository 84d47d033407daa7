"""Evidence only where it is rare, each figure with its base rate."""

import math

import numpy as np
import pytest

from autograder.grading.integrity import MARGIN, Shared, normal, pairs

EXERCISES = [f"e{k}" for k in range(6)]


def a_class(rng, learners, forms):
    """Everybody gives one of the usual answers to every exercise."""
    return {
        name: {f"s{n:03}": f"form {rng.integers(forms)}" for n in range(learners)}
        for name in EXERCISES
    }


@pytest.mark.parametrize("forms", [1, 3, 8])
def test_a_class_without_copies_has_no_pair(forms):
    for seed in range(20):
        assert pairs(a_class(np.random.default_rng(seed), 54, forms), {}) == []


def test_a_planted_pair_is_found_and_no_other():
    code = a_class(np.random.default_rng(0), 54, 3)
    for name in EXERCISES[:4]:
        code[name]["s007"] = code[name]["s033"] = f"odd {name}"
    (found,) = pairs(code, {})
    assert found.learners == ("s007", "s033")
    assert {(s.exercise, s.sharing, s.tried) for s in found.shared if s.sharing == 2} == {
        (name, 2, 54) for name in EXERCISES[:4]
    }
    assert found.pairs == 54 * 53 // 2
    assert found.as_much == 1
    assert found.bits >= 4 * math.log2(53)


def test_one_rare_answer_in_common_is_no_evidence():
    code = a_class(np.random.default_rng(1), 54, 3)
    code["e0"]["s001"] = code["e0"]["s002"] = "odd"
    assert pairs(code, {}) == []


def test_wrong_outputs_count_once_with_the_code_that_gives_them():
    code = a_class(np.random.default_rng(2), 54, 3)
    outputs = {}
    for name in EXERCISES[:4]:
        code[name]["s001"], code[name]["s002"] = "one way", "another way"
        outputs[name] = {"s001": "ab", "s002": "ab", "s003": "cd"}
    (found,) = pairs(code, outputs)
    assert [s.what for s in found.shared if s.sharing == 2] == ["the same wrong outputs"] * 4
    for name in EXERCISES[:4]:
        code[name]["s002"] = "one way"
    (again,) = pairs(code, outputs)
    assert again.bits == pytest.approx(found.bits)


def test_a_small_class_needs_more_than_it_can_show():
    code = {name: {"a": "x", "b": "x", "c": "y"} for name in EXERCISES}
    assert pairs(code, {}) == [], "each halves the chance; six bits are too few"
    assert pairs({}, {}) == []


def test_bits_are_those_of_another_learner_s_giving_it():
    assert Shared("e", "", 2, 54).bits == pytest.approx(math.log2(53))
    assert Shared("e", "", 54, 54).bits == 0
    assert 2**-MARGIN < 0.01


A = "def f(x, y):\n    '''Doc.'''\n    total = x + 1  # why\n    return total * y"
SAME = [
    "def f(x, y):\n    total = (x + 1)\n    return total*y",
    "import numpy as np\ndef g(): pass\ndef f(a, b):\n    c = a + 1\n    return c * b",
]
OTHER = [
    "def f(x, y):\n    total = 1 + x\n    return total * y",
    "def f(x, y):\n    total = x + 1\n    return total * x",
    "def f(x, y):\n    total = x + 2\n    return total * y",
    "def f(x, y):\n    total = z + 1\n    return total * y",
]


@pytest.mark.parametrize("source", SAME)
def test_layout_and_names_of_variables_do_not_count(source):
    assert normal(source, "f") == normal(A, "f")


@pytest.mark.parametrize("source", OTHER)
def test_what_is_computed_counts(source):
    assert normal(source, "f") != normal(A, "f")


@pytest.mark.parametrize("source", ["", "def f(:", "x = 3", "def g():\n    pass", "\0"])
def test_what_is_no_function_has_no_form(source):
    assert normal(source, "f") is None
