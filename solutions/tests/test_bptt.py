"""Proofs of unit 03: derivatives to rounding, PyTorch, and what time and truncation must leave."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.given import GRUParams, OutputParams, RNNCache, RNNModelParams, RNNParams
from solutions import bptt
from solutions.rnn import output_forward, rnn_cell_forward, rnn_forward
from solutions.tests.proofs import close, complex_step, normal, parameters

SIZES = {"T_x": 6, "m": 3, "n_x": 4, "n_a": 5, "n_y": 7}
ONES = dict.fromkeys(SIZES, 1)
both_sizes = pytest.mark.parametrize("sizes", [SIZES, ONES], ids=["all sizes differ", "all 1"])
some_sizes = st.fixed_dictionaries({letter: st.integers(1, 5) for letter in SIZES})
seeds = st.integers(0, 2**32 - 4)  # the three seeds that follow are used, too
few = settings(deadline=None, max_examples=25)
ROUNDING = 1e-9  # of sums in another order, in arrays drawn so often that some sums nearly cancel
TINY = np.finfo(float).tiny


class Batch(NamedTuple):
    """Everything that a loss is made of."""

    x: np.ndarray
    a0: np.ndarray
    params: RNNModelParams
    y: np.ndarray
    mask: np.ndarray


def draw(seed=0, *, T_x, m, n_x, n_a, n_y):
    """A batch of ragged sentences; some steps are padding as soon as T_x and m allow it."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, T_x + 1, m)
    lengths[0] = T_x
    lengths[1:2] = 1
    return Batch(
        x=normal(seed + 1, T_x, m, n_x),
        a0=normal(seed + 2, m, n_a),
        params=parameters(RNNModelParams, seed + 3, n_x=n_x, n_a=n_a, n_y=n_y),
        y=rng.integers(0, n_y, (T_x, m)),
        mask=np.arange(T_x)[:, None] < lengths,
    )


def freeze(*arrays):
    for array in arrays:
        array.flags.writeable = False


def predict(batch):
    """a, caches and y_hat, which nothing may write to."""
    freeze(batch.x, batch.a0, *batch.params, batch.y, batch.mask)
    a, caches = rnn_forward(batch.x, batch.a0, batch.params)
    y_hat = output_forward(a, batch.params)
    freeze(a, y_hat, *(array for cache in caches for array in cache))
    return a, caches, y_hat


def loss_of(batch):
    a, _ = rnn_forward(batch.x, batch.a0, batch.params)
    return bptt.cross_entropy(output_forward(a, batch.params), batch.y, batch.mask)


def gradient_of(batch, back=bptt.rnn_backward):
    """dx, da0 and the gradients of all parameters, of the whole loss."""
    a, caches, y_hat = predict(batch)
    da, output_grads = bptt.output_backward(y_hat, batch.y, batch.mask, a, batch.params)
    freeze(da)
    dx, da0, grads = back(da, caches, batch.params)
    assert (type(grads), type(output_grads)) == (RNNParams, OutputParams)
    return dx, da0, RNNModelParams(*grads, *output_grads)


def run(x, a0, params, da, back=bptt.rnn_backward):
    """a, dx, da0 and grads, for a gradient da on the states."""
    freeze(x, a0, *params, da)
    a, caches = rnn_forward(x, a0, params)
    freeze(a)
    return a, *back(da, caches, params)


def assert_same(actual, expected, rtol=1e-12):
    for one, other in zip(actual, expected, strict=True):
        close(one, other, rtol)


def assert_equal(actual, expected):
    """Equal to the last bit, and of the same kind."""
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_array_equal(one, other, strict=True)


def assert_derivatives(loss, arrays, gradients):
    """The gradients are those that a complex step finds for a loss of all these arrays."""
    everything = [array.astype(complex) for array in arrays]
    for i, (array, gradient) in enumerate(zip(arrays, gradients, strict=True)):
        before, after = everything[:i], everything[i + 1 :]
        close(gradient, complex_step(lambda w: loss(*before, w, *after), array))


def truncated(length):
    return lambda da, caches, params: bptt.truncated_bptt(da, caches, params, length)


def pytorch():
    return pytest.importorskip(
        "torch", reason="PyTorch is not installed: this comparison is skipped"
    )


# Gradients, against complex steps


@both_sizes
def test_gradient_of_the_whole_loss(sizes):
    batch = draw(**sizes)
    assert batch.mask.all() == (sizes is ONES)
    dx, da0, grads = gradient_of(batch)

    def loss(x, a0, *params):
        return loss_of(batch._replace(x=x, a0=a0, params=RNNModelParams(*params)))

    assert_derivatives(loss, [batch.x, batch.a0, *batch.params], [dx, da0, *grads])


