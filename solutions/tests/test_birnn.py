"""Proofs of unit 07: derivatives to rounding, PyTorch, examples read alone, spans by definition."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from course.given import (
    GRU,
    LSTM,
    RNN,
    Bidirectional,
    GRUParams,
    LSTMParams,
    ResetAfterGRU,
    ResetAfterGRUParams,
    RNNParams,
    Unrolled,
)
from solutions import birnn, gru, lstm
from solutions.bptt import rnn_cell_backward
from solutions.rnn import rnn_cell_forward
from solutions.tests.proofs import close, complex_step, normal, parameters

SIZES = {"T_x": 6, "m": 4, "n_x": 3, "n_a": 5}
RAGGED = np.array([4, 6, 1, 5])
ONES = dict.fromkeys(SIZES, 1)
some_sizes = st.fixed_dictionaries({letter: st.integers(1, 5) for letter in SIZES})
seeds = st.integers(0, 2**32 - 5)  # the four seeds that follow are used, too
few = settings(deadline=None, max_examples=15)
ROUNDING = 1e-9  # of sums in another order, in arrays drawn so often that some sums nearly cancel

FAST = {RNNParams: RNN, GRUParams: GRU, ResetAfterGRUParams: ResetAfterGRU, LSTMParams: LSTM}
CELLS = {
    RNNParams: (rnn_cell_forward, rnn_cell_backward),
    GRUParams: (gru.gru_cell_forward, gru.gru_cell_backward),
    ResetAfterGRUParams: (gru.reset_after_gru_cell_forward, gru.reset_after_gru_cell_backward),
    LSTMParams: (lstm.lstm_cell_forward, lstm.lstm_cell_backward),
}
KINDS = pytest.mark.parametrize("kind", FAST, ids=lambda kind: kind.__name__)


def layer(params):
    """A layer of the reference's own cells."""
    kind = type(params)
    return Unrolled(*CELLS[kind], params, n_states=2 if kind is LSTMParams else 1)


def fast_layer(params):
    return FAST[type(params)](params)


def ragged(seed, T_x, m):
    return np.random.default_rng(seed).integers(1, T_x + 1, size=m)


def padding(lengths, T_x):
    """Where there is padding: (T_x, m) ndarray of bool."""
    return np.array([[t >= length for length in lengths] for t in range(T_x)])


def draw(kind, seed=0, lengths=None, *, T_x, m, n_x, n_a, n_a_backward=None):
    """x, lengths, the two layers' parameters, and an upstream gradient da."""
    ahead = parameters(kind, seed, n_x=n_x, n_a=n_a)
    back = parameters(kind, seed + 1, n_x=n_x, n_a=n_a_backward or n_a)
    lengths = ragged(seed + 4, T_x, m) if lengths is None else lengths
    da = normal(seed + 3, T_x, m, n_a + (n_a_backward or n_a))
    return normal(seed + 2, T_x, m, n_x), lengths, ahead, back, da


def run(x, lengths, ahead, back, da, make=layer):
    """a, dx and both layers' grads; nothing handed in may be written to."""
    for array in (x, lengths, da, *ahead, *back):
        array.flags.writeable = False
    layers = make(ahead), make(back)
    a = birnn.birnn_forward(x, lengths, *layers)
    return a, *birnn.birnn_backward(da, lengths, *layers)


def assert_same(actual, expected, rtol=1e-12):
    for one, other in zip(actual, expected, strict=True):
        close(one, other, rtol)


def assert_runs_same(actual, expected, rtol=1e-12):
    assert_same(actual[:2], expected[:2], rtol)
    assert_same(actual[2], expected[2], rtol)
    assert_same(actual[3], expected[3], rtol)


# Reversing


def test_reverse_sequences_by_hand():
    x = np.array([[1, 10, 100], [2, 20, 200], [3, 30, 300], [4, 40, 400]])
    expected = np.array([[3, 40, 100], [2, 30, 200], [1, 20, 300], [4, 10, 400]])
    turned = birnn.reverse_sequences(x[:, :, None], np.array([3, 4, 1]))
    np.testing.assert_array_equal(turned, expected[:, :, None], strict=True)


