"""Which sources a CPU kernel is made of: what its compiled code on disk is stamped with.

They are the kernel's own file, the files of the functions and modules that it names (an activation
comes in as a closure), and every file of this package that one of these imports, at its top or in a
function, and so on. Imports are read from the text: what else a process has loaded changes nothing.
`device/` is left out: it is the door to the GPU, and no CPU kernel is made of it.
"""

import ast
import functools
import hashlib
import pathlib
import types

PACKAGE = pathlib.Path(__file__).parent.resolve()
OF_NUMBA = {"llvmlite", "numba", "numpy"}  # what is named of these, Numba's release stands for


def stamp(function) -> str:
    """A digest of what a kernel is made of wherever its closure came from."""
    return _digest([function.__code__.co_filename, *_files(_globals(function))])


def closure_stamp(function) -> str:
    """A digest of what came in as its closure. One kernel's index on disk holds all of these."""
    return _digest(_files(_closure(function)))


def _files(values) -> set[str]:
    """The files of functions and modules, and of those that they name."""
    paths, seen, left = set(), set(), list(values)
    while left:
        value = left.pop()
        value = getattr(value, "py_func", value)  # what Numba has made of it
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, types.ModuleType):
            if value.__name__.partition(".")[0] not in OF_NUMBA:
                paths.add(getattr(value, "__file__", None) or "")
        elif isinstance(value, types.FunctionType):
            paths.add(value.__code__.co_filename)
            left += [*_globals(value), *_closure(value)]
    return {path for path in paths if path.endswith(".py") and pathlib.Path(path).is_file()}


def _globals(function):
    return [function.__globals__.get(name) for name in _names(function.__code__)]


def _closure(function):
    return [cell.cell_contents for cell in function.__closure__ or ()]


def _names(code):
    inner = (_names(const) for const in code.co_consts if isinstance(const, types.CodeType))
    return set(code.co_names).union(*inner)


@functools.cache
def imported(path) -> frozenset[pathlib.Path]:
    """A file and, transitively, those of the package that it imports."""
    files, left = set(), [pathlib.Path(path).resolve()]
    while left:
        path = left.pop()
        if path not in files:
            files.add(path)
            left += _imports(path)
    return frozenset(files)


@functools.cache
def _imports(path):
    files = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            files += [_file(alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            # A name may be a module, or else something that the package around it defines
            module = _absolute(path, node)
            files += [_file(f"{module}.{alias.name}") or _file(module) for alias in node.names]
    return [file for file in files if file]


def _absolute(path, node):
    if not node.level or not path.is_relative_to(PACKAGE):
        return node.module or ""
    above = path.relative_to(PACKAGE.parent).parts[: -node.level]
    return ".".join([*above, *filter(None, [node.module])])


def _file(module):
    """The file of a module of the package that a kernel may be made of, or None."""
    first, *names = module.split(".")
    if first != PACKAGE.name or names[:1] == ["device"]:
        return None
    place = PACKAGE.joinpath(*names)
    for file in (place / "__init__.py", place.with_suffix(".py")):
        if file.is_file():
            return file
    return None


def _digest(files):
    files = set().union(*map(imported, files))
    return hashlib.sha256(b"".join(map(_digest_of, sorted(files)))).hexdigest()


@functools.cache
def _digest_of(path):
    return hashlib.sha256(path.read_bytes()).digest()
