"""Python as HTML, its keywords, strings, numbers and comments marked."""

import html
import io
import keyword
import tokenize

KINDS = {tokenize.COMMENT: "c", tokenize.STRING: "s", tokenize.NUMBER: "n"}


def highlighted(source) -> str:
    """The source, escaped, in <span class="k, s, n or c">; without its tags it is the source."""
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    out, at = [], 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        kind = KINDS.get(token.type) or ("k" if keyword.iskeyword(token.string) else None)
        if kind is None:
            continue
        begin, end = (starts[row - 1] + column for row, column in (token.start, token.end))
        out.append(html.escape(source[at:begin], quote=False))
        out.append(f'<span class="{kind}">{html.escape(source[begin:end], quote=False)}</span>')
        at = end
    return "".join([*out, html.escape(source[at:], quote=False)])
