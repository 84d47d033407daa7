"""The notebook as a learner meets it: JupyterLab, in a real browser, with no way out to the net."""

import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from contextlib import closing
from time import monotonic, sleep

import pytest

from autograder.cli import main
from autograder.exercise import exercise, mutant_source, source
from autograder.notebooks import units

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status == 'idle'"

SLIPS = {
    "01_sequences": "pad_sequences",
    "02_rnn_forward": "rnn_forward",
    "03_bptt": "rnn_backward",
    "04_language_model": "make_batches",
    "05_gru": "gru_cell_forward",
    "06_lstm": "lstm_forward",
    "07_birnn": "birnn_forward",
    "08_deep_rnn": "deep_rnn_backward",
    "09_seq2seq": "encode_sequence",
}
"""The function of a unit that a learner gets wrong at first."""

INTERACTIVES = {
    "01_sequences": ("sentences_to_batch", "button", "Half of it", "Enter"),
    "02_rnn_forward": ("unrolled_steps", "button", "Step forward", "Enter"),
    "03_bptt": ("gradient_flow", "spinbutton", "Steps back", "ArrowUp"),
    "04_language_model": ("temperature", "button", "Draw one", "Enter"),
    "05_gru": ("gates", "button", "Next word", "Enter"),
    "06_lstm": ("widgets_lstm.conveyor", "spinbutton", "Forget", "ArrowUp"),
    "07_birnn": ("who_decided", "button", "Next word", "Enter"),
    "08_deep_rnn": ("widgets_deep.order", "button", "Compute", "Enter"),
    "09_seq2seq": ("beam_tree", "button", "Step forward", "Enter"),
}
"""A unit's interactive: what shows it, and a control of it with a key that moves it."""

UNITS = sorted(INTERACTIVES)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed: no page was looked at"),
]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab on freshly started notebooks: its address."""
    work = tmp_path_factory.mktemp("lab")
    main(["start", str(work / "my-course")])
    news = work / "config/lab/user-settings/@jupyterlab/apputils-extension"
    news.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (news / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", str(work / "my-course"), "--no-browser",
               "--allow-root", "--expose-app-in-browser", f"--port={port}",
               "--IdentityProvider.token="]  # fmt: skip
    home = {"JUPYTER_CONFIG_DIR": str(work / "config"), "UNROLLED_HOME": str(work / "home")}
    with open(work / "log", "w") as log:
        server = subprocess.Popen(command, env={**os.environ, **home}, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_for(address)
        yield address
    finally:
        server.terminate()
        server.wait(20)


def _wait_for(address, seconds=120):
    end = monotonic() + seconds
    while monotonic() < end:
        try:
            urllib.request.urlopen(f"{address}/api", timeout=5).close()
            return
        except OSError:
            sleep(0.3)
    raise TimeoutError(f"JupyterLab did not answer at {address}")


@pytest.fixture
def page(lab, unit):
    """A unit's notebook in Lab, with its kernel ready; fails on a console error or a way out."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        strangers, errors = [], []
        page.on("request", lambda request: strangers.append(request.url))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(f"{lab}/doc/tree/{unit}.ipynb")
        page.wait_for_function(IDLE, timeout=90_000)
        yield page
        page.evaluate("window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
        browser.close()
    assert not [url for url in strangers if not url.startswith((lab, "data:", "blob:"))]
    assert not errors


def run_all(page):
    """Run every cell, and wait for the last."""
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    counted = (
        "window.jupyterapp.shell.currentWidget.content.widgets"
        ".filter(w => w.model.type == 'code' && w.model.sharedModel.getSource().trim())"
        ".every(w => w.model.executionState == 'idle' && w.model.executionCount)"
    )
    page.wait_for_function(counted, timeout=600_000)  # its experiments train networks
    page.wait_for_function(IDLE, timeout=60_000)


def write(page, name, text):
    """Put an answer where a function is to be written."""
    page.evaluate(
        "([start, text]) => window.jupyterapp.shell.currentWidget.content.widgets"
        ".map(w => w.model.sharedModel).find(m => m.getSource().startsWith(start)).setSource(text)",
        [f"def {name}(", text],
    )


def card(page, name):
    """What the check of a function shows."""
    return page.evaluate(
        """text => window.jupyterapp.shell.currentWidget.content.widgets
            .filter(w => w.model.sharedModel.getSource() == text)
            .map(w => w.model.sharedModel.getOutputs()[0]?.data['text/plain'] ?? null)
            .map(t => Array.isArray(t) ? t.join('') : t)[0]""",
        f"check({name})",
    )


def check_again(page, name):
    """Run a function's cell and its check, and read what the check shows then."""
    before = card(page, name)
    page.evaluate(
        """async ([start, check]) => {
            const notebook = window.jupyterapp.shell.currentWidget.content;
            for (const wanted of [s => s.startsWith(start), s => s == check]) {
                notebook.deselectAll();
                notebook.activeCellIndex = notebook.widgets.findIndex(
                    w => wanted(w.model.sharedModel.getSource()));
                await window.jupyterapp.commands.execute('notebook:run-cell');
            } }""",
        [f"def {name}(", f"check({name})"],
    )
    end = monotonic() + 60
    while card(page, name) in (None, before) and monotonic() < end:
        page.wait_for_timeout(200)
    return card(page, name)


def interactive(page, function):
    """The output of the cell that calls this function, in view."""
    page.evaluate(
        """function_ => { const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.scrollToItem(notebook.widgets.findIndex(
                w => w.model.sharedModel.getSource().includes(function_ + '(')), 'start'); }""",
        function,
    )
    cell = page.locator(".jp-CodeCell", has_text=f"{function}(").first
    return cell.locator(".jp-OutputArea").first


def not_attempted(page, name):
    return card(page, name).startswith(f"○ {name}: not attempted")


@pytest.fixture(scope="module", autouse=True)
def all_units():
    """A unit without a line in the tables above would not be looked at."""
    assert UNITS == sorted(units()) == sorted(SLIPS)


def move(page, function, role, name, key):
    """Press a key on a control of an interactive; what it says and what it shows must change."""
    output = interactive(page, function)
    said, picture = output.get_by_role("status"), output.locator("svg").first
    before = said.inner_text(), picture.screenshot()
    output.get_by_role(role, name=name, exact=True).focus()
    page.keyboard.press(key)
    end = monotonic() + 60
    while said.inner_text() == before[0] and monotonic() < end:
        page.wait_for_timeout(100)
    assert said.inner_text() != before[0]
    assert picture.screenshot() != before[1]


@pytest.mark.parametrize("unit", UNITS)
def test_a_learner_works_on_the_notebook(page, unit):
    """Run All, the interactive by keyboard, a wrong answer that is explained, and the right one."""
    declared = exercise(name := SLIPS[unit])
    edit = declared.misconceptions[0]
    run_all(page)
    assert [name for name in units()[unit] if not not_attempted(page, name)] == []
    move(page, *INTERACTIVES[unit])
    write(page, name, mutant_source(declared.reference, edit))
    assert edit.why in check_again(page, name)
    write(page, name, source(declared.reference))
    assert check_again(page, name).startswith(f"✓ {name}: right on all")
