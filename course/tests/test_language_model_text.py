"""Every formula of the text of unit 04, evaluated as it is written, against the reference.

Formulas count time from 1, but for (4.4), which says that it counts from 0.
"""

import math
import re
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from course.given import AdamState, OutputParams
from solutions.language_model import (
    adam_step,
    generate,
    make_batches,
    perplexity,
    sample_token,
    sequence_log_probability,
)
from solutions.rnn import softmax

TEXT = Path(__file__).parents[1] / "04_language_model" / "language_model.md"
T_X, M, N_V = 6, 3, 5
EXACT = {"rtol": 1e-12, "atol": 1e-14}  # the same sums in another order
DRAWS = 20_000
FIVE = 5 / math.sqrt(DRAWS) / 2  # five standard deviations of a share, at most; the seed is fixed


@pytest.fixture
def rng():
    return np.random.default_rng(4)


@pytest.fixture
def scored(rng):
    """y_hat, y, mask of three ragged sequences."""
    lengths = np.array([T_X, 2, 4])
    mask = np.arange(T_X)[:, None] < lengths
    return rng.dirichlet(np.ones(N_V), (T_X, M)), rng.integers(0, N_V, (T_X, M)), mask


class Drawn:
    """Stands for a generator: takes down the probabilities that it is to draw with."""

    def choice(self, n, p):
        self.p = np.array(p)
        return 0


def drawn_with(y_hat, temperature):
    rng = Drawn()
    sample_token(y_hat, temperature, rng)
    return rng.p


def test_4_1_chain_rule(rng):
    """Of any joint distribution: here of three tokens, given as a table."""
    joint = rng.dirichlet(np.ones(N_V**3)).reshape(N_V, N_V, N_V)
    first = joint.sum(axis=(1, 2))
    second = joint.sum(axis=2) / first[:, None]
    third = joint / joint.sum(axis=2, keepdims=True)
    y_hat = np.zeros((3, 1, N_V))
    for y in product(range(N_V), repeat=3):
        y_hat[:, 0] = first, second[y[0]], third[y[0], y[1]]
        log_p = sequence_log_probability(y_hat, np.array([y]).T, np.ones((3, 1), bool))
        np.testing.assert_allclose(np.exp(log_p[0]), joint[y], **EXACT)


def test_4_2_the_input_is_the_token_before():
    eos, text = 0, [3, 4, 2, 0, 1, 3, 0]
    x, y = make_batches(np.array([eos, *text]), 1, len(text))
    assert y[0, :, 0].tolist() == text
    assert x[0, 0, 0] == eos
    for t in range(2, len(text) + 1):
        assert x[0, t - 1, 0] == y[0, t - 2, 0]


def test_4_3_a_prediction_for_every_token(scored):
    y_hat, _y, _mask = scored
    assert y_hat.shape[-1] == N_V
    np.testing.assert_allclose(y_hat.sum(axis=-1), 1, **EXACT)


@pytest.mark.parametrize("N", [13, 24, 25, 26, 60])
def test_4_4_batches(rng, N):
    m, T_x = 2, 4
    text = rng.permutation(N)
    x, y = make_batches(text, m, T_x)
    B = math.floor((N - 1) / (m * T_x))
    assert x.shape == y.shape == (B, T_x, m)
    for b, t, i in product(range(B), range(T_x), range(m)):
        assert x[b, t, i] == text[i * B * T_x + b * T_x + t]
        assert y[b, t, i] == text[i * B * T_x + b * T_x + t + 1]


def test_4_5_log_probability(scored):
    y_hat, y, mask = scored
    expected = [
        sum(math.log(y_hat[t - 1, i, y[t - 1, i]]) for t in range(1, mask[:, i].sum() + 1))
        for i in range(M)
    ]
    np.testing.assert_allclose(sequence_log_probability(y_hat, y, mask), expected, **EXACT)


