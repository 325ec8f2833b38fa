"""All parameters in one array, each from a multiple of 64 bytes on, and nothing in between."""

import numpy as np
import pytest

from dnn import arena, layers, optimizers
from tests.dnn.helpers import samples, small_model

SIZES = (1, 2, 3, 4, 5, 7, 8, 13)


def odd_model(optimizer="adam"):
    """Parameters of 36, 3, 15, 5, 20 and 4 numbers: gaps after each."""
    stack = (layers.Dense(3, "tanh"), layers.Dense(5, "tanh"), layers.Dense(4))
    model = small_model(*stack, optimizer=optimizer)
    model.build(12)
    return model


def test_places_of_every_size():
    shapes = [{"w": (i, o), "b": (o,)} for i in SIZES for o in SIZES]
    layout = arena.Layout(shapes)
    end = 0
    for shape, places in zip(shapes, layout.places, strict=True):
        assert list(places) == list(shape)
        for name, (start, here) in places.items():
            assert here == shape[name]
            assert start % 16 == 0 and 0 <= start - end < 16
            end = start + int(np.prod(here))
    assert layout.size % 16 == 0 and 0 <= layout.size - end < 16


def test_parameters_start_at_multiples_of_64_bytes_in_memory():
    model = odd_model()
    for views in (*model.parameters, *model.gradients):
        for name, view in views.items():
            assert view.ctypes.data % 64 == 0, name


def test_parameters_and_gradients_are_views():
    model = odd_model()
    model.arena[:] = np.arange(model.arena.size)
    assert model.parameters[0]["b"].tolist() == [48, 49, 50]
    assert model.parameters[1]["w"][0].tolist() == [64, 65, 66, 67, 68]
    model.parameters[2]["b"][:] = -1
    assert model.arena[-16:-12].tolist() == [-1] * 4
    for flat, views in ((model.arena, model.parameters), (model.gradient_arena, model.gradients)):
        assert all(np.shares_memory(view, flat) for layer in views for view in layer.values())


@pytest.mark.parametrize(
    "optimizer",
    [
        optimizers.Adam(0.1),
        optimizers.SGD(0.1, 0.9),
        optimizers.SGD(0.1, 0.9, True),
        optimizers.AdamW(0.1, clipnorm=0.1),
        optimizers.Adagrad(0.1, global_clipnorm=0.1),
        optimizers.RMSprop(0.1, 0.9, 0.9, centered=True, clipvalue=0.1),
        optimizers.Adadelta(weight_decay=0.1),
    ],
    ids=str,
)
def test_gaps_stay_zero(optimizer):
    """In the parameters, their gradients and the optimizer's state."""
    model = odd_model(optimizer)
    model.fit(*samples(), epochs=2, verbose=0)
    gaps = np.ones(model.layout.size, bool)
    for view in (v for views in model.layout.views(gaps) for v in views.values()):
        view[...] = False
    assert gaps.sum() == 12 + 13 + 1 + 11 + 12 + 12
    for flat in (model.arena, model.gradient_arena, *model.optimizer_state.values()):
        assert not flat[gaps].any()
        assert flat[~gaps].all(), "all else is in use"
