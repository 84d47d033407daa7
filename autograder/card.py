"""What the desk shows, as HTML: plain elements, no script, nothing loaded, words without style.

Colours follow the page's theme where it tells of one (JupyterLab, Notebook, VS Code, the site).
They never carry a meaning alone: every mark is a character or a word, too.
"""

import html
import math
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:  # a report shows itself as a card
    from autograder.report import Difference, Report


class Ink(NamedTuple):
    """A state's colours: of its headline and border, of the paper, and of the text."""

    ink: str
    paper: str
    text: str


LIGHT = {
    "passed": Ink("#1a5d2e", "#eaf6ec", "#1b1b1b"),
    "open": Ink("#4a4a4a", "#f3f3f3", "#1b1b1b"),
    "wrong": Ink("#8b1a1a", "#fdf0ef", "#1b1b1b"),
}
DARK = {
    "passed": Ink("#9bdcaa", "#15271b", "#ececec"),
    "open": Ink("#c9c9c9", "#262626", "#ececec"),
    "wrong": Ink("#ffb3a9", "#2e1816", "#f2e9e8"),
}
DARK_PAGES = (
    '[data-jp-theme-light="false"]',  # JupyterLab, Notebook, nbconvert
    ".vscode-dark",
    ".vscode-high-contrast",
    '[data-theme="dark"]',  # the site
)
SIDE = 6  # rows and columns of a heat-map
STEPS = 16  # time steps in a strip
ROWS = 14  # quantities in a table
CELL_INK = "#1b1b1b"  # on every tint


RULES = {
    "table": "border-collapse:collapse;margin:.4em 1.6em .4em 0;font-size:13px",
    "table.u-map": "display:inline-table;vertical-align:top",
    "caption": "text-align:left;caption-side:top;padding:0 0 .2em;color:inherit;white-space:normal",
    "tr": "background:none!important",
    ":is(th,td)": "padding:.15em .5em;text-align:left;color:inherit;background:none;border:0;"
    "font-variant-numeric:tabular-nums;white-space:nowrap;vertical-align:top;max-width:none",
    "td.u-said": "white-space:normal",
    ".u-map tbody td": f"text-align:right;color:{CELL_INK};border:1px solid #8886",
    ".u-map tbody td.u-no": "font-weight:bold;outline:2px solid #8b1a1a;outline-offset:-2px",
    "summary": "cursor:pointer",
    ":focus-visible": "outline:2px solid var(--u-ink);outline-offset:2px",
}
"""What cannot stand in an element's own style, by selector."""


def _style() -> str:
    """The sheet of a card. Its class is named twice, to weigh more than what JupyterLab says."""
    dark = "".join(
        f":is({','.join(DARK_PAGES)}) .unrolled-{state}"
        f"{{--u-ink:{ink};--u-paper:{paper};--u-text:{text}}}"
        for state, (ink, paper, text) in DARK.items()
    )
    rules = (f".unrolled.unrolled {selector}{{{css}}}" for selector, css in RULES.items())
    return f"<style>{dark}{''.join(rules)}</style>"


STYLE = _style()
"""Stands once before what `panel` and `card` make; without it they can be read, too."""


def panel(state: str, headline: str, *inside: str) -> str:
    """A box of one state, that a screen reader announces.

    Parameters
    ----------
    state : {"passed", "open", "wrong"}
    headline : str
        Plain text; left out if it is empty.
    *inside : str
        HTML.
    """
    light = LIGHT[state]
    box = (
        f"background:var(--u-paper,{light.paper});color:var(--u-text,{light.text});"
        f"border-left:4px solid var(--u-ink,{light.ink});padding:.6em .9em;"
        "font-family:sans-serif;font-size:14px;line-height:1.45;max-width:60em;overflow-x:auto"
    )
    first = f'<p style="margin:0;color:var(--u-ink,{light.ink})"><b>{text(headline)}</b></p>'
    body = "".join([first if headline else "", *inside])
    return f'<div role="status" class="unrolled unrolled-{state}" style="{box}">{body}</div>'


