"""Proofs of unit 09: derivatives to rounding through both networks, PyTorch, brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.given import (
    GRU,
    LSTM,
    RNN,
    Checkpointed,
    GRUParams,
    LSTMParams,
    OutputParams,
    ResetAfterGRU,
    ResetAfterGRUParams,
    RNNParams,
    Stacked,
    Unrolled,
)
from solutions.gru import gru_cell_backward, gru_cell_forward, to_pytorch_gru
from solutions.language_model import sequence_log_probability
from solutions.lstm import lstm_cell_backward, lstm_cell_forward, to_pytorch_lstm
from solutions.rnn import output_forward, softmax
from solutions.seq2seq import (
    beam_search,
    decode_teacher_forced,
    decode_teacher_forced_backward,
    encode_sequence,
    encode_sequence_backward,
    greedy_decode,
)
from solutions.tests.proofs import close, complex_step, normal, parameters

EOS = 0
SIZES = {"T_x": 6, "T_y": 5, "m": 4, "n_x": 2, "n_a": 3, "n_v": 7}
SMALL = {**dict.fromkeys(SIZES, 1), "n_v": 2}  # with one class there is nothing to learn
both_sizes = pytest.mark.parametrize("sizes", [SIZES, SMALL], ids=["all sizes differ", "small"])
some_sizes = st.fixed_dictionaries({letter: st.integers(1, 5) for letter in SIZES})
seeds = st.integers(0, 2**32 - 7)  # the six seeds that follow are used, too
few = settings(deadline=None, max_examples=25)

KINDS = {"rnn": RNNParams, "gru": GRUParams, "reset after": ResetAfterGRUParams, "lstm": LSTMParams}
FAST = {"rnn": RNN, "gru": GRU, "reset after": ResetAfterGRU, "lstm": LSTM}
LOOPS = {
    "gru": lambda p: Unrolled(gru_cell_forward, gru_cell_backward, p),
    "lstm": lambda p: Unrolled(lstm_cell_forward, lstm_cell_backward, p, n_states=2),
}
fast = pytest.mark.parametrize("name", FAST)
layers = pytest.mark.parametrize(
    ("name", "layer"),
    [*FAST.items(), *LOOPS.items()],
    ids=[*FAST, *(f"{name}, by its cell" for name in LOOPS)],
)


def read_only(*arrays):
    for array in arrays:
        array.flags.writeable = False
    return arrays


def draw_lengths(rng, T, m):
    """Of m examples: one as long as T, the others as it comes."""
    lengths = rng.integers(1, T + 1, m)
    lengths[rng.integers(m)] = T
    return lengths


def draw_chain(name, seed=0, *, T_x, T_y, m, n_x, n_a, n_v):
    """Two networks, and a batch: (x, lengths, y, mask), (encoder, decoder, output) parameters."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_v, (T_y, m))
    mask = np.arange(T_y)[:, None] < draw_lengths(rng, T_y, m)
    batch = normal(seed + 1, T_x, m, n_x), draw_lengths(rng, T_x, m), y, mask
    params = (
        parameters(KINDS[name], seed + 2, n_x=n_x, n_a=n_a),
        parameters(KINDS[name], seed + 3, n_x=n_v, n_a=n_a),
        parameters(OutputParams, seed + 4, n_a=n_a, n_y=n_v),
    )
    read_only(*batch, *(w for part in params for w in part))
    return batch, params


def predict(batch, encoder, decoder, output):
    """The whole chain forward."""
    x, lengths, y, _mask = batch
    state = encode_sequence(x, lengths, encoder)
    n_v = len(output.by)
    return decode_teacher_forced(y, state, decoder, lambda a: output_forward(a, output), EOS, n_v)


def gradients(batch, encoder, decoder, output):
    """Those of minus the log-probability of all right tokens: dx, and of every parameter."""
    _, lengths, y, mask = batch
    y_hat = predict(batch, encoder, decoder, output)
    dscores = y_hat - (y[..., None] == np.arange(y_hat.shape[-1]))
    dscores = np.where(mask[..., None], dscores, 0).astype(y_hat.dtype)
    a = decoder.states[0]
    d_output = OutputParams(np.einsum("tmy,tma->ya", dscores, a), dscores.sum(axis=(0, 1)))
    dstate, d_decoder = decode_teacher_forced_backward(dscores @ output.Wya, decoder)
    assert type(dstate) is tuple
    dx, d_encoder = encode_sequence_backward(dstate, lengths, encoder)
    return dx, d_encoder, d_decoder, d_output


