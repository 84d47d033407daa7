"""Any number of submissions, and whatever may happen to the processes that grade them."""

import contextlib
import importlib.util
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from difflib import unified_diff
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from autograder.cli import main
from autograder.grading import classroom, demo, pages, tasks, versions
from autograder.grading.books import Books
from autograder.grading.grade import How, grade, surveyed
from autograder.grading.judge import grade_notebook
from autograder.notebooks import exercise_of

UNIT, LABEL = demo.UNIT, f"{demo.UNIT}/rnn_forward"
FEW = ("anna", "dina", "karim", "petra")
STUDENTS = (*FEW, "goran", "lena", "rosa", "sven")

# ------------------------------------------------------------------ what a result depends on


def test_what_has_no_say_in_a_verdict_is_named_rightly():
    root = Path(versions.__file__).parents[1]
    assert all((root / name).exists() for name in versions.BYSTANDERS)


def test_a_version_follows_what_its_exercise_uses(monkeypatch):
    template = {"cells": [{"metadata": {"unrolled": {"check": "rnn_forward"}}}]}
    fresh = lambda: (versions.exercise.cache_clear(), versions.of(template))[1]  # noqa: E731
    before = fresh()
    texts = versions._text

    def edited(module):
        def text(name):
            return texts(name) + ("# mended" if name == module else "")

        return text

    monkeypatch.setattr(versions, "_text", edited("autograder.exercises.softmax"))
    assert fresh() == before, "another exercise was mended"
    for module in ("autograder.exercises.rnn_forward", "solutions.rnn"):
        monkeypatch.setattr(versions, "_text", edited(module))
        assert {name for name, is_ in fresh().items() if before[name] != is_} == {"rnn_forward"}
    versions.exercise.cache_clear()


@pytest.fixture(scope="module")
def released(tmp_path_factory):
    """A class of four that nobody has graded."""
    return a_class(tmp_path_factory.mktemp("released") / "c", FEW)


@pytest.fixture
def small(released, tmp_path):
    """A copy of it, for one test."""
    return shutil.copytree(released, tmp_path / "small")


def a_class(folder, students):
    classroom.new(folder)
    demo.hand_in(folder, {student: demo.submissions()[student] for student in students})
    return folder


def test_a_key_changes_with_answers_tier_and_judge_only(small):
    job = classroom.job(small, [UNIT])
    task = classroom.task(small, LABEL, "anna")
    clean = tasks.read(job.templates[LABEL], task)
    key = partial(tasks.result_key, job, "anna", LABEL)
    assert key(clean, "full") == key(tasks.read(job.templates[LABEL], task), "full")
    other = tasks.read(job.templates[LABEL], classroom.task(small, LABEL, "dina"))
    assert len({key(clean, "full"), key(clean, "landlock"), key(other, "full")}) == 3


def test_links_and_pipes_are_not_handed_in(small):
    place = small / "submitted" / "anna" / UNIT
    (place / "link.ipynb").symlink_to(small / ".unrolled" / "secret")
    os.mkfifo(place / "pipe.ipynb")
    (place / "folder.ipynb").mkdir()
    assert classroom.handed_in(small, UNIT, "anna").keys() == {"rnn_forward.ipynb"}
    assert classroom.handed_in(small, UNIT, "nobody") == {}


def test_a_check_that_is_not_graded_any_more_is_passed_over(small):
    template = classroom.template(small, UNIT, "rnn_forward.ipynb")
    check = next(c for c in template["cells"] if exercise_of(c) == "softmax")
    check["metadata"]["nbgrader"] = {"grade": False}
    clean = tasks.read(template, classroom.task(small, LABEL, "anna"))
    result = grade_notebook(clean, "anna", LABEL, b"secret")
    assert "check-softmax" not in result["checks"]
    worths = {name: check["max"] for name, check in result["checks"].items()}
    assert worths == tasks.worths(template) and len(worths) == 5


