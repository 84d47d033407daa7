"""The most probable tag at each real step."""

from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise
from autograder.exercises.reverse_sequences import all_full, none_full, ragged_lengths
from autograder.inputs import sizes
from solutions.birnn import predict_tags


def inputs(rng, lengths=ragged_lengths, **fixed):
    """O is never rare, and never all there is; at padding there are probabilities, too."""
    size = sizes(rng, **{"n_y": 5, **fixed})
    T_x, m, n_y = size["T_x"], size["m"], size["n_y"]
    y_hat = rng.dirichlet(np.full(n_y, 0.7), size=(T_x, m))
    return {"y_hat": y_hat, "lengths": lengths(rng, T_x, m)}


def equal_ones(rng):
    """Quarters: several tags are the most probable, and O is among them or is not."""
    y_hat = rng.multinomial(4, np.full(5, 0.2), size=(7, 4)) / 4
    y_hat[0, :] = [0.25, 0.25, 0, 0.25, 0.25]
    y_hat[1, :] = [0, 0, 0.5, 0, 0.5]
    return {"y_hat": y_hat, "lengths": np.array([5, 7, 2, 3])}


def never_sure(rng):
    """No tag has a half."""
    y_hat = 1 + rng.random((6, 4, 5)) / 2
    return {"y_hat": y_hat / y_hat.sum(axis=-1, keepdims=True), "lengths": np.array([4, 2, 6, 3])}


def meaningless_padding(rng):
    case = inputs(rng, T_x=6, m=4)
    case["lengths"] = np.array([3, 6, 1, 4])
    case["y_hat"][np.arange(6)[:, None] >= case["lengths"]] = np.nan
    return case


def in_loops(y_hat, lengths):
    T_x, m, n_y = y_hat.shape
    tags = []
    for t in range(T_x):
        row = []
        for i in range(m):
            best = 0
            for k in range(1, n_y):
                if t < lengths[i] and y_hat[t, i, k] > y_hat[t, i, best]:
                    best = k
            row.append(best)
        tags.append(row)
    return tags


def sentence_by_sentence(y_hat, lengths):
    tags = np.zeros(y_hat.shape[:2], dtype=np.int32)
    for i, n in enumerate(lengths):
        tags[:n, i] = np.argmax(y_hat[:n, i], axis=1)
    return tags


def through_a_mask(y_hat, lengths):
    T_x, m = y_hat.shape[:2]
    mask = np.stack([np.arange(T_x) < n for n in lengths], axis=1)
    found = np.zeros((T_x, m), int)
    found[mask] = y_hat[mask].argmax(1)
    return found


def by_sorting(y_hat, lengths):
    """A stable sort, the most probable first; then a product with the mask."""
    order = np.argsort(-np.nan_to_num(y_hat).astype(np.float32), axis=-1, kind="stable")
    steps = np.repeat(np.arange(len(y_hat))[:, None], len(lengths), axis=1)
    return order[:, :, 0] * (steps < np.asarray(lengths))


PICK = "np.where(real, y_hat.argmax(axis=-1), 0)"

