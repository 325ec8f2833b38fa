"""Small data sets that the library makes itself: same arguments and seed, same samples, everywhere.

    from dnn.datasets import toy
    x, y = toy.moons(200, noise=0.1, seed=0)        # float32 (200, 2), int32 (200,)

Classes take turns (0, 1, 0, 1, …), so the first part of a set holds as many of each as the rest.
The random numbers are those of dnn.random: counters, not a generator with a state.
"""

import numpy as np

from dnn import random
from kernels.numbers import Number, whole_number

STREAM = 2**62  # far from the streams that initial weights (0, 1, 2, …) are drawn from
HIDDEN_WEIGHTS = np.array([[1.0, -1.0], [0.5, 0.5]], np.float32)
HIDDEN_BIASES = np.array([0.6, 0.6], np.float32)
"""The two lines of `red_blue`: a = step(x @ HIDDEN_WEIGHTS + HIDDEN_BIASES)."""


def xor(n: int = 4, noise: float = 0.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Exclusive or: (0, 0) → 0, (0, 1) → 1, (1, 0) → 1, (1, 1) → 0, and again from the start.

    x float32 (n, 2), y int32 (n,). noise: standard deviation around the corners, default 0.
    No straight line separates the classes (Minsky and Papert, Perceptrons, 1969).
    """
    corner = np.arange(_checked(n, noise)) % 4
    x = np.stack([corner // 2, corner % 2], axis=1)
    return _noisy(x, noise, seed), (x[:, 0] ^ x[:, 1]).astype(np.int32)


def blobs(
    n: int = 300, classes: int = 3, noise: float = 0.6, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """`classes` round clouds, their centres evenly on a circle of radius 2.

    x float32 (n, 2), y int32 (n,). noise: standard deviation of each cloud, default 0.6.
    """
    y = _labels(n, classes, noise)
    angle = 2 * np.pi * y / classes
    return _noisy(2 * _on_circle(angle), noise, seed), y


def moons(n: int = 200, noise: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two half circles, each with its end inside the other: 0 opens downwards, 1 upwards.

    x float32 (n, 2), y int32 (n,). noise: standard deviation, default 0.1.
    Class 0 is (cos t, sin t), class 1 (1 − cos t, ½ − sin t), t uniform in [0, π).
    """
    y = _labels(n, 2, noise)
    arc = _on_circle(np.pi * random.uniform(seed, STREAM, n))
    return _noisy(np.where(y[:, None] == 0, arc, [1.0, 0.5] - arc), noise, seed), y


def circles(
    n: int = 200, noise: float = 0.05, factor: float = 0.5, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """A circle of radius 1 (class 0) around one of radius `factor` (class 1, default 0.5).

    x float32 (n, 2), y int32 (n,). noise: standard deviation, default 0.05.
    """
    y = _labels(n, 2, noise)
    factor = Number(above=0, below=1)("factor", factor)
    around = _on_circle(2 * np.pi * random.uniform(seed, STREAM, n))
    return _noisy(around * np.where(y == 0, 1.0, factor)[:, None], noise, seed), y


def spirals(
    n: int = 300, classes: int = 2, turns: float = 1.0, noise: float = 0.03, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """`classes` arms that wind around each other from the centre to radius 1.

    x float32 (n, 2), y int32 (n,). turns: windings of an arm, default 1. noise: standard
    deviation, default 0.03. An arm is r (cos φ, sin φ), r in [0.1, 1),
    φ = 2π (turns r + y/classes).
    """
    y, turns = _labels(n, classes, noise), Number()("turns", turns)
    radius = 0.1 + 0.9 * random.uniform(seed, STREAM, n)
    x = radius[:, None] * _on_circle(2 * np.pi * (turns * radius + y / classes))
    return _noisy(x, noise, seed), y


def red_blue(n: int = 200, margin: float = 0.15, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Red (0) on two sides of blue (1): two hidden neurons separate them, one line does not.

    x float32 (n, 2) in [−2, 2) × [−1, 1), y int32 (n,). No sample is nearer than `margin` (default
    0.15) to one of the two lines x₁ + x₂/2 = −0.6 and −x₁ + x₂/2 = −0.6, measured along x₁.
    With a = step(x @ HIDDEN_WEIGHTS + HIDDEN_BIASES), blue samples are encoded as (1, 1), red ones
    as (0, 1) or (1, 0), which one straight line separates.
    """
    n = whole_number("n", n)
    margin = Number(low=0, high=0.5)("margin", margin)
    y, by_class, drawn = _labels(n, 2, 0), [np.empty((0, 2))] * 2, 4 * n + 64
    while min(map(len, by_class)) < n:
        x = random.uniform(seed, STREAM, 2 * drawn).reshape(-1, 2) * [4, 2] - [2, 1]
        z = x @ HIDDEN_WEIGHTS.astype(np.float64) + HIDDEN_BIASES.astype(np.float64)
        clear = (abs(z) > margin).all(axis=1)
        by_class = [x[clear & ((z > 0).all(axis=1) == bool(c))] for c in (0, 1)]
        drawn *= 2
    x = np.where(y[:, None] == 0, by_class[0][:n], by_class[1][:n])
    return np.ascontiguousarray(x, np.float32), y


def curve(n: int = 100, noise: float = 0.1, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """For regression: y = sin(π x) + noise.

    x float32 (n, 1) in [−1, 1), y float32 (n, 1). noise: standard deviation in y, default 0.1.
    """
    _checked(n, noise)
    x = 2 * random.uniform(seed, STREAM, n)[:, None] - 1
    return x.astype(np.float32), _noisy(np.sin(np.pi * x), noise, seed)


def _checked(n, noise):
    Number(low=0)("noise", noise)
    return whole_number("n", n)


def _labels(n, classes, noise):
    return (np.arange(_checked(n, noise)) % whole_number("classes", classes)).astype(np.int32)


def _on_circle(angle):
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _noisy(x, noise, seed):
    drawn = random.normal(seed, STREAM + 1, x.size).reshape(x.shape)
    return np.ascontiguousarray(x + noise * drawn, np.float32)