@both_sizes
def test_output_gradients(sizes):
    batch = draw(**sizes)
    a = normal(8, sizes["T_x"], sizes["m"], sizes["n_a"])
    params = OutputParams(batch.params.Wya, batch.params.by)
    y_hat = output_forward(a, params)
    freeze(a, y_hat, batch.y, batch.mask)
    da, grads = bptt.output_backward(y_hat, batch.y, batch.mask, a, params)

    def loss(a, *params):
        y_hat = output_forward(a, OutputParams(*params))
        return bptt.cross_entropy(y_hat, batch.y, batch.mask)

    assert_derivatives(loss, [a, *params], [da, *grads])


@both_sizes
def test_cell_gradients(sizes):
    x_t, a_prev = normal(1, sizes["m"], sizes["n_x"]), normal(2, sizes["m"], sizes["n_a"])
    params = parameters(RNNParams, 3, **sizes)
    da = normal(4, *a_prev.shape)
    _, cache = rnn_cell_forward(x_t, a_prev, params)
    freeze(da, *cache, *params)
    dx_t, da_prev, grads = bptt.rnn_cell_backward(da, cache, params)
    assert type(grads) is RNNParams

    def loss(x_t, a_prev, *params):
        return (rnn_cell_forward(x_t, a_prev, RNNParams(*params))[0] * da).sum()

    assert_derivatives(loss, [x_t, a_prev, *params], [dx_t, da_prev, *grads])


@both_sizes
def test_sequence_gradients(sizes):
    x, a0, _, _, _ = draw(**sizes)
    params = parameters(RNNParams, 3, **sizes)
    da = normal(4, len(x), *a0.shape)
    _, dx, da0, grads = run(x, a0, params, da)

    def loss(x, a0, *params):
        return (rnn_forward(x, a0, RNNParams(*params))[0] * da).sum()

    assert_derivatives(loss, [x, a0, *params], [dx, da0, *grads])


@pytest.mark.parametrize("length", [1, 2, 4, 6, 9])
def test_truncated_gradients(length):
    """Of a loss in which the state that a chunk begins with is a constant."""
    x, a0, _, _, _ = draw(**SIZES)
    params = parameters(RNNParams, 3, **SIZES)
    da = normal(4, len(x), *a0.shape)
    a, dx, da0, grads = run(x, a0, params, da, truncated(length))

    def loss(x, a0, *params):
        total = 0
        for start in range(0, len(x), length):
            chunk = slice(start, start + length)
            before = a[start - 1] if start else a0
            total += (rnn_forward(x[chunk], before, RNNParams(*params))[0] * da[chunk]).sum()
        return total

    assert_derivatives(loss, [x, a0, *params], [dx, da0, *grads])


@pytest.mark.parametrize("back", [bptt.rnn_backward, truncated(4)], ids=["whole", "truncated"])
def test_backward_takes_complex_steps_itself(back):
    """The second derivative, by a complex step through the backward pass, is symmetric."""
    x, a0, _, _, _ = draw(T_x=4, m=2, n_x=2, n_a=2, n_y=1)
    params = parameters(RNNParams, 3, n_x=2, n_a=2)
    da = normal(4, len(x), *a0.shape)

    def gradient(x, Waa):
        weights = params._replace(Waa=Waa)
        dx, _, grads = back(da, rnn_forward(x, a0, weights)[1], weights)
        return dx, grads.Waa

    one, other = normal(5, *x.shape), normal(6, *params.Waa.shape)
    dx_by_Waa = complex_step(lambda Waa: (gradient(x, Waa)[0] * one).sum(), params.Waa)
    dWaa_by_x = complex_step(lambda x: (gradient(x, params.Waa)[1] * other).sum(), x)
    close((dx_by_Waa * other).sum(), (dWaa_by_x * one).sum())


# The loss


def test_loss_by_hand():
    """Three real steps: two of the first example, one of the second."""
    y_hat = np.array([[[0.5, 0.5], [0.25, 0.75]], [[0.9, 0.1], [0.3, 0.7]]])
    y = np.array([[0, 0], [1, 1]])
    mask = np.array([[True, True], [True, False]])
    freeze(y_hat, y, mask)
    loss = bptt.cross_entropy(y_hat, y, mask)
    assert np.ndim(loss) == 0
    close(loss, (np.log(2) + np.log(4) + np.log(10)) / 3)


