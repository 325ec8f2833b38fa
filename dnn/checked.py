"""Dataclasses whose fields hold what they may hold, whenever they are set."""

from collections.abc import Callable
from typing import Any, ClassVar

from dnn.attributes import Attributes


class Checked(Attributes):
    """checks: {field: a function (name, value) that returns what is kept, or raises ValueError,
    naming the field}. It is called when the object is made, comes from a file, or is changed. A
    subclass has those of its bases too.
    """

    checks: ClassVar[dict[str, Callable[[str, Any], Any]]] = {}

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        bases = [vars(base).get("checks", {}) for base in reversed(cls.__mro__)]
        cls.checks = {name: check for checks in bases for name, check in checks.items()}

    def __setattr__(self, name, value):
        check = self.checks.get(name)
        super().__setattr__(name, value if check is None else check(name, value))
