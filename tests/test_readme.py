"""The pages: the table of concepts names calls and tests that exist, and they name all there is."""

import ast
import importlib
import re

from dnn import Sequential, callbacks, layers, losses, optimizers, plots, schedules
from kernels import dispatch
from tests.dnn.helpers import ROOT

MODULES = {"kernels": "kernels", "toy": "dnn.datasets.toy", "dnn": "dnn"}


def rows():
    """[(concept, calls, tests)]."""
    text = (ROOT / "dnn" / "README.md").read_text(encoding="utf-8")
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


def is_schedule(a):
    return isinstance(a, type) and issubclass(a, schedules.Schedule)


HELPERS = {"Callback", "CallbackList", "Schedule", "Bar", "Lines", "History", "TrainingWarning"}


def test_everything_public_is_named():
    """Whatever is found by its place can be found on a page too."""
    pages = [ROOT / "README.md", *ROOT.glob("[kdbt]*/**/README.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    families = layers.catalog, losses.catalog, optimizers.catalog, callbacks.catalog
    public = {name for family in families for name in family.classes} | set(plots.__all__)
    public |= {name for name, cls in vars(schedules).items() if is_schedule(cls)} | set(
        dispatch.ops()
    )
    missing = {name for name in public - HELPERS if not re.search(rf"\b{name}\b", text)}
    assert not missing