@few
@given(seed=seeds, sizes=some_sizes)
def test_knowing_nothing_costs_the_logarithm_of_the_number_of_classes(seed, sizes):
    batch = draw(seed, **sizes)
    y_hat = np.full((*batch.y.shape, sizes["n_y"]), 1 / sizes["n_y"])
    close(bptt.cross_entropy(y_hat, batch.y, batch.mask), np.log(sizes["n_y"]))


def test_being_right_for_certain_costs_nothing():
    batch = draw(**SIZES)
    y_hat = np.eye(SIZES["n_y"])[batch.y]
    assert bptt.cross_entropy(y_hat, batch.y, batch.mask) == 0


@few
@given(seed=seeds, sizes=some_sizes)
def test_every_real_step_counts_once(seed, sizes):
    batch = draw(seed, **sizes)
    y_hat = predict(batch)[2]
    terms = [
        -np.log(y_hat[t, i, batch.y[t, i]])
        for t, i in np.ndindex(batch.y.shape)
        if batch.mask[t, i]
    ]
    close(bptt.cross_entropy(y_hat, batch.y, batch.mask), sum(terms) / len(terms))


@pytest.mark.parametrize("y_there", [-1, 10**6])
@pytest.mark.parametrize("value_there", [0.0, np.nan, np.inf])
def test_padding_may_hold_anything(value_there, y_there):
    batch = draw(**SIZES)
    a, _, y_hat = predict(batch)
    padding = ~batch.mask
    messy_a, messy_y_hat, messy_y = a.copy(), y_hat.copy(), batch.y.copy()
    messy_a[padding], messy_y_hat[padding], messy_y[padding] = value_there, value_there, y_there
    freeze(messy_a, messy_y_hat, messy_y)

    loss = bptt.cross_entropy(y_hat, batch.y, batch.mask)
    assert bptt.cross_entropy(messy_y_hat, messy_y, batch.mask) == loss
    da, grads = bptt.output_backward(y_hat, batch.y, batch.mask, a, batch.params)
    messy_da, messy_grads = bptt.output_backward(
        messy_y_hat, messy_y, batch.mask, messy_a, batch.params
    )
    assert not da[padding].any()
    assert da[batch.mask].all()
    assert_equal([messy_da, *messy_grads], [da, *grads])


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_probability_that_underflows_has_an_infinite_loss_and_the_right_gradient(kind):
    """Scores of 1000, 0 and -1000: for the right class, certain; for the others, impossible."""
    params = OutputParams(np.array([[1000], [0], [-1000]], kind), np.zeros(3, kind))
    a = np.ones((3, 1, 1), kind)
    y_hat = output_forward(a, params)
    y, mask = np.array([[0], [1], [2]]), np.ones((3, 1), bool)
    assert y_hat[1:].min() == 0
    loss = bptt.cross_entropy(y_hat, y, mask)
    assert loss == np.inf
    assert loss.dtype == kind
    da, grads = bptt.output_backward(y_hat, y, mask, a, params)
    by = np.array([2, -1, -1]) / 3
    assert_same([da.ravel(), grads.Wya.ravel(), grads.by], [[0, 1e3 / 3, 2e3 / 3], by, by], 1e-6)


def test_a_small_probability_is_taken_at_its_word():
    """Nothing is added to it, and nothing cut off, before it underflows."""
    y, mask = np.zeros((1, 1), int), np.ones((1, 1), bool)
    for p in (1e-7, 1e-16, 1e-300, TINY):
        close(bptt.cross_entropy(np.array([[[p, 1 - p]]]), y, mask), -np.log(p))


# The output layer, backward


def test_output_gradient_by_hand():
    """Two real steps, and a prediction that is right by a quarter and wrong by three."""
    y_hat = np.array([[[0.25, 0.75]], [[0.75, 0.25]], [[0.5, 0.5]]])
    y, mask = np.array([[0], [0], [1]]), np.array([[True], [True], [False]])
    a = np.array([[[1.0]], [[10.0]], [[100.0]]])
    params = OutputParams(Wya=np.array([[3.0], [1.0]]), by=np.zeros(2))
    da, grads = bptt.output_backward(y_hat, y, mask, a, params)
    # y_hat - y, halved: (-0.375, 0.375), then (-0.125, 0.125)
    np.testing.assert_array_equal(da, [[[-0.75]], [[-0.25]], [[0]]])
    np.testing.assert_array_equal(grads.Wya, [[-1.625], [1.625]])
    np.testing.assert_array_equal(grads.by, [-0.5, 0.5])


