"""Proofs of unit 04: PyTorch, derivatives to rounding, and counts of what is drawn."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.given import AdamState, LSTMParams
from course.given.training import Adam
from solutions.language_model import (
    adam_step,
    generate,
    make_batches,
    perplexity,
    sample_token,
    sequence_log_probability,
)
from solutions.rnn import softmax
from solutions.tests.proofs import close, complex_step, normal, parameters

SIZES = {"T_x": 6, "m": 3, "n_v": 5}
both_sizes = pytest.mark.parametrize(
    "sizes", [SIZES, dict.fromkeys(SIZES, 1)], ids=["all sizes differ", "all 1"]
)
some_sizes = st.fixed_dictionaries({letter: st.integers(1, 5) for letter in SIZES})
seeds = st.integers(0, 2**32 - 17)  # those that follow are used, too
few = settings(deadline=None, max_examples=25)


def torch_or_skip():
    return pytest.importorskip(
        "torch", reason="PyTorch is not installed: this comparison is skipped"
    )


def read_only(*arrays):
    for array in arrays:
        array.flags.writeable = False
    return arrays


# Batches


def test_batches_by_hand():
    """Thirteen letters: two streams of six, and one more to predict; nothing is left over."""
    x, y = make_batches(np.arange(13), m=2, T_x=3)
    np.testing.assert_array_equal(x, [[[0, 6], [1, 7], [2, 8]], [[3, 9], [4, 10], [5, 11]]])
    np.testing.assert_array_equal(y, x + 1)


@pytest.mark.parametrize(
    ("n_tokens", "n_batches"), [(1, 0), (6, 0), (7, 1), (12, 1), (13, 2), (18, 2), (19, 3)]
)
def test_as_many_batches_as_can_be_full(n_tokens, n_batches):
    x, y = make_batches(np.arange(n_tokens), m=2, T_x=3)
    assert x.shape == y.shape == (n_batches, 3, 2)


@few
@given(seed=seeds, m=st.integers(1, 5), T_x=st.integers(1, 5), n_tokens=st.integers(1, 100))
def test_a_batch_goes_on_where_the_one_before_it_stopped(seed, m, T_x, n_tokens):
    indices = np.random.default_rng(seed).integers(0, 9, n_tokens)
    read_only(indices)
    x, y = make_batches(indices, m, T_x)
    assert x.dtype == y.dtype == indices.dtype
    assert x.size <= n_tokens - 1 < x.size + m * T_x  # another batch would not fit
    streams = x.reshape(-1, m).T  # example by example, through all batches
    np.testing.assert_array_equal(streams.ravel(), indices[: x.size])
    following = y.reshape(-1, m).T
    np.testing.assert_array_equal(following.ravel(), indices[1 : x.size + 1])


# What a sequence is worth


def draw_predictions(seed=0, *, T_x, m, n_v):
    """Arguments: y_hat, y, mask; one example is full, and none of the others is."""
    rng = np.random.default_rng(seed)
    y_hat = softmax(normal(seed + 1, T_x, m, n_v))
    lengths = rng.integers(1, T_x + 1, m)
    lengths[rng.integers(m)] = T_x
    mask = np.arange(T_x)[:, None] < lengths
    return read_only(y_hat, rng.integers(0, n_v, (T_x, m)), mask)


def test_two_short_sentences_by_hand():
    y_hat = np.array([[[0.5, 0.5], [0.25, 0.75]], [[0.25, 0.75], [0.1, 0.9]]])
    y = np.array([[1, 0], [0, 1]])
    mask = np.array([[True, True], [True, False]])
    close(sequence_log_probability(y_hat, y, mask), np.log([0.5 * 0.25, 0.25]))
    close(perplexity(y_hat, y, mask), 32 ** (1 / 3))  # 1/2, 1/4 and 1/4 on three real steps


@both_sizes
def test_pytorch_finds_the_same_surprise(sizes):
    torch = torch_or_skip()
    y_hat, y, mask = draw_predictions(**sizes)
    gold = torch.tensor(np.where(mask, y, -100)).T  # -100 is what PyTorch ignores
    log_p = torch.tensor(np.log(y_hat)).permute(1, 2, 0)  # (m, n_v, T_x)
    each = torch.nn.functional.nll_loss(log_p, gold, reduction="none")
    close(sequence_log_probability(y_hat, y, mask), -each.sum(dim=1))
    close(perplexity(y_hat, y, mask), torch.nn.functional.nll_loss(log_p, gold).exp())


@both_sizes
def test_derivatives(sizes):
    """Those of a logarithm, at the real steps' tokens, and nothing anywhere else."""
    y_hat, y, mask = draw_predictions(**sizes)
    of_log = np.where(mask[..., None] & (y[..., None] == np.arange(sizes["n_v"])), 1 / y_hat, 0)
    weights = normal(7, sizes["m"])
    close(
        complex_step(lambda p: (sequence_log_probability(p, y, mask) * weights).sum(), y_hat),
        of_log * weights[:, None],
    )
    value = perplexity(y_hat, y, mask)
    close(complex_step(lambda p: perplexity(p, y, mask), y_hat), -value / mask.sum() * of_log)


