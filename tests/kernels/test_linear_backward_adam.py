"""linear_backward_adam: a linear layer's dx, and Adam's step by its dw and db."""

import re

import numpy as np
import pytest

import kernels
from kernels import activations
from kernels.device import capture
from kernels.ops.linear import tiles
from kernels.ops.linear.cases import backward_budget
from kernels.ops.linear_backward_adam.cases import WIDE, problem
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks
from tests.kernels.mish import mish

OP = "linear_backward_adam"
SHAPE = (6, 8, 12)
RULE = {"step": 3, "lr": 0.05, "beta1": 0.8, "beta2": 0.99, "eps": 0.01, "weight_decay": 0.1}
OF_WEIGHTS, OF_BIAS = ("w", "m", "v"), ("b", "m_b", "v_b")
WRITTEN = OF_WEIGHTS + OF_BIAS


def given(variant, shape=SHAPE):
    return {name: variant.put(a) for name, a in problem(*shape).items()}


def one_after_the_other(dz, x, *, x_activation=None, x_saved=None, precision=None, **arrays):
    """dx of linear_backward, and adam by its dw and db."""
    chosen = {"precision": precision} if precision else {}
    dx, dw, db = kernels.linear_backward(
        dz, x, arrays["w"], x_activation=x_activation, x_saved=x_saved, **chosen
    )
    for names, g in ((OF_WEIGHTS, dw), (OF_BIAS, db)):
        if names[0] in arrays:
            p, m, v = (arrays[name].reshape(-1) for name in names)
            kernels.adam(p, g.reshape(-1), m, v, **RULE)
    return dx


class TestArguments(ArgumentChecks):
    in_place = WRITTEN

    @staticmethod
    def inputs():
        return problem(*SHAPE) | {"x_saved": harness.normal(np.random.default_rng(1), 6, 8)}

    @staticmethod
    def call(**arguments):
        return kernels.linear_backward_adam(**arguments, **RULE, x_activation="relu")


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("splits", [1, 3])
def test_the_bits_of_one_after_the_other(variant, splits, bias):
    """dx of the weights as they were; on a GPU in one order of the sums, split or not."""
    written = []
    for run in (kernels.linear_backward_adam, one_after_the_other):
        arrays = given(variant, (131, 33, 20))
        arrays = {name: a for name, a in arrays.items() if bias or name not in OF_BIAS}
        rule = RULE | variant.options if run is kernels.linear_backward_adam else {}
        with tiles.forced(WIDE, splits):
            dx = run(**arrays, **rule, x_activation="relu")
        written.append([dx, *(arrays[name] for name in WRITTEN if name in arrays)])
    for one, other in zip(*written, strict=True):
        harness.same_bits(one, other)


def test_the_bits_of_a_long_sum_on_the_cpu(cpu_variant):
    """With threads, and zeros that are skipped."""
    written = []
    for run, rule in ((kernels.linear_backward_adam, RULE), (one_after_the_other, {})):
        arrays = problem(128, 784, 128)
        arrays["x"][arrays["x"] < 0] = 0
        written.append([run(**arrays, **rule), *(arrays[name] for name in WRITTEN)])
    for one, other in zip(*written, strict=True):
        harness.same_bits(one, other)


def test_without_dx(variant):
    """None comes back, and the step is the same."""
    written = []
    for need_dx in (True, False):
        arrays = given(variant)
        dx = kernels.linear_backward_adam(**arrays, **RULE, need_dx=need_dx, **variant.options)
        written.append([arrays[name] for name in WRITTEN])
    assert dx is None
    for one, other in zip(*written, strict=True):
        harness.same_bits(one, other)


@pytest.mark.parametrize("name", ["softmax", mish], ids=harness.name)
def test_activation_of_the_layer_before(cpu_variant, name):
    """Read from what it was applied to, and of a whole row; on a GPU it is linear_backward's."""
    arrays = problem(*SHAPE)
    saved = harness.normal(np.random.default_rng(1), 6, 8)
    if activations.get(name).reads != "z":
        saved = kernels.reference.activation(saved, name).astype(np.float32)
    dz, x, w = (arrays[key].copy() for key in ("dz", "x", "w"))
    dx = kernels.linear_backward_adam(
        **arrays, **RULE, x_activation=name, x_saved=saved, **cpu_variant.options
    )
    harness.check(dx, *backward_budget(dz, x, w, x_activation=name, x_saved=saved)[0])


