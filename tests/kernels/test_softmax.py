"""softmax as an activation: y = exp(z − max) / Σ, along the last axis, and its backward."""

import numpy as np
import pytest

import kernels
from kernels.battery import budgets
from tests import harness

OP = "activation"
ROWS = [1, 3, 4, 5]
COLUMNS = [1, 2, 10, 31, 32, 33, 255, 1023, 1024, 1025, 2500]


def normal(*shape, seed=0):
    return 5 * harness.normal(np.random.default_rng((seed, *shape)), *shape)


@pytest.mark.parametrize("columns", COLUMNS)
def test_forward(variant, columns):
    for rows in ROWS:
        z = normal(rows, columns)
        y = harness.Guarded(variant.device, z.shape)
        kernels.activation(variant.put(z), "softmax", out=y.array, **variant.options)
        harness.check(y.read(), *budgets.through("softmax", z.astype(float), np.zeros(z.shape)))


@pytest.mark.parametrize("columns", COLUMNS)
def test_backward(variant, columns):
    for rows in ROWS:
        dy = normal(rows, columns, seed=1)
        y = kernels.reference.activation(normal(rows, columns), "softmax").astype(np.float32)
        dz = harness.Guarded(variant.device, y.shape)
        given = variant.put(dy, y)
        kernels.activation_backward(*given, "softmax", out=dz.array, **variant.options)
        want = budgets.times_derivative("softmax", dy.astype(float), np.zeros(y.shape), y)
        harness.check(dz.read(), *want)


@pytest.mark.parametrize("columns", [3, 40, 1030])
@pytest.mark.parametrize(
    ("value", "nan"),
    [(1e4, False), (-1e4, False), (-np.inf, False), (np.inf, True), (np.nan, True)],
)
def test_one_extreme_logit(variant, columns, value, nan):
    """It decides its row alone: it takes all, or nothing, or makes the row NaN."""
    z = normal(3, columns)
    z[1, columns // 2] = value
    with np.errstate(invalid="ignore"):
        want, bound = budgets.through("softmax", z.astype(float), np.zeros(z.shape))
    got = kernels.activation(variant.put(z), "softmax", **variant.options)
    assert np.isnan(harness.get(got)[1]).all() == nan
    harness.check_special(got, want, bound)


@pytest.mark.parametrize("columns", [1, 3, 40, 1030])
def test_a_row_of_minus_infinity_is_nan(variant, columns):
    z = normal(3, columns)
    z[1] = -np.inf
    got = harness.get(kernels.activation(variant.put(z), "softmax", **variant.options))
    assert np.isnan(got[1]).all() and not np.isnan(got[[0, 2]]).any()


def test_a_common_offset_changes_little(variant):
    """softmax(z + c) = softmax(z); a whole c is added without rounding."""
    z = np.round(normal(4, 50))
    at_zero, far = (
        kernels.activation(variant.put(z + np.float32(c)), "softmax", **variant.options)
        for c in (0, 1e4)
    )
    harness.same_bits(at_zero, far)


@pytest.mark.parametrize("shape", [(6,), (2, 3, 6), (1, 2, 3, 4)], ids=str)
def test_along_the_last_axis(variant, shape):
    z, dy = normal(*shape), normal(*shape, seed=1)
    y = kernels.activation(variant.put(z), "softmax", **variant.options)
    harness.check(y, *budgets.through("softmax", z.astype(float), np.zeros(shape)))
    dz = kernels.activation_backward(variant.put(dy), y, "softmax", **variant.options)
    want = budgets.times_derivative("softmax", dy.astype(float), np.zeros(shape), harness.get(y))
    harness.check(dz, *want)


def test_in_place(variant):
    z = normal(5, 33)
    apart = kernels.activation(variant.put(z), "softmax", **variant.options)
    within = harness.Guarded(variant.device, z.shape, start=z)
    kernels.activation(within.array, "softmax", out=within.array, **variant.options)
    harness.same_bits(within.read(), apart)

    dy = normal(5, 33, seed=1)
    dz = kernels.activation_backward(variant.put(dy), apart, "softmax", **variant.options)
    within = harness.Guarded(variant.device, dy.shape, start=dy)
    kernels.activation_backward(within.array, apart, "softmax", out=within.array, **variant.options)
    harness.same_bits(within.read(), dz)


@pytest.mark.parametrize("shape", [(0, 5), (3, 0)], ids=str)
def test_empty(variant, shape):
    z = variant.put(np.zeros(shape, np.float32))
    assert kernels.activation(z, "softmax", **variant.options).shape == shape
    assert kernels.activation_backward(z, z, "softmax", **variant.options).shape == shape


def test_a_scalar_has_no_row(variant):
    with pytest.raises(ValueError, match=r"z: got shape \(\); softmax expected at least one axis"):
        kernels.activation(variant.put(np.float32(1)), "softmax", **variant.options)
