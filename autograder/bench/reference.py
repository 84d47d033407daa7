"""How fast the reference is: every contender side by side in one run, growth, memory, and goals.

A time says something only beside another that was taken at the same time, so contenders take
turns, a short block of steps each, and what is reported is ratios. Nothing is asserted about them.
"""

import gc
import importlib.util
import json as jsonlib
import os
import platform
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from autograder.bench.contenders import (
    CHECKPOINTED,
    FAST,
    FAST_BEFORE,
    PRODUCTS,
    PYTORCH,
    PYTORCH_TWO,
    STYLE,
    Contender,
    Layered,
    Size,
    Task,
    check,
    contenders,
    on_two_threads,
    torch,
    with_checkpoints,
)
from autograder.grading.workers import cpus
from course.given import Checkpointed

KINDS = ("RNN", "GRU", "LSTM")
SIZES = tuple(
    Size(*each)
    for each in ((25, 1, 64, 100), (50, 32, 64, 128), (100, 64, 128, 256), (200, 32, 256, 512))
)
LEAST_MEMORY = {"RNN": 1, "GRU": 5, "LSTM": 6}  # states and gates that gradients are made of
PINNED = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # read when NumPy is loaded
BLOCK = 0.03  # seconds of a turn: long against the clock, short against other people's work
LEAST_ROUNDS = 3

Clock = Callable[[], float]
Tick = Callable[[float], Any]


class Plan(NamedTuple):
    """What a run measures, and the seconds that it has for each table, line or row."""

    name: str
    steps: dict[Size, float]  # for each kind
    threads: dict[Size, float]
    axes: dict[str, tuple[int, ...]]
    growth: float  # for each kind and axis
    memory: float
    base: Size = SIZES[1]
    # so that states weigh most: inputs and weights are small against them
    memory_size: Size = Size(400, 32, 8, 128)


SHORT = Plan(
    "short",
    steps=dict(zip(SIZES[:2], (3, 6), strict=True)),
    threads={},  # on a busy machine one such step may take seconds
    axes={"T_x": (10, 50, 400), "m": (1, 32, 256), "n_a": (16, 128, 512)},
    growth=1.5,
    memory=2.5,
)
FULL = Plan(
    "full",
    steps=dict(zip(SIZES, (8, 15, 35, 70), strict=True)),
    threads=dict(zip(SIZES[1:], (6, 12, 20), strict=True)),
    axes={
        "T_x": (10, 25, 50, 100, 200, 400),
        "m": (1, 4, 16, 32, 64, 128, 256),
        "n_a": (16, 32, 64, 128, 256, 512),
    },
    growth=5,
    memory=6,
)


class Goal(NamedTuple):
    """What the time of one contender over another's is to be, at each of `SIZES`."""

    kind: str
    name: str
    over: str
    sign: str
    bounds: tuple[float | None, ...]


STEP_GOALS = (
    Goal("LSTM", FAST, PYTORCH, "<=", (0.65, 1.5, 1.15, 1.25)),
    Goal("GRU", FAST, PYTORCH, "<=", (0.2, 0.85, 0.95, 0.85)),
    Goal("RNN", FAST, PYTORCH, "<=", (0.2, 0.8, 1.0, 1.0)),
    Goal("LSTM", FAST, PRODUCTS, "<=", (2.6, 1.55, 1.4, 1.25)),
    Goal("LSTM", STYLE, FAST, ">=", (12, 3.8, 3.3, 4)),
    Goal("GRU", FAST_BEFORE, FAST, "<=", (None, 1.15, 1.15, 1.15)),
)
SLOPE_GOAL = (0.9, 1.15)
MEMORY_GOALS = {"RNN": 3, "GRU": 14, "LSTM": 12}


def main(full: bool = False, json: bool = False) -> None:
    """Measure and print; in a process of its own if this one may have threads in its products."""
    if any(os.environ.get(name) != "1" for name in PINNED):
        command = [sys.executable, "-m", "autograder.cli", "bench", "reference"]
        command += ["--full"] * full + ["--json"] * json
        environment = {**os.environ, **dict.fromkeys(PINNED, "1")}
        code = subprocess.run(command, env=environment, check=False).returncode
        if code:
            sys.exit(code)
        return
    result = measure(FULL if full else SHORT)
    print(jsonlib.dumps(result) if json else report(result))


# ------------------------------------------------------------------ measuring


