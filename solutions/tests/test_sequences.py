"""Proofs of unit 01: what counting, looking up and undoing say of each other, and PyTorch."""

import inspect
import re
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course.given import EOS, UNK
from solutions.sequences import architectures, build_vocabulary, encode, one_hot, pad_sequences

words = st.sampled_from(["a", "b", "c", "d", "e", EOS, UNK])
texts = st.lists(st.lists(words, max_size=8), max_size=5)
ragged = st.lists(st.lists(st.integers(0, 9), max_size=6), min_size=1, max_size=5)
few = settings(deadline=None, max_examples=50)

HARRY = ["harry", "saw", "hermione", "and", "harry", "saw", "ron"]
RON = ["ron", "saw", "a", "spell"]


def frozen(values):
    array = np.array(values)
    array.flags.writeable = False
    return array


def arrays(rows):
    return [frozen(np.array(row, dtype=int)) for row in rows]


def same(actual, expected):
    """Equal, and of the same kind and shape."""
    np.testing.assert_array_equal(actual, np.asarray(expected), strict=True)


def pytorch():
    return pytest.importorskip(
        "torch", reason="PyTorch is not installed: this comparison is skipped"
    )


# Vocabularies


def test_vocabulary_by_hand():
    """'saw' comes three times; 'harry' and 'ron' twice, and so by the alphabet."""
    vocabulary = build_vocabulary([HARRY, RON], 8)
    expected = [EOS, UNK, "saw", "harry", "ron", "a", "and", "hermione"]
    assert list(vocabulary.items()) == [(token, i) for i, token in enumerate(expected)]


@pytest.mark.parametrize(
    ("max_size", "kept"), [(2, []), (3, ["saw"]), (4, ["saw", "harry"]), (100, None)]
)
def test_the_special_tokens_count_as_entries(max_size, kept):
    vocabulary = build_vocabulary([HARRY, RON], max_size)
    if kept is None:  # there is room for all
        kept = ["saw", "harry", "ron", "a", "and", "hermione", "spell"]
    assert list(vocabulary) == [EOS, UNK, *kept]


def test_words_that_look_special_move_nothing():
    sentences = [[UNK, "b", UNK, EOS, UNK, EOS, "a", "b"]]
    assert build_vocabulary(sentences, 9) == {EOS: 0, UNK: 1, "b": 2, "a": 3}
    assert build_vocabulary(sentences, 3) == {EOS: 0, UNK: 1, "b": 2}


@pytest.mark.parametrize("sentences", [[], [[]], [[], []]])
def test_an_empty_text_leaves_the_special_tokens(sentences):
    assert build_vocabulary(sentences, 10) == {EOS: 0, UNK: 1}


@few
@given(sentences=texts, max_size=st.integers(2, 9))
def test_vocabulary_holds_the_most_frequent(sentences, max_size):
    vocabulary = build_vocabulary(sentences, max_size)
    tokens = list(vocabulary)
    assert tokens[:2] == [EOS, UNK]
    assert list(vocabulary.values()) == list(range(len(tokens)))
    counts = Counter(token for sentence in sentences for token in sentence)
    del counts[EOS], counts[UNK]
    assert len(tokens) == min(max_size, 2 + len(counts))
    ranks = [(-counts[token], token) for token in tokens[2:]]
    left_out = [(-counts[token], token) for token in counts.keys() - vocabulary.keys()]
    assert ranks == sorted(ranks)
    assert max(ranks, default=(-np.inf,)) < min(left_out, default=(np.inf,))


@few
@given(sentences=texts, max_size=st.integers(2, 9), data=st.data())
def test_order_of_sentences_does_not_matter(sentences, max_size, data):
    moved = data.draw(st.permutations(sentences))
    expected = list(build_vocabulary(sentences, max_size).items())
    assert list(build_vocabulary(moved, max_size).items()) == expected


def test_text_stays_as_it_was():
    sentences = [list(HARRY), list(RON)]
    build_vocabulary(sentences, 4)
    assert sentences == [HARRY, RON]


# Indices


def test_encode_by_hand():
    vocabulary = {EOS: 0, UNK: 1, "harry": 2, "saw": 3}
    tokens = ["saw", "hermione", "harry", "saw"]
    same(encode(tokens, vocabulary), [3, 1, 2, 3, 0])
    assert tokens == ["saw", "hermione", "harry", "saw"]
    assert vocabulary == {EOS: 0, UNK: 1, "harry": 2, "saw": 3}


def test_an_empty_sentence_is_its_end():
    same(encode([], {EOS: 0, UNK: 1}), [0])


def test_the_vocabulary_says_which_index_is_special():
    same(encode(["b", "z"], {"b": 0, UNK: 4, EOS: 7}), [0, 4, 7])


def test_characters_are_tokens_too():
    same(encode("abz", build_vocabulary(["aab"], 9)), [2, 3, 1, 0])


@few
@given(sentences=texts)
def test_a_large_vocabulary_can_be_read_back(sentences):
    vocabulary = build_vocabulary(sentences, 100)
    tokens = list(vocabulary)
    for sentence in sentences:
        indices = encode(sentence, vocabulary)
        assert [tokens[i] for i in indices] == [*sentence, EOS]


@few
@given(sentences=texts, max_size=st.integers(2, 5))
def test_only_unknown_tokens_become_unk(sentences, max_size):
    vocabulary = build_vocabulary(sentences, max_size)
    tokens = list(vocabulary)
    for sentence in sentences:
        indices = encode(sentence, vocabulary)
        assert indices.dtype == int
        read = [token if token in vocabulary else UNK for token in sentence]
        assert [tokens[i] for i in indices] == [*read, EOS]


