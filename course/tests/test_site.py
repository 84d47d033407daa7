"""The site: it builds without a warning, asks nobody for anything, and gives no answer away."""

import fcntl
import html
import json
import os
import re
import subprocess
import sys
import urllib.parse
from html.parser import HTMLParser
from pathlib import Path

import pytest

from autograder import answers
from autograder.exercise import exercise, parts
from autograder.tests.guides import DOCS, blocks, scripts
from autograder.tests.wheels import ROOT
from autograder.weave import instructor_notebook, student_notebook, texts
from course.tests.looking import CHROMIUM, FLAGS, served, violations

SAMPLE = (
    "index.html",
    "course/01_sequences.html",
    "api.html",
    "instructor-guide.html",
    "search.html",
)
QUICKER = """import sys
sys.modules["rfc3987_syntax"] = None  # half of the time that each nbgrader command takes to start
"""
CUT = """() => document.fonts.ready.then(() => [...document.querySelectorAll('.katex-display')]
    .filter(e => e.scrollWidth > e.clientWidth + 1).map(e => e.textContent))"""
OURS_TO_ASK = {"a"}  # elements that may lead elsewhere: a reader follows them, the page does not

pytestmark = pytest.mark.slow


# ------------------------------------------------------------------ the guides


def run(script, folder, **more):
    """Run a script as somebody would who has set up the course; everything that it prints."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, **more}
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment,
                          capture_output=True, text=True)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_instructor_s_guide_leads_to_marks(tmp_path):
    folders = ("HOME", "JUPYTER_DATA_DIR", "JUPYTER_CONFIG_DIR")
    home = {name: str(tmp_path / "home") for name in folders}
    (tmp_path / "quicker").mkdir()
    (tmp_path / "quicker/sitecustomize.py").write_text(QUICKER)
    home["PYTHONPATH"] = str(tmp_path / "quicker")
    said = run("\n".join(scripts("instructor-guide.md")), tmp_path, **home)
    assert re.search(r"^ada +0 of 16 +softmax: no-shift", said, re.M)
    assert "Nothing that judges has changed" in said
    assert (tmp_path / "my-class/feedback/ada/02_rnn_forward/rnn_forward.html").is_file()
    assert "Béla,Bartók,bela,bela@uni.example,0" in (tmp_path / "with-marks.csv").read_text()
    assert (tmp_path / "my-class/feedback-02_rnn_forward-upload.zip").is_file()
    assert "bela has time for 02_rnn_forward until 2030-02-07 18:00 UTC" in said
    assert len(list((tmp_path / "exchange/my-class/feedback").glob("*.html"))) == 1


def test_the_author_s_guide_leads_to_an_exercise(tmp_path):
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if name.startswith(("autograder/", "course/", "solutions/")):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    said = ""
    for language, text, file in blocks("author-guide.md"):
        if file:
            with open(tmp_path / file, "a", encoding="utf-8") as target:
                target.write(text)
        elif language == "bash":
            said += run(text, tmp_path, PYTHONPATH=str(tmp_path))
    assert "wrote  02_rnn_forward/rnn_forward.ipynb" in said
    promised = next(text for language, text, _ in blocks("author-guide.md") if language == "text")
    lines = [line.split() for line in said.splitlines()]
    assert all(line.split() in lines for line in promised.splitlines())
    assert (
        "check(mean_over_time)"
        in (tmp_path / "course/02_rnn_forward/rnn_forward.ipynb").read_text()
    )


# ------------------------------------------------------------------ the pages


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site without long experiments, built once for all processes of this run of the tests."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with open(folder / "site.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "site").exists():
            build = [sys.executable, str(DOCS / "pages.py"), str(folder / "site")]
            quick = {**os.environ, "UNROLLED_SITE": "quick"}
            with open(folder / "site.err", "w+") as said:  # no pipe, which a child may keep open
                code = subprocess.run(build, env=quick, stdout=said, stderr=said).returncode
                said.seek(0)
                (folder / "site.said").write_text(json.dumps([code, said.read()]))
    code, said = json.loads((folder / "site.said").read_text())
    assert code == 0, said
    return folder / "site"


def pages(site):
    found = sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))
    return [page for page in found if not page.startswith("_static/")]


def test_every_part_of_it_is_there(site):
    wanted = {f"course/{unit}.html" for unit in texts()}
    wanted |= {f"{path.stem}.html" for path in DOCS.glob("*.md")}
    assert wanted <= set(pages(site))
    named = set(re.findall(r'id="solutions\.\w+\.(\w+)"', (site / "api.html").read_text()))
    assert set(answers.names()) <= named


# ------------------------------------------------------------------ links


class Links(HTMLParser):
    """A page's addresses, with the element that each stands in, and its anchors."""

    def __init__(self, text):
        super().__init__()
        self.found, self.anchors, self.blind = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        known = dict(attributes)
        self.found += [(tag, known[key]) for key in ("href", "src") if known.get(key)]
        self.anchors.add(known.get("id"))
        if tag == "img" and not known.get("alt", "").strip():
            self.blind.append(known.get("src", "")[:60])


