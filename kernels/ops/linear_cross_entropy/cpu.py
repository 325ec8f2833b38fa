"""linear_cross_entropy on the CPU: its linear, softmax_cross_entropy and dx, one after the other,
and so their bits. A call costs next to nothing here: there is nothing to gain by fusing.
"""

from kernels import activations
from kernels.ops.linear import cpu as linear
from kernels.ops.softmax_cross_entropy import cpu as softmax

IDENTITY = activations.get("identity")


def linear_cross_entropy(g, x, w, b, labels, targets, weights, saved, z, loss, dz, dx, hit, scale):
    """The index of the first label out of range, or −1."""
    z = dz if z is None else z  # the loss may overwrite what it reads
    linear.linear(x, w, b, IDENTITY, None, z)
    bad = softmax.softmax_cross_entropy(z, labels, targets, weights, loss, dz, hit, scale)
    if bad < 0 and dx is not None:
        linear.backward_dx(dz, w, g, saved, dx)
    return bad
