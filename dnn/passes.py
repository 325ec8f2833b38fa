"""Forward, backward and update on one batch, over preallocated buffers.

gather -> each layer forward -> loss and dlogits -> each layer backward -> the optimizer, all on the
device; nothing is read back. Which kernels that takes is up to fusion.py, and whether the calls of
a step are made anew each time or recorded as a graph to graphs.py.
"""

from dataclasses import dataclass, replace

import numpy as np

import kernels
from dnn import devices, fusion
from dnn.layers.base import Layer
from dnn.place import Place


class Passes:
    """The buffers of one model for batches of up to `batch` rows, and the passes over them.

    Rows of a buffer are contiguous, so a smaller last batch uses the first rows of each.
    x: float32 (batch, inputs), which `Batches.load` fills. y, z, dz: of each layer that runs, as
    Place's; z None where nobody reads it. logits, training, gradients_read: as fusion.plan's.
    """

    def __init__(self, model, batch, *, logits=False, training=False, gradients_read=True):
        self.model, self.batch, self.training = model, batch, training
        self._chosen = {"logits": logits, "training": training}
        self.replan(gradients_read)
        units = [model.units[0], *(model.units[i + 1] for i in self.plan.streams)]
        self.x, *self.y = (self._empty((batch, n)) for n in units)
        self.z = [
            self._empty(y.shape) if training and function.reads == "z" else None
            for y, function in zip(self.y, self.plan.activations, strict=True)
        ]
        # Zeros: that of a layer before the first parameters is never written
        self.dz = [devices.zeros(model.device, y.shape) for y in self.y] if training else None
        self.saved = [
            {name: self._empty(shape) for name, shape in layer.saved_shapes(n).items()}
            for layer, n in zip(self.plan.layers, units[:-1], strict=True)
        ]

    def _empty(self, shape):
        return devices.empty(self.model.device, shape, np.float32)

    def replan(self, gradients_read=None):
        """Anew, after a part of the model was changed, or where gradients are read or not now."""
        if gradients_read is not None:
            self._chosen["gradients_read"] = gradients_read
        self.plan = fusion.plan(self.model, self.batch, **self._chosen)
        self._ways = {}

    def forward(self, rows, step=None):
        """The output of the last layer for the rows of x.

        step: the number of the training step; None in evaluation."""
        way = self._way(rows)
        for layer, place in way.forward:
            layer.forward(place, step)
        return way.last.y

    def step(self, losses, hits, step, rate, targets, weights=None):
        """Forward, loss, backward, update on the rows of x; losses and hits receive each row's.

        step (from 1) and rate: numbers, or arrays (1,) on the device, which a graph reads at every
        replay. targets, weights: of each row."""
        model, plan, rule, rows = self.model, self.plan, self.model.optimizer, len(losses)
        way = self._ways.get(rows) or self._way(rows)
        for layer, place in way.before_loss:
            layer.forward(place, step)
        if plan.loss_in_last:
            model.loss.fused_linear(way.last, targets, weights, 1 / rows, losses, hits)
        else:
            self._loss(way.last, targets, weights, losses, hits)
        for layer, place in way.backward:
            if plan.update_in_backward and place.gradients:
                rule.fused_backward(place, step, rate)
            else:
                layer.backward(place, step)
        if plan.clips:
            model.clipper.clip(rule, model.gradient_arena)
        if not plan.update_in_backward:
            rule.update(model.arena, model.gradient_arena, model.optimizer_state, step, rate)
        if rule.use_ema:
            rule.average(model.arena, model.optimizer_state, step)

    def _loss(self, last, targets, weights, losses, hits):
        """The loss of the last layer's output, and dz of what that came from."""
        weighted = {} if weights is None else {"weights": weights}
        self.model.loss(last.y, targets, 1 / len(losses), losses, last.dz, hits, **weighted)
        function = last.activation
        if function.name != "identity":
            saved = last.y if function.reads == "y" else last.z
            kernels.activation_backward(last.dz, saved, function, out=last.dz)

    def _way(self, rows):
        """The places of a batch of so many rows, made once."""
        if rows not in self._ways:
            plan = self.plan
            slots = self._slots() if plan.update_in_backward else None
            places = [self._place(i, rows, slots) for i in range(len(plan.layers))]
            forward = backward = list(zip(plan.layers, places, strict=True))
            if plan.loss_in_last:
                layer, last = forward[-1]  # its dx comes with the loss
                backward = [*forward[:-1], (layer, replace(last, dx=None))]
            self._ways[rows] = _Way(
                forward,
                forward[:-1] if plan.loss_in_last else forward,
                places[-1],
                backward[plan.first :][::-1] if self.training else [],
            )
        return self._ways[rows]

    def _slots(self):
        """Of each of the model's layers, Place.slots."""
        state = self.model.optimizer_state.items()
        views = {slot: self.model.layout.views(array) for slot, array in state}
        return [{slot: of_all[i] for slot, of_all in views.items()} for i in self.plan.streams]

    def _place(self, i, rows, slots):
        """Of layer i. What comes before the first parameters is asked for no dx."""
        model, plan, stream = self.model, self.plan, self.plan.streams[i]
        x = self.x[:rows] if i == 0 else self.y[i - 1][:rows]
        place = Place(
            x,
            self.y[i][:rows],
            None if self.z[i] is None else self.z[i][:rows],
            model.parameters[stream],
            model.states[stream],
            plan.activations[i],
            model.precision,
            model.seed,
            stream,
            saved=self.saved[i],
        )
        if self.training:
            place.dz, place.gradients = self.dz[i][:rows], model.gradients[stream]
            place.slots = slots[i] if slots else {}
        if self.training and i > plan.first:
            place.dx, place.x_activation = self.dz[i - 1][:rows], plan.activations[i - 1]
            place.x_saved = x if place.x_activation.reads == "y" else self.z[i - 1][:rows]
        return place


@dataclass
class _Way:
    """The layers with their places, in the order in which they are called: forward, those of them
    before the loss's kernel, and backward. last: the last layer's place."""

    forward: list[tuple[Layer, Place]]
    before_loss: list[tuple[Layer, Place]]
    last: Place
    backward: list[tuple[Layer, Place]]
