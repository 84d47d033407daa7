"""Every formula of the text of unit 06, evaluated as it is written, against the reference.

Formulas count time from 1 and treat one example as a column, or all as rows where they say so; the
loops below follow the formulas.
"""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from autograder import answers, diagnosis, near, trial
from autograder.exercise import Edit, answer_lines, exercise, mutant, parts
from course.given import (
    LSTM,
    CoupledLSTMParams,
    GRUParams,
    LSTMParams,
    PeepholeLSTMParams,
    RNNParams,
    draw,
    figures_lstm,
)
from course.given.adding import GUESSING, Adder, adding, clipped, fresh
from course.given.training import Adam
from solutions import lstm
from solutions.tests.proofs import close, complex_step

TEXT = Path(__file__).parents[1] / "06_lstm" / "lstm.md"
M, T_X, N_X, N_A = 4, 6, 3, 5
EXACT = {"rtol": 1e-11, "atol": 1e-13}  # the same sums in another order


@pytest.fixture
def rng():
    return np.random.default_rng(6)


def lively(kind, rng):
    """Parameters with no zero to hide behind."""
    drawn = draw(kind, rng, n_x=N_X, n_a=N_A)
    return kind(*(w + 0.3 * rng.normal(size=w.shape) for w in drawn))


@pytest.fixture
def params(rng):
    return lively(LSTMParams, rng)


@pytest.fixture
def step(rng):
    """x_t, a_prev, c_prev."""
    return rng.normal(size=(M, N_X)), np.tanh(rng.normal(size=(M, N_A))), rng.normal(size=(M, N_A))


@pytest.fixture
def run(rng, params):
    """a, c and caches of a run."""
    x = rng.normal(size=(T_X, M, N_X))
    return lstm.lstm_forward(x, rng.normal(size=(M, N_A)), rng.normal(size=(M, N_A)), params)


def sigma(s):
    return 1 / (1 + np.exp(-s))


# ---- forwards: one example, as a column ---------------------------------------------------------


def test_6_1_state_and_input_joined(step, params):
    x_t, a_prev, c_prev = step
    cache = lstm.lstm_cell_forward(x_t, a_prev, c_prev, params)[2]
    for i in range(M):
        np.testing.assert_array_equal(cache.z[i], np.concatenate([a_prev[i], x_t[i]]))


def gate_as_written(step, params, gate):
    letter = gate[0]
    W, b = getattr(params, f"W{letter}"), getattr(params, f"b{letter}")
    cache = lstm.lstm_cell_forward(*step, params)[2]
    activation = np.tanh if gate == "candidate" else sigma
    for i in range(M):
        column = np.concatenate([step[1][i], step[0][i]])
        np.testing.assert_allclose(getattr(cache, gate)[i], activation(W @ column + b), **EXACT)


def test_6_2_forget_gate(step, params):
    gate_as_written(step, params, "forget")


def test_6_3_update_gate(step, params):
    gate_as_written(step, params, "update")


def test_6_4_candidate(step, params):
    gate_as_written(step, params, "candidate")


def test_6_5_output_gate(step, params):
    gate_as_written(step, params, "output")


def test_6_6_memory(step, params):
    _a, c, k = lstm.lstm_cell_forward(*step, params)
    np.testing.assert_allclose(c, k.forget * step[2] + k.update * k.candidate, **EXACT)


def test_6_7_hidden_state(step, params):
    a, c, k = lstm.lstm_cell_forward(*step, params)
    np.testing.assert_allclose(a, k.output * np.tanh(c), **EXACT)


def test_6_8_recurrence(rng, params):
    x, a0, c0 = rng.normal(size=(T_X, M, N_X)), rng.normal(size=(M, N_A)), rng.normal(size=(M, N_A))
    a, c, _caches = lstm.lstm_forward(x, a0, c0, params)
    state, memory = a0, c0
    for t in range(1, T_X + 1):
        state, memory, _cache = lstm.lstm_cell_forward(x[t - 1], state, memory, params)
        np.testing.assert_array_equal(a[t - 1], state)
        np.testing.assert_array_equal(c[t - 1], memory)


# ---- backwards ----------------------------------------------------------------------------------


def test_6_9_slopes(rng):
    s = rng.normal(size=7)
    close(sigma(s) * (1 - sigma(s)), complex_step(lambda s: sigma(s).sum(), s))
    close(1 - np.tanh(s) ** 2, complex_step(lambda s: np.tanh(s).sum(), s))


