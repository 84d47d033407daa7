"""A class at a glance: one self-contained page, to be read on Sunday and taught from on Monday."""

import ast
import html
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from autograder.card import sentence
from autograder.grading import classroom, tasks
from autograder.grading.integrity import Pair
from autograder.grading.sanitise import Notebook, legible
from autograder.grading.survey import Exercise, Group, Learner, Survey, anonymous
from autograder.notebooks import exercise_of, source_of

STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fff; --line: #ccc; --bar: #2f6db5;
        --right: #1a5d2e; --wrong: #8b1a1a; --open: #4a4a4a; --link: #0b4f9e; --code: #f3f3f3 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #eee; --paper: #181818; --line: #555; --bar: #7db3ee; --right: #8fd6a0;
          --wrong: #ff9e94; --open: #bbb; --link: #9ecbff; --code: #262626 } }
body { font: 16px/1.5 sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em;
       color: var(--ink); background: var(--paper) }
.wide { overflow-x: auto } table { border-collapse: collapse; margin: 1em 0 }
th, td { text-align: left; padding: .35em .7em; border-bottom: 1px solid var(--line);
         vertical-align: top }
td.n { text-align: right; white-space: nowrap }
.right { color: var(--right) } .wrong { color: var(--wrong) } .open { color: var(--open) }
a { color: var(--link) } summary { cursor: pointer; padding: .3em 0 }
pre { background: var(--code); padding: .7em; overflow-x: auto; font-size: 14px }
svg rect { fill: var(--bar) } svg text { fill: var(--ink) }
meter { width: 8em } meter::-webkit-meter-optimum-value { background: var(--bar) }
meter::-moz-meter-bar { background: var(--bar) } figure { margin: 1em 0 }
summary meter { width: 4em } details details { margin-left: 1em }
section { border-top: 2px solid var(--line); margin-top: 3em }
"""
BINS = 10
SHOWN = 20  # groups of each kind; the rest is counted


class Links(NamedTuple):
    """Where learners' own pages are: from learner to an address; nobody's, without names."""

    addresses: dict[str, str]

    def __call__(self, student: str) -> str:
        """A learner's name as HTML."""
        link, name = self.addresses.get(student), html.escape(student)
        return f'<a href="{html.escape(link)}">{name}</a>' if link else name

    def all(self, students: Sequence[str]) -> str:
        return ", ".join(self(student) for student in students)


Example = Callable[[Group], tuple[str, str]]
"""From a group to one member's code, and to the heading of the text that it belongs to."""

Alike = Mapping[str, Sequence[Pair]]
"""From assignment to pairs whose answers have much in common."""


def page(
    folder: Path, surveys: Sequence[Survey], called: Mapping[str, str] | None = None,
    alike: Alike | None = None, name: str = "overview",
) -> Path:  # fmt: skip
    """Write the overview of some assignments.

    Parameters
    ----------
    folder : Path
        A class; the page is written into it.
    surveys : sequence of Survey
    called : mapping, optional
        What learners are called instead of by their names.
    alike : mapping, optional
        For a section of their own.
    name : str, optional
        Of the page.

    Returns
    -------
    Path
        The page.
    """
    parts = []
    for each in surveys:
        example = _examples(folder, each.assignment)
        pairs = alike[each.assignment] if alike is not None else None
        links = _links(folder, each)
        if called is not None:
            each, example, links = anonymous(each, called), _unnamed(example, called), Links({})
            pairs = pairs and [_renamed(pair, called) for pair in pairs]
        parts.append((each, "".join(_assignment(each, links, example, pairs))))
    target = folder / f"{name}.html"
    target.write_text(_page(folder.resolve().name, parts), "utf-8")
    return target


def _page(course: str, parts: Sequence[tuple[Survey, str]]) -> str:
    learners = len({learner.name for survey, _ in parts for learner in survey.learners})
    title = html.escape(f"{course}: {_count(learners, 'learner')}")
    sections = "".join(
        f'<section id="{html.escape(survey.assignment)}">{text}</section>' for survey, text in parts
    )
    surveys = [survey for survey, _ in parts]
    whole = "".join(_course(surveys)) if len(surveys) > 1 else ""
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{whole}{sections}</main></body></html>"
    )


