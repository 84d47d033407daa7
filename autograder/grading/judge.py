"""Grading one notebook: the judge has the answers, and the process that it asks has none."""

import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from autograder import answers, diagnosis, trial
from autograder.answers import AnswerKey
from autograder.card import card
from autograder.grading.alike import fingerprint
from autograder.grading.process import Process, SandboxLost
from autograder.grading.sandbox.hardening import Limits
from autograder.grading.sandbox.template import shared
from autograder.grading.sanitise import NO_MATHS, Clean, legible
from autograder.grading.session import Clock, Session, StepFailed
from autograder.notebooks import exercise_of, points_of, source_of
from autograder.report import Report, Rung
from autograder.trial import Failure, Outcome

EXPERIMENT = "experiment"
MAX_OUTPUT = 20_000
Result = dict[str, Any]


CONFUSED = (
    "The judge could not make sense of what your function returned. That is not your fault alone: "
    "your instructor is told."
)


def seeds(secret: bytes, *labels: str) -> tuple[int, ...]:
    """Entropy that only the class can draw: the same for the same labels, else unrelated.

    Parameters
    ----------
    secret : bytes
    *labels : str
        Assignment, exercise, learner, attempt.
    """
    digest = hmac.new(secret, json.dumps(labels).encode(), hashlib.sha256).digest()
    return tuple(int.from_bytes(digest[i : i + 4], "little") for i in range(0, 32, 4))


def common_key(secret: bytes, label: str, exercise: str) -> AnswerKey:
    """An exercise on inputs that are the same for a whole class, and shown to nobody."""
    return answers.key(exercise, seeds(secret, label, exercise))


def attempt(clean: Clean) -> str:
    """What tells one attempt of a learner from the next: a hash of all answers.

    Of all, since a function may read what another cell has left. A regrade meets the same inputs;
    whoever hands in anything new, such as a table of what came out last time, meets new ones.
    """
    text = json.dumps(sorted(clean.answers.items()))
    return hashlib.sha256(text.encode()).hexdigest()


def grade_notebook(
    clean: Clean,
    student: str,
    assignment: str,
    secret: bytes,
    spawn: Callable[[Limits], Process] | None = None,
    clock: Clock = Clock(),  # noqa: B008  # a NamedTuple of numbers never changes
) -> Result:
    """Run a cleaned notebook and judge each of its checks.

    Parameters
    ----------
    clean : Clean
    student, assignment : str
    secret : bytes
        Of the class; inputs are drawn from it.
    spawn : callable, optional
        Starts the process for the learner's code; by default this process's own template does.
    clock : Clock, optional

    Returns
    -------
    dict
        JSON-able: "checks" by grade_id with points, report, card, and "alike", which is the same
        for wrong answers of a class that do the same; "remarks"; "seconds".
    """
    start = time.monotonic()
    checks: dict[str, Result] = {}
    outputs: dict[str, str] = {}
    failed: dict[str, str | None] = {}
    remarks = list(clean.remarks)
    this = attempt(clean)
    with Session(spawn or shared().spawn, clock=clock) as session:
        for cell in clean.notebook["cells"]:
            exercise, grade_id, worth = exercise_of(cell), _grade_id(cell), points_of(cell)
            if exercise:
                if worth is None:
                    continue  # the instructor has taken its marks away
                key = answers.key(exercise, seeds(secret, assignment, exercise, student, this))
                key = replace(key, points=worth)
                common = partial(common_key, secret, assignment, exercise)
                try:
                    report, alike = _judged(session, key, failed.get(exercise), clean, common)
                except SandboxLost:
                    raise
                except Exception as error:  # whatever came back, it costs this exercise only
                    report, alike = _failure(key, Rung.RAISED, CONFUSED), None
                    remarks.append(f"{exercise}: the judge failed: {error!r:.200}")
                checks[grade_id] = {**_check(_legible(report), key), "alike": alike}
            elif _runs(cell):
                said = _run(session, source_of(cell))
                failed[grade_id], outputs[grade_id] = said["error"], said["output"]
    return {
        "student": student,
        "assignment": assignment,
        "checks": checks,
        "outputs": {grade_id: text for grade_id, text in outputs.items() if grade_id and text},
        "remarks": remarks,
        "tier": session.tier,
        "cpu": session.usage.cpu if session.usage else 0.0,
        "seconds": round(time.monotonic() - start, 3),
    }


def _grade_id(cell: dict[str, Any]) -> str:
    grade_id: str = cell["metadata"].get("nbgrader", {}).get("grade_id", "")
    return grade_id


