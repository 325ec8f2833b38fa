"""Names as users type them: which is meant, and what to say where none is.

Case, underscores and hyphens don't matter: "LeakyReLU", "leaky-relu" and "leaky_relu" are one name.
"""

import difflib
import importlib
import re
import sys


def plain(name) -> str:
    """What two spellings of a name have in common."""
    return re.sub(r"[\W_]+", "", str(name)).lower()


def nearest(value, choices) -> str | None:
    """The one of `choices` that a slip of the pen would turn into `value`; None where none is."""
    spelled = {plain(choice): str(choice) for choice in reversed(list(choices))}
    near = difflib.get_close_matches(plain(value), spelled, n=1)
    return spelled[near[0]] if near else None


def one_of(name, value, choices, also=()):
    """Check a name against the names there are; the error lists them and offers the nearest, which
    may be one of `also`, further ones that the caller understands."""
    if value in choices:
        return value
    near = nearest(value, [*choices, *also])
    hint = f" Did you mean {near!r}?" if near else ""
    listed = ", ".join(repr(c) for c in choices)
    raise ValueError(f"{name}: got {value!r}; expected one of {listed}.{hint}")


def named(kind, value, choices, aliases):
    """The one of `choices` that `value` names, in whatever spelling.

    aliases: {further name: choice}. Raises ValueError as one_of does.
    """
    if value in choices:
        return value
    spelled = {plain(alias): choice for alias, choice in aliases.items()}
    spelled |= {plain(choice): choice for choice in choices}
    choice = spelled.get(plain(value))
    return one_of(kind, value, choices, aliases) if choice is None else choice


def further(package, modules) -> dict[str, str]:
    """{alias: module} of the `aliases` that modules of a package list."""
    loaded = {module: importlib.import_module(f"{package}.{module}") for module in modules}
    return {alias: name for name, m in loaded.items() for alias in getattr(m, "aliases", ())}


def unknown_attribute(module, elsewhere=()):
    """A module's __getattr__, which names the nearest of its __all__ in the AttributeError.

    elsewhere: {a name that other libraries have: what to write for it here}.
    """
    other = {plain(name): text for name, text in dict(elsewhere).items()}

    def __getattr__(name):
        hint = ""
        if not name.startswith("_"):
            near = nearest(name, vars(sys.modules[module]).get("__all__", ()))
            near = other.get(plain(name)) or (near and f"{module}.{near}")
            hint = f". Did you mean {near}?" if near else ""
        # No obj: Python would add a guess of its own
        raise AttributeError(f"module {module!r} has no attribute {name!r}{hint}", name=name)

    return __getattr__
