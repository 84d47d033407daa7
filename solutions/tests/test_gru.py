"""Proofs of unit 05: derivatives to rounding, PyTorch, and what one GRU says of another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.given import (
    GRUCache,
    GRUParams,
    ResetAfterGRUCache,
    ResetAfterGRUParams,
    SimplifiedGRUCache,
    SimplifiedGRUParams,
)
from solutions import gru
from solutions.tests.proofs import close, complex_step, normal, parameters

SIMPLIFIED = (gru.simplified_gru_cell_forward, gru.simplified_gru_cell_backward)
BEFORE = (gru.gru_cell_forward, gru.gru_cell_backward)
AFTER = (gru.reset_after_gru_cell_forward, gru.reset_after_gru_cell_backward)
BEFORE_SEQUENCE = (gru.gru_forward, gru.gru_backward)
AFTER_SEQUENCE = (gru.reset_after_gru_forward, gru.reset_after_gru_backward)

CELLS = [(SIMPLIFIED, SimplifiedGRUParams), (BEFORE, GRUParams), (AFTER, ResetAfterGRUParams)]
SEQUENCES = [(BEFORE_SEQUENCE, GRUParams), (AFTER_SEQUENCE, ResetAfterGRUParams)]

cells = pytest.mark.parametrize(("pair", "kind"), CELLS, ids=["simplified", "before", "after"])
sequences = pytest.mark.parametrize(("pair", "kind"), SEQUENCES, ids=["before", "after"])

SIZES = {"T_x": 6, "m": 3, "n_x": 4, "n_a": 5}
ONES = dict.fromkeys(SIZES, 1)
some_sizes = st.fixed_dictionaries({letter: st.integers(1, 5) for letter in SIZES})
seeds = st.integers(0, 2**32 - 3)  # the two seeds that follow are used, too
few = settings(deadline=None, max_examples=25)
ROUNDING = 1e-9  # of sums in another order, in arrays drawn so often that some sums nearly cancel


def draw_cell(kind, seed=0, *, m, n_x, n_a, **_):
    params = parameters(kind, seed, n_x=n_x, n_a=n_a)
    return normal(seed + 1, m, n_x), normal(seed + 2, m, n_a), params


def draw_sequence(kind, seed=0, *, T_x, m, n_x, n_a):
    _, c0, params = draw_cell(kind, seed, m=m, n_x=n_x, n_a=n_a)
    return normal(seed + 1, T_x, m, n_x), c0, params


def run(pair, x, c0, params, dc):
    """c, dx, dc0 and grads, for a gradient dc on c; nothing handed in may be written to."""
    forward, backward = pair
    for array in (x, c0, dc, *params):
        array.flags.writeable = False
    c, caches = forward(x, c0, params)
    return c, *backward(dc, caches, params)


def assert_gradients(pair, x, c0, params):
    """The complex step's gradients, of x, c0 and every parameter, are the backward pass's."""
    forward = pair[0]
    dc = normal(9, *forward(x, c0, params)[0].shape)
    _, *gradients, grads = run(pair, x, c0, params, dc)
    assert type(grads) is type(params)
    arrays = [x, c0, *params]
    for i, gradient in enumerate([*gradients, *grads]):

        def loss(w, i=i):
            x, c0, *weights = [*arrays[:i], w, *arrays[i + 1 :]]
            return (forward(x, c0, type(params)(*weights))[0] * dc).sum()

        close(gradient, complex_step(loss, arrays[i]))


def assert_same(actual, expected, rtol=1e-12):
    for one, other in zip(actual, expected, strict=True):
        close(one, other, rtol)


def saturated(params, **biases):
    """The parameters, with gates held open by a bias of 1000 or shut by one of -1000."""
    return params._replace(
        **{name: np.full_like(getattr(params, name), bias) for name, bias in biases.items()}
    )


# Gradients


@cells
@pytest.mark.parametrize("sizes", [SIZES, ONES], ids=["all sizes differ", "all sizes 1"])
def test_cell_gradients(pair, kind, sizes):
    assert_gradients(pair, *draw_cell(kind, **sizes))


@sequences
@pytest.mark.parametrize("sizes", [SIZES, ONES], ids=["all sizes differ", "all sizes 1"])
def test_sequence_gradients(pair, kind, sizes):
    assert_gradients(pair, *draw_sequence(kind, **sizes))


# By hand: weights of zero leave the biases, and these make round gates


def column(value):
    return np.full((1, 1), float(value))


LN_2 = np.log(2)  # tanh(ln 2) = 0.6, sigmoid(ln 3) = 0.75, sigmoid(-ln 4) = 0.2
UPDATE = {"Wu": np.zeros((1, 2)), "bu": np.log([3.0])}
RESET = {"Wr": np.zeros((1, 2)), "br": -np.log([4.0])}


def test_simplified_cell_by_hand():
    x_t, c_prev = column(7), column(5)
    params = SimplifiedGRUParams(**UPDATE, Wc=np.array([[LN_2 / 5, 0]]), bc=np.zeros(1))
    c, cache = gru.simplified_gru_cell_forward(x_t, c_prev, params)
    close(c, [[0.75 * 0.6 + 0.25 * 5]])
    assert_same(cache, SimplifiedGRUCache(x_t, c_prev, update=[[0.75]], candidate=[[0.6]]))


def test_cell_by_hand():
    x_t, c_prev = column(7), column(5)
    params = GRUParams(**UPDATE, **RESET, Wc=np.array([[LN_2, 0]]), bc=np.zeros(1))
    c, cache = gru.gru_cell_forward(x_t, c_prev, params)
    close(c, [[0.75 * 0.6 + 0.25 * 5]])
    assert_same(cache, GRUCache(x_t, c_prev, update=[[0.75]], reset=[[0.2]], candidate=[[0.6]]))


def test_reset_after_cell_by_hand():
    x_t, c_prev = column(7), column(5)
    params = ResetAfterGRUParams(
        **UPDATE, **RESET, Wc=np.array([[3, 0]]), bc=np.zeros(1), bcc=np.array([5 * LN_2 - 15])
    )
    c, cache = gru.reset_after_gru_cell_forward(x_t, c_prev, params)
    close(c, [[0.75 * 0.6 + 0.25 * 5]])
    expected = ResetAfterGRUCache(
        x_t, c_prev, update=[[0.75]], reset=[[0.2]], candidate=[[0.6]], recurrent=[[5 * LN_2]]
    )
    assert_same(cache, expected)


@cells
def test_weights_act_on_state_then_input(pair, kind):
    """Two units, one input: a weight of the third column hears the input alone."""
    forward = pair[0]
    zero = kind(*(np.zeros([{"n_a": 2, "n_a+n_x": 3}[n] for n in s]) for s in kind.shapes.values()))
    c_prev = np.array([[3.0, -4.0]])
    heard = {}
    for name in (name for name in kind.shapes if name.startswith("W")):
        W = np.zeros((2, 3))
        W[:, 2] = 1
        _, cache = forward(column(2), c_prev, zero._replace(**{name: W}))
        heard[name] = cache
    close(heard["Wu"].update, np.full((1, 2), 1 / (1 + np.exp(-2))))
    close(heard["Wc"].candidate, np.full((1, 2), np.tanh(2)))
    if "Wr" in heard:
        close(heard["Wr"].reset, np.full((1, 2), 1 / (1 + np.exp(-2))))


@cells
def test_zero_parameters_halve_the_memory(pair, kind):
    x_t, c_prev, params = draw_cell(kind, **SIZES)
    c, _ = pair[0](x_t, c_prev, kind(*map(np.zeros_like, params)))
    np.testing.assert_array_equal(c, c_prev / 2)


# One kind beside another


def assert_same_run(pair, params, other_pair, other_params, x, c0):
    """Two kinds agree: states, gradients, and the gradients of every parameter that both have."""
    dc = normal(9, *pair[0](x, c0, params)[0].shape)
    *results, grads = run(pair, x, c0, params, dc)
    *other_results, other_grads = run(other_pair, x, c0, other_params, dc)
    assert_same(results, other_results)
    for name in set(grads._fields) & set(other_grads._fields):
        close(getattr(grads, name), getattr(other_grads, name))


def test_an_open_reset_gate_makes_before_and_after_one():
    x, c0, params = draw_sequence(GRUParams, **SIZES)
    params = saturated(params, br=1000)
    after = ResetAfterGRUParams(*params, bcc=np.zeros(SIZES["n_a"]))
    assert_same_run(BEFORE_SEQUENCE, params, AFTER_SEQUENCE, after, x, c0)


def test_one_unit_makes_before_and_after_one():
    x, c0, params = draw_sequence(GRUParams, **(SIZES | {"n_a": 1}))
    after = ResetAfterGRUParams(*params, bcc=np.zeros(1))
    assert_same_run(BEFORE_SEQUENCE, params, AFTER_SEQUENCE, after, x, c0)


def test_before_and_after_differ_in_two_units():
    """Unit 0 hears unit 1; only unit 0 has its reset gate open."""
    zero = {name: np.zeros((2, 3)) for name in ("Wu", "Wr")}
    biases = {"bu": np.zeros(2), "br": np.array([1000.0, -1000.0]), "bc": np.zeros(2)}
    params = GRUParams(**zero, Wc=np.array([[0.0, 1, 0], [0, 0, 0]]), **biases)
    x_t, c_prev = column(7), np.array([[0.0, 5.0]])
    _, before = gru.gru_cell_forward(x_t, c_prev, params)
    after_params = ResetAfterGRUParams(*params, bcc=np.zeros(2))
    _, after = gru.reset_after_gru_cell_forward(x_t, c_prev, after_params)
    close(before.candidate, [[0, 0]])
    close(after.candidate, [[np.tanh(5), 0]])


def test_an_open_reset_gate_makes_the_gru_the_simplified_one():
    x_t, c_prev, params = draw_cell(GRUParams, **SIZES)
    params = saturated(params, br=1000)
    simplified = SimplifiedGRUParams(params.Wu, params.bu, params.Wc, params.bc)
    assert_same_run(BEFORE, params, SIMPLIFIED, simplified, x_t, c_prev)


# PyTorch


def assert_pytorch_agrees(x, c0, params):
    torch = pytest.importorskip(
        "torch", reason="PyTorch is not installed: this comparison is skipped"
    )
    dc = normal(9, len(x), *c0.shape)
    theirs = torch.nn.GRU(x.shape[2], c0.shape[1], dtype=torch.float64)
    state = {name: torch.tensor(w) for name, w in gru.to_pytorch_gru(params).items()}
    theirs.load_state_dict(state)
    tx = torch.tensor(x, requires_grad=True)
    tc0 = torch.tensor(c0[None], requires_grad=True)
    out, _ = theirs(tx, tc0)
    out.backward(torch.tensor(dc))

    c, dx, dc0, grads = run(AFTER_SEQUENCE, x, c0, params, dc)
    close(c, out.detach())
    close(dx, tx.grad)
    close(dc0, tc0.grad[0])
    ours = gru.to_pytorch_gru(grads)
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"):
        close(ours[name], getattr(theirs, name).grad)
    candidate = slice(2 * c0.shape[1], None)  # elsewhere the second bias is PyTorch's alone
    close(ours["bias_hh_l0"][candidate], theirs.bias_hh_l0.grad[candidate])


@pytest.mark.parametrize("sizes", [SIZES, ONES], ids=["all sizes differ", "all sizes 1"])
def test_pytorch_computes_the_same(sizes):
    assert_pytorch_agrees(*draw_sequence(ResetAfterGRUParams, **sizes))


def test_to_pytorch_by_hand():
    params = ResetAfterGRUParams(
        Wu=np.array([[1.0, 2.0, 3.0]]),
        bu=np.array([4.0]),
        Wr=np.array([[5.0, 6.0, 7.0]]),
        br=np.array([8.0]),
        Wc=np.array([[9.0, 10.0, 11.0]]),
        bc=np.array([12.0]),
        bcc=np.array([13.0]),
    )
    expected = {
        "weight_ih_l0": [[6, 7], [-2, -3], [10, 11]],
        "weight_hh_l0": [[5], [-1], [9]],
        "bias_ih_l0": [8, -4, 12],
        "bias_hh_l0": [0, 0, 13],
    }
    for kind in (np.float32, np.float64):
        state = gru.to_pytorch_gru(ResetAfterGRUParams(*(w.astype(kind) for w in params)))
        assert state.keys() == expected.keys()
        for name, array in state.items():
            np.testing.assert_array_equal(array, np.array(expected[name], kind), strict=True)


# What holds for any GRU


@sequences
@few
@given(seed=seeds, sizes=some_sizes)
def test_order_of_examples_does_not_matter(pair, kind, seed, sizes):
    x, c0, params = draw_sequence(kind, seed, **sizes)
    dc = normal(9, len(x), *c0.shape)
    order = np.random.default_rng(seed).permutation(len(c0))
    c, dx, dc0, grads = run(pair, x, c0, params, dc)
    moved = run(pair, x[:, order], c0[order], params, dc[:, order])
    assert_same(moved[:3], (c[:, order], dx[:, order], dc0[order]), ROUNDING)
    assert_same(moved[3], grads, ROUNDING)


@sequences
@few
@given(seed=seeds, sizes=some_sizes, data=st.data())
def test_two_runs_make_a_long_one(pair, kind, seed, sizes, data):
    x, c0, params = draw_sequence(kind, seed, **(sizes | {"T_x": sizes["T_x"] + 1}))
    dc = normal(9, len(x), *c0.shape)
    cut = data.draw(st.integers(1, len(x) - 1))
    c, dx, dc0, grads = run(pair, x, c0, params, dc)
    late = run(pair, x[cut:], c[cut - 1], params, dc[cut:])
    into_early = dc[:cut].copy()
    into_early[-1] += late[2]
    early = run(pair, x[:cut], c0, params, into_early)
    close(np.concatenate([early[0], late[0]]), c)
    close(np.concatenate([early[1], late[1]]), dx)
    close(early[2], dc0)
    both = [one + other for one, other in zip(early[3], late[3], strict=True)]
    assert_same(both, grads, ROUNDING)


@sequences
@few
@given(seed=seeds, sizes=some_sizes)
def test_steps_without_a_gradient_change_nothing_before_them(pair, kind, seed, sizes):
    """What stands behind the last step that the loss sees, padding say, gets no gradient."""
    x, c0, params = draw_sequence(kind, seed, **sizes)
    dc = normal(9, len(x), *c0.shape)
    padding = np.full((2, *x.shape[1:]), 100.0)
    none = np.zeros((2, *c0.shape))
    short = run(pair, x, c0, params, dc)
    long = run(pair, np.concatenate([x, padding]), c0, params, np.concatenate([dc, none]))
    close(long[0][: len(x)], short[0])
    close(long[1][: len(x)], short[1])
    assert not long[1][len(x) :].any()
    close(long[2], short[2])
    assert_same(long[3], short[3])


@pytest.mark.parametrize(
    ("pair", "cell", "kind"),
    [(BEFORE_SEQUENCE, BEFORE, GRUParams), (AFTER_SEQUENCE, AFTER, ResetAfterGRUParams)],
    ids=["before", "after"],
)
@few
@given(seed=seeds, sizes=some_sizes)
def test_one_step_is_the_cell(pair, cell, kind, seed, sizes):
    x_t, c_prev, params = draw_cell(kind, seed, **sizes)
    dc = normal(9, *c_prev.shape)
    c, dx, dc0, grads = run(pair, x_t[None], c_prev, params, dc[None])
    cell_c, cell_dx, cell_dc_prev, cell_grads = run(cell, x_t, c_prev, params, dc)
    assert_same((c[0], dx[0], dc0, *grads), (cell_c, cell_dx, cell_dc_prev, *cell_grads))
    _, caches = pair[0](x_t[None], c_prev, params)
    assert len(caches) == 1
    assert_same(caches[0], cell[0](x_t, c_prev, params)[1])


@sequences
@few
@given(seed=seeds, sizes=some_sizes)
def test_memory_stays_between_the_candidates_and_its_start(pair, kind, seed, sizes):
    x, c0, params = draw_sequence(kind, seed, **sizes)
    c, _ = pair[0](x * 10, c0, params)
    assert np.abs(c).max() <= max(1, np.abs(c0).max())


@sequences
def test_a_shut_update_gate_carries_memory_and_gradient_unchanged(pair, kind):
    x, c0, params = draw_sequence(kind, **SIZES)
    dc = np.zeros((len(x), *c0.shape))
    dc[-1] = normal(9, *c0.shape)
    c, dx, dc0, _ = run(pair, x, c0, saturated(params, bu=-1000), dc)
    for c_t in c:
        np.testing.assert_array_equal(c_t, c0)
    np.testing.assert_array_equal(dc0, dc[-1])
    assert not dx.any()


@sequences
@pytest.mark.parametrize("kind_of_number", [np.float32, np.float64])
def test_large_inputs_stay_finite(pair, kind, kind_of_number):
    x, c0, params = draw_sequence(kind, **SIZES)
    params = kind(*(w.astype(kind_of_number) for w in params))
    x, c0 = (x * 1e4).astype(kind_of_number), (c0 * 1e4).astype(kind_of_number)
    *results, grads = run(pair, x, c0, params, np.ones((len(x), *c0.shape), kind_of_number))
    assert all(np.isfinite(array).all() for array in (*results, *grads))


@pytest.mark.parametrize(("pair", "kind"), CELLS + SEQUENCES)
def test_float32_stays_float32(pair, kind):
    draw = draw_sequence if (pair, kind) in SEQUENCES else draw_cell
    x, c0, params = draw(kind, **SIZES)
    dc = normal(9, *pair[0](x, c0, params)[0].shape)
    *results, grads = run(pair, x, c0, params, dc)
    narrow = [array.astype(np.float32) for array in (x, c0, dc)]
    narrow_params = kind(*(w.astype(np.float32) for w in params))
    *narrow_results, narrow_grads = run(pair, *narrow[:2], narrow_params, narrow[2])
    for array in (*narrow_results, *narrow_grads):
        assert array.dtype == np.float32
    _, caches = pair[0](*narrow[:2], narrow_params)
    for cache in caches if isinstance(caches, list) else [caches]:
        assert all(array.dtype == np.float32 for array in cache)
    # a float32 holds 7 digits; sums over 6 steps of 3 examples lose one or two of them
    assert_same((*narrow_results, *narrow_grads), (*results, *grads), rtol=1e-5)
