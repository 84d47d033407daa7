"""Plain trees as bytes: a JSON head and raw little-endian buffers, and never a pickle.

`unpack` trusts nothing: everything that it would allocate is bounded first, types come from a
white-list, bytes that are left over are an error, and so is an array that is named twice (a few
bytes would stand for gigabytes as soon as somebody copies it). Only files of our own, which `pack`
wrote with `share`, may do that.
"""

import json
import math
import struct
from typing import Any

import numpy as np

from autograder.tree import Opaque, Record

DTYPES = {
    np.dtype(code).newbyteorder("<").str
    for code in (
        "b1",
        "i1",
        "i2",
        "i4",
        "i8",
        "u1",
        "u2",
        "u4",
        "u8",
        "f2",
        "f4",
        "f8",
        "c8",
        "c16",
    )
}
MAX_BYTES = 32 << 20
MAX_NODES = 1 << 16
MAX_DEPTH = 24
MAX_DIMENSIONS = 8
MAX_TEXT = 1 << 16
MAX_NAME = 200
HEAD_PER_NODE = 64  # bytes of JSON that a node may take, on average; a number takes about 30
LISTS_PER_NODE = 4  # of an array, which has the most: its node, its head, its shape
TABLE_PER_NODE = 1024  # characters, were all texts as long as the longest, as in a NumPy array
PATHS_PER_NODE = 128  # characters of "caches[2].a_prev": leaves are known by their whole paths


class WireError(ValueError):
    """Bytes that are no packed tree, or one that is larger than allowed."""


def pack(tree: Any, share: bool = False) -> bytes:
    """The bytes of a plain tree.

    Parameters
    ----------
    tree : plain tree
    share : bool, optional
        Whether arrays that are equal to the last bit are written once.

    Raises
    ------
    WireError
        The tree holds something that is not plain.
    """
    heads: list[list[Any]] = []
    buffers: list[bytes] = []
    places: dict[tuple[str, tuple[int, ...], bytes], int] = {}

    def place(node: np.ndarray) -> int:
        array = node.astype(node.dtype.newbyteorder("<"), order="C", copy=False)
        content, following = array.tobytes(), len(buffers)
        if share:
            found = places.setdefault((array.dtype.str, array.shape, content), following)
            if found < following:
                return found
        heads.append([array.dtype.str, list(array.shape)])
        buffers.append(content)
        return following

    def walk(node: Any) -> Any:
        if isinstance(node, np.ndarray):
            return ["a", place(node)]
        if node is None or type(node) in (bool, str):
            return ["v", node]
        if type(node) is int:
            return ["i", str(node)]
        if type(node) is float:
            return ["f", repr(node)]
        if isinstance(node, Opaque):
            return ["o", node.kind]
        if isinstance(node, Record):
            return ["r", node.kind, [[name, walk(value)] for name, value in node.fields.items()]]
        if type(node) is dict:
            return ["d", [[key, walk(value)] for key, value in node.items()]]
        if type(node) in (list, tuple):
            return ["l" if type(node) is list else "t", [walk(item) for item in node]]
        raise WireError(f"a {type(node).__name__} is no plain data")

    head = json.dumps([walk(tree), heads], allow_nan=False).encode()
    return struct.pack("<Q", len(head)) + head + b"".join(buffers)


def unpack(
    data: bytes, max_bytes: int = MAX_BYTES, max_nodes: int = MAX_NODES, share: bool = False
) -> Any:
    """The plain tree in these bytes, checked at every step.

    Parameters
    ----------
    data : bytes
    max_bytes, max_nodes : int, optional
    share : bool, optional
        Whether one array may stand in several places: never in what comes from others.

    Raises
    ------
    WireError
        Says what is wrong; nothing larger than `max_bytes` is ever allocated.
    """
    if not 8 <= len(data) <= max_bytes:
        raise WireError(f"{len(data)} bytes, and 8 to {max_bytes} are allowed")
    (length,) = struct.unpack("<Q", data[:8])
    if length > len(data) - 8:
        raise WireError("the head is cut short")
    head = _head(data[8 : 8 + length], max_nodes)
    if not (isinstance(head, list) and len(head) == 2):
        raise WireError("the head is no pair")
    arrays = _arrays(head[1], data, 8 + length, max_nodes)
    return _Reader(arrays, max_nodes, share).read(head[0], 0, 0)


def _head(text: bytes, max_nodes: int) -> Any:
    """The head's JSON, of which neither the size nor the number of lists runs away."""
    if len(text) > HEAD_PER_NODE * max_nodes:
        raise WireError(f"the head has {len(text)} bytes, too many")
    if text.count(b"[") + text.count(b"{") > LISTS_PER_NODE * max_nodes:
        raise WireError("the head has too many lists")
    try:
        return json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError):
        raise WireError("the head is not JSON") from None


