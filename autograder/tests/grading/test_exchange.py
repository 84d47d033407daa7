"""nbgrader's exchange, in which whatever lies there is a learner's own."""

import json
import os
import pwd
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder.cli import main
from autograder.grading import demo
from autograder.grading.books import Books
from autograder.grading.exchange import FORMAT

UNIT, NAME = demo.UNIT, "rnn_forward.ipynb"
NBGRADER = Path(sys.executable).with_name("nbgrader")


def nbgrader(*words, cwd, root):
    done = subprocess.run(
        [NBGRADER, *words, f"--Exchange.root={root}"], cwd=cwd, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys):
    """A class with an exchange of its own, in which the unit is released."""
    folder, root = tmp_path / "class", tmp_path / "exchange"
    root.mkdir(mode=0o777)
    root.chmod(0o777)
    assert main(["class", "new", str(folder)]) == 0
    with open(folder / "nbgrader_config.py", "a") as config:
        config.write(f"c.Exchange.root = {str(root)!r}\n")
    assert main(["class", "release", str(folder), UNIT, "--exchange"]) == 0
    capsys.readouterr()
    return folder, root


def inbound(root):
    return root / "class" / "inbound"


def put(root, student, files, claimed=None, tail="+abcd"):
    """What `nbgrader submit` does, or what somebody does who wants more."""
    claimed = claimed or datetime.now(UTC).replace(tzinfo=None)
    place = inbound(root) / f"{student}+{UNIT}+{claimed:{FORMAT}}{tail}"
    place.mkdir()
    (place / "timestamp.txt").write_text(f"{claimed:{FORMAT}}")
    for name, data in files.items():
        (place / name).write_text(data)
    return place


def collect(folder, *more):
    return main(["class", "collect", str(folder), UNIT, "--exchange", *more])


def stamp(folder, student):
    text = (folder / "submitted" / student / UNIT / "timestamp.txt").read_text()
    return datetime.strptime(text, FORMAT)


def test_folders_without_end_stop_nobody_else(desk, capsys):
    folder, root = desk
    put(root, "ada", {NAME: "{}"})
    top = put(root, "deep", {NAME: "{}"})
    place = os.open(top, os.O_RDONLY)
    for _ in range(1100):
        os.mkdir("d", dir_fd=place)
        place, above = os.open("d", os.O_RDONLY, dir_fd=place), place
        os.close(above)
    os.close(place)
    try:
        assert collect(folder) == 1
    finally:
        subprocess.run(["rm", "-r", top], check=True)
    assert "1 collected" in capsys.readouterr().out
    assert (folder / "submitted" / "ada" / UNIT / NAME).exists()


@pytest.mark.slow
def test_round_and_back_by_the_exchange(desk, tmp_path, capsys):
    """As learners do it, by nbgrader's own commands, and the learner fetches the feedback."""
    folder, root = desk
    mine = tmp_path / "mine"
    mine.mkdir()
    where = {"cwd": mine, "root": root}
    nbgrader("fetch_assignment", UNIT, "--course", "class", **where)
    (mine / UNIT / NAME).write_text(demo.solved({"softmax": demo._mistaken("softmax", "no-axis")}))
    nbgrader("submit", UNIT, "--course", "class", **where)
    me = pwd.getpwuid(os.geteuid()).pw_name
    put(root, "by-hand", {NAME: demo.solved({})})

    assert collect(folder, "--dry-run") == 0
    assert "2 would be collected" in capsys.readouterr().out
    assert list((folder / "submitted").iterdir()) == []
    assert collect(folder) == 0
    assert f"not listed   {me} (entered when graded)" in capsys.readouterr().out
    assert collect(folder) == 0
    assert "0 collected" in capsys.readouterr().out, "there is nothing newer"
    assert main(["grade", str(folder)]) == 0
    capsys.readouterr()
    words = ["class", "feedback", str(folder), UNIT, "--exchange"]
    assert main([*words, "--dry-run"]) == 0
    assert list((root / "class" / "feedback").glob("*")) == []
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "The pages of 1 learner are in" in said
    assert "not sent     by-hand" in said
    nbgrader("fetch_feedback", UNIT, "--course", "class", **where)
    (page,) = mine.rglob("feedback/*/*.html")
    assert "All exponentials were summed together" in page.read_text()


def test_the_button_and_the_command_collect_likewise(desk):
    folder, root = desk
    early = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=9)
    put(root, "eve", {NAME: "{}"}, early)
    said = nbgrader("collect", UNIT, cwd=folder, root=root)
    assert "eve says" in said
    assert datetime.now(UTC).replace(tzinfo=None) - stamp(folder, "eve") < timedelta(minutes=9)


