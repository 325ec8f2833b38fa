"""linear_backward: dx = (dz wᵀ) g'(x_saved), dw = xᵀ dz, db = Σ dz, dz = dy f'(s)."""

import re

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
TRAINABLE = [n for n in activations.names() if n != "binary_step"] + [mish]


def operands(B, I, O, draw=harness.normal):
    """dy, x, w."""
    rng = np.random.default_rng((B, I, O, 1))
    return draw(rng, B, O), draw(rng, B, I), draw(rng, I, O)


def expected(dy, x, w, precision=None, dz_error=None, x_activation=None, x_saved=None):
    """(value, bound) of dx, dw and db from dz = dy, known to ± dz_error."""
    dx = budgets.product(dy, w.T.astype(float), precision, dz_error)
    if x_activation is not None:
        dx = budgets.times_derivative(x_activation, *dx, x if x_saved is None else x_saved)
    dw, dw_bound = budgets.product(dy.T, x, precision, None if dz_error is None else dz_error.T)
    db, db_bound = budgets.product(np.ones((1, len(dy))), dy, a_error=None)
    if dz_error is not None:
        db_bound = db_bound + dz_error.sum(axis=0)
    return dx, (dw.T, dw_bound.T), (db[0], db_bound[0])


def check(got, want):
    for one, (value, bound) in zip(got, want, strict=True):
        harness.check(one, value, bound)


class TestArguments(Battery):
    @staticmethod
    def inputs():
        dy, x, w = operands(6, 8, 12)
        s = harness.normal(np.random.default_rng(0), 6, 12)
        saved = harness.normal(np.random.default_rng(1), 6, 8)
        return {"dy": dy, "x": x, "w": w, "s": s, "x_saved": saved}

    @staticmethod
    def call(dy, x, w, s, x_saved, **options):
        return kernels.linear_backward(
            dy, x, w, s, "tanh", x_activation=mish, x_saved=x_saved, **options
        )


@pytest.mark.parametrize("shape", SHAPES, ids="{0[0]}-{0[1]}-{0[2]}".format)
def test_backward(every_precision, shape):
    variant, (B, I, O) = every_precision, shape
    dy, x, w = operands(*shape)
    out = [harness.Guarded(variant.device, s) for s in ((B, I), (I, O), (O,))]
    given = variant.put(dy, x, w)
    got = kernels.linear_backward(
        *given, x_activation="relu", out=tuple(o.array for o in out), **variant.options
    )
    assert all(one is o.array for one, o in zip(got, out, strict=True))
    want = expected(dy, x, w, variant.precision, x_activation="relu")
    check([o.read() for o in out], want)


@pytest.mark.parametrize("shape", [(1, 1, 1), (31, 33, 10), (65, 300, 66)], ids=str)
def test_whole_numbers_are_exact(every_precision, shape):
    dy, x, w = operands(*shape, draw=harness.integers)
    got = kernels.linear_backward(*every_precision.put(dy, x, w), **every_precision.options)
    for one, want in zip(got, (dy @ w.T, x.T @ dy, dy.sum(axis=0)), strict=True):
        harness.same_bits(one, want + np.float32(0))


@pytest.mark.parametrize("name", TRAINABLE, ids=harness.name)
def test_activation(every_precision, name):
    """dz = dy f'(s), s being the output, or z where f reads z."""
    variant = every_precision
    dy, x, w = operands(19, 33, 10)
    z = x @ w
    f = activations.get(name)
    s = z if f.reads == "z" else kernels.reference.activation(z, name).astype(np.float32)
    dz, dz_error = budgets.times_derivative(name, dy, np.zeros_like(dy), s)
    got = kernels.linear_backward(*variant.put(dy, x, w, s), name, **variant.options)
    check(got, expected(dz, x, w, variant.precision, dz_error))


@pytest.mark.parametrize("name", TRAINABLE, ids=harness.name)
def test_activation_of_the_layer_before(variant, name):
    """dx comes out as the dz of the layer before, whose z or output is saved."""
    dy, x, w = operands(19, 33, 10)
    f = activations.get(name)
    saved = x if f.reads == "z" else kernels.reference.activation(x, name).astype(np.float32)
    got = kernels.linear_backward(
        *variant.put(dy, x, w), x_activation=name, x_saved=variant.put(saved), **variant.options
    )
    check(got, expected(dy, x, w, variant.precision, x_activation=name, x_saved=saved))


def test_the_layer_before_saved_its_output(variant):
    dy, x, w = operands(9, 6, 4)
    x = kernels.reference.activation(x, "sigmoid").astype(np.float32)
    given = variant.put(dy, x, w)
    got = kernels.linear_backward(*given, x_activation="sigmoid", **variant.options)
    check(got, expected(dy, x, w, variant.precision, x_activation="sigmoid"))


