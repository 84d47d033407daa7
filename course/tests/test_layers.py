"""The fast layers are the clear functions, PyTorch's layers, and their gradients derivatives."""

import copy
import doctest
import gc
import pickle
import tracemalloc
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.given import LSTM, RNN, LSTMParams, RNNModelParams, RNNParams, draw
from course.given.layers import gates, unrolled
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
    run_clear,
    same,
    seeds,
    sequences,
)
from solutions.tests.proofs import close, complex_step, parameters

FLOAT32 = 2e-5  # relative to the largest entry: seven digits, of which long sums lose two

# Blocks of weights as on processors with AVX-512, and as on others; and of steps: one, or a few,
# or all. All of these must be right whatever processor runs the tests.
LAYOUTS = [((64, 32), 1), ((64, 32), 524288), ((), 2000)]
layouts = pytest.mark.parametrize("layout", LAYOUTS, ids=["AVX-512, a step", "AVX-512", "plain"])


def laid_out(layout):
    return mock.patch.multiple(gates, WIDTHS=layout[0], BLOCK=layout[1])


def prepare(kind, seed=0, dtype=float, **changes):
    """A layer, and what `run` takes."""
    sizes = SIZES | changes
    params = kind.draw(seed, n_x=sizes["n_x"], n_a=sizes["n_a"], dtype=dtype)
    return kind.layer(params), *sequences(seed, n_states=kind.n_states, dtype=dtype, **sizes)


def assert_clear(kind, layer, x, start, dstates, rtol=1e-12):
    found = run(layer, x, start, dstates)
    expected, caches = run_clear(kind, layer.params, x, start, dstates)
    same(found, expected, rtol)
    same(cached(layer.caches()), cached(caches), rtol)
    assert [type(cache) for cache in layer.caches()] == [type(cache) for cache in caches]


# The clear functions


@layouts
@kinds
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"T_x": 1},
        {"m": 1},
        {"n_x": 1},
        {"n_a": 1},
        dict.fromkeys(SIZES, 1),
        {"n_a": 32},
        {"n_a": 64},
        {"n_a": 96},
        {"n_a": 128, "m": 1},
        {"n_a": 64, "m": 1, "T_x": 1},
        {"n_a": 64, "m": 300},
        {"n_a": 64, "m": 500, "T_x": 2},
    ],
    ids=lambda changes: ", ".join(f"{k}={v}" for k, v in changes.items()) or "all differ",
)
def test_is_the_clear_functions(kind, layout, changes):
    with laid_out(layout):
        assert_clear(kind, *prepare(kind, **changes))


@settings(few, max_examples=100)
@given(
    seed=seeds,
    sizes=st.fixed_dictionaries({letter: st.integers(1, 6) for letter in SIZES}),
    n_a=st.none() | st.sampled_from([32, 64]),
    layout=st.tuples(
        st.sampled_from([(64, 32), ()]), st.sampled_from([1, 300, 600, 1000, 2000, 524288])
    ),
    dtype=st.sampled_from([np.float64, np.float32, np.complex128]),
    name=st.sampled_from(list(KINDS)),
)
def test_is_the_clear_functions_for_any_sizes(seed, sizes, n_a, layout, dtype, name):
    kind = KINDS[name]
    sizes = sizes if n_a is None else sizes | {"n_a": n_a}
    with laid_out(layout):
        prepared = prepare(kind, seed, dtype, **sizes)
        assert_clear(kind, *prepared, rtol=FLOAT32 if dtype == np.float32 else 1e-12)


@kinds
def test_starts_from_zeros(kind):
    layer, x, start, dstates = prepare(kind)
    zeros = [np.zeros_like(s) for s in start]
    identical(run(layer, x, [], dstates), run(layer, x, zeros, dstates))


def test_gradients_of_memories_left_out_are_zero():
    layer, x, start, (da, dc) = prepare(KINDS["LSTM"])
    identical(run(layer, x, start, [da]), run(layer, x, start, [da, np.zeros_like(dc)]))


