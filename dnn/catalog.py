"""A family of classes found by place: every subclass of `base` in a package's files, by name.

Names are the class names as they are ("SparseCategoricalCrossentropy") or in snake case
("sparse_categorical_crossentropy"), or what a class says in its place: short_name = "rmsprop". A
member is a dataclass, so its configuration is its fields.

A package offers its family by

    catalog = Catalog("optimizer", __name__, Optimizer)
    globals().update(catalog.classes)
    __all__ = ["Optimizer", *catalog.classes]

so that a new file in its folder is all that a new member takes.
"""

import dataclasses
import functools
import importlib
import pkgutil
import re

import numpy as np

from kernels.arrays import one_of


def snake_case(name):
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class Catalog:
    """kind names the family in errors: Catalog("optimizer", "dnn.optimizers", Optimizer)."""

    def __init__(self, kind, package, base):
        self.kind, self.package, self.base = kind, package, base

    @functools.cached_property
    def classes(self) -> dict[str, type]:
        """{class name: class} of everything in the package's files."""
        package = importlib.import_module(self.package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self.package}.{module.name}")
        found, todo = {}, [self.base]
        while todo:
            cls = todo.pop()
            todo += cls.__subclasses__()
            public = cls is not self.base and not cls.__name__.startswith("_")
            if public and cls.__module__.startswith(self.package + "."):
                found[cls.__name__] = cls
        return dict(sorted(found.items()))

    @functools.cached_property
    def by_name(self) -> dict[str, type]:
        """{snake-case or short name: class}."""
        return {
            vars(cls).get("short_name", snake_case(name)): cls for name, cls in self.classes.items()
        }

    def get(self, value):
        """A member for a name, a configuration, or a member (returned as it is)."""
        if isinstance(value, self.base):
            return value
        if isinstance(value, dict):
            return self.from_config(value)
        if not isinstance(value, str):
            raise TypeError(
                f"{self.kind}: got {type(value).__name__}; expected a name or an instance of "
                f"{self.base.__module__}.{self.base.__name__}"
            )
        if value in self.classes:
            return self.classes[value]()
        name = value if value in self.by_name else snake_case(value)
        return self.by_name[one_of(self.kind, name, tuple(self.by_name))]()

    def from_config(self, config):
        """The inverse of `config`."""
        fields = dict(config)
        name = fields.pop("class", None)
        return self.classes[one_of(self.kind, name, tuple(self.classes))](**fields)


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