def test_a_cell_with_points_that_nothing_would_give_is_refused(small, capsys):
    source = small / "source" / UNIT / "rnn_forward.ipynb"
    source.write_text(source.read_text().replace('"check": "softmax"', '"tick": "softmax"'))
    before = (small / "release" / UNIT / "rnn_forward.ipynb").read_text()
    assert main(["class", "release", str(small), UNIT]) == 2
    assert "the cell check-softmax bears points, but checks no exercise" in capsys.readouterr().err
    assert (small / "release" / UNIT / "rnn_forward.ipynb").read_text() == before
    for text in ("{bad", '{"cells": 3}', "[]", '{"cells": [{"metadata": 1}]}'):
        source.write_text(text)
        assert main(["class", "release", str(small), UNIT]) == 2
        assert f"{source} is no notebook: " in capsys.readouterr().err
    path = small / "release" / UNIT / "rnn_forward.ipynb"
    path.write_text(before.replace('"check": "softmax"', '"tick": "softmax"'))
    assert main(["grade", str(small)]) == 2
    assert "the cell check-softmax bears points, but checks no exercise" in capsys.readouterr().err
    path.write_text(before.replace('"task": false', '"task": true', 1))
    assert main(["grade", str(small)]) == 2
    assert "is a task, for cells that learners add" in capsys.readouterr().err


def test_two_runs_at_once_are_refused(small, capsys):
    with classroom.locked(small):
        assert main(["grade", str(small)]) == 2
    assert "is being graded by another process" in capsys.readouterr().err


# ------------------------------------------------------------------ the gradebook


def verdicts(students, points=1.0):
    """Made-up results, as the judge would give them."""
    checks = {"check-softmax": {"points": points}, "check-rnn_forward": {"points": 0.0}}
    return [
        {"student": student, "assignment": LABEL, "checks": checks, "blank": [], "answers": {}}
        for student in students
    ]


def test_entering_more_takes_no_more_statements(small):
    def statements(students):
        seen = []
        listen = lambda *arguments: seen.append(arguments[2])  # noqa: E731
        event.listen(Engine, "before_cursor_execute", listen)
        try:
            books.enter(UNIT, verdicts(students))
        finally:
            event.remove(Engine, "before_cursor_execute", listen)
        return len(seen)

    books = Books(small)
    few, many = [f"a{n}" for n in range(5)], [f"b{n}" for n in range(50)]
    assert statements(few) == statements(many), "new ones"
    assert statements(few) == statements(many), "known ones"
    assert len(books.marks(UNIT)) == 55


def by_hand(folder, student, **given):
    """What an instructor enters in the formgrader."""
    books = Books(folder)
    with books._gradebook() as gradebook:
        for cell, score in given.items():
            name = {"essay": "why-one-set-of-weights", "check": "check-softmax"}[cell]
            grade_ = gradebook.find_grade(name, "rnn_forward", UNIT, student)
            grade_.manual_score, grade_.needs_manual_grade = score, False
        comment = gradebook.find_comment("softmax", "rnn_forward", UNIT, student)
        comment.manual_comment = "Come and see me."
        gradebook.db.commit()


@pytest.mark.slow
def test_marks_by_hand_survive_and_only_new_answers_ask_for_a_second_look(tmp_path):
    folder = a_class(tmp_path, ("anna", "dina"))
    grade(folder, UNIT, quiet=True)
    by_hand(folder, "anna", essay=1.5, check=0.5)
    by_hand(folder, "dina", essay=2.0)
    grade(folder, UNIT, quiet=True)
    page = folder / "feedback" / "anna" / UNIT / "rnn_forward.html"
    assert "Come and see me." in page.read_text(), "the page is written anew"
    sheets = Books(folder).sheets(UNIT)
    assert sheets["anna", "rnn_forward"].open == ["what-a-forward-network-cannot-see"]

    (folder / "submitted" / "dina" / UNIT / "rnn_forward.ipynb").write_text(demo.solved({}))
    grade(folder, UNIT, quiet=True)
    sheets = Books(folder).sheets(UNIT)
    anna, dina = sheets["anna", "rnn_forward"], sheets["dina", "rnn_forward"]
    assert anna.manual["why-one-set-of-weights"] == 1.5 and anna.scores["check-softmax"] == 0.5
    assert anna.open == ["what-a-forward-network-cannot-see"]
    assert dina.manual["why-one-set-of-weights"] == 2.0
    assert set(dina.open) == {"why-one-set-of-weights", "what-a-forward-network-cannot-see"}
    assert dina.auto["check-rnn_cell_forward"] == 3.0
    assert anna.comments["softmax"] == dina.comments["softmax"] == "Come and see me."


@pytest.mark.slow
def test_a_timestamp_that_says_nothing_costs_nobody_anything(small, capsys):
    (small / "submitted" / "anna" / UNIT / "timestamp.txt").write_text("yesterday, I think")
    assert main(["grade", str(small)]) == 0
    assert "anna: timestamp.txt of 02_rnn_forward holds no time" in capsys.readouterr().err
    assert len(Books(small).marks(UNIT)) == len(FEW)


