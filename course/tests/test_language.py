"""The language model of the experiments, the counts it is compared with, and its interactive."""

import numpy as np
import pytest

from course.given import EOS, GRU, UNK, GRUParams, baselines, draw, figures_language
from course.given.language import (
    FAR,
    NEAR,
    LanguageModel,
    LanguageParams,
    Vocabulary,
    groups,
    sentences,
)
from course.given.training import Adam
from solutions.language_model import generate, perplexity, sequence_log_probability
from solutions.rnn import output_forward
from solutions.sequences import build_vocabulary, encode

N_V, N_X, N_A, T_X, M = 7, 3, 4, 5, 6
DIFFERENCE = {"rtol": 1e-6, "atol": 1e-9}  # of central differences of 1e-5, in float64
EXACT = {"rtol": 1e-12, "atol": 1e-14}  # the same sums in another order
SENTENCES = [["a", "b", "a"], ["b", "a", "c"], ["a"]]


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def model(rng):
    params = draw(LanguageParams, rng, n_v=N_V, n_x=N_X, n_a=N_A)
    return LanguageModel(params._replace(by=rng.normal(size=N_V)))


@pytest.fixture
def batch(rng):
    """x, y, mask, start: ragged, and it does not begin with nothing."""
    mask = np.arange(T_X)[:, None] < np.array([T_X, 1, 3, 2, T_X, 4])
    x, y = rng.integers(0, N_V, (2, T_X, M))
    return x, y, mask, rng.normal(size=(M, N_A)) / 2


def test_a_prediction_is_layer_and_softmax_of_looked_up_rows(model, batch):
    x, _y, _mask, start = batch
    a = GRU(GRUParams(*model.params[1:-2])).forward(np.eye(N_V)[x] @ model.params.table, start)
    y_hat, state = model.predict(x, start)
    np.testing.assert_allclose(y_hat, output_forward(a, model.output), **EXACT)
    np.testing.assert_allclose(state, a[-1], **EXACT)


def test_the_loss_is_the_logarithm_of_the_perplexity(model, batch):
    x, y, mask, start = batch
    loss, _grads, state = model.loss_and_gradients(x, y, mask, start)
    y_hat, after = model.predict(x, start)
    assert loss == pytest.approx(np.log(perplexity(y_hat, y, mask)), rel=1e-12)
    np.testing.assert_allclose(state, after, **EXACT)


@pytest.mark.parametrize("hide", [0.0, 0.4])
def test_gradients_are_differences(model, batch, hide):
    x, y, mask, start = batch

    def loss():
        return model.loss_and_gradients(x, y, mask, start, hide, np.random.default_rng(1))[:2]

    _loss, grads = loss()
    for name, w in model.params._asdict().items():
        for place in list(np.ndindex(w.shape))[::3]:
            kept, ends = w[place], []
            for h in (1e-5, -1e-5):
                w[place] = kept + h
                ends.append(loss()[0])
            w[place] = kept
            slope = (ends[0] - ends[1]) / 2e-5
            np.testing.assert_allclose(getattr(grads, name)[place], slope, **DIFFERENCE)


def test_padding_does_not_count(model, batch):
    x, y, mask, start = batch
    loss, grads, _state = model.loss_and_gradients(x, y, mask, start)
    other = np.where(mask, x, 0), np.where(mask, y, 0)
    again, same, _state = model.loss_and_gradients(*other, mask, start)
    assert again == pytest.approx(loss, rel=1e-12)
    for one, two in zip(grads, same, strict=True):
        np.testing.assert_allclose(one, two, **EXACT)


def test_a_carried_state_makes_two_batches_one(model, batch):
    x = batch[0]
    whole, end = model.predict(x)
    first, state = model.predict(x[:2], model.begin(M))
    second, after = model.predict(x[2:], state)
    np.testing.assert_allclose(np.concatenate([first, second]), whole, **EXACT)
    np.testing.assert_allclose(after, end, **EXACT)


def test_its_step_is_its_prediction(model):
    read, state, steps = [0, 3, 5, 3], model.begin(), []
    for token in read:
        y_hat, state = model.step(token, state)
        steps.append(y_hat)
    np.testing.assert_allclose(steps, model.predict(np.array([read]).T)[0][:, 0], **EXACT)


