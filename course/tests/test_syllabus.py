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


def test_an_example_s_number_stands_before_the_step():
    """As unit 01 introduces it, and nowhere the other way round."""
    texts = [*(ROOT / "course").glob("[0-9]*/*.md"), *(ROOT / "solutions/answers").rglob("*.md")]
    found = [re.findall(r"(\(i\)\\langle)|(\\rangle\(i\))", p.read_text("utf-8")) for p in texts]
    first, last = zip(*(pair for pairs in found for pair in pairs), strict=True)
    assert all(first) and not any(last)


@pytest.mark.parametrize(
    "path", sorted((ROOT / "course").glob("[0-9]*/*.md")), ids=lambda p: p.stem
)
def test_a_notebook_leans_on_no_other_for_its_letters_and_its_help(path):
    text = path.read_text("utf-8")
    assert re.search(r"`m` counts examples|\| \$m\$ \| examples|`m` of them", text)
    assert re.search(r"`hint\(\w+\)`\s+gives a hint, then", text)


@pytest.mark.parametrize(
    ("sign", "told"),
    [
        (r"\\odot", r"\$\\odot\$ (for multiplying|multiplies) entry by entry"),
        (r"\\operatorname\{diag\}", r"diag\}\(v\)\$ has \$v\$ on its diagonal"),
    ],
)
def test_a_sign_is_explained_in_every_unit_that_calculates_with_it(sign, told):
    texts = [path.read_text("utf-8") for path in (ROOT / "course").glob("[0-9]*/*.md")]
    with_it = [text for text in texts if re.search(sign, text)]
    assert len(with_it) >= 3 and all(re.search(told, text) for text in with_it)


def test_every_exercise_is_in_the_table():
    listed = {name for row in ROWS for name in named(row[2])}
    assert listed == {name for names in units().values() for name in names}
