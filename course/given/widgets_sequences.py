"""The interactive figure of unit 01: two sentences become a batch."""

import html
import math
from collections import Counter

import ipywidgets

from course.given import data, figures_sequences
from course.given.tokens import EOS, UNK
from course.given.widgets import FAINT, Interactive, View, beside, svg

MOST_TOKENS = 13  # of a sentence: more are not drawn
HEIGHT = 96  # of a one-hot column, in the drawing's units
WIDTH = 78
UNPREPARED = (
    "harry potter and hermione granger invented a new spell . "
    "the cat which already ate was full . the cats were full . the president was here . "
    "he said teddy bears are on sale . he said teddy roosevelt was a great president ."
)


def sentences_to_batch(
    first="Harry Potter and Hermione Granger invented a new spell.",
    second="We have a new program.",
    size=1000,
):
    """Two sentences as tokens, indices, one-hot columns and a padded batch.

    Places in a column are drawn on a logarithmic scale. The vocabulary is that of the speeches;
    where they are not prepared, of a few sentences of this course.

    Parameters
    ----------
    first, second : str, optional
    size : int, optional
        Entries of the vocabulary, `EOS` and `UNK` among them.

    Returns
    -------
    Interactive
    """
    ranked = _ranked()
    most = len(ranked) + 2
    entries = [
        ipywidgets.Text(value=text, description=f"Sentence {i}", continuous_update=False)
        for i, text in enumerate((first, second))
    ]
    entries_of = ipywidgets.BoundedIntText(
        value=min(size, most), min=2, max=most, description="Vocabulary"
    )
    half = ipywidgets.Button(description="Half of it", tooltip="Keep half of the vocabulary")
    double = ipywidgets.Button(description="Twice as many", tooltip="Double the vocabulary")
    view = View()

    def redraw(_change=None):
        half.disabled, double.disabled = entries_of.value <= 2, entries_of.value >= most
        view.show(*_shown([_tokens(e.value) for e in entries], ranked, entries_of.value))

    def resize(factor):
        entries_of.value = min(max(round(entries_of.value * factor), 2), most)

    half.on_click(lambda _: resize(0.5))
    double.on_click(lambda _: resize(2))
    for control in (*entries, entries_of):
        control.observe(redraw, "value")
    for entry in entries:
        entry.layout.width = "34em"
    redraw()
    controls = beside(*entries, entries_of, half, double)
    known = {EOS: 0, UNK: 1} | {token: 2 + k for k, token in enumerate(ranked[: size - 2])}
    picture = figures_sequences.padded_batch([_tokens(first), _tokens(second)], known)
    return Interactive([controls, view], picture)


def _ranked():
    """The tokens of the speeches that a model may learn from, the most frequent first."""
    try:
        sentences = data.load_speeches().train
    except data.DataMissing:
        sentences = [UNPREPARED.split()]
    counts = Counter(token for sentence in sentences for token in sentence)
    return sorted(counts, key=lambda token: (-counts[token], token))


def _tokens(text):
    return data.tokenise(text)[:MOST_TOKENS]


def _shown(sentences, ranked, size):
    """The drawing, and what it says."""
    places = {token: 2 + k for k, token in enumerate(ranked[: size - 2])}
    longest = max(map(len, sentences)) + 1
    rows = "".join(_row(i, sentence, places, size, longest) for i, sentence in enumerate(sentences))
    label = f"two sentences as a batch of {longest} steps"
    drawing = svg(WIDTH * longest + 8, 178 * len(sentences), label, rows)
    return drawing, _say(sentences, places, size, longest)


def _say(sentences, places, size, longest):
    tokens = [token for sentence in sentences for token in sentence]
    unknown = [token for token in tokens if token not in places]
    share = f" ({100 * len(unknown) / len(tokens):.0f} %)" if tokens else ""
    which = f": {html.escape(', '.join(dict.fromkeys(unknown)))}" if unknown else ""
    real = len(tokens) + len(sentences)
    places_of = longest * len(sentences)
    return (
        f"<b>{len(unknown)}</b> of {len(tokens)} tokens became UNK{share}{which}.<br>"
        f"Indices and mask: ({longest}, {len(sentences)}), {places_of} places, of which "
        f"{places_of - real} padding. One-hot: ({longest}, {len(sentences)}, {size}), that is "
        f"{places_of * size:,} numbers to say what {places_of} indices say."
    )


def _row(i, sentence, places, size, longest):
    """One sentence: each token with its index, its column and its mask."""
    cells = [(token, places.get(token, 1)) for token in sentence] + [(EOS, 0)]
    drawn = "".join(_cell(t, *cell, size) for t, cell in enumerate(cells))
    padding = "".join(_cell(t, "padding", None, size) for t in range(len(cells), longest))
    return f'<g transform="translate(0 {178 * i})">{drawn}{padding}</g>'


def _cell(t, token, index, size):
    """A step: the token, its index, a column with one mark, and 1 or 0 of the mask."""
    x, middle = WIDTH * t + 6, WIDTH * t + 6 + (WIDTH - 10) / 2
    padded, unknown = index is None, index == 1
    shown = token if len(token) <= 10 else token[:9] + "…"
    label = "0" if padded else f"{index} UNK" if unknown else str(index)
    color = "#c2410c" if unknown else "#3b82f6"
    mark = ""
    if not padded:
        y = 46 + (HEIGHT - 5) * math.log1p(index) / math.log(size)  # frequent words crowd the top
        mark = f'<rect x="{x + 14}" y="{y:.1f}" width="{WIDTH - 38}" height="5" fill="{color}"/>'
    return (
        f'<g opacity="{FAINT if padded else 1}" font-size="12" text-anchor="middle" '
        f'fill="currentColor"><text x="{middle}" y="16" font-weight="{600 if unknown else 400}">'
        f'{html.escape(shown)}</text><text x="{middle}" y="34">{label}</text>'
        f'<rect x="{x + 14}" y="46" width="{WIDTH - 38}" height="{HEIGHT}" fill="none" '
        f'stroke="currentColor" stroke-dasharray="{"4 3" if padded else "none"}"/>{mark}'
        f'<text x="{middle}" y="160">mask {0 if padded else 1}</text></g>'
    )
