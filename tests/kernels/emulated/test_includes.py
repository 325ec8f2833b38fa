"""Kernels that include NVIDIA's headers, or C's, as users write them."""

import numpy as np
import pytest

from kernels.device import CompileError, emulated, toolchain
from kernels.device.emulated import emulator, includes, source

pytestmark = [pytest.mark.emulated, pytest.mark.usefixtures("toolchain")]

NVIDIA = (
    "cooperative_groups.h",
    "cooperative_groups/reduce.h",
    "cuda_pipeline.h",
    "cuda_fp8.h",
    "cuda/atomic",
    "cuda/barrier",
    "cub/block/block_reduce.cuh",
)
HALVES = """
#include <cuda_runtime.h>
#include <cuda_fp16.h>
#include <cuda_bf16.h>
#include <cstdint>
#include <math.h>
#include <stdio.h>

extern "C" __global__ void halves(const half* x, half* exp, half* equal, std::int32_t* sum) {
  const uint32_t i = threadIdx.x;
  exp[i] = hexp(x[i]);
  if (i < 16) ((half2*)equal)[i] = __heq2(((const half2*)x)[i], __float2half2_rn(sqrtf(0.25f)));
  const int mine = __hisnan(x[i]) + (__bfloat162float(__float2bfloat16(2.f)) < 2);
  const int total = __reduce_add_sync(~0u, mine);
  if (i == 0) sum[0] = total + (M_PI < 3);
}
"""


def test_halves_and_the_standard_headers():
    x = np.linspace(-4, 3.75, 32).astype(np.float16)
    x[3:5] = np.nan
    exp, equal, total = np.zeros_like(x), np.zeros_like(x), np.zeros(1, np.int32)
    result = emulated.run(HALVES, 1, 32, x, exp, equal, total)
    assert not result.reports
    np.testing.assert_allclose(exp, np.exp(x.astype(np.float32)), rtol=2**-10)
    np.testing.assert_array_equal(equal, (x == 0.5).astype(np.float16))
    assert equal.any() and total == 2


@pytest.mark.sweep
@pytest.mark.parametrize("header", [*NVIDIA, *sorted(includes.STANDARD)])
def test_every_header_is_found(header):
    text = f'#include <{header}>\nextern "C" __global__ void k(int* y) {{ *y = 1; }}'
    assert toolchain.compile_cpp(text, "k.cu", "sm_90", {}, includes.STANDARD, includes.folders())


@pytest.mark.parametrize(
    ("header", "remedy"),
    [
        ("curand_kernel.h", "Type: pip install nvidia-curand"),
        ("vector", "It is the host's"),
        ("mine.cuh", "Expected it in one of the folder of"),
    ],
)
def test_a_header_that_is_not_there(header, remedy):
    text = f'// first\n#include "{header}"\nextern "C" __global__ void k(int* y) {{ *y = 1; }}'
    with pytest.raises(CompileError) as raised:
        source.read(text)
    said = str(raised.value)
    assert said.startswith(f"kernel.cu:2: #include of {header}: not there. {remedy}"), said
    assert "\n" not in said


def test_without_the_wheels_the_error_says_which(monkeypatch):
    monkeypatch.setattr(includes, "folders", lambda: ())
    for header, wheel in (
        ("cuda_fp16.h", "runtime"),
        ("cuda/atomic", "cccl"),
        ("stdint.h", "cccl"),
    ):
        with pytest.raises(CompileError, match=rf"Type: pip install nvidia-cuda-{wheel}(-cu12)?$"):
            source.read(f'#include <{header}>\nextern "C" __global__ void k(int* y) {{ *y = 1; }}')


def test_a_barrier_of_the_grid_is_refused_by_name():
    """cooperative_groups::this_grid() reads this register."""
    text = """.version 8.0
    .target sm_90
    .address_size 64
    .visible .entry k() { .reg .b32 %r1; mov.u32 %r1, %envreg2; ret; }"""
    with pytest.raises(
        emulator.ptx.PTXError, match="the grid of cooperative_groups is not emulated"
    ):
        emulator.load(text)


def test_a_header_beside_the_file(tmp_path):
    (tmp_path / "mine.cuh").write_text("constexpr int SIX = 6;\n")
    file = tmp_path / "k.cu"
    file.write_text('#include "mine.cuh"\nextern "C" __global__ void k(int* y) { *y = SIX; }')
    assert source.read(file).declared


def test_the_librarys_own_kernels_see_none_of_it(tmp_path):
    """What they are made of is in the keys of their cache; these headers are not."""
    with pytest.raises(CompileError, match="cuda_fp16"):
        toolchain.compile_cpp("#include <cuda_fp16.h>\n", "gpu.cu", "sm_90", {})