@few
@given(seed=seeds, sizes=some_sizes)
def test_padding_may_hold_anything(seed, sizes):
    y_hat, y, mask = draw_predictions(seed, **sizes)
    for filled, token in [(0, 0), (np.nan, -1), (np.inf, 10**6), (-1, -(10**6))]:
        other = np.where(mask[..., None], y_hat, filled), np.where(mask, y, token), mask
        np.testing.assert_array_equal(
            sequence_log_probability(*other), sequence_log_probability(y_hat, y, mask)
        )
        assert perplexity(*other) == perplexity(y_hat, y, mask)


@few
@given(seed=seeds, sizes=some_sizes)
def test_perplexity_is_the_log_probability_of_all_per_step(seed, sizes):
    y_hat, y, mask = draw_predictions(seed, **sizes)
    of_all = sequence_log_probability(y_hat, y, mask).sum()
    assert perplexity(y_hat, y, mask) == pytest.approx(np.exp(-of_all / mask.sum()), rel=1e-12)


@both_sizes
def test_a_guess_hesitates_between_all_tokens(sizes):
    y_hat, y, mask = draw_predictions(**sizes)
    guess = np.full_like(y_hat, 1 / sizes["n_v"])
    assert perplexity(guess, y, mask) == pytest.approx(sizes["n_v"], rel=1e-12)
    sure = (y[..., None] == np.arange(sizes["n_v"])).astype(float)
    assert perplexity(sure, y, mask) == 1
    assert not sequence_log_probability(sure, y, mask).any()


def test_a_long_sentence_does_not_underflow():
    y_hat, y = np.full((100_000, 1, 4), 0.25), np.ones((100_000, 1), int)
    mask = np.full(y.shape, True)
    close(sequence_log_probability(y_hat, y, mask), [-100_000 * np.log(4)])
    assert perplexity(y_hat, y, mask) == pytest.approx(4, rel=1e-12)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_the_impossible_is_infinitely_surprising(kind):
    y_hat = np.array([[[0, 1], [1, 0]]], kind)
    y, mask = np.array([[0, 0]]), np.array([[True, True]])
    np.testing.assert_array_equal(sequence_log_probability(y_hat, y, mask), [-np.inf, 0])
    assert perplexity(y_hat, y, mask) == np.inf
    nearly = np.full((1, 1, 1), np.finfo(kind).smallest_subnormal)
    one = np.zeros((1, 1), int)
    assert np.isfinite(sequence_log_probability(nearly, one, one == 0)).all()
    assert perplexity(nearly, one, one == 0) == np.inf  # beyond the largest number


def test_an_example_without_steps_is_certain():
    y_hat, y, _ = draw_predictions(**SIZES)
    mask = np.arange(SIZES["m"]) != np.zeros((SIZES["T_x"], 1))
    log_p = sequence_log_probability(y_hat, y, mask)
    assert log_p[0] == 0
    assert (log_p[1:] < 0).all()