def _assignment(
    survey: Survey, links: Links, example: Example, alike: Sequence[Pair] | None
) -> Iterator[str]:
    """All that there is to say of one assignment."""
    title = f"{survey.assignment}: {_count(len(survey.learners), 'learner')}"
    yield f"<h2>{html.escape(title)}</h2>"
    yield from _distribution(survey)
    yield from _causes(survey.misconceptions, links, example)
    yield from _clusters(survey.clusters, links, example)
    yield from _exercises(survey.exercises)
    yield from _struggling(survey, links)
    yield from _ungraded(survey, links)
    yield from _marks(survey.learners, links)
    if alike is not None:
        yield from _alike(alike, links)


def _unnamed(example: Example, called: Mapping[str, str]) -> Example:
    """Finds an example of a group whose learners are called otherwise."""
    names = {number: name for name, number in called.items()}
    return lambda group: example(group._replace(learners=tuple(names[n] for n in group.learners)))


def _renamed(pair: Pair, called: Mapping[str, str]) -> Pair:
    first, second = sorted(called[name] for name in pair.learners)
    return pair._replace(learners=(first, second))


# ------------------------------------------------------------------ the course


def _course(surveys: Sequence[Survey]) -> Iterator[str]:
    """All assignments at a glance, and who needs help in more than one."""
    yield "<h2>Assignments</h2>"
    yield _head("assignment", "learners", "median", "", "hardest exercise", "most often")
    for each in surveys:
        name = html.escape(each.assignment)
        hardest = min(each.exercises, key=lambda e: e.difficulty, default=None)
        said = f"{html.escape(hardest.name)}: {hardest.difficulty:.0%} passed" if hardest else ""
        most = "".join(_short(group) for group in each.misconceptions[:1])
        yield (
            f'<tr><th scope="row"><a href="#{name}">{name}</a></th>'
            f'<td class="n">{len(each.learners)}</td><td class="n">{each.median:.0%}</td>'
            f"<td>{_meter(each.median, f'{name}: median')}</td><td>{said}</td><td>{most}</td></tr>"
        )
    yield "</table></div>"
    behind = Counter(learner.name for each in surveys for learner in each.struggling)
    often = [(name, many) for name, many in behind.most_common() if many > 1]
    if often:
        listed = ", ".join(f"{html.escape(name)} ({many})" for name, many in often)
        yield (
            f"<details><summary>{_count(len(often), 'learner')} with less than half of the points "
            f"in more than one assignment</summary><p>{listed}</p></details>"
        )


def _short(group: Group) -> str:
    return f"{len(group.learners)} of {group.tried}: {html.escape(group.exercise)}, {group.id}"


def _meter(share: float, label: str) -> str:
    return f'<meter value="{share:.3f}" aria-label="{label}">{share:.0%}</meter>'


def _count(number: int, thing: str) -> str:
    return f"1 {thing}" if number == 1 else f"{number} {thing}s"


# ------------------------------------------------------------------ marks


def _distribution(survey: Survey) -> Iterator[str]:
    """A histogram of the learners' points, with the same in words."""
    counts = [0] * BINS
    for learner in survey.learners:
        counts[min(int(learner.share * BINS), BINS - 1)] += 1
    yield "<h3>Points</h3>"
    yield f"<p>The median is {survey.median:.0%} of the points that checks give.</p>"
    ranges = [f"{k * 10}–{k * 10 + 10} %" for k in range(BINS)]
    said = ", ".join(f"{r}: {n}" for r, n in zip(ranges, counts, strict=True) if n)
    yield (
        f'<figure><div class="wide" tabindex="0">{_histogram(counts, ranges, said)}</div>'
        f"<figcaption>{said}</figcaption></figure>"
    )


def _histogram(counts: Sequence[int], ranges: Sequence[str], said: str) -> str:
    tallest, bars = max([1, *counts]), []
    for k, (count, label) in enumerate(zip(counts, ranges, strict=True)):
        height, x = 120 * count / tallest, 10 + 62 * k
        bars.append(f'<rect x="{x}" y="{140 - height:.1f}" width="54" height="{height:.1f}"/>')
        bars.append(f'<text x="{x + 27}" y="158" text-anchor="middle">{label}</text>')
        if count:
            bars.append(
                f'<text x="{x + 27}" y="{134 - height:.1f}" text-anchor="middle">{count}</text>'
            )
    return (
        f'<svg role="img" aria-label="learners by points. {said}" viewBox="0 0 640 165" '
        f'width="640" font-size="11" font-family="sans-serif">{"".join(bars)}</svg>'
    )


