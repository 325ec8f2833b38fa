"""While something compiles: who is told what, and where nobody is."""

import io
import sys

import pytest

from kernels import compiling, device, jit
from kernels.device import cache


class Terminal(io.StringIO):
    isatty = staticmethod(lambda: True)


def fresh(text="return 2 * x"):
    """A kernel that nobody has compiled yet."""
    scope = {"__name__": "kernels.of_this_test"}
    exec(f"def kernel(x):\n    {text}", scope)
    with pytest.warns(RuntimeWarning, match="compiled anew"):  # it stands in no file
        jit.jit_cache.warn.cache_clear()
        return jit.compiled(scope["kernel"])


def test_a_kernel_that_compiles_is_told_and_that_it_has_ended():
    kernel, said = fresh(), []
    with compiling.told(said.append):
        kernel(3)
        kernel(4)
    assert said == ["compiling CPU kernels, once", None]


def test_an_error_of_the_compiler_ends_it_too():
    kernel, said = fresh("return x.nothing"), []
    with compiling.told(said.append), pytest.raises(Exception, match="nothing"):
        kernel(3)
    assert said == ["compiling CPU kernels, once", None]


def test_a_recorded_graph_counts_its_calls_the_first_time():
    kernels, said = [fresh(), fresh()], []
    with device.capture("cpu") as graph:
        for kernel in (kernels[0], kernels[0], kernels[1]):
            device.submit("cpu", kernel, 1)
    with compiling.told(said.append):
        graph.replay()
        fresh()(1)
    assert said == [
        "compiling CPU kernels, once: 1 of 3",
        None,
        "compiling CPU kernels, once: 3 of 3",
        None,
        "compiling CPU kernels, once",
        None,
    ]


def test_what_the_device_compiles_is_told(tmp_path, monkeypatch):
    monkeypatch.setenv("DNN_KERNEL_CACHE", str(tmp_path))
    said = []
    with compiling.told(said.append):
        for _ in range(2):
            cache.cached("key", "cubin", lambda: b"code")
        cache.cached("key", "so", lambda: b"code", compiling.EMULATED)
    assert said == [compiling.GPU, None, compiling.EMULATED, None]


def test_kernels_alone_are_silent(capsys):
    fresh()(3)
    assert capsys.readouterr() == ("", "")


def test_a_plain_line_once_where_there_is_no_terminal(capsys):
    with compiling.said(), compiling.said():
        fresh()(3)
        fresh()(3)
    assert capsys.readouterr() == ("", "compiling CPU kernels, once\n")


@pytest.mark.parametrize(
    "columns, shown", [("80", "compiling CPU kernels, once"), ("12", "compiling C")]
)
def test_on_a_terminal_the_line_goes_again(columns, shown, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(sys, "stderr", stream := Terminal())
    with compiling.said():
        fresh()(3)
    assert stream.getvalue() == f"\r{shown}\r{' ' * len(shown)}\r"


def test_whoever_is_told_already_is_told_alone(capsys):
    said = []
    with compiling.told(said.append), compiling.said():
        fresh()(3)
    assert len(said) == 2 and capsys.readouterr().err == ""
