"""activation and activation_backward, elementwise: y = f(z), dz = dy f'(s)."""

import numpy as np
import pytest

import kernels
from kernels import activations
from kernels.battery import budgets
from tests import harness
from tests.kernels.battery import Battery
from tests.kernels.mish import mish

OP = "activation"
ELEMENTWISE = [n for n in activations.names() if not activations.get(n).rowwise] + [mish]
TRAINABLE = [f for f in ELEMENTWISE if activations.get(f).derivative]
SIZES = [1, 3, 4, 5, 31, 255, 256, 257, 1021, 4099]
SPECIAL = np.float32(
    [
        *(0.0, -0.0, np.nan, np.inf, -np.inf, 1e-45, -1e-40, 1.2e-38, 1e-4, -1e-4, 1, -1, 17, -17),
        *(87, -87, 88.8, -88.8, 104, -104, 1e4, -1e4, 3.4e38, -3.4e38),
    ]
)


def normal(*shape, seed=0):
    return 3 * harness.normal(np.random.default_rng((seed, *shape)), *shape)


def saved(f, z):
    """What f's derivative reads."""
    if activations.get(f).reads == "z":
        return z
    return kernels.reference.activation(z.astype(float), f).astype(np.float32)


class TestForwardArguments(Battery):
    test_wrong_shape = None  # every shape is right

    @staticmethod
    def inputs():
        return {"z": normal(6, 5)}

    @staticmethod
    def call(z, **options):
        return kernels.activation(z, "tanh", **options)


class TestBackwardArguments(Battery):
    @staticmethod
    def inputs():
        return {"dy": normal(6, 5), "s": normal(6, 5, seed=1)}

    @staticmethod
    def call(dy, s, **options):
        return kernels.activation_backward(dy, s, mish, **options)


@pytest.mark.parametrize("f", ELEMENTWISE, ids=harness.name)
@pytest.mark.parametrize("offset_bytes", [0, 4])
def test_forward(variant, f, offset_bytes):
    for n in SIZES:
        z = normal(n)
        y = harness.Guarded(variant.device, (n,), offset_bytes=offset_bytes)
        assert kernels.activation(variant.put(z), f, out=y.array, **variant.options) is y.array
        harness.check(y.read(), *budgets.through(f, z.astype(float), np.zeros(n)))


@pytest.mark.parametrize("f", TRAINABLE, ids=harness.name)
@pytest.mark.parametrize("offset_bytes", [0, 4])
def test_backward(variant, f, offset_bytes):
    for n in SIZES:
        dy, s = normal(n, seed=1), saved(f, normal(n))
        dz = harness.Guarded(variant.device, (n,), offset_bytes=offset_bytes)
        given = variant.put(dy, s)
        got = kernels.activation_backward(*given, f, out=dz.array, **variant.options)
        assert got is dz.array
        want = budgets.times_derivative(f, dy.astype(float), np.zeros(n), s)
        harness.check(dz.read(), *want)


@pytest.mark.parametrize("f", ELEMENTWISE, ids=harness.name)
def test_special_values(variant, f):
    """Zeros of both signs, denormals, infinities, NaN, and where exp overflows."""
    z = SPECIAL.astype(float)
    if f is mish:
        z = z[~(abs(z) > 700)]  # beyond, Python's own math.exp raises
    with np.errstate(over="ignore", invalid="ignore"):
        want, bound = budgets.through(f, z, np.zeros(len(z)))
    got = kernels.activation(variant.put(z.astype(np.float32)), f, **variant.options)
    harness.check_special(got, want, bound)


@pytest.mark.parametrize("shape", [(), (1,), (2, 3, 5), (0,), (3, 0)], ids=str)
@pytest.mark.parametrize("f", ["relu", mish], ids=harness.name)
def test_any_shape(variant, f, shape):
    z, dy = normal(*shape), normal(*shape, seed=1)
    y = kernels.activation(variant.put(z), f, **variant.options)
    dz = kernels.activation_backward(*variant.put(dy, saved(f, z)), f, **variant.options)
    harness.check(y, *budgets.through(f, z.astype(float), np.zeros(shape)))
    want = budgets.times_derivative(f, dy.astype(float), np.zeros(shape), saved(f, z))
    harness.check(dz, *want)


@pytest.mark.parametrize("f", TRAINABLE, ids=harness.name)
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
