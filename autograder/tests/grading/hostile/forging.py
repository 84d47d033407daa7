"""Attacks that want a point for a wrong function."""

from autograder.tests.grading.hostile import (
    CHANNEL,
    Attack,
    before,
    grading,
    on_notebook,
    within,
)


def _tags(notebook):
    for cell in notebook["cells"]:
        cell["metadata"]["tags"] = ["skip-execution"]


def _points(notebook):
    for cell in notebook["cells"]:
        if grading(cell).get("grade"):
            grading(cell).update(points=0, locked=False, solution=True)


def _swapped_ids(notebook):
    """The check of rnn_forward, which is right, under the id of softmax's, and the other way."""
    names = {"check-softmax": "check-rnn_forward", "check-rnn_forward": "check-softmax"}
    for cell in notebook["cells"]:
        grading(cell)["grade_id"] = names.get(
            grading(cell).get("grade_id"), grading(cell).get("grade_id")
        )


def _fake_check(notebook):
    for cell in notebook["cells"]:
        if grading(cell).get("grade_id") == "check-softmax":
            cell["source"] = "2.0"
            cell["outputs"] = [
                {
                    "output_type": "execute_result",
                    "data": {"text/plain": "2.0"},
                    "metadata": {},
                    "execution_count": 1,
                }
            ]


def _no_checks(notebook):
    notebook["cells"] = [c for c in notebook["cells"] if not grading(c).get("grade")]


def _second_check(notebook):
    """A check of one's own, with the id and more points, that says what it likes."""
    for cell in [c for c in notebook["cells"] if grading(c).get("grade_id") == "check-softmax"]:
        own = {**cell, "source": "2.0", "metadata": {"nbgrader": {**grading(cell), "points": 99}}}
        notebook["cells"].insert(0, own)


def _other_exercise(notebook):
    """The cell says that it checks an exercise that is right."""
    for cell in notebook["cells"]:
        if grading(cell).get("grade_id") == "check-softmax":
            cell["metadata"]["unrolled"] = {"check": "last_states"}
            cell["metadata"]["nbgrader"]["checksum"] = "0" * 32


def _experiment(notebook):
    """The answer cell as an experiment, which is not run, and the kernel another."""
    for cell in notebook["cells"]:
        if grading(cell).get("grade_id") == "softmax":
            cell["metadata"]["tags"] = ["experiment"]
    notebook["metadata"]["kernelspec"] = {"name": "evil", "display_name": "e", "language": "sh"}


TRUE = "lambda *a, **k: True"
SHELL = "get_ipython()"
CATCH = """
import sys
def frames_():
    frame = sys._getframe()
    while frame:
        yield frame
        frame = frame.f_back
"""
FORGE = """
import json, struct
from autograder import wire
from autograder.grading import frames
def reply(nonce, head, tail=b""):
    text = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(text)) + text + tail
def outcome(value, again=None):
    fields = [["value", value], ["again", again or value], ["changed", ["t", []]]]
    fields += [["warned", ["t", []]], ["failure", ["v", None]], ["idle", ["t", []]]]
    return ["r", "Outcome", fields]
def forged(channel, tree):
    if "outcomes" not in tree:
        return send(channel, tree)
    data = reply(tree["nonce"], *make(tree))
    channel.sendall(struct.pack("<Q", len(data)) + data)
def answers(tree, nodes):
    return ["d", [["error", ["v", None]], ["outcomes", ["l", nodes]], ["nonce", ["v", tree["nonce"]]]]]
send, frames.send = frames.send, forged
"""


def sends(make: str) -> Attack:
    """An attack that writes its replies byte by byte; `make` gives a reply's head and its rest."""
    return before(FORGE + make, whole=True)


def asked(names: str) -> Attack:
    """An attack that reads the judge's own objects, wherever they could be."""
    return within(f"return {names}")


