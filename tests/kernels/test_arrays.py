"""Where an array lives, and what the errors about arrays say. No GPU: a stand-in for CuPy."""

import gc
import sys
import types

import numpy as np
import pytest

import kernels
from kernels import arrays
from tests import harness


@pytest.fixture
def fake_cupy(monkeypatch):
    """A module named cupy whose arrays are a kind of their own."""

    class Elsewhere:
        """An array on a device; it is not NumPy's."""

        ndim, shape, dtype = 2, (2, 2), np.dtype(np.float32)
        flags = types.SimpleNamespace(c_contiguous=True)
        data, itemsize = types.SimpleNamespace(ptr=0), 4

    module = types.SimpleNamespace(cuda=None, ndarray=Elsewhere, from_dlpack=lambda a: Elsewhere())
    monkeypatch.setitem(sys.modules, "cupy", module)
    return module


def test_arrays_of_two_devices_are_refused(fake_cupy):
    here, there = np.zeros((2, 2), np.float32), fake_cupy.ndarray()
    with pytest.raises(TypeError, match=r"x on the cpu, w on the gpu; .*cupy\.asarray"):
        kernels.linear(here, there)
    with pytest.raises(TypeError, match="dy on the gpu, s on the cpu"):
        kernels.activation_backward(there, here, "relu")
    with pytest.raises(TypeError, match="out: lives on another device than the inputs"):
        kernels.activation(here, "relu", out=there)


@pytest.mark.parametrize("device_type", [2, 13])
def test_cuda_arrays_of_other_libraries_become_cupy_arrays(fake_cupy, device_type):
    adopted = arrays.adopt("x", harness.Foreign(np.zeros(3), device_type))
    assert isinstance(adopted, fake_cupy.ndarray)


@pytest.mark.parametrize("own", [False, True])
def test_what_an_op_updates_may_be_another_librarys(fake_cupy, own):
    """`result` beside itself, as every op that works in place asks for it."""
    a = fake_cupy.ndarray() if own else harness.Foreign(np.zeros((2, 2), np.float32), 2)
    assert isinstance(arrays.result("p", a, ("B", "I"), a), fake_cupy.ndarray)
    with pytest.raises(TypeError, match="p: lives on another device than the inputs"):
        arrays.result("p", a, ("B", "I"), np.zeros((2, 2), np.float32))


def test_variants_of_an_array_are_those_of_its_device(fake_cupy):
    here = set(kernels.variants("linear", np.zeros(1)))
    there = set(kernels.variants("linear", fake_cupy.ndarray()))
    assert here == {"cpu.py"} and {"gpu.cu", "gpu.py"} <= there
    assert set(kernels.variants("linear")) == here | there


def test_an_array_of_another_library_is_not_copied():
    a = np.arange(3, dtype=np.float32)
    adopted = arrays.adopt("x", harness.Foreign(a))
    assert type(adopted) is np.ndarray and np.shares_memory(adopted, a)


@pytest.mark.parametrize("value", [3.0, [1.0], None, "x"])
def test_what_is_no_array_is_refused(value):
    with pytest.raises(TypeError, match=r"^x: got \w+; .* Write np\.asarray\(x, dtype=np\.float32"):
        arrays.adopt("x", value)


def test_operand_copies_only_where_it_must():
    a = np.zeros((4, 6), np.float32)
    assert arrays.operand("x", a, ("B", "I")) is a
    for other in (a.T, a[:, ::2], a[::-1], harness.off_by_a_byte(a)):
        got = arrays.operand("x", other, other.shape)
        assert got.flags.c_contiguous and got.flags.aligned and got is not other
        harness.same_bits(got, other)


@harness.needs_dlpack_flags
def test_a_read_only_input_is_neither_copied_nor_another_type(tmp_path):
    """To Numba it would be one, and every kernel would be compiled again."""
    x = np.arange(4096, dtype=np.float32)
    x.tofile(tmp_path / "x")
    frozen = x.copy()
    frozen.flags.writeable = False
    mapped = np.memmap(tmp_path / "x", np.float32, "r")
    for a in (frozen, mapped, harness.Foreign(frozen), np.broadcast_to(x, (1, *x.shape))[0]):
        got = arrays.operand("x", a, x.shape)
        assert type(got) is np.ndarray and got.flags.carray
        assert not isinstance(a, np.ndarray) or np.shares_memory(got, a)
        harness.same_bits(got, x)
        kernels.moving_average(x.copy(), a)
    assert len(sys.modules["kernels.ops.moving_average.cpu"].towards.signatures) == 1


def test_the_memory_of_a_read_only_input_is_kept():
    a = np.frombuffer(bytes(range(256)) * 16, np.float32)
    got = arrays.operand("x", a, a.shape)
    want = a.copy()
    del a
    gc.collect()
    harness.same_bits(got, want)


def test_a_mask_is_not_ignored():
    masked = np.ma.masked_array(np.zeros(3, np.float32), [True, False, False])
    with pytest.raises(TypeError, match=r"^z: got a masked array; .* Pass z\.filled\(value\)$"):
        kernels.activation(masked, "relu")


@pytest.mark.parametrize(
    ("shape", "text"), [((784, "O"), r"\(784, O\)"), (("n",), r"\(n,\)"), ((4, 5), r"\(4, 5\)")]
)
def test_shape_message(shape, text):
    with pytest.raises(ValueError, match=rf"^w: got shape \(4, 6\); expected {text}$"):
        arrays.check_shape("w", np.zeros((4, 6)), shape)


def test_dtype_message_says_what_to_type():
    with pytest.raises(TypeError, match=r"w: got dtype int64; .* Write w\.astype\(np\.float32\)$"):
        arrays.check_dtype("w", np.zeros(3, np.int64))


def test_unknown_op():
    with pytest.raises(ValueError, match=r"^op: got 'lineer'; .* Did you mean 'linear'\?"):
        kernels.variants("lineer")


def test_the_cpu_answer_without_a_gpu_never_asks_for_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)  # importing it fails
    x = np.ones((2, 2), np.float32)
    harness.same_bits(kernels.linear(x, x), x @ x)
