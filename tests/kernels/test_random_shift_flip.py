"""random_shift_flip: where each pixel comes from, and how often each shift and flip happens."""

import numpy as np
import pytest

import kernels
from kernels import reference
from kernels.device import capture
from kernels.ops.random_shift_flip import FLIPS
from kernels.ops.random_shift_flip.cases import images
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks

OP = "random_shift_flip"
BOTH = "horizontal_and_vertical"


class TestArguments(ArgumentChecks):
    free = (("x", 0),)

    @staticmethod
    def inputs():
        return {"x": images(6, (4, 5))}

    @staticmethod
    def call(x, **options):
        return kernels.random_shift_flip(x, (4, 5), (1, 2), BOTH, 5, 7, 2, **options)


# The reference, against the definition


@pytest.mark.parametrize("flip", FLIPS)
def test_the_reference_is_the_definition(flip):
    """Pixel by pixel from given words: 0 shifts by −most, the largest by +most."""
    height, width, most = 4, 5, (1, 2)
    x = images(9, (height, width)).reshape(9, height, width)
    low, middle, high = 0, 2**31, 2**32 - 1  # shifts of −most, 0 and most; flipped from the middle
    words = [(a, b, c, middle - c) for a, b, c in zip([low, middle, high] * 3,
             [low] * 3 + [middle] * 3 + [high] * 3, [0, middle] * 5, strict=False)]  # fmt: skip
    y = reference_of_words(x, flip, most, words).reshape(x.shape)
    for b, (down, right, mirror, turn) in enumerate(words):
        v, h = (
            round((word / high * 2 - 1) * m) for word, m in zip((down, right), most, strict=True)
        )
        for i in range(height):
            for j in range(width):
                at = i - v, j - h
                if flip in ("vertical", BOTH) and turn >= middle:
                    at = height - 1 - at[0], at[1]
                if flip in ("horizontal", BOTH) and mirror >= middle:
                    at = at[0], width - 1 - at[1]
                inside = 0 <= at[0] < height and 0 <= at[1] < width
                assert y[b, i, j] == (x[(b, *at)] if inside else 0)


def reference_of_words(x, flip, most, words):
    from kernels.ops.random_shift_flip.reference import random_shift_flip

    return random_shift_flip(x.reshape(len(x), -1), x.shape[1:], most, flip, np.transpose(words))


# What is drawn


def drawn(step=7, stream=2, seed=5, rows=20_000):
    """(down, right, mirrored, upside down) of each row: where a marked pixel of 7 × 7 goes to."""
    x = np.zeros((rows, 7, 7), np.float32)
    x[:, 3, 3], x[:, 3, 4], x[:, 4, 3] = 1, 2, 3
    y = reference.random_shift_flip(x.reshape(rows, -1), (7, 7), (2, 2), BOTH, seed, step, stream)
    _, down, right = np.nonzero(y.reshape(x.shape) == 1)
    mirrored = np.nonzero(y.reshape(x.shape) == 2)[2] < right
    upside_down = np.nonzero(y.reshape(x.shape) == 3)[1] < down
    return np.stack([down - 3, right - 3, mirrored, upside_down])


def within_5_deviations(hits, probability):
    deviation = np.sqrt(probability * (1 - probability) / hits.size)
    return abs(hits.mean() - probability) <= 5 * deviation


def test_each_shift_and_flip_is_as_likely():
    down, right, mirrored, upside_down = drawn()
    for v in range(-2, 3):
        for h in range(-2, 3):
            assert within_5_deviations((down == v) & (right == h), 1 / 25)
    for m in (0, 1):
        for u in (0, 1):
            assert within_5_deviations((mirrored == m) & (upside_down == u) & (down > 0), 0.1)


def test_rows_steps_streams_and_seeds_are_independent():
    first = drawn()
    for other in (np.roll(first, 1, axis=1), drawn(step=8), drawn(stream=3), drawn(seed=6)):
        assert within_5_deviations(first[0] == other[0], 1 / 5)
        assert within_5_deviations(first[2] == other[2], 1 / 2)


# Arguments


def test_nothing_asked_for_is_nothing_done(variant):
    x = images(5, (3, 4))
    y = kernels.random_shift_flip(variant.put(x), (3, 4), (0, 0), None, 5, 7, **variant.options)
    harness.same_bits(y, x)


@pytest.mark.parametrize("device", ["cpu", pytest.param("emulated", marks=pytest.mark.emulated)])
def test_a_graph_reads_the_step_at_every_replay(device):
    x, y = (harness.put(images(5, (3, 4)), device) for _ in range(2))
    step = harness.put(np.int32([1]), device)
    with capture(device) as graph:
        kernels.random_shift_flip(x, (3, 4), (1, 1), "horizontal", 5, step, out=y)
    for number in (5, 6):
        step[...] = number
        graph.replay()
        harness.same_bits(y, kernels.random_shift_flip(x, (3, 4), (1, 1), "horizontal", 5, number))


def test_no_images(variant):
    x = variant.put(np.zeros((0, 12), np.float32))
    y = kernels.random_shift_flip(x, (3, 4), (1, 1), None, 5, 7, **variant.options)
    assert y.shape == (0, 12)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("image_shape", shape) for shape in ((12,), (3, 0), (3.0, 4), 12, (3, 4, 1))),
        *(("most", most) for most in ((-1, 0), (1,), 2, (0.5, 1), (2**30, 0))),
        *(("flip", flip) for flip in ("sideways", True)),
    ],
    ids=str,
)
def test_wrong_arguments(name, value):
    arguments = {"image_shape": (3, 4), "most": (1, 1), "flip": None, "seed": 0, "step": 0}
    with pytest.raises(ValueError, match=f"^{name}: got .*; expected"):
        kernels.random_shift_flip(images(2, (3, 4)), **arguments | {name: value})


def test_not_in_place(variant):
    x = variant.put(images(2, (3, 4)))
    with pytest.raises(ValueError, match=r"^out: shares memory with x"):
        kernels.random_shift_flip(x, (3, 4), (1, 1), None, 0, 0, out=x, **variant.options)
