"""Proofs of unit 08: derivatives to rounding, PyTorch, the course's own layers, counted chances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.given import (
    GRU,
    LSTM,
    RNN,
    DeepOutputCache,
    DeepOutputParams,
    Dropout,
    GRUParams,
    LSTMParams,
    ResetAfterGRU,
    ResetAfterGRUParams,
    RNNParams,
    Stacked,
    Unrolled,
)
from solutions import deep_rnn, gru, lstm
from solutions.bptt import rnn_cell_backward
from solutions.rnn import rnn_cell_forward
from solutions.tests.proofs import close, complex_step, normal, parameters

SIZES = {"T_x": 5, "m": 3, "n_x": 2}
UNITS = (4, 6, 3)  # of each layer, from the bottom up
seeds = st.integers(0, 2**32 - 100)  # seeds that follow are used, too
few = settings(deadline=None, max_examples=25)
ROUNDING = 1e-9  # of sums in another order, in arrays drawn so often that some sums nearly cancel

FAST = {RNNParams: RNN, GRUParams: GRU, ResetAfterGRUParams: ResetAfterGRU, LSTMParams: LSTM}
CELLS = {
    RNNParams: (rnn_cell_forward, rnn_cell_backward),
    GRUParams: (gru.gru_cell_forward, gru.gru_cell_backward),
    ResetAfterGRUParams: (gru.reset_after_gru_cell_forward, gru.reset_after_gru_cell_backward),
    LSTMParams: (lstm.lstm_cell_forward, lstm.lstm_cell_backward),
}
KINDS = pytest.mark.parametrize("kind", FAST, ids=lambda kind: kind.__name__)
MIXED = (LSTMParams, RNNParams, GRUParams)
stacks = st.lists(st.tuples(st.sampled_from(list(FAST)), st.integers(1, 4)), min_size=1, max_size=3)
some_sizes = st.fixed_dictionaries({letter: st.integers(1, 4) for letter in SIZES})


def n_states(kind):
    return 2 if kind is LSTMParams else 1


def layer(params):
    """A layer of the reference's own cells."""
    kind = type(params)
    return Unrolled(*CELLS[kind], params, n_states=n_states(kind))


def fast_layer(params):
    return FAST[type(params)](params)


def draw(kinds, units, seed=0, *, T_x, m, n_x):
    """x, start states, each layer's parameters, and a gradient of every layer's output."""
    x, a0s, params, das = normal(seed, T_x, m, n_x), [], [], []
    for i, (kind, n_a) in enumerate(zip(kinds, units, strict=True)):
        own = seed + 10 * (i + 1)
        params.append(parameters(kind, own, n_x=n_x, n_a=n_a))
        a0s.append(tuple(normal(own + 1 + j, m, n_a) for j in range(n_states(kind))))
        das.append(normal(own + 5, T_x, m, n_a))
        n_x = n_a
    return x, a0s, params, das


def run(x, a0s, params, das, make=layer):
    """outputs, dx, da0s and grads; nothing handed in may be written to."""
    for array in (x, *das, *(w for tree in (a0s, params) for layers in tree for w in layers)):
        array.flags.writeable = False
    layers = [make(own) for own in params]
    outputs = deep_rnn.deep_rnn_forward(x, a0s, layers)
    return outputs, *deep_rnn.deep_rnn_backward(das, layers)


def assert_same(actual, expected, rtol=1e-12):
    for one, other in zip(actual, expected, strict=True):
        close(one, other, rtol)


def assert_runs_same(actual, expected, rtol=1e-12):
    assert_same(actual[0], expected[0], rtol)
    close(actual[1], expected[1], rtol)
    for one, other in zip((*actual[2], *actual[3]), (*expected[2], *expected[3]), strict=True):
        assert_same(one, other, rtol)


# By hand: a cell that adds up what it reads


def sum_layer(weight):
    zero = np.zeros_like
    return Unrolled(
        lambda x_t, a_prev, p: (a_prev + x_t @ p.Wax.T, x_t),
        lambda da, x_t, p: (da @ p.Wax, da, RNNParams(da.T @ x_t, zero(p.Waa), zero(p.ba))),
        RNNParams(np.full((1, 1), weight), np.zeros((1, 1)), np.zeros(1)),
    )


