"""clip_by_norm: gradients scaled down to a norm, together or segment by segment, in place."""

import numba
import numpy as np
import pytest

import kernels
from kernels.ops.clip_by_norm import scratch_size
from kernels.ops.clip_by_norm.cases import LARGEST, case
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks

OP = "clip_by_norm"


def gradients(n, seed=0):
    return np.random.default_rng(seed).standard_normal(n, dtype=np.float32)


class TestArguments(ArgumentChecks):
    in_place = ("g",)
    free = (("g", 0), ("starts", 0))
    wrong_dtypes_of = {"starts": ("int32", "float32", "float64")}  # noqa: RUF012

    @staticmethod
    def inputs():
        return {"g": gradients(37), "starts": np.array([0, 5, 5, 20, 37])}

    @staticmethod
    def call(g, starts, **options):
        kernels.clip_by_norm(g, 0.5, starts, **options)


def test_by_hand(variant):
    """‖(3, −4)‖ = 5, ‖(0.6, 0.8)‖ = 1, and both together √26."""
    g = np.float32([3, -4, 0.6, 0.8])
    one, each = variant.put(g, g)
    kernels.clip_by_norm(one, 2.0, **variant.options)
    np.testing.assert_allclose(harness.get(one), g * 2 / 26**0.5, rtol=5e-7)
    kernels.clip_by_norm(each, 2.0, variant.put(np.array([0, 2, 4])), **variant.options)
    np.testing.assert_allclose(harness.get(each), [1.2, -1.6, 0.6, 0.8], rtol=5e-7)
    harness.same_bits(harness.get(each)[2:], g[2:])


def test_the_largest_numbers_there_are(variant):
    """Their squares are far past the largest float32, and so is their norm."""
    g = variant.put(np.full(10_000, LARGEST))
    kernels.clip_by_norm(g, 1.0, **variant.options)
    np.testing.assert_allclose(harness.get(g), 0.01, rtol=1e-5)


def test_small_ones_are_let_be(variant):
    g = np.float32([1e-42, -1e-30, 0.0, -0.0])
    at_g = variant.put(g)
    kernels.clip_by_norm(at_g, 1e-8, **variant.options)
    harness.same_bits(at_g, g)


def test_nan_takes_its_segment_with_it(variant):
    """No gradient of it means anything any more, and that is to be seen."""
    g, starts = gradients(5003), np.array([0, 2000, 5003])
    g[77] = np.nan
    at_g = variant.put(g)
    kernels.clip_by_norm(at_g, 1.0, variant.put(starts), **variant.options)
    clipped = harness.get(at_g)
    assert np.isnan(clipped[:2000]).all() and np.isfinite(clipped[2000:]).all()


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinity(variant, value):
    """As limit / ∞ makes it: NaN where it stands, 0 elsewhere."""
    g = gradients(300)
    g[77] = value
    at_g = variant.put(g)
    kernels.clip_by_norm(at_g, 1.0, **variant.options)
    clipped = harness.get(at_g)
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(clipped)), [77])
    assert not np.delete(clipped, 77).any()


def test_scratch_changes_nothing(variant):
    """Whatever it holds before."""
    g, starts = gradients(9001), np.array([0, 4100, 9001])
    one, other, at_starts = variant.put(g, g, starts)
    scratch = variant.put(np.full(scratch_size(9001, 2), np.nan, np.float32))
    kernels.clip_by_norm(one, 1.0, at_starts, **variant.options)
    kernels.clip_by_norm(other, 1.0, at_starts, scratch=scratch, **variant.options)
    harness.same_bits(one, other)


def test_wrong_scratch(gpu_variant):
    g, scratch = gpu_variant.put(gradients(50), np.zeros(1, np.float32))
    with pytest.raises(ValueError, match=r"^scratch: got shape \(1,\); expected \(2,\)"):
        kernels.clip_by_norm(g, 1.0, scratch=scratch, **gpu_variant.options)


def test_bounds_outside_of_the_array(variant):
    """Are pulled into it: nothing is read or written there."""
    g = gradients(300)
    at_g, want = variant.put(g, g)
    starts = variant.put(np.array([-(2**40), 100, 2**40]))
    kernels.clip_by_norm(at_g, 1.0, starts, **variant.options)
    kernels.clip_by_norm(want, 1.0, variant.put(np.array([0, 100, 300])), **variant.options)
    harness.same_bits(at_g, want)


def test_the_cpu_gives_the_same_bits_on_any_number_of_threads(cpu_variant):
    g, clipped = gradients(101_770), []
    before = numba.get_num_threads()
    try:
        for threads in range(1, before + 1):
            numba.set_num_threads(threads)
            clipped.append(g.copy())
            kernels.clip_by_norm(clipped[-1], 1.0, **cpu_variant.options)
    finally:
        numba.set_num_threads(before)
    for other in clipped[1:]:
        harness.same_bits(clipped[0], other)


def test_few_blocks(gpu_variant):
    """The sums are another grouping then, and the result still within its budget."""
    for most_blocks in (1, 2, 7):
        case("few", 101_770, 0.1, [0, 100_000, 101_770], most_blocks=most_blocks).check(gpu_variant)


@pytest.mark.parametrize("limit", [0.0, -1.0, 1e-9, 1e21, float("nan"), float("inf")])
def test_no_limit(variant, limit):
    with pytest.raises(ValueError, match=r"^limit: got .*; expected 1e-08 ≤ limit ≤ "):
        kernels.clip_by_norm(variant.put(gradients(5)), limit, **variant.options)


def test_empty(variant):
    assert kernels.clip_by_norm(variant.put(gradients(0)), 1.0, **variant.options) is None
    g = variant.put(gradients(5))
    kernels.clip_by_norm(g, 0.1, variant.put(np.zeros(0, np.int64)), **variant.options)
    harness.same_bits(g, gradients(5))
