"""AND, OR and XOR."""

import numpy as np

import kernels
from dnn import Sequential, layers, losses, optimizers, perceptron, plots
from dnn.plots.figure import new_figure
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "What one neuron can learn, and what it cannot",
    "A threshold unit draws one straight line and says yes on one side of it. The perceptron's "
    "own rule finds such a line wherever there is one: for every sample that is answered wrongly, "
    "move the weights by the sample.",
)


@chapter.example(
    "AND and OR are learnt, XOR is not",
    "The rule stops at the first pass without a mistake. AND takes {and_passes} passes and OR "
    "{or_passes}. For XOR, whose ones lie at opposite corners, no line does: after {xor_passes} "
    "passes it still makes {left} mistakes in four samples.",
    lines="The side on which each unit fires (blue, hatched the other way). For XOR, samples of "
    "both classes are left on one side.",
)
def rule():
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    gates = {"AND": [0, 0, 0, 1], "OR": [0, 1, 1, 1], "XOR": [0, 1, 1, 0]}
    lines, axes = new_figure(3, 3.4, 3.3)
    mistakes = {}
    for (gate, y), axis in zip(gates.items(), axes, strict=True):
        unit = perceptron.unit([0, 0])
        mistakes[gate] = perceptron.fit(unit, x, y, epochs=20)
        plots.decision_boundary(unit, x, y, axis=axis, title=gate)
    and_passes, or_passes, xor_passes = (len(m) for m in mistakes.values())
    left = mistakes["XOR"][-1]
    return {
        "mistakes": mistakes,
        "lines": lines,
        "and_passes": and_passes,
        "or_passes": or_passes,
        "xor_passes": xor_passes,
        "left": left,
    }


@chapter.example(
    "XOR, by two hidden units",
    "Two neurons draw a line each, and a third one decides on what they say. Trained by gradient "
    "descent from eight different starts, this learns XOR from {learnt} of them; from the others "
    "it gets stuck, which the chapter on gradient descent explains. One that learnt it:",
    plane="The two lines of the hidden neurons cut off the corners (0, 1) and (1, 0).",
    encoded="The same four samples as the hidden neurons hand them on: now one straight line, "
    "that of the output neuron, parts the classes.",
)
def hidden():
    x, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 1, 1, 0])
    loss, hits, good = losses.BinaryCrossentropy(from_logits=True), [], []
    for seed in range(8):
        model = Sequential([layers.Dense(2, activation="tanh"), layers.Dense(1)], seed=seed)
        model.compile(optimizers.Adam(0.1), loss, metrics=["accuracy"])
        model.fit(x, y[:, None], batch_size=4, epochs=200, verbose=0)
        hits.append(((model.predict(x)[:, 0] > 0) == y).sum())
        good += [model] if hits[-1] == 4 else []
    learnt, model = len(good), good[0]
    probability = kernels.activation(model.predict(x), "sigmoid")[:, 0]
    plane = plots.decision_boundary(model, x, y, title="XOR by two hidden units")
    encoded = plots.encodings(model, x, y, title="What the hidden units make of it")
    return {
        "hits": hits,
        "probability": probability,
        "plane": plane,
        "encoded": encoded,
        "learnt": learnt,
    }