# Gradients


@layers
@both_sizes
def test_every_gradient_of_the_chain(name, layer, sizes):
    batch, (encoder, decoder, output) = draw_chain(name, **sizes)
    dx, *grads = gradients(batch, layer(encoder), layer(decoder), output)

    def loss(x=batch[0], **changed):
        parts = {"encoder": encoder, "decoder": decoder, "output": output, **changed}
        layers = layer(parts["encoder"]), layer(parts["decoder"])
        _, lengths, y, mask = batch
        y_hat = predict((x, lengths, y, mask), *layers, parts["output"])
        return -sequence_log_probability(y_hat, y, mask).sum()

    close(dx, complex_step(lambda x: loss(x=x), batch[0]))
    parts = {"encoder": encoder, "decoder": decoder, "output": output}
    for (part, params), grad in zip(parts.items(), grads, strict=True):
        assert type(grad) is type(params)
        for field, w in params._asdict().items():
            derivative = complex_step(
                lambda v, f=field, n=part, p=params: loss(**{n: p._replace(**{f: v})}), w
            )
            close(getattr(grad, field), derivative)


def to_pytorch(params):
    """The layer of PyTorch that computes the same, and a reader of its gradients."""
    torch = pytest.importorskip(
        "torch", reason="PyTorch is not installed: this comparison is skipped"
    )
    if isinstance(params, RNNParams):
        Wax, Waa, ba = params
        zero = np.zeros_like(ba)
        state = {"weight_ih_l0": Wax, "weight_hh_l0": Waa, "bias_ih_l0": ba, "bias_hh_l0": zero}
        kind, (n_a, n_x) = torch.nn.RNN, Wax.shape
    else:
        is_lstm = isinstance(params, LSTMParams)
        state = (to_pytorch_lstm if is_lstm else to_pytorch_gru)(params)
        kind, n_a = torch.nn.LSTM if is_lstm else torch.nn.GRU, len(params.bu)
        n_x = params.Wu.shape[1] - n_a
    theirs = kind(n_x, n_a, dtype=torch.float64)
    theirs.load_state_dict({key: torch.tensor(w) for key, w in state.items()})
    return theirs


def assert_pytorchs_gradients(grads, theirs):
    if isinstance(grads, RNNParams):
        ours = dict(zip(["weight_ih_l0", "weight_hh_l0", "bias_ih_l0"], grads, strict=True))
    elif isinstance(grads, LSTMParams):
        ours = to_pytorch_lstm(grads)
        del ours["bias_hh_l0"]
    else:
        ours = to_pytorch_gru(grads)
        n_a = len(grads.bu)
        close(ours.pop("bias_hh_l0")[2 * n_a :], theirs.bias_hh_l0.grad[2 * n_a :])
    for key, grad in ours.items():
        close(grad, getattr(theirs, key).grad)


