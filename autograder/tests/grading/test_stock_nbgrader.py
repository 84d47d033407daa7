"""The same attacks on a plain nbgrader class with assert tests, and here: docs/security.md shows both.

nbgrader says of itself that it trusts the code that it runs; the table says what that means.
"""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from autograder.grading.judge import grade_notebook
from autograder.grading.sanitise import sanitise
from autograder.grading.session import Clock
from autograder.tests.grading.hostile import Attack, on_notebook

pytestmark = pytest.mark.slow
PAGE = Path(__file__).parents[3] / "docs" / "security.md"
NAME = "rnn_forward.ipynb"
MOST = 2  # points of the attacked exercise, there and here


class Both(NamedTuple):
    """One attack: code that stands above a wrong softmax, and what is done besides."""

    code: str = ""
    tags: bool = False
    files: tuple[tuple[str, str], ...] = ()


ATTACKS = {
    "nothing at all: a wrong function": Both(),
    "asserts removed by an AST transformer": Both(
        "import ast\nclass T(ast.NodeTransformer):\n"
        "    def visit_Assert(self, node): return ast.Pass()\n"
        "get_ipython().ast_transformers.append(T())"
    ),
    "`np.allclose` replaced": Both("import numpy as np\nnp.allclose = lambda *a, **k: True"),
    "an object that equals everything": Both(
        "import numpy as np\nclass E(np.ndarray):\n"
        "    def __array_function__(self, *a, **k): return True\n"
        "_f = lambda z: z.view(E)"
    ),
    "the tag `skip-execution` on the tests": Both(tags=True),
    "a `numpy.py` in the folder": Both(
        files=(
            (
                "numpy.py",
                "import os, sys\nhere = sys.path.index(os.getcwd()) if os.getcwd() in sys.path else sys.path.index('')\n"
                "kept = sys.path.pop(here)\ndel sys.modules['numpy']\nimport numpy\n"
                "numpy.allclose = lambda *a, **k: True\nsys.path.insert(here, kept)\n",
            ),
        )
    ),
    "reads the instructor's solutions": Both(
        "try:\n    print(open('../../../source/ps1/p.ipynb').read())\nexcept OSError as e: print(e)"
    ),
    "reads another learner's answers": Both(
        "try:\n    print(open('../../../submitted/anna/ps1/p.ipynb').read())\nexcept OSError as e: print(e)"
    ),
    "reads the environment": Both("import os\nprint(dict(os.environ))"),
    "writes into the gradebook": Both(
        "import sqlite3\ntry:\n    with sqlite3.connect('../../../gradebook.db') as db:\n"
        "        db.execute('UPDATE student SET last_name = \"CHANGED\"')\n"
        "except sqlite3.Error as e: print(e)"
    ),
    "leaves a process running": Both(
        "import subprocess, sys\ntry:\n"
        "    p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(900)'], start_new_session=True)\n"
        "    print('LEFT', p.pid)\nexcept OSError as e: print(e)"
    ),
    "opens a network connection": Both(
        "import socket\ntry:\n    socket.create_connection(('127.0.0.1', {port}), 5)\n    print('CALLED')\n"
        "except OSError as e: print(e)"
    ),
    "`os._exit(0)`": Both("import os\nos._exit(0)"),
}  # fmt: skip
ROWS = re.compile(r"^\| (.+?) \| .* of 2 points \|$", re.M)
SECRETS = ("SOLUTION-CANARY", "ANSWER-CANARY", "ENVIRONMENT-CANARY", "BEGIN SOLUTION")


def softmax_of(attack):
    body = "_f(z)" if "_f =" in attack.code else "z * 0"
    return f"{attack.code}\ndef softmax(z):\n    return {body}\n"


# ------------------------------------------------------------------ a plain nbgrader class


