"""The command `dnn`: train, evaluate, predict, tour, doctor."""

import argparse
import atexit
import contextlib
import gc
import os
import sys
import warnings

from dnn import __version__, datasets, losses, one_hot, optimizers
from dnn.command import recipe
from dnn.devices import DEVICES, PRECISIONS
from kernels import activations, compiling
from kernels.text import Parser, say


def main(arguments=None) -> int:
    """Run the command line; returns the exit status: 0, 2 after an error, 128 + its number after a
    signal. arguments: those of this process where left out."""
    if arguments is None:  # what it leaves, it leaves to the system: 0.6 s of taking it to pieces
        atexit.register(gc.freeze)
    with _output("stdout"), _output("stderr"):
        options = _parsed(arguments)
        if options.command is None:
            parser().print_help()
            return 0
        try:
            with compiling.said(error=options.command != "train"):
                status = options.run(options)
            say(end="", flush=True)  # what could not be written is an error here, not after the end
            return status
        except Exception as error:
            if os.environ.get("DNN_DEBUG"):
                raise
            say(f"dnn {options.command}: error: {_one_line(error)}", error=True)
            return 2
        except KeyboardInterrupt:
            say(f"\ndnn {options.command}: interrupted", error=True)
            return 130


def _parsed(arguments):
    options = parser().parse_args(arguments)
    if options.command == "train":
        if options.preset:
            options = parser(recipe.PRESETS[options.preset]).parse_args(arguments)
        names = vars(options).keys() - {"run", "command", "resume"}
        typed = vars(parser(dict.fromkeys(names)).parse_args(arguments))
        options.given = {name: typed[name] for name in names if typed[name] is not None}
    return options


def _one_line(error):
    """What an error says, without line breaks or other signs that a terminal obeys."""
    text = " ".join([str(error), *getattr(error, "__notes__", ())])
    if isinstance(error, MemoryError):
        text = f"out of memory. {text}"
    elif not isinstance(error, ValueError | TypeError | IndexError | OSError | RuntimeError):
        text = f"{type(error).__name__}: {text}"
    text = " ".join(line.strip() for line in text.splitlines())
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


class _Output:
    """A stream whose reader may leave, as `head` does: what is written after that goes nowhere, and
    what is being done goes on."""

    def __init__(self, name, stream):
        self._name, self._stream = name, stream

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        return self._try(self._stream.write, text)

    def flush(self):
        if hasattr(self._stream, "flush"):
            self._try(self._stream.flush)

    def _try(self, call, *arguments):
        try:
            return call(*arguments)
        except OSError as error:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self._stream.fileno())  # so that Python can end without another error
            os.close(nowhere)
            if not isinstance(error, BrokenPipeError):
                raise OSError(error.errno, error.strerror, self._name) from None
            return len(arguments[0]) if arguments else None


@contextlib.contextmanager
def _output(name):
    before = getattr(sys, name)
    if before is None:  # as in a service
        yield
        return
    setattr(sys, name, _Output(name, before))
    try:
        yield
    finally:
        setattr(sys, name, before)


def parser(preset=None) -> argparse.ArgumentParser:
    """preset: {option of `dnn train`: its default}."""
    top = Parser(
        prog="dnn",
        description="Train dense networks on hand-written GPU kernels, or on a fast CPU backend.",
        epilog="An error prints one line; DNN_DEBUG=1 shows where it came from.",
    )
    top.add_argument("--version", action="version", version=f"dnn {__version__} (dense-kernels)")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    _train(commands).set_defaults(**preset or {})
    _evaluate(commands)
    _predict(commands)
    _tour(commands)
    _doctor(commands)
    return top


class _Help(argparse.ArgumentDefaultsHelpFormatter):
    """Defaults behind each option, but for those without one, whose help says what happens then."""

    def _get_help_string(self, action):
        return action.help if action.default is None else super()._get_help_string(action)


def _command(commands, name, run, help):
    command = commands.add_parser(name, help=help, description=help, formatter_class=_Help)
    command.set_defaults(run=run)
    return command