def test_hidden_numbers_are_made_up_for(model, rng):
    from course.given.language import _seen

    seen = _seen((200, 200), 0.3, rng, np.float32)
    assert seen.dtype == np.float32 and set(np.unique(seen)) == {np.float32(0), seen.max()}
    assert abs(seen.mean() - 1) < 5 * np.sqrt(0.3 / 0.7) / 200  # five standard deviations
    assert _seen((2, 2), 0.0, rng, np.float32) == 1


def test_it_learns(rng):
    """A text without any surprise: after enough reading, the perplexity is near 1."""
    params = draw(LanguageParams, rng, np.float32, n_v=5, n_x=4, n_a=8)
    model = LanguageModel(params)
    x, y, mask = sentences([np.array([2, 3, 4, 0])] * 3)
    optimiser = Adam(model.params, 0.03)
    before = [w.copy() for w in model.params]
    for _ in range(150):
        _loss, grads, _state = model.loss_and_gradients(x, y, mask, hide=0.1, rng=rng)
        assert all(dw.dtype == np.float32 for dw in grads)
        optimiser.step(grads)
    assert all((one != two).any() for one, two in zip(before, model.params, strict=True))
    assert perplexity(model.predict(x)[0], y, mask) < 1.2
    assert generate(model.step, model.begin(), 0, 1, 9, 0.1, rng) == [2, 3, 4]


# ---- texts ------------------------------------------------------------------------------------


def test_a_vocabulary_is_that_of_unit_01():
    for n_v in (2, 3, 4, 99):
        ours, theirs = Vocabulary(SENTENCES, n_v), build_vocabulary(SENTENCES, n_v)
        assert ours.tokens == list(theirs) and len(ours) == len(theirs)
        for sentence in (*SENTENCES, ["d", "a"], []):
            np.testing.assert_array_equal(ours.numbers(sentence), encode(sentence, theirs))
    assert ours.words([0, 1, 2]) == [EOS, UNK, "a"]
    assert "c" in ours and "d" not in ours
    assert len(Vocabulary(SENTENCES)) == 5


def test_sentences_are_read_one_step_late():
    x, y, mask = sentences([[3, 4, 0], [2, 0]])
    np.testing.assert_array_equal(y.T, [[3, 4, 0], [2, 0, 0]])
    np.testing.assert_array_equal(x.T, [[0, 3, 4], [0, 2, 0]])
    np.testing.assert_array_equal(mask.T, [[True] * 3, [True, True, False]])


def test_groups_hold_every_sentence_once():
    encoded = [[1] * n for n in (5, 1, 4, 2, 3)]
    found = list(groups(encoded, 2))
    assert [[len(s) for s in group] for group in found] == [[1, 2], [3, 4], [5]]


def test_beginnings_differ_and_come_once():
    assert len({*NEAR, *FAR}) == len(NEAR) + len(FAR)
    assert all(right != wrong for right, wrong in (*NEAR, *FAR))


def test_the_network_knows_every_word_of_the_beginnings():
    from course.given import data

    if not data.prepared_file("speeches").exists():
        pytest.skip("the speeches are not prepared: run `unrolled data prepare`")
    words = Vocabulary(data.load_speeches().train, 2000)
    used = {word for pair in (*NEAR, *FAR) for sentence in pair for word in sentence.split()}
    assert [word for word in sorted(used) if word not in words] == []


# ---- counts -----------------------------------------------------------------------------------


def by_hand(encoded, context, n, n_v, discount=0.75):
    """Interpolated absolute discounting, straight from its definition."""
    if n == 0:
        return np.full(n_v, 1 / n_v)
    shorter = by_hand(encoded, context, n - 1, n_v, discount)
    counts = np.zeros(n_v)
    wanted = tuple(context[len(context) - n + 1 :])
    for tokens in encoded:
        padded = [0] * (n - 1) + list(tokens)
        for t in range(n - 1, len(padded)):
            if tuple(padded[t - n + 1 : t]) == wanted:
                counts[padded[t]] += 1
    if not counts.any():
        return shorter
    kinds = np.count_nonzero(counts)
    return (np.maximum(counts - discount, 0) + discount * kinds * shorter) / counts.sum()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_counts_by_hand(n, rng):
    encoded = [[*rng.integers(2, 5, k).tolist(), 0] for k in (3, 4, 1, 5, 2)]
    x, _y, mask = sentences([[2, 3, 5, 0], [4, 4, 4, 4, 0]])
    y_hat = baselines.NGram(encoded, n, 6).predict(x)
    for i in range(x.shape[1]):
        for t in range(mask[:, i].sum()):
            context = [0, 0, *x[: t + 1, i].tolist()]
            # single precision rounds at 6e-8
            np.testing.assert_allclose(y_hat[t, i], by_hand(encoded, context, n, 6), rtol=1e-6)
    np.testing.assert_allclose(y_hat.sum(axis=-1), 1, rtol=1e-6)
    assert (y_hat > 0).all()


