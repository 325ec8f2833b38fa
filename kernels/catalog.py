"""A family whose members are short files of scalar functions: activations, losses of one output.

A member's file has at its top, under the names of the family's fields, what the member is, and may
have `aliases`, further names of what it defines.
"""

import dataclasses
import functools
import importlib
from collections.abc import Callable
from typing import Generic, TypeVar

from kernels.names import further, named

Member = TypeVar("Member")


@dataclasses.dataclass(frozen=True, eq=False)
class Catalog(Generic[Member]):
    """kind names the family in errors. package: whose files they are. cls: a dataclass, whose
    fields a file may state. make(name=…, and what it states): the member. members: their names."""

    kind: str
    package: str
    cls: type[Member]
    make: Callable[..., Member]
    members: tuple[str, ...]

    def names(self) -> tuple[str, ...]:
        """Every member there is a file for, by the lines of the package's `Name`."""
        return self.members

    def aliases(self) -> dict[str, str]:
        """{further name: name}, of all files."""
        return self._aliases

    @functools.cached_property
    def _aliases(self):
        return further(self.package, self.members)

    def member(self, name: str) -> Member | None:
        """The one of exactly that name, always the same object; None where there is none."""
        return _load(self, name) if name in self.members else None

    def named(self, name: str) -> Member:
        """The one that is meant, in whatever spelling. Raises ValueError as names.one_of does."""
        return _load(self, named(self.kind, name, self.members, self._aliases))


@functools.cache
def _load(catalog, name):
    module = importlib.import_module(f"{catalog.package}.{name}")
    fields = [field.name for field in dataclasses.fields(catalog.cls)]
    stated = {field: getattr(module, field) for field in fields if hasattr(module, field)}
    return catalog.make(**{"name": name} | stated)
