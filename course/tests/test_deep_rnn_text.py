"""Every formula of the text of unit 08, evaluated as it is written, against the reference.

Formulas count time and layers from 1 and treat one example as a column; the loops below follow
the formulas.
"""

import math
import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from autograder.exercise import answer_lines, exercise, parts
from course.given import (
    GRU,
    LSTM,
    RNN,
    DeepOutputParams,
    GRUParams,
    LSTMParams,
    RNNParams,
    data,
    deep,
    draw,
    figures_deep,
    forecast,
    prepare,
    widgets_deep,
)
from course.given.training import Adam
from solutions import deep_rnn
from solutions.gru import gru_cell_forward
from solutions.lstm import lstm_cell_forward
from solutions.tests.proofs import close, complex_step, parameters

TEXT = Path(__file__).parents[1] / "08_deep_rnn" / "deep_rnn.md"
M, T_X, N_X, N_H, N_Y = 4, 6, 3, 5, 2
WIDTHS = (N_X, 5, 4, 7)
L = len(WIDTHS) - 1
EXACT = {"rtol": 1e-11, "atol": 1e-13}  # the same sums in another order


@pytest.fixture
def rng():
    return np.random.default_rng(8)


@pytest.fixture
def layers():
    sizes = enumerate(pairwise(WIDTHS))
    return [RNN(parameters(RNNParams, i, n_x=n_x, n_a=n_a)) for i, (n_x, n_a) in sizes]


@pytest.fixture
def run(rng, layers):
    """x, a0s and outputs of a run."""
    x = rng.normal(size=(T_X, M, N_X))
    a0s = [(np.tanh(rng.normal(size=(M, n_a))),) for n_a in WIDTHS[1:]]
    return x, a0s, deep_rnn.deep_rnn_forward(x, a0s, layers)


def test_8_1_layers_upon_layers(run, layers):
    x, a0s, outputs = run
    for i in range(M):
        for l in range(1, L + 1):  # noqa: E741  # the formula's letter
            p = layers[l - 1].params
            for t in range(1, T_X + 1):
                below = x[t - 1, i] if l == 1 else outputs[l - 2][t - 1, i]
                before = a0s[l - 1][0][i] if t == 1 else outputs[l - 1][t - 2, i]
                a = np.tanh(p.Wax @ below + p.Waa @ before + p.ba)
                np.testing.assert_allclose(outputs[l - 1][t - 1, i], a, **EXACT)


def test_8_2_any_cell(rng):
    gru = draw(GRUParams, rng, n_x=N_X, n_a=5)
    lstm = draw(LSTMParams, rng, n_x=5, n_a=4)
    x = rng.normal(size=(T_X, M, N_X))
    g, a, c = (rng.normal(size=(M, n)) for n in (5, 4, 4))
    outputs = deep_rnn.deep_rnn_forward(x, [(g,), (a, c)], [GRU(gru), LSTM(lstm)])
    for t in range(T_X):
        g, _cache = gru_cell_forward(x[t], g, gru)
        a, c, _cache = lstm_cell_forward(g, a, c, lstm)
        np.testing.assert_allclose(outputs[0][t], g, **EXACT)
        np.testing.assert_allclose(outputs[1][t], a, **EXACT)


def count(kind, n_x, n_a):
    return sum(w.size for w in draw(kind, np.random.default_rng(0), n_x=n_x, n_a=n_a))


def test_8_3_what_a_layer_costs():
    for below, own in pairwise(WIDTHS):
        plain = own * (below + own + 1)
        assert count(RNNParams, below, own) == plain
        assert count(GRUParams, below, own) == 3 * plain
        assert count(LSTMParams, below, own) == 4 * plain
    assert sum(count(RNNParams, below, 100) for below in (50, 100, 100)) == 55_300
    assert abs(count(RNNParams, 50, 211) - 55_300) < 55_300 / 200


def sums_back(das, outputs, layers):
    """(8.4) for one example at a time: the gradient ds of every sum, a list of (T_x, m, n_a)."""
    ds = [np.zeros_like(a) for a in outputs]
    for i in range(M):
        for l in range(L, 0, -1):  # noqa: E741
            for t in range(T_X, 0, -1):
                whole = das[l - 1][t - 1, i]
                if l < L:
                    whole = whole + layers[l].params.Wax.T @ ds[l][t - 1, i]
                if t < T_X:
                    whole = whole + layers[l - 1].params.Waa.T @ ds[l - 1][t, i]
                ds[l - 1][t - 1, i] = whole * (1 - outputs[l - 1][t - 1, i] ** 2)
    return ds


@pytest.fixture
def das(rng, run):
    return [rng.normal(size=a.shape) for a in run[2]]


