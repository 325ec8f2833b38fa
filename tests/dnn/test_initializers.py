"""Initial weights: each rule's distribution, and that they depend on the seed alone.

Statistics are of 200,000 draws with a fixed seed, within five standard errors.
"""

import math

import numpy as np
import pytest

from dnn import initializers, layers
from tests.dnn.helpers import bits, small_model

SHAPE = (500, 400)
N = SHAPE[0] * SHAPE[1]
CUT = 2 / 0.87962566103423978  # a normal cut at 2 σ, σ such that the variance is as wanted

UNIFORM = {
    "glorot_uniform": math.sqrt(6 / 900),
    "he_uniform": math.sqrt(6 / 500),
    "lecun_uniform": math.sqrt(3 / 500),
    "random_uniform": 0.05,
}
NORMAL = {
    "glorot_normal": (math.sqrt(2 / 900), CUT),
    "he_normal": (math.sqrt(2 / 500), CUT),
    "lecun_normal": (math.sqrt(1 / 500), CUT),
    "random_normal": (0.05, math.inf),
}
CONSTANT = {"zeros": 0.0, "ones": 1.0, "constant": 0.0}


def draw(name, seed=3, stream=0, shape=SHAPE):
    return initializers.get(name)(shape, seed, stream)


def test_every_rule_is_tested_here():
    names = {type(initializers.get(name)).__name__ for name in (*UNIFORM, *NORMAL, *CONSTANT)}
    assert names == set(initializers.catalog.classes)


@pytest.mark.parametrize("name", UNIFORM)
def test_uniform(name):
    limit, w = UNIFORM[name], draw(name).ravel()
    assert abs(w).max() <= np.float32(limit)
    assert abs(w).max() > 0.9999 * limit
    assert abs(w.mean()) <= 5 * limit / math.sqrt(3 * N)
    counts = np.histogram(w, 100, (-limit, limit))[0]
    assert chi_square(counts, np.full(100, N / 100)) <= 5


@pytest.mark.parametrize("name", NORMAL)
def test_normal(name):
    (deviation, cut), w = NORMAL[name], draw(name).ravel()
    assert abs(w).max() <= np.float32(cut * deviation)
    assert abs(w).max() > min(cut * 0.999, 4) * deviation
    assert abs(w.mean()) <= 5 * deviation / math.sqrt(N)
    # The variance of the square is at most 2 σ⁴, that of the normal distribution without a cut.
    assert abs(w.var() / deviation**2 - 1) <= 5 * math.sqrt(2 / N)
    edges = np.linspace(-1.9, 1.9, 77)  # in units of the σ before the cut
    sigma = deviation * cut / 2 if math.isfinite(cut) else deviation
    whole = math.erf(math.sqrt(2)) if math.isfinite(cut) else 1.0
    cumulative = np.array([math.erf(edge / math.sqrt(2)) / 2 for edge in edges]) / whole
    assert chi_square(np.histogram(w / sigma, edges)[0], N * np.diff(cumulative)) <= 5


def chi_square(counts, expected):
    """How many standard deviations Pearson's χ² lies above its mean."""
    bins = len(counts)
    return (np.sum((counts - expected) ** 2 / expected) - bins) / math.sqrt(2 * bins)


@pytest.mark.parametrize("name", CONSTANT)
def test_constant(name):
    assert (draw(name) == CONSTANT[name]).all()


def test_own_parameters():
    assert (initializers.Constant(0.3)((3,), 0, 0) == np.float32(0.3)).all()
    w = initializers.RandomUniform(2, 3)(SHAPE, 0, 0)
    assert 2 <= w.min() < 2.001 and 2.999 < w.max() <= 3
    w = initializers.RandomNormal(7, 0.5)(SHAPE, 0, 0)
    assert abs(w.mean() - 7) <= 5 * 0.5 / math.sqrt(N)


@pytest.mark.parametrize("name", [*UNIFORM, *NORMAL, *CONSTANT])
def test_shape_and_dtype(name):
    for shape in ((3, 5), (7,), (1, 1)):
        w = draw(name, shape=shape)
        assert w.shape == shape and w.dtype == np.float32


@pytest.mark.parametrize("name", [*UNIFORM, *NORMAL])
def test_seeds_and_streams(name):
    """The same for the same seed and stream; unlike and uncorrelated for others."""
    w = draw(name)
    assert bits([w]) == bits([draw(name)])
    for other in (draw(name, seed=4), draw(name, stream=1), draw(name, seed=2**63 - 1)):
        assert abs(np.corrcoef(w.ravel(), other.ravel())[0, 1]) <= 5 / math.sqrt(N)


def test_layers_of_one_model_never_share_their_numbers():
    dense = [layers.Dense(6, kernel_initializer="random_normal") for _ in range(3)]
    model = small_model(*dense)
    model.build(6)
    weights = model.get_weights()[::2]
    assert len({bits([w]) for w in weights}) == 3


def test_the_bias_has_an_initializer_of_its_own():
    model = small_model(layers.Dense(5, kernel_initializer="zeros", bias_initializer="ones"))
    model.build(3)
    w, b = model.get_weights()
    assert not w.any() and (b == 1).all()


def test_dense_begins_as_in_keras():
    """Glorot's uniform weights and zero biases."""
    model = small_model(layers.Dense(50))
    model.build(100)
    w, b = model.get_weights()
    assert bits([w]) == bits([initializers.GlorotUniform()((100, 50), 0, 0)])
    assert not b.any()
