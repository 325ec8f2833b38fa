"""Loading and launching on a card, as far as a stand-in for CuPy shows it: who loads a kernel, how
much shared memory it is granted, and which card it runs on."""

import concurrent.futures
import contextlib
import sys
import threading
import types

import numpy as np
import pytest

from dnn import devices
from kernels.device import CompileError, Entry, NoGPUError, gpu, toolchain
from kernels.device import unit as unit_module
from kernels.ops.linear import hopper
from tests.kernels.test_device import unit_of

ENTRY = Entry("double_it", "float* y, const float* x, int n")
CACHED = gpu.architecture, gpu.multiprocessors, gpu._functions


class Unit:
    """What is loaded."""

    def cubin(self, arch):
        return {ENTRY.name: b"code"}


class Array:
    """What a launch asks of a CuPy array."""

    dtype = np.dtype(np.float32)

    def __init__(self, device_id):
        self.data = types.SimpleNamespace(device_id=device_id, ptr=64)


class Function:
    def __init__(self, card):
        self.card, self.ptr = card, id(self)

    def __call__(self, grid, block, values, shared_mem):
        self.card.launched.append(grid)


class Card:
    """`cupy.cuda` with two cards. current: its number; the rest is what was done."""

    CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES = 8

    def __init__(self):
        self.current, self.capability = 0, "90"
        self.loaded, self.granted, self.launched = [], {}, []
        self.meeting = threading.Barrier(2)
        self.runtime = self.driver = self.function = self

    def getDevice(self):
        return self.current

    def getDeviceProperties(self, number):
        return {"name": f"card {number}".encode()}

    def Device(self, number):
        attributes = {"MultiProcessorCount": 78}
        return types.SimpleNamespace(compute_capability=self.capability, attributes=attributes)

    def Module(self):
        return self

    def load(self, code):
        with contextlib.suppress(threading.BrokenBarrierError):  # where there is no second one
            self.meeting.wait(0.5)
        self.loaded.append(code)

    def get_function(self, entry):
        return Function(self)

    def funcSetAttribute(self, function, attribute, n_bytes):
        self.granted[function] = n_bytes


@pytest.fixture
def card(monkeypatch):
    made = Card()
    cupy = types.SimpleNamespace(cuda=made, __version__="14.2")
    monkeypatch.setitem(sys.modules, "cupy.cuda", made)
    monkeypatch.setattr(gpu, "_loaded", {})
    for where in (gpu, devices):
        monkeypatch.setattr(where, "require_gpu", lambda: cupy)
    for function in CACHED:
        function.cache_clear()
    yield made
    for function in CACHED:
        function.cache_clear()


def test_two_threads_load_a_kernel_once(card):
    """And the function that has the shared memory is the one that both launch."""
    unit, n_bytes = Unit(), 98304
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        futures = [threads.submit(gpu.ready, unit, ENTRY.name, n_bytes) for _ in range(2)]
        first, second = (future.result() for future in futures)
    assert len(card.loaded) == 1 and first is second
    assert card.granted == {first.ptr: n_bytes}


def test_shared_memory_is_granted_where_more_is_asked_for(card):
    unit = Unit()
    function = gpu.ready(unit, ENTRY.name)
    assert not card.granted
    for asked, granted in ((100, 100), (50, 100), (200, 200)):
        assert gpu.ready(unit, ENTRY.name, asked) is function
        assert card.granted == {function.ptr: granted}


def test_an_array_on_another_card_is_refused(card):
    values = [Array(0), Array(1), np.int32(3)]
    with pytest.raises(TypeError, match=r"double_it: x: is on card 1, .* one is 0; .*Device\(1\)"):
        gpu.launch(Unit(), ENTRY, (1,), (32,), values)
    assert not card.launched
    gpu.launch(Unit(), ENTRY, (1,), (32,), [Array(0), np.uint64(0), np.int32(3)])
    assert card.launched == [(1,)]


@pytest.mark.parametrize(("device", "blocks"), [("gpu", 78), ("emulated", 132)])
def test_a_grid_has_a_block_for_each_multiprocessor_that_is_there(
    card, monkeypatch, device, blocks
):
    grids = []
    monkeypatch.setattr(hopper, "device_of", lambda like: device)
    monkeypatch.setattr(hopper, "_launch", lambda entry, n, *rest: grids.append(n))
    hopper._multiply("linear_forward", None, (np.zeros(1),), 128 * 100, 256 * 3, 64)
    assert grids == [blocks]


def test_auto_passes_an_old_card_by_and_says_so(card, monkeypatch):
    monkeypatch.setattr(devices, "gpu_available", lambda: True)
    assert devices.resolve("auto") == devices.resolve("gpu") == "gpu"
    gpu.architecture.cache_clear()
    card.capability = "75"
    with pytest.warns(UserWarning, match=r"capability 7\.5; expected 8\.0 .*runs on the CPU"):
        assert devices.resolve("auto") == "cpu"
    with pytest.raises(NoGPUError, match=r"compute capability 7\.5"):
        devices.resolve("gpu")


def test_the_current_card_is_described(card):
    assert devices.describe("gpu") == "card 0"
    card.current = 1
    assert devices.describe("gpu") == "card 1"


# Compilers


def test_a_linker_that_cannot_begin_says_for_what(toolchain):
    with pytest.raises(CompileError, match=r"^sgd/gpu\.cu for sm_999: "):
        link([("ptx", b"")], "sgd/gpu.cu", "sm_999")


link = toolchain.link  # the fixture has the module's name


def test_the_key_of_a_kernel_holds_who_compiles_the_functions_linked_into_it(monkeypatch):
    linked, keys = unit_of("activation", "gpu.cu"), []
    for version in ("0.1", "0.2"):
        monkeypatch.setattr(unit_module, "compiler_versions", lambda v=version: {"numba-cuda": v})
        keys.append(linked._key("sm_90", "cubin"))
    assert keys[0] != keys[1]
