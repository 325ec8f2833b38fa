"""A network's passes over preallocated buffers.

gather -> each layer forward -> loss and dlogits -> each layer backward -> the optimizer, all on the
device; nothing is read back. Where there is a kernel for it, the last layer, the loss and the way
back to the layer before are one (Loss.of_linear), and so are a layer's gradients and the
optimizer's step by them (Optimizer.of_linear). Whether the calls of a training step are made
anew each time or recorded as a graph is up to dnn/steps.py.
"""

import functools

import numpy as np

import kernels
from dnn import devices
from dnn.data import SCALE_OF_BYTES
from dnn.layers.base import Training


def _of_kernels_alone(model):
    """Whether kernels are all that a step calls. A user's own layer, loss or optimizer may compute
    in NumPy too, which no graph would see."""
    parts = (*model.layers, model.loss, model.optimizer)
    return all(type(part).__module__.startswith("dnn.") for part in parts)


class Execution:
    """The buffers of one model for batches of up to `batch_size` rows.

    Rows of a buffer are contiguous, so a smaller last batch uses the first rows of each.
    logits: run the last activation as the identity, for a loss that is computed from logits.
    of_kernels: whether kernels are all that a training step calls, so that it can be a graph.
    """

    def __init__(self, model, batch_size, logits, training=False):
        self.model = model
        computing = enumerate(layer for layer in model.layers if layer.computes)
        used = [(i, layer) for i, layer in computing if training or not layer.training_only]
        self.streams, self.layers = zip(*used, strict=True)
        self.functions = [layer.function for layer in self.layers]
        if logits:
            self.functions[-1] = kernels.activations.get(None)
        self.parameters = [model.parameters[i] | model.states[i] for i in self.streams]
        self.gradients = [model.gradients[i] for i in self.streams]
        units = [model.units[0], *(model.units[i + 1] for i in self.streams)]
        shapes = [(batch_size, n) for n in units]
        self.x = self._empty(shapes[0])
        self.y = [self._empty(shape) for shape in shapes[1:]]
        self.z = [
            self._empty(shape) if training and function.reads == "z" else None
            for shape, function in zip(shapes[1:], self.functions, strict=True)
        ]
        with_parameters = [i for i, parameters in enumerate(self.gradients) if parameters]
        self.first = min(with_parameters, default=len(self.layers))  # the last one backward
        self.scales_input = any(layer.scales_input for layer in self.layers[: self.first])
        self.dz = [devices.zeros(model.device, shape) for shape in shapes[1:]] if training else None
        self.saved = [
            {name: self._empty(shape) for name, shape in layer.saved_shapes(n).items()}
            for layer, n in zip(self.layers, units[:-1], strict=True)
        ]
        self.of_kernels = training and _of_kernels_alone(model)
        self.with_loss = self.of_kernels and self._last_with_loss()
        self.keeps_gradients = True  # in model.gradients, for whoever reads them there
        self.slots = self._slots() if self.of_kernels and self._all_pay(batch_size) else None

    def _last_with_loss(self):
        """Whether one kernel computes the last layer, the loss, and the gradient of its input."""
        loss, last = self.model.loss, self.layers[-1]
        identity = self.functions[-1].name == "identity"
        fits = self.y[-1].shape[1] <= loss.most_linear_units
        return last.linear and identity and loss.of_linear is not None and fits

    def _all_pay(self, rows):
        """Whether all parameters are those of linear layers, whose gradients and update are better
        made by one kernel."""
        model = self.model
        pays = functools.partial(model.optimizer.pays_of_linear, model.device, model.precision)
        layers = zip(self.layers, self.gradients, strict=True)
        return all(
            layer.linear and pays(rows, *parameters["w"].shape)
            for layer, parameters in layers
            if parameters
        )

    def _slots(self):
        """Of each layer: {slot: {name: the part of the optimizer's state for that parameter}}."""
        state = self.model.optimizer_state.items()
        views = {slot: self.model.layout.views(array) for slot, array in state}
        return [{slot: of_all[i] for slot, of_all in views.items()} for i in self.streams]

    def updates_in_backward(self):
        """Whether the kernels that make the gradients update the parameters, and store none."""
        rule = self.model.optimizer
        return self.slots is not None and not self.keeps_gradients and rule.clipping()[0] is None

    def _empty(self, shape, dtype=np.float32):
        return devices.empty(self.model.device, shape, dtype)

    def load(self, x, start, rows, key=None):
        """Bring rows of the data into the input buffer. start and key: as kernels.gather's."""
        scale = SCALE_OF_BYTES if x.dtype == np.uint8 and not self.scales_input else 1.0
        kernels.gather(x, start, rows, key=key, scale=scale, out=self.x[:rows])

    def forward(self, rows, number=None, end=None):
        """The output of the last layer, or of layer end − 1, for the rows that were loaded.

        number: of the training step; None in evaluation."""
        x = self.x[:rows]
        for i, layer in enumerate(self.layers[:end]):
            z = None if self.z[i] is None else self.z[i][:rows]
            y = self.y[i][:rows]
            layer.forward(
                x, self.parameters[i], self.functions[i], self.model.precision, z, y,
                self._training(i, number),
            )  # fmt: skip
            x = y
        return x

    def _training(self, i, number):
        if number is None:
            return None
        return Training(self.model.seed, self.streams[i], number, self.saved[i])

    def backward(self, rows, number, rate):
        """The gradients of all parameters, or, where nobody needs these, the parameters after the
        step. dz of the last layer is there already. What comes before the first parameters needs
        none: it is not asked, and its dz stays 0."""
        model, updating = self.model, self.updates_in_backward()
        for i in reversed(range(self.first, len(self.layers))):
            x, before, dx = self._behind(i, rows)
            if self.with_loss and i == len(self.layers) - 1:
                dx = None  # is there already
            dz, parameters = self.dz[i][:rows], self.parameters[i]
            if updating and self.gradients[i]:
                rule = model.optimizer
                rule.of_linear(
                    dz, x, parameters, self.slots[i], number, rate, before, model.precision, dx
                )
            else:
                self.layers[i].backward(
                    dz, x, parameters, self.gradients[i], before, model.precision, dx,
                    self._training(i, number),
                )  # fmt: skip

    def _behind(self, i, rows):
        """Layer i's input, (function, saved) of the layer before, and where that one's dz goes;
        None where nothing asks for it."""
        x = self.x[:rows] if i == 0 else self.y[i - 1][:rows]
        if i <= self.first:
            return x, (None, None), None
        function = self.functions[i - 1]
        saved = x if function.reads == "y" else self.z[i - 1][:rows]
        return x, (function, saved), self.dz[i - 1][:rows]

    def last_dz(self, rows):
        """Turn the loss's gradient with respect to the output into that of the last layer's z."""
        function = self.functions[-1]
        if function.name != "identity":
            saved = self.y[-1] if function.reads == "y" else self.z[-1]
            dz = self.dz[-1][:rows]
            kernels.activation_backward(dz, saved[:rows], function, out=dz)

    def step(self, rows, targets, loss, hit, number, rate, weights=None):
        """Forward, loss, backward, update on the rows that were loaded; loss and hit receive each
        row's. number (from 1) and rate: numbers, or arrays (1,) on the device."""
        model = self.model
        if self.with_loss:
            self._forward_with_loss(rows, targets, loss, hit, number, weights)
        else:
            z = self.forward(rows, number)
            weighted = {} if weights is None else {"weights": weights}
            model.loss(z, targets, 1 / rows, loss, self.dz[-1][:rows], hit, **weighted)
            self.last_dz(rows)
        self.backward(rows, number, rate)
        if not self.updates_in_backward():
            model.clipper.clip(model.optimizer, model.gradient_arena)
            model.optimizer.update(
                model.arena, model.gradient_arena, model.optimizer_state, number, rate
            )
        model.optimizer.average(model.arena, model.optimizer_state, number)

    def _forward_with_loss(self, rows, targets, loss, hit, number, weights):
        """Forward, the loss, dz of the last layer and of the one before it."""
        self.forward(rows, number, end=-1)
        x, before, dx = self._behind(len(self.layers) - 1, rows)
        w, b = self.parameters[-1]["w"], self.parameters[-1].get("b")
        self.model.loss.of_linear(
            x, w, b, targets, 1 / rows, loss, self.dz[-1][:rows], hit, weights, self.y[-1][:rows],
            before, self.model.precision, dx,
        )  # fmt: skip
