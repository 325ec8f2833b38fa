"""linear: y = f(x w + b)."""

import numpy as np
import pytest

import kernels
from kernels.ops.linear.cases import forward_budget, operands
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks
from tests.kernels.mish import mish

OP = "linear"


class TestArguments(ArgumentChecks):
    free = (("x", 0),)

    @staticmethod
    def inputs():
        x, w, b = operands(6, 8, 12)
        return {"x": x, "w": w, "b": b}

    @staticmethod
    def call(x, w, b, **options):
        return kernels.linear(x, w, b, "relu", **options)


def test_an_activation_of_the_users(every_precision):
    variant, (x, w, b) = every_precision, operands(19, 33, 10)
    got = kernels.linear(*variant.put(x, w, b), mish, **variant.options)
    harness.check(got, *forward_budget(x, w, b, mish, variant.precision)[1])


@pytest.mark.parametrize("name", ["relu", "softmax"])
def test_keeping_z_changes_nothing(variant, name):
    x, w, b = variant.put(*operands(19, 33, 10))
    z = harness.Guarded(variant.device, (19, 10))
    with_z = kernels.linear(x, w, b, name, z_out=z.array, **variant.options)
    harness.same_bits(with_z, kernels.linear(x, w, b, name, **variant.options))
    harness.same_bits(z.read(), kernels.linear(x, w, b, **variant.options))


@pytest.mark.parametrize("name", [None, "relu", "softmax"])
def test_no_bias(variant, name):
    x, w, _ = operands(19, 33, 10)
    got = kernels.linear(*variant.put(x, w), None, name, **variant.options)
    harness.check(got, *forward_budget(x, w, None, name)[1])


@pytest.mark.parametrize("name", ["relu", "softmax"])
def test_empty_batch(every_precision, name):
    x, w, b = operands(0, 5, 3)
    got = kernels.linear(*every_precision.put(x, w, b), name, **every_precision.options)
    assert got.shape == (0, 3) and got.dtype == np.float32


def test_no_features_are_refused(variant):
    x, w, b = operands(4, 0, 3)
    with pytest.raises(ValueError, match="I: got 0; expected at least 1"):
        kernels.linear(*variant.put(x, w, b), **variant.options)


@pytest.mark.parametrize(("name", "end"), [("x", 16), ("w", 32), ("b", 36)])
@pytest.mark.parametrize("argument", ["out", "z_out"])
def test_overlap_is_refused(variant, argument, name, end):
    """By a single element; beginning where the input ends is no overlap."""
    memory = variant.put(np.zeros(64, np.float32))
    x, w, b = memory[:16].reshape(4, 4), memory[16:32].reshape(4, 4), memory[32:36]
    output = {argument: memory[end - 1 : end + 15].reshape(4, 4)}
    with pytest.raises(ValueError, match=f"{argument}: shares memory with"):
        kernels.linear(x, w, b, **output, **variant.options)
    kernels.linear(x, w, b, **{argument: memory[36:52].reshape(4, 4)}, **variant.options)


def test_z_out_and_out_must_differ(variant):
    x, w, b, y = variant.put(*operands(4, 4, 4), np.zeros((4, 4), np.float32))
    with pytest.raises(ValueError, match="z_out: shares memory with out"):
        kernels.linear(x, w, b, out=y, z_out=y, **variant.options)


@pytest.mark.parametrize("argument", ["out", "z_out"])
@pytest.mark.parametrize(
    ("shape", "dtype", "error"), [((4, 3), "f4", ValueError), ((4, 2), "f8", TypeError)]
)
def test_wrong_output(variant, argument, shape, dtype, error):
    x, w, b = variant.put(*operands(4, 5, 2))
    output = {argument: variant.put(np.zeros(shape, dtype))}
    with pytest.raises(error, match=f"{argument}: got .*; expected"):
        kernels.linear(x, w, b, **output, **variant.options)


def test_read_only_output(cpu_variant):
    y = np.zeros((4, 2), np.float32)
    y.flags.writeable = False
    with pytest.raises(ValueError, match="out: is not C-contiguous, aligned and writeable"):
        kernels.linear(*operands(4, 5, 2), out=y, **cpu_variant.options)


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"activation": "rleu"}, r"activation: got 'rleu'; .*Did you mean 'relu'\?"),
        ({"precision": "tf23"}, r"precision: got 'tf23'; .*Did you mean 'tf32'\?"),
    ],
)
def test_near_miss(variant, option, message):
    x, w, b = variant.put(*operands(4, 5, 2))
    with pytest.raises(ValueError, match=message):
        kernels.linear(x, w, b, **{**variant.options, **option})


def test_precision_names_the_least(cpu_variant):
    """The CPU computes in float32, whatever coarser precision is allowed."""
    x, w, b = operands(9, 40, 7)
    coarse = kernels.linear(x, w, b, precision="bfloat16", **cpu_variant.options)
    harness.same_bits(coarse, kernels.linear(x, w, b, **cpu_variant.options))


def test_a_precision_that_a_file_does_not_have(gpu_variant):
    if gpu_variant.precision:
        return  # it has all of them
    with pytest.raises(ValueError, match=f"variant '{gpu_variant.file}' computes in float32 only"):
        kernels.linear(
            *gpu_variant.put(*operands(4, 5, 2)), variant=gpu_variant.file, precision="tf32"
        )
