"""Real data for the experiments: where it lies, and how to load it.

Nothing here touches the network. `course.given.prepare` makes the files that these loaders read.
"""

import os
import re
import sys
import unicodedata
from pathlib import Path
from typing import NamedTuple

import numpy as np

SPLITS = ("train", "validation", "test")
ALPHABET = "abcdefghijklmnopqrstuvwxyz '-"
_LETTERS_WITHOUT_ACCENT = str.maketrans(
    {"ł": "l", "ø": "o", "ı": "i", "đ": "d", "ð": "d", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th",
     "’": "'", "‘": "'", "`": "'"}
)  # fmt: skip
TOKEN = re.compile(r"[a-z]+(?:'[a-z]+)*|\d+(?:[.,]\d+)*|[.,;:?!]")


class DataMissing(FileNotFoundError):
    """A dataset has not been prepared on this computer; the message says how to."""


class LabelledNames(NamedTuple):
    """m names, and y (m,), the index of each one's language."""

    names: tuple[str, ...]
    y: np.ndarray


class NamesByLanguage(NamedTuple):
    """Surnames of several languages; no name is in two splits or in two languages."""

    languages: tuple[str, ...]
    alphabet: str
    train: LabelledNames
    validation: LabelledNames
    test: LabelledNames


class Names(NamedTuple):
    """First names, lower case; no name is in two splits."""

    train: tuple[str, ...]
    validation: tuple[str, ...]
    test: tuple[str, ...]


class Speeches(NamedTuple):
    """Sentences, each a tuple of tokens; no sentence is in two splits.

    ``train``, ``validation`` and ``test`` are of 1946 to 1963, ``old`` of the 1790s.
    """

    train: tuple[tuple[str, ...], ...]
    validation: tuple[tuple[str, ...], ...]
    test: tuple[tuple[str, ...], ...]
    old: tuple[tuple[str, ...], ...]


class Commands(NamedTuple):
    """Commands to a house: each split a tuple of pairs, of words and of their tags' indices.

    ``tags`` are the tags' names: ``O``, and for each kind ``B-kind`` and ``I-kind``. No pattern
    that sentences are made of is in two splits.
    """

    tags: tuple[str, ...]
    train: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]
    validation: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]
    test: tuple[tuple[tuple[str, ...], tuple[int, ...]], ...]


class Weather(NamedTuple):
    """Daily weather, in order of time; ``train``, ``validation`` and ``test`` are slices of days.

    ``temp_max`` and ``temp_min`` are in degrees Celsius, ``precipitation`` in millimetres and
    ``wind`` in metres a second.
    """

    dates: np.ndarray
    temp_max: np.ndarray
    temp_min: np.ndarray
    precipitation: np.ndarray
    wind: np.ndarray
    train: slice
    validation: slice
    test: slice


def load_names_by_language():
    """Surnames with the language they come from.

    Returns
    -------
    NamesByLanguage
        ``languages`` (n_y names), ``alphabet`` (n_x characters), and ``train``, ``validation``
        and ``test``, each with ``names`` (m strings) and ``y`` (m,), indices of languages.

    Raises
    ------
    DataMissing
        When ``names_by_language`` has not been prepared.
    """
    rows = _read("names_by_language")
    languages = tuple(sorted({language for _, language, _ in rows}))
    splits = {}
    for split in SPLITS:
        here = [(name, languages.index(language)) for name, language, s in rows if s == split]
        splits[split] = LabelledNames(
            tuple(name for name, _ in here), np.array([label for _, label in here], dtype=int)
        )
    return NamesByLanguage(languages, ALPHABET, **splits)


def load_names():
    """First names of the United States, in lower case.

    Returns
    -------
    Names
        ``train``, ``validation`` and ``test``: tuples of strings.

    Raises
    ------
    DataMissing
        When ``names`` has not been prepared.
    """
    rows = _read("names")
    return Names(*(tuple(name for name, s in rows if s == split) for split in SPLITS))