def made_from(sums, c_prev):
    """a and c from the four sums that go into the activations."""
    f, u, o = (sigma(sums[k]) for k in "fuo")
    c = f * c_prev + u * np.tanh(sums["c"])
    return o * np.tanh(c), c


@pytest.fixture
def slopes(rng, step, params):
    """What the text says of every sum, and the true slopes; with the cache and da, dc."""
    da, dc = rng.normal(size=(2, M, N_A))
    k = lstm.lstm_cell_forward(*step, params)[2]
    whole = dc + da * k.output * (1 - np.tanh(k.c) ** 2)  # (6.10)
    said = {
        "c": whole * k.update * (1 - k.candidate * k.candidate),
        "u": whole * k.candidate * k.update * (1 - k.update),
        "f": whole * k.c_prev * k.forget * (1 - k.forget),
        "o": da * np.tanh(k.c) * k.output * (1 - k.output),
    }
    sums = {
        letter: k.z @ getattr(params, f"W{letter}").T + getattr(params, f"b{letter}")
        for letter in "fuco"
    }

    def loss(letter, value, c_prev=k.c_prev):
        a, c = made_from({**sums, letter: value}, c_prev)
        return (da * a + dc * c).sum()

    true = {
        letter: complex_step(lambda v, letter=letter: loss(letter, v), sums[letter])
        for letter in "fuco"
    }
    return {"said": said, "true": true, "k": k, "da": da, "dc": dc, "whole": whole}


def test_6_10_the_memory_is_used_twice(slopes):
    k, da, dc = slopes["k"], slopes["da"], slopes["dc"]
    true = complex_step(lambda c: (da * k.output * np.tanh(c) + dc * c).sum(), k.c)
    close(slopes["whole"], true)


def test_6_11_candidate(slopes):
    close(slopes["said"]["c"], slopes["true"]["c"])


def test_6_12_update(slopes):
    close(slopes["said"]["u"], slopes["true"]["u"])


def test_6_13_forget(slopes):
    close(slopes["said"]["f"], slopes["true"]["f"])


def test_6_14_output(slopes):
    close(slopes["said"]["o"], slopes["true"]["o"])


def test_6_15_the_old_memory(slopes, params):
    dc_prev = lstm.lstm_cell_backward(slopes["da"], slopes["dc"], slopes["k"], params)[2]
    np.testing.assert_allclose(dc_prev, slopes["whole"] * slopes["k"].forget, **EXACT)


def test_6_16_state_and_input(slopes, params):
    dx_t, da_prev, *_ = lstm.lstm_cell_backward(slopes["da"], slopes["dc"], slopes["k"], params)
    dz = sum(slopes["said"][letter] @ getattr(params, f"W{letter}") for letter in "fuco")
    np.testing.assert_allclose(np.hstack([da_prev, dx_t]), dz, **EXACT)


def test_6_17_weights(slopes, params):
    grads = lstm.lstm_cell_backward(slopes["da"], slopes["dc"], slopes["k"], params)[3]
    for letter, ds in slopes["said"].items():
        np.testing.assert_allclose(
            getattr(grads, f"W{letter}"), ds.transpose() @ slopes["k"].z, **EXACT
        )
        np.testing.assert_allclose(
            getattr(grads, f"b{letter}"), sum(ds[i] for i in range(M)), **EXACT
        )


def steps_back(da, dc, caches, params, by_state=1, by_memory=1):
    """(6.18): what every step's backward pass gives, the first step's first."""
    found, da_prev, dc_prev = [], np.zeros((M, N_A)), np.zeros((M, N_A))
    for t in range(len(da), 0, -1):
        into = da[t - 1] + by_state * da_prev, dc[t - 1] + by_memory * dc_prev
        dx_t, da_prev, dc_prev, grads = lstm.lstm_cell_backward(*into, caches[t - 1], params)
        found.insert(0, (dx_t, da_prev, dc_prev, grads))
    return found


def true_gradients(da, dc, caches, params):
    """dx, da0, dc0 by complex steps."""
    x = np.array([k.z[:, N_A:] for k in caches])
    start = [x, caches[0].z[:, :N_A], caches[0].c_prev]

    def loss(*start):
        a, c, _caches = lstm.lstm_forward(*start, params)
        return (da * a + dc * c).sum()

    return [
        complex_step(lambda v, i=i: loss(*start[:i], v, *start[i + 1 :]), value)
        for i, value in enumerate(start)
    ]


