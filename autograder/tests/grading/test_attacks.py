"""Whatever a learner's code does, all that it can hand in is arrays.

Each attack is a notebook in `hostile`, and is run for real, in each tier of the sandbox.
"""

import base64
import contextlib
import ctypes
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from nbconvert import HTMLExporter
from nbformat.v4 import new_code_cell, new_notebook
from traitlets.config import Config

from autograder import answers
from autograder.exercise import live_key
from autograder.grading import classroom, demo
from autograder.grading.books import Books
from autograder.grading.bridge import configure
from autograder.grading.grade import grade
from autograder.grading.judge import attempt, grade_notebook, seeds
from autograder.grading.sanitise import Clean, sanitise
from autograder.grading.session import Clock
from autograder.tests.grading.hostile import breaking, escaping, forging, markup, reading
from autograder.tests.test_distributions import sampling
from autograder.tree import leaves, plain

NAME = "rnn_forward.ipynb"
SECRET = b"CANARY-of-the-class-secret-....."
CLOCK = Clock(step=1.0, notebook=60.0, mercy=0.3)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.slow


@pytest.fixture
def graded(template, tmp_path, spawn):
    """From a notebook's text to its result."""

    def grade_(text, clock=CLOCK, student="mallory"):
        place = tmp_path / student
        place.mkdir(exist_ok=True)
        (place / NAME).write_text(text)
        clean = sanitise(template, place, NAME)
        return grade_notebook(clean, student, "a/b", SECRET, spawn, clock)

    return grade_


@pytest.fixture(scope="session", autouse=True)
def orphans():
    """Processes whose parents have ended become this one's children, and so can be found."""
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    yield
    ctypes.CDLL(None).prctl(36, 0, 0, 0, 0)


def descendants():
    """The processes under this one that have not ended."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            parents[int(entry.name)] = (int(parent), state)
    found, level = set(), {os.getpid()}
    while level:
        level = {
            pid for pid, (parent, state) in parents.items() if parent in level and state != "Z"
        }
        found |= level
    return found


def outlived(before, seconds=5.0):
    """What was started since, and is still there after a while."""
    end = time.monotonic() + seconds
    while (left := descendants() - before) and time.monotonic() < end:
        time.sleep(0.02)
    return left


@pytest.fixture
def watched(tmp_path):
    """A listener, an abstract socket and a folder that no attack may reach."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine")
    heard = []
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        socket.socket(socket.AF_UNIX) as abstract,
    ):
        name = f"unrolled-{os.getpid()}"
        abstract.bind(f"\0{name}")
        abstract.listen()
        listener.settimeout(0.05)
        names = {"port": listener.getsockname()[1], "abstract": name, "outside": outside}
        yield names
        with contextlib.suppress(TimeoutError):
            heard.append(listener.accept())
    assert not heard, "somebody called"
    assert {f.name: f.read_text() for f in outside.iterdir()} == {"mine": "mine"}


ATTACKS = {**forging.ATTACKS, **breaking.ATTACKS, **escaping.ATTACKS}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gains_nothing_and_costs_nobody_else(graded, watched, name):
    attack = ATTACKS[name]
    before = descendants()
    result = graded(attack.notebook(**watched))
    victim = f"check-{attack.victim}"
    check = result["checks"][victim]
    assert check["points"] == 0.0
    assert check["diagnosis"] and check["text"], "it is explained"
    assert not any("the judge failed" in remark for remark in result["remarks"])
    assert len(json.dumps(result)) < 200_000
    json.dumps(result, ensure_ascii=False).encode()
    assert "REACHED" not in result["outputs"].get("softmax", ""), result["outputs"]["softmax"]
    if not attack.whole:
        assert others_right(result, victim), [c["text"] for c in result["checks"].values()]
    assert not outlived(before)
    assert points(graded(demo.solved({}), student="anna")) == 16, "nobody else is harmed"


def others_right(result, victim="check-softmax"):
    return all(check["passed"] for name, check in result["checks"].items() if name != victim)


def points(result):
    return sum(check["points"] for check in result["checks"].values())


# ------------------------------------------------------------------ reading


