"""What is refused at the edges, and in which words; and that nothing else is."""

import inspect
import re

import numpy as np
import pytest

import solutions
from course.given import RNNCache, RNNModelParams, RNNParams, edges
from course.given.edges import checked, expect
from course.tests.proofs_layers import KINDS, SIZES, kinds, same, sequences
from solutions import gru, lstm, rnn
from solutions.tests.proofs import normal, parameters

T_x, m, n_x, n_a = SIZES.values()
MODULES = {"rnn": rnn, "gru": gru, "lstm": lstm}
FUNCTIONS = {
    f"{module}.{name}": function
    for module, contents in MODULES.items()
    for name, function in inspect.getmembers(contents, inspect.isfunction)
    if function.__module__ == contents.__name__
}
every_function = pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)


def arguments(function):
    """What a function takes, by its docstring, drawn; the caches as the forward pass makes them."""
    sizes = SIZES | {"n_y": n_x, "T_y": 3}  # what is generated is read again
    arrays, types = edges._stated(function)
    given = {}
    for name in inspect.signature(function).parameters:
        if name in arrays:
            letters, kind = arrays[name]
            shape = [sizes[letter] for letter in letters if letter != "..."]
            given[name] = np.ones(shape, bool) if kind == "bool" else normal(0, *shape)
        elif name in types:
            many, kind = types[name]
            make = [parameters(kind, t, **sizes) for t in range(T_x if many else 1)]
            given[name] = make if many else make[0]
        else:
            given[name] = sizes[name]
    return given


# What is right passes


@every_function
def test_every_argument_is_known(function):
    arrays, types = edges._stated(function)
    for name in inspect.signature(function).parameters:
        assert name in arrays or name in types or name in edges.SIZES


@every_function
def test_what_is_right_passes(function):
    given = arguments(function)
    found, expected = checked(function)(**given), function(**given)
    assert repr(found) == repr(expected)
    assert repr(checked(function)(*given.values())) == repr(expected)


@kinds
def test_runs_of_cells_pass(kind):
    params = kind.draw(n_x=n_x, n_a=n_a)
    x, start, dstates = sequences(n_states=kind.n_states, **SIZES)
    *states, caches = checked(kind.forward)(x, *start, params)
    expected = dict(enumerate(kind.backward(*dstates, caches, params)[:-1]))
    same(dict(enumerate(checked(kind.backward)(*dstates, caches, params)[:-1])), expected)
    *_, cache = checked(kind.cell_forward)(x[0], *start, params)
    checked(kind.cell_backward)(*start, cache, params)
    narrow = x.astype(np.float32), *start
    assert checked(kind.forward)(*narrow, params)[0].shape == states[0].shape


def test_a_checked_function_keeps_its_name_and_its_docstring():
    wrapped = checked(rnn.rnn_forward)
    assert (wrapped.__name__, wrapped.__doc__) == ("rnn_forward", rnn.rnn_forward.__doc__)
    assert inspect.signature(wrapped) == inspect.signature(rnn.rnn_forward)


def test_a_models_parameters_pass_for_a_cells():
    model = parameters(RNNModelParams, 0, n_x=n_x, n_a=n_a, n_y=2)
    x, (a0,), _ = sequences(**SIZES)
    a, _ = checked(rnn.rnn_forward)(x, a0, model)
    checked(rnn.output_forward)(a, model)
    checked(rnn.output_forward)(a[0], model)


# What is wrong is named


@every_function
def test_every_array_of_a_wrong_shape_is_named(function):
    """Another axis: no array but an open-ended one has any number of them."""
    given, wrapped = arguments(function), checked(function)
    arrays, types = edges._stated(function)
    for name, (letters, _) in arrays.items():
        if letters[0] == "...":
            continue
        shape = (*given[name].shape, 1)
        message = rf"^{name} has shape {re.escape(str(shape))}; {re.escape(edges._say(letters))} is"
        with pytest.raises(ValueError, match=message):
            wrapped(**given | {name: given[name].reshape(shape)})
    for name, (many, kind) in types.items():
        value = given[name][-1] if many else given[name]
        for field, letters in kind.shapes.items():
            array = getattr(value, field)[..., None]
            wrong = value._replace(**{field: array})
            place = rf"{name}\[{T_x - 1}\]" if many else name
            shapes = f" has shape {array.shape}; {edges._say(letters)} is expected"
            with pytest.raises(ValueError, match=rf"^{place}\.{field}{re.escape(shapes)}"):
                wrapped(**given | {name: [*given[name][:-1], wrong] if many else wrong})


