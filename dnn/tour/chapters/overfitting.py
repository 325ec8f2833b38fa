"""Overfitting, and what helps."""

from dnn import Sequential, callbacks, layers, losses, optimizers, plots
from dnn.datasets import toy
from dnn.plots.figure import new_figure
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "Overfitting",
    "A network with many weights and few samples learns the samples by heart, noise and all, and "
    "does worse on samples that it has not seen. Those are held out, to see it happen.",
)


@chapter.example(
    "Learnt by heart",
    "60 noisy samples, 64 + 64 neurons. After {epochs} epochs the training accuracy is "
    "{trained:.0%} and the loss on 400 other samples has gone from its best, {best:.3f} after "
    "epoch {epoch}, up to {end:.3f}.",
    curves="Training goes on falling, validation turns; the hatched gap is the overfitting.",
)
def by_heart():
    x, y = toy.moons(60, noise=0.4, seed=2)
    unseen = toy.moons(400, noise=0.4, seed=1)

    def network(*after):
        hidden = [layers.Dense(64, "relu"), *after[:1], layers.Dense(64, "relu"), *after[1:]]
        model = Sequential([*hidden, layers.Dense(2)])
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizers.Adam(0.005), loss, metrics=["accuracy"])
        return model

    model, epochs = network(), 150
    history = model.fit(x, y, epochs=epochs, validation_data=unseen, verbose=0)
    curves = plots.learning_curves(history, title="Overfitting")
    held_out = history.history["val_loss"]
    trained, end = history.history["accuracy"][-1], held_out[-1]
    best, epoch = min(held_out), held_out.index(min(held_out)) + 1
    return {
        "curves": curves, "x": x, "y": y, "unseen": unseen, "network": network, "model": model,
        "history": history, "epochs": epochs, "trained": trained, "best": best, "epoch": epoch,
        "end": end,
    }  # fmt: skip


@chapter.example(
    "Early stopping",
    "Stop when the validation loss has not improved for 20 epochs, and go back to the best "
    "weights. The run ends after epoch {ended}; on the held-out samples the loss is {loss:.3f} in "
    "place of {loss_before:.3f}, the accuracy {accuracy:.1%} in place of {accuracy_before:.1%}.",
    planes="The boundary of the network that learnt by heart, and of the one that stopped early, "
    "over samples that neither has learnt from.",
)
def early_stopping(network, model, x, y, unseen):
    stopped = network()
    stop = callbacks.EarlyStopping(patience=20, restore_best_weights=True)
    stopped.fit(x, y, epochs=150, validation_data=unseen, verbose=0, callbacks=stop)
    ended = stop.stopped_epoch + 1
    loss_before, accuracy_before = model.evaluate(*unseen)
    loss, accuracy = stopped.evaluate(*unseen)
    planes, axes = new_figure(2, 4.6, 4.0)
    for m, title, axis in zip((model, stopped), ("by heart", "stopped early"), axes, strict=True):
        plots.decision_boundary(m, *unseen, axis=axis, title=title)
    return {
        "planes": planes,
        "ended": ended,
        "loss": loss,
        "accuracy": accuracy,
        "loss_before": loss_before,
        "accuracy_before": accuracy_before,
    }


@chapter.example(
    "Dropout",
    "Each step leaves out half of the hidden neurons, drawn anew, so that none can rely on the "
    "others; in use all of them answer. The same network after the same epochs: the held-out loss "
    "is {loss:.3f} in place of {loss_before:.3f}, the accuracy {accuracy:.1%} in place of "
    "{accuracy_before:.1%}.",
    curves="The loss on the held-out samples.",
)
def dropout(network, model, history, x, y, unseen):
    dropping = network(layers.Dropout(0.5), layers.Dropout(0.5))
    runs = {"without": history}
    runs["dropout 0.5"] = dropping.fit(x, y, epochs=150, validation_data=unseen, verbose=0)
    loss_before, accuracy_before = model.evaluate(*unseen)
    loss, accuracy = dropping.evaluate(*unseen)
    curves = plots.comparison(runs, "val_loss", title="Held-out loss, with and without dropout")
    return {
        "curves": curves,
        "loss": loss,
        "accuracy": accuracy,
        "loss_before": loss_before,
        "accuracy_before": accuracy_before,
    }


@chapter.example(
    "Batch normalisation",
    "Between two layers, every unit's values are brought to mean 0 and deviation 1 over the "
    "batch, then scaled and moved by two numbers that are learnt. It keeps signals in range, "
    "however many layers there are: the deep sigmoid network whose gradient vanished above, with "
    "{deep} hidden layers, reaches {normalised:.1%} where it had stayed at {without:.1%}.",
    curves="The training loss of the same network, with and without it.",
)
def batch_normalisation():
    x, y = toy.moons(400)
    runs, accuracies, deep = {}, [], 7
    for name, normalise in {"without": False, "batch normalisation": True}.items():
        stack = []
        for _ in range(deep):
            stack.append(layers.Dense(32))
            if normalise:
                stack.append(layers.BatchNormalization(momentum=0.9))
            stack.append(layers.Activation("sigmoid"))
        model = Sequential([*stack, layers.Dense(2)])
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(optimizers.SGD(0.1), loss, metrics=["accuracy"])
        runs[name] = model.fit(x, y, epochs=20, verbose=0)
        accuracies.append(model.evaluate(x, y, return_dict=True)["accuracy"])
    without, normalised = accuracies
    curves = plots.comparison(runs, title=f"{deep} sigmoid layers")
    return {"curves": curves, "without": without, "normalised": normalised, "deep": deep}
