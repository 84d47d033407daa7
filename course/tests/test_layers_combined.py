"""Layers made of layers, and of any cell, give what plain layers give."""

import copy
import gc
import threading
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.given import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    Checkpointed,
    Dropout,
    LSTMParams,
    PeepholeLSTMParams,
    RNNParams,
    Split,
    Stacked,
    Unrolled,
    draw,
)
from course.tests.proofs_layers import (
    KINDS,
    LENGTHS,
    SIZES,
    cached,
    cast,
    copies,
    few,
    identical,
    kinds,
    run,
    same,
    seeds,
)
from solutions import lstm
from solutions.tests.proofs import close, complex_step, normal, parameters

ragged = pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "ragged"])
dtypes = pytest.mark.parametrize("dtype", [np.float32, np.float64])
RTOL = {np.float32: 2e-5, np.float64: 1e-12}


def start_states(layer, m, dtype=float):
    return cast([normal([2, i], m, n_a) for i, n_a in enumerate(layer.widths)], dtype)


def prepare(layer, T_x=SIZES["T_x"], m=SIZES["m"], dtype=float):
    """What `run` takes, for a layer with states of any widths."""
    x = normal(1, T_x, m, layer.n_x).astype(dtype)
    dstates = [normal([3, i], T_x, m, n_a) for i, n_a in enumerate(layer.widths)]
    return x, start_states(layer, m, dtype), cast(dstates, dtype)


def lstm_params(seed, n_x, n_a):
    return parameters(LSTMParams, seed, n_x=n_x, n_a=n_a)


# Unrolled


@ragged
@dtypes
@kinds
def test_unrolled_is_the_fast_layer(kind, dtype, lengths):
    params = kind.draw(n_x=4, n_a=5, dtype=dtype)
    fast, slow = kind.layer(params), kind.unrolled(params)
    given_ = prepare(fast, dtype=dtype)
    found, expected = run(slow, *given_, lengths), run(fast, *given_, lengths)
    same(found, expected, RTOL[dtype])
    assert {array.dtype for array in found.values()} == {np.dtype(dtype)}
    if lengths is None:
        same(cached(slow.caches()), cached(fast.caches()), RTOL[dtype])
    else:
        assert len(slow.caches()) == len(fast.caches()) == SIZES["T_x"]


def test_unrolled_takes_a_cell_that_no_fast_layer_has():
    cell = lstm.peephole_lstm_cell_forward, lstm.peephole_lstm_cell_backward
    layer = Unrolled(*cell, parameters(PeepholeLSTMParams, 0, n_x=2, n_a=3), n_states=2)
    x, start, dstates = prepare(layer, T_x=4)
    lengths = np.array([2, 4, 1])
    found = run(layer, x, start, dstates, lengths)

    def loss(x):
        layer.forward(x, *start, lengths=lengths)
        return sum((s * d).sum() for s, d in zip(layer.states, dstates, strict=True))

    close(found["dx"], complex_step(loss, x))


def test_unrolled_leaves_out_the_gradients_that_are_left_out():
    kind = KINDS["LSTM"]
    layer = kind.unrolled(kind.draw(n_x=4, n_a=5))
    x, start, (da, dc) = prepare(layer)
    identical(run(layer, x, start, [da]), run(layer, x, start, [da, 0 * dc]))


# Both directions


@kinds
@ragged
def test_each_direction_is_a_layer_of_its_own(kind, lengths):
    """Of other sizes; the second reads the real steps from the end."""
    params = [kind.draw(n_x=4, n_a=5), kind.draw(1, n_x=4, n_a=3)]
    both = Bidirectional(*map(kind.layer, params))
    x, start, dstates = prepare(both)
    found = run(both, x, start, dstates, lengths)
    ahead, back = map(kind.layer, params)
    full = np.full(x.shape[1], len(x)) if lengths is None else lengths

    def turned(array):
        array = array.copy()
        for i, n in enumerate(full):
            array[:n, i] = array[:n, i][::-1]
        return array

    left = run(ahead, x, [s[:, :5] for s in start], [d[..., :5] for d in dstates], lengths)
    right = [s[:, 5:] for s in start], [turned(d[..., 5:]) for d in dstates]
    right = run(back, turned(x), *right, lengths)
    expected = {"dx": left["dx"] + turned(right["dx"])}
    for i in range(kind.n_states):
        side_by_side = left[f"states[{i}]"], turned(right[f"states[{i}]"])
        expected[f"states[{i}]"] = np.concatenate(side_by_side, axis=-1)
        for name in (f"last[{i}]", f"dstart[{i}]"):
            expected[name] = np.concatenate([left[name], right[name]], axis=-1)
    for i, grads in enumerate((left, right)):
        expected |= {
            name.replace("grads", f"grads.{i}"): array
            for name, array in grads.items()
            if name.startswith("grads")
        }
    same(found, expected)
    np.testing.assert_array_equal(both.last[0][:, 5:], found["states[0]"][0, :, 5:])
    caches = both.caches()
    same(cached(caches[0]), cached(ahead.caches()))
    same(cached(caches[1]), cached(back.caches()))


