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

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
IDLE = "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status == 'idle'"

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
def page(lab):
    """Unit 02 in Lab, with its kernel ready; fails on an error in the console or a way out."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        page = browser.new_page(viewport={"width": 1400, "height": 1000})
        strangers, errors = [], []
        page.on("request", lambda request: strangers.append(request.url))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        page.goto(f"{lab}/doc/tree/02_rnn_forward.ipynb")
        page.wait_for_function(IDLE, timeout=90_000)
        yield page
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
    page.wait_for_function(counted, timeout=120_000)
    page.wait_for_function(IDLE, timeout=120_000)


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
    """Run the cells down to the check of a function, and read what it shows then."""
    before = card(page, name)
    page.evaluate(
        """text => { const notebook = window.jupyterapp.shell.currentWidget.content;
            notebook.activeCellIndex = 1 + notebook.widgets.findIndex(
                w => w.model.sharedModel.getSource() == text);
            window.jupyterapp.commands.execute('notebook:run-all-above'); }""",
        f"check({name})",
    )
    end = monotonic() + 60
    while card(page, name) in (None, before) and monotonic() < end:
        page.wait_for_timeout(200)
    return card(page, name)


def test_a_learner_is_told_what_is_wrong_mends_it_and_is_told_so(page):
    declared = exercise("rnn_cell_forward")
    edit = next(edit for edit in declared.misconceptions if edit.id == "Waa-transposed")
    run_all(page)
    assert card(page, "rnn_cell_forward").startswith("○ rnn_cell_forward: not attempted")
    write(page, "rnn_cell_forward", mutant_source(declared.reference, edit))
    assert edit.why in check_again(page, "rnn_cell_forward")
    write(page, "rnn_cell_forward", source(declared.reference))
    assert check_again(page, "rnn_cell_forward").startswith("✓ rnn_cell_forward: right on all")


def test_the_unrolled_network_moves_by_keyboard(page):
    check_again(page, "softmax")
    page.evaluate(
        """() => { const notebook = window.jupyterapp.shell.currentWidget.content;
            const i = notebook.widgets.findIndex(
                w => w.model.sharedModel.getSource().includes('unrolled_steps'));
            notebook.scrollToItem(i, 'start'); }"""
    )
    forward = page.get_by_role("button", name="Step forward")
    forward.focus()
    before = page.get_by_text("Step 1 of 5 reads “h”")
    before.wait_for(timeout=10_000)
    page.keyboard.press("Enter")
    page.get_by_text("Step 2 of 5 reads “a”").wait_for(timeout=10_000)
