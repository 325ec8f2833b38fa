"""Text that any stream can show."""

import io
import sys

import pytest

from kernels.text import Parser, say, shown


class Stream:
    """What a user may put in the place of standard output."""

    def __init__(self, **has):
        self.text = ""
        vars(self).update(has)

    def write(self, text):
        text.encode(getattr(self, "encoding", None) or "utf-8")
        self.text += text


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [
        ("utf-8", "784×128 ─ 0 … 1 ≤ 2 ± größe 猫"),
        (None, "784×128 ─ 0 … 1 ≤ 2 ± größe 猫"),
        ("cp1252", "784×128 - 0 … 1 <= 2 ± größe \\u732b"),
        ("ascii", "784x128 - 0 ... 1 <= 2 +- gr\\xf6\\xdfe \\u732b"),
    ],
)
def test_signs_by_encoding(encoding, expected, monkeypatch):
    text, stream = "784×128 ─ 0 … 1 ≤ 2 ± größe 猫", Stream(encoding=encoding)
    assert shown(text, stream) == expected
    for name, error in (("stdout", False), ("stderr", True)):
        monkeypatch.setattr(sys, name, stream)
        stream.text = ""
        say(text, error=error, flush=True)
        assert stream.text == expected + "\n"


def test_what_no_encoding_has():
    """As in the name of a file whose bytes are no UTF-8."""
    assert shown("\udcff.png", io.StringIO()) == "\\udcff.png"


def test_no_stream(monkeypatch):
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    say("nobody hears it", flush=True)
    say("nor this", error=True)


def test_a_help_is_shown_in_any_encoding(monkeypatch):
    parser = Parser(prog="x", description="0 … 1")
    parser.add_subparsers().add_parser("sub", description="≤ 2")
    for arguments, expected in (["-h"], "0 ... 1"), (["sub", "-h"], "<= 2"):
        stream = Stream(encoding="ascii")
        monkeypatch.setattr(sys, "stdout", stream)
        with pytest.raises(SystemExit):
            parser.parse_args(arguments)
        assert expected in stream.text
