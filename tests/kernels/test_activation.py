"""activation and activation_backward, elementwise: y = f(z), dz = dy f'(s)."""

import numpy as np
import pytest

import kernels
from kernels.ops.activation.cases import SPECIAL, backward, forward, normal, saved
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks
from tests.kernels.mish import mish

OP = "activation"
READING_Y_OR_Z = ["tanh", mish]


class TestForwardArguments(ArgumentChecks):
    test_wrong_shape = None  # every shape is right

    @staticmethod
    def inputs():
        return {"z": normal(6, 5)}

    @staticmethod
    def call(z, **options):
        return kernels.activation(z, "tanh", **options)


class TestBackwardArguments(ArgumentChecks):
    @staticmethod
    def inputs():
        return {"dy": normal(6, 5), "s": normal(6, 5, seed=1)}

    @staticmethod
    def call(dy, s, **options):
        return kernels.activation_backward(dy, s, mish, **options)


@pytest.mark.parametrize("n", [1, 257, 1021])
def test_an_activation_of_the_users(variant, n):
    z, dy = 3 * normal(n), 3 * normal(n, seed=1)
    forward("mish", mish, z).check(variant)
    backward("mish", mish, dy, saved(mish, z), offset_bytes=4).check(variant)


def test_special_values_of_the_users(variant):
    within = SPECIAL[~(abs(SPECIAL) > 700)]  # beyond, Python's own math.exp raises
    forward("mish", mish, within).check(variant)


@pytest.mark.parametrize("shape", [(), (1,), (2, 3, 5), (0,), (3, 0)], ids=str)
@pytest.mark.parametrize("f", ["relu", mish], ids=harness.name)
def test_any_shape(variant, f, shape):
    z, dy = 3 * normal(*shape), 3 * normal(*shape, seed=1)
    y = kernels.activation(variant.put(z), f, **variant.options)
    dz = kernels.activation_backward(*variant.put(dy, saved(f, z)), f, **variant.options)
    forward("y", f, z).judge({"y": harness.get(y)})
    backward("dz", f, dy, saved(f, z)).judge({"dz": harness.get(dz)})


@pytest.mark.parametrize("f", READING_Y_OR_Z, ids=harness.name)
def test_in_place(variant, f):
    z, dy = normal(257), normal(257, seed=1)
    apart = kernels.activation(variant.put(z), f, **variant.options)
    within = harness.Guarded(variant.device, z.shape, start=z)
    kernels.activation(within.array, f, out=within.array, **variant.options)
    harness.same_bits(within.read(), apart)

    s = variant.put(saved(f, z))
    apart = kernels.activation_backward(variant.put(dy), s, f, **variant.options)
    within = harness.Guarded(variant.device, dy.shape, start=dy)
    kernels.activation_backward(within.array, s, f, out=within.array, **variant.options)
    harness.same_bits(within.read(), apart)


def test_binary_step_has_no_derivative(variant):
    z = variant.put(normal(4))
    with pytest.raises(ValueError, match="'binary_step' cannot be trained by gradient: its deriv"):
        kernels.activation_backward(z, z, "binary_step", **variant.options)


def test_no_derivative_given(variant):
    f = kernels.Activation("third", lambda z: z / 3.0, None)
    z = variant.put(normal(4))
    with pytest.raises(ValueError, match=r"'third' cannot .*: it was given no derivative"):
        kernels.activation_backward(z, z, f, **variant.options)


@pytest.mark.parametrize(
    ("f", "error", "message"),
    [
        ("rleu", ValueError, r"got 'rleu'; expected one of .*'relu'.* Did you mean 'relu'\?"),
        ("sigmod", ValueError, r"Did you mean 'sigmoid'\?"),
        ("zzz", ValueError, r"expected one of .*'tanh'\.$"),
        (abs, TypeError, "got builtin_function_or_method; expected a name, None, or kernels.Act"),
    ],
    ids=str,
)
def test_unknown(variant, f, error, message):
    with pytest.raises(error, match=f"^activation: .*{message}"):
        kernels.activation(variant.put(normal(4)), f, **variant.options)


def test_reads_something_else():
    with pytest.raises(ValueError, match="reads: got 'x'; expected one of 'y', 'z'"):
        kernels.Activation("f", lambda z: z, lambda x: 1.0, reads="x")


def test_none_is_identity(variant):
    z = normal(9)
    harness.same_bits(kernels.activation(variant.put(z), None, **variant.options), z)


def test_literals_stay_float32(cpu_variant):
    """A plain Python literal is a double; in a kernel it must not make one of float32."""
    tenth = kernels.Activation("tenth", lambda z: z + 0.1, None)
    z = np.float32([1, 3, 1e6])
    harness.same_bits(kernels.activation(z, tenth, **cpu_variant.options), z + np.float32(0.1))


@pytest.mark.parametrize(
    ("shape", "dtype", "error"), [((4,), "f4", ValueError), ((3,), "f8", TypeError)]
)
def test_wrong_output(variant, shape, dtype, error):
    out = variant.put(np.zeros(shape, dtype))
    with pytest.raises(error, match=r"^out: got .*; expected"):
        kernels.activation(variant.put(normal(3)), "relu", out=out, **variant.options)
