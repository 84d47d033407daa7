"""The interactive figure of unit 08: in which order the cells of a stack are computed."""

import ipywidgets
import numpy as np

from course.given import figures_deep
from course.given.widgets import FAINT, Interactive, View, beside, svg

ORDERS = {
    "layer by layer": lambda layer, t: (layer, t),
    "step by step": lambda layer, t: (t, layer),
    "all at once that can be": lambda layer, t: (layer + t, 0),
}
WIDE, HIGH = 86, 56  # from one step to the next, and from one layer to the next


def order(layers=3, steps=5):
    """Layers by steps: which cells are computed in which order, and what each of them needs.

    Parameters
    ----------
    layers, steps : int, optional

    Returns
    -------
    Interactive
    """
    layers_box = ipywidgets.BoundedIntText(value=layers, min=1, max=6, description="Layers")
    steps_box = ipywidgets.BoundedIntText(value=steps, min=1, max=9, description="Steps")
    order_box = ipywidgets.Dropdown(options=list(ORDERS), description="Order")
    done = ipywidgets.BoundedIntText(value=0, min=0, max=layers * steps, description="Round")
    back = ipywidgets.Button(description="Go back", tooltip="One round back")
    forward = ipywidgets.Button(description="Compute", tooltip="Compute what comes next")
    view = View()

    def redraw(_change=None):
        plan = rounds(layers_box.value, steps_box.value, order_box.value)
        done.max = len(plan)  # and where there are fewer rounds now, done moves down with it
        back.disabled, forward.disabled = done.value <= 0, done.value >= len(plan)
        view.show(*_shown(layers_box.value, steps_box.value, plan, done.value))

    def move(by):
        done.value = min(max(done.value + by, 0), done.max)

    back.on_click(lambda _: move(-1))
    forward.on_click(lambda _: move(+1))
    for control in (layers_box, steps_box, order_box, done):
        control.observe(redraw, "value")
    redraw()
    controls = beside(layers_box, steps_box, order_box, back, forward, done)
    earliest = np.add.outer(np.arange(layers), np.arange(steps)) + 1
    return Interactive([controls, view], figures_deep.order(layers, steps, earliest))


def rounds(layers, steps, order):
    """The cells of a stack, round by round.

    Parameters
    ----------
    layers, steps : int
    order : str
        One of `ORDERS`.

    Returns
    -------
    list of list of (int, int)
        In each round, the layer and the step of every cell that is computed, counted from 1.
    """
    found = {}
    for layer in range(layers):
        for t in range(steps):
            found.setdefault(ORDERS[order](layer, t), []).append((layer + 1, t + 1))
    return [found[key] for key in sorted(found)]


def needed(layer, t):
    """What a cell reads, in words."""
    below = f"x⟨{t}⟩" if layer == 1 else f"a[{layer - 1}]⟨{t}⟩"
    return f"{below} and a[{layer}]⟨{t - 1}⟩"


def depends_on(layer, t):
    """How many cells must have been computed before a cell can be."""
    return layer * t - 1


def _shown(layers, steps, plan, done):
    """The grid of cells, and what it says."""
    computed = [cell for cells in plan[:done] for cell in cells]
    new = set(plan[done - 1]) if done else set()
    parts = [
        _cell(layer, t, layers, (layer, t) in computed, (layer, t) in new)
        for layer in range(1, layers + 1)
        for t in range(1, steps + 1)
    ]
    parts += [_input(t, layers) for t in range(1, steps + 1)]
    label = f"{len(computed)} of {layers * steps} cells computed"
    drawing = svg(WIDE * steps + 10, HIGH * layers + 46, label, "".join(parts))
    return drawing, _say(layers, steps, plan, done, len(computed))


def _say(layers, steps, plan, done, computed):
    """The round in words, and the number that matters: how many rounds it takes."""
    total = f"<b>{len(plan)} rounds</b> for {layers * steps} cells in this order."
    if not done:
        return f"Nothing is computed yet; the start states a[l]⟨0⟩ are there. {total}"
    cells = plan[done - 1]
    if len(cells) == 1:
        (layer, t) = cells[0]
        before = depends_on(layer, t)
        now = (
            f"a[{layer}]⟨{t}⟩ reads {needed(layer, t)}; through them it depends on {before} other "
            f"cell{'' if before == 1 else 's'}."
        )
    else:
        each = "; ".join(f"a[{layer}]⟨{t}⟩ reads {needed(layer, t)}" for layer, t in cells)
        now = f"{len(cells)} cells at once, none of which needs another of them: {each}."
    return f"Round {done}, {computed} of {layers * steps} cells computed. {now}<br>{total}"


def _cell(layer, t, layers, computed, new):
    """A cell with the arrows into it; a new one has a thick edge and a mark, not colour alone."""
    x, y = WIDE * (t - 1) + 20, HIGH * (layers - layer) + 8
    dashes = "" if computed else ' stroke-dasharray="4 3"'
    fill = "#3b82f6" if computed else "none"
    label = f"a[{layer}]⟨{t}⟩" + (" ◂" if new else "")
    lines = f'<path d="M{x - 18} {y + 15}h15m-5 -4l5 4l-5 4" fill="none" stroke="currentColor"/>'
    lines += (
        f'<path d="M{x + 33} {y + HIGH - 3}v-18m-4 5l4 -5l4 5" fill="none" stroke="currentColor"/>'
    )
    return (
        f'<g opacity="{1 if computed else FAINT}">{lines}'
        f'<rect x="{x}" y="{y}" width="66" height="30" rx="6" fill="{fill}" fill-opacity="0.25" '
        f'stroke="currentColor" stroke-width="{3 if new else 1}"{dashes}/>'
        f'<text x="{x + 33}" y="{y + 19}" font-size="12" text-anchor="middle" '
        f'fill="currentColor">{label}</text></g>'
    )


def _input(t, layers):
    return (
        f'<text x="{WIDE * (t - 1) + 53}" y="{HIGH * layers + 26}" font-size="13" '
        f'text-anchor="middle" fill="currentColor">x⟨{t}⟩</text>'
    )