def column(*values):
    return np.array(values, float).reshape(-1, 1, 1)


def test_deep_rnn_by_hand():
    """Sums, and three times the sums of sums; the loss sees the top once and the bottom twice."""
    layers = [sum_layer(1.0), sum_layer(3.0)]
    outputs = deep_rnn.deep_rnn_forward(
        column(1, 2, 4), [(column(10)[0],), (column(100)[0],)], layers
    )
    assert type(outputs) is list
    np.testing.assert_array_equal(outputs[0], column(11, 13, 17))
    np.testing.assert_array_equal(outputs[1], column(133, 172, 223))

    das = [column(0, 50, 7), column(0, 0, 1)]
    dx, da0s, grads = deep_rnn.deep_rnn_backward(das, layers)
    np.testing.assert_array_equal(dx, column(9 + 57, 6 + 57, 3 + 7))
    assert [type(da0) for da0 in da0s] == [tuple, tuple]
    assert da0s == [(9 + 57,), (1,)]
    assert grads[0].Wax == 1 * 66 + 2 * 63 + 4 * 10
    assert grads[1].Wax == 11 + 13 + 17


# Gradients


@pytest.mark.parametrize(
    ("kinds", "units", "sizes"),
    [
        *(((kind,) * 2, UNITS[:2], SIZES) for kind in FAST),
        (MIXED, UNITS, SIZES),
        (MIXED[::-1], UNITS, {**SIZES, "T_x": 1}),
        (MIXED, UNITS, {**SIZES, "m": 1}),
        (MIXED, (1, 1, 1), dict.fromkeys(SIZES, 1)),
        (MIXED[:1], UNITS[:1], SIZES),
    ],
    ids=[*(kind.__name__ for kind in FAST), "mixed", "one step", "one example", "all 1", "one"],
)
def test_gradients_with_a_loss_that_sees_every_layer(kinds, units, sizes):
    x, a0s, params, das = draw(kinds, units, **sizes)
    _, dx, da0s, grads = run(x, a0s, params, das)
    assert [type(own) for own in grads] == list(kinds)
    assert [len(da0) for da0 in da0s] == list(map(n_states, kinds))

    def loss(x=x, a0s=a0s, params=params):
        outputs = deep_rnn.deep_rnn_forward(x, a0s, [layer(own) for own in params])
        return sum((a * da).sum() for a, da in zip(outputs, das, strict=True))

    close(dx, complex_step(lambda w: loss(x=w), x))
    for i, (da0, own) in enumerate(zip(da0s, grads, strict=True)):
        for j, gradient in enumerate(da0):
            derivative = complex_step(lambda w: loss(a0s=replaced(a0s, i, j, w)), a0s[i][j])
            close(gradient, derivative)
        for j, gradient in enumerate(own):
            derivative = complex_step(
                lambda w: loss(params=replaced(params, i, j, w)), params[i][j]
            )
            close(gradient, derivative)


def replaced(trees, i, j, array):
    """A list of tuples, with another array in place j of tuple i."""
    make = getattr(trees[i], "_make", tuple)
    changed = make([*trees[i][:j], array, *trees[i][j + 1 :]])
    return [*trees[:i], changed, *trees[i + 1 :]]


# PyTorch


def to_pytorch_rnn(params):
    return {
        "weight_ih_l0": params.Wax,
        "weight_hh_l0": params.Waa,
        "bias_ih_l0": params.ba,
        "bias_hh_l0": np.zeros_like(params.ba),
    }


PYTORCH = [
    (RNNParams, "RNN", to_pytorch_rnn),
    (ResetAfterGRUParams, "GRU", gru.to_pytorch_gru),
    (LSTMParams, "LSTM", lstm.to_pytorch_lstm),
]


def pytorch():
    return pytest.importorskip(
        "torch", reason="PyTorch is not installed: this comparison is skipped"
    )


def named(trees, translate):
    """PyTorch's names of all layers' parameters: l0, l1 and so on."""
    return {
        name.replace("l0", f"l{i}"): w
        for i, own in enumerate(trees)
        for name, w in translate(own).items()
    }


