"""softmax as an activation: y = exp(z − max) / Σ, along the last axis, and its backward."""

import numpy as np
import pytest

import kernels
from kernels.ops.activation.cases import backward, forward, normal
from tests import harness

OP = "activation"


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
    forward("y", "softmax", z).judge({"y": harness.get(y)})
    dz = kernels.activation_backward(variant.put(dy), y, "softmax", **variant.options)
    backward("dz", "softmax", dy, harness.get(y)).judge({"dz": harness.get(dz)})


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
