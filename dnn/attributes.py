"""Attributes that nothing would read are refused when they are set."""

import difflib
import sys
from typing import ClassVar

from dnn.keywords import Keywords

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

    def __setattr__(self, name, value):
        if name not in self.__dict__ and not hasattr(type(self), name):
            _require_reader(self, name)
        super().__setattr__(name, value)


def _require_reader(thing, name):
    cls, frame = type(thing), sys._getframe(2)
    if name in cls.ignored:
        raise AttributeError(f"{name}: {cls.__name__} has no such attribute; {cls.ignored[name]}")
    while frame.f_code.co_name == "__setattr__":  # a subclass's own
        frame = frame.f_back
    if not _ours(cls.__module__) or _ours(frame.f_globals.get("__name__", "")):
        return
    there = set(dir(thing)) - OF_CLASSES
    known = sorted(n for n in there if not (n.startswith("_") or callable(getattr(cls, n, 0))))
    near = difflib.get_close_matches(ALIASES.get(name, name), known, 1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise AttributeError(
        f"{name}: {cls.__name__} has no such attribute, so nothing would read it; expected one of "
        f"{', '.join(known)}.{hint}"
    )


def _ours(module):
    return module.partition(".")[0] == "dnn"
