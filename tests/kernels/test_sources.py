"""The stamp of a CPU kernel's code on disk: an edit recompiles what is made of that file."""

import importlib
import shutil

import pytest

from kernels import sources
from tests import harness

OPS = harness.ops()


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A copy of the package."""
    package = tmp_path / "kernels"
    ignored = shutil.ignore_patterns("__pycache__", "device", "*.cu")
    shutil.copytree(sources.PACKAGE, package, ignore=ignored)
    monkeypatch.setattr(sources, "PACKAGE", package)
    return package


def stamps(package):
    for cached in (sources.imported, sources._imports, sources._digest_of):
        cached.cache_clear()
    return {op: sources._digest([package / "ops" / op / "cpu.py"]) for op in OPS}


def changed(package, file):
    """The ops whose kernels are compiled anew after an edit of a file."""
    before = stamps(package)
    path = package / file
    path.write_text(f"{path.read_text('utf-8')}\n# a comment\n", "utf-8")
    after = stamps(package)
    return {op for op in OPS if before[op] != after[op]}


@pytest.mark.parametrize(
    "file, ops",
    [
        ("ops/adam/gpu.py", set()),
        ("ops/sgd/__init__.py", set()),
        ("ops/linear/reference.py", set()),
        ("ops/gather/cases.py", set()),
        ("ops/sgd/cpu.py", {"sgd"}),
        ("ops/gather/cpu.py", {"gather"}),
        ("ops/gather/shuffle.py", {"gather"}),
        ("ops/adam/cpu.py", {"adam", "linear_backward_adam"}),
        ("ops/softmax_cross_entropy/cpu.py", {"softmax_cross_entropy", "linear_cross_entropy"}),
        ("ops/linear/microkernel.py", {"linear", "linear_backward_adam", "linear_cross_entropy"}),
        ("jit.py", set(OPS)),
        ("scalar.py", set(OPS)),
        ("vector_math.py", set(OPS)),
    ],
)
def test_an_edit_compiles_anew_what_is_made_of_the_file(tree, file, ops):
    assert changed(tree, file) == ops


def test_imports_in_functions_and_relative_ones_count(tree):
    sgd = tree / "ops" / "sgd"
    (sgd / "helper.py").write_text("def f():\n    from ..adam import cpu as adam\n")
    (sgd / "cpu.py").write_text("from . import helper\n")
    stamps(tree)
    adam = tree / "ops" / "adam" / "cpu.py"
    assert {sgd / "helper.py", adam} <= sources.imported(sgd / "cpu.py")


def test_a_kernel_is_stamped_with_the_files_of_what_it_names_however_that_came_in():
    from kernels import activations
    from kernels.ops.linear import cpu

    relu = sources.PACKAGE / "activations" / "relu.py"
    kernel = cpu.epilogue(activations.get("relu").forward).py_func
    assert sources._files(sources._closure(kernel)) == {str(relu)}
    got_in = {"share": importlib.import_module("kernels.threads").share}
    exec("def kernel(n):\n    return share(n, 0, 2)", got_in)
    assert str(sources.PACKAGE / "threads.py") in sources._files([got_in["kernel"]])