def test_float32_predictions_give_float32():
    y_hat, y, mask = draw_predictions(**SIZES)
    narrow = y_hat.astype(np.float32)
    log_p = sequence_log_probability(narrow, y, mask)
    assert log_p.dtype == np.float32
    close(log_p, sequence_log_probability(y_hat, y, mask), rtol=1e-6)
    value = perplexity(narrow, y, mask)
    assert value.dtype == np.float32
    close(value, perplexity(y_hat, y, mask), rtol=1e-6)
    assert isinstance(perplexity(y_hat, y, mask), float)


# Drawing a token


def sharpened(y_hat, temperature):
    """Probabilities at a temperature, by way of scores."""
    scores = np.log(y_hat[y_hat > 0]) / temperature
    p = np.zeros_like(y_hat)
    p[y_hat > 0] = softmax(scores)
    return p


@few
@given(seed=seeds, n_v=st.integers(1, 9), temperature=st.floats(0.01, 100))
def test_one_draw_with_the_right_probabilities(seed, n_v, temperature):
    y_hat = softmax(normal(seed, n_v) * 3)
    y_hat[np.random.default_rng(seed).integers(n_v) : -1 : 2] = 0
    read_only(y_hat)
    ours, theirs = np.random.default_rng(seed), np.random.default_rng(seed)
    for _ in range(20):
        token = sample_token(y_hat, temperature, ours)
        assert type(token) is int
        assert token == theirs.choice(n_v, p=sharpened(y_hat, temperature))
    assert ours.bit_generator.state == theirs.bit_generator.state


@pytest.mark.parametrize(
    ("temperature", "weights"), [(1, [9, 0, 4, 1]), (0.5, [81, 0, 16, 1]), (2, [3, 0, 2, 1])]
)
def test_temperature_by_hand(temperature, weights):
    y_hat, rng = np.array([9, 0, 4, 1]) / 14, np.random.default_rng(0)
    draws = 4000
    counts = np.bincount([sample_token(y_hat, temperature, rng) for _ in range(draws)], minlength=4)
    p = np.array(weights) / sum(weights)
    assert counts[1] == 0
    # five standard deviations of a count; the seed is fixed
    assert (np.abs(counts - draws * p) <= 5 * np.sqrt(draws * p * (1 - p))).all()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("temperature", [0.01, 1e-6])
def test_cold_draws_take_the_most_probable(kind, temperature):
    """Every power underflows; scores of 1000 apart leave zeros that were none."""
    rng = np.random.default_rng(0)
    for y_hat in (np.full(1000, 1e-3), softmax(np.arange(5) * 1000.0), np.array([0, 0.4, 0.6, 0])):
        drawn = {sample_token(y_hat.astype(kind), temperature, rng) for _ in range(50)}
        assert drawn <= set(np.flatnonzero(y_hat == y_hat.max()).tolist())


def test_hot_draws_leave_the_impossible_alone():
    rng = np.random.default_rng(0)
    drawn = {sample_token(np.array([0.999, 0, 1e-3, 0]), 1e9, rng) for _ in range(100)}
    assert drawn == {0, 2}


# Writing

EOS, UNK = 0, 1


def scripted(*rows):
    """A model that says row t at step t, whatever it reads; its state is all that it has read."""
    rows = read_only(*(np.array(row, float) for row in rows))

    def step(token, state):
        assert type(token) is int
        return rows[len(state)], (*state, token)

    return step


def sure(*tokens, n_v=5):
    return np.eye(n_v)[list(tokens)]


def recorded(step):
    """The step, and a list that takes down what it is fed: (token, state) pairs."""
    fed = []

    def recording(token, state):
        fed.append((token, state))
        return step(token, state)

    return recording, fed


def test_the_end_ends_and_each_token_is_read():
    step, fed = recorded(scripted(*sure(3, 2, 4, EOS, 3)))
    rng = np.random.default_rng(0)
    tokens = generate(step, (), EOS, UNK, 10, 1.0, rng)
    assert tokens == [3, 2, 4]
    assert fed == [(EOS, ()), (3, (EOS,)), (2, (EOS, 3)), (4, (EOS, 3, 2))]
    drawn = np.random.default_rng(0)
    drawn.random(4)
    assert rng.bit_generator.state == drawn.bit_generator.state  # one draw per token


