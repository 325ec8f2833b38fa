"""linear_cross_entropy: the last layer, its loss and what goes back, in one kernel."""

import re
from types import MappingProxyType

import numpy as np
import pytest

import kernels
from kernels.device import held_to
from kernels.ops.linear_cross_entropy.cases import budget, problem
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks
from tests.kernels.mish import mish

OP = "linear_cross_entropy"
SHAPE = (6, 8, 5)


def given(kind="labels", shape=SHAPE):
    return dict(zip(("x", "w", "b", "labels"), problem(shape, kind), strict=True))


class TestArguments(ArgumentChecks):
    wrong_dtypes_of = MappingProxyType({"labels": ("bool", "complex64")})

    @staticmethod
    def inputs():
        rng = np.random.default_rng(0)
        weights, saved = harness.normal(rng, 6), harness.normal(rng, 6, 8)
        return given() | {"weights": weights, "x_saved": saved}

    @staticmethod
    def call(**arguments):
        return kernels.linear_cross_entropy(**arguments, x_activation="relu")


def test_targets_of_the_wrong_dtype(variant):
    arguments = given("soft")
    arguments["labels"] = arguments["labels"].astype(np.float64)
    moved = {name: variant.put(a) for name, a in arguments.items()}
    with pytest.raises(TypeError, match=r"^labels: got dtype float64; expected float32"):
        kernels.linear_cross_entropy(**moved, **variant.options)


@pytest.mark.parametrize("need_dx", [True, False])
def test_what_the_three_ops_give(cpu_variant, need_dx):
    """On the CPU it is those: every bit the same, for a long sum on several threads too."""
    arguments = given("soft", (64, 784, 10))
    x, w, b, targets = arguments.values()
    z = kernels.linear(x, w, b)
    loss, dz = kernels.softmax_cross_entropy(z, targets, scale=0.25)
    dx, *_ = kernels.linear_backward(dz, x, w, x_activation="tanh", need_dx=need_dx)
    kept = np.empty_like(z)
    in_one = kernels.linear_cross_entropy(
        **arguments,
        scale=0.25,
        x_activation="tanh",
        need_dx=need_dx,
        z_out=kept,
        **cpu_variant.options,
    )
    assert (in_one[2] is None) == (not need_dx)
    for got, want in zip((*in_one, kept), (loss, dz, dx, z), strict=True):
        if got is not None:
            harness.same_bits(got, want)


def test_one_hot_is_the_label(variant):
    labels, targets = given("labels"), given("one-hot")
    results = [
        kernels.linear_cross_entropy(*variant.put(*a.values()), **variant.options)
        for a in (labels, targets)
    ]
    for one, other in zip(*results, strict=True):
        harness.same_bits(one, other)


def test_a_rowwise_activation_of_the_layer_before(variant):
    check_before(variant, "softmax")


def test_an_activation_before_that_reads_what_it_was_applied_to(cpu_variant):
    """The kernels' saved array is in their battery; this is the linked function alone."""
    check_before(cpu_variant, mish)


def check_before(variant, activation):
    x, w, b, labels = given().values()
    saved = harness.normal(np.random.default_rng(1), *x.shape)
    if activation == "softmax":
        saved = kernels.reference.activation(saved, activation).astype(np.float32)
    moved = variant.put(x, w, b, labels)
    *_, dx = kernels.linear_cross_entropy(
        *moved, x_activation=activation, x_saved=variant.put(saved), **variant.options
    )
    harness.check(dx, *budget(x, w, b, labels, f=activation, saved=saved)["dx"])


def test_precision_names_the_least(variant):
    moved = variant.put(*given().values())
    exact = kernels.linear_cross_entropy(*moved, **variant.options)
    coarse = kernels.linear_cross_entropy(*moved, precision="bfloat16", **variant.options)
    for one, other in zip(exact, coarse, strict=True):
        harness.same_bits(one, other)


@pytest.mark.parametrize("label", [-1, 5, 2**32 + 3])
def test_label_out_of_range_on_the_cpu(cpu_variant, label):
    arguments = given()
    arguments["labels"][4] = label
    with pytest.raises(IndexError, match=rf"labels\[4\]: got {label}; expected 0 … 4"):
        kernels.linear_cross_entropy(**arguments, **cpu_variant.options)


