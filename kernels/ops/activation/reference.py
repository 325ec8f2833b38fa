"""activation: the reference in textbook NumPy, for any float dtype.

f and df are NumPy functions of arrays: kernels/reference.py looks them up by name.
"""

import numpy as np


def activation(z, f):
    return f(z)


def activation_backward(dy, s, df):
    return dy * df(s)


def softmax_backward(dy, y):
    return y * (dy - np.sum(dy * y, axis=-1, keepdims=True))
