"""Softmax: outputs as probabilities."""

from dataclasses import dataclass

from dnn.layers.activation import Activation
from dnn.layers.base import Layer
from kernels import activations


@dataclass
class Softmax(Layer, recordable=True):
    """y = exp(x) / Σ exp(x) over the units of a sample: Activation("softmax") by another name.

    As the last layer it goes with losses that take probabilities (from_logits=False), which then
    compute from its inputs. Keras' argument axis is the units here.
    """

    function = activations.get("softmax")
    forward = Activation.forward
    backward = Activation.backward
