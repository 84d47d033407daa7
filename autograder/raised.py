"""What usually lies behind an exception."""

import inspect
import re
from collections.abc import Callable

import numpy as np

import course.given
from autograder.answers import AnswerKey
from autograder.standins import STAND_INS
from autograder.trial import Failure

NUMBER = r"(?:int|float|bool|numpy\.(?:float|int|bool)\w*)"
Says = str | Callable[[re.Match[str], Failure], str]


def cause(key: AnswerKey, failure: Failure) -> str:
    """What usually lies behind an exception of this kind, or an empty string."""
    if failure.kind == "NotImplementedError":
        return f"{failure.function} is not written yet, and {key.name} calls it."
    called = key.name in failure.message or not failure.function
    if failure.kind == "TypeError" and "positional argument" in failure.message:
        if called:
            return f"{key.name} takes ({', '.join(key.signature)}), in this order."
        for name in key.calls:
            if f"{name}()" in failure.message:
                return f"{_signature(name)} is how it is called."
    inside = ""
    if failure.function in key.calls:
        inside = f"It was raised inside {_signature(failure.function)}: look at what it was given. "
    return (inside + (_time_last(key, failure) or _frequent(failure))).strip()


def _signature(name: str) -> str:
    """A graded function as it is called."""
    return f"{name}({', '.join(inspect.signature(STAND_INS[name]).parameters)})"


def _time_last(key: AnswerKey, failure: Failure) -> str:
    """That one step is taken along another axis than the first, or an empty string."""
    match = re.search(r"(\w+)\[(?::|\.\.\.), (?::, )?(t|step)\b", failure.source)
    if not match or key.axes.get(match[1], ("",))[0] not in ("T_x", "T_y"):
        return ""
    name, t = match.groups()
    axes = ", ".join(key.axes[name])
    return f"Time is the first axis of {name}, ({axes}): one step of all examples is {name}[{t}]."


def _frequent(failure: Failure) -> str:
    """What to say of the first kind of message that fits."""
    for kinds, pattern, says in FREQUENT:
        match = failure.kind in kinds and re.search(pattern, failure.message)
        if match:
            return says if isinstance(says, str) else says(match, failure)
    return ""


def _product(match: re.Match[str], failure: Failure) -> str:
    shapes = [shape for shape in failure.shapes.values() if shape.startswith("(")]
    if "@" in failure.source and len(shapes) > 1 and len(set(shapes)) == 1:
        return "@ is the matrix product; * multiplies arrays of one shape, entry by entry."
    return (
        "The inner sizes of a matrix product must agree. Rows are examples here: "
        "x_t is (m, n_x) and W (n_a, n_x), so the product is x_t @ W.T."
    )


def _broadcast(match: re.Match[str], failure: Failure) -> str:
    text = "Two arrays of these shapes cannot be added or assigned: compare them axis by axis."
    shapes = [shape.strip(",") for shape in re.findall(r"\(([\d,]*)\)", failure.message)]
    one, two = sorted(shapes, key=len) if len(shapes) == 2 else ("", "")
    column = [shape.removesuffix(",1") for shape in shapes if shape.endswith(",1")]
    if column and column[0] in [shape.split(",")[-1] for shape in shapes]:
        return (
            f"{text} An array of shape ({column[0]},) is added to every row as it is: it needs no "
            "axis of length 1 behind it."
        )
    if one and two.startswith(f"{one},"):
        text += (
            " One of them lacks the other's last axis: keepdims=True keeps an axis that is summed, "
            "and [..., np.newaxis] adds one."
        )
    return text


def _new(match: re.Match[str], failure: Failure) -> str:
    kind, missing = match.groups()
    if not _fields(kind):
        return ""
    takes = f"{kind} takes {', '.join(_fields(kind))}, each as an argument of its own."
    several = missing is not None and int(missing) > 1
    return f"{takes} A star spreads what is in a list: {kind}(*several)." if several else takes


PYTORCH = {
    "t": ".T",
    "unsqueeze": "[..., np.newaxis]",
    "permute": "transpose",
    "clone": "copy",
    "float": "astype(float)",
    "long": "astype(int)",
    "numel": "size",
}
"""What PyTorch's tensors have, and what NumPy's arrays have in its place."""


