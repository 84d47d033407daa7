"""The interactive figure of unit 04: a language model writes, letter by letter."""

import html

import ipywidgets
import numpy as np

from course.given import figures_language
from course.given.widgets import Interactive, View, beside, svg

BARS = 12  # tokens that are shown, the most probable ones
LONGEST = 24  # tokens after which the writing ends in any case
COLDEST, HOTTEST = 0.05, 5.0


def temperature(model, tokens, seed=0, end=0, unknown=1):
    """A model that writes, one token at a time, at a temperature that can be set.

    Parameters
    ----------
    model : object
        With ``begin() -> state`` and ``step(token, state) -> (y_hat, state)``.
    tokens : sequence of str
        What each index stands for.
    seed : int, optional
        Of the draws.
    end, unknown : int, optional
        Indices of the end and of the unknown token, which is never drawn.

    Returns
    -------
    Interactive
    """
    writer = _Writer(model, seed, end, unknown)
    heat = ipywidgets.BoundedFloatText(
        value=1.0, min=COLDEST, max=HOTTEST, step=0.05, description="Temperature"
    )
    draw = ipywidgets.Button(description="Draw one", tooltip="Draw the next token and read it")
    finish = ipywidgets.Button(description="Draw to the end", tooltip="Draw until the end comes")
    again = ipywidgets.Button(description="Begin again", tooltip="Forget what was written")
    view = View()

    def redraw(_change=None):
        draw.disabled = finish.disabled = writer.ended
        view.show(*_shown(writer, tokens, heat.value))

    def act(action):
        def clicked(_button):
            action()
            redraw()

        return clicked

    draw.on_click(act(lambda: writer.draw(heat.value)))
    finish.on_click(act(lambda: writer.finish(heat.value)))
    again.on_click(act(writer.begin))
    heat.observe(redraw, "value")
    redraw()
    picture = figures_language.temperatures(writer.y_hat, tokens)
    return Interactive([beside(heat, draw, finish, again), view], picture)


class _Writer:
    """What has been written, and the prediction of what comes next."""

    def __init__(self, model, seed, end, unknown):
        self.model, self.rng = model, np.random.default_rng(seed)
        self.end, self.unknown = end, unknown
        self.begin()

    def begin(self):
        self.written, self.ended = [], False
        self._read(self.end, self.model.begin())

    def draw(self, heat):
        if self.ended:
            return
        token = int(self.rng.choice(len(self.y_hat), p=heated(self.y_hat, heat)))
        self.ended = token == self.end or len(self.written) + 1 == LONGEST
        if token != self.end:
            self.written.append(token)
            self._read(token, self.state)

    def finish(self, heat):
        while not self.ended:
            self.draw(heat)

    def _read(self, token, state):
        y_hat, self.state = self.model.step(token, state)
        y_hat = np.array(y_hat, dtype=float)
        y_hat[self.unknown] = 0
        self.y_hat = y_hat / y_hat.sum()


def heated(y_hat, heat):
    """Probabilities at a temperature, by way of logarithms.

    Parameters
    ----------
    y_hat : (n_v,) ndarray
    heat : float

    Returns
    -------
    (n_v,) ndarray
    """
    with np.errstate(divide="ignore"):
        scores = np.log(y_hat) / heat
    p = np.exp(scores - scores.max())
    return p / p.sum()


def hesitation(p):
    """Perplexity of a distribution, the exponential of its entropy."""
    some = p[p > 0]
    return float(np.exp(-(some * np.log(some)).sum()))


def _shown(writer, tokens, heat):
    """The most probable tokens as bars, and what was written."""
    p = heated(writer.y_hat, heat)
    order = np.argsort(-writer.y_hat, kind="stable")[:BARS]
    bars = "" if writer.ended else "".join(_bar(i, tokens[k], p[k]) for i, k in enumerate(order))
    label = "" if writer.ended else f"probabilities of the next token, {len(order)} of them"
    drawing = svg(430, 20 * len(order) + 6, label or "nothing follows", bars)
    written = html.escape("".join(tokens[k] for k in writer.written))
    said = f"Written: “{written}”." if written else "Written: nothing yet."
    if writer.ended:
        return drawing, f"{said} It has ended; begin again for another."
    best = order[0]
    return drawing, (
        f"{said} At temperature {heat:g} the next token has perplexity "
        f"<b>{hesitation(p):.2f}</b>; most probable is {html.escape(tokens[best])} with "
        f"{100 * p[best]:.1f} %."
    )


def _bar(row, token, p):
    y = 20 * row + 4
    return (
        f'<text x="58" y="{y + 12}" text-anchor="end" font-size="13" fill="currentColor">'
        f"{html.escape(token)}</text>"
        f'<rect x="66" y="{y}" width="{max(290 * p, 0.5):.1f}" height="14" fill="#3b82f6"/>'
        f'<text x="{70 + 290 * p:.1f}" y="{y + 12}" font-size="12" fill="currentColor">'
        f"{100 * p:.1f} %</text>"
    )
