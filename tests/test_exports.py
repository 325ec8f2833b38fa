"""Explicit doors: whatever is public is exported by a line of its own, which editors and type
checkers read. Where the line is missing, the message is that line."""

import importlib
import os
import pathlib
import pkgutil

import pytest

import kernels
from dnn import callbacks, initializers, layers, losses, metrics, optimizers
from tests import harness

ROOT = pathlib.Path(__file__).parents[1]


def missing_lines(door, members) -> str:
    """What a module must be given to export members, {name: the module that defines it}."""
    lines, file = [], os.path.relpath(door.__file__, ROOT)
    for name, module in members.items():
        if not hasattr(door, name):
            lines.append(f"add to {file}: from {module} import {name}")
        if name not in door.__all__:
            lines.append(f'add to {file}, in __all__: "{name}",')
    return "\n".join(lines)


@pytest.mark.parametrize("file", [(), ("reference",)], ids=["kernels", "kernels.reference"])
@pytest.mark.parametrize("op", harness.ops())
def test_every_op_is_exported(op, file):
    functions = harness.functions_of(op, *file)
    assert op in functions, f"kernels/ops/{op} has no function {op}"
    door = importlib.import_module(".".join(["kernels", *file]))
    lines = missing_lines(door, {name: f.__module__ for name, f in functions.items()})
    assert not lines, lines


@pytest.mark.parametrize("op", harness.ops())
def test_its_folder_is_a_module_and_hides_no_function(op):
    module = importlib.import_module(f"kernels.ops.{op}")
    assert getattr(kernels.ops, op) is module
    assert getattr(kernels, op) is getattr(module, op)


def members():
    """Each public class of a family's files: (the package, the class)."""
    for package in (callbacks, initializers, layers, losses, metrics, optimizers):
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            for name, a in vars(importlib.import_module(module.name)).items():
                ours = isinstance(a, type) and a.__module__ == module.name
                if ours and issubclass(a, package.catalog.base) and not name.startswith("_"):
                    yield pytest.param(package, a, id=name)


@pytest.mark.parametrize("package, cls", list(members()))
def test_every_member_of_a_family_is_exported(package, cls):
    lines = missing_lines(package, {cls.__name__: cls.__module__})
    assert not lines, lines
    assert cls in {package.catalog.base, *package.catalog.classes.values()}


def named_files():
    for package in (kernels.activations, kernels.losses):
        for module in pkgutil.iter_modules(package.__path__):
            yield pytest.param(package, module.name, id=module.name)


@pytest.mark.parametrize("package, name", list(named_files()))
def test_every_file_has_its_name(package, name):
    """In the list from which editors complete a string."""
    file = os.path.relpath(package.__file__, ROOT)
    assert name in package.names(), f'add to {file}, in Name: "{name}",'


@pytest.mark.parametrize("package", [kernels.activations, kernels.losses])
def test_every_name_has_its_file(package):
    files = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    assert sorted(package.names()) == files