def test_6_18_two_sums(rng, run, params):
    caches, (da, dc) = run[2], rng.normal(size=(2, T_X, M, N_A))
    found = steps_back(da, dc, caches, params)
    dx, da0, dc0 = true_gradients(da, dc, caches, params)
    close([one[0] for one in found], dx, 1e-11)
    close(found[0][1], da0, 1e-11)
    close(found[0][2], dc0, 1e-11)


def test_6_19_a_parameter_is_used_at_every_step(rng, run, params):
    caches, (da, dc) = run[2], rng.normal(size=(2, T_X, M, N_A))
    found = steps_back(da, dc, caches, params)
    grads = lstm.lstm_backward(da, dc, caches, params)[3]
    for k, grad in enumerate(grads):
        np.testing.assert_allclose(grad, sum(one[3][k] for one in found), **EXACT)


def test_6_20_the_direct_road(run, params):
    """With the gates held, and only then, the memory's derivative is a product of forget gates."""
    caches = run[2]
    for t in range(T_X):

        def memory(c, t=t):
            for k in caches[t:]:
                c = k.forget * c + k.update * k.candidate
            return c.sum()

        product = np.prod([k.forget for k in caches[t:]], axis=0)
        close(complex_step(memory, caches[t].c_prev), product)
    dc = np.zeros((T_X, M, N_A))
    dc[-1] = 1
    whole = lstm.lstm_backward(np.zeros_like(dc), dc, caches, params)[2]
    assert np.abs(whole - np.prod([k.forget for k in caches], axis=0)).max() > 0.001


def test_6_21_small_weights_leave_the_bias(rng):
    for b in (0.0, 1.0, 3.0):
        drawn = draw(LSTMParams, rng, n_x=N_X, n_a=N_A)
        small = LSTMParams(*(1e-6 * w for w in drawn))._replace(bf=np.full(N_A, b))
        x = rng.normal(size=(50, 1, N_X))
        caches = lstm.lstm_forward(x, np.zeros((1, N_A)), np.zeros((1, N_A)), small)[2]
        direct = np.prod([k.forget for k in caches], axis=0)
        np.testing.assert_allclose(direct, sigma(b) ** 50, rtol=1e-3)  # weights of 1e-6, 50 steps


def test_6_22_peepholes(rng, step):
    p = lively(PeepholeLSTMParams, rng)
    x_t, a_prev, c_prev = step
    a, c, k = lstm.peephole_lstm_cell_forward(*step, p)
    for i in range(M):
        z = np.concatenate([a_prev[i], x_t[i]])
        forget = sigma(p.Wf @ z + p.pf * c_prev[i] + p.bf)
        update = sigma(p.Wu @ z + p.pu * c_prev[i] + p.bu)
        new = forget * c_prev[i] + update * np.tanh(p.Wc @ z + p.bc)
        output = sigma(p.Wo @ z + p.po * new + p.bo)
        np.testing.assert_allclose(k.output[i], output, **EXACT)
        np.testing.assert_allclose(c[i], new, **EXACT)
        np.testing.assert_allclose(a[i], output * np.tanh(new), **EXACT)


def test_6_23_coupled_gates(rng, step):
    p = lively(CoupledLSTMParams, rng)
    _a, c, k = lstm.coupled_lstm_cell_forward(*step, p)
    np.testing.assert_array_equal(k.update, 1 - k.forget)
    np.testing.assert_allclose(c, k.forget * step[2] + (1 - k.forget) * k.candidate, **EXACT)


def test_6_24_depth_gate_shut_is_the_lstm_and_open_lets_the_layer_below_through(rng, step, params):
    _a, c, k = lstm.lstm_cell_forward(*step, params)
    below = rng.normal(size=(M, N_A))

    def upper(below, depth):
        return k.forget * step[2] + k.update * k.candidate + depth * below

    np.testing.assert_allclose(upper(below, 0.0), c, **EXACT)
    slope = complex_step(lambda v: upper(v, 0.99).sum(), below)
    close(slope, np.full((M, N_A), 0.99))  # the conveyor, upwards