@every_function
def test_every_array_of_a_wrong_length_is_named(function):
    """One example more, or one unit if there are no examples: no longer as the others are."""
    given, wrapped = arguments(function), checked(function)
    arrays, _ = edges._stated(function)
    if function is rnn.softmax:
        return  # it takes one array, of any shape
    for name, (letters, _) in arrays.items():
        axis = letters.index("m") if "m" in letters else -1
        longer = np.concatenate([given[name], given[name].take([0], axis)], axis)
        with pytest.raises(ValueError, match=r"has shape .* is expected with .* = "):
            wrapped(**given | {name: longer})


@every_function
def test_other_than_arrays_is_named(function):
    given, wrapped = arguments(function), checked(function)
    arrays, types = edges._stated(function)
    for name, (letters, _) in arrays.items():
        shape = re.escape(edges._say(letters))
        for wrong, kind in ((given[name].tolist(), "list"), (None, "NoneType"), (1.5, "float")):
            message = rf"^{name} is a {kind}; an ndarray {shape} is expected"
            with pytest.raises(TypeError, match=message):
                wrapped(**given | {name: wrong})
        with pytest.raises(TypeError, match=rf"^{name} holds <U1; "):
            wrapped(**given | {name: np.full(given[name].shape, "a")})
    for name, (many, kind) in types.items():
        place = rf"{name}\[0\]" if many else name
        for wrong in ((1, 2), {}, None):
            message = rf"^{place} is a {type(wrong).__name__} without .*; {kind.__name__} is"
            with pytest.raises(TypeError, match=message):
                wrapped(**given | {name: [wrong] * T_x if many else wrong})


def test_arguments_that_are_missing_are_named():
    with pytest.raises(TypeError, match="missing a required argument: 'params'"):
        checked(rnn.rnn_forward)(np.ones((6, 3, 4)), np.ones((3, 5)))
    with pytest.raises(TypeError, match="unexpected keyword argument 'b'"):
        checked(rnn.softmax)(np.ones(3), b=1)


@kinds
def test_parameters_that_are_not_finite_are_named(kind):
    x, start, _ = sequences(n_states=kind.n_states, **SIZES)
    for name in kind.params._fields:
        for wrong in (np.nan, np.inf):
            params = kind.draw(n_x=n_x, n_a=n_a)
            getattr(params, name).flat[-1] = wrong
            with pytest.raises(ValueError, match=rf"^params\.{name} is not finite"):
                checked(kind.forward)(x, *start, params)


def test_sequences_and_caches_need_not_be_finite():
    """An explosion is a thing to be seen; only its cause is refused."""
    x, (a0,), _ = sequences(**SIZES)
    params = KINDS["RNN"].draw(n_x=n_x, n_a=n_a)
    assert np.isnan(checked(rnn.rnn_forward)(x * np.nan, a0, params)[0]).all()


@pytest.mark.parametrize("axis", range(3))
def test_empty_arrays_are_named(axis):
    x, (a0,), _ = sequences(**SIZES)
    params = KINDS["RNN"].draw(n_x=n_x, n_a=n_a)
    with pytest.raises(ValueError, match=r"^x has shape \(.*0.*\), and so is empty; \(T_x, m, n_x"):
        checked(rnn.rnn_forward)(np.delete(x, slice(None), axis), a0, params)