def test_4_6_perplexity(scored):
    y_hat, y, mask = scored
    right = [y_hat[t, i, y[t, i]] for t in range(T_X) for i in range(M) if mask[t, i]]
    N = len(right)
    by_logarithms = math.exp(-sum(map(math.log, right)) / N)
    by_the_product = math.prod(right) ** (-1 / N)
    np.testing.assert_allclose(perplexity(y_hat, y, mask), by_logarithms, **EXACT)
    np.testing.assert_allclose(perplexity(y_hat, y, mask), by_the_product, **EXACT)


@pytest.fixture
def adam(rng):
    """Gradients of four steps, and what Adam makes of them."""
    eta, beta1, beta2, epsilon = 0.03, 0.8, 0.95, 1e-3
    w = OutputParams(rng.normal(size=(2, 3)), rng.normal(size=2))
    zero = OutputParams(np.zeros((2, 3)), np.zeros(2))
    params, state, seen = w, AdamState(zero, zero, 0), []
    gradients = [OutputParams(rng.normal(size=(2, 3)), rng.normal(size=2)) for _ in range(4)]
    for g in gradients:
        params, state = adam_step(params, g, state, eta, beta1, beta2, epsilon)
        seen.append((params, state))
    return w.Wya, [g.Wya for g in gradients], seen, (eta, beta1, beta2, epsilon)


def means(gradients, beta1, beta2):
    """(4.7), step by step."""
    g_bar = q_bar = 0
    for g in gradients:
        g_bar = beta1 * g_bar + (1 - beta1) * g
        q_bar = beta2 * q_bar + (1 - beta2) * g**2
        yield g_bar, q_bar


def test_4_7_running_means(adam):
    _w, gradients, seen, (_eta, beta1, beta2, _epsilon) = adam
    pairs = zip(means(gradients, beta1, beta2), seen, strict=True)
    for s, ((g_bar, q_bar), (_params, state)) in enumerate(pairs, start=1):
        np.testing.assert_allclose(state.means.Wya, g_bar, **EXACT)
        np.testing.assert_allclose(state.squares.Wya, q_bar, **EXACT)
        assert state.steps == s


def test_4_8_the_corrected_means_are_averages(adam):
    """After any number of steps: the weights of all gradients so far sum to 1."""
    _w, _gradients, _seen, (_eta, beta1, beta2, _epsilon) = adam
    for s, (g_bar, q_bar) in enumerate(means([1.0] * 5, beta1, beta2), start=1):
        np.testing.assert_allclose(g_bar / (1 - beta1**s), 1, **EXACT)
        np.testing.assert_allclose(q_bar / (1 - beta2**s), 1, **EXACT)


def test_4_9_the_step(adam):
    w, gradients, seen, (eta, beta1, beta2, epsilon) = adam
    pairs = zip(means(gradients, beta1, beta2), seen, strict=True)
    for s, ((g_bar, q_bar), (params, _state)) in enumerate(pairs, start=1):
        g_hat, q_hat = g_bar / (1 - beta1**s), q_bar / (1 - beta2**s)
        w = w - eta * g_hat / (np.sqrt(q_hat) + epsilon)
        np.testing.assert_allclose(params.Wya, w, **EXACT)


@pytest.mark.parametrize("tau", [0.3, 1.0, 2.5])
def test_4_10_temperature(rng, tau):
    y_hat = rng.dirichlet(np.ones(N_V))
    weights = [p ** (1 / tau) for p in y_hat]
    np.testing.assert_allclose(
        drawn_with(y_hat, tau), [weight / sum(weights) for weight in weights], **EXACT
    )


@pytest.mark.parametrize("tau", [0.3, 1.0, 2.5])
def test_4_11_temperature_of_scores(rng, tau):
    z = rng.normal(size=N_V)
    np.testing.assert_allclose(drawn_with(softmax(z), tau), softmax(z / tau), **EXACT)


