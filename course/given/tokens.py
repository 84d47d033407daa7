"""The tokens that every vocabulary of the course begins with."""

EOS = "<EOS>"
"""The end of a sentence; its index is 0."""

UNK = "<UNK>"
"""Whatever is not in the vocabulary; its index is 1."""