@few
@given(seed=seeds, name=st.sampled_from(list(KINDS)), ends=st.booleans())
def test_reversed_sequences_swap_the_directions(seed, name, ends):
    kind = KINDS[name]
    lengths = np.random.default_rng(seed).integers(1, 7, SIZES["m"]) if ends else None
    full = np.full(SIZES["m"], SIZES["T_x"]) if lengths is None else lengths
    one, other = (kind.draw([seed, i], n_x=4, n_a=5) for i in range(2))
    layer = Bidirectional(kind.layer(one), kind.layer(other))
    swapped = Bidirectional(kind.layer(other), kind.layer(one))
    x, start, dstates = prepare(layer)

    def turned(array):
        real = np.arange(len(array))[:, None]
        source = np.where(real < full, full - 1 - real, real)
        return np.take_along_axis(array, source[:, :, None], axis=0)

    def halves(array):
        return np.concatenate([array[..., 5:], array[..., :5]], axis=-1)

    turned_in = turned(x), [*map(halves, start)], [turned(halves(d)) for d in dstates]
    found, expected = run(swapped, *turned_in, lengths), run(layer, x, start, dstates, lengths)
    for key, array in list(expected.items()):
        if key.startswith(("last", "dstart")):
            expected[key] = halves(array)
        elif key.startswith("states"):
            expected[key] = halves(turned(array))
            if lengths is not None:
                assert not array[lengths[0] :, 0].any()
        elif key.startswith("grads.0"):
            swap = key.replace("grads.0", "grads.1")
            expected[key], expected[swap] = expected[swap], array
    expected["dx"] = turned(expected["dx"])
    same(found, expected)


# Several deep


@ragged
def test_a_stack_is_layer_upon_layer(lengths):
    """Of other kinds and sizes, with a gradient arriving at every state."""
    bottom = KINDS["LSTM"].layer(KINDS["LSTM"].draw(n_x=4, n_a=5))
    top = KINDS["GRU"].layer(KINDS["GRU"].draw(n_x=5, n_a=3))
    stack = Stacked(bottom, top)
    assert stack.widths == (3, 5, 5)
    x, start, dstates = prepare(stack)
    found = run(stack, x, start, dstates, lengths)
    assert [type(caches[0]).__name__ for caches in stack.caches()] == ["LSTMCache", "GRUCache"]

    below, above = (copy.deepcopy(layer) for layer in (bottom, top))
    a = below.forward(x, *start[1:], lengths=lengths)
    above.forward(a, start[0], lengths=lengths)
    da, dstart, top_grads = above.backward(dstates[0])
    dx, *dstarts, grads = below.backward(dstates[1] + da, dstates[2])
    expected = {"dx": dx, "states[0]": above.states[0], "last[0]": above.last[0]}
    expected["dstart[0]"] = dstart
    for i in range(2):
        expected[f"states[{i + 1}]"] = below.states[i]
        expected[f"last[{i + 1}]"] = below.last[i]
        expected[f"dstart[{i + 1}]"] = dstarts[i]
    expected |= {f"grads.0.{name}": array for name, array in grads._asdict().items()}
    expected |= {f"grads.1.{name}": array for name, array in top_grads._asdict().items()}
    identical(found, expected)


def test_a_stack_leaves_out_the_gradients_that_are_left_out():
    stack = Stacked(LSTM(lstm_params(0, 4, 5)), LSTM(lstm_params(1, 5, 3)))
    x, start, dstates = prepare(stack)
    for given_ in range(1, 5):
        zeros = [d if i < given_ else 0 * d for i, d in enumerate(dstates)]
        identical(run(stack, x, start, dstates[:given_]), run(stack, x, start, zeros))


