"""`dnn doctor` compiles a kernel of each kind, and says of what releases a failure comes."""

import sys

import pytest

import kernels
from dnn.command import doctor, gpu_findings
from kernels.device import CompileError, Unit

needs_toolchain = pytest.mark.usefixtures("toolchain")
KINDS = ["kernel in CUDA C++", "kernel in Python", "Python in a C++ kernel"]


@needs_toolchain
def test_one_of_each_kind_compiles():
    findings = list(gpu_findings.gpu_kernels())
    assert [f.subject for f in findings] == KINDS
    assert all(f.state == "ok" and "compiled with" in f.text for f in findings)


@needs_toolchain
@pytest.mark.parametrize(
    ("broken", "subjects"), [(".py", ["kernel in Python"]), (".cu", ["kernel in CUDA C++"])]
)
def test_releases_that_do_not_fit_are_one_finding(monkeypatch, broken, subjects):
    """As numba-cuda 0.30.4 and NumPy 2.5 did not."""

    def assembled(unit, arch):
        if unit.file.endswith(broken):
            raise CompileError("a kernel for sm_90: …\nmodule 'numpy' has no attribute 'row_stack'")
        return []

    monkeypatch.setattr(Unit, "assembled", assembled)
    problems = [f for f in gpu_findings.gpu_kernels() if f.state == "problem"]
    assert [f.subject for f in problems] == subjects
    (finding,) = problems
    assert finding.text.endswith("module 'numpy' has no attribute 'row_stack'")
    assert finding.fix == "pip install -c .ci/constraints.txt -e '.[test]'"
    if broken == ".py":
        assert "numba-cuda" in finding.text and "numpy 2" in finding.text


@pytest.mark.parametrize("error", [None, AttributeError("_no_such_attribute"), RuntimeError()])
def test_the_cpus_compiler(monkeypatch, error):
    def activation(z, name):
        if error:
            raise error

    monkeypatch.setattr(kernels, "activation", activation)
    (finding,) = doctor.cpu_kernel()
    assert finding.state == ("problem" if error else "ok")
    assert "llvmlite" in finding.text and "numba" in finding.text
    if error:
        assert finding.text.endswith(str(error) or "RuntimeError")
        assert finding.fix == "pip install -c .ci/constraints.txt -e ."


@pytest.mark.parametrize(
    ("release", "state"), [((3, 10), "problem"), ((3, 13), "ok"), ((3, 14), "problem")]
)
def test_the_pythons(monkeypatch, release, state):
    with monkeypatch.context() as patch:
        patch.setattr(sys, "version_info", (*release, 0))
        finding = next(doctor.python())
    assert finding.state == state
