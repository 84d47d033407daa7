"""Every formula of the text of unit 02, evaluated as it is written, against the reference.

Formulas count time from 1 and treat one example as a column; the code counts from 0 and has an
example in each row. The loops below follow the formulas.
"""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from course.given import OutputParams, RNNModelParams, RNNParams, draw
from solutions.rnn import (
    last_states,
    output_forward,
    rnn_cell_forward,
    rnn_forward,
    rnn_generate,
    softmax,
)

TEXT = Path(__file__).parents[1] / "02_rnn_forward" / "rnn_forward.md"
M, T_X, N_X, N_A, N_Y = 4, 6, 3, 5, 7
EXACT = {"rtol": 1e-12, "atol": 1e-14}  # the same sums in another order


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture
def params(rng):
    drawn = draw(RNNModelParams, rng, n_x=N_X, n_a=N_A, n_y=N_Y)
    return drawn._replace(ba=rng.normal(size=N_A), by=rng.normal(size=N_Y))


def cell(p, x, a_prev):
    """(2.3) for one example, unit by unit."""
    return [
        math.tanh(
            sum(p.Wax[i, j] * x[j] for j in range(len(x)))
            + sum(p.Waa[i, k] * a_prev[k] for k in range(len(a_prev)))
            + p.ba[i]
        )
        for i in range(len(p.ba))
    ]


def test_2_1_softmax(rng):
    z = rng.normal(size=(M, N_Y))
    expected = [[math.exp(row[k]) / sum(map(math.exp, row)) for k in range(N_Y)] for row in z]
    np.testing.assert_allclose(softmax(z), expected, **EXACT)


def test_2_2_shifted_softmax(rng):
    z = 300 * rng.normal(size=(M, N_Y))
    expected = [
        [math.exp(row[k] - max(row)) / sum(math.exp(v - max(row)) for v in row) for k in range(N_Y)]
        for row in z
    ]
    np.testing.assert_allclose(softmax(z), expected, **EXACT)


def test_2_3_cell_one_example_at_a_time(rng, params):
    x_t, a_prev = rng.normal(size=(M, N_X)), rng.normal(size=(M, N_A))
    a, _cache = rnn_cell_forward(x_t, a_prev, params)
    np.testing.assert_allclose(a, [cell(params, x_t[i], a_prev[i]) for i in range(M)], **EXACT)


def test_2_4_cell_in_rows(rng, params):
    x_t, a_prev = rng.normal(size=(M, N_X)), rng.normal(size=(M, N_A))
    rows = np.tanh(
        np.matmul(x_t, params.Wax.transpose())
        + np.matmul(a_prev, params.Waa.transpose())
        + params.ba.reshape(1, -1)
    )
    np.testing.assert_allclose(rnn_cell_forward(x_t, a_prev, params)[0], rows, **EXACT)


def test_2_5_one_matrix(rng, params):
    x_t, a_prev = rng.normal(size=(M, N_X)), rng.normal(size=(M, N_A))
    Wa = np.hstack([params.Waa, params.Wax])
    assert Wa.shape == (N_A, N_A + N_X)
    a, _cache = rnn_cell_forward(x_t, a_prev, params)
    for i in range(M):
        column = np.concatenate([a_prev[i], x_t[i]])
        np.testing.assert_allclose(np.tanh(Wa @ column + params.ba), a[i], **EXACT)


def test_2_6_prediction(rng, params):
    a = rng.normal(size=(M, N_A))
    for i in range(M):
        z = [sum(params.Wya[k, j] * a[i, j] for j in range(N_A)) + params.by[k] for k in range(N_Y)]
        expected = [math.exp(v) / sum(map(math.exp, z)) for v in z]
        np.testing.assert_allclose(output_forward(a, params)[i], expected, **EXACT)


def test_2_7_recurrence(rng, params):
    x, a0 = rng.normal(size=(T_X, M, N_X)), rng.normal(size=(M, N_A))
    a, _caches = rnn_forward(x, a0, params)
    for i in range(M):
        state = a0[i]
        for t in range(1, T_X + 1):
            state = cell(params, x[t - 1, i], state)
            np.testing.assert_allclose(a[t - 1, i], state, **EXACT)


def test_2_8_two_steps_written_out(rng, params):
    x, a0 = rng.normal(size=(2, 1, N_X)), rng.normal(size=(1, N_A))
    Wax, Waa, ba = params.Wax, params.Waa, params.ba
    inner = np.tanh(Wax @ x[0, 0] + Waa @ a0[0] + ba)
    written_out = np.tanh(Wax @ x[1, 0] + Waa @ inner + ba)
    np.testing.assert_allclose(rnn_forward(x, a0, params)[0][1, 0], written_out, **EXACT)


def test_2_9_last_real_state(rng):
    a = rng.normal(size=(T_X, M, N_A))
    lengths = [T_X, 1, 3, 4]
    mask = np.array([[t <= length for length in lengths] for t in range(1, T_X + 1)])
    expected = []
    for i in range(M):
        L = sum(int(mask[t - 1, i]) for t in range(1, T_X + 1))
        expected.append(a[L - 1, i])
    np.testing.assert_array_equal(last_states(a, mask), expected)


