"""Values survive the trip as plain trees; anything else is refused."""

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograder import wire
from autograder.tree import Opaque, Record, describe, leaves, plain, revive
from autograder.trial import identical
from course.given import RNNCache, RNNParams

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
arrays = hnp.arrays(
    st.sampled_from(["f8", "f4", "i8", "u1", "?", "c16"]), hnp.array_shapes(min_dims=0, max_side=3)
)
trees = st.recursive(
    scalars | arrays,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=10,
)


@given(trees)
def test_a_plain_tree_survives_the_wire(value):
    tree = plain(value)
    assert identical(wire.unpack(wire.pack(tree)), tree)


@given(trees)
def test_so_it_does_where_equal_arrays_are_written_once(value):
    tree = plain([value, value])
    assert identical(wire.unpack(wire.pack(tree, share=True), share=True), tree)


def test_equal_arrays_are_written_once_only_where_that_is_asked_for():
    tree = [np.zeros(100), np.zeros(100), np.zeros(100, "f4"), -np.zeros(100)]
    shared, plain_ = wire.pack(tree, share=True), wire.pack(tree)
    assert len(plain_) - len(shared) > 800
    assert not any(array.flags.writeable for array in wire.unpack(shared, share=True))
    with pytest.raises(wire.WireError, match="two places"):
        wire.unpack(shared)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused_with_one_kind_of_error(data):
    with pytest.raises(wire.WireError):
        wire.unpack(data)


def packed(head, tail=b""):
    text = json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + tail


@pytest.mark.parametrize(
    "data",
    [
        packed([["a", 0], [["<f8", [1 << 31, 1 << 31]]]]),
        packed([["a", 0], [["<f8", [2]]]], b"\0" * 8),
        packed([["a", 0], [["<f8", [1]]]], b"\0" * 9),
        packed([["a", 0], [["|O", [1]]]], b"\0" * 8),
        packed([["a", 0], [["<f8", [-1]]]]),
        packed([["a", 1], []]),
        packed([["a", True], [["<f8", []]]], b"\0" * 8),
        packed([["i", "9" * 5000], []]),
        packed([["f", "nine"], []]),
        packed([["x", 1], []]),
        packed([["r", "RNNCache", [[1, ["v", None]]]], []]),
        packed("not a pair"),
        struct.pack("<Q", 1 << 40) + b"{}",
        struct.pack("<Q", 6) + b"[[[[[[",
    ],
)
def test_forged_bytes_are_refused(data):
    with pytest.raises(wire.WireError):
        wire.unpack(data)


def test_a_deep_tree_is_refused():
    head = ["v", None]
    for _ in range(100):
        head = ["l", [head]]
    with pytest.raises(wire.WireError, match="too deep"):
        wire.unpack(packed([head, []]))


def test_named_tuples_travel_by_name_and_come_back_as_the_course_s_own():
    params = RNNParams(np.ones((2, 3)), np.eye(2), np.zeros(2))
    back = revive(wire.unpack(wire.pack(plain({"params": params}))))["params"]
    assert isinstance(back, RNNParams)
    np.testing.assert_array_equal(back.Waa, np.eye(2))


def test_a_foreign_record_stays_a_record():
    assert revive(Record("Popen", {"args": "ls"})) == Record("Popen", {"args": "ls"})
    assert isinstance(revive(Record("RNNCache", {"x_t": 1})), Record)


class AlwaysEqual:
    def __eq__(self, other):
        return True

    __hash__ = None


class Sly(np.ndarray):
    def __abs__(self):
        return np.zeros(self.shape)


def test_foreign_objects_become_opaque():
    assert plain(AlwaysEqual()) == Opaque("AlwaysEqual")
    assert plain(x for x in ()) == Opaque("generator")
    assert type(plain(np.ones(2).view(Sly))) is np.ndarray


def test_lists_of_numbers_are_arrays_and_ragged_ones_stay_lists():
    np.testing.assert_array_equal(plain([[1, 2], [3, 4]]), [[1, 2], [3, 4]])
    assert isinstance(plain([[1, 2], [3]]), list)
    assert plain([RNNCache(1, 2, 3)]) == [Record("RNNCache", {"x_t": 1, "a_prev": 2, "a": 3})]


def test_leaves_are_named_as_a_learner_would_write_them():
    tree = plain((np.ones(1), [RNNCache(1.0, 2.0, 3.0)]))
    assert list(leaves(tree, "r")) == ["r[0]", "r[1][0].x_t", "r[1][0].a_prev", "r[1][0].a"]


def test_describe():
    assert describe(np.ones((2, 3))) == "(2, 3)"
    assert describe(None) == "None"
    assert describe([1, "a"]) == "list of 2"
