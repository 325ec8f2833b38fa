"""The disk cache of the CPU kernels: met again as they are, never after an edit."""

import importlib.util

import pytest

from kernels import jit


@pytest.fixture
def kernel(tmp_path):
    """A function in a file of its own, whose cache lies beside it."""
    path = tmp_path / "one_kernel.py"
    path.write_text("def twice(x):\n    return 2 * x\n")
    spec = importlib.util.spec_from_file_location("one_kernel", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.twice


def hits(kernel):
    compiled = jit.compiled(kernel)
    assert compiled(3) == 6
    return sum(compiled.stats.cache_hits.values())


def test_an_edit_of_any_source_compiles_anew(kernel, monkeypatch):
    assert [hits(kernel), hits(kernel)] == [0, 1]
    monkeypatch.setattr(jit, "source_stamp", lambda: "after an edit of another file")
    assert [hits(kernel), hits(kernel)] == [0, 1]
