"""Functions that draw are judged by how often they draw what; arguments that are no data."""

from functools import partial

import numpy as np
import pytest

from autograder import answers, diagnosis, kinds, trial, wire
from autograder.distributions import alike, distribution, tally, unlikely
from autograder.exercise import Case, Edit, Exercise, live_key
from autograder.report import Rung
from autograder.specs import Named, Seeded, made
from autograder.tree import plain, revive
from solutions.language_model import sample_token

P = {0: 0.5, 1: 0.3, 2: 0.2}


def drawn(p, n=2000, seed=0):
    return np.random.default_rng(seed).choice(len(p), n, p=p)


def test_a_right_sampler_is_not_refused():
    """Of 2,000 samples of 2,000 draws, none: the bound allows one refusal in 10^9."""
    expected = distribution(P)
    samples = np.random.default_rng(0).choice(3, (2000, 2000), p=list(P.values()))
    assert not any(unlikely(expected, tally(sample)) for sample in samples)


@pytest.mark.parametrize(
    ("p", "worst"),
    [([0.6, 0.2, 0.2], 1), ([0.3, 0.3, 0.4], 2), ([0.5, 0.3, 0.19, 0.01], 3), ([1, 0, 0], 1)],
)
def test_a_wrong_sampler_is_caught(p, worst):
    wrong = unlikely(distribution(P), tally(drawn(p)))
    assert wrong[0][0] in (worst, 0) and worst in [outcome for outcome, *_ in wrong]


def test_what_cannot_be_drawn_is_caught_at_once():
    assert unlikely(distribution({0: 1.0, 1: 0.0}), tally(np.array([0] * 999 + [1])))


def test_outcomes_may_be_sequences():
    assert tally([np.array([1, 2]), np.array([], int), 3]) == {(1, 2): 1, (): 1, 3: 1}
    assert tally(plain([[1, 2], [1, 2]])) == {(1, 2): 2}
    assert tally(plain([[1], [], [1, 2]])) == {(1,): 1, (): 1, (1, 2): 1}
    for strange in ([0.5], ["a"], [None], [[0.5]], [[[1]]], [True], "ab", None, 3):
        assert tally(plain(strange)) is None


def test_two_samples_are_alike_or_not():
    assert alike(drawn(list(P.values())), drawn(list(P.values()), seed=1))
    assert not alike(drawn(list(P.values())), drawn([0.4, 0.4, 0.2], seed=1))
    assert not alike(drawn([1.0]), drawn([1.0], n=5))


def test_a_distribution_crosses_the_wire():
    expected = plain(distribution({(): 0.25, (1,): 0.5, (1, 2): 0.25}), depth=wire.MAX_DEPTH)
    crossed = wire.unpack(wire.pack(expected))
    counts = tally([[], [1], [1], [1, 2]] * 100)
    assert not unlikely(crossed, counts)
    assert unlikely(crossed, tally([[1, 2]] * 400))


# A whole exercise that draws


def temperature_like_this(y_hat, temperature):
    weights = y_hat ** (1 / temperature)
    return dict(enumerate(weights / weights.sum()))


def sampling():
    def inputs(rng):
        y_hat = rng.dirichlet(np.ones(5))
        return {"y_hat": y_hat, "temperature": 0.5, "rng": Seeded(int(rng.integers(1 << 30)), 500)}

    return Exercise(
        reference=sample_token,
        cases=(Case("five tokens", inputs),),
        returns=("token",),
        points=1,
        hints=("a.", "b.", "c."),
        misconceptions=(
            Edit("no-temperature", "** (1 / temperature)", "** 1", "The temperature is ignored."),
            Edit("upside-down", "1 / temperature", "temperature", "The power is upside down."),
        ),
        alternatives=(),
        distribution=lambda y_hat, temperature, rng: temperature_like_this(y_hat, temperature),
    )


@pytest.fixture
def report(monkeypatch):
    monkeypatch.setattr("autograder.exercise.exercise", lambda name: sampling())

    def judge(function, seed=0):
        key = live_key("sample_token", seed)
        return diagnosis.judge(key, partial(trial.run, function, key.cases))

    return judge


def test_every_correct_way_of_drawing_passes(report):
    def by_intervals(y_hat, temperature, rng):
        p = np.array(list(temperature_like_this(y_hat, temperature).values()))
        return np.searchsorted(p.cumsum(), rng.random())

    def by_racing(y_hat, temperature, rng):
        return np.argmax(np.log(y_hat) / temperature + rng.gumbel(size=len(y_hat)))

    for function in (sample_token, by_intervals, by_racing):
        assert all(report(function, seed).passed for seed in range(20)), function.__name__


def test_wrong_ways_of_drawing_are_caught_and_named(report):
    def hot(y_hat, temperature, rng):
        return rng.choice(len(y_hat), p=y_hat)

    def always_the_best(y_hat, temperature, rng):
        return int(y_hat.argmax())

    def one_hot(y_hat, temperature, rng):
        return np.eye(len(y_hat))[0]

    found = report(hot)
    assert found.misconception == "no-temperature"
    assert "of 500 calls; about" in str(found)
    assert report(always_the_best).rung is Rung.VALUES
    assert report(always_the_best).misconception is None
    assert report(one_hot).rung is Rung.KIND


# Specs


def test_specs_travel_as_words_and_are_made_where_they_are_used():
    case = {"f": Named("waves", (np.array([1.0, 2.0]),)), "rng": Seeded(5)}
    crossed = revive(wire.unpack(wire.pack(plain(case))))
    assert made(crossed["f"])(np.zeros(2)) == made(case["f"])(np.zeros(2)) == 2.0
    assert made(crossed["rng"]).random() == np.random.default_rng(5).random()
    assert made(3) == 3


def test_a_case_gives_a_learner_the_things_themselves(monkeypatch):
    from autograder import desk

    monkeypatch.setattr("autograder.exercise.exercise", lambda name: sampling())
    key = live_key("sample_token", 0)
    monkeypatch.setattr(answers, "key", lambda name, seed=0: key)
    assert sample_token(**desk.case("sample_token", 0)) in range(5)


# Dictionaries


def test_a_dict_is_compared_entry_by_entry():
    expected = {"a": 0, "b": 1}
    for got, says in (
        ([0, 1], "not a dict"),
        ({"a": 0}, "no entry for 'b'"),
        ({"a": 0, "b": 1, "c": 2}, "none for 'c'"),
        ({"a": 0, "b": "x"}, "the text 'x', not a number"),
    ):
        assert says in kinds.misfit(expected, plain(got), "vocabulary")[0]
    assert kinds.misfit(expected, plain({"b": 1, "a": 7}), "vocabulary") is None


# Shares


def test_a_sum_over_time_is_told_what_is_missing():
    from autograder.fits import of_steps

    shares = np.random.default_rng(0).standard_normal((4, 2, 3))
    total = shares.sum(axis=0)
    says = {
        "what the first step adds, and nothing": shares[0],
        "what the last step adds, and nothing": shares[3],
        "What step 2 adds is missing": total - shares[2],
        "mean over the steps": total / 4,
    }
    for text, got in says.items():
        assert text in of_steps(got, shares, 1e-9)
    assert of_steps(total * 3, shares, 1e-9) == ""
    assert of_steps(total, shares[:1], 1e-9) == ""