def text(plain: str) -> str:
    """Plain text, for HTML."""
    return html.escape(plain, quote=True)


def sentence(plain: str) -> str:
    """Plain text, for HTML, in which backticks mark code."""
    return re.sub(r"`([^`\n]+)`", r"<code>\1</code>", text(plain))


def paragraph(plain: str, lead: str = "") -> str:
    """A paragraph of sentences; it may begin with a bold lead."""
    bold = f"<b>{text(lead)}</b> " if lead else ""
    return f'<p style="margin:.6em 0 0">{bold}{sentence(plain)}</p>'


def listing(lines: Sequence[str]) -> str:
    """Lines as they stand, such as code."""
    style = (
        "margin:.3em 0 0;padding:0;background:none;color:inherit;border:0;"
        "font-size:13px;white-space:pre-wrap;overflow-wrap:anywhere"
    )
    return f'<pre style="{style}">{text(chr(10).join(lines))}</pre>'


# ------------------------------------------------------------------ a report


def card(report: "Report") -> str:
    """A report as a card."""
    if report.passed:
        return panel("passed", report.headline, *_notes(report))
    if not report.attempted:
        return panel("open", report.headline, paragraph(report.advice))
    return panel("wrong", report.headline, *_wrong(report), *_notes(report), *_on(report))


def _wrong(report: "Report") -> Iterator[str]:
    """How far it got, what failed first, and why that may be."""
    if report.climbed:
        yield paragraph(report.climbed)
    if report.introduction:
        yield paragraph(report.introduction)
    if report.details:
        yield listing(report.details)
    if report.differences:
        yield from _differences(report)
    if report.cause:
        yield paragraph(report.cause, "Likely cause:")


def _notes(report: "Report") -> Iterator[str]:
    yield from (paragraph(f"Note: {note}") for note in report.notes)


def _on(report: "Report") -> Iterator[str]:
    """How to go on from here."""
    label, _, code = report.advice.partition(": ")
    yield paragraph(f"{label}: `{code}`")
    if report.hint:
        yield (
            f'<details style="margin:.6em 0 0"><summary>{text(report.hint.title)}</summary>'
            f"{paragraph(report.hint.text)}</details>"
        )


# ------------------------------------------------------------------ wrong values


def _differences(report: "Report") -> Iterator[str]:
    yield _quantities(report)
    first = report.differences[0]
    if isinstance(first.wrong, np.ndarray) and first.wrong.ndim:
        yield from _side_by_side(first)


def _quantities(report: "Report") -> str:
    """Every quantity that was compared: whether it is right, and where it is not.

    Of the parts of a list, such as caches, only the first that is wrong; the text of it says so.
    """
    wrong = {difference.name: difference for difference in report.differences}
    parts = [name for name in wrong if "[" in name]
    whole = [name for name in dict.fromkeys([*report.compared, *wrong]) if "[" not in name]
    names = sorted([*whole, *parts[:1]], key=[*report.compared, *wrong].index)[:ROWS]
    rows = "".join(_quantity(name, wrong.get(name)) for name in names)
    more = len(wrong.keys() - set(names))
    left = f'<tr><td colspan="3">… and {more} more wrong</td></tr>' if more else ""
    return f"<table><tbody>{rows}{left}</tbody></table>"


def _quantity(name: str, difference: "Difference | None") -> str:
    if difference is None:
        said = '<td>✓ right</td><td class="u-said"></td>'
    else:
        said = (
            f'<td>✗ wrong{_strip(difference)}</td><td class="u-said">{text(difference.text)}</td>'
        )
    return f'<tr><th scope="row">{text(name)}</th>{said}</tr>'


