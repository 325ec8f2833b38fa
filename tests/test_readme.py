"""The pages, README.md and that of each folder: their code runs, what they name exists, no link is
dead. Their tables of results: test_report.py."""

import ast
import functools
import importlib
import importlib.util
import itertools
import pathlib
import re
import runpy
import textwrap
import tomllib

import numpy as np
import pytest

import kernels
from dnn import Sequential, callbacks, datasets, layers, losses, optimizers, plots, schedules
from kernels import battery, dispatch
from tests.dnn.helpers import ROOT, small_images

PACKAGES = ("kernels", "dnn", "bench", "tests")
PAGES = [
    "README.md",
    *sorted(
        path.relative_to(ROOT).as_posix()
        for package in PACKAGES
        for path in (ROOT / package).rglob("README.md")
    ),
]
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^    .*$", re.MULTILINE)
PLACEHOLDERS = {"a::b", "test_a.py"}
MODULES = {"kernels": "kernels", "toy": "dnn.datasets.toy", "dnn": "dnn"}
every_page = pytest.mark.parametrize("page", PAGES)


@functools.cache
def read(page):
    return (ROOT / page).read_text(encoding="utf-8")


def prose(page):
    """Without its examples and what they print."""
    return INDENTED.sub("", FENCED.sub("", read(page)))


def spans(page):
    """What stands between backticks, on one line each."""
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", prose(page))]


def commands(page):
    """Lines to type: the indented ones, and what stands between backticks."""
    lines = INDENTED.findall(FENCED.sub("", read(page)))
    return [part.strip(" $") for line in lines for part in line.split(" && ")] + spans(page)


def test_the_front_page_is_short():
    assert len(read("README.md").encode()) <= 8000


# ---- contents and links


def headings(page, level=r"#{1,6}"):
    return re.findall(rf"^{level} (.+)$", FENCED.sub("", read(page)), re.MULTILINE)