def test_4_12_perplexity_of_a_distribution(rng):
    """It is what the model expects of its own draws; of n_v equally probable tokens it is n_v."""
    from course.given.widgets_language import hesitation

    p = rng.dirichlet(np.ones(N_V))
    np.testing.assert_allclose(hesitation(p), math.exp(-sum(q * math.log(q) for q in p)), **EXACT)
    np.testing.assert_allclose(hesitation(np.full(7, 1 / 7)), 7, **EXACT)
    y = rng.choice(N_V, DRAWS, p=p)[:, None]
    said = perplexity(np.tile(p, (DRAWS, 1, 1)), y, np.ones(y.shape, bool))
    # the mean of 20,000 surprises: their standard deviation is below 2
    assert abs(math.log(said / hesitation(p))) < 5 * 2 / math.sqrt(DRAWS)


def test_4_13_without_the_unknown(rng):
    y_hat, eos, unk = np.array([0.1, 0.5, 0.15, 0.25]), 0, 1
    others = y_hat / (1 - y_hat[unk])
    texts = [
        generate(lambda token, state: (y_hat, state), None, eos, unk, 1, 1.0, rng)
        for _ in range(DRAWS)
    ]
    firsts = [text[0] if text else eos for text in texts]
    shares = np.bincount(firsts, minlength=4) / DRAWS
    assert shares[unk] == 0
    for k in (0, 2, 3):
        assert abs(shares[k] - others[k]) < FIVE


def test_every_tagged_equation_is_tested():
    tags = re.findall(r"\\tag\{4\.(\d+)\}", TEXT.read_text(encoding="utf-8"))
    assert [int(tag) for tag in tags] == list(range(1, len(tags) + 1))
    tested = [int(m[1]) for m in (re.match(r"test_4_(\d+)_", name) for name in globals()) if m]
    assert sorted(tested) == [int(tag) for tag in tags]


# ---- what the prose claims --------------------------------------------------------------------


def chances(length, with_end, p=(0.2, 0.3, 0.5)):
    """Log-probabilities of all sentences of two words that are `length` long; token 0 ends."""
    for words in product((1, 2), repeat=length):
        y = np.array([*words, 0] if with_end else words)[:, None]
        yield sequence_log_probability(
            np.tile(np.array(p), (len(y), 1, 1)), y, np.ones(y.shape, bool)
        )[0]


def test_only_with_the_end_are_they_probabilities_of_sentences():
    ended = [sum(map(math.exp, chances(length, True))) for length in range(13)]
    assert sum(ended) < 1
    np.testing.assert_allclose(sum(ended), 1 - 0.8**13, **EXACT)  # what is left: longer ones
    for length in (1, 2, 3):  # without: 1 for each length, if the model knows no end
        without = chances(length, False, p=(0.0, 0.4, 0.6))
        np.testing.assert_allclose(sum(map(math.exp, without)), 1, **EXACT)


def test_products_vanish_and_their_logarithms_do_not():
    assert np.prod(np.full(100, 1 / 1000)) > 0
    assert np.prod(np.full(150, 1 / 1000)) == 0
    assert round(150 * math.log(1 / 1000)) == -1036
    assert 5e-324 > 0 and 5e-324 / 2 == 0


def test_a_guess_has_the_perplexity_of_the_vocabulary(scored):
    y_hat, y, mask = scored
    np.testing.assert_allclose(perplexity(np.full_like(y_hat, 1 / N_V), y, mask), N_V, **EXACT)


def test_bases_that_do_not_agree_look_plausible(scored):
    y_hat, y, mask = scored
    surprise = -np.log(y_hat[mask, y[mask]])
    assert 1 < 2 ** surprise.mean() < perplexity(y_hat, y, mask)
    np.testing.assert_allclose(2 ** (surprise / math.log(2)).mean(), perplexity(y_hat, y, mask))