def _exercises(exercises: Sequence[Exercise]) -> Iterator[str]:
    """How each exercise went, in the order of the notebook."""
    yield "<h3>Exercises</h3>"
    yield (
        "<p>Passed is an item's difficulty as textbooks define it. Discrimination is the "
        "correlation of passing an exercise with the points on all others: near 0 or below, it "
        "tells nothing of what a learner can do. It needs ten learners.</p>"
    )
    yield _head("exercise", "tried", "passed", "", "discrimination")
    for each in exercises:
        name = html.escape(each.name)
        shown = "–" if each.discrimination is None else f"{each.discrimination:.2f}"
        yield (
            f'<tr><th scope="row">{name}</th><td class="n">{each.tried} of {each.learners}</td>'
            f'<td class="n">{each.difficulty:.0%}</td>'
            f"<td>{_meter(each.difficulty, f'{name}: passed')}</td>"
            f'<td class="n">{shown}</td></tr>'
        )
    yield "</table></div>"


def _head(*columns: str) -> str:
    cells = "".join(
        f'<th scope="col">{column}</th>' if column else "<td></td>" for column in columns
    )
    return f'<div class="wide" tabindex="0"><table><tr>{cells}</tr>'


def _struggling(survey: Survey, links: Links) -> Iterator[str]:
    """Who needs help, and who has handed in nothing."""
    learners = survey.struggling
    yield "<h3>Who may need help</h3>"
    if survey.missing:
        said = f"{_count(len(survey.missing), 'learner')} of the class handed in nothing"
        names = html.escape(", ".join(survey.missing))
        yield f"<details><summary>{said}</summary><p>{names}</p></details>"
    if not learners:
        who = "Everybody else" if survey.missing else "Everybody"
        yield f"<p>{who} has half of the points, or more.</p>"
        return
    yield _head("learner", "points", "wrong", "not tried")
    for each in learners:
        wrong, missing = (html.escape(", ".join(those)) for those in (each.wrong, each.open))
        yield f'<tr><th scope="row">{links(each.name)}</th><td class="n">{_points(each)}</td>'
        yield f"<td>{wrong}</td><td>{missing}</td></tr>"
    yield "</table></div>"


def _points(learner: Learner) -> str:
    return f"{learner.points:g} of {learner.most:g}"


def _marks(learners: Sequence[Learner], links: Links) -> Iterator[str]:
    """Learner by learner."""
    yield f"<h3>Learners</h3><details><summary>All {_count(len(learners), 'learner')}</summary>"
    yield _head("learner", "points", "exercises")
    for each in learners:
        wrong = [f'<span class="wrong">✗ {html.escape(name)}</span>' for name in each.wrong]
        missing = [f'<span class="open">○ {html.escape(name)}</span>' for name in each.open]
        said = ", ".join([*wrong, *missing]) or '<span class="right">✓ all right</span>'
        yield f'<tr><th scope="row">{links(each.name)}</th><td class="n">{_points(each)}</td>'
        yield f"<td>{said}</td></tr>"
    yield "</table></div></details>"


def _ungraded(survey: Survey, links: Links) -> Iterator[str]:
    """What could not be graded, and what the grader had to say."""
    yield "<h3>What could not be graded, or was mended</h3>"
    said = [*survey.ungraded, *survey.remarks]
    if not said:
        yield "<p>Nothing.</p>"
        return
    yield _head("learner", "what")
    for name, what in said:
        yield f'<tr><th scope="row">{links(name)}</th><td>{html.escape(what)}</td></tr>'
    yield "</table></div>"


def _alike(pairs: Sequence[Pair], links: Links) -> Iterator[str]:
    """Pairs whose answers have much in common, each figure with its base rate."""
    yield "<h3>Answers with much in common</h3>"
    yield (
        "<p>This is no verdict: learners who work together, or from one page, share answers, too. "
        "Code is compared without layout, comments and names of variables. A bit is one "
        "halving of the chance that somebody else of this class gives the same answer.</p>"
    )
    if not pairs:
        yield "<p>No pair has more in common than chance would have it.</p>"
        return
    yield _head("learners", "bits", "pairs with as much", "what they share")
    for pair in pairs[:SHOWN]:
        shared = "<br>".join(
            f"{html.escape(each.exercise)}: {each.what}, given by {each.sharing} of {each.tried}"
            for each in pair.shared
        )
        yield f'<tr><th scope="row">{links.all(pair.learners)}</th>'
        yield f'<td class="n">{pair.bits:.0f}</td>'
        yield f'<td class="n">{pair.as_much} of {pair.pairs}</td><td>{shared}</td></tr>'
    yield "</table></div>"


