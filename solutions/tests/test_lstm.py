"""Proofs of unit 06: derivatives to rounding, PyTorch, and what one LSTM says of another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.given import CoupledLSTMParams, LSTMCache, LSTMParams, PeepholeLSTMParams
from solutions import lstm
from solutions.tests.proofs import close, complex_step, normal, parameters

PLAIN = (lstm.lstm_cell_forward, lstm.lstm_cell_backward)
PEEPHOLE = (lstm.peephole_lstm_cell_forward, lstm.peephole_lstm_cell_backward)
COUPLED = (lstm.coupled_lstm_cell_forward, lstm.coupled_lstm_cell_backward)
SEQUENCE = (lstm.lstm_forward, lstm.lstm_backward)

cells = pytest.mark.parametrize(
    ("pair", "kind"),
    [(PLAIN, LSTMParams), (PEEPHOLE, PeepholeLSTMParams), (COUPLED, CoupledLSTMParams)],
    ids=["plain", "peephole", "coupled"],
)

SIZES = {"T_x": 6, "m": 3, "n_x": 4, "n_a": 5}
ONES = dict.fromkeys(SIZES, 1)
both_sizes = pytest.mark.parametrize("sizes", [SIZES, ONES], ids=["all sizes differ", "all 1"])
some_sizes = st.fixed_dictionaries({letter: st.integers(1, 5) for letter in SIZES})
seeds = st.integers(0, 2**32 - 4)  # the three seeds that follow are used, too
few = settings(deadline=None, max_examples=25)
ROUNDING = 1e-9  # of sums in another order, in arrays drawn so often that some sums nearly cancel


def draw_cell(kind, seed=0, *, m, n_x, n_a, **_):
    """Arguments of a cell: x_t, a_prev, c_prev, params."""
    params = parameters(kind, seed, n_x=n_x, n_a=n_a)
    a_prev, c_prev = normal(seed + 2, m, n_a), normal(seed + 3, m, n_a)
    return normal(seed + 1, m, n_x), a_prev, c_prev, params


def draw_sequence(seed=0, *, T_x, m, n_x, n_a):
    """Arguments of a sequence: x, a0, c0, params."""
    _, *start = draw_cell(LSTMParams, seed, m=m, n_x=n_x, n_a=n_a)
    return normal(seed + 1, T_x, m, n_x), *start


def upstream(*shape):
    """Gradients with respect to a and to c."""
    return normal(8, *shape), normal(9, *shape)


def run(pair, x, a0, c0, params, da, dc):
    """a, c, dx, da0, dc0 and grads, for gradients on a and c; what is handed in stays unwritten."""
    forward, backward = pair
    for array in (x, a0, c0, da, dc, *params):
        array.flags.writeable = False
    a, c, caches = forward(x, a0, c0, params)
    return a, c, *backward(da, dc, caches, params)


def assert_gradients(pair, x, a0, c0, params):
    """The complex step's gradients, of all that goes in, are the backward pass's."""
    forward = pair[0]
    da, dc = upstream(*forward(x, a0, c0, params)[0].shape)
    _, _, *gradients, grads = run(pair, x, a0, c0, params, da, dc)
    assert type(grads) is type(params)
    arrays = [x, a0, c0, *params]
    for i, gradient in enumerate([*gradients, *grads]):

        def loss(w, i=i):
            x, a0, c0, *weights = [*arrays[:i], w, *arrays[i + 1 :]]
            a, c, _ = forward(x, a0, c0, type(params)(*weights))
            return (a * da + c * dc).sum()

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
@both_sizes
def test_cell_gradients(pair, kind, sizes):
    assert_gradients(pair, *draw_cell(kind, **sizes))


@both_sizes
def test_sequence_gradients(sizes):
    assert_gradients(SEQUENCE, *draw_sequence(**sizes))


# By hand: weights of zero leave the biases, and these make round gates


def column(value):
    return np.full((1, 1), float(value))


ZERO = np.zeros((1, 2))
FORGET = {"Wf": ZERO, "bf": np.log([3.0])}  # 0.75
UPDATE = {"Wu": ZERO, "bu": -np.log([4.0])}  # 0.2
CANDIDATE = {"Wc": ZERO, "bc": np.log([2.0])}  # tanh(ln 2) = 0.6
OUTPUT = {"Wo": ZERO, "bo": np.log([4.0])}  # 0.8


def assert_by_hand(results, update, c):
    """What every kind of cell makes of a memory of 2, with the gates above."""
    a_by_hand = 0.8 * np.tanh(c)
    *states, cache = results
    close(states, [[[a_by_hand]], [[c]]])
    assert isinstance(cache, LSTMCache)
    expected = LSTMCache(
        z=[[5, 7]],
        forget=[[0.75]],
        update=[[update]],
        candidate=[[0.6]],
        output=[[0.8]],
        c_prev=[[2]],
        c=[[c]],
    )
    assert_same(cache, expected)


def test_cell_by_hand():
    params = LSTMParams(**FORGET, **UPDATE, **CANDIDATE, **OUTPUT)
    results = lstm.lstm_cell_forward(column(7), column(5), column(2), params)
    assert_by_hand(results, update=0.2, c=0.75 * 2 + 0.2 * 0.6)


def test_coupled_cell_by_hand():
    params = CoupledLSTMParams(**FORGET, **CANDIDATE, **OUTPUT)
    results = lstm.coupled_lstm_cell_forward(column(7), column(5), column(2), params)
    assert_by_hand(results, update=0.25, c=0.75 * 2 + 0.25 * 0.6)


def test_peephole_cell_by_hand():
    """All gates hear the memory alone: 2 before the step, and what it has become after it."""
    c = 0.75 * 2 + 0.2 * 0.6
    nothing = {"bf": np.zeros(1), "bu": np.zeros(1), "bo": np.zeros(1)}
    peepholes = {"pf": FORGET["bf"] / 2, "pu": UPDATE["bu"] / 2, "po": OUTPUT["bo"] / c}
    params = PeepholeLSTMParams(Wf=ZERO, Wu=ZERO, Wo=ZERO, **CANDIDATE, **nothing, **peepholes)
    results = lstm.peephole_lstm_cell_forward(column(7), column(5), column(2), params)
    assert_by_hand(results, update=0.2, c=c)


@cells
def test_zero_parameters_halve_the_memory(pair, kind):
    x_t, a_prev, c_prev, params = draw_cell(kind, **SIZES)
    zero = kind(*map(np.zeros_like, params))
    a, c, _ = pair[0](x_t, a_prev, c_prev, zero)
    np.testing.assert_array_equal(c, c_prev / 2)
    np.testing.assert_array_equal(a, np.tanh(c_prev / 2) / 2)


# One kind beside another


def test_without_peepholes_the_peephole_lstm_is_the_lstm():
    x_t, a_prev, c_prev, params = draw_cell(LSTMParams, **SIZES)
    da, dc = upstream(*c_prev.shape)
    shut = PeepholeLSTMParams(*params, *np.zeros((3, SIZES["n_a"])))
    *results, grads = run(PLAIN, x_t, a_prev, c_prev, params, da, dc)
    *peephole_results, peephole_grads = run(PEEPHOLE, x_t, a_prev, c_prev, shut, da, dc)
    assert_same(peephole_results, results)
    assert_same(peephole_grads[: len(grads)], grads)


def test_an_update_gate_opposed_to_the_forget_gate_makes_the_coupled_lstm():
    x_t, a_prev, c_prev, params = draw_cell(CoupledLSTMParams, **SIZES)
    da, dc = upstream(*c_prev.shape)
    opposed = LSTMParams(**params._asdict(), Wu=-params.Wf, bu=-params.bf)
    *results, grads = run(PLAIN, x_t, a_prev, c_prev, opposed, da, dc)
    *coupled_results, coupled_grads = run(COUPLED, x_t, a_prev, c_prev, params, da, dc)
    assert_same(coupled_results, results)
    one_gate_for_two = grads._replace(Wf=grads.Wf - grads.Wu, bf=grads.bf - grads.bu)._asdict()
    del one_gate_for_two["Wu"], one_gate_for_two["bu"]
    assert_same(coupled_grads, CoupledLSTMParams(**one_gate_for_two))


# PyTorch


@both_sizes
def test_pytorch_computes_the_same(sizes):
    """The loss sees every a, and of the memories the last, as a translator's encoder's does."""
    torch = pytest.importorskip(
        "torch", reason="PyTorch is not installed: this comparison is skipped"
    )
    x, a0, c0, params = draw_sequence(**sizes)
    da, dc = upstream(len(x), *c0.shape)
    dc[:-1] = 0
    theirs = torch.nn.LSTM(sizes["n_x"], sizes["n_a"], dtype=torch.float64)
    state = {name: torch.tensor(w) for name, w in lstm.to_pytorch_lstm(params).items()}
    theirs.load_state_dict(state)
    tx, ta0, tc0 = (torch.tensor(w, requires_grad=True) for w in (x, a0[None], c0[None]))
    out, (_, last_c) = theirs(tx, (ta0, tc0))
    ((out * torch.tensor(da)).sum() + (last_c * torch.tensor(dc[-1:])).sum()).backward()

    a, c, dx, da0, dc0, grads = run(SEQUENCE, x, a0, c0, params, da, dc)
    close(a, out.detach())
    close(c[-1], last_c.detach()[0])
    close(dx, tx.grad)
    close(da0, ta0.grad[0])
    close(dc0, tc0.grad[0])
    ours = lstm.to_pytorch_lstm(grads)
    for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0"):
        close(ours[name], getattr(theirs, name).grad)


def test_to_pytorch_by_hand():
    params = LSTMParams(
        Wf=np.array([[1.0, 2.0, 3.0]]),
        bf=np.array([4.0]),
        Wu=np.array([[5.0, 6.0, 7.0]]),
        bu=np.array([8.0]),
        Wc=np.array([[9.0, 10.0, 11.0]]),
        bc=np.array([12.0]),
        Wo=np.array([[13.0, 14.0, 15.0]]),
        bo=np.array([16.0]),
    )
    expected = {
        "weight_ih_l0": [[6, 7], [2, 3], [10, 11], [14, 15]],
        "weight_hh_l0": [[5], [1], [9], [13]],
        "bias_ih_l0": [8, 4, 12, 16],
        "bias_hh_l0": [0, 0, 0, 0],
    }
    for kind in (np.float32, np.float64):
        state = lstm.to_pytorch_lstm(LSTMParams(*(w.astype(kind) for w in params)))
        assert state.keys() == expected.keys()
        for name, array in state.items():
            np.testing.assert_array_equal(array, np.array(expected[name], kind), strict=True)


# What holds for any LSTM


@few
@given(seed=seeds, sizes=some_sizes)
def test_order_of_examples_does_not_matter(seed, sizes):
    x, a0, c0, params = draw_sequence(seed, **sizes)
    da, dc = upstream(len(x), *c0.shape)
    order = np.random.default_rng(seed).permutation(len(c0))
    a, c, dx, da0, dc0, grads = run(SEQUENCE, x, a0, c0, params, da, dc)
    moved_in = (array[..., order, :] for array in (x, a0, c0))
    *moved, moved_grads = run(SEQUENCE, *moved_in, params, da[:, order], dc[:, order])
    assert_same(moved, [array[..., order, :] for array in (a, c, dx, da0, dc0)], ROUNDING)
    assert_same(moved_grads, grads, ROUNDING)


@few
@given(seed=seeds, sizes=some_sizes, data=st.data())
def test_two_runs_make_a_long_one(seed, sizes, data):
    x, a0, c0, params = draw_sequence(seed, **(sizes | {"T_x": sizes["T_x"] + 1}))
    da, dc = upstream(len(x), *c0.shape)
    cut = data.draw(st.integers(1, len(x) - 1))
    *whole, grads = run(SEQUENCE, x, a0, c0, params, da, dc)
    a, c, dx, da0, dc0 = whole
    *late, late_grads = run(SEQUENCE, x[cut:], a[cut - 1], c[cut - 1], params, da[cut:], dc[cut:])
    da, dc = da[:cut].copy(), dc[:cut].copy()
    da[-1] += late[3]
    dc[-1] += late[4]
    *early, early_grads = run(SEQUENCE, x[:cut], a0, c0, params, da, dc)
    over_time = map(np.concatenate, zip(early[:3], late[:3], strict=True))
    assert_same([*over_time, *early[3:]], [a, c, dx, da0, dc0])
    both = [one + other for one, other in zip(early_grads, late_grads, strict=True)]
    assert_same(both, grads, ROUNDING)


@few
@given(seed=seeds, sizes=some_sizes)
def test_steps_without_a_gradient_change_nothing_before_them(seed, sizes):
    """What stands behind the last step that the loss sees, padding say, gets no gradient."""
    x, a0, c0, params = draw_sequence(seed, **sizes)
    da, dc = upstream(len(x), *c0.shape)
    none = np.zeros((2, *c0.shape))
    padded = np.concatenate([x, np.full((2, *x.shape[1:]), 100.0)])
    longer = (np.concatenate([gradient, none]) for gradient in (da, dc))
    *short, grads = run(SEQUENCE, x, a0, c0, params, da, dc)
    *long, long_grads = run(SEQUENCE, padded, a0, c0, params, *longer)
    assert_same([array[: len(x)] for array in long[:3]], short[:3])
    assert not long[2][len(x) :].any()
    assert_same(long[3:], short[3:])
    assert_same(long_grads, grads)


@few
@given(seed=seeds, sizes=some_sizes)
def test_one_step_is_the_cell(seed, sizes):
    x_t, a_prev, c_prev, params = draw_cell(LSTMParams, seed, **sizes)
    da, dc = upstream(*c_prev.shape)
    *one_step, grads = run(SEQUENCE, x_t[None], a_prev, c_prev, params, da[None], dc[None])
    *cell, cell_grads = run(PLAIN, x_t, a_prev, c_prev, params, da, dc)
    assert_same([array[0] for array in one_step[:3]], cell[:3])
    assert_same([*one_step[3:], *grads], [*cell[3:], *cell_grads])
    caches = lstm.lstm_forward(x_t[None], a_prev, c_prev, params)[-1]
    assert len(caches) == 1
    assert_same(caches[0], lstm.lstm_cell_forward(x_t, a_prev, c_prev, params)[-1])


@few
@given(seed=seeds, sizes=some_sizes)
def test_a_step_adds_at_most_one_to_the_memory_and_the_state_stays_below_it(seed, sizes):
    x, a0, c0, params = draw_sequence(seed, **sizes)
    a, c, _ = lstm.lstm_forward(x * 10, a0, c0, params)
    growth = np.diff(np.abs(c), axis=0, prepend=np.abs(c0)[None])
    assert growth.max() <= 1 + 1e-12
    assert (np.abs(a) <= np.tanh(np.abs(c))).all()


def test_an_open_forget_gate_carries_memory_and_gradient_unchanged():
    x, a0, c0, params = draw_sequence(**SIZES)
    params = saturated(params, bf=1000, bu=-1000)
    da, dc = np.zeros((2, len(x), *c0.shape))
    dc[-1] = normal(9, *c0.shape)
    _, c, dx, _, dc0, _ = run(SEQUENCE, x, a0, c0, params, da, dc)
    for c_t in c:
        np.testing.assert_array_equal(c_t, c0)
    np.testing.assert_array_equal(dc0, dc[-1])
    assert not dx.any()


def test_a_shut_output_gate_hides_the_memory():
    x, a0, c0, params = draw_sequence(**SIZES)
    a, c, _ = lstm.lstm_forward(x, a0, c0, saturated(params, bo=-1000))
    assert not a.any()
    assert c.all()


@cells
@pytest.mark.parametrize("kind_of_number", [np.float32, np.float64])
def test_large_inputs_stay_finite_in_a_cell(pair, kind, kind_of_number):
    *arrays, params = draw_cell(kind, **SIZES)
    arrays = [(array * 1e4).astype(kind_of_number) for array in arrays]
    params = kind(*(w.astype(kind_of_number) for w in params))
    *results, grads = run(pair, *arrays, params, *np.ones((2, *arrays[2].shape), kind_of_number))
    assert all(np.isfinite(array).all() for array in (*results, *grads))


@pytest.mark.parametrize("kind_of_number", [np.float32, np.float64])
def test_large_inputs_stay_finite_over_time(kind_of_number):
    *arrays, params = draw_sequence(**SIZES)
    arrays = [(array * 1e4).astype(kind_of_number) for array in arrays]
    params = LSTMParams(*(w.astype(kind_of_number) for w in params))
    ones = np.ones((2, SIZES["T_x"], *arrays[2].shape), kind_of_number)
    *results, grads = run(SEQUENCE, *arrays, params, *ones)
    assert all(np.isfinite(array).all() for array in (*results, *grads))


def assert_float32(pair, x, a0, c0, params):
    da, dc = upstream(*pair[0](x, a0, c0, params)[0].shape)
    *results, grads = run(pair, x, a0, c0, params, da, dc)
    x, a0, c0, da, dc = (array.astype(np.float32) for array in (x, a0, c0, da, dc))
    params = type(params)(*(w.astype(np.float32) for w in params))
    *narrow_results, narrow_grads = run(pair, x, a0, c0, params, da, dc)
    caches = pair[0](x, a0, c0, params)[-1]
    cached = [array for cache in ([caches] if hasattr(caches, "z") else caches) for array in cache]
    for array in (*narrow_results, *narrow_grads, *cached):
        assert array.dtype == np.float32
    # a float32 holds 7 digits; sums over 6 steps of 3 examples lose one or two of them
    assert_same((*narrow_results, *narrow_grads), (*results, *grads), rtol=1e-5)


@cells
def test_float32_stays_float32_in_a_cell(pair, kind):
    assert_float32(pair, *draw_cell(kind, **SIZES))


def test_float32_stays_float32_over_time():
    assert_float32(SEQUENCE, *draw_sequence(**SIZES))