@pytest.mark.parametrize("name", ["rnn", "reset after", "lstm"])
@both_sizes
def test_pytorch_computes_the_same(name, sizes):
    """With packed sequences, which stop at each example's last real step."""
    torch = pytest.importorskip(
        "torch", reason="PyTorch is not installed: this comparison is skipped"
    )
    batch, (encoder, decoder, output) = draw_chain(name, **sizes)
    x, lengths, y, mask = batch
    their_encoder, their_decoder = to_pytorch(encoder), to_pytorch(decoder)
    linear = torch.nn.Linear(*output.Wya.shape[::-1], dtype=torch.float64)
    linear.load_state_dict({"weight": torch.tensor(output.Wya), "bias": torch.tensor(output.by)})

    tx = torch.tensor(x, requires_grad=True)
    packed = torch.nn.utils.rnn.pack_padded_sequence(tx, lengths.tolist(), enforce_sorted=False)
    _, state = their_encoder(packed)
    shifted = np.vstack([np.full_like(y[:1], EOS), y[:-1]])
    one_hot = torch.nn.functional.one_hot(torch.tensor(shifted), sizes["n_v"]).double()
    scores = linear(their_decoder(one_hot, state)[0])
    gold = torch.tensor(np.where(mask, y, -100))  # -100 is what PyTorch ignores
    torch.nn.functional.cross_entropy(
        scores.flatten(0, 1), gold.flatten(), reduction="sum"
    ).backward()

    layers = FAST[name](encoder), FAST[name](decoder)
    close(predict(batch, *layers, output), scores.softmax(dim=-1).detach())
    for ours, theirs in zip(
        encode_sequence(x, lengths, layers[0]),
        state if name == "lstm" else [state],
        strict=True,
    ):
        close(ours, theirs.detach()[0])
    dx, d_encoder, d_decoder, d_output = gradients(batch, *layers, output)
    close(dx, tx.grad)
    assert_pytorchs_gradients(d_encoder, their_encoder)
    assert_pytorchs_gradients(d_decoder, their_decoder)
    close(d_output.Wya, linear.weight.grad)
    close(d_output.by, linear.bias.grad)


# The encoder


@fast
def test_each_state_is_that_of_the_example_read_alone(name):
    (x, lengths, *_), (encoder, *_) = draw_chain(name, **SIZES)
    state = encode_sequence(x, lengths, FAST[name](encoder))
    assert type(state) is tuple
    assert len(state) == (2 if name == "lstm" else 1)
    for i, length in enumerate(lengths):
        alone = FAST[name](encoder)
        alone.forward(x[:length, i : i + 1])
        for s, over_time in zip(state, alone.states, strict=True):
            close(s[i], over_time[-1, 0])


@few
@given(seed=seeds, sizes=some_sizes, name=st.sampled_from(list(FAST)))
def test_padding_neither_counts_nor_has_a_gradient(seed, sizes, name):
    (x, lengths, *_), (params, *_) = draw_chain(name, seed, **sizes)
    encoder = FAST[name](params)
    state = encode_sequence(x, lengths, encoder)
    dstate = tuple(normal(seed + 5 + i, *s.shape) for i, s in enumerate(state))
    dx, _ = encode_sequence_backward(dstate, lengths, encoder)
    padding = np.arange(len(x))[:, None] >= lengths
    assert not dx[padding].any()
    filled = np.where(padding[..., None], 100.0, x)
    for s, other in zip(state, encode_sequence(filled, lengths, encoder), strict=True):
        close(other, s)


def test_encoders_made_of_layers():
    """One upon another, and one that remembers little: as good an encoder as any."""
    (x, lengths, *_), (low, *_) = draw_chain("lstm", **SIZES)
    high = parameters(GRUParams, 9, n_x=SIZES["n_a"], n_a=4)
    state = encode_sequence(x, lengths, Stacked(LSTM(low), GRU(high)))
    dstate = read_only(*(normal(20 + i, *s.shape) for i, s in enumerate(state)))
    assert [s.shape[1] for s in state] == [4, 3, 3]

    def loss(x):
        state = encode_sequence(x, lengths, Stacked(LSTM(low), GRU(high)))
        return sum((s * d).sum() for s, d in zip(state, dstate, strict=True))

    stacked = Stacked(LSTM(low), GRU(high))
    encode_sequence(x, lengths, stacked)
    close(encode_sequence_backward(dstate, lengths, stacked)[0], complex_step(loss, x))

    plain, saving = LSTM(low), Checkpointed(LSTM(low), segments=3)
    for one, other in zip(
        encode_sequence(x, lengths, plain), encode_sequence(x, lengths, saving), strict=True
    ):
        close(other, one)
    dx, grads = encode_sequence_backward(dstate[1:], lengths, plain)
    saving_dx, saving_grads = encode_sequence_backward(dstate[1:], lengths, saving)
    close(saving_dx, dx)
    for one, other in zip(grads, saving_grads, strict=True):
        close(other, one)


