"""Whose `kernels` Python imports: dense-kernels' own, or one of the same name, which is refused.

`dnn/__init__.py` imports this before anything that imports `kernels`.
"""

import importlib.util
import pathlib
import sys
from importlib import metadata

OURS = pathlib.Path(__file__).parents[1] / "kernels"
OVERWRITTEN = "Type: pip uninstall -y kernels dense-kernels, then install dense-kernels as before"
NOT_A_PACKAGE = "a folder without __init__.py"


def place_of(spec) -> str:
    """The file that a module comes from, or its folder where it is no package."""
    return spec.origin or f"{next(iter(spec.submodule_search_locations))} ({NOT_A_PACKAGE})"


def is_ours(spec, folder=OURS) -> bool:
    """Whether a module is the package in `folder`."""
    origin = spec.origin and pathlib.Path(spec.origin)
    return bool(origin) and origin.name == "__init__.py" and _same(origin.parent, folder)


def _same(a, b):
    try:
        return a.samefile(b)
    except OSError:
        return False


def remedy(place) -> str:
    """What to do about a module that shadows one of ours."""
    if "site-packages" in place:
        return "Type: pip uninstall kernels"
    return "Rename it, or take its folder off Python's path"


def move(name, place) -> str:
    """The line to type against a module `name` that lies there."""
    if "site-packages" in place:
        return f"pip uninstall {name}"
    file = f"{name}.py" if place.endswith(f"{name}.py") else name
    return f"mv {file} my_{file}"


def refuse_others():
    """Raise ImportError, in one line, where `import kernels` gives another's."""
    loaded = sys.modules.get("kernels")
    spec = loaded.__spec__ if loaded else importlib.util.find_spec("kernels")
    if spec is None:
        return
    place = place_of(spec)
    needed = f"dnn is of dense-kernels and needs its package kernels; got {place}"
    if not is_ours(spec):
        raise ImportError(f"{needed}; expected {OURS / '__init__.py'}. {remedy(place)}")
    if not _is_whole():
        raise ImportError(f"{needed}, which another package has written over. {OVERWRITTEN}")


def _is_whole():
    """Whether the folder is still ours: PyPI's `kernels` writes its __init__.py over it."""
    try:
        import kernels
    except ImportError:
        if not list(metadata.distributions(name="kernels")):
            raise
        return False
    return hasattr(kernels, "Activation")


try:
    refuse_others()
except ImportError as clash:
    if pathlib.Path(next(iter(sys.argv), "")).stem == "dnn":  # the command says it in one line
        sys.exit(f"dnn: error: {clash}")
    raise
