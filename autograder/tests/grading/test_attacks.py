"""Whatever a learner's code does, all that it can hand in is arrays."""

import time
from pathlib import Path

import pytest

from autograder import answers
from autograder.grading.judge import grade_notebook, seeds
from autograder.grading.sandbox.hardening import available
from autograder.grading.sanitise import sanitise
from autograder.grading.session import Clock

NAME = "rnn_forward.ipynb"
pytestmark = pytest.mark.slow
SECRET = b"s" * 32
CLOCK = Clock(step=2.0, notebook=60.0)

FAKE = "\ndef softmax(z):\n    return z * 0\n"


def graded(template, tmp_path, text):
    (tmp_path / NAME).write_text(text)
    clean = sanitise(template, tmp_path, NAME)
    return grade_notebook(clean, "mallory", "a/b", SECRET, clock=CLOCK)


def others_right(result):
    checks = result["checks"]
    return all(c["passed"] for name, c in checks.items() if name != "check-softmax")


ATTACKS = {
    "patched comparisons": "import numpy as np\nnp.allclose = np.array_equal = lambda *a, **k: True\n"
    "np.abs = lambda a: 0.0 * np.asarray(a)" + FAKE,
    "patched check": "import autograder, autograder.desk as d\n"
    "autograder.check = d.check = lambda f: 2.0" + FAKE,
    "patched trial": "from autograder import trial\n"
    "trial.run = lambda f, cases, lend=(): [trial.Outcome() for _ in cases]" + FAKE,
    "patched wire": "from autograder import wire\nwire.pack = lambda tree: b'\\0' * 64" + FAKE,
    "always equal": "class E:\n    def __eq__(self, other): return True\n"
    "    def __array__(self, *a, **k): raise TypeError\n"
    "def softmax(z):\n    return E()\n",
    "displayhook": "import sys\nsys.displayhook = lambda v: print(2.0)" + FAKE,
    "transformer": "get_ipython().ast_transformers.append("
    "type('T', (), {'visit': lambda s, n: n})())\n"
    "get_ipython().input_transformers_cleanup.append(lambda lines: ['2.0'])" + FAKE,
    "forged frames": "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'\\x40' + b'\\0' * 71)\n"
    "    except OSError: pass" + FAKE,
    "os._exit": "import os\ndef softmax(z):\n    os._exit(0)\n",
    "exit while defining": "import os\nos._exit(0)\n" + FAKE,
    "SystemExit": "def softmax(z):\n    raise SystemExit(0)\n",
    "a loop": "def softmax(z):\n    while True: pass\n",
    "a loop that ignores signals": "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\n"
    "def softmax(z):\n    while True: pass\n",
    "a loop while defining": "while True: pass\n" + FAKE,
    "memory": "def softmax(z):\n    return np.ones(1 << 40)\n",
    "a giant answer": "def softmax(z):\n    return np.ones(40 << 20, dtype='u1')\n",
    "a flood": "def softmax(z):\n    while True: print('x' * 10_000)\n",
    "recursion": "def softmax(z):\n    return softmax(z)\n",
    "segfault": "import ctypes\ndef softmax(z):\n    ctypes.string_at(0)\n",
    "deep nesting": "def softmax(z):\n    a = []\n    for _ in range(9999): a = [a]\n    return a\n",
    "object array": "def softmax(z):\n    return np.array([object()] * 3)\n",
    "import of the answers": "from solutions.rnn import softmax\n",
    "import of the exercises": "from autograder.exercises.softmax import softmax\n",
    "the fast layers": "from course.given import RNN\ndef softmax(z):\n    return RNN(None).forward(z)\n",
}  # fmt: skip


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_gains_nothing_and_costs_nobody_else(template, tmp_path, solved, name):
    result = graded(template, tmp_path, solved(softmax=ATTACKS[name]))
    check = result["checks"]["check-softmax"]
    assert check["points"] == 0.0
    assert check["diagnosis"] and check["text"], "it is explained"
    if name not in WHOLE_PROCESS:
        assert others_right(result), [c["text"] for c in result["checks"].values()]


WHOLE_PROCESS = {  # these break their own process for good, and with it their own later cells
    "patched comparisons", "patched trial", "patched wire", "transformer", "forged frames",
    "memory",
}  # fmt: skip