class Reader:
    """An encoder of three steps that takes down the gradients it is given."""

    states = np.zeros((2, 3, 2, 1))

    def backward(self, *dstates):
        self.dstates = dstates
        return "dx", "da0", "dc0", "grads"


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_a_gradient_arrives_at_the_last_real_step(kind):
    reader, dstate = Reader(), tuple(np.array([[[5], [6]], [[7], [8]]], kind))
    assert encode_sequence_backward(dstate, np.array([3, 1]), reader) == ("dx", "grads")
    expected = [[[[0], [6]], [[0], [0]], [[5], [0]]], [[[0], [8]], [[0], [0]], [[7], [0]]]]
    for d, hand in zip(reader.dstates, expected, strict=True):
        np.testing.assert_array_equal(d, np.array(hand, kind), strict=True)


# The decoder, taught


class Scribe:
    """A decoder that takes down what it is given, and hands it on."""

    def forward(self, x, *state):
        self.x, self.state = x, state
        return x


@pytest.mark.parametrize("eos", [0, 2])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_decoder_reads_the_end_and_then_the_right_tokens(eos, kind):
    y, state = np.array([[3, 1], [0, 2], [1, 1]]), (np.ones((2, 5), kind), np.zeros((2, 5), kind))
    scribe = Scribe()
    y_hat = decode_teacher_forced(y, state, scribe, lambda a: a * 2, eos, 4)
    read = np.eye(4, dtype=kind)[[[eos, eos], [3, 1], [0, 2]]]
    np.testing.assert_array_equal(scribe.x, read, strict=True)
    np.testing.assert_array_equal(y_hat, 2 * read, strict=True)
    assert [id(s) for s in scribe.state] == [id(s) for s in state]


@few
@given(seed=seeds, sizes=some_sizes, data=st.data())
def test_no_prediction_has_seen_its_own_token_or_a_later_one(seed, sizes, data):
    sizes["n_v"] += 1
    batch, (encoder, decoder, output) = draw_chain("gru", seed, **sizes)
    x, lengths, y, mask = batch
    t = data.draw(st.integers(0, len(y) - 1))
    layers = GRU(encoder), GRU(decoder)
    y_hat = predict(batch, *layers, output)
    other = y.copy()
    other[t:] = (y[t:] + 1) % sizes["n_v"]
    changed = predict((x, lengths, other, mask), *layers, output)
    np.testing.assert_array_equal(changed[: t + 1], y_hat[: t + 1])
    if t + 1 < len(y):
        assert (changed[t + 1] != y_hat[t + 1]).any()


@fast
def test_float32_stays_float32(name):
    (x, lengths, y, mask), params = draw_chain(name, **SIZES)
    narrow = [type(p)(*(w.astype(np.float32) for w in p)) for p in params]
    encoder, decoder = FAST[name](narrow[0]), FAST[name](narrow[1])
    batch = x.astype(np.float32), lengths, y, mask
    y_hat = predict(batch, encoder, decoder, narrow[2])
    grads = gradients(batch, encoder, decoder, narrow[2])
    wide = gradients((x, lengths, y, mask), FAST[name](params[0]), FAST[name](params[1]), params[2])
    arrays = [grads[0], *grads[1], *grads[2], *grads[3]]
    assert {w.dtype for w in [y_hat, *encoder.last, *arrays]} == {np.dtype(np.float32)}
    for w, precise in zip(arrays, [wide[0], *wide[1], *wide[2], *wide[3]], strict=True):
        close(w, precise, rtol=1e-5)  # of 7 digits, sums over steps lose one or two


# The decoder, on its own


def model_step(decoder, output):
    """One step of a real decoder."""

    def step(token, state):
        x = (token == np.arange(len(output.by))).astype(float)
        a = decoder.forward(x[None, None], *state)
        return output_forward(a, output)[0, 0], decoder.last

    return step


def draw_model(name="lstm", seed=0, n_v=5, T_x=4):
    """A decoder's step, the state that it starts from, and its parts."""
    sizes = {**SIZES, "m": 1, "n_v": n_v, "T_x": T_x}
    (x, lengths, *_), (encoder, decoder, output) = draw_chain(name, seed, **sizes)
    decoder, output = FAST[name](decoder), output._replace(Wya=output.Wya * 6)
    state = encode_sequence(x, lengths, FAST[name](encoder))
    return model_step(decoder, output), state, decoder, output