@pytest.mark.parametrize("n", [1, 2, 3])
def test_the_step_of_counts_is_their_prediction(n):
    encoded = [[2, 3, 2, 0], [3, 3, 0]]
    counts = baselines.NGram(encoded, n, 5)
    x = np.array([[0, 2, 3, 3]]).T
    state = counts.begin()
    for t, token in enumerate(x[:, 0].tolist()):
        y_hat, state = counts.step(token, state)
        np.testing.assert_allclose(y_hat, counts.predict(x)[t, 0], rtol=1e-6)
        y_hat[:] = 0  # it is the caller's own


def test_longer_runs_know_more():
    encoded = [[2, 3, 4, 0], [3, 2, 4, 0], [2, 3, 4, 0]] * 5
    x, y, mask = sentences(encoded)
    found = [perplexity(baselines.NGram(encoded, n, 5).predict(x), y, mask) for n in (1, 2, 3)]
    assert found[0] > found[1] > found[2]
    log_p = sequence_log_probability(baselines.NGram(encoded, 2, 5).predict(x), y, mask)
    assert log_p[0] > log_p[1]


# ---- drawings and the interactive -------------------------------------------------------------


@pytest.mark.parametrize("name", ["teacher_forcing", "streams", "temperatures"])
def test_pictures_describe_themselves(name):
    arguments = {"temperatures": (np.array([0.5, 0.3, 0.2]), ["a", "b", "c"])}.get(name, ())
    picture = getattr(figures_language, name)(*arguments)
    assert len(picture.text) > 60 and picture.png[:4] == b"\x89PNG"


def test_the_streams_say_who_reads_what():
    text = figures_language.streams("abcdefghijklm", 2, 3).text
    assert "example 0 reads abcdef; example 1 reads ghijkl" in text


@pytest.fixture
def widget():
    from course.given import widgets_language

    encoded = [[2, 3, 0]] * 9 + [[3, 3, 2, 0]]
    pairs = baselines.NGram(encoded, 2, 4)
    return widgets_language.temperature(pairs, [EOS, UNK, "a", "<b>"])


def test_a_temperature_says_how_much_is_hesitated(widget):
    from course.given.widgets_language import heated, hesitation

    (heat, draw_one, finish, again), view = widget.children[0].children, widget.children[1]
    assert 'role="status"' in view.value and "nothing yet" in view.value
    y_hat = np.array([0.25, 0.5, 0.0, 0.25])
    np.testing.assert_allclose(heated(y_hat, 0.5), np.array([1, 4, 0, 1]) / 6, **EXACT)
    assert hesitation(heated(y_hat, 0.01)) == pytest.approx(1)
    hot = view.value
    heat.value = 0.05
    assert view.value != hot and "At temperature 0.05" in view.value
    draw_one.click()
    assert "Written: “a”" in view.value  # at that temperature nothing else comes
    finish.click()
    assert draw_one.disabled and finish.disabled and "Written: “a&lt;b&gt;”" in view.value
    again.click()
    assert "nothing yet" in view.value and not draw_one.disabled
    assert UNK not in view.value and "&lt;UNK&gt; " not in view.value


def test_the_interactive_has_a_static_picture(widget):
    bundle = widget._repr_mimebundle_()
    data = bundle[0] if isinstance(bundle, tuple) else bundle
    assert "perplexity" in data["text/plain"] and data["image/png"]


def test_writing_ends_in_any_case():
    from course.given.widgets_language import LONGEST, _Writer

    chatter = baselines.NGram([[2] * 50], 2, 4)
    writer = _Writer(chatter, 0, 0, 1)
    writer.finish(0.05)
    assert len(writer.written) == LONGEST and writer.ended
    writer.draw(1.0)
    assert len(writer.written) == LONGEST
