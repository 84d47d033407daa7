"""Proofs of unit 02: small numbers by hand, PyTorch, and what holds for any network."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.given import OutputParams, RNNModelParams, RNNParams
from solutions import rnn
from solutions.tests.proofs import close, normal, parameters

SIZES = {"T_x": 6, "m": 3, "n_x": 4, "n_a": 5, "n_y": 2}
some_sizes = st.fixed_dictionaries({letter: st.integers(1, 5) for letter in SIZES})
seeds = st.integers(0, 2**32 - 4)  # the three seeds that follow are used, too
few = settings(deadline=None, max_examples=25)


def draw(seed=0, *, T_x, m, n_x, n_a, n_y):
    params = parameters(RNNModelParams, seed, n_x=n_x, n_a=n_a, n_y=n_y)
    return normal(seed + 1, T_x, m, n_x), normal(seed + 2, m, n_a), params


# softmax


def test_softmax_by_hand():
    z = np.log([[1.0, 1.0, 2.0], [3.0, 1.0, 4.0]])
    close(rnn.softmax(z), [[0.25, 0.25, 0.5], [0.375, 0.125, 0.5]])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_softmax_of_large_scores(kind):
    z = np.array([[1000, 999], [-1000, -3000], [0, 0]], kind)
    y_hat = rnn.softmax(z)
    near = 1 / (1 + np.exp(-1))
    close(y_hat, [[near, 1 - near], [1, 0], [0.5, 0.5]], 1e-6 if kind is np.float32 else 1e-12)
    assert y_hat.dtype == kind
    np.testing.assert_array_equal(z[1], [-1000, -3000])


@few
@given(
    seed=seeds,
    shift=st.floats(-500, 500),
    shape=st.lists(st.integers(1, 4), min_size=1, max_size=3),
)
def test_softmax_sees_differences_only_and_sums_to_one(seed, shift, shape):
    z = normal(seed, *shape)
    close(rnn.softmax(z + shift), rnn.softmax(z), 1e-9)  # z + shift is rounded
    close(rnn.softmax(z).sum(axis=-1), np.ones(shape[:-1]))


# the cell and its output layer


def test_a_step_by_hand():
    params = RNNParams(Wax=np.array([[1.0, 2.0]]), Waa=np.array([[3.0]]), ba=np.array([4.0]))
    x_t, a_prev = np.array([[5.0, -6.0]]), np.array([[0.5]])
    a, cache = rnn.rnn_cell_forward(x_t, a_prev, params)
    close(a, np.tanh([[5 - 12 + 1.5 + 4]]))
    assert cache.x_t is x_t and cache.a_prev is a_prev and cache.a is a


def test_an_output_by_hand():
    params = OutputParams(Wya=np.array([[1.0], [3.0]]), by=np.array([0.0, np.log(2)]))
    close(rnn.output_forward(np.array([[np.log(2)]]), params), [[2 / 18, 16 / 18]])


def test_one_step_and_whole_sequences_have_the_same_output_layer():
    x, a0, params = draw(**SIZES)
    a, _ = rnn.rnn_forward(x, a0, params)
    y_hat = rnn.output_forward(a, params)
    for a_t, y_hat_t in zip(a, y_hat, strict=True):
        close(rnn.output_forward(a_t, params), y_hat_t)


# whole sequences


@pytest.mark.parametrize("sizes", [SIZES, dict.fromkeys(SIZES, 1)], ids=["all differ", "all 1"])
def test_pytorch_computes_the_same(sizes):
    torch = pytest.importorskip(
        "torch", reason="PyTorch is not installed: this comparison is skipped"
    )
    x, a0, params = draw(**sizes)
    theirs = torch.nn.RNN(sizes["n_x"], sizes["n_a"], dtype=torch.float64)
    head = torch.nn.Linear(sizes["n_a"], sizes["n_y"], dtype=torch.float64)
    zero = np.zeros_like(params.ba)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    weights = (params.Wax, params.Waa, params.ba, zero)
    theirs.load_state_dict(dict(zip(names, map(torch.tensor, weights), strict=True)))
    head.load_state_dict({"weight": torch.tensor(params.Wya), "bias": torch.tensor(params.by)})
    out, _ = theirs(torch.tensor(x), torch.tensor(a0[None]))
    a, _ = rnn.rnn_forward(x, a0, params)
    close(a, out.detach())
    close(rnn.output_forward(a, params), torch.softmax(head(out), dim=-1).detach())


@few
@given(seed=seeds, sizes=some_sizes)
def test_each_step_continues_the_one_before(seed, sizes):
    x, a0, params = draw(seed, **sizes)
    a, caches = rnn.rnn_forward(x, a0, params)
    assert len(caches) == len(x)
    a_prev = a0
    for x_t, a_t, cache in zip(x, a, caches, strict=True):
        close(cache.a_prev, a_prev)
        close(cache.a, a_t)
        np.testing.assert_array_equal(cache.x_t, x_t)
        close(rnn.rnn_cell_forward(x_t, a_prev, params)[0], a_t)
        a_prev = a_t


@few
@given(seed=seeds, sizes=some_sizes)
def test_order_of_examples_does_not_matter(seed, sizes):
    x, a0, params = draw(seed, **sizes)
    order = np.random.default_rng(seed).permutation(len(a0))
    a, _ = rnn.rnn_forward(x, a0, params)
    moved, _ = rnn.rnn_forward(x[:, order], a0[order], params)
    close(moved, a[:, order])


def test_zero_weights_leave_the_bias():
    x, a0, params = draw(**SIZES)
    nothing = RNNParams(params.Wax * 0, params.Waa * 0, params.ba)
    a, _ = rnn.rnn_forward(x, a0, nothing)
    close(a, np.broadcast_to(np.tanh(params.ba), a.shape))


# reading out


def test_last_states_by_hand():
    a = np.arange(12.0).reshape(3, 2, 2)
    mask = np.array([[True, True], [True, False], [True, False]])
    np.testing.assert_array_equal(rnn.last_states(a, mask), [[8, 9], [2, 3]])


@few
@given(seed=seeds, sizes=some_sizes)
def test_last_states_are_those_of_each_example_alone(seed, sizes):
    x, a0, params = draw(seed, **sizes)
    lengths = np.random.default_rng(seed).integers(1, len(x) + 1, len(a0))
    a, _ = rnn.rnn_forward(x, a0, params)
    last = rnn.last_states(a, np.arange(len(x))[:, None] < lengths)
    for i, length in enumerate(lengths):
        alone, _ = rnn.rnn_forward(x[:length, i : i + 1], a0[i : i + 1], params)
        close(last[i], alone[-1, 0])


@few
@given(seed=seeds, sizes=some_sizes, T_y=st.integers(1, 5))
def test_what_is_generated_is_what_reading_it_predicts(seed, sizes, T_y):
    _, a0, params = draw(seed, **sizes | {"n_x": sizes["n_y"]})
    x_1 = normal(seed + 3, sizes["m"], sizes["n_y"])
    y_hat = rnn.rnn_generate(x_1, a0, params, T_y)
    read = np.concatenate([x_1[None], y_hat[:-1]])
    a, _ = rnn.rnn_forward(read, a0, params)
    close(rnn.output_forward(a, params), y_hat)


# types, and arguments left as they are


def test_float32_stays_float32_and_nothing_is_written_to():
    x, a0, params = draw(**SIZES | {"n_x": SIZES["n_y"]})
    narrow = RNNModelParams(*(w.astype(np.float32) for w in params))
    x32, a32 = x.astype(np.float32), a0.astype(np.float32)
    for array in (x32, a32, *narrow):
        array.flags.writeable = False
    a, caches = rnn.rnn_forward(x32, a32, narrow)
    y_hat = rnn.rnn_generate(x32[0], a32, narrow, 3)
    assert {array.dtype for array in (a, y_hat, *caches[0])} == {np.dtype(np.float32)}
    close(a, rnn.rnn_forward(x, a0, params)[0], 1e-5)  # a float32 holds 7 digits