def judge(tokens, state, decoder, output, max_length):
    """Teacher forcing's predictions for tokens and their end, if there is one; log-probability."""
    y = np.array([*tokens, EOS][:max_length])[:, None]
    n_v = len(output.by)
    y_hat = decode_teacher_forced(y, state, decoder, lambda a: output_forward(a, output), EOS, n_v)
    return y, y_hat, sequence_log_probability(y_hat, y, np.full(y.shape, True))[0]


@few
@given(seed=seeds, name=st.sampled_from(list(FAST)), max_length=st.integers(1, 6))
def test_teacher_forcing_confirms_what_the_decoder_writes(seed, name, max_length):
    step, state, decoder, output = draw_model(name, seed)
    tokens = greedy_decode(step, state, EOS, max_length)
    y, y_hat, _ = judge(tokens, state, decoder, output, max_length)
    np.testing.assert_array_equal(y_hat.argmax(axis=-1), y)
    for alpha in (0, 0.7):
        tokens, score = beam_search(step, state, EOS, max_length, 3, alpha)
        y, _, log_p = judge(tokens, state, decoder, output, max_length)
        assert score == pytest.approx(log_p / len(y) ** alpha, rel=1e-12)


START = (5, 5)


def table(seed, n_v, zeros=0.0, eos=EOS):
    """A model that predicts at random, but always the same after the same tokens.

    Its state is what it has read. A part of its tokens is impossible, as it comes, but never all.
    """

    def step(token, state):
        assert type(token) is int
        assert token != eos if state != START else token == eos
        history = (*state, token)
        rng = np.random.default_rng([seed, *history])
        y_hat = softmax(rng.standard_normal(n_v) * 1.5)
        y_hat[rng.random(n_v) < zeros] = 0
        y_hat[rng.integers(n_v)] += 0.1
        return y_hat / y_hat.sum(), history

    return step


def scripted(*rows):
    """A model that says row t at step t, whatever it reads; it begins with the state 0."""

    def step(token, state):
        return np.array(rows[state], float), state + 1

    return step


def tree(branches):
    """A model that looks up what it has read since the beginning, as a string of digits."""

    def step(token, state):
        history = state + str(token) if state is not None else ""
        return np.array(branches[history], float), history

    return step


def all_hypotheses(step, n_v, max_length, eos=EOS):
    """Every sequence there is: tokens without their end, log-probability, tokens drawn."""
    found, beam = [], [((), 0.0, START)]
    for length in range(1, max_length + 1):
        grown = []
        for tokens, log_p, state in beam:
            y_hat, state = step(tokens[-1] if tokens else eos, state)
            for token in np.flatnonzero(y_hat):
                longer = log_p + np.log(y_hat[token])
                if token == eos:
                    found.append((tokens, longer, length))
                else:
                    grown.append(((*tokens, int(token)), longer, state))
        beam = grown
    return found + [(tokens, log_p, max_length) for tokens, log_p, _ in beam]


def narrow_beam(step, n_v, max_length, width, alpha):
    """Beam search from its description, over the logarithms of everything: (tokens, score)."""
    beam, best = [([], 0.0, START)], ([], -np.inf)
    for length in range(1, max_length + 1):
        log_p, states = np.empty((len(beam), n_v)), []
        for i, (tokens, so_far, state) in enumerate(beam):
            y_hat, state = step(tokens[-1] if tokens else EOS, state)
            states.append(state)
            with np.errstate(divide="ignore"):
                log_p[i] = so_far + np.log(y_hat)
        kept = np.argsort(-log_p, axis=None)[: min(width, np.isfinite(log_p).sum())]
        parents, beam_before, beam = np.divmod(kept, n_v), beam, []
        for i, token in zip(*parents, strict=True):
            tokens, total = beam_before[i][0], log_p[i, token]
            if token != EOS:
                tokens = [*tokens, int(token)]
                beam.append((tokens, total, states[i]))
            if token == EOS or length == max_length:
                best = max(best, (tokens, total / length**alpha), key=lambda found: found[1])
    return best


alphas = st.sampled_from([0, 0.5, 0.7, 1, 2])


