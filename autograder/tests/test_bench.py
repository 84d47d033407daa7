"""The benchmark compares like with like, and says what it measured. No test asserts a time."""

import json
import math
import subprocess

import numpy as np
import pytest

from autograder.bench import contenders, course, reference
from autograder.bench.contenders import (
    BEFORE,
    CELLS,
    CHECKED,
    CHECKPOINTED,
    CLEAR,
    CLEAR_BEFORE,
    FAST,
    FAST_BEFORE,
    FAST_TWO,
    PRODUCTS,
    PYTORCH,
    PYTORCH_TWO,
    STYLE,
    Size,
    Task,
    agree,
)
from autograder.bench.reference import FULL, KINDS, SHORT, SIZES, Plan
from autograder.cli import _parser
from autograder.grading import demo
from autograder.grading.books import Books

SMALL = Size(5, 3, 4, 6)
OF_PYTORCH = {PYTORCH, CELLS, PYTORCH_TWO}
MAKERS = {
    contenders.contenders: [FAST, CLEAR, PYTORCH, CELLS, STYLE, PRODUCTS],
    contenders.on_two_threads: [FAST, FAST_TWO, PYTORCH, PYTORCH_TWO],
    contenders.with_checkpoints: [FAST, CHECKPOINTED],
}
GRU_TOO = [FAST_BEFORE, CLEAR_BEFORE]
NAMED = [
    (make, kind, name)
    for make, names in MAKERS.items()
    for kind in KINDS
    for name in names + GRU_TOO * (kind == "GRU" and CLEAR in names)
]
STEPS = [(make, kind, name) for make, kind, name in NAMED if name != PRODUCTS]
TINY = Plan(
    "tiny",
    steps={SMALL: 0, SMALL._replace(m=1): 0},
    threads={SMALL: 0},
    axes={"T_x": (2, 4), "n_a": (3, 6)},
    growth=0,
    memory=0,
    base=SMALL,
    memory_size=SMALL,
)


@pytest.fixture(autouse=True)
def _threads_of_pytorch():
    """Other tests shall have as many threads as they had."""
    before = contenders.torch and contenders.torch.get_num_threads()
    yield
    if before:
        contenders.torch.set_num_threads(before)


def made(make, kind, name, size=SMALL, dtype=float):
    if name in OF_PYTORCH:
        pytest.importorskip("torch", reason="PyTorch is absent, and so is what is compared with it")
    return make(kind, size, dtype)[name]


def without_pytorch(monkeypatch):
    for module in (contenders, reference):
        monkeypatch.setattr(module, "torch", None)


# Contenders


@pytest.mark.parametrize(("make", "kind", "name"), STEPS)
def test_all_compute_the_same(make, kind, name):
    for size in (SMALL, Size(3, 2, 2, 1), *CHECKED[make]):
        agree(name, made(make, kind, name, size))


def test_one_example_is_not_split():
    assert FAST_TWO not in contenders.on_two_threads("RNN", SMALL._replace(m=1))


def test_a_check_is_of_every_kind_of_contender(monkeypatch):
    checked = []
    monkeypatch.setattr(contenders, "agree", lambda name, contender: checked.append(name))
    contenders.check("GRU")
    there = {name for make in MAKERS for name in make("GRU", SMALL)} - {PRODUCTS}
    assert set(checked) == {f"GRU, {name}" for name in there}


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize("kind", KINDS)
def test_these_are_all(make, kind):
    names = {n for m, k, n in NAMED if (m, k) == (make, kind)}
    assert set(make(kind, SMALL)) == names - (OF_PYTORCH if contenders.torch is None else set())


@pytest.mark.parametrize(("make", "kind", "name"), STEPS)
def test_float32_stays_float32(make, kind, name):
    contender = made(make, kind, name, dtype=np.float32)
    contender.step()
    kinds = {gradient.dtype for gradient in contender.gradients().values()}
    assert kinds == {np.dtype(float if name == STYLE else np.float32)}


