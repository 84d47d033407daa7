"""Which architecture for which task: a quiz."""

from autograder.exercise import Case, Edit, Exercise
from solutions.sequences import architectures

ONE, MANY, TO_ONE = "one to one", "one to many", "many to one"
EQUAL, OTHER = "many to many, equal lengths", "many to many, other lengths"
RIGHT = {
    "tomorrow": TO_ONE,
    "genes": EQUAL,
    "pronunciation": OTHER,
    "caption": MANY,
    "digit": ONE,
    "speaker": TO_ONE,
    "next letter": EQUAL,
}


def taken_for(task, wrong, why, id_=None):
    """One task that was given a wrong architecture."""
    line = f'answers["{task}"] = '
    name = id_ or f"{task}-{wrong}".replace(",", "").replace(" ", "-")
    return Edit(name, f'{line}"{RIGHT[task]}"', f'{line}"{wrong}"', why)


def by_groups():
    groups = {
        TO_ONE: ["tomorrow", "speaker"],
        EQUAL: ["genes", "next letter"],
        OTHER: ["pronunciation"],
        MANY: ["caption"],
        ONE: ["digit"],
    }
    return {task: kind for kind, tasks in groups.items() for task in tasks}


def by_counting():
    """Does it read one or many, does it write one or many, and at the same steps?"""
    reads = dict.fromkeys(RIGHT, "many") | {"caption": "one", "digit": "one"}
    writes = dict.fromkeys(RIGHT, "many") | dict.fromkeys(("tomorrow", "digit", "speaker"), "one")
    answers = {task: f"{reads[task]} to {writes[task]}" for task in RIGHT}
    for task, lengths in (("genes", EQUAL), ("next letter", EQUAL), ("pronunciation", OTHER)):
        answers[task] = lengths
    return answers


SOUNDS = 'answers["pronunciation"] = "many to many, other lengths"'

EXERCISE = Exercise(
    reference=architectures,
    cases=(Case("the seven tasks", lambda rng: {}),),
    returns=("answers",),
    points=2,
    hints=(
        "Ask two questions of each task: at which steps does the network get an input, and "
        "at which steps must it give an answer? How long the answer *sounds* in words does "
        "not matter.",
        "What comes at once, as one vector, is one input, however many numbers it holds. An "
        "answer at every step is `many`, even if each is only yes or no. If the number of "
        "answers is not settled by the number of inputs, the lengths are `other`.",
        "Two tasks ask one question about a whole sequence, two ask one at each of its steps, "
        "one reads all before it writes something of another length, and two get a single vector "
        "to start from: one of them answers with a sentence, the other with a class.",
    ),
    misconceptions=(
        taken_for(
            "tomorrow",
            EQUAL,
            "Tomorrow: a forecast could be made at each of the thirty days, but one is asked for, "
            "after the last.",
        ),
        taken_for(
            "tomorrow",
            ONE,
            "Tomorrow: a temperature comes out as temperatures went in, but thirty were read, one "
            "a step, for a single answer.",
        ),
        taken_for(
            "tomorrow",
            OTHER,
            "Tomorrow: thirty days in and one out are different lengths indeed, but with a single "
            "answer nothing has to be written step by step.",
        ),
        taken_for(
            "genes",
            TO_ONE,
            "Genes: yes or no sounds like one answer, but it is asked of every letter of the "
            "strand.",
        ),
        taken_for(
            "genes",
            OTHER,
            "Genes: each letter gets an answer of its own, so there are exactly as many answers as "
            "letters. No decoder is needed.",
        ),
        taken_for(
            "pronunciation",
            EQUAL,
            "Pronunciation: letters and sounds do not come in pairs. “Through” has seven letters "
            "and three sounds, so the word is read first and then its sounds are written.",
        ),
        taken_for(
            "pronunciation",
            TO_ONE,
            "Pronunciation: one word has one pronunciation, but that is a sequence of sounds, "
            "written one a step.",
        ),
        taken_for(
            "caption",
            ONE,
            "Caption: one picture and one sentence, but the sentence is written word by word, one "
            "a step.",
        ),
        taken_for(
            "caption",
            OTHER,
            "Caption: the photograph does not come in steps. It is one vector, read once; only the "
            "words are many.",
        ),
        taken_for(
            "digit",
            TO_ONE,
            "Digit: 784 pixels are many numbers, but they come at once, as one vector. No step "
            "follows another, so a standard network does.",
        ),
        taken_for(
            "speaker",
            EQUAL,
            "Speaker: one could ask at every slice who is speaking, but it is asked once, of the "
            "whole recording.",
        ),
        taken_for(
            "speaker",
            ONE,
            "Speaker: one recording, one person, but the recording is read in 300 steps.",
        ),
        taken_for(
            "speaker",
            OTHER,
            "Speaker: what is asked for is not what was said, of some other length, but who said "
            "it: one answer.",
        ),
        taken_for(
            "next letter",
            TO_ONE,
            "Next letter: each prediction is one letter, but one is asked for at every letter "
            "read, so there are as many as letters.",
        ),
        taken_for(
            "next letter",
            OTHER,
            "Next letter: the answers are the text itself, moved by one step: as many as letters "
            "read, each given at its own step.",
        ),
        taken_for(
            "next letter",
            MANY,
            "Next letter: a network that *invents* a text goes from one to many, running on its "
            "own output. This one reads a text that is there.",
        ),
        Edit(
            "every-sequence-to-sequence-is-other",
            'answers["genes"] = "many to many, equal lengths"',
            'answers["genes"] = "many to many, other lengths"',
            "Genes and next letter: many answers to many inputs do not need an encoder and a "
            "decoder. Here each input has its answer at its own step.",
            also=(
                (
                    'answers["next letter"] = "many to many, equal lengths"',
                    'answers["next letter"] = "many to many, other lengths"',
                ),
            ),
        ),
        Edit(
            "many-numbers-are-many-inputs",
            'answers["caption"] = "one to many"',
            'answers["caption"] = "many to many, other lengths"',
            "Caption and digit: a vector of many numbers that comes at once is *one* input. Many "
            "means one after another.",
            also=(('answers["digit"] = "one to one"', 'answers["digit"] = "many to one"'),),
        ),
        Edit(
            "an-answer-at-every-step",
            'answers["tomorrow"] = "many to one"',
            'answers["tomorrow"] = "many to many, equal lengths"',
            "Tomorrow and speaker: the network *could* answer at every step, but the task asks "
            "once, when all has been read.",
            also=(
                (
                    'answers["speaker"] = "many to one"',
                    'answers["speaker"] = "many to many, equal lengths"',
                ),
            ),
        ),
        Edit(
            "one-thing-to-one-thing",
            'answers["tomorrow"] = "many to one"',
            'answers["tomorrow"] = "one to one"',
            "Count steps, not things: a recording, a month, a word and a sentence are each one "
            "thing to us, and many steps to the network.",
            also=(
                ('answers["speaker"] = "many to one"', 'answers["speaker"] = "one to one"'),
                ('answers["caption"] = "one to many"', 'answers["caption"] = "one to one"'),
                (SOUNDS, 'answers["pronunciation"] = "one to one"'),
            ),
        ),
    ),
    alternatives=(by_groups, by_counting),
)
