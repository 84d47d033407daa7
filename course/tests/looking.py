"""What is asked of anything that a page shows, whoever looks at it and on whatever screen."""

import functools
import http.server
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import urllib.request
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from time import monotonic, sleep

import pytest
from axe_playwright_python.sync_playwright import Axe

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
WIDE, NARROW = 1400, 500
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)

FOREIGN = "@jupyterlite/pyodide-kernel-extension"
"""Is for JupyterLite; where it is installed, JupyterLab finds it, too, and cannot load it."""

GRAVE = ("serious", "critical")
ANY = ("minor", "moderate", *GRAVE)

AXE = """async (element, [axe, levels]) => {
    if (!window.axe) window.eval(axe);
    const {violations} = await window.axe.run(element, {
        resultTypes: ['violations'], preload: false});
    return violations.filter(v => levels.includes(v.impact))
        .map(v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.html.slice(0, 200)).join(' | ')}`); }"""

# What may be wider than its place: what a key can scroll, and what a browser scrolls by itself.
TOO_WIDE = """element => [element, ...element.querySelectorAll('*')]
    .filter(e => e instanceof HTMLElement && e.clientWidth && e.scrollWidth > e.clientWidth + 1)
    .filter(e => !e.matches('input, .widget-html:has([tabindex="0"])'))
    .map(e => `${e.tagName} ${e.className}: ${e.scrollWidth} > ${e.clientWidth}`)"""

WATCH = """element => {
    const root = element.querySelector('.widget-box'), frames = [], gone = [];
    const look = () => { frames.push([element.clientHeight, !!element.querySelector('svg > *')]);
        if (!window.watched.over) requestAnimationFrame(look); };
    window.watched = {frames, gone, over: false};
    const watcher = new MutationObserver(seen => gone.push(...seen.flatMap(
        one => [...one.removedNodes].filter(n => n.contains(root)))));
    watcher.observe(element, {childList: true, subtree: true});
    look(); }"""


@contextmanager
def browsing():
    """A browser without a window, until it is done with."""
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        yield browser
        browser.close()


def violations(element, of=GRAVE):
    """What axe finds in an element, of these levels."""
    return element.evaluate(AXE, [Axe().axe_script, list(of)])


def too_wide(element):
    """What is wider than the place it has, and cannot be scrolled by keyboard."""
    return element.evaluate(TOO_WIDE)


def watch(element):
    """Take note of every frame that an element is shown in, until `watched`."""
    element.evaluate(WATCH)


def watched(page):
    """What was seen since `watch`: heights, whether each frame had a drawing, and what was removed.

    Returns
    -------
    heights : list of int
    drawn : list of bool
    gone : int
        How often the box of the widgets itself was taken away.
    """
    seen = page.evaluate("() => { window.watched.over = true; return {...window.watched,"
                         " gone: window.watched.gone.length}; }")  # fmt: skip
    heights, drawn = zip(*seen["frames"], strict=True)
    return list(heights), list(drawn), seen["gone"]


def theme(page, name):
    """Turn JupyterLab Light or Dark."""
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})",
        f"JupyterLab {name}",
    )
    light = "true" if name == "Light" else "false"
    page.wait_for_function(f"document.body.dataset.jpThemeLight == '{light}'")


def keep(element, name):
    """A screenshot, for whoever wants to look; kept with the run of the tests."""
    ARTIFACTS.mkdir(exist_ok=True)
    element.screenshot(path=ARTIFACTS / f"{name}.png")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Gives the files of a folder, and says nothing."""

    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".mjs": "text/javascript",
    }

    def log_message(self, *_):
        pass


@contextmanager
def served(folder):
    """A folder behind a web server of this machine: its address."""
    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def free_ports(count):
    """As many ports of this machine that nobody listens on."""
    with ExitStack() as all_at_once:
        taken = [
            all_at_once.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
            for _ in range(count)
        ]
        return [one.getsockname()[1] for one in taken]


def wait_for(address, seconds=120):
    """Wait until a server answers."""
    end = monotonic() + seconds
    while monotonic() < end:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            sleep(0.3)
    raise TimeoutError(f"nobody answers at {address}")


# ------------------------------------------------------------------ JupyterLab


@contextmanager
def jupyterlab(folder, work, **environment):
    """A JupyterLab on a folder, with settings and a log in another: its address."""
    _settle(work / "config")
    [port] = free_ports(1)
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
               "--expose-app-in-browser", f"--port={port}",
               "--JupyterNotebookApp.expose_app_in_browser=True",
               "--IdentityProvider.token="]  # fmt: skip
    own = {**os.environ, "JUPYTER_CONFIG_DIR": str(work / "config"), **environment}
    with open(work / "log", "w") as log:
        server = subprocess.Popen(command, cwd=folder, env=own, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/api")
        yield address
    finally:
        server.terminate()
        server.wait(20)


def _settle(config):
    """Lab asks for no news: they would cover the page."""
    news = config / "lab/user-settings/@jupyterlab/apputils-extension"
    news.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (news / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