@pytest.fixture(scope="session")
def canaries(tmp_path_factory):
    """Files that nobody may read, by their paths."""
    folder = tmp_path_factory.mktemp("class")
    names = (".unrolled/secret", "gradebook.db", "source/u/u.ipynb", "submitted/anna/u/u.ipynb")
    for number, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"CANARY-{number}")
    return [str(folder / name) for name in names]


@pytest.fixture
def places(canaries):
    """Where a spy looks: the files, and a process whose environment holds another canary."""
    token = {**os.environ, "TOKEN": "CANARY-of-the-environment"}
    with subprocess.Popen(["sleep", "60"], env=token) as bystander:
        yield {
            "paths": [*canaries, "secret", "../secret", "../../gradebook.db"],
            "parents": f"{os.getpid()}, {os.getppid()}, {bystander.pid}",
            "root!r": repr(str(ROOT)),
            "home!r": repr(str(Path.home())),
        }
        bystander.kill()


def secrets_in(text):
    """The canaries in a text, also in the forms that a spy might give them."""
    forms = {"CANARY", SECRET.hex(), base64.b64encode(SECRET).decode().rstrip("=")[:40]}
    return [form for form in (*forms, "BEGIN SOLUTION", "rnn.py', 'rnn") if form in text]


@pytest.mark.parametrize("name", reading.ATTACKS)
def test_a_spy_finds_nothing(places, graded, name):
    result = graded(reading.ATTACKS[name].notebook(**places))
    assert result["outputs"]["softmax"].startswith("tried"), "the attack was made"
    assert not secrets_in(json.dumps(result)), result["outputs"]["softmax"]
    assert result["checks"]["check-softmax"]["points"] == 0.0
    assert others_right(result)


@pytest.mark.parametrize("name", ["files by name", "other processes", "the checkout"])
def test_the_same_spy_finds_it_in_an_ordinary_process(places, name, tmp_path):
    notebook = json.loads(reading.ATTACKS[name].notebook(**places))
    source = next(
        c["source"]
        for c in notebook["cells"]
        if c["metadata"].get("nbgrader", {}).get("grade_id") == "softmax"
    )
    done = subprocess.run(
        [sys.executable, "-c", source], capture_output=True, text=True, cwd=tmp_path
    )
    assert secrets_in(done.stdout), done.stderr


# ------------------------------------------------------------------ the judge's inputs


def test_inputs_are_the_class_s_own_secret():
    drawn = {
        seeds(b"a" * 32, "x", "softmax", "ann"),
        seeds(b"a" * 32, "x", "softmax", "bob"),
        seeds(b"b" * 32, "x", "softmax", "ann"),
        seeds(b"a" * 32, "x", "rnn_forward", "ann"),
    }
    assert len(drawn) == 4
    assert seeds(b"a" * 32, "x", "softmax", "ann") in drawn
    key = answers.key("softmax", seeds(b"a" * 32, "x", "softmax", "ann"))
    assert not all(
        (a["z"].shape == b["z"].shape)
        for a, b in zip(key.cases, answers.key("softmax").cases, strict=True)
    )


TELL = "def softmax(z):\n    raise ValueError(z.tobytes().hex()[:80])\n"


def told(result):
    """The first numbers of the inputs, which the function above tells by its exception."""
    return result["checks"]["check-softmax"]["text"].split("ValueError: ")[1].split()[0]


def test_a_regrade_meets_the_same_inputs_and_a_new_attempt_meets_others(graded):
    first = told(graded(demo.solved({"softmax": TELL})))
    assert told(graded(demo.solved({"softmax": TELL}))) == first
    assert told(graded(demo.solved({"softmax": TELL + "# again"}))) != first
    assert told(graded(demo.solved({"softmax": TELL}), student="anna")) != first
    with_table = {"softmax": TELL, "last_states": "table = {}"}
    assert told(graded(demo.solved(with_table))) != first, "another cell may hold what was seen"


def test_a_table_of_what_was_seen_is_of_no_use(graded):
    """The learner is told the inputs, and hands in a function that knows just these."""
    seen = told(graded(demo.solved({"softmax": TELL})))
    right = "e = np.exp(z - z.max(-1, keepdims=True)); return e / e.sum(-1, keepdims=True)"
    table = f"def softmax(z):\n    if z.tobytes().hex()[:80] != {seen!r}: return z\n    {right}\n"
    assert graded(demo.solved({"softmax": table}))["checks"]["check-softmax"]["points"] == 0


