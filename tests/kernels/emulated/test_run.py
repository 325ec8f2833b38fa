"""`emulated.run`: a kernel in any form that a user has it, on NumPy arrays."""

import numpy as np
import pytest

from kernels.device import CompileError, emulated
from kernels.device.emulated import emulator, source

pytestmark = [pytest.mark.emulated, pytest.mark.usefixtures("toolchain")]
SAXPY = """
extern "C" __global__ void saxpy(float* __restrict__ y, const float* x, float a, int n) {
  const int i = blockIdx.x * blockDim.x + threadIdx.x;
  if (i < n) y[i] += a * x[i];
}
"""
DECLARATION = "float* y, const float* x, float a, int n"
N = 1000


def written(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    return path


FORMS = {
    "C++ text": lambda folder: (SAXPY, {}),
    ".cu path": lambda folder: (written(folder, "saxpy.cu", SAXPY), {}),
    ".cu path as text": lambda folder: (str(written(folder, "saxpy.cu", SAXPY)), {}),
    "PTX text": lambda folder: (source.read(SAXPY).ptx, {}),
    ".ptx path": lambda folder: (written(folder, "saxpy.ptx", source.read(SAXPY).ptx), {}),
}


def vectors():
    rng = np.random.default_rng(0)
    return rng.standard_normal((2, N)).astype(np.float32)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("n", [N, N - 3])
def test_every_form_of_a_kernel(form, n, tmp_path):
    kernel, options = FORMS[form](tmp_path)
    y, x = vectors()
    want = y + np.where(np.arange(N) < n, np.float32(0.5) * x, 0)
    result = emulated.run(kernel, 4, 256, y, x, 0.5, n, **options)
    assert result.reports == [] and result.counters.launches == 1
    np.testing.assert_allclose(y, want, rtol=1e-6)
    assert result.counters.total.global_bytes == 3 * 4 * n


def test_a_kernel_in_python():
    from tests.kernels.emulated.python_kernels import saxpy

    y, x = vectors()
    want = y + np.float32(0.5) * x
    result = emulated.run(saxpy, 4, 256, y, x, 0.5, N, declaration=DECLARATION)
    assert result.reports == []
    np.testing.assert_allclose(y, want, rtol=1e-6)


def test_a_race_in_a_python_kernel_names_its_line():
    import inspect

    from tests.kernels.emulated.python_kernels import reverse_without_barrier as kernel

    lines, first = inspect.getsourcelines(kernel)
    y, x = np.zeros((2, 64), np.float32)
    declaration = "float* y, const float* x"
    result = emulated.run(kernel, 1, 64, y, x, declaration=declaration)
    races = [report for report in result.reports if report.kind == "race"]
    assert races and all(r.file.endswith("python_kernels.py") for r in races)
    assert {r.line for r in races} <= {first + 3, first + 4}
    assert "tile[t] = x[t]" in lines[3] and "y[t] = tile[63 - t]" in lines[4]


def test_a_launch_counts_the_same_whatever_ran_before():
    """A kernel of byte accesses to shared memory makes the checker look at every byte of it."""
    text = """
      extern "C" __global__ void neighbours(float* y) {
        __shared__ float tile[32];
        tile[threadIdx.x] = threadIdx.x;
        y[threadIdx.x] = tile[31 - threadIdx.x];
      }
      extern "C" __global__ void bytes(unsigned char* y) {
        __shared__ unsigned char tile[128];
        tile[threadIdx.x] = threadIdx.x;
        __syncthreads();
        y[threadIdx.x] = tile[31 - threadIdx.x];
      }"""

    def races():
        reports = emulated.run(text, 1, 32, np.zeros(32, np.float32), entry="neighbours").reports
        return [report.count for report in reports]

    before = races()
    assert emulated.run(text, 1, 32, np.zeros(32, np.uint8), entry="bytes").reports == []
    assert before and races() == before


@pytest.mark.parametrize("seed", range(3))
def test_a_write_past_the_end_names_its_line(seed):
    y, x = vectors()
    beside = np.concatenate([y, np.zeros(24, np.float32)])  # memory of the host goes on
    broken = SAXPY.replace("if (i < n) ", "")
    result = emulated.run(broken, 4, 256, beside[:N], x, 0.5, N, seed=seed)
    assert {report.kind for report in result.reports} == {"out of bounds"}
    assert {report.line for report in result.reports} == {4}
    assert {report.address[:4] for report in result.reports} <= {"x + ", "y + "}
    assert not beside[N:].any()


def test_reports_are_returned_and_never_raised():
    y = emulated.empty(N)
    result = emulated.run(SAXPY, 4, 256, y, np.zeros(N, np.float32), 1, N)
    assert [report.kind for report in result.reports] == ["uninitialised read"]
    y.get()  # every element was written after it was read


@pytest.mark.parametrize("start", range(0, 5))
def test_where_numpy_put_an_array_does_not_matter(start):
    """An array begins on a multiple of 256 bytes, as on a card; a view at its distance from it."""
    bytes_ = np.zeros(4 * N + 64, np.uint8)
    x = bytes_[start : start + 4 * N]
    text = """extern "C" __global__ void f(unsigned long long* where, const unsigned char* x) {
      where[0] = (unsigned long long)x;
    }"""
    where = np.zeros(1, np.uint64)
    emulated.run(text, 1, 1, where, x)
    assert where[0] % 256 == start


def test_views_of_one_array_stay_views_of_one_memory():
    text = """extern "C" __global__ void f(int* y, int* x) { *x = 7; __threadfence(); *y += *x; }"""
    both = np.array([1, 2], np.int32)
    assert emulated.run(text, 1, 1, both[:1], both[:1]).reports == []
    assert both.tolist() == [14, 2]
    assert emulated.run(text, 1, 1, both[:1], both[1:]).reports == []
    assert both.tolist() == [21, 7]


def test_an_array_on_the_device():
    y, x = vectors()
    there = emulated.asarray(y)
    emulated.run(SAXPY, 4, 256, there, emulated.asarray(x), 0.5, N)
    np.testing.assert_allclose(there.get(), y + np.float32(0.5) * x, rtol=1e-6)


def test_one_of_several_entries_by_its_name_in_cpp():
    text = """
    __global__ void one(int* y) { y[threadIdx.x] = 1; }
    __global__ void two(int* y) { y[threadIdx.x] = 2; }
    """
    y = np.zeros(32, np.int32)
    emulated.run(text, 1, 32, y, entry="two")
    assert (y == 2).all()
    with pytest.raises(CompileError, match=r"^entry: got None; expected one of .*one.*two"):
        emulated.run(text, 1, 32, y)
    with pytest.raises(ValueError, match="entry: got 'three'; expected one of"):
        emulated.run(text, 1, 32, y, entry="three")


def test_definitions_and_architecture():
    text = """extern "C" __global__ void f(int* y) { y[0] = VALUE; y[1] = __CUDA_ARCH__; }"""
    y = np.zeros(2, np.int32)
    emulated.run(text, 1, 1, y, defines={"VALUE": 7}, arch="sm_80")
    assert y.tolist() == [7, 800]


def test_shared_memory_and_three_sizes():
    text = """extern "C" __global__ void f(int* y) {
      extern __shared__ int tile[];
      const int t = threadIdx.x + 4 * threadIdx.y, n = 4 * blockDim.y;
      tile[t] = t + 100 * blockIdx.z;
      __syncthreads();
      y[n * blockIdx.z + t] = tile[n - 1 - t];
    }"""
    y = np.zeros((2, 12), np.int32)
    result = emulated.run(text, (1, 1, 2), (4, 3), y, shared_bytes=48)
    assert result.reports == []
    np.testing.assert_array_equal(y, np.arange(12)[::-1] + np.array([[0], [100]]))
    result = emulated.run(text, (1, 1, 2), (4, 3), y, shared_bytes=44)
    assert {report.kind for report in result.reports} == {"out of bounds"}


ARGUMENTS = {
    "too few": ((1,), TypeError, "saxpy: got 1 arguments; expected y, x, a, n"),
    "dtype": ((np.zeros(N), None, 1, N), TypeError, "y: got an array of float64; expected one of"),
    "a number for an array": ((3, None, 1, N), TypeError, "y: got 3; expected a NumPy array"),
    "an array for a number": (
        (np.zeros(N, "f4"), None, np.zeros(2), N),
        TypeError,
        "a: got an array; expected a number",
    ),
    "strided": ((np.zeros(2 * N, "f4")[::2], None, 1, N), TypeError, "y: expected a C-contiguous"),
    "not whole": ((np.zeros(N, "f4"), None, 1, 9.5), TypeError, "n: got 9.5; expected a whole"),
    "out of range": ((np.zeros(N, "f4"), None, 1, 2**40), OverflowError, "too large|out of bounds"),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_arguments_that_do_not_fit(case):
    arguments, error, message = ARGUMENTS[case]
    with pytest.raises(error, match=message):
        emulated.run(SAXPY, 1, 32, *arguments)


def test_a_kernel_that_does_not_compile():
    with pytest.raises(CompileError, match=r'kernel\.cu\(4\): error: identifier "j" is undefined'):
        emulated.run(SAXPY.replace("x[i]", "x[j]"), 1, 32)


def test_what_is_no_kernel(tmp_path):
    with pytest.raises(TypeError, match=r"^kernel: got int; expected C"):
        emulated.run(3, 1, 32)
    with pytest.raises(FileNotFoundError):
        emulated.run(tmp_path / "none.cu", 1, 32)
    with pytest.raises(ValueError, match=r"the file's ending: got '\.txt'; expected one of '\.cu'"):
        emulated.run(tmp_path / "kernel.txt", 1, 32)
    with pytest.raises(TypeError, match=r"^declaration: got None; expected the parameters of <lam"):
        emulated.run(lambda y: None, 1, 32)
    with pytest.raises(TypeError, match=r"^declaration: names x; expected those of <lambda>: y"):
        emulated.run(lambda y: None, 1, 32, declaration="float* x")


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("const float* __restrict__ x", ("x", "float32", True)),
        ("unsigned int n", ("n", "uint32", False)),
        ("std::size_t n", ("n", "uint64", False)),
        ("const double y[]", ("y", "float64", True)),
        ("int /* rows */ m", ("m", "int32", False)),
        ("const half* h", ("h", "float16", True)),
        ("const __nv_bfloat16* h", ("h", None, True)),
    ],
)
def test_declared_parameters(text, want):
    (parameter,) = source.declared(text)
    assert (parameter.name, parameter.dtype and parameter.dtype.name, parameter.pointer) == want