def test_8_4_an_output_has_three_uses(run, das, layers):
    x, a0s, outputs = run
    ds = sums_back(das, outputs, layers)
    dx, da0s, grads = deep_rnn.deep_rnn_backward(das, layers)
    np.testing.assert_allclose(dx, ds[0] @ layers[0].params.Wax, **EXACT)
    for l, (own, layer) in enumerate(zip(ds, layers, strict=True)):  # noqa: E741
        read = x if l == 0 else outputs[l - 1]
        before = np.concatenate([a0s[l][0][None], outputs[l][:-1]])
        np.testing.assert_allclose(da0s[l][0], own[0] @ layer.params.Waa, **EXACT)
        np.testing.assert_allclose(grads[l].Wax, np.einsum("tma,tmx->ax", own, read), **EXACT)
        np.testing.assert_allclose(grads[l].Waa, np.einsum("tma,tmb->ab", own, before), **EXACT)


def test_8_5_what_each_layer_is_handed(run, das, layers):
    dX = 0
    for l in range(L, 0, -1):  # noqa: E741
        found = deep_rnn.deep_rnn_backward(das[l - 1 :], layers[l - 1 :])[0]
        dX, *_rest = layers[l - 1].backward(das[l - 1] + dX)
        np.testing.assert_allclose(found, dX, **EXACT)


def test_8_6_one_layer_down(run, layers):
    """At the last step: from the top layer's output to that of the one below."""
    _x, _a0s, outputs = run
    a, Wax = outputs[-1][-1], layers[-1].params.Wax
    for unit in range(WIDTHS[-1]):
        das = [np.zeros_like(out) for out in outputs]
        das[-1][-1, :, unit] = 1
        handed = deep_rnn.deep_rnn_backward(das[L - 1 :], layers[L - 1 :])[0]
        for i in range(M):
            jacobian = np.diag(1 - a[i] * a[i]) @ Wax
            np.testing.assert_allclose(handed[-1, i], jacobian[unit], **EXACT)


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_8_7_paths(depth):
    """In a network of weights so small that tanh is no bend, a gradient counts its paths."""
    small, steps = 2.0**-20, 8
    p = RNNParams(np.array([[small]]), np.array([[small]]), np.zeros(1))
    layers = [RNN(p) for _ in range(depth)]
    x = np.full((steps, 1, 1), 1e-8)
    outputs = deep_rnn.deep_rnn_forward(x, [()] * depth, layers)
    das = [np.zeros_like(a) for a in outputs]
    das[-1][-1] = 1
    dx = deep_rnn.deep_rnn_backward(das, layers)[0][:, 0, 0]
    for t in range(1, steps + 1):
        factors = (depth - 1) + (steps - t) + 1  # the last one leads from layer 1 to its input
        paths = math.comb(depth - 1 + steps - t, depth - 1)
        np.testing.assert_allclose(dx[t - 1], paths * small**factors, rtol=1e-9)
    assert math.comb(4 - 1 + 19, 4 - 1) == 1540


def test_8_8_ways_round(rng):
    plain = deep.stack([GRU], [4, 4], rng)[0]
    skipping = deep.Skip(plain)
    x, da = rng.normal(size=(T_X, M, 4)), rng.normal(size=(T_X, M, 4))
    np.testing.assert_allclose(skipping.forward(x), plain.forward(x) + x, **EXACT)
    own = plain.backward(da)
    np.testing.assert_allclose(skipping.backward(da)[0], own[0] + da, **EXACT)  # the identity
    np.testing.assert_allclose(skipping.backward(da)[1], own[1], **EXACT)


@pytest.mark.parametrize("r", [0.0, 0.3, 0.9])
def test_8_9_dropout(rng, r):
    a = rng.normal(size=(T_X, M, 5))
    u = np.random.default_rng(1).random(a.shape)
    a_tilde, k = deep_rnn.dropout_forward(a, r, np.random.default_rng(1))
    for place in np.ndindex(a.shape):
        assert k[place] == (u[place] >= r) / (1 - r)
        assert a_tilde[place] == a[place] * k[place]


def test_8_10_expectation_and_variance():
    """The two values that an entry may have, weighed by their probabilities."""
    for a, r in ((0.7, 0.3), (-2.0, 0.9), (1.5, 0.0)):
        _out, k = deep_rnn.dropout_forward(np.array([a]), r, One(0.95))
        values = np.array([0.0, a * k[0]])
        chances = np.array([r, 1 - r])
        mean = values @ chances
        assert math.isclose(mean, a, rel_tol=1e-12)
        assert math.isclose((values - a) ** 2 @ chances, r / (1 - r) * a**2, abs_tol=1e-12)


