"""A training run of the command line."""

import argparse
import contextlib
import signal
import statistics
import sys
import threading
import time

from dnn import Sequential, datasets, devices, interrupts, plots, versions
from dnn.callbacks import History
from dnn.command import recipe, run_folder
from dnn.command.run_folder import RunFolder, to_resume
from kernels import both_ends
from kernels.text import say

NOT_OF_THE_RUN = ("run", "command", "resume", "given")  # what else a parsed command line holds
SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")  # not all on Windows
SHARE = 20  # a checkpoint is kept when so many times the seconds that the last took have passed
WITHIN_S = 10.0  # and in the middle of an epoch when so many have


def train(options) -> int:
    """`dnn train`: model.safetensors, history.csv, metrics.json and two pictures; with
    options.resume what a run that was stopped would have come to, bit for bit.

    options.given: {name: value} of the options that were typed."""
    if options.resume is not None:
        return _resume(options)
    path = run_folder.free(options.output, options.dataset)
    model = _new(options, options.device)
    data = list(datasets.load(options.dataset, options.data_dir))
    path.mkdir(parents=True, exist_ok=True)  # before the training: it must not end in an error
    folder = RunFolder(path)
    with folder.held():
        run_folder.free(path, options.dataset)  # nobody has begun there meanwhile
        about = {k: v for k, v in vars(options).items() if k not in NOT_OF_THE_RUN}
        folder.begin(about, model.device)
        return _stoppable(folder, about, model, data)


def _resume(options) -> int:
    folder = RunFolder(options.resume)
    if not folder.path.is_dir():
        raise ValueError(f"--resume: there is no folder {folder.path}; expected one of a run")
    with folder.held():
        begun = folder.begun()
        about, given = begun["options"], dict(options.given)
        data_dir = given.pop("data_dir", about.get("data_dir"))  # it holds the same data
        run_folder.require_same(given, about, folder.path)
        folder.sweep()
        if begun["finished"]:
            folder.clear()
            say(f"{folder.path}: finished already, test accuracy {begun['test_accuracy']:.4f}")
            return 0
        of_run = argparse.Namespace(**about)
        model = folder.model(begun["device"]) or _new(of_run, begun["device"])
        return _stoppable(folder, about, model, list(datasets.load(of_run.dataset, data_dir)))


def _new(options, device):
    """The model of a run that begins."""
    model = Sequential(recipe.network(options), seed=options.seed, device=device)
    recipe.compile(model, options)
    return model


class Stopped(KeyboardInterrupt):
    """By a signal. whole: not in the middle of a step."""

    def __init__(self, number, whole):
        self.number, self.whole = number, whole


def _stop(number, frame):
    # Within `fit` a signal waits for the end of the step, whence it is delivered; a second one not
    raise Stopped(number, sys._getframe(1).f_code is interrupts.Signals.deliver.__code__)


@contextlib.contextmanager
def _stopping():
    """Signals that end the process raise Stopped."""
    known = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    defaults = (signal.SIG_DFL, signal.default_int_handler)  # else it is ignored, as by nohup
    before = {n: signal.getsignal(n) for n in known if signal.getsignal(n) in defaults}
    if threading.current_thread() is not threading.main_thread():
        before = {}
    try:
        for number in before:
            signal.signal(number, _stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _stoppable(folder, about, model, data) -> int:
    """As _train; but what stops it says how to go on."""
    keeper = Keeper(folder, folder.history(model.epochs_trained))
    try:
        with _stopping():
            return _train(folder, about, model, data, keeper)
    except Stopped as stopped:
        if stopped.whole and len(keeper.epoch) == model.epochs_trained:
            folder.keep(model, keeper)
        at = f"{model.epochs_trained} of {about['epochs']} epochs"
        said = f"stopped after {at}. Go on with: {to_resume(folder.path)}"
        say(f"\ndnn train: {said}", error=True)
        return 128 + stopped.number
    except (OSError, MemoryError) as error:
        error.add_note(f"When that is mended, go on with: {to_resume(folder.path)}")
        raise


def _train(folder, about, model, data, keeper) -> int:
    options = argparse.Namespace(**about)
    x, y = data.pop(0)  # so that nothing holds them after the training
    ((x_test, y_test),) = data
    model.class_names = datasets.class_names(options.dataset)
    if not model.built:
        model.build(x.shape[1:])
    sizes = "-".join(map(str, [model.units[0], *options.hidden, model.units[-1]]))
    say(
        f"{options.dataset}: {sizes}, {model.count_params():,} parameters, on "
        f"{model.device} ({devices.describe(model.device)})",
        flush=True,
    )

    with both_ends.asked():
        model.fit(
            x,
            y,
            batch_size=options.batch_size,
            epochs=options.epochs,
            callbacks=keeper,
            validation_split=options.validation_split,
            initial_epoch=model.epochs_trained,
        )
    del x, y
    test = model.evaluate(x_test, y_test, return_dict=True)

    model.save(folder / "model.safetensors")
    folder.write_history(keeper)
    title = f"{options.dataset}, {sizes}"
    if keeper.epoch:
        plots.learning_curves(keeper, path=folder / "learning_curves.png", title=title)
    predicted = model.predict(x_test).argmax(axis=1)
    plots.confusion_matrix(
        y_test,
        predicted,
        model.class_names,
        path=folder / "confusion_matrix.png",
        title=f"{title}: test images",
    )
    folder.finish(metrics(model, keeper, test, about))
    say(f"test accuracy {test['accuracy']:.4f}, test loss {test['loss']:.4f}")
    say(f"written to {folder.path}")
    return 0


class Keeper(History, reads_gradients=False):
    """The values of all epochs, also those before, kept in the folder with the model."""

    every_batch = False

    def __init__(self, folder, before):
        self.folder, self.history, self.epoch = folder, before.history, before.epoch
        self.kept_s = time.monotonic()
        self.pause_s = 0.0

    def on_train_batch_end(self, batch, logs):
        within = self.model.samples_trained > 0  # else the epoch's end comes next
        if within and time.monotonic() - self.kept_s > max(self.pause_s, WITHIN_S):
            self.keep()

    def on_epoch_end(self, epoch, logs):
        super().on_epoch_end(epoch, logs)
        if time.monotonic() - self.kept_s > self.pause_s:
            self.keep()

    def keep(self):
        began_s = time.monotonic()
        self.folder.keep(self.model, self)
        self.kept_s = time.monotonic()
        self.pause_s = SHARE * (self.kept_s - began_s)


def metrics(model, history, test, about) -> dict:
    """The result and everything that it depends on. about: the options of the command line."""
    seconds = history.history.get("seconds", [])
    return {
        "test_accuracy": test["accuracy"],
        "test_loss": test["loss"],
        "epochs": len(history.epoch),
        "seconds_per_epoch": statistics.median(seconds) if seconds else None,
        "device": model.device,
        "device_name": devices.describe(model.device),
        "seed": about["seed"],
        "parameters": model.count_params(),
        "options": about,
        "versions": versions.installed(),
    }
