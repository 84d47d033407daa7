"""Every formula of the text of unit 01, evaluated as it is written, and what its prose claims."""

import html
import io
import re
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course.given import EOS, UNK, data, figures_sequences, types
from solutions.sequences import build_vocabulary, encode, one_hot, pad_sequences

TEXT = Path(__file__).parents[1] / "01_sequences" / "sequences.md"
SENTENCE = "Harry Potter and Hermione Granger invented a new spell."
SMALL = {EOS: 0, UNK: 1, "the": 2, ".": 3, "a": 4, "and": 5, "new": 6, "harry": 7}
needs_speeches = pytest.mark.skipif(
    not data.prepared_file("speeches").exists(), reason="the speeches are not prepared"
)


@pytest.fixture(scope="module")
def text():
    return TEXT.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def speeches():
    return data.load_speeches()


@pytest.fixture(scope="module")
def frequencies(speeches):
    """f_1 >= f_2 >= ... of train."""
    counts = Counter(token for sentence in speeches.train for token in sentence)
    return sorted(counts.values(), reverse=True)


# ---- the formulas ------------------------------------------------------------------------------


def test_1_1_the_example(text):
    words, labels = figures_sequences.SENTENCE, figures_sequences.LABELS
    assert len(words) == len(labels) == 9 and "T_x = T_y = 9" in text
    assert [word.lower() for word in words] == data.tokenise(SENTENCE)[:-1]
    named = [word for word, label in zip(words, labels, strict=True) if label]
    assert named == ["Harry", "Potter", "Hermione", "Granger"]


def test_1_2_indices():
    x = data.tokenise(SENTENCE)
    n = len(x)
    w = {t: SMALL[x[t - 1]] if x[t - 1] in SMALL else SMALL[UNK] for t in range(1, n + 1)}
    w[n + 1] = SMALL[EOS]
    assert encode(x, SMALL).tolist() == [w[t] for t in range(1, n + 2)]


def test_1_3_one_hot():
    w = encode(data.tokenise(SENTENCE), SMALL)
    n_v = len(SMALL)
    expected = [[1 if k == w_t else 0 for k in range(n_v)] for w_t in w]
    np.testing.assert_array_equal(one_hot(w, n_v), expected)


def test_1_4_a_product_is_a_column():
    Wax = np.random.default_rng(0).normal(size=(5, len(SMALL)))
    for w_t in range(len(SMALL)):
        np.testing.assert_array_equal(Wax @ one_hot(np.array(w_t), len(SMALL)), Wax[:, w_t])


def test_1_5_mask():
    rows = [np.array(row) for row in ([5, 6, 7, 0], [0], [3, 0])]
    T_x = max(len(row) for row in rows)
    expected = [[1 if t <= len(row) else 0 for row in rows] for t in range(1, T_x + 1)]
    np.testing.assert_array_equal(pad_sequences(rows)[1], expected)


@needs_speeches
def test_1_6_coverage(speeches, frequencies):
    """A vocabulary of n + 2 entries covers C(n) of the text it was made from."""
    for n in (98, 998):
        vocabulary = build_vocabulary(speeches.train, n + 2)
        C = sum(frequencies[:n]) / sum(frequencies)
        assert np.isclose(1 - unknown(speeches.train, vocabulary), C, rtol=1e-12, atol=0)


@needs_speeches
def test_1_7_zipf(frequencies, text):
    N = len(frequencies)
    assert N == 7090 and sum(frequencies) == 106_126
    assert r"N = 7{,}090" in text and "106,126 tokens" in text

    def ahead(n):
        rule = sum(1 / r for r in range(1, n + 1)) / sum(1 / r for r in range(1, N + 1))
        return 100 * (sum(frequencies[:n]) / sum(frequencies) - rule)

    assert 0 < ahead(10) < 1.05 and 0 < ahead(100) < 1.05 and round(ahead(1000)) == 5


def test_every_tagged_equation_is_tested(text):
    tags = re.findall(r"\\tag\{1\.(\d+)\}", text)
    assert [int(tag) for tag in tags] == list(range(1, len(tags) + 1))
    tested = [int(m[1]) for m in (re.match(r"test_1_(\d+)_", name) for name in globals()) if m]
    assert sorted(tested) == [int(tag) for tag in tags]


# ---- what the prose claims ---------------------------------------------------------------------


def unknown(sentences, vocabulary):
    """The share of UNK, ends not counted."""
    w = np.concatenate([encode(sentence, vocabulary)[:-1] for sentence in sentences])
    return float(np.mean(w == vocabulary[UNK]))


def test_the_sizes_of_our_sentence(text):
    assert (len(data.tokenise(SENTENCE)), len(SENTENCE)) == (10, 55)
    assert "| 9, with the full stop 10 | 55 |" in text


def test_the_small_vocabulary_by_hand():
    sentences = [["the", "cat", "saw", "the", "dog"], ["a", "dog", "saw", "me"]]
    assert list(build_vocabulary(sentences, 5)) == [EOS, UNK, "dog", "saw", "the"]