class One:
    """In place of a generator: one number, known beforehand."""

    def __init__(self, number):
        self.number = number

    def random(self, shape):
        return np.full(shape, self.number)


def test_8_11_dropout_back(rng):
    a, da_tilde = rng.normal(size=(2, T_X, M, 5))
    k = deep_rnn.dropout_forward(a, 0.4, np.random.default_rng(2))[1]

    def loss(a):
        return (deep_rnn.dropout_forward(a, 0.4, np.random.default_rng(2))[0] * da_tilde).sum()

    close(deep_rnn.dropout_backward(da_tilde, k), da_tilde * k)
    close(da_tilde * k, complex_step(loss, a))


def test_8_12_dropout_on_a_memory():
    r, units = 0.3, 200_000
    rng, memory = np.random.default_rng(0), np.ones((1, units))
    for n in range(1, 8):
        memory, _kept = deep_rnn.dropout_forward(memory, r, rng)
        np.testing.assert_allclose(memory.max(), (1 - r) ** -n, rtol=1e-12)
        part = (1 - r) ** n
        # five standard deviations of a share of so many units
        assert abs((memory > 0).mean() - part) < 5 * math.sqrt(part * (1 - part) / units)
    assert 0.0005 < (1 - r) ** 20 < 0.0015  # one unit in a thousand


@pytest.fixture
def head(rng):
    """a, params, dy_hat, y_hat and cache of a deep output network."""
    params = parameters(DeepOutputParams, 3, n_a=7, n_h=N_H, n_y=N_Y)
    a, dy_hat = rng.normal(size=(T_X, M, 7)), rng.normal(size=(T_X, M, N_Y))
    return a, params, dy_hat, *deep_rnn.deep_output_forward(a, params)


def test_8_13_deep_output(head):
    a, p, _dy_hat, y_hat, cache = head
    for t, i in np.ndindex(T_X, M):
        h = np.tanh(p.Wha @ a[t, i] + p.bh)
        np.testing.assert_allclose(cache.h[t, i], h, **EXACT)
        np.testing.assert_allclose(y_hat[t, i], p.Wyh @ h + p.by, **EXACT)


def test_8_14_squared_errors(rng):
    y_hat, y = rng.normal(size=(2, T_X, M, N_Y))
    slope = complex_step(lambda y_hat: ((y_hat - y) ** 2).sum() / y.size, y_hat)
    close(2 / y.size * (y_hat - y), slope)


def test_8_15_back_through_the_output(head):
    _a, p, dy_hat, _y_hat, cache = head
    da, _grads = deep_rnn.deep_output_backward(dy_hat, cache, p)
    for t, i in np.ndindex(T_X, M):
        ds_h = p.Wyh.T @ dy_hat[t, i] * (1 - cache.h[t, i] * cache.h[t, i])
        np.testing.assert_allclose(da[t, i], p.Wha.T @ ds_h, **EXACT)


def test_8_16_the_output_s_weights(head):
    a, p, dy_hat, _y_hat, cache = head
    _da, grads = deep_rnn.deep_output_backward(dy_hat, cache, p)
    ds_h = dy_hat @ p.Wyh * (1 - cache.h**2)
    places = list(np.ndindex(T_X, M))
    sums = DeepOutputParams(
        Wha=sum(np.outer(ds_h[at], a[at]) for at in places),
        bh=sum(ds_h[at] for at in places),
        Wyh=sum(np.outer(dy_hat[at], cache.h[at]) for at in places),
        by=sum(dy_hat[at] for at in places),
    )
    for found, expected in zip(grads, sums, strict=True):
        np.testing.assert_allclose(found, expected, **EXACT)
    together = np.tensordot(ds_h, a, axes=((0, 1), (0, 1)))  # as the text writes it
    np.testing.assert_allclose(together, sums.Wha, **EXACT)


def test_every_tagged_equation_is_tested():
    tags = re.findall(r"\\tag\{8\.(\d+)\}", TEXT.read_text(encoding="utf-8"))
    assert [int(tag) for tag in tags] == list(range(1, len(tags) + 1))
    tested = [int(m[1]) for m in (re.match(r"test_8_(\d+)_", name) for name in globals()) if m]
    assert sorted(tested) == [int(tag) for tag in tags]


# ---- what the prose claims --------------------------------------------------------------------