# ------------------------------------------------------------------ the same marks in every way


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A class of eight, graded by one worker that nothing happens to."""
    folder = a_class(tmp_path_factory.mktemp("reference") / "c", STUDENTS)
    grade(folder, UNIT, quiet=True, workers=1)
    return folder


def ungraded(reference, folder):
    """A copy of a class without what grading made."""
    shutil.copytree(reference, folder)
    for part in ("autograded", "feedback"):
        shutil.rmtree(folder / part)
    for part in (".unrolled/results.jsonl", ".unrolled/pages.jsonl", "gradebook.db"):
        (folder / part).unlink()
    Books(folder).generate(UNIT)
    return folder


def said(folder):
    """All that an instructor or a learner sees: the gradebook's sheets, and the files."""
    files = {
        str(path.relative_to(folder)): path.read_text("utf-8")
        for step in ("autograded", "feedback")
        for path in (folder / step).rglob("*")
        if path.is_file()
    }
    return Books(folder).sheets(UNIT), files


def assert_alike(one, other, when=""):
    """Two classes say the same; if not, what differs is shown, and nothing else."""
    (sheets, files), (as_sheets, as_files) = said(one), said(other)
    assert files.keys() == as_files.keys(), when
    for name, text in files.items():
        lines = unified_diff(as_files[name].splitlines(), text.splitlines(), lineterm="", n=0)
        assert "\n".join(lines) == "", f"{name}, {when}"
    for key, sheet in sheets.items():
        assert sheet == as_sheets[key], f"{key}, {when}"
    assert sheets.keys() == as_sheets.keys(), when


@pytest.mark.slow
def test_two_workers_give_what_one_gives(reference, tmp_path):
    copy = ungraded(reference, tmp_path / "copy")
    results = grade(copy, UNIT, quiet=True, workers=2)
    assert [result["student"] for result in results] == sorted(r["student"] for r in results)
    assert_alike(copy, reference)


class Noted:
    """An executor that does nothing, and knows whose work it was given."""

    def __init__(self):
        self.asked = []

    def run(self, todo):
        self.asked += [task.student for task in todo]
        return iter(())


@pytest.mark.slow
def test_what_is_unchanged_is_known_by_its_bytes(reference, tmp_path, monkeypatch):
    """It is neither cleaned nor given to a worker again, until it or what judges it changes."""
    folder = tmp_path / "copy"
    shutil.copytree(reference, folder)
    monkeypatch.setattr(How, "executor", lambda how, job: noted)
    monkeypatch.setattr(tasks, "read", None)
    noted = Noted()
    assert len(grade(folder, UNIT, quiet=True, feedback=False)) == len(STUDENTS)
    assert noted.asked == []
    assert surveyed(folder, UNIT).ungraded == ()

    path = folder / "submitted" / "lena" / UNIT / "rnn_forward.ipynb"
    path.write_text(path.read_text() + "\n")
    (folder / "submitted" / "rosa" / UNIT / "more.ipynb").write_text("{}")
    with pytest.raises(KeyError):
        grade(folder, UNIT, quiet=True, feedback=False)  # the two have no result yet
    assert noted.asked == ["lena", "rosa"]

    noted = Noted()
    released = folder / "release" / UNIT / "rnn_forward.ipynb"
    released.write_text(released.read_text().replace("Your turn", "Now you"))
    with pytest.raises(KeyError):
        grade(folder, UNIT, quiet=True, feedback=False)
    assert len(noted.asked) == len(STUDENTS), "the notebook is another one"


@pytest.mark.slow
def test_a_notebook_that_kills_its_workers_is_reported_and_not_remembered(
    reference, tmp_path, monkeypatch, capsys
):
    copy = ungraded(reference, tmp_path / "copy")
    monkeypatch.setattr("autograder.grading.tasks.opened", fatal_for_goran)
    assert main(["grade", str(copy)]) == 1
    out, err = capsys.readouterr()
    assert "unrolled: goran: 02_rnn_forward/rnn_forward could not be graded: " in err
    assert "the worker was killed by SIGKILL (2 attempts)" in err
    assert "goran" in out
    sheet = Books(copy).sheets(UNIT)["goran", "rnn_forward"]
    assert set(sheet.open) == set(sheet.scores), "all of it waits for a person"
    ((student, why),) = surveyed(copy, UNIT).ungraded
    assert (student, "could not be graded: the worker was killed" in why) == ("goran", True)
    monkeypatch.undo()
    assert main(["grade", str(copy)]) == 0
    assert surveyed(copy, UNIT).ungraded == ()
    assert_alike(copy, reference)


