"""README.md's table of concepts names calls and tests that exist."""

import ast
import importlib
import re

from dnn import Sequential
from tests.dnn.helpers import ROOT

MODULES = {"kernels": "kernels", "toy": "dnn.datasets.toy", "dnn": "dnn"}


def rows():
    """[(concept, calls, tests)]."""
    text = (ROOT / "README.md").read_text()
    table = text[text.index("| concept | call | test |") :].partition("\n\n")[0]
    return [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]


def default_tests():
    """What the table writes for each test function that a plain `pytest` runs: file::name."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.parse(path.read_text()).body:
            marks = map(ast.unparse, getattr(node, "decorator_list", ()))
            if isinstance(node, ast.FunctionDef) and not any("sweep" in mark for mark in marks):
                yield f"{path.stem}::{node.name}".replace("test_", "")


def test_every_concept_names_tests_that_run():
    there = set(default_tests())
    for concept, _, tests in rows():
        named = set(re.findall(r"`([^`]+)`", tests))
        assert named and named <= there, f"{concept}: {named - there}"


def test_every_concept_names_calls_that_exist():
    for concept, calls, _ in rows():
        named = re.findall(r"\b([a-z_]+)\.([A-Za-z]\w+)", calls)
        assert named, concept
        for place, name in named:
            if place == "model":
                assert hasattr(Sequential, name), f"{concept}: {place}.{name}"
            else:
                module = importlib.import_module(MODULES.get(place, f"dnn.{place}"))
                assert hasattr(module, name), f"{concept}: {place}.{name}"
