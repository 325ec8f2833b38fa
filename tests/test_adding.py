"""An activation, a loss, a kernel variant and an optimizer with an op of its own are added by their
files and the lines that export them; the variant by its file alone.

The files are in tests/placed, each where it would be in the tree. They are laid over a copy of it
in which nothing else is changed but EXPORTS, and the tests of the families are run there: they know
the new members, and fail where one lacks its reference or its line.
"""

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.dnn.helpers import ROOT

PLACED = ROOT / "tests" / "placed"
EXPORTS = {  # the file: its new import, the list below it, and the name that goes there
    "kernels/__init__.py": ("from kernels.ops.signum import signum\n", "__all__", "signum"),
    "kernels/reference.py": (
        "from kernels.ops.signum.reference import signum\n",
        "__all__",
        "signum",
    ),
    "kernels/activations/__init__.py": ("", "Name", "softsign"),
    "kernels/losses/__init__.py": ("", "Name", "log_cosh"),
    "dnn/optimizers/__init__.py": (
        "from dnn.optimizers.signum import Signum\n",
        "__all__",
        "Signum",
    ),
}
FAMILIES = (
    "tests/test_exports.py",
    "tests/test_house.py",
    "tests/kernels/test_kernel_files.py",
    "tests/kernels/test_elementwise_loss.py",
    "tests/dnn/test_families.py",
)
OF_THE_NEW = "(softsign or signum or log_cosh or gpu_scalar or placed) and not emulated"
EXPORT_TESTS = {
    "test_its_folder_is_a_module_and_hides_no_function[signum]",
    "test_every_op_is_exported[signum-kernels]",
    "test_every_op_is_exported[signum-kernels.reference]",
    "test_every_file_has_its_name[softsign]",
    "test_every_file_has_its_name[log_cosh]",
    "test_every_member_of_a_family_is_exported[Signum]",
}
KNOWN = EXPORT_TESTS | {  # a part of the names of tests that must be among them
    "test_every_activation_has_a_reference[softsign]",
    "test_every_loss_has_a_reference[log_cosh]",
    "test_every_op_has_its_rooms[signum]",
    "test_the_reference_imports_numpy_alone[signum]",
    "test_the_battery[cpu]",
    "test_header[signum/gpu.py]",
    "test_header[moving_average/gpu_scalar.cu]",
    "test_cpp_entries_are_as_declared[moving_average/gpu_scalar.cu]",
    "test_a_step_is_that_of_the_reference[Signum]",
    "test_a_graph_records_all_of_a_step[Signum]",
    "test_trained_by_their_names_saved_and_loaded",
    "test_compiled_into_kernels_in_python[sm_90]",
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """A copy of the tree with the files in their places."""
    copy = tmp_path_factory.mktemp("tree")
    without = shutil.ignore_patterns(PLACED.name)
    for package in ("kernels", "dnn", "tests"):
        shutil.copytree(ROOT / package, copy / package, ignore=without)
    shutil.copy(ROOT / "pyproject.toml", copy)
    there = {path for path in copy.rglob("*") if path.is_file()}
    for path in PLACED.rglob("*.*"):
        assert copy / path.relative_to(PLACED) not in there, "a new file, not a changed one"
    shutil.copytree(PLACED, copy, dirs_exist_ok=True, ignore=without)
    return copy


@pytest.fixture(scope="module")
def exported(tree, tmp_path_factory):
    """A copy of that with the lines of EXPORTS."""
    copy = tmp_path_factory.mktemp("exported")
    shutil.copytree(tree, copy, dirs_exist_ok=True)
    for file, (line, listed, name) in EXPORTS.items():
        text = (copy / file).read_text("utf-8")
        before, begin, after = re.split(rf"(\n{listed} = .*\n)", text)
        (copy / file).write_text(f'{before}{line}{begin}    "{name}",\n{after}', "utf-8")
    return copy


def outcomes(tree, *tests):
    """{"test_name[parameters]": "PASSED", "FAILED", …} of the tests of the new members."""
    command = f"{sys.executable} -m pytest -v -p no:cacheprovider -m".split()
    # Quickly compiled; what the tree has compiled already has come with the copy
    options = {"env": os.environ | {"PYTHONPATH": str(tree), "NUMBA_OPT": "0"}, "cwd": tree}
    command += ["not gpu", "-k", OF_THE_NEW, *tests]
    run = subprocess.run(command, capture_output=True, text=True, **options)
    ended = re.findall(r"^\S+::(test_\S+) (PASSED|FAILED|ERROR|SKIPPED)", run.stdout, re.M)
    assert ended, run.stdout + run.stderr
    return dict(ended), run.stdout


def test_without_its_line_it_fails_and_the_line_is_printed(tree):
    ended, output = outcomes(tree, "tests/test_exports.py")
    assert {name for name, outcome in ended.items() if outcome == "FAILED"} == EXPORT_TESTS, output
    for file, (line, listed, name) in EXPORTS.items():
        assert not line or f"add to {file}: {line}" in output
        assert f'add to {file}, in {listed}: "{name}",' in output


def test_the_files_and_the_lines_are_all_it_takes(exported, toolchain):
    ended, output = outcomes(
        exported, *FAMILIES, "tests/kernels/test_signum.py", "tests/dnn/test_placed.py"
    )
    assert not {"FAILED", "ERROR"} & set(ended.values()), output
    assert {name for name, outcome in ended.items() if outcome == "PASSED"} >= KNOWN, output


@pytest.mark.sweep
def test_their_machine_code_is_judged_and_recorded(exported, toolchain):
    options = {"cwd": exported, "env": os.environ | {"PYTHONPATH": str(exported)}, "check": True}
    write = "-m tests.kernels.compiled_code moving_average/gpu_scalar.cu signum/gpu.py --write"
    subprocess.run([sys.executable, *write.split()], **options)
    ended, output = outcomes(exported, "tests/kernels/test_compiled_code.py")
    assert "PASSED" in ended.values() and "FAILED" not in ended.values(), output


def test_one_without_its_reference_fails(exported):
    (exported / "kernels/ops/signum/reference.py").write_text("")
    shutil.copy(ROOT / "kernels/reference.py", exported / "kernels")
    for file in ("activations/softsign.py", "losses/log_cosh.py"):
        path = exported / "kernels" / file
        path.write_text(path.read_text().partition("\ndef reference(")[0])
    ended, output = outcomes(exported, *FAMILIES)
    for name in (
        "test_every_activation_has_a_reference[softsign]",
        "test_every_loss_has_a_reference[log_cosh]",
        "test_every_op_is_exported[signum-kernels.reference]",
        "test_a_step_is_that_of_the_reference[Signum]",
    ):
        assert ended[name] == "FAILED", output