def _arrays(heads: Any, data: bytes, start: int, most: int) -> list[np.ndarray]:
    if not isinstance(heads, list) or len(heads) > most:
        raise WireError("too many arrays, or none listed")
    arrays = []
    for head in heads:
        dtype, shape = _array_head(head)
        size = math.prod(shape) * dtype.itemsize
        if size > len(data) - start:
            raise WireError(f"an array of shape {tuple(shape)} is cut short")
        arrays.append(_array(data, dtype, shape, start))
        start += size
    if start != len(data):
        raise WireError(f"{len(data) - start} bytes are left over")
    return arrays


def _array(data: bytes, dtype: np.dtype, shape: list[int], start: int) -> np.ndarray:
    array = np.frombuffer(data, dtype, count=math.prod(shape), offset=start).reshape(shape)
    if dtype.kind == "b" and (array.view("u1") > 1).any():
        raise WireError("a boolean that is neither 0 nor 1")
    return array


def _array_head(head: Any) -> tuple[np.dtype, list[int]]:
    if not (isinstance(head, list) and len(head) == 2 and isinstance(head[1], list)):
        raise WireError("an array's head is no [type, shape]")
    code, shape = head
    if not isinstance(code, str) or code not in DTYPES:
        raise WireError(f"arrays of type {code!r:.20} are not allowed")
    if len(shape) > MAX_DIMENSIONS or not all(type(n) is int and 0 <= n < 1 << 32 for n in shape):
        raise WireError("an array's shape is out of bounds")
    if math.prod(n or 1 for n in shape) >= 1 << 32:
        raise WireError("an empty array with sides that are out of bounds")
    return np.dtype(code), shape


class _Reader:
    """Reads the nodes of a head, counting them."""

    def __init__(self, arrays: list[np.ndarray], max_nodes: int, share: bool):
        self.arrays: list[np.ndarray | None] = [*arrays]
        self.share = share
        self.left, self.path_left = max_nodes, max_nodes * PATHS_PER_NODE
        self.texts, self.longest, self.table = 0, 0, max_nodes * TABLE_PER_NODE

    def read(self, node: Any, depth: int, path: int) -> Any:
        """The tree under a node that lies `depth` nodes and `path` characters of names down."""
        self.left -= 1
        self.path_left -= path
        if self.left < 0 or depth > MAX_DEPTH or self.path_left < 0:
            raise WireError("the tree has too many nodes, or is too deep")
        match node:
            case ["a", int(i)] if type(i) is int and 0 <= i < len(self.arrays):
                return self._array(i)
            case ["v", (None | bool()) as value]:
                return value
            case ["v", str(text)]:
                return self._value(text)
            case ["i", str(digits)] if len(digits) < 4096:
                return _number(int, digits)
            case ["f", str(digits)] if len(digits) < 40:
                return _number(float, digits)
            case ["o", str(kind)]:
                return Opaque(_text(kind))
            case ["r", str(kind), list(pairs)]:
                return Record(_text(kind), self._pairs(pairs, depth, path))
            case ["d", list(pairs)]:
                return self._pairs(pairs, depth, path)
            case ["l", list(items)]:
                return [self.read(item, depth + 1, path) for item in items]
            case ["t", list(items)]:
                return tuple(self.read(item, depth + 1, path) for item in items)
        raise WireError("a node of no known kind")

    def _array(self, i: int) -> np.ndarray:
        array = self.arrays[i]
        if array is None:
            raise WireError("one array stands in two places")
        if not self.share:
            self.arrays[i] = None
        return array

    def _value(self, text: str) -> str:
        self.texts, self.longest = self.texts + 1, max(self.longest, len(text))
        if self.texts * self.longest > self.table:
            raise WireError("many texts, one of which is very long")
        return _text(text, MAX_TEXT)

    def _pairs(self, pairs: list[Any], depth: int, path: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for pair in pairs:
            if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
                raise WireError("a field without a name")
            name = _text(pair[0])
            if name in found:
                raise WireError("two fields of one name")
            found[name] = self.read(pair[1], depth + 1, path + len(name))
        return found


def _text(text: str, most: int = MAX_NAME) -> str:
    """A text of bounded length that can be written to any file."""
    if len(text) > most:
        raise WireError(f"a text of {len(text)} characters; {most} are allowed here")
    return text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates


def _number(kind: type, digits: str) -> Any:
    try:
        return kind(digits)
    except ValueError:
        raise WireError(f"{digits:.20} is no {kind.__name__}") from None
