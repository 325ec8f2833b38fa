"""ModelCheckpoint: after which epochs and batches it saves, and where."""

import pytest

from dnn import callbacks, load_model
from tests.dnn.helpers import bits, small_model
from tests.dnn.scripted import X, Y, story


def test_checkpoint_after_every_epoch(tmp_path):
    path = tmp_path / "runs" / "{epoch:02d}-{val_loss:.1f}.safetensors"
    _, weights = story(callbacks.ModelCheckpoint(path), [5, 6, 4])
    files = sorted(path.parent.iterdir())
    assert [f.name for f in files] == [f"0{s}.safetensors" for s in ("1-5.0", "2-6.0", "3-4.0")]
    assert [bits(load_model(f).get_weights()) for f in files] == weights


def test_checkpoint_of_the_best_only(tmp_path):
    path = tmp_path / "best.safetensors"
    _, weights = story(callbacks.ModelCheckpoint(path, save_best_only=True), [5, 4, 6, 4.5])
    assert bits(load_model(path).get_weights()) == weights[1]


def test_checkpoint_from_a_threshold_on(tmp_path):
    path = tmp_path / "{epoch}.safetensors"
    best = callbacks.ModelCheckpoint(path, save_best_only=True, initial_value_threshold=4.5)
    story(best, [6, 5, 4, 4.2, 3])
    assert sorted(f.name for f in tmp_path.iterdir()) == ["3.safetensors", "5.safetensors"]


def test_checkpoint_every_few_batches(tmp_path):
    """Seven batches an epoch: the 5th, 10th, 15th and 20th."""
    path = tmp_path / "{epoch}-{batch}.safetensors"
    story(callbacks.ModelCheckpoint(path, save_freq=5), [1, 1, 1])
    names = sorted(f.stem for f in tmp_path.iterdir())
    assert names == ["1-5", "2-3", "3-1", "3-6"]


def test_checkpoint_says_what_it_saved(tmp_path, capsys):
    path = tmp_path / "model.safetensors"
    story(callbacks.ModelCheckpoint(path, verbose=1), [1])
    assert capsys.readouterr().out == f"saved {path}\n"


CHECKPOINTS = {
    "weights": ({"save_weights_only": True}, "save_weights_only: got True"),
    "frequency": ({"save_freq": 0}, "save_freq: got 0; expected an integer, 1 or more"),
    "both": ({"save_freq": 2, "save_best_only": True}, "save_best_only, save_freq: got True and 2"),
    "mode": ({"mode": "best"}, "mode: got 'best'"),
}


@pytest.mark.parametrize("case", CHECKPOINTS)
def test_checkpoints_refused(case):
    options, message = CHECKPOINTS[case]
    with pytest.raises(ValueError, match=message):
        callbacks.ModelCheckpoint("model", **options)


def test_a_checkpoint_that_names_what_is_not_there():
    with pytest.raises(ValueError, match=r"it can name \['accuracy', .*\], not 'val_loss'"):
        small_model().fit(X, Y, verbose=0, callbacks=callbacks.ModelCheckpoint("{val_loss}"))


@pytest.mark.parametrize("path", ["run-{epoch", "run-{}", "run-{0}", "{epoch}}-x"])
def test_a_path_that_no_value_fits_is_refused_at_once(path):
    with pytest.raises(ValueError, match="filepath: got"):
        callbacks.ModelCheckpoint(path)
