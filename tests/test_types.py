"""What a type checker and an editor see: pyright reads every export, every public signature and all
Python of the pages, as those do who have installed the packages."""

import importlib.util
import inspect
import json
import pathlib
import re
import subprocess
import sys
import sysconfig

import numpy as np
import pytest

import dnn
import kernels
from dnn import (
    callbacks,
    datasets,
    initializers,
    layers,
    losses,
    metrics,
    optimizers,
    perceptron,
    plots,
    schedules,
)
from tests.test_readme import FENCED, PAGES, ROOT, read

DOORS = (
    kernels, kernels.reference, dnn, callbacks, datasets, initializers, layers, losses, metrics,
    optimizers, plots,
)  # fmt: skip
DEFINED = (datasets.toy, perceptron, schedules)  # of these, what they define
MISTAKES = {  # what a type checker must say something of
    "import kernels": "",
    "kernels.liner": "liner",
    "kernels.linear([[1.0]], [[1.0]])": "list[list[float]]",
    "kernels.dropout": "",
    "from dnn import Sequential, layers, optimizers": "",
    "layers.Dens(1)": "Dens",
    "optimizers.Adam(learning_rates=1e-3)": "learning_rates",
    "Sequential([layers.Dense(1)]).fit(epoch=1)": "epoch",
}
OLD_STUBS = np.lib.NumpyVersion(np.__version__) < "2.2.0"


def exported():
    """(module, name, object) of all that is public."""
    for module in DOORS:
        yield from ((module, name, getattr(module, name)) for name in module.__all__)
    for module in DEFINED:
        for name, a in vars(module).items():
            if getattr(a, "__module__", "") == module.__name__ and not name.startswith("_"):
                yield module, name, a


def expressions():
    """Every export, and every public method of an exported class of ours."""
    for module, name, a in exported():
        yield f"{module.__name__}.{name}"
        if inspect.isclass(a) and a.__module__.partition(".")[0] in ("kernels", "dnn"):
            methods = (n for n, f in inspect.getmembers(a, inspect.isfunction) if n[0] != "_")
            yield from (f"{module.__name__}.{name}.{method}" for method in methods)


def strict():
    """All of these under pyright's strictest rules, for which a parameter or a result without a
    type is an error."""
    modules = {module.__name__ for module, _, _ in exported()}
    lines = ["# pyright: strict", *(f"import {name}" for name in sorted(modules))]
    lines += [f"_{i} = {expression}" for i, expression in enumerate(expressions())]
    return "\n".join(lines) + "\n"


def installed(folder):
    """An environment that has our packages and those of this one, by a .pth alone."""
    packages = folder / "venv" / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "all.pth").write_text(f"{ROOT}\n{sysconfig.get_path('purelib')}\n")
    options = {"include": ["*.py"], "venvPath": ".", "venv": "venv"}
    options["pythonVersion"] = f"3.{sys.version_info[1]}"
    (folder / "pyrightconfig.json").write_text(json.dumps(options))


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """{file: [(line, what pyright says), …]}, of one run."""
    if importlib.util.find_spec("pyright") is None:
        pytest.skip("pyright is not installed: pip install -e '.[test]'")
    folder = tmp_path_factory.mktemp("types")
    installed(folder)
    (folder / "mistakes.py").write_text("\n".join(MISTAKES))
    (folder / "strict.py").write_text(strict())
    for page in PAGES:
        for block in FENCED.finditer(read(page)):
            if block[1] == "python":
                line = read(page)[: block.start()].count("\n") + 1
                file = folder / f"{re.sub(r'[^a-z]', '_', page.lower())}_{line}.py"
                file.write_text(block[2], "utf-8")
    command = [sys.executable, "-m", "pyright", "--outputjson"]
    run = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    messages = {path.name: [] for path in folder.glob("*.py")}
    report = json.loads(run.stdout)
    print(report["summary"])
    for said in report["generalDiagnostics"]:
        line = said["range"]["start"]["line"]
        messages[pathlib.Path(said["file"]).name].append((line, said["message"]))
    return messages


def test_what_is_wrong_is_seen(told):
    lines = list(MISTAKES)
    seen = {lines[line]: said for line, said in told["mistakes.py"]}
    assert seen.keys() == {line for line, part in MISTAKES.items() if part}
    assert all(MISTAKES[line] in said for line, said in seen.items())


@pytest.mark.skipif(
    OLD_STUBS, reason="NumPy before 2.2 says not of all of its arrays what they are"
)
def test_every_public_signature_is_annotated(told):
    names = strict().splitlines()
    unknown = [f"{names[line]}: {said.splitlines()[0]}" for line, said in told["strict.py"]]
    assert not unknown, "\n".join(unknown)


def test_the_pages_have_no_error(told):
    blocks = {file: said for file, said in told.items() if "readme" in file}
    assert len(blocks) >= 8
    assert not any(blocks.values()), {file: said for file, said in blocks.items() if said}
