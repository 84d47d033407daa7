"""The interactive of every unit, made without training anything."""

import numpy as np

from course.given import agreement, baselines, entities, language, seq2seq
from course.given.tagging import Tagger

NAMES = ("anna", "hanna", "nathan", "ethan", "tina", "martin")
SENTENCES = (
    "he said : teddy bears are on sale .",
    "he said : teddy roosevelt was a great president .",
)


def sentences_to_batch():
    from course.given import widgets_sequences

    return widgets_sequences.sentences_to_batch()


def unrolled_steps():
    from course.given import widgets

    return widgets.unrolled_steps()


def gradient_flow():
    from course.given import widgets_bptt

    return widgets_bptt.gradient_flow()


def temperature():
    from course.given import widgets_language

    letters = language.Vocabulary(NAMES)
    pairs = baselines.NGram([letters.numbers(name) for name in NAMES], 2, len(letters))
    return widgets_language.temperature(pairs, letters.tokens)


def gates():
    from course.given import widgets_gru

    return widgets_gru.gates(agreement.gated(0, 4))


def conveyor():
    from course.given import widgets_lstm

    return widgets_lstm.conveyor()


def who_decided():
    from course.given import widgets_birnn

    words = language.Vocabulary([sentence.split() for sentence in SENTENCES])
    tagger = Tagger(np.random.default_rng(1), "both", n_v=len(words), n_x=4, n_a=6, n_y=5)
    return widgets_birnn.who_decided(tagger, words, entities.TAGS, SENTENCES)


def order():
    from course.given import widgets_deep

    return widgets_deep.order()


def beam_tree():
    from course.given import widgets_seq2seq

    return widgets_seq2seq.beam_tree(seq2seq.jane_step, None, seq2seq.JANE)


MADE = {
    "01_sequences": sentences_to_batch,
    "02_rnn_forward": unrolled_steps,
    "03_bptt": gradient_flow,
    "04_language_model": temperature,
    "05_gru": gates,
    "06_lstm": conveyor,
    "07_birnn": who_decided,
    "08_deep_rnn": order,
    "09_seq2seq": beam_tree,
}
