"""gather: rows of a data set in a shuffled order, converted and scaled on the way."""

import numpy as np
import pytest

import kernels
from kernels.device import capture
from kernels.ops.gather.shuffle import half_bits, shuffle_key
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks

OP = "gather"
LARGE = [65535, 65536, 65537, 60000, 1_000_003]


def rows_of(variant, n, key, start=0, rows=None):
    """The rows that stand at positions start … of the order, from gathering 0 … n−1."""
    count = n - start if rows is None else rows
    labels = variant.put(np.arange(n, dtype=np.int32))
    return harness.get(kernels.gather(labels, start, count, key=key, **variant.options))


class TestArguments(ArgumentChecks):
    free = (("x", 0), ("x", 1))
    wrong_dtypes = ("float64", "float16", "int64", "bool")
    test_wrong_shape = None  # any shape with rows is right

    @staticmethod
    def inputs():
        return {"x": harness.normal(np.random.default_rng(0), 19, 6)}

    @staticmethod
    def call(x, **options):
        return kernels.gather(x, 3, 12, key=shuffle_key(1, 2), scale=0.25, **options)


def test_every_row_occurs_once(variant):
    step = 1 if variant.device == "cpu" else 23
    for n in range(1, 301, step):
        rows = rows_of(variant, n, shuffle_key(n, 0))
        np.testing.assert_array_equal(np.sort(rows), np.arange(n))


def test_the_order_is_the_reference_order(variant):
    for n in [*range(1, 18), 255, 256, 257, 1000]:
        key = shuffle_key(7, n)
        np.testing.assert_array_equal(rows_of(variant, n, key), kernels.reference.order(n, key))


