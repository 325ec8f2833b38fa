"""The main job: the command's default recipe on the real 60,000 images."""

import json

import pytest

from dnn import datasets
from dnn.command.cli import main


def test_accuracy(accuracy_of):
    """One seed in the default run; the promise for the mean of three is in the sweep."""
    assert accuracy_of(0) >= 0.88


@pytest.mark.sweep
def test_mean_accuracy_of_three_seeds(accuracy_of):
    assert sum(map(accuracy_of, range(3))) / 3 >= 0.883


@pytest.mark.sweep
def test_mean_accuracy_of_the_accurate_preset(accuracy_of):
    assert sum(accuracy_of(seed, "--preset", "accurate") for seed in range(5)) / 5 >= 0.910


@pytest.fixture
def accuracy_of(tmp_path):
    try:
        datasets.fashion_mnist()
    except datasets.DatasetNotFoundError as error:
        pytest.skip(f"Fashion-MNIST cannot be had here: {error}")

    def run(seed, *others):
        folder = tmp_path / str(seed)
        options = [*others, "--seed", str(seed), "--device", "cpu", "--output", str(folder)]
        assert main(["train", *options]) == 0
        return json.loads((folder / "metrics.json").read_text())["test_accuracy"]

    return run
