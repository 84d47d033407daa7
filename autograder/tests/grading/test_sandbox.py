"""The sandbox holds at every tier that works here, for root and for an ordinary user."""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from autograder.cli import main
from autograder.grading import library
from autograder.grading.errors import ClassError
from autograder.grading.judge import grade_notebook
from autograder.grading.process import Plain, SandboxLost, Tier, how
from autograder.grading.sandbox import bubblewrap, template, tiers
from autograder.grading.sandbox.hardening import Limits
from autograder.grading.sandbox.template import Template
from autograder.grading.sanitise import sanitise
from autograder.grading.session import Clock, Session, StepFailed

NAME = "rnn_forward.ipynb"
ROOT = Path(__file__).parents[3]
CLOCK = Clock(step=30.0, notebook=60.0)


def needs(tier):
    finding = next((f for f in tiers.probe() if f.name == f"tier {tier}"), None)
    if finding is None or not finding.works:
        pytest.skip(f"tier {tier} does not work here: {finding or 'see unrolled doctor'}")


@pytest.fixture(scope="module", params=["full", "landlock"])
def sandbox(request):
    needs(request.param)
    with Template(request.param) as made:
        yield made


@pytest.fixture
def run(sandbox):
    """Run a cell in a fresh process; what it printed, or its error."""

    def run(source):
        with Session(sandbox.spawn, clock=CLOCK) as session:
            done = session.run(source)
            return (done["error"] or done["output"]).strip()

    return run


def python_for(user, variables):
    """An interpreter that another user may run, with this checkout; ours may lie in a home."""
    same = f"/usr/bin/python{sys.version_info[0]}.{sys.version_info[1]}"
    for path in (sys.executable, same):
        words = [path, "-c", "import numpy, autograder"]
        with contextlib.suppress(OSError):
            done = subprocess.run(words, user=user, group=user, cwd="/", env=variables)
            if not done.returncode:
                return path
    return pytest.skip(
        f"user {user} may read this checkout with neither {sys.executable} nor {same}"
    )


# ------------------------------------------------------------------ no way out

# Each does no harm where it succeeds: signals are 0, and what is mounted has no place.

HIDDEN = {
    "the checkout": f"open({str(ROOT / 'solutions' / 'rnn.py')!r})",
    "the user's files": f"os.listdir({str(Path.home())!r})",
    "the accounts": "open('/etc/passwd')",
    "other processes": "os.listdir('/proc/self')",
    "another place": "open('/var/tmp/unrolled-mark', 'w')",
    "shared memory": "open('/dev/shm/unrolled-mark', 'w')",
}
FORBIDDEN = {
    "a program": "__import__('subprocess').run(['/bin/true'])",
    "a process": "os.fork() or os._exit(0)",
    "a connection": "__import__('socket').create_connection(('127.0.0.1', PORT))",
    "a datagram": "__import__('socket').socket(2, 2)",
    "a local socket": "__import__('socket').socket(1, 1)",
    "a signal": "os.kill(os.getppid() or 2, 0)",
    "a signal to all": "os.kill(-1, 0)",
    "a signal by a file's owner": "__import__('fcntl').fcntl(0, 8, os.getpid())",
    "the signal of a file": "__import__('fcntl').fcntl(0, 10, 0)",
    "outliving its parent": "libc('prctl', 1, 0, 0, 0, 0)",
    "namespaces": "libc('unshare', 0x10000000)",
    "a mount": "libc('mount', b'none', b'/nowhere', b'tmpfs', 0, None)",
    "tracing": "libc('ptrace', 0, 0, 0, 0)",
    "uncounted memory": "os.memfd_create('x')",
    "memory that outlives it": "libc('shmget', 0, 4096, 0o600)",
    "a message queue": "libc('msgget', 0, 0o600)",
    "higher limits": "libc('setrlimit', 7, ctypes.byref((ctypes.c_ulong * 2)(9, 9)))",
    "higher limits by another call": "__import__('resource').prlimit(0, 7, (9, 9))",
}
TRY = """
import ctypes, os
def libc(name, *arguments):
    if getattr(ctypes.CDLL(None, use_errno=True), name)(*arguments) < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
try:
    {attempt}
    print('done')
except OSError as error:
    print('refused:', error)
"""


