"""More than two classes."""

import numpy as np

import kernels
from dnn import Sequential, layers, losses, one_hot, optimizers, plots
from dnn.datasets import toy
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "More than two classes",
    "For each class an output neuron of its own. Softmax turns their sums into probabilities that "
    "add up to 1, and the prediction is the class with the largest.",
)


@chapter.example(
    "One-hot encoding",
    "A digit becomes ten numbers: 1 in its own place, 0 elsewhere. 2 is {two}, 3 is {three}; the "
    "place of the largest number leads back.",
)
def encoding():
    encoded = one_hot(np.array([2, 3]), classes=10)
    back = encoded.argmax(axis=1)
    two, three = ("".join(f"{digit:.0f}" for digit in row) for row in encoded)
    return {"encoded": encoded, "back": back, "two": two, "three": three}


@chapter.example(
    "Softmax and argmax",
    "softmax(z)ᵢ = e^zᵢ / Σ e^zⱼ: the order stays, the sum is {total:.6g}, and the class "
    "predicted is number {predicted}.",
)
def softmax():
    z = np.array([[1.0, 3.0, 0.2, -1.0]], "float32")
    p = kernels.activation(z, "softmax")
    total, predicted = p.sum(), p.argmax()
    return {"z": z, "p": p, "total": total, "predicted": predicted}


@chapter.example(
    "Three clouds",
    "Trained with categorical cross-entropy on one-hot targets, {accuracy:.1%} of 300 samples are "
    "right.",
    plane="Each region is where one output is the largest; on the black lines two are equal.",
)
def clouds():
    x, labels = toy.blobs(300, classes=3, noise=0.8)
    model = Sequential([layers.Dense(8, activation="relu"), layers.Dense(3, activation="softmax")])
    model.compile(optimizers.Adam(0.02), losses.CategoricalCrossentropy(), metrics=["accuracy"])
    model.fit(x, one_hot(labels), epochs=40, verbose=0)
    accuracy = model.evaluate(x, one_hot(labels), return_dict=True)["accuracy"]
    p = model.predict(x[:3])
    predicted, true = p.argmax(axis=1), labels[:3]
    plane = plots.decision_boundary(model, x, labels, title="Three classes")
    return {"p": p, "predicted": predicted, "true": true, "accuracy": accuracy, "plane": plane}
