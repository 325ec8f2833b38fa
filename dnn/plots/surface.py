"""A model with two parameters: the surface of its loss, ways down it, and their picture."""

import math
from typing import NamedTuple

import numpy as np

from dnn import Sequential
from dnn.callbacks import Callback
from dnn.plots.figure import MARKERS, new_figure, style

GRID = 41  # points of the surface along each axis
COLUMNS = 3  # of the legend


class Descent(NamedTuple):
    """way: (steps + 1, 2), the parameters from the start on. losses: (steps + 1,), there, over all
    data."""

    label: str
    way: np.ndarray
    losses: np.ndarray


class Problem:
    """A copy of a model with two parameters, and its data. Every step is a `fit`, so it is what
    training does."""

    def __init__(self, model, x, y, loss):
        if not model.built:
            model.build(np.shape(x)[1:])
        if model.count_params() != 2:
            raise ValueError(
                f"model: got {model.count_params()} parameters; expected two: two axes"
            )
        self.x, self.y, self.loss = x, y, loss
        self.model = Sequential(model.layers, seed=model.seed, device=model.device)
        self.model.build(model.input_shape)
        self.shapes = [w.shape for w in self.model.get_weights()]
        names = [n for layer in model.parameters for n, p in layer.items() for _ in range(p.size)]
        self.names = names if names[0] != names[1] else [f"{names[0]}₁", f"{names[1]}₂"]

    def place(self, parameters):
        ends = np.cumsum([math.prod(shape) for shape in self.shapes])[:-1]
        parts = np.split(np.asarray(parameters, np.float32), ends)
        self.model.set_weights([p.reshape(s) for p, s in zip(parts, self.shapes, strict=True)])

    def value(self, parameters):
        self.place(parameters)
        return self.model.evaluate(self.x, self.y, batch_size=len(self.x))

    def descend(self, rule, start, steps, batch_size=None, label=None):
        """A Descent of so many steps, each on a batch; default all samples."""
        start = np.asarray(start, np.float32)
        batch_size = len(self.x) if batch_size is None else batch_size
        self.model.compile(rule, self.loss)
        self.model.epochs_trained = 0  # so that the order of the batches begins anew
        self.place(start)
        walk = _Walk(steps)
        epochs = -(-steps // -(-len(self.x) // batch_size))
        self.model.fit(self.x, self.y, batch_size, epochs, verbose=0, callbacks=walk)
        way = np.stack([start, *walk.way])
        return Descent(label or rule_label(rule), way, np.array([self.value(p) for p in way]))

    def surface(self, box):
        """(w, b, log₁₀ loss) over a box ((low, high), (low, high))."""
        across, up = np.meshgrid(*(np.linspace(*side, GRID) for side in box))
        heights = [self.value(point) for point in zip(across.ravel(), up.ravel(), strict=True)]
        heights = np.array(heights).reshape(across.shape)
        return across, up, np.log10(np.maximum(heights, 1e-6))

    def draw(self, descents, box, title):
        """The paths on the surface, which ends at the box, and beside it the loss by step."""
        figure, (surface, by_step) = new_figure(2, 5.2, 4.6)
        drawn = surface.contourf(*self.surface(box), levels=24, cmap="Greys", alpha=0.6)
        figure.colorbar(drawn, ax=surface, label="log₁₀ loss")
        for i, (label, way, losses) in enumerate(descents):
            look = style(i) | {
                "marker": MARKERS[i % len(MARKERS)],
                "markersize": 3.5,
                "label": label,
                "linewidth": 1.2,
            }
            surface.plot(*_until_it_leaves(way, box).T, **look)
            by_step.plot(np.arange(len(losses)), losses, **look, markevery=max(1, len(losses) // 8))
        starts = np.unique([descent.way[0] for descent in descents], axis=0)
        surface.plot(*starts.T, "*", color="black", markersize=14, label="start", linestyle="none")
        names = {"xlabel": self.names[0], "ylabel": self.names[1]}
        surface.set(**names, xlim=box[0], ylim=box[1], title="the surface")
        by_step.set(xlabel="step", ylabel="loss", yscale="log", title="the loss")
        finite = [v for d in descents for v in d.losses if np.isfinite(v) and v > 0]
        first = descents[0].losses[0]
        by_step.set_ylim(max(min(finite) / 2, first * 1e-8), min(2 * max(finite), first * 100))
        by_step.grid(alpha=0.3)
        handles = surface.get_legend_handles_labels()
        figure.legend(*handles, loc="outside lower center", ncols=COLUMNS)
        figure.suptitle(title)
        return figure


class _Walk(Callback, reads_gradients=False):
    """Keeps the parameters after every step, and ends the run after so many."""

    def __init__(self, steps):
        self.steps, self.way = steps, []

    def on_train_batch_end(self, batch, logs):
        self.way.append(np.concatenate([w.ravel() for w in self.model.get_weights()]))
        if len(self.way) == self.steps:
            self.model.stop_training = True


def rule_label(rule):
    """ "SGD, momentum 0.9, rate 0.2"."""
    momentum = getattr(rule, "momentum", 0)
    return (
        type(rule).__name__
        + (f", momentum {momentum:g}" if momentum else "")
        + (
            f", rate {rule.learning_rate:.3g}"
            if isinstance(rule.learning_rate, float | int)
            else ""
        )
    )


def around(points, share=0.65, least=0.5):
    """A box around points (n, 2): their extent, and so much room, of which there is a least."""
    low, high = np.min(points, axis=0), np.max(points, axis=0)
    room = max(share * float((high - low).max()), least)
    return tuple((float(a) - room, float(b) + room) for a, b in zip(low, high, strict=True))


def line(n=50, noise=0.0, seed=0):
    """One neuron y = w x + b, and n points of the line 1.5 x − 0.5, x from 0 to 2: (model, x, y).

    Its loss is a long narrow valley, since raising w is much like raising b. noise: standard
    deviation in y, default 0.
    """
    from dnn import layers, random

    x = np.linspace(0, 2, n, dtype=np.float32)[:, None]
    drawn = noise * random.normal(seed, 0, n)[:, None]
    model = Sequential([layers.Input(1), layers.Dense(1)], device="cpu")
    return model, x, (1.5 * x - 0.5 + drawn).astype(np.float32)


def _until_it_leaves(way, box):
    """The path up to the step with which it leaves the box for good."""
    return way[: np.flatnonzero(inside(way, box))[-1] + 2]


def inside(points, box):
    """bool (n,): which of the points (n, 2) lie in the box."""
    low, high = np.array(box).T
    return ((points >= low) & (points <= high)).all(axis=1)