def test_no_two_checks_share_inputs(template, tmp_path):
    (tmp_path / NAME).write_text(demo.solved({}))
    clean = sanitise(template, tmp_path, NAME)
    names = [n for n in clean.answers if n in answers.names()]
    keys = [answers.key(n, seeds(SECRET, "a", n, "s", attempt(clean))) for n in names]
    arrays = [
        leaf.tobytes()
        for key in keys
        for case in key.cases
        for leaf in leaves(plain(case)).values()
        if isinstance(leaf, np.ndarray) and leaf.dtype.kind == "f"
    ]
    assert len(arrays) == len(set(arrays)) > 100


# ------------------------------------------------------------------ and what is right stays right


def test_a_long_answer_reaches_the_process(graded):
    """It is cut where the wire ends; else the process would have ended itself, it was said."""
    right = "def softmax(z):\n    e = np.exp(z - z.max(-1, keepdims=True))\n"
    right += f"    return e / e.sum(-1, keepdims=True)\n# {'x' * 90_000}"
    result = graded(demo.solved({"softmax": right}))
    assert result["checks"]["check-softmax"]["passed"]
    assert "is cut at" in result["remarks"][0]


def test_check_in_a_graded_notebook_does_no_harm(graded):
    source = "def softmax(z):\n    e = np.exp(z - z.max(-1, keepdims=True))\n"
    source += "    return e / e.sum(-1, keepdims=True)\nprint(check(softmax))\n"
    result = graded(demo.solved({"softmax": source}))
    assert result["checks"]["check-softmax"]["passed"]
    assert "when you hand it in" in result["outputs"]["softmax"]


def test_what_an_answer_uses_of_an_extra_cell_is_graded(graded):
    notebook = json.loads(
        demo.solved({"softmax": "def softmax(z):\n    return scaled(np.exp(z - top(z)))\n"})
    )
    extra = "def top(z):\n    return z.max(AXIS, keepdims=True)\ndef scaled(e):\n    return e / e.sum(-1, keepdims=True)\nAXIS = -1"
    notebook["cells"].append({"cell_type": "code", "metadata": {}, "source": extra})
    result = graded(json.dumps(notebook))
    assert result["checks"]["check-softmax"]["passed"], result["checks"]["check-softmax"]["text"]
    assert "it uses AXIS, scaled, top of a cell of your own" in result["remarks"][0]


def test_what_is_computed_outside_the_answer_cells_is_explained(graded):
    notebook = json.loads(demo.solved({"softmax": "def softmax(z):\n    return z * EPS\n"}))
    notebook["cells"].append({"cell_type": "code", "metadata": {}, "source": "EPS = np.exp(0)"})
    check = graded(json.dumps(notebook))["checks"]["check-softmax"]
    assert "EPS is defined in a cell of your own" in check["diagnosis"]


def test_time_of_a_notebook_is_bounded(graded):
    loop = "while True: pass\n"
    names = ("softmax", "rnn_cell_forward", "output_forward", "rnn_forward", "last_states")
    result = graded(demo.solved(dict.fromkeys(names, loop)), Clock(1.0, notebook=2.5, mercy=0.3))
    assert "used up" in result["checks"]["check-rnn_generate"]["text"]


