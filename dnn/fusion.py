"""Which kernels run: one plan of a model and a batch of so many rows.

A layer, the loss and the optimizer each have a kernel, or some, of their own. Where there is one
for it, the last layer, the loss and the way back to the layer before are one (Loss.fused_linear),
and so are a linear layer's gradients and the optimizer's step by them (Optimizer.fused_backward).
The plan is made when the buffers are, and again when a part of the model was changed.
"""

from dataclasses import dataclass

from dnn.layers.base import Layer
from kernels import activations


@dataclass(frozen=True)
class Plan:
    """layers: those that run, in their order. streams: which of the model's computing layers they
    are. activations: of each, the identity where the loss is computed from what goes into it.
    first: the first of them with parameters, and the last one backward: what comes before needs no
    gradient. scales_input: whether a layer takes the place of the scaling of bytes.
    recordable: whether all that is called are kernels, so that the calls can be recorded.
    loss_in_last: whether one kernel computes the last layer, the loss, and the gradient of its
    input. update_in_backward: whether the kernels that make the gradients update the parameters
    too, and store none. clips: whether gradients are clipped.
    """

    layers: tuple[Layer, ...]
    streams: tuple[int, ...]
    activations: tuple[activations.Activation, ...]
    first: int
    scales_input: bool
    recordable: bool
    loss_in_last: bool = False
    update_in_backward: bool = False
    clips: bool = False


def plan(model, batch, *, logits=False, training=False, gradients_read=True) -> Plan:
    """The plan of a built model for batches of up to `batch` rows.

    logits: the last activation is left to the loss. training: of a step, else of the forward pass
    alone. gradients_read: whether somebody reads model.gradients after a step.
    """
    computing = enumerate(layer for layer in model.layers if layer.computes)
    used = [(i, layer) for i, layer in computing if training or not layer.training_only]
    streams, layers = zip(*used, strict=True)
    functions = [layer.function for layer in layers]
    if logits:
        functions[-1] = activations.get(None)
    with_parameters = [i for i, stream in enumerate(streams) if model.parameters[stream]]
    first = min(with_parameters, default=len(layers))
    scales_input = any(layer.scales_input for layer in layers[:first])
    parts = (*layers, model.loss, model.optimizer) if training else layers
    recordable = all(part.recordable for part in parts)
    forward = (layers, streams, tuple(functions), first, scales_input, recordable)
    if not training:
        return Plan(*forward)
    clips = model.optimizer.clipping()[0] is not None
    return Plan(
        *forward,
        recordable and _loss_in_last(model, layers[-1], functions[-1]),
        recordable and not gradients_read and not clips and _all_faster(model, used, batch),
        clips,
    )


def _loss_in_last(model, last, function):
    fits = model.units[-1] <= model.loss.most_fused_units
    return last.linear and function.name == "identity" and fits


def _all_faster(model, used, batch):
    """Whether all parameters are those of linear layers, whose gradients and update are better
    made by one kernel."""
    return all(
        layer.linear
        and model.optimizer.is_fused_faster(
            model.device, model.precision, batch, *model.parameters[i]["w"].shape
        )
        for i, layer in used
        if model.parameters[i]
    )