def anchor(heading):
    """As GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def links(text):
    return re.findall(r"\[([^\]]*)\]\(([^)\s]+)\)", text)


@every_page
def test_it_begins_with_a_sentence_and_its_contents(page):
    title, sentence, contents = read(page).split("\n\n")[:3]
    assert title.startswith("# ")
    assert sentence.endswith(".") and ". " not in sentence.replace("\n", " ")
    assert links(contents) == [(h, f"#{anchor(h)}") for h in headings(page, "##")]
    assert len({anchor(h) for h in headings(page)}) == len(headings(page))


@every_page
def test_no_link_is_dead(page):
    for _, target in links(prose(page)):
        if re.match(r"https?://", target):
            continue
        file, _, fragment = target.partition("#")
        path = ((ROOT / page).parent / file).resolve() if file else ROOT / page
        assert path.exists(), target
        if fragment:
            there = map(anchor, headings(path.relative_to(ROOT).as_posix()))
            assert fragment in there, target


def test_every_page_is_reached_from_the_front():
    reached = {"README.md"} | {target.partition("#")[0] for _, target in links(read("README.md"))}
    assert set(PAGES) <= reached


# ---- code


def examples():
    """Every block of Python: (code, what it is said to print)."""
    for page in PAGES:
        text = read(page)
        for block in FENCED.finditer(text):
            if block[1] == "python":
                line = text[: block.start()].count("\n") + 1
                marks = [pytest.mark.emulated] if "emulated" in block[2] else []
                said = re.match(r"\n\nIt prints:\n\n((?:    .*\n)+)", text[block.end() :])
                printed = textwrap.dedent(said[1]) if said else None
                yield pytest.param(block[2], printed, id=f"{page}:{line}", marks=marks)


def images():
    """Enough for 100 batches in ten epochs."""
    return [[np.repeat(a, 4, axis=0) for a in part] for part in small_images()]


@pytest.mark.parametrize("code, printed", list(examples()))
def test_it_runs_as_pasted(code, printed, tmp_path, monkeypatch, capsys):
    """With few images in place of 70,000, and two cases of one kernel in place of a whole
    battery, which tests of their own run."""
    monkeypatch.setattr(datasets, "fashion_mnist", images)
    cases_of, check = battery.cases_of, battery.check
    monkeypatch.setattr(battery, "cases_of", lambda *of: cases_of(*of)[:2])
    monkeypatch.setattr(kernels, "check", lambda op, device: check(op, device, variant="gpu.py"))
    monkeypatch.chdir(tmp_path)
    pathlib.Path("pasted.py").write_text(code, encoding="utf-8")
    names = runpy.run_path("pasted.py")
    out = capsys.readouterr().out
    assert printed is None or out == printed
    for call, result in re.findall(r"^(\S.*?) +# (.+)$", code, re.MULTILINE):
        if call.startswith("print("):
            assert result in out.splitlines()
        elif result.startswith("["):
            assert np.array_equal(eval(call, names), ast.literal_eval(result)), call


# ---- what exists


def default_tests():
    """What the pages write for each test function that a plain `pytest` runs: file::name."""
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            marks = map(ast.unparse, getattr(node, "decorator_list", ()))
            if isinstance(node, ast.FunctionDef) and not any("sweep" in mark for mark in marks):
                yield f"{path.stem}::{node.name}".replace("test_", "")


@functools.cache
def sources():
    """The text of all Python that ships, and of bench."""
    paths = [path for package in PACKAGES[:3] for path in sorted((ROOT / package).rglob("*.py"))]
    return "\n".join(path.read_text(encoding="utf-8") for path in paths)


FILE = re.compile(
    r"[\w.<>-]*(?:/[\w.<>-]*)+|[\w<>-]+\.(?:py|cu|cuh|cpp|json|toml|md|png|csv|html|\
safetensors)"
)


def is_there(word, page):
    """A path from the root, from the page's folder, or from kernels/ops/; a name of a file alone;
    or what a command writes."""
    folders = ROOT, (ROOT / page).parent, ROOT / "kernels" / "ops"
    pattern = re.sub(r"<\w+>", "*", word).strip("/")
    name = pattern.rpartition("/")[2]
    return (
        any(any(folder.glob(pattern)) for folder in folders)
        or ("/" not in word and any(any((ROOT / p).rglob(pattern)) for p in PACKAGES))
        or re.search(rf'"{re.escape(name)}["/]', sources())
    )


@every_page
def test_every_file_exists(page):
    words = [word for span in spans(page) for word in span.split()]
    made = re.findall(r"^    \$ python -m [\w.]+ (\S+)", read(page), re.MULTILINE)
    named = {word for word in words if FILE.fullmatch(word)} - {*made, *PLACEHOLDERS}
    assert not {word for word in named if not is_there(word, page)}


def trees():
    """Every path of a tree that a page draws."""
    for page in PAGES:
        above = {}
        for line in INDENTED.findall(FENCED.sub("", read(page))):
            drawn = re.match(r"    ( {0,8})(\w[\w.]*/?(?: \w+/)*)(?: …)?  +[^\W\d]", line)
            if not drawn or not re.search(r"/|\.py$|\.cu$", drawn[2]):
                continue
            depth, names = len(drawn[1]), drawn[2].split()
            folder = "".join(above[d] for d in sorted(above) if d < depth)
            for name in names:
                yield page, folder + name
            above = {d: name for d, name in above.items() if d < depth} | {depth: names[0]}


def test_every_path_of_the_trees_exists():
    drawn = list(trees())
    assert len(drawn) > 20 and {page for page, _ in drawn} == {"README.md", "kernels/README.md"}
    assert not [(page, path) for page, path in drawn if not (ROOT / path).exists()]


PROGRAMS = {  # where their commands and options are
    "dnn": "dnn/command/cli.py",
    "python -m bench": "bench/__main__.py",
    r"python -m kernels\.device\.emulated": "kernels/device/emulated/__main__.py",
    r"python -m tests\.kernels\.compiled_code": "tests/kernels/compiled_code.py",
}


def quoted(text):
    """The options and commands that a source may have."""
    return set(re.findall(r'"((?:--)?[a-z][a-z-]*)"', text))


@every_page
def test_every_option_and_command_exists(page):
    project = tomllib.loads(read("pyproject.toml"))
    markers = {
        line.partition(":")[0] for line in project["tool"]["pytest"]["ini_options"]["markers"]
    }
    ours = quoted(sources()) | {"--benchmark-disable"}
    for line in commands(page):
        options, known = set(re.findall(r"(?<!\S)--[a-z][a-z-]*", line)), ours
        for called, file in PROGRAMS.items():
            if begun := re.match(rf"(?:\.venv/bin/)?{called}(?: ([a-z]+))?(?= |$)", line):
                known = quoted(read(file))
                assert begun[1] is None or begun[1] in known, line
        assert options <= known | {"--help"}, line
        for extra in re.findall(r"\.\[(\w+)\]", line):
            assert extra in project["project"]["optional-dependencies"], line
        for module in re.findall(r"python -m ([a-z_.]+)", line):
            assert module in ("venv", "pip") or importlib.util.find_spec(module), line
        for marked in re.findall(r'pytest -m "?(?:not )?(\w+)', line):
            assert marked in markers, line


@every_page
def test_every_name_and_test_exists(page):
    tests = {span for span in spans(page) if "::" in span} - PLACEHOLDERS
    assert tests <= set(default_tests())
    for span in spans(page):
        name = re.match(r"(kernels|dnn|datasets|plots|perceptron|losses)((?:\.\w+)+)", span)
        if name and not name[2].endswith((".py", ".md")):
            place = name[1] if name[1] in PACKAGES else f"dnn.{name[1]}"
            named = importlib.import_module(place)
            for part in name[2].split(".")[1:]:
                if not hasattr(named, part):
                    assert importlib.util.find_spec(f"{named.__name__}.{part}"), span
                    importlib.import_module(f"{named.__name__}.{part}")
                named = getattr(named, part)


def test_the_table_of_the_ops_names_their_files():
    """But for the ladder's rungs, which have a table of their own."""
    table = read("kernels/README.md").partition("| op | maths |")[2].partition("\n\n")[0]
    named = {}
    for line in table.splitlines()[2:]:
        first, _, *files = line.strip("| ").split(" | ")
        of_row = set(re.findall(r"`(gpu\w*\.(?:cu|py))`", " ".join(files)))
        for function in re.findall(r"`(\w+)`", first):
            op = function if function in dispatch.ops() else function.removesuffix("_backward")
            named[op] = of_row
    assert named == {
        op: set(itertools.filterfalse(dispatch.is_rung, dispatch.files(op, "gpu")))
        for op in dispatch.ops()
    }


# ---- the table of concepts


def rows():
    """[(concept, calls, tests)]."""
    text = read("dnn/README.md")
    table = text[text.index("| concept | call | test |") :].partition("\n\n")[0]
    return [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]


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
    text = "\n".join(map(read, PAGES))
    families = layers.catalog, losses.catalog, optimizers.catalog, callbacks.catalog
    public = {name for family in families for name in family.classes} | set(plots.__all__)
    public |= {name for name, cls in vars(schedules).items() if is_schedule(cls)} | set(
        dispatch.ops()
    )
    missing = {name for name in public - HELPERS if not re.search(rf"\b{name}\b", text)}
    assert not missing
