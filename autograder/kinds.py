"""Of what kind an answer is: one array or several, a record, a dict, numbers at all."""

import re
from collections.abc import Sequence
from itertools import permutations
from typing import Any

import numpy as np

from autograder.tree import Opaque, Record, describe

Misfit = tuple[str, str]
"""What is of the wrong kind, and why that may be."""
PLURALS = {"part": "parts", "entry": "entries"}


def misfit(expected: Any, got: Any, path: str, returns: Sequence[str] = ()) -> Misfit | None:
    """The first place where a value is of the wrong kind, and why that may be."""
    name = path or (returns[0] if len(returns) == 1 else "the value returned")
    if isinstance(expected, np.ndarray):
        what = "an array or a list of numbers" if expected.ndim else "a number"
        return _no_numbers(name, got, returns, what)
    if got is None:
        return f"{name} is None.", "Is there a return at the end?" if not path else ""
    if isinstance(expected, Record):
        return _record(expected, got, path, name)
    if isinstance(expected, tuple | list):
        return _sequence(expected, got, path, name, returns)
    if isinstance(expected, dict):
        return _dict(expected, got, name)
    return _scalar(expected, got, name, returns)


def _scalar(expected: Any, got: Any, name: str, returns: Sequence[str]) -> Misfit | None:
    value = plain_scalar(got)
    if isinstance(expected, bool | str):
        wrong = type(value) is not type(expected)
        text = f"{name} is {describe(got)}, not a {type(expected).__name__}."
        return (text, "") if wrong else None
    if isinstance(value, np.ndarray):
        return f"{name} has shape {value.shape}; one number is expected.", ""
    return _no_numbers(name, got, returns, "a number")


def _no_numbers(name: str, got: Any, returns: Sequence[str], what: str) -> Misfit | None:
    array = numbers(got)
    if got is None:
        inside = "." in name or "[" in name
        first = "Is it" if inside else "Is there a return, and is it"
        return f"{name} is None.", f"{first} given a value on every path?"
    if array is None:
        alone = isinstance(got, tuple) and len(returns) == 1
        why = f"Only {name} is to be returned." if alone else ""
        return f"{name} is {a(got)}, not {what}{_first_odd(got)}.", why
    if array.dtype.kind == "c":
        return f"{name} holds complex numbers; real ones are expected.", ""
    return None


def _first_odd(got: Any) -> str:
    """What keeps a list from being an array, if that can be said in a few words."""
    if not isinstance(got, list):
        return ""
    for i, item in enumerate(got):
        if numbers(item) is None:
            return f": entry {i} is {a(item) if item is not None else None}"
        if np.shape(item) != np.shape(got[0]):
            return f": entry 0 has shape {np.shape(got[0])}, entry {i} {np.shape(item)}"
    return ""


def _record(expected: Record, got: Any, path: str, name: str) -> Misfit | None:
    fields = ", ".join(expected.fields)
    if not isinstance(got, Record):
        text = f"{name} is {a(got)}, not {_article(expected.kind)}({fields})."
        return text, _why_no_record(expected, got)
    missing = [field for field in expected.fields if field not in got.fields]
    if missing:
        text = f"{name} has no field {missing[0]}; {_article(expected.kind)} has {fields}."
        return text, ""
    pairs = ((f"{path}.{f}", v, got.fields[f]) for f, v in expected.fields.items())
    return next((bad for p, e, g in pairs if (bad := misfit(e, g, p.lstrip(".")))), None)


def _why_no_record(expected: Record, got: Any) -> str:
    if not isinstance(got, tuple | list | dict) or not got:
        return ""
    if any(isinstance(part, Record) and part.kind == expected.kind for part in got):
        return "One of its parts is what is asked for: take what was returned apart."
    if len(got) == len(expected.fields):
        return f"Its parts may be right: put them into {_article(expected.kind)}."
    if isinstance(got, tuple) and len(got) % len(expected.fields) == 0:
        return "+ puts one tuple behind the other. Add up what is in them, field by field."
    return ""


def _dict(expected: dict[str, Any], got: Any, name: str) -> Misfit | None:
    if not isinstance(got, dict):
        alone = isinstance(got, tuple) and any(isinstance(part, dict) for part in got)
        return f"{name} is {a(got)}, not a dict.", f"Only {name} is to be returned." * alone
    missing = [key for key in expected if key not in got]
    extra = [key for key in got if key not in expected]
    if missing:
        instead = f", one of them for {extra[0]!r}, where none is expected" if extra else ""
        entries = _count(len(got), "entry")
        return f"{name} has no entry for {missing[0]!r}; it has {entries}{instead}.", ""
    if extra:
        text = f"{name} has {len(got)} entries; {len(expected)} are expected, and none for"
        return f"{text} {extra[0]!r}.", ""
    pairs = ((f"{name}[{key!r}]", value, got[key]) for key, value in expected.items())
    return next((bad for path, want, have in pairs if (bad := misfit(want, have, path))), None)