@pytest.mark.parametrize("most_blocks", [512, 0])
@pytest.mark.parametrize("label", [-1, 5, 2**32 + 3])
def test_label_out_of_range_on_the_gpu(gpu_variant, label, most_blocks):
    """Its row is NaN, and no other row changes."""
    arguments, results = given(), []
    for row_4 in (0, label):
        arguments["labels"][4] = row_4
        moved, hit = gpu_variant.put(*arguments.values()), gpu_variant.put(np.zeros(6, np.uint8))
        with held_to(most_blocks):
            outputs = kernels.linear_cross_entropy(*moved, hit=hit, **gpu_variant.options)
        results.append([*outputs, hit])
    good, bad = ([harness.get(a) for a in arrays] for arrays in results)
    assert all(np.isnan(a[4]).all() for a in bad[:3]) and bad[3][4] == 0
    for got, want in zip(bad, good, strict=True):
        harness.same_bits(np.delete(got, 4, axis=0), np.delete(want, 4, axis=0))


@pytest.mark.parametrize("shape", [(4, 3, 129), (4, 0, 3), (4, 3, 0)], ids=str)
def test_sizes_that_are_refused(variant, shape):
    B, I, O = shape
    x, w, labels = np.zeros((B, I), "f4"), np.zeros((I, O), "f4"), np.zeros(B, int)
    with pytest.raises(ValueError, match=r"^w: got shape .*128 outputs. For more call kernels\.li"):
        kernels.linear_cross_entropy(
            *variant.put(x, w), None, variant.put(labels), **variant.options
        )


def test_empty_batch(variant):
    moved = variant.put(*given(shape=(0, 5, 3)).values())
    loss, dz, dx = kernels.linear_cross_entropy(*moved, **variant.options)
    assert (loss.shape, dz.shape, dx.shape) == ((0,), (0, 3), (0, 5))


@pytest.mark.parametrize("index", range(3))
def test_wrong_output(variant, index):
    name = ("loss", "dz", "dx")[index]
    moved = variant.put(*given().values())
    for array, error in ((np.zeros(7, "f4"), ValueError), (np.zeros((6, 5), "f8"), TypeError)):
        out = [None] * 3
        out[index] = variant.put(array)
        with pytest.raises(error, match=rf"^out\[{index}\] \({name}\): got .*; expected"):
            kernels.linear_cross_entropy(*moved, out=tuple(out), **variant.options)


@pytest.mark.parametrize("name", ["loss", "dz", "dx", "z_out"])
def test_overlap_is_refused(variant, name):
    """An output that overlaps w by one element."""
    x, w, b, labels = variant.put(*given().values())
    memory = variant.put(np.zeros(39 + 48, np.float32))
    w, shape = memory[:40].reshape(8, 5), {"loss": (6,), "dx": (6, 8)}.get(name, (6, 5))
    output = memory[39 : 39 + int(np.prod(shape))].reshape(shape)
    out = tuple(output if name == other else None for other in ("loss", "dz", "dx"))
    options = {"z_out": output} if name == "z_out" else {"out": out}
    message = f"^{re.escape(name if name == 'z_out' else f'out ({name})')}: shares memory with w"
    with pytest.raises(ValueError, match=message):
        kernels.linear_cross_entropy(x, w, b, labels, **options, **variant.options)


def test_z_and_its_gradient_must_differ(variant):
    moved, dz = variant.put(*given().values()), variant.put(np.zeros((6, 5), np.float32))
    with pytest.raises(ValueError, match=r"^z_out: shares memory with out \(dz\)"):
        kernels.linear_cross_entropy(*moved, out=(None, dz, None), z_out=dz, **variant.options)


def test_binary_step_cannot_be_trained(variant):
    with pytest.raises(ValueError, match="'binary_step' cannot be trained by gradient"):
        kernels.linear_cross_entropy(
            *variant.put(*given().values()), x_activation="binary_step", **variant.options
        )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"x_activation": "rleu"}, r"activation: got 'rleu'; .*Did you mean 'relu'\?"),
        ({"precision": "tf23"}, r"precision: got 'tf23'; .*Did you mean 'tf32'\?"),
    ],
)
def test_near_miss(variant, option, message):
    with pytest.raises(ValueError, match=message):
        kernels.linear_cross_entropy(*variant.put(*given().values()), **option, **variant.options)
