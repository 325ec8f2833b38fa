"""Stochastic gradient descent."""

import numpy as np

from dnn import Sequential, callbacks, layers, losses, optimizers, plots
from dnn.datasets import toy
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "Batches and epochs",
    "The gradient over all samples is exact and dear. Stochastic gradient descent takes one "
    "sample a step, or a mini-batch of some; the batches of an epoch do not overlap, so that each "
    "sample is seen once in it.",
)


@chapter.example(
    "One sample, a mini-batch, all of them",
    "The same hundred steps with 1000, with 32 and with 1 sample each. All samples walk straight "
    "down; one sample strays like a drunk man; a mini-batch is nearly as straight as all, at a "
    "thirtieth of the work.",
    paths="Left the surface, right the loss over all samples by step.",
)
def sizes():
    paths = plots.batch_paths([None, 32, 1], steps=100)
    return {"paths": paths}


@chapter.example(
    "Each epoch sees each sample once",
    "A callback notes which samples were in each batch. In {epochs} epochs of {batches} batches "
    "each of the 100 samples was seen at least {least} and at most {most} times, and the order "
    "was {order} in the second epoch.",
)
def once():
    class Notes(callbacks.Callback, reads_gradients=False):
        def __init__(self):
            self.seen = []

        def on_train_batch_end(self, batch, logs):
            self.seen.append(self.model.running.samples)

    x, y = toy.moons(100)
    model, notes = Sequential([layers.Dense(2)]), Notes()
    model.compile("sgd", losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(x, y, batch_size=32, epochs=2, verbose=0, callbacks=notes)
    sizes = [len(samples) for samples in notes.seen]
    times = np.bincount(np.concatenate(notes.seen), minlength=100)
    first, second = np.concatenate(notes.seen).reshape(2, 100)
    epochs, batches, least, most = 2, len(sizes) // 2, times.min(), times.max()
    order = "the same" if (first == second).all() else "another"
    return {
        "sizes": sizes,
        "epochs": epochs,
        "batches": batches,
        "least": least,
        "most": most,
        "order": order,
    }


@chapter.example(
    "What an epoch buys",
    "A small network on 1000 samples, five epochs at learning rate 0.1. Smaller batches make more "
    "steps of the same epoch: with batches of 1 it takes {one} steps an epoch, of 32 {some}, of "
    "1000 one.",
    curves="The loss by epoch. One step an epoch is hardly a start.",
)
def epochs():
    x, y = toy.moons(1000, noise=0.2)
    runs, rows = {}, []
    for batch_size in (1, 32, 1000):
        model = Sequential([layers.Dense(16, activation="tanh"), layers.Dense(2)])
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizers.SGD(0.1), loss, metrics=["accuracy"])
        history = model.fit(x, y, batch_size=batch_size, epochs=5, verbose=0)
        runs[f"batches of {batch_size}"] = history
        steps, accuracy = model.steps_trained // 5, history.history["accuracy"][-1]
        loss, seconds = history.history["loss"][-1], sum(history.history["seconds"])
        row = {"batch size": batch_size, "steps an epoch": steps}
        rows.append(row | {"loss": loss, "accuracy": accuracy, "seconds": seconds})
    curves = plots.comparison(runs, title="The same samples in batches of different size")
    one, some = (row["steps an epoch"] for row in rows[:2])
    return {"rows": rows, "curves": curves, "one": one, "some": some}
