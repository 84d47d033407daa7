"""A decoder writes with foresight: several hypotheses side by side."""

import heapq
import math
from functools import partial

import numpy as np

from autograder.exercise import Case, Edit, Exercise, mutant
from autograder.specs import Named
from solutions.seq2seq import beam_search, greedy_decode

STATES = 13
MOST_DRAWS = 2000  # some thirty times what is needed on average
NEAR = 1e-10  # a relative error far above rounding, and far below what sets two texts apart


def inputs(rng, width=3, alpha=0.7, max_length=5, n_v=6, end=0.25, zeros=0.0, flat=1.0, likely=0.2):
    """A decoder whose predictions depend on all that it has written.

    The end is token 2, with a probability of about `end`; a share of the others is impossible.
    """
    table = rng.dirichlet(np.full(n_v, flat), size=STATES)
    table[rng.random(table.shape) < zeros] = 0
    table[np.arange(STATES), rng.choice([0, 1, 3], STATES)] += likely
    table[:, 2] = 0
    table *= (1 - end) / table.sum(axis=1, keepdims=True)
    table[:, 2] = end * rng.choice([0.3, 0.8, 4.0], STATES)
    return {
        "step": Named("forked_step", (table / table.sum(axis=1, keepdims=True), np.zeros(1, int))),
        "state": int(rng.integers(STATES)),
        "eos": 2,
        "max_length": max_length,
        "width": width,
        "alpha": alpha,
    }


def where(test, rng, **fixed):
    """Inputs that show something: drawn until `test` of them holds."""
    for _ in range(MOST_DRAWS):
        case = inputs(rng, **fixed)
        if test(case) and settled(case):
            return case
    raise RuntimeError("no inputs were found that show what they should")


def found(case, **changed):
    case = {**case, **changed}
    return beam_search(**{**case, "step": case["step"].make()})


def settled(case):
    """Rounding decides nothing: with all probabilities a little off, the same is found.

    Two texts may go through the same states in another order. Their probabilities are equal, and
    the sums of logarithms are not, to rounding.
    """
    rng, step = np.random.default_rng(0), case["step"].make()

    def shaken_step(token, state):
        y_hat, state = step(token, state)
        return y_hat * rng.uniform(1 - NEAR, 1 + NEAR, len(y_hat)), state

    right = found(case)[0]
    return all(beam_search(**{**case, "step": shaken_step})[0] == right for _ in range(4))


def equally_probable(rng):
    """The first two tokens of a text of one are equally probable, to the last bit."""
    case = inputs(rng, width=2, max_length=1)
    table, taken = case["step"].arguments
    table[:, [3, 5]] = 1.0
    table /= table.sum(axis=1, keepdims=True)
    return {**case, "step": Named("forked_step", (table, taken))}


def greed_is_beaten(case):
    """A wider beam finds something better, of at least two tokens."""
    (tokens, score), (_, greedy) = found(case), found(case, width=1)
    return score > greedy + 0.01 and len(tokens) > 1


def apart(*slips):
    """A test: the right search and these slips, told by their ids, all find something else."""

    def test(case):
        edits = [edit for edit in EXERCISE.misconceptions if edit.id in slips]
        searches = [beam_search, *(mutant(beam_search, edit) for edit in edits)]
        results = [search(**{**case, "step": case["step"].make()}) for search in searches]
        return len({(tuple(tokens), round(score, 6)) for tokens, score in results}) == len(results)

    return test


def length_decides(case):
    """The longer one wins on average, and the shorter one by its probability."""
    return len(found(case)[0]) > len(found(case, alpha=0.0)[0]) + 1


def greedy_writes_long(case):
    """The sequence that is written with a width of 1 has several tokens and an end."""
    tokens = greedy_decode(case["step"].make(), case["state"], 2, case["max_length"])
    return 3 <= len(tokens) < case["max_length"] and found(case)[0] == tokens


def places_are_few(case):
    """Greed is beaten, and something improbable ends that would have the best score."""
    return greed_is_beaten(case) and CUT(case)


def width_matters(case):
    """Greed is beaten, and a beam of another shape would find something else, too."""
    return greed_is_beaten(case) and PRUNED(case)


