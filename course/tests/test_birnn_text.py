"""Every formula of the text of unit 07, evaluated as it is written, against the reference.

Formulas count time from 1 and treat one example as a column; the loops below follow the formulas.
"""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from autograder.exercise import answer_lines, exercise
from course.given import LSTM, RNN, LSTMParams, OutputParams, RNNParams, data, draw
from course.given.entities import TAGS
from course.given.tagging import Tagger
from solutions import birnn
from solutions.rnn import output_forward, rnn_cell_forward

TEXT = Path(__file__).parents[1] / "07_birnn" / "birnn.md"
M, T_X, N_X, N_AHEAD, N_BACK, N_Y = 4, 6, 3, 5, 2, 7
LENGTHS = np.array([T_X, 1, 3, 4])
EXACT = {"rtol": 1e-11, "atol": 1e-13}  # the same sums in another order


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def x(rng):
    return rng.normal(size=(T_X, M, N_X))


def cell_params(rng, n_a):
    drawn = draw(RNNParams, rng, n_x=N_X, n_a=n_a)
    return drawn._replace(ba=rng.normal(size=n_a))


@pytest.fixture
def ahead(rng):
    return cell_params(rng, N_AHEAD)


@pytest.fixture
def back(rng):
    return cell_params(rng, N_BACK)


def cell(params, x_t, state):
    return rnn_cell_forward(x_t[None], state[None], params)[0][0]


def past(params, x, i):
    """(7.1): the forward states of one example."""
    states, state = [], np.zeros(len(params.ba))
    for t in range(1, LENGTHS[i] + 1):
        state = cell(params, x[t - 1, i], state)
        states.append(state)
    return states


def future(params, x, i):
    """(7.2): the backward states of one example."""
    states, state = {}, np.zeros(len(params.ba))
    for t in range(LENGTHS[i], 0, -1):
        state = cell(params, x[t - 1, i], state)
        states[t] = state
    return [states[t] for t in range(1, LENGTHS[i] + 1)]


def run(x, ahead, back):
    layers = RNN(ahead), RNN(back)
    return birnn.birnn_forward(x, LENGTHS, *layers), layers


def test_7_1_forward_states(x, ahead, back):
    a, _ = run(x, ahead, back)
    for i in range(M):
        np.testing.assert_allclose(a[: LENGTHS[i], i, :N_AHEAD], past(ahead, x, i), **EXACT)


def test_7_2_backward_states(x, ahead, back):
    a, _ = run(x, ahead, back)
    for i in range(M):
        np.testing.assert_allclose(a[: LENGTHS[i], i, N_AHEAD:], future(back, x, i), **EXACT)


def test_7_3_side_by_side(x, ahead, back):
    a, _ = run(x, ahead, back)
    assert a.shape == (T_X, M, N_AHEAD + N_BACK)
    for i in range(M):
        for t in range(1, T_X + 1):
            both = np.zeros(N_AHEAD + N_BACK)
            if t <= LENGTHS[i]:
                both = np.concatenate([past(ahead, x, i)[t - 1], future(back, x, i)[t - 1]])
            np.testing.assert_allclose(a[t - 1, i], both, **EXACT)


def test_7_4_turned_round_within_its_length(x):
    turned = birnn.reverse_sequences(x, LENGTHS)
    for i in range(M):
        L = LENGTHS[i]
        for t in range(1, T_X + 1):
            source = L + 1 - t if t <= L else t
            np.testing.assert_array_equal(turned[t - 1, i], x[source - 1, i])
    np.testing.assert_array_equal(birnn.reverse_sequences(turned, LENGTHS), x)
    three = birnn.reverse_sequences(x[:3], np.full(M, 3))
    np.testing.assert_array_equal(three[0], x[2])


def back_through(rng, x, ahead, back):
    a, layers = run(x, ahead, back)
    da = rng.normal(size=a.shape)
    return da, layers, birnn.birnn_backward(da, LENGTHS, *layers)


def alone(params, x, da, turn):
    """dx and grads of one layer over each example by itself."""
    dx, total = np.zeros_like(x), [np.zeros_like(w) for w in params]
    for i in range(M):
        layer, L = RNN(params), LENGTHS[i]
        layer.forward(x[:L, i : i + 1][::turn])
        own, _, grads = layer.backward(da[:L, i : i + 1][::turn])
        dx[:L, i : i + 1] = own[::turn]
        total = [sum_ + grad for sum_, grad in zip(total, grads, strict=True)]
    return dx, total