@pytest.mark.parametrize(("kind", "name", "translate"), PYTORCH, ids=["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("n_layers", [2, 3])
@pytest.mark.parametrize(
    ("sizes", "n_a"),
    [(SIZES, 4), (dict.fromkeys(SIZES, 1), 1)],
    ids=["all sizes differ", "all 1"],
)
def test_pytorch_computes_the_same(kind, name, translate, n_layers, sizes, n_a):
    """The loss sees every output of the top layer, and of the others the last, PyTorch's h_n."""
    torch = pytorch()
    x, a0s, params, das = draw((kind,) * n_layers, (n_a,) * n_layers, **sizes)
    for da in das[:-1]:
        da[:-1] = 0
    theirs = getattr(torch.nn, name)(sizes["n_x"], n_a, num_layers=n_layers, dtype=torch.float64)
    state = {key: torch.tensor(w) for key, w in named(params, translate).items()}
    theirs.load_state_dict(state)
    tx = torch.tensor(x, requires_grad=True)
    starts = [torch.tensor(np.stack(s), requires_grad=True) for s in zip(*a0s, strict=True)]
    out, ends = theirs(tx, tuple(starts) if kind is LSTMParams else starts[0])
    h_n = ends[0] if kind is LSTMParams else ends
    below = sum((h * torch.tensor(da[-1])).sum() for h, da in zip(h_n, das[:-1], strict=False))
    ((out * torch.tensor(das[-1])).sum() + below).backward()

    outputs, dx, da0s, grads = run(x, a0s, params, das)
    close(outputs[-1], out.detach())
    close(np.stack([a[-1] for a in outputs]), h_n.detach())
    close(dx, tx.grad)
    for ours, start in zip(zip(*da0s, strict=True), starts, strict=True):
        close(np.stack(ours), start.grad)
    for key, ours in named(grads, translate).items():
        gradient = getattr(theirs, key).grad
        if not key.startswith("bias_hh"):
            close(ours, gradient)
        elif kind is ResetAfterGRUParams:  # elsewhere the second bias is PyTorch's alone
            close(ours[2 * n_a :], gradient[2 * n_a :])


# What holds for any stack


@few
@given(seed=seeds, stack=stacks, sizes=some_sizes)
def test_the_course_s_own_stack_computes_the_same(seed, stack, sizes):
    """Its states are listed from the top down, and of a layer's the output is the first."""
    x, a0s, params, das = draw(*zip(*stack, strict=True), seed, **sizes)
    theirs = Stacked(*map(fast_layer, params))
    theirs.forward(x, *(state for start in reversed(a0s) for state in start))
    outputs, dstates = [], []
    for a0, da in zip(reversed(a0s), reversed(das), strict=True):
        outputs.insert(0, theirs.states[len(dstates)])
        dstates += [da, *(np.zeros_like(da) for _ in a0[1:])]
    dx, *dstart, grads = theirs.backward(*dstates)
    ends = np.cumsum([len(start) for start in reversed(a0s)])
    da0s = [dstart[end - len(a0) : end] for end, a0 in zip(ends[::-1], a0s, strict=True)]
    assert_runs_same(run(x, a0s, params, das), (outputs, dx, da0s, grads), ROUNDING)


@few
@given(seed=seeds, stack=stacks, sizes=some_sizes)
def test_order_of_examples_does_not_matter(seed, stack, sizes):
    x, a0s, params, das = draw(*zip(*stack, strict=True), seed, **sizes)
    order = np.random.default_rng(seed).permutation(x.shape[1])
    outputs, dx, da0s, grads = run(x, a0s, params, das)
    moved = run(
        x[:, order],
        [tuple(state[order] for state in start) for start in a0s],
        params,
        [da[:, order] for da in das],
    )
    expected = (
        [a[:, order] for a in outputs],
        dx[:, order],
        [[gradient[order] for gradient in da0] for da0 in da0s],
        grads,
    )
    assert_runs_same(moved, expected, ROUNDING)


@KINDS
def test_empty_start_states_are_zeros(kind):
    x, a0s, params, das = draw((kind,) * 2, UNITS[:2], **SIZES)
    zeros = [tuple(map(np.zeros_like, start)) for start in a0s]
    assert_runs_same(run(x, [(), ()], params, das), run(x, zeros, params, das))


def test_dropout_may_stand_between_layers():
    x, (start, top_start), params, (_, top_da) = draw((LSTMParams, GRUParams), UNITS[:2], **SIZES)
    da, dropped_da = normal(7, 2, *x.shape[:2], UNITS[0])
    between = Dropout(0.4, np.random.default_rng(1))
    layers = [layer(params[0]), between, layer(params[1])]
    outputs = deep_rnn.deep_rnn_forward(x, [start, (), top_start], layers)
    dx, da0s, grads = deep_rnn.deep_rnn_backward([da, dropped_da, top_da], layers)

    below, above = layer(params[0]), layer(params[1])
    a = below.forward(x, *start)
    a_dropped, kept = deep_rnn.dropout_forward(a, 0.4, np.random.default_rng(1))
    top = above.forward(a_dropped, *top_start)
    into_top, *top_da0, top_grads = above.backward(top_da)
    into_below = da + deep_rnn.dropout_backward(dropped_da + into_top, kept)
    dx_by_hand, *da0, own_grads = below.backward(into_below)
    assert_runs_same(
        (outputs, dx, da0s, grads),
        ((a, a_dropped, top), dx_by_hand, (da0, (), top_da0), (own_grads, (), top_grads)),
    )


@KINDS
def test_float32_stays_float32(kind):
    wide = draw((kind,) * 2, UNITS[:2], **SIZES)
    exact = run(*wide)
    x, a0s, params, das = wide

    def narrow(arrays):
        return [array.astype(np.float32) for array in arrays]

    outputs, dx, da0s, grads = result = run(
        *narrow([x]),
        [tuple(narrow(start)) for start in a0s],
        [kind(*narrow(own)) for own in params],
        narrow(das),
    )
    found = (*outputs, dx, *(w for tree in (da0s, grads) for own in tree for w in own))
    assert {array.dtype for array in found} == {np.dtype(np.float32)}
    # a float32 holds 7 digits; sums over 5 steps of 3 examples, twice, lose two of them
    assert_runs_same(result, exact, rtol=2e-5)


# Dropout


class Numbers:
    """In place of a generator: numbers known beforehand."""

    def __init__(self, numbers):
        self.numbers = np.array(numbers)

    def random(self, shape):
        return self.numbers.reshape(shape)


def test_dropout_by_hand():
    a = np.array([[1.0, -2.0, 3.0], [-4.0, 5.0, 6.0]])
    rng = Numbers([[0.0, 0.2, 0.19], [0.9, 0.1, 0.21]])
    a_dropped, kept = deep_rnn.dropout_forward(a, 0.2, rng)
    np.testing.assert_array_equal(kept, [[0, 1.25, 0], [1.25, 0, 1.25]])
    np.testing.assert_array_equal(a_dropped, [[0, -2.5, 0], [-5, 0, 7.5]])
    da = deep_rnn.dropout_backward(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]), kept)
    np.testing.assert_array_equal(da, [[0, 2.5, 0], [5, 0, 7.5]])