# Dropout


def test_dropout_keeps_the_expectation():
    dropout = Dropout(0.3, np.random.default_rng(0))
    x = np.ones((50, 40, 30))
    dropped = dropout.forward(x)
    np.testing.assert_array_equal(np.unique(dropped), [0, 1 / 0.7])
    deviation = np.sqrt(0.3 / 0.7 / x.size)  # of the mean
    assert abs(dropped.mean() - 1) < 4 * deviation
    assert not np.array_equal(dropped, dropout.forward(x))  # drawn anew each time
    np.testing.assert_array_equal(dropout.forward(2 * x), 2 * dropout.caches())


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex128])
def test_dropout_hands_the_gradient_to_what_it_kept(dtype):
    dropout = Dropout(0.5, np.random.default_rng(0))
    x, da = normal(0, 6, 3, 4).astype(dtype), normal(1, 6, 3, 4).astype(dtype)
    kept = dropout.forward(x) != 0
    dx, grads = dropout.backward(da)
    np.testing.assert_array_equal(dx, np.where(kept, 2 * da, 0))
    assert grads == ()
    assert {dx.dtype, dropout.forward(x).dtype} == {np.dtype(dtype)}
    assert 0 < kept.sum() < kept.size


@dtypes
@pytest.mark.parametrize(("rate", "training"), [(0, True), (0.9, False)])
def test_dropout_that_does_nothing(rate, training, dtype):
    dropout = Dropout(rate, np.random.default_rng(0))
    dropout.training = training
    x = normal(0, 6, 3, 4).astype(dtype)
    for handed_on in (dropout.forward(x), dropout.backward(x)[0]):
        np.testing.assert_array_equal(handed_on, x, strict=True)


def test_dropout_raises_whole_numbers_too():
    dropout = Dropout(0.5, np.random.default_rng(0))
    np.testing.assert_array_equal(np.unique(dropout.forward(np.ones((6, 3, 4), int))), [0, 2])


def test_dropout_refuses():
    for rate in (-0.1, 1, 1.5, np.nan):
        with pytest.raises(ValueError, match=r"rate is .*; from 0 to below 1 is expected"):
            Dropout(rate, np.random.default_rng(0))
    with pytest.raises(TypeError, match="x is a list"):
        Dropout(0.5, np.random.default_rng(0)).forward([1.0])


@ragged
@pytest.mark.parametrize("training", [True, False])
def test_gradients_of_a_stack_with_dropout_are_derivatives(training, lengths):
    params = lstm_params(0, 2, 3), parameters(RNNParams, 1, n_x=3, n_a=2)
    lengths = None if lengths is None else np.minimum(lengths, 4)

    def stack(params):
        rng = np.random.default_rng(5)
        dropouts = Dropout(0.5, rng), Dropout(0.3, rng)
        for dropout in dropouts:
            dropout.training = training
        return Stacked(dropouts[0], LSTM(params[0]), dropouts[1], RNN(params[1]))

    layer = stack(params)
    assert (layer.n_x, layer.n_states, layer.params) == (2, 3, ((), params[0], (), params[1]))
    x, start, dstates = prepare(layer, T_x=4)
    found = run(layer, x, start, dstates, lengths)

    def loss(x, params=params):
        layer = stack(params)
        layer.forward(x, *start, lengths=lengths)
        return sum((s * d).sum() for s, d in zip(layer.states, dstates, strict=True))

    close(found["dx"], complex_step(loss, x))
    Wf = params[0].Wf
    of_weight = complex_step(lambda w: loss(x, (params[0]._replace(Wf=w), params[1])), Wf)
    close(found["grads.1.Wf"], of_weight)


# Less memory


@ragged
@kinds
@pytest.mark.parametrize("segments", [None, 1, 2, 3, 4, 6, 100])
def test_checkpointed_is_the_layer(kind, segments, lengths):
    params = kind.draw(n_x=4, n_a=5)
    layer, plain = Checkpointed(kind.layer(params), segments), kind.layer(params)
    x, start, dstates = prepare(plain)
    for given_ in (dstates, dstates[:1]):
        same(run(layer, x, start, given_, lengths), run(plain, x, start, given_, lengths))
    same(run(layer, x, [], dstates, lengths), run(plain, x, [], dstates, lengths))
    other = kind.draw(1, n_x=4, n_a=5)
    layer.params = plain.params = other
    assert layer.params is layer.layer.params is other
    same(run(layer, x, start, dstates, lengths), run(plain, x, start, dstates, lengths))


