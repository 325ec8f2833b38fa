"""A model trained on bytes and given the same pixels as other numbers, and the reverse."""

import warnings

import numpy as np
import pytest

from dnn import layers, load_model
from dnn.saving import save
from tests.dnn.helpers import small_model

rng = np.random.default_rng(0)
BYTES, Y = rng.integers(0, 256, (40, 12), dtype=np.uint8), rng.integers(0, 4, 40)


def trained_on(x, *stack, validation=None):
    model = small_model(*stack)
    validation = {} if validation is None else {"validation_data": (validation, Y)}
    model.fit(x, Y, **validation, verbose=0)
    return model


def uses(model):
    """Every way in."""
    return (
        model.predict,
        model.encodings,
        lambda x: model.evaluate(x, Y),
        lambda x: model.fit(x, Y, verbose=0),
        lambda x: model.fit(BYTES, Y, validation_data=(x, Y), verbose=0),
    )


@pytest.fixture(scope="module")
def of_bytes():
    return trained_on(BYTES)


@pytest.fixture(scope="module")
def of_numbers():
    return trained_on(BYTES.astype(np.int64))


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint16", ">i2"])
def test_integers_in_place_of_bytes_are_refused(of_bytes, dtype):
    for use in uses(of_bytes):
        with pytest.raises(TypeError, match=r"x: got dtype [^;]*; expected uint8, for the model"):
            use(BYTES.astype(dtype))
    with pytest.raises(TypeError, match=r"^x: got dtype int64; expected uint8"):
        of_bytes.predict(BYTES.tolist())


def test_floats_beyond_one_in_place_of_bytes_are_warned_of(of_bytes):
    for use in uses(of_bytes)[:3]:
        with pytest.warns(
            UserWarning, match=r"^x: holds numbers up to 255; the model was trained on"
        ):
            use(BYTES.astype(np.float64))


def test_what_is_on_the_same_scale_says_nothing(of_bytes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for x in (BYTES, BYTES / 255, (BYTES / 255).astype(np.float16), BYTES > 127, BYTES[:0]):
            of_bytes.predict(x)
        trained_on(BYTES / 255).predict(BYTES)
        trained_on(BYTES / 255).predict(BYTES / 128)
        trained_on(BYTES.astype(np.int64)).predict(BYTES.astype(np.float32))
        trained_on(BYTES, validation=BYTES / 255)


def test_bytes_in_place_of_other_numbers_are_warned_of(of_numbers):
    for use in (of_numbers.predict, lambda x: of_numbers.evaluate(x, Y)):
        with pytest.warns(
            UserWarning, match=r"^x: got bytes, which are scaled by 1/255 on the way in"
        ):
            use(BYTES)


def test_validation_data_is_compared_in_the_first_fit():
    with pytest.raises(TypeError, match=r"^validation x: got dtype int64; expected uint8"):
        trained_on(BYTES, validation=BYTES.astype(np.int64))
    with pytest.warns(UserWarning, match=r"^validation x: got bytes, which are scaled"):
        trained_on(BYTES * 1.0, validation=BYTES)


def test_a_rescaling_layer_takes_all_alike():
    model = trained_on(BYTES, layers.Rescaling(1 / 255), layers.Dense(4))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (model.predict(BYTES) == model.predict(BYTES.astype(np.int64))).all()


def test_bytes_of_zero_and_one_are_warned_of():
    with pytest.warns(UserWarning, match=r"^x: holds bytes of 0 and 1 alone, which are scaled by"):
        trained_on(BYTES & 1)


@pytest.mark.parametrize("include_optimizer", [True, False])
def test_a_file_keeps_it(tmp_path, of_bytes, of_numbers, include_optimizer):
    path = tmp_path / "m.safetensors"
    for model in (of_bytes, of_numbers, trained_on(BYTES / 255), small_model()):
        model.build(12)
        save(model, path, include_optimizer)
        assert load_model(path, device="cpu").trained_on == model.trained_on
        # The bytes of a file do not change for models trained on bytes, as `dnn train` makes them
        usual = model is of_bytes if include_optimizer else model.trained_on is None
        says = b"trained_on" in path.read_bytes()
        assert says != usual or model.steps_trained == 0