def clockwork(x, a, W, V, b, periods):
    """(6.25) over the steps of x (T_x, n_x), groups of one unit each."""
    states = []
    for t in range(1, len(x) + 1):
        before = a.copy()
        for g, period in enumerate(periods):
            if t % period == 0:
                heard = sum(
                    V[g, h] * before[h] for h, other in enumerate(periods) if other >= period
                )
                a = [*a[:g], np.tanh(W[g] @ x[t - 1] + heard + b[g]), *a[g + 1 :]]
        a = np.array(a)
        states.append(a)
    return np.array(states)


def test_6_25_a_slow_group_is_a_conveyor_between_its_ticks(rng):
    periods = [1, 2, 4]
    x, W, V, b = (rng.normal(size=shape) for shape in ((7, N_X), (3, N_X), (3, 3), 3))
    a = clockwork(x, np.array([0.3, -0.2, 0.5]), W, V, b, periods)
    assert (a[:3, 2] == 0.5).all() and (a[3:7, 2] == a[3, 2]).all() and a[3, 2] != 0.5
    assert len(np.unique(a[:, 0])) == 7  # period 1 is recomputed at every step
    other = clockwork(x, np.array([-0.9, -0.2, 0.5]), W, V, b, periods)
    np.testing.assert_array_equal(a[:, 1:], other[:, 1:])  # the slow do not hear the fast


def test_every_tagged_equation_is_tested():
    tags = re.findall(r"\\tag\{6\.(\d+)\}", TEXT.read_text(encoding="utf-8"))
    assert [int(tag) for tag in tags] == list(range(1, len(tags) + 1))
    tested = [int(m[1]) for m in (re.match(r"test_6_(\d+)_", name) for name in globals()) if m]
    assert sorted(tested) == [int(tag) for tag in tags]


def test_what_is_said_elsewhere_of_equations_and_sections():
    text = TEXT.read_text(encoding="utf-8")
    tags = set(re.findall(r"\\tag\{(6\.\d+)\}", text))
    for name in EXERCISES:
        declared = exercise(name)
        for said in (*declared.hints, *(edit.why for edit in declared.misconceptions)):
            assert set(re.findall(r"\((6\.\d+)\)", said)) <= tags, said
            for section in re.findall(r"section (6\.\d+)", said):
                assert f"\n## {section} " in text, said


# ---- what the prose claims ----------------------------------------------------------------------


def test_the_equations_in_print_are_wrong(slopes):
    """Equations 8 to 10 as printed, and 8 with its brackets mended."""
    k, da, dc, true = slopes["k"], slopes["da"], slopes["dc"], slopes["true"]
    shown = k.output * (1 - np.tanh(k.c) ** 2)
    twice = 1 - np.tanh(k.candidate) ** 2
    printed = {
        "c": dc * k.update + shown * k.update * da * k.candidate * twice,
        "u": dc * k.candidate + shown * k.candidate * da * k.update * (1 - k.update),
        "f": dc * k.c_prev + shown * k.c_prev * da * k.forget * (1 - k.forget),
    }
    for letter, slip in printed.items():
        assert np.abs(slip - true[letter]).max() > 0.1 * np.abs(true[letter]).max()
    mended = (dc * k.update + shown * k.update * da) * k.candidate * twice
    assert np.abs(mended - true["c"]).max() > 0.1 * np.abs(true["c"]).max()


@pytest.mark.parametrize(("by_state", "by_memory"), [(0, 1), (1, 0), (0, 0)])
def test_with_one_road_closed_only_the_last_step_is_right(rng, run, params, by_state, by_memory):
    caches, (da, dc) = run[2], rng.normal(size=(2, T_X, M, N_A))
    right = lstm.lstm_backward(da, dc, caches, params)
    slip = steps_back(da, dc, caches, params, by_state, by_memory)
    np.testing.assert_allclose(slip[-1][0], right[0][-1], **EXACT)
    assert all(np.abs(slip[t][0] - right[0][t]).max() > 1e-3 for t in range(T_X - 1))
    for k, grad in enumerate(right[3]):
        assert np.abs(sum(one[3][k] for one in slip) - grad).max() > 1e-3
    assert np.abs(slip[0][1] - right[1]).max() > 1e-3
    assert np.abs(slip[0][2] - right[2]).max() > 1e-3
    alone = steps_back(da[:1], dc[:1], caches[:1], params, by_state, by_memory)
    np.testing.assert_allclose(
        alone[0][0], lstm.lstm_backward(da[:1], dc[:1], caches[:1], params)[0][0], **EXACT
    )  # a test with one step passes