rates = pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9, 1 - 2**-20])
shapes = st.lists(st.integers(1, 5), min_size=1, max_size=3)


@few
@given(seed=seeds, shape=shapes, rate=st.floats(0, 0.99))
def test_dropout_drops_or_raises_and_changes_nothing_handed_in(seed, shape, rate):
    a, da = normal(seed, *shape), normal(seed + 1, *shape)
    a.flags.writeable = da.flags.writeable = False
    a_dropped, kept = deep_rnn.dropout_forward(a, rate, np.random.default_rng(seed))
    numbers = np.random.default_rng(seed).random(shape)
    np.testing.assert_array_equal(kept == 0, numbers < rate)
    np.testing.assert_array_equal(kept[kept != 0], 1 / (1 - rate))
    np.testing.assert_array_equal(a_dropped, a * kept)
    kept.flags.writeable = False
    np.testing.assert_array_equal(deep_rnn.dropout_backward(da, kept), da * kept)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_dropout_at_rate_zero_is_the_identity(kind):
    a = normal(0, 5, 3, 4).astype(kind)
    a_dropped, kept = deep_rnn.dropout_forward(a, 0.0, np.random.default_rng(0))
    np.testing.assert_array_equal(a_dropped, a, strict=True)
    np.testing.assert_array_equal(kept, np.ones_like(a), strict=True)
    np.testing.assert_array_equal(deep_rnn.dropout_backward(a, kept), a, strict=True)