@pytest.mark.parametrize("need_dx", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_left_out(variant, need_dx, bias):
    dy, x, w = variant.put(*operands(19, 33, 10))
    every = kernels.linear_backward(dy, x, w, **variant.options)
    dx, dw, db = kernels.linear_backward(dy, x, w, need_dx=need_dx, bias=bias, **variant.options)
    assert (dx is None, db is None) == (not need_dx, not bias)
    for got, want in zip((dx, dw, db), every, strict=True):
        if got is not None:
            harness.same_bits(got, want)


@pytest.mark.parametrize("offset_bytes", [4, 8, 12])
def test_results_off_16_bytes(every_precision, offset_bytes):
    variant = every_precision
    dy, x, w = operands(17, 32, 12)
    shapes = ((17, 32), (32, 12), (12,))
    out = [harness.Guarded(variant.device, s, offset_bytes=offset_bytes) for s in shapes]
    given = variant.put(dy, x, w)
    kernels.linear_backward(*given, out=tuple(o.array for o in out), **variant.options)
    check([o.read() for o in out], expected(dy, x, w, variant.precision))


def test_nan_reaches_what_it_touches(every_precision):
    variant = every_precision
    dy, x, w = operands(9, 6, 4)
    dy[3, 2] = np.nan
    dx, dw, db = kernels.linear_backward(*variant.put(dy, x, w), **variant.options)
    for got, where in ((dx, np.s_[3]), (dw, np.s_[:, 2]), (db, np.s_[2])):
        want = np.zeros(got.shape, bool)
        want[where] = True
        np.testing.assert_array_equal(np.isnan(harness.get(got)), want)


def test_empty_batch(every_precision):
    """A sum over no samples is zero, also in arrays that held something else."""
    variant = every_precision
    dy, x, w = operands(0, 5, 3)
    dw, db = (harness.Guarded(variant.device, s) for s in ((5, 3), (3,)))
    dx, *_ = kernels.linear_backward(
        *variant.put(dy, x, w), out=(None, dw.array, db.array), **variant.options
    )
    assert dx.shape == (0, 5)
    harness.same_bits(dw.read(), np.zeros((5, 3), np.float32))
    harness.same_bits(db.read(), np.zeros(3, np.float32))


@pytest.mark.parametrize(
    ("name", "needed"), [("tanh", "the output y: pass it"), (mish, "z: pass it")], ids=str
)
def test_what_the_derivative_reads_must_be_passed(variant, name, needed):
    with pytest.raises(TypeError, match=f"^s: got None; .* reads {needed}"):
        kernels.linear_backward(
            *variant.put(*operands(4, 3, 2)), activation=name, **variant.options
        )


@pytest.mark.parametrize("argument", ["activation", "x_activation"])
def test_binary_step_cannot_be_trained(variant, argument):
    dy, x, w = variant.put(*operands(4, 3, 2))
    with pytest.raises(ValueError, match="'binary_step' cannot be trained by gradient: its deriv"):
        kernels.linear_backward(dy, x, w, dy, **{argument: "binary_step"}, **variant.options)


@pytest.mark.parametrize("argument", ["activation", "x_activation"])
def test_near_miss(variant, argument):
    dy, x, w = variant.put(*operands(4, 3, 2))
    with pytest.raises(ValueError, match=r"activation: got 'rleu'; .*Did you mean 'relu'\?"):
        kernels.linear_backward(dy, x, w, dy, **{argument: "rleu"}, **variant.options)


@pytest.mark.parametrize("index", range(3))
def test_overlap_is_refused(variant, index):
    dy, x, w = variant.put(*operands(4, 4, 4))
    out = [None, None, None]
    out[index] = (x, w, dy[0])[index]
    message = re.escape(f"out ({('dx', 'dw', 'db')[index]}): shares memory with")
    with pytest.raises(ValueError, match=message):
        kernels.linear_backward(dy, x, w, out=tuple(out), **variant.options)


@pytest.mark.parametrize("index", range(3))
def test_wrong_output(variant, index):
    dy, x, w = variant.put(*operands(4, 3, 2))
    for dtype, rank, error in (("f4", 3, ValueError), ("f8", 2 if index < 2 else 1, TypeError)):
        out = [None, None, None]
        out[index] = variant.put(np.zeros((5,) * rank, dtype))
        with pytest.raises(error, match=rf"^out\[{index}\] \(d[xwb]\): got .*; expected"):
            kernels.linear_backward(dy, x, w, out=tuple(out), **variant.options)


@pytest.mark.sweep
@settings(max_examples=60, deadline=None, database=None)
@given(shape=st.tuples(*[st.integers(1, 150)] * 3))
def test_any_shape(every_precision, shape):
    dy, x, w = operands(*shape)
    given = every_precision.put(dy, x, w)
    got = kernels.linear_backward(*given, x_activation="relu", **every_precision.options)
    check(got, expected(dy, x, w, every_precision.precision, x_activation="relu"))