def measure(plan: Plan, quiet: bool = False) -> dict[str, Any]:
    """All figures of a plan, after a check that all contenders compute the same.

    Parameters
    ----------
    plan : Plan
    quiet : bool, optional
        Show no progress.

    Returns
    -------
    dict
        What `json` can write and `report` says in words.
    """
    result: dict[str, Any] = {"plan": plan.name, "machine": machine()}
    result |= {section: [] for section in ("steps", "threads", "growth", "memory")}
    jobs = list(_jobs(plan))
    shown = "{desc:<28}{percentage:3.0f}%|{bar}| {elapsed}<{remaining}"
    total = sum(seconds for *_, seconds in jobs)
    with tqdm(total=total, bar_format=shown, disable=quiet) as bar:
        for kind in KINDS:
            bar.set_description_str(f"{kind}: all compute the same?")
            check(kind)
        for section, what, job, seconds in jobs:
            bar.set_description_str(what)
            result[section].append(job(seconds=seconds, tick=bar.update))
    result["load_after"] = load()
    result["goals"] = goals(result)
    return result


def _jobs(plan: Plan) -> Iterator[tuple[str, str, Callable[..., dict[str, Any]], float]]:
    for size, seconds in plan.steps.items():
        for kind in KINDS:
            yield "steps", f"{kind} {tuple(size)}", partial(steps, kind, size), seconds
    for size, seconds in plan.threads.items():
        for kind in KINDS if cpus() > 1 else ():
            yield "threads", f"{kind}, two threads", partial(threads, kind, size), seconds
    for axis, lengths in plan.axes.items():
        sizes = [plan.base._replace(**{axis: n}) for n in lengths]
        for kind in KINDS:
            yield "growth", f"{kind}, growth", partial(growth, kind, axis, sizes), plan.growth
    for kind in KINDS:
        yield "memory", f"{kind}, memory", partial(memory, kind, plan.memory_size), plan.memory


def steps(kind: str, size: Size, seconds: float, tick: Tick) -> dict[str, Any]:
    """One thread: CPU time of a training step."""
    times = interleave(contenders(kind, size), seconds, time.process_time, tick)
    return _compared(kind, size, times, (FAST, PYTORCH, PRODUCTS, STYLE))


def threads(kind: str, size: Size, seconds: float, tick: Tick) -> dict[str, Any]:
    """Two threads: the time that passes."""
    times = interleave(on_two_threads(kind, size), seconds, time.perf_counter, tick)
    return _compared(kind, size, times, (FAST, PYTORCH, PYTORCH_TWO))


def growth(
    kind: str, axis: str, sizes: Sequence[Size], seconds: float, tick: Tick
) -> dict[str, Any]:
    """How the fast layer's time grows along one axis."""
    lengths = [getattr(size, axis) for size in sizes]
    layers = {str(n): Layered(Task(kind, size)) for n, size in zip(lengths, sizes, strict=True)}
    times = interleave(layers, seconds, time.process_time, tick)
    ms = [_short(min(each) * 1e3) for each in times.values()]
    return {"kind": kind, "axis": axis, "lengths": lengths, "ms": ms, "slope": slope(lengths, ms)}


def memory(kind: str, size: Size, seconds: float, tick: Tick) -> dict[str, Any]:
    """Numbers that a pass holds; and what checkpoints save of them, and cost."""
    times = interleave(with_checkpoints(kind, size), seconds, time.process_time, tick)
    task = Task(kind, size)
    return {
        "kind": kind,
        "size": size._asdict(),
        "least": LEAST_MEMORY[kind],
        "fast": activations(task, task.layer),
        "checkpointed": activations(task, lambda: Checkpointed(task.layer())),
        "time": ratio(times[CHECKPOINTED], times[FAST]),
    }


def interleave(
    rivals: dict[str, Any], seconds: float, clock: Clock, tick: Tick = lambda _: None
) -> dict[str, list[float]]:
    """Seconds per step of each contender in every round.

    All take turns, in the opposite order every other round, until the seconds are used up.
    """
    begun = told = time.perf_counter()
    blocks = {name: _steps_in_a_block(rival) for name, rival in rivals.items()}
    times: dict[str, list[float]] = {name: [] for name in rivals}
    order = list(rivals)
    while len(times[order[0]]) < LEAST_ROUNDS or time.perf_counter() - begun < seconds:
        for name in order:
            times[name].append(_turn(rivals[name], blocks[name], clock))
        order.reverse()
        now = min(time.perf_counter(), begun + seconds)
        tick(max(0, now - told))
        told = now
    return times


