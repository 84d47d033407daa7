"""The interactive figure of unit 09: a beam search, step by step, as a tree."""

import html
from typing import NamedTuple

import ipywidgets
import numpy as np

from course.given import figures_seq2seq
from course.given.widgets import FAINT, Interactive, View, beside, svg

WIDEST = 5
SHOWN = 3  # of the dropped extensions of a step, the best ones


class Branch(NamedTuple):
    """A hypothesis: its tokens, the end included, its log-probability, and whether it was kept."""

    tokens: tuple
    log_p: float
    kept: bool


def grow(step, state, eos, max_length, width):
    """A beam search, with what it kept and the best of what it dropped.

    Parameters
    ----------
    step : callable
        ``step(token, state) -> (y_hat, state)``
    state : object
    eos, max_length, width : int

    Returns
    -------
    list of list of Branch
        One list a step, the most probable first.
    """
    beam, levels = [((), 0.0, state)], []
    while beam and len(levels) < max_length:
        found = []
        for tokens, log_p, before in beam:
            y_hat, after = step(tokens[-1] if tokens else eos, before)
            for k in np.flatnonzero(y_hat).tolist():
                found.append(((*tokens, k), log_p + float(np.log(y_hat[k])), after))
        found.sort(key=lambda one: -one[1])
        kept, dropped = found[:width], found[width : width + SHOWN]
        levels.append([Branch(t, p, True) for t, p, _ in kept])
        levels[-1] += [Branch(t, p, False) for t, p, _ in dropped]
        beam = [one for one in kept if one[0][-1] != eos]
    return levels


def beam_tree(step, state, tokens, eos=0, max_length=8, width=2, alpha=0.7):
    """A beam search to be stepped through.

    Parameters
    ----------
    step : callable
        A decoder's step, as for `beam_search`.
    state : object
        What it starts from.
    tokens : sequence of str
        What each index stands for.
    eos, max_length, width : int, optional
    alpha : float, optional
        Of the length normalisation.

    Returns
    -------
    Interactive
    """
    wide = ipywidgets.BoundedIntText(value=width, min=1, max=WIDEST, description="Width")
    power = ipywidgets.BoundedFloatText(value=alpha, min=0, max=2, step=0.1, description="Alpha")
    place = ipywidgets.BoundedIntText(value=1, min=0, max=max_length, description="Step")
    back = ipywidgets.Button(description="Step back", tooltip="One step less")
    forward = ipywidgets.Button(description="Step forward", tooltip="Extend every hypothesis")
    view, made = View(), {}

    def redraw(_change=None):
        if made.get("width") != wide.value:
            made.update(width=wide.value, levels=grow(step, state, eos, max_length, wide.value))
        place.max = len(made["levels"])
        back.disabled, forward.disabled = place.value <= 0, place.value >= place.max
        view.show(*_shown(made["levels"], place.value, tokens, eos, power.value))

    def move(by):
        place.value = min(max(place.value + by, 0), place.max)

    back.on_click(lambda _: move(-1))
    forward.on_click(lambda _: move(+1))
    for control in (wide, power, place):
        control.observe(redraw, "value")
    redraw()
    picture = figures_seq2seq.beam_tree(made["levels"], tokens)
    return Interactive([beside(back, forward, place, wide, power), view], picture)


def _shown(levels, steps, tokens, eos, alpha):
    """The tree so far, and in words what is in the beam and what would win."""
    shown = levels[:steps]
    rows = max([len(level) for level in shown], default=1)
    width, height = 136 * (len(shown) + 1) + 8, 30 * max(rows, 1) + 16
    places, drawn = {(): (70, height / 2)}, [_node(70, height / 2, "begin", "", True, False)]
    for t, level in enumerate(shown, start=1):
        for row, b in enumerate(level):
            x, y = 70 + 136 * t, height / 2 + 30 * (row - (len(level) - 1) / 2)
            places[b.tokens] = x, y
            drawn.append(_edge(*places[b.tokens[:-1]], x, y, b.kept))
            drawn.append(
                _node(x, y, tokens[b.tokens[-1]], _number(b.log_p), b.kept, b.tokens[-1] == eos)
            )
    label = f"The tree after {steps} steps; what is in it is said below"
    drawing = svg(width, height, label, "".join(drawn))
    return drawing, _say(shown, steps, tokens, eos, alpha)


def _node(x, y, name, number, kept, ended):
    """A box; what ended has a double border, what was dropped is dashed and faint."""
    style = 'stroke-dasharray="4 3" opacity=".6"' if not kept else 'stroke-width="1.5"'
    inner = (
        f'<rect x="{x - 58}" y="{y - 10}" width="116" height="20" rx="4" fill="none" '
        'stroke="currentColor"/>'
        if ended and kept
        else ""
    )
    text, faint = html.escape(f"{name} {number}".strip()), 1 if kept else FAINT
    return (
        f'<g><rect x="{x - 61}" y="{y - 13}" width="122" height="26" rx="6" fill="none" '
        f'stroke="currentColor" {style}/>{inner}<text x="{x}" y="{y + 4.5}" font-size="12" '
        f'text-anchor="middle" fill="currentColor" opacity="{faint}">{text}</text></g>'
    )


def _edge(x0, y0, x1, y1, kept):
    style = 'stroke-dasharray="4 3" opacity=".4"' if not kept else ""
    return f'<path d="M{x0 + 61} {y0:.0f}L{x1 - 61} {y1:.0f}" stroke="currentColor" {style}/>'


def _say(shown, steps, tokens, eos, alpha):
    if not shown:
        return "Nothing is written yet: the beam holds one hypothesis, without tokens."
    over = [b for level in shown for b in level if b.kept and b.tokens[-1] == eos]
    going = [b for b in shown[-1] if b.kept and b.tokens[-1] != eos]
    lines = [f"After step {steps}, in the beam: {_list(going, tokens, alpha) or 'nothing'}."]
    if over:
        lines.append(f"Ended: {_list(over, tokens, alpha)}.")
    best = max(over or going, key=lambda b: _score(b, alpha))
    lines.append(
        f"{'Best of those that ended' if over else 'Best so far'}: {_spell(best, tokens)}, score "
        f"<b>{_number(_score(best, alpha), 3)}</b>"
    )
    return "<br>".join(lines) + "."


def _score(branch, alpha):
    return branch.log_p / len(branch.tokens) ** alpha


def _list(branches, tokens, alpha):
    return "; ".join(
        f"{_spell(b, tokens)} (log-probability {_number(b.log_p)}, "
        f"score {_number(_score(b, alpha))})"
        for b in branches
    )


def _number(value, digits=2):
    return f"{value:.{digits}f}".replace("-", "−")


def _spell(branch, tokens):
    return "“" + html.escape(" ".join(tokens[k] for k in branch.tokens)) + "”"