@given(seed=seeds, sizes=some_sizes)
@few
def test_reversing_moves_whole_steps_and_leaves_padding(seed, sizes):
    T_x, m = sizes["T_x"], sizes["m"]
    x, lengths = normal(seed, T_x, m, sizes["n_x"]), ragged(seed, T_x, m)
    x.flags.writeable = lengths.flags.writeable = False
    turned = birnn.reverse_sequences(x, lengths)
    assert not np.shares_memory(turned, x)
    for i, length in enumerate(lengths):
        order = [*range(length - 1, -1, -1), *range(length, T_x)]
        np.testing.assert_array_equal(turned[:, i], x[order, i])
    np.testing.assert_array_equal(birnn.reverse_sequences(turned, lengths), x)


@pytest.mark.parametrize("kind", [np.float32, np.float64, np.complex128])
@pytest.mark.parametrize("of_lengths", [np.int64, np.int32, np.uint8, np.uint64])
def test_reversing_keeps_the_type(kind, of_lengths):
    x = normal(0, 6, 4, 3).astype(kind)
    turned = birnn.reverse_sequences(x, RAGGED.astype(of_lengths))
    np.testing.assert_array_equal(turned, birnn.reverse_sequences(x, RAGGED), strict=True)
    assert turned.dtype == kind


# By hand: a cell that adds up what it reads


def sum_forward(x_t, a_prev, params):
    return a_prev + x_t @ params.Wax.T, x_t


def sum_backward(da, cache, params):
    zero = np.zeros_like
    return da @ params.Wax, da, RNNParams(da.T @ cache, zero(params.Waa), zero(params.ba))


def sum_layer(weight):
    params = RNNParams(np.full((1, 1), weight), np.zeros((1, 1)), np.zeros(1))
    return Unrolled(sum_forward, sum_backward, params)


def test_birnn_by_hand():
    """Sums from the left, and, three times as large, from the right; 99 is padding."""
    x = np.array([[1, 10], [2, 20], [3, 99]], float)[:, :, None]
    lengths = np.array([3, 2])
    layers = sum_layer(1.0), sum_layer(3.0)
    a = birnn.birnn_forward(x, lengths, *layers)
    np.testing.assert_array_equal(a[:, 0], [[1, 18], [3, 15], [6, 9]])
    np.testing.assert_array_equal(a[:, 1], [[10, 90], [30, 60], [0, 0]])

    da = np.broadcast_to([1.0, 100.0], a.shape)
    dx, ahead, back = birnn.birnn_backward(da, lengths, *layers)
    np.testing.assert_array_equal(dx[:, 0, 0], [3 + 300, 2 + 600, 1 + 900])
    np.testing.assert_array_equal(dx[:, 1, 0], [2 + 300, 1 + 600, 0])
    assert ahead.Wax == 1 + 3 + 6 + 10 + 30
    assert back.Wax == 100 * (6 + 5 + 3 + 30 + 20)


# Gradients


@KINDS
@pytest.mark.parametrize(
    ("sizes", "lengths"),
    [
        ({**SIZES, "n_a_backward": 2}, RAGGED),
        ({**SIZES, "T_x": 1, "n_a_backward": 2}, np.ones(4, int)),
        ({**SIZES, "m": 1, "n_a_backward": 2}, np.array([4])),
        (ONES, np.array([1])),
    ],
    ids=["all sizes differ", "one step", "one example", "all 1"],
)
def test_gradients(kind, sizes, lengths):
    """Gradients at padding are there and are ignored; dx is zero there, as the derivative is."""
    x, lengths, ahead, back, da = draw(kind, lengths=lengths, **sizes)
    a, dx, *grads = run(x, lengths, ahead, back, da)
    assert a.shape == da.shape
    assert [type(own) for own in grads] == [kind, kind]
    real = ~padding(lengths, len(x))[:, :, None]

    def loss(x=x, ahead=ahead, back=back):
        return (birnn.birnn_forward(x, lengths, layer(ahead), layer(back)) * da * real).sum()

    close(dx, complex_step(lambda w: loss(x=w), x))
    for name in kind._fields:
        derivative = complex_step(
            lambda w: loss(ahead=ahead._replace(**{name: w})), getattr(ahead, name)
        )
        close(getattr(grads[0], name), derivative)
        derivative = complex_step(
            lambda w: loss(back=back._replace(**{name: w})), getattr(back, name)
        )
        close(getattr(grads[1], name), derivative)