def _steps_in_a_block(contender: Contender) -> int:
    contender.ready()
    for _ in range(2):  # the first makes workspaces, too
        start = time.perf_counter()
        contender.step()
        took = time.perf_counter() - start
        if took > BLOCK:
            return 1
    return round(BLOCK / took)


def _turn(contender: Contender, block: int, clock: Clock) -> float:
    contender.ready()
    if block > 1:  # a long step needs no warming up
        contender.step()
    gc.disable()
    try:
        start = clock()
        for _ in range(block):
            contender.step()
        return (clock() - start) / block
    finally:
        gc.enable()


def activations(task: Task, build: Callable[[], Any]) -> float:
    """What a layer allocates for a forward and a backward pass, at its height.

    In numbers per time step, example and hidden unit. The inputs, and the gradient that arrives
    from above, are the caller's and do not count.
    """
    T_x, m, _, n_a = task.size
    da = np.ones((T_x, m, n_a), task.dtype)
    tracemalloc.start()
    try:
        layer = build()
        layer.forward(task.x)
        layer.backward(da)
        return _short(tracemalloc.get_traced_memory()[1] / da.nbytes)
    finally:
        tracemalloc.stop()


# ------------------------------------------------------------------ figures


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """One contender's time over another's: of the quickest rounds, and the median of all rounds."""
    paired = statistics.median(o / t for o, t in zip(ours, theirs, strict=True))
    return {"minima": _short(min(ours) / min(theirs)), "median": _short(paired)}


def slope(lengths: Sequence[float], times: Sequence[float]) -> float:
    """The power of a length with which times grow: the slope of the line through the logarithms."""
    return _short(np.polyfit(np.log(lengths), np.log(times), 1)[0])


def _compared(
    kind: str, size: Size, times: dict[str, list[float]], baselines: Sequence[str]
) -> dict[str, Any]:
    rounds = len(times[FAST])
    rows = {}
    for name, each in times.items():
        over = {base: ratio(each, times[base]) for base in baselines if base in times}
        ms = {"ms": _short(min(each) * 1e3), "median_ms": _short(statistics.median(each) * 1e3)}
        rows[name] = {**ms, "over": over}
    return {"kind": kind, "size": size._asdict(), "rounds": rounds, "contenders": rows}


def _short(number: float) -> float:
    return float(f"{number:.4g}")


def machine() -> dict[str, Any]:
    """What the figures depend on, besides the code."""
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        "cpus": cpus(),
        "load": load(),
        "numpy": np.__version__,
        "blas": _blas(),
        "torch": None if torch is None else torch.__version__,
    }


def load() -> float | None:
    """Processes that wanted a processor in the last minute, where the system counts them."""
    return _short(os.getloadavg()[0]) if hasattr(os, "getloadavg") else None


def _blas() -> str:
    if importlib.util.find_spec("threadpoolctl") is None:
        built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        return f"{built['name']} {built['version']}"
    pools = import_module("threadpoolctl").threadpool_info()
    facts = ("internal_api", "version", "architecture")
    found = (" ".join(str(pool.get(fact)) for fact in facts) for pool in pools)
    return ", ".join(text for text in found if not text.startswith("openmp"))


