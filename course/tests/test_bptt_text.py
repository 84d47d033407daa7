"""Every formula of the text of unit 03, evaluated as it is written, against the reference.

Formulas count time from 1 and treat one example as a column, or all as rows where they say so; the
loops below follow the formulas.
"""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from autograder.exercise import answer_lines, exercise, parts
from course.given import RNN, RNNModelParams, RNNParams, draw, figures_bptt
from course.given.echo import Echoer, echo, fresh, predict, spectral_radius
from solutions import bptt
from solutions.rnn import output_forward, rnn_cell_forward, rnn_forward, softmax
from solutions.tests.proofs import close, complex_step

TEXT = Path(__file__).parents[1] / "03_bptt" / "bptt.md"
M, T_X, N_X, N_A, N_Y = 4, 6, 3, 5, 7
EXACT = {"rtol": 1e-11, "atol": 1e-13}  # the same sums in another order


@pytest.fixture
def rng():
    return np.random.default_rng(3)


@pytest.fixture
def params(rng):
    drawn = draw(RNNModelParams, rng, n_x=N_X, n_a=N_A, n_y=N_Y)
    return drawn._replace(ba=rng.normal(size=N_A), by=rng.normal(size=N_Y))


@pytest.fixture
def mask():
    lengths = [T_X, 1, 3, 4]
    return np.array([[t <= length for length in lengths] for t in range(1, T_X + 1)])


@pytest.fixture
def y(rng):
    return rng.integers(0, N_Y, (T_X, M))


@pytest.fixture
def run(rng, params):
    """a and caches of a run."""
    x, a0 = rng.normal(size=(T_X, M, N_X)), np.tanh(rng.normal(size=(M, N_A)))
    return rnn_forward(x, a0, params)


def dz_of(y_hat, y, mask):
    """(3.3), entry by entry."""
    n = mask.sum()
    return np.array(
        [
            [
                [(y_hat[t, i, k] - (k == y[t, i])) / n if mask[t, i] else 0 for k in range(N_Y)]
                for i in range(M)
            ]
            for t in range(T_X)
        ]
    )


def test_3_1_loss(rng, y, mask):
    y_hat = softmax(rng.normal(size=(T_X, M, N_Y)))
    total = sum(math.log(y_hat[t, i, y[t, i]]) for t in range(T_X) for i in range(M) if mask[t, i])
    assert math.isclose(bptt.cross_entropy(y_hat, y, mask), -total / mask.sum(), rel_tol=1e-12)


def test_3_2_forward(rng, params):
    x_t, a_prev = rng.normal(size=(M, N_X)), rng.normal(size=(M, N_A))
    a, _cache = rnn_cell_forward(x_t, a_prev, params)
    for i in range(M):
        s = params.Wax @ x_t[i] + params.Waa @ a_prev[i] + params.ba
        z = params.Wya @ np.tanh(s) + params.by
        np.testing.assert_allclose(a[i], np.tanh(s), **EXACT)
        np.testing.assert_allclose(output_forward(a, params)[i], softmax(z), **EXACT)


def test_3_3_gradient_of_the_scores(rng, y, mask):
    z = rng.normal(size=(T_X, M, N_Y))
    slope = complex_step(lambda z: bptt.cross_entropy(softmax(z), y, mask), z)
    close(dz_of(softmax(z), y, mask), slope)


def test_3_4_output_layer_in_rows(run, params, y, mask):
    a, _caches = run
    y_hat = output_forward(a, params)
    dz = dz_of(y_hat, y, mask)
    da, grads = bptt.output_backward(y_hat, y, mask, a, params)
    for t in range(T_X):
        np.testing.assert_allclose(da[t], dz[t] @ params.Wya, **EXACT)
    np.testing.assert_allclose(grads.Wya, sum(dz[t].T @ a[t] for t in range(T_X)), **EXACT)
    np.testing.assert_allclose(
        grads.by, sum(dz[t, i] for t in range(T_X) for i in range(M)), **EXACT
    )


def test_3_5_through_tanh(rng):
    s, da = rng.normal(size=(M, N_A)), rng.normal(size=(M, N_A))
    a = np.tanh(s)
    close(da * (1 - a * a), complex_step(lambda s: (da * np.tanh(s)).sum(), s))


