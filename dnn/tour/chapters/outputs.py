"""Numbers, and yes or no."""

import numpy as np

from dnn import Sequential, layers, losses, optimizers, plots
from dnn.datasets import toy
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "A number, or yes or no",
    "What the network is for decides its last layer and its loss: a number takes no activation "
    "and the mean squared error; yes or no takes a sigmoid and the binary cross-entropy.",
)


@chapter.example(
    "Regression",
    "100 points of sin(πx) with noise of standard deviation 0.1: a mean squared error far below "
    "0.01 would mean that the noise was learnt too. The loss ends at {loss:.4f}. Against the "
    "curve without noise, the root mean squared error is {error:.3f}.",
    curve="The samples, the curve they came from, and what the network has learnt.",
)
def regression():
    x, y = toy.curve(100, noise=0.1)
    model = Sequential([layers.Dense(32, activation="tanh"), layers.Dense(1)])
    model.compile(optimizers.Adam(0.03), losses.MeanSquaredError())
    history = model.fit(x, y, epochs=400, verbose=0)
    loss = history.history["loss"][-1]
    grid = np.linspace(-1, 1, 200, dtype="float32")[:, None]
    error = np.sqrt(((model.predict(grid) - np.sin(np.pi * grid)) ** 2).mean())
    curve = plots.fitted_curve(
        {"network": model}, x, y, truth=lambda x: np.sin(np.pi * x), title="A noisy curve"
    )
    return {"loss": loss, "curve": curve, "error": error}


@chapter.example(
    "Yes or no",
    "Is a sample in the inner circle? The output is the probability of yes; over ½ it is taken as "
    "yes. {accuracy:.1%} of the answers are right. For the point in the middle the network says "
    "{middle:.1%}, for one outside {outside:.1%}.",
    plane="The line is where the probability is ½.",
)
def yes_or_no():
    x, y = toy.circles(300, noise=0.08)
    model = Sequential([layers.Dense(8, "tanh"), layers.Dense(1, activation="sigmoid")])
    model.compile(optimizers.Adam(0.03), losses.BinaryCrossentropy(), metrics=["accuracy"])
    model.fit(x, y[:, None], epochs=60, verbose=0)
    accuracy = model.evaluate(x, y[:, None], return_dict=True)["accuracy"]
    p = model.predict(np.array([[0.0, 0.0], [1.0, 1.0]], "float32"))[:, 0]
    middle, outside = p
    names = ["no: outer circle", "yes: inner circle"]
    plane = plots.decision_boundary(model, x, y, class_names=names, title="Yes or no")
    return {"accuracy": accuracy, "p": p, "plane": plane, "middle": middle, "outside": outside}
