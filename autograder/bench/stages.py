"""Where the time of grading one submission goes, and what memory a running one takes."""

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from autograder.grading import classroom, demo, pages, tasks
from autograder.grading.books import Books
from autograder.grading.process import Process
from autograder.grading.sandbox import tiers
from autograder.grading.sandbox.hardening import Limits
from autograder.grading.tasks import Job, Sandbox

LABEL = tasks.label(demo.UNIT, f"{demo.UNIT[3:]}.ipynb")


def measure(folder: Path, students: list[str]) -> dict[str, Any]:
    """Take every step of grading by itself, in this process, and weigh a running submission.

    Parameters
    ----------
    folder : Path
        A class in which nothing is graded.
    students : list of str
    """
    job = classroom.job(folder, [demo.UNIT])
    sandbox = Sandbox(tiers.require(trust=False))
    with contextlib.closing(sandbox):
        memory = _memory(folder, job, sandbox, students[0])
        return {"stages": _stages(folder, job, sandbox, students), "memory": memory}


def _stages(folder: Path, job: Job, sandbox: Sandbox, students: list[str]) -> dict[str, Any]:
    template, books, taken = job.templates[LABEL], Books(folder), {}

    def each(name: str, step: Callable[..., Any], *of: Iterable[Any]) -> list[Any]:
        start = time.monotonic(), time.process_time()
        done = list(map(step, *of))
        wall, cpu = time.monotonic() - start[0], time.process_time() - start[1]
        taken[name] = {"ms": 1000 * wall / len(students), "cpu_ms": 1000 * cpu / len(students)}
        return done

    handed_in = each("collect", partial(classroom.task, folder, LABEL), students)
    clean = each("sanitise", partial(tasks.read, template), handed_in)
    judge = lambda student, notebook: tasks.judged(job, student, LABEL, notebook, sandbox)  # noqa: E731
    results = each("run and judge", judge, students, clean)
    learners = 1000 * sum(result["cpu"] for result in results) / len(students)
    taken["run and judge"]["cpu_ms"] += learners
    each("gradebook", partial(books.enter, demo.UNIT), [results])
    sheets = books.sheets(demo.UNIT)
    work = [
        pages.Page(task, result, sheets[task.student, LABEL.split("/")[1]])
        for task, result in zip(handed_in, results, strict=True)
    ]
    with contextlib.chdir(folder), pages.opened(folder, job) as write:
        each("feedback page", write, work)
    return taken


# ------------------------------------------------------------------ memory


class Weighed:
    """A process that is weighed, with all the sandbox, before its end."""

    def __init__(self, process: Process, weights: list[int]) -> None:
        self._process, self._weights = process, weights
        self.tier, self.channel = process.tier, process.channel

    def __getattr__(self, name: str) -> Any:
        return getattr(self._process, name)

    def end(self) -> str:
        """Weigh, then end."""
        self._weights.append(_weight())
        return self._process.end()


def _memory(folder: Path, job: Job, sandbox: Sandbox, student: str) -> dict[str, int | None]:
    """Bytes of a worker's template, and what a submission that has run adds to them."""
    template = job.templates[LABEL]
    clean = tasks.read(template, classroom.task(folder, LABEL, student))
    tasks.judged(job, student, LABEL, clean, sandbox)
    weights: list[int] = []

    class Scales:
        tier = sandbox.tier

        @staticmethod
        def spawn(limits: Limits) -> Weighed:
            return Weighed(sandbox.spawn(limits), weights)

    try:
        idle = _weight()
        tasks.judged(job, student, LABEL, clean, Scales)  # type: ignore[arg-type]
    except OSError:  # the kernel does not let this user look
        return {"template": None, "submission": None}
    return {"template": idle, "submission": weights[-1] - idle}


def _weight() -> int:
    """Bytes of memory of all processes below this one; what they share is counted once."""
    return sum(map(_proportional, _below(os.getpid())))


def _proportional(pid: int) -> int:
    try:
        said = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):  # it has ended by now
        return 0
    return 1024 * int(re.search(r"^Pss:\s+(\d+) kB", said, re.MULTILINE)[1])  # type: ignore[index]


def _below(pid: int) -> list[int]:
    tasks_ = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(child) for task in tasks_ for child in task.read_text().split()]
    return children + [pid for child in children for pid in _below(child)]


def report(result: dict[str, Any]) -> list[str]:
    """The measurements in words."""
    lines = [f"{'of one submission':<20}{'ms':>8}{'CPU ms':>8}"]
    lines += [
        f"{name:<20}{taken['ms']:>8.1f}{taken['cpu_ms']:>8.1f}"
        for name, taken in result["stages"].items()
    ]
    sizes = {name: _megabytes(bytes_) for name, bytes_ in result["memory"].items()}
    return [*lines, "", "memory of a worker's template: {template}; a running submission adds "
            "{submission}".format(**sizes)]  # fmt: skip


def _megabytes(size: int | None) -> str:
    return "unknown to this user" if size is None else f"{size / 1e6:.1f} MB"
