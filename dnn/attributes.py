"""Attributes that nothing would read are refused when they are set."""

import difflib
import sys
from typing import ClassVar

from dnn.keywords import Keywords
from kernels.warning import is_of_library

OF_CLASSES = {"checks", "ignored", "recordable"}  # for those who write some
ALIASES = {"lr": "learning_rate", "eps": "epsilon"}  # what users of other libraries type


class Attributes(Keywords):
    """Base of what users set attributes of: a name that an object of the library does not have is
    refused with an AttributeError that offers the nearest. The library's own code may set what it
    needs, and a user's subclass has whatever attributes the user gives it.

    ignored: {an attribute that other libraries have and that a user's subclass would not have
    either: what to do here}. A subclass has those of its bases too.
    """

    ignored: ClassVar[dict[str, str]] = {}
    _of_library = True

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        cls._of_library = is_of_library(_caller("__init_subclass__"))

    def __setattr__(self, name, value):
        if name not in self.__dict__ and not hasattr(type(self), name):
            _require_reader(self, name)
        super().__setattr__(name, value)


def _require_reader(thing, name):
    cls = type(thing)
    if name in cls.ignored:
        raise AttributeError(f"{name}: {cls.__name__} has no such attribute; {cls.ignored[name]}")
    code = _caller("__setattr__")
    made = getattr(cls.__init__, "__code__", None)  # a dataclass's stands in no file
    if not cls._of_library or is_of_library(code) or code is made:
        return
    there = set(dir(thing)) - OF_CLASSES
    known = sorted(n for n in there if not (n.startswith("_") or callable(getattr(cls, n, 0))))
    near = difflib.get_close_matches(ALIASES.get(name, name), known, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise AttributeError(
        f"{name}: {cls.__name__} has no such attribute, so nothing would read it; expected one of "
        f"{', '.join(known)}.{hint}"
    )


def _caller(method):
    """The code that makes the call of `method` that is under way; a subclass's own method of that
    name may have handed it on."""
    frame = sys._getframe(1)
    while frame.f_code.co_name != method:
        frame = frame.f_back
    while frame.f_code.co_name == method:
        frame = frame.f_back
    return frame.f_code
