"""Each rung of the ladder, as a learner would meet it."""

import copy
import inspect
import re
from functools import partial

import numpy as np
import pytest

from autograder import answers, curves, diagnosis, examine, fits, raised, trial
from autograder.exercise import exercise
from autograder.report import Rung
from autograder.standins import STAND_INS
from autograder.tree import leaves, plain
from course.given import RNNCache, sigmoid
from solutions import bptt, rnn
from solutions.rnn import softmax


def report(body, name="rnn_cell_forward", **scope):
    """The report on a function written by a learner."""
    signature = ", ".join(answers.key(name).signature)
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    source = f"def {name}({signature}):\n{lines}\n"
    given = {"np": np, "RNNCache": RNNCache, **vars(rnn), **scope}
    given.pop(name, None)
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
        ("np.sigmoid(x_t)", "course.given has one"),
        ("undefined_name", "before it is given a value"),
        ("a_prev + x_t[:, :1].T", "cannot be added or assigned"),
        ("rnn_cell_forward(x_t)", "takes (x_t, a_prev, params)"),
        ("params.Wxa", "The fields of RNNParams are Wax, Waa, ba."),
        ("a_prev.append(1)", "Lists have a method append"),
        ("[1].shape", "no array"),
        ("RNNCache(x_t)", "RNNCache takes x_t, a_prev, a, each as an argument"),
        ("x_t / x_t.sum(axis=1)", "keepdims=True"),
        ("x_t[9]", "the last of 8 is 7"),
        ("np.array([x_t, a_prev[0]])", "do not make one array"),
        ("(lambda b: b)(*[1, 2][:1]); b, c = x_t", "A star takes several"),
        ("np.zeros(2, 3)", "A shape is one argument"),
        ("1; params.ba = a", "cannot be changed"),
        ("max(x_t, 0)", "np.maximum work entry by entry"),
        ("float(x_t)", "One number is asked for there"),
        ("x_t.reshape(3, 5)", "keeps every entry"),
        ("x_t[np.ones(3, bool)]", "A mask must be as long as"),
        ("x_t[np.arange(3), np.arange(2)]", "one entry for each pair"),
        ("params['Wax']", "a field is read by its name"),
        ("params.items()", "A NamedTuple is no dict. Its fields are Wax, Waa, ba."),
        ("a_prev + params.ba[:, None]", "An array of shape (3,) is added to every row as it is"),
        ("(1, 2).sort()", "list(...) makes a list of it"),
        ("x_t[:0][-1]", "There is nothing in it."),
        ("1; b, c = [1]", "To the left of = are 2 names, and there are 1 parts"),
        ("np.vstack([x_t, a_prev])", "along the others they must be equally long"),
        ("x_t[np.zeros(2)]", ".astype(int) makes indices"),
        ("range(x_t)", "One whole number is asked for there"),
        ("[1][x_t]", "One whole number is asked for there"),
        ("np.softmax(x_t)", "it is to be written out"),
        ("x_t.max(dim=-1)", "NumPy says axis and keepdims"),
        ("x_t.sum(axis=-1, keepdim=True)", "NumPy says axis and keepdims"),
        ("1; import torchvision_is_not_here", "with NumPy and course.given"),
        ("params.Wax(x_t)", "Arrays are multiplied by @ or *."),
        ("dict(x=1)(x_t)", "what stands in it is read with [ ]."),
        ("np.random.default_rng()(3)", "rng.choice and rng.random are its methods"),
        ("[t for t in len(x_t)]", "range(n) counts from 0"),
        ("range(x_t.shape)", "one of its numbers is x.shape[0]"),
        ("0.5 * params", "take the arrays in it one by one"),
        ("params - params", "take the arrays in it one by one"),
        ("x_t ^ 2", "** is."),
        ("__import__('math').log(0)", "np.log(0) is minus infinity"),
        ("__import__('math').exp(1000)", "np.exp(1000) infinity"),
        ("[]; a[0] = x_t", "append adds one"),
        ("x_t.sum(axis=2)", "-1 is the last"),
        ("np.split(x_t, 3)", "cut off first what is left over"),
        ("x_t.exp()", "np.exp(...)"),
        ("x_t.unsqueeze(0)", "That is PyTorch's; NumPy's arrays have [..., np.newaxis]."),
        ("[].append(1).append(2)", "append changes its list and returns None"),
        ("RNNCache(x_t=x_t, a_prev=a_prev, a_next=a_prev)", "RNNCache takes x_t, a_prev, a,"),
        ("x_t[: 4 / 2]", "// divides whole numbers"),
        ("range(4 / 2)", "// divides whole numbers"),
        ("{[1]: 2}", "A list cannot be a key of a dict"),
        ("['a b'].split()", "It is a list, and no text."),
        ("np.stack([])", "was the loop never entered?"),
        ("np.stack([x_t, a_prev])", "np.concatenate joins"),
        ("np.random.default_rng(0).choice(2, p=[1, 1])", "divide it by its sum"),
        ("np.random.default_rng(0).choice(1, p=np.zeros(1) / 0)", "makes NaN of what is divided"),
        ("x_t.argmax(); a[0] = 1", "make one number of a whole array"),
        ("1 / 0", "nothing is there to divide by"),
        ("a", "before it is given a value"),
        ("list([x_t])[0, 1]", "first which of its parts"),
        ("1; a[0]", "nothing in it is read with [ ]"),
        ("x_t.sum()[0]", "nothing in it is read with [ ]"),
        ("np.exp.reduce[0]", "square ones read what stands in an array"),
        ("list(x_t.sum())", "no array or list with parts"),
        ("len(3)", "no array or list with parts"),
        ("params.ba[0, 1]", "This array has one axis, and 2 places stand in its brackets."),
        ("x_t[0, 1, 2]", "This array has 2 axes, and 3 places stand in its brackets."),
        ("x_t[0.5]", "is no place: a whole number is one"),
        ("[][0]", "where there are none, there is no last"),
        ("np.zeros(3); a[0] = x_t[0]", "One entry takes one number, and an array comes"),
        ("np.concatenate([x_t, x_t[0]])", "a[np.newaxis] puts one in front"),
        ("np.take_along_axis(x_t, np.zeros(2, int), 1)", "indices[..., np.newaxis] adds one"),
        ("np.concatenate([1, 2])", "a single number is none: [x] makes one of it"),
        ("np.zeros(6); a += x_t", "what is added must fit into it"),
        ("np.einsum('ij,k->i', x_t)", "In np.einsum each axis"),
        ("max([])", "There is nothing in it: is there a case"),
        ("{params.ba: 1}", "int(...) of one number of it can"),
        ("[1] + 1", "[token] is a list of one"),
        ("(lambda f: f(f))(lambda f: f(f))", "It calls itself without an end"),
        ("x_t.Wax", "Wax is a field of a NamedTuple, and this is none."),
        ("[params].Wax", "Wax is a field of each part of it: which one, as in caches[t].Wax?"),
    ],
)
def test_rung_2_knows_frequent_causes(line, cause):
    assert cause in report(f"a = {line}\nreturn a, None").cause


