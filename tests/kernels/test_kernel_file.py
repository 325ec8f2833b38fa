"""What a KernelFile hands to the compiler and to a launch, of a file that is made here."""

import ctypes
import types

import numpy as np
import pytest

from kernels.device import (
    DeviceError,
    EmulationError,
    Entry,
    Geometry,
    KernelFile,
    emulated,
    extended,
    gpu,
    held_to,
    launch,
)

SOURCE = """
extern "C" __global__ void __launch_bounds__(THREADS)
numbers(int* y, int n) {
  extern __shared__ int shared[];
  shared[threadIdx.x] = WIDTH * gridDim.x + blockDim.x;
  for (int i = blockIdx.x * THREADS + threadIdx.x; i < n; i += gridDim.x * THREADS)
    y[i] = shared[threadIdx.x];
}
extern "C" __global__ void ranks(int* y) {
  unsigned rank, size;
  asm("mov.u32 %0, %%cluster_ctarank;" : "=r"(rank));
  asm("mov.u32 %0, %%cluster_nctarank;" : "=r"(size));
  y[blockIdx.x] = 10 * size + rank;
}
"""
NUMBERS = Entry("numbers", "int* y, int n")


@pytest.fixture
def described(tmp_path):
    """described(*entries, threads=…, …): a KernelFile of SOURCE."""
    (tmp_path / "gpu.cu").write_text(SOURCE)
    constants = {"WIDTH": 1000}
    options = {"threads": 64, "shared_bytes": 256, "constants": constants, "most_blocks": 3}
    return lambda *entries, **more: KernelFile(str(tmp_path), "gpu.cu", entries, **options | more)


def zeros(n):
    return emulated.array(np.zeros(n, np.int32))


@pytest.mark.emulated
@pytest.mark.usefixtures("toolchain")
class TestOnTheEmulatedDevice:
    def test_the_kernel_and_its_launch_have_the_same_numbers(self, described):
        file, y = described(NUMBERS), zeros(300)
        launch(file, "numbers", (file.blocks(300),), (y, 300))
        assert (emulated.asnumpy(y) == 3064).all()

    def test_few_blocks_stride(self, described):
        file, y = described(NUMBERS), zeros(300)
        with held_to(2):
            launch(file, "numbers", (file.blocks(300),), (y, 300))
        assert (emulated.asnumpy(y) == 2064).all() and file.blocks(300) == 3
        assert file.blocks(300, of_a_thread=4) == 2 and file.blocks(0) == 0

    def test_a_geometry_has_its_own(self, described):
        file, y = described(NUMBERS, constants={}, threads=128), zeros(64)
        launch(file, "numbers", (1,), (y, 64), geometry=Geometry(("WIDTH", "5"), 128, 512))
        assert (emulated.asnumpy(y) == 5 + 128).all()

    def test_clusters(self, described):
        y = zeros(8)
        launch(
            described(Entry("ranks", "int* y", threads=1, cluster=(4, 1, 1))), "ranks", (8,), (y,)
        )
        assert emulated.asnumpy(y).tolist() == [40, 41, 42, 43] * 2

    def test_cooperative(self, described):
        file = described(Entry("ranks", "int* y", threads=1, cooperative=True))
        launch(file, "ranks", (8,), (y := zeros(8),))
        assert emulated.asnumpy(y).tolist() == [10] * 8
        with pytest.raises(ValueError, match=r"ranks: a cooperative launch of .* is too large"):
            launch(file, "ranks", (100_000,), (zeros(100_000),))

    def test_a_programmatic_launch_is_refused(self, described):
        file = described(Entry("ranks", "int* y", programmatic=True))
        with pytest.raises(EmulationError, match="ranks: programmatic dependent launch: "):
            launch(file, "ranks", (1,), (zeros(1),))


# The driver's extended launch, of which no card here can say whether it runs


@pytest.fixture
def driver():
    return pytest.importorskip("cuda.bindings.driver")


ALL = Entry(
    "all",
    "float* y, const int* x, int n, float a, long long m, unsigned char u",
    cluster=(2, 1, 1),
    cooperative=True,
    programmatic=True,
)


def test_the_configuration_says_all_that_the_entry_asks_for(driver):
    config = extended.configuration(driver, ALL, (6, 5), (128,), 4096, 0x10)
    assert (config.gridDimX, config.gridDimY, config.gridDimZ) == (6, 5, 1)
    assert (config.blockDimX, config.blockDimY, config.blockDimZ) == (128, 1, 1)
    assert config.sharedMemBytes == 4096 and int(config.hStream) == 0x10
    ids = driver.CUlaunchAttributeID
    value_of = {attribute.id: attribute.value for attribute in config.attrs}
    assert config.numAttrs == len(value_of) == 3
    cluster = value_of[ids.CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION].clusterDim
    assert (cluster.x, cluster.y, cluster.z) == (2, 1, 1)
    assert value_of[ids.CU_LAUNCH_ATTRIBUTE_COOPERATIVE].cooperative == 1
    early = value_of[ids.CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION]
    assert early.programmaticStreamSerializationAllowed == 1
    only = extended.attributes(driver, Entry("only", "int* y", cooperative=True))
    assert [a.id for a in only] == [ids.CU_LAUNCH_ATTRIBUTE_COOPERATIVE]


def test_arguments_by_their_c_types():
    y = types.SimpleNamespace(data=types.SimpleNamespace(ptr=0x7000), dtype=np.float32)
    given = (y, None, 7, 0.5, 2**40, 3)
    values = [p.argument("all", v) for p, v in zip(ALL.parameters, given, strict=True)]
    numbers, kinds = extended.packed(ALL, values)
    assert numbers == (0x7000, 0, 7, 0.5, 2**40, 3)
    assert kinds == (
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_int32,
        ctypes.c_float,
        ctypes.c_int64,
        ctypes.c_uint8,
    )


def test_only_what_is_not_plain_goes_to_the_driver(monkeypatch):
    ran = []
    monkeypatch.setattr(
        gpu, "ready", lambda unit, entry, shared: lambda *a, **k: ran.append("plain")
    )
    monkeypatch.setattr(extended, "launch", lambda *a: ran.append("extended"))
    for entry in (NUMBERS, ALL):
        nothing = [np.uint64(0)] * len(entry.parameters)
        gpu.launch("unit", entry, (1,), (32,), nothing, 0)
    assert ran == ["plain", "extended"]


def test_what_the_driver_refuses(monkeypatch, driver):
    refused = driver.CUresult.CUDA_ERROR_INVALID_VALUE
    monkeypatch.setattr(driver, "cuLaunchKernelEx", lambda *call: (refused,))
    stream = types.SimpleNamespace(get_current_stream=lambda: types.SimpleNamespace(ptr=1))
    monkeypatch.setattr(extended, "import_cupy", lambda: types.SimpleNamespace(cuda=stream))
    function = types.SimpleNamespace(ptr=0x1234)
    with pytest.raises(
        DeviceError, match="only: the driver refused the launch: CUDA_ERROR_INVALID"
    ):
        extended.launch(
            function, Entry("only", "int n", cooperative=True), (1,), (32,), [np.int32(1)], 0
        )