def step_back(rng, params):
    x_t, a_prev, da = (
        rng.normal(size=(M, N_X)),
        rng.normal(size=(M, N_A)),
        rng.normal(size=(M, N_A)),
    )
    a, cache = rnn_cell_forward(x_t, a_prev, params)
    return x_t, a_prev, da * (1 - a * a), bptt.rnn_cell_backward(da, cache, params)


def test_3_6_inputs_of_a_step(rng, params):
    _x_t, _a_prev, ds, (dx_t, da_prev, _grads) = step_back(rng, params)
    np.testing.assert_allclose(dx_t, ds @ params.Wax, **EXACT)
    np.testing.assert_allclose(da_prev, ds @ params.Waa, **EXACT)


def test_3_7_weights_of_a_step(rng, params):
    x_t, a_prev, ds, (_dx_t, _da_prev, grads) = step_back(rng, params)
    np.testing.assert_allclose(grads.Wax, ds.transpose() @ x_t, **EXACT)
    np.testing.assert_allclose(grads.Waa, ds.transpose() @ a_prev, **EXACT)
    np.testing.assert_allclose(grads.ba, sum(ds[i] for i in range(M)), **EXACT)


def states_back(da, caches, params):
    """(3.8) and (3.5) for one example at a time: ds of every step."""
    ds = np.zeros(da.shape)
    for i in range(M):
        for t in range(T_X, 0, -1):
            whole = da[t - 1, i] + (params.Waa.T @ ds[t, i] if t < T_X else 0)
            ds[t - 1, i] = whole * (1 - caches[t - 1].a[i] ** 2)
    return ds


def test_3_8_a_state_has_two_uses(rng, run, params):
    _a, caches = run
    da = rng.normal(size=(T_X, M, N_A))
    ds = states_back(da, caches, params)
    dx, da0, _grads = bptt.rnn_backward(da, caches, params)
    np.testing.assert_allclose(dx, ds @ params.Wax, **EXACT)
    np.testing.assert_allclose(da0, ds[0] @ params.Waa, **EXACT)


def test_3_9_a_weight_is_used_at_every_step(rng, run, params):
    _a, caches = run
    da = rng.normal(size=(T_X, M, N_A))
    ds = states_back(da, caches, params)
    copies = [ds[t].T @ caches[t].a_prev for t in range(T_X)]
    grads = bptt.rnn_backward(da, caches, params)[2]
    np.testing.assert_allclose(grads.Waa, sum(copies), **EXACT)


def test_3_10_central_difference(rng):
    w = rng.normal(size=4)

    def f(w):
        return math.exp(w[0]) * math.sin(w[1]) + w[2] * w[3] ** 3

    h = 1e-5
    slopes = [(f(w + h * e) - f(w - h * e)) / (2 * h) for e in np.eye(4)]
    np.testing.assert_allclose(bptt.numerical_gradient(f, w), slopes, rtol=1e-8, atol=1e-9)


def test_3_11_the_step():
    asked = []

    def f(w):
        asked.append(w.copy())
        return 0.0

    w = np.array([0.3, -50.0])
    bptt.numerical_gradient(f, w)
    h = [max(np.abs(place - w)[i] for place in asked) for i in range(2)]
    epsilon = np.finfo(float).eps
    np.testing.assert_allclose(h, epsilon ** (1 / 3) * np.maximum(1, np.abs(w)), rtol=1e-6)
    assert 2.0e-16 < epsilon < 2.5e-16 and 5.5e-6 < epsilon ** (1 / 3) < 6.5e-6


def test_3_12_complex_step():
    assert math.isclose(np.exp(1 + 1e-20j).imag / 1e-20, math.e, rel_tol=1e-15)


def jacobian(caches, params, t, i):
    """(3.13) of step t, counted from 1, for example i."""
    return np.diag(1 - caches[t - 1].a[i] ** 2) @ params.Waa


