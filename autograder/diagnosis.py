"""The ladder: from what came out of a learner's function to what is wrong with it.

`judge` climbs from rung to rung and stops at the first that fails. It runs no learner's code:
it is handed outcomes, as plain trees, and a way to ask for more of them.
"""

import ast
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache
from itertools import chain
from typing import Any

import numpy as np

from autograder import fits
from autograder.answers import AnswerKey, Answers, Wrong, lendings
from autograder.distributions import alike, is_distribution, tally, unlikely
from autograder.report import Difference, Report, Rung
from autograder.tree import Opaque, Record, describe, leaves
from autograder.trial import Failure, Outcome, identical

Step = Callable[[AnswerKey, Outcome, Any], Report | None]
Run = Callable[[Sequence[str]], list[Outcome]]
EVERY_GRADIENT = (
    "Every gradient is wrong, so begin with what all of them are made from: the gradient that "
    "comes in, and its way through the activation."
)
LEFT_OVER = "The line `raise NotImplementedError()` is still there: delete it."


def judge(key: AnswerKey, run: Run, source: str | None = None) -> Report:
    """The report on one function.

    Parameters
    ----------
    key : AnswerKey
    run : callable
        From the names of stand-ins to lend, to one outcome per case of the key.
    source : str, optional
        The function's source, to tell a stub from an attempt.

    Returns
    -------
    Report
    """
    if source is not None and untouched(source, key):
        return _report(key, Rung.NOT_ATTEMPTED)
    first = _climb(key, run(()), key.answers(()))
    if first.rung is Rung.NOT_ATTEMPTED and source is not None:
        return replace(first, rung=Rung.RAISED, details=(LEFT_OVER,), title=key.titles[0])
    if first.passed or first.rung is Rung.NOT_ATTEMPTED:
        return first
    best = first
    for lend in lendings(key.calls)[1:]:
        again = _climb(key, run(lend), key.answers(lend))
        if again.passed:
            return replace(again, notes=(*again.notes, _lent(lend)))
        if again.misconception and not best.misconception:
            best = replace(again, notes=(*again.notes, f"Found with a stand-in for {_and(lend)}."))
    return best


def is_right(key: AnswerKey, k: int, outcome: Outcome) -> bool:
    """Whether an outcome of case k is right, without a word on what is wrong with it."""
    return _case(key, k, outcome, key.answers(()).expected[k]) is None


def _lent(lend: Sequence[str]) -> str:
    yours = "yours is" if len(lend) == 1 else "yours are"
    return f"Judged with a stand-in for {_and(lend)}, since {yours} not right yet."


def _and(words: Sequence[str]) -> str:
    return " and ".join(words)


# ------------------------------------------------------------------ rung 1: attempted?


def untouched(source: str, key: AnswerKey) -> bool:
    """Whether a function's source is still the stub, or has no statement at all."""
    mine, given = _body(source, key.name), _body(key.stub, key.name)
    return mine is not None and (mine == given or not mine)


