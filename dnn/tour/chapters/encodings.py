"""Hidden layers as new representations."""

import numpy as np

from dnn import Sequential, layers, losses, optimizers, plots
from dnn.datasets import toy
from dnn.plots.figure import new_figure
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "What a hidden layer is for",
    "Red lies on two sides of blue: no straight line parts them. Two hidden neurons draw a line "
    "each, and what they say is a new representation of the sample, its *encoding*, in which one "
    "straight line is enough.",
)


@chapter.example(
    "Two lines, set by hand",
    "Each hidden neuron is a step that fires on one side of its line; the output neuron fires "
    "where both do. All samples become one of {points} points: blue ones (1, 1), red ones (0, 1) "
    "or (1, 0). {right:.0%} are right.",
    plane="The samples, and the two lines.",
)
def by_hand():
    x, y = toy.red_blue(200)
    model = Sequential([layers.Dense(2, "binary_step"), layers.Dense(1, "binary_step")])
    model.build(2)
    both = [np.ones((2, 1)), [-1.5]]
    model.set_weights([toy.HIDDEN_WEIGHTS, toy.HIDDEN_BIASES, *both])
    codes = np.unique(np.column_stack([model.encodings(x)[0], y]), axis=0)
    points, right = len(codes), (model.predict(x)[:, 0] == y).mean()
    rows = [{"a₁": a, "a₂": b, "class": ("red", "blue")[int(c)]} for a, b, c in codes]
    names = ["red", "blue"]
    plane = plots.decision_boundary(model, x, y, class_names=names, title="Two step neurons")
    return {
        "rows": rows,
        "plane": plane,
        "x": x,
        "y": y,
        "model": model,
        "points": points,
        "right": right,
    }


@chapter.example(
    "The same weights under other activations",
    "Under tanh and ReLU every sample keeps a place of its own, which later layers can use; the "
    "step has thrown that away.",
    steps="The outputs of the two hidden neurons under the step. The dashed line is the output "
    "neuron's decision.",
    smooth="The same under tanh and ReLU.",
)
def activations(model, x, y):
    names = ["red", "blue"]
    steps = plots.encodings(model, x, y, class_names=names, title="Encodings")
    functions = ["tanh", "relu"]
    smooth = plots.encodings(model, x, y, activations=functions, class_names=names, title="")
    return {"steps": steps, "smooth": smooth}


@chapter.example(
    "Learnt, with two and with ten hidden neurons",
    "Now the weights are learnt. Two ReLU neurons bend the boundary at few places; ten have ten "
    "lines to build it from, and it becomes smoother.",
    planes="The boundary of 2 and of 10 hidden ReLU neurons.",
)
def learnt(x, y):
    def learn(x, y, units, axis, names=None):
        model = Sequential([layers.Dense(units, activation="relu"), layers.Dense(2)], seed=4)
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizers.Adam(0.03), loss, metrics=["accuracy"])
        model.fit(x, y, epochs=150, verbose=0)
        title = f"{units} hidden neurons"
        plots.decision_boundary(model, x, y, class_names=names, axis=axis, title=title)
        accuracy = model.evaluate(x, y, return_dict=True)["accuracy"]
        return {"hidden neurons": units, "accuracy": accuracy}

    planes, axes = new_figure(2, 4.6, 4.0)
    rows = [learn(x, y, n, axis, ["red", "blue"]) for n, axis in zip((2, 10), axes, strict=True)]
    return {"rows": rows, "planes": planes, "learn": learn}


@chapter.example(
    "A ring takes more",
    "Here blue is surrounded. Two lines cannot enclose anything; three close a rough polygon, ten "
    "come near a circle. More neurons are not always better, though: they can also bend around "
    "what is only noise.",
    planes="The boundary of 2, 3 and 10 hidden ReLU neurons.",
)
def ring(learn):
    x, y = toy.circles(200, noise=0.08)
    planes, axes = new_figure(3, 3.3, 3.4)
    rows = [learn(x, y, n, axis) for n, axis in zip((2, 3, 10), axes, strict=True)]
    return {"rows": rows, "planes": planes}
