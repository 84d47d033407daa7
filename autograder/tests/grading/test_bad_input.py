"""Whatever is handed in, something is graded or something is said; and nothing else is touched."""

import contextlib
import json
import os
import resource
import struct
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbconvert.filters import markdown2html

from autograder import wire
from autograder.grading import demo
from autograder.grading.marking import Highlight
from autograder.grading.sanitise import MAX_FILE, MAX_PROSE, _cells_of, remark_cell, sanitise
from autograder.notebooks import exercises, source_of
from autograder.tests.grading.hostile import grading
from autograder.weave import student_notebook

NAME = "rnn_forward.ipynb"
TEMPLATE = json.loads(student_notebook("02_rnn_forward"))
STUBS = {
    grading(cell)["grade_id"]: source_of(cell)
    for cell in TEMPLATE["cells"]
    if grading(cell).get("solution")
}
FINISHED = json.loads(demo.solved({}))
RIGHT = {
    grading(cell)["grade_id"]: source_of(cell)
    for cell in FINISHED["cells"]
    if grading(cell).get("solution")
}


def notebook(change=None, **answers):
    """The finished notebook, changed, as bytes."""
    made = json.loads(demo.solved(answers))
    for cell in made["cells"]:
        cell["source"] = source_of(cell)
    if change:
        change(made)
    return json.dumps(made).encode()


def cell_of(made, grade_id):
    return next(cell for cell in made["cells"] if grading(cell).get("grade_id") == grade_id)


def at(made, grade_id):
    return made["cells"].index(cell_of(made, grade_id))


def code(source):
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": []}


def text(source):
    return {"cell_type": "markdown", "metadata": {}, "source": source}


# ------------------------------------------------------------------ files


def renamed(made):
    for cell in made["cells"]:
        if grading(cell):
            cell["metadata"]["nbgrader"]["grade_id"] = "cell-" + grading(cell)["grade_id"]


def without_metadata(made):
    for cell in made["cells"]:
        cell["metadata"] = {}


def without_anything(made):
    without_metadata(made)
    for cell in made["cells"]:
        del cell["id"]


def removed(grade_id):
    return lambda made: made["cells"].pop(at(made, grade_id))


def moved(made):
    made["cells"].reverse()


def twice(first=None):
    def change(made):
        cell = cell_of(made, "softmax")
        made["cells"].insert(at(made, "softmax"), {**cell, "source": first or STUBS["softmax"]})

    return change


def split(same_id):
    """The cell as two, cut in the middle of the function."""

    def change(made):
        cell = cell_of(made, "softmax")
        lines = cell["source"].split("\n")
        middle = next(i for i, line in enumerate(lines) if "BEGIN SOLUTION" in line) + 1
        rest = {**cell, "source": "\n".join(lines[middle:])}
        cell["source"] = "\n".join(lines[:middle])
        made["cells"].insert(at(made, "softmax") + 1, rest if same_id else code(rest["source"]))

    return change


def in_own_cell(made):
    source = cell_of(made, "softmax")["source"]
    cell_of(made, "softmax")["source"] = STUBS["softmax"]
    made["cells"].append(code(source))


def as_markdown(made):
    cell_of(made, "softmax")["cell_type"] = "markdown"


def fenced(made):
    cell = cell_of(made, "softmax")
    made["cells"].append(text(f"My answer:\n```python\n{cell['source']}\n```\n"))
    made["cells"].remove(cell)


def in_one_cell(made):
    """softmax stands with rnn_cell_forward, in the cell of the latter."""
    cell_of(made, "rnn_cell_forward")["source"] = (
        cell_of(made, "softmax")["source"] + "\n\n" + cell_of(made, "rnn_cell_forward")["source"]
    )
    cell_of(made, "softmax")["source"] = STUBS["softmax"]


def with_windows_lines(made):
    for cell in made["cells"]:
        cell["source"] = cell["source"].replace("\n", "\r\n")


def with_mark(made):
    cell_of(made, "softmax")["source"] = "\ufeff" + cell_of(made, "softmax")["source"]