def test_a_step_below_is_no_step_before(layers, run):
    """Reading the layer below one step earlier: news takes L steps to the top."""
    x, a0s, _outputs = run

    def late(x):
        read, outputs = x, []
        for layer, start in zip(layers, a0s, strict=True):
            read = np.concatenate([np.zeros_like(read[:1]), read[:-1]])
            read = layer.forward(read, *start)
            outputs.append(read)
        return outputs[-1]

    other = x.copy()
    other[0] += 1
    first = deep_rnn.deep_rnn_forward(x, a0s, layers)[-1]
    moved = deep_rnn.deep_rnn_forward(other, a0s, layers)[-1]
    assert np.abs(first - moved)[0].max() > 1e-4
    slow = np.abs(late(x) - late(other)).max(axis=(1, 2))
    assert not slow[:L].any() and slow[L] > 1e-6


def only_the_last_step(das, layers):
    """What the prediction of section 8.3 is about."""
    dx = 0
    for layer, da in zip(reversed(layers), reversed(das), strict=True):
        handed = np.zeros_like(da)
        handed[-1] = dx[-1] if np.ndim(dx) else 0
        dx, *_rest = layer.backward(da + handed)
    return dx


def test_the_last_step_is_not_all_that_comes_down(run, layers):
    x, _a0s, outputs = run
    das = [np.zeros_like(a) for a in outputs]
    das[-1][-1] = 1  # a loss that sees the last state of the top layer only
    right = deep_rnn.deep_rnn_backward(das, layers)[0]
    assert np.abs(only_the_last_step(das, layers) - right).max() > 0.01
    das = [np.ones_like(outputs[0]), *map(np.zeros_like, outputs[1:])]  # it sees the lowest only
    right = deep_rnn.deep_rnn_backward(das, layers)[0]
    np.testing.assert_allclose(only_the_last_step(das, layers), right, **EXACT)
    ones = deep_rnn.deep_rnn_forward(x[:1], [()] * L, layers)
    das = [np.ones_like(a) for a in ones]
    right = deep_rnn.deep_rnn_backward(das, layers)[0]
    np.testing.assert_allclose(only_the_last_step(das, layers), right, **EXACT)


def fresh(kind, depth=8, seed=0):
    return deep.stack([kind] * depth, [6] + [24] * depth, np.random.default_rng(seed))


def downwards(layers, seed=1):
    """As the notebook measures it, at the last step."""
    rng = np.random.default_rng(seed)
    x, da = rng.normal(size=(20, 8, 6)), rng.normal(size=(8, 24))
    da /= np.linalg.norm(da, axis=1, keepdims=True)
    outputs = deep_rnn.deep_rnn_forward(x, [()] * len(layers), layers)
    das = [np.zeros_like(a) for a in outputs]
    das[-1][-1] = da
    rows = [
        deep_rnn.deep_rnn_backward(das[k:], layers[k:])[0] for k in range(len(layers) - 1, 0, -1)
    ]
    return np.array([np.linalg.norm(row, axis=2).mean(axis=1) for row in [das[-1], *rows]])


@pytest.mark.parametrize("seed", range(4))
def test_gates_stand_across_the_way_down(seed):
    factors = {}
    for kind in (RNN, GRU, LSTM):
        norms = downwards(fresh(kind, seed=seed), seed + 10)[:, -1]
        factors[kind] = norms[1]
        if kind is LSTM:
            assert 1e-8 < norms[7] < 1e-6  # about a ten-millionth of it is left
    assert 0.4 < factors[RNN] < 0.7  # about half
    assert 0.15 < factors[GRU] < 0.3  # a fifth
    assert 0.07 < factors[LSTM] < 0.15  # a tenth


@pytest.mark.parametrize("kind", [RNN, GRU, LSTM])
def test_a_way_round_keeps_the_gradient(kind):
    layers = fresh(kind)
    norms = downwards([layers[0], *map(deep.Skip, layers[1:])])[:, -1]
    assert 0.9 < norms[7] < 2.5


def test_far_back_the_lower_layers_are_handed_as_much():
    field = downwards(fresh(RNN, depth=5))[1:]  # layers 4 to 1
    assert (np.diff(field[:, -1]) < 0).all()  # near the last step, less and less
    assert field[-1, 0] > field[0, 0]


def test_one_random_direction_checks_everything(rng):
    """As section 8.3 does it: to ten digits or so."""
    layers = deep.stack([LSTM, GRU, RNN], [6, 5, 4, 3], rng)
    x, a0s = rng.normal(size=(7, 2, 6)), [()] * 3
    das = [rng.normal(size=a.shape) for a in deep_rnn.deep_rnn_forward(x, a0s, layers)]

    def loss():
        outputs = deep_rnn.deep_rnn_forward(x, a0s, layers)
        return sum((da * a).sum() for da, a in zip(das, outputs, strict=True))

    grads = deep_rnn.deep_rnn_backward(das, layers)[2]
    way, h = deep.direction(layers, rng), 6e-6
    slope = sum(
        (g * d).sum()
        for own, step in zip(grads, way, strict=True)
        for g, d in zip(own, step, strict=True)
    )
    deep.moved(layers, way, h)
    above = loss()
    deep.moved(layers, way, -2 * h)
    assert abs((above - loss()) / (2 * h) / slope - 1) < 1e-8