def test_the_end_and_the_unknown_are_arguments():
    step, fed = recorded(scripted([0, 0.5, 0, 0.5, 0], *sure(0, 4)))
    assert generate(step, (), 4, 3, 10, 1.0, np.random.default_rng(0)) == [1, 0]
    assert fed[0] == (4, ())


@pytest.mark.parametrize("max_length", [0, 1, 3])
def test_no_more_than_so_many_tokens(max_length):
    step, fed = recorded(scripted(*sure(2, 3, 4)))
    tokens = generate(step, (), EOS, UNK, max_length, 1.0, np.random.default_rng(0))
    assert tokens == [2, 3, 4][:max_length]
    assert len(fed) == max_length


def test_an_end_at_once_is_an_empty_sentence():
    assert generate(scripted(*sure(EOS)), (), EOS, UNK, 9, 1.0, np.random.default_rng(0)) == []


def test_no_unknown_is_written_or_read_even_if_it_is_nearly_sure():
    nearly = [0, 1 - 1e-12, 0, 1e-12, 0]
    step, fed = recorded(scripted(*[nearly] * 50))
    tokens = generate(step, (), EOS, UNK, 50, 0.1, np.random.default_rng(0))
    assert tokens == [3] * 50
    assert {token for token, _ in fed} == {EOS, 3}


def test_without_unknowns_it_is_drawing_and_reading_in_turn():
    rows = softmax(normal(3, 8, 5))
    rows[:, UNK] = 0
    rows[:, EOS] = 0
    for temperature in (0.3, 1.0, 3.0):
        rng = np.random.default_rng(5)
        expected = [sample_token(row, temperature, rng) for row in rows]
        ours = np.random.default_rng(5)
        assert generate(scripted(*rows), (), EOS, UNK, 8, temperature, ours) == expected


@pytest.mark.parametrize("temperature", [0.7, 1.0])
def test_it_comes_to_the_same_as_to_draw_again(temperature):
    y_hat = np.array([0.2, 0.5, 0.2, 0.1])
    model, rng, draws = scripted(y_hat), np.random.default_rng(0), 2000
    written = [generate(model, (), EOS, UNK, 1, temperature, rng) for _ in range(draws)]
    again = []
    while len(again) < draws:
        token = sample_token(y_hat, temperature, rng)
        if token != UNK:
            again.append(token)
    ours = np.bincount([(tokens or [EOS])[0] for tokens in written], minlength=4)
    theirs = np.bincount(again, minlength=4)
    # five standard deviations of a difference of counts, at most; the seed is fixed
    assert (np.abs(ours - theirs) <= 5 * np.sqrt(2 * draws / 4)).all()
    assert ours[UNK] == 0


# Adam


class Pair(NamedTuple):
    W: np.ndarray
    b: np.ndarray


def zeros_like(params):
    return type(params)(*map(np.zeros_like, params))


def start(params):
    return AdamState(zeros_like(params), zeros_like(params), 0)


def draw_training(seed=0, steps=7, kind=float):
    """Parameters, and gradients for some steps; one entry never has a gradient."""
    params = Pair(normal(seed, 3, 4).astype(kind), normal(seed + 1, 3).astype(kind))
    grads = []
    for t in range(steps):
        W, b = normal(seed + 2 + t, 3, 4) * 10.0 ** (t % 3), normal(seed + 9 + t, 3)
        b[0] = 0
        grads.append(Pair(*read_only(W.astype(kind), b.astype(kind))))
    return Pair(*read_only(*params)), grads


@pytest.mark.parametrize(
    "options",
    [{}, {"beta1": 0.5, "beta2": 0.9, "epsilon": 0.1}, {"beta1": 0.0, "beta2": 0.0}],
    ids=["as a rule", "others", "without memory"],
)
def test_pytorch_takes_the_same_steps(options):
    torch = torch_or_skip()
    params, grads = draw_training()
    theirs = [torch.tensor(w, requires_grad=True) for w in params]
    usual = {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, **options}
    betas = usual["beta1"], usual["beta2"]
    adam = torch.optim.Adam(theirs, lr=0.01, betas=betas, eps=usual["epsilon"])
    state = start(params)
    for t, dw in enumerate(grads):
        for w, g in zip(theirs, dw, strict=True):
            w.grad = torch.tensor(g)
        adam.step()
        params, state = adam_step(params, dw, state, 0.01, **options)
        assert state.steps == t + 1
        for i, (w, their_w) in enumerate(zip(params, theirs, strict=True)):
            close(w, their_w.detach())
            close(state.means[i], adam.state[their_w]["exp_avg"])
            close(state.squares[i], adam.state[their_w]["exp_avg_sq"])


