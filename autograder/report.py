"""What a check found, as a value, as text and as a card."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from autograder import fits
from autograder.card import STYLE, card


class Rung(StrEnum):
    """The rungs of the ladder, from the first that a function can fail to having passed."""

    NOT_ATTEMPTED = "not attempted"
    RAISED = "raised an exception"
    KIND = "wrong kind"
    SHAPE = "wrong shape"
    FINITE = "not finite"
    UNSTABLE = "differs from call to call"
    VALUES = "wrong values"
    PASSED = "passed"


CLIMBED = {
    Rung.RAISED: "runs",
    Rung.KIND: "kind",
    Rung.SHAPE: "shape",
    Rung.FINITE: "finite",
    Rung.UNSTABLE: "repeats",
    Rung.VALUES: "values",
}
"""What holds once a rung is climbed, in a word."""


class Hint(NamedTuple):
    """The hint that comes next: its place among the hints, and its text."""

    number: int
    total: int
    text: str

    @property
    def title(self) -> str:
        return f"Hint {self.number} of {self.total}"


class Difference(NamedTuple):
    """One wrong quantity: its name, and where and how far it is off."""

    name: str
    text: str
    expected: Any = None
    got: Any = None
    wrong: Any = None
    axes: tuple[str, ...] = ()

    @classmethod
    def between(
        cls, name: str, expected: np.ndarray, got: np.ndarray, wrong: np.ndarray, axes: fits.Axes
    ) -> "Difference":
        """The difference of two arrays of one shape, `wrong` where they differ."""
        at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        place = f"at [{', '.join(str(int(i)) for i in at)}] " if at else ""
        number = "{}expected {}, got {}".format(place, *_apart(expected[at].item(), got[at].item()))
        return cls(name, f"{fits.where(wrong, axes)}; {number}", expected, got, wrong, tuple(axes))


def _gathered(compared: Sequence[str], wrong: set[str]) -> list[str]:
    """The names of what is right; those that differ in a number alone, as ``caches[...].x_t``."""
    groups: dict[str, list[str]] = {}
    for name in compared:
        groups.setdefault(re.sub(r"\[\d+\]", "[...]", name), []).append(name)
    told: list[str] = []
    for group, names in groups.items():
        right = [name for name in names if name not in wrong]
        told += [group] if len(right) == len(names) > 2 else right
    return told


def _apart(one: Any, two: Any) -> tuple[str, str]:
    """Two numbers, with as many digits as it takes to tell them apart."""
    if isinstance(one, bool) and isinstance(two, bool):
        return str(one), str(two)
    pairs = ((f"{one:.{digits}g}", f"{two:.{digits}g}") for digits in (5, 8, 11, 14, 17))
    return next((pair for pair in pairs if pair[0] != pair[1]), (repr(one), repr(two)))


@dataclass(frozen=True)
class Report:
    """The result of one check.

    Attributes
    ----------
    name : str
        The exercise.
    passed : bool
    score : float
        1.0 for a function that is right on every case, else 0.0.
    rung : Rung
        The first rung of the ladder that failed; a string, such as ``"wrong shape"``.
    misconception : str or None
        The id of the known misconception that gives exactly these outputs.
    compared : tuple of str
        The quantities that were compared, right and wrong ones, cause before effect.
    details, cause, notes
        What the text says.
    public : bool
        Whether the learner has these cases; those of a graded notebook are drawn for it alone.
    hint : Hint or None
        What `hint` shows next.
    """

    name: str
    rung: Rung
    signature: tuple[str, ...] = ()
    total: int = 0
    passed_cases: int = 0
    points: float = 0
    lines: int = 0
    case: int | None = None
    title: str = ""
    details: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    compared: tuple[str, ...] = ()
    misconception: str | None = None
    cause: str = ""
    notes: tuple[str, ...] = ()
    public: bool = True
    hint: Hint | None = None

    @property
    def passed(self) -> bool:
        return self.rung is Rung.PASSED

    @property
    def attempted(self) -> bool:
        return self.rung is not Rung.NOT_ATTEMPTED

    @property
    def score(self) -> float:
        return 1.0 if self.passed else 0.0

    @property
    def headline(self) -> str:
        """One line that says how it went."""
        if self.passed:
            return f"✓ {self.name}: right on all {self.total} cases"
        if not self.attempted:
            return f"○ {self.name}: not attempted"
        return f"✗ {self.name}: {self.passed_cases} of {self.total} cases right"

    @property
    def diagnosis(self) -> str:
        """One sentence: the misconception if it has a name, else what failed."""
        if self.passed or not self.attempted:
            return str(self.rung)
        return self.cause or next(iter(self.findings), str(self.rung))

    @property
    def arrays(self) -> list[Difference]:
        """The differences that are of arrays, entry by entry."""
        return [each for each in self.differences if each.wrong is not None]

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong, line by line."""
        width = max((len(d.name) for d in self.differences[:3]), default=0)
        lines = [f"{d.name:<{width}}  {d.text}" for d in self.differences[:3]]
        if len(self.differences) > 3:
            lines[2:] = [f"… and {len(self.differences) - 2} quantities more"]
        wrong = {d.name for d in self.differences}
        right = _gathered(self.compared, wrong) if wrong else []
        lines += [f"right: {', '.join(right)}"] if right else []
        return (*self.details, *lines)

    @property
    def climbed(self) -> str:
        """The rungs up to the first that failed."""
        words = list(CLIMBED)
        if self.case is None or self.rung not in words:
            return ""
        at = words.index(self.rung)
        marks = [
            f"{CLIMBED[rung]} {'✓' if k < at else '✗'}" for k, rung in enumerate(words[: at + 1])
        ]
        return "  ".join(marks)

    @property
    def introduction(self) -> str:
        """What the findings are about."""
        if self.case is None:
            return ""
        case = f"Case {self.case} ({self.title})"
        match self.rung:
            case Rung.RAISED:
                return f"{case} raised an exception:"
            case Rung.VALUES if self.differences:
                return f"{case} differs from the reference:"
            case _:
                return f"{case}: {self.rung}:"

    @property
    def advice(self) -> str:
        """How to go on from here."""
        if not self.attempted:
            lines = "1 line" if self.lines == 1 else f"{self.lines} lines"
            return (
                "Replace the line `raise NotImplementedError()` by your code "
                f"(about {lines}); hint({self.name}) helps."
            )
        if self.case is None:
            return f"Run its cell, then try it: check({self.name})"
        if not self.public:
            return f"Try it in your notebook, on other inputs: check({self.name})"
        return f'Try it: {self.name}(**case("{self.name}", {self.case}))'

    def __str__(self) -> str:
        if not self.attempted:
            return f"{self.headline}\n{self.advice}"
        parts = [self.headline]
        if not self.passed:
            parts += [*filter(None, [self.climbed]), "", *filter(None, [self.introduction])]
            parts += [f"  {line}" for line in self.findings]
            parts += ["", f"Likely cause: {self.cause}"] if self.cause else []
        parts += [f"Note: {note}" for note in self.notes]
        parts += [] if self.passed else ["", self.advice]
        parts += [f"Stuck? hint({self.name}) shows {self.hint.title.lower()}."] if self.hint else []
        return "\n".join(parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return STYLE + card(self)

    def summary(self) -> dict[str, Any]:
        """The report as JSON-able data."""
        return {
            "name": self.name,
            "passed": self.passed,
            "score": self.score,
            "rung": str(self.rung),
            "misconception": self.misconception,
            "diagnosis": self.diagnosis,
            "text": str(self),
        }
