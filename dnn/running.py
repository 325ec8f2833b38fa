"""What a callback can see of the batch that was trained on last: self.model.running."""

import numpy as np

import kernels


class Running:
    """Arrays on the model's device, which the next batch overwrites; a NumPy copy of one is
    dnn.devices.to_host(array). On a GPU that waits for the batch to end.

    rows: B, how many samples the batch had. steps: how many were taken in its execution, its own
    the last: 1, or as many as compile's steps_per_execution says.
    losses: float32 (B,), of each sample. x: float32 (B, I). outputs: of each computing layer,
    float32 (B, units). dz: of each computing layer, the gradient of the loss with respect to what
    its activation was applied to, shaped like its output; 0 before the first layer with
    parameters, where nothing asks for it. The gradients of the parameters are in
    self.model.gradients, where a callback of this fit reads them (Callback.reads_gradients).
    samples: int32 (B,), NumPy: which samples of the x given to `fit` the rows are.
    """

    def __init__(self, passes, losses, kept, batch_size):
        self._passes, self._losses, self._kept, self._batch_size = passes, losses, kept, batch_size
        self.key, self.rows_trained = None, (0, 0)  # (start, end) in the epoch's order

    @property
    def steps(self):
        start, end = self.rows_trained
        return -(-(end - start) // self._batch_size)

    @property
    def start(self):
        """Where in the epoch's order the batch begins."""
        return self.rows_trained[0] + max(0, self.steps - 1) * self._batch_size

    @property
    def rows(self):
        return self.rows_trained[1] - self.start

    @property
    def losses(self):
        return self._losses[self.start : self.start + self.rows]

    @property
    def x(self):
        return self._passes.x[: self.rows]

    @property
    def outputs(self):
        return [y[: self.rows] for y in self._passes.y]

    @property
    def dz(self):
        return [dz[: self.rows] for dz in self._passes.dz]

    @property
    def samples(self):
        numbers = np.arange(len(self._losses), dtype=np.int32)
        numbers = kernels.gather(numbers, self.start, self.rows, key=self.key)
        return numbers if self._kept is None else self._kept[numbers].astype(np.int32)
