"""The names, the folders given, and what importing costs."""

import ast
import sys
from pathlib import Path

import pytest

import dnn.datasets
from dnn import datasets
from dnn.datasets import (
    Dataset,
    DatasetFileError,
)
from tests.dnn.datasets.tiny import fill


def test_names_and_classes():
    assert datasets.NAMES == ("fashion-mnist", "mnist")
    assert datasets.class_names("fashion-mnist")[9] == "Ankle boot"
    assert datasets.class_names("mnist") == tuple("0123456789")
    assert {len(datasets.class_names(name)) for name in datasets.NAMES} == {10}
    for act in (datasets.load, datasets.class_names):
        with pytest.raises(ValueError, match=r"name: got 'cifar'; .*'fashion-mnist', 'mnist'"):
            act("cifar")


@pytest.mark.parametrize(
    ("folder", "error", "came"), [(3, TypeError, "int"), ("", ValueError, "an empty path")]
)
def test_a_folder_that_is_no_path_is_refused(folder, error, came):
    for function in (datasets.fashion_mnist, datasets.mnist):
        with pytest.raises(error, match=f"folder: got {came}, expected a folder's path"):
            function(folder)


def test_the_functions_load_their_own_data_set(tmp_path):
    for name, function in (("fashion-mnist", datasets.fashion_mnist), ("mnist", datasets.mnist)):
        folder = fill(tmp_path / name)
        for load_it in (function, lambda folder, name=name: datasets.load(name, folder)):
            with pytest.raises(DatasetFileError, match="expected shape") as caught:
                load_it(folder)
            assert f"the files of {name} into" in str(caught.value)


def test_no_two_data_sets_share_a_hash():
    known = [d for d in vars(dnn.datasets).values() if isinstance(d, Dataset)]
    hashes = [file.sha256 for dataset in known for file in dataset.files]
    assert len(known) == 2 and len(set(hashes)) == 8
    assert all(len(bytes.fromhex(sha256)) == 32 for sha256 in hashes)
    assert all(url.startswith("https://") and url.endswith("/") for d in known for url in d.mirrors)


def test_importing_needs_numpy_and_nothing_else():
    for path in Path(dnn.datasets.__file__).parent.glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level:
                names = [node.module]
            else:
                continue
            outside = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names)
            assert outside <= {"numpy", "dnn", "kernels"}, (
                f"{path.name} imports {outside} before it is needed"
            )