def test_layers_may_be_of_different_cells():
    x, lengths, ahead, _, _ = draw(LSTMParams, lengths=RAGGED, **SIZES)
    back = parameters(GRUParams, 7, n_x=3, n_a=2)
    da = normal(8, 6, 4, 7)
    a, dx, *grads = run(x, lengths, ahead, back, da)
    close(a[..., :5], layer(ahead).forward(x, lengths=lengths))
    assert [type(own) for own in grads] == [LSTMParams, GRUParams]
    real = ~padding(lengths, 6)[:, :, None]

    def loss(w):
        return (birnn.birnn_forward(w, lengths, layer(ahead), layer(back)) * da * real).sum()

    close(dx, complex_step(loss, x))


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


@pytest.mark.parametrize(("kind", "name", "translate"), PYTORCH, ids=["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize(
    ("sizes", "lengths"),
    [
        (SIZES, RAGGED),
        ({**SIZES, "T_x": 8}, RAGGED),
        ({**SIZES, "m": 1}, np.array([6])),
        (ONES, np.array([1])),
    ],
    ids=["ragged", "none as long as T_x", "one example", "all 1"],
)
def test_pytorch_computes_the_same(kind, name, translate, sizes, lengths):
    torch = pytest.importorskip(
        "torch", reason="PyTorch is not installed: this comparison is skipped"
    )
    rnn = torch.nn.utils.rnn
    x, lengths, ahead, back, da = draw(kind, lengths=lengths, **sizes)
    theirs = getattr(torch.nn, name)(
        sizes["n_x"], sizes["n_a"], bidirectional=True, dtype=torch.float64
    )
    state = {key: torch.tensor(w) for key, w in translate(ahead).items()}
    state |= {key + "_reverse": torch.tensor(w) for key, w in translate(back).items()}
    theirs.load_state_dict(state)
    tx = torch.tensor(x, requires_grad=True)
    packed = rnn.pack_padded_sequence(tx, torch.tensor(lengths), enforce_sorted=False)
    out, _ = rnn.pad_packed_sequence(theirs(packed)[0], total_length=len(x))
    out.backward(torch.tensor(da))

    a, dx, *grads = run(x, lengths, ahead, back, da)
    close(a, out.detach())
    close(dx, tx.grad)
    shared = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")
    for own, suffix in zip(grads, ("", "_reverse"), strict=True):
        ours = translate(own)
        for key in shared:
            close(ours[key], getattr(theirs, key + suffix).grad)
        if kind is ResetAfterGRUParams:  # elsewhere the second bias is PyTorch's alone
            candidate = slice(2 * sizes["n_a"], None)
            second = getattr(theirs, "bias_hh_l0" + suffix).grad
            close(ours["bias_hh_l0"][candidate], second[candidate])


# What holds for any bidirectional network


@KINDS
@few
@given(seed=seeds, sizes=some_sizes)
def test_a_ragged_batch_is_its_examples_read_alone(kind, seed, sizes):
    """Each example without its padding, first to last and last to first."""
    x, lengths, ahead, back, da = draw(kind, seed, **sizes)
    a, dx, *grads = (
        np.zeros_like(da),
        np.zeros_like(x),
        *(kind(*map(np.zeros_like, params)) for params in (ahead, back)),
    )
    n_a = sizes["n_a"]
    for i, length in enumerate(lengths):
        one = slice(i, i + 1)
        for params, half, turn, total in zip(
            (ahead, back), (slice(n_a), slice(n_a, None)), (1, -1), grads, strict=True
        ):
            alone = layer(params)
            a[:length, one, half] = alone.forward(x[:length, one][::turn])[::turn]
            dx_i, *_, own = alone.backward(da[:length, one, half][::turn])
            dx[:length, one] += dx_i[::turn]
            for sum_, grad in zip(total, own, strict=True):
                sum_ += grad
    assert_runs_same(run(x, lengths, ahead, back, da), (a, dx, *grads), ROUNDING)


@KINDS
@few
@given(seed=seeds, sizes=some_sizes)
def test_read_from_the_end_by_each_other_the_layers_change_places(kind, seed, sizes):
    x, lengths, ahead, back, da = draw(kind, seed, **sizes)
    a, dx, of_ahead, of_back = run(x, lengths, ahead, back, da)

    def turned(values):
        left, right = np.split(values, [sizes["n_a"]], axis=-1)
        return birnn.reverse_sequences(np.concatenate([right, left], axis=-1), lengths)

    other = run(birnn.reverse_sequences(x, lengths), lengths, back, ahead, turned(da))
    np.testing.assert_array_equal(other[0], turned(a))
    np.testing.assert_array_equal(other[1], birnn.reverse_sequences(dx, lengths))
    for one, two in zip((*other[2], *other[3]), (*of_back, *of_ahead), strict=True):
        np.testing.assert_array_equal(one, two)


@pytest.mark.parametrize("make", [layer, fast_layer], ids=["clear", "fast"])
@KINDS
@few
@given(seed=seeds, sizes=some_sizes)
def test_what_padding_holds_changes_nothing_at_all(make, kind, seed, sizes):
    x, lengths, ahead, back, da = draw(kind, seed, **sizes)
    at = padding(lengths, len(x))
    x_other, da_other = x.copy(), da.copy()
    x_other[at] = 1e6 * normal(seed, *x[at].shape)
    da_other[at] = 1e6
    a, dx, *grads = run(x, lengths, ahead, back, da, make)
    a_other, dx_other, *grads_other = run(x_other, lengths, ahead, back, da_other, make)
    assert not a[at].any()
    assert not dx[at].any()
    np.testing.assert_array_equal(a_other, a)
    np.testing.assert_array_equal(dx_other, dx)
    for one, other in zip((*grads_other[0], *grads_other[1]), (*grads[0], *grads[1]), strict=True):
        np.testing.assert_array_equal(one, other)


@KINDS
@few
@given(seed=seeds, sizes=some_sizes)
def test_more_padding_adds_zeros_only(kind, seed, sizes):
    x, lengths, ahead, back, da = draw(kind, seed, **sizes)
    more_x, more_da = (np.concatenate([v, np.ones((2, *v.shape[1:]))]) for v in (x, da))
    a, dx, *grads = run(more_x, lengths, ahead, back, more_da)
    assert not a[-2:].any()
    assert not dx[-2:].any()
    assert_runs_same((a[:-2], dx[:-2], *grads), run(x, lengths, ahead, back, da), ROUNDING)


@few
@given(seed=seeds, sizes=some_sizes, data=st.data())
def test_one_half_knows_the_past_and_the_other_the_future(seed, sizes, data):
    x, lengths, ahead, back, _ = draw(LSTMParams, seed, **sizes)
    i = data.draw(st.integers(0, sizes["m"] - 1))
    t = data.draw(st.integers(0, int(lengths[i]) - 1))
    changed = x.copy()
    changed[t, i] += 1
    layers = layer(ahead), layer(back)
    before = birnn.birnn_forward(x, lengths, *layers)
    after = birnn.birnn_forward(changed, lengths, *layers)
    past, future = np.split((before != after).any(axis=1), [sizes["n_a"]], axis=-1)
    past, future = past.any(axis=-1), future.any(axis=-1)  # at which steps each half differs
    assert not past[:t].any()
    assert not future[t + 1 :].any()
    assert past[t]
    assert future[t]
    others = np.arange(sizes["m"]) != i
    np.testing.assert_array_equal(before[:, others], after[:, others])


@KINDS
def test_the_course_s_own_layer_computes_the_same(kind):
    x, lengths, ahead, back, da = draw(kind, lengths=RAGGED, **SIZES)
    fast = Bidirectional(FAST[kind](ahead), FAST[kind](back))
    a = fast.forward(x, lengths=lengths)
    dx, *_, grads = fast.backward(da)
    assert_runs_same(run(x, lengths, ahead, back, da), (a, dx, *grads))


@KINDS
def test_float32_stays_float32(kind):
    x, lengths, ahead, back, da = draw(kind, lengths=RAGGED, **SIZES)
    exact = run(x, lengths, ahead, back, da)
    ahead, back = (kind(*(w.astype(np.float32) for w in params)) for params in (ahead, back))
    narrow = run(x.astype(np.float32), lengths, ahead, back, da.astype(np.float32))
    a, dx, *grads = narrow
    assert {array.dtype for array in (a, dx, *grads[0], *grads[1])} == {np.dtype(np.float32)}
    # a float32 holds 7 digits; sums over 6 steps of 4 examples lose one or two of them
    assert_runs_same(narrow, exact, rtol=1e-5)


# Tags


def test_predict_tags_by_hand():
    """Three steps of two examples, the second of two steps; its padding says 2 and nan."""
    y_hat = np.array(
        [
            [[0.2, 0.5, 0.3], [0.1, 0.1, 0.8]],
            [[0.6, 0.3, 0.1], [0.4, 0.4, 0.2]],
            [[0.0, 1e-30, 1e-40], [0.0, 0.0, 1.0]],
        ]
    )
    y_hat.flags.writeable = False
    expected = np.array([[1, 2], [0, 0], [1, 0]])
    tags = birnn.predict_tags(y_hat, np.array([3, 2]))
    np.testing.assert_array_equal(tags, expected, strict=True)
    y_hat = np.where(y_hat == 1, np.nan, y_hat).astype(np.float32)
    tags = birnn.predict_tags(y_hat, np.array([3, 2], np.uint8))
    np.testing.assert_array_equal(tags, [[1, 2], [0, 0], [1, 0]])
    assert tags.dtype.kind == "i"


@given(seed=seeds, sizes=some_sizes)
@few
def test_predict_tags_step_by_step(seed, sizes):
    T_x, m, n_y = sizes["T_x"], sizes["m"], sizes["n_x"]
    y_hat, lengths = normal(seed, T_x, m, n_y), ragged(seed, T_x, m)
    tags = birnn.predict_tags(y_hat, lengths)
    assert tags.shape == (T_x, m)
    for t, i in np.ndindex(T_x, m):
        if t < lengths[i]:
            assert y_hat[t, i, tags[t, i]] == max(y_hat[t, i])
        else:
            assert tags[t, i] == 0


# Spans

TAGS = ".PpLl"  # O; a person's name begins, goes on; a place's name begins, goes on


def tagged_by_hand(sentences):
    """Tags, time first, of sentences with a blank between."""
    tags = np.array([[TAGS.index(letter) for letter in one] for one in sentences.split()]).T
    tags.flags.writeable = False
    return tags


@pytest.mark.parametrize(
    ("predicted", "true", "f1"),
    [
        ("...", "...", 1),
        (".P.", "...", 0),
        ("...", ".P.", 0),
        ("Pp.", "Pp.", 1),
        ("Ppp", "Pp.", 0),  # too long
        (".P.", "Pp.", 0),  # begins too late
        ("Pp.", "Ll.", 0),  # of another kind
        ("Pp.", "PP.", 0),  # one, or two side by side
        (".Pp", ".Pp", 1),  # up to the last step
        (".pp", ".Pp", 1),  # an I after O begins
        ("pp.", "Pp.", 1),  # at the first step, too
        ("Pl.", "PL.", 1),  # an I after another kind begins
        ("lpl", "LPL", 1),
        ("P.p", "P.P", 1),
        ("..L l..", "..L L..", 1),  # an I at the first step continues no other example
        ("P.. ...", "... P..", 0),  # of another example
        ("P.L", "P..", 2 / 3),  # precision 1/2, recall 1
        ("P..", "PLL", 1 / 2),  # precision 1, recall 1/3
        ("P.. PL.", "P.. PPP", 4 / 7),  # precision 2/3, recall 1/2; mean of examples: 7/10
    ],
)
def test_span_f1_by_hand(predicted, true, f1):
    predicted, true = tagged_by_hand(predicted), tagged_by_hand(true)
    assert birnn.span_f1(predicted, true) == f1
    assert birnn.span_f1(true, predicted) == f1
    assert type(birnn.span_f1(predicted, true)) is float


def spans_by_definition(tags):
    """Every stretch of every example that is a span: all are tried."""
    T_x, m = tags.shape

    def inside(t, i, kind):
        return t < T_x and tags[t, i] == 2 * kind + 2

    def begins(t, i, kind):
        continues = t > 0 and tags[t - 1, i] in (2 * kind + 1, 2 * kind + 2)
        return tags[t, i] == 2 * kind + 1 or (inside(t, i, kind) and not continues)

    return [
        (i, start, end, kind)
        for i in range(m)
        for start in range(T_x)
        for end in range(start + 1, T_x + 1)
        for kind in range(3)
        if begins(start, i, kind)
        and all(inside(t, i, kind) for t in range(start + 1, end))
        and not inside(end, i, kind)
    ]


def f1_by_definition(predicted, true):
    found, wanted = spans_by_definition(predicted), spans_by_definition(true)
    hits = sum(span in wanted for span in found)
    if not hits:
        return 0.0 if found or wanted else 1.0
    precision, recall = Fraction(hits, len(found)), Fraction(hits, len(wanted))
    return float(2 * precision * recall / (precision + recall))


@st.composite
def tagged(draw):
    """Predicted and true tags, of three kinds, which agree in many places."""
    shape = draw(array_shapes(min_dims=2, max_dims=2, max_side=6))
    true = draw(arrays(int, shape, elements=st.integers(0, 6)))
    guess = draw(arrays(int, shape, elements=st.integers(0, 6)))
    wrong = draw(arrays(bool, shape, elements=st.sampled_from([False, False, False, True])))
    return np.where(wrong, guess, true), true


many = settings(deadline=None, max_examples=100)


@given(tagged())
@many
def test_span_f1_is_its_definition(tags):
    assert birnn.span_f1(*tags) == f1_by_definition(*tags)


@given(tagged())
@many
def test_span_f1_is_one_for_the_same_spans_only(tags):
    same = spans_by_definition(tags[0]) == spans_by_definition(tags[1])
    assert (birnn.span_f1(*tags) == 1) == same


@given(tagged())
@few
def test_precision_and_recall_change_places(tags):
    assert birnn.span_f1(*tags) == birnn.span_f1(*reversed(tags))


@given(tagged(), st.randoms(use_true_random=False))
@few
def test_order_of_examples_does_not_matter(tags, random):
    order = list(range(tags[0].shape[1]))
    random.shuffle(order)
    assert birnn.span_f1(tags[0][:, order], tags[1][:, order]) == birnn.span_f1(*tags)


@given(tagged())
@few
def test_padding_and_types_of_tags_do_not_matter(tags):
    padded = [np.pad(one, [(0, 2), (0, 0)]).astype(np.uint8) for one in tags]
    assert birnn.span_f1(*padded) == birnn.span_f1(*tags)