def _strip(difference: "Difference") -> str:
    """A mark for every time step, where there is one axis of time and it is not too long."""
    wrong = difference.wrong
    if difference.axes[:1] != ("T_x",) or not 1 < len(wrong) <= STEPS:
        return ""
    steps = wrong.reshape(len(wrong), -1).any(axis=1)
    marks = "".join("✗" if step else "✓" for step in steps)
    told = ", ".join(str(t) for t in np.flatnonzero(steps))
    return f', by step <span role="img" aria-label="wrong at {told}">{marks}</span>'


class Window(NamedTuple):
    """The part of a matrix that a heat-map shows, and the scale of its tints and figures."""

    rows: range
    columns: range
    scale: float


def _side_by_side(difference: "Difference") -> Iterator[str]:
    """What is expected and what came, as two tables of tinted numbers."""
    first = np.argwhere(difference.wrong)[0]
    lead = tuple(int(i) for i in first[: max(0, difference.wrong.ndim - 2)])
    wrong = np.atleast_2d(difference.wrong[lead])
    want, got = (np.atleast_2d(np.asarray(a)[lead]) for a in (difference.expected, difference.got))
    finite = np.abs(want[np.isfinite(want)].astype(float))
    scale = float(finite.max()) if finite.size and finite.max() > 0 else 1.0
    window = Window(_around(wrong.any(axis=1)), _around(wrong.any(axis=0)), scale)
    place = f"{difference.name}[{', '.join(map(str, lead))}]" if lead else difference.name
    part = _part(wrong.shape, window, difference.axes[len(lead) :])
    yield _map(f"expected {place}{part}", want, np.zeros_like(wrong), window)
    yield _map("yours, ✗ where it is wrong", got, wrong, window)


def _around(wrong: Any) -> range:
    """Up to SIDE indices, with the first wrong one among them."""
    first = max(0, min(int(np.argmax(wrong)), len(wrong) - SIDE))
    return range(first, min(first + SIDE, len(wrong)))


def _part(shape: tuple[int, ...], window: Window, axes: Sequence[str]) -> str:
    """Which part of a matrix a table shows, where it is not all of it."""
    named = axes if len(axes) == 2 else ("row", "column")
    parts = zip(named, shape, (window.rows, window.columns), strict=True)
    cut = [f"{axis} {part[0]} to {part[-1]} of {n}" for axis, n, part in parts if len(part) < n]
    return f" ({', '.join(cut)})" if cut else ""


def _map(caption: str, values: np.ndarray, wrong: np.ndarray, window: Window) -> str:
    head = "".join(f'<th scope="col">{j}</th>' for j in window.columns)
    body = "".join(
        f'<tr><th scope="row">{i}</th>'
        + "".join(_cell(values[i, j], wrong[i, j], window.scale) for j in window.columns)
        + "</tr>"
        for i in window.rows
    )
    return (
        f'<table class="u-map"><caption>{text(caption)}</caption>'
        f"<thead><tr><td></td>{head}</tr></thead><tbody>{body}</tbody></table>"
    )


def _cell(value: np.generic, wrong: np.bool, scale: float) -> str:
    mark, css = (" ✗", ' class="u-no"') if wrong else ("", "")
    number = _figure(value, scale)
    return f'<td{css} style="background:{_tint(value, scale)}">{number}{mark}</td>'


def _figure(value: np.generic, scale: float) -> str:
    """A number, to three figures of the largest."""
    number, places = value.item(), 2 - math.floor(math.log10(scale))
    if not isinstance(number, float):
        return str(number)
    if 0 <= places <= 4 and abs(number) < 1e4 * scale:
        return f"{number:.{places}f}"
    return f"{number:.2g}"


def _tint(value: np.generic, scale: float) -> str:
    """From orange (negative) over white to blue (positive), light enough for dark figures."""
    share = float(np.clip(np.nan_to_num(float(value.item()) / scale), -1, 1))
    far = (150, 195, 255) if share > 0 else (255, 190, 130)
    mixed = (round(255 + (channel - 255) * abs(share)) for channel in far)
    return "#" + "".join(f"{channel:02x}" for channel in mixed)