EXERCISE = Exercise(
    reference=predict_tags,
    cases=(
        Case("every size differs", partial(inputs, T_x=7, m=4)),
        Case("every size differs", partial(inputs, T_x=6, m=3)),
        Case("none as long as there are steps", partial(inputs, lengths=none_full, T_x=8, m=6)),
        Case("as many steps as examples as tags", partial(inputs, T_x=5, m=5)),
        Case("equally probable tags", equal_ones),
        Case("never sure", never_sure),
        Case("padding that is no number", meaningless_padding),
        Case("no padding", partial(inputs, lengths=all_full, T_x=6)),
        Case("one example", partial(inputs, m=1, T_x=6)),
        Case("one step", partial(inputs, T_x=1, m=4)),
    ),
    returns=("tags",),
    points=2,
    hints=(
        "Two things: the index of the largest probability along the tags, at every step of every "
        "example; and zeros where there is padding.",
        "y_hat.argmax(axis=-1) is (T_x, m), and of equal ones it takes the first. For the padding "
        "ask of each place: is its step smaller than the length of its example?",
        "np.arange(T_x)[:, np.newaxis] < lengths is the mask, (T_x, m). np.where takes the mask, "
        "what stands where it is True, and what stands elsewhere.",
    ),
    misconceptions=(
        Edit(
            "padding-tagged",
            PICK,
            "y_hat.argmax(axis=-1)",
            "The padding got tags. Nothing is there: it is O, which is 0, or entities would be found "
            "behind the end of the sentence.",
        ),
        Edit(
            "padding-minus-one",
            "argmax(axis=-1), 0)",
            "argmax(axis=-1), -1)",
            "The padding is -1. It should be 0, the tag O.",
        ),
        Edit(
            "probability-instead-of-tag",
            "argmax(axis=-1)",
            "max(axis=-1)",
            "These are the largest probabilities. The tags that have them are asked for: their "
            "indices.",
        ),
        Edit(
            "least-probable",
            "argmax(axis=-1)",
            "argmin(axis=-1)",
            "This is the least probable tag.",
        ),
        Edit(
            "last-of-equals",
            "y_hat.argmax(axis=-1)",
            "y_hat.shape[-1] - 1 - y_hat[..., ::-1].argmax(axis=-1)",
            "Of tags that are equally probable the last was taken. Take the first.",
        ),
        Edit(
            "one-step-too-far",
            "< lengths",
            "<= lengths",
            "The first step of padding got a tag. With n real steps the last is step n - 1, so it is "
            "t < n.",
        ),
        Edit(
            "last-step-left-out",
            "< lengths",
            "< np.subtract(lengths, 1)",
            "The last real step got no tag of its own.",
        ),
        Edit(
            "the-other-way-round",
            "< lengths",
            ">= lengths",
            "The padding is tagged and the words are not: the mask is turned round.",
        ),
        Edit(
            "longest-length-for-all",
            "< lengths",
            "< np.full(len(lengths), lengths.max())",
            "Every example was tagged up to the longest length. Each ends at its own.",
        ),
        Edit(
            "only-when-sure",
            "np.where(real, y",
            "np.where(real & (y_hat.max(axis=-1) > 0.5), y",
            "A tag was chosen only where its probability is above one half. With several tags the "
            "most probable may have less.",
        ),
        Edit(
            "never-outside",
            "y_hat.argmax(axis=-1)",
            "y_hat[..., 1:].argmax(axis=-1) + 1",
            "O was never chosen. It is a tag like the others, and most words have it.",
        ),
        Edit(
            "counted-from-one",
            "y_hat.argmax(axis=-1)",
            "y_hat.argmax(axis=-1) + 1",
            "The tags are counted from 1. Count them from 0, which is O.",
        ),
        Edit(
            "counted-without-outside",
            "y_hat.argmax(axis=-1)",
            "y_hat[..., 1:].argmax(axis=-1)",
            "O was left out before the index was taken, so every index is one too small.",
        ),
        Edit(
            "one-tag-a-sentence",
            "y_hat.argmax(axis=-1)",
            "y_hat[0].argmax(axis=-1)",
            "Every word of a sentence got the first word's tag. Each step has its own.",
        ),
        Edit(
            "over-the-examples",
            "argmax(axis=-1)",
            "argmax(axis=1)",
            "The largest was looked for among the examples. Look among the tags, the last axis.",
        ),
        Edit(
            "batch-first",
            PICK,
            "np.where(real, y_hat.argmax(axis=-1), 0).T",
            "These are (m, T_x), one row for each sentence. Time comes first: one column for each "
            "sentence.",
        ),
        Edit(
            "probabilities-above-zero",
            "np.where(real, y_hat.argmax(axis=-1), 0)",
            "np.where(real, (y_hat > y_hat.mean(axis=-1, keepdims=True)).argmax(axis=-1), 0)",
            "The first tag that is more probable than the average was taken, and not the most "
            "probable.",
        ),
        Edit(
            "one-tag-for-all",
            "y_hat.argmax(axis=-1)",
            "y_hat.argmax()",
            "argmax without an axis is one place in the whole array, counted through. One tag is "
            "asked for at each step: axis=-1.",
        ),
    ),
    alternatives=(in_loops, sentence_by_sentence, through_a_mask, by_sorting),
)
