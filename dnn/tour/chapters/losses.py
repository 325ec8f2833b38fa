"""Loss functions."""

import math

import numpy as np

import kernels
from dnn import Sequential, layers, losses, one_hot, plots
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "Losses: how wrong is the network?",
    "A loss compares what the network says with what it should have said, in one number that "
    "training makes small. Numbers are judged by their distance, classes by the probability that "
    "was given to the right one.",
)


@chapter.example(
    "For numbers",
    "Three predictions with the errors 0, 1 and −3. The mean squared error {mse:.3g} counts the "
    "large error nine times as much as the small one, the mean absolute error {mae:.3g} three "
    "times; the root of the first, {rmse:.3g}, is in the unit of the targets again.",
)
def numbers():
    def identity():
        model = Sequential([layers.Input(1), layers.Dense(1)])
        model.build()
        model.set_weights([[[1.0]], [0.0]])  # it gives what it is given
        return model

    predicted, wanted = np.array([[2.0], [4.0], [1.0]]), np.array([[2.0], [3.0], [4.0]])
    rows, errors = [], (wanted - predicted)[:, 0]
    by_hand = [(errors**2).mean(), abs(errors).mean(), math.sqrt((errors**2).mean())]
    kinds = losses.MeanSquaredError(), losses.MeanAbsoluteError(), losses.RootMeanSquaredError()
    for kind, value in zip(kinds, by_hand, strict=True):
        model = identity()
        model.compile("sgd", kind)
        evaluated = model.evaluate(predicted.astype("float32"), wanted)
        rows.append({"loss": type(kind).__name__, "evaluate": evaluated, "by hand": value})
    mse, mae, rmse = (row["evaluate"] for row in rows)
    return {"rows": rows, "mse": mse, "mae": mae, "rmse": rmse}


@chapter.example(
    "For classes",
    "Categorical cross-entropy is −log of the probability given to the right class. Being sure "
    "and right costs {right:.3f}, not knowing costs {unsure:.3f}, being sure and wrong "
    "{wrong:.2f}. Integer labels and one-hot targets say the same.",
)
def classes():
    logits = np.array([[4.0, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 4.0, 0.0]], "float32")
    labels = np.array([0, 0, 0])
    cost, gradient = kernels.softmax_cross_entropy(logits, labels)
    same, _ = kernels.softmax_cross_entropy(logits, one_hot(labels, 3))
    p = kernels.activation(logits, "softmax")
    right, unsure, wrong = cost
    return {
        "p": p,
        "cost": cost,
        "same": same,
        "gradient": gradient,
        "right": right,
        "unsure": unsure,
        "wrong": wrong,
    }


@chapter.example(
    "Their shapes",
    "Squared error grows ever steeper; absolute error pulls with the same force from everywhere; "
    "binary cross-entropy and hinge ask for the right side, and hinge is content beyond 1.",
    curves="Solid the loss of one output z, dashed its derivative, by which the network learns.",
)
def shapes():
    curves = plots.loss_curves()
    return {"curves": curves}
