"""What a check found, as a value, as text and as HTML."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

import numpy as np

from autograder import fits


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


class Difference(NamedTuple):
    """One wrong quantity: its name, and where and how far it is off."""

    name: str
    text: str
    expected: Any = None
    got: Any = None
    wrong: Any = None

    @classmethod
    def between(
        cls, name: str, expected: np.ndarray, got: np.ndarray, wrong: np.ndarray, axes: fits.Axes
    ) -> "Difference":
        """The difference of two arrays of one shape, `wrong` where they differ."""
        at = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
        place = f"at [{', '.join(str(int(i)) for i in at)}] " if at else ""
        number = f"{place}expected {expected[at].item():.5g}, got {got[at].item():.5g}"
        return cls(name, f"{fits.where(wrong, axes)}; {number}", expected, got, wrong)


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
    details, cause, notes
        What the text says.
    public : bool
        Whether the learner has these cases; those of a graded notebook are drawn for it alone.
    """

    name: str
    rung: Rung
    signature: tuple[str, ...] = ()
    total: int = 0
    passed_cases: int = 0
    points: int = 0
    lines: int = 0
    case: int | None = None
    title: str = ""
    details: tuple[str, ...] = ()
    differences: tuple[Difference, ...] = ()
    misconception: str | None = None
    cause: str = ""
    notes: tuple[str, ...] = ()
    public: bool = True

    @property
    def passed(self) -> bool:
        return self.rung is Rung.PASSED

    @property
    def score(self) -> float:
        return 1.0 if self.passed else 0.0

    @property
    def headline(self) -> str:
        """One line that says how it went."""
        if self.passed:
            return f"✓ {self.name}: right on all {self.total} cases"
        if self.rung is Rung.NOT_ATTEMPTED:
            return f"○ {self.name}: not attempted"
        return f"✗ {self.name}: {self.passed_cases} of {self.total} cases right"

    @property
    def diagnosis(self) -> str:
        """One sentence: the misconception if it has a name, else what failed."""
        if self.passed or self.rung is Rung.NOT_ATTEMPTED:
            return str(self.rung)
        return self.cause or next(iter(self.findings), str(self.rung))

    @property
    def findings(self) -> tuple[str, ...]:
        """What is wrong, line by line."""
        width = max((len(d.name) for d in self.differences[:3]), default=0)
        lines = [f"{d.name:<{width}}  {d.text}" for d in self.differences[:3]]
        if len(self.differences) > 3:
            lines[2:] = [f"… and {len(self.differences) - 2} quantities more"]
        return (*self.details, *lines)

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
        if self.rung is Rung.NOT_ATTEMPTED:
            lines = "1 line" if self.lines == 1 else f"{self.lines} lines"
            return (
                "Replace the line `raise NotImplementedError()` by your code "
                f"(about {lines}); hint({self.name}) helps."
            )
        if self.case is None:
            return f"Try it: run its cell, then check({self.name})"
        if not self.public:
            return f"Try it, on other inputs: check({self.name}) in your notebook"
        return f'Try it: {self.name}(**case("{self.name}", {self.case}))'

    def __str__(self) -> str:
        if self.rung is Rung.NOT_ATTEMPTED:
            return f"{self.headline}\n{self.advice}"
        parts = [self.headline]
        if not self.passed:
            parts += ["", *filter(None, [self.introduction])]
            parts += [f"  {line}" for line in self.findings]
            parts += ["", f"Likely cause: {self.cause}"] if self.cause else []
        parts += [f"Note: {note}" for note in self.notes]
        parts += [] if self.passed else ["", self.advice]
        return "\n".join(parts)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return card(self)

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


# The card works on light and dark pages: it has its own background, and text at 7:1 or better.
COLOURS = {
    "passed": ("#1a5d2e", "#eaf6ec"),
    "open": ("#4a4a4a", "#f3f3f3"),
    "wrong": ("#8b1a1a", "#fdf0ef"),
}


def card(report: Report) -> str:
    """A report as HTML: plain elements and inline style, nothing loaded, no script."""
    state = "passed" if report.passed else "wrong"
    if report.rung is Rung.NOT_ATTEMPTED:
        state = "open"
    ink, paper = COLOURS[state]
    inside = [f'<p style="margin:0;font-weight:bold;color:{ink}">{_text(report.headline)}</p>']
    if not report.passed and report.rung is not Rung.NOT_ATTEMPTED:
        inside += [_paragraph(report.introduction)] if report.introduction else []
        inside.append(_listing(report.findings))
        if report.cause:
            inside.append(
                f'<p style="margin:.6em 0 0"><b>Likely cause:</b> {_text(report.cause)}</p>'
            )
    inside += [_paragraph(f"Note: {note}") for note in report.notes]
    if not report.passed:
        inside.append(_paragraph(report.advice))
    style = (
        f"background:{paper};color:#1b1b1b;border-left:4px solid {ink};"
        "padding:.6em .9em;font-family:sans-serif;font-size:14px;line-height:1.45;max-width:60em"
    )
    return f'<div role="status" style="{style}">{"".join(inside)}</div>'


def _text(text: str) -> str:
    return html.escape(text, quote=True)


def _paragraph(text: str) -> str:
    return f'<p style="margin:.6em 0 0">{_text(text)}</p>'


def _listing(lines: Sequence[str]) -> str:
    style = (
        "margin:.3em 0 0;padding:0;background:none;color:inherit;"
        "font-size:13px;white-space:pre-wrap"
    )
    return f'<pre style="{style}">{_text(chr(10).join(lines))}</pre>'
