"""nbgrader's formgrader in a real browser, as an instructor goes through it.

Questions are marked by hand, feedback is made again, and every page and every export has the same
marks as the judge and the instructor have given.
"""

import csv
import io
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from statistics import mean
from typing import NamedTuple

import pytest
from bs4 import BeautifulSoup

from autograder.cli import main
from autograder.grading import demo
from autograder.grading.books import Books
from autograder.notebooks import TEXT_STUB
from autograder.tests.grading.conftest import NAME, UNIT
from autograder.tests.grading.test_regrade import copied, overflow_is_right, run
from course.tests.looking import (
    ANY,
    CHROMIUM,
    FOREIGN,
    WIDE,
    browsing,
    jupyterlab,
    keep,
    theme,
    too_wide,
    violations,
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed: no page was looked at"),
]

STEM = Path(NAME).stem
FIRST, SECOND = "why-one-set-of-weights", "what-a-forward-network-cannot-see"
COMMENT = 'Zwei gute Gründe – but *which* sequence? <b>See</b> 2.1 & "2.2".'
BOXES = f"What is learned at one position is of use at all.\n\n# {SECOND}\n\n## {SECOND}-comment\n"
"""An answer whose headings bear the names of the boxes that the next one's mark is entered in."""
CHEN = demo._mistaken(*demo.MISTAKEN["chen"])
EMPTY = demo.handing_in(dict.fromkeys((FIRST, SECOND), TEXT_STUB))
MATHJAX = """window.MathJax = {Hub: {Config() {}, Queue() {}, Startup: {signal: {
    Interest: heard => setTimeout(() => heard("End")) }}}}"""
"""Stands for what comes from a CDN: it tells the formgrader that the formulas are set."""


class Learner(NamedTuple):
    first: str
    last: str
    hands_in: Callable


RIGHT, WRONG, BLANK = "zoë", "o.neil+2@uni.example", "李-wei"
CLASS = {
    RIGHT: Learner("Zoë", 'Núñez "Zo", Jr.', demo.handing_in({})),
    WRONG: Learner(
        "Séan",
        "O'Neil, <script>document.title = 'run'</script>",
        demo.handing_in({"softmax": CHEN, FIRST: BOXES}),
    ),
    BLANK: Learner("李", "Wei & Söhne", EMPTY),
}


# ------------------------------------------------------------------ a class, and its formgrader


