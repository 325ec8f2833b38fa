"""softmax_cross_entropy: the loss of logits, its gradient, and whether the answer was right."""

from types import MappingProxyType

import numba
import numpy as np
import pytest

import kernels
from kernels.ops.softmax_cross_entropy.cases import integer_labels, logits, one_hot, soft
from tests import harness
from tests.kernels.argument_checks import LossChecks

OP = "softmax_cross_entropy"
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]


def run(variant, z, labels, scale=1.0):
    """loss, dz and hit, written between guards."""
    B = len(z)
    loss, dz = (harness.Guarded(variant.device, s) for s in ((B,), z.shape))
    hit = harness.Guarded(variant.device, (B,), np.uint8)
    got = kernels.softmax_cross_entropy(
        *variant.put(z, labels),
        scale=scale,
        out=(loss.array, dz.array),
        hit=hit.array,
        **variant.options,
    )
    assert got[0] is loss.array and got[1] is dz.array
    return loss.read(), dz.read(), hit.read()


def check(got, want, compare=harness.check):
    compare(got[0], *want[0])
    compare(got[1], *want[1])
    np.testing.assert_array_equal(got[2], want[2].astype(np.uint8))


class TestArgumentsWithLabels(LossChecks):
    free = (("z", 1),)
    wrong_dtypes_of = MappingProxyType({"labels": ("bool", "complex64")})

    @staticmethod
    def inputs():
        return {"z": logits(6, 5), "labels": integer_labels(6, 5)}

    @staticmethod
    def call(z, labels, **options):
        return kernels.softmax_cross_entropy(z, labels, **options)


class TestArgumentsWithTargets(TestArgumentsWithLabels):
    free = ()
    wrong_dtypes_of = MappingProxyType({"labels": ("float64", "float16", "bool")})

    @staticmethod
    def inputs():
        return {"z": logits(6, 5), "labels": soft(6, 5)}


@pytest.mark.parametrize("dtype", INTEGERS)
def test_any_integer(variant, dtype):
    z, labels = logits(9, 7), integer_labels(9, 7)
    for got, want in zip(
        run(variant, z, labels.astype(dtype)), run(variant, z, labels.astype("int32")), strict=True
    ):
        harness.same_bits(got, want)


def test_one_hot_is_the_label(variant):
    z, labels = logits(9, 7), integer_labels(9, 7)
    for got, want in zip(run(variant, z, one_hot(labels, 7)), run(variant, z, labels), strict=True):
        harness.same_bits(got, want)


@pytest.mark.parametrize("classes", [1, 3, 40, 1030])
def test_a_row_of_minus_infinity_is_nan(variant, classes):
    z, labels = logits(5, classes), integer_labels(5, classes)
    z[2] = -np.inf
    loss, dz, hit = run(variant, z, labels)
    assert np.isnan(loss[2]) and np.isnan(dz[2]).all() and hit[2] == 0
    others = [0, 1, 3, 4]
    assert np.isfinite(loss[others]).all() and np.isfinite(dz[others]).all()


def test_all_logits_far_from_zero(variant):
    """Whole offsets of ±1e4 cancel: the same bits as without."""
    z, labels = np.round(logits(9, 7)), integer_labels(9, 7)
    near = run(variant, z, labels)
    for offset in (1e4, -1e4):
        for got, want in zip(run(variant, z + np.float32(offset), labels), near, strict=True):
            harness.same_bits(got, want)


def test_ties_go_to_the_first(variant):
    for classes in (5, 70, 1100):
        z = np.zeros((2, classes), np.float32)
        z[:, 3:] = 1
        *_, hit = run(variant, z, np.array([3, classes - 1]))
        np.testing.assert_array_equal(hit, [1, 0])


def test_the_gradient_in_place_of_the_logits(variant):
    for classes in (7, 1100):
        z, labels = logits(9, classes), variant.put(integer_labels(9, classes))
        within = harness.Guarded(variant.device, z.shape, start=z)
        _, dz = kernels.softmax_cross_entropy(
            within.array, labels, out=(None, within.array), **variant.options
        )
        assert dz is within.array
        _, apart = kernels.softmax_cross_entropy(variant.put(z), labels, **variant.options)
        harness.same_bits(within.read(), apart)