@settings(few, max_examples=40)
@given(
    name=st.sampled_from(list(KINDS)),
    T_x=st.integers(1, 20),
    segments=st.none() | st.integers(1, 21),
    m=st.integers(1, 3),
)
def test_checkpointed_for_any_lengths(name, T_x, segments, m):
    kind = KINDS[name]
    params = kind.draw(n_x=4, n_a=5)
    layer, plain = Checkpointed(kind.layer(params), segments), kind.layer(params)
    given_ = prepare(plain, T_x, m)
    same(run(layer, *given_), run(plain, *given_))
    assert len(layer._pieces) <= (segments or T_x)


@dtypes
def test_checkpointed_keeps_types(dtype):
    params = cast(lstm_params(0, 4, 5), dtype)
    layer = Checkpointed(LSTM(params))
    x, _, (da, _) = prepare(layer, dtype=dtype)
    found = run(layer, x, [], [da])
    assert {array.dtype for array in found.values()} == {np.dtype(dtype)}
    whole = run(layer, x, [], [np.ones(da.shape, int)])  # and gradients may be whole numbers
    same(whole, run(layer, x, [], [np.ones_like(da)]), RTOL[dtype])


@pytest.mark.parametrize(("name", "least"), [("LSTM", 0.4), ("GRU", 0.35), ("ResetAfterGRU", 0.3)])
def test_checkpointed_needs_less_memory(name, least):
    """Over 900 steps: `least` is what remains of the layer's own, with states that both keep."""
    kind = KINDS[name]
    params = draw(kind.params, np.random.default_rng(0), np.float32, n_x=4, n_a=32)
    x, da = np.ones((900, 8, 4), np.float32), np.ones((900, 8, 32), np.float32)

    def peak(layer):
        gc.collect()
        tracemalloc.start()
        try:
            layer.forward(x)
            layer.backward(da)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert peak(Checkpointed(kind.layer(params))) < least * peak(kind.layer(params))


def test_checkpointed_refuses():
    params = lstm_params(0, 4, 5)
    for layer in (Stacked(LSTM(params)), Bidirectional(LSTM(params), LSTM(params)), params):
        with pytest.raises(TypeError, match=r"layer is a .*; a layer of one cell is expected"):
            Checkpointed(layer)
    layer = Checkpointed(LSTM(params))
    layer.forward(np.ones((6, 3, 4)))
    with pytest.raises(RuntimeError, match="keeps no caches"):
        layer.caches()


# Several threads


@ragged
@kinds
@pytest.mark.parametrize("parts", [1, 2, 3, 5])
def test_a_split_is_the_layer(kind, parts, lengths):
    params = kind.draw(n_x=4, n_a=5)
    layer, plain = Split(*(kind.layer(params) for _ in range(parts))), kind.layer(params)
    x, start, dstates = prepare(plain)
    threads = threading.active_count()
    for starts in (start, []):
        same(run(layer, x, starts, dstates, lengths), run(plain, x, starts, dstates, lengths))
    assert threading.active_count() == threads
    assert [len(caches) for caches in layer.caches()] == [len(x)] * min(parts, 3)
    layer.params = plain.params = kind.draw(1, n_x=4, n_a=5)
    assert layer.params is plain.params
    same(run(layer, x, start, dstates, lengths), run(plain, x, start, dstates, lengths))


def test_a_split_runs_batches_of_other_sizes_in_turn():
    params = lstm_params(0, 4, 5)
    layer = Split(LSTM(params), LSTM(params))
    for m in (4, 1, 3, 4):
        given_ = prepare(layer, m=m)
        same(run(layer, *given_), run(LSTM(params), *given_))


def test_a_split_runs_at_the_same_time():
    """Each part waits for the other: one after the other, they would wait for ever."""
    kind = KINDS["RNN"]
    params, barrier = kind.draw(n_x=4, n_a=5), threading.Barrier(2, timeout=10)

    def waiting(x_t, a_prev, params):
        barrier.wait()
        return kind.cell_forward(x_t, a_prev, params)

    layer = Split(*(Unrolled(waiting, None, params) for _ in range(2)))
    x, start, _ = prepare(layer)
    close(layer.forward(x, *start), kind.layer(params).forward(x, *start))


