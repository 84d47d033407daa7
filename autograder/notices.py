"""What the desk says beside its reports: a notebook and a terminal both show it well."""

from dataclasses import dataclass

from autograder import card, diary
from autograder.report import Report


class Notice(str):
    """A sentence or a few lines; in a notebook it is shown as text, not as a quoted string."""

    passed = False

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return card.STYLE + card.panel("open", "", *map(card.paragraph, self.split("\n")))


@dataclass(frozen=True, repr=False)
class Solution:
    """The reference of an exercise, and how the learner's function compares with it."""

    name: str
    source: str
    report: Report | None = None

    @property
    def compared(self) -> str:
        """What becomes of the learner's own function."""
        if self.report is None:
            return f"solution({self.name}), with the function itself, says how yours differs."
        if self.report.passed:
            return "Yours is right, too: where it reads otherwise, both are ways to say the same."
        return "Where yours differs:"

    def __str__(self) -> str:
        parts = [f"The reference of {self.name}:", "", self.source, "", self.compared]
        return "\n".join([*parts, *map(str, self._wrong)])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        said = card.panel(
            "open",
            f"The reference of {self.name}",
            card.listing([self.source]),
            card.paragraph(self.compared),
        )
        return "".join([card.STYLE, said, *map(card.card, self._wrong)])

    @property
    def _wrong(self) -> list[Report]:
        return [self.report] if self.report and not self.report.passed else []


@dataclass(frozen=True, repr=False)
class Progress:
    """How far a learner has come: from unit to its exercises, and from exercise to its state."""

    units: dict[str, list[str]]
    states: dict[str, str]

    def __str__(self) -> str:
        lines = []
        for unit, names in self.units.items():
            lines.append(f"{unit}: {self.done(unit)} of {len(names)} done")
            lines += [f"  {MARKS[self.states.get(name, '')]} {name}" for name in names]
        return "\n".join([*lines, self.kept])

    def __repr__(self) -> str:
        return str(self)

    def done(self, unit: str) -> int:
        """How many exercises of a unit are done."""
        return sum(self.states.get(name) == diary.DONE for name in self.units[unit])

    @property
    def kept(self) -> str:
        return f"Kept in {diary.path()}, on this machine only."

    def _repr_html_(self) -> str:
        rows = "".join(map(self._row, self.units))
        done, most = sum(map(self.done, self.units)), sum(map(len, self.units.values()))
        return card.STYLE + card.panel(
            "passed" if done == most else "open",
            f"{done} of {most} exercises done",
            f"<table><tbody>{rows}</tbody></table>",
            card.paragraph(self.kept),
        )

    def _row(self, unit: str) -> str:
        names, done = self.units[unit], self.done(unit)
        label = f"{unit}: {done} of {len(names)} exercises done"
        marked = ", ".join(f"{MARKS[self.states.get(name, '')][0]}\u00a0{name}" for name in names)
        return (
            f'<tr><th scope="row">{card.text(unit)}</th>'
            f'<td><progress aria-label="{card.text(label)}" value="{done}" max="{len(names)}">'
            f"</progress></td><td>{done} of {len(names)}</td>"
            f'<td class="u-said">{card.text(marked)}</td></tr>'
        )


MARKS = {diary.DONE: "✓ done     ", diary.ATTEMPTED: "✗ attempted", "": "○ to do    "}
