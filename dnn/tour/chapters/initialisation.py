"""Weight initialisation."""

from dnn import Sequential, callbacks, initializers, layers, losses, optimizers, plots
from dnn.datasets import toy
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "Where the weights begin",
    "Training starts from random weights. Their size decides whether signals and gradients keep "
    "their size through many layers, fade out, or blow up.",
)


@chapter.example(
    "All zeros",
    "With all weights zero, every hidden neuron computes the same and is sent the same gradient, "
    "so they stay equal for ever. After {epochs} epochs the {weights} weights of the first layer "
    "are still all {value:g}, and the accuracy is {accuracy:.0%}. The watching callback says why:",
)
def zeros():
    x, y = toy.moons(200)
    hidden = layers.Dense(8, activation="relu", kernel_initializer="zeros")
    model = Sequential([hidden, layers.Dense(2, kernel_initializer="zeros")])
    loss = losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizers.Adam(0.01), loss, metrics=["accuracy"])
    watch, epochs = callbacks.GradientWatch(), 30
    model.fit(x, y, epochs=epochs, verbose=0, callbacks=watch)
    weights, (value,) = model.get_weights()[0].size, set(model.get_weights()[0].ravel())
    accuracy = model.evaluate(x, y, return_dict=True)["accuracy"]
    (warning,) = watch.warnings
    return {
        "warning": warning,
        "weights": weights,
        "value": value,
        "accuracy": accuracy,
        "epochs": epochs,
    }


@chapter.example(
    "Vanishing and exploding gradients",
    "Seven hidden layers of 32 neurons. On the way back each layer multiplies the gradient by its "
    "weights and by the slope of its activation. Sigmoid's slope is at most ¼: the gradient in "
    "the first layer is {vanished:.0e} times that in the last. ReLU with weights from the "
    "standard normal distribution multiplies by {each:.1f} a layer: {exploded:.0e} times. With "
    "He's initialisation, σ = √(2 / inputs), it keeps its size: {same:.1f} times.",
    vanishing="Sigmoid with Glorot's initialisation: the lines of the gradients (right) lie apart "
    "by powers of ten, the first layer's lowest.",
    exploding="ReLU with standard normal weights: the first layer's gradient is the largest by "
    "powers of ten.",
    kept="ReLU with He's initialisation: all layers learn.",
)
def depth():
    x, y = toy.moons(400)
    wild = initializers.RandomNormal(stddev=1.0)
    kinds = {
        "sigmoid, Glorot": ("sigmoid", "glorot_uniform"),
        "ReLU, standard normal": ("relu", wild),
        "ReLU, He": ("relu", "he_normal"),
    }
    rows, figures = [], []
    for name, (activation, rule) in kinds.items():
        hidden = [layers.Dense(32, activation, kernel_initializer=rule) for _ in range(7)]
        model = Sequential([*hidden, layers.Dense(2, kernel_initializer=rule)])
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        clipped = optimizers.SGD(0.1, global_clipnorm=1.0)  # or the second would blow up at once
        model.compile(clipped, loss, metrics=["accuracy"])
        watch = callbacks.GradientWatch(every=1)
        model.fit(x, y, batch_size=100, epochs=20, verbose=0, callbacks=watch)
        first, *_, last = watch.records["gradient_deviation"][0]  # in the first step
        warning = watch.warnings[0].split(": ")[1] if watch.warnings else "none"
        loss, accuracy = model.evaluate(x, y)
        row = {"network": name, "first / last": first / last, "loss": loss, "accuracy": accuracy}
        rows.append(row | {"warning": warning})
        shown = ("activation_deviation", "gradient_deviation")
        figures.append(plots.gradient_flow(watch, shown, title=name))
    vanishing, exploding, kept = figures
    vanished, exploded, same = (row["first / last"] for row in rows)
    each = exploded ** (1 / 7)
    return {
        "rows": rows,
        "vanishing": vanishing,
        "exploding": exploding,
        "kept": kept,
        "vanished": vanished,
        "exploded": exploded,
        "same": same,
        "each": each,
    }