@pytest.mark.parametrize("kind", [*KINDS, BEFORE])
def test_whoever_differs_is_found_out(kind):
    """Each gradient in turn is a little off, at one entry."""
    clear = contenders.Clear(Task(kind, SMALL, float))
    clear.step()
    for name, right in clear.gradients().items():
        wrong = right.copy()
        wrong.flat[-1] += 1e-8 * np.abs(right).max()
        for bad in (wrong, np.full_like(right, np.nan), right[None]):
            with pytest.raises(ValueError, match=f"someone: {name} "):
                agree("someone", another(clear, {**clear.gradients(), name: bad}))
        rest = {key: value for key, value in clear.gradients().items() if key != name}
        with pytest.raises(ValueError, match="are expected"):
            agree("someone", another(clear, rest))
    with pytest.raises(ValueError, match="someone: loss differs"):
        agree("someone", another(clear, clear.gradients(), loss=1.0))


def another(contender, gradients, loss=None):
    """A contender that says something else."""
    twin = contenders.Clear(contender.task)
    if loss is not None:
        twin.step = lambda: loss
    twin.gradients = lambda: gradients
    return twin


def test_the_two_grus_are_different_functions():
    after, before = (contenders.Clear(Task(kind, SMALL, float)) for kind in ("GRU", BEFORE))
    assert abs(after.step() - before.step()) > 1e-4


@pytest.mark.parametrize(("kind", "gates"), [("RNN", 1), ("GRU", 3), ("LSTM", 4)])
def test_the_products_are_those_of_a_step(kind, gates):
    """All factors are ones, so each product tells the length that it summed over."""
    floor = contenders.contenders(kind, SMALL)[PRODUCTS]
    floor.step()
    T_x, m, n_x, n_a = SMALL
    width, rows = gates * n_a, T_x * m
    filled = {
        "z": ((rows, width), n_x),
        "product": ((m, width), n_a),
        "scores": ((rows, n_x), n_a),
        "da": ((rows, n_a), n_a * n_x),
        "carried": ((m, n_a), width),
        "dx": ((rows, n_x), width),
    }
    for name, (shape, value) in filled.items():
        np.testing.assert_array_equal(getattr(floor, name), np.full(shape, value), name)
    expected = [((width, n_x), rows), ((width, n_a), rows), ((n_x, n_a), n_a * rows)]
    assert [(W.shape, W.min(), W.max()) for W in floor.dW] == [(s, v, v) for s, v in expected]


# Measuring


class Rival:
    """Writes down when it is called, and moves a clock on."""

    def __init__(self, name, log, seconds=1.0):
        self.name, self.log, self.seconds = name, log, seconds

    def ready(self):
        pass

    def step(self):
        self.log.append((self.name, self.seconds))


def clock(log):
    return lambda: sum(seconds for _, seconds in log)


def test_rivals_take_turns_and_every_other_round_is_reversed(monkeypatch):
    monkeypatch.setattr(reference, "BLOCK", 0)  # so that one step is a block
    log = []
    rivals = {name: Rival(name, log, seconds) for name, seconds in (("a", 1.0), ("b", 3.0))}
    times = reference.interleave(rivals, 0, clock(log))
    assert "".join(name for name, _ in log) == "ab" + "ab" + "ba" + "ab"
    assert times == {"a": [1.0] * 3, "b": [3.0] * 3}


def test_progress_never_runs_ahead():
    told, log = [], []
    reference.interleave({"a": Rival("a", log)}, 0.01, clock(log), told.append)
    assert 0 < sum(told) <= 0.01 * (1 + 1e-9)


def test_a_turn_is_the_mean_of_a_block_and_warming_up_does_not_count():
    log = []
    assert reference._turn(Rival("a", log, 2.0), 4, clock(log)) == 2.0
    assert len(log) == 5


def test_ratio_by_hand():
    assert reference.ratio([2, 4, 3], [1, 4, 1]) == {"minima": 2.0, "median": 2.0}
    assert reference.ratio([2, 5, 8], [1, 1, 1]) == {"minima": 2.0, "median": 5.0}


@pytest.mark.parametrize("power", [0.0, 1.0, 1.7])
def test_slope_of_a_power(power):
    lengths = [10, 25, 400]
    assert reference.slope(lengths, [3 * n**power for n in lengths]) == pytest.approx(power)


class Hoarder:
    """A layer that keeps five copies of its inputs and, besides, makes two of its gradients."""

    def forward(self, x):
        self.kept = np.empty((5, *x.shape), x.dtype)

    def backward(self, da):
        np.empty((2, *da.shape), da.dtype)


