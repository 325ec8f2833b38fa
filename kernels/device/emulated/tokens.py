"""PTX text as a stream of tokens, and a cursor over it for a recursive-descent parser."""

import re
from typing import NamedTuple

TOKEN = re.compile(
    r"""
    (?: \s+ | //[^\n]* | /\*.*?\*/ )*
    (?: (?P<string>  "[^"\n]*" )
      | (?P<float>   0[fF][0-9a-fA-F]{8} | 0[dD][0-9a-fA-F]{16} )
      | (?P<decimal> \d+\.\d+ )
      | (?P<integer> (?: 0[xX][0-9a-fA-F]+ | 0[bB][01]+ | \d+ ) U? )
      | (?P<dotted>  \. [A-Za-z_0-9]+ (?: ::\w+ )* )
      | (?P<word>    [A-Za-z_$%] [\w$]* )
      | (?P<mark>    [{}()\[\]<>,;:=+\-!|@] )
      | (?P<end>     \Z )
    )
    """,
    re.X | re.S,
)


class PTXError(ValueError):
    """PTX that is not understood; the message names the line."""

    def __init__(self, line, message):
        super().__init__(f"PTX line {line}: {message}")
        self.line = line


class Token(NamedTuple):
    kind: str
    text: str
    line: int

    def __str__(self):
        return repr(self.text) if self.text else "the end of the text"


def tokens(text):
    """Every token of the text; the last is of kind "end"."""
    position, line, kind = 0, 1, None
    while kind != "end":
        match = TOKEN.match(text, position)
        if not match:
            rest = re.sub(r"\A(?:\s+|//[^\n]*|/\*.*?\*/)*", "", text[position:], flags=re.S)
            line += text.count("\n", position, len(text) - len(rest))
            raise PTXError(line, f"unexpected {rest[:20]!r}")
        kind = match.lastgroup
        line += text.count("\n", position, match.start(kind))
        yield Token(kind, match[kind], line)
        position = match.end()


class Cursor:
    """`here` is the next token."""

    def __init__(self, text):
        self.tokens = list(tokens(text))
        self.position = 0
        self.here = self.tokens[0]

    @property
    def after(self) -> Token:
        """The token behind the next one."""
        return self.tokens[min(self.position + 1, len(self.tokens) - 1)]

    def take(self) -> Token:
        token = self.here
        if token.kind == "end":
            raise self.error(f"found {token}")
        self.position += 1
        self.here = self.tokens[self.position]
        return token

    def accept(self, *texts) -> str | None:
        """The next token's text if it is one of `texts`; else nothing is taken."""
        if self.here.text in texts:
            return self.take().text
        return None

    def expect(self, text):
        if not self.accept(text):
            raise self.error(f"expected {text!r}, found {self.here}")

    def kind(self, kind) -> str:
        if self.here.kind != kind:
            article = "an" if kind == "integer" else "a"
            raise self.error(f"expected {article} {kind}, found {self.here}")
        return self.take().text

    def error(self, message) -> PTXError:
        return PTXError(self.here.line, message)

    def listed(self, item, end) -> tuple:
        """item {"," item} end, or end alone."""
        items = []
        if not self.accept(end):
            items.append(item())
            while self.accept(","):
                items.append(item())
            self.expect(end)
        return tuple(items)

    def number(self) -> int:
        sign = -1 if self.accept("-") else 1
        return sign * int(self.kind("integer").rstrip("U"), 0)
