"""What every callback is, and the list that calls them."""

import contextlib
import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from dnn.attributes import Attributes

if TYPE_CHECKING:
    from dnn.model import Sequential


class Callback(Attributes):
    """Subclass and override; `self.model` is the model, `self.params` holds epochs, steps, samples.

    Setting self.model.stop_training = True ends the run after the batch or epoch. What a batch has
    left on the device is in self.model.running (dnn/running.py).

    every_batch: whether on_train_batch_begin and on_train_batch_end must be called for each batch,
    unless compile's steps_per_execution says otherwise. Default: wherever one is overridden.
    reads_gradients: whether it reads self.model.gradients. Where no callback does, a GPU may update
    the parameters without storing them. Default: True; of the library's own callbacks none does,
    as each says of itself, and not of its subclasses: class History(Callback,
    reads_gradients=False).
    A method on_… that is none of the events here is refused with a TypeError when the training
    begins. A copy, or what comes back from pickle, is of no model until it is given to `fit`.
    """

    model: "Sequential" = None
    params: dict[str, int] = None
    _reads_gradients = True

    @property
    def every_batch(self) -> bool:
        return any(_overrides(self, event) for event in OF_BATCHES)

    def __init_subclass__(cls, reads_gradients=True, **options):
        super().__init_subclass__(**options)
        cls._reads_gradients = reads_gradients

    @property
    def reads_gradients(self) -> bool:
        return type(self)._reads_gradients

    def set_model(self, model: "Sequential") -> None:
        """Before on_train_begin: the model that is trained."""
        self.model = model

    def set_params(self, params: dict[str, int]) -> None:
        """Before on_train_begin: {"epochs": …, "steps": …, "samples": …}."""
        self.params = params

    def on_train_begin(self, logs: dict[str, float]) -> None:
        """Before the first epoch. One that raises ends the training before it has begun; those
        that have begun are ended, the last of them first."""

    def on_epoch_begin(self, epoch: int, logs: dict[str, float]) -> None:
        """Before epoch number `epoch`, counted from 0."""

    def on_train_batch_begin(self, batch: int, logs: dict[str, float]) -> None:
        """Before a batch is issued, or so many as compile's steps_per_execution says, `batch` the
        first. logs is empty."""

    def on_train_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        """After a batch was issued, or so many as compile's steps_per_execution says, `batch` the
        last. logs is empty: reading a loss would stop the device, and is up to the callback:
        self.model.running.losses."""

    def on_test_begin(self, logs: dict[str, float]) -> None:
        """Before the validation of an epoch, where there is one."""

    def on_test_batch_begin(self, batch: int, logs: dict[str, float]) -> None:
        """Before a batch of the validation is issued. logs is empty."""

    def on_test_batch_end(self, batch: int, logs: dict[str, float]) -> None:
        """After it."""

    def on_test_end(self, logs: dict[str, float]) -> None:
        """After the validation."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        """logs: {"loss", "accuracy", "seconds", "val_loss", …}. A value that a callback adds is
        seen by those behind it in the list, by the display, and by History, the last."""

    def on_train_end(self, logs: dict[str, float]) -> None:
        """After the last epoch, or when an exception ends the run: close what was opened. It is
        called whatever other callbacks raise; the first error of all is the one that is raised."""

    def __getstate__(self):
        return vars(self) | {"model": None}


EVENTS = tuple(name for name in vars(Callback) if name.startswith("on_"))
OF_BATCHES = ("on_train_batch_begin", "on_train_batch_end")


def _overrides(callback, event):
    return getattr(type(callback), event) is not getattr(Callback, event)


class CallbackList:
    """Calls each callback in order. before_batches, after_batches: what is to be called with
    (batch, logs) there, of the callbacks that have something to do."""

    def __init__(self, callbacks: Sequence[Callback], model: "Sequential", **params: Any):
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(
                    f"callbacks: got {type(callback).__name__}; expected dnn.callbacks.Callback"
                )
            _require_events(callback)
        for callback in callbacks:
            callback.set_params(params)
            callback.set_model(model)
        self.callbacks = callbacks
        self.before_batches, self.after_batches = (
            [getattr(c, event) for c in callbacks if _overrides(c, event)] for event in OF_BATCHES
        )

    @contextlib.contextmanager
    def training(self) -> Any:
        """on_train_begin of all; at the end of the block, however it ends, on_train_end of all."""
        begun, error = [], None
        try:
            for callback in self.callbacks:
                callback.on_train_begin({})
                begun.append(callback)
        except BaseException as cause:
            error = cause
            begun.reverse()
        else:
            try:
                yield
            except BaseException as cause:
                error = cause
        for callback in begun:
            try:
                callback.on_train_end({})
            except BaseException as cause:
                if error is None:
                    error = cause
                else:
                    error.add_note(f"{type(callback).__name__}.on_train_end then raised {cause!r}")
        if error is not None:
            raise error

    def __getattr__(self, event):
        def call(*arguments):
            for callback in self.callbacks:
                getattr(callback, event)(*arguments)

        return call


def _require_events(callback):
    """Refuse methods that nothing would call."""
    for name in dir(callback):
        if name.startswith("on_") and name not in EVENTS:
            near = difflib.get_close_matches(name.replace("on_batch", "on_train_batch"), EVENTS, 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise TypeError(
                f"callbacks: {type(callback).__name__} has a method {name!r}, which nothing would "
                f"call; expected one of {', '.join(map(repr, EVENTS))}.{hint}"
            )