def with_lists(made):
    for cell in made["cells"]:
        cell["source"] = cell["source"].splitlines(keepends=True)


def full_of_junk(made):
    made["cells"][3:3] = [1, None, "x", [], {}, {"cell_type": 7}, {"source": 3}, {"metadata": []}]
    made["cells"][0]["metadata"] = None
    made["metadata"] = made["nbformat"] = None


def unknown_ids(made):
    made["cells"].append({**code("x"), "metadata": {"nbgrader": {"grade_id": ["list"]}}})
    made["cells"].append({**code("x"), "metadata": {"nbgrader": {"grade_id": "../../etc/passwd"}}})
    made["cells"].append({**code("x"), "metadata": {"nbgrader": 7}})


def older(made):
    """As it was released before: other prose, other ids of cells, a cell that is gone by now."""
    made["nbformat_minor"] = 2
    for number, cell in enumerate(made["cells"]):
        cell.pop("id", None)
        if cell["cell_type"] == "markdown" and not grading(cell):
            cell["source"] = f"Old text {number}"
    gone = {"nbgrader": {"grade_id": "old_exercise", "solution": True, "grade": False}}
    made["cells"].append({**code("def old_exercise(): pass"), "metadata": gone})


def format_3():
    cells = [
        {"cell_type": c["cell_type"], "metadata": c["metadata"], "input": [source_of(c)]}
        if c["cell_type"] == "code"
        else c
        for c in FINISHED["cells"]
    ]
    return json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]}).encode()


def in_encoding(encoding):
    made = json.loads(notebook(softmax=RIGHT["softmax"] + "\n# é"))
    return json.dumps(made, ensure_ascii=False).encode(encoding, "ignore")


def outputs(made):
    megabyte = "data:image/png;base64," + "A" * (1 << 20)
    made["cells"][0]["attachments"] = {"a.png": {"image/png": megabyte}}
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": [megabyte] * 4}]


ALL, NONE = set(RIGHT), set()
WRITTEN = ALL - set(exercises(FINISHED))  # answers in prose, which bear no name of their own
SOFTMAX_ALONE = ALL - {"softmax"}