def _train(commands):
    command = _command(commands, "train", train, "Train a network and write it to a folder.")
    add = command.add_argument
    add("dataset", nargs="?", default="fashion-mnist", choices=datasets.NAMES, help="data set")
    add("--preset", choices=recipe.PRESETS, help="options that other options then override")
    add("--hidden", type=int, nargs="*", default=[128], metavar="UNITS", help="hidden layers")
    add("--activation", default="relu", choices=activations.names(), help="of the hidden layers")
    switch = argparse.BooleanOptionalAction
    add("--batch-norm", action=switch, default=False, help="normalise the hidden layers' batches")
    add("--dropout", type=float, default=0.0, help="share of hidden units left out of a step")
    add("--flip", action=switch, default=False, help="mirror half of the training images")
    add("--shift", type=int, default=0, metavar="PIXELS", help="shift training images so far")
    add("--epochs", type=int, default=10, help="passes over the training data")
    add("--batch-size", type=int, default=128, help="samples a step")
    add("--learning-rate", type=float, default=3e-3, help="the schedule's highest rate")
    add("--optimizer", default="adam", choices=optimizers.catalog.by_name, help="update rule")
    add("--schedule", default="one-cycle", choices=recipe.SCHEDULES, help="rate over the steps")
    add("--weight-decay", type=float, help="decoupled (default: the optimizer's own)")
    add("--label-smoothing", type=float, default=0.0, help="share spread over all classes")
    add("--validation-split", type=float, default=0.1, help="share held out; 0 for none")
    add(
        "--device",
        default="auto",
        choices=DEVICES,
        help="where to compute; emulated: the GPU's kernels on the CPU, checked, some 0.5 s a step",
    )
    add("--precision", default="float32", choices=PRECISIONS, help="of a GPU's products")
    add("--seed", type=int, default=0, help="of weights, order and validation split")
    add("--output", help="new folder to write to (default: runs/DATASET-TIME)")
    add(
        "--resume",
        metavar="FOLDER",
        help="go on with the run in this folder, with its options, after whatever stopped it",
    )
    add("--data-dir", help="folder with the data set's files (default: see `dnn doctor`)")
    return command


def _evaluate(commands):
    command = _command(commands, "evaluate", evaluate, "Print a model's loss and accuracy.")
    add = command.add_argument
    add("model", help="a model.safetensors that `dnn train` wrote")
    add("dataset", nargs="?", default="fashion-mnist", choices=datasets.NAMES, help="data set")
    add("--device", default="auto", choices=DEVICES, help="where to compute")
    add("--data-dir", help="folder with the data set's files")


def _predict(commands):
    command = _command(commands, "predict", predict, "Print the class of images.")
    add = command.add_argument
    add("model", help="a model.safetensors that `dnn train` wrote")
    add(
        "images",
        nargs="+",
        metavar="IMAGE",
        help="image (PNG, JPEG, GIF, BMP, TIFF, WebP, …), or .npy array of one or more; light on "
        "dark and of the size of the data",
    )
    add("--device", default="auto", choices=DEVICES, help="where to compute")


def _tour(commands):
    command = _command(
        commands,
        "tour",
        tour,
        "Run the basics as examples on the CPU, and write them as one HTML page.",
    )
    add = command.add_argument
    add("--output", default="runs/tour.html", metavar="PATH", help="page to write")
    add("--without-images", action="store_true", help="leave Fashion-MNIST out")
    add("--data-dir", help="folder with the data set's files (default: see `dnn doctor`)")


def _doctor(commands):
    _command(commands, "doctor", doctor, "Check this machine; print what to type for each problem.")


def train(options) -> int:
    from dnn.command import runs

    return runs.train(options)


def evaluate(options) -> int:
    from dnn import load_model

    model = load_model(options.model, device=options.device)
    _, (x, y) = datasets.load(options.dataset, options.data_dir)
    if isinstance(model.loss, losses.CategoricalCrossentropy):
        y = one_hot(y, len(datasets.class_names(options.dataset)))
    values = model.evaluate(x, y, return_dict=True)
    names = [*(metric.name for metric in model.metrics), "loss"]
    figures = [f"test {name} {values[name]:.4f}" for name in names]
    say(f"{', '.join(figures)}, {len(x):,} images")
    return 0


def predict(options) -> int:
    """Every file that can be read is answered; the others are named, and the status is 2."""
    from dnn import images, load_model

    model, status = load_model(options.model, device=options.device), 0
    images.require_classes(model)
    for path in options.images:
        try:
            with warnings.catch_warnings(record=True) as noted:
                warnings.simplefilter("always", UserWarning)
                probabilities = images.probabilities(model, images.read(path, model.input_shape))
            _note("warning", path, *noted)
        except (ValueError, TypeError, OSError) as error:
            if os.environ.get("DNN_DEBUG"):
                raise
            _note("error", path, error)
            status = 2
            continue
        for i, p in enumerate(probabilities):
            best = int(p.argmax())
            name = model.class_names[best] if model.class_names else best
            where = f"{path}[{i}]" if len(probabilities) > 1 else path
            say(f"{where}: {name} {p[best]:.4f}")
    return status


def _note(kind, path, *notes):
    """One line each, which names the file."""
    for note in notes:
        text = str(getattr(note, "message", note))
        text = text if str(path) in text else f"{path}: {text}"
        say(f"dnn predict: {kind}: {text}", error=True)


def tour(options) -> int:
    from dnn import tour

    tour.run(options.output, images=not options.without_images, data_dir=options.data_dir)
    return 0


def doctor(options) -> int:
    from dnn.command.doctor import report

    return report()