def load_speeches(longest=None):
    """Presidents' yearly addresses to the Congress of the United States, sentence by sentence.

    Parameters
    ----------
    longest : int, optional
        Leave out sentences of more tokens.

    Returns
    -------
    Speeches
        ``train``, ``validation``, ``test`` (1946 to 1963) and ``old`` (1790s): tuples of
        sentences, which are tuples of lower-case words, numbers and marks, as `tokenise` makes
        them.

    Raises
    ------
    DataMissing
        When ``speeches`` has not been prepared.
    """
    parts = {part: [] for part in Speeches._fields}
    for sentence, part in _read("speeches"):
        tokens = tuple(sentence.split(" "))
        if longest is None or len(tokens) <= longest:
            parts[part].append(tokens)
    return Speeches(**{part: tuple(sentences) for part, sentences in parts.items()})


def load_commands():
    """Commands to a house, word by word, with what each word is a part of.

    Returns
    -------
    Commands
        ``tags``, the names of the tags, and ``train``, ``validation`` and ``test``: tuples of
        pairs, words (strings) and tags (indices of ``tags``).

    Raises
    ------
    DataMissing
        When ``commands`` has not been prepared.
    """
    rows = _read("commands")
    kinds = sorted({tag[2:] for _, tags, _ in rows for tag in tags.split() if tag != "O"})
    names = ("O", *(f"{mark}-{kind}" for kind in kinds for mark in "BI"))
    splits = {part: [] for part in SPLITS}
    for words, tags, split in rows:
        indices = tuple(names.index(tag) for tag in tags.split())
        splits[split].append((tuple(words.split()), indices))
    return Commands(names, *(tuple(splits[part]) for part in SPLITS))


def load_weather():
    """Daily weather at Seattle, 2012 to 2015.

    Returns
    -------
    Weather
        Arrays of 1,461 days without a gap, and three slices: two years to train on, the third for
        validation, the last for the test.

    Raises
    ------
    DataMissing
        When ``weather`` has not been prepared.
    """
    *columns, splits = zip(*_read("weather"), strict=True)
    dates = np.array(columns[0], dtype="datetime64[D]")
    slices, start = [], 0
    for split in SPLITS:  # they are in order of time
        slices.append(slice(start, start + splits.count(split)))
        start = slices[-1].stop
    return Weather(dates, *(np.array(column, dtype=float) for column in columns[1:]), *slices)


def tokenise(text):
    """The tokens of a text: words, numbers and the marks ``. , ; : ? !``, in lower case.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str

    Examples
    --------
    >>> tokenise("Harry's owl, 3.5 years-old!")
    ["harry's", 'owl', ',', '3.5', 'years', 'old', '!']
    """
    return TOKEN.findall(fold(text))


def is_ready(*names):
    """Say whether datasets are prepared; if not, print what to do.

    Parameters
    ----------
    *names : str

    Returns
    -------
    bool
    """
    missing = [name for name in names if not prepared_file(name).exists()]
    if missing:
        print(_how_to_prepare(missing))
    return not missing