def test_the_courses_own_optimiser_takes_the_same_steps():
    params, grads = draw_training()
    adam = Adam(Pair(*(w.copy() for w in params)), learning_rate=0.05)
    state = start(params)
    for dw in grads:
        adam.step(dw)
        params, state = adam_step(params, dw, state, 0.05)
    for w, theirs in zip(params, adam.params, strict=True):
        close(w, theirs)


def test_first_steps_by_hand():
    """After one step the corrected means are the gradient and its square; then 1/3 and 2/3."""
    params, none = Pair(np.array([1.0]), np.array([2.0])), np.zeros(1)
    options = {"learning_rate": 0.5, "beta1": 0.5, "beta2": 0.5, "epsilon": 1.0}
    params, state = adam_step(params, Pair(np.array([-3.0]), none), start(params), **options)
    close(params.W, [1 + 0.5 * 3 / (3 + 1)])
    close(params.b, [2])
    close(state.means.W, [-1.5])
    close(state.squares.W, [4.5])
    params, state = adam_step(params, Pair(np.array([6.0]), none), state, **options)
    close(params.W, [1.375 - 0.5 * 3 / (np.sqrt((9 + 2 * 36) / 3) + 1)])
    close(params.b, [2])


@few
@given(seed=seeds, scale=st.floats(1e-3, 1e3))
def test_steps_are_measured_in_units_of_the_gradient(seed, scale):
    params, grads = draw_training(seed)
    one, other = (params, start(params)), (params, start(params))
    for dw in grads:
        dw = dw._replace(b=dw.b + 1)  # no gradient that is zero, since nothing is added to it
        one = adam_step(one[0], dw, one[1], 0.1, epsilon=0.0)
        other = adam_step(other[0], Pair(*(scale * g for g in dw)), other[1], 0.1, epsilon=0.0)
    for w, their_w in zip(one[0], other[0], strict=True):
        close(w, their_w, rtol=1e-9)  # roots of sums of other numbers


def test_nothing_is_changed_in_place():
    params, grads = draw_training()
    state = start(params)
    read_only(*state.means, *state.squares)
    moved, new = adam_step(params, grads[0], state, 0.01)
    read_only(*moved, *new.means, *new.squares)
    before = [w.copy() for w in (*moved, *new.means, *new.squares)]
    again, _ = adam_step(moved, grads[1], new, 0.01)
    for kept, w in zip(before, (*moved, *new.means, *new.squares), strict=True):
        np.testing.assert_array_equal(w, kept)
    assert state.steps == 0
    assert not any(np.shares_memory(a, b) for a in again for b in moved)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_types_are_kept(kind):
    params, grads = draw_training(kind=kind)
    params, state = adam_step(params, grads[0], start(params), 0.01)
    params, state = adam_step(params, grads[1], state, 0.01)
    assert type(params) is type(state.means) is type(state.squares) is Pair
    assert type(state) is AdamState
    for array in (*params, *state.means, *state.squares):
        assert array.dtype == kind
    wide, grads = draw_training()
    for part in (params, state.means, state.squares):
        assert [w.shape for w in part] == [w.shape for w in wide]
    expected, wide_state = adam_step(wide, grads[0], start(wide), 0.01)
    expected, _ = adam_step(expected, grads[1], wide_state, 0.01)
    for w, theirs in zip(params, expected, strict=True):
        close(w, theirs, rtol=1e-6)


def test_parameters_of_any_kind():
    params = parameters(LSTMParams, 0, n_x=2, n_a=3)
    moved, state = adam_step(params, params, start(params), 0.01)
    assert type(moved) is type(state.means) is LSTMParams
    for w, old in zip(moved, params, strict=True):
        close(w, old - 0.01 * np.sign(old), rtol=1e-6)  # but for epsilon
