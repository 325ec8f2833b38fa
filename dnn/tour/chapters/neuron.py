"""A neuron: weighted sum, bias, activation."""

import numpy as np

from dnn import Sequential, layers, perceptron
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "A neuron",
    "A neuron multiplies each of its inputs by a weight, adds up the products and a bias, and "
    "passes the sum through an activation function: y = f(x₁w₁ + … + xₙwₙ + b).",
)


@chapter.example(
    "The flu",
    "Does a patient have the flu? Stomach ache speaks a little against it (weight −1), fever and "
    "cough speak for it (3 each), and the neuron fires where the sum reaches the threshold 5, "
    "which is a bias of −5. The first patient, with stomach ache and cough, scores {first:.0f}: "
    "no flu. The second, with fever and cough, scores {second:.0f}: flu.",
)
def flu():
    unit = perceptron.unit([-1, 3, 3], threshold=5)
    patients = np.array([[1, 0, 1], [0, 1, 1]])  # stomach ache, fever, cough
    w, b = unit.get_weights()
    first, second = (patients @ w)[:, 0]
    fires = unit.predict(patients)[:, 0]
    return {"w": w, "b": b, "fires": fires, "first": first, "second": second}


@chapter.example(
    "A probability instead of yes or no",
    "The step jumps from 0 to 1 at the threshold and has no slope to learn by. With the same "
    "weights and a sigmoid in its place, the neuron says how likely the flu is: {first:.1%} and "
    "{second:.1%}.",
)
def probability(w, b):
    smooth = Sequential([layers.Input(3), layers.Dense(1, activation="sigmoid")])
    smooth.build()
    smooth.set_weights([w, b])
    p = smooth.predict(np.array([[1, 0, 1], [0, 1, 1]]))[:, 0]
    first, second = p
    return {"p": p, "first": first, "second": second}