def test_the_average_of_one_over_p_is_something_else(scored):
    y_hat, y, mask = scored
    p = y_hat[mask, y[mask]]
    assert (1 / p).mean() > perplexity(y_hat, y, mask)


def test_unknown_words_flatter_a_small_vocabulary(rng):
    """The same model, with all of its rare words counted as one."""
    y_hat = np.tile(rng.dirichlet(np.ones(50)), (400, 1, 1))
    y = rng.choice(50, 400, p=y_hat[0, 0])[:, None]
    mask = np.ones(y.shape, bool)
    small = np.concatenate([y_hat[..., :9], y_hat[..., 9:].sum(axis=-1, keepdims=True)], axis=-1)
    assert perplexity(small, np.minimum(y, 9), mask) < 0.5 * perplexity(y_hat, y, mask)


def test_the_first_mean_is_a_tenth_of_the_gradient():
    g = OutputParams(np.array([[2.0]]), np.array([1e-5]))
    zero = OutputParams(np.zeros((1, 1)), np.zeros(1))
    params, state = adam_step(zero, g, AdamState(zero, zero, 0), 0.01)
    np.testing.assert_allclose(state.means.Wya, 0.2, **EXACT)
    # both move by the learning rate, up to epsilon, be the gradient 2 or 0.00001
    np.testing.assert_allclose([params.Wya[0, 0], params.by[0]], -0.01, rtol=2e-3)


def moves(gradients, eta=0.01):
    """How far a parameter goes at each step."""
    w = OutputParams(np.zeros((1, 1)), np.zeros(1))
    state, places = AdamState(w, w, 0), [0.0]
    for g in gradients:
        w, state = adam_step(w, OutputParams(np.full((1, 1), g), np.zeros(1)), state, eta)
        places.append(float(w.Wya[0, 0]))
    return np.abs(np.diff(places))


def test_it_moves_by_the_learning_rate_while_the_gradient_stays_much_the_same():
    for size in (1e-3, 1e3):
        np.testing.assert_allclose(moves([size] * 50), 0.01, rtol=1e-4)
    assert moves([1.0] * 50 + [0.01] * 50)[-1] < 0.001  # of one sign, but no longer of one size
    assert moves([1.0, -1.0] * 25)[-1] < 0.001


def test_a_gradient_that_was_always_zero_moves_nothing():
    zero = OutputParams(np.zeros((1, 1)), np.zeros(1))
    params, _state = adam_step(zero, zero, AdamState(zero, zero, 0), 0.01)
    assert params.Wya[0, 0] == 0
    with np.errstate(invalid="ignore"):
        params, _state = adam_step(zero, zero, AdamState(zero, zero, 0), 0.01, epsilon=0.0)
    assert np.isnan(params.Wya[0, 0])


def test_the_prediction_about_temperature():
    p = drawn_with(np.array([0.5, 0.3, 0.2]), 0.5)
    np.testing.assert_allclose(p[0], 0.25 / 0.38, **EXACT)
    assert p[0] > 0.6 and round(p[0], 2) == 0.66


def test_temperature_on_probabilities_cancels_and_softmax_of_them_is_another_thing(rng):
    y_hat, tau = rng.dirichlet(np.ones(N_V)), 0.5
    np.testing.assert_allclose(y_hat / tau / (y_hat / tau).sum(), y_hat, **EXACT)
    assert np.abs(softmax(y_hat / tau) - drawn_with(y_hat, tau)).max() > 0.05


def test_powers_vanish_near_zero():
    assert 0.2**1000 == 0
    np.testing.assert_allclose(drawn_with(np.full(5, 0.2), 0.001), 0.2, **EXACT)


def test_the_text_holds_no_answers():
    text = TEXT.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```\{code-cell\}.*?\n(.*?)```", text, re.DOTALL))
    answers = ["transpose", "y[mask]", "rng.choice", "beta1", "np.sqrt", "[unk]", "SOLUTION"]
    assert [answer for answer in answers if answer in code] == []
