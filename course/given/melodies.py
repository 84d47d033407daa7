"""Tunes: read from ABC notation, heard as a WAV made in NumPy, seen as a piano roll.

A note is a pair, a pitch and a length. Pitches are semitones above the key note of the tune,
lengths are sixths of the tune's unit, so that halves and thirds of it are whole numbers.
"""

import base64
import html
import io
import re
import wave

import numpy as np

from course.given.picture import FAINT, INK, STATE, Picture, canvas

KINDS = ("hornpipe", "jig", "reel")
UNITS_IN_A_BAR = {"6/8": 6, "2/4": 8, "C|": 8}  # of 1/8, 1/16 and 1/8
UNIT_OF = {"6/8": "1/8", "2/4": "1/16", "C|": "1/8"}
PARTS = 6  # of a unit
REST = "z"
RATE = 16_000  # samples a second: enough for a melody
UNIT_SECONDS = 0.16
MIDDLE = 67  # the key note is played as the G above the middle C

_DEGREES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_SHARPS = {"F": -1, "C": 0, "G": 1, "D": 2, "A": 3, "E": 4, "Bb": -2, "Eb": -3}
_ORDER = "FCGDAEB"
_SIGNS = {"^": 1, "=": 0, "_": -1}
_ASIDE = re.compile(r'%[^\n]*|"[^"]*"|\{[^}]*\}|![^!]*!|\[[A-Z]:[^\]]*\]|\\\n')
_TOKEN = re.compile(
    r"(?P<triplet>\(3)|(?P<bar>\|)|(?P<broken>[<>])|(?P<odd>\[(?![12])|\(\d|\+)"
    r"|(?P<sign>[\^=_]?)(?P<letter>[A-Ga-gz])(?P<octave>[,']*)(?P<times>\d*)(?P<by>/?)(?P<part>\d*)"
)


def read_abc(text, most_bars=4):
    """The kind, the title and the first bars of a tune in a major key.

    Parameters
    ----------
    text : str
        ABC notation.
    most_bars : int, optional

    Returns
    -------
    tuple or None
        ``(kind, title, notes)``, `notes` a list of pairs (pitch, length); None if the tune is of
        another kind, or holds what this small reader does not know.
    """
    lines = text.splitlines()
    fields = {line[0]: line[2:].strip() for line in reversed(lines) if line[1:2] == ":"}
    kind, meter, key = fields.get("R", "").lower(), fields.get("M"), fields.get("K")
    if kind not in KINDS or key not in _SHARPS or UNIT_OF.get(meter) != fields.get("L"):
        return None
    if (kind == "jig") != (meter == "6/8"):
        return None
    body = "\n".join(line for line in lines if line[1:2] != ":" or line[0] == "|")
    strain = re.split(r":\||\|\||::|\|\]", _ASIDE.sub("", body).strip().removeprefix("|:"))[0]
    bars = _bars(strain, key)
    whole = PARTS * UNITS_IN_A_BAR[meter]
    if bars is None or len(bars) < most_bars:
        return None
    pickup = bars[:1] if _length(bars[0]) < whole else []
    bars = bars[len(pickup) : len(pickup) + most_bars]
    if len(bars) < most_bars or any(_length(bar) != whole for bar in bars):
        return None
    return (
        kind,
        fields.get("T", "").split(" -- ")[0],
        [note for bar in [*pickup, *bars] for note in bar],
    )


def _bars(strain, key):
    """The notes of a strain, bar by bar; None if something in it is not known."""
    reader = _Reader(key)
    for match in _TOKEN.finditer(strain):
        if match["odd"]:
            return None
        if match["bar"]:
            reader.end_bar()
        elif match["triplet"]:
            reader.triplet = 3
        elif match["broken"]:
            reader.lean(match["broken"])
        else:
            reader.note(match)
    reader.end_bar()
    whole = all(n.denominator == 1 and n > 0 for bar in reader.bars for _, n in bar)
    return [[(p, int(n)) for p, n in bar] for bar in reader.bars] if whole else None


