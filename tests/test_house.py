"""The laws of the house, read from the source itself."""

import ast
import functools
import importlib.util
import pathlib
import re
import subprocess
import sys
import tomllib

import pytest

from kernels import activations, dispatch
from tests import harness

ROOT = pathlib.Path(__file__).parents[1]
TOP_LEVEL = {"pyproject.toml", "README.md", "LICENSE", "CITATION.cff"}
TOP_LEVEL |= {"kernels", "dnn", "bench", "tests"}
MAY_IMPORT = {"kernels": {"kernels"}, "dnn": {"kernels", "dnn"}}
OURS = {"kernels", "dnn", "bench", "tests"}
HEAVY = ("matplotlib", "cupy", "numba", "rich", "torch", "jax")


def sources(package):
    return sorted((ROOT / package).rglob("*.py"))


def label(path):
    return str(path.relative_to(ROOT))


@functools.cache
def imports(path, for_types=True) -> frozenset[str]:
    """Every module that a file imports, at its top or inside a function, by its full name;
    for_types: also what type checkers alone read."""
    package = path.relative_to(ROOT).parts
    modules, tree = set(), ast.parse(path.read_text("utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not for_types:
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            above = package[: -node.level] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            modules |= {f"{module}.{alias.name}" for alias in node.names}
    return frozenset(modules)


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_direction(package):
    """kernels knows nothing of layers, and nothing that ships knows of bench and tests."""
    files = sources(package)
    assert files
    for path in files:
        ours = {name.partition(".")[0] for name in imports(path)} & OURS
        assert ours <= MAY_IMPORT[package], f"{label(path)} imports {ours - MAY_IMPORT[package]}"


def test_no_import_circle():
    """Also where a module is imported inside a function. What all of `dnn` offers is no module of
    its own here: whoever asks for that asks for the module which defines it."""
    files = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in sources("dnn")
    }
    files = {name.removesuffix(".__init__"): path for name, path in files.items()}
    del files["dnn"]

    def visit(name, above):
        assert name not in above, " -> ".join([*above[above.index(name) :], name])
        if name not in done:
            for other in sorted(imports(files[name], for_types=False)):
                module = other if other in files else other.rpartition(".")[0]
                if module in files and module != name:
                    visit(module, [*above, name])
            done.add(name)

    done = set()
    for name in files:
        visit(name, [])
    assert done == files.keys()


@pytest.mark.parametrize("op", harness.ops())
def test_the_reference_imports_numpy_alone(op):
    names = {name.partition(".")[0] for name in imports(dispatch.OPS / op / "reference.py")}
    assert names <= {"numpy"}


def test_one_file_imports_numba_cuda():
    importers = [
        label(path)
        for package in ("kernels", "dnn")
        for path in sources(package)
        if any(name == "numba.cuda" or name.startswith("numba.cuda.") for name in imports(path))
    ]
    assert importers == ["kernels/device/cuda_python.py"]


def test_the_door_alone_calls_cupy():
    """An op reaches the GPU through kernels/device; arrays.py says where an array lives."""
    for path in sources("kernels"):
        if any(name.partition(".")[0] == "cupy" for name in imports(path)):
            assert label(path).startswith(("kernels/arrays.py", "kernels/device/")), label(path)


def in_the_locales_encoding(call):
    """Whether a call reads or writes text and leaves the encoding to the machine."""
    if any(word.arg == "encoding" for word in call.keywords):
        return False
    name = getattr(call.func, "attr", "") or getattr(call.func, "id", "")
    if name in ("read_text", "write_text"):
        return len(call.args) == (name == "write_text")
    of_a_path = isinstance(call.func, ast.Attribute)
    mode = call.args[0 if of_a_path else 1 :][:1]
    modes = [a.value for a in mode if isinstance(a, ast.Constant)] or ["" if of_a_path else "r"]
    return name == "open" and modes[0] in ("r", "w", "a", "x")


@pytest.mark.parametrize("package", ["kernels", "dnn", "bench"])
def test_text_is_utf_8_on_every_machine(package):
    """Kernel sources hold σ and ×, which Windows would read by its code page."""
    for path in sources(package):
        calls = [n for n in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(n, ast.Call)]
        assert not [f"{label(path)}:{c.lineno}" for c in calls if in_the_locales_encoding(c)]


@pytest.mark.parametrize("package", ["kernels", "dnn"])
def test_importing_is_light(package):
    """What only some users need is loaded where it is used."""
    script = f"import sys, {package}; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    loaded = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout
    assert package in loaded.split()
    assert not set(HEAVY) & set(loaded.split())


@pytest.mark.parametrize("op", harness.ops())
def test_every_op_has_its_rooms(op):
    folder = dispatch.OPS / op
    assert {"__init__.py", "reference.py", "cases.py", "cpu.py"} <= {
        path.name for path in folder.iterdir()
    }
    assert dispatch.files(op, "gpu"), "no gpu.py or gpu.cu"
    assert (ROOT / "tests" / "kernels" / f"test_{op}.py").exists(), "no tests"
    default = ast.literal_eval(
        next(
            node.value
            for node in ast.parse((folder / "__init__.py").read_text("utf-8")).body
            if isinstance(node, ast.Assign) and node.targets[0].id == "DEFAULT"
        )
    )
    assert default[0] in dispatch.files(op, "cpu") and default[1] in dispatch.files(op, "gpu")


@pytest.mark.parametrize("op", ["linear", "activation", "softmax_cross_entropy", "adam"])
def test_the_four_named_ops_have_both_languages(op):
    assert {"gpu.py", "gpu.cu"} <= set(dispatch.files(op, "gpu"))


@pytest.mark.parametrize("name", activations.names())
def test_every_activation_has_a_reference(name):
    f = activations.get(name)
    assert f.reference, "no reference(z)"
    assert f.forward or f.after, "no forward(z)"
    assert bool(f.derivative) == bool(f.reference_derivative), "derivative and its reference"
    assert f.derivative or f.after or f.why_not, "why is there no derivative?"


def git(*command):
    run = subprocess.run(["git", "-C", ROOT, *command], capture_output=True, text=True)
    if run.returncode:
        pytest.skip("not in a git checkout")
    return run.stdout.splitlines()


def test_the_citation_is_of_this_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert f"\nversion: {project['version']}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_changelog_begins_with_this_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    releases = re.findall(r"^## ([\d.]+)", (ROOT / "dnn/CHANGELOG.md").read_text("utf-8"), re.M)
    assert releases[0] == project["version"]


def test_the_top_level_stays_as_it_is():
    files = [*git("ls-files"), *git("ls-files", "--others", "--exclude-standard")]
    top = {file.partition("/")[0] for file in files}
    assert {name for name in top if not name.startswith(".")} <= TOP_LEVEL


@pytest.mark.parametrize("command", ["check", "format --check"])
def test_ruff(command):
    if importlib.util.find_spec("ruff") is None:
        pytest.skip("ruff is not installed: pip install -e '.[test]'")
    run = subprocess.run(
        [sys.executable, "-m", "ruff", *command.split(), "."],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    assert run.returncode == 0, run.stdout + run.stderr


def test_what_is_imported_is_declared():
    """What is imported beyond it belongs to an extra, and is imported where it is used."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    names = {re.match(r"[\w-]+", line)[0] for line in declared["dependencies"]}
    modules = {"pillow": "PIL"}
    packages = {modules.get(name, name) for name in names} | MAY_IMPORT["dnn"]
    optional = {"cupy", "cuda", "tensorboardX"}
    for package in MAY_IMPORT:
        for path in sources(package):
            used = {name.partition(".")[0] for name in imports(path)} - sys.stdlib_module_names
            assert used <= packages | optional, f"{label(path)}: {used - packages - optional}"
