"""The card: what it says, what it marks, and that it can be read in any theme and without style."""

import ast
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest

from autograder import card, examine
from autograder.exercise import exercise, mutant
from autograder.report import Difference, Hint, Report, Rung
from solutions import rnn


class Reader(HTMLParser):
    """The words of a page, its tables, and what it would load or run."""

    def __init__(self, page):
        super().__init__()
        self.words, self.tables, self.active, self.open = [], [], [], []
        self.feed(page)
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        named = dict(attrs)
        self.active += [k for k in named if k.startswith("on") or k in ("src", "href")]
        self.active += [tag] if tag in ("script", "iframe", "link", "img") else []
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1] == "style":
            assert "url(" not in data
            assert "@import" not in data
            return
        self.words.append(data)
        if self.open and {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1] += data


def wrong(name, number):
    declared = exercise(name)
    return examine(mutant(declared.reference, declared.misconceptions[number]), name)


def luminance(colour):
    channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(share * c for share, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one, two):
    low, high = sorted((luminance(one), luminance(two)))
    return (high + 0.05) / (low + 0.05)


def test_contrast_is_measured_as_the_standard_does():
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", [card.LIGHT, card.DARK])
def test_every_state_can_be_read(theme):
    assert theme.keys() == {"passed", "open", "wrong"}
    for ink, paper, text in theme.values():
        assert contrast(ink, paper) >= 4.5
        assert contrast(text, paper) >= 7


@pytest.mark.parametrize("value", [-9, -1, -0.3, 0, 0.3, 1, 9, np.nan, np.inf, -np.inf])
def test_every_tint_can_be_read(value):
    assert contrast(card._tint(np.float64(value), 1.0), card.CELL_INK) >= 7


def test_dark_colours_are_there_for_every_place():
    for place in ("data-jp-theme-light", "vscode-dark", "data-theme"):
        assert place in card.STYLE
    for state, (ink, paper, text) in card.DARK.items():
        assert f".unrolled-{state}{{--u-ink:{ink};--u-paper:{paper};--u-text:{text}}}" in card.STYLE


def test_the_words_of_the_card_are_those_of_the_text():
    report = replace(wrong("rnn_backward", 0), hint=Hint(2, 3, "Go back in time."))
    words = " ".join(Reader(report._repr_html_()).words)
    for part in (report.headline, report.climbed, report.introduction, report.cause):
        assert part in words
        assert part in str(report)
    for difference in report.differences:
        assert difference.text in words
    assert "Hint 2 of 3" in words
    assert 'rnn_backward(**case("rnn_backward", 0))' in words


def test_right_and_wrong_quantities_stand_in_one_table_cause_first():
    report = wrong("lstm_cell_backward", 0)
    table, *_ = Reader(report._repr_html_()).tables
    assert [row[0] for row in table] == list(report.compared)
    marks = {row[0]: row[1][0] for row in table}
    named = {difference.name for difference in report.differences}
    assert marks == {name: "✗" if name in named else "✓" for name in report.compared}


def test_time_steps_are_marked_one_by_one():
    report = wrong("rnn_backward", 0)
    assert "only the last step (6) is right" in str(report)
    assert 'aria-label="wrong at 0, 1, 2, 3, 4, 5">✗✗✗✗✗✗✓</span>' in report._repr_html_()


def a_difference(shape, at, **fields):
    want = np.arange(np.prod(shape), dtype=float).reshape(shape) / 10
    got, wrong = want.copy(), np.zeros(shape, bool)
    got[at], wrong[at] = -5, True
    return Difference("a", "said", want, got, wrong, **fields)


@pytest.mark.parametrize(
    ("shape", "at"),
    [((3,), (1,)), ((3, 4), (2, 1)), ((2, 3, 4), (1, 0, 3)), ((9, 20), (8, 19)), ((9, 20), (0, 7))],
)
def test_the_heat_map_marks_what_is_wrong_and_nothing_else(shape, at):
    expected, yours = (
        Reader(html).tables[0] for html in card._side_by_side(a_difference(shape, at))
    )
    row, column = (0, *at)[-2:]
    assert [row[0] for row in expected] == [row[0] for row in yours]
    header = yours[0]
    for line_expected, line in zip(expected[1:], yours[1:], strict=True):
        for k, (want, got) in enumerate(zip(line_expected, line, strict=True)):
            is_wrong = (line[0], header[k]) == (str(row), str(column))
            assert ("✗" in got) == is_wrong
            assert is_wrong or want == got
    assert any("✗" in cell for line in yours for cell in line)
    assert len(yours) <= card.SIDE + 1
    assert len(header) <= card.SIDE + 1


