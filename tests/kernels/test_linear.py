"""linear: y = f(x w + b)."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import kernels
from kernels import activations
from kernels.battery import budgets
from tests import harness
from tests.kernels.battery import Battery
from tests.kernels.mish import mish

OP = "linear"
SHAPES = harness.product_shapes(OP)


def operands(B, I, O, draw=harness.normal):
    rng = np.random.default_rng((B, I, O))
    return draw(rng, B, I), draw(rng, I, O), draw(rng, O)


def expected(x, w, b, activation, precision=None):
    z, z_bound = budgets.product(x, w, precision)
    if b is not None:
        z, z_bound = budgets.plus(z, z_bound, b)
    return (z, z_bound), budgets.through(activation, z, z_bound)


class TestArguments(Battery):
    free = (("x", 0),)

    @staticmethod
    def inputs():
        x, w, b = operands(6, 8, 12)
        return {"x": x, "w": w, "b": b}

    @staticmethod
    def call(x, w, b, **options):
        return kernels.linear(x, w, b, "relu", **options)


@pytest.mark.parametrize("shape", SHAPES, ids="{0[0]}-{0[1]}-{0[2]}".format)
def test_forward(every_precision, shape):
    variant, (B, _, O) = every_precision, shape
    x, w, b = operands(*shape)
    y = harness.Guarded(variant.device, (B, O))
    z = harness.Guarded(variant.device, (B, O))
    got = kernels.linear(
        *variant.put(x, w, b), "relu", z_out=z.array, out=y.array, **variant.options
    )
    assert got is y.array
    for_z, for_y = expected(x, w, b, "relu", variant.precision)
    harness.check(z.read(), *for_z)
    harness.check(y.read(), *for_y)


@pytest.mark.parametrize("shape", [(1, 1, 1), (31, 33, 10), (65, 784, 66)], ids=str)
def test_whole_numbers_are_exact(every_precision, shape):
    x, w, b = operands(*shape, draw=harness.integers)
    got = kernels.linear(*every_precision.put(x, w, b), **every_precision.options)
    harness.same_bits(got, x @ w + b)


@pytest.mark.parametrize("name", [*activations.names(), mish], ids=harness.name)
def test_activation(variant, name):
    x, w, b = operands(19, 33, 10)
    got = kernels.linear(*variant.put(x, w, b), name, **variant.options)
    harness.check(got, *expected(x, w, b, name)[1])


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
    harness.check(got, *expected(x, w, None, name)[1])


@pytest.mark.parametrize("offset_bytes", [4, 8, 12])
def test_result_off_16_bytes(every_precision, offset_bytes):
    variant = every_precision
    x, w, b = operands(17, 32, 12)
    y = harness.Guarded(variant.device, (17, 12), offset_bytes=offset_bytes)
    kernels.linear(*variant.put(x, w, b), "relu", out=y.array, **variant.options)
    harness.check(y.read(), *expected(x, w, b, "relu", variant.precision)[1])


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")  # from NumPy's product
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", [None, "relu", "tanh"])
def test_not_finite(every_precision, name, value):
    """A NaN or an infinity stays in its row, and reaches all of it."""
    variant = every_precision
    x, w, b = operands(19, 33, 10)
    x[7, 30] = value
    z = x.astype(float) @ w + b
    with np.errstate(invalid="ignore"):
        want = kernels.reference.activation(z, name)
        finite = np.where(np.isfinite(x), x, 0)
        _, bound = expected(finite, w, b, name, variant.precision)[1]
    got = kernels.linear(*variant.put(x, w, b), name, **variant.options)
    if variant.precision == "bfloat16":
        bound = bound + 2 * 2.0**-7 * (abs(finite) @ abs(w))  # of the operands as given
    harness.check_special(got, want, bound)


def test_denormals(every_precision):
    """Flushed to zero or kept: either way within the smallest normal number of each operand."""
    x, w, b = operands(5, 40, 3)
    x = x * np.float32(1e-40)
    got = kernels.linear(*every_precision.put(x, w, np.zeros_like(b)), **every_precision.options)
    harness.check(got, x.astype(float) @ w, budgets.TINY * (abs(w).sum(axis=0) + 1))


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


@pytest.mark.sweep
@settings(max_examples=60, deadline=None, database=None)
@given(shape=st.tuples(*[st.integers(1, 150)] * 3))
def test_any_shape(every_precision, shape):
    x, w, b = operands(*shape)
    got = kernels.linear(*every_precision.put(x, w, b), "relu", **every_precision.options)
    harness.check(got, *expected(x, w, b, "relu", every_precision.precision)[1])