def test_a_rate_of_dropping_taken_for_one_of_keeping(rng):
    a = np.ones(10_000)
    _out, kept = deep_rnn.dropout_forward(a, 1 - 0.1, rng)
    assert abs((kept == 0).mean() - 0.9) < 5 * math.sqrt(0.09 / 10_000)  # nine tenths


def test_raising_and_lowering_afterwards_is_once_too_often(rng):
    """The layer above gets W a on average while training, and so it should afterwards."""
    r, a, W = 0.3, rng.uniform(1, 2, 100_000), 5.0
    out, kept = deep_rnn.dropout_forward(a, r, rng)
    in_training, unraised = (W * out).mean(), (W * a * (kept > 0)).mean()
    # five standard deviations of the means, which are near 7.5 with a deviation of about 5
    assert abs(in_training - (W * a).mean()) < 5 * 5 / math.sqrt(a.size)
    assert abs(unraised - ((1 - r) * W * a).mean()) < 5 * 5 / math.sqrt(a.size)
    assert ((1 - r) * W * a).mean() < 0.75 * in_training  # both together


def test_the_numbers_of_lines():
    text = TEXT.read_text(encoding="utf-8")
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    slots = re.findall(
        r"\*\*(?:About )?(\w+) lines?[.*,]*[^`]*```\{code-cell\} python\n:tags: \[exercise\]\n\n"
        r"(\w+)",
        text,
        re.IGNORECASE,
    )
    assert len(slots) == 6
    for said, name in slots:
        reference = exercise(name).reference
        comments = sum(line.strip().startswith("#") for line in parts(reference)[1].splitlines())
        assert words.index(said.lower()) + 1 == answer_lines(reference) - comments, name


def test_the_points_of_the_table():
    text = TEXT.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| [^|]* \| ([\d +]+) \|$", text, re.M)
    said = {
        name: int(points)
        for names, each in rows
        for name, points in zip(re.findall(r"\w+", names), each.split("+"), strict=True)
    }
    assert said == {name: exercise(name).points for name in said} and len(said) == 6


def test_the_text_holds_no_answers():
    text = TEXT.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```\{code-cell\}.*?\n(.*?)```", text, re.DOTALL))
    answers = ["*start", "numbers >=", "1 - rate", "np.tanh", "tensordot", "insert(0", "SOLUTION"]
    assert [answer for answer in answers if answer in code] == []


# ---- the data, the forecasts, the figures, the interactive ------------------------------------


def made_up(days=1461, seed=0):
    """A series with a season and a memory: departures shrink to 0.6 of themselves in a day."""
    rng = np.random.default_rng(seed)
    dates = np.datetime64("2012-01-01") + np.arange(days)
    departure = np.zeros(days)
    for t in range(1, days):
        departure[t] = 0.6 * departure[t - 1] + rng.normal()
    season = 15 - 10 * np.cos(2 * np.pi * np.arange(days) / 365.25)
    slices = slice(0, 731), slice(731, 1096), slice(1096, days)
    warm = season + 2 * departure
    return data.Weather(
        dates, warm, warm - 8, rng.exponential(size=days), rng.random(days), *slices
    )


@pytest.fixture(scope="module")
def task():
    return forecast.task(made_up())


def test_changes_are_of_departures(task):
    weather = made_up()
    for t, h in ((0, 1), (100, 3), (1457, 3)):
        later = (weather.temp_max[t + h] - task.usual[t + h]) / task.scale
        assert math.isclose(task.y[t, h - 1], later - task.today[t], abs_tol=1e-12)
    assert np.isnan(task.y[-1]).all() and np.isnan(task.y[-3, 2])
    np.testing.assert_allclose(
        forecast.degrees(task, task.y)[:-3, 1], weather.temp_max[2:-1], rtol=1e-12
    )