# (files by name, the exercises that are graded, what is said)
BROKEN = {
    "nothing": ({}, NONE, "There is no file"),
    "another name": ({"homework.ipynb": notebook()}, ALL, "homework.ipynb is graded in its place"),
    "a copy beside the empty one": (
        {NAME: json.dumps(TEMPLATE).encode(), "rnn_forward (1).ipynb": notebook()},
        ALL, "There is no answer in rnn_forward.ipynb.",
    ),
    "a broken one beside a copy": (
        {NAME: b"{", "rnn_forward-Copy1.ipynb": notebook()}, ALL, "it is not JSON",
    ),
    "an ending too many": (
        {"rnn_forward.ipynb.txt": notebook()}, NONE, "its name must end in .ipynb",
    ),
    "many others": (
        {**{f"{n}.ipynb": b"{}" for n in range(15)}, "x.ipynb": notebook()}, ALL, "x.ipynb is graded",
    ),
    "an empty file": ({NAME: b""}, NONE, "it is empty"),
    "spaces": ({NAME: b" \n\n"}, NONE, "it is empty"),
    "NULs": ({NAME: bytes(4096)}, NONE, "it is not JSON"),
    "a picture": ({NAME: bytes(range(256)) * 9}, NONE, "it is not JSON"),
    "a web page": ({NAME: b"<!DOCTYPE html><html></html>"}, NONE, "it is not JSON"),
    "cut short": ({NAME: notebook()[:-200]}, NONE, "it is not JSON"),
    "twice in one file": ({NAME: notebook() * 2}, NONE, "it is not JSON"),
    "a merge conflict": ({NAME: b"<<<<<<< HEAD\n" + notebook()}, NONE, "it is not JSON"),
    "a list": ({NAME: b"[1, 2]"}, NONE, "it is JSON, but no notebook"),
    "a number": ({NAME: b"1e999"}, NONE, "it is JSON, but no notebook"),
    "other JSON": ({NAME: b'{"name": "package"}'}, NONE, "it has no cells"),
    "no cells": ({NAME: b'{"cells": [], "nbformat": 4}'}, NONE, "it has no cells"),
    "cells that are a text": ({NAME: b'{"cells": "all"}'}, NONE, "it has no cells"),
    "depth": ({NAME: b"[" * 200_000}, NONE, "nested too deeply"),
    "depth in an object": ({NAME: b'{"a":' * 200_000}, NONE, "nested too deeply"),
    "nine million texts": ({NAME: b'["ab"' + b',"ab"' * 9_000_000 + b"]"}, NONE, "commas; clear its"),
    "two million lists": ({NAME: b"[" + b"[]," * 2_000_000 + b"[]]"}, NONE, "lists and dictionaries"),
    "a giant integer": ({NAME: b'{"x": ' + b"9" * 100_000 + b"," + notebook()[1:]}, ALL, None),
    "a hundred thousand cells": (
        {NAME: json.dumps({"cells": [code("x")] * 100_000}).encode()}, NONE, "more than 10000 cells",
    ),
    "a cell of 5 MB": (
        {NAME: notebook(lambda m: m["cells"].append(text("a" * 5_000_000)))}, NONE, "characters",
    ),
    "format 3": ({NAME: format_3()}, ALL, None),
    "UTF-8 with a mark": ({NAME: in_encoding("utf-8-sig")}, ALL, None),
    "UTF-16": ({NAME: in_encoding("utf-16")}, ALL, "UTF-16"),
    "UTF-16 without a mark": ({NAME: in_encoding("utf-16-le")}, ALL, "UTF-16-LE"),
    "UTF-32": ({NAME: in_encoding("utf-32")}, ALL, "UTF-32"),
    "Latin-1": ({NAME: in_encoding("latin-1")}, ALL, "read as Latin-1"),
    "lines of Windows": ({NAME: notebook(with_windows_lines)}, ALL, None),
    "a byte order mark in a cell": ({NAME: notebook(with_mark)}, ALL, None),
    "sources in lists": ({NAME: notebook(with_lists)}, ALL, None),
    "half a character": ({NAME: notebook(softmax=RIGHT["softmax"] + "\n# \ud800")}, ALL, None),
    "NULs in a cell": ({NAME: notebook(softmax=RIGHT["softmax"] + "\n# \0")}, ALL, None),
    "cells that are none": ({NAME: notebook(full_of_junk)}, ALL, None),
    "ids of any kind": ({NAME: notebook(unknown_ids)}, ALL, None),
    "an older release": ({NAME: notebook(older)}, ALL, None),
    "outputs of 60 MB": ({NAME: notebook(outputs)}, ALL, None),
    "a cell twice": ({NAME: notebook(twice())}, ALL, "softmax: it is there 2 times"),
    "a cell twice, both changed": (
        {NAME: notebook(twice("def softmax(z):\n    return 1"))}, ALL, "the last that was changed",
    ),
    "a missing cell": ({NAME: notebook(removed("softmax"))}, SOFTMAX_ALONE, "softmax: its answer cell is missing."),
    "a missing check": ({NAME: notebook(removed("check-softmax"))}, ALL, None),
    "a split cell": ({NAME: notebook(split(True))}, ALL, None),
    "a split cell, half without id": ({NAME: notebook(split(False))}, ALL, None),
    "cells in another order": ({NAME: notebook(moved)}, ALL, None),
    "other grade ids": ({NAME: notebook(renamed)}, ALL - WRITTEN, "found in another cell"),
    "no metadata": ({NAME: notebook(without_metadata)}, ALL, "were known by their ids"),
    "neither metadata nor ids": ({NAME: notebook(without_anything)}, ALL - WRITTEN, "found in another cell"),
    "an answer in a cell of one's own": ({NAME: notebook(in_own_cell)}, ALL, "found in another cell"),
    "two functions in one cell": ({NAME: notebook(in_one_cell)}, ALL, "found in another cell"),
    "an answer cell made Markdown": ({NAME: notebook(as_markdown)}, ALL, "no code cell any more"),
    "an answer in Markdown": ({NAME: notebook(fenced)}, ALL, "found in another cell"),
    "a giant answer": ({NAME: notebook(softmax="#" * 300_000)}, SOFTMAX_ALONE, "is cut at"),
}  # fmt: skip


