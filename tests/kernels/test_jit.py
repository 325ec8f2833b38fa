"""The disk cache of the CPU kernels: met again as they are, never after an edit, never damaged."""

import errno
import importlib
import importlib.util
import os
import sys

import numba
import pytest

from kernels import jit, jit_cache


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    """A function in a file of its own, whose cache lies beside it."""
    path = tmp_path / "one_kernel.py"
    path.write_text("def twice(x):\n    return 2 * x\n")
    spec = importlib.util.spec_from_file_location("one_kernel", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "one_kernel", module)
    spec.loader.exec_module(module)
    return module.twice


@pytest.fixture(autouse=True)
def anew(monkeypatch):
    jit_cache.warn.cache_clear()
    monkeypatch.setattr(jit_cache, "_lost", [])


def hits(kernel):
    compiled = jit.compiled(kernel)
    assert compiled(3) == 6
    return sum(compiled.stats.cache_hits.values())


def files(tmp_path, kind):
    return list((tmp_path / "__pycache__").glob(f"*.{kind}"))


def test_an_edit_of_a_source_compiles_anew(kernel, monkeypatch):
    assert [hits(kernel), hits(kernel)] == [0, 1]
    monkeypatch.setattr(jit_cache.sources, "stamp", lambda kernel: "after an edit")
    assert [hits(kernel), hits(kernel)] == [0, 1]


def test_an_edit_of_what_a_closure_names_compiles_that_one_anew(tmp_path, monkeypatch):
    """Both have one index on disk, and neither drives the other out of it."""
    monkeypatch.syspath_prepend(tmp_path)

    def module(name, text):
        (tmp_path / f"{name}.py").write_text(text)
        sys.modules.pop(name, None)
        jit_cache.sources._digest_of.cache_clear()
        return importlib.import_module(name)

    def hits():
        maker, counts = importlib.import_module("maker"), []
        for name in ("one", "two"):
            compiled = jit.compiled(maker.kernel(getattr(importlib.import_module(name), name)))
            assert compiled(3) == 6 + (name == "two")
            counts.append(sum(compiled.stats.cache_hits.values()))
        return counts

    module(
        "maker", "def kernel(f):\n    def kernel(x):\n        return f(2 * x)\n    return kernel"
    )
    head = "from numba.extending import register_jitable\n"
    module("one", f"{head}@register_jitable\ndef one(x): return x")
    module("helper", f"{head}@register_jitable\ndef helper(x): return x + 1")
    module("two", f"{head}import helper\n@register_jitable\ndef two(x): return helper.helper(x)")
    assert [hits(), hits()] == [[0, 0], [1, 1]]
    module("helper", f"{head}@register_jitable\ndef helper(x): return 1 + x")
    assert [hits(), hits()] == [[1, 0], [1, 1]]


@pytest.mark.parametrize("kind", ["nbi", "nbc"])
def test_a_damaged_file_is_compiled_anew_and_overwritten(kernel, tmp_path, kind):
    hits(kernel)
    (path,) = files(tmp_path, kind)
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    for damaged in (b"", whole[:middle], whole[:-1], flipped, b"no pickle"):
        path.write_bytes(damaged)
        assert [hits(kernel), hits(kernel)] == [0, 1]


def test_the_code_of_another_signature_is_not_taken(kernel, tmp_path):
    """As is there where two processes wrote their first file at once."""
    hits(kernel)
    (path,) = files(tmp_path, "nbc")
    of_integers = path.read_bytes()
    path.unlink()
    for index in files(tmp_path, "nbi"):
        index.unlink()
    assert jit.compiled(kernel)(1.5) == 3
    path.write_bytes(of_integers)
    assert jit.compiled(kernel)(1.5) == 3


def test_a_file_of_another_user_is_not_run(kernel):
    assert [hits(kernel), hits(kernel)] == [0, 1]
    compiled = jit.compiled(kernel)
    compiled._cache._cache_file._owners = {2**30}
    assert compiled(3) == 6 and not compiled.stats.cache_hits


def test_a_full_disk_costs_the_caching(kernel, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(jit_cache.Files, "_write", full)
    with pytest.warns(RuntimeWarning, match="No space left.*export NUMBA_CACHE_DIR=") as said:
        assert [hits(kernel), hits(kernel)] == [0, 0]
    assert len(said) == 1 and not jit_cache.keeps()


def test_without_a_folder_kernels_are_compiled_uncached(kernel, tmp_path, monkeypatch):
    (tmp_path / "__pycache__").touch()  # so that there can be no such folder, for root neither
    monkeypatch.setattr(jit_cache.Place, "_locator_classes", jit_cache.Place._locator_classes[:2])
    monkeypatch.setattr(jit_cache.config, "CACHE_DIR", "")
    with pytest.warns(RuntimeWarning, match="compiled anew .* export NUMBA_CACHE_DIR=") as said:
        assert [hits(kernel), hits(kernel)] == [0, 0]
    assert len(said) == 1


def test_a_chosen_folder_that_cannot_be_written_is_named(kernel, tmp_path, monkeypatch):
    monkeypatch.setattr(jit_cache.config, "CACHE_DIR", "/proc/none")
    with pytest.warns(RuntimeWarning, match="NUMBA_CACHE_DIR: /proc/none cannot be written; "):
        assert [hits(kernel), hits(kernel)] == [0, 1]


def test_numba_without_its_compiler_is_refused(monkeypatch):
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    spec = importlib.util.spec_from_file_location("jit_again", jit.__file__)
    with pytest.raises(RuntimeError, match=r"^NUMBA_DISABLE_JIT: .* Type: unset NUMBA_DISABLE_JIT"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_other_peoples_functions_compile_without_a_module():
    scope = {}
    exec("def plus_one(x): return x + 1", scope)
    assert scope["plus_one"].__module__ is None and numba.njit(scope["plus_one"])(1) == 2