@pytest.mark.parametrize("name", HIDDEN)
def test_it_cannot_be_reached(run, name):
    said = run(TRY.format(attempt=HIDDEN[name]))
    assert said.startswith("refused")


@pytest.mark.parametrize("name", FORBIDDEN)
def test_it_is_forbidden(run, name):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        attempt = FORBIDDEN[name].replace("PORT", str(listening.getsockname()[1]))
        said = run(TRY.format(attempt=attempt))
    assert said.startswith("refused") and "not permitted" in said


CUT = """
import os, sys
from autograder.grading.sandbox import hardening, landlock
landlock.abi = lambda: 1
hardening.lock(hardening.Limits(), [sys.argv[1]], None)
for cut in (
    lambda: os.truncate(sys.argv[1], 0),
    lambda: os.truncate(sys.argv[2], 0),
    lambda: os.open(sys.argv[1], os.O_RDONLY | os.O_TRUNC),
):
    try:
        cut()
    except OSError:
        continue
    print("done")
print(len(open(sys.argv[1]).read()))
"""


def test_no_file_is_cut_off_where_landlock_does_not_know_how(tmp_path):
    """Linux 5.13 to 6.1 take cutting off a file that may be read for reading."""
    needs("landlock")
    files = [tmp_path / "may-be-read", tmp_path / "may-not"]
    for file in files:
        file.write_text("mine")
    words = [sys.executable, "-c", CUT, *map(str, files)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT)
    assert done.stdout == "4\n", done.stderr
    assert [file.read_text() for file in files] == ["mine", "mine"]


def test_what_is_refused_works_outside():
    """The probe's own attempts succeed in a process that is not locked up."""
    code = "from autograder.grading.sandbox.nursery import escapes; print(escapes())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert "start a process" in done.stdout and "open a socket" in done.stdout
    assert "read /etc/passwd" in done.stdout and "write to /var/tmp" in done.stdout


@pytest.mark.parametrize(
    "name", ["solutions", "autograder.exercises", "autograder.grading.judge", "nbgrader", "pytest"]
)
def test_nothing_but_the_library_can_be_imported(run, name):
    assert "ModuleNotFoundError" in run(f"import {name}")


def test_what_a_notebook_needs_works(run):
    source = """
import io, ctypes
import numpy as np, matplotlib.pyplot as plt
np.linalg.svd(np.eye(3)), np.fft.fft(np.ones(4))
plt.plot([0, 1]); plt.title("$x^2$"); plt.savefig(file := io.BytesIO())
call = ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 7)
print(len(file.getvalue()) > 1000, call())
"""
    assert run(source).split() == ["True", "7"]


def test_it_holds_its_channel_and_nothing_else(run):
    source = """
import os, stat
found = []
for fd in range(2000):
    try:
        mode = os.fstat(fd)
    except OSError:
        continue
    found.append("socket" if stat.S_ISSOCK(mode.st_mode) else os.major(mode.st_rdev) * 100 + os.minor(mode.st_rdev))
print(found)
"""
    assert run(source) == "[103, 103, 103, 'socket']"  # /dev/null is device 1, 3


def test_learners_begin_alike(run):
    source = "import random, os\nprint(hash('a'), np.random.rand(), random.random())"
    assert run(f"import numpy as np\n{source}") == run(f"import numpy as np\n{source}")


def test_memory_is_bounded(run):
    assert "MemoryError" in run(
        "import numpy as np\nkept = [np.empty(1 << 28, 'u1') for _ in range(9)]"
    )


def test_its_folder_is_bounded_and_private(sandbox, run):
    fill = """
total = 0
try:
    for k in range(9):
        with open(f"/tmp/{k}", "wb", buffering=0) as file:
            for _ in range(32):
                total += file.write(bytes(1 << 20))
except OSError as error:
    print(total >> 20, error.strerror)
"""
    said = run(fill)
    if sandbox.tier == "landlock":
        assert said == "0 Permission denied"
        return
    megabytes, why = said.split(maxsplit=1)
    assert 32 <= int(megabytes) <= 64 and why == "No space left on device"
    assert run("import os\nprint(os.listdir('/tmp'))") == "[]"


