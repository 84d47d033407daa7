"""Each rung of the ladder, as a learner would meet it."""

from functools import partial

import numpy as np
import pytest

from autograder import answers, diagnosis, examine, fits, trial
from autograder.report import Rung
from course.given import RNNCache
from solutions import bptt, rnn


def report(body, name="rnn_cell_forward", **scope):
    """The report on a function written by a learner."""
    signature = ", ".join(answers.key(name).signature)
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    source = f"def {name}({signature}):\n{lines}\n"
    given = {"np": np, "RNNCache": RNNCache, **vars(rnn), **scope}
    given.pop(name)
    exec(compile(source, "<learner>", "exec"), given)
    key = answers.key(name)
    return diagnosis.judge(key, partial(trial.run, given[name], key.cases), source)


RIGHT = "a = np.tanh(x_t @ params.Wax.T + a_prev @ params.Waa.T + params.ba)\n"


@pytest.mark.parametrize(
    "body",
    [
        "raise NotImplementedError()",
        "pass",
        '"""Nothing but words."""',
        "...",
        "# YOUR CODE HERE\nraise NotImplementedError()\nreturn a, RNNCache(x_t, a_prev, a)",
    ],
)
def test_rung_1_not_attempted(body):
    found = report(body)
    assert found.rung == "not attempted"
    assert "about 1 line" in str(found)
    assert found.score == 0.0


def test_rung_1_is_told_from_a_placeholder_left_below_the_answer():
    found = report(RIGHT + "raise NotImplementedError()")
    assert found.rung is Rung.RAISED
    assert "delete it" in str(found)


def test_rung_2_raised_shows_the_line_and_the_shapes():
    key = answers.key("rnn_cell_forward")

    def rnn_cell_forward(x_t, a_prev, params):
        return np.tanh(x_t @ params.Wax + a_prev), None

    found = diagnosis.judge(key, partial(trial.run, rnn_cell_forward, key.cases))
    assert found.rung is Rung.RAISED
    assert "return np.tanh(x_t @ params.Wax + a_prev), None" in str(found)
    assert "params.Wax (" in str(found)
    assert "x_t @ W.T" in found.cause


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("np.concatenate(a_prev, x_t)", "one tuple or list"),
        ("np.sigmoid(x_t)", "course.given has one"),
        ("undefined_name", "before it is given a value"),
        ("a_prev + x_t[:, :1].T", "cannot be added or assigned"),
        ("rnn_cell_forward(x_t)", "takes (x_t, a_prev, params)"),
    ],
)
def test_rung_2_knows_frequent_causes(line, cause):
    assert cause in report(f"a = {line}\nreturn a, None").cause


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (RIGHT, "None"),
        (RIGHT + "return a", "(a, cache)"),
        (RIGHT + "return a, (x_t, a_prev, a)", "not a RNNCache(x_t, a_prev, a)"),
        (RIGHT + "return a, None", "cache is None"),
        (RIGHT + "return a + 0j, RNNCache(x_t, a_prev, a)", "complex"),
        (RIGHT + "return 'a', RNNCache(x_t, a_prev, a)", "not an array of numbers"),
        (RIGHT + "return a, RNNCache(x_t, a_prev, a), a", "3 parts"),
        (RIGHT + "return (x for x in a)", "generator"),
    ],
)
def test_rung_3_wrong_kind(body, says):
    found = report(body)
    assert found.rung is Rung.KIND
    assert says in str(found)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (RIGHT + "return a.T, RNNCache(x_t, a_prev, a)", "transposed"),
        (RIGHT + "return a[None], RNNCache(x_t, a_prev, a)", "kept an axis of length 1"),
        (RIGHT + "return a[0], RNNCache(x_t, a_prev, a)", "axis m is missing"),
        (RIGHT + "return a[:, :-1], RNNCache(x_t, a_prev, a)", "along n_a, fewer"),
    ],
)
def test_rung_4_wrong_shape(body, says):
    found = report(body)
    assert found.rung is Rung.SHAPE
    assert says in str(found)
    assert "expected (m, n_a)" in str(found)


