"""Plain trees as bytes: a JSON head and raw little-endian buffers, and never a pickle.

`unpack` trusts nothing: everything that it would allocate is bounded first, types come from a
white-list, and bytes that are left over are an error.
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


class WireError(ValueError):
    """Bytes that are no packed tree, or one that is larger than allowed."""


def pack(tree: Any) -> bytes:
    """The bytes of a plain tree.

    Raises
    ------
    WireError
        The tree holds something that is not plain.
    """
    heads: list[list[Any]] = []
    buffers: list[bytes] = []

    def walk(node: Any) -> Any:
        if isinstance(node, np.ndarray):
            array = node.astype(node.dtype.newbyteorder("<"), order="C", copy=False)
            heads.append([array.dtype.str, list(node.shape)])
            buffers.append(array.tobytes())
            return ["a", len(buffers) - 1]
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


def unpack(data: bytes, max_bytes: int = MAX_BYTES, max_nodes: int = MAX_NODES) -> Any:
    """The plain tree in these bytes, checked at every step.

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
    try:
        head = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        raise WireError("the head is not JSON") from None
    if not (isinstance(head, list) and len(head) == 2):
        raise WireError("the head is no pair")
    arrays = _arrays(head[1], data, 8 + length, max_nodes)
    return _Reader(arrays, max_nodes).read(head[0], 0)


def _arrays(heads: Any, data: bytes, start: int, most: int) -> list[np.ndarray]:
    if not isinstance(heads, list) or len(heads) > most:
        raise WireError("too many arrays, or none listed")
    arrays = []
    for head in heads:
        dtype, shape = _array_head(head)
        size = math.prod(shape) * dtype.itemsize
        if size > len(data) - start:
            raise WireError(f"an array of shape {tuple(shape)} is cut short")
        flat = np.frombuffer(data, dtype, count=math.prod(shape), offset=start)
        arrays.append(flat.reshape(shape))
        start += size
    if start != len(data):
        raise WireError(f"{len(data) - start} bytes are left over")
    return arrays


def _array_head(head: Any) -> tuple[np.dtype, list[int]]:
    if not (isinstance(head, list) and len(head) == 2 and isinstance(head[1], list)):
        raise WireError("an array's head is no [type, shape]")
    code, shape = head
    if not isinstance(code, str) or code not in DTYPES:
        raise WireError(f"arrays of type {code!r:.20} are not allowed")
    if len(shape) > MAX_DIMENSIONS or not all(type(n) is int and 0 <= n < 1 << 32 for n in shape):
        raise WireError("an array's shape is out of bounds")
    return np.dtype(code), shape


class _Reader:
    """Reads the nodes of a head, counting them."""

    def __init__(self, arrays: list[np.ndarray], max_nodes: int):
        self.arrays, self.left = arrays, max_nodes

    def read(self, node: Any, depth: int) -> Any:
        self.left -= 1
        if self.left < 0 or depth > MAX_DEPTH:
            raise WireError("the tree has too many nodes, or is too deep")
        match node:
            case ["a", int(i)] if type(i) is int and 0 <= i < len(self.arrays):
                return self.arrays[i]
            case ["v", (None | bool() | str()) as value] if not _long(value):
                return value
            case ["i", str(digits)] if len(digits) < 4096:
                return _number(int, digits)
            case ["f", str(digits)] if len(digits) < 40:
                return _number(float, digits)
            case ["o", str(kind)] if not _long(kind):
                return Opaque(kind)
            case ["r", str(kind), list(pairs)] if not _long(kind):
                return Record(kind, self._pairs(pairs, depth))
            case ["d", list(pairs)]:
                return self._pairs(pairs, depth)
            case ["l", list(items)]:
                return [self.read(item, depth + 1) for item in items]
            case ["t", list(items)]:
                return tuple(self.read(item, depth + 1) for item in items)
        raise WireError("a node of no known kind")

    def _pairs(self, pairs: list[Any], depth: int) -> dict[str, Any]:
        found = {}
        for pair in pairs:
            if not (isinstance(pair, list) and len(pair) == 2 and isinstance(pair[0], str)):
                raise WireError("a field without a name")
            found[pair[0]] = self.read(pair[1], depth + 1)
        return found


def _long(text: str | bool | None) -> bool:
    return isinstance(text, str) and len(text) > MAX_TEXT


def _number(kind: type, digits: str) -> Any:
    try:
        return kind(digits)
    except ValueError:
        raise WireError(f"{digits:.20} is no {kind.__name__}") from None