def test_minus_one_is_the_last_word():
    x = np.zeros((1, 4))
    x[0, -1] = 1
    np.testing.assert_array_equal(x, one_hot(np.array([3]), 4))
    x = np.zeros(4)
    x[None] = 1
    assert x.all()


def test_zeros_do_not_tell_padding():
    rows = [encode(["a", "new"], SMALL), encode(["a"], SMALL)]
    indices, mask = pad_sequences(rows)
    lost = mask & (indices == 0)
    assert lost.sum(axis=0).tolist() == [1, 1]  # each sentence's EOS, and nothing else
    assert [indices[:, i][mask[:, i]][-1] for i in range(2)] == [SMALL[EOS]] * 2


def test_any_two_one_hot_vectors_are_equally_far_apart():
    x = one_hot(np.arange(6), 6)
    apart = np.linalg.norm(x[:, None] - x, axis=-1)
    np.testing.assert_allclose(apart, np.sqrt(2) * (1 - np.eye(6)), rtol=1e-15)


@needs_speeches
def test_the_share_of_unknowns_is_of_other_text(speeches):
    small, whole = (build_vocabulary(speeches.train, size) for size in (100, 10_000))
    assert len(whole) == 7092 and unknown(speeches.train, whole) == 0
    assert round(100 * unknown(speeches.test, whole), 1) == 2.7
    assert round(100 * unknown(speeches.old, whole), 1) == 8.8
    per_sentence = sum(map(len, speeches.test)) / len(speeches.test)
    assert round(5 * per_sentence * unknown(speeches.test, whole)) == 3  # in five sentences
    assert abs(unknown(speeches.old, small) - unknown(speeches.test, small)) < 0.005
    two_thousand = build_vocabulary(speeches.train, 2002)
    assert round(100 * (1 - unknown(speeches.train, two_thousand))) == 91  # errata.md
    assert unknown(speeches.test, two_thousand) > 0.09


@needs_speeches
def test_the_numbers_around_the_experiment(speeches, frequencies, text):
    assert round(100 * frequencies.count(1) / len(frequencies)) == 41  # in an answer, and the card
    assert 0.3 < sum(frequencies[:10]) / sum(frequencies) < 1 / 3  # "nearly a third"
    steps = sum(len(sentence) + 1 for sentence in speeches.train)
    assert round(steps * 2000 * 8 / 1e9, 1) == 1.8 and steps * 8 < 1e6
    assert 10_000**2 * 8 == 800e6 and 9 * 10_000 * 100 == 9_000_000
    characters = [list(" ".join(sentence)) for sentence in speeches.train]
    assert len(build_vocabulary(characters, 100)) == 46 and "\n46 entries" in text
    longer = sum(map(len, characters)) / sum(map(len, speeches.train))
    assert 5 < longer < 6


@needs_speeches
def test_padding_is_half_of_a_batch_or_hardly_any(speeches):
    lengths = np.array([len(sentence) + 1 for sentence in speeches.train])

    def share(order):
        batches = [lengths[order[k : k + 32]] for k in range(0, len(order), 32)]
        return 1 - lengths.sum() / sum(batch.max() * len(batch) for batch in batches)

    assert 0.5 < share(np.random.default_rng(0).permutation(len(lengths))) < 0.65
    assert round(100 * share(np.argsort(lengths, kind="stable"))) == 2


def test_the_table_names_what_exists(text):
    table = text.split("## 1.12")[1].split("## 1.13")[0]
    weights = set(re.findall(r"`(W\w+|b\w)` \|", table))
    assert weights == {"Wax", "Waa", "Wya", "ba"} <= set(types.RNNModelParams._fields)
    gates = {"update", "reset", "forget", "output", "candidate"}
    assert gates <= set(re.findall(r"`(\w+)` \|", table))
    assert gates <= {*types.GRUCache._fields, *types.LSTMCache._fields}


def test_pytorch_names_and_orders_them_as_the_table_says(text):
    torch = pytest.importorskip(
        "torch", reason="PyTorch is not installed: this comparison is skipped"
    )
    for name in set(re.findall(r"(?:weight|bias)_\w\w_l0", text)):
        assert hasattr(torch.nn.RNN(2, 3), name)
    gru = torch.nn.GRU(2, 1, bias=False).double()
    with torch.no_grad():
        gru.weight_ih_l0.zero_()
        gru.weight_hh_l0.zero_()
        gru.weight_ih_l0[1] = 50.0  # z, the second: 1 keeps the state as it is
        h = torch.full((1, 1, 1), 0.75, dtype=torch.float64)
        _, kept = gru(torch.ones((1, 1, 2), dtype=torch.float64), h)
    assert kept.item() == 0.75
    lstm = torch.nn.LSTM(2, 1, bias=False).double()
    with torch.no_grad():
        lstm.weight_hh_l0.zero_()
        lstm.weight_ih_l0[:] = torch.tensor([[-50.0], [50.0], [50.0], [50.0]]).double()  # i f g o
        c = torch.full((1, 1, 1), 0.75, dtype=torch.float64)
        _, (_, c_n) = lstm(torch.ones((1, 1, 2), dtype=torch.float64), (c, c))
    assert c_n.item() == 0.75  # nothing written, everything kept


