"""The project's files agree with one another."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from autograder.cli import _parser

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
PINS = (ROOT / "requirements" / "dev.txt").read_text()


def pins():
    return dict(re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;]+)", PINS, re.M))


def direct():
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    found = [Requirement(text) for group in groups for text in group]
    return [r for r in found if r.name != "unrolled"]


def test_conda_and_pip_say_the_same():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    python = next(d for d in environment["dependencies"] if str(d).startswith("python"))
    assert python.removeprefix("python").strip() == PROJECT["requires-python"]
    (line,) = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    extras = re.fullmatch(r"-e \.\[(.*)\]", line)[1].split(",")
    assert set(extras) <= PROJECT["optional-dependencies"].keys()


def test_every_pin_has_hashes_and_no_address():
    blocks = re.split(r"\n(?=[A-Za-z0-9])", PINS.split("\n", 2)[2])
    assert len(blocks) > 50
    assert all("--hash=sha256:" in block for block in blocks)
    assert not re.search(r"https?://|--index|--extra-index|\s/\w+/", PINS)


@pytest.mark.parametrize("requirement", direct(), ids=str)
def test_direct_dependencies_are_pinned_within_their_range(requirement):
    known = {name.lower().replace("_", "-"): version for name, version in pins().items()}
    assert requirement.specifier.contains(known[requirement.name.lower()])


def test_the_changelog_begins_with_this_version():
    heading = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert heading[1] == PROJECT["version"]


def test_contributing_is_short():
    assert len((ROOT / "CONTRIBUTING.md").read_text().splitlines()) < 60


def test_commands_that_are_named_exist():
    texts = "".join((ROOT / name).read_text() for name in ("README.md", "CONTRIBUTING.md"))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`make (\w+)`|^make (\w+)", texts, re.M)) <= {
        pair for t in targets for pair in ((t, ""), ("", t))
    }
    commands = next(a for a in _parser()._actions if a.choices).choices
    assert set(re.findall(r"(?:`|^)unrolled (\w+)", texts, re.M)) <= commands.keys()


def test_the_readme_s_python_runs():
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert blocks
    for block in blocks:
        exec(compile(block, "README.md", "exec"), {})
