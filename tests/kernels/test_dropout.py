"""dropout: the random words, the masks made of them, and both passes."""

import numba
import numpy as np
import pytest

import kernels
from kernels import philox
from kernels.device import capture
from kernels.ops.dropout import cpu, reference
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks

OP = "dropout"
SEED, STEP, STREAM = 5, 7, 2


def words_of(text):
    return [int(word, 16) for word in text.split()]


def values(*shape):
    return harness.normal(np.random.default_rng(3), *shape)


class TestArguments(ArgumentChecks):
    @staticmethod
    def inputs():
        return {"dy": values(6, 5), "x_saved": np.tanh(values(6, 5))}

    @staticmethod
    def call(dy, x_saved, **options):
        return kernels.dropout_backward(
            dy, 0.4, SEED, STEP, STREAM, x_activation="tanh", x_saved=x_saved, **options
        )


# The words

KNOWN = {  # Random123's kat_vectors, philox4x32 10: counters and keys -> words
    "00000000 00000000 00000000 00000000 00000000 00000000": "6627e8d5 e169c58d bc57ac4c 9b00dbd8",
    "ffffffff ffffffff ffffffff ffffffff ffffffff ffffffff": "408f276d 41c83b0e a20bc7c6 6d5451fd",
    "243f6a88 85a308d3 13198a2e 03707344 a4093822 299f31d0": "d16cfe09 94fdcceb 5001e420 24126ea1",
}


@pytest.mark.parametrize("given", KNOWN)
def test_known_answers(given):
    """Of the reference, of the scalar function as Python, and compiled."""
    arguments, want = words_of(given), words_of(KNOWN[given])
    assert [int(word) for word in reference.philox4x32(arguments[:4], arguments[4:])] == want
    assert list(philox.philox4x32(*arguments)) == want
    assert list(numba.njit(philox.philox4x32)(*arguments)) == want


def test_positions_beyond_32_bits():
    """Of an array of more than 2³⁴ elements, which no test can hold."""
    first, keys = 2**32 - 3, (11, 12)
    words = np.empty((4, 6), np.uint32)
    cpu.make_words(first, 6, (STEP, STREAM, *keys), words)
    at = np.arange(first, first + 6, dtype=np.uint64)
    counters = at % np.uint64(2**32), at >> np.uint64(32), STEP, STREAM
    np.testing.assert_array_equal(words, reference.philox4x32(counters, keys))


# The masks


@pytest.mark.parametrize("counters", [(0, 0, 0), (2**63 - 1, 2**31 - 1, 2**31 - 1), (1, 2, 3)])
def test_the_mask_is_the_reference_mask(variant, counters):
    ones = np.ones((37, 29), np.float32)
    y = harness.get(kernels.dropout(variant.put(ones), 0.3, *counters, **variant.options))
    np.testing.assert_array_equal(y != 0, reference.mask(y.shape, 0.3, *counters) != 0)


def share(a, probability):
    """How many standard deviations the share of ones in `a` is from the probability."""
    return abs(a.mean() - probability) / np.sqrt(probability * (1 - probability) / a.size)


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.5, 0.8])
def test_the_share_that_is_kept(rate):
    mask = reference.mask((1000, 1000), rate, SEED, STEP)
    assert share(mask, 1 - rate) <= 5
    spread = (mask.mean(axis=0) - mask.mean()).std() / np.sqrt(rate * (1 - rate) / 1000)
    assert abs(spread - 1) <= 5 / np.sqrt(2 * 1000), "columns vary as sums of independent draws do"


def test_masks_are_independent():
    """Of neighbours at every distance in and between groups, of other steps, streams and seeds:
    two fair coins agree half of the time."""
    n = 2**20
    mask = reference.mask((n,), 0.5, SEED, STEP, STREAM)
    others = {f"position + {k}": np.roll(mask, k) for k in (1, 2, 3, 4, 5, 8, 64, 512)}
    for step in (STEP + 1, STEP + 2, STEP + 2**16):
        others[f"step {step}"] = reference.mask((n,), 0.5, SEED, step, STREAM)
    for stream in (0, STREAM + 1, STEP):
        others[f"stream {stream}"] = reference.mask((n,), 0.5, SEED, STEP, stream)
    for seed in (0, SEED + 1, SEED + 2**32):
        others[f"seed {seed}"] = reference.mask((n,), 0.5, seed, STEP, STREAM)
    others["step and stream the other way round"] = reference.mask((n,), 0.5, SEED, STREAM, STEP)
    for name, other in others.items():
        assert share(mask == other, 0.5) <= 5, name