def test_bubblewrap_s_own_places_are_closed():
    """Also without Landlock; /proc/sys would be root's to write to."""
    needs("full")
    readable = [*library.SYSTEM, *library.interpreter()]
    code = (
        "import os\n"
        "for path in ('/x', '/dev/x', '/dev/shm/x', '/usr/lib/x', '/opt/unrolled/x', '/proc/sys/kernel/core_pattern'):\n"
        "    try: open(path, 'r+' if 'core' in path else 'w'); print('wrote', path)\n"
        "    except OSError as error: print(error.errno)\n"
    )
    words = bubblewrap.command(readable, library.folder())
    words += [bubblewrap.inside(os.path.realpath(sys.executable)), "-S", "-c", code]
    done = subprocess.run(words, capture_output=True, text=True)
    refused = {"30", "13", "1", "2"}
    assert done.stdout.split() and set(done.stdout.split()) <= refused, done


# ------------------------------------------------------------------ its end


def ended(sandbox, source, limits=Limits()):  # noqa: B008  # a NamedTuple of numbers
    with Session(sandbox.spawn, limits, CLOCK) as session:
        with pytest.raises(StepFailed) as caught:
            session.run(source)
        return str(caught.value), session.usage


def test_how_it_ended(sandbox):
    assert "exit code 7" in ended(sandbox, "import os; os._exit(7)")[0]
    assert "SIGSEGV" in ended(sandbox, "import ctypes; ctypes.string_at(0)")[0]


def test_cpu_time_is_bounded_and_measured(sandbox):
    said, usage = ended(sandbox, "while True: pass", Limits(cpu_seconds=1))
    assert "used up its 1 seconds of computing time" in said
    assert usage.cpu > 0.5


def test_memory_is_measured(sandbox):
    process = sandbox.spawn(Limits())
    assert process.end() == "it was stopped"
    before = process.usage.memory
    with Session(sandbox.spawn, clock=CLOCK) as session:
        session.run("kept = b'x' * (200 << 20)")
    assert session.usage.memory - before > 150 << 20


def test_want_of_memory_is_told():
    assert "want of memory" in how(-signal.SIGKILL, None, Limits())


def test_a_loop_is_interrupted_and_the_process_lives(sandbox):
    with Session(sandbox.spawn, clock=Clock(step=1.0)) as session:
        process = sandbox.spawn(Limits())
        from autograder.grading import frames

        frames.send(process.channel, {"do": "run", "source": "while True: pass", "nonce": "a"})
        with pytest.raises(frames.TimeUp):
            frames.receive(process.channel, 0.5)
        process.interrupt()
        assert "KeyboardInterrupt" in frames.receive(process.channel, 5)["error"]
        frames.send(process.channel, {"do": "run", "source": "print(1)", "nonce": "b"})
        assert frames.receive(process.channel, 5)["output"] == "1\n"
        process.end()
        assert session.usage is None


# ------------------------------------------------------------------ nothing outlives it

GRADER = """
import sys
from autograder.grading import frames
from autograder.grading.sandbox.hardening import Limits
from autograder.grading.sandbox.template import Template

template = Template(sys.argv[1])
process = template.spawn(Limits())
source = '''
import ctypes, signal
ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)
signal.signal(signal.SIGINT, signal.SIG_IGN)
while True: pass
'''
frames.send(process.channel, {"do": "run", "source": source, "nonce": "a"})
try:
    frames.receive(process.channel, 1)
except frames.TimeUp:
    print("running", flush=True)
sys.stdin.read()
"""


def descendants(pid):
    """All processes below one."""
    children = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(path.read_text().rpartition(")")[2].split()[1])
            children.setdefault(parent, []).append(int(path.parent.name))
    todo, found = [pid], []
    while todo:
        below = children.get(todo.pop(), [])
        found += below
        todo += below
    return found


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def all_gone(pids, seconds=10):
    end = time.monotonic() + seconds
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    return not any(map(alive, pids))


def test_a_killed_grader_leaves_nothing(sandbox):
    words = [sys.executable, "-c", GRADER, sandbox.tier]
    grader = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
    with grader:
        assert grader.stdout.readline() == b"running\n"
        below = descendants(grader.pid)
        assert len(below) >= 3, "template, waiter and child at least"
        grader.kill()
    assert all_gone(below)