@pytest.mark.parametrize("n", LARGE)
def test_large(variant, n):
    """A window of the order; that the whole is a bijection is shown on the reference."""
    key = shuffle_key(7, n)
    order = kernels.reference.order(n, key)
    assert (np.bincount(order, minlength=n) == 1).all()
    for start in (0, n // 2, n - 100):
        np.testing.assert_array_equal(
            rows_of(variant, n, key, start, 100), order[start : start + 100]
        )


def test_no_key_is_no_shuffle(variant):
    np.testing.assert_array_equal(rows_of(variant, 50, None), np.arange(50))


def test_every_seed_and_epoch_has_an_order_of_its_own():
    orders = {
        tuple(kernels.reference.order(50, shuffle_key(seed, epoch)))
        for seed in (0, 1, 2, -1, 2**64 - 2)
        for epoch in range(20)
    }
    assert len(orders) == 5 * 20
    assert all(0 <= shuffle_key(seed, 0) < 2**63 for seed in (-(10**30), 0, 10**30))


@pytest.mark.parametrize("n", [2, 5, 10])
def test_rows_are_uniform_over_positions(n):
    """χ² of row against position over many keys: (n−1)² degrees of freedom, five deviations."""
    keys = 3000
    counts = np.zeros((n, n))
    for epoch in range(keys):
        counts[np.arange(n), kernels.reference.order(n, shuffle_key(12345, epoch))] += 1
    chi2 = ((counts - keys / n) ** 2 / (keys / n)).sum()
    freedom = (n - 1) ** 2
    assert freedom - 5 * np.sqrt(2 * freedom) <= chi2 <= freedom + 5 * np.sqrt(2 * freedom) + 5


@pytest.mark.parametrize("n", [1, 2, 4, 5, 16, 17, 65536, 65537, 2**31 - 1])
def test_half_bits(n):
    """The fewest even number of bits, at least 2, that hold 0 … n−1."""
    bits = 2 * half_bits(n)
    assert n <= 2**bits and (bits == 2 or n > 2 ** (bits - 2))


@pytest.mark.parametrize(("shape", "rows"), [((5, 3), 0), ((0, 3), 0), ((5, 0), 5)], ids=str)
def test_nothing_to_gather(variant, shape, rows):
    x = variant.put(np.zeros(shape, np.uint8))
    got = kernels.gather(x, 0, rows, key=3, **variant.options)
    assert got.shape == (rows, shape[1]) and got.dtype == np.float32


@pytest.mark.parametrize(("start", "rows"), [(-1, 2), (0, 6), (5, 1), (3, 3), (0, -1)])
def test_rows_outside_the_data(variant, start, rows):
    x = variant.put(np.zeros((5, 3), np.float32))
    with pytest.raises(ValueError, match=f"^start, rows: got {start}, {rows}; expected"):
        kernels.gather(x, start, rows, **variant.options)


# start and key on the device


def int64(value):
    return np.array([value], np.int64)


@pytest.mark.parametrize("dtype", ["uint8", "float32", "int32"])
def test_start_and_key_as_arrays(variant, dtype):
    x = variant.put((200 * np.random.default_rng(0).random((23, 7))).astype(dtype))
    key = shuffle_key(3, 1)
    for start, rows in ((0, 23), (5, 9), (22, 1)):
        expected = kernels.gather(x, start, rows, key=key, scale=0.5, **variant.options)
        for start_there, key_there in ((1, 1), (1, 0), (0, 1)):
            order = variant.put(int64(start)) if start_there else start
            options = {"key": variant.put(int64(key)) if key_there else key, "scale": 0.5}
            got = kernels.gather(x, order, rows, **options, **variant.options)
            harness.same_bits(got, expected)
    unshuffled = kernels.gather(x, variant.put(int64(4)), 6, scale=0.5, **variant.options)
    harness.same_bits(unshuffled, kernels.gather(x, 4, 6, scale=0.5, **variant.options))


@pytest.mark.parametrize("start", [-(2**63), -9, -3, 0, 2, 4, 5, 2**63 - 1])
def test_an_array_that_starts_outside_the_data(variant, start):
    """5 rows are there, 4 are asked for: those that are not there are left as they are."""
    x = np.arange(5, dtype=np.int32)
    out = variant.put(np.full(4, -7, np.int32))
    kernels.gather(variant.put(x), variant.put(int64(start)), 4, out=out, **variant.options)
    expected = [x[start + i] if 0 <= start + i < 5 else -7 for i in range(4)]
    assert harness.get(out).tolist() == expected


@pytest.mark.parametrize("name", ["start", "key"])
@pytest.mark.parametrize(
    ("value", "error"), [(np.int32([1]), TypeError), (np.int64([1, 2]), ValueError)], ids=str
)
def test_wrong_arrays_of_start_and_key(variant, name, value, error):
    given = {"start": 0, "key": None, name: variant.put(value)}
    with pytest.raises(error, match=rf"^{name}: got "):
        kernels.gather(variant.put(np.zeros((5, 3), np.uint8)), rows=2, **given, **variant.options)


@pytest.mark.parametrize("device", ["cpu", pytest.param("emulated", marks=pytest.mark.emulated)])
def test_a_graph_reads_start_and_key_at_every_replay(device):
    x = harness.put(np.arange(40, dtype=np.int32), device)
    start, key, y = (harness.put(a, device) for a in (int64(0), int64(0), np.zeros(7, np.int32)))
    with capture(device) as graph:
        kernels.gather(x, start, 7, key=key, out=y)
    for position, number in ((3, 11), (33, 2**62)):
        start[...], key[...] = position, number
        graph.replay()
        harness.same_bits(y, kernels.gather(x, position, 7, key=number))


def test_a_scalar_has_no_rows(variant):
    with pytest.raises(ValueError, match=r"^x: got shape \(\); expected \(n, …\)"):
        kernels.gather(variant.put(np.float32(3)), 0, 0, **variant.options)


@pytest.mark.parametrize(
    ("shape", "dtype", "error"),
    [((2, 3), "f4", ValueError), ((4, 3, 1), "f4", ValueError), ((4, 3), "i4", TypeError)],
)
def test_wrong_output(variant, shape, dtype, error):
    x, out = variant.put(np.zeros((5, 3), np.uint8), np.zeros(shape, dtype))
    with pytest.raises(error, match=r"^out: got .*; expected"):
        kernels.gather(x, 0, 4, out=out, **variant.options)
