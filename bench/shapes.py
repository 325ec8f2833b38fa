"""The sizes that are timed: those of two dense networks at several batches, and large ones for GPUs
alone. What begins with ALL_ is every size that a dense network has, for --all-shapes."""

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
TRAINED = (*NETS, Net((784, 512, 512, 10), 2048))
"""Those whose epochs are timed."""
WIDTHS = (784, 512, 256, 128, 10)
BATCHES = (32, 128, 512, 2048, 8192)
USUAL, ON_GPU = BATCHES[1:4], BATCHES[4:]  # what is timed by default; on GPUs these too


def _layers(pairs, batches):
    return [{"B": B, "I": I, "O": O} for I, O in pairs for B in batches]


def _rows(widths, batches):
    return [{"B": B, "C": C} for C in widths for B in batches]


PAIRS = [pair for net in NETS for pair in net.layers]
LAYERS, GPU_LAYERS = _layers(PAIRS, USUAL), _layers(PAIRS, ON_GPU)
ALL_LAYERS = _layers([(I, O) for I in WIDTHS[:-1] for O in WIDTHS[1:] if O <= I], BATCHES)
LARGE_LAYERS = [{"B": 4096, "I": 4096, "O": 4096}, {"B": 8192, "I": 4096, "O": 4096}]

HIDDEN = [{"B": net.batch, "C": net.widths[1]} for net in NETS]
GPU_HIDDEN = [{"B": 8192, "C": 512}, {"B": 4096, "C": 4096}]
ALL_HIDDEN = _rows(WIDTHS[1:4], BATCHES)

LOGITS = [{"B": net.batch, "C": net.classes} for net in NETS]
GPU_LOGITS = [{"B": 8192, "C": 10}, {"B": 4096, "C": 4096}]
ALL_LOGITS = _rows(WIDTHS[-1:], BATCHES)

CLASSES = (10, 1000, 32_000, 128_000)
VOCABULARIES = [{"B": 32, "C": C} for C in CLASSES[1:]]
GPU_VOCABULARIES = [{"B": B, "C": C} for B, C in zip((8192, 2048, 512), CLASSES[1:], strict=True)]

PARAMETERS = [{"n": net.parameters} for net in NETS]
LARGE_PARAMETERS, HUGE_PARAMETERS = [{"n": 2**24}], [{"n": 2**26}]

IMAGES = [{"B": net.batch, "C": net.widths[0]} for net in NETS]
GPU_IMAGES = [{"B": 8192, "C": 784}]
ALL_IMAGES = _rows(WIDTHS[:1], BATCHES)