class Formgrader:
    """The formgrader in JupyterLab, and what is done in it."""

    def __init__(self, page, folder):
        self.page, self.folder = page, folder
        page.get_by_role("menuitem", name="Nbgrader").click()
        page.get_by_role("menu").get_by_text("Formgrader", exact=True).click()
        page.wait_for_selector("iframe")
        self.frame = page.locator("iframe").element_handle().content_frame()
        self.home = self.frame.wait_for_selector("a >> text=Manual Grading").evaluate("a => a.href")

    def open(self, *links):
        """From the first page, follow links by their names."""
        self.frame.goto(self.home)
        for link in links:
            with self.frame.expect_navigation():
                self.frame.get_by_role("link", name=link, exact=True).last.click()

    def rows(self):
        """The table that is shown, as cells of text."""
        self.frame.wait_for_selector("#main-table a")
        for names in self.frame.get_by_role("button", name="Show All Names").all():
            names.click()
        rows = self.frame.locator("#main-table tr").all()
        return [[cell.strip() for cell in row.locator("td").all_inner_texts()] for row in rows]

    def submission(self, learner):
        """Open a learner's notebook, in the way to mark questions."""
        self.open(UNIT, STEM)
        self.rows()
        with self.frame.expect_navigation():
            self.frame.locator("#main-table a", has_text=CLASS[learner].first).click()
        self.frame.wait_for_function("formgrader.grades?.loaded && formgrader.comments?.loaded")
        self.settled()

    def settled(self):
        """Wait until the page has scrolled to the box that is selected, as it does for half a
        second: a press would miss what moves away under it.
        """
        self.frame.wait_for_function("MathJax.loaded && $(':animated').length === 0")

    def saving(self, kind):
        """Wait for what is entered meanwhile to be saved."""
        return self.page.expect_response(
            lambda answer: f"/api/{kind}/" in answer.url and answer.request.method == "PUT"
        )

    def press(self, learner, button):
        """A button in the list of submissions, and what the formgrader says of it."""
        self.frame.goto(self.home.replace("gradebook", f"manage_submissions/{UNIT}"))
        self.rows()
        cell = self.frame.get_by_role("gridcell", name=learner, exact=True)
        self.frame.get_by_role("row").filter(has=cell).locator(f".{button} a").click()
        said = self.frame.locator(".modal-title")
        said.wait_for(timeout=60_000)
        return said.inner_text()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A class, graded by `unrolled grade`."""
    work = tmp_path_factory.mktemp("formgrader")
    folder, roster = work / "class", work / "roster.csv"
    people = [(who, learner.first, learner.last) for who, learner in CLASS.items()]
    roster.write_text(table([("id", "first_name", "last_name"), *people]), "utf-8")
    assert main(["class", "new", str(folder)]) == 0
    assert main(["class", "release", str(folder), UNIT]) == 0
    assert main(["class", "add-students", str(folder), str(roster)]) == 0
    for who, learner in CLASS.items():
        hand_in(folder, who, learner.hands_in)
    assert main(["grade", str(folder), "--workers", "1"]) == 0
    return folder


def hand_in(folder, who, make):
    place = folder / "submitted" / who / UNIT
    place.mkdir(parents=True, exist_ok=True)
    for name, text in make(NAME).items():
        (place / name).write_text(text, "utf-8")


def table(rows):
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


@pytest.fixture(scope="module")
def formgrader(folder):
    """Opened from Lab's menu. Fails on an error of a page, or a way out that is not MathJax."""
    errors, strangers = [], []
    with jupyterlab(folder, folder.parent) as address, browsing() as chromium:
        page = chromium.new_page(viewport={"width": WIDE, "height": 1000})
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)

        def leave(route):
            if "/mathjax/" in route.request.url:
                return route.fulfill(body=MATHJAX, content_type="text/javascript")
            strangers.append(route.request.url)
            return route.abort()

        page.route(lambda url: not url.startswith((address, "data:", "blob:")), leave)
        page.goto(f"{address}/lab")
        yield Formgrader(page, folder)
        page.close()
    assert not strangers
    assert not [error for error in errors if FOREIGN not in error]


# ------------------------------------------------------------------ questions marked by hand


class Marked(NamedTuple):
    """The feedback pages before a learner was marked, and after the next `unrolled grade`."""

    before: dict
    after: dict


@pytest.fixture(scope="module")
def marked(formgrader):
    """The questions of one learner are marked by hand, and the class is graded once more."""
    folder, frame = formgrader.folder, formgrader.frame
    before = pages(folder)
    formgrader.submission(WRONG)
    with formgrader.saving("grade"):
        frame.locator(f"#{FIRST}").fill("1.5")
        frame.locator(f"#{FIRST}").press("Tab")
    with formgrader.saving("comment"):
        frame.locator(f"#{FIRST}-comment").fill(COMMENT)
        frame.locator(f"#{FIRST}-comment").press("Tab")
    formgrader.settled()
    second = frame.locator(".nbgrader_cell", has=frame.locator(f"#{SECOND}"))
    with formgrader.saving("grade"):
        second.get_by_role("button", name="Full credit").click()
    keep(formgrader.page, "formgrader-marked")
    assert main(["grade", str(folder), "--workers", "1"]) == 0
    return Marked(before, pages(folder))


def pages(folder):
    return {
        path.parents[1].name: (path.stat().st_mtime_ns, path.read_bytes())
        for path in (folder / "feedback").rglob("*.html")
    }


def words(page):
    return " ".join(BeautifulSoup(page, "html.parser").get_text().split())


