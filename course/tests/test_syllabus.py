"""The table of topics names what there is."""

import importlib
import re
from pathlib import Path

import pytest

import solutions
from autograder.notebooks import units

ROOT = Path(__file__).parents[2]
HEADINGS = {
    heading
    for text in (ROOT / "course").glob("[0-9]*/*.md")
    for heading in re.findall(r"^##+ (.+)$", text.read_text("utf-8"), re.MULTILINE)
}
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in (ROOT / "docs/syllabus.md").read_text("utf-8").splitlines()
    if line.startswith("| ") and not line.startswith("| topic")
]


def named(cell):
    return [] if cell.startswith("—") else re.findall(r"`([^`]+)`", cell)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_topic_is_where_the_table_says(row):
    _, sections, exercises, functions = row
    assert set(sections.split("; ")) <= HEADINGS
    mentioned = {section.split(".")[0].zfill(2) for section in sections.split("; ")}
    there = {name for unit, names in units().items() if unit[:2] in mentioned for name in names}
    assert set(named(exercises)) <= there
    for name in named(functions):
        module, _, attribute = name.rpartition(".")
        assert hasattr(importlib.import_module(module) if module else solutions, attribute), name


def test_every_exercise_is_in_the_table():
    listed = {name for row in ROWS for name in named(row[2])}
    assert listed == {name for names in units().values() for name in names}