def test_activations_by_hand():
    held = reference.activations(Task("RNN", Size(50, 20, n_x=60, n_a=30)), Hoarder)
    assert held == pytest.approx(5 * 60 / 30 + 2, rel=1e-2)  # Python's own bytes count, too


@pytest.fixture(scope="module")
def result():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "BLOCK", 0)
        return reference.measure(TINY, quiet=True)


def numbers(tree):
    if isinstance(tree, dict):
        tree = list(tree.values())
    if isinstance(tree, list):
        return [n for branch in tree for n in numbers(branch)]
    return [tree] if isinstance(tree, float) else []


def test_a_result_is_json(result):
    assert json.loads(json.dumps(result)) == result
    assert numbers(result) and all(math.isfinite(n) for n in numbers(result))


def test_a_full_result_stays_small(result):
    """As many tables as in the full run, each as long as those of the tiny one."""
    jobs = [section for section, *_ in reference._jobs(FULL)]
    size = {s: len(json.dumps(result[s])) / len(result[s]) for s in set(jobs)}
    assert sum(size[section] for section in jobs) < 45_000


@pytest.mark.parametrize(("plan", "minutes"), [(SHORT, 1), (FULL, 11)])
def test_plans_allow_themselves_so_much_time(plan, minutes):
    assert sum(seconds for *_, seconds in reference._jobs(plan)) <= 60 * minutes


def test_a_result_holds_every_table(result):
    order = [(table["kind"], table["size"]) for table in result["steps"]]
    assert order == [(kind, size._asdict()) for size in TINY.steps for kind in KINDS]
    for section, make in (("steps", contenders.contenders), ("threads", contenders.on_two_threads)):
        for table in result[section]:
            rows = table["contenders"]
            assert list(rows) == list(make(table["kind"], Size(**table["size"])))
            assert table["rounds"] >= reference.LEAST_ROUNDS
            assert all(row["ms"] > 0 for row in rows.values())
            assert rows[FAST]["over"][FAST] == {"minima": 1, "median": 1}
    lines = [(line["axis"], line["kind"], line["lengths"]) for line in result["growth"]]
    assert lines == [(axis, kind, list(n)) for axis, n in TINY.axes.items() for kind in KINDS]
    assert [row["kind"] for row in result["memory"]] == list(KINDS)


def test_a_report_names_all_that_was_measured(result):
    text = reference.report(result)
    names = {name for table in result["steps"] for name in table["contenders"]}
    assert all(f"\n  {name} " in text for name in names)
    for row in result["steps"][0]["contenders"].values():
        assert f"{row['ms']:.2f} " in text and reference._both(row["over"][STYLE]) in text
    assert ("PyTorch is not installed" in text) == (contenders.torch is None)
    assert max(map(len, text.splitlines())) < 130


def test_ratios_in_words():
    assert reference._both({"minima": 1.234, "median": 0.0567}) == "1.23 [0.057]"
    assert reference._both({"minima": 12.0, "median": None}) == "12.00"
    assert reference._both(None) == "-"


def test_without_pytorch(monkeypatch):
    without_pytorch(monkeypatch)
    monkeypatch.setattr(reference, "BLOCK", 0)
    result = reference.measure(TINY._replace(axes={}), quiet=True)
    assert all(not OF_PYTORCH & set(table["contenders"]) for table in result["steps"])
    text = reference.report(result)
    assert "PyTorch is not installed: its columns hold '-'" in text
    row = next(line for line in text.splitlines() if line.startswith(f"  {FAST} "))
    assert row.split()[3] == "-"


def test_one_processor_leaves_two_threads_out(monkeypatch, result):
    monkeypatch.setattr(reference, "cpus", lambda: 1)
    assert not [section for section, *_ in reference._jobs(TINY) if section == "threads"]
    assert "where there are two processors" in reference.report({**result, "threads": []})


# Goals


def compared(kind, size, **times):
    names = {"fast": FAST, "pytorch": PYTORCH, "products": PRODUCTS, "style": STYLE}
    names["before"] = FAST_BEFORE
    rounds = {names[name]: [seconds, seconds] for name, seconds in times.items()}
    return reference._compared(kind, size, rounds, (FAST, PYTORCH, PRODUCTS, STYLE))


def judged(**sections):
    empty = {"steps": [], "growth": [], "memory": []}
    found = reference.goals({**empty, **sections})
    return {
        goal["goal"]: (goal["measured"] and goal["measured"]["minima"], goal["met"])
        for goal in found
    }


