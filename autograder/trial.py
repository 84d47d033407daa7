"""Running a function on cases: the only part of a check that touches learner's code.

It runs where the learner's code runs (their own kernel, or the grading sandbox). It judges
nothing: it hands back what came out, as plain trees.
"""

import contextlib
import copy
import inspect
import io
import linecache
import re
import types
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from autograder.specs import SPECS, Seeded, made
from autograder.standins import STAND_INS
from autograder.tree import Record, describe, leaves, plain

Case = dict[str, Any]
MAX_MESSAGE = 500
MAX_NAME = 100
MAX_TEXTS = 100


class Failure(NamedTuple):
    """An exception, as the learner should see it: their own line, and what stood in it.

    `function` is where it was raised, which may be deeper than that line.
    """

    kind: str
    message: str
    function: str
    line: int
    source: str
    shapes: dict[str, str]


class Outcome(NamedTuple):
    """What one case gave: the value of a first and of a second call, or a failure.

    `idle` names the generators that a function that draws was given, and asked for nothing.
    """

    value: Any = None
    again: Any = None
    changed: tuple[str, ...] = ()
    warned: tuple[str, ...] = ()
    failure: Failure | None = None
    idle: tuple[str, ...] = ()


def run(
    function: Callable, cases: Sequence[Case], lend: Sequence[str] = (), twice: bool = True
) -> list[Outcome]:
    """Call a function on every case, twice, with fresh arguments each time.

    Parameters
    ----------
    function : callable
        Called by position, so its argument names are its own affair.
    cases : sequence of dict
        Arguments in order.
    lend : sequence of str, optional
        Graded functions that are replaced by stand-ins while it runs.
    twice : bool, optional
        Not needed of a function that is known to give the same each time.

    Returns
    -------
    list of Outcome
        One per case; only the first call of the first case may print.
    """
    with lent(function, lend):
        return [_attempt(function, case, k == 0, twice) for k, case in enumerate(cases)]


@contextlib.contextmanager
def lent(function: Callable, names: Sequence[str]) -> Iterator[None]:
    """Replace graded functions in a function's globals by stand-ins, and put them back."""
    own = _written(function)
    scope = own.__globals__ if own else {}
    absent = object()
    kept = {name: scope.get(name, absent) for name in names}
    scope.update({name: STAND_INS[name] for name in names})
    try:
        yield
    finally:
        for name, value in kept.items():
            if value is absent:
                scope.pop(name, None)
            else:
                scope[name] = value


def _written(function: Callable) -> types.FunctionType | None:
    """The function that a learner wrote, under its decorators; None for what is no function."""
    try:
        found = inspect.unwrap(function)
    except Exception:  # of what a learner's object does when it is looked at
        return None
    return found if isinstance(found, types.FunctionType) else None


def _attempt(function: Callable, case: Case, loud: bool, twice: bool) -> Outcome:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value, changed, idle = _call(function, case, loud)
            once = _draws(case) or not twice
            again = None if once else _call(function, case, loud=False)[0]
        except KeyboardInterrupt:
            raise  # the grader's, or the learner's own stop button
        except BaseException as error:
            return Outcome(failure=_failure(function, error))
    warned = tuple(dict.fromkeys(_text(w.message) for w in caught[:MAX_TEXTS]))
    return Outcome(value, again, changed, warned, idle=idle)


def _call(
    function: Callable, case: Case, loud: bool
) -> tuple[Any, tuple[str, ...], tuple[str, ...]]:
    arguments = {name: made(copy.deepcopy(value)) for name, value in case.items()}
    draws = _draws(case)
    data = [name for name in case if type(case[name]) not in SPECS.values()]
    quiet = contextlib.nullcontext() if loud else contextlib.redirect_stdout(io.StringIO())
    with quiet:
        if draws:
            value = plain([_draw(function, arguments, data) for _ in range(draws)])
        else:
            value = plain(function(*arguments.values()))
    changed = tuple(name for name in data if not identical(case[name], arguments[name]))
    idle = tuple(name for name in case if draws and _untouched(case[name], arguments[name]))
    return value, changed, idle


def _untouched(spec: Any, generator: Any) -> bool:
    """Whether a generator is as it was when it was made."""
    if type(spec) is not Seeded:
        return False
    return bool(generator.bit_generator.state == made(spec).bit_generator.state)


def _draws(case: Case) -> int:
    """How often a function that draws at random is called; 0 for one that does not."""
    return max((value.draws for value in case.values() if type(value) is Seeded), default=0)


def complete(case: Case, outcome: Outcome) -> bool:
    """Whether an outcome holds all the draws that its case asks for: of few, any may be likely."""
    value = outcome.value
    if outcome.failure or not _draws(case):
        return True
    sized = isinstance(value, list) or (isinstance(value, np.ndarray) and value.ndim > 0)
    return sized and len(value) == _draws(case)