def test_feedback_is_made_again_for_whom_was_marked_and_nobody_else(marked):
    assert marked.before.keys() == marked.after.keys() == CLASS.keys()
    assert {who for who in CLASS if marked.before[who] != marked.after[who]} == {WRONG}
    said = words(marked.after[WRONG][1])
    assert f"{STEM} (Score: 17.5 / 20.0)" in said
    assert "Written response (Score: 1.5 / 2.0)" in said
    assert "Written response (Score: 2.0 / 2.0)" in said
    assert 'Zwei gute Gründe – but which sequence? See 2.1 & "2.2".' in said


def exported(folder, capsys, *words):
    capsys.readouterr()
    assert main(["export", str(folder), *words]) == 0
    return capsys.readouterr().out


def marks(folder, capsys):
    """The rows of `unrolled export`, by learner."""
    rows = csv.DictReader(io.StringIO(exported(folder, capsys)))
    return {row["student"]: row for row in rows}


def test_every_export_has_the_automatic_and_the_manual_mark(marked, folder, capsys, tmp_path):
    row = marks(folder, capsys)[WRONG]
    assert float(row["check-softmax"]) == 0 and float(row["check-rnn_forward"]) == 4
    assert (float(row[FIRST]), float(row[SECOND])) == (1.5, 2)
    assert (float(row["score"]), float(row["max_score"])) == (17.5, 20)
    open_ = {who: row["needs_manual_grade"] for who, row in marks(folder, capsys).items()}
    assert open_ == {WRONG: "no", RIGHT: "yes", BLANK: "no"}

    (mark,) = (
        mark for mark in json.loads(exported(folder, capsys, "--format", "json"))
        if mark["student"] == WRONG
    )  # fmt: skip
    assert (mark["total"], mark["manual"]) == (17.5, False)
    assert {name: float(row[name]) for name in mark["parts"]} == mark["parts"]

    head = {
        "canvas": ["Student", "ID", "SIS Login ID"],
        "moodle": ["First name", "Last name", "Username"],
    }
    person = CLASS[WRONG]
    for kind, who in ("canvas", (f"{person.last}, {person.first}", 7)), ("moodle", person[:2]):
        into = tmp_path / f"{kind}.csv"
        into.write_text(table([head[kind], [*who, WRONG]]), "utf-8")
        text = exported(folder, capsys, "--format", kind, "--into", str(into))
        (filled,) = csv.DictReader(io.StringIO(text))
        assert filled[UNIT] == "17.5", kind


def test_every_page_shows_the_marks_of_the_export(marked, formgrader, capsys):
    rows = marks(formgrader.folder, capsys)
    score = lambda row: f"{float(row['score']):g} / {float(row['max_score']):g}"  # noqa: E731
    by_name = {
        f"{CLASS[who].last}, {CLASS[who].first}".translate(str.maketrans("<>", "‹›")): score(row)
        for who, row in rows.items()
    }
    average = f"{mean(float(row['score']) for row in rows.values()):.2f}".rstrip("0")

    formgrader.open()
    ((assignment, _, count, shown),) = formgrader.rows()
    assert (assignment, count) == (UNIT, "3")
    assert shown.split(" / ")[0] == average
    formgrader.open(UNIT)
    ((notebook, shown, *_),) = formgrader.rows()
    assert (notebook, shown.split(" / ")[0]) == (STEM, average)
    formgrader.open(UNIT, STEM)
    assert {row[1]: row[2] for row in formgrader.rows()} == by_name
    formgrader.open("Manage Assignments")
    assert formgrader.rows()[0][0] == UNIT
    formgrader.open("Manage Assignments", "3")
    assert {row[0]: row[4] for row in formgrader.rows()} == by_name
    formgrader.open("Manage Students")
    assert {row[0]: row[3] for row in formgrader.rows()} == by_name
    for name, shown in by_name.items():
        formgrader.open("Manage Students", name)
        assert [row[:2] for row in formgrader.rows()] == [[UNIT, shown]]
        formgrader.open("Manage Students", name, UNIT)
        assert [row[:2] for row in formgrader.rows()] == [[STEM, shown]]