@few
@given(seed=seeds, sizes=some_sizes)
def test_scores_are_pushed_up_as_much_as_down(seed, sizes):
    batch = draw(seed, **sizes)
    a, _, y_hat = predict(batch)
    _, grads = bptt.output_backward(y_hat, batch.y, batch.mask, a, batch.params)
    for grad in grads:
        np.testing.assert_allclose(grad.sum(axis=0), 0, atol=1e-14)


def test_one_class_leaves_nothing_to_learn():
    dx, da0, grads = gradient_of(draw(**(SIZES | {"n_y": 1})))
    assert not any(array.any() for array in (dx, da0, *grads))


# Through time


def test_cell_gradient_by_hand():
    cache = RNNCache(x_t=np.array([[2.0]]), a_prev=np.array([[-4.0]]), a=np.array([[0.5]]))
    params = RNNParams(Wax=np.array([[5.0]]), Waa=np.array([[3.0]]), ba=np.array([7.0]))
    dx_t, da_prev, grads = bptt.rnn_cell_backward(np.array([[8.0]]), cache, params)
    assert_equal([dx_t, da_prev], [np.array([[30.0]]), np.array([[18.0]])])  # 8 (1 - 1/4) = 6
    assert_equal(grads, RNNParams(np.array([[12.0]]), np.array([[-24.0]]), np.array([6.0])))


def test_silent_states_multiply_the_gradient_by_the_same_matrix_at_every_step():
    """Where the states are zero, tanh is a straight line: the powers of Waa are all there is."""
    T_x, m, n_a = 5, 2, 3
    Waa = normal(0, n_a, n_a)
    params = RNNParams(Wax=normal(1, n_a, 4), Waa=Waa, ba=np.zeros(n_a))
    da = np.zeros((T_x, m, n_a))
    da[-1] = normal(2, m, n_a)
    a, dx, da0, _ = run(np.zeros((T_x, m, 4)), np.zeros((m, n_a)), params, da)
    assert not a.any()
    close(da0, da[-1] @ np.linalg.matrix_power(Waa, T_x))
    for t in range(T_x):
        close(dx[t], da[-1] @ np.linalg.matrix_power(Waa, T_x - 1 - t) @ params.Wax)


def test_saturated_states_stop_the_gradient():
    x, a0, params, _, _ = draw(**SIZES)
    da = normal(4, len(x), *a0.shape)
    params = params._replace(ba=np.full_like(params.ba, 1000.0))
    _, dx, da0, grads = run(x, a0, params, da)
    assert not any(array.any() for array in (dx, da0, *grads))


@few
@given(seed=seeds, sizes=some_sizes)
def test_one_step_is_the_cell(seed, sizes):
    x, a0, params, _, _ = draw(seed, **(sizes | {"T_x": 1}))
    da = normal(seed, *a0.shape)
    _, dx, da0, grads = run(x, a0, params, da[None])
    _, cache = rnn_cell_forward(x[0], a0, params)
    dx_t, da_prev, cell_grads = bptt.rnn_cell_backward(da, cache, params)
    assert_same([dx[0], da0, *grads], [dx_t, da_prev, *cell_grads])


@few
@given(seed=seeds, sizes=some_sizes, data=st.data())
def test_two_runs_make_a_long_one(seed, sizes, data):
    x, a0, params, _, _ = draw(seed, **(sizes | {"T_x": sizes["T_x"] + 1}))
    da = normal(seed, len(x), *a0.shape)
    cut = data.draw(st.integers(1, len(x) - 1))
    a, dx, da0, grads = run(x, a0, params, da)
    _, late_dx, late_da0, late_grads = run(x[cut:], a[cut - 1], params, da[cut:])
    early_da = da[:cut].copy()
    early_da[-1] += late_da0
    _, early_dx, early_da0, early_grads = run(x[:cut], a0, params, early_da)
    assert_same([np.concatenate([early_dx, late_dx]), early_da0], [dx, da0])
    both = [one + other for one, other in zip(early_grads, late_grads, strict=True)]
    assert_same(both, grads, ROUNDING)


