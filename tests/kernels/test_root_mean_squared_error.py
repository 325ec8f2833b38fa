"""root_mean_squared_error: the root of a batch's mean squared error, and its gradient."""

import numpy as np
import pytest

import kernels
from kernels import reference
from kernels.ops.root_mean_squared_error.cases import data
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks

OP = "root_mean_squared_error"


def run(variant, z, t, **options):
    written = kernels.root_mean_squared_error(
        *variant.put(np.float32(z), np.float32(t)), **options, **variant.options
    )
    return [a if a is None else harness.get(a) for a in written]


class TestArguments(ArgumentChecks):
    @staticmethod
    def inputs():
        return dict(zip(("z", "targets"), data(6, 5), strict=True))

    call = staticmethod(kernels.root_mean_squared_error)


def test_the_gradient_is_that_of_central_differences():
    z, t = (a.astype(float) for a in data(6, 5))
    _, dz, _ = reference.root_mean_squared_error(z, t)
    step = 1e-6
    for at in np.ndindex(z.shape):
        e = np.zeros_like(z)
        e[at] = step
        above, below = (reference.root_mean_squared_error(z + d, t)[0][0] for d in (e, -e))
        assert abs((above - below) / (2 * step) - dz[at]) <= 1e-8


def test_figures(variant):
    """√((9 + 16 + 0 + 0) / 4) = 2.5; dz = d / (4 · 2.5)."""
    squares = harness.Guarded(variant.device, (2,))
    loss, dz = run(variant, [[4, -2], [1, 5]], [[1, 2], [1, 5]], squares=squares.array)
    np.testing.assert_array_equal(loss, [2.5])
    np.testing.assert_allclose(dz, [[0.3, -0.4], [0, 0]], rtol=2e-7)
    np.testing.assert_array_equal(squares.read(), [12.5, 0])


def test_a_perfect_fit_has_gradient_zero(variant):
    """0 / 0 in the formula."""
    z, _ = data(40, 3)
    loss, dz = run(variant, z, z)
    assert loss[0] == 0 and not dz.any()


@pytest.mark.parametrize("d", [1e-42, 1.1e-38])
def test_differences_below_the_normal_numbers_count_as_none(variant, d):
    loss, dz = run(variant, [[d], [0]], [[0], [0]])
    assert loss[0] == 0 and not dz.any()


@pytest.mark.parametrize("d", [1.2e-38, 1e-30, 1e-22, 1.0, 1e22, 3e38])
def test_no_square_overflows_or_vanishes(variant, d):
    """One difference of two: r = d / √2, dz = 1 / √2."""
    loss, dz = run(variant, [[d], [0]], [[0], [0]])
    np.testing.assert_allclose(loss, np.float32(d) / np.sqrt(2), rtol=3e-7)
    np.testing.assert_allclose(dz, [[np.sqrt(0.5)], [0]], rtol=3e-7)


def test_what_is_left_out(variant):
    z, t = data(9, 7)
    loss, dz = run(variant, z, t)
    for left, got in (((False, None), (None, dz)), ((None, False), (loss, None))):
        for a, b in zip(run(variant, z, t, out=left), got, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                harness.same_bits(a, b)


def test_the_gradient_in_place_of_the_outputs(variant):
    z, t = data(1030, 2)
    within = harness.Guarded(variant.device, z.shape, start=z)
    kernels.root_mean_squared_error(
        within.array, variant.put(t), out=(None, within.array), **variant.options
    )
    harness.same_bits(within.read(), run(variant, z, t)[1])


@pytest.mark.parametrize("shape", [(9,), (9, 1), (1, 7), (9, 6), ()], ids=str)
def test_targets_are_never_broadcast(variant, shape):
    with pytest.raises(ValueError, match=r"^targets: got shape \(.*\); expected \(9, 7\)"):
        run(variant, data(9, 7)[0], np.zeros(shape))


@pytest.mark.parametrize("shape", [(0, 3), (3, 0)], ids=str)
def test_nothing_has_no_mean(variant, shape):
    with pytest.raises(ValueError, match=r"^z: got shape .*; expected at least one output"):
        run(variant, np.zeros(shape), np.zeros(shape))


def test_wrong_outputs(variant):
    z, t = variant.put(*data(9, 7))
    wrong = variant.put(np.zeros(8, np.float32))
    for options, name in (
        ({"out": (wrong, None)}, r"out\[0\] \(loss\)"),
        ({"out": (None, wrong)}, r"out\[1\] \(dz\)"),
        ({"squares": wrong}, "squares"),
    ):
        with pytest.raises(ValueError, match=f"^{name}: got shape"):
            kernels.root_mean_squared_error(z, t, **options, **variant.options)