def report(name, *ids):
    """What is said of an exercise with these slips in it."""
    declared, key = exercise(name), answers.key(name)
    edits = [next(e for e in declared.misconceptions if e.id == one) for one in ids]
    pairs = [pair for e in edits for pair in ((e.old, e.new), *e.also)]
    function = mutant(declared.reference, Edit("x", *pairs[0], "", tuple(pairs[1:])))
    return diagnosis.judge(key, lambda lend: trial.run(function, key.cases, lend))


def reports_on_two(monkeypatch, name, *ids):
    """What is said of two slips: by the sentence of one, and as if nobody knew either."""
    known = report(name, *ids)
    monkeypatch.setattr(near, "partly_known", lambda *anything, **more: "")
    return known, report(name, *ids)


def why(name, one):
    return next(e.why for e in exercise(name).misconceptions if e.id == one)


@pytest.mark.parametrize(
    ("slip", "told"),
    [
        ("hidden-state-not-carried", "through the memories alone, right at the last step only: "),
        ("memory-not-carried", "through the hidden states alone, right at the last step only: "),
        ("neither-carried", "neither da_prev nor dc_prev goes from a step to the one before"),
        ("dc-ignored", "lacks what the loss asks of the memories themselves"),
    ],
)
def test_what_is_not_carried_is_told_beside_another_slip(slip, told, monkeypatch):
    alone = report("lstm_backward", slip)
    assert alone.misconception == slip
    known, unknown = reports_on_two(monkeypatch, "lstm_backward", slip, "bo-copies-bc")
    assert known.misconception is unknown.misconception is None
    assert known.cause == f"{why('lstm_backward', slip)} {near.BESIDES}"
    assert told in unknown.cause
    assert "only the last step" in str(unknown) or slip == "dc-ignored"


@pytest.mark.parametrize(
    ("slips", "told"),
    [
        (("no-slope-for-output", "bo-copies-bc"), "In grads.Wo the slope of the activation is"),
        (("dc-ignored", "bo-copies-bc"), "dc_prev was made from what comes through the hidden"),
        (("forget-gate-missing-in-dz", "bo-copies-bc"), "In da_prev what comes back through Wf"),
        (("output-gate-from-dc", "bo-copies-bc"), "grads.Wo was made from the memory's grad"),
    ],
)
def test_a_gate_is_told_of_by_itself(slips, told, monkeypatch):
    known, unknown = reports_on_two(monkeypatch, "lstm_cell_backward", *slips)
    assert known.misconception is unknown.misconception is None
    assert known.cause in {f"{why('lstm_cell_backward', one)} {near.BESIDES}" for one in slips}
    assert told in unknown.cause


def test_half_open_gates_halve_and_a_counter_reads_badly():
    assert 0.5**5 == 1 / 32
    assert f"{math.tanh(4):.4f}" == "0.9993" and f"{math.tanh(3):.4f}" == "0.9951"
    assert round(float(sigma(1)), 2) == 0.73 and round(float(sigma(2)), 2) == 0.88
    assert 0.3 < 0.99**100 < 0.4  # "a third"


def test_the_bargain_of_an_open_gate():
    assert math.isclose(0.9999 * (1 - 0.9999), 1e-4, rel_tol=2e-4)


def test_a_coupled_memory_stays_within_one_and_an_lstm_counts(rng):
    wide = CoupledLSTMParams(*(9 * w for w in lively(CoupledLSTMParams, rng)))
    a, c = np.zeros((M, N_A)), rng.uniform(-1, 1, (M, N_A))
    for _ in range(30):
        a, c, _cache = lstm.coupled_lstm_cell_forward(rng.normal(size=(M, N_X)), a, c, wide)
        assert np.abs(c).max() <= 1
    zero = LSTMParams(*(np.zeros_like(w) for w in draw(LSTMParams, rng, n_x=N_X, n_a=N_A)))
    counter = zero._replace(**{name: np.full(N_A, 30.0) for name in ("bf", "bu", "bc", "bo")})
    _a, c, _caches = lstm.lstm_forward(
        np.zeros((7, 1, N_X)), np.zeros((1, N_A)), np.zeros((1, N_A)), counter
    )
    np.testing.assert_allclose(c[:, 0, 0], np.arange(1, 8), rtol=1e-9)


