"""A class at a glance: one self-contained page, to be read on Sunday and taught from on Monday."""

import ast
import html
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from autograder.grading import classroom, tasks
from autograder.grading.integrity import Pair
from autograder.grading.sanitise import Notebook, legible
from autograder.grading.survey import Exercise, Group, Learner, Survey
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
svg { max-width: 100%; height: auto } svg rect { fill: var(--bar) } svg text { fill: var(--ink) }
meter { width: 8em }
"""
BINS = 10
SHOWN = 20  # groups of each kind; the rest is counted


class Names(NamedTuple):
    """What learners are called on a page, and where their own pages are."""

    called: dict[str, str]
    links: dict[str, str]
    hidden: bool = False

    def __call__(self, student: str) -> str:
        """A learner's name as HTML."""
        name = html.escape(self.called[student])
        link = self.links.get(student)
        return f'<a href="{html.escape(link)}">{name}</a>' if link else name

    def all(self, students: Sequence[str]) -> str:
        return ", ".join(self(student) for student in students)


Example = Callable[[Group], tuple[str, str]]
"""From a group to one member's code, and to the heading of the text that it belongs to."""


def page(
    folder: Path, survey: Survey, anonymous: bool = False, alike: Sequence[Pair] | None = None
) -> Path:
    """Write the overview of one assignment.

    Parameters
    ----------
    folder : Path
        A class; the page is written into it.
    survey : Survey
    anonymous : bool, optional
        Leave the learners' names out.
    alike : sequence of Pair, optional
        Pairs whose answers have much in common, for a section of their own.

    Returns
    -------
    Path
        The page.
    """
    called = survey.called(anonymous)
    links = {} if anonymous else _links(folder, survey.assignment, list(called))
    names = Names(called, links, anonymous)
    target = folder / f"overview-{survey.assignment}.html"
    example = _examples(folder, survey.assignment)
    target.write_text(_page(survey, names, example, alike), "utf-8")
    return target


def _page(
    survey: Survey, names: Names, example: Example, alike: Sequence[Pair] | None = None
) -> str:
    title = html.escape(f"{survey.assignment}: {_count(len(survey.learners), 'learner')}")
    body = "".join(
        [
            *_distribution(survey),
            *_causes(survey.misconceptions, names, example),
            *_clusters(survey.clusters, names, example),
            *_exercises(survey.exercises),
            *_struggling(survey.struggling, names),
            *_ungraded(survey, names),
            *_marks(survey.learners, names),
            *(_alike(alike, names) if alike is not None else ()),
        ]
    )
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{body}</main></body></html>"
    )


def _count(number: int, thing: str) -> str:
    return f"1 {thing}" if number == 1 else f"{number} {thing}s"


# ------------------------------------------------------------------ marks


def _distribution(survey: Survey) -> Iterator[str]:
    """A histogram of the learners' points, with the same in words."""
    counts = [0] * BINS
    for learner in survey.learners:
        counts[min(int(learner.share * BINS), BINS - 1)] += 1
    yield "<h2>Points</h2>"
    yield f"<p>The median is {survey.median:.0%} of the points that checks give.</p>"
    ranges = [f"{k * 10}–{k * 10 + 10} %" for k in range(BINS)]
    said = ", ".join(f"{r}: {n}" for r, n in zip(ranges, counts, strict=True) if n)
    yield f"<figure>{_histogram(counts, ranges, said)}<figcaption>{said}</figcaption></figure>"


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
    yield "<h2>Exercises</h2>"
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
            f'<td class="n">{each.difficulty:.0%}</td><td><meter value="{each.difficulty:.3f}" '
            f'aria-label="{name}: passed">{each.difficulty:.0%}</meter></td>'
            f'<td class="n">{shown}</td></tr>'
        )
    yield "</table></div>"


def _head(*columns: str) -> str:
    cells = "".join(
        f'<th scope="col">{column}</th>' if column else "<td></td>" for column in columns
    )
    return f'<div class="wide" tabindex="0"><table><tr>{cells}</tr>'


def _struggling(learners: Sequence[Learner], names: Names) -> Iterator[str]:
    """Who needs help."""
    yield "<h2>Who may need help</h2>"
    if not learners:
        yield "<p>Everybody has half of the points, or more.</p>"
        return
    yield _head("learner", "points", "wrong", "not tried")
    for each in learners:
        wrong, missing = (html.escape(", ".join(those)) for those in (each.wrong, each.open))
        yield f'<tr><th scope="row">{names(each.name)}</th><td class="n">{_points(each)}</td>'
        yield f"<td>{wrong}</td><td>{missing}</td></tr>"
    yield "</table></div>"


def _points(learner: Learner) -> str:
    return f"{learner.points:g} of {learner.most:g}"