def handed_in(folder, files):
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return sanitise(TEMPLATE, folder, NAME)


def graded_of(clean):
    """The exercises whose answers are the right ones."""
    return {name for name, source in clean.answers.items() if _core(RIGHT[name]) in _core(source)}


def _core(source):
    return source.replace("<", "&lt;").strip()


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_is_mended_or_named(tmp_path, kind):
    files, graded, said = BROKEN[kind]
    clean = handed_in(tmp_path, files)
    assert graded_of(clean) == graded
    remarks = " ".join(clean.remarks)
    assert said in remarks if said else not remarks
    kept = [c for c in clean.notebook["cells"] if not grading(c).get("solution")]
    assert kept == [c for c in TEMPLATE["cells"] if not grading(c).get("solution")]
    json.dumps([clean.notebook, clean.remarks], ensure_ascii=False).encode()


def test_there_are_enough_of_them():
    assert len(BROKEN) >= 30


@pytest.mark.parametrize("helper", ["return 0x" + "f" * 4000, "return " + "-" * 1500 + "1"])
def test_a_helper_that_cannot_be_written_out_is_left(tmp_path, helper):
    """Python reads more digits, and deeper sums, than it writes."""
    uses = "def softmax(z):\n    return helper(z)"
    own = code(f"def helper(z):\n    {helper}")
    data = notebook(lambda made: made["cells"].append(own), softmax=uses)
    assert handed_in(tmp_path, {NAME: data}).answers["softmax"] == uses


# ------------------------------------------------------------------ what is no plain file


def made_link(place, elsewhere):
    (elsewhere / "other.ipynb").write_bytes(notebook())
    os.symlink(elsewhere / "other.ipynb", place / NAME)


def made_folder(place, elsewhere):
    (place / NAME).mkdir()
    (place / NAME / NAME).write_bytes(notebook())


def made_pipe(place, elsewhere):
    os.mkfifo(place / NAME)


def made_device(place, elsewhere):
    os.symlink("/dev/zero", place / NAME)


def made_loop(place, elsewhere):
    os.symlink(NAME, place / NAME)


@pytest.mark.parametrize("make", [made_link, made_folder, made_pipe, made_device, made_loop])
def test_what_is_no_file_of_the_learner_s_is_not_read(tmp_path, make):
    place, elsewhere = tmp_path / "mine", tmp_path / "theirs"
    place.mkdir()
    elsewhere.mkdir()
    make(place, elsewhere)
    clean = sanitise(TEMPLATE, place, NAME)
    assert clean.answers == STUBS
    assert clean.remarks == (f"There is no file {NAME}.", "Nothing in it could be graded.")


def test_a_folder_that_is_a_link_to_somebody_else_s(tmp_path):
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / NAME).write_bytes(notebook())
    os.symlink(tmp_path / "anna", tmp_path / "mallory")
    clean = sanitise(TEMPLATE, tmp_path / "mallory", NAME)
    assert clean.answers == STUBS
    assert "The folder is a link" in clean.remarks[0]


def test_no_folder_at_all(tmp_path):
    assert sanitise(TEMPLATE, tmp_path / "nowhere", NAME).answers == STUBS


@contextlib.contextmanager
def ordinary_user():
    """Root may read everything, so root becomes somebody else for a moment."""
    mine = os.geteuid()
    if mine == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(mine)