def test_what_the_notebook_checks_of_the_variants(rng, step, params):
    a, _c, _cache = lstm.lstm_cell_forward(*step, params)
    none = np.zeros(N_A)
    peep = lstm.peephole_lstm_cell_forward(*step, PeepholeLSTMParams(*params, none, none, none))
    np.testing.assert_array_equal(peep[0], a)
    p = params._replace(Wu=-params.Wf, bu=-params.bf)
    coupled = CoupledLSTMParams(p.Wf, p.bf, p.Wc, p.bc, p.Wo, p.bo)
    np.testing.assert_allclose(
        lstm.coupled_lstm_cell_forward(*step, coupled)[1],
        lstm.lstm_cell_forward(*step, p)[1],
        **EXACT,
    )


def test_a_tidy_memory_fades():
    """The model answer to the first question."""
    memory, slope, large = 1.0, 1.0, 5.0
    for _ in range(100):
        memory, large = math.tanh(memory), math.tanh(large)
        slope *= 1 - memory**2
    assert round(memory, 2) == 0.12 and abs(large - memory) < 0.001 and slope < 0.002


def surviving(params, x):
    """As the notebook measures it: all roads, and the direct one."""
    n_a = len(params.bf)
    layer = LSTM(params)
    layer.forward(np.repeat(x, n_a, axis=1))
    caches, dc = layer.caches(), np.zeros((len(x), n_a, n_a))
    dc[-1] = np.eye(n_a)
    whole = np.linalg.norm(lstm.lstm_backward(np.zeros_like(dc), dc, caches, params)[2], 2)
    return whole, np.prod([k.forget[0] for k in caches], axis=0).max()


def test_what_the_notebook_sees_of_survival():
    x = adding(np.random.default_rng(1), T_x=50, m=1, dtype=float).x
    found = {
        b: surviving(fresh(LSTMParams, 0, n_a=24, dtype=float, bf=b).cell, x)
        for b in (0.0, 1.0, 3.0)
    }
    assert found[0.0][0] < 1e-8  # hardly more than in a plain network
    assert found[3.0][0] > 0.1
    assert found[0.0][0] < found[1.0][0] < found[3.0][0]
    assert all(whole > 10 * direct for whole, direct in found.values())  # "here most of it"


def test_what_the_notebook_sees_of_large_weights():
    x = adding(np.random.default_rng(1), T_x=50, m=1, dtype=float).x
    cell = fresh(LSTMParams, 0, n_a=24, dtype=float, bf=1.0).cell
    large = cell._replace(**{n: 30 * getattr(cell, n) for n in ("Wf", "Wu", "Wc", "Wo")})
    assert surviving(cell, x)[0] < 0.1 and surviving(large, x)[0] > 1e6
    layer = LSTM(large)
    layer.forward(x)
    gates = np.array([(k.forget, k.update, k.output) for k in layer.caches()])
    assert np.mean((gates < 0.01) | (gates > 0.99)) > 0.4  # "half of the gates"


# ---- the text itself ----------------------------------------------------------------------------

EXERCISES = (
    "lstm_cell_forward", "lstm_forward", "lstm_cell_backward", "lstm_backward",
    "peephole_lstm_cell_forward", "coupled_lstm_cell_forward",
)  # fmt: skip


def test_the_numbers_of_lines():
    text = TEXT.read_text(encoding="utf-8")
    words = {"seven": 7, "nine": 9, "twelve": 12, "twenty": 20}
    slots = re.findall(
        r"\*\*(?:About )?(\w+) lines?[.*,]*[^`]*```\{code-cell\} python\n:tags: \[exercise\]\n\n"
        r"(\w+)",
        text,
        re.IGNORECASE,
    )
    assert [name for _said, name in slots] == list(EXERCISES)
    for said, name in slots:
        reference = exercise(name).reference
        comments = sum(line.strip().startswith("#") for line in parts(reference)[1].splitlines())
        assert words[said.lower()] == answer_lines(reference) - comments, name


def test_the_points_of_the_table():
    text = TEXT.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| [^|]* \| (\d+) \|$", text, re.M)
    assert {name: int(points) for name, points in rows} == {
        name: exercise(name).points for name in EXERCISES
    }