def test_7_5_the_gradient_is_cut_where_the_halves_meet(rng, x, ahead, back):
    da, _, (_dx, *found) = back_through(rng, x, ahead, back)
    halves = (ahead, da[..., :N_AHEAD], 1), (back, da[..., N_AHEAD:], -1)
    for (params, half, turn), grads in zip(halves, found, strict=True):
        for one, other in zip(grads, alone(params, x, half, turn)[1], strict=True):
            np.testing.assert_allclose(one, other, **EXACT)


def test_7_6_two_gradients_of_the_input_are_added(rng, x, ahead, back):
    da, _, (dx, *_) = back_through(rng, x, ahead, back)
    left, _ = alone(ahead, x, da[..., :N_AHEAD], 1)
    right, _ = alone(back, x, da[..., N_AHEAD:], -1)
    np.testing.assert_allclose(dx, left + right, **EXACT)


def test_7_7_a_score_is_a_sum_of_two_parts(rng, x, ahead, back):
    a, _ = run(x, ahead, back)
    params = draw(OutputParams, rng, n_a=N_AHEAD + N_BACK, n_y=N_Y)
    params = params._replace(by=rng.normal(size=N_Y))
    y_hat = output_forward(a, params)
    for t, i in np.ndindex(T_X, M):
        z = (
            params.Wya[:, :N_AHEAD] @ a[t, i, :N_AHEAD]
            + params.Wya[:, N_AHEAD:] @ a[t, i, N_AHEAD:]
        )
        exponentials = [math.exp(value) for value in z + params.by]
        np.testing.assert_allclose(y_hat[t, i], np.array(exponentials) / sum(exponentials), **EXACT)


def test_7_8_the_most_probable_tag(rng):
    y_hat = rng.dirichlet(np.ones(N_Y), size=(T_X, M))
    tags = birnn.predict_tags(y_hat, LENGTHS)
    for t, i in np.ndindex(T_X, M):
        best = max(range(N_Y), key=lambda k: y_hat[t, i, k])
        assert tags[t, i] == (best if t < LENGTHS[i] else 0)


def test_7_9_f1_is_the_harmonic_mean():
    # teddy roosevelt taken for a place, jordan found, kenya missed
    true = np.array([[0, 1, 2, 0, 3, 0, 3]]).T
    predicted = np.array([[0, 3, 4, 0, 3, 0, 0]]).T
    P, R = 1 / 2, 1 / 3
    assert birnn.span_f1(predicted, true) == pytest.approx(2 * P * R / (P + R)) == 2 * 1 / (2 + 3)
    assert birnn.span_f1(np.zeros((4, 1), int), np.zeros((4, 1), int)) == 1


def test_7_10_starting_anew_at_every_word():
    for L in range(1, 30):
        assert sum(range(1, L + 1)) == L * (L + 1) / 2
    assert 14 * 15 / 2 == 105
    assert round(10_000 * 10_001 / 2, -6) == 50_000_000


def test_every_tagged_equation_is_tested():
    tags = re.findall(r"\\tag\{7\.(\d+)\}", TEXT.read_text(encoding="utf-8"))
    assert [int(tag) for tag in tags] == list(range(1, len(tags) + 1))
    tested = [int(m[1]) for m in (re.match(r"test_7_(\d+)_", name) for name in globals()) if m]
    assert sorted(tested) == [int(tag) for tag in tags]


# ---- what the prose claims --------------------------------------------------------------------


def test_copied_from_the_forward_layer_it_knows_no_future(x, back):
    """Of the slip in (7.2): the state at t - 1 in place of that at t + 1."""
    bears = x.copy()
    bears[3:] += 1
    slip, right = [], []
    for some in (x, bears):
        state, states = np.zeros(N_BACK), []
        for t in range(T_X):
            state = cell(back, some[t, 0], state)
            states.append(state)
        slip.append(states)
        right.append(future(back, some, 0))
    np.testing.assert_array_equal(slip[0][:3], slip[1][:3])
    assert (np.array(right[0][:3]) != np.array(right[1][:3])).any(axis=1).all()


def test_at_the_last_step_the_backward_half_has_read_one_word(x, ahead, back):
    a, (_, layer) = run(x, ahead, back)
    other = x.copy()
    other[: T_X - 1] += 1
    b, _ = run(other, ahead, back)
    last = T_X - 1
    np.testing.assert_array_equal(a[last, 0, N_AHEAD:], b[last, 0, N_AHEAD:])
    assert (a[0, 0, N_AHEAD:] != b[0, 0, N_AHEAD:]).all()
    assert (a[last, 0, :N_AHEAD] != b[last, 0, :N_AHEAD]).all()
    np.testing.assert_allclose(layer.last[0], a[0, :, N_AHEAD:], **EXACT)


