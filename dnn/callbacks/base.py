"""What every callback is, and the list that calls them."""


class Callback:
    """Subclass and override; `self.model` is the model, `self.params` holds epochs, steps, samples.

    Setting self.model.stop_training = True ends the run after the batch or epoch. What a batch has
    left on the device is in self.model.running (dnn/running.py).

    every_batch: whether on_train_batch_end must be called after each batch, unless compile's
    steps_per_execution says otherwise. Default: wherever it is overridden.
    reads_gradients: whether it reads self.model.gradients. Where no callback does, a GPU may update
    the parameters without storing them. Default: True; of the library's own callbacks none does.
    """

    @property
    def every_batch(self):
        return type(self).on_train_batch_end is not Callback.on_train_batch_end

    @property
    def reads_gradients(self):
        return not type(self).__module__.startswith("dnn.")

    def on_train_begin(self, logs):
        """Before the first epoch."""

    def on_epoch_begin(self, epoch, logs):
        """Before epoch number `epoch`, counted from 0."""

    def on_train_batch_end(self, batch, logs):
        """After a batch was issued, or so many as compile's steps_per_execution says, `batch` the
        last. logs is empty: reading a loss would stop the device, and is up to the callback:
        self.model.running.losses."""

    def on_test_begin(self, logs):
        """Before the validation of an epoch, where there is one."""

    def on_test_end(self, logs):
        """After it."""

    def on_epoch_end(self, epoch, logs):
        """logs: {"loss", "accuracy", "seconds", "val_loss", …}."""

    def on_train_end(self, logs):
        """After the last epoch, or when an exception ends the run: close what was opened."""


class CallbackList:
    """Calls each callback in order."""

    def __init__(self, callbacks, model, **params):
        for callback in callbacks:
            if not isinstance(callback, Callback):
                raise TypeError(
                    f"callbacks: got {type(callback).__name__}; expected dnn.callbacks.Callback"
                )
            callback.model, callback.params = model, params
        self.callbacks = callbacks
        self.of_batch = [
            c.on_train_batch_end
            for c in callbacks
            if type(c).on_train_batch_end is not Callback.on_train_batch_end
        ]

    def on_train_batch_end(self, batch, logs):
        for call in self.of_batch:
            call(batch, logs)

    def __getattr__(self, event):
        def call(*arguments):
            for callback in self.callbacks:
                getattr(callback, event)(*arguments)

        return call