def test_an_ended_process_leaves_nothing(sandbox):
    before = set(descendants(os.getpid()))
    process = sandbox.spawn(Limits())
    started = set(descendants(os.getpid())) - before
    assert len(started) == 2
    process.end()
    assert all_gone(started)


def test_a_closed_template_leaves_nothing(sandbox):
    before = set(descendants(os.getpid()))
    other = Template(sandbox.tier)
    process = other.spawn(Limits())
    started = set(descendants(os.getpid())) - before
    other.close()
    assert all_gone(started)
    with pytest.raises(SandboxLost):
        process.end()


def test_a_template_outlives_the_thread_that_made_it(sandbox):
    made = []
    thread = threading.Thread(target=lambda: made.append(Template(sandbox.tier)))
    thread.start()
    thread.join()
    with made[0] as other:
        time.sleep(0.2)
        assert other.spawn(Limits()).end() == "it was stopped"


def test_a_dead_template_is_no_fault_of_the_learner_s(sandbox):
    before = set(descendants(os.getpid()))
    with Template(sandbox.tier) as other:
        process = other.spawn(Limits())
        for pid in set(descendants(os.getpid())) - before:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with pytest.raises(SandboxLost, match="while a submission ran"):
            process.end()
        with pytest.raises(SandboxLost, match="lost"):
            other.spawn(Limits())
        assert not other.alive


def test_a_sandbox_that_cannot_start_says_why(monkeypatch):
    monkeypatch.setattr(bubblewrap, "OWN", ("--no-such-option",))
    with pytest.raises(SandboxLost, match="no-such-option"):
        Template("full")


def test_locks_that_fail_run_nothing(monkeypatch):
    """A child that cannot lock itself up is never given any code."""
    needs("landlock")
    with Template("landlock") as other, pytest.raises(SandboxLost, match="could not be locked up"):
        other.spawn(Limits()._replace(files=-5))


# ------------------------------------------------------------------ tiers


@pytest.fixture
def forced_none(monkeypatch):
    monkeypatch.setenv(tiers.FORCED, "none")


def test_without_a_sandbox_nothing_is_graded_unless_it_is_trusted(forced_none, monkeypatch):
    monkeypatch.setattr(template, "_shared", None)
    with pytest.raises(ClassError, match="unrolled doctor"):
        template.shared()
    assert tiers.require(trust=True) is Tier.NONE


def test_trusted_code_runs_in_a_plain_process():
    with Template("none") as trusted:
        assert trusted.spawn is Plain
        with Session(trusted.spawn, clock=CLOCK) as session:
            assert session.run("print(1)")["output"] == "1\n"
            with pytest.raises(StepFailed, match="exit code 3"):
                session.run("import os; os._exit(3)")
        assert session.tier == "none"