@lru_cache(maxsize=256)  # of a stub, and of one answer that is looked at twice
def _body(source: str, name: str) -> tuple[str, ...] | None:
    """The statements of a function, without docstring and placeholders; None: not readable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is odd in the source, such as "\d"
            tree = ast.parse(source)
        found = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
        if not found:
            return None
        return tuple(ast.dump(node) for node in found[-1].body if not _placeholder(node))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _placeholder(node: ast.stmt) -> bool:
    constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    raising = isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node)
    return constant or raising or isinstance(node, ast.Pass)


# ------------------------------------------------------------------ rungs 2 to 8


def _climb(key: AnswerKey, outcomes: Sequence[Outcome], answers: Answers) -> Report:
    """The report on one set of outcomes."""
    found = [_case(key, k, o, answers.expected[k]) for k, o in enumerate(outcomes)]
    notes = _notes(key, outcomes)
    failed = [finding for finding in found if finding is not None]
    if not failed:
        return _report(key, Rung.PASSED, notes=notes)
    if all(finding.rung is Rung.NOT_ATTEMPTED for finding in failed):
        return _report(key, Rung.NOT_ATTEMPTED)
    worst = min(failed, key=lambda finding: (list(Rung).index(finding.rung), finding.case or 0))
    named = _misconception(outcomes, answers, key)
    return replace(
        worst,
        passed_cases=len(found) - len(failed),
        misconception=named.id if named else None,
        cause=named.why if named else worst.cause or _told(key, worst, answers),
        notes=notes,
    )


def _case(key: AnswerKey, k: int, outcome: Outcome, expected: Any) -> Report | None:
    """The finding on one case, or None where it is right."""
    steps: tuple[Step, ...] = (_raised, _kind, _shape, _finite, _stable, _unchanged, _values)
    if is_distribution(expected):
        steps = (_raised, _unchanged, _drawn)
    for step in steps:
        finding = step(key, outcome, expected)
        if finding is not None:
            return replace(finding, case=k, title=key.titles[k])
    return None


def _report(key: AnswerKey, rung: Rung, **fields: Any) -> Report:
    return Report(
        name=key.name,
        rung=rung,
        signature=key.signature,
        total=len(key.cases),
        passed_cases=len(key.cases) if rung is Rung.PASSED else 0,
        points=key.points,
        lines=key.lines,
        **fields,
    )


def _raised(key: AnswerKey, outcome: Outcome, expected: Any) -> Report | None:
    failure = outcome.failure
    if failure is None:
        return None
    if failure.kind == "NotImplementedError" and failure.function == key.name:
        return _report(key, Rung.NOT_ATTEMPTED)
    at = f"at line {failure.line}: {failure.source}" if failure.source else ""
    shapes = ", ".join(f"{name} {shape}" for name, shape in failure.shapes.items())
    says = f"{failure.kind}: {failure.message}".strip(": ")
    detail = tuple(text for text in (says, at, f"shapes: {shapes}" if shapes else "") if text)
    return _report(key, Rung.RAISED, details=detail, cause=_cause_of(key, failure))


def _cause_of(key: AnswerKey, failure: Failure) -> str:
    """What usually lies behind an exception of this kind."""
    said = failure.message
    if failure.kind == "NotImplementedError":
        return f"{failure.function} is not written yet, and {key.name} calls it."
    called = key.name in said or not failure.function
    if failure.kind == "TypeError" and "positional argument" in said and called:
        return f"{key.name} takes ({', '.join(key.signature)}), in this order."
    if failure.kind == "TypeError" and "only integer scalar arrays" in said:
        return "np.concatenate takes its arrays as one tuple or list."
    if failure.kind == "AttributeError" and "'numpy' has no attribute 'sigmoid'" in said:
        return "NumPy has no sigmoid; course.given has one."
    if failure.kind == "ValueError" and ("matmul" in said or "not aligned" in said):
        return (
            "The inner sizes of a matrix product must agree. Rows are examples here: "
            "x_t is (m, n_x) and W (n_a, n_x), so the product is x_t @ W.T."
        )
    if failure.kind == "ValueError" and "broadcast" in said:
        return "Two arrays of these shapes cannot be added or assigned: compare them axis by axis."
    if failure.kind == "NameError":
        return (
            "A name is used before it is given a value, or it lives in a cell that is not graded."
        )
    return ""


def _kind(key: AnswerKey, outcome: Outcome, expected: Any) -> Report | None:
    problem = _misfit(expected, outcome.value, "", key.returns)
    return problem and _report(key, Rung.KIND, details=(problem[0],), cause=problem[1])


def _misfit(
    expected: Any, got: Any, path: str, returns: Sequence[str] = ()
) -> tuple[str, str] | None:
    """The first place where a value is of the wrong kind, and why that may be."""
    name = path or (returns[0] if len(returns) == 1 else "the value returned")
    if isinstance(expected, np.ndarray):
        return _no_numbers(name, got)
    if got is None:
        return f"{name} is None.", "Is there a return at the end?" if not path else ""
    if isinstance(expected, Record):
        return _misfit_record(expected, got, path, name)
    if isinstance(expected, tuple | list):
        return _misfit_sequence(expected, got, path, name, returns)
    if isinstance(expected, dict):
        return _misfit_dict(expected, got, name)
    return _misfit_scalar(expected, got, name)


def _misfit_scalar(expected: Any, got: Any, name: str) -> tuple[str, str] | None:
    value = plain_scalar(got)
    if isinstance(expected, bool | str):
        wrong = type(value) is not type(expected)
        return (
            (f"{name} is {describe(got)}, not a {type(expected).__name__}.", "") if wrong else None
        )
    if isinstance(value, np.ndarray | list):
        return f"{name} has shape {describe(got)}; one number is expected.", ""
    return _no_numbers(name, got)


def _no_numbers(name: str, got: Any) -> tuple[str, str] | None:
    array = _numbers(got)
    if got is None:
        return f"{name} is None.", "Is there a return, and is it given a value on every path?"
    if array is None:
        return f"{name} is a {_a(got)}, not an array of numbers.", ""
    if array.dtype.kind == "c":
        return f"{name} holds complex numbers; real ones are expected.", ""
    return None


def _a(got: Any) -> str:
    return got.kind if isinstance(got, Record | Opaque) else describe(got)


def _misfit_record(expected: Record, got: Any, path: str, name: str) -> tuple[str, str] | None:
    fields = ", ".join(expected.fields)
    if not isinstance(got, Record):
        return f"{name} is a {_a(got)}, not a {expected.kind}({fields}).", ""
    missing = [field for field in expected.fields if field not in got.fields]
    if missing:
        return f"{name} has no field {missing[0]}; a {expected.kind} has {fields}.", ""
    pairs = ((f"{path}.{f}", v, got.fields[f]) for f, v in expected.fields.items())
    return next((bad for p, e, g in pairs if (bad := _misfit(e, g, p.lstrip(".")))), None)


def _misfit_dict(expected: dict[str, Any], got: Any, name: str) -> tuple[str, str] | None:
    if not isinstance(got, dict):
        return f"{name} is a {_a(got)}, not a dict.", ""
    missing = [key for key in expected if key not in got]
    extra = [key for key in got if key not in expected]
    if missing:
        return f"{name} has no entry for {missing[0]!r}; it has {len(got)} entries.", ""
    if extra:
        text = f"{name} has {len(got)} entries; {len(expected)} are expected, and none for"
        return f"{text} {extra[0]!r}.", ""
    pairs = ((f"{name}[{key!r}]", value, got[key]) for key, value in expected.items())
    return next((bad for path, want, have in pairs if (bad := _misfit(want, have, path))), None)


def _misfit_sequence(
    expected: Any, got: Any, path: str, name: str, returns: Sequence[str]
) -> tuple[str, str] | None:
    if isinstance(got, np.ndarray) and got.ndim and len(got) == len(expected):
        got = list(got)
    if not isinstance(got, tuple | list):
        what = f"({', '.join(returns)})" if returns else f"{len(expected)} of them"
        return (
            f"{name} is {_article(got)}; {what} is expected.",
            "Is something left out of the return?",
        )
    if len(got) != len(expected):
        return f"{name} has {len(got)} parts; {len(expected)} are expected.", ""
    for i, (want, have) in enumerate(zip(expected, got, strict=True)):
        part = returns[i] if len(returns) == len(expected) else f"{path}[{i}]"
        problem = _misfit(want, have, part)
        if problem:
            return problem
    return None


def _article(got: Any) -> str:
    if isinstance(got, np.ndarray):
        return f"one array of shape {got.shape}" if got.ndim else "one number"
    return f"a {_a(got)}"


def plain_scalar(value: Any) -> Any:
    """A 0-d array as the Python value that it is."""
    return value.item() if isinstance(value, np.ndarray) and value.ndim == 0 else value


def _numbers(value: Any) -> np.ndarray | None:
    """A value as an array of numbers, or None."""
    if isinstance(value, bool | int | float) or (isinstance(value, list) and not value):
        value = np.asarray(value)  # a longer list of numbers is an array since `plain`
    numeric = isinstance(value, np.ndarray) and value.dtype.kind in "biufc"
    return value if numeric else None


def _pairs(key: AnswerKey, outcome: Outcome, expected: Any) -> list[tuple[str, Any, Any]]:
    """(path, expected, got) of every leaf, named as the learner knows it, in causal order."""
    wanted, got = _named(key, expected), _named(key, _apart(expected, outcome.value))
    return sorted(
        ((path, value, _numbers_or(got.get(path))) for path, value in wanted.items()),
        key=lambda leaf: _rank(leaf[0], key.order),
    )


def _apart(expected: Any, got: Any) -> Any:
    """What came out; an array is taken apart where a tuple or list of as many is expected.

    A learner's list of equal arrays has become one array in `plain`.
    """
    if not isinstance(expected, tuple | list):
        return got
    if isinstance(got, np.ndarray) and got.ndim:
        got = list(got)
    if not isinstance(got, tuple | list) or len(got) != len(expected):
        return got
    return [_apart(want, have) for want, have in zip(expected, got, strict=True)]


def _numbers_or(value: Any) -> Any:
    array = _numbers(value)
    return value if array is None else array


def _rank(path: str, order: Sequence[str]) -> int:
    return next((i for i, name in enumerate(order) if path.startswith(name)), len(order))


def _named(key: AnswerKey, value: Any) -> dict[str, Any]:
    if len(key.returns) == 1:
        return leaves(value, key.returns[0])
    if not isinstance(value, tuple | list | np.ndarray):
        return {}
    found: dict[str, Any] = {}
    for name, part in zip(key.returns, value, strict=False):
        found |= leaves(part, name)
    return found


def _axes(key: AnswerKey, path: str, ndim: int) -> tuple[str, ...]:
    """The letters of an array's axes; "..." stands for as many as there are."""
    letters = key.axes.get("".join(part.split("]")[-1] for part in path.split("[")), ())
    if letters and letters[0] == "...":
        lead = ("T_x", "m")[max(0, 3 - ndim) :] if ndim <= 3 else ()
        letters = (*lead, *letters[1:])
    return letters if len(letters) == ndim else ()


