"""How many submissions a minute: this grader, and nbgrader with its own execution.

Every contender grades the same answers, as a command of its own in a class of its own, start-up
counted, until the marks stand in the gradebook. CPU time is that of all its processes; what the
sandbox's forks used is added from the results, since the kernel books it on nobody.
"""

import json as jsonlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from autograder.bench import stages
from autograder.grading import classroom, demo
from autograder.grading.sanitise import answer_cells, sanitise
from autograder.notebooks import exercise_of

COUNTS = {False: (24, (24, 96)), True: (100, (50, 200, 2000))}
MARKS = "--no-feedback"
STOCK = "nbgrader, its own execution"
CONFIG = "c = get_config()\nc.CourseDirectory.course_id = 'stock'\n"
ASSERTS = "assert callable({name})\nassert {name}.__name__ == '{name}'"


class Taken(NamedTuple):
    """What a command took: seconds, CPU seconds, and the most bytes that a process of it had."""

    seconds: float
    cpu: float
    peak: int


class Run(NamedTuple):
    """What one command took, and for how many submissions."""

    submissions: int
    seconds: float
    cpu: float

    def summary(self) -> dict[str, float]:
        """The figures that are shown."""
        return {
            "submissions": self.submissions,
            "seconds": round(self.seconds, 2),
            "per_minute": round(60 * self.submissions / self.seconds, 1),
            "cpu_ms": round(1000 * self.cpu / self.submissions, 1),
        }


def measure(count: int, growth: tuple[int, ...], quiet: bool = False) -> dict[str, Any]:
    """Grade with every contender, and with this grader at several sizes of class.

    Parameters
    ----------
    count : int
        Submissions for each contender.
    growth : tuple of int
        Sizes of class for the growth of this grader's cost.
    """
    contenders = _contenders()
    with tqdm(total=len(contenders) + len(growth) + 1, disable=quiet) as bar:
        runs = {}
        for name, grade in contenders.items():
            bar.set_description(name)
            runs[name] = grade(count).summary()
            bar.update()
        sizes = {}
        for size in growth:
            bar.set_description(f"{size} submissions")
            sizes[size] = _ours("--workers", "2", MARKS)(size).summary()
            bar.update()
        bar.set_description("stages")
        with _class(growth[0]) as folder:
            parts = stages.measure(folder, _students(folder))
        bar.update()
    return {"contenders": runs, "growth": sizes, **parts, "left out": _left_out()}


def _contenders() -> dict[str, Callable[[int], Run]]:
    found = {
        "unrolled grade, 1 worker": _ours("--workers", "1", MARKS),
        "unrolled grade, 2 workers": _ours("--workers", "2", MARKS),
        "the same, with feedback pages": _ours("--workers", "2"),
    }
    if find_spec("distributed"):
        found["unrolled grade, dask, 2 workers"] = _on_dask
    found["nbgrader autograde, this judge"] = _nbgrader
    found[STOCK] = _stock
    return found


def _left_out() -> list[str]:
    return [] if find_spec("distributed") else ["dask"]


# ------------------------------------------------------------------ this grader


def _ours(*options: str) -> Callable[[int], Run]:
    def grade(count: int) -> Run:
        with _class(count) as folder:
            return _graded(folder, count, *options)

    return grade


def _graded(folder: Path, count: int, *options: str) -> Run:
    taken = timed(unrolled("grade", str(folder), "--json", *options), folder)
    results = jsonlib.loads((folder / "output").read_text())
    return Run(count, taken.seconds, taken.cpu + sum(result.get("cpu", 0.0) for result in results))


def _on_dask(count: int) -> Run:
    from distributed import LocalCluster

    with (
        _class(count) as folder,
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster,
    ):
        return _graded(folder, count, "--dask", cluster.scheduler_address, MARKS)


def _nbgrader(count: int) -> Run:
    with _class(count) as folder:
        return _autograded(folder, count)


def _autograded(folder: Path, count: int) -> Run:
    taken = timed(_nbgrader_words("autograde", demo.UNIT), folder)
    return Run(count, taken.seconds, taken.cpu)


