"""The interactive figure of unit 06: a memory on its conveyor, and its gates in one's hands."""

import html

import ipywidgets
import numpy as np

from course.given import figures_lstm
from course.given.activations import sigmoid
from course.given.widgets import Interactive, View, beside, svg

WORDS = ("the", "cats", "which", "already", "ate", "fish", "were", "full")
GATES = ("forget", "update", "candidate", "output")
MOST = 10.0  # the largest sum: a sigmoid is 0.99995 there
SETTINGS = {
    "gates half open": {},
    "forget gates open": {"forget": {None: 6.0}},
    "open, wiped at “which”": {"forget": {None: 6.0, 2: -6.0}},
    "remember, show when “were” is due": {
        "forget": {None: 6.0},
        "update": {None: -6.0, 1: 6.0},
        "output": {None: -6.0, 5: 6.0},
    },
    "count every word": {
        "forget": {None: 10.0},
        "update": {None: 10.0},
        "candidate": {None: 10.0},
        "output": {None: 10.0},
    },
}
WRITE = {"update": 6.0, "candidate": 3.0}  # at “cats”, unless a setting says otherwise
NOUN = 1


def conveyor(setting="gates half open", step=2):
    """One unit that reads eight words; the sums that go into its gates are set by hand.

    Parameters
    ----------
    setting : str, optional
        One of `SETTINGS`.
    step : int, optional
        The step whose gates are shown, counted from 1.

    Returns
    -------
    Interactive
    """
    sums = sums_of(setting)
    choice = ipywidgets.Dropdown(options=list(SETTINGS), value=setting, description="Setting")
    at = ipywidgets.BoundedIntText(value=step, min=1, max=len(WORDS), description="Step")
    boxes = {
        gate: ipywidgets.BoundedFloatText(
            value=sums[gate][step - 1],
            min=-MOST,
            max=MOST,
            step=1.0,
            description=gate.capitalize(),
        )
        for gate in GATES
    }
    everywhere = ipywidgets.Checkbox(value=False, description="change all steps", indent=False)
    view = View()
    loading = []  # not empty while boxes are filled by the program

    def redraw():
        view.show(*_shown(sums, at.value - 1))

    def load(_change=None):
        loading.append(True)
        for gate, entry in boxes.items():
            entry.value = sums[gate][at.value - 1]
        loading.pop()
        redraw()

    def reset(change):
        sums.update(sums_of(change.new))
        load()

    def write(_change):
        if not loading:
            for gate, entry in boxes.items():
                if entry.value != sums[gate][at.value - 1]:
                    sums[gate][slice(None) if everywhere.value else at.value - 1] = entry.value
            redraw()

    choice.observe(reset, "value")
    at.observe(load, "value")
    for entry in boxes.values():
        entry.observe(write, "value")
    redraw()
    return _boxed([choice, at, everywhere], list(boxes.values()), view)


def _boxed(first, second, view):
    """The controls in two rows, what they show, and a static picture of three settings."""
    curves = {label: run(sums_of(label))["c"] for label in list(SETTINGS)[:3]}
    return Interactive([beside(*first), beside(*second), view], figures_lstm.belts(WORDS, curves))


def sums_of(setting):
    """The sums that go into the gates at every step.

    Parameters
    ----------
    setting : str

    Returns
    -------
    dict of str to (8,) ndarray
    """
    sums = {gate: np.zeros(len(WORDS)) for gate in GATES}
    for gate, value in WRITE.items():
        sums[gate][NOUN] = value
    for gate, values in SETTINGS[setting].items():
        sums[gate][:] = values[None]
        for t, value in values.items():
            if t is not None:
                sums[gate][t] = value
    return sums


