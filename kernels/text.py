"""Text on a stream, whatever the stream can show.

What is said here uses signs such as ×, ≤ and …. A stream whose encoding lacks one (ASCII, a code
page of Windows) is given others in its place; sys.stdout may also be None, as in a service, or an
object of a user's that can only write.
"""

import argparse
import codecs
import sys

SIGNS = {
    "─": "-", "━": "-", "–": "-", "−": "-", "…": "...", "×": "x", "·": "*", "≤": "<=", "≥": ">=",
    "≈": "~", "→": "->", "²": "^2", "³": "^3", "⁶": "^6", "½": "1/2", "±": "+-", "√": "sqrt",
    "µ": "u", "“": '"', "”": '"', "’": "'",
}  # fmt: skip


def say(text="", *, error=False, end="\n", flush=False):
    """Print text on standard output, or standard error; where there is none, nothing."""
    stream = sys.stderr if error else sys.stdout
    if stream is None:
        return
    stream.write(shown(str(text), stream) + end)
    if flush and hasattr(stream, "flush"):
        stream.flush()


def shown(text, stream) -> str:
    """The text, in characters of the stream's encoding."""
    encoding = getattr(stream, "encoding", None)
    if not isinstance(encoding, str):
        encoding = "utf-8"
    return text.encode(encoding, "kernels.text").decode(encoding)


class Parser(argparse.ArgumentParser):
    """argparse's, with a help that standard output can show."""

    def format_help(self):
        return shown(super().format_help(), sys.stdout)


def _in_place(error):
    characters = error.object[error.start : error.end]
    plain = (SIGNS.get(c) or c.encode("ascii", "backslashreplace").decode() for c in characters)
    return "".join(plain), error.end


codecs.register_error("kernels.text", _in_place)
