"""Ways down a loss surface: what the learning rate and the optimizer do."""

import math

import numpy as np

from dnn import Sequential, layers
from dnn import optimizers as family
from dnn.callbacks import Callback
from dnn.plots.figure import MARKERS, new_figure, save, style

LEARNING_RATES = (0.01, 0.2, 0.47)  # too small, right, too large for the default problem
GRID = 41  # points of the surface along each axis
CANDIDATES = tuple(10.0 ** (k / 2) for k in range(-6, 3))  # 0.001 … 10


def descent_paths(
    optimizers=None, model=None, x=None, y=None, *, loss="mean_squared_error", start=None,
    steps=100, path=None, title="Gradient descent",
):  # fmt: skip
    """The surface of the loss over a model's two parameters, the path of each optimizer from the
    same start, and the loss by step. Every step is a `fit` on the whole data, so it is what
    training does.

    optimizers: a list of instances, or learning rates of plain SGD, default 0.01, 0.2 and 0.47,
    which is too small, right and too large for the default problem; or "all": every class in
    dnn.optimizers and SGD with momentum, each with the one of nine learning rates from 0.001 to 10
    with which it stays lowest in the last quarter of the steps.
    model: a Sequential with exactly two parameters, left as it is; x, y: its data. Default one
    neuron y = w x + b and 50 points of the line 1.5 x − 0.5, x from 0 to 2: a long narrow valley,
    since raising w is much like raising b.
    loss: default mean squared error. start: the parameters to begin at, default (−1.5, 1) for the
    default problem, else those that the model has. steps: default 100.
    """
    if model is None:
        model = Sequential([layers.Input(1), layers.Dense(1)], device="cpu")
        x = np.linspace(0, 2, 50, dtype=np.float32)[:, None]
        y = 1.5 * x - 0.5
        start = (-1.5, 1.0) if start is None else start
    if not model.built:
        model.build(np.shape(x)[1:])
    if model.count_params() != 2:
        raise ValueError(f"model: got {model.count_params()} parameters; expected two: two axes")
    start = np.concatenate([w.ravel() for w in model.get_weights()] if start is None else [start])
    problem = _Problem(model, x, y, loss, np.asarray(start, np.float32), steps)
    runs = [(_label(rule), *problem.descend(rule)) for rule in _chosen(optimizers, problem)]

    figure, (surface, by_step) = new_figure(2, 5.2, 4.6)
    box = _window(runs, start)
    drawn = surface.contourf(*problem.surface(box), levels=24, cmap="Greys", alpha=0.6)
    figure.colorbar(drawn, ax=surface, label="log₁₀ loss")
    for i, (label, way, losses) in enumerate(runs):
        look = style(i) | {
            "marker": MARKERS[i % len(MARKERS)],
            "markersize": 3.5,
            "label": label,
            "linewidth": 1.2,
        }
        surface.plot(*_inside(way, box).T, **look)
        by_step.plot(np.arange(len(losses)), losses, **look, markevery=max(1, steps // 8))
    surface.plot(*start, "*", color="black", markersize=14, label="start", linestyle="none")
    names = [name for layer in model.parameters for name, p in layer.items() for _ in range(p.size)]
    names = names if names[0] != names[1] else [f"{names[0]}₁", f"{names[1]}₂"]
    surface.set(xlabel=names[0], ylabel=names[1], xlim=box[0], ylim=box[1], title="the surface")
    by_step.set(xlabel="step", ylabel="loss", yscale="log", title="the loss")
    finite = [v for _, _, losses in runs for v in losses if np.isfinite(v) and v > 0]
    first = runs[0][2][0]
    by_step.set_ylim(max(min(finite) / 2, first * 1e-8), first * 100)
    by_step.grid(alpha=0.3)
    figure.legend(*surface.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    figure.suptitle(title)
    return save(figure, path)


class _Problem:
    """A copy of a model with two parameters, its data, and where to begin."""

    def __init__(self, model, x, y, loss, start, steps):
        self.x, self.y, self.loss, self.start, self.steps = x, y, loss, start, steps
        self.model = Sequential(model.layers, seed=model.seed, device=model.device)
        self.model.build(model.input_shape)
        self.shapes = [w.shape for w in self.model.get_weights()]

    def place(self, parameters):
        ends = np.cumsum([math.prod(shape) for shape in self.shapes])[:-1]
        parts = np.split(np.asarray(parameters, np.float32), ends)
        self.model.set_weights([p.reshape(s) for p, s in zip(parts, self.shapes, strict=True)])

    def value(self, parameters):
        self.place(parameters)
        return self.model.evaluate(self.x, self.y, batch_size=len(self.x))

    def descend(self, rule):
        """(steps + 1, 2) parameters and (steps + 1,) losses on the way down."""
        self.model.compile(rule, self.loss)
        self.place(self.start)
        walk = _Walk()
        self.model.fit(
            self.x, self.y, batch_size=len(self.x), epochs=self.steps, verbose=0, callbacks=walk
        )
        way = np.stack([self.start, *walk.way])
        return way, np.array([self.value(point) for point in way])

    def surface(self, box):
        """(w, b, log₁₀ loss) over a box ((low, high), (low, high))."""
        across, up = np.meshgrid(*(np.linspace(*side, GRID) for side in box))
        heights = [self.value(point) for point in zip(across.ravel(), up.ravel(), strict=True)]
        heights = np.array(heights).reshape(across.shape)
        return across, up, np.log10(np.maximum(heights, 1e-6))


class _Walk(Callback):
    def __init__(self):
        self.way = []

    def on_epoch_end(self, epoch, logs):
        self.way.append(np.concatenate([w.ravel() for w in self.model.get_weights()]))


def _chosen(optimizers, problem):
    if optimizers is None:
        optimizers = LEARNING_RATES
    if not isinstance(optimizers, str):
        return [family.SGD(o) if isinstance(o, int | float) else family.get(o) for o in optimizers]
    if optimizers != "all":
        raise ValueError(f"optimizers: got {optimizers!r}; expected a list of them, or 'all'")
    classes = family.catalog.classes
    kinds = [(cls, {}) for cls in classes.values()] + [(family.SGD, {"momentum": 0.9})]
    return [_best(cls, options, problem) for cls, options in kinds]


def _best(cls, options, problem):
    """The optimizer with the learning rate that stays lowest in the last quarter of the steps."""

    def end(rate):
        losses = problem.descend(cls(rate, **options))[1]
        highest = losses[-max(1, problem.steps // 4) :].max()
        return highest if np.isfinite(highest) else np.inf

    return cls(min(CANDIDATES, key=end), **options)


def _label(rule):
    momentum = getattr(rule, "momentum", 0)
    return type(rule).__name__ + (f", momentum {momentum:g}" if momentum else "") + (
        f", rate {rule.learning_rate:.3g}" if isinstance(rule.learning_rate, float | int) else ""
    )  # fmt: skip


def _inside(way, box):
    """The path up to the step with which it leaves the box for good."""
    low, high = np.array(box).T
    inside = np.flatnonzero(((way >= low) & (way <= high)).all(axis=1))
    return way[: inside[-1] + 2]


def _window(runs, start):
    """A box around the start and the lowest point found."""
    lowest = min((losses[i], *way[i]) for _, way, losses in runs for i in range(len(way)))[1:]
    low, high = np.minimum(start, lowest), np.maximum(start, lowest)
    room = max(0.65 * float((high - low).max()), 0.5)
    return tuple((float(a) - room, float(b) + room) for a, b in zip(low, high, strict=True))
