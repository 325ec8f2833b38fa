"""A process of its own that takes training steps when it is told to: `python -m bench.stepping`.

For each line of its input, a number of seconds, it trains for so long and answers with a line: how
many steps it took, and the seconds. The environment says how many threads it has and how they spin.
"""

import sys
import time

import numpy as np

from bench.shapes import NETS
from dnn import Sequential, callbacks, layers, losses, optimizers

NET = NETS[0]
FOR_EVER = 10**6  # epochs


class Turns(callbacks.Callback):
    reads_gradients = False

    def on_train_begin(self, logs):
        self.wait()

    def wait(self):
        line = sys.stdin.readline()
        if not line:
            sys.exit()
        self.steps, self.began = 0, time.perf_counter()
        self.ends = self.began + float(line)

    def on_train_batch_end(self, batch, logs):
        self.steps += 1
        now = time.perf_counter()
        if now >= self.ends:
            print(self.steps, now - self.began, flush=True)
            self.wait()


def main():
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (60_000, NET.widths[0]), np.uint8)
    x[rng.random(x.shape, np.float32) < 0.5] = 0  # as many as in Fashion-MNIST
    y = rng.integers(0, NET.classes, len(x), np.int32)
    hidden = [layers.Dense(O, activation="relu") for O in NET.widths[1:-1]]
    model = Sequential([*hidden, layers.Dense(NET.classes)], device="cpu")
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(1e-3), loss, metrics=["accuracy"])
    model.fit(x[: 4 * NET.batch], y[: 4 * NET.batch], NET.batch, verbose=0)  # compiled, or loaded
    model.fit(x, y, NET.batch, FOR_EVER, verbose=0, callbacks=Turns())


if __name__ == "__main__":
    main()
