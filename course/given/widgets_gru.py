"""The interactive figure of unit 05: gates over a sentence, word by word."""

import html

import ipywidgets
import numpy as np

from course.given import figures_gru
from course.given.agreement import INDEX, VERB_FORMS, encoded
from course.given.widgets import FAINT, FITTING, Interactive, View, beside, svg

SENTENCES = (
    "near the dogs the cat which already chased the mice beside the old men",
    "the cat which already chased the mice near the old dogs",
    "near the dogs the goose which never saw the hungry foxes that the children fed",
    "beside the brown horse the women which liked the bird with the dog",
    "the mouse which found the men that the lazy dogs heard behind the geese with the children",
)
COLUMN, ROW, LEFT = 66, 22, 70


def gates(reader, sentences=SENTENCES):
    """How far a GRU's gates open at each word, and which verb it would say after it.

    Parameters
    ----------
    reader : Reader
        With a GRU of a few units.
    sentences : sequence of str, optional
        To choose from; others can be typed.

    Returns
    -------
    Interactive
    """
    choice, entry = _choosing(sentences)
    step = ipywidgets.BoundedIntText(value=1, min=1, max=1, description="Word")
    back = ipywidgets.Button(description="Word back", tooltip="One word back")
    forward = ipywidgets.Button(description="Next word", tooltip="Read one more word")
    view = View()

    def redraw(_change=None):
        words, unknown = readable(entry.value)
        step.max = max(len(words), 1)
        back.disabled, forward.disabled = step.value <= 1, step.value >= len(words)
        view.show(*_shown(words, min(step.value, len(words)), measure(reader, words), unknown))

    def move(by):
        step.value = min(max(step.value + by, 1), step.max)

    back.on_click(lambda _: move(-1))
    forward.on_click(lambda _: move(+1))
    for control in (entry, step):
        control.observe(redraw, "value")
    redraw()
    words, _unknown = readable(sentences[0])
    update, reset, _c, plural = measure(reader, words)
    picture = figures_gru.gates(words, update, reset, plural)
    return Interactive([choice, entry, beside(back, forward, step), view], picture)


def _choosing(sentences):
    """A list of sentences, and a line that takes over what is chosen there."""
    wide = ipywidgets.Layout(width="44em", max_width=FITTING)
    choice = ipywidgets.Dropdown(options=sentences, description="Sentence", layout=wide)
    entry = ipywidgets.Text(
        value=sentences[0], description="or type", continuous_update=False, layout=wide
    )
    choice.observe(lambda change: setattr(entry, "value", change.new), "value")
    return choice, entry


def readable(text):
    """The words of a text that the network knows, 24 at the most, and those that it does not."""
    words = text.lower().replace(",", " ").split()
    known = [word for word in words if word in INDEX]
    return known[:24] or ["the"], [word for word in words if word not in INDEX]


def measure(reader, words):
    """What the network does over a sentence.

    Returns
    -------
    update, reset, c : (T_x, n_a) ndarray
    plural : (T_x,) ndarray
        Probability of were after each word.
    """
    c = reader.layer.forward(encoded(words))[:, 0]
    caches = reader.layer.caches()
    update, reset = (
        np.array([getattr(k, name)[0] for k in caches]) for name in ("update", "reset")
    )
    return update, reset, c.copy(), reader.predict(c)[:, 1]


def _shown(words, step, measured, unknown):
    """The gates of every word, and what they say."""
    update, reset, _c, plural = measured
    n_a = update.shape[1]
    width, height = LEFT + COLUMN * len(words) + 4, _top(2, 1, n_a) + 8
    columns = "".join(
        _column(t, word, (update[t], reset[t]), plural[t], t + 1 - step)
        for t, word in enumerate(words)
    )
    rows = "".join(
        f'<text x="4" y="{_top(k, 0, n_a) + 15}" font-size="12" fill="currentColor">{name}</text>'
        for k, name in enumerate(("update", "reset"))
    )
    rows += f'<text x="4" y="{_top(2, 0, n_a) + 15}" font-size="12" fill="currentColor">were</text>'
    label = f"gates of {n_a} units over {len(words)} words, {step} of them read"
    said = _say(words, step - 1, measured)
    if unknown:
        said += f"<br>It does not know: {html.escape(', '.join(unknown))}."
    return svg(width, height, label, rows + columns), said


def _say(words, t, measured):
    update, reset, c, plural = measured
    values = [_numbers(part[t]) for part in (update, reset, c)]
    verb, share = VERB_FORMS[int(plural[t] > 0.5)], max(plural[t], 1 - plural[t])
    return (
        f"Word {t + 1} of {len(words)}, “{html.escape(words[t])}”. Update gates {values[0]}; reset "
        f"gates {values[1]}; memory {values[2]}.<br>If the verb came now, it would say "
        f"“<b>{verb}</b>”, with <b>{100 * share:.0f} %</b>."
    )


def _numbers(values):
    return ", ".join(f"{value:.2f}" for value in values).replace("-", "−")


def _top(block, unit, n_a):
    """Where a row begins: two blocks of gates, and the verb below them."""
    return 30 + ROW * (block * n_a + unit) + 8 * block


def _column(t, word, both, plural, ahead):
    """One word and its gates: empty bars before it is read, a frame around the word in turn."""
    x, n_a = LEFT + COLUMN * t, len(both[0])
    bars = ""
    for k, values in enumerate(both):
        for unit, value in enumerate(values):
            y = _top(k, unit, n_a)
            bars += _bar(x, y, value * (ahead <= 0), ("#3b82f6", "#b45309")[k])
    bars += _bar(x, _top(2, 0, n_a), plural * (ahead <= 0), "#16a34a")
    frame = (
        f'<rect x="{x - 3}" y="4" width="{COLUMN - 2}" height="{_top(2, 1, n_a) - 2}" rx="5" '
        'fill="none" stroke="currentColor" stroke-width="2"/>'
        if ahead == 0
        else ""
    )
    return (
        f'<g opacity="{FAINT if ahead > 0 else 1}">{frame}<text x="{x + COLUMN / 2 - 4}" y="20" '
        f'text-anchor="middle" font-size="13" fill="currentColor">{html.escape(word)}</text>'
        f"{bars}</g>"
    )


def _bar(x, y, value, colour):
    full = COLUMN - 10
    return (
        f'<rect x="{x}" y="{y}" width="{full}" height="14" fill="none" stroke="currentColor" '
        f'stroke-opacity=".35"/><rect x="{x}" y="{y}" width="{full * value:.1f}" height="14" '
        f'fill="{colour}"/>'
    )