@kinds
@pytest.mark.parametrize("sizes", [SIZES, SIZES | {"m": 1}], ids=["m=3", "m=1"])
def test_arrays_in_any_order_of_memory(kind, sizes):
    layer, *given_ = prepare(kind, **sizes)

    def scattered(array):
        """Equal, with other numbers between its entries, and from the end."""
        room = np.full(tuple(2 * n for n in array.shape), np.nan)[
            (slice(None, None, -2),) * array.ndim
        ]
        room[...] = array
        return np.asfortranarray(room) if array.ndim == 2 else room

    x, start, dstates = given_
    expected = run(layer, x, start, dstates)
    params = type(layer.params)(*map(scattered, layer.params))
    x, start, dstates = scattered(x), [*map(scattered, start)], [*map(scattered, dstates)]
    assert not x.flags.c_contiguous
    same(run(kind.layer(params), x, start, dstates), expected)


@kinds
@pytest.mark.parametrize("m", [1, 3])
def test_what_is_handed_in_stays_unwritten(kind, m):
    layer, x, start, dstates = prepare(kind, m=m)
    for array in (x, *start, *dstates, *layer.params):
        array.flags.writeable = False
    run(layer, x, start, dstates)


# Kinds of numbers


@kinds
@pytest.mark.parametrize("m", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.complex64, np.complex128])
@pytest.mark.parametrize("lengths", [None, LENGTHS], ids=["whole", "ragged"])
def test_types_are_kept(kind, dtype, m, lengths):
    layer, x, start, dstates = prepare(kind, dtype=dtype, m=m)
    lengths = None if lengths is None else lengths[:m]
    for given_start in (start, []):
        found = run(layer, x, given_start, dstates, lengths) | cached(layer.caches())
        assert {array.dtype for array in found.values()} == {np.dtype(dtype)}


@kinds
@pytest.mark.parametrize("n_a", [5, 64])
@pytest.mark.parametrize("m", [1, 40])
def test_float32_is_float64_within_its_rounding(kind, n_a, m):
    layer, *given_ = prepare(kind, dtype=np.float32, n_a=n_a, m=m, T_x=50)
    wide = kind.layer(cast(layer.params, float))
    same(run(layer, *given_), run(wide, *cast(given_, float)), FLOAT32)


@kinds
def test_whole_numbers_are_computed_with(kind):
    sizes = SIZES | {"n_states": kind.n_states}
    params = kind.params(*(np.rint(3 * w).astype(int) for w in kind.draw(n_x=4, n_a=5)))
    x, start, dstates = (
        [np.rint(3 * a).astype(int) for a in arrays] for arrays in map(list, sequences(**sizes))
    )
    whole = np.array(x), start, dstates
    fractions = kind.layer(cast(params, float))
    identical(run(kind.layer(params), *whole), run(fractions, *cast(list(whole), float)))