def test_nothing_is_learned_from_later_years():
    """Whatever happens after the training years, what was made of those years stays."""
    weather = made_up()
    other = weather._replace(temp_max=np.where(np.arange(1461) < 731, weather.temp_max, 50.0))
    one, two = forecast.task(weather), forecast.task(other)
    np.testing.assert_array_equal(one.x[:731], two.x[:731])
    assert one.scale == two.scale and (one.usual == two.usual).all()
    for k in (1, 7):
        np.testing.assert_array_equal(forecast.linear(one, k)[:731], forecast.linear(two, k)[:731])
    for seed in range(5):
        batches = [forecast.windows(each, np.random.default_rng(seed)) for each in (one, two)]
        for a, b in zip(*batches, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_line_looks_back_and_never_ahead():
    weather = made_up()
    warm = weather.temp_max.copy()
    warm[1200:] += 9
    one, two = forecast.task(weather), forecast.task(weather._replace(temp_max=warm))
    lines = [forecast.linear(each, 3) for each in (one, two)]
    np.testing.assert_array_equal(lines[0][:1200], lines[1][:1200])
    assert (lines[0][1200] != lines[1][1200]).any()


def test_rules(task):
    np.testing.assert_array_equal(forecast.persistence(task)[7], [task.temp_max[7]] * 3)
    np.testing.assert_allclose(forecast.as_usual(task)[7], task.usual[8:11], rtol=1e-12)
    line = forecast.rmse(task, forecast.linear(task, 1), "test")
    as_today = forecast.rmse(task, forecast.persistence(task), "test")
    assert line[0] < as_today[0]
    assert abs(line[0] - 2) < 5 * 2 / math.sqrt(2 * 363)  # the noise itself: nobody can do better


def test_errors_are_those_of_the_split_s_days(task):
    truth = np.full(task.y.shape, np.nan)
    for h in (1, 2, 3):
        truth[:-h, h - 1] = task.temp_max[h:]
    for split, days in (("train", 728), ("validation", 363), ("test", 363)):
        found = forecast.errors(task, truth + np.array([1, 2, 3]), split)
        assert found.shape == (days, 3)
        np.testing.assert_allclose(found, np.tile([1.0, 2, 3], (days, 1)), rtol=1e-9)
        np.testing.assert_allclose(forecast.rmse(task, truth + 2, split), 2, rtol=1e-9)


def test_a_gain_has_a_sign_and_an_error(task):
    good, bad = forecast.linear(task, 1), forecast.persistence(task)
    gain, error = forecast.gain(task, good, bad, "test")
    assert gain > 0 and math.isclose(forecast.gain(task, bad, good, "test")[0], -gain)
    rmse = [forecast.rmse(task, each, "test")[0] for each in (bad, good)]
    assert math.isclose(gain, rmse[0] - rmse[1]) and 0 < error < 0.5
    assert forecast.gain(task, good, good, "test") == (0, 0)


@pytest.mark.parametrize("n_layers", [1, 3])
def test_the_fast_network_computes_what_the_reference_does(task, n_layers):
    model = forecast.Forecaster(
        np.random.default_rng(0), 6, 3, n_layers=n_layers, n_a=5, rate=0.3, dtype=float
    )
    x, y = forecast.windows(task, np.random.default_rng(1), T_x=12, m=4, dtype=float)
    shared = np.random.default_rng(7)
    for drop in model.drops:
        drop.rng = shared
    loss, fast = model.loss_and_gradients(x, y, skip=2)

    rng, layers = np.random.default_rng(7), []
    for layer in model.layers:
        layers += [layer, Dropping(0.3, rng)]
    outputs = deep_rnn.deep_rnn_forward(x, [()] * len(layers), layers)
    y_hat, cache = deep_rnn.deep_output_forward(outputs[-1], model.head)
    error = np.where(np.arange(12)[:, None, None] < 2, 0, y_hat - y)
    assert math.isclose(loss, (error[2:] ** 2).mean(), rel_tol=1e-12)
    da, head = deep_rnn.deep_output_backward(2 * error / error[2:].size, cache, model.head)
    das = [*map(np.zeros_like, outputs[:-1]), da]
    grads = deep_rnn.deep_rnn_backward(das, layers)[2]
    slow = [*(g for own in grads for g in own), *head]
    assert len(slow) == len(fast) == len(model.params)
    for one, other in zip(fast, slow, strict=True):
        close(one, other, 1e-11)

    outputs = deep_rnn.deep_rnn_forward(x, [()] * n_layers, model.layers)  # nothing dropped now
    y_hat, _cache = deep_rnn.deep_output_forward(outputs[-1], model.head)
    close(model.forecast(x), y_hat)
    assert all(drop.training for drop in model.drops)


class Dropping:
    """The reference's dropout as a layer, as the notebook has the learner's."""

    def __init__(self, rate, rng):
        self.rate, self.rng = rate, rng

    def forward(self, a):
        a_dropped, self.kept = deep_rnn.dropout_forward(a, self.rate, self.rng)
        return a_dropped

    def backward(self, da_dropped):
        return deep_rnn.dropout_backward(da_dropped, self.kept), ()


def test_loading_weather(tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    with pytest.raises(data.DataMissing, match="unrolled data prepare weather"):
        data.load_weather()
    rows = ["2013-12-31\t5.0\t1.0\t0.3\t2.0\ttrain", "2014-01-01\t6.5\t2.0\t0.0\t3.0\tvalidation",
            "2015-01-01\t7.0\t-1.0\t9.0\t4.0\ttest"]  # fmt: skip
    (tmp_path / "weather.tsv").write_text("# made\n" + "\n".join(rows) + "\n")
    loaded = data.load_weather()
    assert loaded.temp_max.tolist() == [5, 6.5, 7] and loaded.temp_min.tolist() == [1, 2, -1]
    assert loaded.precipitation[2] == 9 and loaded.wind[1] == 3
    assert (loaded.train, loaded.validation, loaded.test) == (slice(0, 1), slice(1, 2), slice(2, 3))
    assert loaded.dates[1] == np.datetime64("2014-01-01")


def test_weather_is_read_out_of_its_table():
    text = (
        "date,precipitation,temp_max,temp_min,wind,weather\n2014/01/02,0.5,8.1,3.2,4.0,rain\n"
        "2013/12/31,0.0,7.0,1.0,2.0,sun\n2015/06/01,1.0,20.0,9.0,3.0,drizzle\n"
    )
    assert prepare.RECIPES["weather"]({"inside.csv": text}) == [
        ("2013-12-31", "7.0", "1.0", "0.0", "2.0", "train"),
        ("2014-01-02", "8.1", "3.2", "0.5", "4.0", "validation"),
        ("2015-06-01", "20.0", "9.0", "1.0", "3.0", "test"),
    ]


needs_weather = pytest.mark.skipif(
    not data.prepared_file("weather").exists(), reason="not prepared: unrolled data prepare weather"
)


@needs_weather
def test_the_real_weather_is_as_the_card_says():
    weather = data.load_weather()
    assert len(weather.dates) == 1461
    assert set(np.diff(weather.dates).astype(int)) == {1}
    assert [s.stop - s.start for s in (weather.train, weather.validation, weather.test)] == [
        731, 365, 365,
    ]  # fmt: skip


@needs_weather
def test_neighbours_of_a_random_day_give_it_away():
    """The mean of yesterday and tomorrow is no forecast: it misses by 2.1 degrees."""
    warm = data.load_weather().temp_max
    between = np.sqrt(np.mean(((warm[:-2] + warm[2:]) / 2 - warm[1:-1]) ** 2))
    as_today = np.sqrt(np.mean(np.diff(warm) ** 2))
    assert round(between, 1) == 2.1 and as_today > 2.8


@needs_weather
def test_what_is_to_be_beaten():
    """The errors of the rules as the text quotes them, and a line that a network does not beat."""
    real = forecast.task(data.load_weather())
    assert round(forecast.rmse(real, forecast.persistence(real), "test")[0], 1) == 2.9
    lines = {k: forecast.linear(real, k) for k in (1, 2, 3, 7, 14)}
    back = min(lines, key=lambda k: forecast.rmse(real, lines[k], "validation")[0])
    assert back in (1, 2)  # "the line through the last day or two"
    assert round(forecast.rmse(real, lines[back], "test")[0], 1) == 2.7


def trained(real, steps, decay, **sizes):
    """A network as the notebook trains it, and its forecasts in degrees."""
    model, rng = (
        forecast.Forecaster(np.random.default_rng(0), 6, 3, **sizes),
        np.random.default_rng(0),
    )
    optimiser = Adam(model.params, learning_rate=0.004)
    for step in range(steps):
        _loss, grads = model.loss_and_gradients(*forecast.windows(real, rng), skip=10)
        pulled = [g + decay * w for g, w in zip(grads, model.params, strict=True)]
        optimiser.step(pulled, scale=1 - step / steps)
    return forecast.degrees(real, model.forecast(real.x[:, None])[:, 0])


@pytest.mark.slow
@needs_weather
def test_the_network_beats_as_today_and_not_the_line():
    real = forecast.task(data.load_weather())
    for n_layers in (1, 3):
        made = trained(real, 250, 0.001, n_layers=n_layers)
        gain, error = forecast.gain(real, made, forecast.persistence(real), "test")
        assert 0.1 < gain < 0.3 and gain > 2 * error  # "a fifth of a degree or so"
        gain, error = forecast.gain(real, made, forecast.linear(real, 2), "test")
        assert abs(gain) < 2 * error  # "not at all", whatever the depth


@pytest.mark.slow
@needs_weather
def test_dropout_helps_a_careless_network_and_is_no_cure():
    real = forecast.task(data.load_weather())
    as_today = forecast.rmse(real, forecast.persistence(real), "test")[0]
    without, dropped = (
        [forecast.rmse(real, made, split)[0] for split in ("train", "test")]
        for made in (trained(real, 300, 0.0, n_a=32, rate=rate) for rate in (0.0, 0.5))
    )
    assert without[0] < dropped[0] < 2.6  # it costs fit on the training years
    assert without[1] > as_today + 0.2  # worse than repeating today
    assert dropped[1] < without[1] - 0.2 and dropped[1] > as_today - 0.15  # about as far as that


@pytest.mark.parametrize(
    "picture",
    [
        figures_deep.deep,
        figures_deep.dropout_places,
        lambda: figures_deep.downwards({"RNN": [1, 0.5], "LSTM": [1.0, 0.1]}),
        lambda: figures_deep.field(np.array([[1e-3, 1.0], [1e-2, 0.1]])),
        lambda: figures_deep.order(2, 3, np.array([[1, 2, 3], [2, 3, 4]])),
    ],
)
def test_a_figure_describes_itself(picture):
    drawn = picture()
    assert drawn.png.startswith(b"\x89PNG") and len(drawn.text) > 60


def test_the_picture_of_forecasts_says_how_far_off_they_are(task):
    weather = made_up()
    ahead = forecast.persistence(task)[:, 0]
    drawn = figures_deep.forecasts(weather.dates, weather.temp_max, ahead, task.usual, 1200, 30)
    off = np.abs(np.diff(weather.temp_max))[1199:1229]
    assert f"{off.mean():.1f} degrees off on average, and {off.max():.1f} at worst" in drawn.text


@pytest.fixture
def stepping():
    return widgets_deep.order(layers=3, steps=4)


def controls(widget):
    return *widget.children[0].children, widget.children[1]


def test_the_interactive_says_what_each_cell_reads(stepping):
    _layers, _steps, _order, back, forward, done, view = controls(stepping)
    assert 'role="status"' in view.value and "<b>12 rounds</b> for 12 cells" in view.value
    assert back.disabled and "Nothing is computed yet" in view.value
    forward.click()
    assert done.value == 1 and "a[1]⟨1⟩ reads x⟨1⟩ and a[1]⟨0⟩" in view.value
    assert "it depends on 0 other cells" in view.value
    done.value = 6  # layer by layer: the second cell of layer 2
    assert "a[2]⟨2⟩ reads a[1]⟨2⟩ and a[2]⟨1⟩" in view.value
    assert "it depends on 3 other cells" in view.value
    done.value = 12
    assert forward.disabled and not back.disabled and "12 of 12 cells computed" in view.value


def test_whole_diagonals_at_once(stepping):
    layers, steps, order, _back, _forward, done, view = controls(stepping)
    order.value = "all at once that can be"
    assert "<b>6 rounds</b> for 12 cells" in view.value  # L + T_x - 1
    done.value = 3
    assert "3 cells at once, none of which needs another of them" in view.value
    done.value, layers.value, steps.value = 6, 1, 2  # fewer rounds than have been computed
    assert done.value == 2 and "2 of 2 cells computed" in view.value


@pytest.mark.parametrize("order", widgets_deep.ORDERS)
def test_in_every_order_what_is_needed_is_there(order):
    for n_layers, steps in ((1, 1), (3, 5), (4, 2)):
        plan, there = widgets_deep.rounds(n_layers, steps, order), set()
        for cells in plan:
            for layer, t in cells:
                assert layer == 1 or (layer - 1, t) in there
                assert t == 1 or (layer, t - 1) in there
            there |= set(cells)
        assert len(there) == n_layers * steps
        at_once = order == "all at once that can be"
        assert len(plan) == (n_layers + steps - 1 if at_once else n_layers * steps)


@pytest.mark.parametrize(("layer", "t"), [(1, 1), (3, 1), (2, 4), (3, 3)])
def test_how_many_cells_a_cell_depends_on(layer, t):
    needed, new = set(), {(layer, t)}
    while new:
        below = {(one - 1, step) for one, step in new if one > 1}
        new = (below | {(one, step - 1) for one, step in new if step > 1}) - needed
        needed |= new
    assert widgets_deep.depends_on(layer, t) == len(needed)


def test_the_static_picture_comes_along(stepping):
    bundle = stepping._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    assert {"text/plain", "text/html", "image/png"} <= bundle.keys()
    assert "layer 3: 3, 4, 5, 6" in bundle["text/plain"]
