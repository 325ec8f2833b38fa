"""What every layer is."""

from kernels import activations


class Layer:
    """A subclass is a dataclass. Its input and output are float32 (B, units).

    computes: False for a layer that only describes shapes; it is left out of the execution.
    function: the activation that its output passes through; the layer after it multiplies the
    gradient by its derivative, so that every layer's backward is given dz, the gradient with
    respect to what its own activation was applied to.
    """

    computes = True
    function = activations.get(None)

    def output_units(self, units):
        """Outputs per sample for so many inputs per sample."""
        return units

    def parameter_shapes(self, units):
        """{name: shape} of the parameters for so many inputs; (I, O) for weights."""
        return {}

    def initial(self, name, shape, seed, stream):
        """float32 initial values of a parameter."""
        raise TypeError(f"{type(self).__name__}: has parameters but defines no initial")

    def forward(self, x, parameters, function, precision, z, y):
        """Write the output to y, and what `function` is applied to to z unless that is None."""
        raise TypeError(f"{type(self).__name__}: defines no forward")

    def backward(self, dz, x, parameters, gradients, before, precision, dx):
        """Write the parameters' gradients, and to dx, unless it is None, the dz of the layer
        before. before: (function, saved) of that layer; saved is what its derivative reads."""
        raise TypeError(f"{type(self).__name__}: defines no backward")
