"""What every GPU kernel file says of itself: a header with its fields, and the declared entries."""

import ast
import dataclasses
import re

import pytest

from kernels import dispatch
from kernels.device.emulated import source
from kernels.device.signature import parse
from tests import harness

FIELDS = ("Maths", "Shapes", "Traffic", "Launch", "Requirements", "Numerics", "Source")
FILES = [(op, file) for op in harness.ops() for file in dispatch.files(op, "gpu")]
CPP = [(op, file) for op, file in FILES if file.endswith(".cu")]
PYTHON = [(op, file) for op, file in FILES if file.endswith(".py")]


def label(op_and_file):
    return "/".join(op_and_file)


def text_of(op, file):
    return (dispatch.OPS / op / file).read_text()


def header(op, file):
    """The comment that a file begins with, without its marks."""
    text = text_of(op, file)
    if file.endswith(".py"):
        return ast.get_docstring(ast.parse(text)) or ""
    return "\n".join(line[2:].removeprefix(" ") for line in text[: text.find("\n#")].split("\n"))


def described(op, file):
    """{entry: its Parameters}."""
    return {entry.name: entry.parameters for entry in dispatch.kernel_file(op, file).entries}


@pytest.mark.parametrize("where", FILES, ids=label)
def test_header(where):
    op, _ = where
    text = header(*where)
    assert re.match(rf"{op}[,:] ", text), "the first line names the op, and what this variant is"
    fields = re.findall(r"^([A-Z]\w+):\s+\S", text, re.M)
    assert tuple(fields) == FIELDS


WORKED = re.compile(  # n 101,770: 28 n = 2,849,560 bytes, 0.59 µs at 4.8 TB/s
    r"((?:\w+ \d[\d,]*, )*\w+ \d[\d,]*): ([^:=]+) = ([\d,]+) (bytes|operations), "
    r"([\d.]+) µs at ([\d.]+) T(?:B|FLOP)/s"
)


@pytest.mark.parametrize("where", FILES, ids=label)
def test_the_traffic_is_worked_out(where):
    """For one size at least: the formula's value, and its time at the limit that is named."""
    traffic = re.search(r"^Traffic:(.*?)^Launch:", header(*where), re.M | re.S)[1]
    worked = WORKED.findall(" ".join(traffic.split()))
    assert any(unit == "bytes" for *_, unit, _, _ in worked)
    for sizes, formula, amount, _, us, limit in worked:
        names = {name: int(n.replace(",", "")) for name, n in map(str.split, sizes.split(", "))}
        value = eval(re.sub(r"(?<=[\w)]) (?=[\w(])", " * ", formula), names)
        assert value == int(amount.replace(",", "")), formula
        assert f"{value / float(limit) / 1e6:.{len(us.partition('.')[2])}f}" == us, formula


@pytest.mark.parametrize("where", FILES, ids=label)
def test_it_is_described(where):
    """The shape that it is launched in stands in its KernelFile and nowhere else. None describes a
    file that is not there."""
    file = dispatch.kernel_file(*where)
    assert (file.op, file.file) == where
    host = dispatch.host(*where)
    assert {(other.op, other.file) for other in host.GPU_FILES} <= set(FILES)
    known = {"THREADS", "SHARED_BYTES", *file.constants}
    assert not known.intersection(
        re.findall(r"^(?:constexpr int )?(\w+) = ", text_of(*where), re.M)
    )


def test_one_that_is_not_described_is_launched_as_the_default_is():
    for op, default in (("clip_by_norm", "gpu.py"), ("linear", "gpu.cu")):
        new, known = dispatch.kernel_file(op, "gpu_new.cu"), dispatch.kernel_file(op, default)
        for field in dataclasses.fields(known):
            wanted = "gpu_new.cu" if field.name == "file" else getattr(known, field.name)
            assert getattr(new, field.name) == wanted


@pytest.mark.parametrize("where", CPP, ids=label)
def test_cpp_entries_are_as_declared(where):
    entries = source.entries(text_of(*where))
    assert {name: parse(text) for name, text in entries.items()} == described(*where)


@pytest.mark.parametrize("where", PYTHON, ids=label)
def test_python_entries_are_as_declared(where):
    functions = [n for n in ast.parse(text_of(*where)).body if isinstance(n, ast.FunctionDef)]
    entries = {f.name: [a.arg for a in f.args.args] for f in functions if not f.decorator_list}
    assert entries == {
        name: [parameter.name for parameter in parameters]
        for name, parameters in described(*where).items()
    }


def test_entries_of_a_file():
    text = """
    extern "C" __global__ void __launch_bounds__(256)
    one(const float* x,
        int n) { }
    extern "C" __global__ void two(float* y) {}
    extern "C" __global__ void only_declared(float* y);
    extern "C" __device__ float activation(float z);
    """
    assert source.entries(text) == {"one": "const float* x, int n", "two": "float* y"}