def test_the_time_that_counts_is_the_system_s(desk, capsys):
    folder, root = desk
    now = datetime.now(UTC).replace(tzinfo=None)
    put(root, "honest", {NAME: "{}"}, now)
    forged = put(root, "forged", {NAME: "{}"}, now - timedelta(days=3))
    os.utime(forged / NAME, (0, 0))
    os.utime(forged, (0, 0))
    put(root, "future", {NAME: "{}"}, now + timedelta(days=3))
    assert collect(folder) == 1
    assert stamp(folder, "honest") == now
    for student in ("forged", "future"):
        assert abs(stamp(folder, student) - now) < timedelta(minutes=9)
    said = capsys.readouterr().out
    assert said.count(", which counts") == 2
    assert "odd          forged says" in said


def test_the_last_that_came_is_what_counts(desk, capsys):
    folder, root = desk
    now = datetime.now(UTC).replace(tzinfo=None)
    put(root, "ada", {NAME: "1"}, now - timedelta(seconds=30))
    assert collect(folder) == 0
    put(root, "ada", {NAME: "2"}, now)
    assert collect(folder) == 0
    assert (folder / "submitted" / "ada" / UNIT / NAME).read_text() == "2"
    assert capsys.readouterr().out.count("1 collected") == 2
    assert list((folder / "submitted" / "ada").iterdir()) == [folder / "submitted" / "ada" / UNIT]


def test_nothing_comes_through_a_link_a_pipe_or_a_device(desk, capsys):
    """The instructor's own notebook, with the answers, would be the best submission of all."""
    folder, root = desk
    place = put(root, "eve", {"own.txt": "hers"})
    (place / NAME).symlink_to(folder / "source" / UNIT / NAME)
    (place / "private").symlink_to(folder / ".unrolled")
    (place / "submission_secret.txt").symlink_to(folder / ".unrolled" / "secret")
    os.mkfifo(place / "pipe.ipynb")
    (place / "in").mkdir()
    (place / "in" / "deep.txt").write_text("hers, too")
    (place / "in" / "links").symlink_to(folder / "source")
    assert collect(folder) == 1
    said = capsys.readouterr().out
    for name in (NAME, "submission_secret.txt", "pipe.ipynb"):
        assert f": {name} is left out: " in said
    got = folder / "submitted" / "eve" / UNIT
    found = sorted(p.relative_to(got).as_posix() for p in got.rglob("*") if not p.is_dir())
    assert found == ["in/deep.txt", "own.txt", "timestamp.txt"]


def test_nbgrader_by_itself_believes_it_all(desk):
    """Which the guide says, and how to have it so, where a restored backup makes everything new."""
    folder, root = desk
    early = datetime.now(UTC).replace(tzinfo=None) - timedelta(days=9)
    (put(root, "eve", {}, early) / NAME).symlink_to(folder / "source" / UNIT / NAME)
    stock = "--ExchangeFactory.collect=nbgrader.exchange.default.ExchangeCollect"
    nbgrader("collect", UNIT, stock, cwd=folder, root=root)
    got = folder / "submitted" / "eve" / UNIT / NAME
    assert got.read_text() == (folder / "source" / UNIT / NAME).read_text(), "with the answers"
    assert stamp(folder, "eve") == early
    (inbound(root) / f"eve+{UNIT}+garbage").mkdir()
    with pytest.raises(AssertionError, match="garbage"):
        nbgrader("collect", UNIT, stock, cwd=folder, root=root)


def test_what_is_odd_stops_nobody_else(desk, capsys):
    folder, root = desk
    put(root, "ada", {NAME: "{}"})
    (inbound(root) / f"eve+{UNIT}+garbage").mkdir()
    (inbound(root) / f"eve+{UNIT}+2026-01-01 00:00:00.0 UTC").write_text("no folder")
    (inbound(root) / f"eve+{UNIT}+2026-01-02 00:00:00.0 UTC").symlink_to(folder)
    (inbound(root) / "nonsense").write_text("")
    put(root, "<img src=x onerror=alert(1)>", {NAME: "{}"})
    put(root, "..", {NAME: "{}"})
    put(root, os.fsdecode(b"m\xff"), {NAME: "{}"})
    put(root, "\x1b]0;x\x07", {NAME: "{}"})
    put(root, "two\nlines", {NAME: "{}"})
    put(root, "*", {NAME: "{}"})
    put(root, "big", {NAME: "{}"}, tail="")
    with open(folder / "nbgrader_config.py", "a") as config:
        config.write("c.CourseDirectory.max_dir_size = 1\n")
    (next(inbound(root).glob("big+*")) / "data").write_bytes(b"0" * 2000)
    assert collect(folder) == 1
    said = capsys.readouterr().out
    assert "1 collected" in said
    assert said.count("odd ") == 10
    assert said.count("no learner's name may") == 6
    assert "\x1b" not in said and said.count("\n") == 13
    assert not (folder / UNIT).exists()
    assert said.count("it is no folder") == 2
    assert "cannot be collected: it is too big" in said
    assert (folder / "submitted" / "ada" / UNIT / NAME).exists()
    assert not (folder / "submitted" / "big" / UNIT).exists()


