"""Proving the exercises: what must pass passes, and what is wrong is caught and named."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

from autograder import answers, diagnosis, trial
from autograder.exercise import Exercise, calls_in, exercise, live_key, mutant, stub
from autograder.fits import wrong_entries
from autograder.report import Report, Rung
from autograder.tree import leaves, plain

DERIVATIVE = 1e-11  # complex steps are exact to rounding, which sums over time add up
SEEDS = (answers.PUBLIC_SEED, 1, 2)


@dataclass
class Verdict:
    """What was found about one exercise."""

    name: str
    misconceptions: int
    alternatives: int
    caught: int = 0
    named: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.faults

    @property
    def mutation_score(self) -> float:
        """The share of misconceptions that the checks catch on every seed."""
        return self.caught / self.misconceptions

    def summary(self) -> dict[str, Any]:
        """The verdict as JSON-able data."""
        return {
            "name": self.name,
            "ok": self.ok,
            "misconceptions": self.misconceptions,
            "caught": self.caught,
            "named": self.named,
            "mutation_score": self.mutation_score,
            "alternatives": self.alternatives,
            "faults": self.faults,
        }


def verify(name: str, seeds: Sequence[int] = SEEDS) -> Verdict:
    """Prove one exercise on the public cases and on further seeds.

    Parameters
    ----------
    name : str
    seeds : sequence of int, optional

    Returns
    -------
    Verdict
        Its `faults` are empty when everything holds.
    """
    declared = exercise(name)
    verdict = Verdict(name, len(declared.misconceptions), len(declared.alternatives))
    verdict.faults += _declaration(declared) + _starter(declared)
    verdict.faults += _refused(declared, seeds) + _underived(declared, seeds)
    for edit in declared.misconceptions:
        reports = [_examine(mutant(declared.reference, edit), name, seed) for seed in seeds]
        caught = not any(report.passed for report in reports)
        named = {report.misconception for report in reports} == {edit.id}
        verdict.caught += caught
        verdict.named += named
        if not caught:
            verdict.faults.append(f"misconception {edit.id!r} passes")
        elif not named:
            others = {str(report.misconception) for report in reports} - {edit.id}
            verdict.faults.append(f"misconception {edit.id!r} is named {', '.join(others)}")
        if any(map(_names_nothing, reports)):
            verdict.faults.append(f"misconception {edit.id!r} uses a name that has no value there")
    return verdict


def _names_nothing(report: Report) -> bool:
    """Whether an edit fails as no learner's function would: on a name that it brought along."""
    return any(line.startswith(("NameError", "UnboundLocalError")) for line in report.details)


def _examine(function: Callable, name: str, seed: int, source: str | None = None) -> Report:
    key = answers.key(name, seed)
    return diagnosis.judge(key, partial(trial.run, function, key.cases), source)


def _declaration(declared: Exercise) -> list[str]:
    """Faults in what is declared."""
    faults = []
    ids = [edit.id for edit in declared.misconceptions]
    if len(set(ids)) < len(ids):
        faults.append("two misconceptions have one id")
    if len(ids) < 8:
        faults.append(f"{len(ids)} misconceptions; eight are the least")
    if len(declared.alternatives) < 2:
        faults.append("fewer than two alternative implementations")
    graded = calls_in(declared.reference) & set(answers.names()) - {declared.name}
    if graded != set(declared.calls):
        faults.append(f"calls {sorted(graded)}, and declares {sorted(declared.calls)}")
    return faults


def _starter(declared: Exercise) -> list[str]:
    """Faults of the stub: it must read "not attempted", by its source and by running it."""
    text = stub(declared.reference)
    scope = dict(declared.reference.__globals__)
    exec(compile(text, f"<stub of {declared.name}>", "exec"), scope)
    reports = [
        _examine(scope[declared.name], declared.name, answers.PUBLIC_SEED, source)
        for source in (text, None)
    ]
    return [f"the stub reads {r.rung!r}" for r in reports if r.rung is not Rung.NOT_ATTEMPTED]


def _refused(declared: Exercise, seeds: Sequence[int]) -> list[str]:
    """Correct implementations that do not pass."""
    faults = []
    for function in (declared.reference, *declared.alternatives):
        for seed in seeds:
            report = _examine(function, declared.name, seed)
            if not report.passed:
                faults.append(
                    f"{function.__name__} is refused with seed {seed}: {report.diagnosis}"
                )
                break
    return faults


def _underived(declared: Exercise, seeds: Sequence[int]) -> list[str]:
    """Quantities in which a gradient and the derivative of its forward pass differ."""
    if declared.derivative is None:
        return []
    faults = []
    for seed in seeds:
        key = answers.key(declared.name, seed)
        for case, expected in zip(key.cases, key.answers(()).expected, strict=True):
            true, found = leaves(plain(declared.derivative(**case))), leaves(expected)
            if true.keys() != found.keys():
                return [f"its derivative has {sorted(true.keys() ^ found.keys())} or lacks them"]
            wrong = [p for p in true if wrong_entries(true[p], found[p], DERIVATIVE).any()]
            faults += [f"{path} is not the derivative, with seed {seed}" for path in wrong]
    return faults


class Calibration(NamedTuple):
    """How often the checks err on one exercise, over many draws of its inputs."""

    name: str
    seeds: int
    right: int
    refused: int
    wrong: int
    passed: int

    @property
    def ok(self) -> bool:
        return not self.refused and not self.passed

    def __str__(self) -> str:
        return (
            f"{self.name:<32}{self.seeds:>6} seeds: {self.refused} of {self.right} right answers "
            f"refused, {self.passed} of {self.wrong} wrong ones passed"
        )


def calibrate(name: str, seeds: int) -> Calibration:
    """Check all right and all wrong implementations of an exercise on many inputs.

    Parameters
    ----------
    name : str
    seeds : int
        How many draws of the inputs.
    """
    declared = exercise(name)
    right = (declared.reference, *declared.alternatives)
    wrong = [mutant(declared.reference, edit) for edit in declared.misconceptions]
    refused = passed = 0
    for seed in range(seeds):
        key = live_key(name, seed)
        refused += sum(not _passes(key, function) for function in right)
        passed += sum(_passes(key, function) for function in wrong)
    return Calibration(name, seeds, len(right) * seeds, refused, len(wrong) * seeds, passed)


def _passes(key: answers.AnswerKey, function: Callable) -> bool:
    """Whether every case is right; after one that is not, no more are tried."""
    return all(
        diagnosis.is_right(key, k, trial.run(function, [case])[0])
        for k, case in enumerate(key.cases)
    )


def table(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """The verdicts as lines of text."""
    yield f"{'exercise':<32}{'misconceptions':>15}{'caught':>8}{'named':>7}{'alternatives':>14}"
    for v in verdicts:
        counts = f"{v.misconceptions:>15}{v.caught:>8}{v.named:>7}{v.alternatives:>14}"
        yield f"{v.name:<32}{counts}  {'ok' if v.ok else 'FAULT'}"
        yield from (f"    {fault}" for fault in v.faults)
    total, caught = sum(v.misconceptions for v in verdicts), sum(v.caught for v in verdicts)
    yield f"mutation score: {caught} of {total} caught, {sum(v.named for v in verdicts)} named"