def _sequence(
    expected: Any, got: Any, path: str, name: str, returns: Sequence[str]
) -> Misfit | None:
    several = len(returns) > 1
    if isinstance(got, np.ndarray) and got.ndim and (len(got) == len(expected) or not expected):
        got = list(got)
    if not isinstance(got, tuple | list):
        kind = type(expected).__name__
        what = f"({', '.join(returns)})" if several else f"a {kind} of {len(expected)}"
        return f"{name} is {a(got)}; {what} is expected.", _why_no_several(got, returns)
    if len(got) != len(expected):
        part = "part" if several else "entry"
        asked = {0: "none is", 1: "1 is"}.get(len(expected), f"{len(expected)} are")
        names = f": ({', '.join(returns)})" if several else ""
        text = f"{name} has {_count(len(got), part)}; {asked} expected{names}."
        return text, _why_so_many(expected, got, returns)
    for i, (want, have) in enumerate(zip(expected, got, strict=True)):
        part = returns[i] if several else f"{name}[{i}]"
        problem = misfit(want, have, part)
        if problem:
            text, why = problem
            return text, why or _why_in_this_order(expected, got, returns)
    return None


def _why_no_several(got: Any, returns: Sequence[str]) -> str:
    """Why one value may stand where several are to be returned."""
    if len(returns) < 2:
        return ""
    if isinstance(got, dict):
        return f"No dict is asked for: return {', '.join(returns)}, side by side."
    return "Is something left out of the return?"


def _why_in_this_order(expected: Any, got: Any, returns: Sequence[str]) -> str:
    """That the parts of what is returned are of the right kinds, in another order."""
    for order in permutations(got) if len(returns) > 1 else ():
        if all(
            misfit(want, have, "part") is None for want, have in zip(expected, order, strict=True)
        ):
            return f"In another order these would be of the right kinds: ({', '.join(returns)})."
    return ""


def _why_so_many(expected: Any, got: Any, returns: Sequence[str]) -> str:
    """Why there may be more parts than are expected, or fewer, of what is returned."""
    flat = sum(len(part) if isinstance(part, tuple) else 1 for part in expected)
    if len(got) == 1 and isinstance(got[0], tuple) and len(got[0]) == len(expected):
        return "They stand in a tuple inside a tuple: is there a comma too many?"
    several = [n for n, p in zip(returns, expected, strict=False) if isinstance(p, tuple)]
    if len(got) == flat and several:
        return f"{several[0]} is one part: a tuple."
    for name, part in zip(returns, expected, strict=False):
        if isinstance(part, Record) and len(got) == len(expected) - 1 + len(part.fields):
            return f"{name} is one part: {_article(part.kind)} of {', '.join(part.fields)}."
    return ""


def _count(n: int, thing: str) -> str:
    return f"1 {thing}" if n == 1 else f"{n} {PLURALS[thing]}"


def a(got: Any) -> str:
    """What a value is, in a few words with an article."""
    if isinstance(got, np.ndarray):
        return f"one array of shape {got.shape}" if got.ndim else "one number"
    if isinstance(got, str | bool | int | float):
        return f"the text {describe(got)}" if isinstance(got, str) else describe(got)
    if got == Opaque("type"):
        return "a class, and no object of it"
    return _article(got.kind if isinstance(got, Record | Opaque) else describe(got))


def _article(word: str) -> str:
    """A word behind its article, as it is spoken: an OutputParams, an RNNCache, a GRUCache."""
    spoken_with_a_vowel = re.match("[AEIOaeio]|[FHLMNRSX][A-Z]", word)
    return f"{'an' if spoken_with_a_vowel else 'a'} {word}"


def plain_scalar(value: Any) -> Any:
    """A 0-d array as the Python value that it is."""
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def numbers(value: Any) -> np.ndarray | None:
    """A value as an array of numbers, or None."""
    if isinstance(value, bool | int | float) or (isinstance(value, list) and not value):
        value = np.asarray(value)  # a longer list of numbers is an array since `plain`
    numeric = isinstance(value, np.ndarray) and value.dtype.kind in "biufc"
    return value if numeric else None