def measured(caches, params, t):
    """d a<T_x> / d a<t> of every example, row by row, with the reference's backward pass."""
    rows = []
    for unit in range(N_A):
        da = np.zeros((T_X, M, N_A))
        da[-1, :, unit] = 1
        rows.append(bptt.rnn_backward(da[t:], caches[t:], params)[1])
    return np.stack(rows, axis=1)  # (m, n_a, n_a)


def test_3_13_one_step(run, params):
    _a, caches = run
    for i in range(M):
        expected = jacobian(caches, params, T_X, i)
        np.testing.assert_allclose(measured(caches, params, T_X - 1)[i], expected, **EXACT)


def test_3_14_many_steps(run, params):
    _a, caches = run
    for t in range(T_X - 1):
        for i in range(M):
            product = np.eye(N_A)
            for j in range(T_X, t, -1):  # the last step's factor leftmost
                product = product @ jacobian(caches, params, j, i)
            found = measured(caches, params, t)[i]
            np.testing.assert_allclose(found, product, **EXACT)
            assert np.linalg.norm(found, 2) <= np.linalg.norm(params.Waa, 2) ** (T_X - t) + 1e-12


def gradients(rng, scale):
    return RNNParams(*(scale * rng.normal(size=shape) for shape in ((N_A, N_X), (N_A, N_A), N_A)))


def test_3_15_by_value(rng):
    for grad, cut in zip(g := gradients(rng, 3), bptt.clip_by_value(g, 0.7), strict=True):
        expected = [min(max(entry, -0.7), 0.7) for entry in grad.ravel()]
        np.testing.assert_array_equal(cut.ravel(), expected)
        assert grad.ravel() @ cut.ravel() > 0  # downhill still, if not straight


@pytest.mark.parametrize("scale", [0.001, 3])
def test_3_16_by_norm(rng, scale):
    grads = gradients(rng, scale)
    norm = math.sqrt(sum(entry**2 for grad in grads for entry in grad.ravel()))
    for grad, cut in zip(grads, bptt.clip_by_norm(grads, 0.7), strict=True):
        np.testing.assert_allclose(cut, grad * (0.7 / max(norm, 0.7)), **EXACT)


def test_3_17_truncation(rng, run, params):
    _a, caches = run
    da, length = rng.normal(size=(T_X, M, N_A)), 4
    ds = np.zeros(da.shape)
    for t in range(T_X, 0, -1):
        border = t % length == 0 or t == T_X
        whole = da[t - 1] if border else da[t - 1] + ds[t] @ params.Waa
        ds[t - 1] = whole * (1 - caches[t - 1].a ** 2)
    dx, da0, grads = bptt.truncated_bptt(da, caches, params, length)
    np.testing.assert_allclose(dx, ds @ params.Wax, **EXACT)
    np.testing.assert_allclose(da0, ds[0] @ params.Waa, **EXACT)
    np.testing.assert_allclose(grads.ba, ds.sum(axis=(0, 1)), **EXACT)


def test_every_tagged_equation_is_tested():
    tags = re.findall(r"\\tag\{3\.(\d+)\}", TEXT.read_text(encoding="utf-8"))
    assert [int(tag) for tag in tags] == list(range(1, len(tags) + 1))
    tested = [int(m[1]) for m in (re.match(r"test_3_(\d+)_", name) for name in globals()) if m]
    assert sorted(tested) == [int(tag) for tag in tags]


# ---- what the prose claims --------------------------------------------------------------------


def test_the_blame_travels_over_fifteen_steps():
    text = TEXT.read_text(encoding="utf-8")
    for subject, verb in (("cat", "was"), ("cats", "were")):
        sentence = re.search(rf"> The \*\*{subject}\*\*.* full\.", text)[0]
        words = re.findall(r"\w+", sentence)
        assert words.index(verb) - words.index(subject) == 16
        # the prediction of the verb is made at the word before it
        assert words.index(verb) - 1 - words.index(subject) == 15


def test_the_sizes_of_surprise():
    assert round(-math.log(0.5), 2) == 0.69 and round(-math.log(0.01), 1) == 4.6