def test_no_right_to_read():
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        os.chmod(folder, 0o755)
        (Path(folder) / NAME).write_bytes(notebook())
        os.chmod(Path(folder) / NAME, 0)
        with ordinary_user():
            clean = sanitise(TEMPLATE, Path(folder), NAME)
    assert clean.answers == STUBS
    assert f"{NAME} cannot be read: Permission denied." in clean.remarks


def test_extra_files_are_not_looked_at(tmp_path):
    names = ("numpy.py", "autograder.py", "sitecustomize.py", "conftest.py", "nbgrader_config.py")
    files = dict.fromkeys(names, b"raise SystemExit")
    clean = handed_in(tmp_path, {NAME: notebook(), **files})
    assert graded_of(clean) == ALL
    assert not clean.remarks


NAMES = {
    "HTML": "<img src=x onerror=alert(1)>.ipynb",
    "a link": "[x](javascript:alert(1)).ipynb",
    "LaTeX": "$\\href{javascript:alert(1)}{x}$.ipynb",
    "lines": "a\n\n# b\n.ipynb",
    "an escape": "\x1b]0;x\x07\x1b[31m.ipynb",
    "turned round": "\u202egpj.ipynb",
    "no text": os.fsdecode(b"\xff\xfe.ipynb"),
    "two hundred letters": "x" * 200 + ".ipynb",
    "dots": "...ipynb",
}


@pytest.mark.parametrize("kind", NAMES)
def test_names_of_files_act_on_nothing(tmp_path, kind):
    (tmp_path / NAMES[kind]).write_bytes(notebook())
    clean = sanitise(TEMPLATE, tmp_path, NAME)
    assert graded_of(clean) == ALL
    shown = remark_cell(clean.remarks)["source"]
    shown.encode()
    assert not any(
        sign in shown.replace("<ul", "").replace("<li>", "") for sign in "[]$\\\x1b\u202e"
    )
    assert shown.count("\n") == 4 + shown.count("<li>") - 1
    assert "<img" not in shown


# ------------------------------------------------------------------ size and time


@pytest.mark.slow
def test_a_notebook_of_a_hundred_megabytes_is_graded(tmp_path):
    def change(made):
        for cell in made["cells"]:
            if grading(cell).get("grade_id") == "softmax":
                cell["outputs"] = [{"output_type": "stream", "text": ["y" * 1000] * 100_000}]

    clean = handed_in(tmp_path, {NAME: notebook(change)})
    assert (tmp_path / NAME).stat().st_size > 100_000_000
    assert graded_of(clean) == ALL
    assert not clean.remarks


def test_a_file_beyond_all_bounds_is_named(tmp_path):
    with open(tmp_path / NAME, "wb") as file:
        file.truncate(MAX_FILE + 1)
    clean = sanitise(TEMPLATE, tmp_path, NAME)
    assert "larger than 128 MB; clear its outputs" in clean.remarks[0]


SLOW = {
    "lines": "\n" * 99_000,
    "spaces": " " * 99_000,
    "backslashes": "\\" * 99_000,
    "brackets": "](" * 49_000,
    "tabs and defs": "\tdef " * 19_000,
    "ampersands": "&" * 99_000,
    "exclamations": "!" * 99_000,
    "escapes": "\x1b[" + "0;" * 49_000,
    "sums": "x = " + "1 + " * 24_000 + "1",
    "calls": "f" + "()" * 49_000,
    "fences": "```\n" * 24_000,
}


@pytest.mark.parametrize("kind", SLOW)
def test_no_text_takes_for_ever(tmp_path, kind):
    """In every cell, as code and as Markdown; the alarm is far from what it takes, a second."""
    source = SLOW[kind]
    change = dict.fromkeys(STUBS, source)
    extra = [code(source), text(source), code(source + "\ndef softmax(z): pass")] * 5
    data = notebook(lambda made: made["cells"].extend(extra), **change)
    with alarm(60):
        assert handed_in(tmp_path, {NAME: data}).answers.keys() == STUBS.keys()