def test_the_text_holds_no_answers(text):
    code = "\n".join(re.findall(r"```\{code-cell\}.*?\n(.*?)```", text, re.DOTALL))
    answers = ["put_along_axis", "np.arange(n", "enumerate", "counts.get", "vocabulary.get", "SOLU"]
    assert [answer for answer in answers if answer in code] == []


# ---- pictures and the interactive --------------------------------------------------------------


PICTURES = {
    "named_entities": figures_sequences.named_entities,
    "one_hot": lambda: figures_sequences.one_hot_columns(["harry", UNK, EOS], SMALL),
    "batch": lambda: figures_sequences.padded_batch([["harry", "<b>", "."], ["a"]], SMALL),
    "frequencies": lambda: figures_sequences.frequencies([1, 60, 20, *[1] * 9, 8]),
    "shares": lambda: figures_sequences.unknown_shares([10, 99], {"a": [0.5, 0], "b": [1, 0.25]}),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_describes_itself(name):
    picture = PICTURES[name]()
    assert Image.open(io.BytesIO(picture.png)).getpixel((0, 0))[:3] == (255, 255, 255)
    assert len(picture.text) > 60
    assert "<b>" not in picture._repr_html_()


def test_pictures_say_the_numbers():
    assert "“harry” at 7, “<UNK>” at 1, “<EOS>” at 0" in PICTURES["one_hot"]().text
    said = PICTURES["batch"]().text
    assert "4 steps long" in said and "a <EOS>; 2 real steps, 2 of padding" in said
    assert "harry <b> (unknown) . <EOS>; 4 real steps, 0 of padding" in said
    said = PICTURES["frequencies"]().text
    assert "from 60 times at rank 1 to 1 at rank 13" in said
    assert "the first ranks cover: the first 10 cover 97 %" in said
    assert "b: from 100 % at 10 entries to 25.0 % at 99" in PICTURES["shares"]().text


@pytest.fixture
def batch(tmp_path, monkeypatch):
    """The interactive without prepared data, so with the few sentences of its own."""
    from course.given import widgets_sequences

    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    widget = widgets_sequences.sentences_to_batch(size=1000)
    return [*widget.children[0].children, widget.children[1], widget]


def test_what_became_unknown_stands_in_words(batch):
    first, second, size, half, double, view, _widget = batch
    second.value = "the <b> cats!"
    assert 'role="status"' in view.value and double.disabled
    tokens = data.tokenise(first.value) + data.tokenise(second.value)
    assert tokens[-4:] == ["the", "b", "cats", "!"]
    assert "<b>2</b> of 14 tokens became UNK (14 %): b, !." in view.value
    assert f"(11, 2), 22 places, of which 6 padding. One-hot: (11, 2, {size.max})" in view.value
    while not half.disabled:
        half.click()
    assert size.value == 2 and "<b>14</b> of 14 tokens became UNK (100 %)" in view.value
    double.click()
    assert size.value == 4 and not half.disabled
    assert f"{11 * 2 * 4} numbers to say what 22 indices say" in view.value


def test_what_it_says_is_what_the_reference_computes(batch):
    from course.given import widgets_sequences

    first, second, size, _half, _double, view, _widget = batch
    sentences = [widgets_sequences.UNPREPARED.split()]
    for size.value in (2, 5, 12, 30):
        vocabulary = build_vocabulary(sentences, size.value)
        rows = [encode(data.tokenise(entry.value), vocabulary) for entry in (first, second)]
        _indices, mask = pad_sequences(rows)
        unknowns = sum(int((row == 1).sum()) for row in rows)
        assert f"<b>{unknowns}</b> of {mask.sum() - 2} tokens" in view.value
        assert view.value.count("mask 1<") == mask.sum()
        assert view.value.count("mask 0<") == (~mask).sum()
        for index in np.concatenate(rows):
            assert f">{index} UNK<" in view.value if index == 1 else f">{index}<" in view.value


def test_strange_sentences_are_harmless(batch):
    first, second, _size, _half, _double, view, _widget = batch
    first.value = second.value = "李"
    assert "<b>0</b> of 0 tokens became UNK." in view.value
    first.value = "word " * 50
    assert "of 13 tokens" in view.value
    first.value = "<script>alert(1)</script>"
    assert "<script>" not in html.unescape(view.value)


def test_the_static_picture_comes_along(batch):
    bundle = batch[-1]._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    assert {"text/plain", "text/html", "image/png"} <= bundle.keys()
    assert "A batch of 2 sentences" in bundle["text/plain"]


@needs_speeches
def test_the_predictions_beside_the_interactive():
    from course.given import widgets_sequences

    ranked = widgets_sequences._ranked()
    places = {token: 2 + k for k, token in enumerate(ranked)}
    known = [t for t in data.tokenise(SENTENCE) if places.get(t, 1000) < 1000]
    assert known == ["and", "a", "new", "."]
    assert places["spell"] + 1 == 6646 and "invented" not in places and len(places) == 7090