def test_a_part_of_an_array_is_said_to_be_one():
    difference = a_difference((5, 9, 20), (3, 8, 0), axes=("T_x", "m", "n_a"))
    first, _ = card._side_by_side(difference)
    assert "expected a[3] (m 3 to 8 of 9, n_a 0 to 5 of 20)" in first
    first, _ = card._side_by_side(a_difference((3, 4), (0, 0)))
    assert "<caption>expected a</caption>" in first


@pytest.mark.parametrize(
    ("scale", "number", "shown"),
    [(1, 0.12345, "0.12"), (0.9, 0.12345, "0.123"), (1.7, -0.5, "-0.50"), (300, 12.3, "12"),
     (1, 1e9, "1e+09"), (1e-8, 1e-8, "1e-08"), (1, np.nan, "nan"), (1, -np.inf, "-inf")],
)  # fmt: skip
def test_figures_are_as_fine_as_the_largest_allows(scale, number, shown):
    assert card._figure(np.float64(number), scale) == shown


def test_backticks_mark_code_and_nothing_else():
    assert card.paragraph("Delete `a < b`.").endswith(">Delete <code>a &lt; b</code>.</p>")
    assert "<code>" not in card.paragraph("one ` alone, and\n`two\nlines`")
    assert ">`" not in examine(lambda z: z, "softmax")._repr_html_()


@pytest.mark.parametrize("how", [{"case": None}, {"public": False}, {}])
def test_what_to_try_is_code_whole_and_alone(how):
    report = replace(wrong("rnn_backward", 0), cause="", **how)
    (code,) = re.findall(r"<code>(.*?)</code>", report._repr_html_())
    assert isinstance(ast.parse(unescape(code), mode="eval").body, ast.Call)
    assert unescape(code) in str(report)


def test_whole_numbers_and_truth_values_stand_as_they_are():
    assert card._figure(np.int64(2**60), 1.0) == str(2**60)
    assert card._figure(np.bool(True), 1.0) == "True"


def test_what_a_learner_wrote_is_text():
    nasty = "<script>alert(1)</script>"
    report = Report(
        "softmax", Rung.RAISED, details=(nasty,), cause=nasty, notes=(nasty,), case=0, title="a",
        differences=(Difference(nasty, nasty),), hint=Hint(1, 3, nasty),
    )  # fmt: skip
    page = report._repr_html_()
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 6
    assert Reader(page).active == []


SOFTMAX = {
    Rung.NOT_ATTEMPTED: "raise NotImplementedError()",
    Rung.RAISED: "return z @ z",
    Rung.KIND: "return None",
    Rung.SHAPE: "return rnn.softmax(z).T",
    Rung.FINITE: "return z / 0",
    Rung.UNSTABLE: "return rnn.softmax(z) + np.random.rand()",
    Rung.VALUES: "return np.zeros(z.shape)",
    Rung.PASSED: "return rnn.softmax(z)",
}


@pytest.mark.parametrize("rung", Rung)
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_rung_has_a_card(rung):
    scope = {"np": np, "rnn": rnn}
    exec(f"def softmax(z):\n    {SOFTMAX[rung]}", scope)
    report = examine(scope["softmax"])
    assert report.rung is rung
    read = Reader(report._repr_html_())
    assert read.active == []
    assert report.headline in read.words
    climbed = re.findall(r"(\w+) ([✓✗])", report.climbed)
    if rung in (Rung.NOT_ATTEMPTED, Rung.PASSED):
        assert climbed == []
    else:
        assert [mark for _, mark in climbed] == ["✓"] * (len(climbed) - 1) + ["✗"]
        assert len(climbed) == list(Rung).index(rung)
