"""The tour's page: one HTML file that needs nothing else, no script, no network."""

import base64
import html
import io
import re
import string
from importlib import resources

import numpy as np

from dnn import versions
from dnn.tour import code
from dnn.tour.chapter import GIVEN

PNG_DPI = 130
SMALL = 30  # numbers of an array or a list that is printed
DIGITS = 4
POWER = re.compile(r"\b(\d(?:\.\d+)?)e[+]?(-?)0*(\d+)\b")
OUTLINE = re.compile(rb' d="[^"]*"')


def render(chapters, facts) -> str:
    """The page of chapters that have run (dnn.tour.chapter.Told). facts: processor, seconds."""
    page = string.Template(resources.files(__package__).joinpath("page.html").read_text("utf-8"))
    releases = ", ".join(f"{name} {version}" for name, version in versions.installed().items())
    return page.substitute(
        style=resources.files(__package__).joinpath("page.css").read_text("utf-8"),
        contents="\n".join(
            f'<li><a href="#chapter-{i}">{html.escape(c.title)}</a></li>'
            for i, c in enumerate(chapters, 1)
        ),
        chapters="\n".join(_chapter(i, c) for i, c in enumerate(chapters, 1)),
        processor=html.escape(facts["processor"]),
        seconds=f"{facts['seconds']:.0f}",
        versions=html.escape(releases),
    )


def _chapter(number, told):
    shown = [f'<section id="chapter-{number}">', f"<h2>{html.escape(told.title)}</h2>"]
    shown.append(paragraphs(told.text, {}))
    for i, outcome in enumerate(told.outcomes):
        if outcome.missing:
            why = html.escape(outcome.missing)
            shown.append(f'<div class="missing"><p>Left out:</p><pre>{why}</pre></div>')
        else:
            shown.append(_example(outcome, told.imports if i == 0 else ""))
    return "\n".join([*shown, f'<p class="seconds">{told.seconds:.1f} s</p>', "</section>"])


def _example(outcome, imports):
    example, values = outcome.example, outcome.values
    source = f"{imports}\n\n{example.code}" if imports else example.code
    taken = [name for name in example.takes if name not in GIVEN]
    if taken:
        source = f"# {', '.join(taken)}: from above\n{source}"
    shown = [f"<h3>{html.escape(example.title)}</h3>", paragraphs(example.text, values)]
    shown.append(f'<pre class="code"><code>{code.highlighted(source)}</code></pre>')
    numbers = {n: v for n, v in values.items() if is_number(v) and n not in example.tells}
    if numbers:
        lines = "\n".join(starting(f"{name} = ", plain(v)) for name, v in numbers.items())
        shown.append(f'<pre class="output">{html.escape(lines)}</pre>')
    for name, value in values.items():
        if is_table(value):
            shown.append(table(value))
        elif is_picture(value):
            shown.append(picture(value, example.captions[name], values))
    return "\n".join(shown)


def is_picture(value):
    return hasattr(value, "savefig")


def is_table(value):
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def is_number(value):
    """Whether it is printed: numbers, words, and small arrays and lists of them."""
    if isinstance(value, dict):
        return all(is_number(v) for v in value.values())
    if isinstance(value, list | tuple):
        return not is_table(value) and len(value) <= SMALL and all(is_number(v) for v in value)
    if isinstance(value, np.ndarray):
        return value.size <= SMALL and value.dtype.kind in "biuf"
    return isinstance(value, bool | int | float | str | np.generic)


def starting(name, text):
    """The name and the text after it, all lines of which begin below each other."""
    return name + text.replace("\n", "\n" + " " * len(name))


def plain(value) -> str:
    """A value as it is printed: numbers with four digits."""
    if isinstance(value, np.ndarray):
        return np.array2string(value, precision=DIGITS, suppress_small=True, separator=", ")
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {plain(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(plain(v) for v in value) + "]"
    if isinstance(value, float | np.floating):
        return f"{value:.{DIGITS}g}"
    return str(value)


def paragraphs(text, values) -> str:
    """Sentences, parted by empty lines; `code` and {name:format} of the values in them."""
    parts = [part.strip() for part in text.split("\n\n") if part.strip()]
    return "\n".join(f"<p>{inline(part, values)}</p>" for part in parts)


def inline(text, values) -> str:
    text = html.escape(" ".join(text.format(**values).split()), quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*([^*]+)\*", r"<em>\1</em>", text)
    return POWER.sub(
        lambda m: f"{m[1]}&nbsp;·&nbsp;10<sup>{m[2].replace('-', '−')}{m[3]}</sup>", text
    )


def table(rows) -> str:
    head = "".join(f'<th scope="col">{html.escape(str(name))}</th>' for name in rows[0])
    body = "\n".join(f"<tr>{''.join(map(_cell, row.values()))}</tr>" for row in rows)
    return (
        f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n'
        f"<tbody>{body}</tbody></table></div>"
    )


def _cell(value):
    kind = "" if isinstance(value, str) else ' class="number"'
    return f"<td{kind}>{html.escape(plain(value))}</td>"


def picture(figure, caption, values) -> str:
    """A figure as an image in the page itself, with its titles and axes as alternative text."""
    kind, data = encode(figure)
    width = round(figure.get_figwidth() * 96)
    address = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return (
        f'<figure><div class="wide"><img src="{address}" alt="{html.escape(alternative(figure))}" '
        f'width="{width}" height="{round(figure.get_figheight() * 96)}" '
        f'style="min-width:{min(width, max(320, round(0.65 * width)))}px"></div>'
        f"<figcaption>{inline(caption, values)}</figcaption></figure>"
    )


def encode(figure):
    """("svg+xml" or "png", bytes): lines as SVG, figures that hold images as PNG."""
    from matplotlib import rc_context

    data = io.BytesIO()
    if any(axis.images for axis in figure.axes):
        from PIL import Image

        figure.savefig(data, format="png", dpi=PNG_DPI)
        small = io.BytesIO()
        Image.open(data).convert("RGB").quantize(256).save(small, "PNG", optimize=True)
        return "png", small.getvalue()
    with rc_context({"svg.hashsalt": "dnn tour"}):  # the same figure, the same bytes
        figure.savefig(data, format="svg", metadata={"Date": None})
    return "svg+xml", OUTLINE.sub(_rounded, data.getvalue())


def _rounded(outline):
    """A path's coordinates in hundredths of a point, which nobody sees, and half the bytes."""
    return re.sub(rb"(\.\d\d)\d+", rb"\1", outline[0])


def alternative(figure) -> str:
    """What the figure says of itself: titles, axes, and the names of what is drawn."""
    said = [figure.get_suptitle()]
    for axis in figure.axes:
        titles = [axis.get_title(loc) for loc in ("left", "center", "right")]
        labels = axis.get_legend_handles_labels()[1]
        axes = f"{axis.get_ylabel()} over {axis.get_xlabel()}" if axis.get_xlabel() else ""
        said += [*titles, axes, ", ".join(labels)]
    return ". ".join(" ".join(part.split()) for part in said if part)
