"""Arrays on the emulated device: which bytes are defined, and what NumPy may not do with them."""

import re

import numpy as np
import pytest

import kernels
from kernels import arrays
from kernels.device import DeviceError, EmulationError, capture, emulated
from tests import harness


def numbers(*shape):
    return harness.normal(np.random.default_rng(shape), *shape)


def test_there_and_back():
    a = numbers(3, 5)
    there = emulated.asarray(a)
    assert isinstance(there, emulated.EmulatedArray) and emulated.asarray(there) is there
    harness.same_bits(emulated.asnumpy(there), a)
    a[0, 0] = 7  # a copy: neither way shares memory
    back = there.get()
    assert back[0, 0] != 7
    back[0, 0] = 8
    assert there.get()[0, 0] != 8


def test_the_array_decides_the_device():
    a, there = numbers(3, 5), emulated.zeros((3, 5))
    assert arrays.device_of(x=there, b=None) == "emulated"
    assert kernels.variants("linear_cross_entropy", there) == ["gpu.cu"]
    with pytest.raises(TypeError, match=r"x on the emulated, w on the cpu; .*emulated\.asarray"):
        kernels.linear(there, numbers(5, 2))
    with pytest.raises(TypeError, match="out: lives on another device than the inputs"):
        kernels.activation(a, "relu", out=there)


@pytest.mark.parametrize(
    ("name", "compute"),
    [
        ("numpy.asarray", np.asarray),
        ("numpy.exp", np.exp),
        ("numpy.add", lambda a: a + 1),
        ("numpy.multiply", lambda a: np.ones(3) * a),
        ("numpy.concatenate", lambda a: np.concatenate([a, a])),
        ("numpy.add", lambda a: np.add(a.get(), 1, out=a)),
        ("a Python number", lambda a: float(a[0])),
        ("a Python number", lambda a: bool(a[0])),
    ],
)
def test_numpy_is_refused(name, compute):
    """No result of NumPy's becomes an array of the device, nor the other way round."""
    message = f"{name}: the array is on the emulated device.*kernels.device.emulated.asnumpy"
    with pytest.raises(TypeError, match="^" + message):
        compute(emulated.zeros(3))


VIEWS = {
    "slice": lambda a: a[1:, ::2],
    "row": lambda a: a[1],
    "element": lambda a: a[1, 2],
    "reversed": lambda a: a[::-1],
    "transposed": lambda a: a.T,
    "reshaped": lambda a: a.reshape(2, 12),
    "ravel": lambda a: a.ravel(),
    "other dtype": lambda a: a.view(np.uint16),
    "new axis": lambda a: a[:, None, ..., -1],
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_views_share_memory_and_what_is_defined(view):
    a = numbers(4, 6)
    there = emulated.array(a)
    seen = view(there)
    harness.same_bits(seen.get(), np.asarray(view(a)))
    there[...] = 2.0
    whole = np.full((4, 6), 2, np.float32)
    harness.same_bits(seen.get(), np.asarray(view(whole)))

    undefined = emulated.empty((4, 6))
    view(undefined)[...] = 0
    at = view(np.arange(24, dtype=np.float32).reshape(4, 6)) if seen.itemsize == 4 else ...
    written = np.zeros(24, bool)
    written[np.asarray(at, int) if at is not ... else ...] = True
    np.testing.assert_array_equal(undefined.defined.all(-1).ravel(), written)


def test_copies_share_nothing():
    there = emulated.array(numbers(4, 6))
    for copy in (there.copy(), there[[0, 2]], there[np.arange(4) > 1], there.T.reshape(24)):
        before = copy.get()
        there.fill(9)
        harness.same_bits(copy.get(), before)


def test_new_memory_is_undefined_until_it_is_written():
    a = emulated.empty((4, 6))
    with pytest.raises(EmulationError, match=re.escape("24 of 24 elements that the host reads")):
        a.get()
    a[:2] = 1
    a[3, 1:] = emulated.zeros(5)
    with pytest.raises(EmulationError, match=r"7 of 24 .* first at \[2, 0\] of shape \(4, 6\)"):
        emulated.asnumpy(a)
    harness.same_bits(a[3, 1:].get(), np.zeros(5, np.float32))
    assert emulated.zeros((2, 3), np.uint8).get().tolist() == [[0, 0, 0]] * 2


def test_undefined_elements_stay_undefined_when_moved():
    a = emulated.empty((4,), np.int32)
    a[1:3] = 5
    for moved in (a.copy(), a.astype(np.float64), a.clip(0, 9), a[[0, 1, 2, 3]], a[::-1].copy()):
        assert moved.defined.all(-1).tolist() == [False, True, True, False]
    b = emulated.zeros(4, np.int32)
    b[...] = a
    assert b.defined.all(-1).tolist() == [False, True, True, False]


def test_set_takes_what_fits_alone():
    a = emulated.empty((2, 3))
    a.set(numbers(2, 3))
    harness.same_bits(a, numbers(2, 3))
    for wrong in (numbers(3, 2), numbers(3), numbers(2, 3).astype(np.float64)):
        with pytest.raises(ValueError, match=r"^a: got .*; expected float32 \(2, 3\)"):
            a.set(wrong)


def test_assignment_takes_slices_and_integers():
    with pytest.raises(TypeError, match=r"^index \[0, 2\]: expected slices and integers"):
        emulated.zeros(3)[[0, 2]] = 1


def test_addresses():
    for shape in ((3,), (5, 7), (1,)):
        a = emulated.empty(shape)
        assert a.address % 256 == 0 and a.shape == shape
    a = emulated.zeros(8)
    assert a[3:].address == a.address + 12


def test_nothing_but_launches_while_a_graph_is_captured():
    a = emulated.zeros(3)
    for touch in (a.get, a.copy, lambda: a.fill(1), lambda: emulated.array(numbers(2))):
        with capture("emulated"), pytest.raises(DeviceError, match=r"it records launches only$"):
            touch()