def test_eight_at_once_do_not_meet(graded):
    """Processes of one template, at the same time: each has its own folder, memory and inputs."""
    results = {}

    def one(n):
        source = f"open('mine', 'w').write('{n}')\nimport time\ntime.sleep(0.3)\nprint(open('mine').read())\n"
        results[n] = graded(demo.solved({"last_states": source}), Clock(30.0), student=f"s{n}")

    threads = [threading.Thread(target=one, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, result in results.items():
        assert others_right(result, "check-last_states")
        said = result["outputs"].get("last_states", f"{n}\n")
        assert said == f"{n}\n" or "PermissionError" in said  # at tier landlock, no folder at all


# ------------------------------------------------------------------ functions that draw


FEW = "from autograder import trial\ntrial._draws = lambda case: {n}\n"
BEST = "def sample_token(y_hat, temperature, rng):\n    return int(y_hat.argmax())\n"
FAIR = "def sample_token(y_hat, temperature, rng):\n    p = y_hat ** (1 / temperature)\n    return rng.choice(len(p), p=p / p.sum())\n"


@pytest.mark.parametrize(
    ("source", "points"),
    [(FAIR, 1), (BEST, 0), (FEW.format(n=1) + BEST, 0), (FEW.format(n=3) + FAIR, 0)],
)
def test_a_function_that_draws_cannot_choose_how_often(spawn, monkeypatch, source, points):
    """One draw of the likeliest token is nothing unusual, 500 of them are."""
    monkeypatch.setattr("autograder.exercise.exercise", lambda name: sampling())
    monkeypatch.setattr("autograder.answers.key", live_key)
    solution = {"nbgrader": {"grade_id": "sample_token", "solution": True}}
    graded = {"grade_id": "check", "grade": True, "points": 1}
    check = {"nbgrader": graded, "unrolled": {"check": "sample_token"}}
    cells = [
        {"cell_type": "code", "metadata": metadata, "source": text}
        for metadata, text in (({}, "import numpy as np"), (solution, source), (check, ""))
    ]
    clean = Clean({"cells": cells}, (), frozenset())
    result = grade_notebook(clean, "mallory", "a/b", SECRET, spawn, CLOCK)
    assert result["checks"]["check"]["points"] == points, result["checks"]["check"]["text"]


# ------------------------------------------------------------------ the instructor's pages


class Acting(HTMLParser):
    """What acts in a page: elements and attributes that load, run, style or send something."""

    ELEMENTS = ("script", "style", "link", "meta", "base", "iframe", "object", "embed", "form", "img",
                "input", "button", "svg", "math", "video", "audio", "template", "textarea", "body")  # fmt: skip

    def __init__(self, page):
        super().__init__()
        self.found, self._script = Counter(), False
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self._script = tag == "script"
        if tag in self.ELEMENTS:
            self.found[tag, ""] += 1
        for name, value in attributes:
            scheme = (value or "").split(":")[0].strip().lower() if ":" in (value or "") else ""
            if name in ("id", "name") and "cell-id" not in value:  # a page's scripts find things so
                self.found[tag, name, value] += 1
            if name.startswith("on") or name in ("srcdoc", "src", "action", "formaction"):
                self.found[tag, name] += 1
            if name in ("href", "xlink:href") and scheme not in ("", "http", "https", "mailto"):
                self.found[tag, name, scheme] += 1

    def handle_data(self, data):
        if self._script:
            self.found["code", data] += 1
        self._script = False


@pytest.fixture(scope="module")
def captured(tmp_path_factory):
    """A class of one honest learner, and of some who attack by what is shown of them."""
    folder = tmp_path_factory.mktemp("pages")
    classroom.new(folder)
    demo.hand_in(folder)
    shutil.rmtree(folder / "submitted")
    hostile_ = demo.solved(markup.ANSWERS)
    files = {"anna": (NAME, demo.solved({})), "mallory": (NAME, hostile_)}
    files |= {f"m{n}": (name, hostile_) for n, name in enumerate(markup.FILES)}
    for student, (name, text) in files.items():
        place = folder / "submitted" / student / demo.UNIT
        place.mkdir(parents=True)
        (place / name).write_text(text)
    grade(folder, demo.UNIT, quiet=True)
    return folder


def exporter(folder):
    """What makes a page of an autograded notebook for the formgrader."""
    config = Config()
    configure(config, str(folder / "nbgrader_config.py"))
    return HTMLExporter(template_name="classic", config=config)


def pages(folder, student):
    """The feedback page, and the autograded notebook as the formgrader shows it."""
    feedback = folder / "feedback" / student / demo.UNIT / "rnn_forward.html"
    autograded = folder / "autograded" / student / demo.UNIT / "rnn_forward.ipynb"
    shown = exporter(folder).from_filename(str(autograded))[0]
    return {"feedback": feedback.read_text(), "autograded": shown}


HOSTILE = ["mallory", *(f"m{n}" for n in range(len(markup.FILES)))]


@pytest.mark.parametrize("student", HOSTILE)
def test_nothing_acts_in_a_page(captured, student):
    honest, page = pages(captured, "anna"), pages(captured, student)
    for kind, text in page.items():
        assert "CAPTURED" in text, "the learner's words are there to read"
        assert Acting(text).found == Acting(honest[kind]).found, kind
        words = re.sub(r"<(pre|code)\b.*?</\1>", "", text, flags=re.S)
        maths = [word for word in ("href", "style", "class", "cssId", "require", "def", "newcommand",
                                   "mmlToken", "bbox", "gdef")
                 if f"\\{word}" in words.split("</script>")[-1]]  # fmt: skip
        assert not maths, "MathJax leaves pre and code alone, and nothing else"


@pytest.mark.parametrize(
    "source", ["a." * 40_000, "%%perl\n" + "s{" * 40_000], ids=["line", "perl"]
)
def test_no_code_keeps_a_page_s_highlighter_for_long(tmp_path, source):
    """It takes a tenth of a second; with what nbconvert has by itself, a minute or two."""
    notebook = new_notebook(cells=[new_code_cell(source)])
    start = time.process_time()
    exporter(tmp_path).from_notebook_node(notebook)
    assert time.process_time() - start < 8


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed: no page was looked at")
def test_no_page_is_captured_in_a_browser(captured, tmp_path):
    """Every page is opened, every link in it is clicked, and its title stays; a control is captured."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    control = tmp_path / "control.html"
    control.write_text(
        f'<title>x</title>{markup.SNIPPETS[1]}<a href="javascript:{markup.ACT}">x</a>'
    )
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])

        def title(path):
            page = browser.new_page()
            page.route(re.compile("^https?:"), lambda route: route.abort())
            page.goto(path.as_uri())
            page.evaluate("document.querySelectorAll('a').forEach(a => a.target = '_blank')")
            page.evaluate("document.querySelectorAll('a[href^=\"java\"]').forEach(a => a.click())")
            page.wait_for_timeout(300)
            said = page.title()
            page.close()
            return said

        assert title(control) == "CAPTURED"
        for student in HOSTILE:
            for kind, text in pages(captured, student).items():
                file = tmp_path / f"{student}-{kind}.html"
                file.write_text(text)
                assert title(file) == "rnn_forward", (student, kind)
        browser.close()


@pytest.mark.parametrize("start", ["class", "home"])
def test_nbgrader_copies_no_file_of_a_submission(tmp_path, start):
    """It follows links: without our settings, a learner's feedback has a copy of the gradebook.

    On a hub it runs in the home of whoever grades, and not in the class folder.
    """
    folder = tmp_path / "class"
    (tmp_path / "home").mkdir()
    classroom.new(folder)
    demo.hand_in(folder)
    (folder / "source" / demo.UNIT / "picture.txt").write_text("the instructor's")
    shutil.rmtree(folder / "submitted")
    place = folder / "submitted" / "mallory" / demo.UNIT
    (place / "sub").mkdir(parents=True)
    (place / NAME).write_text(demo.solved({}))
    (place / "numpy.py").write_text("raise SystemExit")
    for name, target in (
        ("a", ".unrolled/secret"),
        ("sub/b", "gradebook.db"),
        (".c", "gradebook.db"),
    ):
        os.symlink(folder / target, place / name)
    os.mkfifo(place / "pipe")
    if start == "home":
        os.mkfifo(place / "timestamp.txt")
    else:
        os.symlink(folder / ".unrolled/secret", place / "timestamp.txt")
    Books(folder)  # puts this interpreter's folder on PATH
    for command in ("autograde", "generate_feedback"):
        words = [sys.executable, "-m", "nbgrader", command, demo.UNIT, f"--course-dir={folder}"]
        done = subprocess.run(
            words, cwd=tmp_path / start, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == 0, done.stderr[-2000:]
        assert classroom.secret(folder).hex() not in done.stderr
    copied = [
        path.name for step in ("autograded", "feedback") for path in (folder / step).rglob("*")
    ]
    files = [name for name in copied if name not in ("mallory", demo.UNIT)]
    assert sorted(files) == sorted([NAME, "rnn_forward.html", "picture.txt", "picture.txt"])