def test_rung_2_shows_what_else_the_line_names():
    def rnn_cell_forward(x_t, a_prev, params):
        state, t = (a_prev, None), 9
        return x_t.sum(axis=0)[t + len(state)], None

    assert "shapes: x_t (8, 6), t = 9, state = tuple of 2" in examined(rnn_cell_forward)


def test_rung_2_counts_the_axes_that_a_line_unpacks():
    def one_hot(indices, n_v):
        T_x, m = indices.shape
        return np.eye(n_v)[indices].reshape(T_x, m, n_v)

    assert "This array has 1 of the 2 axes that stand to the left of =." in examined(one_hot)


@pytest.mark.parametrize("line", ["x_t.shape()", "x_t.size(0)", "params.Wax.T()"])
def test_rung_2_says_what_takes_no_brackets(line):
    failure = trial.Failure("TypeError", "'tuple' object is not callable", "f", 1, line, {})
    if line.endswith(".T()"):
        failure = failure._replace(message="'numpy.ndarray' object is not callable")
    assert "no method" in raised.cause(answers.key("rnn_cell_forward"), failure)
    message = "only integer scalar arrays can be converted to a scalar index"
    failure = failure._replace(message=message, source="np.concatenate(a_prev, x_t)")
    assert "one tuple or list" in raised.cause(answers.key("rnn_cell_forward"), failure)


def test_rung_2_tells_the_two_products_apart():
    def rnn_cell_forward(x_t, a_prev, params):
        squares = x_t
        return squares @ x_t, None

    assert "* multiplies arrays of one shape" in examined(rnn_cell_forward)


def examined(function):
    """The text on a function of this file, whose lines can be read."""
    key = answers.key(function.__name__)
    return str(diagnosis.judge(key, partial(trial.run, function, key.cases)))