def _draw(function: Callable, arguments: Case, data: Sequence[str]) -> Any:
    """One of many calls: data is fresh each time, and a generator goes on."""
    return function(*{**arguments, **{n: copy.deepcopy(arguments[n]) for n in data}}.values())


def identical(one: Any, two: Any) -> bool:
    """Whether two values are the same to the last bit (and NaN equals NaN)."""
    left, right = leaves(plain(one)), leaves(plain(two))
    return left.keys() == right.keys() and all(_same(left[key], right[key]) for key in left)


def _same(one: Any, two: Any) -> bool:
    if isinstance(one, np.ndarray) and isinstance(two, np.ndarray):
        if one.dtype != two.dtype or one.shape != two.shape:
            return False
        same = one.dtype.kind in "fciub" and one.tobytes() == two.tobytes()  # nearly always, and
        return same or np.array_equal(one, two, equal_nan=one.dtype.kind in "fc")  # much quicker
    return type(one) is type(two) and (one == two or (one != one and two != two))


def _failure(function: Callable, error: BaseException) -> Failure:
    """Where the learner's own code failed: the innermost frame in the function's file."""
    written = _written(function)
    own = written.__code__.co_filename if written else None
    frames, step = [], error.__traceback__
    while step is not None:
        frames.append((step.tb_frame, step.tb_lineno))
        step = step.tb_next
    frames = [f for f in frames if f[0].f_globals.get("__name__") != __name__]
    if not frames:  # the call itself failed
        return Failure(type(error).__name__[:MAX_NAME], _text(error), "", 0, "", {})
    frame, line = next((f for f in reversed(frames) if f[0].f_code.co_filename == own), frames[-1])
    source = linecache.getline(frame.f_code.co_filename, line).strip()
    return Failure(
        kind=type(error).__name__[:MAX_NAME],
        message=_text(error),
        function=frames[-1][0].f_code.co_name[:MAX_NAME],
        line=line,
        source=source[:200],
        shapes=_shapes(source[:200], frame),
    )


def _text(error: BaseException | Warning | str) -> str:
    try:
        return str(error)[:MAX_MESSAGE]
    except BaseException:
        return "(its message cannot be read)"


def _shapes(source: str, frame: types.FrameType) -> dict[str, str]:
    """What a line names, in a few words: shapes of arrays, such as ``params.Wax``, and counters."""
    found = {}
    for name in dict.fromkeys(re.findall(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)?", source)):
        root, _, field = name.partition(".")
        value = frame.f_locals.get(root)
        if isinstance(value, tuple) and field in getattr(value, "_fields", ("",)):
            value, root = (getattr(value, field), name) if field else (value, root)
        if isinstance(value, np.ndarray):
            found[root] = describe(value) if value.ndim else f"= {describe(value)}"
        elif type(value) is tuple or type(value) is list:
            found[root] = f"= {type(value).__name__} of {len(value)}"
        elif value is None and root in frame.f_locals:
            found[root] = "= None"
        elif type(value) is int and abs(value) < 1 << 63:
            found[root] = f"= {value}"
    return found


def to_tree(outcomes: Sequence[Outcome]) -> Any:
    """Outcomes as a plain tree, for the wire."""
    return plain(list(outcomes))


def from_tree(tree: Any) -> list[Outcome]:
    """Outcomes out of an untrusted tree.

    Raises
    ------
    ValueError
        The tree is no list of outcomes, or one with longer texts than `run` writes.
    """
    if not isinstance(tree, list):
        raise ValueError("no list of outcomes")
    return [_outcome(node) for node in tree]


def _outcome(node: Any) -> Outcome:
    fields = _fields(node, Outcome)
    failure = fields.pop("failure")
    outcome = Outcome(**fields, failure=None if failure is None else _read_failure(failure))
    for names in (outcome.changed, outcome.warned, outcome.idle):
        if not isinstance(names, tuple):
            raise ValueError("names that are no names")
        _require_texts(names)
    return outcome


def _read_failure(node: Any) -> Failure:
    failure = Failure(**_fields(node, Failure))
    _require_texts((failure.kind, failure.message, failure.function, failure.source))
    if type(failure.line) is not int or not 0 <= failure.line < 1 << 31:
        raise ValueError("a failure without its line")
    if not isinstance(failure.shapes, dict):
        raise ValueError("a failure with strange shapes")
    _require_texts([*failure.shapes, *failure.shapes.values()])
    return failure


def _require_texts(values: Collection[Any]) -> None:
    """Texts, and no more or longer ones than `run` writes."""
    if len(values) > MAX_TEXTS or not all(isinstance(text, str) for text in values):
        raise ValueError("texts are missing, or too many")
    if any(len(text) > MAX_MESSAGE for text in values):
        raise ValueError("a text that is too long")


def _fields(node: Any, kind: Any) -> dict[str, Any]:
    if not (isinstance(node, Record) and tuple(node.fields) == kind._fields):
        raise ValueError(f"no {kind.__name__}")
    return dict(node.fields)