def test_tanh_taken_twice_is_not_its_slope(rng, params):
    assert round(1 - 0.9**2, 2) == 0.19 and round(1 - math.tanh(0.9) ** 2, 2) == 0.49
    s = rng.normal(size=9)
    slope = complex_step(lambda s: np.tanh(s).sum(), s)
    close(1 - np.tanh(s) ** 2, slope)
    assert np.abs(1 - np.tanh(np.tanh(s)) ** 2 - slope).max() > 0.1


def test_a_saturated_unit_leaves_a_five_thousandth():
    assert round(1 - 0.9999**2, 4) == 0.0002 == 1 / 5000


def uncarried(da, caches, params):
    parts = [bptt.rnn_cell_backward(da[t], caches[t], params) for t in range(len(da))]
    grads = RNNParams(*(sum(part[2][k] for part in parts) for k in range(3)))
    return np.array([part[0] for part in parts]), grads


def test_without_carrying_only_the_last_step_is_right(rng, run, params):
    _a, caches = run
    da = rng.normal(size=(T_X, M, N_A))
    dx, _da0, grads = bptt.rnn_backward(da, caches, params)
    slip, slip_grads = uncarried(da, caches, params)
    np.testing.assert_allclose(slip[-1], dx[-1], **EXACT)
    assert all(np.abs(slip[t] - dx[t]).max() > 0.01 for t in range(T_X - 1))
    assert np.abs(slip_grads.Waa - grads.Waa).max() / np.abs(grads.Waa).max() > 0.1
    one, _grads = uncarried(da[:1], caches[:1], params)  # a test with one step passes
    np.testing.assert_allclose(one, bptt.rnn_backward(da[:1], caches[:1], params)[0], **EXACT)


def test_a_bias_gradient_has_one_axis(rng, params):
    grads = step_back(rng, params)[3][2]
    assert all(grad.shape == w.shape for grad, w in zip(grads, params, strict=False))


def test_which_step_is_best():
    def error(slope):
        return abs(slope / math.e - 1)

    both = {
        h: error((math.exp(1 + h) - math.exp(1 - h)) / (2 * h)) for h in (1e-2, 1e-5, 1e-8, 1e-12)
    }
    assert min(both, key=both.get) == 1e-5
    assert both[1e-12] > 1e-6
    assert error((math.exp(1 + 1e-5) - math.e) / 1e-5) > 1e-6  # one-sided


def test_in_float32_this_step_leaves_two_digits():
    w, h = np.linspace(-1, 1, 99, dtype=np.float32), np.float32(6e-6)
    slope = (np.exp(w + h) - np.exp(w - h)) / (2 * h)
    error = np.abs(slope / np.exp(w) - 1)
    assert slope.dtype == np.float32 and 0.001 < np.median(error) < 0.01


def test_radius_and_norm_are_two_things():
    W = np.array([[0.5, 4], [0, 0.5]])
    assert spectral_radius(W) == 0.5
    assert np.linalg.norm(W, 2) > 4 and np.linalg.norm(W @ W, 2) > 4
    assert np.linalg.norm(np.linalg.matrix_power(W, 60), 2) < 1e-12  # in the long run
    W = np.array([[2.0, -2], [2, -2]])
    assert not (W @ W).any()
    saturated = np.diag([1, 0]) @ W
    for n in range(1, 6):
        power = np.linalg.matrix_power(saturated, n)
        np.testing.assert_array_equal(power, 2 ** (n - 1) * saturated)
    assert 0.00005 < 0.8**40 < 0.00015 and 10.5e6 < 1.5**40 < 11.5e6


def shrinking(params, x):
    """As the notebook measures it."""
    n_a = len(params.ba)
    layer = RNN(params)
    layer.forward(np.repeat(x, n_a, axis=1))
    caches, da = layer.caches(), np.zeros((len(x), n_a, n_a))
    da[-1] = np.eye(n_a)
    norms = [
        np.linalg.norm(bptt.rnn_backward(da[t:], caches[t:], params)[1], 2) for t in range(len(x))
    ]
    return norms[::-1]