def _no_attribute(match: re.Match[str], failure: Failure) -> str:
    kind, name = match.groups()
    if kind == "NoneType" and name == "append":
        return "append changes its list and returns None, which was given to the list's name."
    if kind == "numpy.ndarray" and name in PYTORCH:
        return f"That is PyTorch's; NumPy's arrays have {PYTORCH[name]}."
    if kind == "numpy.ndarray" and not hasattr(list, name) and hasattr(np, name):
        return f"It is a function of NumPy, and no method: np.{name}(...)."
    if _fields(kind) and hasattr(dict, name):
        return f"A NamedTuple is no dict. Its fields are {', '.join(_fields(kind))}."
    if _fields(kind):
        return f"The fields of {kind} are {', '.join(_fields(kind))}."
    if kind == "numpy.ndarray" and hasattr(list, name):
        return f"Lists have a method {name}, and arrays have none."
    if kind == "list" and hasattr(str, name) and not hasattr(list, name):
        return "It is a list, and no text."
    if kind == "tuple" and hasattr(list, name):
        return "It is a tuple, which cannot be changed; list(...) makes a list of it."
    if any(name in fields for fields in _RECORDS):
        several = kind in ("list", "tuple")
        return f"{name} is a field of {'each part of it' if several else 'a NamedTuple'}" + (
            f": which one, as in caches[t].{name}?" if several else ", and this is none."
        )
    if kind in ("list", "tuple") and hasattr(np.ndarray, name):
        return f"It is a {kind}, and no array; np.array makes one of equal parts."
    return ""


_RECORDS = tuple(kind._fields for kind in vars(course.given).values() if hasattr(kind, "_fields"))
"""The fields of each of the course's own NamedTuples."""


def _fields(kind: str) -> tuple[str, ...]:
    """The fields of one of the course's own NamedTuples, or none."""
    return tuple(getattr(getattr(course.given, kind, None), "_fields", ()))


def _not_callable(match: re.Match[str], failure: Failure) -> str:
    kind = match[1]
    if re.search(r"\.(shape|size)\(", failure.source) and kind in ("int", "tuple"):
        return "shape and size are no methods: x.shape[0] is the length of the first axis."
    if kind == "numpy.ndarray" and ".T(" in failure.source:
        return ".T is no method: it takes no brackets."
    if kind.endswith("Generator"):
        return "A generator is no function: rng.choice and rng.random are its methods."
    if kind in ("numpy.ndarray", "dict", "list", "tuple"):
        what = " Arrays are multiplied by @ or *." if kind == "numpy.ndarray" else ""
        return f"Round brackets call a function; what stands in it is read with [ ].{what}"
    return ""


def _one_place(match: re.Match[str], failure: Failure) -> str:
    if re.search("concatenate|stack", failure.source):
        return "np.concatenate takes its arrays as one tuple or list."
    return "One whole number is asked for there, and this is an array: its length, perhaps?"


def _too_few(match: re.Match[str], failure: Failure) -> str:
    wanted, got = match.groups()
    if ".shape" in failure.source:
        return f"This array has {got} of the {wanted} axes that stand to the left of =."
    return f"To the left of = are {wanted} names, and there are {got} parts for them."


def _last(match: re.Match[str], failure: Failure) -> str:
    size = int(match[1])
    return (
        f"Counted from 0, the last of {size} is {size - 1}." if size else "There is nothing in it."
    )


def _axes(match: re.Match[str], failure: Failure) -> str:
    has, asked = match.groups()
    axes = "one axis" if has == "1" else f"{has} axes"
    return f"This array has {axes}, and {asked} places stand in its brackets."