def test_turned_round_with_its_padding_only_the_longest_are_right(x, back):
    x = np.where((np.arange(T_X)[:, None] < LENGTHS)[:, :, None], x, 0)
    states = RNN(back).forward(x[::-1])[::-1]
    for i in range(M):
        same = np.allclose(states[: LENGTHS[i], i], future(back, x, i), rtol=1e-6)
        assert same == (LENGTHS[i] == T_X)


def test_one_word_changes_both_halves_where_the_text_says():
    """Word 4 of six: the forward half from there on, the backward half up to there."""
    rng = np.random.default_rng(0)
    layers = (
        LSTM(draw(LSTMParams, rng, n_x=3, n_a=4)),
        RNN(draw(RNNParams, rng, n_x=3, n_a=3)),
    )
    x, lengths = rng.standard_normal((6, 1, 3)), np.array([6])
    other = x.copy()
    other[3] += 1
    one, two = (birnn.birnn_forward(v, lengths, *layers) for v in (x, other))
    moved = (one != two)[:, 0]
    assert moved[:, :4].any(axis=1).tolist() == [False] * 3 + [True] * 3
    assert moved[:, 4:].any(axis=1).tolist() == [True] * 4 + [False] * 2


def test_one_word_hides_every_slip_of_order(rng):
    x = rng.normal(size=(1, 3, N_X))
    np.testing.assert_array_equal(birnn.reverse_sequences(x, np.ones(3, int)), x)


def test_the_example_of_the_scheme():
    text = TEXT.read_text(encoding="utf-8")
    row = "O | O | B-person | I-person | O | B-place | O | B-place"
    assert f"| {row} |" in text
    assert {TAGS.index(tag) for tag in row.split(" | ")} == {0, 1, 2, 3}
    for k, kind in enumerate(("person", "place")):
        assert (TAGS.index(f"B-{kind}"), TAGS.index(f"I-{kind}")) == (2 * k + 1, 2 * k + 2)
    assert len(TAGS) == 5


@pytest.mark.skipif(not data.prepared_file("commands").exists(), reason="needs the commands")
def test_who_finds_nothing_has_most_words_right():
    tags = [tags for _, tags in data.load_commands().test]
    words = np.concatenate(tags)
    assert round(100 * np.mean(words == 0)) == 76  # the text says so
    true = np.zeros((max(map(len, tags)), len(tags)), int)
    for i, own in enumerate(tags):
        true[: len(own), i] = own
    assert birnn.span_f1(np.zeros_like(true), true) == 0


def test_the_target_is_in_the_backward_half(rng):
    """Of a letter model: change the target of a step, and only the backward half has moved."""
    tagger = Tagger(rng, "both", n_v=5, n_x=3, n_a=4, n_y=5, dtype=float)
    y = rng.integers(1, 5, size=(T_X, 1))
    x = np.concatenate([[[0]], y[:-1]])
    y_other = y.copy()
    y_other[2] = y[2] % 4 + 1
    x_other = np.concatenate([[[0]], y_other[:-1]])
    one, two = (tagger.states(v, np.array([T_X]))[2, 0] for v in (x, x_other))
    np.testing.assert_array_equal(one[:2], two[:2])
    assert (one[2:] != two[2:]).all()


def test_the_answers_are_as_long_as_the_text_says():
    said = {
        "reverse_sequences": 3,
        "birnn_forward": 3,
        "birnn_backward": 4,
        "predict_tags": 2,
    }
    text = TEXT.read_text(encoding="utf-8")
    words = {2: "Two", 3: "Three", 4: "Four"}
    for name, lines in said.items():
        assert answer_lines(exercise(name).reference) == lines
        assert re.search(rf"\*\*{words[lines]} lines\.\*\*\n\n```\{{code-cell\}} python\n"
                         rf":tags: \[exercise\]\n\n{name}\n", text), name  # fmt: skip
    assert 14 <= answer_lines(exercise("span_f1").reference) <= 17  # about fifteen


def test_the_points_are_those_of_the_exercises():
    text = TEXT.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| .* \| (\d+) \|$", text, re.MULTILINE)
    assert [(name, int(points)) for name, points in rows] == [
        (name, exercise(name).points)
        for name in (
            "reverse_sequences", "birnn_forward", "birnn_backward", "predict_tags", "span_f1"
        )
    ]  # fmt: skip


def test_the_text_holds_no_answers():
    text = TEXT.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```\{code-cell\}.*?\n(.*?)```", text, re.DOTALL))
    answers = [
        "np.concatenate([a",
        "[:length",
        "argmax(axis=-1)",
        "lengths - 1",
        "SOLUTION",
        "set()",
    ]
    assert [answer for answer in answers if answer in code] == []
