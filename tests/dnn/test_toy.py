"""Data sets made by the library: what shape they have, and that they stay what they are."""

import inspect
import math

import numpy as np
import pytest

from dnn import layers
from dnn.datasets import toy
from tests.dnn.helpers import bits, fresh_process, small_model

MAKERS = {
    name: make
    for name, make in inspect.getmembers(toy, inspect.isfunction)
    if make.__module__ == toy.__name__ and not name.startswith("_")
}
SEEDED = sorted(MAKERS)


def test_the_sets():
    assert SEEDED == ["blobs", "circles", "curve", "moons", "red_blue", "spirals", "xor"]


@pytest.mark.parametrize("n", [1, 2, 7, 200])
@pytest.mark.parametrize("name", SEEDED)
def test_shapes_and_types(name, n):
    x, y = MAKERS[name](n)
    assert x.dtype == np.float32 and x.flags.c_contiguous and np.isfinite(x).all()
    if name == "curve":
        assert x.shape == y.shape == (n, 1) and y.dtype == np.float32
    else:
        assert x.shape == (n, 2) and y.shape == (n,) and y.dtype == np.int32


@pytest.mark.parametrize("name", SEEDED)
def test_a_seed_gives_the_same_set_in_another_process(name):
    x, y = MAKERS[name](50, seed=7)
    code = (
        "import sys, hashlib; from dnn.datasets import toy\n"
        "x, y = getattr(toy, sys.argv[1])(50, seed=7)\n"
        "print((x.tobytes() + y.tobytes()).hex())"
    )
    assert fresh_process(code, name).strip() == bits([x, y]).hex()


@pytest.mark.parametrize("name", [name for name in SEEDED if name != "xor"])
def test_another_seed_gives_another_set(name):
    assert bits(MAKERS[name](50, seed=0)) != bits(MAKERS[name](50, seed=1))


STORED = {
    "blobs": [2.8392243, 0.3495275],
    "circles": [-0.1269771, 1.0095483],
    "curve": [-0.4369085],
    "moons": [0.7735456, 0.8318541],
    "red_blue": [-1.2439657, -0.2765840],
    "spirals": [-0.1718010, 0.2988853],
}


@pytest.mark.parametrize("name", STORED)
def test_the_sets_stay_what_they_are(name):
    """First samples, computed once: a change here changes what users have published."""
    np.testing.assert_allclose(MAKERS[name](3)[0][0], STORED[name], rtol=1e-5)


@pytest.mark.parametrize("name", [name for name in SEEDED if name != "curve"])
def test_classes_take_turns(name):
    _, y = MAKERS[name](60)
    counts = np.bincount(y)
    assert (counts == counts[0]).all() and len(counts) == (3 if name == "blobs" else 2)
    if name != "xor":
        assert (y == np.arange(60) % len(counts)).all()


def test_xor():
    x, y = toy.xor()
    assert x.tolist() == [[0, 0], [0, 1], [1, 0], [1, 1]] and y.tolist() == [0, 1, 1, 0]
    noisy, same = toy.xor(4000, noise=0.1)
    assert (same == np.tile(y, 1000)).all()
    assert np.std(noisy - np.tile(x, (1000, 1))) == pytest.approx(0.1, rel=0.05)


def test_blobs_lie_around_their_centres():
    x, y = toy.blobs(6000, classes=3, noise=0.5)
    for c in range(3):
        centre = [2 * math.cos(2 * math.pi * c / 3), 2 * math.sin(2 * math.pi * c / 3)]
        np.testing.assert_allclose(x[y == c].mean(axis=0), centre, atol=0.05)
        np.testing.assert_allclose(x[y == c].std(axis=0), 0.5, rtol=0.05)


def test_moons_and_circles_without_noise_lie_on_their_curves():
    x, y = toy.moons(500, noise=0)
    np.testing.assert_allclose(np.hypot(*x[y == 0].T), 1, rtol=1e-6)
    np.testing.assert_allclose(np.hypot(*(x[y == 1] - [1, 0.5]).T), 1, rtol=1e-6)
    assert (x[y == 0, 1] >= 0).all() and (x[y == 1, 1] <= 0.5).all()
    x, y = toy.circles(500, noise=0, factor=0.25)
    np.testing.assert_allclose(np.hypot(*x.T), np.where(y == 0, 1, 0.25), rtol=1e-6)


def test_spirals_wind():
    """The angle grows with the radius, by 2π · turns from centre to edge, and arms are apart."""
    x, y = toy.spirals(600, classes=3, turns=2.0, noise=0)
    radius, angle = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0])
    expected = 2 * np.pi * (2.0 * radius + y / 3)
    np.testing.assert_allclose(np.cos(angle - expected), 1, atol=1e-5)
    assert radius.min() >= 0.1 - 1e-6 and radius.max() < 1 + 1e-6


def test_the_curve():
    x, y = toy.curve(4000, noise=0.1)
    residual = y - np.sin(np.pi * x)
    assert abs(residual.mean()) < 0.01 and residual.std() == pytest.approx(0.1, rel=0.05)
    assert -1 <= x.min() < -0.99 and 0.99 < x.max() < 1


@pytest.mark.parametrize("margin", [0, 0.15, 0.5])
def test_two_hidden_neurons_encode_red_and_blue_as_the_article_says(margin):
    """Blue (1, 1); red (0, 1) or (1, 0). Then one line separates them: the output is AND."""
    x, y = toy.red_blue(400, margin=margin)
    model = small_model(
        layers.Dense(2, activation="binary_step"), layers.Dense(1, activation="binary_step")
    )
    model.build(2)
    output = [np.ones((2, 1)), [-1.5]]
    model.set_weights([toy.HIDDEN_WEIGHTS, toy.HIDDEN_BIASES, *output])
    hidden, predicted = model.encodings(x)
    assert (hidden[y == 1] == 1).all()
    assert {tuple(a) for a in hidden[y == 0].tolist()} == {(0, 1), (1, 0)}
    assert (predicted[:, 0] == y).all()
    z = x @ toy.HIDDEN_WEIGHTS + toy.HIDDEN_BIASES
    assert abs(z).min() >= margin - 1e-6


REFUSED = {
    "n": (lambda: toy.moons(0), "n: got 0; expected an integer, 1 or more"),
    "noise": (lambda: toy.xor(noise=-1), "noise: got -1; expected a finite number, 0 or more"),
    "NaN": (lambda: toy.curve(noise=math.nan), "noise: got nan"),
    "classes": (lambda: toy.blobs(classes=0), "classes: got 0; expected an integer, 1 or more"),
    "factor": (lambda: toy.circles(factor=1), "factor: got 1; expected 0 < factor < 1"),
    "margin": (lambda: toy.red_blue(margin=0.6), "margin: got 0.6; expected 0 ≤ margin ≤ 0.5"),
    "seed": (lambda: toy.moons(seed=-1), "seed: got -1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    call, message = REFUSED[case]
    with pytest.raises(ValueError, match=message):
        call()