def test_the_text_holds_no_answers():
    text = TEXT.read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"```\{code-cell\}.*?\n(.*?)```", text, re.DOTALL))
    held = [
        "sigmoid(z", "np.tanh", "np.concatenate", "reversed(range", "+= grad", "ds_", ".T @",
        "1 - forget", "SOLUTION",
    ]  # fmt: skip
    assert [answer for answer in held if answer in code] == []


def test_the_famous_sentence_keeps_its_distance():
    text = TEXT.read_text(encoding="utf-8")
    words = re.findall(r"\w+", re.search(r"> The \*\*cats\*\*.* full\.", text)[0])
    assert words.index("were") - 1 - words.index("cats") == 15  # copies until the verb is predicted


# ---- the task, the figures, the interactive -----------------------------------------------------


def test_the_adding_problem():
    x, y = adding(np.random.default_rng(0), T_x=9, m=5000)
    assert x.shape == (9, 5000, 2) and x.dtype == np.float32
    marks = x[:, :, 1] == 1
    assert (marks[:4].sum(axis=0) == 1).all() and (marks[4:].sum(axis=0) == 1).all()
    np.testing.assert_allclose(np.where(marks, x[:, :, 0], 0).sum(axis=0), y[:, 0], rtol=1e-6)
    assert abs(((y - 1) ** 2).mean() - GUESSING) < 0.01  # 5000 draws: four standard errors


@pytest.mark.parametrize("kind", [RNNParams, GRUParams, LSTMParams])
def test_the_adder_is_its_own_derivative(kind):
    batch = adding(np.random.default_rng(1), T_x=7, m=3, dtype=float)
    network = fresh(kind, 0, n_a=4, dtype=float)
    loss, grads = network.loss_and_gradients(batch)
    assert math.isclose(loss, network.error(batch))
    rng, h = np.random.default_rng(2), 1e-6
    for w, grad in zip(network.params, grads, strict=True):
        v = rng.normal(size=w.shape)
        w += h * v
        ahead = network.error(batch)
        w -= 2 * h * v
        slope = (ahead - network.error(batch)) / (2 * h)
        w += h * v
        assert math.isclose(slope, (grad * v).sum(), rel_tol=1e-5, abs_tol=1e-8)  # central: h²


def test_the_runners_are_of_one_size():
    sizes = [
        fresh(kind, 0, n_a=n_a).size
        for kind, n_a in ((RNNParams, 49), (GRUParams, 28), (LSTMParams, 24))
    ]
    assert max(sizes) / min(sizes) < 1.02  # "give or take two per cent"
    assert isinstance(fresh(LSTMParams, 0, n_a=3, bf=2.0), Adder)
    assert (fresh(LSTMParams, 0, n_a=3, bf=2.0).cell.bf == 2).all()


