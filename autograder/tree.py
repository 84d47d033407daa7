"""Values as plain trees: what may cross from a learner's code to whoever judges it.

A plain tree is made of None, bool, int, float, str, numeric arrays, lists, tuples, dicts with
string keys, and `Record` (a NamedTuple, by name). Whatever else a function returns becomes an
`Opaque`, which says its type and nothing more, so that no foreign object takes part in a
comparison.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

import course.given
from autograder.specs import SPECS

NUMERIC = "biufc"
SCALARS = (bool, int, float, str, type(None))


@dataclass(frozen=True)
class Record:
    """A NamedTuple without its class: the name of the class and the fields in order."""

    kind: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class Opaque:
    """Something that is no data: only its type's name is kept."""

    kind: str


def plain(value: Any, depth: int = 12) -> Any:
    """The plain tree of a value.

    Lists of numbers become arrays where they are regular, since a list is as good an answer
    as an array; array-likes of other libraries are read through NumPy.
    """
    if isinstance(value, Record | Opaque):
        return value
    if depth == 0:
        return Opaque("deeply nested " + type(value).__name__)
    if isinstance(value, str):
        return str(value)
    if type(value) in SCALARS:
        return value
    if isinstance(value, np.ndarray | np.generic):
        return _array(value, depth)
    names = getattr(value, "_fields", None)
    if isinstance(value, tuple) and names:
        named = zip(names, value, strict=True)
        return Record(type(value).__name__, {str(k): plain(v, depth - 1) for k, v in named})
    if isinstance(value, list | tuple):
        items = [plain(item, depth - 1) for item in value]
        return tuple(items) if isinstance(value, tuple) else _regular(items)
    if isinstance(value, Mapping):
        return {str(k): plain(v, depth - 1) for k, v in value.items()}
    if hasattr(value, "__array__"):
        return _array(np.asarray(value), depth)
    return Opaque(type(value).__name__)


def _array(value: Any, depth: int) -> Any:
    array = np.array(value, copy=True, subok=False)
    if array.dtype == np.longdouble:
        array = array.astype(float)  # the wire knows types that are the same on every machine
    if array.dtype.kind in NUMERIC and array.dtype.itemsize <= 16:
        return array
    if array.dtype.kind in "OU" and array.ndim:
        return plain(array.tolist(), depth - 1)
    return Opaque(f"array of {array.dtype}")


def _regular(items: list[Any]) -> Any:
    """A list of numbers or of equal arrays as one array; any other list as it is."""
    if not items or not all(_numeric(item) for item in items):
        return items
    if len({np.shape(item) for item in items}) > 1:
        return items
    return np.array(items)


def _numeric(item: Any) -> bool:
    if isinstance(item, np.ndarray):
        return item.dtype.kind in NUMERIC
    return isinstance(item, bool | float) or (type(item) is int and abs(item) < 1 << 63)


def revive(tree: Any) -> Any:
    """A plain tree with the course's own NamedTuples in place of their records."""
    if isinstance(tree, Record):
        fields = {name: revive(value) for name, value in tree.fields.items()}
        kind: Any = SPECS.get(tree.kind) or getattr(course.given, tree.kind, None)
        known = kind is not None and getattr(kind, "_fields", None) == tuple(fields)
        return kind(**fields) if known else tree
    if isinstance(tree, list | tuple):
        return type(tree)(revive(item) for item in tree)
    if isinstance(tree, dict):
        return {key: revive(value) for key, value in tree.items()}
    return tree.copy() if isinstance(tree, np.ndarray) else tree


def put(tree: Any, path: str, others: Mapping[str, Any]) -> Any:
    """A tree with other leaves at some paths, which are those of `leaves`."""
    if isinstance(tree, Record):
        fields = {n: put(value, f"{path}.{n}", others) for n, value in tree.fields.items()}
        return Record(tree.kind, fields)
    if isinstance(tree, list | tuple):
        return type(tree)(put(value, f"{path}[{i}]", others) for i, value in enumerate(tree))
    if isinstance(tree, dict):
        return {key: put(value, f"{path}[{key!r}]", others) for key, value in tree.items()}
    return others.get(path, tree)


def leaves(tree: Any, path: str = "") -> dict[str, Any]:
    """The arrays and scalars of a tree by their paths, such as ``caches[2].a_prev``."""
    return dict(_leaves(tree, path))


def leaves_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """The arrays and scalars of several values, such as the arguments of a case, by their paths."""
    return {path: leaf for name, v in values.items() for path, leaf in _leaves(plain(v), name)}


def _leaves(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(tree, Record):
        for name, value in tree.fields.items():
            yield from _leaves(value, f"{path}.{name}")
    elif isinstance(tree, list | tuple):
        for i, value in enumerate(tree):
            yield from _leaves(value, f"{path}[{i}]")
    elif isinstance(tree, dict):
        for key, value in tree.items():
            yield from _leaves(value, f"{path}[{key!r}]")
    else:
        yield path, tree


def describe(value: Any) -> str:
    """A value in a few words: its shape where it has one, else its type or its text."""
    value = plain(value)
    if isinstance(value, np.ndarray):
        return f"{value.shape}" if value.ndim else repr(value.item())
    if isinstance(value, Record | Opaque):
        return value.kind
    if isinstance(value, list | tuple | dict):
        return f"{type(value).__name__} of {len(value)}"
    try:
        text = repr(value)
    except ValueError:
        return "a number of very many digits"
    return text if len(text) < 40 else text[:37] + "..."