@rates
def test_dropout_gradient(rate):
    """The generator begins anew at each call, so the same entries are kept."""
    a, da = normal(0, 3, 2, 4), normal(1, 3, 2, 4)

    def loss(w):
        return (deep_rnn.dropout_forward(w, rate, np.random.default_rng(2))[0] * da).sum()

    _, kept = deep_rnn.dropout_forward(a, rate, np.random.default_rng(2))
    close(deep_rnn.dropout_backward(da, kept), complex_step(loss, a))


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_each_entry_is_dropped_as_often_as_the_rate_says_and_keeps_its_expectation(rate):
    """By Hoeffding's inequality, the part of N draws that drop an entry is off by more than
    sqrt(ln(2 / risk) / 2N) with a probability of at most `risk`. There are 24 entries, their
    24 pairs with a neighbour, and 3 rates: a false alarm's probability is below 1e-6.
    """
    draws, risk = 4000, 1e-6 / (3 * 48)
    bound = np.sqrt(np.log(2 / risk) / (2 * draws))
    rng = np.random.default_rng(0)
    a = normal(1, 2, 3, 4)
    kept = np.stack([deep_rnn.dropout_forward(a, rate, rng)[1] for _ in range(draws)])
    dropped = kept.reshape(draws, -1) == 0  # (draws, 24)
    assert np.abs(dropped.mean(axis=0) - rate).max() < bound
    both = dropped & np.roll(dropped, 1, axis=1)
    assert np.abs(both.mean(axis=0) - rate**2).max() < bound
    assert np.abs(kept.mean(axis=0) - 1).max() < bound / (1 - rate)


def test_dropout_in_float32_keeps_the_same():
    a = normal(0, 5, 3, 4)
    exact, kept = deep_rnn.dropout_forward(a, 0.3, np.random.default_rng(0))
    narrow, narrow_kept = deep_rnn.dropout_forward(
        a.astype(np.float32), 0.3, np.random.default_rng(0)
    )
    np.testing.assert_array_equal(narrow_kept, kept.astype(np.float32), strict=True)
    assert narrow.dtype == deep_rnn.dropout_backward(narrow, narrow_kept).dtype == np.float32
    close(narrow, exact, rtol=1e-6)  # a float32 holds 7 digits


@rates
def test_the_course_s_own_dropout_does_the_same(rate):
    a, da = normal(0, 5, 3, 4), normal(1, 5, 3, 4)
    theirs = Dropout(rate, np.random.default_rng(3))
    a_dropped, kept = deep_rnn.dropout_forward(a, rate, np.random.default_rng(3))
    np.testing.assert_array_equal(a_dropped, theirs.forward(a))
    np.testing.assert_array_equal(deep_rnn.dropout_backward(da, kept), theirs.backward(da)[0])


# A network on each output

HEAD = {"n_a": 5, "n_h": 6, "n_y": 2}
leading = pytest.mark.parametrize(
    "shape", [(), (1,), (3,), (4, 3), (1, 1), (2, 4, 3)], ids=lambda shape: str(len(shape))
)


def draw_head(seed, shape, sizes=HEAD):
    """a, the network's parameters, and an upstream gradient dy_hat."""
    params = parameters(DeepOutputParams, seed, **sizes)
    return normal(seed + 1, *shape, sizes["n_a"]), params, normal(seed + 2, *shape, sizes["n_y"])


def run_head(a, params, dy_hat):
    """y_hat, da and grads; nothing handed in may be written to."""
    for array in (a, dy_hat, *params):
        array.flags.writeable = False
    y_hat, cache = deep_rnn.deep_output_forward(a, params)
    assert isinstance(cache, DeepOutputCache)
    for array in cache:
        array.flags.writeable = False
    return y_hat, *deep_rnn.deep_output_backward(dy_hat, cache, params)