@kinds
def test_caches_are_one_a_step(kind):
    params = kind.draw(n_x=n_x, n_a=n_a)
    x, start, dstates = sequences(n_states=kind.n_states, **SIZES)
    *_, caches = kind.forward(x, *start, params)
    backward, name = checked(kind.backward), type(caches[0]).__name__
    for wrong in (caches[:-1], [*caches, caches[0]], []):
        message = rf"^caches has {len(wrong)} entries; one {name} a step is expected, T_x = 6"
        with pytest.raises(ValueError, match=message):
            backward(*dstates, wrong, params)
    for wrong in (None, iter(caches)):
        with pytest.raises(TypeError, match=rf"^caches is a .*; a list of {name} is expected"):
            backward(*dstates, wrong, params)
    with pytest.raises((TypeError, ValueError), match=r"^caches"):
        backward(*dstates, caches[0], params)
    backward(*dstates, tuple(caches), params)


def test_a_mask_has_a_real_step():
    a, mask = normal(0, T_x, m, n_a), np.ones((T_x, m), bool)
    last_states = checked(rnn.last_states)
    np.testing.assert_array_equal(last_states(a, mask), a[-1])
    with pytest.raises(ValueError, match=r"^mask has no real step"):
        last_states(a, ~mask)
    with pytest.raises(TypeError, match=r"^mask holds float64; bool is expected"):
        last_states(a, mask * 1.0)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (0, ValueError, "T_y is 0; at least 1 is expected"),
        (-3, ValueError, "T_y is -3; at least 1 is expected"),
        (2.0, TypeError, "T_y is a float; an int is expected"),
        (True, TypeError, "T_y is a bool; an int is expected"),
        ("3", TypeError, "T_y is a str; an int is expected"),
    ],
)
def test_sizes_are_whole_and_positive(wrong, error, message):
    given = arguments(rnn.rnn_generate)
    with pytest.raises(error, match=message):
        checked(rnn.rnn_generate)(**given | {"T_y": wrong})
    assert len(checked(rnn.rnn_generate)(**given | {"T_y": np.int64(4)})) == 4


# Docstrings of every form


def takes_any_form(x, indices, y, lengths, n_v, mask=None, cache=None, rng=None):
    """Do nothing.

    Parameters
    ----------
    x : (T_x, m, n_y) ndarray
    indices : (T_x, m) ndarray of int
    y : (T_x, m) ndarray of int, optional
        Of which y : (m,) ndarray is one step.
    lengths : (m,) ndarray of int, optional
    n_v : int
    mask : (T_x, m) ndarray of bool, optional
        Where it is False, `y` and `indices` may hold anything.
    cache : RNNCache, optional
    rng : numpy.random.Generator

    Returns
    -------
    n_v : (T_x,) ndarray
    rng : RNNParams
    """
    return "done"


RIGHT = {
    "x": np.ones((6, 3, 2)),
    "indices": np.full((6, 3), 3),
    "y": np.ones((6, 3), int),
    "lengths": np.array([6, 1, 2]),
    "n_v": 4,
}


def takes_few_forms(y=None, lengths=None, mask=None):
    """Do nothing.

    Parameters
    ----------
    y : (T_y, m) ndarray of int, optional
        Of any classes, since nothing says how many there are.
    lengths : (m,) ndarray of int, optional
    mask : list of bool, optional
    """
    return "done"