def cell(source, kind="code", **marked):
    known = {"schema_version": 3, "solution": False, "grade": False, "locked": False, "task": False}
    metadata = {"nbgrader": {**known, **marked}} if marked else {}
    made = {
        "cell_type": kind,
        "metadata": metadata,
        "source": source,
        "id": marked.get("grade_id", "c"),
    }
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def notebook(softmax, other, tags=False):
    test = "z = np.array([[1.0, 2.0]])\nassert np.allclose({}, [[0.26894142, 0.73105858]])"
    cells = [
        cell("import numpy as np"),
        cell(softmax, solution=True, grade_id="softmax"),
        cell(test.format("softmax(z)"), grade=True, locked=True, points=MOST, grade_id="t1"),
        cell(other, solution=True, grade_id="other"),
        cell("assert other() == 1", grade=True, locked=True, points=3, grade_id="t2"),
    ]
    for number, made in enumerate(cells):
        made["id"] = f"cell{number}"
        if tags and made["metadata"].get("nbgrader", {}).get("grade"):
            made["metadata"]["tags"] = ["skip-execution"]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return json.dumps(
        {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    )


RIGHT = "def softmax(z):\n    ### BEGIN SOLUTION\n    e = np.exp(z)  # SOLUTION-CANARY\n    return e / e.sum(-1, keepdims=True)\n    ### END SOLUTION"
OTHER = "def other():\n    return 1"


def nbgrader(folder, *words, **variables):
    command = [sys.executable, "-m", "nbgrader", *words]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {**os.environ, "PATH": path, **variables}
    with open(folder / "log", "a") as log:  # a pipe would be kept open by what is left running
        return subprocess.run(command, cwd=folder, env=variables, stdout=log, stderr=log)


@pytest.fixture(scope="module")
def stock(tmp_path_factory, port):
    """A class that nbgrader has graded by itself, every attack by a learner of its own."""
    folder = tmp_path_factory.mktemp("stock")
    (folder / "nbgrader_config.py").write_text("c = get_config()\nc.Execute.timeout = 20\n")
    (folder / "source" / "ps1").mkdir(parents=True)
    (folder / "source" / "ps1" / "p.ipynb").write_text(notebook(RIGHT, OTHER))
    made = nbgrader(folder, "generate_assignment", "ps1").returncode
    assert made == 0, (folder / "log").read_text()
    honest = notebook(RIGHT + "  # ANSWER-CANARY", OTHER)
    handed_in = {"anna": (honest, ())}
    for number, attack in enumerate(ATTACKS.values()):
        source = softmax_of(attack).replace("{port}", str(port))
        handed_in[f"m{number}"] = notebook(source, OTHER, attack.tags), attack.files
    for student, (text, files) in handed_in.items():
        place = folder / "submitted" / student / "ps1"
        place.mkdir(parents=True)
        for name, data in (("p.ipynb", text), *files):
            (place / name).write_text(data)
    nbgrader(folder, "autograde", "ps1", TOKEN="ENVIRONMENT-CANARY")
    assert "AssertionError" not in (folder / "autograded/anna/ps1/p.ipynb").read_text()
    return {name: of_stock(folder, number) for number, name in enumerate(ATTACKS)}


@pytest.fixture(scope="module")
def port():
    import socket

    with socket.create_server(("127.0.0.1", 0), backlog=32) as listener:
        yield listener.getsockname()[1]


def of_stock(folder, number):
    """What an attack came to in the plain class, in the words of the table."""
    with sqlite3.connect(folder / "gradebook.db") as book:
        scores = dict(
            book.execute(
                "SELECT cell.name, grade.auto_score FROM grade JOIN submitted_notebook s ON s.id = "
                "grade.notebook_id JOIN submitted_assignment a ON a.id = s.assignment_id JOIN "
                "base_cell cell ON cell.id = grade.cell_id "
                "WHERE a.student_id = ?", (f"m{number}",),
            ).fetchall()
        )  # fmt: skip
        changed = book.execute(
            "SELECT count(*) FROM student WHERE last_name = 'CHANGED'"
        ).fetchone()[0]
    page = folder / "autograded" / f"m{number}" / "ps1" / "p.ipynb"
    shown = page.read_text() if page.exists() else ""
    return words(
        scores.get("t1"), scores.get("t2") == 3, printed_of(shown), changed and "UPDATE" in shown
    )


def printed_of(text):
    outputs = (o for c in json.loads(text)["cells"] for o in c.get("outputs", [])) if text else ()
    return "".join("".join(o.get("text", "")) for o in outputs)


def words(points, others, printed, changed=False):
    """The table's words."""
    said = [f"{points:g} of {MOST} points" if points is not None else "not graded"]
    if not others:
        said.append("all else lost")
    if any(secret in printed for secret in SECRETS):
        said.append("**read**")
    if changed:
        said.append("**written**")
    if "CALLED" in printed:
        said.append("**connected**")
    if (left := re.search(r"LEFT (\d+)", printed)) and alive(int(left[1])):
        os.kill(int(left[1]), signal.SIGKILL)
        said.append("**still running**")
    if points:
        said[0] = f"**{said[0]}**"
    return ", ".join(said)


def alive(pid):
    """Whether a process runs, and is the one that an attack has left."""
    try:
        return b"time.sleep(900)" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


# ------------------------------------------------------------------ the same, here


def of_ours(attack, template, place, spawn, port):
    code = softmax_of(attack).replace("{port}", str(port))
    made = Attack({"softmax": code})
    if attack.tags:
        made = on_notebook(
            lambda n: [c["metadata"].update(tags=["skip-execution"]) for c in n["cells"]]
        )
    for name, data in ((NAME, made.notebook()), *attack.files):
        (place / name).write_text(data)
    clock = Clock(step=5.0, notebook=60.0)
    result = grade_notebook(sanitise(template, place, NAME), "m", "a/b", b"s" * 32, spawn, clock)
    checks = result["checks"]
    others = all(c["passed"] for name, c in checks.items() if name != "check-softmax")
    return words(checks["check-softmax"]["points"], others, json.dumps(result))


@pytest.mark.parametrize("name", ATTACKS)
def test_the_table_says_what_happens(stock, template, tmp_path, spawn, port, monkeypatch, name):
    monkeypatch.setenv("TOKEN", "ENVIRONMENT-CANARY")
    here = of_ours(ATTACKS[name], template, tmp_path, spawn, port)
    row = f"| {name} | {stock[name]} | {here} |"
    assert row in PAGE.read_text("utf-8").splitlines(), f"docs/security.md should say: {row}"


def test_the_table_has_no_other_rows():
    assert ROWS.findall(PAGE.read_text("utf-8")) == list(ATTACKS)
