"""`unrolled start`: work is never overwritten, and a newer release comes beside it."""

import json

from autograder import notebooks
from autograder.cli import main
from autograder.start import start

UNIT = "02_rnn_forward"


def older(path, answers):
    """Make a started notebook one of an older release, with some answers in it."""
    notebook = json.loads(path.read_text())
    notebook["metadata"]["unrolled"]["release"] = "older"
    for cell in notebook["cells"]:
        cell["source"] = answers.get(notebooks.answer_id(cell), cell["source"])
    path.write_text(json.dumps(notebook))
    return path.read_bytes()


def test_every_notebook_is_put_there_once(tmp_path, capsys):
    assert main(["start", str(tmp_path / "mine")]) == 0
    files = sorted(path.name for path in (tmp_path / "mine").iterdir())
    assert files == [f"{unit}.ipynb" for unit in notebooks.student_notebooks()]
    mine = tmp_path / "mine" / f"{UNIT}.ipynb"
    notebook = json.loads(mine.read_text())
    notebook["cells"][0]["source"] = "my own words"
    mine.write_text(json.dumps(notebook))
    before = mine.read_bytes()
    capsys.readouterr()
    assert main(["start", str(tmp_path / "mine")]) == 0
    assert f"kept   {mine} (it is yours already)" in capsys.readouterr().out
    assert mine.read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == files


def test_a_newer_release_comes_beside_with_the_answers(tmp_path):
    list(start(tmp_path))
    mine = tmp_path / f"{UNIT}.ipynb"
    before = older(
        mine, {"softmax": "def softmax(z):\n    return 1", "why-one-set-of-weights": "So."}
    )
    newer = next(put for put in start(tmp_path) if put.what == "newer")
    assert "with 2 answers of 02_rnn_forward.ipynb, which is kept" in newer.remark
    assert mine.read_bytes() == before
    written = json.loads(newer.path.read_text())
    released = json.loads(notebooks.student_notebooks()[UNIT].read_text())
    assert notebooks.release_of(written) == notebooks.release_of(released) != "older"
    sources = {notebooks.answer_id(c): notebooks.source_of(c) for c in written["cells"]}
    assert sources["softmax"] == "def softmax(z):\n    return 1"
    assert sources["why-one-set-of-weights"] == "So."
    assert "raise NotImplementedError()" in sources["rnn_forward"]
    assert len(written["cells"]) == len(released["cells"])

    newer.path.write_text("written in")
    (again,) = [put for put in start(tmp_path) if put.path == newer.path]
    assert again.what == "kept"
    assert newer.path.read_text() == "written in"


def test_what_is_no_notebook_is_kept_and_named(tmp_path, capsys):
    for number, text in enumerate(("not json", "[]", '{"cells": 3}')):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / f"{UNIT}.ipynb").write_text(text)
        (kept,) = [put for put in start(folder) if put.path.stem == UNIT]
        assert (kept.what, kept.remark) == ("kept", "it cannot be read as a notebook")
        assert kept.path.read_text() == text
    assert main(["start", str(tmp_path / "0" / f"{UNIT}.ipynb")]) == 2
    assert "is a file; name a folder" in capsys.readouterr().err
