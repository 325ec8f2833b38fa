"""Folders, files and packages of others that have the names which we import, or are imported by."""

import pathlib
import subprocess
import sys
import tomllib
import types

import numpy as np
import pytest

from dnn import devices, own_kernels
from dnn.command import doctor
from kernels import arrays
from kernels.device import NoGPUError, gpu

ROOT = pathlib.Path(__file__).parents[2]
SCRIPT = """
import kernels, numpy, dnn
from dnn import Sequential, devices, layers
from tests import mine
assert kernels.linear and dnn.Sequential and mine.NUMBER == 3
assert devices.resolve("auto") == "cpu"
assert Sequential([layers.Dense(2)]).device == "cpu"
import cupy, torch, jax
kernels.activation(numpy.ones(3, "f4"), "relu")
"""


def test_plain_folders_beside_a_script_shadow_nothing(tmp_path):
    """kernels/ and dnn/ give way to ours, cupy/ is not taken for CuPy, and tests/ stays found."""
    for name in ("kernels", "dnn", "cupy", "torch", "jax", "tests"):
        (tmp_path / name).mkdir()
    (tmp_path / "tests" / "mine.py").write_text("NUMBER = 3")
    (tmp_path / "script.py").write_text(SCRIPT)
    command = [sys.executable, "-W", "error", "script.py"]
    run = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr


def test_an_editable_install_is_a_folder_on_the_path():
    """Setuptools' import hook comes after the path, where a user's plain folder wins over it."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert settings["package-dir"] == {"": "."}


@pytest.mark.parametrize("file", ["kernels/__init__.py", "kernels.py", "kernels/mine.cu"])
def test_another_kernels_is_refused_in_one_line(tmp_path, monkeypatch, file):
    path = tmp_path / file
    path.parent.mkdir(exist_ok=True)
    path.touch()
    monkeypatch.delitem(sys.modules, "kernels")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    with pytest.raises(ImportError, match=r"^dnn is of dense-kernels and needs its package") as got:
        own_kernels.refuse_others()
    said = str(got.value)
    assert str(tmp_path / "kernels") in said and said.count("\n") == 0
    assert said.endswith("Rename it, or take its folder off Python's path")
    assert "pip uninstall kernels" in own_kernels.remedy("/venv/site-packages/kernels/__init__.py")


def test_a_kernels_written_over_by_another_package(monkeypatch):
    other = types.ModuleType("kernels")
    other.__spec__ = sys.modules["kernels"].__spec__
    monkeypatch.setitem(sys.modules, "kernels", other)
    with pytest.raises(ImportError, match=r"written over\. Type: pip uninstall -y kernels dense"):
        own_kernels.refuse_others()


def test_the_command_says_it_in_one_line(tmp_path):
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels" / "__init__.py").touch()
    script = tmp_path / "dnn"  # as pip writes it
    script.write_text("from dnn.command.cli import main\nmain()")
    run = subprocess.run(
        [sys.executable, script, "doctor"],
        env={"PYTHONPATH": f"{tmp_path}:{ROOT}"},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 1 and not run.stdout
    assert (
        run.stderr.startswith("dnn: error: dnn is of dense-kernels") and run.stderr.count("\n") == 1
    )


def test_the_doctor_names_what_shadows(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert not list(doctor.names())
    (tmp_path / "cupy").mkdir()
    (tmp_path / "dnn.py").touch()
    monkeypatch.chdir(tmp_path)
    shadow, cupy = doctor.names()
    assert (shadow.state, shadow.fix) == ("problem", "mv dnn.py my_dnn.py")
    assert str(tmp_path / "dnn.py") in shadow.text
    assert cupy.state == "none" and str(tmp_path / "cupy") in cupy.text


# Modules named cupy


@pytest.fixture
def cupy(monkeypatch):
    """cupy(module): what `import cupy` gives, or raises."""
    available = arrays.gpu_available.__wrapped__

    def put(module):
        monkeypatch.setitem(sys.modules, "cupy", module)
        for where in (arrays, devices, gpu):
            monkeypatch.setattr(where, "gpu_available", available)

    return put


def test_a_folder_named_cupy_is_not_cupy(cupy, tmp_path):
    folder = types.ModuleType("cupy")
    folder.__path__ = [str(tmp_path / "cupy")]
    cupy(folder)
    x = np.ones(3, np.float32)
    assert not arrays.is_cupy(x) and arrays.device_of(x=x) == "cpu" and arrays.adopt("x", x) is x
    assert devices.resolve("auto") == "cpu"
    with pytest.raises(NoGPUError, match=r"CuPy is not installed \(.*cupy has its name; rename"):
        devices.resolve("gpu")


def test_a_broken_cupy_is_said_once_in_one_line(cupy, tmp_path, monkeypatch):
    (tmp_path / "cupy").mkdir()
    (tmp_path / "cupy" / "__init__.py").write_text("raise OSError('no libcuda\\nand more')")
    monkeypatch.syspath_prepend(tmp_path)
    cupy(None)
    monkeypatch.delitem(sys.modules, "cupy")
    with pytest.warns(
        UserWarning, match=r"^CuPy is installed .* \(OSError: no libcuda\), so no GPU"
    ):
        assert devices.resolve("auto") == "cpu"
    with pytest.raises(
        NoGPUError, match=r"^CuPy is installed but .*no libcuda\)\. Type: dnn doctor"
    ):
        devices.resolve("gpu")