def test_the_doctor(capsys, monkeypatch):
    assert main(["doctor"]) == 0
    assert "Submissions are run at tier" in capsys.readouterr().out
    monkeypatch.setenv(tiers.FORCED, "none")
    assert main(["doctor", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert report["tier"] == "none"
    assert {"system", "Landlock"} <= {finding["name"] for finding in report["findings"]}


def test_the_doctor_has_a_remedy(capsys, monkeypatch):
    tiers.probe.cache_clear()
    monkeypatch.setattr(bubblewrap, "program", lambda: None)
    assert main(["doctor"]) == 0
    assert "apt install bubblewrap" in capsys.readouterr().out
    tiers.probe.cache_clear()
    monkeypatch.setattr("platform.system", lambda: "Darwin")
    assert main(["doctor"]) == 1
    assert "container" in capsys.readouterr().out
    tiers.probe.cache_clear()


def test_ubuntu_s_remedy_is_a_profile(monkeypatch, tmp_path):
    switch = tmp_path / "switch"
    switch.write_text("1\n")
    monkeypatch.setattr(tiers, "UBUNTU", switch)
    monkeypatch.setattr(bubblewrap, "OWN", ("--no-such-option",))
    found = tiers._tried(Tier.FULL)
    assert not found.works and "apparmor_parser" in found.remedy


# ------------------------------------------------------------------ grading


def clean_notebook(template, tmp_path, text):
    (tmp_path / NAME).write_text(text)
    return sanitise(template, tmp_path, NAME)


def marks(result):
    return {name: check["points"] for name, check in result["checks"].items()}


SOFTMAX = """def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
"""


@pytest.mark.parametrize(
    ("source", "points", "says"),
    [
        (SOFTMAX + "print(softmax(of_my_own))", 2, "failed, below the function: NameError"),
        (SOFTMAX + "import torch_or_so", 2, "failed, below the function: ModuleNotFoundError"),
        (SOFTMAX + "raise SystemExit", 2, "failed, below the function: SystemExit"),
        (SOFTMAX + "while True: pass", 2, "below the function: it did not end within 2 seconds"),
        ("while True: pass\n" + SOFTMAX, 0, "Its cell did not run: it did not end within"),
        ("import torch_or_so\n" + SOFTMAX, 0, "Its cell did not run: ModuleNotFoundError"),
        (SOFTMAX + "print(softmax(1", 0, "Its cell did not run: SyntaxError"),
        ("!pip install numpy\n" + SOFTMAX, 2, "✓ softmax"),
        ("%pip install numpy\nlisted = !ls\nassert listed == []\n" + SOFTMAX, 2, "✓ softmax"),
        ("%%time\n" + SOFTMAX + "%timeit -n1 -r1 0\n%matplotlib inline", 2, "✓ softmax"),
    ],
)
def test_a_cell_may_hold_more_than_a_function(
    sandbox, request, solved, tmp_path, source, points, says
):
    """As in a kernel: what was defined before an error is there, and a shell's line is no error."""
    notebook = request.getfixturevalue("template")
    clean = clean_notebook(notebook, tmp_path, solved(softmax=source))
    clock = Clock(step=2.0 if "while" in source else 30.0)
    result = grade_notebook(clean, "ann", "a/b", b"s" * 32, sandbox.spawn, clock)
    assert sum(marks(result).values()) == 14 + points
    assert says in result["checks"]["check-softmax"]["text"]


def test_marks_are_the_same_at_every_tier(sandbox, request, solved, tmp_path):
    notebook = request.getfixturevalue("template")
    clean = clean_notebook(notebook, tmp_path, solved(softmax="def softmax(z):\n    return z\n"))
    result = grade_notebook(clean, "ann", "a/b", b"s" * 32, sandbox.spawn)
    assert result["tier"] == sandbox.tier
    assert marks(result).pop("check-softmax") == 0
    assert sum(marks(result).values()) == 14


AS_USER = """
import json, os, sys
from pathlib import Path
from autograder.grading.judge import grade_notebook
from autograder.grading.sanitise import sanitise
from autograder.grading.sandbox.template import Template

folder = Path(sys.argv[2])
clean = sanitise(json.loads((folder / "template").read_text()), folder / "in", sys.argv[3])
with Template(sys.argv[1]) as template:
    result = grade_notebook(clean, "ann", "a/b", b"s" * 32, template.spawn)
assert os.getuid() == 65534
print(json.dumps([result["tier"], sum(check["points"] for check in result["checks"].values())]))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="these tests run as an ordinary user already")
def test_an_ordinary_user_grades(sandbox, request, solved, tmp_path_factory):
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    variables = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{ROOT}:{packages}"}
    python = python_for(65534, variables)
    folder = Path("/var/tmp") / f"unrolled-test-{os.getpid()}"
    (folder / "in").mkdir(parents=True)
    try:
        (folder / "template").write_text(json.dumps(request.getfixturevalue("template")))
        (folder / "in" / NAME).write_text(solved())
        words = [python, "-c", AS_USER, sandbox.tier, str(folder), NAME]
        done = subprocess.run(
            words,
            user=65534,
            group=65534,
            extra_groups=[],
            cwd="/",
            env=variables,
            capture_output=True,
            text=True,
        )
    finally:
        shutil.rmtree(folder)
    assert done.returncode == 0, done.stderr[-2000:]
    assert json.loads(done.stdout) == [sandbox.tier, 16.0]
