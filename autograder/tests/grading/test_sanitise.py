"""What is handed in is repaired where its meaning is clear, and named where it is not."""

import json
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.grading.sanitise import remark_cell, sanitise
from autograder.notebooks import source_of
from autograder.weave import student_notebook

NAME = "rnn_forward.ipynb"
TEMPLATE = json.loads(student_notebook("02_rnn_forward"))
STUBS = {
    cell["metadata"]["nbgrader"]["grade_id"]: source_of(cell)
    for cell in TEMPLATE["cells"]
    if cell["metadata"].get("nbgrader", {}).get("solution")
}


def handed_in(tmp_path, files):
    for name, content in files.items():
        data = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(data)
    return sanitise(TEMPLATE, tmp_path, NAME)


def edited(solved, change):
    notebook = json.loads(solved())
    change(notebook)
    return json.dumps(notebook)


def cell_of(notebook, grade_id):
    return next(
        c
        for c in notebook["cells"]
        if (c["metadata"] or {}).get("nbgrader", {}).get("grade_id") == grade_id
    )


def test_only_answers_are_taken(tmp_path, solved):
    def change(notebook):
        for cell in notebook["cells"]:
            cell["metadata"]["tags"] = ["skip-execution"]
            cell["metadata"].get("nbgrader", {})["points"] = 1000
        cell_of(notebook, "check-softmax")["source"] = "'always right'"
        notebook["metadata"]["kernelspec"]["name"] = "evil"

    clean = handed_in(tmp_path, {NAME: edited(solved, change)})
    assert not clean.remarks
    assert "exponentials" in clean.answers["softmax"]
    rest = [
        c for c in clean.notebook["cells"] if not c["metadata"].get("nbgrader", {}).get("solution")
    ]
    assert rest == [
        c for c in TEMPLATE["cells"] if not c["metadata"].get("nbgrader", {}).get("solution")
    ]
    assert clean.notebook["metadata"] == TEMPLATE["metadata"]


UNREADABLE = {
    "empty": ("", "it is empty"),
    "spaces": ("  \n ", "it is empty"),
    "not JSON": ("{'cells': 1}", "it is not JSON"),
    "cut short": ('{"cells": [', "it is not JSON"),
    "a list": ("[1, 2]", "no notebook"),
    "no cells": ('{"nbformat": 4}', "it has no cells"),
    "null": ("null", "no notebook"),
    "deep": ("[" * 100_000, "not"),
    "binary": (bytes(range(256)), "not"),
    "cells of numbers": ('{"cells": [1, null, "x"]}', "There is no file" * 0),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_cannot_be_read_is_named(tmp_path, kind):
    content, says = UNREADABLE[kind]
    clean = handed_in(tmp_path, {NAME: content})
    assert says in " ".join(clean.remarks)
    assert clean.answers == STUBS


def test_nothing_handed_in(tmp_path):
    clean = handed_in(tmp_path, {})
    assert clean.remarks == (f"There is no file {NAME}.", "Nothing in it could be graded.")


def test_too_large(tmp_path, monkeypatch):
    monkeypatch.setattr("autograder.grading.sanitise.MAX_FILE", 10)
    assert "larger than" in handed_in(tmp_path, {NAME: '{"cells": []}'}).remarks[0]


def test_another_name(tmp_path, solved):
    clean = handed_in(tmp_path, {"other.ipynb": '{"cells": []}', "mine (1).ipynb": solved()})
    assert "mine (1).ipynb is graded in its place." in clean.remarks
    assert clean.answers["softmax"] != STUBS["softmax"]


def test_a_folder_or_a_link_of_that_name(tmp_path, solved):
    secret = tmp_path / "elsewhere"
    secret.write_text(solved())
    place = tmp_path / "submitted"
    place.mkdir()
    os.symlink(secret, place / NAME)
    (place / "folder.ipynb").mkdir()
    os.mkfifo(place / "pipe.ipynb")
    clean = sanitise(TEMPLATE, place, NAME)
    assert clean.answers == STUBS


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings(tmp_path, solved, encoding):
    text = solved(softmax="def softmax(z):\n    return 'é'")
    data = json.dumps(json.loads(text), ensure_ascii=False)
    data = data.encode(encoding, "ignore")
    clean = handed_in(tmp_path, {NAME: data})
    assert "é" in clean.answers["softmax"]


def test_format_3(tmp_path, solved):
    notebook = json.loads(solved())
    cells = [
        {"cell_type": c["cell_type"], "metadata": c["metadata"], "input": [source_of(c)]}
        for c in notebook["cells"]
    ]
    clean = handed_in(
        tmp_path, {NAME: json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]})}
    )
    assert "exponentials" in clean.answers["softmax"]


