"""Clipping a model's gradients: by value, by the norm of each parameter, by that of all."""

import numpy as np
import pytest

from dnn import optimizers
from tests.dnn.figures.make_figures import (
    CLIPS,
)
from tests.dnn.helpers import samples, small_model


def gradients(**clipping):
    """(after a step's backward pass without clipping, with it), one array a parameter."""
    of_steps = []
    for options in ({}, clipping):
        model = small_model(optimizer=optimizers.SGD(0.0, **options))
        model.fit(*samples(), batch_size=203, verbose=0)
        of_steps.append([g.copy() for layer in model.gradients for g in layer.values()])
    return of_steps


def norm(arrays):
    return float(np.sqrt(sum(np.sum(np.square(a, dtype=float)) for a in arrays)))


def test_by_value():
    before, after = gradients(clipvalue=0.01)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(other, np.clip(one, np.float32(-0.01), np.float32(0.01)))


def test_by_the_norm_of_each_parameter():
    before, after = gradients(clipnorm=0.8)
    norms = [norm([g]) for g in before]
    assert min(norms) < 0.8 < max(norms), "some are clipped and some are not"
    for g, clipped, size in zip(before, after, norms, strict=True):
        np.testing.assert_allclose(clipped, g * min(1, 0.8 / size), rtol=1e-6)


def test_by_the_norm_of_all():
    before, after = gradients(global_clipnorm=0.2)
    assert norm(after) == pytest.approx(0.2, rel=1e-6) and norm(before) > 0.2
    for g, clipped in zip(before, after, strict=True):
        np.testing.assert_allclose(clipped, g * (0.2 / norm(before)), rtol=1e-6)


@pytest.mark.parametrize("cls", [optimizers.Adam, optimizers.Adagrad, optimizers.SGD])
def test_one_kind_of_clipping_at_most(cls):
    with pytest.raises(
        ValueError, match=r"^clipnorm, clipvalue: got values for each; expected one"
    ):
        cls(clipnorm=1.0, clipvalue=1.0)


@pytest.mark.parametrize("name", CLIPS)
@pytest.mark.parametrize("limit", [0, -1.0, float("nan")])
def test_a_limit_that_is_none(name, limit):
    with pytest.raises(
        ValueError, match=f"^{name}: got {limit}; expected .*, or None for no clipping"
    ):
        optimizers.Adam(**{name: limit})