ATTACKS = {
    "comparisons": before(
        f"import numpy as np\nnp.allclose = np.array_equal = np.isclose = {TRUE}\n"
        f"np.testing.assert_allclose = np.testing.assert_array_equal = {TRUE}",
        whole=True,
    ),
    "np.abs": before("import numpy as np\nnp.abs = np.absolute = lambda a, **k: 0.0", whole=True),
    "all of numpy": before(
        "import numpy as np\nfor n in ('any', 'all', 'max', 'isfinite', 'shape', 'asarray'):\n"
        "    setattr(np, n, lambda *a, **k: np.float64(0))",
        whole=True,
    ),
    "builtins": before(
        f"import builtins\nbuiltins.isinstance = {TRUE}\nbuiltins.len = lambda x: 0", whole=True
    ),
    "check": before(
        "import autograder, autograder.desk as d\nautograder.check = d.check = lambda f: 2.0\n"
        "check = autograder.check\ncheck(1)"
    ),
    "report": before(
        "from autograder import report\nreport.Report.passed = property(lambda s: True)\n"
        "report.Report.score = property(lambda s: 99.0)"
    ),
    "trial": before(
        "from autograder import trial\n"
        "trial.run = lambda f, cases, lend=(): [trial.Outcome() for _ in cases]",
        whole=True,
    ),
    "identity": before(f"from autograder import trial\ntrial.identical = {TRUE}"),
    "displayhook": before("import sys\nsys.displayhook = lambda v: print(2.0)"),
    "formatter": before(
        f"{SHELL}.display_formatter.format = lambda o, *a, **k: ({{'text/plain': '2.0'}}, {{}})"
    ),
    "AST transformer": before(
        "import ast\nclass T(ast.NodeTransformer):\n    def visit_Assert(self, n): return None\n"
        "    def visit_Raise(self, n): return ast.Pass()\n"
        f"{SHELL}.ast_transformers.append(T())"
    ),
    "input transformer": before(
        f"{SHELL}.input_transformers_cleanup.append(lambda lines: ['2.0'])", whole=True
    ),
    "hooks after cells": before(
        f"{SHELL}.events.register('post_run_cell', lambda r: setattr(r, 'result', 2.0))"
    ),
    "a shell that says yes": before(
        f"type({SHELL}).run_cell = lambda s, *a, **k: type('R', (), "
        "dict(error_before_exec=None, error_in_exec=None, result=2.0))()",
        whole=True,
    ),
    "a printed mark": before("print(2.0)\nprint('score: 2/2')\n2.0"),
    "always equal": within(
        "return E()",
        "class E:\n    def __eq__(self, o): return True\n    def __ne__(self, o): return False\n"
        "    def __sub__(self, o): return 0\n    __rsub__ = __sub__\n    __hash__ = None",
    ),
    "an array that is always near": within(
        "return (z * 0).view(Near)",
        "class Near(np.ndarray):\n    def __sub__(self, o): return self * 0\n"
        "    __rsub__ = __sub__\n    def __abs__(self): return self * 0\n"
        "    def __array_ufunc__(self, *a, **k): return np.zeros(self.shape)\n"
        "    def __array_function__(self, *a, **k): return True\n"
        "    def __eq__(self, o): return np.ones(self.shape, bool)",
    ),
    "an __array__ that lies": within(
        "return Lie(z)",
        "class Lie:\n    def __init__(self, z): self.z, self.n = z, 0\n    def __array__(self, *a, **k):\n"
        "        self.n += 1\n        return self.z * self.n",
    ),
    "a float of its own": within(
        "return [[F(v) for v in row] for row in z.reshape(-1, z.shape[-1])]",
        "class F(float):\n    def __eq__(self, o): return True\n"
        "    def __sub__(self, o): return F(0)\n    __rsub__ = __sub__",
    ),
    "NaN": within("return z * np.nan"),
    "infinity": within("return z * np.inf"),
    "a NaN that bears a message": within(
        "return np.full(z.shape, 0x7ff8dead0000beef, 'u8').view('f8')"
    ),
    "minus zero": within("return z * -0.0"),
    "near enough in float32": within(
        "e = np.exp(z - z.max(-1, keepdims=True))\n"
        "return (e / e.sum(-1, keepdims=True) + 1e-3).astype('f4')"
    ),
    "near enough in float16": within(
        "e = np.exp(z - z.max(-1, keepdims=True))\n"
        "return (e / e.sum(-1, keepdims=True) + 1e-3).astype('f2')"
    ),
    "booleans": within("return z > 0"),
    "complex": within("return z * 1j"),
    "text": within("return '1.0'"),
    "many texts, one long": within("return ['x' * 60_000] + [''] * 60_000"),
    "integers beyond 64 bits": within("return [[1 << 100] * z.shape[-1]] * len(z)"),
    "huge exponents": within("return np.where(z > 0, 1e308, -1e308)"),
    "dates": within("return z.astype('m8[s]')"),
    "bytes and sets": within("return {b'1': {2.0}}"),
    "a ragged list": within("return [[1.0], [2.0, 3.0], []]"),
    "keys that are one text": within("return {1: z, '1': z, True: z, None: z}"),
    "an empty array of many sides": within("return np.empty((0, 1 << 30, 1))"),
    "the judge's own inputs": within("return z"),
    "inputs made into outputs": within("z[...] = 0\nreturn z"),
    "the public cases": within(
        "return known.get(z.tobytes(), z * 0)",
        "known = {}\nfor k in range(7):\n    try: z = case('softmax', k)['z']\n"
        "    except Exception: continue\n"
        "    e = np.exp(z - z.max(-1, keepdims=True)); known[z.tobytes()] = e / e.sum(-1, keepdims=True)",
    ),
    "right every other time": within(
        "global calls\ncalls += 1\ne = np.exp(z - z.max(-1, keepdims=True))\n"
        "return e / e.sum(-1, keepdims=True) if calls % 2 else z",
        "calls = 0",
    ),
    "stand-ins": within("return STAND_INS['softmax'](z)", "from autograder.standins import STAND_INS"),
    "frames of the caller": within(
        "for frame in frames_():\n    for value in list(frame.f_locals.values()):\n"
        "        if isinstance(value, np.ndarray) and value.shape == z.shape and value is not z:\n"
        "            return value\nreturn z * 0",
        CATCH,
    ),
    "names in the caller": within(
        "for frame in frames_():\n    for n in ('expected', 'answers', 'key', 'reference'):\n"
        "        if n in frame.f_locals or n in frame.f_globals:\n            return z\nreturn z * 0",
        CATCH,
    ),
    "the garbage collector": within(
        "import gc\nfor o in gc.get_objects():\n    if isinstance(o, np.ndarray) and o.shape == z.shape "
        "and np.allclose(o.sum(-1), 1):\n        return o\nreturn z * 0"
    ),
    "functions of that name": within(
        "import gc, types\nfor o in gc.get_objects():\n"
        "    if isinstance(o, types.FunctionType) and o.__name__ == 'softmax' and o is not softmax:\n"
        "        return o(z)\nreturn z * 0"
    ),
    "sys.modules": within(
        "import sys\nfor m in list(sys.modules.values()):\n    f = getattr(m, 'softmax', None)\n"
        "    if callable(f) and f is not softmax:\n        return f(z)\nreturn z * 0"
    ),
    "import of the answers": before("from solutions.rnn import softmax"),
    "import of the exercises": before("from autograder.exercises.softmax import by_hand as softmax"),
    "the fast layers": within("return RNN(None).forward(z)", "from course.given import RNN"),
    "another library": within("return special.softmax(z, -1)", "from scipy import special"),
    "a wrapper without end": Attack(
        {"softmax": "def softmax(z):\n    return z * 0\nsoftmax.__wrapped__ = softmax\n"}
    ),
    "globals that are none": Attack(
        {
            "softmax": "class S:\n    __globals__ = __code__ = 5\n    __wrapped__ = property(lambda s: 1 / 0)\n"
            "    def __call__(self, z): return z * 0\nsoftmax = S()\n"
        }
    ),
    "a class": Attack({"softmax": "class softmax(list):\n    pass\n"}),
    "inputs of another check": Attack(
        {
            "softmax": "SEEN = []\ndef softmax(z):\n    SEEN.append(z.copy())\n    e = np.exp(z - z.max(-1, keepdims=True))\n"
            "    SEEN.append(e / e.sum(-1, keepdims=True))\n    return SEEN[-1]\n",
            "output_forward": "def output_forward(a, params):\n    want = (*a.shape[:-1], len(params.by))\n"
            "    return next((s for s in SEEN if s.shape == want), np.zeros(want))\n",
        },
        victim="output_forward",
    ),
    "skip-execution tags": on_notebook(_tags),
    "points and locks": on_notebook(_points),
    "swapped grade ids": on_notebook(_swapped_ids),
    "a fake check cell": on_notebook(_fake_check),
    "no check cells": on_notebook(_no_checks),
    "a second check cell": on_notebook(_second_check),
    "a check of another exercise": on_notebook(_other_exercise),
    "an experiment": on_notebook(_experiment),
    "frames on all descriptors": before(
        "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'\\x40' + b'\\0' * 71)\n"
        "    except OSError: pass",
        whole=True,
    ),
    "guessed nonces": before(
        CHANNEL + "from autograder.grading import frames\nfor s in channel():\n    for n in range(50):\n"
        "        frames.send(s, {'nonce': f'{n:016x}', 'error': None, 'outcomes': []})",
        whole=True,
    ),
    "a replayed reply": before(
        "from autograder.grading import frames\nkept, send = [], frames.send\n"
        "def forged(channel, tree):\n    kept.append(tree)\n    send(channel, kept[0])\nframes.send = forged",
        whole=True,
    ),
    "a verdict for a reply": before(
        "from autograder.grading import frames\nsend = frames.send\n"
        "def forged(channel, tree):\n    send(channel, {**tree, 'outcomes': [], 'passed': True, "
        "'score': 1.0, 'points': 2.0, 'checks': {'check-softmax': {'points': 2.0}}})\n"
        "frames.send = forged",
        whole=True,
    ),
    "replies without a form": before(
        "from autograder import wire\nwire.pack = lambda tree: b'\\0' * 64", whole=True
    ),
    "a pickle for a reply": before(
        "import pickle, os\nfrom autograder import wire\n"
        "class P:\n    def __reduce__(self): return os._exit, (7,)\n"
        "wire.pack = lambda tree: pickle.dumps(P())",
        whole=True,
    ),
    "one array in 60,000 places": sends(
        "def make(tree):\n    many = ['l', [['a', 0]] * 60_000]\n"
        "    return [answers(tree, [outcome(['a', 0], many)] * 7), [['<f8', [1 << 18]]]], bytes(8 << 18)"
    ),
    "names of megabytes": sends(
        "def make(tree):\n    node = ['l', [['v', None]] * 999]\n"
        "    for _ in range(3): node = ['d', [['x' * 90_000, node]]]\n"
        "    return [answers(tree, [outcome(node)] * 7), []], b''"
    ),
    "a million lists": sends(
        "def make(tree):\n    return b'[' + b'[],' * 1_300_000 + b'[]]', b''"
    ),
    "a head 90,000 deep": sends("def make(tree):\n    return b'[' * 90_000, b''"),
    "sides without end": sends(
        "def make(tree):\n    return [answers(tree, [outcome(['a', k]) for k in range(7)]), "
        "[['<f8', [0, (1 << 32) - 1, (1 << 32) - 1, (1 << 32) - 1]]] * 7], b''"
    ),
    "a boolean that is 2": sends(
        "def make(tree):\n    return [answers(tree, [outcome(['a', k]) for k in range(7)]), "
        "[['|b1', [3]]] * 7], b'\\x02' * 21"
    ),
    "fields that stand for others": sends(
        "def make(tree):\n    node = ['r', 'RNNCache', [['x_t', ['v', 'x']], ['x_t', ['f', '1.0']]]]\n"
        "    return [answers(tree, [outcome(node)] * 7), []], b''"
    ),
    "claims of all kinds": sends(
        "def make(tree):\n    node = outcome(['f', '0.0'])\n"
        "    node[2][2][1] = ['t', [['v', 'y' * 2000]] * 200]\n"
        "    return [answers(tree, [node] * 7), []], b''"
    ),
}  # fmt: skip