def test_rung_4_time_and_batch():
    body = "a, caches = [], []\nfor x_t in x:\n    a0, c = rnn_cell_forward(x_t, a0, params)\n"
    body += "    a.append(a0)\n    caches.append(c)\nreturn np.stack(a, axis=1), caches"
    found = report(body, "rnn_forward")
    assert found.rung is Rung.SHAPE
    assert "Time and batch are swapped" in str(found)


def test_rung_5_not_finite():
    found = report("return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True) + 0", "softmax")
    assert found.rung is Rung.FINITE
    assert "nan" in str(found)
    assert found.misconception == "no-shift"


def test_rung_6_differs_from_call_to_call():
    body = RIGHT + "seen.append(1)\nreturn a + len(seen), RNNCache(x_t, a_prev, a)"
    found = report(body, seen=[])
    assert found.rung is Rung.UNSTABLE


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return -rnn.softmax(z)", "opposite sign"),
        ("return 3 * rnn.softmax(z)", "3 times"),
        ("return rnn.softmax(z) + 0.25", "too large by 0.25"),
        ("return rnn.softmax(z)[..., ::-1]", "reversed along n_y"),
        ("return rnn.softmax(z) ** 2", "do not sum to 1"),
    ],
)
def test_rung_7_values_with_a_fit(body, says):
    found = report(body, "softmax", rnn=rnn)
    assert found.rung is Rung.VALUES
    assert found.misconception is None
    assert says in str(found)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ("a[-1] = 0", "only the last step"),
        ("a[1:] = 0", "right at step 0 and wrong from step 1 on"),
        ("a[:, 0] = 0", "only example 0"),
        ("a[..., 1] = 0", "only unit 1"),
        ("a[0, 0, 0] = 9", "1 of "),
    ],
)
def test_rung_7_says_where(change, says):
    found = report(
        f"a, caches = rnn.rnn_forward(x, a0, params)\n{change}\nreturn a, caches",
        "rnn_forward",
        rnn=rnn,
    )
    assert says in str(found), str(found)


def test_rung_8_is_silent_unless_every_case_matches():
    wrong = "a = 1 / (1 + np.exp(-(x_t @ params.Wax.T + a_prev @ params.Waa.T + params.ba)))\n"
    named = report(wrong + "return a, RNNCache(x_t, a_prev, a)")
    assert named.misconception == "sigmoid-for-tanh"
    two_bugs = report(wrong + "return a, RNNCache(x_t, a_prev, 2 * a)")
    assert two_bugs.misconception is None
    assert not two_bugs.passed


def test_an_argument_changed_in_place_is_mentioned_and_passes():
    found = report(
        "a_prev *= 1.0\n" + RIGHT + "a_prev += 1\na_prev -= 1\nx_t[:] = 0\n"
        "return a, RNNCache(x_t, a_prev, a)"
    )
    assert "changes its argument" in str(found)
    kept = report("x = x_t.copy()\n" + RIGHT + "x_t[:] = 0\nreturn a, RNNCache(x, a_prev, a)")
    assert kept.passed
    assert "x_t in place" in str(kept)


LOOP = (
    "a, caches, a_t = [], [], a0\nfor x_t in x:\n"
    "    a_t, cache = rnn_cell_forward(x_t, a_t, params)\n"
    "    a.append(a_t)\n    caches.append(cache)\nreturn np.array(a), caches"
)


def wrong_cell(x_t, a_prev, params):
    a = np.tanh(x_t @ params.Wax.T + params.ba)
    return a, RNNCache(x_t, a_prev, a)


def unwritten_cell(x_t, a_prev, params):
    raise NotImplementedError


@pytest.mark.parametrize("cell", [wrong_cell, unwritten_cell])
def test_a_right_loop_over_a_wrong_cell_passes(cell):
    found = report(LOOP, "rnn_forward", rnn_cell_forward=cell)
    assert found.passed
    assert "stand-in for rnn_cell_forward" in str(found)


def test_a_wrong_loop_over_a_wrong_cell_is_named():
    loop = LOOP.replace("(x_t, a_t, params)", "(x_t, a0, params)")
    found = report(loop, "rnn_forward", rnn_cell_forward=wrong_cell)
    assert found.misconception == "state-not-carried"