def test_rung_2_says_that_time_comes_first():
    def rnn_forward(x, a0, params):
        for t in range(x.shape[1]):
            a0, _cache = rnn.rnn_cell_forward(x[:, t, :], a0, params)

    assert "one step of all examples is x[t]" in examined(rnn_forward)

    def rnn_backward(da, caches, params):
        for t in range(da.shape[2]):
            bptt.rnn_cell_backward(da[:, :, t], caches[t], params)

    assert "one step of all examples is da[t]" in examined(rnn_backward)


def test_an_exception_waits_for_a_wrong_shape_before_it():
    """Taken along the wrong axis, the tags of another case raise where they are written to."""
    body = "tags = y_hat.argmax(axis=0)\nfor i, n in enumerate(lengths):\n    tags[n:, i] = 0"
    found = report(f"{body}\nreturn tags", "predict_tags")
    assert found.rung is Rung.SHAPE
    assert found.case == 0


def test_rung_2_says_in_which_other_function_it_was_raised():
    found = report(LOOP.replace("(x_t, a_t, params)", "(a_t, x_t, params)"), "rnn_forward")
    assert "raised inside rnn_cell_forward(x_t, a_prev, params): look at" in found.cause
    found = report(LOOP.replace("a_t, params)", "a_t, *params)"), "rnn_forward")
    assert found.cause == "rnn_cell_forward(x_t, a_prev, params) is how it is called."


@pytest.mark.parametrize("name", sorted(STAND_INS.keys() - {"sample_token"}))
def test_nothing_that_is_handed_to_a_stand_in_is_ignored(name):
    """Else a loop that hands on the wrong weights would pass with it."""
    arguments = list(answers.key(name).cases[0].values())
    before = STAND_INS[name](*copy.deepcopy(arguments))
    biases = {"br", "bc"} if name == "gru_cell_backward" else set()  # whose values are none of its
    for k, path in enumerate(leaves(plain(tuple(arguments)))):
        others = copy.deepcopy(arguments)
        changed = list(leaves(others).values())[k]
        if isinstance(changed, np.ndarray) and path.rpartition(".")[2] not in biases:
            changed.flat[changed.size // 2] += 1
            assert not trial.identical(STAND_INS[name](*others), before), path


def test_stand_ins_take_what_the_functions_themselves_do():
    for name, stand_in in STAND_INS.items():
        assert tuple(inspect.signature(stand_in).parameters) == answers.key(name).signature


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (RIGHT, "None"),
        (RIGHT + "return a", "(a, cache)"),
        (RIGHT + "return a, (x_t, a_prev, a)", "put them into an RNNCache"),
        (RIGHT + "return a, a", "one array of shape (8, 3), not an RNNCache(x_t, a_prev, a)"),
        (RIGHT + "return a, None", "cache is None"),
        (RIGHT + "return RNNCache(x_t, a_prev, a), 2 * a", "right kinds: (a, cache)"),
        (RIGHT + "return a + 0j, RNNCache(x_t, a_prev, a)", "complex"),
        (RIGHT + "return 'a', RNNCache(x_t, a_prev, a)", "not an array or a list of numbers"),
        (RIGHT + "return a, RNNCache(x_t, a_prev, a), a", "3 parts"),
        (RIGHT + "return a, x_t, a_prev, a", "cache is one part: an RNNCache of x_t, a_prev, a."),
        (RIGHT + "return (a, RNNCache(x_t, a_prev, a)),", "a comma too many?"),
        (RIGHT + "return a, (a, RNNCache(x_t, a_prev, a))", "take what was returned apart"),
        (RIGHT + "return (x for x in a)", "generator"),
    ],
)
def test_rung_3_wrong_kind(body, says):
    found = report(body)
    assert found.rung is Rung.KIND
    assert says in str(found)


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        ("encode", "return [vocabulary.get(t) for t in tokens]", "entry 4 is None"),
        ("encode", "return [np.zeros(2), np.zeros(3)]", "entry 0 has shape (2,), entry 1 (3,)"),
        ("softmax", "return z, z", "Only y_hat is to be returned."),
        ("cross_entropy", "return 'small'", "loss is the text 'small', not a number."),
        ("clip_by_value", "return [g for g in grads]", "put them into an RNNModelParams"),
        ("clip_by_value", "return grads + grads", "field by field"),
        ("clip_by_value", "return grads._asdict()", "put them into an RNNModelParams"),
        ("rnn_cell_forward", "return {'a': a_prev}", "No dict is asked for: return a, cache"),
        ("build_vocabulary", "return {}, {}", "Only vocabulary is to be returned."),
        ("build_vocabulary", "return {'x': 0}", "one of them for 'x', where none is expected"),
        ("rnn_forward", "return x[..., :1] + a0, RNNCache(x, a0, x)", "a list of 7 is expected"),
        ("decode_teacher_forced_backward", "return decoder.backward(da)[1:]", "one part: a tuple"),
        ("encode_sequence", "return x[0]", "a tuple of 2 is expected"),
        ("greedy_decode", "return [eos]", "1 entry; none is expected"),
    ],
)
def test_rung_3_says_what_is_expected(name, body, says):
    assert says in str(report(body, name))


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("rnn_forward", "a, caches = reference(x, a0, params)\nreturn tuple(a), tuple(caches)"),
        ("last_states", "return tuple(map(tuple, reference(a, mask)))"),
        ("clip_by_value", "return type(grads)(*map(tuple, reference(grads, limit)))"),
        ("greedy_decode", "return tuple(reference(step, state, eos, max_length))"),
    ],
)
def test_tuples_are_as_good_as_lists(name, body):
    assert report(body, name, reference=exercise(name).reference).passed