# Vectors


def test_one_hot_by_hand():
    expected = [[[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]], [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]]
    same(one_hot(frozen([[1, 0], [2, 1]]), 3), expected)
    same(one_hot(frozen([2, 2]), 3), [[0.0, 0.0, 1.0], [0.0, 0.0, 1.0]])
    same(one_hot(frozen(1), 3), [0.0, 1.0, 0.0])
    same(one_hot(np.array([1, 0])[0], 2), [0.0, 1.0])
    same(one_hot(frozen([[0]]), 1), [[[1.0]]])
    same(one_hot(np.zeros((0, 4), dtype=int), 3), np.zeros((0, 4, 3)))


def test_pytorch_sets_the_same_ones():
    torch = pytorch()
    indices = frozen(np.random.default_rng(0).integers(0, 7, (5, 3)))
    theirs = torch.nn.functional.one_hot(torch.tensor(np.array(indices)), 7)
    same(one_hot(indices, 7), theirs.double().numpy())


def test_a_matrix_reads_one_column_per_index():
    """This is why an embedding is a look-up."""
    Wax = np.random.default_rng(0).standard_normal((5, 7))
    indices = frozen([[3, 0], [6, 3], [1, 1]])
    same(one_hot(indices, 7) @ Wax.T, Wax.T[indices])


def test_a_large_vocabulary_costs_a_row_per_index():
    """A square matrix of this vocabulary would take 8 TB."""
    n_v = 1_000_000
    x = one_hot(frozen([0, n_v - 1]), n_v)
    assert x.shape == (2, n_v)
    same(x.argmax(axis=-1), [0, n_v - 1])
    assert x.sum() == 2


def test_an_index_outside_the_vocabulary_is_no_silent_zero():
    with pytest.raises(IndexError):
        one_hot(np.array([3]), 3)


# Padding


def test_padding_by_hand():
    indices, mask = pad_sequences(arrays([[5, 6], [7], [8, 9, 4]]))
    same(indices, [[5, 7, 8], [6, 0, 9], [0, 0, 4]])
    same(mask, [[True, True, True], [True, False, True], [False, False, True]])


@pytest.mark.parametrize("row", [[7], [7, 0, 3]])
def test_one_sequence_needs_no_padding(row):
    indices, mask = pad_sequences(arrays([row]))
    same(indices, np.array([row]).T)
    same(mask, np.full((len(row), 1), True))


def test_sequences_without_a_step_are_all_padding():
    for array in pad_sequences(arrays([[], []])):
        assert array.shape == (0, 2)
    indices, mask = pad_sequences(arrays([[], [3]]))
    same(indices, [[0, 3]])
    same(mask, [[False, True]])


@few
@given(rows=ragged)
def test_the_mask_undoes_the_padding(rows):
    """A token of index 0 is no padding, though it looks like it."""
    indices, mask = pad_sequences(arrays(rows))
    assert (indices.dtype, mask.dtype) == (int, bool)
    assert indices.shape == mask.shape == (max(map(len, rows)), len(rows))
    for i, row in enumerate(rows):
        assert indices[mask[:, i], i].tolist() == row
        assert mask[: len(row), i].all()
    assert mask.sum() == sum(map(len, rows))
    assert not indices[~mask].any()


def test_pytorch_pads_alike():
    torch = pytorch()
    rows = [[5, 6], [7], [8, 9, 4], [1, 2, 3]]
    theirs = torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows])
    same(pad_sequences(arrays(rows))[0], theirs.numpy())


def test_padding_copies():
    """Writing into the batch writes into no sentence."""
    sequence = np.array([1, 2])
    indices, _ = pad_sequences([sequence])
    indices[:] = 9
    same(sequence, [1, 2])


# From text to what a network reads


def test_a_batch_of_sentences():
    sentences = [["harry", "saw", "ron"], ["ron"]]
    vocabulary = build_vocabulary(sentences, 4)  # ron, and by the alphabet harry
    indices, mask = pad_sequences([encode(sentence, vocabulary) for sentence in sentences])
    x = one_hot(indices, len(vocabulary))
    same(indices, [[3, 2], [1, 0], [2, 0], [0, 0]])
    same(mask.sum(axis=0), [4, 2])
    assert x.shape == (4, 2, 4)
    same(x.argmax(axis=-1), indices)


# The five architectures


def test_every_task_has_one_of_the_five():
    """Both are read from the docstring, which is what a learner sees."""
    text = inspect.getdoc(architectures)
    kinds = re.findall(r'"([a-z ,]+)"', text)
    tasks = re.findall(r"^([a-z ]+)\n    \S", text, re.MULTILINE)
    answers = architectures()
    assert len(kinds) == 5 and list(answers) == tasks and len(tasks) == 7
    assert set(answers.values()) == set(kinds)  # and none of the five is left out


@pytest.mark.parametrize(
    ("task", "inputs", "outputs"),
    [
        ("tomorrow", 30, 1),
        ("genes", 1000, 1000),
        ("pronunciation", 7, 3),
        ("caption", 1, 9),
        ("digit", 1, 1),
        ("speaker", 300, 1),
        ("next letter", 50, 50),
    ],
)
def test_an_architecture_follows_from_counting(task, inputs, outputs):
    """One or many in, one or many out; and if both are many, whether they are as many."""
    kind = f"{'many' if inputs > 1 else 'one'} to {'many' if outputs > 1 else 'one'}"
    if kind == "many to many":
        kind += ", equal lengths" if inputs == outputs else ", other lengths"
    assert architectures()[task] == kind
