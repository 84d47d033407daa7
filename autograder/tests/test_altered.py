"""A wrong quantity that other arguments would make is told by them."""

import numpy as np
import pytest

from autograder import altered, answers, examine, parts, trial
from autograder.exercise import exercise
from autograder.tree import leaves, plain, put
from course.given import RNNCache, RNNParams

RECURRENT, COMING_IN = "a_prev @ params.Waa.T", "x_t @ params.Wax.T"


def cell(sums):
    """A cell of these sums, as a learner writes it."""
    scope = {"np": np, "RNNCache": RNNCache}
    lines = f"    a = np.tanh({sums})\n    return a, RNNCache(x_t, a_prev, a)\n"
    exec(f"def rnn_cell_forward(x_t, a_prev, params):\n{lines}", scope)
    return scope["rnn_cell_forward"]


@pytest.mark.parametrize(
    ("sums", "says"),
    [
        (f"{COMING_IN} + {RECURRENT} - params.ba", "with -params.ba in place of params.ba"),
        (f"{COMING_IN} - {RECURRENT} + params.ba", "with -a_prev in place of a_prev"),
        (f"{COMING_IN} + a_prev + params.ba", "with the identity for params.Waa"),
        (f"{COMING_IN} + a_prev.sum(1, keepdims=True) + params.ba", "with params.Waa all ones"),
        (f"2 * ({COMING_IN} + {RECURRENT} + params.ba)", "the tanh of 2 times what should go"),
    ],
)
def test_what_is_wrong_is_told_by_the_argument_it_has_to_do_with(sums, says):
    assert says in examine(cell(sums)).cause


def test_what_no_argument_would_make_is_told_by_none():
    found = examine(cell(f"{COMING_IN} + {RECURRENT} + params.ba ** 2"))
    assert "what comes out with" not in found.cause


DRAWN = {name for name in answers.names() if exercise(name).distribution}


@pytest.mark.parametrize("name", sorted(set(answers.names()) - DRAWN))
def test_whatever_is_told_is_true(name):
    """What comes out of other arguments is told by them, or by others that make the same."""
    key, reference = answers.key(name), exercise(name).reference

    def made_of(case):
        [outcome] = trial.run(reference, [case], twice=False)
        return {} if outcome.failure else parts.named(key.returns, plain(outcome.value))

    right, known = made_of(key.cases[0]), key.answers(()).altered()
    made = {story: made_of(case) for story, case in altered.alterations(key.cases[0])}
    for story, quantities in made.items():
        for path, value in quantities.items():
            if not parts.same(value, right.get(path), key.rtol):
                told = altered.told(value, known.get(path, {}), right.get(path), key.rtol)
                assert bool(told) >= (story in known.get(path, {}))
                assert not told or parts.same(made[told][path], value, 1e-6)
    for path, value in right.items():
        assert not altered.told(value, known.get(path, {}), value, key.rtol)


def test_arguments_are_altered_one_by_one_and_in_pairs():
    params = RNNParams(np.eye(2), 3 * np.eye(2), np.ones(2))
    case = {"x": np.arange(6.0).reshape(1, 2, 3), "params": params, "n": 4}
    stories = dict(altered.alterations(case))
    assert len(stories) == 6 + 2 * 5 + 2 + 1 + 2
    swapped = stories["It is what comes out with params.Waa and params.Wax exchanged."]
    assert swapped["params"].Wax is not params.Wax and swapped["n"] == 4
    assert np.array_equal(swapped["params"].Wax, params.Waa)
    assert np.array_equal(case["params"].Wax, np.eye(2)), "the case itself stays"


def test_of_very_many_arrays_those_in_lists_are_let_be():
    caches = [RNNCache(np.ones((1, n)), np.ones((1, 2)), np.ones((1, 2))) for n in range(9)]
    stories = dict(altered.alterations({"da": np.ones((2, 1, 2)), "caches": caches}))
    assert stories and not any("caches" in story for story in stories)


def test_a_tree_is_changed_at_a_path_and_nowhere_else():
    tree = plain({"a": (1, RNNCache(np.ones(2), None, 3.0))})
    paths = leaves(tree, "it")
    changed = leaves(put(tree, "it", {"it['a'][1].a": 4.0}), "it")
    assert {path for path in paths if changed[path] is not paths[path]} == {"it['a'][1].a"}
