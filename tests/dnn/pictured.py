"""Models and data for pictures, and the points that a picture shows."""

import numpy as np

from dnn import Sequential, layers
from dnn.datasets import toy


def drawn_points(axis):
    """{label: (n, 2) points} of an Axes' scatters."""
    named = [c for c in axis.collections if not c.get_label().startswith("_")]
    return {c.get_label(): np.asarray(c.get_offsets()) for c in named}


def hand_made():
    """Two step units and an AND: what separates red from blue."""
    model = Sequential(
        [layers.Dense(2, activation="binary_step"), layers.Dense(1, activation="binary_step")]
    )
    model.build(2)
    model.set_weights([toy.HIDDEN_WEIGHTS, toy.HIDDEN_BIASES, np.ones((2, 1)), [-1.5]])
    return model


def image_model():
    model = Sequential([layers.Flatten(), layers.Dense(6, "tanh"), layers.Dense(3)], seed=1)
    model.build((4, 5))
    return model


def curve_model():
    model = Sequential([layers.Dense(3, "tanh"), layers.Dense(1)], device="cpu")
    model.build(1)
    return model


def images(n=40):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, 4, 5), dtype=np.uint8), rng.integers(0, 3, n)
