"""validation_split: a share of every class, drawn by the seed, and never trained on."""

import numpy as np
import pytest

from dnn import data, losses, random
from tests.dnn.helpers import bits, samples, small_model

COUNTS = (10, 20, 70, 200)
LABELS = np.repeat(np.arange(4), COUNTS)  # sorted by class: the case that trips users of Keras


@pytest.mark.parametrize("fraction", [0.1, 0.25, 0.29, 0.5, 0.9, np.float32(0.25)])
@pytest.mark.parametrize(
    "counts", [COUNTS, (10,) * 40, (1, 1, 2, 50), (1,) * 9, (5,) * 4 + (6,) * 4], ids=str
)
def test_every_class_gives_its_share(fraction, counts):
    """As many in all as asked for, of each class its share or a part of a sample more or less, and
    where others can give it no class its last sample."""
    labels = np.repeat(np.arange(len(counts)), counts)
    kept, held = data.split(labels, fraction, 0)
    held_counts = np.bincount(labels[held], minlength=len(counts))
    assert len(held) == round(float(fraction) * len(labels))
    assert (abs(held_counts - float(fraction) * np.array(counts)) <= 1).all()
    if counts == (1, 1, 2, 50) and fraction <= 0.5:
        assert set(labels[kept]) == {0, 1, 2, 3}


def test_whole_shares_are_the_rows_they_always_were():
    """`round` of each share by itself, as before: what `dnn train` holds out of 6,000 a class."""
    labels = np.tile(np.arange(10), 600)
    order = random.permutation(7, 2**63, len(labels))
    before = [order[labels[order] == c][: round(0.1 * 600)] for c in range(10)]
    assert data.split(labels, 0.1, 7)[1].tolist() == np.sort(np.concatenate(before)).tolist()


def test_which_class_gives_one_more_is_drawn_too():
    labels = np.repeat(np.arange(40), 10)
    given = [np.bincount(labels[data.split(labels, 0.05, seed)[1]]).tolist() for seed in (0, 0, 1)]
    assert given[0] == given[1] != given[2] and set(given[0]) == {0, 1}


def test_the_parts_are_disjoint_complete_and_in_order():
    kept, held = data.split(LABELS, 0.3, 0)
    assert sorted([*kept, *held]) == list(range(300))
    assert (np.diff(kept) > 0).all() and (np.diff(held) > 0).all()


def test_the_seed_draws():
    rows = [data.split(LABELS, 0.3, seed)[1].tolist() for seed in (0, 0, 1)]
    assert rows[0] == rows[1] != rows[2]
    assert max(np.diff(rows[0])) < 30, "drawn from everywhere, not a block of rows"


def test_one_hot_targets_split_as_their_labels_do():
    one_hot = losses.CategoricalCrossentropy().prepare(np.eye(4)[LABELS], 4)
    assert (losses.CategoricalCrossentropy().classes(one_hot) == LABELS).all()
    assert (losses.SparseCategoricalCrossentropy().classes(LABELS) == LABELS).all()


def test_fit_trains_on_the_kept_and_validates_on_the_held():
    x, y = samples()
    model = small_model(seed=3)
    history = model.fit(x, y, epochs=2, validation_split=0.2, verbose=0).history
    kept, held = data.split(y, 0.2, 3)
    same = small_model(seed=3)
    expected = same.fit(x[kept], y[kept], epochs=2, validation_data=(x[held], y[held]), verbose=0)
    del history["seconds"], expected.history["seconds"]
    assert history == expected.history
    assert bits(model.get_weights()) == bits(same.get_weights())


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 1, 2.0, float("nan")])
def test_a_share_that_is_none(fraction):
    with pytest.raises(ValueError, match=f"validation_split: got {fraction}; expected 0 < val"):
        small_model().fit(*samples(), validation_split=fraction, verbose=0)


def test_a_share_too_small_for_every_class():
    with pytest.raises(ValueError, match=r"0.001 of 203 samples leaves one part empty: 0 held out"):
        small_model().fit(*samples(), validation_split=0.001, verbose=0)


def test_validation_data_are_checked_under_their_name():
    x, y = samples()
    model = small_model()
    with pytest.raises(ValueError, match=r"validation x: got samples of shape \(n, 11\)"):
        model.fit(x, y, validation_data=(x[:, :11], y), verbose=0)
    with pytest.raises(ValueError, match=r"validation x, validation y: got 203 samples and 9 tar"):
        model.fit(x, y, validation_data=(x, y[:9]), verbose=0)


def test_bytes_are_scaled_in_validation_too():
    rng = np.random.default_rng(0)
    x, y = rng.integers(0, 256, (80, 12), dtype=np.uint8), rng.integers(0, 4, 80)
    model = small_model()
    history = model.fit(x, y, validation_data=(x / 255, y), verbose=0).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(x, y)[0], rel=1e-6)
