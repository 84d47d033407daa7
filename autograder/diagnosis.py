"""The ladder: from what came out of a learner's function to what is wrong with it.

`judge` climbs from rung to rung and stops at the first that fails. It runs no learner's code:
it is handed outcomes, as plain trees, and a way to ask for more of them.
"""

import ast
import re
import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import numpy as np

from autograder import altered, curves, fits, formulas, kinds, near, parts, raised
from autograder.answers import AnswerKey, Answers, Wrong, lendings
from autograder.distributions import alike, is_distribution, tally, unlikely
from autograder.report import Difference, Report, Rung
from autograder.trial import Outcome, identical

Step = Callable[[AnswerKey, Outcome, Any], Report | None]
Way = Callable[[AnswerKey, Report, Sequence[Outcome], Answers], str]
Run = Callable[[Sequence[str]], list[Outcome]]
EVERY_GRADIENT = "Every gradient is wrong, so begin with what all of them are made from: "
COMES_IN = "the gradient that comes in, and its way through the activation."
OF_THE_SCORES = "the gradient with respect to the scores."
ANOTHER = (
    "np.random and random keep generators of their own, which all code shares. The one to ask is "
    "the argument: {}.choice, for example."
)
GOES_ON = ", and goes on with that"
IN_A_LOOP = (
    "The return stands inside the loop, so the function ends after the first turn. Indent it less."
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
    first = _hurried(_climb(key, run(()), key.answers(())), key, source)
    if first.rung is Rung.NOT_ATTEMPTED and source is not None:
        return replace(first, rung=Rung.RAISED, details=(LEFT_OVER,), title=key.titles[0])
    if first.passed or first.rung is Rung.NOT_ATTEMPTED:
        return first
    best = first
    for lend in lendings(key.calls)[1:]:
        again = _climb(key, run(lend), key.answers(lend), guess=False)
        if again.passed:
            return replace(again, notes=(*again.notes, _lent(lend)))
        if again.misconception and not best.misconception:
            best = replace(again, notes=(*again.notes, f"Found with a stand-in for {_and(lend)}."))
    return best


def _hurried(report: Report, key: AnswerKey, source: str | None) -> Report:
    """A report on a wrong function; one that returns inside its loop is told so."""
    wrong = report.attempted and not report.passed and report.rung is not Rung.RAISED
    if not wrong or report.misconception or not source or not _returns_in_a_loop(source, key.name):
        return report
    return replace(report, cause=IN_A_LOOP)


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


def _body(source: str, name: str) -> tuple[str, ...] | None:
    """The statements of a function, without docstring and placeholders; None: not readable."""
    found = _definition(source, name)
    if found is None:
        return None
    try:
        return tuple(ast.dump(node) for node in found.body if not _placeholder(node))
    except (RecursionError, ValueError):  # a number may have too many digits to be written
        return None


@lru_cache(maxsize=256)  # of a stub, and of one answer that is looked at more than once
def _definition(source: str, name: str) -> ast.FunctionDef | None:
    """A function's syntax tree; None: not readable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is odd in the source, such as "\\d"
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
    return found[-1] if found else None


def _returns_in_a_loop(source: str, name: str) -> bool:
    """Whether a function has a loop whose first turn always ends in a return."""
    found = _definition(source, name)
    try:
        loops = [node for node in ast.walk(found) if isinstance(node, ast.For)] if found else []
        turns = [loop for loop in loops if isinstance(loop.body[-1], ast.Return)]
        return any(
            not any(isinstance(node, ast.Continue) for node in ast.walk(loop)) for loop in turns
        )
    except RecursionError:
        return False


def _placeholder(node: ast.stmt) -> bool:
    constant = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    raising = isinstance(node, ast.Raise) and "NotImplementedError" in ast.dump(node)
    return constant or raising or isinstance(node, ast.Pass)


# ------------------------------------------------------------------ rungs 2 to 8


def _climb(
    key: AnswerKey, outcomes: Sequence[Outcome], answers: Answers, guess: bool = True
) -> Report:
    """The report on one set of outcomes; a guess at the cause takes longer than all the rest."""
    outcomes = [_fitted(o, e) for o, e in zip(outcomes, answers.expected, strict=True)]
    found = [_case(key, k, o, answers.expected[k]) for k, o in enumerate(outcomes)]
    failed = [finding for finding in found if finding is not None]
    if not failed and all(outcome.idle for outcome in outcomes):
        idle = _and(outcomes[0].idle)
        details = (f"{idle} is not asked: another generator draws, and no seed says what.",)
        cause, title = ANOTHER.format(idle), key.titles[0]
        return _report(key, Rung.UNSTABLE, details=details, cause=cause, case=0, title=title)
    if not failed:
        notes = (*_notes(key, outcomes), *_types(key, outcomes, answers.expected))
        return _report(key, Rung.PASSED, notes=notes)
    if all(finding.rung is Rung.NOT_ATTEMPTED for finding in failed):
        return _report(key, Rung.NOT_ATTEMPTED)
    worst = min(failed, key=partial(_rank, failed))
    named = _misconception(outcomes, answers, key)
    cause = named.why if named else ""
    if guess and not named:
        cause = _likely(key, worst, failed, outcomes, answers)
    return replace(
        worst,
        passed_cases=len(found) - len(failed),
        misconception=named.id if named else None,
        cause=cause,
        notes=() if GOES_ON in cause else _notes(key, outcomes),
    )


def _rank(failed: Sequence[Report], finding: Report) -> tuple[int, int]:
    """What comes first: the lowest rung, then the first case.

    An exception waits for a wrong kind or shape of an earlier case, which may well be its cause.
    """
    case, rung = finding.case or 0, finding.rung
    others = (each for each in failed if each.rung in (Rung.KIND, Rung.SHAPE))
    if rung is Rung.RAISED and any((each.case or 0) < case for each in others):
        rung = Rung.SHAPE
    return list(Rung).index(rung), case


def _fitted(outcome: Outcome, expected: Any) -> Outcome:
    value, again = (parts.fitted(expected, made) for made in (outcome.value, outcome.again))
    return outcome._replace(value=value, again=again)


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
    return _report(key, Rung.RAISED, details=detail, cause=raised.cause(key, failure))


def _kind(key: AnswerKey, outcome: Outcome, expected: Any) -> Report | None:
    problem = kinds.misfit(expected, outcome.value, "", key.returns)
    return problem and _report(key, Rung.KIND, details=(problem[0],), cause=problem[1])


def _shape(key: AnswerKey, outcome: Outcome, expected: Any) -> Report | None:
    bad, stories = [], []
    for path, want, got in parts.pairs(key, outcome, expected):
        if np.shape(want) != np.shape(got):
            letters = parts.axes(key, path, np.ndim(want))
            meaning = f"({', '.join(letters)}) = " if letters else ""
            bad.append(f"{path} has shape {np.shape(got)}, expected {meaning}{np.shape(want)}.")
            stories.append(fits.shape_story(np.shape(want), np.shape(got), letters))
    if not bad:
        return None
    return _report(key, Rung.SHAPE, details=tuple(bad[:3]), cause=stories[0])


def _finite(key: AnswerKey, outcome: Outcome, expected: Any) -> Report | None:
    for path, want, got in parts.pairs(key, outcome, expected):
        if not _floating(want, got):
            continue
        bad = ~np.isfinite(got) & np.isfinite(want)
        if bad.any():
            at = np.unravel_index(int(np.argmax(bad)), bad.shape)
            first = f"{path}[{', '.join(map(str, at))}]" if at else path
            text = f"{first} is {got[at]}; {int(bad.sum())} of {bad.size} entries are not finite."
            return _report(
                key,
                Rung.FINITE,
                details=(text, *outcome.warned[:1]),
                cause=_why_not_finite(got, outcome.warned),
            )
    return None


def _floating(want: Any, got: Any) -> bool:
    return all(isinstance(v, np.ndarray) and v.dtype.kind in "biuf" for v in (want, got))


def _why_not_finite(got: np.ndarray, warned: Sequence[str]) -> str:
    said = " ".join(warned)
    if np.isnan(got).any() and "invalid value encountered in multiply" in said:
        return "0 times infinity is NaN: look for a factor 0 beside a logarithm of 0."
    if "Mean of empty slice" in said:
        return "A mean was taken of nothing: is a step left out that is the only one here?"
    if np.isnan(got).any() and "invalid value encountered in sqrt" in said:
        return "The square root of a negative number is NaN."
    if np.isnan(got).any() and "overflow encountered in exp" in said:
        return "NaN comes from inf/inf or inf - inf here: an exp overflows."
    if np.isnan(got).any() and "divide" in said and "overflow" not in said:
        return "NaN comes from 0/0 or inf/inf: look at what is divided by."
    if np.isnan(got).any():
        return (
            "NaN comes from 0/0, inf/inf, inf - inf or 0 times inf: look for an exp that "
            "overflows, a sum that is 0, a logarithm of 0."
        )
    if np.isneginf(got).any() and (not said or "encountered in log" in said):
        return "The logarithm of 0 is minus infinity."
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
    odd = _no_outcome(name, outcome.value, expected.fields["outcomes"])
    if odd or counts is None:
        text = odd or f"{name} is not always a whole number, or a list of whole numbers."
        cause = "Is there a return on every path?" if text.startswith(f"{name} is None") else ""
        return _report(key, Rung.KIND, details=(text,), cause=cause)
    wrong = unlikely(expected, counts)
    if not wrong:
        return None
    total = sum(counts.values())
    lines = [
        f"{name} was {_say(one)} in {times} of {total} calls; about {often:.0f} are expected."
        for one, times, often in wrong[:3]
    ]
    return _report(key, Rung.VALUES, details=tuple(lines))


def _no_outcome(name: str, drawn: Any, expected: Sequence[Any]) -> str:
    """What was drawn that is no outcome at all, and how often; or an empty string."""
    if not (isinstance(drawn, list) or (isinstance(drawn, np.ndarray) and drawn.ndim)):
        return ""
    single = all(isinstance(one, int) for one in expected)
    odd = [one for one in drawn if tally([one]) is None or (single and np.ndim(one))]
    if not odd:
        return ""
    what = "None" if odd[0] is None else kinds.a(odd[0])
    asked = "one whole number" if single else "a list of whole numbers"
    return f"{name} is {what} in {len(odd)} of {len(drawn)} calls; {asked} is expected."


def _say(outcome: int | tuple[int, ...]) -> str:
    return str(list(outcome)) if isinstance(outcome, tuple) else str(outcome)


def _values(key: AnswerKey, outcome: Outcome, expected: Any) -> Report | None:
    differences = []
    found = parts.pairs(key, outcome, expected)
    for path, want, got in found:
        if isinstance(want, np.ndarray | int | float) and not isinstance(want, bool):
            want = np.asarray(want)
            wrong = fits.wrong_entries(want, got, key.rtol)
            if wrong.any():
                axes = parts.axes(key, path, want.ndim)
                differences.append(Difference.between(path, want, got, wrong, axes))
        elif kinds.plain_scalar(got) != want:
            differences.append(Difference(path, _not_right(got, [want for _, want, _ in found])))
    if not differences:
        return None
    compared = tuple(path for path, _, _ in found)
    return _report(key, Rung.VALUES, differences=tuple(differences), compared=compared)


def _not_right(got: Any, answers: Sequence[Any]) -> str:
    """What is wrong with a text: that it is the wrong one, or one that is never right."""
    said = f"{kinds.plain_scalar(got)!r}"
    if not isinstance(got, str) or got in answers:
        return f"{said} is not right"
    return f"{said} is none of the answers that there are: mind the spelling"


def _likely(
    key: AnswerKey,
    finding: Report,
    failed: Sequence[Report],
    outcomes: Sequence[Outcome],
    answers: Answers,
) -> str:
    """What may lie behind a finding that is no known misconception, or an empty string."""
    if finding.rung is Rung.RAISED or is_distribution(answers.expected[0]):
        return finding.cause
    slip = partial(near.partly_known, failed=failed)
    ways: tuple[Way, ...] = (
        near.in_another_order,
        _its_own,
        near.all_alike,
        slip,
        near.first_mistaken,
        _told,
        near.mistaken,
        near.known_in_part,
        _overwritten,
        _of_others,
        _as_it_is_made,
        _on_the_way_back,
    )
    if finding.rung is Rung.FINITE:  # what other cases tell says more than 0/0 does
        finite = next((each for each in failed if each.rung is Rung.VALUES), finding)
        ways = (near.in_another_order, slip, partial(_told_of, finite), _its_own)
    told = next(filter(None, (way(key, finding, outcomes, answers) for way in ways)), "")
    every = "grads" in key.returns and len(finding.differences) == len(finding.compared)
    if told or not (every and finding.differences):
        return told
    return EVERY_GRADIENT + (OF_THE_SCORES if "y_hat" in key.signature else COMES_IN)


def _told_of(
    other: Report, key: AnswerKey, finding: Report, outcomes: Sequence[Outcome], answers: Answers
) -> str:
    """What makes a case not finite, and what another case, which is finite, tells besides."""
    ways = (_told, _on_the_way_back)
    told = next(filter(None, (way(key, other, outcomes, answers) for way in ways)), "")
    return told and f"{finding.cause} In case {other.case}: {told}".strip()


def _its_own(key: AnswerKey, finding: Report, outcomes: Sequence[Outcome], answers: Answers) -> str:
    return finding.cause


def _overwritten(
    key: AnswerKey, finding: Report, outcomes: Sequence[Outcome], answers: Answers
) -> str:
    """That a function goes on with an argument that it has changed, if it has."""
    changed = outcomes[finding.case].changed if finding.case is not None else ()
    if not changed or key.in_place:
        return ""
    return f"It changes its argument {_and(changed)}{GOES_ON}: work on a copy."


def _told(key: AnswerKey, finding: Report, outcomes: Sequence[Outcome], answers: Answers) -> str:
    """How the wrong values of a case may have come about, told of the first that tells it."""
    if finding.case is None or not finding.arrays:
        return ""
    shares = answers.shares[finding.case]
    sizes = parts.sizes(key, finding.case)
    always = near.over_cases(key, finding, outcomes, answers)
    given = parts.given(key, finding.case)
    found = ((d, _story(d, key.rtol, shares, sizes, given)) for d in finding.arrays)
    stories = (  # what is nearly right is a consequence of what is wrong before it
        _about(d.name, story, key)
        for d, story in found
        if story != fits.SIX_DIGITS or d is finding.arrays[0]
    )
    return always or next(filter(None, stories), "")


def _of_others(
    key: AnswerKey, finding: Report, outcomes: Sequence[Outcome], answers: Answers
) -> str:
    """Which other arguments make a wrong quantity of the first case, or an empty string."""
    if finding.case != 0:
        return ""
    stories = (
        _about(d.name, altered.told(d.got, known, d.expected, key.rtol), key)
        for d in finding.arrays
        if (known := answers.altered().get(d.name))
    )
    return next(filter(None, stories), "")


def _as_it_is_made(
    key: AnswerKey, finding: Report, outcomes: Sequence[Outcome], answers: Answers
) -> str:
    """The formula by which a wrong quantity is made of right ones, or an empty string."""
    if finding.rung is not Rung.VALUES or finding.case is None:
        return ""
    wrong = {each.name for each in finding.differences}
    quantities = parts.named(key.returns, answers.expected[finding.case])
    right = {path: value for path, value in quantities.items() if path not in wrong}
    known = parts.given(key, finding.case) | right
    found = ((each.name, formulas.formula(each.got, known)) for each in finding.arrays)
    said = "{} is {} here. Compare that with the formula in the text."
    return next((said.format(name, text) for name, text in found if text), "")


def _on_the_way_back(
    key: AnswerKey, finding: Report, outcomes: Sequence[Outcome], answers: Answers
) -> str:
    """Where a gradient over time goes wrong on its way back, or an empty string."""
    stories = (fits.backwards(d.name, d.wrong, d.axes) for d in finding.arrays)
    return next(filter(None, stories), "")


def _story(
    wrong: Difference,
    rtol: float,
    shares: dict[str, Any],
    sizes: dict[str, int],
    given: dict[str, Any],
) -> str:
    """How a wrong quantity may have been made: in a known way, of the steps' shares, or simply."""
    if parts.same(wrong.got, given.get(wrong.name), rtol) and np.any(wrong.got):
        return "It is what was handed in: what is new is not stored, or not returned."
    told = fits.of_strays(wrong.got, shares.get("strays", {}).get(wrong.name, {}), rtol)
    if not told and wrong.name in shares:
        told = fits.of_steps(wrong.got, shares[wrong.name], rtol)
    told = told or curves.told(wrong.expected, wrong.got)
    return told or fits.how(wrong.expected, wrong.got, wrong.axes, rtol, sizes)


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
    ours, theirs = (parts.named(key.returns, one.value) for one in (known, mine))
    return ours.keys() == theirs.keys() and all(
        parts.same(ours[path], theirs[path], key.rtol) for path in ours
    )


def _notes(key: AnswerKey, outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    changed = dict.fromkeys(name for outcome in outcomes for name in outcome.changed)
    if changed and not key.in_place:
        return (f"It changes its argument {_and(list(changed))} in place; a copy would be safer.",)
    return ()


def _types(key: AnswerKey, outcomes: Sequence[Outcome], expected: Sequence[Any]) -> tuple[str, ...]:
    """What to say of the first right array that cannot be used as an index, as it is meant to be.

    A mask of 0 and 1 would pick entries 0 and 1, without a word.
    """
    for outcome, right in zip(outcomes, expected, strict=True):
        # several parts in one list have become one array, of one type
        merged = len(key.returns) > 1 and isinstance(outcome.value, np.ndarray)
        found = [] if merged or is_distribution(right) else parts.pairs(key, outcome, right)
        for path, want, got in found:
            if np.ndim(want) and np.ndim(got) and want.dtype.kind != got.dtype.kind:
                if want.dtype.kind == "b":
                    return (f"{path} should hold True and False: numbers pick by their value.",)
                if want.dtype.kind in "iu" and got.dtype.kind == "f" and got.size:
                    return (f"{path} should hold integers: floats are no indices.",)
    return ()