def _shape(key: AnswerKey, outcome: Outcome, expected: Any) -> Report | None:
    bad, cause = [], ""
    for path, want, got in _pairs(key, outcome, expected):
        if np.shape(want) != np.shape(got):
            letters = _axes(key, path, np.ndim(want))
            meaning = f"({', '.join(letters)}) = " if letters else ""
            bad.append(f"{path} has shape {np.shape(got)}, expected {meaning}{np.shape(want)}.")
            cause = cause or fits.shape_story(np.shape(want), np.shape(got), letters)
    return _report(key, Rung.SHAPE, details=tuple(bad[:3]), cause=cause) if bad else None


def _finite(key: AnswerKey, outcome: Outcome, expected: Any) -> Report | None:
    for path, want, got in _pairs(key, outcome, expected):
        if not _floating(want, got):
            continue
        bad = ~np.isfinite(got) & np.isfinite(want)
        if bad.any():
            at = np.unravel_index(int(np.argmax(bad)), bad.shape)
            first = f"{path}[{', '.join(map(str, at))}]" if at else path
            text = f"{first} is {got[at]}; {int(bad.sum())} of {bad.size} entries are not finite."
            return _report(
                key, Rung.FINITE, details=(text, *outcome.warned[:1]), cause=_why_not_finite(got)
            )
    return None