@few
@given(seed=seeds, sizes=some_sizes)
def test_order_of_examples_does_not_matter(seed, sizes):
    batch = draw(seed, **sizes)
    order = np.random.default_rng(seed).permutation(sizes["m"])
    moved = Batch(
        batch.x[:, order], batch.a0[order], batch.params, batch.y[:, order], batch.mask[:, order]
    )
    close(loss_of(moved), loss_of(batch), ROUNDING)
    dx, da0, grads = gradient_of(batch)
    moved_dx, moved_da0, moved_grads = gradient_of(moved)
    assert_same([moved_dx, moved_da0], [dx[:, order], da0[order]], ROUNDING)
    np.testing.assert_allclose(moved_grads.by, grads.by, atol=1e-14)  # may be zero but for rounding
    assert_same(moved_grads[:-1], grads[:-1], ROUNDING)


@few
@given(seed=seeds, sizes=some_sizes)
def test_more_padding_changes_nothing(seed, sizes):
    batch = draw(seed, **sizes)
    longer = Batch(
        np.concatenate([batch.x, normal(seed, 2, *batch.x.shape[1:])]),
        batch.a0,
        batch.params,
        np.concatenate([batch.y, np.full((2, sizes["m"]), -1)]),
        np.concatenate([batch.mask, np.zeros((2, sizes["m"]), bool)]),
    )
    close(loss_of(longer), loss_of(batch))
    dx, da0, grads = gradient_of(batch)
    longer_dx, longer_da0, longer_grads = gradient_of(longer)
    assert not longer_dx[~longer.mask].any()
    assert_same([longer_dx[:-2], longer_da0, *longer_grads], [dx, da0, *grads])


def test_a_second_call_finds_the_same():
    batch = draw(**SIZES)
    for back in (bptt.rnn_backward, truncated(4)):
        *first, grads = gradient_of(batch, back)
        *second, grads_again = gradient_of(batch, back)
        assert_equal([*second, *grads_again], [*first, *grads])


# Truncation


@few
@given(seed=seeds, sizes=some_sizes, beyond=st.integers(0, 3))
def test_a_chunk_that_holds_all_steps_truncates_nothing(seed, sizes, beyond):
    batch = draw(seed, **sizes)
    *whole, grads = gradient_of(batch)
    *once, once_grads = gradient_of(batch, truncated(sizes["T_x"] + beyond))
    assert_equal([*once, *once_grads], [*whole, *grads])


@few
@given(seed=seeds, sizes=some_sizes, length=st.integers(1, 6))
def test_chunks_are_runs_of_their_own(seed, sizes, length):
    x, a0, params, _, _ = draw(seed, **sizes)
    da = normal(seed, len(x), *a0.shape)
    a, dx, da0, grads = run(x, a0, params, da, truncated(length))
    starts = range(0, len(x), length)
    states = [a0, *a]
    runs = [run(x[s : s + length], states[s], params, da[s : s + length])[1:] for s in starts]
    assert_same([dx, da0], [np.concatenate([part[0] for part in runs]), runs[0][1]])
    totals = (sum(each) for each in zip(*(part[2] for part in runs), strict=True))
    assert_same(grads, totals, ROUNDING)


@pytest.mark.parametrize("length", [1, 2, 4])
def test_a_gradient_goes_back_to_its_chunks_first_step_and_no_further(length):
    x, a0, params, _, _ = draw(**SIZES)
    for t in range(len(x)):
        da = np.zeros((len(x), *a0.shape))
        da[t] = normal(4, *a0.shape)
        _, dx, da0, _ = run(x, a0, params, da, truncated(length))
        felt = dx.any(axis=(1, 2))
        first = t - t % length
        np.testing.assert_array_equal(felt, [first <= s <= t for s in range(len(x))])
        assert da0.any() == (first == 0)


# PyTorch


def pytorch_loss(torch, batch, length):
    """The loss of nn.RNN and nn.Linear, its state cut loose every `length` steps, and its leaves.

    PyTorch has two biases where there is one: the second is left at zero.
    """
    n_x = batch.x.shape[-1]
    rnn = torch.nn.RNN(n_x, len(batch.params.ba), dtype=torch.float64)
    linear = torch.nn.Linear(len(batch.params.ba), len(batch.params.by), dtype=torch.float64)
    Wax, Waa, ba, Wya, by = (torch.tensor(w) for w in batch.params)
    names = {"weight_ih_l0": Wax, "weight_hh_l0": Waa, "bias_ih_l0": ba, "bias_hh_l0": 0 * ba}
    rnn.load_state_dict(names)
    linear.load_state_dict({"weight": Wya, "bias": by})
    x = torch.tensor(batch.x, requires_grad=True)
    a0 = torch.tensor(batch.a0[None], requires_grad=True)
    out, state = [], a0
    for chunk in x.split(length):
        a, state = rnn(chunk, state)
        state = state.detach()
        out.append(a)
    y = torch.tensor(np.where(batch.mask, batch.y, -100))
    scores = linear(torch.cat(out))
    loss = torch.nn.functional.cross_entropy(
        scores.reshape(-1, scores.shape[-1]), y.reshape(-1), ignore_index=-100
    )
    weights = (rnn.weight_ih_l0, rnn.weight_hh_l0, rnn.bias_ih_l0, linear.weight, linear.bias)
    return loss, x, a0, weights