def _runs(cell: dict[str, Any]) -> bool:
    """Whether a cell is run when grading: code, and no experiment."""
    return cell["cell_type"] == "code" and EXPERIMENT not in cell["metadata"].get("tags", ())


def _run(session: Session, source: str) -> dict[str, Any]:
    try:
        said = session.run(source)
    except StepFailed as error:
        return {"error": str(error), "output": ""}
    return {"error": said["error"], "output": legible(said["output"], MAX_OUTPUT)}


def _judged(
    session: Session, key: AnswerKey, failed: str | None, clean: Clean,
    common: Callable[[], AnswerKey],
) -> tuple[Report, str | None]:  # fmt: skip
    """The report on one exercise; of a wrong answer that nothing explains, its fingerprint."""
    source = clean.answers.get(key.name)
    if source is None or not source.strip() or diagnosis.untouched(source, key):
        return _failure(key, Rung.NOT_ATTEMPTED), None
    if failed and not _defined(session, key.name):
        detail = f"Its cell did not run: {failed}"
        return _failure(key, Rung.RAISED, detail, _names(failed, clean)), None

    lost: list[Outcome] = []

    def run(lend: Sequence[str]) -> list[Outcome]:
        """Outcomes from the learner's process; where it gave none, failures that say why.

        A process that was lost is given one more try, with stand-ins for all that is called.
        """
        if lost and len(lend) < len(key.calls):
            return lost
        try:
            outcomes = session.probe(key.name, key.cases, lend)
            if not all(map(trial.complete, key.cases, outcomes)):
                raise StepFailed("its process answered for another number of draws")
            return outcomes
        except StepFailed as error:
            said = Failure("", f"It could not be judged: {error}.", key.name, 0, "", {})
            lost[:] = [Outcome(failure=said)] * len(key.cases)
            return lost

    with np.errstate(all="ignore"):  # a learner's numbers may be of any size
        report = diagnosis.judge(key, run, source)
    explained = _names("\n".join(report.details), clean)
    unexplained = not (report.passed or report.misconception or lost)  # lost is told, and no kind
    alike = _alike(session, common()) if unexplained else None
    below = (f"Its cell failed, below the function: {failed}",) if failed else ()
    notes = (*report.notes, *below)
    return replace(report, cause=explained or report.cause, notes=notes, public=False), alike


def _defined(session: Session, name: str) -> bool:
    """Whether a function is there: if its cell raised, it did so below it."""
    try:
        session.probe(name, (), ())
    except StepFailed:
        return False
    return True


def _alike(session: Session, key: AnswerKey) -> str | None:
    """A fingerprint of a learner's function on these inputs, which are the class's."""
    try:
        return fingerprint(session.probe(key.name, key.cases, ()))
    except StepFailed:
        return None


def _failure(key: AnswerKey, rung: Rung, detail: str = "", cause: str = "") -> Report:
    details = (detail,) if detail else ()
    return Report(
        key.name, rung, total=len(key.cases), points=key.points, lines=key.lines,
        details=details, cause=cause,
    )  # fmt: skip


def _names(text: str, clean: Clean) -> str:
    """What lies behind a NameError for something that stands outside the answer cells."""
    found = re.search(r"NameError: name '(\w+)'", text)
    if found is None or found[1] not in clean.extra:
        return ""
    return (
        f"{found[1]} is defined in a cell of your own. Only answer cells are run when a notebook "
        "is graded: put it into the cell of the function that uses it."
    )


def _legible(report: Report) -> Report:
    return replace(
        report,
        details=tuple(map(legible, report.details)),
        differences=tuple(
            d._replace(name=legible(d.name), text=legible(d.text)) for d in report.differences
        ),
        cause=legible(report.cause),
        notes=tuple(map(legible, report.notes)),
    )


def _check(report: Report, key: AnswerKey) -> Result:
    return {
        **report.summary(),
        "points": float(key.points * report.score),
        "max": float(key.points),
        "html": f'<div class="{NO_MATHS}">{card(report)}</div>',  # its sheet comes with the page
    }


def table_rows(results: list[Result]) -> Iterator[tuple[str, float, float, str]]:
    """(student, points, most, what is wrong) of each result."""
    for result in results:
        checks = result["checks"].values()
        wrong = [c for c in checks if not c["passed"]]
        said = "; ".join(f"{c['name']}: {c['misconception'] or c['rung']}" for c in wrong)
        points, most = sum(c["points"] for c in checks), sum(c["max"] for c in checks)
        yield result["student"], points, most, said or "all right"