def test_a_lower_rate_keeps_more():
    """What 0.3 keeps, 0.2 keeps as well: the same words against another threshold."""
    few, more = (reference.mask((10_000,), rate, SEED, STEP) for rate in (0.3, 0.2))
    assert (few <= more).all() and (few < more).any()


def test_nothing_is_dropped_at_rate_0(variant):
    x = values(37)
    harness.same_bits(kernels.dropout(variant.put(x), 0, SEED, STEP, **variant.options), x)


# Backward


@pytest.mark.parametrize("activation", [None, "tanh", "softmax"])
def test_backward(variant, activation):
    """Its mask is forward's; the derivative of the layer before is folded in."""
    dy, z = values(12, 10), values(12, 10)[::-1].copy()
    saved = kernels.reference.activation(z, activation)
    got = kernels.dropout_backward(
        variant.put(dy),
        0.5,
        SEED,
        STEP,
        STREAM,
        x_activation=activation,
        x_saved=variant.put(saved),
        **variant.options,
    )
    want = kernels.reference.dropout_backward(
        dy.astype(float),
        0.5,
        SEED,
        STEP,
        STREAM,
        x_activation=activation,
        x_saved=saved.astype(float),
    )
    np.testing.assert_allclose(harness.get(got), want, rtol=1e-5, atol=1e-6)
    if activation is None:
        y = kernels.dropout(variant.put(dy), 0.5, SEED, STEP, STREAM, **variant.options)
        harness.same_bits(got, y)


def test_the_derivative_needs_what_it_reads():
    with pytest.raises(TypeError, match=r"^x_saved: got None; .* tanh reads its output"):
        kernels.dropout_backward(values(3), 0.5, 0, 0, x_activation="tanh")
    with pytest.raises(ValueError, match="binary_step"):
        kernels.dropout_backward(values(3), 0.5, 0, 0, x_activation="binary_step")


# Arguments


def test_in_place(variant):
    x = values(1003)
    within = harness.Guarded(variant.device, x.shape, start=x)
    kernels.dropout(within.array, 0.5, SEED, STEP, out=within.array, **variant.options)
    harness.same_bits(
        within.read(), kernels.dropout(variant.put(x), 0.5, SEED, STEP, **variant.options)
    )


@pytest.mark.parametrize("device", ["cpu", pytest.param("emulated", marks=pytest.mark.emulated)])
def test_a_graph_reads_the_step_at_every_replay(device):
    x, step, y = (harness.put(a, device) for a in (values(101), np.int32([1]), values(101)))
    kernels.dropout(x, 0.5, SEED, step, out=y)
    with capture(device) as graph:
        kernels.dropout(x, 0.5, SEED, step, out=y)
    for number in (5, 6):
        step[...] = number
        graph.replay()
        harness.same_bits(y, kernels.dropout(x, 0.5, SEED, number))


@pytest.mark.parametrize("shape", [(0,), (0, 3), (), (2, 3, 5)], ids=str)
def test_any_shape(variant, shape):
    y = kernels.dropout(variant.put(np.ones(shape, np.float32)), 0.5, SEED, STEP, **variant.options)
    assert y.shape == shape
    harness.check(y, 2 * reference.mask(shape, 0.5, SEED, STEP), 0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("rate", rate) for rate in (1, 1.5, -0.1, np.nan, np.inf)),
        *(("seed", seed) for seed in (-1, 2**63, 0.5, None, True)),
        *(("step", step) for step in (-1, 2**31, 1.0)),
        *(("stream", stream) for stream in (-1, 2**31, "a")),
    ],
)
def test_numbers_out_of_range(name, value):
    arguments = {"rate": 0.5, "seed": 0, "step": 0, "stream": 0} | {name: value}
    with pytest.raises(ValueError, match=rf"^{name}: got .*; expected "):
        kernels.dropout(values(3), **arguments)


@pytest.mark.parametrize("step", [np.int32([1, 2]), np.int64([1])], ids=str)
def test_a_step_array_of_another_kind(step):
    with pytest.raises((TypeError, ValueError), match=r"^step: got .*; expected"):
        kernels.dropout(values(3), 0.5, 0, step)