PRUNED = apart("nothing-is-pruned", "they-never-compete")
CUT = apart("ends-before-they-compete")
LATE = apart("first-end-wins", "best-by-probability", "enough-have-ended")
UNFINISHED = apart("unfinished-only-if-none-ended")
PLACES = apart("ended-ones-go-on", "ended-ones-keep-their-places", "ended-ones-take-no-place")
# All tokens about equally probable: 125 of them have a probability below the smallest number.
LONG = {"width": 1, "max_length": 125, "n_v": 600, "end": 0.0, "flat": 200.0, "likely": 0.0}


def with_a_matrix(step, state, eos, max_length, width, alpha):
    """All extensions of a step as one array of logarithms, sorted as a whole."""
    texts, sums, states, done = [[]], np.zeros(1), [state], []
    for length in range(1, max_length + 1):
        if not texts:
            break
        answers = [step(t[-1] if t else eos, s) for t, s in zip(texts, states)]
        with np.errstate(divide="ignore"):
            totals = sums[:, None] + np.log([y_hat for y_hat, _ in answers])
        kept = np.argsort(-totals, axis=None, kind="stable")[:width]
        kept = [divmod(int(k), totals.shape[1]) for k in kept]
        kept = [(i, k) for i, k in kept if np.isfinite(totals[i, k])]
        done += [(texts[i], totals[i, k] / length**alpha) for i, k in kept if k == eos]
        alive = [(i, k) for i, k in kept if k != eos]
        sums = np.array([totals[i, k] for i, k in alive])
        states = [answers[i][1] for i, _ in alive]
        texts = [[*texts[i], k] for i, k in alive]
    done += [(text, total / max_length**alpha) for text, total in zip(texts, sums)]
    return max(done, key=lambda one: one[1])


def with_a_heap(step, state, eos, max_length, width, alpha):
    """Costs instead of probabilities; the cheapest come off a heap."""
    best, cheapest = None, np.inf
    alive = [(0.0, (), state)]
    for length in range(1, max_length + 1):
        heap = []
        for rank, (cost, text, thought) in enumerate(alive):
            y_hat, thought = step(text[-1] if text else eos, thought)
            for k in np.flatnonzero(y_hat):
                more = cost - np.log(y_hat[k])
                heapq.heappush(heap, (more, rank, int(k), text, thought))
        alive = []
        for _ in range(min(width, len(heap))):
            cost, _rank, k, text, thought = heapq.heappop(heap)
            over = k == eos or length == max_length
            if over and cost / length**alpha < cheapest:
                best, cheapest = (*text, k), cost / length**alpha
            if k != eos:
                alive.append((cost, (*text, k), thought))
    return [k for k in best if k != eos], -cheapest


def in_lists(ask, thought, stop, most, wide, power):
    """Hypotheses as dicts; the end stays in their lists until they are handed back."""
    beam = [{"text": [], "odds": [], "log": 0.0, "thought": thought}]
    finished = []
    while beam and len(beam[0]["text"]) < most:
        grown = []
        for h in beam:
            odds, after = ask(([stop] + h["text"])[-1], h["thought"])
            for k, p in enumerate(odds):
                if p > 0:
                    path = h["odds"] + [p]
                    log = math.fsum(map(math.log, path))  # rounded once, and not at each step
                    text = h["text"] + [k]
                    grown.append({"text": text, "odds": path, "log": log, "thought": after})
        grown = sorted(grown, key=lambda h: -h["log"])[:wide]
        finished += [h for h in grown if h["text"][-1] == stop]
        beam = [h for h in grown if h["text"][-1] != stop]
    scores = [h["log"] / len(h["text"]) ** power for h in finished + beam]
    winner = (finished + beam)[int(np.argmax(scores))]
    return [k for k in winner["text"] if k != stop], max(scores)


def recursive(step, state, eos, max_length, width, alpha):
    """The rest of a search from a beam."""

    def search(beam, length):
        if not beam or length > max_length:
            return [(text, log_p / max_length**alpha) for text, log_p, _ in beam]
        grown = []
        for text, log_p, before in beam:
            y_hat, after = step((text or (eos,))[-1], before)
            likely = [k for k in range(len(y_hat)) if y_hat[k]]
            grown += [((*text, k), log_p + np.log(y_hat[k]), after) for k in likely]
        kept = sorted(grown, key=lambda one: one[1], reverse=True)[:width]
        ended = [(text[:-1], p / length**alpha) for text, p, _ in kept if text[-1] == eos]
        return ended + search([one for one in kept if one[0][-1] != eos], length + 1)

    tokens, score = max(search([((), 0.0, state)], 1), key=lambda one: one[1])
    return np.array(tokens, dtype=int), score