def test_goals_of_steps():
    first = compared("LSTM", SIZES[0], fast=1, pytorch=2, products=0.25, style=11)
    second = compared("GRU", SIZES[1], fast=1, before=1.1)
    no_goal = compared("GRU", SIZES[0], fast=1, before=1.1)
    elsewhere = compared("RNN", SMALL, fast=1, pytorch=2)
    assert judged(steps=[first, second, no_goal, elsewhere]) == {
        "LSTM: fast layer / PyTorch, (25, 1, 64, 100)": (0.5, True),
        "LSTM: fast layer / products alone, (25, 1, 64, 100)": (4, False),
        "LSTM: course style / fast layer, (25, 1, 64, 100)": (11, False),
        "GRU: fast layer / PyTorch, (25, 1, 64, 100)": (None, None),
        "GRU: fast layer / PyTorch, (50, 32, 64, 128)": (None, None),
        "GRU: fast layer, reset before / fast layer, (50, 32, 64, 128)": (1.1, True),
    }


@pytest.mark.parametrize(("slope", "met"), [(0.89, False), (0.9, True), (1.15, True), (1.2, False)])
def test_goals_of_growth(slope, met):
    lines = [{"kind": "RNN", "axis": "T_x", "slope": slope}]
    lines += [{"kind": "RNN", "axis": axis, "slope": 7.0} for axis in ("m", "n_a")]  # no goals
    assert judged(growth=lines) == {"RNN: slope in T_x": (slope, met)}


def test_goals_of_memory():
    rows = [{"kind": kind, "fast": 13.0} for kind in KINDS]
    assert [met for _, met in judged(memory=rows).values()] == [False, True, False]


def test_goals_in_words():
    first = compared("LSTM", SIZES[0], fast=1, pytorch=2, style=11)
    words = reference._goals_words(reference.goals({"steps": [first], "growth": [], "memory": []}))
    assert [line.split()[-1] for line in words.splitlines()] == ["met", "yes", "-", "no"]


# The command


@pytest.fixture
def pinned(monkeypatch):
    for name in reference.PINNED:
        monkeypatch.setenv(name, "1")


@pytest.mark.usefixtures("pinned")
@pytest.mark.parametrize(("full", "plan"), [(False, SHORT), (True, FULL)])
def test_main_prints_json_or_words(monkeypatch, capsys, result, full, plan):
    plans = []
    monkeypatch.setattr(reference, "measure", lambda plan: plans.append(plan) or result)
    reference.main(full=full, json=True)
    assert json.loads(capsys.readouterr().out) == result
    reference.main(full=full)
    assert capsys.readouterr().out == reference.report(result) + "\n"
    assert plans == [plan, plan]


@pytest.mark.usefixtures("pinned")
@pytest.mark.parametrize("name", reference.PINNED)
@pytest.mark.parametrize("value", ["2", None])
@pytest.mark.parametrize("code", [0, 3])
def test_main_begins_anew_where_products_may_have_threads(monkeypatch, name, value, code):
    monkeypatch.setenv(name, value) if value else monkeypatch.delenv(name)
    runs = []

    def run(command, env, check):
        runs.append((command, env, check))
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(reference.subprocess, "run", run)
    if code:
        with pytest.raises(SystemExit) as stopped:
            reference.main(full=True, json=True)
        assert stopped.value.code == code
    else:
        reference.main(full=True, json=True)
    ((command, env, _),) = runs
    assert {env[pin] for pin in reference.PINNED} == {"1"}
    assert command[1:3] == ["-m", "autograder.cli"]
    options = _parser().parse_args(command[3:])
    assert (options.what, options.full, options.json) == ("reference", True, True)


@pytest.mark.slow
def test_a_course_is_taken_through_every_step(tmp_path, monkeypatch, capsys):
    unit = demo.UNIT
    monkeypatch.setattr(course, "units", lambda: {unit: []})
    found = course.measure(3, tmp_path, quiet=True)
    assert found["submissions"] == 3
    assert set(found["steps"]) == set(course.STEPS)
    assert all(step["seconds"] > 0 and step["peak_mb"] > 10 for step in found["steps"].values())
    assert len(Books(tmp_path).marks(unit)) == 3
    said = course.report(found)
    assert all(step in said for step in course.STEPS)
