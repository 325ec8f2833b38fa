"""linear_backward: dx = (dz wᵀ) g'(x_saved), dw = xᵀ dz, db = Σ dz, dz = dy f'(s)."""

import re

import numpy as np
import pytest

import kernels
from kernels import activations
from kernels.battery import budgets
from kernels.ops.linear.cases import ACTIVATIONS
from kernels.ops.linear.cases import backward_budget as expected
from kernels.ops.linear.cases import gradients as operands
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks
from tests.kernels.mish import mish

OP = "linear"
TRAINABLE = [n for n in ACTIVATIONS if n != "binary_step"] + [mish]
# Linked alike into dz of this layer and of the one before: here every second one by default
IN_TURN = [
    pytest.param(name, marks=(pytest.mark.sweep,) if i % 2 else ())
    for i, name in enumerate(TRAINABLE)
]


def check(got, want):
    for one, (value, bound) in zip(got, want, strict=True):
        harness.check(one, value, bound)


class TestArguments(ArgumentChecks):
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


@pytest.mark.parametrize("name", IN_TURN, ids=harness.name)
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


@pytest.mark.parametrize("rows", [19, 0])
def test_dx_alone(variant, rows):
    """Of no rows too; and nothing is written where dw and db would go."""
    moved = variant.put(*operands(rows, 33, 10))
    dx, dw, db = kernels.linear_backward(*moved, need_dw=False, **variant.options)
    assert dw is None and db is None
    harness.same_bits(dx, kernels.linear_backward(*moved, **variant.options)[0])


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
    ("name", "needed"),
    [("tanh", "the output y: pass it"), (mish, "z: pass it")],
    ids=["tanh", "mish"],
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
