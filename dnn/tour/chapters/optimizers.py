"""Optimizers."""

from dnn import Sequential, layers, losses, optimizers, plots
from dnn.datasets import toy
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "Optimizers",
    "Plain descent takes the same rate for every weight and forgets each step at once. Momentum "
    "keeps a running mean of the gradients, which evens out the noise. Adagrad, RMSProp and "
    "Adadelta give each weight a rate of its own, smaller where gradients have been large. Adam "
    "does both, and corrects both means for their start at zero.",
)


@chapter.example(
    "Each one's path",
    "From the same start down the narrow valley of the chapter before, each with the best of nine "
    "learning rates from 0.001 to 10.",
    paths="Momentum swings, as a ball would; Adadelta, which sets its own step, is slow to start.",
)
def paths():
    paths = plots.descent_paths("all", steps=100, title="Every optimizer")
    return {"paths": paths}


@chapter.example(
    "On a network",
    "Two spirals, 32 tanh neurons, the same initial weights and batches for all. The rates are "
    "the ones that are usual for each.",
    curves="The loss by epoch, logarithmic.",
)
def network():
    x, y = toy.spirals(400, turns=0.75)
    rules = {
        "SGD": optimizers.SGD(0.1),
        "SGD, momentum 0.9": optimizers.SGD(0.1, momentum=0.9),
        "Adagrad": optimizers.Adagrad(0.1),
        "RMSprop": optimizers.RMSprop(0.01),
        "Adadelta": optimizers.Adadelta(1.0),
        "Adam": optimizers.Adam(0.01),
    }
    runs, rows = {}, []
    for name, rule in rules.items():
        model = Sequential([layers.Dense(32, activation="tanh"), layers.Dense(2)])
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(rule, loss, metrics=["accuracy"])
        runs[name] = model.fit(x, y, epochs=60, verbose=0)
        loss, accuracy = model.evaluate(x, y)
        rows.append(
            {"optimizer": name, "rate": rule.learning_rate, "loss": loss, "accuracy": accuracy}
        )
    curves = plots.comparison(runs, scale="log", title="Two spirals")
    return {"rows": rows, "curves": curves}
