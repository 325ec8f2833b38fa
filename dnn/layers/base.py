"""What every layer is."""

import functools
from dataclasses import dataclass
from typing import Any, ClassVar

from dnn.checked import Checked
from kernels import activations, philox
from kernels.numbers import optional

SEED = optional(functools.partial(philox.whole, bits=63))


def known_activation(name, value):
    """A check: a name is kept as the library has it ("relu" for "ReLU"), an Activation as it is."""
    function = activations.get(value)
    return function.name if isinstance(value, str) else value


@dataclass(frozen=True)
class Training:
    """What a layer is given in a training step, beside its arrays.

    seed: the model's. stream: which computing layer this is, from 0; two layers draw different
    random numbers from one seed. number: of the step, from 1: an int, or an int32 array (1,) on the
    device, which a graph reads at every replay. saved: the arrays of Layer.saved_shapes.
    """

    seed: int
    stream: int
    number: Any
    saved: dict

    def draw(self, seed=None):
        """(seed, step, stream), from which an op draws; seed: a layer's own, or None."""
        return self.seed if seed is None else seed, self.number, self.stream


class Layer(Checked):
    """A subclass is a dataclass. Its input and output are float32 (B, units).

    computes: False for a layer that only describes shapes; it is left out of the execution.
    training_only: True for a layer that is left out of evaluation and prediction.
    linear: True for a layer that is x w + b of its parameters and its function, so that a loss may
    compute it along with itself (Loss.of_linear).
    scales_input: True for a layer that, before any parameters, takes the place of the scaling of
    bytes by 1/255.
    function: the activation that its output passes through; the layer after it multiplies the
    gradient by its derivative, so that every layer's backward is given dz, the gradient with
    respect to what its own activation was applied to.
    """

    ignored: ClassVar = {
        "trainable": "no layer is frozen here. Train those behind it alone: fit a Sequential of "
        "them to model.encodings(x), which holds the outputs of every layer",
    }

    computes = True
    training_only = False
    linear = False
    scales_input = False
    function = activations.get(None)

    def placed(self, input_shape, behind_parameters):
        """Told of its place when the model is built: input_shape, of one of the model's samples,
        such as (28, 28); behind_parameters: whether a layer with parameters comes before.
        Raises ValueError where the layer cannot stand."""

    def output_units(self, units):
        """Outputs per sample for so many inputs per sample."""
        return units

    def parameter_shapes(self, units):
        """{name: shape} of the parameters for so many inputs; (I, O) for weights."""
        return {}

    def state_shapes(self, units):
        """{name: shape} of what training changes without a gradient, as running statistics."""
        return {}

    def saved_shapes(self, units):
        """{name: shape} of what forward leaves for backward in a training step."""
        return {}

    def initial(self, name, shape, seed, stream):
        """float32 initial values of a parameter or of state."""
        raise TypeError(f"{type(self).__name__}: has parameters but defines no initial")

    def forward(self, x, parameters, function, precision, z, y, training):
        """Write the output to y, and what `function` is applied to to z unless that is None.

        parameters: {name: array}, the state too. training: a Training, or None in evaluation."""
        raise TypeError(f"{type(self).__name__}: defines no forward")

    def backward(self, dz, x, parameters, gradients, before, precision, dx, training):
        """Write the parameters' gradients, and to dx, unless it is None, the dz of the layer
        before. before: (function, saved) of that layer; saved is what its derivative reads.
        Only called of the first layer with parameters, with dx None, and of those behind it."""
        raise TypeError(f"{type(self).__name__}: defines no backward")
