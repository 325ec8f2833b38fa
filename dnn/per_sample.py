"""What a pass gives of each sample, on the device until all of it is read as one: the losses, the
hits and, where a metric asks for them, the outputs."""

import numpy as np

import kernels
from dnn import data, devices


class PerSample:
    """losses float32 (n,) and hits uint8 (n,) of each sample, on the model's device; the halves of
    one array, so that one copy brings both to the host. And, where a metric reads them, outputs
    float32 (n, units); truth: the samples' targets as they were given, on the host."""

    def __init__(self, model, n, truth=None):
        self.model, self.truth, self.outputs = model, truth, None
        if truth is not None:
            self.outputs = devices.empty(model.device, (n, model.units[-1]), np.float32)
        self._both = devices.namespace(model.device).zeros(5 * n, np.uint8)
        self.losses, self.hits = self._parts(self._both)
        self.every = [a for a in (self.losses, self.hits, self.outputs) if a is not None]

    @staticmethod
    def _parts(both):
        n = len(both) // 5
        return both[: 4 * n].view(np.float32), both[4 * n :]

    def go_on(self, begun):
        """Take over the first values of an epoch that goes on after `begun` rows, where the model
        has them. Returns the row from which on there are values, 0 or `begun`."""
        before = self.model.training_state.of_epoch
        if not begun or before is None or len(before) < len(self.every):
            return begun
        for here, values in zip(self.every, before, strict=False):
            here[:begun] = devices.to_device(values[:begun], self.model.device)
        return 0

    def means(self, start, end, key=None):
        """{"loss": …, metric: …} of a part of them, read from the device. key: of their order."""
        losses, hits = (a[start:end] for a in self._parts(devices.to_host(self._both)))
        means = {"loss": self.model.loss.total(losses)}
        truth = outputs = None
        if self.outputs is not None:
            order = np.arange(len(self.truth), dtype=np.int32)
            truth = self.truth[kernels.gather(order, start, end - start, key=key)]
            outputs = self._predictions(start, end)
        for metric in self.model.metrics:
            if metric.reads_outputs:
                value = metric.of_loss(self.model.loss, truth, outputs)
                means[metric.name] = data.one_number(f"metric {metric.name!r}", value)
            else:
                means[metric.name] = float(hits.mean(dtype=np.float64))
        return means

    def _predictions(self, start, end):
        """What `predict` gives: where the loss took the place of the last activation, it follows
        now."""
        part = self.outputs[start:end].copy()  # an epoch may go on with the others
        if self.model.from_logits_pass:
            last = [layer for layer in self.model.layers if layer.computes][-1]
            kernels.activation(part, last.function, out=part)
        return devices.to_host(part)
