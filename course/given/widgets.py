"""Interactive figures. Each can be used by keyboard, and says in words what it shows.

Where widgets do not run (a page without a kernel, a viewer of notebooks), the static picture that
each carries is shown in its place.
"""

import base64
import html

import ipywidgets
import numpy as np

from course.given import data, figures
from course.given.types import RNNParams, draw

LONGEST_WORD = 8
UNITS = 4


class Interactive(ipywidgets.VBox):
    """A box of widgets that carries a static picture of itself.

    Parameters
    ----------
    children : list of Widget
    picture : Picture
    """

    def __init__(self, children, picture):
        super().__init__(children)
        self._picture = picture

    def _repr_mimebundle_(self, **kwargs):
        bundle = super()._repr_mimebundle_(**kwargs)
        static = {
            "text/plain": repr(self._picture),
            "text/html": self._picture._repr_html_(),
            "image/png": base64.b64encode(self._picture.png).decode("ascii"),
        }
        if isinstance(bundle, tuple):
            return ({**bundle[0], **static}, *bundle[1:])
        return {**(bundle or {}), **static}


def unrolled_steps(word="harry", seed=4):
    """A recurrent network that reads a word, one letter a step.

    Its weights are drawn at random: it has learned nothing. What shows is how the state is made,
    and how long a letter leaves a trace in it.

    Parameters
    ----------
    word : str, optional
    seed : int, optional
        Of the random weights.

    Returns
    -------
    Interactive
    """
    params = _lively_params(seed)
    entry = ipywidgets.Text(value=word, description="Word", continuous_update=False)
    step = ipywidgets.BoundedIntText(value=1, min=0, max=len(word), description="Step")
    back = ipywidgets.Button(description="Step back", tooltip="One step back (towards a<0>)")
    forward = ipywidgets.Button(description="Step forward", tooltip="Read one more letter")
    view = ipywidgets.HTML()

    def redraw(_change=None):
        letters = _letters(entry.value)
        step.max = len(letters)
        back.disabled, forward.disabled = step.value <= 0, step.value >= len(letters)
        view.value = _steps_html(letters, step.value, *_states(letters, params))

    def move(by):
        step.value = min(max(step.value + by, 0), step.max)

    back.on_click(lambda _: move(-1))
    forward.on_click(lambda _: move(+1))
    for control in (entry, step):
        control.observe(redraw, "value")
    redraw()
    letters = _letters(word)
    picture = figures.states_of_word(letters, _states(letters, params)[0])
    controls = ipywidgets.HBox([entry, back, forward, step])
    controls.layout.flex_flow = "row wrap"
    return Interactive([controls, view], picture)


def _lively_params(seed):
    """Random weights, larger than training would start from, so that the bars move."""
    rng = np.random.default_rng(seed)
    params = draw(RNNParams, rng, n_x=len(data.ALPHABET), n_a=UNITS)
    return params._replace(Wax=4 * params.Wax, Waa=1.3 * params.Waa)


def _letters(text):
    """What the network can read of a text: a few letters of the alphabet."""
    letters = "".join(c for c in data.fold(text) if c in data.ALPHABET).strip()
    return letters[:LONGEST_WORD] or "a"


def _states(letters, params):
    """States after each letter, and how far the first letter still moves them.

    Returns
    -------
    a : (T_x, n_a) ndarray
    trace : (T_x,) ndarray
        Distance between each state and the one had without the first letter.
    """
    from course.given import RNN

    x, _mask = data.encode_names([letters])
    without = x.copy()
    without[0] = 0
    a = RNN(params).forward(np.concatenate([x, without], axis=1))
    return a[:, 0].copy(), np.linalg.norm(a[:, 0] - a[:, 1], axis=1)


def _steps_html(letters, step, a, trace):
    cells = "".join(_cell_svg(t, letter, a[t], t < step) for t, letter in enumerate(letters))
    width = 96 * len(letters) + 8
    picture = (
        f'<svg viewBox="0 0 {width} 176" role="img" aria-label="{html.escape(letters)}, '
        f'{step} of {len(letters)} letters read" style="width:{width}px;max-width:100%">'
        f"{cells}</svg>"
    )
    said = _say(letters, step, a, trace)
    return f'<div>{picture}<div role="status" aria-live="polite">{said}</div></div>'


def _say(letters, step, a, trace):
    if step == 0:
        return f"Nothing read yet: the state a⟨0⟩ is {', '.join(['0.00'] * UNITS)}."
    state = ", ".join(f"{value:+.2f}" for value in a[step - 1]).replace("-", "−")
    return (
        f"Step {step} of {len(letters)} reads “{html.escape(letters[step - 1])}”. "
        f"State a⟨{step}⟩ = {state}.<br>"
        f"Without the first letter, “{html.escape(letters[0])}”, this state would lie "
        f"<b>{trace[step - 1]:.2f}</b> away."
    )


def _cell_svg(t, letter, a, read):
    """One step: the letter below, the state's bars above, an arrow from the step before."""
    x = 96 * t + 8
    stroke = "currentColor"
    bars = ""
    if read:
        for unit, value in enumerate(a):
            left = x + 36 + min(0, 30 * value)
            bars += (
                f'<rect x="{left:.1f}" y="{24 + 18 * unit}" width="{abs(30 * value):.1f}" '
                'height="11" fill="#3b82f6"/>'
            )
        bars += f'<path d="M{x + 36} 20V96" stroke="{stroke}"/>'
    arrow = f'<path d="M{x - 22} 58h18m-6 -5l6 5l-6 5" fill="none" stroke="{stroke}"/>' if t else ""
    return (
        f'<g opacity="{1 if read else 0.4}">'
        f'<rect x="{x}" y="12" width="72" height="92" rx="9" fill="none" stroke="{stroke}" '
        f'stroke-dasharray="{"none" if read else "4 3"}"/>{bars}{arrow}'
        f'<path d="M{x + 36} 136V108m-5 6l5 -6l5 6" fill="none" stroke="{stroke}"/>'
        f'<text x="{x + 36}" y="158" text-anchor="middle" font-size="18" fill="{stroke}">'
        f"{html.escape(letter)}</text></g>"
    )
