"""How far, from a random word: scalar Python over int64, compiled for both devices.

Source: Lemire, Fast random integer generation in an interval, ACM TOMACS 2019, without its
rejection: 2³² words on 2 · most + 1 shifts, so no shift has a word more than one over another's.
"""


def shift(word, most):
    """A whole number −most … most from a word 0 … 2³² − 1."""
    return ((word * (2 * most + 1)) >> 32) - most


def flipped(word):
    """1 for one half of the words, else 0."""
    return word >> 31
