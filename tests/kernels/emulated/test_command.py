"""python -m kernels.device.emulated: what it prints, and its exit status."""

import pathlib
import re
import shlex
import subprocess
import sys
import textwrap

import numpy as np
import pytest

from kernels.device import emulated
from kernels.device.emulated import __main__ as command
from kernels.device.emulated import arguments, memory
from tests.dnn.helpers import ROOT

pytestmark = [pytest.mark.emulated, pytest.mark.usefixtures("toolchain")]
SUM = """\
extern "C" __global__ void sum(const float* x, float* y, int n) {
  __shared__ float tile[128];
  const int t = threadIdx.x;
  tile[t] = t < n ? x[t] : 0.f;
  __syncthreads();
  for (int half = 64; half > 0; half /= 2) {
    if (t < half) tile[t] += tile[t + half];
    __syncthreads();
  }
  if (t == 0) y[0] = tile[0];
}
"""
CALL = ["--block", "128", "x=float32[100]:range", "y=float32[1]:empty", "n=100"]


@pytest.fixture
def run(tmp_path, capsys):
    """run(text, *arguments) -> (exit status, what was printed, errors)."""

    def call(text, *words, name="sum.cu"):
        path = tmp_path / name
        path.write_text(text)
        status = command.main([str(path), *words])
        return status, *capsys.readouterr()

    return call


def test_a_right_kernel(run):
    status, out, _ = run(SUM, *CALL)
    assert status == 0
    assert "sum.cu: sum, grid 1, block 128, sm_90, schedule random, seed 0\n" in out
    assert "x  float32[100]: unchanged\n" in out
    assert "y  float32[1]: 1 elements changed, from [0]: 4950\n" in out
    assert "global memory  404 bytes asked for" in out and "barriers 32" in out
    assert out.endswith("nothing reported\n")


@pytest.mark.parametrize("seed", range(10))
def test_a_planted_race(run, seed):
    """A barrier taken out of the loop: the report shows both lines."""
    racing = SUM.replace("    __syncthreads();\n  }", "  }")
    status, out, _ = run(racing, *CALL, "--seed", str(seed))
    assert status == 1 and re.search(r"^race: ", out, re.M)
    assert re.search(r"in sum at .*sum\.cu:7, block", out)
    assert "      7 | if (t < half) tile[t] += tile[t + half];" in out
    assert re.search(r"\d+ reported\n$", out)


def test_arguments_come_in_any_order(run):
    status, out, _ = run(SUM, *reversed(CALL[2:]), *CALL[:2])
    assert status == 0 and "from [0]: 4950" in out


def test_schedule_definitions_entry_and_architecture(run):
    text = SUM + 'extern "C" __global__ void other(int* y) { *y = VALUE; }'
    status, out, _ = run(
        text, "--entry", "other", "--define", "VALUE=7", "--arch", "sm_80",
        "--schedule", "reverse", "y=int32[1]",
    )  # fmt: skip
    assert status == 0 and "from [0]: 7\n" in out and "sm_80, schedule reverse" in out


def test_ptx(run):
    from kernels.device.emulated import source

    ptx = source.read(SUM).ptx
    status, out, _ = run(ptx, *CALL, name="sum.ptx")
    assert status == 0 and "4950" in out


MISTAKES = {
    "no such argument": ([*CALL, "m=3"], "sum: got x, y, n, m; expected x, y, n"),
    "missing argument": (CALL[:-1], "sum: got x, y; expected x, y, n"),
    "dtype": (["x=int32[9]", "y=float32[1]", "n=9"], "sum: x: got an array of int32; expected one"),
    "unknown dtype": (["x=flaot32[9]"], "x: dtype: got 'flaot32'; expected one of 'float32'"),
    "unknown fill": (["x=float32[9]:rand"], "x: got 'rand'; expected random, zeros, range, empty"),
    "no value": (["x="], "x: got ''; expected a number, null, @file.npy, or an array"),
    "no file": (["x=@none.npy"], "none.npy"),
    "too many threads": ([*CALL, "--block", "2048"], "2048"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes(run, mistake):
    words, message = MISTAKES[mistake]
    status, _, errors = run(SUM, *words)
    assert status == 2 and errors.startswith("error: ") and message in errors


def test_a_file_that_does_not_compile(run):
    status, _, errors = run(SUM.replace("tile[t] +=", "tiles[t] +="), *CALL)
    assert status == 2 and 'sum.cu(7): error: identifier "tiles" is undefined' in errors


@pytest.mark.parametrize("words", [["--grid", "0"], ["--grid", "1,2,3,4"], ["--schedule", "x"]])
def test_options(run, words):
    with pytest.raises(SystemExit) as left:
        run(SUM, *words)
    assert left.value.code == 2


def test_the_help_has_an_example():
    command = [sys.executable, "-m", "kernels.device.emulated", "--help"]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "saxpy.cu --grid 4 --block 256" in out and "float32[64,32]:random" in out


def test_the_example_of_the_page(tmp_path, monkeypatch, capsys):
    """The kernel, the command and every line that it prints."""
    page = (pathlib.Path(emulated.__file__).parent / "README.md").read_text(encoding="utf-8")
    kernel = re.search(r"```cuda\n(.*?)```", page, re.S)[1]
    (tmp_path / "differences.cu").write_text(kernel)
    monkeypatch.chdir(tmp_path)
    shown = re.search(r"    \$ python -m kernels\.device\.emulated (.*?)\n\n(?! )", page, re.S)[1]
    words, _, printed = textwrap.dedent("    " + shown).replace("\\\n", " ").partition("\n")
    assert command.main(shlex.split(words)) == 1
    assert capsys.readouterr().out == printed + "\n"


def test_fills(tmp_path):
    def made(text):
        return arguments.parse(f"x={text}", np.random.default_rng(0))[1]

    assert made("int32[2,3]:range").tolist() == [[0, 1, 2], [3, 4, 5]]
    assert made("uint8[3]:7").tolist() == [7, 7, 7] and made("float32[2]").tolist() == [0, 0]
    assert set(made("int64[100]:random")) <= set(range(10))
    assert abs(made("float32[1000]:random").mean()) < 0.2
    assert isinstance(made("float32[3]:empty"), memory.EmulatedArray)
    assert made("0x10") == 16 and made("1e-3") == 1e-3 and made("null") is None
    np.save(tmp_path / "a.npy", np.eye(3))
    np.testing.assert_array_equal(made(f"@{tmp_path}/a.npy"), np.eye(3))


def workflow():
    """The calls of the workflow that others may copy, on one line each."""
    text = (ROOT / ".github/workflows/checker.yml").read_text("utf-8").replace("\\\n", " ")
    return re.findall(r"^ +python -m kernels\.device\.emulated (.+)", text, re.MULTILINE)


@pytest.mark.parametrize("call", workflow(), ids=lambda call: call.partition(" ")[0])
def test_the_workflow_to_copy_checks_its_kernels(call, monkeypatch, capsys):
    monkeypatch.chdir(ROOT / "kernels/ops/softmax_cross_entropy")
    for name, value in {"arch": "sm_80", "schedule": "in order"}.items():
        call = call.replace(f"${{{{ matrix.{name} }}}}", value)
    assert command.main(shlex.split(call)) == 0
    assert "nothing reported" in capsys.readouterr().out