def test_what_the_notebook_sees_of_radii():
    rng = np.random.default_rng(1)
    drawn = draw(RNNParams, rng, n_x=3, n_a=32)
    x = 0.3 * rng.standard_normal((40, 1, 3))
    norms = {
        radius: shrinking(drawn._replace(Waa=drawn.Waa * radius / spectral_radius(drawn.Waa)), x)
        for radius in (0.5, 0.9, 1.0, 1.1, 3.0)
    }
    assert norms[0.5][39] < 1e-9 and norms[0.9][39] < 0.01
    assert max(norms[1.1]) > 1 > norms[1.1][39]  # first rises and then falls
    assert norms[3.0][39] > 1000


def test_clipping_by_value_turns_and_by_norm_does_not():
    text = figures_bptt.clipping().text
    assert "24 degrees away" in text and "0.97 and 0.26" in text


@pytest.mark.parametrize(("length", "teaching"), [(4, 0), (8, 0), (9, 1 / 9), (12, 4 / 12)])
def test_which_answers_teach_at_a_distance_of_eight(length, teaching):
    """The share of steps whose loss reaches the input of eight steps before."""
    steps, rng = 3 * length, np.random.default_rng(0)
    params = draw(RNNParams, rng, n_x=2, n_a=3)
    _a, caches = rnn_forward(rng.normal(size=(steps, 1, 2)), np.zeros((1, 3)), params)
    reached = []
    for t in range(length, steps):  # beyond the first chunk, every answer has its symbol
        da = np.zeros((steps, 1, 3))
        da[t] = 1
        dx = bptt.truncated_bptt(da, caches, params, length)[0]
        reached.append(t >= 8 and dx[t - 8].any())
    assert np.isclose(np.mean(reached), teaching)


def test_the_numbers_of_lines():
    text = TEXT.read_text(encoding="utf-8")
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
    slots = re.findall(
        r"\*\*(?:About )?(\w+) lines?[.*,]*[^`]*```\{code-cell\} python\n:tags: \[exercise\]\n\n"
        r"(\w+)",
        text,
        re.IGNORECASE,
    )
    assert len(slots) == 8
    for said, name in slots:
        reference = exercise(name).reference
        comments = sum(line.strip().startswith("#") for line in parts(reference)[1].splitlines())
        assert words.index(said.lower()) + 1 == answer_lines(reference) - comments, name


def test_the_points_of_the_table():
    text = TEXT.read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| [^|]* \| ([\d +]+) \|$", text, re.M)
    said = {
        name: int(points)
        for names, all_points in rows
        for name, points in zip(re.findall(r"\w+", names), all_points.split("+"), strict=True)
    }
    assert said == {name: exercise(name).points for name in said} and len(said) == 8


def test_the_text_holds_no_answers():
    text = TEXT.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```\{code-cell\}.*?\n(.*?)```", text, re.DOTALL))
    answers = [
        "a**2", "ds @", "ds.T", "dz.T", "y_hat[mask", "np.clip", "np.log", "reversed(range", "+= ",
        "keepdims", "np.cbrt", "SOLUTION",
    ]  # fmt: skip
    assert [answer for answer in answers if answer in code] == []


# ---- the task, the figures, the interactive ----------------------------------------------------


def test_the_echo_task():
    batch = echo(np.random.default_rng(0), k=3, T_x=9, m=5, n_y=4)
    heard = batch.x.argmax(axis=2)
    assert batch.x.sum(axis=2).min() == batch.x.sum(axis=2).max() == 1
    np.testing.assert_array_equal(batch.y[3:], heard[:-3])
    assert not batch.mask[:3].any() and batch.mask[3:].all()
    now = echo(np.random.default_rng(0), k=0)
    np.testing.assert_array_equal(now.y, now.x.argmax(axis=2))