@pytest.mark.parametrize("length", [1, 2, 4, 6])
def test_pytorch_finds_the_same(length):
    """Six steps, so that a length of 6 is the whole, and one of 4 leaves a shorter chunk."""
    torch = pytorch()
    batch = draw(**SIZES)
    theirs, x, a0, weights = pytorch_loss(torch, batch, length)
    theirs.backward()
    close(loss_of(batch), theirs.item())
    dx, da0, grads = gradient_of(batch, truncated(length))
    assert_same([dx, da0, *grads], [x.grad, a0.grad[0], *(w.grad for w in weights)])


@both_sizes
def test_pytorch_finds_the_same_without_truncation(sizes):
    torch = pytorch()
    batch = draw(**sizes)
    theirs, x, a0, weights = pytorch_loss(torch, batch, sizes["T_x"])
    theirs.backward()
    close(loss_of(batch), theirs.item())
    dx, da0, grads = gradient_of(batch)
    assert_same([dx, da0, *grads], [x.grad, a0.grad[0], *(w.grad for w in weights)])


def pytorch_clipped(torch, clip, grads, limit):
    """What PyTorch makes of gradients, and the norm that it found or None."""
    leaves = [torch.zeros(g.shape, dtype=torch.float64) for g in grads]
    for leaf, grad in zip(leaves, grads, strict=True):
        leaf.grad = torch.tensor(np.array(grad))
    norm = clip(leaves, limit)
    return [leaf.grad.numpy() for leaf in leaves], norm


@pytest.mark.parametrize("limit", [0.1, 1.0, 100.0])
def test_pytorch_clips_the_same_values(limit):
    torch = pytorch()
    grads = parameters(GRUParams, 0, n_x=3, n_a=4)
    theirs, _ = pytorch_clipped(torch, torch.nn.utils.clip_grad_value_, grads, limit)
    assert_equal(bptt.clip_by_value(grads, limit), theirs)


@pytest.mark.parametrize("limit", [0.1, 1.0, 100.0])
def test_pytorch_clips_to_the_same_norm(limit):
    """Theirs divides by norm + 1e-6, and so is a little short of the limit when it clips."""
    torch = pytorch()
    grads = parameters(GRUParams, 0, n_x=3, n_a=4)
    theirs, norm = pytorch_clipped(torch, torch.nn.utils.clip_grad_norm_, grads, limit)
    norm = norm.item()
    assert (norm > limit) == (limit < 100)
    short = norm / (norm + 1e-6) if norm > limit else 1
    assert_same([grad * short for grad in bptt.clip_by_norm(grads, limit)], theirs)


# Numerical gradients


def test_numerical_gradient_is_right_to_ten_digits():
    """A step of 1e-3 or 1e-8, or a look to one side only, would leave fewer than eight."""
    w = normal(0, 2, 3, 4)
    freeze(w)
    close(bptt.numerical_gradient(lambda w: np.exp(w).sum(), w), np.exp(w), 1e-9)
    close(bptt.numerical_gradient(lambda w: np.sin(w).sum(), w), np.cos(w), 1e-9)


@pytest.mark.parametrize("size", [0, 1e-12, 1e-3, 1, 1e3, 1e6, 1e12])
def test_the_step_grows_with_the_entry(size):
    """As it must: beside 1e12 a fixed step is lost to rounding."""
    w = np.array([size, -size / 2])
    gradient = bptt.numerical_gradient(lambda w: np.sqrt(1 + w**2).sum(), w)
    np.testing.assert_allclose(gradient, w / np.sqrt(1 + w**2), atol=1e-9)


def test_every_entry_has_a_step_of_its_own():
    w = np.array([1e12, 1.0])
    gradient = bptt.numerical_gradient(lambda w: np.sin(w[1]) + w[0] / 1e12, w)
    np.testing.assert_allclose(gradient, [1e-12, np.cos(1)], rtol=1e-9)


def test_the_step_does_not_shrink_with_a_small_entry():
    gradient = bptt.numerical_gradient(lambda w: np.cos(w - 1).sum(), np.array([0, 1e-14]))
    np.testing.assert_allclose(gradient, np.sin(1), rtol=1e-9)


