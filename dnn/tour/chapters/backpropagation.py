"""Backpropagation."""

import numpy as np

from dnn import Sequential, layers, losses, optimizers
from dnn.tour.chapter import Chapter

chapter = Chapter(
    "Backpropagation",
    "How does the loss change with one weight in the first layer? The weight changes its neuron's "
    "sum, the sum the neuron's output, that the next sum, and so on to the loss. The chain rule "
    "multiplies these rates, and going backwards from the loss, every rate is computed once.",
)


@chapter.example(
    "The chain rule with a pencil",
    "A ReLU neuron feeds a sigmoid one; the loss is the cross-entropy. For the first weight, "
    "∂L/∂w = x · 1[z > 0] · v · (ŷ − y), where v is the weight from the hidden neuron to the "
    "output. By hand that is {by_hand:.6f}. Gradient descent with learning rate 1 moves a weight "
    "by exactly minus its gradient, so a step tells what the library computed: "
    "{backpropagated:.6f}.",
)
def pencil():
    x, w, v, y = 2.0, 0.5, -1.5, 1.0
    z = x * w
    hidden = max(z, 0)
    predicted = 1 / (1 + np.exp(-v * hidden))
    by_hand = x * (z > 0) * v * (predicted - y)

    model = Sequential(
        [
            layers.Input(1),
            layers.Dense(1, activation="relu", use_bias=False),
            layers.Dense(1, use_bias=False),
        ]
    )
    model.compile(optimizers.SGD(1.0), losses.BinaryCrossentropy(from_logits=True))
    model.build()
    model.set_weights([[[w]], [[v]]])
    model.fit(np.array([[x]]), np.array([[y]]), batch_size=1, verbose=0)
    backpropagated = w - model.get_weights()[0].item()
    return {"by_hand": by_hand, "backpropagated": backpropagated}


@chapter.example(
    "Checked by central differences",
    "Without any chain rule: move one weight a little up and a little down, and see what the loss "
    "does. For all {count} weights of a network with two tanh layers, the largest difference from "
    "backpropagation is {largest:.1e} of the gradient's size, which is what float32 and the width "
    "of the step leave.",
)
def differences():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((50, 3)).astype("float32"), rng.integers(0, 2, 50)
    model = Sequential([layers.Dense(5, "tanh"), layers.Dense(4, "tanh"), layers.Dense(2)], seed=3)
    model.compile(optimizers.SGD(1.0), losses.SparseCategoricalCrossentropy(from_logits=True))
    model.build(3)
    weights = model.get_weights()
    model.fit(x, y, batch_size=50, verbose=0)
    gradient = [before - now for before, now in zip(weights, model.get_weights(), strict=True)]

    def loss_with(layer, place, change):
        moved = [w.copy() for w in weights]
        moved[layer][place] += change
        model.set_weights(moved)
        return model.evaluate(x, y)

    step, error = 0.01, 0.0
    for layer, w in enumerate(weights):
        for place in np.ndindex(w.shape):
            up, down = (loss_with(layer, place, change) for change in (step, -step))
            error = max(error, abs((up - down) / (2 * step) - gradient[layer][place]))
    largest = error / max(abs(g).max() for g in gradient)
    count = sum(w.size for w in weights)
    return {"largest": largest, "count": count}