@contextmanager
def _class(count: int) -> Iterator[Path]:
    """A class with so many submissions, in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="unrolled-bench-") as place:
        folder = Path(place)
        classroom.new(folder)
        demo.hand_in(folder, demo.crowd(count))
        yield folder


# ------------------------------------------------------------------ the others


def _stock(count: int) -> Run:
    """The same answers in a plain nbgrader class: its checks are asserts, and nothing is drawn."""
    with _class(count) as ours, tempfile.TemporaryDirectory(prefix="unrolled-stock-") as place:
        folder = Path(place)
        (folder / "nbgrader_config.py").write_text(CONFIG)
        source = next((ours / "source" / demo.UNIT).glob("*.ipynb"))
        _plain(source, folder / "source" / demo.UNIT / source.name)
        timed(_nbgrader_words("generate_assignment", demo.UNIT), folder)
        released = folder / "release" / demo.UNIT / source.name
        for student, clean in _answers(ours, source.name).items():
            _fill(released, folder / "submitted" / student / demo.UNIT / source.name, clean)
        return _autograded(folder, count)


def _plain(source: Path, target: Path) -> None:
    """A source notebook whose checks are asserts, without its experiments."""
    notebook = jsonlib.loads(source.read_text("utf-8"))
    cells = [c for c in notebook["cells"] if "experiment" not in c["metadata"].get("tags", ())]
    for cell in cells:
        if name := exercise_of(cell):
            cell["source"] = ASSERTS.format(name=name)
    target.parent.mkdir(parents=True)
    target.write_text(jsonlib.dumps({**notebook, "cells": cells}), "utf-8")


def _answers(folder: Path, name: str) -> dict[str, dict[str, str]]:
    """From learner to answers: those that could be read of what was handed in."""
    template = classroom.template(folder, demo.UNIT, name)
    places = {s: folder / "submitted" / s / demo.UNIT for s in _students(folder)}
    return {s: sanitise(template, place, name).answers for s, place in places.items()}


def _students(folder: Path) -> list[str]:
    return classroom.submissions(folder, demo.UNIT)


def _fill(released: Path, target: Path, answers: dict[str, str]) -> None:
    notebook = jsonlib.loads(released.read_text("utf-8"))
    for grade_id, cell in answer_cells(notebook):
        cell["source"] = answers.get(grade_id, cell["source"])
    target.parent.mkdir(parents=True)
    target.write_text(jsonlib.dumps(notebook), "utf-8")


def _nbgrader_words(*words: str) -> list[str]:
    return [str(Path(sys.executable).with_name("nbgrader")), *words]


# ------------------------------------------------------------------ time


def unrolled(*words: str) -> list[str]:
    """A command of this package, for `timed`."""
    return [sys.executable, "-m", "autograder.cli", *words]


def timed(words: list[str], folder: Path) -> Taken:
    """Run a command, and all that it waits for; its output goes into the folder.

    Raises
    ------
    RuntimeError
        It failed; with what it said.
    """
    start = time.monotonic()
    bin_ = str(Path(sys.executable).parent)
    environment = {**os.environ, "PATH": os.pathsep.join([bin_, os.environ["PATH"]]),
                   "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # fmt: skip
    with open(folder / "output", "wb") as output, open(folder / "errors", "wb") as errors:
        process = subprocess.Popen(words, cwd=folder, env=environment, stdout=output, stderr=errors)
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):  # 1: some submissions could not be graded
        said = (folder / "errors").read_text(errors="replace").strip().splitlines()
        raise RuntimeError(
            f"{' '.join(words[:4])} failed: {said[-1] if said else process.returncode}"
        )
    seconds = time.monotonic() - start
    return Taken(seconds, used.ru_utime + used.ru_stime, 1024 * used.ru_maxrss)


def report(result: dict[str, Any]) -> str:
    """A result in words."""
    stock = result["contenders"][STOCK]["per_minute"]
    lines = [f"{'':<34}{'submissions':>12}{'a minute':>10}{'CPU ms each':>13}{'times stock':>13}"]
    lines += [
        f"{name:<34}{run['submissions']:>12}{run['per_minute']:>10}{run['cpu_ms']:>13}"
        f"{run['per_minute'] / stock:>13.1f}"
        for name, run in result["contenders"].items()
    ]
    lines += ["", "growth, with 2 workers"]
    lines += [
        f"{size:>6} submissions: {run['per_minute']:>8} a minute, {run['cpu_ms']:>6} ms CPU each"
        for size, run in result["growth"].items()
    ]
    lines += ["", *stages.report(result)]
    lines += [f"{name} is not installed, and is left out." for name in result["left out"]]
    return "\n".join(lines)


def main(full: bool = False, json: bool = False) -> None:
    """Measure and print."""
    count, growth = COUNTS[full]
    result = measure(count, growth, quiet=json)
    print(jsonlib.dumps(result, indent=1) if json else report(result))
