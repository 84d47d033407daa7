"""What a class has understood of an assignment, in figures: pure counting, of results."""

import hmac
import statistics
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from autograder.grading.judge import Result

ENOUGH = 10  # learners, for a figure of how an exercise discriminates
STRUGGLING = 0.5  # of the points that checks give


class Exercise(NamedTuple):
    """How one exercise went.

    `discrimination` is the correlation of passing it with the points on all others, from -1 to 1;
    None of few learners, or where all did the same.
    """

    name: str
    learners: int
    tried: int
    passed: int
    discrimination: float | None

    @property
    def difficulty(self) -> float:
        """The share of learners who passed, as textbooks define an item's difficulty."""
        return self.passed / self.learners if self.learners else 0.0


class Group(NamedTuple):
    """Learners whose answers to an exercise are wrong in the same way.

    `id` is the misconception's, or the fingerprint of what nothing explains; `why` is the sentence
    of the one, or what the check found in the other.
    """

    exercise: str
    id: str
    why: str
    tried: int
    learners: tuple[str, ...]


class Learner(NamedTuple):
    """One learner's share of the points that checks give, and the exercises that are wrong."""

    name: str
    share: float
    points: float
    most: float
    wrong: tuple[str, ...]
    open: tuple[str, ...]


class Survey(NamedTuple):
    """All of it: by exercise in the order of the notebook, groups the largest first.

    `missing` are learners of the class who have handed in nothing.
    """

    assignment: str
    learners: tuple[Learner, ...]
    exercises: tuple[Exercise, ...]
    misconceptions: tuple[Group, ...]
    clusters: tuple[Group, ...]
    ungraded: tuple[tuple[str, str], ...]
    remarks: tuple[tuple[str, str], ...]
    missing: tuple[str, ...] = ()

    @property
    def struggling(self) -> list[Learner]:
        """Who has less than half of the points, the least first."""
        found = [learner for learner in self.learners if learner.share < STRUGGLING]
        return sorted(found, key=lambda learner: (learner.share, learner.name))

    @property
    def median(self) -> float:
        """Of the learners' shares."""
        return statistics.median([learner.share for learner in self.learners] or [0.0])

    def summary(self) -> dict[str, Any]:
        """All of it as JSON-able data."""
        return {
            "assignment": self.assignment,
            "median": self.median,
            "learners": [learner._asdict() for learner in self.learners],
            "exercises": [{**e._asdict(), "difficulty": e.difficulty} for e in self.exercises],
            "misconceptions": [group._asdict() for group in self.misconceptions],
            "clusters": [group._asdict() for group in self.clusters],
            "ungraded": [list(pair) for pair in self.ungraded],
            "remarks": [list(pair) for pair in self.remarks],
            "missing": list(self.missing),
        }


def numbers(surveys: Iterable[Survey], secret: bytes) -> dict[str, str]:
    """What learners may be called instead of by their names, in an order that tells nothing."""
    those = {learner.name for survey in surveys for learner in survey.learners}
    those |= {name for survey in surveys for name, _ in survey.ungraded}
    those |= {name for survey in surveys for name in survey.missing}
    shuffled = sorted(those, key=lambda name: hmac.digest(secret, name.encode(), "sha256"))
    width = len(str(len(shuffled)))
    return {name: f"learner {number:0{width}}" for number, name in enumerate(shuffled, 1)}


def anonymous(survey: Survey, called: Mapping[str, str]) -> Survey:
    """A survey in which learners are called so, and stand in that order.

    Of remarks only it is said that there are some: they may name a file, and so a learner.
    """

    def renamed(groups: Sequence[Group]) -> tuple[Group, ...]:
        return tuple(
            g._replace(learners=tuple(sorted(called[n] for n in g.learners))) for g in groups
        )

    return survey._replace(
        learners=tuple(sorted(each._replace(name=called[each.name]) for each in survey.learners)),
        misconceptions=renamed(survey.misconceptions),
        clusters=renamed(survey.clusters),
        ungraded=tuple(sorted((called[name], why) for name, why in survey.ungraded)),
        remarks=tuple(
            sorted({(called[name], "something was mended") for name, _ in survey.remarks})
        ),
        missing=tuple(sorted(called[name] for name in survey.missing)),
    )