@few
@given(
    seed=seeds, n_v=st.integers(1, 4), max_length=st.integers(1, 4), alpha=alphas, data=st.data()
)
def test_a_wide_beam_finds_the_best_of_all(seed, n_v, max_length, alpha, data):
    eos = data.draw(st.integers(0, n_v - 1))
    step = table(seed, n_v, zeros=0.2, eos=eos)
    every = all_hypotheses(step, n_v, max_length, eos)
    assert sum(np.exp(log_p) for _, log_p, _ in every) == pytest.approx(1, rel=1e-12)
    best, log_p, length = max(every, key=lambda found: found[1] / found[2] ** alpha)
    tokens, score = beam_search(step, START, eos, max_length, n_v**max_length, alpha)
    assert tokens == list(best)
    assert score == pytest.approx(log_p / length**alpha, rel=1e-12)


@settings(deadline=None, max_examples=100)
@given(
    seed=seeds,
    n_v=st.integers(1, 7),
    max_length=st.integers(1, 6),
    width=st.integers(1, 9),
    alpha=alphas,
    zeros=st.sampled_from([0, 0.5, 0.9]),
)
def test_a_narrow_beam_keeps_what_it_should(seed, n_v, max_length, width, alpha, zeros):
    step = table(seed, n_v, zeros)
    tokens, score = beam_search(step, START, EOS, max_length, width, alpha)
    expected, expected_score = narrow_beam(step, n_v, max_length, width, alpha)
    assert tokens == expected
    assert score == pytest.approx(expected_score, rel=1e-12)
    assert all(type(token) is int for token in tokens)
    assert isinstance(score, float)


@few
@given(
    seed=seeds, n_v=st.integers(1, 7), max_length=st.integers(1, 6), alpha=alphas, data=st.data()
)
def test_a_width_of_one_is_greedy(seed, n_v, max_length, alpha, data):
    eos = data.draw(st.integers(0, n_v - 1))
    step = table(seed, n_v, zeros=0.3, eos=eos)
    tokens = greedy_decode(step, START, eos, max_length)
    assert len(tokens) <= max_length
    assert all(type(token) is int for token in tokens)
    assert beam_search(step, START, eos, max_length, 1, alpha)[0] == tokens


@few
@given(seed=seeds, width=st.integers(1, 5))
def test_no_step_more_than_the_beam_is_wide(seed, width):
    step, read = table(seed, 6), []

    def recording(token, state):
        read.append((*state, token))
        return step(token, state)

    beam_search(recording, START, EOS, 5, width, 1.0)
    assert len(set(read)) == len(read)
    depths = [len(history) for history in read]
    assert depths == sorted(depths)
    assert max(map(depths.count, depths)) <= width


@pytest.mark.parametrize(
    ("max_length", "tokens"), [(0, []), (1, [2]), (2, [2, 1]), (3, [2, 1]), (9, [2, 1])]
)
def test_greedy_by_hand(max_length, tokens):
    step = scripted([0.1, 0.4, 0.5], [0.2, 0.5, 0.3], [0.6, 0.3, 0.1])
    assert greedy_decode(step, 0, EOS, max_length) == tokens


def test_greedy_ends_where_the_end_is_said_to_be():
    rows = [0.3, 0.1, 0.6], [0.4, 0.5, 0.1]
    assert greedy_decode(scripted(*rows), 0, 1, 9) == [2]
    assert greedy_decode(scripted(*rows), 0, 2, 9) == []
    assert beam_search(scripted(*rows), 0, 1, 9, 1, 0)[0] == [2]


def test_a_beam_by_hand():
    """Greedy takes 1 and is stuck with many ways on; 2 begins the most probable sequence."""
    step = tree(
        {
            "": [0, 0.6, 0.4],
            "1": [0.4, 0.3, 0.3],
            "2": [0.9, 0.05, 0.05],
            "11": [1, 0, 0],
            "12": [1, 0, 0],
        }
    )
    assert greedy_decode(step, None, EOS, 3) == [1]
    tokens, score = beam_search(step, None, EOS, 3, 1, 0)
    assert tokens == [1]
    assert score == pytest.approx(np.log(0.6 * 0.4), rel=1e-12)
    tokens, score = beam_search(step, None, EOS, 3, 2, 0)
    assert tokens == [2]
    assert score == pytest.approx(np.log(0.4 * 0.9), rel=1e-12)