def test_replayed(variant):
    """A graph reads step and rate anew, and has the bits of the calls."""
    written = []
    for captured in (False, True):
        arrays = given(variant)
        arrays |= {"step": variant.put(np.ones(1, np.int32)), "lr": variant.put(np.ones(1, "f4"))}

        def call(arrays=arrays):
            kernels.linear_backward_adam(**arrays, need_dx=False, **variant.options)

        if captured:
            with capture(variant.device) as graph:
                call()
        for step, rate in ((1, 0.1), (2, 0.05)):
            arrays["step"][...], arrays["lr"][...] = step, np.float32(rate)
            if captured:
                graph.replay()
            else:
                call()
        written.append([arrays[name] for name in WRITTEN])
    for one, other in zip(*written, strict=True):
        harness.same_bits(one, other)


def test_no_samples_are_a_gradient_of_zeros(variant):
    arrays, expected = (given(variant, (0, 8, 12)) for _ in range(2))
    dx = kernels.linear_backward_adam(**arrays, **RULE, **variant.options)
    assert dx.shape == (0, 8)
    for names in (OF_WEIGHTS, OF_BIAS):
        p, m, v = (expected[name].reshape(-1) for name in names)
        kernels.adam(p, variant.put(np.zeros(p.shape, np.float32)), m, v, **RULE)
    for name in WRITTEN:
        harness.same_bits(arrays[name], expected[name])


def test_nan_in_a_column_stays_in_it(variant):
    arrays = problem(*SHAPE)
    arrays["dz"][3, 5] = np.nan
    moved = {name: variant.put(a) for name, a in arrays.items()}
    kernels.linear_backward_adam(**moved, **RULE, need_dx=False, **variant.options)
    for name in WRITTEN:
        a = harness.get(moved[name]).reshape(-1, 12)
        np.testing.assert_array_equal(np.isnan(a).any(axis=0), np.arange(12) == 5)
        assert np.isnan(a[:, 5]).all()


def refused(variant, error, message, **changed):
    arrays = given(variant) | RULE | variant.options | changed
    before = {name: harness.get(arrays[name]).copy() for name in WRITTEN if name not in changed}
    with pytest.raises(error, match=message):
        kernels.linear_backward_adam(**arrays)
    for name, a in before.items():
        harness.same_bits(arrays[name], a)


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_missing_is_named(variant, name):
    refused(variant, TypeError, f"^{name}: got None; expected an array", **{name: None})


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"step": 0}, "^step: got 0; expected 1 for the first step"),
        ({"beta1": 1.0}, "^beta1: got 1.0; expected 0 ≤ beta1 < 1"),
        ({"beta2": float("nan")}, "^beta2: got nan"),
        ({"x_activation": "rleu"}, r"activation: got 'rleu'; .*Did you mean 'relu'\?"),
        ({"x_activation": "binary_step"}, "'binary_step' cannot be trained by gradient"),
        ({"precision": "tf23"}, r"precision: got 'tf23'; .*Did you mean 'tf32'\?"),
    ],
    ids=str,
)
def test_out_of_range(variant, option, message):
    refused(variant, ValueError, message, **option)


@pytest.mark.parametrize("shape", [(4, 0, 3), (4, 3, 0)], ids=str)
def test_sizes_that_are_refused(variant, shape):
    with pytest.raises(ValueError, match=r"^[IO]: got 0; expected at least 1"):
        kernels.linear_backward_adam(**given(variant, shape), **RULE, **variant.options)


@pytest.mark.parametrize("name", WRITTEN)
def test_overlap_is_refused(variant, name):
    """An array that is updated and begins in the last element of x."""
    memory = variant.put(np.ones(48 + 96, np.float32))
    x, shape = memory[:48].reshape(6, 8), (12,) if name in OF_BIAS else (8, 12)
    output = memory[47 : 47 + int(np.prod(shape))].reshape(shape)
    message = f"^{re.escape(name)}: shares memory with x"
    refused(variant, ValueError, message, x=x, **{name: output})


@pytest.mark.parametrize("other", ["m", "v_b", "dz"])
def test_dx_must_have_memory_of_its_own(variant, other):
    arrays = given(variant)
    memory = variant.put(np.ones(47 + arrays[other].size, np.float32))
    taken = memory[47:].reshape(arrays[other].shape)
    message = f"^out: shares memory with {other}"
    refused(variant, ValueError, message, out=memory[:48].reshape(6, 8), **{other: taken})


def test_wrong_output(variant):
    for array, error in ((np.zeros(7, "f4"), ValueError), (np.zeros((6, 8), "f8"), TypeError)):
        refused(variant, error, r"^out: got .*; expected", out=variant.put(array))