def run(sums):
    """What one unit does with these sums, from an empty memory.

    Parameters
    ----------
    sums : dict of str to (8,) ndarray

    Returns
    -------
    dict of str to (8,) ndarray
        The gates, ``c`` and ``a``; and ``left``, the share of each step's memory that is still
        there after the last step.
    """
    found = {gate: sigmoid(sums[gate]) for gate in GATES}
    found["candidate"] = np.tanh(sums["candidate"])
    c, memory = np.zeros(len(WORDS)), 0.0
    for t in range(len(WORDS)):
        memory = found["forget"][t] * memory + found["update"][t] * found["candidate"][t]
        c[t] = memory
    left = np.append(np.cumprod(found["forget"][:0:-1])[::-1], 1.0)
    return {**found, "c": c, "a": found["output"] * np.tanh(c), "left": left}


def _shown(sums, step):
    """The belt, and what it says of one step."""
    found = run(sums)
    width = 92 * len(WORDS) + 12
    columns = "".join(_column(t, found, t == step) for t in range(len(WORDS)))
    belt = f'<path d="M0 52H{width}m-9 -6l9 6l-9 6" fill="none" stroke="currentColor"/>'
    memories = ", ".join(f"{w} {c:+.2f}" for w, c in zip(WORDS, found["c"], strict=True))
    drawing = svg(width, 214, f"Memory after each word: {memories}", belt + columns)
    return drawing, _say(found, step)


def _say(found, step):
    word, end = WORDS[step], len(WORDS)
    gates = ", ".join(f"{gate} {_number(found[gate][step])}" for gate in GATES)
    text = (
        f"Step {step + 1}, “{html.escape(word)}”: {gates}. Memory <b>{_signed(found['c'][step])}"
        f"</b>, shown as {_signed(found['a'][step])}.<br>"
    )
    if step + 1 == end:
        return f"{text}It is the last step."
    later = f"the product of the forget gates of steps {step + 2} to {end}"
    if step + 2 == end:
        later = f"the forget gate of step {end}"
    return (
        f"{text}Of this memory, <b>{_number(found['left'][step])}</b> is left after step {end}: "
        f"{later}. A gradient that comes back along the conveyor is multiplied by the same number."
    )


def _column(t, found, chosen):
    """One step: the memory on the belt, the gates as bars below it, the word."""
    x = 92 * t + 8
    height = 36 * np.tanh(found["c"][t] / 1.2)
    top = 52 - max(height, 0)
    rows = "".join(
        f'<text x="{x + 4}" y="{118 + 19 * k}" font-size="12" fill="currentColor">{gate[0]}</text>'
        f'<rect x="{x + 16}" y="{109 + 19 * k}" width="62" height="10" fill="none" '
        'stroke="currentColor" stroke-opacity=".4"/>'
        f"{_bar(x + 16, 109 + 19 * k, found[gate][t], gate == 'candidate')}"
        for k, gate in enumerate(GATES)
    )
    return (
        f'<g><rect x="{x}" y="8" width="82" height="182" rx="8" fill="none" stroke="currentColor" '
        f'stroke-width="{2.5 if chosen else 0.5}"/>'
        f'<rect x="{x + 31}" y="{top:.1f}" width="20" height="{abs(height):.1f}" fill="#3b82f6"/>'
        f'<text x="{x + 41}" y="100" font-size="12" text-anchor="middle" fill="currentColor">'
        f"{_signed(found['c'][t])}</text>{rows}"
        f'<text x="{x + 41}" y="208" font-size="14" text-anchor="middle" fill="currentColor">'
        f"{html.escape(WORDS[t])}</text></g>"
    )


def _bar(x, y, value, signed):
    """A gate's bar from the left; the candidate's from the middle."""
    left, width = (x + 31 + min(0, 31 * value), abs(31 * value)) if signed else (x, 62 * value)
    return f'<rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="10" fill="#16a34a"/>'


def _signed(value):
    return f"{value:+.2f}".replace("-", "−")


def _number(value):
    text = f"{value:.3f}" if value == 0 or abs(value) >= 0.001 else f"{value:.0e}"
    return text.replace("-", "−")
