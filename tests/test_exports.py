"""Explicit doors: whatever is public is exported by a line of its own, which editors and type
checkers read. Where the line is missing, the message is that line."""

import importlib
import os
import pathlib

import pytest

import kernels
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