def test_stand_ins_are_taken_back():
    scope = {"np": np, "rnn_cell_forward": wrong_cell}
    exec("def rnn_forward(x, a0, params):\n    return rnn_cell_forward(x[0], a0, params)", scope)
    key = answers.key("rnn_forward")
    diagnosis.judge(key, partial(trial.run, scope["rnn_forward"], key.cases))
    assert scope["rnn_cell_forward"] is wrong_cell


def test_examine_takes_seeds():
    assert examine(rnn.softmax, seed=7).passed
    assert examine(rnn.softmax, seed=[1, 2, 3]).passed
    first, second = answers.key("softmax", 7).cases[0], answers.key("softmax", 8).cases[0]
    assert first["z"].shape != second["z"].shape or not np.allclose(first["z"], second["z"])


def test_a_report_is_short():
    found = report(RIGHT + "return a * 2, RNNCache(x_t, a_prev, 3 * a)")
    assert len([line for line in str(found).splitlines() if line]) <= 8


# ---- gradients, backwards through time --------------------------------------------------------

BACK = (
    "dx, da_prev, sums = [], np.zeros_like(da[0]), [np.zeros(p.shape) for p in params]\n"
    "for t in reversed(range(len(da))):\n"
    "    dx_t, da_prev, grads = rnn_cell_backward({}, caches[t], params)\n"
    "    dx.insert(0, dx_t)\n"
    "    sums = [s + g for s, g in zip(sums, grads)]\n"
    "    {}\n"
    "return np.array(dx), da_prev, RNNParams(*sums)"
)


def report_back(name, body, **scope):
    return report(body, name, **{**vars(bptt), **scope})


def test_a_right_backward_pass_passes():
    assert report_back("rnn_backward", BACK.format("da[t] + da_prev", "")).passed


@pytest.mark.parametrize(
    ("incoming", "then", "says"),
    [
        ("da[t] + 0 * da_prev", "sums[2] += 1", "grads.Wax is right at the last step and wrong"),
        ("da[t] + (t % 2) * da_prev", "da_prev = da_prev * 2", "dx is right at the last step and"),
        ("da[t] + (da_prev if t > 1 else 0)", "", "dx is right from step 2 on and wrong before"),
        ("da[t] + da_prev", "sums[0] = sums[0] * (t != 2)", "Wax"),
        ("da[t] * 1.5 + da_prev", "", "Every entry of dx is 1.5 times"),
        ("(da[t] if t else 0) + da_prev", "", "dx"),
    ],
)
def test_a_wrong_backward_pass_is_told_by_parameter_and_step(incoming, then, says):
    found = report_back("rnn_backward", BACK.format(incoming, then))
    assert found.misconception is None
    assert says in str(found), str(found)


def test_a_step_left_out_of_one_sum_is_named():
    then = "sums[1] -= grads.Waa * (t == 1)"
    found = report_back("rnn_backward", BACK.format("da[t] + da_prev", then))
    assert "What step 1 adds is missing in grads.Waa." in str(found)


def test_a_cut_in_the_wrong_place_is_told():
    body = (
        "dx, da0, grads = rnn_backward(da, caches, params)\n"
        "if length >= len(da): return dx, da0, grads\n"
        "return reference(da, caches, params, 2)"
    )
    found = report_back("truncated_bptt", body, reference=bptt.truncated_bptt)
    assert "cut off after every 2 steps, counted from the first" in str(found)


def test_where_every_gradient_is_wrong_the_common_cause_is_looked_for():
    body = "return reference(np.tanh(da), cache, params)"
    found = report_back("rnn_cell_backward", body, reference=bptt.rnn_cell_backward)
    assert "Every gradient is wrong" in str(found)


def test_gradients_that_pile_up_between_calls_are_caught():
    body = (
        "dx_t, da_prev, grads = reference(da, cache, params)\n"
        "kept[da.tobytes()] = kept.get(da.tobytes(), 0) + grads.ba\n"
        "return dx_t, da_prev, grads._replace(ba=kept[da.tobytes()])"
    )
    found = report_back("rnn_cell_backward", body, reference=bptt.rnn_cell_backward, kept={})
    assert found.rung is Rung.UNSTABLE