def test_a_split_hands_errors_on():
    params = lstm_params(0, 4, 5)
    layer = Split(LSTM(params), LSTM(params))
    params.Wc[0, 0] = np.nan
    threads = threading.active_count()
    with pytest.raises(ValueError, match=r"params\.Wc is not finite"):
        layer.forward(np.ones((6, 3, 4)))
    assert threading.active_count() == threads


def test_a_split_refuses_other_parameters():
    params = lstm_params(0, 4, 5)
    with pytest.raises(ValueError, match="are to have the same parameters"):
        Split(LSTM(params), LSTM(copy.deepcopy(params)))


# Whatever takes a layer takes any of them


def plain_stack(seed=0):
    return Stacked(LSTM(lstm_params(seed, 4, 5)), LSTM(lstm_params(seed + 1, 5, 3)))


def plain_both(seed=0):
    return Bidirectional(LSTM(lstm_params(seed, 4, 5)), LSTM(lstm_params(seed + 1, 4, 3)))


def split(make):
    """Two of a kind with the same parameters."""
    first, second = make(), make()
    second.params = first.params
    return Split(first, second)


COMPOSED = {
    "split stacks": (lambda: split(plain_stack), plain_stack),
    "split directions": (lambda: split(plain_both), plain_both),
    "a stack of splits and checkpoints": (
        lambda: Stacked(
            split(lambda: LSTM(lstm_params(0, 4, 5))), Checkpointed(LSTM(lstm_params(1, 5, 3)))
        ),
        plain_stack,
    ),
    "directions of splits and checkpoints": (
        lambda: Bidirectional(
            Checkpointed(LSTM(lstm_params(0, 4, 5))), split(lambda: LSTM(lstm_params(1, 4, 3)))
        ),
        plain_both,
    ),
    "a stack in a stack": (
        lambda: Stacked(Stacked(LSTM(lstm_params(0, 4, 5))), LSTM(lstm_params(1, 5, 3))),
        plain_stack,
    ),
    "directions of directions": (
        lambda: Bidirectional(split(plain_both), split(lambda: plain_both(2))),
        lambda: Bidirectional(plain_both(), plain_both(2)),
    ),
    "directions of stacks": (
        lambda: Bidirectional(split(plain_stack), plain_stack(2)),
        lambda: Bidirectional(plain_stack(), plain_stack(2)),
    ),
    "a checkpoint of a loop": (
        lambda: Checkpointed(KINDS["LSTM"].unrolled(lstm_params(0, 4, 5))),
        lambda: LSTM(lstm_params(0, 4, 5)),
    ),
    "a checkpoint of a checkpoint": (
        lambda: Checkpointed(Checkpointed(LSTM(lstm_params(0, 4, 5)))),
        lambda: LSTM(lstm_params(0, 4, 5)),
    ),
}


def flat_names(found):
    """The same gradients, whatever tuples they are in: only the order counts."""
    grads = [key for key in found if key.startswith("grads")]
    renamed = {key: f"grads {i} {key.split('.')[-1]}" for i, key in enumerate(grads)}
    return {renamed.get(key, key): array for key, array in found.items()}


@ragged
@pytest.mark.parametrize(("made", "plain"), COMPOSED.values(), ids=COMPOSED)
def test_whatever_takes_a_layer_takes_any_of_them(made, plain, lengths):
    layer, plain = made(), plain()
    assert (layer.n_x, layer.n_states, layer.widths) == (plain.n_x, plain.n_states, plain.widths)
    x, start, dstates = prepare(plain)
    for starts, given_ in ((start, dstates), ([], dstates[:1])):
        found, expected = (run(one, x, starts, given_, lengths) for one in (layer, plain))
        same(flat_names(found), flat_names(expected))


def test_directions_of_stacks_are_derivatives():
    layer = Bidirectional(plain_stack(), plain_stack(2))
    x, start, dstates = prepare(layer)
    found = run(layer, x, start, dstates, LENGTHS)

    def loss(x):
        layer.forward(x, *start, lengths=LENGTHS)
        return sum((s * d).sum() for s, d in zip(layer.states, dstates, strict=True))

    close(found["dx"], complex_step(loss, x))