SHOWN = {
    "lines of spaces": "def softmax(z):\n" + "    return z\n \n" + "\t \u3000\n \n" * 16_000,
    "openings of formulas": "\\\\[" * 33_000,
    "links of links": "[a](" * 25_000,
    "one line of names": "a." * 49_000,
    "another language": "%%perl\n" + "s{" * 49_000,
}


@pytest.mark.parametrize("kind", SHOWN)
def test_no_answer_is_shown_for_ever(tmp_path, kind):
    """As code and as Markdown; the alarm is far from what it takes, and what it took was minutes."""
    clean = handed_in(tmp_path, {NAME: notebook(**dict.fromkeys(STUBS, SHOWN[kind]))})
    with alarm(120):
        for source in set(clean.answers.values()):
            Highlight()(source)
            markdown2html(source if len(source) < MAX_PROSE + 99 else "")


@contextlib.contextmanager
def alarm(seconds):
    """An exception after a time that no machine needs; what is measured is not the time."""
    import signal

    def ring(*_):
        raise AssertionError(f"it took more than {seconds} seconds")

    old = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)


# ------------------------------------------------------------------ fuzzing the two parsers

GIB = 1 << 30
heads = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
    | st.sampled_from(["a", "v", "i", "f", "o", "r", "d", "l", "t", "<f8", "|b1", "|O", "1e9"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.tuples(st.sampled_from("avifordlt"), inner).map(list)
        | st.tuples(st.sampled_from("lt"), st.lists(inner, max_size=4)).map(list)
        | st.tuples(st.just("d"), st.lists(st.tuples(st.text(max_size=3), inner).map(list), max_size=3)).map(list)
        | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=20,
)  # fmt: skip
shapes = st.lists(st.sampled_from([0, 1, 2, 3, 7, 1 << 20, (1 << 32) - 1, 1 << 32, -1]), max_size=9)
listings = st.lists(
    st.tuples(st.sampled_from([*sorted(wire.DTYPES), "|O", ">f8", "<U9"]), shapes).map(list),
    max_size=4,
)


@pytest.fixture(scope="module")
def bounded():
    """This process may grow by two gibibytes: an allocation beyond every cap would fail."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        now = int(file.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + 2 * GIB, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


@settings(max_examples=500, deadline=None)
@given(heads, listings | heads, st.binary(max_size=64))
def test_no_reply_is_more_than_a_wire_error(bounded, tree, listing, tail):
    head = json.dumps([tree, listing]).encode()
    with contextlib.suppress(wire.WireError):
        wire.pack(wire.unpack(struct.pack("<Q", len(head)) + head + tail))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_no_damage_to_a_reply_is_more_than_a_wire_error(bounded, data):
    from autograder.tree import plain
    from course.given import RNNCache

    whole = bytearray(wire.pack(plain({"a": [1.5, "x", None, RNNCache(1, 2, 3)]})))
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(wire.WireError):
        wire.unpack(bytes(whole))


files = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["cells", "metadata", "nbgrader", "grade_id", "source", "input", "worksheets", "x"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=16,
)


@settings(max_examples=300, deadline=None)
@given(files | st.binary(max_size=80))
def test_no_file_is_an_exception(bounded, content):
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / NAME).write_bytes(data)
        cells, remarks = _cells_of(Path(folder) / NAME)
        assert cells or remarks or data.strip()
        assert all(isinstance(cell.source, str) for cell in cells)
        clean = sanitise(TEMPLATE, Path(folder), NAME)
        assert clean.answers.keys() == STUBS.keys()
        json.dumps(clean.notebook, ensure_ascii=False).encode()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_damage_to_a_notebook_is_an_exception(bounded, data):
    whole = bytearray(notebook())
    for _ in range(data.draw(st.integers(1, 20))):
        place = data.draw(st.integers(0, len(whole) - 1))
        whole[place] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / NAME).write_bytes(bytes(whole))
        clean = sanitise(TEMPLATE, Path(folder), NAME)
        assert clean.answers.keys() == STUBS.keys()
        json.dumps([clean.notebook, clean.remarks], ensure_ascii=False).encode()
