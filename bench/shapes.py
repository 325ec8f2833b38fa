"""The sizes that are timed: those of two dense networks, and large ones for GPUs alone."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Net:
    """A dense network and the batch it is trained with: 784-128-10 at batch 128."""

    widths: tuple[int, ...]
    batch: int

    @property
    def name(self):
        return "-".join(map(str, self.widths))

    @property
    def classes(self):
        return self.widths[-1]

    @property
    def layers(self):
        """(I, O) of every layer."""
        return list(zip(self.widths, self.widths[1:], strict=False))

    @property
    def parameters(self):
        return sum(I * O + O for I, O in self.layers)

    def step_operations(self, rows):
        """Operations of a training step over `rows` rows: the products alone, and no dx for the
        first layer, which nobody needs."""
        products = 3 * sum(I * O for I, O in self.layers) - self.widths[0] * self.widths[1]
        return 2 * rows * products


NETS = (Net((784, 128, 10), 128), Net((784, 512, 512, 10), 512))
LAYERS = [{"B": net.batch, "I": I, "O": O} for net in NETS for I, O in net.layers]
HIDDEN = [{"B": net.batch, "C": net.widths[1]} for net in NETS]
LOGITS = [{"B": net.batch, "C": net.widths[-1]} for net in NETS]
PARAMETERS = [{"n": net.parameters} for net in NETS]
BATCHES = [{"B": net.batch, "C": net.widths[0]} for net in NETS]

LARGE_LAYERS = [{"B": 4096, "I": 4096, "O": 4096}]
LARGE_MATRICES = [{"B": 4096, "C": 4096}]
LARGE_PARAMETERS = [{"n": 4096 * 4096}]
