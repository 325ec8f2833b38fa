"""Binary step: f(z) = 1 for z ≥ 0, else 0 (the threshold unit of the perceptron). NaN stays NaN.

The threshold θ is the bias: w·x ≥ θ is w·x + b ≥ 0 with b = −θ.
"""

import numpy as np

derivative = None
aliases = ("step", "heaviside", "threshold", "hard_limit")
why_not = (
    "its derivative is 0 wherever it exists, so no gradient reaches the weights. Train with "
    "sigmoid, tanh or relu, or set the weights by hand"
)


def forward(z):
    return 1.0 if z >= 0.0 else (0.0 if z < 0.0 else z)


def reference(z):
    return np.where(np.isnan(z), z, np.heaviside(z, 1))