@pytest.mark.parametrize(("checked", "taken"), [(True, "hers"), (False, "another's")])
def test_nobody_hands_in_for_another(desk, monkeypatch, capsys, checked, taken):
    """nbgrader warns of it, and takes it."""
    folder, root = desk
    with open(folder / "nbgrader_config.py", "a") as config:
        config.write(f"c.ExchangeCollect.check_owner = {checked}\n")
    account = pwd.getpwuid(os.geteuid())
    others = {"ada": 77_001}

    def account_of(name):
        if name not in others:
            raise KeyError(name)
        return pwd.struct_passwd([name, "x", others[name], *account[3:]])

    monkeypatch.setattr(pwd, "getpwnam", account_of)
    now = datetime.now(UTC).replace(tzinfo=None)
    hers = put(root, "ada", {NAME: "hers"}, now - timedelta(seconds=50))
    theirs = put(root, "ada", {NAME: "another's"}, now)
    put(root, "nobody-here", {NAME: "{}"})
    monkeypatch.setattr(os, "geteuid", lambda: 77_002)
    true = Path.lstat

    def owned(path):
        found = list(true(path))
        found[4] = {hers: 77_001, theirs: 77_003}.get(path, found[4])
        found = os.stat_result(found, {"st_ctime": true(path).st_ctime})
        return found

    monkeypatch.setattr(Path, "lstat", owned)
    collect(folder)
    assert (folder / "submitted" / "ada" / UNIT / NAME).read_text() == taken
    assert (folder / "submitted" / "nobody-here" / UNIT).is_dir(), "an owner tells nothing of them"
    assert ("does not belong to ada" in capsys.readouterr().out) == checked


def test_an_exchange_that_is_none(tmp_path, capsys):
    folder = tmp_path / "class"
    assert main(["class", "new", str(folder)]) == 0
    with open(folder / "nbgrader_config.py", "a") as config:
        config.write(f"c.Exchange.root = {str(tmp_path / 'x')!r}\n")
    assert collect(folder) == 2
    assert "is not there, or is not yours to use; make it with mkdir" in capsys.readouterr().err
    (tmp_path / "x").mkdir()
    (tmp_path / "x").chmod(0o777)
    assert collect(folder) == 2
    assert "nothing was released to the exchange yet" in capsys.readouterr().err


def test_released_again_it_is_replaced(desk):
    folder, root = desk
    there = root / "class" / "outbound" / UNIT / NAME
    before = there.read_text()
    there.chmod(0o644)
    there.write_text("old")
    assert main(["class", "release", str(folder), UNIT, "--exchange", "--dry-run"]) == 0
    assert there.read_text() == "old"
    assert main(["class", "release", str(folder), UNIT, "--exchange"]) == 0
    assert there.read_text() == before


def test_an_edited_notebook_is_kept(desk, capsys):
    folder, _ = desk
    source, out = folder / "source" / UNIT / NAME, folder / "release" / UNIT / NAME
    notebook = json.loads(source.read_text())
    notebook["cells"][0]["source"] = "# Our own words\n"
    source.write_text(json.dumps(notebook))
    assert main(["class", "release", str(folder), UNIT]) == 0
    assert "is kept; --anew replaces it" in capsys.readouterr().out
    assert "Our own words" in out.read_text()
    assert main(["class", "release", str(folder), UNIT, "--anew", "--dry-run"]) == 0
    assert "Our own words" in source.read_text()
    assert main(["class", "release", str(folder), UNIT, "--anew"]) == 0
    assert "Our own words" not in out.read_text()


def test_the_settings_of_the_machine_are_read(tmp_path, monkeypatch):
    """As nbgrader's own commands read them: a hub says once where its exchange is."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "nbgrader_config.py").write_text("c.Exchange.root = '/of/the/machine'\n")
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", str(tmp_path / "etc"))
    folder = tmp_path / "class"
    assert main(["class", "new", str(folder)]) == 0
    assert Books(folder).api.config.Exchange.root == "/of/the/machine"
    shutil.rmtree(tmp_path / "etc")
    assert "root" not in Books(folder).api.config.Exchange