def rows(summary: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All of a survey's summary, a row each: a table that can be filtered by its `kind`.

    `count` are those of the `of`: points, learners who passed, learners who did the same.
    """
    known = {"assignment": summary["assignment"]}
    for each in summary["learners"]:
        said = {"wrong": " ".join(each["wrong"]), "not_tried": " ".join(each["open"])}
        points = {"count": each["points"], "of": each["most"], "share": each["share"]}
        yield {**known, "kind": "learner", "learner": each["name"], **points, **said}
    for each in summary["exercises"]:
        passed = {"count": each["passed"], "of": each["learners"], "share": each["difficulty"]}
        more = {"tried": each["tried"], "discrimination": each["discrimination"]}
        yield {**known, "kind": "exercise", "exercise": each["name"], **passed, **more}
    for kind in ("misconceptions", "clusters"):
        for each in summary[kind]:
            count, those = len(each["learners"]), {"exercise": each["exercise"], "id": each["id"]}
            same = {"count": count, "of": each["tried"], "share": count / each["tried"]}
            for name in each["learners"]:
                said = {"learner": name, **same, "why": each["why"]}
                yield {**known, "kind": kind.removesuffix("s"), **those, **said}
    for kind in ("ungraded", "remarks"):
        for name, why in summary[kind]:
            yield {**known, "kind": kind.removesuffix("s"), "learner": name, "why": why}
    for name in summary["missing"]:
        yield {**known, "kind": "missing", "learner": name, "why": "nothing is handed in"}


COLUMNS = [
    "assignment", "kind", "learner", "exercise", "id", "count", "of", "share", "tried",
    "discrimination", "wrong", "not_tried", "why",
]  # fmt: skip
"""Of `rows`."""


def survey(
    assignment: str, results: Sequence[Result], ungraded: Iterable[tuple[str, str]] = (),
    students: Iterable[str] = (),
) -> Survey:  # fmt: skip
    """Count what came of an assignment.

    Parameters
    ----------
    assignment : str
    results : sequence of dict
        The latest on every notebook that was handed in.
    ungraded : iterable of (str, str), optional
        Learners of whom there is no result, and why.
    students : iterable of str, optional
        The class.

    Returns
    -------
    Survey
    """
    checks: dict[str, dict[str, Result]] = defaultdict(dict)
    for result in sorted(results, key=lambda result: result["student"]):
        checks[result["student"]] |= {c["name"]: c for c in result["checks"].values()}
    remarks = [(r["student"], remark) for r in results for remark in r["remarks"]]
    ungraded = tuple(ungraded)
    return Survey(
        assignment,
        tuple(_learner(name, list(mine.values())) for name, mine in checks.items()),
        tuple(_exercise(name, checks) for name in _names(checks)),
        tuple(_groups(checks, "misconception")),
        tuple(group for group in _groups(checks, "alike") if len(group.learners) > 1),
        ungraded,
        tuple(sorted(remarks)),
        tuple(sorted({*students} - {*checks} - {name for name, _ in ungraded})),
    )


Checks = dict[str, dict[str, Result]]
"""From learner to exercise to what its check said."""


def _names(checks: Checks) -> list[str]:
    return list(dict.fromkeys(name for mine in checks.values() for name in mine))


def _tried(check: Result) -> bool:
    return bool(check["rung"] != "not attempted")


def _learner(name: str, mine: Sequence[Result]) -> Learner:
    points, most = sum(c["points"] for c in mine), sum(c["max"] for c in mine)
    wrong = tuple(c["name"] for c in mine if _tried(c) and not c["passed"])
    missing = tuple(c["name"] for c in mine if not _tried(c))
    return Learner(name, points / most if most else 0.0, points, most, wrong, missing)


def _exercise(name: str, checks: Checks) -> Exercise:
    those = [mine[name] for mine in checks.values() if name in mine]
    return Exercise(
        name,
        len(those),
        sum(map(_tried, those)),
        sum(check["passed"] for check in those),
        _discrimination(name, checks),
    )


def _discrimination(name: str, checks: Checks) -> float | None:
    """The correlation of passing an exercise with the points on all others."""
    those = [mine for mine in checks.values() if name in mine]
    passed = [float(mine[name]["passed"]) for mine in those]
    rest = [sum(c["points"] for n, c in mine.items() if n != name) for mine in those]
    if len(those) < ENOUGH or len(set(passed)) < 2 or len(set(rest)) < 2:
        return None
    return statistics.correlation(passed, rest)


def _groups(checks: Checks, by: str) -> list[Group]:
    """Learners by what their wrong answers have in common, the largest groups first."""
    found: dict[tuple[str, str], list[tuple[str, Result]]] = defaultdict(list)
    for student, mine in checks.items():
        for name, check in mine.items():
            if check.get(by):
                found[name, check[by]].append((student, check))
    tried = {name: sum(_tried(m[name]) for m in checks.values() if name in m) for name, _ in found}
    groups = [
        Group(name, id_, those[0][1]["diagnosis"], tried[name], tuple(who for who, _ in those))
        for (name, id_), those in found.items()
    ]
    return sorted(groups, key=lambda group: (-len(group.learners), group.exercise, group.id))