def test_a_missing_cell(tmp_path, solved):
    def change(notebook):
        notebook["cells"].remove(cell_of(notebook, "softmax"))

    clean = handed_in(tmp_path, {NAME: edited(solved, change)})
    assert clean.remarks == ("softmax: its answer cell is missing.",)
    assert clean.answers["softmax"] == STUBS["softmax"]
    assert clean.answers["rnn_forward"] != STUBS["rnn_forward"]


@pytest.mark.parametrize("stub_first", [True, False])
def test_a_cell_twice(tmp_path, solved, stub_first):
    def change(notebook):
        cell = cell_of(notebook, "softmax")
        other = {**cell, "source": STUBS["softmax"]}
        at = notebook["cells"].index(cell)
        notebook["cells"].insert(at if stub_first else at + 1, other)

    clean = handed_in(tmp_path, {NAME: edited(solved, change)})
    assert "2 times" in clean.remarks[0]
    assert "exponentials" in clean.answers["softmax"]


def test_an_answer_in_another_cell(tmp_path, solved):
    def change(notebook):
        cell = cell_of(notebook, "softmax")
        extra = {"cell_type": "code", "metadata": {}, "source": cell["source"], "outputs": []}
        notebook["cells"].append(extra)
        notebook["cells"].remove(cell)

    clean = handed_in(tmp_path, {NAME: edited(solved, change)})
    assert "found in another cell" in clean.remarks[0]
    assert "exponentials" in clean.answers["softmax"]


def test_an_answer_under_another_name_is_called_by_its_own(tmp_path, solved):
    def change(notebook):
        cell = cell_of(notebook, "softmax")
        cell["source"] = source_of(cell).replace("def softmax", "def mine")
        own = {"cell_type": "code", "metadata": {}, "source": "softmax = mine", "outputs": []}
        notebook["cells"].append(own)

    answer = handed_in(tmp_path, {NAME: edited(solved, change)}).answers["softmax"]
    assert answer.startswith("def mine") and answer.endswith("\n\nsoftmax = mine")


def test_an_id_is_no_second_answer(tmp_path, solved):
    def change(notebook):
        cell = cell_of(notebook, "softmax")
        notebook["cells"].append({**cell, "metadata": {}, "source": "def softmax(z): pass"})

    clean = handed_in(tmp_path, {NAME: edited(solved, change)})
    assert not clean.remarks
    assert "exponentials" in clean.answers["softmax"]


def test_metadata_of_any_kind(tmp_path, solved):
    def change(notebook):
        notebook["cells"][0]["metadata"] = None
        cell_of(notebook, "softmax")["source"] = ["def softmax(z):\n", 3, "    return z\ud800"]
        notebook["cells"][1]["metadata"] = {"nbgrader": 7}

    clean = handed_in(tmp_path, {NAME: edited(solved, change)})
    assert clean.answers["softmax"].startswith("def softmax(z):\n    return z")
    json.dumps(clean.notebook).encode()


def test_a_giant_answer_is_cut(tmp_path, solved):
    clean = handed_in(tmp_path, {NAME: solved(softmax="#" * 300_000)})
    assert "is cut at" in clean.remarks[0]


def test_names_of_extra_cells_are_remembered(tmp_path, solved):
    def change(notebook):
        source = "import scipy as sp\nhelper = 1\ndef other(): pass"
        notebook["cells"].append({"cell_type": "code", "metadata": {}, "source": source})

    clean = handed_in(tmp_path, {NAME: edited(solved, change)})
    assert clean.extra == {"sp", "helper", "other"}


def test_remarks_hold_no_markup():
    assert "<script>" not in remark_cell(["<script>alert(1)</script>.ipynb is graded"])["source"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["cells", "metadata", "nbgrader", "grade_id", "source", "worksheets", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=200)
@given(JSON | st.binary(max_size=50))
def test_no_file_is_an_exception(content):
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / NAME).write_bytes(data)
        assert sanitise(TEMPLATE, Path(folder), NAME).answers.keys() == STUBS.keys()
