"""What a training step costs by count, and the time that a card's limits allow it: the prediction
that measurements are held against.

    python -m bench prediction

The launches and the bytes that they ask for are counted on the emulated device, in a step of the
library's own training loop; the fewest bytes (every array of a kernel read or written once) and the
operations follow from the shapes. No kernel can be faster than its fewest bytes at the memory's
speed, or its operations at the arithmetic's, and each is a node of a graph.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.shapes import NETS
from dnn import Sequential, devices, layers, losses, optimizers
from dnn.batches import Batches
from dnn.passes import Passes
from kernels.device import emulated

FILE = Path(__file__).parent / "results" / "prediction.md"


@dataclass(frozen=True)
class Card:
    """bytes: a second, of a copy as measured. operations: {precision: a second}, dense, of the data
    sheet; node: seconds from one node of a graph to the next."""

    name: str
    bytes: float
    operations: dict
    node: float


H200 = Card("NVIDIA H200", 4.3e12, {"float32": 67e12, "tf32": 495e12, "bfloat16": 990e12}, 1.5e-6)


@dataclass
class Row:
    """One kernel in a step. launches; bytes_asked for by its threads; fewest_bytes; operations."""

    kernel: str
    launches: int
    bytes_asked: int
    fewest_bytes: int
    operations: int

    def seconds(self, card, precision):
        """(what the limits allow it, the same with its nodes of the graph)."""
        least = max(self.fewest_bytes / card.bytes, self.operations / card.operations[precision])
        return least, least + self.launches * card.node


def step(net, precision) -> list[Row]:
    """The kernels of a step on the emulated device, in the order in which they first run."""
    model = Sequential(
        [
            *(layers.Dense(n, activation="relu") for n in net.widths[1:-1]),
            layers.Dense(net.classes),
        ],
        device="emulated",
    )
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(), loss, precision=precision)
    model.build(net.widths[0])
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (net.batch, net.widths[0]), np.uint8)
    labels = rng.integers(0, net.classes, net.batch).astype(np.int32)
    x, labels = (devices.to_device(a, "emulated") for a in (x, labels))
    # As in a `fit` whose callbacks read no gradients
    passes = Passes(model, net.batch, training=True, gradients_read=False)
    loss_and_hit = (devices.empty("emulated", net.batch, dtype) for dtype in (np.float32, np.uint8))
    with emulated.session() as counted:
        Batches(passes.plan, x).load(passes.x, 0)
        passes.step(*loss_and_hit, 1, 1e-3, labels)
    shapes = from_shapes(net)
    return [
        Row(name, counters.launches, counters.total.global_bytes, *shapes[name])
        for name, counters in counted.kernels.items()
    ]


def from_shapes(net) -> dict[str, tuple[int, int]]:
    """{kernel: (fewest bytes, operations)} in a step."""
    B, C, last = net.batch, net.classes, net.widths[-2]
    products = [2 * B * I * O for I, O in net.layers]
    return {
        "gather_uint8": (5 * B * net.widths[0], 0),
        "linear_forward": (
            sum(4 * (B * I + I * O + O + B * O) for I, O in net.layers[:-1]),
            sum(products[:-1]),
        ),
        # x, w, b, z, dz, dx; labels, losses, hits
        "linear_cross_entropy": (
            4 * (2 * B * last + last * C + C + 2 * B * C) + 9 * B,
            2 * products[-1],
        ),
        # dz, w, the output of the layer before, dx; nobody needs the first layer's
        "linear_backward_dx": (
            sum(4 * (B * O + I * O + 2 * B * I) for I, O in net.layers[1:-1]),
            sum(products[1:-1]),
        ),
        # x, dz; the parameters and their two moments, read and written
        "linear_backward_adam": (
            sum(4 * (B * I + B * O) for I, O in net.layers) + 24 * net.parameters,
            sum(products),
        ),
    }


def table(net, precision, card=H200) -> str:
    """The step as Markdown, its sum in the last row."""
    rows = step(net, precision)
    lines = [
        f"### {net.name}, batch {net.batch}, {precision}",
        "",
        "| kernel | launches | KB asked for | fewest KB | MFLOP | limits, µs | with launches, µs |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    sums = np.zeros(6)
    for row in rows:
        counts = row.launches, row.bytes_asked / 1e3, row.fewest_bytes / 1e3, row.operations / 1e6
        numbers = np.array([*counts, *(1e6 * s for s in row.seconds(card, precision))])
        sums += numbers
        lines.append(_line(row.kernel, numbers))
    return "\n".join([*lines, _line("**step**", sums)])


def _line(name, numbers):
    launches, *others = numbers
    return f"| {name} | {launches:.0f} | " + " | ".join(f"{n:,.2f}" for n in others) + " |"


def write(path=FILE, nets=NETS, precisions=("float32", "tf32"), card=H200) -> str:
    """All tables, also to the file; returns them."""
    speeds = ", ".join(f"{p} {card.operations[p] / 1e12:.0f}" for p in precisions)
    head = (
        f"# What a training step should take on an {card.name}\n\n"
        f"Counted and computed by `python -m bench prediction`, not measured. Limits: "
        f"{card.bytes / 1e12} TB/s, TFLOP/s {speeds}, {card.node * 1e6} µs a node of a graph.\n"
    )
    tables = [table(net, precision, card) for net in nets for precision in precisions]
    text = "\n\n".join([head, *tables]) + "\n"
    Path(path).write_text(text, encoding="utf-8")
    return text