def test_a_tuple_that_makes_another_array_is_none():
    found = report("return rnn.softmax(z), z", "softmax", rnn=rnn)
    assert found.rung is Rung.KIND


def test_nothing_where_numbers_are_expected_is_a_shape():
    found = report("return [], 0.0", "beam_search")
    assert "tokens has shape (0,), expected (3,)" in str(found)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (RIGHT + "return a.T, RNNCache(x_t, a_prev, a)", "transposed"),
        (RIGHT + "return a[None], RNNCache(x_t, a_prev, a)", "kept an axis of length 1"),
        (RIGHT + "return a[0], RNNCache(x_t, a_prev, a)", "axis m is missing"),
        (RIGHT + "return a[:, :-1], RNNCache(x_t, a_prev, a)", "along n_a, fewer"),
        (RIGHT + "return [a, a], RNNCache(x_t, a_prev, a)", "an axis too many in front, 2 long"),
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
        ("return rnn.softmax(z) ** 2", "Not every row sums to 1, so"),
        ("return 4 * rnn.softmax(z)", "4 times what it should be, and 4 is n_y here"),
        ("return rnn.softmax(z) / len(z)", "1/8 of what it should be, and 8 is m here"),
        ("return rnn.softmax(z) + 1e-8", "right to six digits or more, and then not"),
        ("return np.array(rnn.softmax(z) * 9, dtype=int)", "It holds whole numbers only."),
        ("return rnn.softmax(z).T.reshape(z.shape)", "reshaped where m and n_y should change"),
        ("return np.roll(rnn.softmax(z), 1, -1)", "one place too late along n_y"),
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


@pytest.mark.parametrize(
    ("name", "line", "scope"),
    [
        ("sample_token", "return reference(y_hat, temperature, np.random.default_rng())", {}),
        (
            "generate",
            "return reference(step, state, eos, unk, max_length, temperature, np.random)",
            {"sample_token": exercise("sample_token").reference},
        ),
    ],
)
def test_rung_6_draws_from_another_generator(name, line, scope):
    found = report(line, name, reference=exercise(name).reference, **scope)
    assert found.rung is Rung.UNSTABLE
    assert "The one to ask is the argument: rng.choice" in found.cause
    assert found.score == 0.0


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
        ("da[t] + 0 * da_prev", "sums[2] += 1", "own place, so dx is right at the last step and"),
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
    body = "return reference(np.cbrt(da), cache, params)"
    found = report_back("rnn_cell_backward", body, reference=bptt.rnn_cell_backward)
    assert "Every gradient is wrong" in str(found)
    assert "the gradient that comes in" in str(found)
    body = "y_hat = np.sqrt(y_hat)\nreturn reference(y_hat, y, mask, a, params)"
    found = report_back("output_backward", body, reference=bptt.output_backward)
    assert "made from: the gradient with respect to the scores." in str(found)


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


# ------------------------------------------------------------------ near a right or a wrong one


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("rnn_cell_forward", RIGHT + "return RNNCache(x_t, a_prev, a), a"),
        ("rnn_forward", "return reference(x, a0, params)[::-1]"),
        ("pad_sequences", "return reference(sequences)[::-1]"),
        ("rnn_cell_backward", "x, a, g = reference(da, cache, params)\nreturn a, x, g"),
        ("beam_search", "return reference(step, state, eos, max_length, width, alpha)[::-1]"),
    ],
)
def test_right_parts_in_another_order_are_told(name, body):
    found = report(body, name, reference=exercise(name).reference)
    assert "The right parts in another order; asked for are (" in found.cause
    assert found.score == 0.0


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        (
            "rnn_cell_forward",
            RIGHT + "return a, RNNCache(a, a_prev, x_t)",
            "cache.x_t holds what belongs into cache.a. Give the fields by name, RNNCache(x_t=",
        ),
        (
            "adam_step",
            "w, s = reference(params, grads, state, learning_rate, beta1, beta2, epsilon)\n"
            "return w, s._replace(means=s.squares, squares=s.means)",
            "state.means holds what belongs into state.squares",
        ),
    ],
)
def test_fields_in_each_others_places_are_told(name, body, says):
    assert says in report(body, name, reference=exercise(name).reference).cause


