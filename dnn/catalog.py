"""A family of classes by name: every subclass of `base` that a package exports.

Names are the class names in snake case ("sparse_categorical_crossentropy"), or what a class says in
its place: short_name = "rmsprop"; and the further ones that a class lists: aliases = ("mse",). All
are understood in any spelling ("SparseCategoricalCrossentropy"). A member is a dataclass, so its
configuration is its fields.

A package offers its family by

    from dnn.optimizers.adam import Adam
    catalog = Catalog("optimizer", __name__, Optimizer)
    __all__ = ["Adam", "Optimizer"]

so that a new member is its file and its line there. The catalog answers for names that the package
does not have: it is the package's __getattr__.
"""

import dataclasses
import functools
import re
import sys
from typing import Any

import numpy as np

from kernels.names import named, one_of, plain, unknown_attribute


def snake_case(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class Catalog:
    """kind names the family in errors: Catalog("optimizer", "dnn.optimizers", Optimizer).

    elsewhere: {a name that other libraries have: what to write for it here}, where no member is it.
    """

    def __init__(
        self, kind: str, package: str, base: type, elsewhere: dict[str, str] | None = None
    ):
        self.kind, self.package, self.base = kind, package, base
        self.elsewhere = {plain(name): text for name, text in (elsewhere or {}).items()}
        vars(sys.modules[package])["__getattr__"] = self.unknown_attribute

    @functools.cached_property
    def classes(self) -> dict[str, type]:
        """{class name: class} of the members in the package's `__all__`, in alphabetic order."""
        package = sys.modules[self.package]
        exported = {name: getattr(package, name) for name in sorted(package.__all__)}
        return {name: a for name, a in exported.items() if self._is_member(a)}

    def _is_member(self, a):
        return isinstance(a, type) and issubclass(a, self.base) and a is not self.base

    @functools.cached_property
    def by_name(self) -> dict[str, type]:
        """{snake-case or short name: class}."""
        return {
            vars(cls).get("short_name", snake_case(name)): cls for name, cls in self.classes.items()
        }

    @functools.cached_property
    def aliases(self) -> dict[str, str]:
        """{further name: snake-case or short name}."""
        names = {cls.__name__: name for name, cls in self.by_name.items()}
        for name, cls in self.by_name.items():
            names |= dict.fromkeys(vars(cls).get("aliases", ()), name)
        return names

    def _attribute(self, cls):
        return f"{self.package.removeprefix('dnn.')}.{cls.__name__}"

    def unknown_attribute(self, name: str) -> Any:
        """The package's __getattr__."""
        ours = {alias: self._attribute(self.by_name[name]) for alias, name in self.aliases.items()}
        return unknown_attribute(self.package, ours | self.elsewhere)(name)

    def get(self, value: Any) -> Any:
        """A member for a name, a configuration, or a member (returned as it is)."""
        if isinstance(value, self.base):
            return value
        if isinstance(value, dict):
            return self.from_config(value)
        if isinstance(value, type) and issubclass(value, self.base):
            raise TypeError(
                f"{self.kind}: got the class {value.__name__}; expected an instance: "
                f"{self._attribute(value)}({_required(value)})"
            )
        if not isinstance(value, str):
            raise TypeError(
                f"{self.kind}: got {type(value).__name__}; expected a name or an instance of "
                f"{self.base.__module__}.{self.base.__name__}"
            )
        return self.named(value)()

    def named(self, value: Any) -> type:
        """The class of that name, all of whose fields have defaults."""
        if ours := self.elsewhere.get(plain(value)):
            raise ValueError(f"{self.kind}: got {value!r}; expected an instance: {ours}")
        cls = self.by_name[named(self.kind, value, tuple(self.by_name), self.aliases)]
        if required := _required(cls):
            raise ValueError(
                f"{self.kind}: got {value!r}, which needs {required}; expected an instance: "
                f"{self._attribute(cls)}({required})"
            )
        return cls

    def from_config(self, config: dict[str, Any]) -> Any:
        """The inverse of `config`."""
        fields = dict(config)
        name = fields.pop("class", None)
        return self.classes[one_of(self.kind, name, tuple(self.classes))](**fields)


def _required(cls) -> str:
    """The fields that have no default: "units"."""
    missing = dataclasses.MISSING
    fields = dataclasses.fields(cls) if dataclasses.is_dataclass(cls) else ()
    needed = (f for f in fields if f.init and f.default is f.default_factory is missing)
    return ", ".join(field.name for field in needed)


def config(member) -> dict:
    """{"class": name, field: value, …} of a member, nested members likewise; JSON can hold it."""
    fields = {field.name: value for field, value in members(member)}
    return {"class": type(member).__name__} | {k: _plain(v) for k, v in fields.items()}


def members(member):
    """(field, its value) of each argument of a member."""
    fields = (field for field in dataclasses.fields(member) if field.init)
    return [(field, getattr(member, field.name)) for field in fields]


def _plain(value):
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return config(value)
    if isinstance(value, np.generic):
        return value.item()
    return list(value) if isinstance(value, tuple) else value