@contextmanager
def fatal_for_goran(job):
    with tasks.opened(job) as work_:

        def work(task):
            if task.student == "goran":
                os.kill(os.getpid(), signal.SIGKILL)
            return work_(task)

        yield work


# ------------------------------------------------------------------ a grader that is killed

DRIVER = """
import ctypes, os, signal, subprocess, sys, time
folder, delay = sys.argv[1], float(sys.argv[2])
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # what the grader leaves behind becomes our child
command = [sys.executable, "-m", "autograder.cli", "grade", folder, "--workers", "2"]
grader = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
time.sleep(delay)
grader.kill()
end = time.monotonic() + 120  # far more than it takes, on however busy a machine
while time.monotonic() < end:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        sys.exit(0)
    time.sleep(0.05)
sys.exit(subprocess.run(["ps", "-eo", "pid,ppid,args"]).returncode or 1)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="orphans are found by a Linux prctl")
def test_kill_9_at_any_moment_leaves_no_process_and_loses_or_doubles_no_mark(reference, tmp_path):
    blank = ungraded(reference, tmp_path / "blank")
    start = time.monotonic()
    folder = shutil.copytree(blank, tmp_path / "undisturbed")
    subprocess.run([sys.executable, "-m", "autograder.cli", "grade", folder], check=True)
    whole = time.monotonic() - start
    seed = random.randrange(1 << 32)
    moments = random.Random(seed)
    for number in range(10):
        if len(said(folder)[1]) == 16 or number == 0:  # it is finished: begin anew
            once_each(folder, reference, f"seed {seed}, kill {number}")
            folder = shutil.copytree(blank, tmp_path / f"copy-{number}")
        words = [sys.executable, "-c", DRIVER, folder, str(moments.uniform(0.1, 0.9) * whole)]
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, f"seed {seed}: left behind:\n{done.stdout}{done.stderr}"
    grade(folder, UNIT, quiet=True)
    once_each(folder, reference, f"seed {seed}, at the end")


def once_each(folder, reference, when):
    """Every mark is there, is right, and is there once."""
    assert_alike(folder, reference, when)
    with contextlib.closing(sqlite3.connect(folder / "gradebook.db")) as connection:
        counted = [
            connection.execute(f"select count(*) from {table}").fetchone()[0]
            for table in ("student", "submitted_assignment", "submitted_notebook", "grade")
        ]
    assert counted == [8, 8, 8, 64], when
    assert len(classroom.results(folder)) == 8, when


# ------------------------------------------------------------------ dask

NO_DASK = importlib.util.find_spec("distributed") is None


@pytest.fixture
def cluster():
    if NO_DASK:
        pytest.skip("distributed is not installed: pip install -e '.[cluster]'")
    import distributed

    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
    ) as cluster:
        yield cluster


@pytest.mark.slow
@pytest.mark.filterwarnings("default::ResourceWarning", "default::DeprecationWarning")
@pytest.mark.parametrize("killed", [False, True], ids=["undisturbed", "a worker is killed"])
def test_dask_gives_the_same_marks(reference, tmp_path, cluster, killed, monkeypatch):
    copy = ungraded(reference, tmp_path / "copy")
    if killed:
        kept = classroom.Results.add

        def add(self, key, result):
            if len(self) == 2:
                pid = next(iter(cluster.workers.values())).pid
                os.kill(pid, signal.SIGKILL)
            kept(self, key, result)

        monkeypatch.setattr(classroom.Results, "add", add)
    results = grade(copy, UNIT, quiet=True, dask=cluster.scheduler_address)
    assert not any("lost" in result for result in results)
    assert_alike(copy, reference)


def test_without_dask_one_sentence_says_what_to_install(small, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "distributed", None)
    monkeypatch.delitem(sys.modules, "autograder.grading.cluster", raising=False)
    assert main(["grade", str(small), "--dask", "tcp://127.0.0.1:1"]) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said == (
        "unrolled: --dask needs the package distributed; run: pip install -e '.[cluster]'"
    )


@pytest.mark.skipif(NO_DASK, reason="distributed is not installed: pip install -e '.[cluster]'")
def test_a_scheduler_that_is_not_there_is_one_sentence(small, monkeypatch, capsys):
    from autograder.grading import cluster

    monkeypatch.setattr(cluster, "WAIT", 0.5)
    assert main(["grade", str(small), "--dask", "tcp://127.0.0.1:1"]) == 2
    assert "no dask scheduler answers at tcp://127.0.0.1:1" in capsys.readouterr().err


# ------------------------------------------------------------------ PostgreSQL

SERVERS = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
USER = "nobody"


@pytest.fixture
def postgres():
    """The address of a server in a temporary folder, run by an ordinary user."""
    if not SERVERS:
        pytest.skip("no PostgreSQL server here: apt install postgresql")
    if importlib.util.find_spec("psycopg2") is None:
        pytest.skip("psycopg2 is not installed: pip install psycopg2-binary")
    programs = SERVERS[-1].parent
    root = os.geteuid() == 0
    with tempfile.TemporaryDirectory(prefix="pg-") as place:  # short: a socket's path ends at 107
        if root:
            shutil.chown(place, USER)
        as_user = {"user": USER} if root else {}
        run = partial(subprocess.run, check=True, capture_output=True, cwd=place, **as_user)
        run([programs / "initdb", "-D", f"{place}/data", "-U", "grader", "-A", "trust"])
        options = f"-c listen_addresses='' -c unix_socket_directories={place}"
        control = [programs / "pg_ctl", "-D", f"{place}/data", "-w", "-l", f"{place}/log"]
        start = [*control, "-o", options, "start"]  # it would hold pipes open: it stays
        subprocess.run(start, check=True, cwd=place, stdout=subprocess.DEVNULL, **as_user)
        try:
            run([programs / "createdb", "-h", place, "-U", "grader", "marks"])
            yield f"postgresql+psycopg2://grader@/marks?host={place}"
        finally:
            run([*control, "-m", "immediate", "stop"])


@pytest.mark.slow
def test_a_gradebook_in_postgresql_says_the_same(reference, tmp_path, postgres):
    copy = ungraded(reference, tmp_path / "copy")
    (copy / "gradebook.db").unlink()
    with open(copy / "nbgrader_config.py", "a") as config:
        config.write(f"c.CourseDirectory.db_url = {postgres!r}\n")
    Books(copy).generate(UNIT)
    grade(copy, UNIT, quiet=True)
    assert_alike(copy, reference)
    grade(copy, UNIT, quiet=True)
    assert_alike(copy, reference)
    assert not (copy / "gradebook.db").exists()


# ------------------------------------------------------------------ pages


@pytest.mark.slow
def test_pages_are_written_when_something_in_them_changes_and_only_then(reference, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(reference, copy)
    kept = {path: path.stat().st_mtime_ns for path in (copy / "feedback").rglob("*.html")}
    (copy / "feedback" / "anna" / UNIT / "rnn_forward.html").unlink()
    by_hand(copy, "goran", essay=1.0)
    grade(copy, UNIT, quiet=True)
    again = {path: path.stat().st_mtime_ns for path in (copy / "feedback").rglob("*.html")}
    assert again.keys() == kept.keys()
    changed = {path.parents[1].name for path in kept if kept[path] != again[path]}
    assert changed == {"anna", "goran"}


@pytest.mark.slow
def test_marks_can_be_had_before_the_pages(reference, tmp_path, capsys):
    copy = ungraded(reference, tmp_path / "copy")
    assert main(["grade", str(copy), "--no-feedback"]) == 0
    assert "no pages are written yet" in capsys.readouterr().out
    assert Books(copy).sheets(UNIT) == said(reference)[0]
    assert not (copy / "feedback").exists()
    assert main(["grade", str(copy)]) == 0
    assert_alike(copy, reference)


@pytest.mark.slow
def test_a_page_on_other_answers_than_were_judged_is_refused(reference, tmp_path, monkeypatch):
    copy = tmp_path / "copy"
    shutil.copytree(reference, copy)
    monkeypatch.chdir(copy)
    result = classroom.results(copy).latest("goran", LABEL)
    sheet = Books(copy).sheets(UNIT)["goran", "rnn_forward"]
    (copy / "submitted" / "goran" / UNIT / "rnn_forward.ipynb").write_text(demo.solved({}))
    printer = pages.Printer(Books(copy), classroom.job(copy, [UNIT]))
    page = pages.Page(classroom.task(copy, LABEL, "goran"), result, sheet)
    assert "handed in anew" in printer.write(page)
