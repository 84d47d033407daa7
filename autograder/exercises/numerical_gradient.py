"""A gradient without calculus."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.inputs import normal
from autograder.specs import Named, made
from solutions.bptt import numerical_gradient


def curved(rng, shape=(3, 4)):
    return {"f": Named("waves", (normal(rng, *shape),)), "w": normal(rng, *shape)}


def straight(rng):
    return {"f": Named("weighted_sum", (normal(rng, 5),)), "w": normal(rng, 5)}


def steep(rng):
    """Near the bottom of a steep valley: the slope is small and changes fast."""
    weights, bottom = rng.uniform(0.5, 1.5, 4), normal(rng, 4)
    return {"f": Named("valley", (weights, bottom)), "w": bottom + rng.uniform(1e-4, 2e-4, 4)}


def large(rng):
    w = rng.uniform(1e8, 3e8, 4) * rng.permutation([-1, -1, 1, 1])
    return {"f": Named("weighted_sum", (normal(rng, 4),)), "w": w}


def near_zero(rng):
    case = curved(rng, (5,))
    case["w"][:2] = 0, 1e-12
    return case


def narrow(rng):
    case = curved(rng)
    return {**case, "w": case["w"].astype(np.float32)}


FIXED = (
    "It was made with a step of {:g}, whatever the size of the entry. Near 1e8 that drowns in "
    "rounding: beyond 1, make the step proportional to |w|."
)
ONE_SIDED = (
    "It was made with values on one side only, f(w + h) - f(w), and h = {:g}. The error is half the "
    "curvature times the step; with values on both sides the curvature cancels."
)
TINY = (
    "It was made with a step of {:g}, which is too small: f(w + h) and f(w - h) agree in nearly all "
    "their digits, and what is left of the difference is rounding. Smaller is not better."
)
TOGETHER = "It is the sum of all slopes, in every entry: move one entry at a time."
STEPS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)


def of_other_steps(f, w):
    """What comes of the steps that learners take: on one side, tiny, one for all sizes."""
    function, w = made(f), w.astype(float)
    entries = np.eye(w.size).reshape(-1, *w.shape)

    def slopes(above, below, moved=entries):
        ends = [(function(w + above * each), function(w - below * each)) for each in moved]
        return np.array([(one - two) / (above + below) for one, two in ends]).reshape(w.shape)

    stories = {TINY.format(h): slopes(h, h) for h in (1e-10, 1e-11, 1e-12, 1e-13, 1e-14)}
    if np.abs(w).max() > 1e6:
        stories = {FIXED.format(h): slopes(h, h) for h in STEPS}
    stories |= {ONE_SIDED.format(h): slopes(h, 0) for h in STEPS}
    if w.size > 1:
        stories[TOGETHER] = slopes(1e-5, 1e-5, np.ones_like(entries))
    return {"gradient": stories}


def in_place_and_back(f, w):
    """One entry is moved and put back."""
    w = np.array(w, dtype=float)
    gradient = np.zeros_like(w)
    walk = np.nditer(w, flags=["multi_index"])
    for _ in walk:
        i = walk.multi_index
        was = w[i]
        h = 1e-5 * max(1.0, abs(was))
        w[i] = was + h
        above = f(w)
        w[i] = was - h
        below = f(w)
        w[i] = was
        gradient[i] = (above - below) / (2 * h)
    return gradient


def flattened(f, w):
    flat = w.astype(float).ravel()
    gradient = []
    for k in range(flat.size):
        h = np.zeros(flat.size)
        h[k] = 3e-6 * (1 + abs(flat[k]))
        ends = [f((flat + sign * h).reshape(w.shape)) for sign in (1, -1)]
        gradient.append((ends[0] - ends[1]) / (2 * h[k]))
    return np.reshape(gradient, w.shape)


def with_four_values(f, w):
    """Two differences, of one step and of two, so that the error of the step cancels further."""
    gradient = np.empty(w.shape)
    for i in np.ndindex(*w.shape):
        h = 1e-4 * max(1, abs(float(w[i])))

        def at(steps, i=i, h=h):
            moved = w.astype(float)
            moved[i] += steps * h
            return f(moved)

        gradient[i] = (8 * (at(1) - at(-1)) - (at(2) - at(-2))) / (12 * h)
    return gradient


EXERCISE = Exercise(
    reference=numerical_gradient,
    cases=(
        Case("a curved function of a matrix", curved),
        Case("a curved function of three axes", partial(curved, shape=(2, 3, 4))),
        Case("a curved function of one number", partial(curved, shape=())),
        Case("a straight line", straight),
        Case("near the bottom of a steep valley", steep),
        Case("entries of 100 million", large),
        Case("entries at zero and next to it", near_zero),
        Case("w in float32", narrow),
    ),
    returns=("gradient",),
    points=3,
    strays=of_other_steps,
    rtol=1e-6,  # steps from 1e-7 to 1e-4 are good choices, and their answers differ by so much
    hints=(
        "For each entry by itself: move it up by a small step and ask f; move it down by the same "
        "and ask again; divide the difference by the distance between the two.",
        "for i in np.ndindex(w.shape) goes over all entries, whatever the number of axes: w[i] is "
        "one number. Work on copies in float64, w.astype(float), so that only one entry is "
        "moved at a time. A good step is near 6e-6 times max(1, |w[i]|).",
        "In the loop: above and below are two copies of w; above[i] += step and below[i] -= step; "
        "the gradient there is f(above) minus f(below), divided by 2 step.",
    ),
    misconceptions=(
        Edit(
            "one-sided",
            "below[i] -= step[i]",
            "below[i] -= 0",
            "The difference is one-sided: f(w + h) - f(w). Its error is half the curvature times "
            "the step; with values on both sides the curvature cancels.",
        ),
        Edit(
            "one-sided-below",
            "above[i] += step[i]",
            "above[i] += 0",
            "The difference is one-sided: f(w) - f(w - h). Its error is half the curvature times "
            "the step; with values on both sides the curvature cancels.",
        ),
        Edit(
            "divided-by-one-step",
            "(f(above) - f(below)) / apart",
            "(f(above) - f(below)) / step[i]",
            "The difference is divided by one step, but the two places are two steps apart: every "
            "entry is twice too large.",
        ),
        Edit(
            "upside-down",
            "f(above) - f(below)",
            "f(below) - f(above)",
            "The difference is taken the wrong way round: every entry has the opposite sign.",
        ),
        Edit(
            "not-divided",
            " / apart",
            "",
            "This is the difference of the two values. Divide it by the distance between the two "
            "places.",
        ),
        Edit(
            "one-step-for-all-sizes",
            "np.cbrt(np.finfo(float).eps) * np.maximum(1, np.abs(w, dtype=float))",
            "np.full(w.shape, 1e-5)",
            "The step is the same for an entry of 1 and for one of 100 million. Near 1e8 floating "
            "point numbers lie 1.5e-8 apart, and so small a step drowns in rounding: beyond 1, "
            "make the step proportional to |w|.",
            also=(("apart = above[i] - below[i]", "apart = 2 * step[i]"),),
        ),
        Edit(
            "no-step-at-zero",
            "np.maximum(1, np.abs(w, dtype=float))",
            "np.abs(w, dtype=float)",
            "The step is proportional to |w| everywhere, so at zero there is none, and next to "
            "zero it drowns in rounding. Use |w| only where it is above 1.",
        ),
        Edit(
            "too-small-a-step",
            "np.cbrt(np.finfo(float).eps)",
            "1e-13",
            "The step is far too small: f(w + h) and f(w - h) agree in nearly all their digits, "
            "and what is left of the difference is rounding. Smaller is not better.",
        ),
        Edit(
            "too-large-a-step",
            "np.cbrt(np.finfo(float).eps)",
            "0.01",
            "The step, 0.01, is too large: the curve bends on the way. The error goes with the "
            "square of the step.",
        ),
        Edit(
            "all-entries-at-once",
            "        above[i] += step[i]\n        below[i] -= step[i]\n",
            "        above, below = above + step, below - step\n",
            "All entries are moved together, so every entry of the result is the sum of all "
            "slopes. Move one at a time.",
        ),
        Edit(
            "entries-stay-moved",
            "    for i in np.ndindex(w.shape):\n        above, below = w.astype(float), w.astype(float)\n",
            "    above, below = w.astype(float), w.astype(float)\n    for i in np.ndindex(w.shape):\n",
            "Entries that were moved are not put back, so each result has the slopes of all "
            "entries before it in it. Start each entry from a fresh copy of w.",
        ),
        Edit(
            "in-float32",
            "above, below = w.astype(float), w.astype(float)",
            "above, below = w.copy(), w.copy()",
            "The entry is moved in the type of w. In float32, numbers near 1 lie 1e-7 apart, and a "
            "step of 6e-6 is rounded: copy w in float64.",
            also=(("apart = above[i] - below[i]", "apart = 2 * step[i]"),),
        ),
        Edit(
            "second-derivative",
            "(f(above) - f(below)) / apart",
            "(f(above) - 2 * f(w.astype(float)) + f(below)) / step[i] ** 2",
            "This is the second derivative: how the slope changes. The first one needs the "
            "difference of the two values only.",
        ),
        Edit(
            "rows-together",
            "np.ndindex(w.shape)",
            "np.ndindex(w.shape[:1])",
            "Only the first axis is walked along, so whole rows are moved together. np.ndindex "
            "of the full shape goes over single entries.",
        ),
        Edit(
            "flat",
            "        gradient[i] = (f(above) - f(below)) / apart\n",
            "        gradient[i] = (f(above) - f(below)) / apart\n    gradient = gradient.ravel()\n",
            "The gradient is flat. It should have the shape of w: one slope for each entry, in "
            "its place.",
        ),
        Edit(
            "sign-of-w-in-the-step",
            "np.maximum(1, np.abs(w, dtype=float))",
            "np.maximum(1, w.astype(float))",
            "The step grows with w and not with |w|, so that a large negative entry gets the "
            "small step, which drowns in rounding. Take the absolute value.",
        ),
        Edit(
            "values-added",
            "(f(above) - f(below)) / apart",
            "(f(above) + f(below)) / apart",
            "The two values are added. What changes from one to the other is their difference.",
        ),
        Edit(
            "one-value-alone",
            "(f(above) - f(below)) / apart",
            "f(above) / apart",
            "One value is divided by the step. How much f changes is the difference of two values.",
        ),
        Edit(
            "step-of-rounding",
            "np.cbrt(np.finfo(float).eps)",
            "np.finfo(float).eps",
            "The step is as small as rounding itself: both values come out the same. Take its "
            "cube root.",
        ),
    ),
    alternatives=(in_place_and_back, flattened, with_four_values),
)