def goals(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Each goal that this run can speak of, what was measured, and whether it is met."""
    found = []
    for goal in STEP_GOALS:
        what = f"{goal.kind}: {goal.name} / {goal.over}"
        for size, bound in zip(SIZES, goal.bounds, strict=True):
            for table in result["steps"]:
                if bound and (table["kind"], table["size"]) == (goal.kind, size._asdict()):
                    over = table["contenders"].get(goal.name, {"over": {}})["over"].get(goal.over)
                    found.append(_goal(f"{what}, {tuple(size)}", goal.sign, bound, over))
    for line in result["growth"]:
        if line["axis"] == "T_x":
            slope_ = {"minima": line["slope"], "median": None}
            found.append(_goal(f"{line['kind']}: slope in T_x", "within", list(SLOPE_GOAL), slope_))
    for row in result["memory"]:
        numbers = {"minima": row["fast"], "median": None}
        bound = MEMORY_GOALS[row["kind"]]
        found.append(_goal(f"{row['kind']}: numbers held per unit", "<=", bound, numbers))
    return found


def _goal(what: str, sign: str, bound: Any, measured: Any) -> dict[str, Any]:
    low, high = {"<=": (0, bound), ">=": (bound, np.inf), "within": bound}[sign]
    met = None if measured is None else bool(low <= measured["minima"] <= high)
    return {"goal": what, "sign": sign, "bound": bound, "measured": measured, "met": met}


# ------------------------------------------------------------------ words


def report(result: dict[str, Any]) -> str:
    """The figures as text."""
    parts = [_preface(result)]
    if result["machine"]["torch"] is None:
        parts.append("PyTorch is not installed: its columns hold '-', its goals are not judged.")
    parts += [_table(table, (PYTORCH, PRODUCTS, STYLE)) for table in result["steps"]]
    if result["threads"]:
        parts.append("Two threads, in the time that passes; busy neighbours spoil these figures:")
        parts += [_table(table, (FAST, PYTORCH_TWO)) for table in result["threads"]]
    else:
        parts.append("Two threads are measured by --full, where there are two processors.")
    parts += [_growth_words(result["growth"]), _memory_words(result["memory"])]
    return "\n\n".join([*parts, _goals_words(result["goals"])])


def _preface(result: dict[str, Any]) -> str:
    m, short = result["machine"], result["plan"] != FULL.name
    return f"""\
One training step on one thread in CPU time; float32, but for the course style, which is float64.
{"The short run: --full has larger sizes, two threads, more rounds." if short else "The full run."}
All contenders compute the same loss and gradients. GRUs reset after the product; the course
style's, and others that say so, before. The {PRODUCTS} are the matrix products of a step, each
done plainly: nearly a floor, below which a layer can only come by cutting them into finer ones.
ms: the quickest round, for scale only. Ratios: in 1.23 [1.30] the first is that of the quickest
rounds, which is firmer on a busy machine, and the second the median of the ratios round by round.
Python {m["python"]}, NumPy {m["numpy"]}, {m["blas"]}, PyTorch {m["torch"] or "absent"};
{m["cpus"]} CPUs with a load of {m["load"]} before and {result["load_after"]} after."""


def _table(table: dict[str, Any], columns: Sequence[str]) -> str:
    size = ", ".join(f"{letter} {n}" for letter, n in table["size"].items())
    heads = "".join(f"{'/ ' + column:>24}" for column in columns)
    lines = [f"{table['kind']}, {size} ({table['rounds']} rounds)", f"{'ms':>41}{heads}"]
    for name, row in table["contenders"].items():
        cells = "".join(f"{_both(row['over'].get(column)):>24}" for column in columns)
        lines.append(f"  {name:<30}{row['ms']:>9.2f}{cells}")
    return "\n".join(lines)


def _both(measured: dict[str, float] | None) -> str:
    if measured is None:
        return "-"
    if measured["median"] is None:
        return _digits(measured["minima"])
    return f"{_digits(measured['minima'])} [{_digits(measured['median'])}]"


def _digits(number: float) -> str:
    return f"{number:.2f}" if number >= 0.1 else f"{number:.2g}"


def _growth_words(lines: Sequence[dict[str, Any]]) -> str:
    words = ["Growth of the fast layer's time: its slope in logarithms, and ms at each length"]
    for line in lines:
        points = zip(line["lengths"], line["ms"], strict=True)
        text = "  ".join(f"{n}: {ms:.2f}" for n, ms in points)
        words.append(f"  {line['kind']:<5}{line['axis']:<5}{line['slope']:>6.2f}    {text}")
    return "\n".join(words)


def _memory_words(rows: Sequence[dict[str, Any]]) -> str:
    size = tuple(rows[0]["size"].values())
    words = [
        f"Numbers held at the height of forward and backward, per step, example and unit, {size}"
    ]
    words.append(f"{'least':>14}{'fast':>10}{'checkpointed':>16}{'its time / fast':>20}")
    for row in rows:
        held = f"{row['least']:>7}{row['fast']:>10.2f}{row['checkpointed']:>16.2f}"
        words.append(f"  {row['kind']:<5}{held}{_both(row['time']):>20}")
    return "\n".join(words)


def _goals_words(found: Sequence[dict[str, Any]]) -> str:
    words = [
        f"{'Goals (by the ratio of the quickest rounds)':<70}{'wanted':>12}{'measured':>16}  met"
    ]
    for goal in found:
        low_high = goal["sign"] == "within"
        wanted = "{} - {}".format(*goal["bound"]) if low_high else f"{goal['sign']} {goal['bound']}"
        met = {True: "yes", False: "no", None: "-"}[goal["met"]]
        words.append(f"  {goal['goal']:<68}{wanted:>12}{_both(goal['measured']):>16}  {met}")
    return "\n".join(words)
