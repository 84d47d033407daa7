"""Supervised workers. This module is all that they import, so that they start at once."""

import os
import signal
import time
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from autograder.grading import workers
from autograder.grading.workers import Local, Lost, WorkersFailed


@contextmanager
def opened(folder):
    """A worker for words: it does what they say, or says them in capitals."""
    yield partial(work, Path(folder))


def work(folder, word):
    if word == "raise":
        raise ValueError("no such word")
    if word == "hang":
        time.sleep(60)
    if word == "die" or (word == "stumble" and not (folder / "stumbled").exists()):
        (folder / "stumbled").touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return word.upper()


@contextmanager
def refused():
    raise RuntimeError("not on a Sunday")
    yield


@contextmanager
def stillborn():
    os._exit(3)
    yield


def answers(folder, words, count=2):
    return dict(Local(partial(opened, folder), count).run(words))


def test_every_task_is_answered_once(tmp_path):
    words = [f"word {n}" for n in range(50)]
    ran = list(Local(partial(opened, tmp_path), 3).run(words))
    assert sorted(ran) == sorted((word, word.upper()) for word in words)
    assert list(Local(partial(opened, tmp_path), 3).run([])) == []


def test_tasks_are_taken_as_they_are_needed(tmp_path):
    taken = []
    words = (taken.append(n) or f"word {n}" for n in range(1000))
    run = Local(partial(opened, tmp_path), 2).run(words)
    for _ in range(10):
        next(run)
    run.close()
    assert len(taken) <= 16, "a class is never held whole"


def test_a_worker_that_dies_is_replaced_and_its_task_tried_again(tmp_path):
    got = answers(tmp_path, ["a", "stumble", "b", "c"])
    assert got == {"a": "A", "stumble": "STUMBLE", "b": "B", "c": "C"}


def test_a_task_that_kills_every_worker_is_given_up_and_costs_nobody_else(tmp_path):
    got = answers(tmp_path, ["a", "die", "b", "raise", "c"])
    assert got.pop("die") == Lost("the worker was killed by SIGKILL (2 attempts)")
    assert got.pop("raise") == Lost("ValueError: no such word (2 attempts)")
    assert got == {"a": "A", "b": "B", "c": "C"}


def test_a_task_that_never_ends_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "PATIENCE", 0.5)
    got = answers(tmp_path, ["a", "hang"])
    assert got == {"a": "A", "hang": Lost("it did not end within 0.5 seconds (2 attempts)")}


def test_a_worker_that_cannot_be_made_ready_says_why():
    with pytest.raises(WorkersFailed, match="not on a Sunday"):
        list(Local(refused, 2).run(["a"]))
    with pytest.raises(WorkersFailed, match=r"3 times while it started: .* exit code 3"):
        list(Local(stillborn, 2).run(["a"]))
