"""A network's passes over preallocated buffers, one kernel after the other (eagerly).

gather -> each layer forward -> loss and dlogits -> each layer backward -> the optimizer, all on
the device; nothing is read back.
"""

import numpy as np

import kernels
from dnn import devices
from dnn.data import SCALE_OF_BYTES


class Execution:
    """The buffers of one model for batches of up to `batch_size` rows.

    Rows of a buffer are contiguous, so a smaller last batch uses the first rows of each.
    logits: run the last activation as the identity, for a loss that is computed from logits.
    """

    def __init__(self, model, batch_size, logits, training=False):
        self.model = model
        self.layers = [layer for layer in model.layers if layer.computes]
        self.functions = [layer.function for layer in self.layers]
        if logits:
            self.functions[-1] = kernels.activations.get(None)
        units = model.units
        shapes = [(batch_size, n) for n in units]
        self.x = self._empty(shapes[0])
        self.y = [self._empty(shape) for shape in shapes[1:]]
        self.z = [
            self._empty(shape) if training and function.reads == "z" else None
            for shape, function in zip(shapes[1:], self.functions, strict=True)
        ]
        self.dz = [self._empty(shape) for shape in shapes[1:]] if training else None

    def _empty(self, shape):
        return devices.empty(self.model.device, shape)

    def load(self, x, start, rows, key=None):
        """Bring rows of the data into the input buffer."""
        scale = SCALE_OF_BYTES if x.dtype == np.uint8 else 1.0
        kernels.gather(x, start, rows, key=key, scale=scale, out=self.x[:rows])

    def forward(self, rows):
        """The output of the last layer for the rows that were loaded."""
        x = self.x[:rows]
        for i, layer in enumerate(self.layers):
            z = None if self.z[i] is None else self.z[i][:rows]
            y = self.y[i][:rows]
            layer.forward(
                x, self.model.parameters[i], self.functions[i], self.model.precision, z, y
            )
            x = y
        return x

    def backward(self, rows):
        """The gradients of all parameters; dz of the last layer is there already."""
        for i in reversed(range(len(self.layers))):
            x = self.x[:rows] if i == 0 else self.y[i - 1][:rows]
            before, dx = (None, None), None
            if i > 0:
                function = self.functions[i - 1]
                saved = x if function.reads == "y" else self.z[i - 1][:rows]
                before, dx = (function, saved), self.dz[i - 1][:rows]
            self.layers[i].backward(
                self.dz[i][:rows], x, self.model.parameters[i], self.model.gradients[i],
                before, self.model.precision, dx,
            )  # fmt: skip

    def last_dz(self, rows):
        """Turn the loss's gradient with respect to the output into that of the last layer's z."""
        function = self.functions[-1]
        if function.name != "identity":
            saved = self.y[-1] if function.reads == "y" else self.z[-1]
            dz = self.dz[-1][:rows]
            kernels.activation_backward(dz, saved[:rows], function, out=dz)