def test_links_lead_somewhere_and_pictures_say_what_they_show(site):
    read = {page: Links((site / page).read_text("utf-8")) for page in pages(site)}
    broken = [
        (page, address)
        for page, links in read.items()
        for tag, address in links.found
        if not address.startswith("data:") and not _leads(site, page, tag, address, read)
    ]
    assert not broken
    assert not {page: links.blind for page, links in read.items() if links.blind}
    assert sum(len(links.found) for links in read.values()) > 1000


def _leads(site, page, tag, address, read):
    where = urllib.parse.urlsplit(address)
    if where.scheme or where.netloc:
        plain = where.scheme == "https" and re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", where.netloc)
        return tag in OURS_TO_ASK and plain and " " not in address
    path = os.path.normpath(os.path.join(os.path.dirname(page), urllib.parse.unquote(where.path)))
    target = path if where.path else page
    anchors = read[target].anchors if target in read else {""}
    return (site / target).is_file() and (not where.fragment or where.fragment in anchors)


# ------------------------------------------------------------------ answers


def squeezed(text):
    """A text without white space, in which a line can be found however it is set."""
    return re.sub(r"\s+", "", text)


def written(notebook):
    """All that stands in the cells of every unit's notebook of a kind."""
    cells = (cell for unit in texts() for cell in json.loads(notebook(unit))["cells"])
    return squeezed("\n".join("".join(cell["source"]) for cell in cells))


def shown(path):
    """What a page shows, or all of another file."""
    text = path.read_text("utf-8")
    if path.suffix == ".html":
        text = html.unescape(re.sub(r"<[^>]*>", "", text))
    return squeezed(text)


def secrets():
    """Lines of reference answers, and sentences of model answers, that learners are not given."""
    bodies = (parts(exercise(name).reference)[1] for name in answers.names())
    lines = [line.split("  #")[0] for body in bodies for line in body.splitlines()]
    models = (path.read_text("utf-8") for path in ROOT.glob("solutions/answers/*/*.md"))
    lines += [sentence for text in models for sentence in re.split(r"[.:;?]\s", text)]
    known = written(student_notebook)  # what learners are given anyway
    found = {squeezed(line) for line in lines}
    return {line for line in found if len(line) > 20 and line not in known}


def test_no_answer_is_on_any_page(site):
    hidden = secrets()
    instructors = written(instructor_notebook)
    assert len(hidden) > 300
    assert len([line for line in hidden if line in instructors]) > 0.95 * len(hidden)
    for path in (p for p in site.rglob("*") if p.suffix in {".html", ".js", ".ipynb", ".txt"}):
        text = shown(path)
        assert not [line for line in hidden if line in text], path


# ------------------------------------------------------------------ in a browser


@pytest.fixture
def browser(site):
    """A browser, and the address of the site."""
    if not CHROMIUM:
        pytest.skip("chromium is not installed: no page was looked at")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with served(site) as address, sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield chromium, address
        chromium.close()


@pytest.mark.browser
def test_no_page_asks_anybody_for_anything_or_complains(site, browser):
    chromium, address = browser
    page = chromium.new_page(viewport={"width": 1400, "height": 1000})
    strangers, errors = [], []
    page.on("request", lambda request: strangers.append(request.url))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    for name in pages(site):
        page.goto(address + name)
        assert not page.locator(".katex-error").count(), name
    assert page.evaluate("document.fonts.size"), "the fonts of formulas"
    page.goto(address + "search.html?q=conveyor")
    page.wait_for_selector("#search-results li a")
    assert not [url for url in strangers if not url.startswith((address, "data:"))]
    assert not errors


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_screen_reader_gets_through(browser, scheme):
    chromium, address = browser
    page = chromium.new_page(color_scheme=scheme)
    for name in SAMPLE:
        page.goto(address + name)
        assert page.evaluate("document.documentElement.dataset.theme") == scheme
        assert violations(page.locator("html")) == [], name


@pytest.mark.browser
def test_on_a_laptop_formulas_and_errata_can_be_read(site, browser):
    chromium, address = browser
    page = chromium.new_page(viewport={"width": 1300, "height": 900})
    for name in pages(site):
        page.goto(address + name)
        assert page.evaluate(CUT) == [], name
    page.goto(address + "errata.html")
    row = "[...document.querySelector('tbody tr').cells].map(cell => cell.offsetWidth)"
    _unit, wrong, right, shown_by = page.evaluate(row)
    assert min(wrong, right) > shown_by, "names of tests leave no room for the errors"


@pytest.mark.browser
def test_pages_fit_on_a_telephone(site, browser):
    chromium, address = browser
    page = chromium.new_page(viewport={"width": 400, "height": 800})
    for name in pages(site):
        page.goto(address + name)
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 400, name
