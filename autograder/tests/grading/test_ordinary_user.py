"""What is hostile or broken does no more for an ordinary user who grades than for root."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import pytest

from autograder.tests.grading.test_sandbox import ROOT, python_for

USER = 65534
SUITES = ("test_attacks", "test_bad_input")
PARTS = ("autograder", "course", "solutions", "datasets", "pyproject.toml")
ALEMBIC = "#!{python}\nimport sys\nfrom alembic.config import main\nsys.exit(main())\n"
"""The program that nbgrader calls by its name; ours names an interpreter that only root may run."""


@pytest.fixture
def checkout():
    """A copy of this checkout that is the user's own, since ours may lie where only root reads."""
    with tempfile.TemporaryDirectory(prefix="unrolled-user-", dir="/var/tmp") as place:
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
            copy(ROOT / part, Path(place) / part)
        an_environment(Path(place), Path(place) / "env")
        subprocess.run(["chown", "-R", f"{USER}:{USER}", place], check=True)
        yield Path(place)


def an_environment(place, folder):
    """An interpreter that the user may run, with the packages of ours and the copied checkout."""
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    variables = {"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{place}:{packages}"}
    os.chmod(place, 0o755)
    python = python_for(USER, variables)
    subprocess.run([python, "-m", "venv", "--without-pip", folder], check=True, env={})
    own = next(folder.glob("lib/python*/site-packages"))
    (own / "ours.pth").write_text(f"{place}\n{packages}\n")
    shutil.copytree(Path(packages).parents[2] / "share", folder / "share")
    (folder / "bin" / "alembic").write_text(ALEMBIC.format(python=folder / "bin" / "python"))
    (folder / "bin" / "alembic").chmod(0o755)


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="the suites run as an ordinary user already")
def test_the_suites_pass_for_an_ordinary_user(checkout):
    words = ["-m", "pytest", "-q", "-rs", "-n", "auto", "-p", "no:cacheprovider"]
    words.append(f"--basetemp={checkout}/tmp")
    files = [f"autograder/tests/grading/{suite}.py" for suite in SUITES]
    run = partial(subprocess.run, capture_output=True, text=True, cwd=checkout, extra_groups=[])
    variables = {"HOME": str(checkout), "PATH": "/usr/bin:/bin", "OPENBLAS_NUM_THREADS": "1"}
    python = checkout / "env" / "bin" / "python"
    done = run([python, *words, *files], user=USER, group=USER, env=variables)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) > 200
    assert "does not work here" not in done.stdout, "a tier that works for root"
