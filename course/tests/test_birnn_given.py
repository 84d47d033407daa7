"""What unit 07 is given: sentences, commands, the tagger, its figures and its interactive."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from course.given import GRU, Bidirectional, data, entities, figures_birnn, language, prepare
from course.given.tagging import WAYS, Tagger, decide
from solutions.birnn import birnn_forward, span_f1

NEEDS = pytest.mark.skipif(
    not all(data.prepared_file(n).exists() for n in ("names", "names_by_language")),
    reason="needs the names",
)


# Sentences


@pytest.fixture(scope="module")
def sentences():
    return entities.load_sentences(train=600, test=100)


@NEEDS
def test_sentences_are_as_the_text_says(sentences):
    assert [len(part) for part in sentences] == [600, 100, 100]
    assert not {*sentences.train} & {*sentences.future, *sentences.past}
    for words, tags in (s for part in sentences for s in part):
        assert len(words) == len(tags) <= 14
        assert all(word == word.lower() for word in words)
        # an I goes on with what stands before it
        assert all(b % 2 or not b or a in (b, b - 1) for a, b in zip((0, *tags), tags))  # noqa: B905  # one is longer
        assert sum(tag % 2 for tag in tags) <= 1
    with_person = [1 in tags for _, tags in sentences.train]
    assert 0.4 < np.mean(with_person) < 0.6
    assert entities.load_sentences(train=600, test=100) == sentences


@NEEDS
def test_a_half_of_the_sentence_says_nothing(sentences):
    """The same opening, or the same ending, comes with every reading of a name."""
    for part, cut in ((sentences.future, lambda w: w[:2]), (sentences.past, lambda w: w[-2:])):
        kinds = {}
        for words, tags in part:
            kinds.setdefault(cut(words), set()).add(max(tags))
        common = [found for found in kinds.values() if len(found) > 1]
        assert len(common) >= 4


@NEEDS
def test_surnames_of_the_tests_are_not_those_of_the_training(sentences):
    def surnames(part):
        whole = (tuple(w for w, tag in zip(*s, strict=True) if tag == 2) for s in part)
        return {words for words in whole if words}

    assert surnames(sentences.train) and surnames(sentences.future)
    assert not surnames(sentences.train) & surnames(sentences.future)


@NEEDS
def test_the_treacherous_names_are_first_names():
    known = {name for part in data.load_names() for name in part}
    names = {*entities.THINGS, *entities.PLACES}
    assert len(names) == 100 and len(names & known) == 94


def test_encode():
    some = [entities.Tagged(("he", "said", "x"), (0, 0, 1)), entities.Tagged(("he",), (0,))]
    vocabulary = language.Vocabulary([("he", "said")])
    x, y, lengths = entities.encode(some, vocabulary)
    assert lengths.tolist() == [3, 1]
    assert vocabulary.words(x[:, 0]) == ["he", "said", language.UNK]
    assert x[:, 1].tolist()[1:] == [0, 0] and y.tolist() == [[0, 0], [0, 0], [1, 0]]


# Commands

GRAMMAR = {
    "intents": {
        "On": {
            "data": [
                {
                    "sentences": [
                        "<turn> on [the] {area} (light|lamp)[s]",
                        "({name};off)",
                        "say {message}",
                        "{minutes:number}( |-)minute[s]",
                        "it is {state}",
                    ]
                }
            ]
        }
    },
    "expansion_rules": {"turn": "(turn|switch)"},
    "lists": {
        "minutes": {"range": {"from": 5, "to": 9}},
        "state": {"values": [{"in": "(shut|closed)", "out": "off"}, "open"]},
        "area": {"wildcard": True},
    },
}


def test_commands_are_said_as_the_grammar_has_them():
    rows = prepare._commands({"en.json": json.dumps(GRAMMAR)})
    assert rows == prepare._commands({"en.json": json.dumps(GRAMMAR)})
    assert len({words for words, *_ in rows}) == len(rows)
    for words, tags, split in rows:
        said = list(zip(words.split(), tags.split(), strict=True))
        rest = tuple(word for word, tag in said if tag == "O")
        kinds = [tag for _, tag in said if tag != "O"]
        assert split in data.SPLITS
        assert "say" not in rest
        if rest[0] in ("turn", "switch"):
            assert rest[1] == "on" and rest[-1] in ("light", "lights", "lamp", "lamps")
            assert kinds == ["B-area", "I-area", "I-area"][: len(kinds)] and kinds
        elif rest[0] == "off":
            assert kinds[0] == "B-device" and set(kinds[1:]) <= {"I-device"}
            assert "off" in (said[0][0], said[-1][0])
        elif rest[0] == "it":
            assert rest in {("it", "is", s) for s in ("shut", "closed", "open")}
        else:
            assert rest in {("minute",), ("minutes",)} and kinds == ["B-number"]
            assert 5 <= int(said[0][0]) <= 9
    of_one = {split for words, _, split in rows if words.startswith("it is")}
    assert len(of_one) == 1


def test_a_bracket_that_is_not_closed_is_an_error():
    with pytest.raises(prepare.DataError, match="not closed"):
        prepare._Speaker(GRAMMAR, "0").say("turn (on")


def test_loading_commands(monkeypatch, tmp_path):
    monkeypatch.setenv("UNROLLED_DATA", str(tmp_path))
    rows = (
        "# made\nlights on\tO O\ttrain\nguest room\tB-area I-area\ttest\n5\tB-number\tvalidation\n"
    )
    (tmp_path / "commands.tsv").write_text(rows)
    commands = data.load_commands()
    assert commands.tags == ("O", "B-area", "I-area", "B-number", "I-number")
    assert commands.test == ((("guest", "room"), (1, 2)),)
    assert commands.validation == ((("5",), (3,)),) and len(commands.train) == 1


@pytest.mark.skipif(not data.prepared_file("commands").exists(), reason="not prepared")
def test_the_real_commands_are_as_the_card_says():
    commands = data.load_commands()
    parts = commands.train, commands.validation, commands.test
    assert [len(part) for part in parts] == [4504, 934, 934]
    every = [pair for part in parts for pair in part]
    counts = np.bincount(np.concatenate([tags for _, tags in every]), minlength=13)
    assert counts.sum() == 40_781 and round(100 * counts[0] / counts.sum()) == 75
    assert counts[1::2].tolist() == [1873, 1293, 862, 72, 4024, 609]
    assert {len(words) for words, _ in every} == set(range(1, 15))


# The tagger


@pytest.fixture
def batch():
    rng = np.random.default_rng(3)
    lengths = np.array([6, 2, 4, 1])
    x, y = rng.integers(0, 9, (6, 4)), rng.integers(0, 5, (6, 4))
    return x, y, lengths


@pytest.mark.parametrize("way", WAYS)
def test_gradients_of_the_tagger(way, batch):
    x, y, lengths = batch
    tagger = Tagger(np.random.default_rng(0), way, n_v=9, n_x=3, n_a=4, n_y=5, dtype=float)
    _loss, grads = tagger.loss_and_gradients(x, y, lengths)
    for w, grad in zip(tagger.params, grads, strict=True):
        assert w.shape == grad.shape
        for at in list(np.ndindex(w.shape))[:: max(1, w.size // 7)]:
            kept, h, slopes = w[at], 1e-6, []
            for by in (h, -h):
                w[at] = kept + by
                slopes.append(tagger.loss_and_gradients(x, y, lengths)[0])
            w[at] = kept
            slope = (slopes[0] - slopes[1]) / (2 * h)
            assert abs(slope - grad[at]) < 1e-8  # rounding of a central difference at this step


def test_the_tagger_is_what_the_learner_writes(batch):
    x, _y, lengths = batch
    tagger = Tagger(np.random.default_rng(0), "both", n_v=9, n_x=3, n_a=4, n_y=5, dtype=float)
    read = tagger.table[x]
    a = tagger.states(x, lengths)
    np.testing.assert_array_equal(a, birnn_forward(read, lengths, *tagger.layers))
    layer = Bidirectional(*(GRU(layer.params) for layer in tagger.layers))
    np.testing.assert_array_equal(a, layer.forward(read, lengths=lengths))
    one = Tagger(np.random.default_rng(0), "backward", n_v=9, n_x=3, n_a=4, n_y=5)
    assert one.states(x, lengths).shape == (6, 4, 4)


def test_padding_teaches_nothing(batch):
    x, y, lengths = batch
    other, y_other = x.copy(), y.copy()
    padding = np.arange(6)[:, None] >= lengths
    other[padding], y_other[padding] = 8, 0
    tagger = Tagger(np.random.default_rng(0), "both", n_v=9, n_x=3, n_a=4, n_y=5)
    one, two = (tagger.loss_and_gradients(*b, lengths) for b in ((x, y), (other, y_other)))
    assert one[0] == two[0]
    for g, h in zip(one[1], two[1], strict=True):
        np.testing.assert_array_equal(g, h)


def test_the_shares_add_up(batch):
    x, _y, lengths = batch
    tagger = Tagger(np.random.default_rng(0), "both", n_v=9, n_x=3, n_a=4, n_y=5, dtype=float)
    chosen, rival, parts = decide(tagger, x, lengths)
    y_hat = tagger.predict(x, lengths)
    np.testing.assert_array_equal(chosen, y_hat.argmax(axis=-1))
    pick = [np.take_along_axis(y_hat, k[..., None], axis=-1)[..., 0] for k in (chosen, rival)]
    np.testing.assert_allclose(parts.sum(axis=-1), np.log(pick[0] / pick[1]), rtol=1e-9)
    assert (np.sort(y_hat, axis=-1)[..., -2] == pick[1]).all()


@NEEDS
def test_each_direction_finds_what_it_reads():
    """A short training: what the experiment shows, with room to spare."""
    sentences = entities.load_sentences(train=1500, test=150)
    words = language.Vocabulary([w for w, _ in sentences.train], 400)
    x, y, lengths = entities.encode(sentences.train, words)
    f1 = {way: _trained(way, x, y, lengths, words, sentences) for way in WAYS}
    assert f1["forward"][0] < 0.75 < f1["forward"][1]
    assert f1["backward"][1] < 0.75 < f1["backward"][0]
    assert min(f1["both"]) > 0.85


def _trained(way, x, y, lengths, words, sentences):
    from course.given.training import Adam
    from solutions.birnn import predict_tags

    rng = np.random.default_rng(0)
    tagger = Tagger(rng, way, n_v=len(words), n_x=16, n_a=24, n_y=5)
    optimiser = Adam(tagger.params, learning_rate=0.02)
    for _ in range(150):
        some = rng.integers(0, len(lengths), 64)
        optimiser.step(tagger.loss_and_gradients(x[:, some], y[:, some], lengths[some])[1])
    tests = (entities.encode(part, words) for part in (sentences.future, sentences.past))
    return [span_f1(predict_tags(tagger.predict(a, n), n), b) for a, b, n in tests]


# Figures and the interactive

PICTURES = {
    "both_ways": figures_birnn.both_ways,
    "turned_round": lambda: figures_birnn.turned_round(["he said so", "no"]),
    "scores": lambda: figures_birnn.scores({"k": {"forward": 0.5, "backward": 0.25, "both": 1.0}}),
    "waiting": lambda: figures_birnn.waiting({"k": [0.5, 1.0]}),
    "shares": lambda: figures_birnn.shares(["a", "b"], ["O", "B"], np.eye(2, 3) * [3, -4, 0]),
}


@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_describes_itself(name):
    picture = PICTURES[name]()
    image = Image.open(io.BytesIO(picture.png))
    assert image.getpixel((0, 0))[:3] == (255, 255, 255)  # its own ground, on any page
    assert len(picture.text) > 30 and 'alt="' in picture._repr_html_()


def test_the_text_holds_the_numbers():
    assert "forward 50.0 %, backward 25.0 %, both 100.0 %" in PICTURES["scores"]().text
    assert "50 % with 0, 100 % with 1" in PICTURES["waiting"]().text
    assert "“a” is O, forward +3.0, backward" in PICTURES["shares"]().text


@pytest.fixture
def interactive():
    from course.given import widgets_birnn

    words = language.Vocabulary([("he", "said", "teddy", "bears", ".")])
    tagger = Tagger(np.random.default_rng(1), "both", n_v=len(words), n_x=4, n_a=6, n_y=5)
    tagger.table[:] *= 5  # so that something is decided
    return widgets_birnn.who_decided(
        tagger, words, entities.TAGS, ["he said teddy bears .", "he said"]
    ), tagger, words  # fmt: skip


def test_going_through_a_sentence(interactive):
    widget, tagger, words = interactive
    choice, entry, back, ahead, step = widget.children[0].children
    view = widget.children[1]
    assert 'role="status"' in view.value and "Word 1 of 5, “he”" in view.value
    assert back.disabled and not ahead.disabled
    ahead.click()
    ahead.click()
    assert step.value == 3 and "“teddy”" in view.value
    x = words.numbers(["he", "said", "teddy", "bears", "."])[:-1, None]
    chosen, rival, parts = decide(tagger, x, np.array([5]))
    tag, other = (entities.TAGS[k[2, 0]] for k in (chosen, rival))
    lead = parts[2, 0].sum()
    assert f"<b>{tag}</b> leads {other} by {lead:.1f}" in view.value
    assert f"forward {parts[2, 0, 0]:+.1f}".replace("-", "−") in view.value
    which = ("forward", "backward")[int(parts[2, 0, 1] > parts[2, 0, 0])]
    assert f"The <b>{which}</b> half decided." in view.value
    choice.value = "he said"
    assert entry.value == "he said" and step.value == 2 and ahead.disabled


def test_any_sentence_may_be_typed(interactive):
    widget, *_ = interactive
    _choice, entry, *_, step = widget.children[0].children
    view = widget.children[1]
    entry.value = "<b>Öç</b> said " + "so " * 30
    assert step.max == 14 and "<b>oc</b>" not in view.value
    entry.value = "Zebras"
    assert "Word 1 of 1, “zebras” (a word it does not know)" in view.value
    entry.value = ""
    assert "Word 1 of 1, “.”" in view.value


def test_the_static_picture_comes_along(interactive):
    bundle = interactive[0]._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    assert {"text/plain", "text/html", "image/png"} <= bundle.keys()
    assert "“teddy” is" in bundle["text/plain"]