class _Reader:
    """Notes as they are read: accidentals last for a bar, triplets for three notes."""

    def __init__(self, key):
        self.tonic = _DEGREES[key[0]] - (key[1:] == "b")
        sharps = _SHARPS[key]
        self.signature = dict.fromkeys(_ORDER[: max(sharps, 0)], 1)
        self.signature |= dict.fromkeys(_ORDER[::-1][: max(-sharps, 0)], -1)
        self.bars, self.bar, self.local = [], [], {}
        self.triplet, self.borrowed = 0, 0

    def end_bar(self):
        if self.bar:
            self.bars.append(self.bar)
        self.bar, self.local = [], {}

    def lean(self, sign):
        """The broken rhythm: half a unit from one note to its neighbour."""
        if self.bar:
            moved = PARTS // 2 if sign == ">" else -PARTS // 2
            pitch, length = self.bar[-1]
            self.bar[-1], self.borrowed = (pitch, length + moved), moved

    def note(self, match):
        from fractions import Fraction

        length = Fraction(PARTS * int(match["times"] or 1))
        if match["by"]:
            length /= int(match["part"] or 2)
        if self.triplet:
            length, self.triplet = length * 2 / 3, self.triplet - 1
        self.bar.append((self._pitch(match), length - self.borrowed))
        self.borrowed = 0

    def _pitch(self, match):
        if match["letter"] == "z":
            return REST
        letter, place = match["letter"].upper(), (match["letter"], match["octave"])
        if match["sign"]:
            self.local[place] = _SIGNS[match["sign"]]
        octaves = match["letter"].islower() + place[1].count("'") - place[1].count(",")
        shift = self.local.get(place, self.signature.get(letter, 0))
        return _DEGREES[letter] + 12 * octaves + shift - self.tonic


def _length(bar):
    return sum(length for _, length in bar)


# ---- hearing and seeing ----------------------------------------------------------------------


def sound(notes):
    """A melody as samples between -1 and 1: each note a fading tone with a few overtones.

    Parameters
    ----------
    notes : sequence of (pitch, length)

    Returns
    -------
    (n,) ndarray
    """
    pieces = [_tone(pitch, length / PARTS * UNIT_SECONDS) for pitch, length in notes]
    return np.concatenate([*pieces, np.zeros(RATE // 4)])


def wav(notes):
    """A melody as the bytes of a WAV file: mono, 16 bits, 16,000 samples a second."""
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes((sound(notes) * 32_000).astype("<i2").tobytes())
    return buffer.getvalue()


def _tone(pitch, seconds):
    time = np.arange(round(seconds * RATE)) / RATE
    if pitch == REST:
        return np.zeros(len(time))
    frequency = 440 * 2 ** ((MIDDLE + int(pitch) - 69) / 12)
    tones = [np.sin(2 * np.pi * k * frequency * time) / 2**k for k in (1, 2, 3, 4)]
    fade = (
        np.exp(-4 * time) * np.minimum(1, time / 0.005) * np.minimum(1, (time[::-1] + 1e-4) / 0.02)
    )
    return sum(tones) * fade


class Melody:
    """A melody that a notebook shows as a piano roll, with a player under it.

    Parameters
    ----------
    notes : sequence of (pitch, length)
    title : str, optional
    """

    def __init__(self, notes, title="a melody"):
        self.notes, self.title = list(notes), title
        self.picture = roll(self.notes, title)

    def __repr__(self):
        return repr(self.picture)

    def _repr_html_(self):
        data = base64.b64encode(wav(self.notes)).decode("ascii")
        player = (
            f'<audio controls aria-label="{html.escape(self.title)}" '
            f'src="data:audio/wav;base64,{data}"></audio>'
        )
        return f"<div>{self.picture._repr_html_()}<br>{player}</div>"


def roll(notes, title="a melody"):
    """A piano roll: time to the right, pitch upwards, a bar for each note.

    Parameters
    ----------
    notes : sequence of (pitch, length)
    title : str, optional

    Returns
    -------
    Picture
    """
    figure, ax = canvas(8.2, 2.3, axes_off=False)
    start = 0.0
    for pitch, length in notes:
        if pitch != REST:
            ax.barh(int(pitch), length / PARTS - 0.08, left=start, height=0.8, color=STATE)
        start += length / PARTS
    heights = [int(pitch) for pitch, _ in notes if pitch != REST] or [0]
    ax.axhline(0, color=FAINT, linewidth=0.8, linestyle=(0, (3, 2)))
    ax.set_xlim(-0.3, start + 0.3)
    ax.set_ylim(min(heights) - 1.5, max(heights) + 1.5)
    ax.set_xlabel("units of time", color=INK, fontsize=9)
    ax.set_ylabel("semitones above\nthe key note", color=INK, fontsize=9)
    ax.set_title(title, loc="left", color=INK, fontsize=10)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    said = " ".join(f"{pitch}" for pitch, _ in notes)
    return Picture(
        figure,
        f"""Piano roll of {title}: {len(notes)} notes over {start:g} units of time, from
        {min(heights)} to {max(heights)} semitones above the key note. Pitches in order: {said}.""",
    )
