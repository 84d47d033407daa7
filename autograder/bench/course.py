"""What an instructor waits for with a whole course: every unit, and a class of any size.

Each step is a command of its own, in a class of generated submissions.
"""

import json as jsonlib
import tempfile
from pathlib import Path
from typing import Any

from tqdm import tqdm

from autograder.bench.grading import MARKS, Taken, timed, unrolled
from autograder.grading import classroom, demo
from autograder.notebooks import units

LEARNERS = {False: 40, True: 2000}
STEPS = {
    "grade": ("grade", MARKS, "--json"),
    "grade, again": ("grade", MARKS, "--json"),
    "report": ("report",),
    "report --integrity": ("report", "--integrity"),
    "export": ("export",),
    "regrade, of nothing": ("regrade", "--json"),
}


def measure(learners: int, folder: Path, quiet: bool = False) -> dict[str, Any]:
    """Make a class in a folder, and take every step with it.

    Parameters
    ----------
    learners : int
    folder : Path
        Empty, or a class that this made before.
    quiet : bool, optional
    """
    course = list(units())
    if not (folder / classroom.PRIVATE).exists():
        classroom.new(folder)
        for unit in tqdm(course, desc="release and hand in", disable=quiet):
            demo.hand_in(folder, demo.crowd(learners, unit), unit)
    taken = {}
    for step, (command, *options) in tqdm(STEPS.items(), desc="steps", disable=quiet):
        taken[step] = timed(unrolled(command, str(folder), *options), folder)
    stored = (folder / classroom.PRIVATE / "results.jsonl").stat().st_size
    page = (folder / "overview.html").stat().st_size
    return {
        "learners": learners,
        "submissions": learners * len(course),
        "steps": {step: _summary(each) for step, each in taken.items()},
        "results_mb": round(stored / 1e6, 1),
        "overview_mb": round(page / 1e6, 2),
    }


def _summary(taken: Taken) -> dict[str, float]:
    """The figures that are shown."""
    return {
        "seconds": round(taken.seconds, 1),
        "cpu": round(taken.cpu, 1),
        "peak_mb": round(taken.peak / 1e6),
    }


def report(result: dict[str, Any]) -> str:
    """A result in words."""
    lines = [f"{result['learners']} learners, {result['submissions']} submissions"]
    lines += [f"{'':<22}{'seconds':>10}{'CPU seconds':>13}{'peak MB':>10}"]
    lines += [
        f"{step:<22}{each['seconds']:>10}{each['cpu']:>13}{each['peak_mb']:>10}"
        for step, each in result["steps"].items()
    ]
    lines.append(
        f"The results take {result['results_mb']} MB, the overview {result['overview_mb']} MB."
    )
    return "\n".join(lines)


def main(full: bool = False, json: bool = False) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(prefix="unrolled-bench-") as place:
        result = measure(LEARNERS[full], Path(place), quiet=json)
    print(jsonlib.dumps(result, indent=1) if json else report(result))