def test_of_two_slips_the_first_is_told():
    body = (
        "dx_t, da_prev, grads = reference(da, cache, params)\n"
        "return dx_t, da_prev, grads._replace(Waa=grads.Waa.T, ba=grads.ba / len(da))"
    )
    found = report_back("rnn_cell_backward", body, reference=bptt.rnn_cell_backward)
    assert found.misconception is None
    assert "The gradient of Waa is transposed." in found.cause
    assert found.cause.endswith("Something else is wrong besides.")


def test_a_slip_beside_one_that_shows_in_a_corner_only_is_told():
    body = (
        "norm = sum(np.sqrt((grad**2).sum()) for grad in grads)\n"
        "return type(grads)(*(grad * (limit / max(norm, limit)) for grad in grads))"
    )
    found = report(body, "clip_by_norm")
    assert found.misconception is None
    assert "The arrays' norms were added." in found.cause


def test_a_slip_is_told_where_some_cases_are_not_finite():
    body = (
        "norm = np.sqrt(sum((grad**2).sum() for grad in grads))\n"
        "return type(grads)(*(grad * limit / norm for grad in grads))"
    )
    found = report(body, "clip_by_norm")
    assert found.rung is Rung.FINITE
    assert found.cause.startswith("The gradient is always scaled to the limit")
    body = "return reference(params, grads, state._replace(steps=state.steps - 1), learning_rate"
    body += ", beta1, beta2, epsilon)[0], reference(params, grads, state, learning_rate, beta1, "
    body += "beta2, epsilon)[1]"
    found = report(body, "adam_step", reference=exercise("adam_step").reference)
    assert found.rung is Rung.FINITE
    assert found.cause.endswith("This one counts, too: the first step is number 1.")


def test_what_finite_cases_tell_comes_before_what_makes_nan():
    found = report("e = np.exp(z - z.max())\nreturn e / e.sum(axis=0)", "softmax")
    assert found.rung is Rung.FINITE
    assert found.cause.startswith("NaN comes from")
    assert "In case 0: It sums to 1 along m" in found.cause


def test_a_slip_that_would_spoil_what_is_right_is_not_told():
    body = (
        "dx_t, dc_prev, grads = reference(dc, cache, params)\n"
        "return dx_t, dc_prev, grads._replace(bu=grads.bu / len(dc))"
    )
    found = report(body, "gru_cell_backward", reference=exercise("gru_cell_backward").reference)
    assert "grads.bu is 1/8 of what it should be" in found.cause


def test_two_wrong_answers_of_a_quiz_are_told_one_after_the_other():
    body = "answers = reference()\nanswers['genes'] = 'many to one'\n"
    body += "answers['digit'] = {!r}\nreturn answers"
    quiz = {"reference": exercise("architectures").reference}
    found = report(body.format("many to one"), "architectures", **quiz)
    assert found.cause.startswith("Genes: yes or no sounds like one answer")
    found = report(body.format("One to one"), "architectures", **quiz)
    assert "'One to one' is none of the answers that there are: mind the spelling" in str(found)


@pytest.mark.parametrize(
    ("body", "early"),
    [
        ("for t in range(3):\n    y = z + t\n    return y", True),
        ("for t in range(3):\n    if t == 2:\n        return z + t", False),
        ("for t in range(3):\n    if t < 2:\n        continue\n    return z + t", False),
        ("def once():\n    for t in z:\n        return z\nreturn once()", True),
    ],
)
def test_a_return_inside_a_loop_is_told(body, early):
    assert ("Indent it less" in report(body, "softmax").cause) is early


def test_a_right_function_may_return_inside_a_loop():
    assert report("for _ in range(3):\n    return rnn.softmax(z)", "softmax", rnn=rnn).passed


def test_an_argument_changed_and_gone_on_with_is_the_cause():
    found = report(RIGHT + "a_prev[:] = a\nreturn a, RNNCache(x_t, a_prev, a)")
    assert "It changes its argument a_prev, and goes on with that" in found.cause
    found = report("np.sin(a_prev, out=a_prev)\n" + RIGHT + "return a, RNNCache(x_t, a_prev, a)")
    assert found.cause == "It changes its argument a_prev, and goes on with that: work on a copy."
    assert not found.notes