# ------------------------------------------------------------------ a submission's page


def test_a_name_does_not_run(formgrader):
    formgrader.submission(WRONG)
    assert formgrader.frame.title() == STEM
    assert "‹script›" in formgrader.frame.locator(".name-shown").first.text_content()


@pytest.mark.parametrize("shade", ["Light", "Dark"])
def test_cards_can_be_read_where_questions_are_marked(formgrader, shade):
    theme(formgrader.page, shade)
    formgrader.submission(WRONG)
    keep(formgrader.frame.locator(".unrolled-wrong"), f"formgrader-card-{shade.lower()}")
    cards = formgrader.frame.locator(".unrolled").all()
    assert len(cards) == 6
    for element in cards:
        assert violations(element, ANY) == []
        assert too_wide(element) == []


def test_text_can_be_read_where_questions_are_marked(formgrader):
    formgrader.submission(RIGHT)
    shown = lambda where, name: set(  # noqa: E731
        formgrader.frame.locator(where).evaluate_all(
            "(all, name) => all.map(each => getComputedStyle(each)[name])", name
        )
    )
    assert shown(".text_cell_render :is(td, th)", "paddingRight") == {"14px"}, "columns apart"
    assert shown("summary", "display") == {"list-item"}, "with its triangle"
    formgrader.frame.get_by_text("The answer to the prediction").first.click()
    assert formgrader.frame.locator("details[open]").count() == 1


def test_the_model_answer_unfolds_where_questions_are_marked(formgrader):
    formgrader.submission(BLANK)
    models = formgrader.frame.locator("details", has_text="Model answer")
    assert models.count() == 2
    reason = models.first.get_by_text("What is learned at one position")
    assert not reason.is_visible()
    models.first.locator("summary").click()
    assert reason.is_visible()
    keep(formgrader.page, "formgrader-model-answer")


# ------------------------------------------------------------------ nbgrader's own buttons


@pytest.mark.parametrize("who", [WRONG, BLANK])
def test_generate_feedback_makes_the_page_that_we_make(marked, formgrader, who):
    path = formgrader.folder / "feedback" / who / UNIT / f"{STEM}.html"
    ours = path.read_text("utf-8")
    path.write_text("another", "utf-8")
    assert formgrader.press(who, "generate-feedback") == "Success"
    theirs = path.read_text("utf-8")
    assert str(BeautifulSoup(ours, "html.parser")) == theirs, "all but the parser's own spelling"
    assert ("What is learned at one position" in theirs) == (who == WRONG), "answered so"
    assert "Model answer" not in theirs


def test_autograde_gives_the_mark_that_we_give(marked, formgrader, tmp_path):
    folder = formgrader.folder
    hand_in(folder, RIGHT, demo.submissions()["goran"])
    copy = shutil.copytree(folder, tmp_path / "copy")
    assert formgrader.press(RIGHT, "autograde") == "Success"
    assert main(["grade", str(copy), "--workers", "1"]) == 0
    ours, theirs = Books(copy).sheets(UNIT), Books(folder).sheets(UNIT)
    assert ours == theirs
    assert ours[RIGHT, STEM].scores["check-rnn_forward"] == 0


def test_a_regrading_keeps_marks_and_comments_given_by_hand(marked, folder, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "copy")
    place = copied(tmp_path / "checkout")
    overflow_is_right(place)
    done = run(place, "regrade", copy)
    assert {(move["student"], move["exercise"]) for move in done["moves"]} == {(WRONG, "softmax")}
    sheet = Books(copy).sheets(UNIT)[WRONG, STEM]
    assert sheet.scores["check-softmax"] == 2
    assert (sheet.manual[FIRST], sheet.manual[SECOND], sheet.open) == (1.5, 2, [])
    assert sheet.comments[FIRST] == COMMENT
    said = words(pages(copy)[WRONG][1])
    assert f"{STEM} (Score: 19.5 / 20.0)" in said and "Zwei gute Gründe" in said