STEP = "y_hat, state = step(tokens[-1] if tokens else eos, state)"
LOG = "np.log(y_hat[token], dtype=float)"
KEPT = "extensions[:width]"
ENDED = "ended.append((tokens[:-1], log_p / length**alpha))"
REST = "    ended += [(tokens, log_p / max_length**alpha) for tokens, log_p, _ in beam]\n"
BEST = "tokens, score = max(ended, key=lambda hypothesis: hypothesis[1])"
BEGIN = "        extensions = []\n"

EXERCISE = Exercise(
    reference=beam_search,
    cases=(
        Case(
            "a beam of three, log-probabilities",
            partial(where, places_are_few, max_length=6, alpha=0.0),
        ),
        Case("a beam of two", partial(where, width_matters, width=2, alpha=1.0)),
        Case("a late end wins", partial(where, LATE, width=4, alpha=1.0, max_length=7, end=0.1)),
        Case("ends and places", partial(where, PLACES, alpha=1.0, max_length=7, end=0.1)),
        Case("length decides", partial(where, length_decides, alpha=1.0, max_length=8, width=4)),
        Case("a beam of one", partial(where, greedy_writes_long, width=1, max_length=9, end=0.2)),
        Case(
            "a decoder that never ends",
            partial(where, settled, end=0.0, max_length=4, alpha=1.0),
        ),
        Case("one step", partial(inputs, max_length=1, end=0.2)),
        Case(
            "wider than there are hypotheses",
            partial(where, UNFINISHED, width=40, max_length=2, zeros=0.4),
        ),
        Case("a sequence so long that its probability is no number", partial(inputs, **LONG)),
        Case("two tokens equally probable", equally_probable),
    ),
    returns=("tokens", "score"),
    points=6,
    hints=(
        "A hypothesis is three things: its tokens, the sum of their log-probabilities, and the state "
        "that the decoder is in after them. The beam is a list of hypotheses; it begins with one, "
        "without tokens, whose sum is 0.",
        "One step: for each hypothesis call the decoder's step on its last token (eos if it has "
        "none) and its own state; each token of the answer that is possible makes an extension. Sort "
        "all extensions of all hypotheses together, keep the first width, and sort them into two "
        "lists, ended and going on.",
        "For length from 1 to max_length: make the extensions (tokens and one more, sum and its log, "
        "new state); sort by sum, largest first; of the first width, those with eos go to a list of "
        "ended ones, without the eos and with their sum over length**alpha, the others are the new "
        "beam. After the loop what is left in the beam joins the ended ones, with "
        "max_length**alpha; the best score of all wins.",
    ),
    misconceptions=(
        Edit(
            "greedy",
            KEPT,
            "extensions[:1]",
            "Only the best extension is kept at each step. That is greedy decoding; keep width of "
            "them.",
        ),
        Edit(
            "last-of-equals",
            'np.argsort(-y_hat, kind="stable")',
            'np.argsort(y_hat, kind="stable")[::-1]',
            "Of two that are equally probable the last was kept: the token with the higher index. "
            "The first should be.",
        ),
        Edit(
            "they-never-compete",
            "[:width]  # no more can be kept",
            "[: 1 if tokens else width]",
            "After the first step each hypothesis is extended by its own best token only. All "
            "extensions of all hypotheses compete for the places in the beam.",
        ),
        Edit(
            "nothing-is-pruned",
            KEPT,
            "extensions[: width * 2]",
            "More extensions are kept than the beam is wide: width of them, of all together.",
        ),
        Edit(
            "least-probable-kept",
            "key=lambda extension: extension[1], reverse=True",
            "key=lambda extension: extension[1]",
            "The extensions are sorted from the least probable on, and the first ones are kept.",
        ),
        Edit(
            "probabilities-added",
            LOG,
            "float(y_hat[token])",
            "Probabilities were added. They multiply; it is their logarithms that are added.",
        ),
        Edit(
            "base-2",
            LOG,
            "np.log2(y_hat[token], dtype=float)",
            "The logarithms are to base 2; natural ones are asked for.",
        ),
        Edit(
            "last-token-only",
            "longer = log_p + np",
            "longer = np",
            "A hypothesis is judged by its last token only. Its log-probability is the sum over all "
            "of its tokens.",
        ),
        Edit(
            "probabilities-multiplied",
            "[([], 0.0, state)]",
            "[([], 1.0, state)]",
            "The probabilities themselves are multiplied, and the product of a long sequence is 0. "
            "Add logarithms.",
            also=(
                ("log_p + np.log(y_hat[token], dtype=float)", "log_p * float(y_hat[token])"),
                ("log_p / length**alpha", "np.log(log_p) / length**alpha"),
                ("log_p / max_length**alpha", "np.log(log_p) / max_length**alpha"),
            ),
        ),
        Edit(
            "state-not-advanced",
            STEP,
            STEP.replace("state =", "_after ="),
            "Hypotheses keep the state that they were started with. An extension goes on from the "
            "state that step has returned.",
        ),
        Edit(
            "one-state-for-all",
            "for tokens, log_p, state in beam:",
            "for tokens, log_p, _own in beam:",
            "All hypotheses share one state, the newest. Each goes on from its own.",
        ),
        Edit(
            "reads-the-end-every-time",
            "tokens[-1] if tokens else eos",
            "eos",
            "The decoder reads eos at every step. It should read the last token of the "
            "hypothesis that is extended.",
        ),
        Edit(
            "begins-with-token-0",
            "tokens[-1] if tokens else eos",
            "tokens[-1] if tokens else 0",
            "The first token read is 0. It should be eos, which has an index of its own here.",
        ),
        Edit(
            "end-is-kept",
            ENDED,
            ENDED.replace("[:-1]", ""),
            "The end itself stands in the sequence. It counts in score and length, and should be "
            "left out of the tokens.",
        ),
        Edit(
            "ended-ones-go-on",
            f"                {ENDED}\n            else:\n                beam",
            f"                {ENDED}\n            beam",
            "A hypothesis that has ended stays in the beam and is extended beyond its end. Take "
            "it out of the beam: it is finished.",
        ),
        Edit(
            "never-ends",
            "if tokens[-1] == eos:",
            "if False:",
            "The end is taken for a token like any other: no hypothesis ever ends.",
        ),
        Edit(
            "first-end-wins",
            BEGIN,
            BEGIN + "        if ended:\n            beam = []\n            break\n",
            "The search stops at the first step at which something ends. What ends later may have a "
            "better score.",
        ),
        Edit(
            "enough-have-ended",
            BEGIN,
            BEGIN + "        if len(ended) >= width:\n            beam = []\n            break\n",
            "The search stops once width hypotheses have ended. It should go on while there is one "
            "in the beam: what ends later may have a better score.",
        ),
        Edit(
            "ends-before-they-compete",
            "                extensions.append(([*tokens, token], longer, state))\n",
            "                if token == eos:\n"
            "                    ended.append((tokens, longer / length**alpha))\n"
            "                else:\n"
            "                    extensions.append(([*tokens, token], longer, state))\n",
            "Every end is taken, before it is compared with the other extensions. Only those that are "
            "among the width best of all may end.",
        ),
        Edit(
            "ended-ones-take-no-place",
            "        for tokens, log_p, state in extensions[:width]:\n",
            "        kept = [e for e in extensions if e[0][-1] != eos][:width]\n"
            "        kept += [e for e in extensions[:width] if e[0][-1] == eos]\n"
            "        for tokens, log_p, state in kept:\n",
            "The beam was filled up again with hypotheses that go on, so that more than width were "
            "kept. Those that end are among the width, and leave their places empty.",
        ),
        Edit(
            "ended-ones-keep-their-places",
            STEP,
            "if tokens[-1:] == [eos]:\n"
            "                extensions.append((tokens, log_p, state))\n"
            "                continue\n            " + STEP,
            "A hypothesis that has ended stays in the beam as it is, and takes a place from "
            "those that go on. Put it aside, and let the beam go on without it.",
            also=(
                (
                    f"                {ENDED}\n            else:\n",
                    "                ended.append((tokens[:-1], log_p / len(tokens) ** alpha))\n"
                    "            if length < max_length or tokens[-1] != eos:\n",
                ),
            ),
        ),
        Edit(
            "ended-ones-are-lost",
            ENDED,
            "pass",
            "What has ended is thrown away, and only what never ended can win.",
            also=((BEST, "tokens, score = max(ended or [([], 0.0)], key=lambda h: h[1])"),),
        ),
        Edit(
            "unfinished-ones-are-lost",
            REST,
            "",
            "What is unfinished after max_length steps is thrown away. It should count as it is.",
            also=((BEST, "tokens, score = max(ended or [([], 0.0)], key=lambda h: h[1])"),),
        ),
        Edit(
            "unfinished-only-if-none-ended",
            REST,
            REST.replace("in beam]", "in beam if not ended]"),
            "What is unfinished counts only where nothing has ended. It should count in any case, by "
            "its score.",
        ),
        Edit(
            "alpha-ignored",
            "log_p / length**alpha",
            "log_p",
            "alpha has no effect: log-probabilities are compared as they are, so that short "
            "sequences win.",
            also=(("log_p / max_length**alpha", "log_p"),),
        ),
        Edit(
            "averages-always",
            "log_p / length**alpha",
            "log_p / length",
            "The log-probability is always divided by the length. Divide by the length to the power "
            "of alpha.",
            also=(("log_p / max_length**alpha", "log_p / max_length"),),
        ),
        Edit(
            "times-alpha",
            "log_p / length**alpha",
            "log_p / max(length * alpha, 1)",
            "The length was multiplied by alpha. alpha should be its exponent.",
            also=(("log_p / max_length**alpha", "log_p / max(max_length * alpha, 1)"),),
        ),
        Edit(
            "multiplied-by-length",
            "log_p / length**alpha",
            "log_p * length**alpha",
            "The log-probability was multiplied by the length, which punishes long sequences even "
            "more. Divide by it.",
            also=(("log_p / max_length**alpha", "log_p * max_length**alpha"),),
        ),
        Edit(
            "another-penalty",
            "log_p / length**alpha",
            "log_p / ((5 + length) / 6) ** alpha",
            "The log-probability was divided by ((5 + length) / 6)**alpha, as in Google's system. "
            "Here it is length**alpha.",
            also=(("log_p / max_length**alpha", "log_p / ((5 + max_length) / 6) ** alpha"),),
        ),
        Edit(
            "length-without-the-end",
            "log_p / length**alpha",
            "log_p / max(length - 1, 1) ** alpha",
            "The length of an ended sequence was counted without its end. The end was drawn like any "
            "token, its log-probability is in the sum, and it counts.",
        ),
        Edit(
            "best-by-probability",
            ENDED,
            "ended.append((tokens[:-1], log_p / length**alpha, log_p))",
            "The winner was chosen by log-probability, and only its score was divided by the length. "
            "The division is made to choose by.",
            also=(
                (
                    "[(tokens, log_p / max_length**alpha) for",
                    "[(tokens, log_p / max_length**alpha, log_p) for",
                ),
                (BEST, "tokens, score, _ = max(ended, key=lambda hypothesis: hypothesis[2])"),
            ),
        ),
        Edit(
            "score-is-the-log-probability",
            BEST,
            BEST
            + "\n    tokens, score = max(ended, key=lambda h: h[1])[0], max(p for _, p in ended)\n"
            "    score *= (len(tokens) + (len(tokens) < max_length)) ** alpha",
            "The score that is returned has not been divided by the length. Return that by which the "
            "winner was chosen.",
        ),
        Edit(
            "worst-wins",
            "max(ended",
            "min(ended",
            "The smallest score wins. Log-probabilities are negative: the best is the largest, which "
            "is the nearest to 0.",
        ),
        Edit(
            "score-with-a-minus",
            BEST,
            BEST + "\n    score = -score",
            "The sign of the score is turned. A log-probability is negative.",
        ),
        Edit(
            "one-step-too-few",
            "range(1, max_length + 1)",
            "range(1, max_length)",
            "The search takes one step too few: max_length steps are allowed.",
        ),
        Edit(
            "one-step-too-many",
            "range(1, max_length + 1)",
            "range(1, max_length + 2)",
            "The search takes one step too many: max_length steps are allowed.",
        ),
        Edit(
            "only-the-last-token",
            "([*tokens, token], longer, state)",
            "([token], longer, state)",
            "A hypothesis holds only its last token. Extending makes a list that is longer by one.",
        ),
    ),
    alternatives=(with_a_matrix, with_a_heap, in_lists, recursive),
)