CELL = "a, c = reference(x_t, a_prev, params)\n"


@pytest.mark.parametrize(
    ("name", "body", "says"),
    [
        (
            "rnn_forward",
            "a, c = reference(x, a0, params)\nreturn np.concatenate(a), c",
            "T_x and m",
        ),
        (
            "rnn_forward",
            "a, c = reference(x, a0, params)\nreturn [a[-1]] * len(a), c",
            "a holds the last step's values at every step.",
        ),
        (
            "sequence_log_probability",
            "return np.cumsum(reference(y_hat, y, mask))",
            "a running sum along m",
        ),
        (
            "gru_cell_backward",
            "dx, d, g = reference(dc, cache, params)\n"
            "return reference(dc, cache, params._replace(Wr=0 * params.Wr))[0], d, g",
            "In dx_t what comes back through Wr is missing",
        ),
        (
            "lstm_cell_forward",
            "return reference(x_t, a_prev, c_prev, params._replace(Wo=params.Wu))",
            "cache.output was made with Wu: Wo and bo belong to it.",
        ),
        (
            "encode_sequence",
            "reference(x, lengths, encoder)\nreturn tuple(s[lengths - 1] for s in encoder.states)",
            "state[0] has shape (8, 8, 3), expected (m, n_a) = (8, 3).",
        ),
        (
            "gru_forward",
            "c, kept = reference(x, c0, params)\nreturn np.concatenate([c0[None], c]), kept",
            "is what stood before the first step stored as well?",
        ),
        (
            "lstm_cell_backward",
            "right = reference(da, dc, cache, params)\n"
            "return reference(da, dc, cache, params._replace(Wf=params.Wu))[0], *right[1:]",
            "In dx_t the forget gate's part came back through Wu, and not through Wf.",
        ),
        ("last_states", "return np.zeros(a.shape[1:])", "is it never written to"),
        (
            "rnn_cell_forward",
            f"{CELL}return a + a_prev, c",
            "a_prev was added to a, and is too much in it.",
        ),
        ("rnn_cell_forward", f"{CELL}return a.astype(int), c", "a dtype of float"),
        (
            "rnn_cell_forward",
            f"{CELL}return a.clip(-0.5, 0.5), c",
            "a is cut off at -0.5 and at 0.5",
        ),
        ("rnn_cell_forward", f"{CELL}return c.a_prev, c", "a holds a_prev."),
        (
            "rnn_cell_forward",
            f"{CELL}return np.tanh(a), c",
            "a went through tanh that is not asked",
        ),
        (
            "gru_cell_forward",
            "c, kept = reference(x_t, c_prev, params)\n"
            "return reference(x_t, c_prev, params._replace(bu=0 * params.bu))[0], kept",
            "The update gate's bias bu is left out. It shows in c alone.",
        ),
        (
            "rnn_backward",
            "dx, d, g = reference(da, caches, params)\n"
            "return dx, d, type(g)(*(part / da.shape[1] for part in g))",
            "Every entry of all that is wrong is 1/8 of what it should be, and 8 is m here.",
        ),
        (
            "rnn_cell_forward",
            "a, c = reference(x_t, a_prev, params)\nreturn a, c._replace(a_prev=a)",
            "cache.a_prev holds a.",
        ),
        (
            "rnn_generate",
            "y = reference(x_1, a0, params, T_y)\nreturn [y[0]] * T_y",
            "nothing is carried from step to step",
        ),
        (
            "rnn_backward",
            "dx, d, g = reference(da, caches, params)\nreturn np.clip(dx, -0.5, 0.5), d, g",
            "dx is cut off at -0.5 and at 0.5",
        ),
        ("last_states", "return np.sqrt(a[0])", "The square root of a negative number is NaN."),
        ("last_states", "return a[0] * 0 / 0", "look at what is divided by"),
        (
            "rnn_generate",
            "y = reference(x_1, a0, params, T_y)\nreturn [y[-1]] * T_y",
            "It holds the last step's values at every step.",
        ),
        (
            "softmax",
            "e = np.exp(z)\nreturn e / e.sum(axis=(1, 2), keepdims=True) if z.ndim == 3 else "
            "reference(z)",
            "All entries of one step together sum to 1",
        ),
        ("cross_entropy", "return np.ones(3)", "It is one number that is asked for."),
        ("perplexity", "return np.mean(y_hat[1:][mask[1:]])", "A mean was taken of nothing"),
        (
            "make_batches",
            "x, y = reference(indices, m, T_x)\ny[:, -1] = 0\nreturn x, y",
            "y is zero where it is wrong: is it not written to there?",
        ),
        (
            "adam_step",
            "w, s = reference(params, grads, state, learning_rate, beta1, beta2, epsilon)\n"
            "return w, state._replace(steps=s.steps)",
            "state.means.Wax is what was handed in: what is new is not stored",
        ),
        ("one_hot", "return np.eye(n_v)[0]", "The axes T_x, m are missing"),
        ("one_hot", "return np.eye(n_v)[indices].ravel()", "All its axes have become one"),
        (
            "rnn_generate",
            "y = reference(x_1, a0, params, T_y)\ny[-1] = 0\nreturn y",
            "It is zero where it is wrong: is it not written to there?",
        ),
        ("perplexity", "return 3 * reference(y_hat, y, mask)", "In every case it is 3 times"),
        ("span_f1", "return -reference(predicted, true)", "opposite sign"),
        ("pad_sequences", "i, m = reference(sequences)\nreturn i, ~m", "expected True, got False"),
        (
            "rnn_backward",
            "dx, d, g = reference(da, caches, params)\n"
            "return dx, d, g._replace(ba=g.ba / (len(da) * da.shape[1]))",
            "grads.ba is 1/56 of what it should be, and 56 is T_x times m here",
        ),
        (
            "gru_cell_backward",
            "dx, d, g = reference(dc, cache, params)\n"
            "g.Wr[:, : d.shape[1]] += dx[0, 0]\nreturn dx, d, g",
            "only the columns for the state are wrong",
        ),
        (
            "sequence_log_probability",
            "p = np.take_along_axis(y_hat, y[..., np.newaxis], -1)[..., 0] + 0 * mask\n"
            "return np.log(p * (np.arange(len(y)) > 0)[:, np.newaxis]).sum(axis=0)",
            "The logarithm of 0 is minus infinity.",
        ),
        ("cross_entropy", "return -(mask * np.log(0 * y_hat[..., 0])).mean()", "0 times infinity"),
        ("sample_token", "return [0]", "one array of shape (1,) in 400 of 400 calls; one whole"),
        ("generate", "return None", "tokens is None in 12 of 12 calls"),
    ],
)
def test_what_else_is_told(name, body, says):
    scope = {**vars(bptt), "reference": exercise(name).reference}
    assert says in str(report(body, name, **scope)), str(report(body, name, **scope))


