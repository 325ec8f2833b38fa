"""Whatever a user hands in is an array of numbers, or is refused with the row or column named."""

import array
import re
import warnings

import numpy as np
import pytest

from dnn import Sequential, data, inputs, layers, one_hot
from tests.dnn.helpers import samples, small_model
from tests.harness import Foreign

X = np.arange(6).reshape(3, 2)


class Loader:
    """Gives batches, as torch's DataLoader and tf.data do."""

    def __iter__(self):
        return iter([(X, X)])


class Items:
    """Gives single items by number, as torch's Dataset does."""

    def __len__(self):
        raise AssertionError("it was read")

    def __getitem__(self, i):
        raise AssertionError("it was read")


class Sparse:
    nnz = 3

    def toarray(self):
        return X


class Unreadable(Foreign):
    dtype = "torch.bfloat16"

    def detach(self):
        return self

    def __dlpack__(self, **options):
        raise BufferError("bfloat16 is not supported")


class Arrayish:
    def __array__(self, dtype=None, copy=None):
        return X


TAKEN = {
    "list": X.tolist(), "tuples": tuple(map(tuple, X.tolist())), "list of arrays": list(X),
    "array": X, "read only": np.broadcast_to(X, X.shape), "Fortran": np.asfortranarray(X),
    "strides": np.repeat(X, 2, axis=1)[:, ::2], "big-endian": X.astype(">i4"),
    "matrix": X.view(np.matrix),
    "masked, but nothing is": np.ma.array(X), "float16": X.astype("f2"),
    "longdouble": X.astype(np.longdouble), "DLPack": Foreign(X), "__array__": Arrayish(),
    "memoryview": memoryview(X), "list of array.array": [array.array("d", row) for row in X],
    "ranges": [range(0, 2), range(2, 4), range(4, 6)],
    "list of masked": [np.ma.array(row) for row in X],
}  # fmt: skip


@pytest.mark.parametrize("case", TAKEN)
def test_what_is_taken(case):
    taken = inputs.as_array("x", TAKEN[case])
    assert type(taken) is np.ndarray and np.array_equal(taken, X)


def test_a_memory_map_is_not_read_into_memory(tmp_path):
    np.save(tmp_path / "x.npy", X)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    assert np.shares_memory(inputs.as_array("x", mapped), mapped)


masked = np.ma.array(X, mask=[[0, 0], [0, 1], [1, 0]])
NOT_TAKEN = {
    "None": (None, "x: got None; expected an array of numbers"),
    "generator": ((row for row in X), "x: got generator, which gives them one after another; exp"),
    "loader": (Loader(), "x: got Loader, which gives them one after another; expected one array"),
    "dataset": (Items(), "x: got Items, which gives"),
    "zip": (zip(X, X, strict=True), "Write np.stack(list(x)), or for batches of pairs x, y = ("),
    "set": ({1, 2}, "x: got set, which gives"),
    "dict": ({"a": [1]}, "x: got a dict; expected one array (n, …). Write np.stack([np.asarray("),
    "function": (len, "x: got builtin_function_or_method; expected an array of numbers"),
    "sparse": (Sparse(), "x: got a sparse Sparse; expected an array that holds its zeros too. Wr"),
    "masked": (masked, "x: got a masked array with 2 values masked, the first x[1, 1]; expected"),
    "masked row": ([X[0], masked[1]], "x[1]: got a masked array with 1 values masked, the first x"),
    "ragged": ([[1, 2], [3]], "x[1]: got shape (1,); expected (2,), as x[0] has. Pad the rows"),
    "ragged within": ([[[1, 2], [3, 4]], [[1], [2, 3]]], "x[1][1]: got shape (2,); expected (1,)"),
    "ragged arrays": ([np.zeros(2), np.zeros(3)], "x[1]: got shape (3,); expected (2,)"),
    "objects": (
        np.array([[1, 2], [3, None]], object),
        "dtype object; expected numbers. x[1, 1] is None",
    ),
    "numbers as objects": (X.astype(object), "All in it are: write np.asarray(x).astype(np.f"),
    "huge integers": ([[2**70, 1]], "dtype object; expected numbers. All in it are"),
    "text": (X.astype(str), "All in it are: write np.asarray(x).astype(np.float32)"),
    "text in a row": ([[1, 2], [3, "Rome"]], "expected numbers. x[1, 1] is 'Rome'. Encode text"),
    "a path": ("picture.png", "x: got dtype <U11; expected numbers. x is 'picture.png'"),
    "bytes": (b"abc", "x: got dtype |S3; expected numbers. x is b'abc'"),
    "a list of objects": ([Loader(), Loader()], "expected numbers. x[0] is a Loader"),
    "complex": (X + 1j, "x: got dtype complex128; expected numbers. Write np.abs(x), or"),
    "dates": (X.astype("M8[D]"), "dtype datetime64[D]; expected numbers. Write (x - x.min()) / np"),
    "durations": (X.astype("m8[s]"), "expected numbers. Write x / np.timedelta64(1, 's')"),
    "fields": (np.zeros(3, [("a", "f4")]), "Write np.lib.recfunctions.structured_to_unstructured("),
    "bfloat16": (Unreadable(X), "x: got a Unreadable of torch.bfloat16 that NumPy cannot take (bf"),
}


@pytest.mark.parametrize("case", NOT_TAKEN)
def test_what_is_refused(case):
    a, message = NOT_TAKEN[case]
    with pytest.raises((TypeError, ValueError), match=re.escape(message)) as caught:
        inputs.as_array("x", a)
    assert "\n" not in str(caught.value) and str(caught.value).startswith("x")


def test_targets_weights_and_labels_are_read_likewise():
    x, y = samples()
    model = small_model()
    hidden = np.ma.array(y, mask=y == 3)
    weights = np.ma.array(np.ones(len(y)), mask=y == 2)
    for call, name in (
        (lambda: model.fit(x, hidden), "y"),
        (lambda: model.evaluate(x, hidden), "y"),
        (lambda: model.fit(x, y, validation_data=(x, hidden)), "validation y"),
        (lambda: model.fit(x, y, sample_weight=weights), "sample_weight"),
        (lambda: model.evaluate(x, y, sample_weight=weights), "sample_weight"),
        (lambda: one_hot(hidden), "labels"),
    ):
        with pytest.raises(ValueError, match=f"^{name}: got a masked array with"):
            call()
    for call in (model.fit, model.evaluate):
        with pytest.raises(TypeError, match=r"^x: got Loader, which gives them one after another"):
            call(Loader())
        with pytest.raises(ValueError, match=r"^y: got None; expected the targets"):
            call(x)


def test_integers_that_float32_rounds_are_warned_of():
    of_numbers = Sequential([layers.Input(2), layers.Dense(2)], device="cpu")
    of_numbers.compile("sgd", "mean_squared_error")
    of_numbers.build()
    x = np.array([[1, 2], [3, 2**24 + 1], [2**24, -(2**24)]])
    for call, name in (
        (lambda: small_model().fit(x, [0, 1, 0], epochs=0, verbose=0), "x"),
        (lambda: data.samples("x", x.astype(np.float64)), "x"),
        (lambda: data.targets_for(of_numbers, "y", x), "y"),
    ):
        with pytest.warns(
            UserWarning, match=rf"^{name}\[1\]: holds an integer beyond 2²⁴ that flo"
        ):
            call()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for exact in (x * (x <= 2**24), x + 0.25, x * 1e30, x.astype(np.float32)):
            data.samples("x", exact)