@pytest.mark.parametrize("make", [plain_stack, plain_both, lambda: split(plain_stack)])
def test_parameters_may_be_set_as_they_were_read(make):
    layer = make()
    given_ = prepare(layer)
    before = copies(run(layer, *given_))
    first = layer.params
    layer.params = tuple(type(params)(*(-w for w in params)) for params in first)
    assert np.abs(run(layer, *given_)["dx"] - before["dx"]).max() > 0.01
    layer.params = first
    identical(run(layer, *given_), before)


@pytest.mark.parametrize("make", [plain_stack, plain_both, lambda: split(plain_stack)])
def test_a_copy_is_of_its_own(make):
    layer = make()
    given_ = prepare(layer)
    expected = copies(run(layer, *given_))
    other = copy.deepcopy(layer)
    for remembered in (lambda: other.backward(*given_[2]), other.caches, lambda: other.last):
        with pytest.raises(RuntimeError, match="run forward first"):
            remembered()
    identical(run(other, *given_), expected)


# Errors


@pytest.mark.parametrize(
    "make",
    [
        plain_stack,
        plain_both,
        lambda: split(plain_stack),
        lambda: Checkpointed(LSTM(lstm_params(0, 4, 5))),
    ],
)
def test_backward_needs_forward(make):
    """Of the whole; that its layers have run is not enough."""
    layer = make()
    x, _, dstates = prepare(layer)
    for part in getattr(layer, "layers", [getattr(layer, "layer", None)]):
        part.forward(normal(0, *x.shape[:2], part.n_x))
    for remembered in (lambda: layer.backward(*dstates), layer.caches, lambda: layer.last):
        with pytest.raises(RuntimeError, match="run forward first"):
            remembered()


@pytest.mark.parametrize("make", [plain_stack, plain_both, lambda: split(plain_stack)])
def test_shapes_are_named(make):
    layer = make()
    x, start, dstates = prepare(layer)
    n_a = layer.widths[0]
    with pytest.raises(ValueError, match=r"x has shape \(6, 3, 3\); .* with n_x = 4"):
        layer.forward(x[..., :3])
    with pytest.raises(TypeError, match="x is a list"):
        layer.forward(x.tolist())
    with pytest.raises(TypeError, match=r"1 start states; .* are expected, or none"):
        layer.forward(x, start[0])
    for wrong in (start[0][:, 1:], np.ones((4, n_a)), start[0][0]):
        message = rf"start\[0\] has shape .*; \(m, n_a\) is expected with m = 3, n_a = {n_a}"
        with pytest.raises(ValueError, match=message):
            layer.forward(x, wrong, *start[1:])
    with pytest.raises(ValueError, match=r"lengths has shape \(4,\); \(m,\) is expected"):
        layer.forward(x, lengths=np.ones(4, int))
    layer.forward(x)
    with pytest.raises(TypeError, match="0 gradients of states"):
        layer.backward()
    for wrong in (np.ones((6, 4, n_a)), np.ones((5, 3, n_a)), dstates[0][..., 1:]):
        with pytest.raises(ValueError, match=r"dstates\[0\] has shape .*; \(T_x, m, n_a\) is"):
            layer.backward(wrong)


def test_layers_that_do_not_fit_are_named():
    one, other = LSTM(lstm_params(0, 4, 5)), LSTM(lstm_params(0, 4, 5))
    with pytest.raises(ValueError, match="n_x = 4 is to read one of n_a = 5"):
        Stacked(one, Dropout(0.5, np.random.default_rng(0)), other)
    with pytest.raises(ValueError, match="at the top"):
        Stacked(one, Dropout(0.5, np.random.default_rng(0)))
    with pytest.raises(ValueError, match="at the top"):
        Stacked()
    with pytest.raises(ValueError, match="n_x is 4 and 5"):
        Bidirectional(one, LSTM(lstm_params(0, 5, 5)))
    with pytest.raises(ValueError, match="n_states is 2 and 1"):
        Bidirectional(one, GRU(KINDS["GRU"].draw(n_x=4, n_a=5)))
    for combined in (Bidirectional, Split, Stacked):
        with pytest.raises(ValueError, match="a layer stands here twice"):
            combined(one, one)
