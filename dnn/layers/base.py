"""What every layer is."""

import functools
from typing import Any, ClassVar

import numpy as np

from dnn.checked import Checked
from dnn.place import Place
from kernels import activations, philox
from kernels.numbers import optional

SEED = optional(functools.partial(philox.whole, bits=63))


def known_activation(name, value):
    """A check: a name is kept as the library has it ("relu" for "ReLU"), an Activation as it is."""
    function = activations.get(value)
    return function.name if isinstance(value, str) else value


class Layer(Checked):
    """A subclass is a dataclass. Its input and output are float32 (B, units).

    computes: False for a layer that only describes shapes; it is left out of the execution.
    training_only: True for a layer that is left out of evaluation and prediction.
    linear: True for a layer that is x w + b of its parameters and its function, so that a loss may
    compute it along with itself (Loss.fused_linear).
    recordable: whether all that forward and backward do is to call kernels, so that a step can be
    recorded once and replayed. A class says so of itself alone: class Dense(Layer,
    recordable=True); a subclass that does not is asked at every step.
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

    def placed(self, input_shape: tuple[int, ...], behind_parameters: bool) -> None:
        """Told of its place when the model is built: input_shape, of one of the model's samples,
        such as (28, 28); behind_parameters: whether a layer with parameters comes before.
        Raises ValueError where the layer cannot stand."""

    def output_units(self, units: int) -> int:
        """Outputs per sample for so many inputs per sample."""
        return units

    def parameter_shapes(self, units: int) -> dict[str, tuple[int, ...]]:
        """{name: shape} of the parameters for so many inputs; (I, O) for weights."""
        return {}

    def state_shapes(self, units: int) -> dict[str, tuple[int, ...]]:
        """{name: shape} of what training changes without a gradient, as running statistics."""
        return {}

    def saved_shapes(self, units: int) -> dict[str, tuple[int, ...]]:
        """{name: shape} of what forward leaves for backward in a training step."""
        return {}

    def initial(self, name: str, shape: tuple[int, ...], seed: int, stream: int) -> np.ndarray:
        """float32 initial values of a parameter or of state."""
        raise TypeError(f"{type(self).__name__}: has parameters but defines no initial")

    def forward(self, place: Place, step: Any) -> None:
        """Write the output to place.y, and what place.activation is applied to to place.z unless
        that is None.

        place: a dnn.place.Place. step: the number of the training step, from 1: an int, or an int32
        array (1,) on the device, which a graph reads at every replay; None in evaluation."""
        raise TypeError(f"{type(self).__name__}: defines no forward")

    def backward(self, place: Place, step: Any) -> None:
        """Write the parameters' gradients, and to place.dx, unless it is None, the dz of the layer
        before. Only called of the first layer with parameters, with no dx, and of those behind
        it."""
        raise TypeError(f"{type(self).__name__}: defines no backward")
