"""The interactive figure of unit 07: which direction decided on a word's tag."""

import html

import ipywidgets
import numpy as np

from course.given import data, figures_birnn
from course.given.tagging import decide
from course.given.widgets import Interactive, View, beside, svg

LONGEST = 14
HALVES = ("forward", "backward")
COLOURS = ("#3b82f6", "#c026d3")


def who_decided(tagger, vocabulary, tags, sentences):
    """A tagger's sentence, word by word: its tag, and what each direction adds to its lead.

    Parameters
    ----------
    tagger : course.given.tagging.Tagger
        Of both directions.
    vocabulary : course.given.language.Vocabulary
    tags : sequence of str
        Names of the tags.
    sentences : sequence of str
        To choose from; any other may be typed.

    Returns
    -------
    Interactive
    """
    choice = ipywidgets.Dropdown(options=list(sentences), description="Choose")
    entry = ipywidgets.Text(value=sentences[0], description="Sentence", continuous_update=False)
    step = ipywidgets.BoundedIntText(value=1, min=1, max=LONGEST, description="Word")
    back = ipywidgets.Button(description="Word back", tooltip="To the word before")
    ahead = ipywidgets.Button(description="Next word", tooltip="To the next word")
    view = View()
    choice.layout.width = entry.layout.width = "34em"

    def redraw(_change=None):
        words = _words(entry.value)
        step.max = len(words)
        back.disabled, ahead.disabled = step.value <= 1, step.value >= len(words)
        parts = _parts(words, tagger, vocabulary)
        view.show(*_shown(words, step.value - 1, vocabulary, tags, *parts))

    def move(by):
        step.value = min(max(step.value + by, 1), step.max)

    back.on_click(lambda _: move(-1))
    ahead.on_click(lambda _: move(+1))
    choice.observe(lambda change: setattr(entry, "value", change["new"]), "value")
    for control in (entry, step):
        control.observe(redraw, "value")
    redraw()
    controls = beside(choice, entry, back, ahead, step)
    return Interactive([controls, view], _picture(_words(sentences[0]), tagger, vocabulary, tags))


def _picture(words, tagger, vocabulary, tags):
    """Of the first sentence, for pages on which widgets do not run."""
    chosen, _rival, parts = _parts(words, tagger, vocabulary)
    return figures_birnn.shares(words, [tags[k] for k in chosen], parts)


def _words(text):
    """What the tagger can read of a text: its first words."""
    return (data.tokenise(text) or ["."])[:LONGEST]


def _parts(words, tagger, vocabulary):
    """The chosen tag and the next best of each word, and what makes the difference: (T_x, 3)."""
    x = vocabulary.numbers(words)[:-1, np.newaxis]
    return tuple(found[:, 0] for found in decide(tagger, x, np.array([len(words)])))


def _shown(words, at, vocabulary, tags, chosen, rival, parts):
    """The sentence with its tags, bars for the word in question, and what they say."""
    names = [tags[k] for k in chosen]
    cells = "".join(
        f'<td style="padding:2px 8px;text-align:center;white-space:nowrap;outline-offset:-2px;'
        f'outline:2px solid {"currentColor" if t == at else "transparent"}">'
        f"{'<b>' * (t == at)}{html.escape(word)}"
        f"{'</b>' * (t == at)}<br><small>{html.escape(name)}</small></td>"
        for t, (word, name) in enumerate(zip(words, names, strict=True))
    )
    said = _say(words[at], words[at] in vocabulary, names[at], tags[rival[at]], parts[at])
    table = f'<table style="border-collapse:collapse"><tr>{cells}</tr></table>'
    return table + _bars(parts[at]), f"Word {at + 1} of {len(words)}, {said}"


def _say(word, known, tag, rival, parts):
    """Who decided, in words."""
    lead = max(parts.sum(), 1e-9)
    ahead, back = parts[:2]
    which = int(back > ahead)
    shares = ", ".join(
        f"{name} {_signed(part)} ({_signed(100 * part / lead, 0)} %)"
        for name, part in zip((*HALVES, "bias"), parts, strict=True)
    )
    other = f" The {HALVES[1 - which]} half preferred {rival}." if min(ahead, back) < 0 else ""
    unknown = "" if known else " (a word it does not know)"
    return (
        f"“{html.escape(word)}”{unknown}: <b>{tag}</b> leads {rival} by {lead:.1f}. "
        f"Of this lead: {shares}.<br>The <b>{HALVES[which]}</b> half decided.{other}"
    )


def _signed(value, digits=1):
    return f"{value:+.{digits}f}".replace("-", "−")


def _bars(parts):
    """Two bars from a line in the middle: to the right for the tag, to the left against it."""
    largest = max(np.abs(parts[:2]).max(), 1.0)
    rows = ""
    for k, (name, part, color) in enumerate(zip(HALVES, parts, COLOURS, strict=False)):
        width = 160 * abs(part) / largest
        left, y = 290 + min(0.0, 160 * part / largest), 8 + 26 * k
        rows += (
            f'<rect x="{left:.1f}" y="{y}" width="{width:.1f}" height="18" fill="{color}"/>'
            f'<text x="4" y="{y + 14}" font-size="13" fill="currentColor">{name} '
            f"{_signed(part)}</text>"
        )
    label = f"forward {parts[0]:+.1f}, backward {parts[1]:+.1f}"
    return svg(460, 62, label, f'{rows}<path d="M290 2V60" stroke="currentColor"/>')
