"""The overview: planted misconceptions with planted counts, planted clusters, names left out."""

import csv
import io
import json
import re
import statistics
from html import unescape
from urllib.parse import unquote

import numpy as np
import pytest

from autograder.cli import main
from autograder.grading import classroom, demo, export, overview
from autograder.grading.alike import fingerprint
from autograder.grading.books import Mark
from autograder.grading.grade import grade, surveyed
from autograder.grading.integrity import Pair, Shared
from autograder.grading.judge import grade_notebook
from autograder.grading.sanitise import sanitise
from autograder.grading.session import Clock, Session
from autograder.grading.survey import (
    Exercise,
    Group,
    Learner,
    Survey,
    anonymous,
    numbers,
    rows,
    survey,
)
from autograder.trial import Failure, Outcome

UNIT = demo.UNIT
HALF = "def softmax(z):\n    e = np.exp(z - z.max(-1, keepdims=True))\n    return {}"
PLANTED = {
    **{f"a{k}": {"softmax": ("softmax", "no-axis")} for k in range(3)},
    **{f"b{k}": {"rnn_forward": ("rnn_forward", "state-not-carried")} for k in range(2)},
    "c0": {"last_states": ("last_states", "last-slot-for-all")},
}
CLUSTERS = {
    "d0": HALF.format("e / e.sum(-1, keepdims=True) / 3  # by Dora"),
    "d1": HALF.format("(e / 3) / e.sum(-1)[..., None]"),
    "d2": HALF.format("e / (3 * np.add.reduce(e, axis=-1, keepdims=True))"),
    "e0": HALF.format("np.sqrt(e / e.sum(-1, keepdims=True))"),
    "e1": HALF.format("(e / e.sum(-1, keepdims=True)) ** 0.5"),
    "f0": HALF.format("e / e.sum(-1, keepdims=True) + 7"),
}


def answers(student):
    if student in PLANTED:
        return {name: demo._mistaken(*slip) for name, slip in PLANTED[student].items()}
    return {"softmax": CLUSTERS[student]} if student in CLUSTERS else {}


@pytest.fixture(scope="module")
def surveyed_class(tmp_path_factory):
    folder = tmp_path_factory.mktemp("survey") / "class"
    classroom.new(folder)
    learners = [*PLANTED, *CLUSTERS, "hugo", "nasty & co"]
    made = {student: demo.handing_in(answers(student)) for student in learners}
    made["e1"] = lambda name: {"e1's own.ipynb": demo.solved(answers("e1"))}
    made["<b>odd<b>"] = made["hugo"]
    demo.hand_in(folder, {**made, "empty": demo.submissions()["karim"]})
    grade(folder, UNIT, quiet=True)
    return folder


def test_planted_misconceptions_are_counted(surveyed_class):
    found = surveyed(surveyed_class, UNIT).misconceptions
    counted = [(g.exercise, g.id, len(g.learners), g.tried) for g in found]
    assert counted == [
        ("softmax", "no-axis", 3, 14),
        ("rnn_forward", "state-not-carried", 2, 14),
        ("last_states", "last-slot-for-all", 1, 14),
    ]


def test_planted_clusters_are_found_whatever_their_code(surveyed_class):
    clusters = surveyed(surveyed_class, UNIT).clusters
    assert [group.learners for group in clusters] == [("d0", "d1", "d2"), ("e0", "e1")]
    assert {group.exercise for group in clusters} == {"softmax"}


def test_figures_of_exercises_and_learners(surveyed_class):
    found = surveyed(surveyed_class, UNIT)
    softmax = next(e for e in found.exercises if e.name == "softmax")
    assert (softmax.learners, softmax.tried, softmax.passed) == (15, 14, 5)
    passed = [float(x.name not in ("empty", *CLUSTERS, "a0", "a1", "a2")) for x in found.learners]
    rest = [x.points - 2 * p for x, p in zip(found.learners, passed)]
    assert softmax.discrimination == pytest.approx(np.corrcoef(passed, rest)[0, 1])
    assert [learner.name for learner in found.struggling] == ["empty"]
    assert found.median == statistics.median(x.points / x.most for x in found.learners)
    assert found.ungraded == (("<b>odd<b>", classroom.ODD_NAME),)
    assert {student for student, _ in found.remarks} == {"e1"}


