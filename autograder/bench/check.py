"""How long a learner waits: the import, and a check of every exercise, right and wrong."""

import json as jsonlib
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from autograder import answers, desk
from autograder.exercise import exercise, mutant


def measure(repeats: int) -> dict[str, Any]:
    """Milliseconds of the import (against NumPy's own) and of each exercise's checks.

    Parameters
    ----------
    repeats : int
        Runs of each; the median counts.
    """
    checks = {}
    for name in answers.names():
        declared = exercise(name)
        functions = [mutant(declared.reference, edit) for edit in declared.misconceptions]
        wrong = [_median(partial(desk.examine, function, name), repeats) for function in functions]
        right = _median(partial(desk.examine, declared.reference, name), repeats)
        checks[name] = {"right": right, "wrong": max(wrong)}
    modules = ("numpy", "autograder")
    return {
        "import": {module: _median(partial(_import, module), repeats) for module in modules},
        "checks": checks,
        "median_check": statistics.median(check["wrong"] for check in checks.values()),
    }


def _median(action: Callable[[], Any], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        action()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def _import(module: str) -> None:
    subprocess.run([sys.executable, "-c", f"import {module}"], check=True)


def main(full: bool = False, json: bool = False) -> None:
    """Measure and print."""
    result = measure(repeats=15 if full else 5)
    if json:
        print(jsonlib.dumps(result, indent=1))
        return
    start = result["import"]
    ratio = start["autograder"] / start["numpy"]
    print(f"import numpy {start['numpy']:.0f} ms, import autograder {start['autograder']:.0f} ms "
          f"({ratio:.1f} times; both with the interpreter's own start)")  # fmt: skip
    print(f"{'check, ms':<28}{'right':>8}{'wrong, slowest':>16}")
    for name, times in result["checks"].items():
        print(f"{name:<28}{times['right']:>8.1f}{times['wrong']:>16.1f}")
    print(f"median of the slowest: {result['median_check']:.1f} ms")