def test_every_form_is_read():
    assert checked(takes_any_form)(**RIGHT) == "done"
    assert checked(takes_few_forms)() == checked(takes_few_forms)(None, None, None) == "done"
    assert checked(takes_few_forms)(np.full((2, 3), 99), np.full(3, 99), [False]) == "done"
    cache = RNNCache(np.ones((3, 4)), np.ones((3, 5)), np.ones((3, 5)))
    assert checked(takes_any_form)(**RIGHT, mask=None, cache=cache, rng=3) == "done"
    assert checked(lambda x: x)(3) == 3  # nothing is stated


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"indices": RIGHT["indices"] + 1}, ValueError, r"^indices\[0, 0\] is 4; 0 to 3 is"),
        ({"indices": -RIGHT["indices"]}, ValueError, r"^indices\[0, 0\] is -3; 0 to 3 is"),
        ({"n_v": 3}, ValueError, r"^indices\[0, 0\] is 3; 0 to 2 is expected"),
        ({"y": np.eye(6, 3, dtype=int) * 2}, ValueError, r"^y\[0, 0\] is 2; 0 to 1 is expected"),
        ({"y": np.ones((6, 3))}, TypeError, "^y holds float64; int is expected"),
        ({"y": None}, TypeError, "^y is a NoneType; an ndarray"),  # it has no default
        ({"lengths": np.array([6, 0, 2])}, ValueError, r"^lengths\[1\] is 0; 1 to 6 is expected"),
        ({"lengths": np.array([6, 1, 7])}, ValueError, r"^lengths\[2\] is 7; 1 to 6 is expected"),
        ({"lengths": np.ones(3)}, TypeError, "^lengths holds float64; int is expected"),
        ({"lengths": [6, 1, 2]}, TypeError, r"^lengths is a list; an ndarray \(m,\) is expected"),
        ({"lengths": np.ones(6, int)}, ValueError, r"^lengths has shape \(6,\); .* with m = 3"),
        ({"mask": np.ones((6, 3))}, TypeError, "^mask holds float64; bool is expected"),
        ({"mask": np.zeros((6, 3), bool)}, ValueError, "^mask has no real step"),
        ({"cache": 3}, TypeError, "^cache is a int without x_t; RNNCache is expected"),
    ],
)
def test_what_is_wrong_is_named(changes, error, message):
    with pytest.raises(error, match=message):
        checked(takes_any_form)(**RIGHT | changes)


def test_where_a_mask_is_false_anything_may_stand():
    mask = np.ones((6, 3), bool)
    mask[4:, 1] = False
    wild = np.where(mask, 1, -100)
    given = RIGHT | {"y": wild, "indices": wild}
    assert checked(takes_any_form)(**given, mask=mask) == "done"
    with pytest.raises(ValueError, match=r"^indices\[4, 1\] is -100; 0 to 3 is expected"):
        checked(takes_any_form)(**given)
    mask[4, 1] = True
    with pytest.raises(ValueError, match=r"^indices\[4, 1\] is -100"):
        checked(takes_any_form)(**given, mask=mask)


def test_a_sum_of_letters_is_held_against_its_parts():
    """Learnt before its parts are, and learnt from what is left."""
    sizes = {}
    expect("z", np.ones((3, 9)), ("m", "n_a+n_x"), None, sizes)
    expect("a", np.ones((3, 5)), ("m", "n_a"), None, sizes)
    message = r"W has shape \(5, 8\); \(n_a, n_a\+n_x\) is expected with n_a\+n_x = 9, n_a = 5"
    with pytest.raises(ValueError, match=message):
        expect("W", np.ones((5, 8)), ("n_a", "n_a+n_x"), None, dict(sizes))
    expect("W", np.ones((5, 9)), ("n_a", "n_a+n_x"), None, sizes)
    with pytest.raises(
        ValueError, match=r"x has shape \(3, 3\); \(m, n_x\) .* with m = 3, n_x = 4"
    ):
        expect("x", np.ones((3, 3)), ("m", "n_x"), None, sizes)


@pytest.mark.parametrize("columns", [4, 5])
def test_a_sum_leaves_something_for_each_part(columns):
    with pytest.raises(ValueError, match=rf"W has shape \(5, {columns}\)"):
        expect("W", np.ones((5, columns)), ("n_a", "n_a+n_x"), None, {})


def test_open_axes_are_the_same_wherever_they_stand():
    sizes = {}
    expect("y_hat", np.ones((6, 3, 2)), ("...", "n_y"), None, sizes)
    expect("a", np.ones((6, 3, 5)), ("...", "n_a"), None, sizes)
    with pytest.raises(ValueError, match=r"h has shape \(3, 5\); \(\.\.\., n_a\) .* = \(6, 3\)"):
        expect("h", np.ones((3, 5)), ("...", "n_a"), None, sizes)
    with pytest.raises(ValueError, match=r"z has shape \(\); \(\.\.\., n_y\) is expected"):
        expect("z", np.ones(()), ("...", "n_y"), None, {})
    for any_array in (np.ones(()), np.float64(1), np.ones((0, 3)), np.ones((2, 3))):
        expect("w", any_array, ("...",), None, {})
    with pytest.raises(ValueError, match=r"z has shape \(3, 0\), and so is empty"):
        expect("z", np.ones((3, 0)), ("...", "n_y"), None, {})
    with pytest.raises(ValueError, match=r"b has shape \(\); \(n_a,\) is expected"):
        expect("b", np.float64(1), ("n_a",), None, {})


