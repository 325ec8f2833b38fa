"""A training run of the command line, and the folder it writes."""

import csv
import datetime
import json
import pathlib
import platform
import statistics
from importlib import metadata

from dnn import Sequential, datasets, devices, plots, recipe
from dnn.files import write_atomically
from kernels.text import say


def train(options) -> int:
    """`dnn train`: model.safetensors, history.csv, metrics.json and two pictures."""
    model = Sequential(recipe.network(options), seed=options.seed, device=options.device)
    recipe.compile(model, options)
    (x, y), (x_test, y_test) = datasets.load(options.dataset, options.data_dir)
    model.class_names = datasets.class_names(options.dataset)
    model.build(x.shape[1:])
    folder = output_folder(options)
    sizes = "-".join(map(str, [model.units[0], *options.hidden, model.units[-1]]))
    say(
        f"{options.dataset}: {sizes}, {model.count_params():,} parameters, on "
        f"{model.device} ({devices.describe(model.device)})",
        flush=True,
    )

    history = model.fit(
        x, y, batch_size=options.batch_size, epochs=options.epochs,
        validation_split=options.validation_split,
    )  # fmt: skip
    test = model.evaluate(x_test, y_test, return_dict=True)

    model.save(folder / "model.safetensors")
    write_history(history, folder / "history.csv")
    write_metrics(model, history, test, options, folder / "metrics.json")
    title = f"{options.dataset}, {sizes}"
    if history.epoch:
        plots.learning_curves(history, path=folder / "learning_curves.png", title=title)
    predicted = model.predict(x_test).argmax(axis=1)
    plots.confusion_matrix(
        y_test, predicted, model.class_names, path=folder / "confusion_matrix.png",
        title=f"{title}: test images",
    )  # fmt: skip
    say(f"test accuracy {test['accuracy']:.4f}, test loss {test['loss']:.4f}")
    say(f"written to {folder}")
    return 0


def output_folder(options) -> pathlib.Path:
    """The folder to write to, made before the training: a run must not end in an error."""
    now = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    folder = pathlib.Path(options.output or f"runs/{options.dataset}-{now}")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def write_history(history, path):
    """One row an epoch: epoch, loss, accuracy, seconds, val_loss, val_accuracy."""
    names = list(history.history)
    with open(path, "w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["epoch", *names])
        for i, epoch in enumerate(history.epoch):
            rows.writerow([epoch + 1, *(history.history[name][i] for name in names)])


def write_metrics(model, history, test, options, path):
    """The result and everything that it depends on, as JSON."""
    seconds = history.history.get("seconds", [])
    found = {
        "test_accuracy": test["accuracy"],
        "test_loss": test["loss"],
        "epochs": len(history.epoch),
        "seconds_per_epoch": statistics.median(seconds) if seconds else None,
        "device": model.device,
        "device_name": devices.describe(model.device),
        "seed": options.seed,
        "parameters": model.count_params(),
        "options": {k: v for k, v in vars(options).items() if k not in ("run", "command")},
        "versions": versions(),
    }
    write_atomically(path, (json.dumps(found, indent=2) + "\n").encode())


def versions() -> dict[str, str]:
    """Of Python and of every package that has a hand in the numbers."""
    found = {"python": platform.python_version()}
    for package in (
        "dense-kernels",
        "numpy",
        "numba",
        "numba-cuda",
        "cupy-cuda12x",
        "cupy-cuda13x",
    ):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found