def _floating(want: Any, got: Any) -> bool:
    return all(isinstance(v, np.ndarray) and v.dtype.kind in "biuf" for v in (want, got))


def _why_not_finite(got: np.ndarray) -> str:
    if np.isnan(got).any():
        return "NaN comes from 0/0 or from inf - inf: look for an exp that overflows."
    return "Something overflowed, or was divided by zero."


def _stable(key: AnswerKey, outcome: Outcome, expected: Any) -> Report | None:
    if identical(outcome.value, outcome.again):
        return None
    text = f"Two calls with the same arguments gave different answers ({_and(key.returns)})."
    cause = "It keeps something between calls: a global, a default argument, or a random draw."
    return _report(key, Rung.UNSTABLE, details=(text,), cause=cause)


def _unchanged(key: AnswerKey, outcome: Outcome, expected: Any) -> Report | None:
    if not key.in_place or not outcome.changed:
        return None
    text = f"The function changes its argument {_and(outcome.changed)}."
    return _report(
        key, Rung.VALUES, details=(text,), cause="Work on a copy: the caller still needs it."
    )


def _drawn(key: AnswerKey, outcome: Outcome, expected: Any) -> Report | None:
    """The finding on a function that draws: an outcome that came too often, or too seldom."""
    name, counts = key.returns[0], tally(outcome.value)
    if counts is None:
        text = f"{name} is not always a whole number, or a list of whole numbers."
        return _report(key, Rung.KIND, details=(text,))
    wrong = unlikely(expected, counts)
    if not wrong:
        return None
    total = sum(counts.values())
    lines = [
        f"{name} was {_say(one)} in {times} of {total} calls; about {often:.0f} are expected."
        for one, times, often in wrong[:3]
    ]
    return _report(key, Rung.VALUES, details=tuple(lines))


