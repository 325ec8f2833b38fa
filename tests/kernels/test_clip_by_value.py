"""clip_by_value: gradients held between two limits, in place. Its battery asks for every bit."""

import numpy as np
import pytest

import kernels
from kernels.device import held_to
from kernels.ops.clip_by_value.cases import VALUES, case
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks

OP = "clip_by_value"


class TestArguments(ArgumentChecks):
    in_place = ("g",)
    free = (("g", 0),)

    @staticmethod
    def inputs():
        return {"g": np.random.default_rng(0).standard_normal(37, dtype=np.float32)}

    @staticmethod
    def call(g, **options):
        kernels.clip_by_value(g, 0.5, **options)


def test_more_than_the_largest_grid(gpu_variant):
    with held_to(2):
        case("striding", 3001).check(gpu_variant)


def test_by_hand(variant):
    """−0 keeps its sign, and NaN is no number to clip."""
    g = variant.put(VALUES)
    kernels.clip_by_value(g, 1.0, **variant.options)
    want = [np.nan, 1, -1, 0.0, -0.0, 1, -1, 1, -1, 1, -1, 1e-42]
    harness.same_bits(g, np.float32(want))


@pytest.mark.parametrize("limit", [0.0, -1.0, float("nan")])
def test_no_limit(variant, limit):
    with pytest.raises(ValueError, match=f"^limit: got {limit}; expected limit > 0"):
        kernels.clip_by_value(variant.put(VALUES), limit, **variant.options)


def test_empty(variant):
    assert kernels.clip_by_value(variant.put(VALUES[:0]), 1.0, **variant.options) is None
