"""A class at a glance: one self-contained HTML page."""

import html
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.grading.judge import Result

STYLE = """
body { font: 16px/1.5 sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em;
       color: #1b1b1b; background: #fff }
table { border-collapse: collapse; width: 100%; margin: 1em 0 }
th, td { text-align: left; padding: .35em .7em; border-bottom: 1px solid #ccc;
         vertical-align: top }
td.n { text-align: right; white-space: nowrap }
.right { color: #1a5d2e } .wrong { color: #8b1a1a } .open { color: #4a4a4a }
@media (prefers-color-scheme: dark) {
  body { color: #eee; background: #181818 } th, td { border-color: #444 }
  a { color: #9ecbff } .right { color: #8fd6a0 } .wrong { color: #ff9e94 } .open { color: #bbb }
}
"""


def page(folder: Path, assignment: str, results: Sequence[Result]) -> Path:
    """Write the overview of one assignment.

    Parameters
    ----------
    folder : Path
        A class; the page is written into it.
    assignment : str
    results : sequence of dict

    Returns
    -------
    Path
        The page.
    """
    target = folder / f"overview-{assignment}.html"
    title = html.escape(f"{assignment}: {len(results)} submissions")
    body = "".join([*_causes(results), *_marks(folder, assignment, results)])
    target.write_text(
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{body}</main></body></html>",
        "utf-8",
    )
    return target


def _causes(results: Sequence[Result]) -> Iterator[str]:
    """What was misunderstood, the most frequent first."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for result in results:
        for check in result["checks"].values():
            if check["misconception"]:
                counts[check["name"], check["misconception"], check["diagnosis"]] += 1
    yield "<h2>What was misunderstood</h2>"
    if not counts:
        yield "<p>No known misconception was found.</p>"
        return
    yield '<table><tr><th scope="col">learners<th scope="col">exercise<th scope="col">why</tr>'
    for (name, _, why), count in counts.most_common():
        yield f'<tr><td class="n">{count}<td>{html.escape(name)}<td>{html.escape(why)}</tr>'
    yield "</table>"


def _marks(folder: Path, assignment: str, results: Sequence[Result]) -> Iterator[str]:
    """Learner by learner."""
    yield "<h2>Marks</h2>"
    head = "".join(f'<th scope="col">{w}' for w in ("learner", "points", "exercises", "remarks"))
    yield f"<table><tr>{head}</tr>"
    for result in sorted(results, key=lambda r: r["student"]):
        checks = result["checks"].values()
        points = f"{sum(c['points'] for c in checks):g} of {sum(c['max'] for c in checks):g}"
        lines = "<br>".join(_line(check) for check in checks)
        remarks = "<br>".join(html.escape(remark) for remark in result["remarks"])
        name = _link(folder, assignment, result["student"])
        yield f'<tr><td>{name}<td class="n">{points}<td>{lines}<td>{remarks}</tr>'
    yield "</table>"


def _line(check: Result) -> str:
    kind = "right" if check["passed"] else "wrong"
    kind = "open" if check["rung"] == "not attempted" else kind
    said = "right" if check["passed"] else check["diagnosis"]
    return f'<span class="{kind}">{html.escape(check["name"])}: {html.escape(said)}</span>'


def _link(folder: Path, assignment: str, student: str) -> str:
    pages = sorted((folder / "feedback" / student / assignment).glob("*.html"))
    text = html.escape(student)
    if not pages:
        return text
    return f'<a href="{html.escape(pages[0].relative_to(folder).as_posix())}">{text}</a>'
