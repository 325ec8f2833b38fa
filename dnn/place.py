"""Where a layer stands while a batch passes: what it reads and writes, in one object."""

from dataclasses import dataclass, field
from typing import Any

from kernels import activations
from kernels.activations import Activation

IDENTITY = activations.get(None)


@dataclass
class Place:
    """Arrays on the model's device, all of so many rows: x (B, inputs); y (B, units), and z, what
    the activation is applied to, which is None where nobody reads it. In training also dz, as y,
    and dx, as x: the dz of the layer before, None where nothing asks for it.

    parameters, gradients, state: {name: view into the model's arena of them}. slots: {name of the
    optimizer's state array: {name of a parameter: view}}. saved: the arrays of Layer.saved_shapes.
    activation: the function that y = f(z) passes through. x_activation, x_saved: that of the layer
    before, and what its derivative reads; dx is multiplied by it. precision: of products.
    seed: the model's. stream: which computing layer this is, from 0; two layers draw different
    random numbers from one seed.
    """

    x: Any
    y: Any
    z: Any
    parameters: dict[str, Any]
    state: dict[str, Any]
    activation: Activation
    precision: str
    seed: int
    stream: int
    dz: Any = None
    dx: Any = None
    x_activation: Activation = IDENTITY
    x_saved: Any = None
    gradients: dict[str, Any] = field(default_factory=dict)
    slots: dict[str, dict[str, Any]] = field(default_factory=dict)
    saved: dict[str, Any] = field(default_factory=dict)

    def draw(self, step, seed=None):
        """(seed, step, stream), from which an op draws; seed: a layer's own, or None."""
        return self.seed if seed is None else seed, step, self.stream