@pytest.mark.parametrize(
    ("kind", "passing"),
    [
        (None, [float, np.float32, complex, int, np.uint8]),
        ("int", [int, np.uint8]),
        ("bool", [bool]),
    ],
)
def test_kinds_of_entries(kind, passing):
    for dtype in (float, np.float32, complex, int, np.uint8, bool, object, "<U1", "M8[s]"):
        array = np.zeros(3, dtype)
        if dtype in passing:
            expect("x", array, ("m",), kind, {})
        else:
            with pytest.raises(TypeError, match=rf"^x holds {array.dtype}".replace("[", r"\[")):
                expect("x", array, ("m",), kind, {})


def test_parameters_hold_each_other():
    params = parameters(RNNParams, 0, n_x=n_x, n_a=n_a)
    wrong = params._replace(Waa=np.ones((n_a, n_a + 1)))
    message = r"^params\.Waa has shape \(5, 6\); \(n_a, n_a\) is expected with n_a = 5"
    with pytest.raises(ValueError, match=message):
        edges.expect_params("params", wrong, RNNParams, {})


# Lists, and numbers that are no sizes


@pytest.mark.parametrize(
    ("name", "given", "error", "message"),
    [
        ("pad_sequences", ([],), ValueError, "^sequences is empty; a list with at least one entry"),
        ("pad_sequences", (3,), TypeError, "^sequences is a int; a list is expected"),
        ("pad_sequences", ([[1]],), TypeError, r"^sequences\[0\] is a list; an ndarray \(T_x,\)"),
        ("pad_sequences", ([np.ones(0, int)],), ValueError, r"^sequences\[0\] .* and so is empty"),
        ("build_vocabulary", ([], 9), ValueError, "^sentences is empty"),
        ("build_vocabulary", ([["a"]], 1), ValueError, "^max_size is 1; at least 2 is expected"),
        ("build_vocabulary", ([["a"]], 2.0), TypeError, "^max_size is a float; an int is expected"),
        ("clip_by_norm", ((np.ones(2),), 0), ValueError, "^limit is 0; above 0 is expected"),
        ("clip_by_norm", ((np.ones(2),), "1"), TypeError, "^limit is a str; a number is expected"),
        ("dropout_forward", (np.ones(2), 1.0, None), ValueError, "^rate is 1.0; from 0 to below 1"),
        ("beam_search", (0, 0, 0, 9, 0, 1.0), ValueError, "^width is 0; at least 1 is expected"),
        ("beam_search", (0, 0, 0, 9, 1, -1), ValueError, "^alpha is -1; at least 0 is expected"),
        ("greedy_decode", (0, 0, -1, 9), ValueError, "^eos is -1; at least 0 is expected"),
        ("softmax", (np.ones((0, 3)),), ValueError, r"^z has shape \(0, 3\), and so is empty"),
    ],
)
def test_the_package_refuses_by_name(name, given, error, message):
    with pytest.raises(error, match=message):
        getattr(solutions, name)(*given)


def test_the_package_takes_what_is_right():
    indices, mask = solutions.pad_sequences([np.array([1, 2]), np.array([3])])
    np.testing.assert_array_equal(indices, [[1, 3], [2, 0]])
    np.testing.assert_array_equal(mask, [[True, True], [True, False]])
    np.testing.assert_array_equal(solutions.encode([], {"<EOS>": 0, "<UNK>": 1}), [0])
    (clipped,) = solutions.clip_by_norm(RNNCache(*np.full((3, 1), 2.0)), np.float32(np.sqrt(3)))[:1]
    np.testing.assert_allclose(clipped, [1])


def test_every_function_of_every_unit_is_there():
    for unit in solutions.UNITS:
        for name, function in inspect.getmembers(unit, inspect.isfunction):
            if function.__module__ == unit.__name__:
                assert getattr(solutions, name).__wrapped__ is function