def _marks(learners: Sequence[Learner], names: Names) -> Iterator[str]:
    """Learner by learner."""
    yield "<h2>Learners</h2>"
    yield _head("learner", "points", "exercises")
    for each in learners:
        wrong = [f'<span class="wrong">✗ {html.escape(name)}</span>' for name in each.wrong]
        missing = [f'<span class="open">○ {html.escape(name)}</span>' for name in each.open]
        said = ", ".join([*wrong, *missing]) or '<span class="right">✓ all right</span>'
        yield f'<tr><th scope="row">{names(each.name)}</th><td class="n">{_points(each)}</td>'
        yield f"<td>{said}</td></tr>"
    yield "</table></div>"


def _ungraded(survey: Survey, names: Names) -> Iterator[str]:
    """What could not be graded, and what the grader had to say."""
    yield "<h2>What could not be graded, or was mended</h2>"
    said = [*survey.ungraded, *(() if names.hidden else survey.remarks)]
    if names.hidden and survey.remarks:
        many = len({name for name, _ in survey.remarks})
        yield f"<p>Of {_count(many, 'learner')} something was mended; it may name them.</p>"
    elif not said:
        yield "<p>Nothing.</p>"
    if not said:
        return
    yield _head("learner", "what")
    for name, what in said:
        yield f'<tr><th scope="row">{names(name)}</th><td>{html.escape(what)}</td></tr>'
    yield "</table></div>"


def _alike(pairs: Sequence[Pair], names: Names) -> Iterator[str]:
    """Pairs whose answers have much in common, each figure with its base rate."""
    yield "<h2>Answers with much in common</h2>"
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
        yield f'<tr><th scope="row">{names.all(pair.learners)}</th>'
        yield f'<td class="n">{pair.bits:.0f}</td>'
        yield f'<td class="n">{pair.as_much} of {pair.pairs}</td><td>{shared}</td></tr>'
    yield "</table></div>"


# ------------------------------------------------------------------ what was misunderstood


def _causes(groups: Sequence[Group], names: Names, example: Example) -> Iterator[str]:
    """Misconceptions, the most frequent first."""
    yield "<h2>What was misunderstood</h2>"
    if not groups:
        yield "<p>No known misconception was found.</p>"
    yield from (_group(group, names, example, html.escape(group.why)) for group in groups[:SHOWN])
    yield _more(groups)


def _clusters(groups: Sequence[Group], names: Names, example: Example) -> Iterator[str]:
    """Answers that do the same wrong thing, and no misconception says why."""
    yield "<h2>Wrong in the same way, and not explained</h2>"
    if not groups:
        yield "<p>No two wrong answers that nothing explains do the same.</p>"
    else:
        yield (
            "<p>These gave the same wrong outputs on the same inputs. With a sentence on why, "
            "<code>unrolled misconception new</code> makes a misconception of them, which the next "
            "learner is told.</p>"
        )
    for group in groups[:SHOWN]:
        why = f"The check says: {html.escape(legible(group.why))} ({group.id})"
        yield _group(group, names, example, why)
    yield _more(groups)


def _more(groups: Sequence[Group]) -> str:
    left = len(groups) - SHOWN
    return f"<p>… and {_count(left, 'group')} more, smaller ones.</p>" if left > 0 else ""


def _group(group: Group, names: Names, example: Example, why: str) -> str:
    code, heading = example(group)
    code = _bare(code) if names.hidden else code
    count = f"<b>{len(group.learners)} of {group.tried}</b> who tried {html.escape(group.exercise)}"
    section = f"<p>Teach from the section “{html.escape(heading)}”.</p>" if heading else ""
    return (
        f"<details><summary>{count}: {why}</summary>{section}"
        f"<p>Learners: {names.all(group.learners)}</p>"
        f'<p>One answer:</p><pre tabindex="0">{html.escape(code)}</pre></details>'
    )


def _bare(code: str) -> str:
    """Code without comments and docstrings, in which a name may stand."""
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "(It cannot be read as Python.)"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) is not None:
            node.body[:1] = [] if len(node.body) > 1 else [ast.Pass()]
    return ast.unparse(tree)


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
    """The last heading above an exercise; None where it is not in this notebook."""
    heading = ""
    for cell in notebook["cells"]:
        if exercise_of(cell) == exercise:
            return heading
        if cell["cell_type"] == "markdown":
            found = re.findall(r"^#{1,6} +(.+)$", source_of(cell), re.M)
            heading = found[-1] if found else heading
    return None


def _links(folder: Path, assignment: str, students: Sequence[str]) -> dict[str, str]:
    """Learners' feedback pages, as addresses beside the overview."""
    places = {student: folder / "feedback" / student / assignment for student in students}
    pages = {student: sorted(place.glob("*.html")) for student, place in places.items()}
    return {
        student: quote(those[0].relative_to(folder).as_posix())
        for student, those in pages.items()
        if those
    }