@kinds
@pytest.mark.parametrize("size", [1e4, 1e30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_large_inputs_stay_finite(kind, dtype, size):
    layer, x, start, dstates = prepare(kind, dtype=dtype)
    found = run(layer, dtype(size) * x, start, dstates)
    assert all(np.isfinite(array).all() for array in found.values())


# Derivatives


@layouts
@kinds
@pytest.mark.parametrize("changes", [{"T_x": 3}, {"m": 1, "T_x": 3}, {"n_a": 1}], ids=str)
@pytest.mark.parametrize("lengths", [None, [2, 3, 1]], ids=["whole", "ragged"])
def test_gradients_are_derivatives(kind, layout, changes, lengths):
    with laid_out(layout):
        layer, x, start, dstates = prepare(kind, n_x=2, **{"n_a": 3, **changes})
        lengths = lengths and np.array(lengths[: x.shape[1]])
        found = run(layer, x, start, dstates, lengths)
        arrays = {"dx": x} | {f"dstart[{i}]": s for i, s in enumerate(start)}
        arrays |= {f"grads.{name}": w for name, w in layer.params._asdict().items()}

        for name, array in arrays.items():

            def loss(w, name=name):
                x, *more = (arrays | {name: w}).values()
                start, weights = more[: kind.n_states], more[kind.n_states :]
                other = kind.layer(kind.params(*weights))
                other.forward(x, *start, lengths=lengths)
                return sum((s * d).sum() for s, d in zip(other.states, dstates, strict=True))

            close(found[name], complex_step(loss, array))


# One run after another


@layouts
@kinds
@pytest.mark.parametrize("m", [1, 3])
def test_runs_do_not_disturb_each_other(kind, layout, m):
    """The same shape again, another shape and another type between: nothing is left over."""
    with laid_out(layout):
        layer, *first = prepare(kind, m=m)
        others = [sequences(7, n_states=kind.n_states, **(SIZES | {"m": m}))]
        others += [sequences(8, n_states=kind.n_states, **(SIZES | {"m": m + 1, "T_x": 9}))]
        others += [sequences(9, n_states=kind.n_states, **(SIZES | {"m": m}))]
        narrow = kind.layer(cast(layer.params, np.float32))
        found = run(layer, *first)
        found |= cached(layer.caches())
        before = copies(found)
        for other in others:
            identical(run(layer, *other), run(kind.layer(layer.params), *other))
            identical(found, before)
        identical(run(layer, *first) | cached(layer.caches()), before)
        layer.params = narrow.params  # with x of float64 the same type, with float32 another
        identical(run(layer, *cast(first, np.float32)), run(narrow, *cast(first, np.float32)))


@kinds
def test_backward_twice_gives_the_same(kind):
    layer, x, start, dstates = prepare(kind)
    layer.forward(x, *start)

    def back(*dstates):
        dx, *dstart, grads = layer.backward(*dstates)
        return {str(i): array for i, array in enumerate([dx, *dstart, *grads])}

    once = back(*dstates)
    before = copies(once)
    back(*(2 * d for d in dstates))
    identical(once, before)
    identical(back(*dstates), before)


@kinds
def test_caches_are_whole_after_backward(kind):
    layer, *given_ = prepare(kind)
    layer.forward(given_[0], *given_[1])
    before = copies(cached(layer.caches()))
    layer.backward(*given_[2])
    identical(cached(layer.caches()), before)


@kinds
@pytest.mark.parametrize("m", [1, 3])
def test_parameters_changed_in_place_are_seen(kind, m):
    layer, *given_ = prepare(kind, m=m)
    run(layer, *given_)
    for w in layer.params:
        w *= -0.5
    assert_clear(kind, layer, *given_)


@kinds
def test_parameters_that_are_set_are_seen(kind):
    layer, *given_ = prepare(kind)
    run(layer, *given_)
    layer.params = kind.draw(5, n_x=SIZES["n_x"], n_a=SIZES["n_a"])
    assert_clear(kind, layer, *given_)


@kinds
@pytest.mark.parametrize(
    "copied", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_copy_is_a_layer_of_its_own(kind, copied):
    layer, *given_ = prepare(kind)
    expected = copies(run(layer, *given_))
    other = copied(layer)
    with pytest.raises(RuntimeError, match="run forward first"):
        other.backward(*given_[2])
    _, *more = prepare(kind, seed=1)
    layer.forward(*given_[:1], *given_[1])
    run(other, *more)
    dx, *_ = layer.backward(*given_[2])
    np.testing.assert_array_equal(dx, expected["dx"])
    identical(run(other, *given_), expected)


# Ragged lengths


@layouts
@kinds
def test_ragged_is_each_example_alone(kind, layout):
    with laid_out(layout):
        layer, x, start, dstates = prepare(kind)
        found = run(layer, x, start, dstates, LENGTHS)
        grads = {name: 0 for name in found if name.startswith("grads")}
        for i, length in enumerate(LENGTHS):
            one, real = slice(i, i + 1), slice(length)
            own = [s[one] for s in start], [d[real, one] for d in dstates]
            alone = run(kind.layer(layer.params), x[real, one], *own)
            for name, array in alone.items():
                if name in grads:
                    grads[name] = grads[name] + array
                elif name.startswith(("states", "dx")):
                    close(found[name][real, one], array)
                    assert not found[name][length:, i].any()
                else:
                    close(found[name][one], array)
        same({name: found[name] for name in grads}, grads)


@few
@given(
    seed=seeds,
    name=st.sampled_from(list(KINDS)),
    padding=st.sampled_from([np.nan, np.inf, 1e30, 0.0]),
    more=st.integers(0, 3),
    lengths=st.lists(st.integers(1, SIZES["T_x"]), min_size=1, max_size=4),
)
def test_padding_has_no_effect_whatever_it_holds(seed, name, padding, more, lengths):
    kind, lengths = KINDS[name], np.array(lengths)
    layer, x, start, dstates = prepare(kind, seed, m=len(lengths))
    expected = run(layer, x, start, dstates, lengths)
    none = np.arange(len(x) + more)[:, None] >= lengths

    def padded(array):
        array = np.concatenate([array, np.zeros((more, *array.shape[1:]))])
        return np.where(none[:, :, None], padding, array)

    found = run(layer, padded(x), start, [padded(d) for d in dstates], lengths)
    for over_time in ("states[0]", "states[1]", "dx"):
        if over_time in found:
            assert not found[over_time][len(x) :].any()
            found[over_time] = found[over_time][: len(x)]
    same(found, expected)


@kinds
def test_full_lengths_are_no_lengths(kind):
    layer, *given_ = prepare(kind)
    full = np.full(SIZES["m"], SIZES["T_x"])
    identical(run(layer, *given_, full), run(layer, *given_))
    identical(run(layer, *given_, full.astype(np.uint8)), run(layer, *given_))


# What holds for any recurrent layer


@few
@given(seed=seeds, name=st.sampled_from(list(KINDS)), m=st.integers(1, 5))
def test_order_of_examples_does_not_matter(seed, name, m):
    layer, x, start, dstates = prepare(KINDS[name], seed, m=m)
    order = np.random.default_rng(seed).permutation(m)
    expected = run(layer, x, start, dstates)
    for key, array in expected.items():
        if not key.startswith("grads"):
            expected[key] = array[..., order, :]
    moved = x[:, order], [s[order] for s in start], [d[:, order] for d in dstates]
    same(run(layer, *moved), expected)


@few
@given(seed=seeds, name=st.sampled_from(list(KINDS)), cut=st.integers(1, SIZES["T_x"] - 1))
def test_two_runs_make_a_long_one(seed, name, cut):
    kind = KINDS[name]
    layer, x, start, dstates = prepare(kind, seed)
    whole = run(layer, x, start, dstates)
    early_layer, late_layer = (kind.layer(layer.params) for _ in range(2))
    early_layer.forward(x[:cut], *start)
    late = run(late_layer, x[cut:], early_layer.last, [d[cut:] for d in dstates])
    early_dstates = [d[:cut].copy() for d in dstates]
    for i, d in enumerate(early_dstates):
        d[-1] += late[f"dstart[{i}]"]
    early = run(early_layer, x[:cut], start, early_dstates)
    both = {}
    for key in whole:
        if key.startswith(("states", "dx")):
            both[key] = np.concatenate([early[key], late[key]])
        else:
            grads = key.startswith("grads")
            both[key] = early[key] + late[key] if grads else (late, early)["dstart" in key][key]
    same(both, whole)


@few
@given(seed=seeds, name=st.sampled_from(list(KINDS)), m=st.integers(1, 3))
def test_one_step_is_the_cell(seed, name, m):
    kind = KINDS[name]
    layer, x, start, dstates = prepare(kind, seed, T_x=1, m=m)
    found = run(layer, x, start, dstates)
    *states, cache = kind.cell_forward(x[0], *start, layer.params)
    dx_t, *dstart, grads = kind.cell_backward(*(d[0] for d in dstates), cache, layer.params)
    expected = {f"states[{i}]": s[None] for i, s in enumerate(states)}
    expected |= {f"last[{i}]": s for i, s in enumerate(states)}
    expected |= {"dx": dx_t[None]} | {f"dstart[{i}]": d for i, d in enumerate(dstart)}
    same(found, expected | {f"grads.{name}": w for name, w in grads._asdict().items()})
    same(cached(layer.caches()), cached([cache]))


@kinds
@pytest.mark.parametrize("m", [1, 3])
def test_zero_weights_are_done_by_hand(kind, m):
    """Half of the memory stays each step where a gate is 1/2, and an RNN remembers nothing."""
    layer, x, start, dstates = prepare(kind, m=m)
    for w in layer.params:
        w[...] = 0
    layer.forward(x, *start)
    halved = start[-1] * 0.5 ** np.arange(1, len(x) + 1)[:, None, None]
    memory = np.zeros_like(halved) if kind is KINDS["RNN"] else halved
    np.testing.assert_array_equal(layer.states[-1], memory)
    if kind is KINDS["LSTM"]:
        close(layer.states[0], np.tanh(halved) / 2)
    dx, *_ = layer.backward(*dstates)
    assert not dx.any()


# Memory


@pytest.mark.parametrize(
    ("name", "most"), [("RNN", 3), ("GRU", 10), ("ResetAfterGRU", 10), ("LSTM", 12)]
)
def test_memory_of_activations(name, most):
    """At the peak of a training step, in numbers per step, example and unit, less what goes in
    (x, gradients of states, parameters) and what comes out (other gradients). It is the second
    step that counts: nothing more than a workspace is left of the first.
    """
    kind = KINDS[name]
    params = draw(kind.params, np.random.default_rng(0), np.float32, n_x=8, n_a=128)
    layer = kind.layer(params)
    x, da = np.ones((50, 32, 8), np.float32), np.ones((50, 32, 128), np.float32)
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(2):
            tracemalloc.reset_peak()
            layer.forward(x)
            dx, *dstart, grads = layer.backward(da)
            results = sum(array.nbytes for array in (dx, *dstart, *grads))
            peak = tracemalloc.get_traced_memory()[1]
            del dx, dstart, grads
    finally:
        tracemalloc.stop()
    assert (peak - results) / da.nbytes <= most


# Errors


@kinds
def test_shapes_are_named(kind):
    layer, x, start, dstates = prepare(kind)
    first, *others = start
    cases = [
        (x[..., 0], [], r"x has shape \(6, 3\); \(T_x, m, n_x\) is expected with n_x = 4"),
        (x[..., :3], [], r"x has shape \(6, 3, 3\); \(T_x, m, n_x\) is expected with n_x = 4"),
        (x[:0], [], r"x has shape \(0, 3, 4\), and so is empty; \(T_x, m, n_x\) is expected"),
        (x[:, :0], [], r"x has shape \(6, 0, 4\), and so is empty"),
        (x, [first.T, *others], r"start\[0\] has shape \(5, 3\); \(m, n_a\) .* m = 3, n_a = 5"),
        (x, [first[:2], *others], r"start\[0\] has shape \(2, 5\); \(m, n_a\) is expected with"),
    ]
    for x_, start_, message in cases:
        with pytest.raises(ValueError, match=message):
            layer.forward(x_, *start_)
    layer.forward(x, *start)
    message = r"dstates\[0\] has shape \(6, 3, 4\); \(T_x, m, n_a\) .* T_x = 6, m = 3, n_a = 5"
    with pytest.raises(ValueError, match=message):
        layer.backward(dstates[0][..., :4])
    same(run(layer, x, start, dstates), run_clear(kind, layer.params, x, start, dstates)[0])


@kinds
def test_other_than_arrays_is_named(kind):
    layer, x, start, dstates = prepare(kind)
    n = kind.n_states
    with pytest.raises(TypeError, match=r"x is a list; an ndarray \(T_x, m, n_x\) is expected"):
        layer.forward(x.tolist())
    with pytest.raises(TypeError, match="x holds bool; numbers is expected"):
        layer.forward(x > 0)
    with pytest.raises(TypeError, match=r"start\[0\] is a NoneType"):
        layer.forward(x, *[None] * n)
    with pytest.raises(TypeError, match=f"{n + 1} start states; {n} are expected, or none"):
        layer.forward(x, *start, start[0])
    layer.forward(x)
    with pytest.raises(TypeError, match=r"dstates\[0\] is a list; an ndarray \(T_x, m, n_a\)"):
        layer.backward(dstates[0].tolist())
    for count in (0, n + 1):
        with pytest.raises(TypeError, match=f"{count} gradients of states; 1 to {n} are expected"):
            layer.backward(*dstates[:1] * count)


@pytest.mark.parametrize(
    ("lengths", "error", "message"),
    [
        ([6, 7, 1], ValueError, r"lengths\[1\] is 7; 1 to 6 is expected"),
        ([6, 3, 0], ValueError, r"lengths\[2\] is 0; 1 to 6 is expected"),
        ([-1, 3, 1], ValueError, r"lengths\[0\] is -1; 1 to 6 is expected"),
        ([1.0, 2.0, 3.0], TypeError, "lengths holds float64; int is expected"),
        ([1, 2], ValueError, r"lengths has shape \(2,\); \(m,\) is expected with m = 3"),
        ([[1, 2, 3]], ValueError, r"lengths has shape \(1, 3\); \(m,\) is expected"),
        ([True, True, True], TypeError, "lengths holds bool; int is expected"),
    ],
)
def test_lengths_are_held_in_their_range(lengths, error, message):
    layer, x, *_ = prepare(KINDS["RNN"])
    with pytest.raises(error, match=message):
        layer.forward(x, lengths=np.array(lengths))
    with pytest.raises(TypeError, match="lengths is a list; an ndarray"):
        layer.forward(x, lengths=lengths)


@kinds
@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_a_parameter_that_is_not_finite_is_named(kind, wrong):
    layer, x, *_ = prepare(kind)
    for name, w in layer.params._asdict().items():
        before = w.flat[-1]
        w.flat[-1] = wrong
        message = rf"params\.{name} is not finite: it holds nan or infinity"
        with pytest.raises(ValueError, match=message):
            layer.forward(x)
        with pytest.raises(ValueError, match=message):
            kind.layer(layer.params)
        w.flat[-1] = before
    layer.forward(x)


def test_large_parameters_are_finite():
    """Their squares are not, which a quick look at them takes."""
    params = cast(KINDS["RNN"].draw(n_x=4, n_a=5), np.float32)
    params.Wax[...] = 1e30
    assert np.isfinite(RNN(params).forward(np.ones((6, 3, 4), np.float32))).all()


@kinds
def test_parameters_of_another_kind_are_refused(kind):
    for other in KINDS.values():
        if other is not kind:
            name, wanted = other.params.__name__, kind.params.__name__
            with pytest.raises(TypeError, match=f"params is a {name}; {wanted} is expected"):
                kind.layer(other.draw(n_x=4, n_a=5))
    with pytest.raises(TypeError, match="params is a list"):
        kind.layer(list(kind.draw(n_x=4, n_a=5)))
    with pytest.raises(TypeError, match="params is a dict; a NamedTuple with `shapes` is expected"):
        kind.unrolled(kind.draw(n_x=4, n_a=5)._asdict())


@kinds
def test_shapes_of_parameters_are_named(kind):
    params = kind.draw(n_x=4, n_a=5)
    last = params._fields[-1]
    with pytest.raises(ValueError, match=rf"params\.{last} has shape \(4,\); \(n_a,\) .*n_a = 5"):
        kind.layer(params._replace(**{last: params[-1][1:]}))
    with pytest.raises(TypeError, match=rf"params\.{last} is a list"):
        kind.layer(params._replace(**{last: params[-1].tolist()}))
    layer = kind.layer(params)
    with pytest.raises(ValueError, match="is expected with n_a = 5"):
        layer.params = kind.draw(n_x=4, n_a=6)
    assert layer.params is params


@kinds
def test_backward_needs_forward(kind):
    layer, x, _, dstates = prepare(kind)
    for remembered in (lambda: layer.backward(*dstates), layer.caches, lambda: layer.last):
        with pytest.raises(RuntimeError, match="run forward first"):
            remembered()
    layer.forward(x)
    layer.params[0][0, 0] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        layer.forward(x)
    layer.params[0][0, 0] = 0
    with pytest.raises(RuntimeError, match="run forward first"):  # not of the run before
        layer.backward(*dstates)


@kinds
def test_states_cannot_be_written_to_by_mistake(kind):
    layer, x, *_ = prepare(kind)
    for lengths in (None, LENGTHS):
        layer.forward(x, lengths=lengths)
        for state in layer.states:
            with pytest.raises(ValueError, match="read-only"):
                state[0] = 0


# The cell of a model; any cell


def test_an_rnn_takes_a_models_parameters():
    model = parameters(RNNModelParams, 0, n_x=4, n_a=5, n_y=2)
    cell = RNNParams(model.Wax, model.Waa, model.ba)
    given_ = sequences(**SIZES)
    layer = RNN(model)
    identical(run(layer, *given_), run(RNN(cell), *given_))
    assert layer.params is model
    assert type(layer.backward(*given_[2])[-1]) is RNNParams


def test_unrolled_says_how_it_is_used():
    assert doctest.testmod(unrolled) == (0, 4)


def test_unrolled_without_backward_only_runs_forward():
    kind = KINDS["RNN"]
    layer, x, start, dstates = prepare(kind)
    forward_only = kind.unrolled(layer.params)
    forward_only.cell_backward = None
    close(forward_only.forward(x, *start), layer.forward(x, *start))
    with pytest.raises(RuntimeError, match="no cell_backward"):
        forward_only.backward(*dstates)


def test_gradients_have_the_parameters_type():
    layer, x, *_ = prepare(KINDS["LSTM"])
    assert isinstance(layer, LSTM)
    assert type(layer.backward(layer.forward(x))[-1]) is LSTMParams
