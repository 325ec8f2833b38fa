"""The tour: the basics of dense networks as runnable examples, and one HTML page of what they gave.

    from dnn import tour
    tour.run("tour.html")             # or: dnn tour --output tour.html

A chapter is a file in dnn/tour/chapters: a title, a few sentences, and examples. An example is a
function; the page shows the function's own lines, the figures and numbers that it returned, and
its pictures. CONTENTS is the order.
"""

import importlib
import pathlib
import time

from dnn import devices
from dnn.files import write_atomically
from dnn.tour import page

CONTENTS = (
    "neuron",
    "gates",
    "activations",
    "forward",
    "losses",
    "classes",
    "backpropagation",
    "descent",
    "batches",
    "optimizers",
    "initialisation",
    "encodings",
    "outputs",
    "overfitting",
    "images",
)
"""The chapters in the order in which they are read."""


def load(name):
    """The Chapter in dnn/tour/chapters/<name>.py."""
    return importlib.import_module(f"{__name__}.chapters.{name}").chapter


def run(output="runs/tour.html", *, contents=None, images=True, data_dir=None, say=print):
    """Run the examples on the CPU and write the page, whole or not at all; returns its path.

    contents: names of chapters, default CONTENTS. images: False leaves the chapter on Fashion-MNIST
    out, and the page says so; it says so too where the data are not to be had. data_dir: a folder
    with the data set's files. say: called with each line of progress, default print.
    """
    output, contents = pathlib.Path(output), CONTENTS if contents is None else contents
    output.parent.mkdir(parents=True, exist_ok=True)
    began, done = time.perf_counter(), []
    with devices.automatic("cpu"):
        for i, name in enumerate(contents):
            told = load(name).run(images=images, data_dir=data_dir)
            done.append(told)
            say(f"{i + 1:2}/{len(contents)}  {told.title:<46} {told.seconds:5.1f} s{_remark(told)}")
        facts = {"processor": devices.describe("cpu"), "seconds": time.perf_counter() - began}
    html = page.render(done, facts).encode()
    write_atomically(output, html)
    seconds = time.perf_counter() - began
    say(f"written to {output} ({len(html) / 1e6:.1f} MB, {seconds:.0f} s with the pictures)")
    return output


def _remark(told):
    why = [outcome.missing.splitlines()[0] for outcome in told.outcomes if outcome.missing]
    return "".join(f"  left out: {reason}" for reason in why)
