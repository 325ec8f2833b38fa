"""SwapEMAWeights: validate, and save, the average of the weights in place of the weights."""

from dnn.callbacks.base import Callback
from kernels.numbers import truth


class SwapEMAWeights(Callback, reads_gradients=False):
    """The optimizer's average of the weights (use_ema=True) stands in the model during validation.

    swap_on_epoch: also from the end of an epoch to the beginning of the next, default False: so the
    callbacks that follow in the list see the average there.

        model.compile(optimizers.Adam(use_ema=True), loss)
        model.fit(x, y, validation_split=0.1, callbacks=[
            callbacks.SwapEMAWeights(swap_on_epoch=True),
            callbacks.EarlyStopping(restore_best_weights=True),      # the best average
        ])

    The weights come back for training: the run is, bit for bit, the one without this callback.
    Raises ValueError where the optimizer keeps no average. Names and default are Keras'.
    """

    def __init__(self, swap_on_epoch: bool = False):
        self.swap_on_epoch = truth("swap_on_epoch", swap_on_epoch)

    def on_train_begin(self, logs: dict[str, float]) -> None:
        self.model.use_average(True)  # or say at once why not
        self.model.use_average(False)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float]) -> None:
        self.model.use_average(False)

    def on_test_begin(self, logs: dict[str, float]) -> None:
        self.model.use_average(True)

    def on_test_end(self, logs: dict[str, float]) -> None:
        self.model.use_average(False)

    def on_epoch_end(self, epoch: int, logs: dict[str, float]) -> None:
        if self.swap_on_epoch:
            self.model.use_average(True)