def test_deep_output_by_hand():
    """Two hidden units, tanh of which is 0.6 and -0.6."""
    params = DeepOutputParams(
        Wha=np.array([[1.0, 0.0], [0.0, 1.0]]) * np.log(2),
        bh=np.array([np.log(2), 0.0]),
        Wyh=np.array([[10.0, 20.0]]),
        by=np.array([100.0]),
    )
    a = np.array([[0.0, -1.0]])
    y_hat, cache = deep_rnn.deep_output_forward(a, params)
    close(y_hat, [[100 + 6 - 12]])
    close(cache.a, a)
    close(cache.h, [[0.6, -0.6]])
    da, grads = deep_rnn.deep_output_backward(np.array([[0.5]]), cache, params)
    ds = np.array([0.5 * 10, 0.5 * 20]) * (1 - 0.36)
    close(da, [ds * np.log(2)])
    assert_same(grads, ([[0, -ds[0]], [0, -ds[1]]], ds, [[0.3, -0.3]], [0.5]))


@leading
@pytest.mark.parametrize("sizes", [HEAD, dict.fromkeys(HEAD, 1)], ids=["differ", "1"])
def test_deep_output_gradients(shape, sizes):
    a, params, dy_hat = draw_head(0, shape, sizes)
    y_hat, da, grads = run_head(a, params, dy_hat)
    assert y_hat.shape == dy_hat.shape
    assert type(grads) is DeepOutputParams
    given_ = [a, *params]
    for i, gradient in enumerate([da, *grads]):

        def loss(w, i=i):
            a, *weights = [*given_[:i], w, *given_[i + 1 :]]
            return (deep_rnn.deep_output_forward(a, DeepOutputParams(*weights))[0] * dy_hat).sum()

        close(gradient, complex_step(loss, given_[i]))


@leading
def test_pytorch_computes_the_same_network(shape):
    torch = pytorch()
    a, params, dy_hat = draw_head(0, shape)
    hidden, output = torch.nn.Linear(5, 6).double(), torch.nn.Linear(6, 2).double()
    for linear, W, b in ((hidden, params.Wha, params.bh), (output, params.Wyh, params.by)):
        linear.load_state_dict({"weight": torch.tensor(W), "bias": torch.tensor(b)})
    ta = torch.tensor(a, requires_grad=True)
    out = torch.nn.Sequential(hidden, torch.nn.Tanh(), output)(ta)
    out.backward(torch.tensor(dy_hat))

    y_hat, da, grads = run_head(a, params, dy_hat)
    close(y_hat, out.detach())
    close(da, ta.grad)
    assert_same(grads, [w.grad for w in (*hidden.parameters(), *output.parameters())])


@few
@given(seed=seeds, shape=st.tuples(st.integers(1, 5), st.integers(1, 5)))
def test_every_step_of_every_example_is_forecast_alone(seed, shape):
    a, params, dy_hat = draw_head(seed, shape)
    y_hat, da, grads = run_head(a, params, dy_hat)
    total = [np.zeros_like(w) for w in params]
    for at in np.ndindex(shape):
        y_hat_one, da_one, grads_one = run_head(a[at], params, dy_hat[at])
        close(y_hat_one, y_hat[at], ROUNDING)
        close(da_one, da[at], ROUNDING)
        for sum_, grad in zip(total, grads_one, strict=True):
            sum_ += grad
    assert_same(grads, total, ROUNDING)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_large_states_stay_finite(kind):
    a, params, dy_hat = draw_head(0, (4, 3))
    params = DeepOutputParams(*(w.astype(kind) for w in params))
    y_hat, da, grads = run_head((1e4 * a).astype(kind), params, dy_hat.astype(kind))
    assert all(np.isfinite(array).all() for array in (y_hat, da, *grads))
    assert np.abs(y_hat).max() <= (np.abs(params.Wyh).sum(axis=1) + np.abs(params.by)).max()


def test_deep_output_in_float32():
    a, params, dy_hat = draw_head(0, (4, 3))
    y_hat, da, grads = run_head(a, params, dy_hat)
    params = DeepOutputParams(*(w.astype(np.float32) for w in params))
    narrow, narrow_da, narrow_grads = run_head(
        a.astype(np.float32), params, dy_hat.astype(np.float32)
    )
    found = (narrow, narrow_da, *narrow_grads)
    assert {array.dtype for array in found} == {np.dtype(np.float32)}
    # a float32 holds 7 digits; sums over 4 steps of 3 examples lose one or two of them
    assert_same(found, (y_hat, da, *grads), rtol=1e-5)