def fold(text):
    """Lower case, without accents: ``"Núñez"`` becomes ``"nunez"``.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    text = text.lower().translate(_LETTERS_WITHOUT_ACCENT)
    letters = unicodedata.normalize("NFD", text)
    return "".join(c for c in letters if not unicodedata.combining(c))


def encode_names(names, alphabet=ALPHABET, dtype=float):
    """Names as a batch of sequences: one character a step, padded with zeros at the end.

    Parameters
    ----------
    names : sequence of str
        Folded first; characters outside `alphabet` are left out.
    alphabet : str, optional
    dtype : dtype, optional

    Returns
    -------
    x : (T_x, m, n_x) ndarray
        T_x is the length of the longest name, n_x that of the alphabet.
    mask : (T_x, m) ndarray of bool
        True at real characters.
    """
    index = {character: i for i, character in enumerate(alphabet)}
    rows = [[index[c] for c in fold(name) if c in index] for name in names]
    empty = [name for name, row in zip(names, rows, strict=True) if not row]
    if empty:
        raise ValueError(f"{empty[0]!r} has no letter of the alphabet {alphabet!r}")
    x = np.zeros((max(map(len, rows)), len(rows), len(alphabet)), dtype=dtype)
    for example, row in enumerate(rows):
        x[np.arange(len(row)), example, row] = 1
    return x, x.any(axis=2)


def data_folder():
    """Where prepared files lie.

    Returns
    -------
    pathlib.Path
        ``$UNROLLED_DATA`` if it is set; else ``datasets/prepared`` of the checkout that this
        module is in; else a folder of the user's cache.
    """
    if os.environ.get("UNROLLED_DATA"):
        return Path(os.environ["UNROLLED_DATA"]).expanduser()
    checkout = _checkout()
    if checkout:
        return checkout / "datasets" / "prepared"
    return _user_cache() / "unrolled"


def manifest():
    """The pinned archive of every dataset.

    Returns
    -------
    dict of dict
        ``datasets/manifest.toml`` of a checkout, or the copy that the wheel carries.
    """
    import tomllib

    checkout = _checkout()
    beside = Path(__file__).with_name("manifest.toml")
    path = checkout / "datasets" / "manifest.toml" if checkout else beside
    return tomllib.loads(path.read_text(encoding="utf-8"))


def prepared_file(name):
    """The path of a dataset's prepared file, whether it is there or not."""
    return data_folder() / f"{name}.tsv"


def _read(name):
    path = prepared_file(name)
    if not path.exists():
        raise DataMissing(_how_to_prepare([name]))
    lines = path.read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("\t")) for line in lines if line and not line.startswith("#")]


def _how_to_prepare(names):
    command = "unrolled data prepare " + " ".join(names)
    return (
        f"The data {', '.join(map(repr, names))} is not on this computer yet "
        f"(looked in {data_folder()}).\n"
        f"Run this once, with a network:   {command}\n"
        f"or, in a cell of a notebook:     !{command}"
    )


def _checkout():
    root = Path(__file__).resolve().parents[2]
    return root if (root / "datasets" / "manifest.toml").is_file() else None


def _user_cache():
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


class Pronunciations(NamedTuple):
    """Words and their sounds, as pairs (word, tuple of phonemes); no word is in two splits."""

    train: tuple[tuple[str, tuple[str, ...]], ...]
    validation: tuple[tuple[str, tuple[str, ...]], ...]
    test: tuple[tuple[str, tuple[str, ...]], ...]


class Tune(NamedTuple):
    """A dance tune: its kind, its title, its first notes as pairs (pitch, length).

    Pitches are semitones above the key note, lengths sixths of the unit of time.
    """

    kind: str
    title: str
    notes: tuple


class Tunes(NamedTuple):
    """Dance tunes; none is in two splits."""

    train: tuple[Tune, ...]
    validation: tuple[Tune, ...]
    test: tuple[Tune, ...]


def load_pronunciations():
    """Short English words and how they sound in North America.

    Returns
    -------
    Pronunciations
        ``train``, ``validation`` and ``test``: pairs such as ``("cat", ("K", "AE", "T"))``.

    Raises
    ------
    DataMissing
        When ``pronunciations`` has not been prepared.
    """
    rows = _read("pronunciations")
    return Pronunciations(
        *(tuple((w, tuple(p.split(" "))) for w, p, s in rows if s == split) for split in SPLITS)
    )


def load_tunes():
    """The first four bars of hornpipes, jigs and reels, all moved to one key.

    Returns
    -------
    Tunes
        ``train``, ``validation`` and ``test``: tuples of `Tune`.

    Raises
    ------
    DataMissing
        When ``tunes`` has not been prepared.
    """
    splits = {split: [] for split in SPLITS}
    for kind, title, notes, split in _read("tunes"):
        pairs = (note.split("/") for note in notes.split(" "))
        melody = tuple((p if p == "z" else int(p), int(length)) for p, length in pairs)
        splits[split].append(Tune(kind, title, melody))
    return Tunes(**{split: tuple(tunes) for split, tunes in splits.items()})