def test_the_process_has_no_answers_and_no_secret(template, tmp_path, solved):
    spy = (
        "import importlib.util as u, os, sys\n"
        "found = [m for m in ('solutions', 'autograder.exercise', 'autograder.exercises', "
        "'autograder.diagnosis.judge', 'nbgrader_config') if '.' not in m and u.find_spec(m)]\n"
        "found += [m for m in sys.modules if m.startswith('solutions')]\n"
        "print(found, sorted(os.environ))\n" + FAKE
    )
    result = graded(template, tmp_path, solved(softmax=spy))
    printed = result["outputs"]["softmax"]
    assert printed.startswith("[] [")
    assert "SECRET" not in printed.upper()


LOCKED = {
    "read the checkout": "open({root!r} + '/solutions/rnn.py').read()",
    "read the secret": "open('/etc/shadow').read()",
    "list the user's files": "__import__('os').listdir({home!r})",
    "write outside": "open('/var/tmp/unrolled-mark', 'w')",
    "a program": "__import__('subprocess').run(['/bin/true'])",
    "a process": "__import__('os').fork()",
    "a socket": "__import__('socket').socket()",
    "a signal": "__import__('os').kill(__import__('os').getppid(), 0)",
}


@pytest.mark.skipif(not available(), reason="this kernel has no Landlock: limits only")
@pytest.mark.parametrize("name", LOCKED)
def test_the_process_is_locked_up(template, tmp_path, solved, name):
    """Each of these works in an ordinary process of this user; here it is refused."""
    root, home = str(Path(__file__).parents[3]), str(Path.home())
    attempt = LOCKED[name].format(root=root, home=home)
    tried = (
        f"try:\n    {attempt}\n    print('done')\nexcept OSError as e:\n    print('refused', e)\n"
    )
    result = graded(template, tmp_path, solved(softmax=tried + FAKE))
    assert result["outputs"]["softmax"].startswith("refused"), result["outputs"]["softmax"]


def test_a_replayed_reply_is_out_of_step(template, tmp_path, solved):
    """A reply that is kept and sent again bears an old nonce."""
    replay = (
        "from autograder.grading import frames\nkept = []\nsend = frames.send\n"
        "def forged(channel, tree):\n    kept.append(tree)\n    send(channel, kept[0])\n"
        "frames.send = forged" + FAKE
    )
    result = graded(template, tmp_path, solved(softmax=replay))
    assert result["checks"]["check-softmax"]["points"] == 0.0


def test_check_in_a_graded_notebook_does_no_harm(template, tmp_path, solved):
    source = "def softmax(z):\n    e = np.exp(z - z.max(-1, keepdims=True))\n"
    source += "    return e / e.sum(-1, keepdims=True)\nprint(check(softmax))\n"
    result = graded(template, tmp_path, solved(softmax=source))
    assert result["checks"]["check-softmax"]["passed"]
    assert "when you hand it in" in result["outputs"]["softmax"]


def test_a_helper_outside_the_answer_cells_is_explained(template, tmp_path, solved):
    import json

    notebook = json.loads(solved(softmax="def softmax(z):\n    return helper(z)\n"))
    extra = "def helper(z):\n    return z"
    notebook["cells"].append({"cell_type": "code", "metadata": {}, "source": extra})
    result = graded(template, tmp_path, json.dumps(notebook))
    assert (
        "helper is defined in a cell of your own" in result["checks"]["check-softmax"]["diagnosis"]
    )


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


def test_time_of_a_notebook_is_bounded(template, tmp_path, solved):
    loop = "while True: pass\n"
    names = ("softmax", "rnn_cell_forward", "output_forward", "rnn_forward", "last_states")
    (tmp_path / NAME).write_text(solved(**dict.fromkeys(names, loop)))
    clean = sanitise(template, tmp_path, NAME)
    start = time.monotonic()
    result = grade_notebook(clean, "m", "a/b", SECRET, clock=Clock(step=2.0, notebook=5.0))
    assert time.monotonic() - start < 30
    assert "used up" in result["checks"]["check-rnn_generate"]["text"]
