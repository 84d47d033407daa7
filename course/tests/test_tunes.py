"""Tunes: reading ABC, hearing and seeing; and the recipes of unit 09's data."""

import io
import re
import wave

import numpy as np
import pytest

from course.given import data, melodies
from course.given.prepare import RECIPES

JIG = """X: 1
T:The Test -- Jig
M:6/8
L:1/8
R:jig
K:G
D|"G"GAB c2^c|{g}d>ef =f2F|(3GGG G/A/ z G,g'|F6|g3 f3:|
G6|
"""


def tune(text=JIG, **fields):
    for name, value in fields.items():
        text = re.sub(rf"^{name}:.*$", f"{name}:{value}", text, flags=re.M)
    return melodies.read_abc(text)


def test_a_tune_by_hand():
    kind, title, notes = tune()
    assert (kind, title) == ("jig", "The Test")
    bars = [
        [(-5, 6)],  # the upbeat: D, below the key note G
        [(0, 6), (2, 6), (4, 6), (5, 12), (6, 6)],  # a chord's name is no note; c sharp
        [(7, 9), (9, 3), (11, 6), (10, 12), (-1, 6)],  # broken rhythm; a natural f is that f only
        [(0, 4), (0, 4), (0, 4), (0, 3), (2, 3), ("z", 6), (-12, 6), (24, 6)],
        [(-1, 36)],  # F is sharp again
    ]
    assert notes == [note for bar in bars for note in bar]


def test_an_accidental_lasts_to_the_end_of_its_bar():
    text = JIG.replace('"G"GAB c2^c', "^GGB c2G").replace("(3GGG", "(3GGG")
    notes = tune(text)[2]
    assert notes[1:6] == [(1, 6), (1, 6), (4, 6), (5, 12), (1, 6)]
    assert notes[-2:-1] == [(24, 6)] and notes[11] == (0, 4)


@pytest.mark.parametrize(
    "changed",
    [
        {"R": "waltz"},
        {"K": "Am"},
        {"M": "9/8"},
        {"L": "1/16"},
        {"R": "reel"},
    ],
)
def test_other_tunes_are_left_out(changed):
    assert tune(**changed) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("GAB c2^c", "GAB c2"),
        ("GAB c2^c", "[GB]AB c2^c"),
        ("GAB c2^c", "(5GABcd"),
        ("|F6|g3 f3", ""),
    ],
)
def test_what_is_not_understood_is_left_out(old, new):
    assert tune(JIG.replace(old, new)) is None


def test_a_wav_sounds_as_it_should():
    notes = [(2, 6), ("z", 6), (14, 12)]
    with wave.open(io.BytesIO(melodies.wav(notes))) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 16_000)
        samples = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    unit = round(melodies.UNIT_SECONDS * melodies.RATE)
    assert len(samples) == 4 * unit + melodies.RATE // 4
    assert np.abs(samples).max() < 32_767  # nothing is cut off
    assert not samples[unit : 2 * unit].any()  # a rest
    for start, length, hertz in ((0, unit, 440.0), (2 * unit, 2 * unit, 880.0)):
        spectrum = np.abs(np.fft.rfft(samples[start : start + length]))
        heard = spectrum.argmax() * melodies.RATE / length
        assert abs(heard - hertz) <= melodies.RATE / length  # one bin of the spectrum


def test_a_melody_is_seen_and_heard():
    shown = melodies.Melody([(0, 6), (4, 3), ("z", 3)], "a <test>")
    page = shown._repr_html_()
    assert "<audio controls" in page and "data:audio/wav;base64," in page
    assert "a <test>" not in page and "3 notes over 2 units" in repr(shown)


def test_pronunciations_are_short_known_and_without_stress():
    text = (
        "cat K AE1 T\n"
        "read R EH1 D\nread(2) R IY1 D\n"  # two pronunciations: left out
        "a AH0\n'bout B AW1 T\nstrengths S T R EH1 NG K TH S\n"  # too short, odd, too long
        "taxi T AE1 K S IY0 # with a remark\n"
        "uno Y UW1 EH1 N OW1\nuno(2) UW1 N OW0\n"
    )
    rows = RECIPES["pronunciations"]({"cmudict.dict": text})
    assert [row[:2] for row in rows] == [("cat", "K AE T"), ("taxi", "T AE K S IY")]
    assert {row[2] for row in rows} <= set(data.SPLITS)


def test_equal_tunes_are_kept_once():
    rows = RECIPES["tunes"]({"a.abc": JIG, "b.abc": JIG, "c.abc": JIG.replace("K:G", "K:Em")})
    assert len(rows) == 1
    kind, title, notes, split = rows[0]
    assert (kind, title, split in data.SPLITS) == ("jig", "The Test", True)
    assert notes.startswith("-5/6 0/6 2/6 ") and " z/6 " in notes


@pytest.mark.parametrize("loader", [data.load_pronunciations, data.load_tunes])
def test_missing_data_says_what_to_run(loader, tmp_path, monkeypatch):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    with pytest.raises(data.DataMissing, match="unrolled data prepare"):
        loader()


def test_the_prepared_data():
    if not data.is_ready("pronunciations", "tunes"):
        pytest.skip("the data is not prepared")
    words, tunes = data.load_pronunciations(), data.load_tunes()
    counts = [len(part) for part in words]
    assert counts == [11_218, 2441, 2341] and sum(counts) == 16_000
    assert [len(part) for part in tunes] == [475, 119, 99]
    every = [word for part in words for word, _ in part]
    assert len(set(every)) == len(every)
    assert all(3 <= len(word) <= 6 and 1 <= len(said) <= 6 for word, said in words.test)
    bars = {"jig": 24, "reel": 32, "hornpipe": 32}
    for t in tunes.train:
        whole = 6 * bars[t.kind]
        assert whole <= sum(length for _, length in t.notes) < whole + 6 * bars[t.kind] // 4