SUMS = np.random.default_rng(0).normal(size=(3, 4))


@pytest.mark.parametrize(
    ("expected", "got", "says"),
    [
        (np.tanh(SUMS), SUMS, "It lacks its tanh"),
        (np.tanh(SUMS), sigmoid(SUMS), "through a sigmoid, where tanh is asked for"),
        (np.tanh(SUMS), SUMS.clip(0), "through max(0, ·), where tanh is asked for"),
        (sigmoid(SUMS), SUMS, "It lacks its sigmoid"),
        (sigmoid(SUMS), np.tanh(SUMS), "through tanh, where a sigmoid is asked for"),
        (sigmoid(SUMS), SUMS.clip(0), "through max(0, ·), where a sigmoid is asked for"),
        (sigmoid(SUMS), sigmoid(-SUMS), "It is 1 minus what it should be."),
        (np.tanh(SUMS), np.tanh(SUMS / 2), "It is the tanh of 0.5 times what should go into it."),
        (sigmoid(SUMS), sigmoid(3 * SUMS), "It is the sigmoid of 3 times what should go into it."),
        (softmax(SUMS), softmax(SUMS / 2), "It is the softmax of 0.5 times what should go into"),
        (np.tanh(9 * SUMS[0]), 9 * SUMS[0], "It lacks its tanh"),
        (np.tanh(SUMS), np.exp(SUMS), "through exp, where tanh is asked for"),
        (sigmoid(SUMS), np.exp(SUMS), "through exp, where a sigmoid is asked for"),
        (sigmoid(SUMS), 1 + np.exp(-SUMS), "It is 1 divided by what it should be."),
        (np.exp(SUMS), SUMS, "It is the logarithm of what it should be."),
        (SUMS, np.exp(SUMS), "It is e to the power of what it should be."),
        (SUMS, sigmoid(SUMS), "through a sigmoid that is not asked for"),
        (SUMS, softmax(SUMS), "through a softmax that is not asked for"),
        (np.tanh(99 * SUMS), 99 * SUMS, ""),
        (SUMS, SUMS + 1, ""),
    ],
)
def test_the_curve_between_two_arrays_is_told(expected, got, says):
    assert says in curves.told(expected, got)
    assert bool(says) == bool(curves.told(expected, got))