@pytest.mark.parametrize(
    ("name", "change", "argument"),
    [("output_backward", "y_hat -= 1", "y_hat"), ("rnn_backward", "da += 1", "da")],
)
def test_a_gradient_written_over_its_argument_is_mentioned(name, change, argument):
    signature = ", ".join(answers.key(name).signature)
    found = report_back(
        name, f"result = reference({signature})\n{change}\nreturn result",
        reference=getattr(bptt, name),
    )  # fmt: skip
    assert found.passed
    assert f"changes its argument {argument} in place" in str(found)


def test_a_right_loop_over_a_wrong_backward_cell_passes():
    def wrong(da, cache, params):
        dx_t, da_prev, grads = bptt.rnn_cell_backward(da, cache, params)
        return 2 * dx_t, da_prev, grads

    found = report_back("rnn_backward", BACK.format("da[t] + da_prev", ""), rnn_cell_backward=wrong)
    assert found.passed
    assert "stand-in for rnn_cell_backward" in str(found)


def test_an_infinite_loss_made_finite_is_told():
    found = report_back("cross_entropy", "return -np.log(y_hat[mask, y[mask]] + 1e-300).mean()")
    assert "something small added before a logarithm" in str(found)


def test_sums_over_time_are_told_by_which_losses_reached_which_steps():
    pairs = np.random.default_rng(3).standard_normal((6, 6, 2, 3))
    step, loss = np.indices((6, 6))
    pairs[step > loss] = 0
    says = {
        "right at the last step and wrong before": step == loss,
        "each step's own loss asks for is missing": step != loss,
        "the loss at the last step only": loss == 5,
        "back over 1 step and no further": loss - step <= 1,
        "back over 3 steps and no further": loss - step <= 3,
        "every 4 steps, counted from the first": step // 4 == loss // 4,
        "every 4 steps, counted from the last": (5 - step) // 4 == (5 - loss) // 4,
        "What step 2 adds is missing": step != 2,
    }
    for text, kept in says.items():
        assert text in fits.of_steps(pairs[kept].sum(axis=0), pairs, 1e-9)
    assert fits.of_steps(1.1 * pairs.sum(axis=(0, 1)), pairs, 1e-9) == ""


def test_a_gradient_over_time_is_told_where_it_goes_wrong():
    wrong = np.zeros((5, 2, 3), bool)
    wrong[:4, 1] = True
    axes = ("T_x", "m", "n_x")
    assert "right at the last step and wrong before" in fits.backwards("dx", wrong, axes)
    assert (
        fits.backwards("x", wrong, axes) == fits.backwards("dx", wrong, ("m", "n_x", "n_a")) == ""
    )
    wrong[2:] = False
    assert "between step 2 and step 1" in fits.backwards("dx", wrong, axes)
    wrong[3] = True
    assert fits.backwards("dx", wrong, axes) == ""


# ------------------------------------------------------------------ answers that are out of the way


def test_booleans_are_wrong_values_and_no_trouble():
    found = report("return z > 0", name="softmax")
    assert found.rung is Rung.VALUES
    assert found.passed_cases == 0


def test_numbers_of_any_size_are_no_trouble(recwarn):
    found = report("return np.where(z > 0, 1e308, -1e308)", name="softmax")
    assert found.rung is Rung.VALUES
    assert not recwarn.list


def test_texts_are_not_made_into_one_array():
    """NumPy would make each as long as the longest: 15 GB here."""
    found = report("return ['x' * 60_000] + [''] * 60_000", name="softmax")
    assert found.rung is Rung.KIND


def test_a_source_that_is_one_deep_sum_is_an_attempt():
    found = report("x = " + "1 + " * 900 + "1\nreturn z", name="softmax")
    assert found.rung is Rung.VALUES


@pytest.mark.parametrize("dtype", ["f4", "f2", "f8"])
def test_whole_numbers_have_no_rounding(dtype):
    """A tolerance relative to 9000 would let neighbours pass, in a narrow type."""
    expected = np.array([0, 1, 9000])
    wrong = fits.wrong_entries(expected, np.array([0, 2, 9000], dtype), 1e-9)
    assert wrong.tolist() == [False, True, False]
