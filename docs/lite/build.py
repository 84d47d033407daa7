"""Build the course for the browser: JupyterLite, the student notebooks, and our own wheel.

``python docs/lite/build.py build/lite`` makes a folder that any web server can serve. Pyodide, with
NumPy, matplotlib and IPython, comes from its own CDN when a page is opened; all else is in the
folder.
"""

import argparse
import html
import json
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

from autograder.notebooks import student_notebooks

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
LIBRARIES = ("ipywidgets", "jupyterlab-widgets", "comm")  # which Pyodide does not have
EXTENSIONS = ("@jupyterlite/pyodide-kernel-extension", "@jupyter-widgets/jupyterlab-manager")
"""Of this environment's; nbgrader's and others' would ask for a server."""

SET_UP = """\
# In the browser: fetches the library, and says where progress and data are. Elsewhere: nothing.
import os, sys
if sys.platform == "emscripten":
    %pip install -q unrolled
    os.environ["UNROLLED_HOME"] = os.path.abspath(".unrolled")
    os.environ["UNROLLED_DATA"] = os.path.abspath("data")"""


def main(target, wheel=None):
    """Build into a folder, always anew: JupyterLite forgets settings when it builds upon itself.

    Parameters
    ----------
    target : Path
    wheel : Path, optional
        Our own, if it is built already.
    """
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as work:
        wheels, contents = Path(work, "pypi"), Path(work, "contents")
        put_wheels(wheels, wheel)
        put_contents(contents)
        shutil.copy(HERE / "jupyter-lite.json", work)
        shutil.copy(HERE / "overrides.json", work)
        build(Path(work), contents, target.resolve())
    (target / "index.html").write_text(start_page(), "utf-8")


def run(*command, **options):
    subprocess.run([sys.executable, "-m", *map(str, command)], check=True, **options)


def put_wheels(folder, wheel):
    """The student wheel, and what it needs that Pyodide has not."""
    folder.mkdir()
    if wheel:
        shutil.copy(wheel, folder)
    else:
        run("hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT)
    pinned = [f"{name}=={version(name)}" for name in LIBRARIES]
    run("pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "-d", folder, *pinned)


def put_contents(folder):
    """The student notebooks with their set-up, and the data that are prepared here."""
    data = folder / "data"
    data.mkdir(parents=True)
    for table in (ROOT / "datasets" / "prepared").glob("*.tsv"):
        shutil.copy(table, data)
    shutil.copy(ROOT / "datasets" / "README.md", data)  # where they come from, and their licences
    for unit, path in student_notebooks().items():
        notebook = with_set_up(json.loads(path.read_text("utf-8")))
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        (folder / f"{unit}.ipynb").write_text(text, "utf-8")


def with_set_up(notebook):
    """A notebook whose first cell of code makes the course's library importable in the browser."""
    cell = {
        "cell_type": "code",
        "execution_count": None,
        "id": "in-the-browser",
        "metadata": {},
        "outputs": [],
        "source": SET_UP.splitlines(keepends=True),
    }
    first = next(i for i, each in enumerate(notebook["cells"]) if each["cell_type"] == "code")
    cells = [*notebook["cells"][:first], cell, *notebook["cells"][first:]]
    kernel = {"display_name": "Python (Pyodide)", "language": "python", "name": "python"}
    return {**notebook, "cells": cells, "metadata": {**notebook["metadata"], "kernelspec": kernel}}


def build(work, contents, target):
    """Let JupyterLite build; of this environment's extensions it gets those that need no server."""
    installed = Path(sys.prefix, "share", "jupyter", "labextensions")
    config = {
        "LiteBuildConfig": {
            "ignore_sys_prefix": ["federated_extensions"],
            "federated_extensions": [str(installed / name) for name in EXTENSIONS],
            "no_sourcemaps": True,
            "apps": ["lab"],
        }
    }
    (work / "jupyter_lite_config.json").write_text(json.dumps(config), "utf-8")
    run("jupyterlite_core", "build", "--lite-dir", work, "--contents", contents,
        "--output-dir", target, cwd=work)  # fmt: skip


def start_page():
    """The page that a visitor sees first: the notebooks, and how to start."""
    lines = [
        f'<li><a href="lab/index.html?path={unit}.ipynb">{html.escape(title(path))}</a></li>'
        for unit, path in student_notebooks().items()
    ]
    return (HERE / "start.html").read_text("utf-8").replace("{notebooks}", "\n".join(lines))


def title(path):
    """A notebook's heading, without its number, which the list has."""
    heading = json.loads(path.read_text("utf-8"))["cells"][0]["source"][0]
    return heading.lstrip("# 0123456789.").strip()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Build the course for the browser.")
    parser.add_argument("target", type=Path)
    parser.add_argument("--wheel", type=Path)
    main(**vars(parser.parse_args()))
