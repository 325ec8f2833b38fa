"""Dataclasses whose fields hold what they may hold, whenever they are set."""

from collections.abc import Callable
from typing import Any, ClassVar

from dnn.attributes import Attributes


class Checked(Attributes):
    """checks: {field: a function (name, value) that returns what is kept, or raises ValueError,
    naming the field}. It is called when the object is made, comes from a file, or is changed. A
    subclass has those of its bases too.
    recordable: see dnn.layers.Layer; of losses and optimizers likewise. Never inherited.
    _version: how often an attribute was set or deleted; what was made of an object is as good as
    new while it is the same.
    """

    checks: ClassVar[dict[str, Callable[[str, Any], Any]]] = {}
    recordable, _version = False, 0

    def __init_subclass__(cls, recordable=False, **options):
        super().__init_subclass__(**options)
        cls.recordable = recordable
        bases = [vars(base).get("checks", {}) for base in reversed(cls.__mro__)]
        cls.checks = {name: check for checks in bases for name, check in checks.items()}

    def __setattr__(self, name, value):
        check = self.checks.get(name)
        super().__setattr__(name, value if check is None else check(name, value))
        self.__dict__["_version"] = self._version + 1

    def __delattr__(self, name):
        super().__delattr__(name)
        self.__dict__["_version"] = self._version + 1