def test_the_page_says_all_of_it_and_loads_nothing(surveyed_class, capsys):
    assert main(["report", str(surveyed_class)]) == 0
    page = (surveyed_class / "overview.html").read_text("utf-8")
    assert capsys.readouterr().out.splitlines()[0].endswith("overview.html")
    assert "<b>3 of 14</b> who tried softmax: All exponentials were summed together" in page
    assert "<b>3 of 14</b> who tried softmax: The check says: " in page
    assert "(e / 3)" not in page
    assert "e / e.sum(-1, keepdims=True) / 3" in page, "one member's code"
    assert "Teach from the section" in page
    assert "<b>odd" not in page
    assert "&lt;b&gt;odd&lt;b&gt;" in page
    assert "nasty &amp; co" in page
    assert not re.search(r"<script|https?://|src=", page)
    links = re.findall(r'href="([^"]+)"', page)
    assert len(links) >= 15
    for link in links:
        assert (surveyed_class / unquote(unescape(link))).is_file()


def words(page):
    return re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.S)


@pytest.mark.parametrize("said", ["0x" + "f" * 3900, "1 + " * 900 + "1", "(" * 900, "'\0'"])
def test_an_example_that_cannot_be_shown_costs_no_page(said):
    assert overview._bare(f"x = {said}") == "(It cannot be read as Python.)"


def test_names_can_be_left_out(surveyed_class, capsys):
    """Of learners, of their files, and what a learner has written into an answer."""
    assert main(["report", str(surveyed_class)]) == 0
    page = surveyed_class / "overview.html"
    known = ("d0", "e1", "hugo", "nasty", "odd")
    assert all(re.search(rf"\b{name}\b", words(page.read_text("utf-8"))) for name in known)
    assert "Dora" not in page.read_text("utf-8"), "an example is nobody's, names or not"
    for more in ([], ["--json"], ["--csv"]):
        capsys.readouterr()
        assert main(["report", str(surveyed_class), "--anonymous", *more]) == 0
        said = capsys.readouterr().out if more else words(page.read_text("utf-8"))
        for name in (*known, "Dora"):
            assert not re.search(rf"\b{name}\b", said)
        assert "learner 15" in said
        assert len(re.findall("something was mended", said)) == 1