def test_without_the_gradient(variant):
    z, labels = variant.put(logits(9, 7), integer_labels(9, 7))
    loss, dz = kernels.softmax_cross_entropy(z, labels, out=(None, False), **variant.options)
    assert dz is None
    want, _ = kernels.softmax_cross_entropy(z, labels, **variant.options)
    harness.same_bits(loss, want)


@pytest.mark.parametrize("label", [-1, 7, 10**6, -(10**10), 2**32 + 3])
def test_label_out_of_range_on_the_cpu(cpu_variant, label):
    labels = integer_labels(9, 7)
    labels[4] = label
    with pytest.raises(IndexError, match=rf"labels\[4\]: got {label}; expected 0 … 6"):
        kernels.softmax_cross_entropy(logits(9, 7), labels, **cpu_variant.options)


@pytest.mark.parametrize("label", [-1, 7, 10**6, -(10**10), 2**32 + 3])
def test_label_out_of_range_on_the_gpu(gpu_variant, label):
    """Its row is NaN, and no other row changes."""
    z, labels = logits(9, 7), integer_labels(9, 7)
    good = run(gpu_variant, z, labels)
    labels[4] = label
    bad = run(gpu_variant, z, labels)
    assert np.isnan(bad[0][4]) and np.isnan(bad[1][4]).all() and bad[2][4] == 0
    for got, want in zip(bad, good, strict=True):
        harness.same_bits(np.delete(got, 4, axis=0), np.delete(want, 4, axis=0))


@pytest.mark.parametrize(
    "labels", [np.zeros((9, 1), int), np.zeros((1, 9), int), np.zeros((), int)]
)
def test_labels_are_never_broadcast(variant, labels):
    z, labels = variant.put(logits(9, 7), labels)
    with pytest.raises(ValueError, match=r"^labels: got shape \(.*\); expected \(9,\)"):
        kernels.softmax_cross_entropy(z, labels, **variant.options)


@pytest.mark.parametrize("shape", [(9, 1), (9,), (1, 7), (9, 6)], ids=str)
def test_targets_are_never_broadcast(variant, shape):
    z, targets = variant.put(logits(9, 7), np.zeros(shape, np.float32))
    with pytest.raises(ValueError, match=r"^labels: got shape \(.*\); expected \(9, 7\)"):
        kernels.softmax_cross_entropy(z, targets, **variant.options)


def test_empty_batch(variant):
    z, labels = variant.put(logits(0, 7), integer_labels(0, 7))
    loss, dz = kernels.softmax_cross_entropy(z, labels, **variant.options)
    assert loss.shape == (0,) and dz.shape == (0, 7)


def test_no_classes(variant):
    z, labels = variant.put(np.zeros((3, 0), np.float32), np.zeros(3, int))
    with pytest.raises(ValueError, match=r"^z: got shape \(3, 0\); expected at least one class"):
        kernels.softmax_cross_entropy(z, labels, **variant.options)


def test_figures_of_pytorch(variant):
    """torch.nn.functional.cross_entropy(z, [1, 0], reduction="none"), PyTorch 2.13, float64."""
    z = np.float32([[1.0, 2.0, -0.5], [0.0, 0.0, 3.0]])
    loss, dz, _ = run(variant, z, np.array([1, 0]))
    np.testing.assert_allclose(loss, [0.371539031853, 3.094922956421], rtol=1e-6)
    gradient = [
        [0.253716181635, -0.310327913875, 0.056611732240],
        [-0.954721499256, 0.045278500744, 0.909442998513],
    ]
    np.testing.assert_allclose(dz, gradient, rtol=1e-6)


@pytest.mark.parametrize("shape", [(2049, 10), (7, 1021)], ids=str)
def test_the_cpu_gives_the_same_bits_on_any_number_of_threads(cpu_variant, shape):
    z, labels, results = logits(*shape), integer_labels(*shape), []
    before = numba.get_num_threads()
    try:
        for threads in range(1, before + 1):
            numba.set_num_threads(threads)
            results.append(run(cpu_variant, z, labels))
    finally:
        numba.set_num_threads(before)
    for other in results[1:]:
        for one, another in zip(results[0], other, strict=True):
            harness.same_bits(one, another)