def trained(network, rate, steps=1200):
    """The errors of a network of the race, in the middle and when it is over."""
    optimiser, rng = Adam(network.params, rate), np.random.default_rng(1)
    test, errors = adding(np.random.default_rng(9), T_x=50, m=2000), []
    for step in range(steps):
        grads = network.loss_and_gradients(adding(rng, T_x=50, m=32))[1]
        optimiser.step(clipped(grads), scale=1 - step / steps)
        if step + 1 in (steps // 2, steps):
            errors.append(network.error(test))
    return errors


@pytest.mark.slow
def test_what_the_notebook_sees_of_the_race():
    """With wide margins: rounding differs from machine to machine, and training magnifies it."""
    plain = trained(fresh(RNNParams, 1, n_a=49), 0.003)
    gru = trained(fresh(GRUParams, 1, n_a=28), 0.01)
    open_gates = trained(fresh(LSTMParams, 1, n_a=24, bf=2.0), 0.01)
    assert max(gru[1], open_gates[1]) < GUESSING / 50 < GUESSING / 10 < plain[1]
    assert max(gru[0], open_gates[0]) < GUESSING / 10 < GUESSING / 2 < plain[0]
    large = fresh(LSTMParams, 1, n_a=24, bf=2.0)
    for name in ("Wf", "Wu", "Wc", "Wo"):
        getattr(large.cell, name)[:] *= 30
    assert trained(large, 0.01)[1] > GUESSING  # worse than guessing


def test_clipping_is_of_all_arrays_together():
    grads = [np.full((2, 2), 3.0), np.full(3, -4.0)]
    norm = math.sqrt(4 * 9 + 3 * 16)
    for cut, grad in zip(clipped(grads, 1.0), grads, strict=True):
        np.testing.assert_allclose(cut, grad / norm)
    for kept, grad in zip(clipped(grads, 100.0), grads, strict=True):
        np.testing.assert_array_equal(kept, grad)


@pytest.mark.parametrize(
    "picture",
    [
        figures_lstm.cell,
        figures_lstm.roads,
        lambda: figures_lstm.races({"one": np.ones(60), "two": np.full(60, 1e-3)}, 1 / 6),
        lambda: figures_lstm.traces(np.eye(9)[:, :4], np.arange(9) % 5 == 2),
        lambda: figures_lstm.belts(("the", "cats"), {"gates half open": [1, 0.5]}),
    ],
)
def test_a_figure_describes_itself(picture):
    drawn = picture()
    assert drawn.png.startswith(b"\x89PNG") and len(drawn.text) > 60


def test_a_race_says_who_was_first():
    text = figures_lstm.races({"slow": np.ones(60), "quick": np.full(60, 1e-3)}, 1 / 6).text
    assert "quick: 0.001 at the end, first below a tenth of guessing" in text
    assert "slow: 1 at the end;" in text


@pytest.fixture
def belt():
    from course.given import widgets_lstm

    return widgets_lstm.conveyor()


def test_the_interactive_is_the_reference():
    from course.given import widgets_lstm

    for setting in widgets_lstm.SETTINGS:
        sums = widgets_lstm.sums_of(setting)
        found = widgets_lstm.run(sums)
        zero = np.zeros((1, 1 + len(widgets_lstm.WORDS)))
        a, c = np.zeros((1, 1)), np.zeros((1, 1))
        for t in range(len(widgets_lstm.WORDS)):
            biases = {f"b{gate[0]}": sums[gate][t : t + 1] for gate in widgets_lstm.GATES}
            p = LSTMParams(Wf=zero, Wu=zero, Wc=zero, Wo=zero, **biases)
            x_t = np.eye(len(widgets_lstm.WORDS))[t : t + 1]
            a, c, _cache = lstm.lstm_cell_forward(x_t, a, c, p)
            assert math.isclose(found["c"][t], c[0, 0], abs_tol=1e-12)
            assert math.isclose(found["a"][t], a[0, 0], abs_tol=1e-12)
        for t in range(len(widgets_lstm.WORDS)):
            assert math.isclose(found["left"][t], np.prod(found["forget"][t + 1 :]))


def test_the_prediction_of_the_interactive():
    from course.given import widgets_lstm

    c = widgets_lstm.run(widgets_lstm.sums_of("gates half open"))["c"]
    assert math.isclose(c[widgets_lstm.NOUN + 5], c[widgets_lstm.NOUN] / 32)


def test_the_interactive_says_the_number_that_matters(belt):
    (choice, at, everywhere), (forget, update, _candidate, output) = (
        row.children for row in belt.children[:2]
    )
    view = belt.children[2]
    assert 'role="status"' in view.value and 'aria-live="polite"' in view.value
    assert "Memory <b>+0.99</b>" in view.value and "<b>0.016</b> is left after step 8" in view.value
    forget.value = -9.0  # of step 2 alone: what comes later is as it was
    assert "<b>0.016</b> is left" in view.value
    everywhere.value = True
    forget.value = 6.0
    assert "<b>0.985</b> is left" in view.value
    update.value = -9.0  # nothing is written anywhere
    assert "Memory <b>+0.00</b>" in view.value
    choice.value = "remember, show when “were” is due"
    assert update.value == 6.0 and output.value == -6.0  # loaded, and nothing overwritten
    at.value = 6  # the verb is predicted from the state of the word before it
    assert output.value == 6.0 and "shown as +0.75" in view.value
    at.value = 7
    assert output.value == -6.0 and "the forget gate of step 8." in view.value
    at.value = 8
    assert "It is the last step." in view.value


def test_the_static_picture_comes_along(belt):
    bundle = belt._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    assert {"text/plain", "text/html", "image/png"} <= bundle.keys()
    assert "gates half open" in bundle["text/plain"]
