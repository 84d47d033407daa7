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

# Pages of nbconvert, and notebooks opened anew, count on widgets and show nothing, or an error,
# where they do not come: without a network, without a kernel. The picture follows there.
STAND_IN = (
    "<style>.jp-OutputArea-child:has(.jupyter-widgets):not(:has(.widget-box))"
    "+.jp-OutputArea-child .unrolled-stand-in{display:block!important}</style>"
)
# What the arrow keys scroll has the focus; JupyterLab would take them for commands.
SCROLLED = 'tabindex="0" role="group" aria-label="Drawing" data-lm-suppress-shortcuts="true"'
FITTING = "calc(100% - 4px)"  # as wide as the page, with the margins of a widget
FAINT = 0.7  # opacity of what is not in turn; text of it is still 4.5 : 1 on light and dark
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

    def _ipython_display_(self, **_kwargs):
        from IPython.display import display

        shown = self._repr_mimebundle_()
        display(shown[0] if isinstance(shown, tuple) else shown, raw=True)
        display({"text/plain": "", "text/html": STAND_IN + self._stand_in()}, raw=True)

    def _stand_in(self):
        return (
            f'<div class="unrolled-stand-in" style="display:none">{self._picture._repr_html_()}'
            "<p>A picture of it: run the cell, and it can be used.</p></div>"
        )


class View(ipywidgets.VBox):
    """A drawing and the words for it, each replaced in its own place.

    The drawing lies in a box that scrolls where the page is narrower, by keyboard, too; where it
    was scrolled to, it stays when the drawing changes.
    """

    def __init__(self):
        self._drawing, self._words = ipywidgets.HTML(), ipywidgets.HTML()
        self._drawing.layout.overflow = "auto"
        super().__init__([self._drawing, self._words])

    def show(self, drawing, said):
        """Replace both.

        Parameters
        ----------
        drawing : str
            HTML, such as `svg` gives.
        said : str
            HTML: what a reader who does not see the drawing needs to know.
        """
        self._drawing.value = f"<div {SCROLLED}>{drawing}</div>"
        self._words.value = f'<div role="status" aria-live="polite">{said}</div>'

    @property
    def value(self):
        """All that is shown, as HTML."""
        return self._drawing.value + self._words.value


def svg(width, height, label, inside):
    """A drawing that shrinks with the page as far as it can be read.

    Parameters
    ----------
    width, height : int
        In pixels, where the page is wide enough.
    label : str
        For who does not see it; plain text.
    inside : str
        SVG elements.

    Returns
    -------
    str
    """
    return (
        f'<svg viewBox="0 0 {width} {height:g}" role="img" aria-label="{html.escape(label)}" '
        f'style="display:block;width:100%;max-width:{width}px;min-width:{0.8 * width:.0f}px">'
        f"{inside}</svg>"
    )


def beside(*controls):
    """Controls side by side, as many as fit; their labels whole, numbers in small boxes."""
    for control in controls:
        control.style.description_width = "initial"
        control.layout.max_width = FITTING
        if isinstance(control, (ipywidgets.BoundedIntText, ipywidgets.BoundedFloatText)):
            control.layout.width = f"{0.6 * len(control.description) + 6:.1f}em"
        elif isinstance(control, ipywidgets.Checkbox):
            control.layout.width = "auto"
    layout = ipywidgets.Layout(flex_flow="row wrap", grid_gap="0 10px")
    return ipywidgets.HBox(controls, layout=layout)


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
    view = View()

    def redraw(_change=None):
        letters = _letters(entry.value)
        step.max = len(letters)
        back.disabled, forward.disabled = step.value <= 0, step.value >= len(letters)
        view.show(*_shown(letters, step.value, *_states(letters, params)))

    def move(by):
        step.value = min(max(step.value + by, 0), step.max)

    back.on_click(lambda _: move(-1))
    forward.on_click(lambda _: move(+1))
    for control in (entry, step):
        control.observe(redraw, "value")
    redraw()
    letters = _letters(word)
    picture = figures.states_of_word(letters, _states(letters, params)[0])
    return Interactive([beside(entry, back, forward, step), view], picture)


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


def _shown(letters, step, a, trace):
    """The drawing, and what it says."""
    cells = "".join(_cell_svg(t, letter, a[t], t < step) for t, letter in enumerate(letters))
    label = f"{letters}, {step} of {len(letters)} letters read"
    return svg(96 * len(letters) + 8, 176, label, cells), _say(letters, step, a, trace)


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
        f'<g opacity="{1 if read else FAINT}">'
        f'<rect x="{x}" y="12" width="72" height="92" rx="9" fill="none" stroke="{stroke}" '
        f'stroke-dasharray="{"none" if read else "4 3"}"/>{bars}{arrow}'
        f'<path d="M{x + 36} 136V108m-5 6l5 -6l5 6" fill="none" stroke="{stroke}"/>'
        f'<text x="{x + 36}" y="158" text-anchor="middle" font-size="18" fill="{stroke}">'
        f"{html.escape(letter)}</text></g>"
    )
