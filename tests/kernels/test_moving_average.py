"""moving_average: the exponential moving average of a flat array."""

import numpy as np
import pytest

import kernels
from kernels.ops.moving_average.cases import data
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks

OP = "moving_average"


class TestArguments(ArgumentChecks):
    in_place = ("average",)

    @staticmethod
    def inputs():
        return dict(zip(("average", "p"), data(300), strict=True))

    call = staticmethod(kernels.moving_average)


def test_figures(variant):
    average, p = variant.put(np.float32([0, 8]), np.float32([4, 0]))
    for step, want in ((1, [4, 0]), (2, [4, 0])):
        kernels.moving_average(average, p, 0.75, step, **variant.options)
        np.testing.assert_array_equal(harness.get(average), want)
    kernels.moving_average(average, variant.put(np.float32([0, 8])), 0.75, **variant.options)
    np.testing.assert_array_equal(harness.get(average), [3, 2])


@pytest.mark.parametrize("momentum", [0.9, 0.999])
def test_what_stays_the_same_is_its_average_to_the_bit(variant, momentum):
    _, p = data(300)
    average, p = variant.put(p), variant.put(p)
    for step in range(1, 50):
        kernels.moving_average(average, p, momentum, step, **variant.options)
    harness.same_bits(harness.get(average), harness.get(p))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"momentum": -0.1}, "^momentum: got -0.1; expected 0 … 1"),
        ({"momentum": np.nan}, "^momentum: got nan"),
        ({"step": 0}, "^step: got 0; expected 1 for the first step"),
    ],
)
def test_refused(options, message):
    with pytest.raises(ValueError, match=message):
        kernels.moving_average(*data(3), **options)


def test_nothing(variant):
    kernels.moving_average(*variant.put(*data(0)), **variant.options)