# ------------------------------------------------------------------ what was misunderstood


def _causes(groups: Sequence[Group], links: Links, example: Example) -> Iterator[str]:
    """Misconceptions, the most frequent first."""
    yield "<h3>What was misunderstood</h3>"
    if not groups:
        yield "<p>No known misconception was found.</p>"
    yield from (_group(group, links, example, sentence(group.why)) for group in groups[:SHOWN])
    yield _more(groups)


def _clusters(groups: Sequence[Group], links: Links, example: Example) -> Iterator[str]:
    """Answers that do the same wrong thing, and no misconception says why."""
    yield "<h3>Wrong in the same way, and not explained</h3>"
    if not groups:
        yield "<p>No two wrong answers that nothing explains do the same.</p>"
    else:
        yield (
            "<p>These gave the same wrong outputs on the same inputs. Under each stands the "
            "command that makes a misconception of it, which the next learner is told.</p>"
        )
    for group in groups[:SHOWN]:
        why = f"The check says: {sentence(legible(group.why))} ({group.id})"
        yield _group(group, links, example, why, _naming(group))
    yield _more(groups)


def _naming(group: Group) -> str:
    """How a group becomes a misconception."""
    command = f"unrolled misconception new {group.exercise} NAME --class DIR --alike {group.id}"
    rest = "--old IN-THE-SOLUTION --new IN-THEIRS --why SENTENCE"
    return f"<p>To give it a name: <code>{html.escape(f'{command} {rest}')}</code></p>"


def _more(groups: Sequence[Group]) -> str:
    left = len(groups) - SHOWN
    return f"<p>… and {_count(left, 'group')} more, smaller ones.</p>" if left > 0 else ""


def _group(group: Group, links: Links, example: Example, why: str, naming: str = "") -> str:
    code, heading = example(group)
    exercise, many = html.escape(group.exercise), len(group.learners)
    meter = _meter(many / group.tried, f"{exercise}: of those who tried")
    count = f"{meter} <b>{many} of {group.tried}</b> who tried {exercise}"
    section = f"<p>Teach from the section “{html.escape(heading)}”.</p>" if heading else ""
    return (
        f"<details><summary>{count}: {why}</summary>{section}"
        f'<p>One answer:</p><pre tabindex="0">{html.escape(_bare(code))}</pre>{naming}'
        f"<details><summary>{_count(many, 'learner')}</summary>"
        f"<p>{links.all(group.learners)}</p></details></details>"
    )


def _bare(code: str) -> str:
    """Code to be shown to a class: without comments and docstrings, in which a name may stand."""
    try:
        tree = ast.parse(code)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
                node.body[:1] = [] if len(node.body) > 1 else [ast.Pass()]
        return ast.unparse(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "(It cannot be read as Python.)"


def _examples(folder: Path, assignment: str) -> Example:
    """What finds an example in what was handed in."""
    notebooks = {
        tasks.label(assignment, name): classroom.template(folder, assignment, name)
        for name in classroom.released(folder, assignment)
    }

    def example(group: Group) -> tuple[str, str]:
        for label, notebook in notebooks.items():
            heading = _heading(notebook, group.exercise)
            if heading is not None:
                clean = tasks.read(notebook, classroom.task(folder, label, group.learners[0]))
                return legible(clean.answers.get(group.exercise, ""), 4000), heading
        return "", ""

    return example


def _heading(notebook: Notebook, exercise: str) -> str | None:
    """The section that an exercise stands in; None where it is not in this notebook."""
    heading = ""
    for cell in notebook["cells"]:
        if exercise_of(cell) == exercise:
            return heading
        if cell["cell_type"] == "markdown":
            found = re.findall(r"^##? +(.+)$", source_of(cell), re.M)
            heading = found[-1] if found else heading
    return None


def _links(folder: Path, survey: Survey) -> Links:
    """Learners' feedback pages, as addresses beside the overview."""
    students = {learner.name for learner in survey.learners} | {name for name, _ in survey.ungraded}
    places = {s: folder / "feedback" / s / survey.assignment for s in students}
    pages = {student: sorted(place.glob("*.html")) for student, place in places.items()}
    return Links(
        {s: quote(those[0].relative_to(folder).as_posix()) for s, those in pages.items() if those}
    )