def test_the_order_tells_no_name(surveyed_class, capsys):
    assert main(["report", str(surveyed_class), "--anonymous", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert main(["report", str(surveyed_class), "--json"]) == 0
    (named,) = json.loads(capsys.readouterr().out)
    points = [[each["points"] for each in those["learners"]] for those in (found, named)]
    assert points[0] != points[1]
    assert sorted(points[0]) == sorted(points[1])
    called = [each["name"] for each in found["learners"]]
    assert called == sorted(called)
    (group,) = [g for g in found["misconceptions"] if g["id"] == "no-axis"]
    low = [each["name"] for each in found["learners"] if "softmax" in each["wrong"]]
    assert set(group["learners"]) < set(low)


def test_json_says_the_same(surveyed_class, capsys):
    assert main(["report", str(surveyed_class), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["misconceptions"][0]["learners"] == ["a0", "a1", "a2"]
    assert found["clusters"][0]["learners"] == ["d0", "d1", "d2"]
    assert len(found["learners"]) == 15


def test_one_table_says_the_same(surveyed_class, capsys):
    assert main(["report", str(surveyed_class), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert main(["report", str(surveyed_class), "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    by_kind = {}
    for row in rows:
        assert row["assignment"] == UNIT
        by_kind.setdefault(row["kind"], []).append(row)
    assert {kind: len(those) for kind, those in by_kind.items()} == {
        "learner": 15, "exercise": len(found["exercises"]), "misconception": 6, "cluster": 5,
        "remark": len(found["remarks"]), "ungraded": 1,
    }  # fmt: skip
    first = by_kind["misconception"][0]
    assert (first["id"], first["learner"], first["count"], first["of"]) == (
        "no-axis",
        "a0",
        "3",
        "14",
    )
    assert first["why"] == found["misconceptions"][0]["why"]
    points = {row["learner"]: float(row["count"]) for row in by_kind["learner"]}
    assert points == {each["name"]: each["points"] for each in found["learners"]}
    assert main(["report", str(surveyed_class), "--csv", "--anonymous"]) == 0
    said = capsys.readouterr().out
    assert "learner 15" in said
    assert "nasty" not in said


def test_a_spreadsheet_is_given_no_formula():
    table = export.as_table([{"a": "=1+1", "b": " @x"}, {"a": -2.5, "b": None}], ["a", "b"])
    assert table == '"a","b"\r\n"\'=1+1","\' @x"\r\n-2.5,""\r\n'
    (row,) = csv.reader(
        [export.as_table([{"a": 'x; =1+1;"@y\n-z; a - b'}], ["a"]).split("\r\n")[1]]
    )
    assert row == ["x;' =1+1;'\"@y\n'-z; a - b"], "it may be read where cells end at semicolons"
    marks = [Mark(who, "u", 1.0, 2.0, {}, False, 0.0) for who in ("=1+1", "@ann")]
    first, second = export.as_csv(marks).splitlines()[1:]
    assert first.startswith('"\'=1+1"') and second.startswith('"@ann"')


def test_what_is_not_graded_is_named(surveyed_class, capsys):
    place = surveyed_class / "submitted" / "zoe" / UNIT
    place.mkdir(parents=True)
    try:
        (place / "rnn_forward.ipynb").write_text(demo.solved({}))
        assert main(["report", str(surveyed_class)]) == 0
        assert "2 of the submissions to 02_rnn_forward have no result" in capsys.readouterr().out
        page = (surveyed_class / "overview.html").read_text("utf-8")
        assert "rnn_forward: not graded since it was handed in" in page
    finally:
        (place / "rnn_forward.ipynb").unlink()
        place.rmdir()
        place.parent.rmdir()


def test_nobody_and_nothing():
    empty = survey("x", [])
    assert (empty.learners, empty.median, empty.struggling) == ((), 0.0, [])
    page = "".join(overview._assignment(empty, overview.Links({}), lambda group: ("", ""), None))
    assert "No known misconception" in page


def test_who_has_handed_in_nothing_is_said():
    """Whoever is in the class, and neither has a result nor a reason for having none."""
    those = [f"n{k}" for k in range(12)]
    found = survey("x", [], [("odd", "why")], ["odd", "<none>", *those])
    assert found.missing == ("<none>", *sorted(those))
    page = "".join(overview._assignment(found, overview.Links({}), lambda group: ("", ""), None))
    assert "13 learners of the class handed in nothing" in page
    assert "&lt;none&gt;, n0, " in page
    assert "Everybody else has half" in page
    called = numbers([found], b"secret")
    hidden = anonymous(found, called)
    assert len(hidden.missing) == 13
    assert all(name.startswith("learner ") for name in hidden.missing)
    table = [row["learner"] for row in rows(found.summary()) if row["kind"] == "missing"]
    assert table == list(found.missing)


def of(unit, points, wrong=0):
    """A survey of learners by their points of ten, some of whom share one misconception."""
    learners = [Learner(name, n / 10, n, 10, (), ()) for name, n in points.items()]
    group = Group("softmax", "no-axis", "why", len(points), tuple(list(points)[:wrong]))
    exercises = [Exercise("softmax", 3, 3, 1, None), Exercise("rnn_forward", 3, 3, 2, None)]
    return Survey(unit, tuple(learners), tuple(exercises), (group,) * (wrong > 0), (), (), ())


def test_the_course_at_a_glance(tmp_path):
    surveys = [of("u1", {"ada": 2, "bob": 10, "cy": 4}, 2), of("u2", {"ada": 3, "bob": 9})]
    text = words(overview._page("c", [(each, "") for each in surveys]))
    assert re.search(r"c: 3 learners", text)
    assert re.search(r"u1\s+3\s+40%.*softmax: 33% passed\s+2 of 3: softmax, no-axis", text)
    assert re.search(r"u2\s+2\s+60%", text)
    assert re.search(r"1 learner with less than half of the points.*ada \(2\)", text)
    assert "cy (1)" not in text
    assert "Assignments" not in overview._page("c", [(surveys[0], "")]), "there is one alone"


def outcome(value):
    return [Outcome(value)]


def test_a_fingerprint_is_blind_to_rounding_and_to_nothing_else():
    rng = np.random.default_rng(0)
    a = rng.normal(size=(4, 5))
    same = [a, a * (1 + 1e-12), (a / 3) * 3, np.asfortranarray(a)]
    others = [a * 1.001, -a, a.T, a[:3], a + 1e-3, np.where(a == a[2, 2], 0, a), a * np.nan]
    prints = {fingerprint(outcome(value)) for value in same}
    assert len(prints) == 1
    assert len(prints | {fingerprint(outcome(value)) for value in others}) == 1 + len(others)
    assert fingerprint(outcome((a, 1))) != fingerprint(outcome((a, 2)))
    whole = [np.arange(3), np.arange(3) + 1]
    assert fingerprint(outcome(whole[0])) != fingerprint(outcome(whole[1]))
    failed = [
        Outcome(failure=Failure("ValueError", f"size {k} is off", "f", k, "", {})) for k in (3, 5)
    ]
    assert fingerprint(failed[:1]) == fingerprint(failed[1:])
    assert fingerprint(failed[:1]) != fingerprint(outcome(a))
    with np.errstate(all="raise"):
        assert fingerprint(outcome(np.array([np.inf, 1e308, -1e308])))


def test_a_cluster_is_turned_into_a_misconception(surveyed_class, monkeypatch, capsys):
    written = []
    monkeypatch.setattr("pathlib.Path.write_text", lambda path, *text: written.append((path, text)))
    largest = surveyed(surveyed_class, UNIT).clusters[0]
    words = ["misconception", "new", "softmax", "a-third", "--class", str(surveyed_class)]
    words += ["--old", "exponentials.sum(axis=-1, keepdims=True)", "--why", "They sum to 1/3."]
    other = ["--new", "(exponentials.sum(axis=-1, keepdims=True) + 1)"]
    assert main([*words, *other, "--alike", largest.id]) == 2
    assert "does something else than those learners' functions" in capsys.readouterr().err
    third = ["--new", "(3 * exponentials.sum(axis=-1, keepdims=True))"]
    assert main([*words, *third]) == 2
    assert "belong together" in capsys.readouterr().err
    assert written == []
    assert main([*words, *third, "--alike", largest.id]) == 0
    ((path, (text, _)),) = written
    assert path.name == "softmax.py"
    assert '"a-third"' in text


def test_pairs_are_told_only_when_asked_for(surveyed_class):
    page = surveyed_class / "overview.html"
    assert main(["report", str(surveyed_class)]) == 0
    assert "much in common" not in page.read_text("utf-8")
    assert main(["report", str(surveyed_class), "--integrity"]) == 0
    assert "No pair has more in common than chance" in page.read_text("utf-8")
    planted = Pair(("d0", "<b>nasty<b>"), (Shared("softmax", "the same code", 2, 14),) * 4, 1, 105)
    overview.page(surveyed_class, [surveyed(surveyed_class, UNIT)], alike={UNIT: [planted]})
    text = page.read_text("utf-8")
    assert "softmax: the same code, given by 2 of 14" in text
    assert "1 of 105" in text
    assert "This is no verdict" in text


@pytest.mark.parametrize(
    ("softmax", "times", "known"),
    [
        (CLUSTERS["d0"], 2, True),  # once on inputs of its own, once on the class's
        ("def softmax(z):\n    while True: pass", 1, False),  # which has cost enough time
        ("def softmax(z):\n    import os\n    os._exit(1)", 1, False),
        (demo._mistaken("softmax", "no-axis"), 1, False),
    ],
)
def test_only_what_can_be_compared_is_run_once_more(
    template, tmp_path, monkeypatch, softmax, times, known
):
    probed, probe = [], Session.probe
    monkeypatch.setattr(
        Session, "probe", lambda self, name, *more: probed.append(name) or probe(self, name, *more)
    )
    (tmp_path / "rnn_forward.ipynb").write_text(demo.solved({"softmax": softmax}))
    clean = sanitise(template, tmp_path, "rnn_forward.ipynb")
    result = grade_notebook(clean, "a", "x/y", b"s" * 32, clock=Clock(step=2.0))
    assert result["checks"]["check-softmax"]["passed"] is False
    assert probed.count("softmax") == times
    assert (result["checks"]["check-softmax"]["alike"] is not None) == known
