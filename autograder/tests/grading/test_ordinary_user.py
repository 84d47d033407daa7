"""What is hostile or broken does no more for an ordinary user who grades than for root."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from autograder.tests.grading.test_sandbox import ROOT, python_for

USER = 65534
SUITES = ("test_attacks", "test_bad_input")
PARTS = ("autograder", "course", "solutions", "datasets", "pyproject.toml")


@pytest.fixture
def checkout():
    """A copy of this checkout that is the user's own, since ours may lie where only root reads."""
    with tempfile.TemporaryDirectory(prefix="unrolled-user-", dir="/var/tmp") as place:
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, Path(place) / part)
        _alembic(Path(place) / "bin")
        subprocess.run(["chown", "-R", f"{USER}:{USER}", place], check=True)
        yield Path(place)


def _alembic(folder):
    """The program that nbgrader calls by its name; ours names an interpreter in its first line."""
    folder.mkdir()
    (folder / "alembic").write_text('#!/bin/sh\nexec "$PYTHON" -S -m alembic.config "$@"\n')
    (folder / "alembic").chmod(0o755)


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="the suites run as an ordinary user already")
def test_the_suites_pass_for_an_ordinary_user(checkout):
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    variables = {
        "HOME": str(checkout),
        "JUPYTER_PATH": str(Path(packages).parents[2] / "share" / "jupyter"),
        "OPENBLAS_NUM_THREADS": "1",
        "PATH": f"{checkout}/bin:/usr/bin:/bin",
        "PYTHONPATH": f"{checkout}:{packages}",
    }
    variables["PYTHON"] = python = python_for(USER, variables)
    words = [
        "-S",
        "-m",
        "pytest",
        "-q",
        "-rs",
        "-p",
        "no:cacheprovider",
        f"--basetemp={checkout}/tmp",
    ]
    files = [f"autograder/tests/grading/{suite}.py" for suite in SUITES]
    done = subprocess.run(
        [python, *words, *files],
        user=USER,
        group=USER,
        extra_groups=[],
        cwd=checkout,
        env=variables,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 200
    assert "does not work here" not in done.stdout, "a tier that works for root"
