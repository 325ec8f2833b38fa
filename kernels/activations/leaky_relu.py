"""Leaky ReLU: f(z) = z for z > 0, else slope · z, with slope 0.01; f'(0) = slope.

0.01 is the slope of the paper and of PyTorch; Keras' layer defaults to 0.3. For another slope make
an Activation of your own. The output has the sign of the input, so the derivative can read it.
Source: Maas, Hannun and Ng, Rectifier nonlinearities improve neural network acoustic models, 2013.
"""

import numpy as np

SLOPE = 0.01
aliases = ("lrelu",)


def forward(z):
    return SLOPE * z if z <= 0.0 else z


def derivative(y):
    return 1.0 if y > 0.0 else SLOPE


def reference(z):
    return np.where(z > 0, z, z * z.dtype.type(0.01))


def reference_derivative(y):
    return np.where(y > 0, y.dtype.type(1), y.dtype.type(0.01))