@pytest.mark.parametrize(
    ("name", "body", "note"),
    [
        ("encode", "return 1.0 * reference(tokens, vocabulary)", "indices should hold integers"),
        ("pad_sequences", "i, m = reference(sequences)\nreturn i, 1 * m", "mask should hold True"),
        ("pad_sequences", "return list(reference(sequences))", ""),
    ],
)
def test_what_would_be_no_index_passes_and_is_mentioned(name, body, note):
    found = report(body, name, reference=exercise(name).reference)
    assert found.passed
    assert note in "".join(found.notes)
    assert bool(note) == bool(found.notes)


@pytest.mark.parametrize(
    ("above", "below", "says"),
    [
        (1e-6, 0, "values on one side only, f(w + h) - f(w), and h = 1e-06."),
        (1e-12, 1e-12, "It was made with a step of 1e-12, which is too small"),
        (1e-6, 1e-6, "It was made with a step of 1e-06, whatever the size of the entry."),
    ],
)
def test_the_step_of_a_numerical_gradient_is_told(above, below, says):
    body = (
        "g, w = np.zeros_like(w), w.astype(float)\n"
        "for i in np.ndindex(w.shape):\n    up, down = w.copy(), w.copy()\n"
        f"    up[i] += {above}\n    down[i] -= {below}\n"
        f"    g[i] = (f(up) - f(down)) / {above + below}\nreturn g"
    )
    assert says in report(body, "numerical_gradient").cause


def test_numbers_are_shown_with_the_digits_in_which_they_differ():
    found = report("return rnn.softmax(z) * (1 + 1e-8)", "softmax", rnn=rnn)
    expected, got = re.search(r"expected (\S+), got (\S+)", str(found)).groups()
    assert expected != got


def test_two_wrong_entries_are_not_cut_off():
    wrong = fits.how(np.array([-2.0, 1.0]), np.array([-1.0, 0.7]), ("n_a",), 1e-9)
    assert wrong == ""


def test_a_mask_has_lost_nothing_behind_the_point():
    kept = 1.6 * (np.arange(12) % 3 > 0)
    assert (
        fits.how(kept, (kept > 0) * 1.0, (), 1e-9)
        == "Every entry is 0.625 times what it should be."
    )


def test_where_is_said_in_words():
    wrong = np.zeros((3, 4), bool)
    wrong[:, [1, 3]] = True
    assert "wrong at classes 1, 3" in fits.where(wrong, ("m", "n_y"))
    assert "wrong at features 1, 3" in fits.where(wrong, ("m", "n_x"))
    assert "wrong at places 1, 3 along n_h" in fits.where(wrong, ("m", "n_h"))
    assert "only place 1 along axis 1 is wrong" in fits.where(wrong & (np.arange(4) < 2), ())


def test_what_is_right_in_every_cache_is_said_once():
    found = report("a, caches = rnn.rnn_forward(x, a0, params)\nreturn 2 * a, caches",
                   "rnn_forward", rnn=rnn)  # fmt: skip
    assert "right: caches[...].x_t, caches[...].a_prev, caches[...].a\n" in str(found)


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


ANYTHING = (
    np.float64(1),
    np.ones(()),
    np.ones((0, 3)),
    10**5000,
    1j,
    "x",
    (),
    {},
    [[]],
    {1: {2: 3}},
)


@pytest.mark.parametrize("value", ANYTHING, ids=lambda value: type(value).__name__)
@pytest.mark.parametrize(
    "name", ["lstm_cell_forward", "build_vocabulary", "clip_by_norm", "sample_token", "beam_search"]
)
def test_nothing_that_is_returned_is_trouble(name, value):
    report = examine(lambda *arguments: value, name)
    assert not report.passed
    assert str(report) and report._repr_html_()


def test_a_source_that_is_one_deep_sum_is_an_attempt():
    found = report("x = " + "1 + " * 900 + "1\nreturn z", name="softmax")
    assert found.rung is Rung.VALUES


@pytest.mark.parametrize("dtype", ["f4", "f2", "f8"])
def test_whole_numbers_have_no_rounding(dtype):
    """A tolerance relative to 9000 would let neighbours pass, in a narrow type."""
    expected = np.array([0, 1, 9000])
    wrong = fits.wrong_entries(expected, np.array([0, 2, 9000], dtype), 1e-9)
    assert wrong.tolist() == [False, True, False]