@pytest.mark.parametrize("length", [None, 1, 7, 8, 99])
def test_the_fast_network_computes_what_the_reference_does(length):
    batch, params = echo(np.random.default_rng(1), k=4, T_x=20, m=3), fresh(0, n_a=6, dtype=float)
    a, caches = rnn_forward(batch.x, np.zeros((3, 6)), params)
    y_hat = output_forward(a, params)
    np.testing.assert_allclose(predict(a, params), y_hat, **EXACT)
    da, output_grads = bptt.output_backward(y_hat, batch.y, batch.mask, a, params)
    grads = bptt.truncated_bptt(da, caches, params, length or 20)[2]
    network = Echoer(params, length)
    loss, found = network.loss_and_gradients(batch)
    assert math.isclose(loss, bptt.cross_entropy(y_hat, batch.y, batch.mask), rel_tol=1e-12)
    for one, other in zip(found, (*grads, *output_grads), strict=True):
        close(one, other, 1e-11)
    right = (y_hat.argmax(axis=2) == batch.y)[batch.mask].mean()
    assert math.isclose(network.accuracy(batch), right)


def test_a_start_with_a_radius():
    assert fresh(0).Waa.dtype == np.float32
    assert abs(spectral_radius(fresh(0, radius=1.0).Waa) - 1) < 1e-5  # float32
    assert 0.5 < spectral_radius(fresh(0).Waa) < 0.7  # "near 0.6"


@pytest.mark.parametrize(
    "picture",
    [
        figures_bptt.flow,
        figures_bptt.clipping,
        lambda: figures_bptt.norms({"one": [1, 0.5], "two": [1.0, 0.0]}),
        lambda: figures_bptt.accuracies([4, 12], {"as drawn": [1, 0.25]}, 0.25),
    ],
)
def test_a_figure_describes_itself(picture):
    drawn = picture()
    assert drawn.png.startswith(b"\x89PNG") and len(drawn.text) > 60


@pytest.fixture
def flow():
    from course.given import widgets_bptt

    return widgets_bptt.gradient_flow()


def test_the_interactive_says_the_number_that_matters(flow):
    from course.given import widgets_bptt

    (radius, gap, clip, limit), view = flow.children[0].children, flow.children[1]
    assert 'role="status"' in view.value and 'aria-live="polite"' in view.value
    assert limit.disabled and "nothing is clipped" in view.value
    radius.value, gap.value = 0.5, 20
    norms, shares, _total = widgets_bptt.measure(0.5, 3)
    assert f"20 steps back the gradient is <b>{widgets_bptt._number(norms[19])}</b>" in view.value
    share = widgets_bptt._percent(shares[20:].sum() / shares.sum())  # the last step's is 0 back
    assert f"That step and those further back make up {share} of the gradient" in view.value
    clip.value = True
    assert not limit.disabled and "what is small stays small" in view.value
    radius.value, limit.value = 3.0, 1.0
    assert "the shares stay as they are" in view.value


def test_the_interactive_measures_what_the_reference_computes():
    from course.given import widgets_bptt

    norms, shares, total = widgets_bptt.measure(1.2, 3)
    rng = np.random.default_rng(3)
    params = draw(RNNParams, rng, n_x=1, n_a=widgets_bptt.UNITS)
    params = params._replace(
        Wax=0.3 * params.Wax, Waa=params.Waa * (1.2 / spectral_radius(params.Waa))
    )
    x = rng.standard_normal((widgets_bptt.STEPS, 1, 1))
    _a, caches = rnn_forward(x, np.zeros((1, widgets_bptt.UNITS)), params)
    da = np.zeros((widgets_bptt.STEPS, 1, widgets_bptt.UNITS))
    da[-1] = rng.standard_normal(widgets_bptt.UNITS)
    da[-1] /= np.linalg.norm(da[-1])
    grads = bptt.rnn_backward(da, caches, params)[2]
    assert math.isclose(total, math.sqrt(sum((g**2).sum() for g in grads)), rel_tol=1e-9)
    for back in (1, 5, 39):
        start = widgets_bptt.STEPS - back
        da_t = bptt.rnn_backward(da[start:], caches[start:], params)[1]
        assert math.isclose(norms[back - 1], np.linalg.norm(da_t), rel_tol=1e-9)
    last = bptt.rnn_cell_backward(da[-1], caches[-1], params)[2].Waa
    assert math.isclose(shares[0], np.linalg.norm(last), rel_tol=1e-9)


def test_the_static_picture_comes_along(flow):
    bundle = flow._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    assert {"text/plain", "text/html", "image/png"} <= bundle.keys()
    assert "radius 0.5" in bundle["text/plain"]