def test_the_length_counts_the_end():
    """Once drawn: 0.5, after one token; twice drawn: 0.5 * 0.4, after two."""
    step = scripted([0.5, 0.5], [0.4, 0.6], [0.1, 0.9])
    tokens, score = beam_search(step, 0, EOS, 3, 9, 0)
    assert (tokens, score) == ([], pytest.approx(np.log(0.5), rel=1e-12))
    tokens, score = beam_search(step, 0, EOS, 3, 9, 1)
    assert (tokens, score) == ([1, 1, 1], pytest.approx(np.log(0.5 * 0.6 * 0.9) / 3, rel=1e-12))
    tokens, score = beam_search(step, 0, EOS, 2, 9, 1)
    assert (tokens, score) == ([1, 1], pytest.approx(np.log(0.5 * 0.6) / 2, rel=1e-12))
    step = scripted([0.5, 0.5], [0.6, 0.4], [0.5, 0.5])
    tokens, score = beam_search(step, 0, EOS, 3, 9, 1)
    assert (tokens, score) == ([1], pytest.approx(np.log(0.5 * 0.6) / 2, rel=1e-12))


def test_a_wider_beam_may_find_something_worse():
    """At two, the way by 1 is pushed out by those by 2, which then branch."""
    branches = np.full(10, 0.1)
    step = tree(
        {
            "": [0, 0.4, 0.35, 0.25, *[0] * 6],
            "1": [0, 0.3, 0.25, 0.25, 0.2, *[0] * 5],
            "2": [0, 0.5, 0.5, *[0] * 7],
            "11": [1, *[0] * 9],
            "21": branches,
            "22": branches,
        }
    )
    tokens, score = beam_search(step, None, EOS, 3, 1, 0)
    assert (tokens, score) == ([1, 1], pytest.approx(np.log(0.12), rel=1e-12))
    wider = beam_search(step, None, EOS, 3, 2, 0)[1]
    assert wider == pytest.approx(np.log(0.0175), rel=1e-12)


def test_of_equals_the_first():
    """The lower token; what stood first in the beam; what was finished first."""
    even = [0, 0.5, 0.5]
    step = scripted(even, even, even)
    assert greedy_decode(step, 0, EOS, 3) == [1, 1, 1]
    for width in (1, 2, 3, 8):
        assert beam_search(step, 0, EOS, 3, width, 0.5)[0] == [1, 1, 1]
    flat = [0.5, 0.5]
    assert beam_search(scripted(flat, flat), 0, EOS, 2, 4, 1)[0] == []
    step = tree({"": [0, 0.25, 0.5, 0.25], "2": [0, 0.5, 0, 0.5], "1": [0, 1, 0, 0]})
    assert beam_search(step, None, EOS, 2, 2, 0)[0] == [2, 1]  # 11, as probable, comes second


def test_the_more_probable_token_wins_even_if_rounding_hides_it():
    """Added to the logarithm of a long sequence's probability, the two are the same."""
    nearly = np.zeros(1000)
    nearly[2:4] = 0.5, np.nextafter(0.5, 1)
    step = scripted(*[np.full(1000, 0.001)] * 20, nearly)
    tokens = greedy_decode(step, 0, 999, 21)
    assert tokens == [0] * 20 + [3]
    assert beam_search(step, 0, 999, 21, 1, 0)[0] == tokens


@pytest.mark.parametrize("width", [1, 2, 3, 100])
def test_the_impossible_is_not_followed(width):
    """The tree does not know what follows it."""
    step = tree({"": [0, 1, 0], "1": [0.5, 0, 0.5], "12": [1, 0, 0]})
    tokens, score = beam_search(step, None, EOS, 9, width, 0)
    assert tokens == [1]
    assert score == pytest.approx(np.log(0.5), rel=1e-12)


def test_scores_of_long_sequences_of_float32_are_precise():
    row = np.array([0.001, 0.1, 0.899], np.float32)
    tokens, score = beam_search(lambda _, state: (row, state), None, EOS, 2000, 2, 0)
    assert tokens == [2] * 2000
    assert score == pytest.approx(2000 * np.log(float(row[2])), rel=1e-12)