def test_2_10_generation_feeds_predictions_back(rng):
    params = draw(RNNModelParams, rng, n_x=N_Y, n_a=N_A, n_y=N_Y)
    x_1, a0, T_y = rng.normal(size=(M, N_Y)), rng.normal(size=(M, N_A)), 5
    y_hat = rnn_generate(x_1, a0, params, T_y)
    x = np.concatenate([x_1[None], y_hat[:-1]])  # x<1>, then x<t> = y_hat<t-1>
    np.testing.assert_allclose(
        output_forward(rnn_forward(x, a0, params)[0], params), y_hat, **EXACT
    )


def test_every_tagged_equation_is_tested():
    tags = re.findall(r"\\tag\{2\.(\d+)\}", TEXT.read_text(encoding="utf-8"))
    assert [int(tag) for tag in tags] == list(range(1, len(tags) + 1))
    tested = [int(m[1]) for m in (re.match(r"test_2_(\d+)_", name) for name in globals()) if m]
    assert sorted(tested) == [int(tag) for tag in tags]


# ---- what the prose claims --------------------------------------------------------------------


def test_softmax_depends_on_differences_alone(rng):
    z = rng.normal(size=(M, N_Y))
    np.testing.assert_allclose(softmax(z + 12.5), softmax(z), **EXACT)
    assert np.round(softmax(np.array([1000.0, 999.0])), 2).tolist() == [0.73, 0.27]


def test_only_the_shifted_softmax_survives_large_scores():
    with np.errstate(over="ignore", invalid="ignore"):
        assert np.isfinite(np.exp(709.0)) and np.isinf(np.exp(710.0))
        scores = np.exp([1000.0, 999.0])
        assert np.isnan(scores / scores.sum()).all()
    assert np.isfinite(softmax(np.array([1000.0, 999.0]))).all()


def test_the_largest_score_is_the_examples_own():
    z = np.array([[2000.0, 2001.0], [1.0, 2.0]])
    assert np.exp(-745.0) > 0 and np.exp(-746.0) == 0
    with np.errstate(invalid="ignore"):
        shared = np.exp(z - z.max())
        shared = shared / shared.sum(axis=1, keepdims=True)
    assert np.isnan(shared[1]).all()
    np.testing.assert_allclose(softmax(z)[1], softmax(z)[0], **EXACT)


def test_a_sigmoid_is_a_softmax_of_two(rng):
    for z in rng.normal(size=5):
        assert math.isclose(softmax(np.array([z, 0.0]))[0], 1 / (1 + math.exp(-z)))


def test_a_prediction_has_seen_its_own_input(rng, params):
    a0 = rng.normal(size=(1, N_A))
    x = rng.normal(size=(1, 1, N_X))
    a, _caches = rnn_forward(x, a0, params)
    other, _caches = rnn_forward(x + 1, a0, params)
    assert not np.allclose(output_forward(a[0], params), output_forward(other[0], params))
    # the slip: the first prediction from the state before it reads no input at all
    slip = [math.exp(v) for v in params.Wya @ a0[0] + params.by]
    np.testing.assert_allclose(output_forward(a0, params)[0], np.array(slip) / sum(slip), **EXACT)


def test_padding_changes_the_state(rng, params):
    a_prev = rng.normal(size=(M, N_A))
    a, _cache = rnn_cell_forward(np.zeros((M, N_X)), a_prev, params)
    assert (np.abs(a - a_prev).max(axis=1) > 0.01).all()
    for i in range(M):
        np.testing.assert_allclose(a[i], np.tanh(params.Waa @ a_prev[i] + params.ba), **EXACT)


def test_a_state_does_not_know_what_comes_later(rng, params):
    a0 = np.zeros((1, N_A))
    roosevelt = rng.normal(size=(T_X, 1, N_X))
    bears = roosevelt.copy()
    bears[3:] = rng.normal(size=bears[3:].shape)
    a, _caches = rnn_forward(roosevelt, a0, params)
    b, _caches = rnn_forward(bears, a0, params)
    np.testing.assert_array_equal(a[:3], b[:3])
    assert not np.allclose(a[3], b[3])


def test_the_numbers_of_weights():
    assert 9 * 10_000 * 100 == 9_000_000
    shapes = RNNParams.shapes
    sizes = {"n_x": 10_000, "n_a": 100}
    count = sum(math.prod(sizes[letter] for letter in letters) for letters in shapes.values())
    assert count == 1_010_100


def test_the_table_of_shapes_is_the_types():
    text = TEXT.read_text(encoding="utf-8")
    for kind in (RNNParams, OutputParams):
        for name, letters in kind.shapes.items():
            shape = f"({', '.join(letters)}{',' if len(letters) == 1 else ''})"
            assert re.search(
                rf"^\| `{name}` \| .* \| `{re.escape(shape)}` \|", text, re.MULTILINE
            ), name


def test_the_text_holds_no_answers():
    text = TEXT.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```\{code-cell\}.*?\n(.*?)```", text, re.DOTALL))
    answers = ["np.tanh", "Wax.T", "Waa.T", "Wya.T", "keepdims", "np.arange(len", "SOLUTION"]
    assert [answer for answer in answers if answer in code] == []