def _say(outcome: int | tuple[int, ...]) -> str:
    return str(list(outcome)) if isinstance(outcome, tuple) else str(outcome)


def _values(key: AnswerKey, outcome: Outcome, expected: Any) -> Report | None:
    differences = []
    pairs = _pairs(key, outcome, expected)
    for path, want, got in pairs:
        if isinstance(want, np.ndarray | int | float) and not isinstance(want, bool):
            want = np.asarray(want)
            wrong = fits.wrong_entries(want, got, key.rtol)
            if wrong.any():
                axes = _axes(key, path, want.ndim)
                differences.append(Difference.between(path, want, got, wrong, axes))
        elif plain_scalar(got) != want:
            differences.append(Difference(path, f"{plain_scalar(got)!r} is not right"))
    if not differences:
        return None
    compared = tuple(path for path, _, _ in pairs)
    return _report(key, Rung.VALUES, differences=tuple(differences), compared=compared)


def _told(key: AnswerKey, finding: Report, answers: Answers) -> str:
    """How the wrong values of a case may have come about, told of the first that tells it."""
    arrays = [each for each in finding.differences if each.wrong is not None]
    if finding.case is None or not arrays:
        return ""
    shares = answers.shares[finding.case]
    stories = (_about(d.name, _story(d, key.rtol, shares), key) for d in arrays)
    backs = (fits.backwards(d.name, d.wrong, d.axes) for d in arrays)
    every = "grads" in key.returns and len(finding.differences) == len(finding.compared)
    return next(filter(None, chain(stories, backs)), EVERY_GRADIENT if every else "")


def _story(wrong: Difference, rtol: float, shares: dict[str, Any]) -> str:
    """How a wrong quantity may have been made: in a known way, of the steps' shares, or simply."""
    told = fits.of_strays(wrong.got, shares.get("strays", {}).get(wrong.name, {}), rtol)
    if not told and wrong.name in shares:
        told = fits.of_steps(wrong.got, shares[wrong.name], rtol)
    return told or fits.how(wrong.expected, wrong.got, wrong.axes, rtol)


def _about(path: str, story: str, key: AnswerKey) -> str:
    """A story about "it", told of a quantity by its name where there are several."""
    if key.returns == (path,):
        return story
    for it, its_name in (
        (r"^It ", f"{path} "),
        (r"^In it ", f"In {path} "),
        (r"^Every entry ", f"Every entry of {path} "),
        (r" in it\.$", f" in {path}."),
    ):
        story = re.sub(it, its_name, story)
    return story


# ------------------------------------------------------------------ rung 8: misconceptions


def _misconception(outcomes: Sequence[Outcome], answers: Answers, key: AnswerKey) -> Wrong | None:
    """The misconception whose outcomes are exactly these on every case, if there is one."""
    return next(
        (
            wrong
            for wrong in answers.wrong()
            if all(
                _alike(key, one, two, is_distribution(expected))
                for one, two, expected in zip(
                    wrong.outcomes, outcomes, answers.expected, strict=True
                )
            )
        ),
        None,
    )


def _alike(key: AnswerKey, known: Outcome, mine: Outcome, drawn: bool) -> bool:
    """Whether two outcomes are the same up to rounding: values, or the same exception.

    Of a function that draws: whether both may draw from one distribution.
    """
    if known.failure and mine.failure:
        return known.failure[:2] == mine.failure[:2]  # its kind and its message
    if known.failure or mine.failure:
        return False
    if bool(known.changed) != bool(mine.changed) and key.in_place:
        return False
    if drawn:
        return alike(known.value, mine.value)
    ours, theirs = _named(key, known.value), _named(key, mine.value)
    return ours.keys() == theirs.keys() and all(
        _same_leaf(ours[path], theirs[path], key.rtol) for path in ours
    )


def _same_leaf(one: Any, two: Any, rtol: float) -> bool:
    left, right = _numbers(one), _numbers(two)
    if left is None or right is None:
        return type(one) is type(two) and one == two
    return left.shape == right.shape and not fits.wrong_entries(left, right, rtol).any()


def _notes(key: AnswerKey, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    changed = dict.fromkeys(name for outcome in outcomes for name in outcome.changed)
    if changed and not key.in_place:
        return (f"It changes its argument {_and(list(changed))} in place; a copy would be safer.",)
    return ()