FREQUENT: tuple[tuple[tuple[str, ...], str, Says], ...] = (
    (
        ("TypeError",),
        "(?:list|tuple) indices must be integers or slices, not tuple",
        "A list or a tuple has one axis: first which of its parts, then the place in that, as in "
        "states[0][t, i].",
    ),
    (
        ("TypeError",),
        "only integer scalar arrays|list indices must be integers or slices, not",
        _one_place,
    ),
    (
        ("AttributeError",),
        "'numpy' has no attribute 'sigmoid'",
        "NumPy has no sigmoid; course.given has one.",
    ),
    (
        ("AttributeError",),
        r"'numpy' has no attribute '(?:log_)?(?:softmax|relu|one_hot|cross_entropy)'",
        "NumPy has none: it is to be written out.",
    ),
    (
        ("TypeError",),
        "unexpected keyword argument '(dim|keepdim)'",
        "NumPy says axis and keepdims where PyTorch says dim and keepdim.",
    ),
    (
        ("ModuleNotFoundError",),
        "",
        "The exercises are written with NumPy and course.given; no more is at hand where they are "
        "judged.",
    ),
    (("TypeError",), r"'([\w.]+)' object is not callable", _not_callable),
    (
        ("TypeError", "IndexError"),
        rf"'{NUMBER}' object is not subscriptable|invalid index to scalar variable",
        "It is one number, and nothing in it is read with [ ]. Which array is meant?",
    ),
    (
        ("TypeError",),
        r"'(?:function|method|builtin_function_or_method|functools\.partial)' object is not subsc",
        "Round brackets call a function; square ones read what stands in an array.",
    ),
    (
        ("TypeError",),
        rf"'(?!int'){NUMBER}' object is not iterable|object of type '{NUMBER}' has no len",
        "It is one number, and no array or list with parts.",
    ),
    (
        ("IndexError",),
        r"too many indices for array: array is (\d+)-dimensional, but (\d+) were indexed",
        _axes,
    ),
    (
        ("IndexError",),
        r"only integers, slices \(",
        "What stands in the square brackets is no place: a whole number is one, a slice, or an "
        "array of whole numbers.",
    ),
    (
        ("IndexError",),
        "^(?:list|tuple) index out of range",
        "Counted from 0, the last of n parts is n - 1; where there are none, there is no last.",
    ),
    (
        ("ValueError",),
        "setting an array element with a sequence(?!.*inhomogeneous)",
        "One entry takes one number, and an array comes: read one number of it, or sum it.",
    ),
    (
        ("ValueError",),
        "input arrays must have same number of dimensions",
        "Arrays are joined that have equally many axes: a[np.newaxis] puts one in front.",
    ),
    (
        ("ValueError",),
        "`indices` and `arr` must have the same number of dimensions",
        "np.take_along_axis wants as many axes of its indices as of the array: "
        "indices[..., np.newaxis] adds one.",
    ),
    (
        ("ValueError",),
        "zero-dimensional arrays cannot be concatenated",
        "Arrays are joined, and a single number is none: [x] makes one of it.",
    ),
    (
        ("ValueError",),
        "non-broadcastable output operand",
        "+= and its like write into the array on the left, which does not grow: what is added must "
        "fit into it.",
    ),
    (
        ("ValueError",),
        "einstein sum|einsum",
        "In np.einsum each axis of each array has a letter, with a comma between arrays, as in "
        "'ij,kj->ik'.",
    ),
    (
        ("ValueError",),
        "arg is an empty sequence|iterable argument is empty|zero-size array to reduction",
        "There is nothing in it: is there a case in which it is empty?",
    ),
    (
        ("TypeError",),
        "unhashable type: 'numpy.ndarray'",
        "An array cannot be a key of a dict, or stand in a set; int(...) of one number of it can.",
    ),
    (
        ("TypeError",),
        r"can only concatenate (list|tuple) \(not",
        "What is joined to a list must be a list: [token] is a list of one, and append adds one.",
    ),
    (
        ("RecursionError",),
        "",
        "It calls itself without an end: is there a case in which it does not?",
    ),
    (("TypeError",), "'int' object is not iterable", "range(n) counts from 0 to n - 1."),
    (
        ("TypeError",),
        "'tuple' object cannot be interpreted as an integer",
        "A shape is a tuple; one of its numbers is x.shape[0].",
    ),
    (
        ("TypeError",),
        r"multiply sequence by non-int|unsupported operand.*'(?:\w+Params|AdamState|tuple|list)'",
        "A tuple or a list is no array, and cannot be reckoned with as a whole: take the arrays in "
        "it one by one, as for w, dw in zip(params, grads) does.",
    ),
    (("TypeError",), "bitwise_xor", "^ is no power in Python; ** is."),
    (
        ("ValueError", "OverflowError"),
        "math domain error|math range error|expected a positive input",
        "The functions of math stop at 0 and at what overflows. np.log(0) is minus infinity, and "
        "np.exp(1000) infinity.",
    ),
    (
        ("IndexError",),
        "list assignment index out of range",
        "A list has only the places that were made: append adds one.",
    ),
    (
        ("AxisError",),
        r"out of bounds for array of dimension",
        "Axes are counted from 0, and -1 is the last, however many there are.",
    ),
    (
        ("ValueError",),
        "does not result in an equal division",
        "np.split makes equal parts: cut off first what is left over.",
    ),
    (
        ("TypeError",),
        r"'numpy\.\w+' object does not support item assignment",
        "It is one number. Without an axis, argmax, max and sum make one number of a whole array.",
    ),
    (
        ("TypeError",),
        r"\w+Layer\.backward\(\) got an unexpected keyword argument",
        "A layer remembers its run, the lengths as well: its backward takes gradients alone.",
    ),
    (
        ("TypeError",),
        r"\d+ start states; \d+ are expected",
        "forward takes sequences, and then each start state as an argument of its own: a star "
        "spreads the tuple that holds them.",
    ),
    (
        ("ZeroDivisionError",),
        "",
        "There is a case in which nothing is there to divide by: what should come out then?",
    ),
    (("ValueError",), "matmul|not aligned", _product),
    (("ValueError",), "could not be broadcast|could not broadcast", _broadcast),
    (
        ("ValueError",),
        "inhomogeneous shape",
        "Parts that differ in shape do not make one array: take them one by one. Was a tuple "
        "handed on whole, where one of its parts was meant?",
    ),
    (
        ("ValueError",),
        "too many values to unpack",
        "There are more parts than names to the left of =. A star takes several: "
        "first, *others, last = ...",
    ),
    (("ValueError",), r"not enough values to unpack \(expected (\d+), got (\d+)\)", _too_few),
    (
        ("TypeError",),
        "tuple indices must be integers or slices, not str",
        "Parameters, gradients and caches are NamedTuples and no dicts: a field is read by its "
        "name, as in params.ba.",
    ),
    (
        ("TypeError",),
        "unhashable type: 'list'",
        "A list cannot be a key of a dict. Is it a whole sentence, where one of its tokens is "
        "meant?",
    ),
    (
        ("ValueError",),
        "need at least one array to",
        "There is nothing in the list: was the loop never entered?",
    ),
    (
        ("ValueError",),
        "all input arrays must have the same shape",
        "np.stack takes arrays of one shape and puts them along a new axis; np.concatenate joins "
        "arrays along an axis that they have, and that may differ in length.",
    ),
    (
        ("TypeError",),
        "slice indices must be integers|'float' object cannot be interpreted as an integer",
        "A size or a place is a whole number. / gives a float, even where it comes out even; // "
        "divides whole numbers.",
    ),
    (
        ("ValueError",),
        "except for the concatenation axis must match",
        "Arrays are joined along one axis, the first in np.vstack, the second in np.hstack; along "
        "the others they must be equally long.",
    ),
    (
        ("IndexError",),
        "used as indices must be of integer",
        "Indices are whole numbers, and these are floats. Is a value meant for a place? Of whole "
        "numbers that came out as floats, .astype(int) makes indices.",
    ),
    (
        ("ValueError",),
        "[Pp]robabilities do not sum to 1",
        "What rng.choice is given as p must sum to 1: divide it by its sum.",
    ),
    (
        ("ValueError",),
        "[Pp]robabilities contain NaN",
        "A sum of probabilities that is 0, or infinite, makes NaN of what is divided by it.",
    ),
    (
        ("TypeError",),
        r"Cannot interpret '\d+' as a data type",
        "A shape is one argument: a tuple in brackets of its own, as in np.zeros((m, n_a)).",
    ),
    (("TypeError",), r"(\w+)\.__new__\(\) (?:missing (\d+)|takes|got an unexp)", _new),
    (("AttributeError",), r"'([\w.]+)' object has no attribute '(\w+)'", _no_attribute),
    (
        ("AttributeError",),
        "can't set attribute",
        "A NamedTuple cannot be changed. Keep the arrays in variables, and make a new one of "
        "them at the end.",
    ),
    (
        ("TypeError",),
        "'tuple' object does not support item assignment",
        "A tuple cannot be changed. Was it meant to be taken apart, one, two = ...?",
    ),
    (
        ("TypeError",),
        r"'\w+Layer' object is not callable",
        "A layer is no function: its methods are forward and backward.",
    ),
    (
        ("TypeError",),
        "only (0-dimensional|length-1|size-1) arrays can be converted",
        "One number is asked for there, and this is an array. The functions of math take single "
        "numbers; NumPy's take arrays, entry by entry.",
    ),
    (
        ("ValueError",),
        "truth value of an array",
        "A comparison of arrays has an answer for each entry, and if, and, max ask for one: "
        "np.where and np.maximum work entry by entry, .any() and .all() make one of many.",
    ),
    (
        ("ValueError",),
        "cannot reshape array",
        "reshape keeps every entry, so that the new sizes must multiply to just as many.",
    ),
    (
        ("IndexError",),
        "boolean index did not match",
        "A mask must be as long as what it chooses from, along each axis of the mask.",
    ),
    (
        ("IndexError",),
        "indexing arrays could not be broadcast",
        "Arrays of indices are read side by side, a[rows, columns]: one entry for each pair, so "
        "they must be of one shape.",
    ),
    (("IndexError",), r"index -?\d+ is out of bounds for axis \d+ with size (\d+)", _last),
    (
        ("NameError", "UnboundLocalError"),
        "",
        "A name is used before it is given a value, or it lives in a cell that is not graded.",
    ),
)
"""Kinds of exceptions, what their message has in it, and what to say."""