def test_every_entry_is_moved_alone_and_all_axes_kept():
    w = normal(0, 2, 1, 3)
    weights = normal(1, 2, 1, 3)
    close(bptt.numerical_gradient(lambda w: (w * weights).sum(), w), weights, 1e-9)
    product = bptt.numerical_gradient(np.prod, np.array([2.0, 3.0, 5.0]))
    close(product, [15, 10, 6], 1e-9)
    number = bptt.numerical_gradient(lambda w: w**2, np.array(3.0))
    assert number.shape == ()
    close(number, 6, 1e-9)
    assert bptt.numerical_gradient(np.sum, np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("kind", [np.float32, np.int64])
def test_numerical_gradient_counts_in_float64(kind):
    """A step this small would be rounded away in float32, and in whole numbers."""
    w = np.array([1, 2, 3], kind)
    seen = set()

    def f(w):
        seen.add(w.dtype)
        return (w**3).sum()

    gradient = bptt.numerical_gradient(f, w)
    close(gradient, [3, 12, 27], 1e-9)
    assert seen == {gradient.dtype} == {np.dtype(float)}
    assert_equal([w], [np.array([1, 2, 3], kind)])


def test_a_function_that_writes_to_its_argument_does_no_harm():
    w = normal(0, 3)
    kept = w.copy()

    def f(w):
        w *= w
        return w.sum()

    close(bptt.numerical_gradient(f, w), 2 * kept, 1e-9)
    assert_equal([w], [kept])


def test_numerical_gradient_confirms_backpropagation():
    batch = draw(**SIZES)
    dx, _, grads = gradient_of(batch)
    close(bptt.numerical_gradient(lambda x: loss_of(batch._replace(x=x)), batch.x), dx, 1e-8)
    for name, grad in grads._asdict().items():

        def loss(w, name=name):
            return loss_of(batch._replace(params=batch.params._replace(**{name: w})))

        close(bptt.numerical_gradient(loss, getattr(batch.params, name)), grad, 1e-8)


# Clipping

clips = pytest.mark.parametrize("clip", [bptt.clip_by_value, bptt.clip_by_norm])


def flat(grads):
    return np.concatenate([grad.ravel() for grad in grads])


def test_clip_by_value_by_hand():
    grads = OutputParams(Wya=np.array([[3.0, -3.0], [2.0, -2.0]]), by=np.array([-0.5, 1e300]))
    freeze(*grads)
    clipped = bptt.clip_by_value(grads, 2)
    assert type(clipped) is OutputParams
    assert_equal(clipped, (np.array([[2.0, -2.0], [2.0, -2.0]]), np.array([-0.5, 2.0])))


@pytest.mark.parametrize("limit", [1, 2.5, 5, 20])
def test_clip_by_norm_by_hand(limit):
    """3 in one array and 4 in the other make 5 together."""
    grads = OutputParams(Wya=np.array([[3.0, 0.0]]), by=np.array([-4.0]))
    freeze(*grads)
    clipped = bptt.clip_by_norm(grads, limit)
    assert type(clipped) is OutputParams
    scale = min(1, limit / 5)
    assert_same(clipped, OutputParams(np.array([[3 * scale, 0]]), np.array([-4 * scale])))


@few
@given(seed=seeds, size=st.floats(1e-3, 1e3), limit=st.floats(0.01, 100))
def test_clipping_holds_the_limit_and_no_more(seed, size, limit):
    drawn = parameters(RNNModelParams, seed, n_x=2, n_a=3, n_y=2)
    grads = RNNModelParams(*(size * w for w in drawn))
    norm = np.linalg.norm(flat(grads))
    clipped = flat(bptt.clip_by_norm(grads, limit))
    close(np.linalg.norm(clipped), min(norm, limit))
    close(clipped * norm, flat(grads) * min(norm, limit))
    values = flat(bptt.clip_by_value(grads, limit))
    np.testing.assert_array_equal(np.sign(values), np.sign(flat(grads)))
    np.testing.assert_array_equal(np.abs(values), np.minimum(np.abs(flat(grads)), limit))


@clips
def test_what_is_within_the_limit_stays_as_it_is_in_new_arrays(clip):
    grads = parameters(RNNParams, 0, n_x=3, n_a=4)
    freeze(*grads)
    for limit in (100, 1e300):
        clipped = clip(grads, limit)
        assert type(clipped) is RNNParams
        assert_equal(clipped, grads)
        assert not any(np.shares_memory(*pair) for pair in zip(clipped, grads, strict=True))


@clips
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_zero_gradient_stays_zero(clip, kind):
    zero = RNNParams(*(np.zeros_like(w, kind) for w in parameters(RNNParams, 0, n_x=3, n_a=4)))
    assert_equal(clip(zero, 1), zero)


@pytest.mark.parametrize(
    ("kind", "size"), [(np.float64, 1e200), (np.float64, 1e-200), (np.float32, 1e38)]
)
def test_a_gradient_whose_square_overflows_keeps_its_direction(kind, size):
    """In float32 the norm of these overflows as well."""
    grads = OutputParams(*(np.full(shape, size, kind) for shape in ((4, 5), (5,))))
    clipped = bptt.clip_by_norm(grads, 10)
    expected = min(size, 10 / np.sqrt(25))
    for array in clipped:
        assert array.dtype == kind
        np.testing.assert_allclose(array, expected, rtol=1e-6)


def test_one_large_entry_anywhere_may_overflow():
    for i in range(3):
        grads = RNNParams(np.zeros((2, 3)), np.zeros((2, 2)), np.zeros(2))
        grads[i].flat[-1] = -1e200
        clipped = bptt.clip_by_norm(grads, 10)
        assert_same(clipped, [grad / 1e199 for grad in grads])


@clips
@pytest.mark.parametrize("limit", [0.1, np.float64(0.1), 100])
def test_clipping_keeps_float32(clip, limit):
    grads = parameters(GRUParams, 0, n_x=3, n_a=4)
    narrow = GRUParams(*(w.astype(np.float32) for w in grads))
    clipped = clip(narrow, limit)
    assert all(array.dtype == np.float32 for array in clipped)
    assert_same(clipped, clip(grads, limit), rtol=1e-6)


# float32, and large numbers


@pytest.mark.parametrize("back", [bptt.rnn_backward, truncated(4)], ids=["whole", "truncated"])
def test_float32_stays_float32(back):
    batch = draw(**SIZES)
    x, a0 = batch.x.astype(np.float32), batch.a0.astype(np.float32)
    params = RNNModelParams(*(w.astype(np.float32) for w in batch.params))
    narrow = batch._replace(x=x, a0=a0, params=params)
    assert loss_of(narrow).dtype == np.float32
    close(loss_of(narrow), loss_of(batch), 1e-5)
    *results, grads = gradient_of(batch, back)
    *narrow_results, narrow_grads = gradient_of(narrow, back)
    for array in (*narrow_results, *narrow_grads):
        assert array.dtype == np.float32
    # a float32 holds 7 digits; sums over 6 steps of 3 examples lose one or two of them
    assert_same((*narrow_results, *narrow_grads), (*results, *grads), rtol=1e-5)


def test_float32_stays_float32_in_a_cell():
    params = RNNParams(*(w.astype(np.float32) for w in parameters(RNNParams, 0, n_x=3, n_a=4)))
    x_t, a_prev, da = (normal(i, 2, n).astype(np.float32) for i, n in enumerate((3, 4, 4)))
    _, cache = rnn_cell_forward(x_t, a_prev, params)
    dx_t, da_prev, grads = bptt.rnn_cell_backward(da, cache, params)
    assert all(array.dtype == np.float32 for array in (dx_t, da_prev, *grads))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_large_inputs_stay_finite(kind):
    batch = draw(**SIZES)
    params = RNNModelParams(*(1e4 * w.astype(kind) for w in batch.params))
    batch = batch._replace(x=1e4 * batch.x.astype(kind), a0=batch.a0.astype(kind), params=params)
    assert loss_of(batch) > 0  # mostly infinite: what is right was held to be impossible
    *results, grads = gradient_of(batch)
    assert all(np.isfinite(array).all() for array in (*results, *grads))


def test_long_sentences_stay_finite():
    """Two thousand steps of a recurrence that contracts."""
    batch = draw(T_x=2000, m=2, n_x=2, n_a=3, n_y=4)
    params = batch.params._replace(Waa=batch.params.Waa / 10)
    batch = batch._replace(params=params)
    dx, _, grads = gradient_of(batch)
    assert np.isfinite(loss_of(batch))
    assert all(np.isfinite(array).all() for array in (dx, *grads))
    close(bptt.cross_entropy(*batch_of_equals(2000)), np.log(4))


def batch_of_equals(T_x):
    """Predictions that know nothing of four classes."""
    return np.full((T_x, 1, 4), 0.25), np.zeros((T_x, 1), int), np.ones((T_x, 1), bool)