@pytest.mark.parametrize("check", [True, False])
def test_instructions_are_counted_as_lanes_run_them(check):
    """Three of a loop of tid + 1 turns, one that its guard turns off among the four around it."""
    text = """
      .version 9.0
      .target sm_90
      .address_size 64
      .entry turns(.param .u64 y) {
        .reg .b32 %r<3>; .reg .pred %p<2>;
        mov.u32 %r1, %tid.x; mov.u32 %r2, 0;
        LOOP: setp.lt.u32 %p1, %r2, %r1; @%p1 add.u32 %r2, %r2, 1; @%p1 bra LOOP;
        @%p1 mov.u32 %r2, 0;
        ret;
      }"""
    y = np.zeros(1, np.float32)
    result = emulated.run(text, 2, 32, y, check=check)
    assert result.counters.instructions == 2 * sum(4 + 3 * (tid + 1) for tid in range(32))
    both = result.counters + result.counters
    assert (both.blocks, both.instructions) == (4, 2 * result.counters.instructions)


@pytest.mark.parametrize(("arch", "kilobytes"), [("sm_80", 163), ("sm_89", 99), ("sm_90a", 227)])
def test_a_block_has_the_shared_memory_of_its_card(arch, kilobytes):
    text = f"""\
.version 9.0
.target {arch}
.address_size 64
.visible .entry nothing(.param .u64 y) {{ ret; }}
"""
    y = np.zeros(1, np.int32)
    program = emulator.load(text)
    program.launch("nothing", (1,), (32,), [y], shared_bytes=1024 * kilobytes)
    with pytest.raises(ValueError, match=f"may have {1024 * kilobytes} on {arch}"):
        program.launch("nothing", (1,), (32,), [y], shared_bytes=1024 * kilobytes + 1)
