"""Error budgets: how far a kernel in float32 may be from the reference in float64, and why.

Each function takes and returns a value in float64 with the bound on a kernel's distance from it,
element by element, so that a chain of operations carries its bound along.
"""

import numpy as np

from kernels import activations, reference

U = 2.0**-24  # float32 rounds to nearest by at most this much of the result
TINY = 2.0**-126  # below it float32 is denormal, and a kernel may flush it to zero


def bfloat16(a):
    """float32 rounded to nearest even bfloat16, as float32."""
    bits = np.ascontiguousarray(a, np.float32).view(np.uint32)
    rounded = bits + 0x7FFF + (bits >> 16 & 1)
    return (rounded & 0xFFFF0000).view(np.float32)


def float16(a):
    """float32 rounded to nearest even float16, infinite from 65520 on, as float32."""
    with np.errstate(over="ignore", under="ignore"):
        return np.asarray(a, np.float32).astype(np.float16).astype(np.float32)


def as_float32(a):
    """Values in float64, infinite where float32 cannot hold them."""
    return np.where(abs(a) > np.finfo(np.float32).max, np.sign(a) * np.inf, a)


# {precision: (rounded, half a unit in the last place of 1, that of denormals)}
HALVES = {"bfloat16": (bfloat16, 2.0**-8, 0.0), "float16": (float16, 2.0**-11, 2.0**-25)}


def product(a, b, precision=None, a_error=None):
    """a b of float32 arrays, summed over K in any order.

    K products and K sums in float32 are off by at most K u (|a||b|) to first order; 4 u more cover
    the second order and the rounding of operands to tf32. Rounding both operands to nearest adds
    2 · 2⁻¹¹ (|a||b|) for tf32 (10 bits of mantissa). bfloat16 and float16 operands have exact
    products in float32, so the expected value is that of the rounded operands, unless `a` itself is
    known to ±a_error only: it may round either way, and the bound is 2 r (|a||b|) with its second
    order, r being 2⁻⁸ or 2⁻¹¹; and 2⁻²⁵ more for each operand that is denormal in float16, whose
    range `a` must not come near the end of.
    """
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    size = abs(a) @ abs(b)
    bound = (a.shape[-1] + 4) * U * size + a.shape[-1] * TINY
    if precision == "tf32":
        bound += 2 * 2.0**-11 * size
    if precision in HALVES:
        rounded, r, least = HALVES[precision]
        if a_error is None:
            a, b = rounded(a).astype(np.float64), rounded(b).astype(np.float64)
        else:
            bound += (2 * r + r * r) * size
            bound += 1.01 * least * (abs(a).sum(-1, keepdims=True) + abs(b).sum(0))
    if a_error is not None:
        bound += 1.01 * (a_error @ abs(b))  # 1.01: the operands' rounding
    return a @ b, bound


def plus(z, bound, b):
    """z + b of a float32 b, rounded once."""
    z = z + b
    return z, bound + 2 * U * abs(z)


def through(activation, z, bound):
    """f(z). Elementwise f is monotone over so short an interval, or flat at its turning point, so
    the ends of z ± bound say what becomes of the bound. Its own rounding is 16 u: four calls of
    2 units in the last place each, the longest chain there is. For softmax z_j − max z is rounded
    too, exp turns absolute errors into relative ones, and C terms are summed.
    """
    with np.errstate(invalid="ignore"):
        y = reference.activation(z, activation)
        if activations.get(activation).after:
            error = bound + U * (z.max(-1, keepdims=True) - z)
            spread = y * np.expm1(2 * np.max(np.where(y > 0, error, 0), -1, keepdims=True))
            return y, spread + (z.shape[-1] + 16) * U * y + TINY
        ends = [reference.activation(end, activation) for end in (z - bound, z + bound)]
        spread = np.maximum(*(abs(end - y) for end in ends))
    return y, spread + 16 * U * abs(y) + TINY


def times_derivative(activation, dy, bound, s):
    """dy f'(s) of a float32 s. Derivatives are sums of terms around 1, so 16 u of 1 or of f'."""
    dz = reference.activation_backward(dy, s.astype(np.float64), activation)
    if activations.get(activation).after:
        own = (s.shape[-1] + 4) * U * (abs(dy) + np.sum(abs(dy) * s, -1, keepdims=True))
        return dz, s * (bound + np.sum(bound * s, -1, keepdims=True) + own) + TINY
    slope = abs(reference.activation_backward(np.ones_like(dy), s.astype(np.float64), activation))
    return dz, bound * slope + 16 * U * abs(dy) * np.maximum(slope, 1) + TINY


def over_root(above, v, v_error, eps):
    """How far above / (√v + eps) may be from its value where v ≥ 0 is known to ±v_error."""
    value = above / (np.sqrt(v) + eps)
    most = above / (np.sqrt(np.maximum(v - v_error, 0)) + eps)
    least = above / (np.sqrt(v + v_error) + eps)
    return np.maximum(most - value, value - least)
