"""How far a batch walks: the files and calls of the library between `model.fit` and the arithmetic.

    python -m tests.walk [step] [linear] [-v]

prints a table of the two walks, and with -v their calls; tests/test_walk.py holds their bounds.

What is counted. sys.setprofile tells of every call of a Python function; those whose code stands in
a file of kernels/ or dnn/ count, comprehensions and generators among them, as Python tells of them
(3.12 calls no list comprehension any more, so its counts are a few lower). What Numba compiled is
one call of C. files: how many such files were entered. changes: how often a call was in another
file than the call before it; a return is no change. calls: all of them. depth: how many calls of
the library stood on top of one another at most.

step: of 784-128-10 (relu, softmax cross-entropy of labels, Adam, accuracy), batches of 128, on the
CPU with run_eagerly=True: from the end of a callback's on_train_batch_begin to the begin of its
on_train_batch_end, the first of a `fit` whose kernels were compiled before. So the first batch of
an epoch, which also brings the targets of all samples into its order. The least of three such
walks, for now and then one looks how busy the CPUs are (kernels/busy.py).
linear: `kernels.linear(x, w, b, "relu", out=y)` on the emulated device, all of it, of a kernel that
was launched before; the emulated device's own files count too.
"""

import pathlib
import sys
from dataclasses import dataclass, field

import numpy as np

import kernels
from dnn import Sequential, callbacks, layers, losses, optimizers

ROOT = pathlib.Path(__file__).parents[1]
OURS = tuple(str(ROOT / package) + "/" for package in ("kernels", "dnn"))


@dataclass
class Walk:
    """calls: (file, function) of each call of the library, in their order."""

    calls: list[tuple[str, str]] = field(default_factory=list)
    depth: int = 0

    @property
    def files(self) -> list[str]:
        return sorted({file for file, _ in self.calls})

    @property
    def changes(self) -> int:
        return sum(a != b for (a, _), (b, _) in zip(self.calls, self.calls[1:], strict=False))

    def begin(self):
        self.above = _ours(sys._getframe(1))  # what stands below all that is counted
        sys.setprofile(self._told)

    def end(self):
        sys.setprofile(None)

    def _told(self, frame, event, _):
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(OURS):
            file = pathlib.Path(code.co_filename).relative_to(ROOT).as_posix()
            self.calls.append((file, code.co_qualname))
            self.depth = max(self.depth, _ours(frame) - self.above)


def _ours(frame):
    """How many calls of the library are under way."""
    count = 0
    while frame is not None:
        count += frame.f_code.co_filename.startswith(OURS)
        frame = frame.f_back
    return count


class _FirstStep(callbacks.Callback):
    """Walks along from the first batch's begin to its end."""

    reads_gradients = False

    def __init__(self):
        self.walk = Walk()

    def on_train_batch_begin(self, batch, logs):
        self.walk.begin()

    def on_train_batch_end(self, batch, logs):
        self.walk.end()


def step() -> Walk:
    """The first step of an epoch on the CPU, one kernel after the other."""
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((256, 784), dtype=np.float32), rng.integers(0, 10, 256)
    model = Sequential(
        [layers.Dense(128, activation="relu"), layers.Dense(10)], seed=0, device="cpu"
    )
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(1e-3), loss, metrics=["accuracy"], run_eagerly=True)
    model.fit(x, y, batch_size=128, verbose=0)
    watchers = [_FirstStep() for _ in range(3)]
    for watcher in watchers:
        model.fit(x[:128], y[:128], batch_size=128, verbose=0, callbacks=[watcher])
    return min((watcher.walk for watcher in watchers), key=lambda walk: len(walk.calls))


def linear() -> Walk:
    """kernels.linear on the emulated device."""
    from kernels.device import emulated

    x, w, b, y = (emulated.asarray(np.ones(shape, np.float32)) for shape in SHAPES)
    kernels.linear(x, w, b, "relu", out=y)
    walk = Walk()
    walk.begin()
    kernels.linear(x, w, b, "relu", out=y)
    walk.end()
    return walk


SHAPES = (16, 32), (32, 16), (16,), (16, 16)


def main(names):
    """Print a table; each call too where -v is among the names."""
    print(f"{'':8}{'files':>7}{'changes':>9}{'calls':>7}{'depth':>7}")
    for name in [name for name in ("step", "linear") if name in names] or ("step", "linear"):
        walk = {"step": step, "linear": linear}[name]()
        counts = len(walk.files), walk.changes, len(walk.calls), walk.depth
        print("{:8}{:7}{:9}{:7}{:7}".format(name, *counts))
        if "-v" in names:
            print(*(f"    {file:45}{function}" for file, function in walk.calls), sep="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
