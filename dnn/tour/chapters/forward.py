"""Forward propagation."""

import numpy as np

from dnn import Sequential, layers
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "Forward propagation",
    "A network is a stack of layers. Each multiplies what it is given by its weights, adds its "
    "biases, applies its activation, and hands the result, an *encoding* of the sample, to the "
    "next: Xₗ = f(Xₗ₋₁ Wₗ + Bₗ).",
)


@chapter.example(
    "Step by step",
    "Two inputs, three hidden ReLU neurons, one sigmoid output, with weights that can be followed "
    "with a pencil. The sample (1, 2) gives the sums {sums} in the hidden layer; ReLU cuts the "
    "negative one off; the output neuron adds up to {total:.2f}, and the sigmoid of that is "
    "{answer:.3f}. The library's own steps are the same to the last digit shown.",
)
def steps():
    model = Sequential(
        [layers.Input(2), layers.Dense(3, activation="relu"), layers.Dense(1, activation="sigmoid")]
    )
    model.build()
    w1, b1 = np.array([[0.5, -1.0, 1.0], [0.25, 0.5, -1.0]]), np.array([0.1, 0.2, 0.0])
    w2, b2 = np.array([[1.0], [2.0], [-1.0]]), np.array([-0.5])
    model.set_weights([w1, b1, w2, b2])

    x = np.array([[1.0, 2.0]])
    z1 = x @ w1 + b1
    a1 = np.maximum(z1, 0)
    z2 = a1 @ w2 + b2
    a2 = 1 / (1 + np.exp(-z2))
    hidden, output = model.encodings(x.astype("float32"))
    sums, total, answer = ", ".join(f"{z:.2f}" for z in z1[0]), z2.item(), output.item()
    return {
        "z1": z1,
        "a1": a1,
        "hidden": hidden,
        "z2": z2,
        "a2": a2,
        "output": output,
        "sums": sums,
        "total": total,
        "answer": answer,
    }


@chapter.example(
    "A batch of samples, any depth",
    "The same holds for many samples at once, one a row, and for any number of layers: "
    "`model.encodings` gives what each layer makes of a batch.",
)
def batch():
    model = Sequential([*(layers.Dense(u, activation="tanh") for u in (16, 8, 4)), layers.Dense(2)])
    x = np.linspace(-1, 1, 5 * 3, dtype="float32").reshape(5, 3)
    model.build(3)
    shapes = [encoded.shape for encoded in model.encodings(x)]
    parameters = model.count_params()
    return {"shapes": shapes, "parameters": parameters}
