"""While something compiles, whoever has asked is told, so that nobody waits before a silent screen.

    with compiling.told(show):     # show("compiling CPU kernels, once: 7 of 18"), and at its end
        ...                        # show(None)
    with compiling.said():         # a line (see Line), unless somebody is told already
        ...

Kernels that are called outside of such a block compile in silence.
"""

import contextlib
import contextvars
import shutil
import sys

from kernels.text import say

CPU = "compiling CPU kernels, once"
GPU = "compiling GPU kernels, once"
EMULATED = "building the emulated device, once"

_asked = contextvars.ContextVar("asked", default=None)


class _Asked:
    def __init__(self, show):
        self.show, self.place, self.depth = show, "", 0


@contextlib.contextmanager
def told(show):
    """show(text) is called whenever something begins to compile in this block and thread, and
    show(None) when that has ended."""
    token = _asked.set(_Asked(show))
    try:
        yield
    finally:
        _asked.reset(token)


@contextlib.contextmanager
def said(error=True):
    with contextlib.nullcontext() if _asked.get() else told(Line(error)):
        yield


class Line:
    """One line: on a terminal, by standard error, it goes when all is compiled; else it is one of
    standard error's, or of standard output's where that is a log (error=False)."""

    def __init__(self, error=True):
        self.error, self.width = error, 0

    def __call__(self, text):
        if _on_a_terminal():
            text = (text or "")[: shutil.get_terminal_size().columns - 1]
            end = "" if text else "\r"
            say(f"\r{text:{self.width}}", error=True, end=end, flush=True)
            self.width = len(text)
        elif text and not self.width:
            say(text, error=self.error, flush=True)
            self.width = len(text)


def _on_a_terminal():
    try:
        return sys.stderr.isatty()
    except (AttributeError, ValueError):  # None, an object of a user's; closed
        return False


_begun = False


def has_begun() -> bool:
    """Whether anything has been compiled in this process."""
    return _begun


def begin(what):
    """Something begins to compile; `end` has to follow. What compiles within is not told."""
    global _begun
    _begun = True
    asked = _asked.get()
    if asked:
        asked.depth += 1
        if asked.depth == 1:
            asked.show(what + asked.place)


def end():
    asked = _asked.get()
    if asked:
        asked.depth -= 1
        if not asked.depth:
            asked.show(None)


@contextlib.contextmanager
def going_on(what):
    begin(what)
    try:
        yield
    finally:
        end()


def counted(calls):
    """Each of the calls that are about to run: what compiles meanwhile is said to be the first, the
    second, … of so many."""
    asked = _asked.get() or _Asked(None)
    try:
        for i, call in enumerate(calls):
            asked.place = f": {i + 1} of {len(calls)}"
            yield call
    finally:
        asked.place = ""
