"""Binary cross-entropy of a logit: ℓ = −t log σ(z) − (1 − t) log(1 − σ(z)), dℓ/dz = σ(z) − t.

t in [0, 1]: 1 for yes, 0 for no, or a probability. Computed as ℓ = |z| s + log(1 + exp(−|z|)), s
being the share of the target that lies on the other side of z: 1 − t where z > 0, else t. Nothing
overflows and nothing cancels, so a logit of ±1e4, or an infinite one, has its exact loss and
gradient. An answer is right where the probability is over ½ and so is the target, or neither: a
logit of exactly 0 says no.
Source: Cox, The regression analysis of binary sequences, 1958.
"""

import math

import numpy as np

aliases = ("bce",)


def value(z, t):
    other = 1.0 - t if z > 0.0 else t
    wrong = abs(z) * other if other != 0.0 else 0.0  # 0, also where z is infinite
    return wrong + math.log1p(math.exp(-abs(z)))


def derivative(z, t):
    e = math.exp(-abs(z))
    doubt = e / (1.0 + e)  # what σ(z) is away from 0 or 1, exact where σ(z) would round to it
    return (1.0 - t) - doubt if z > 0.0 else doubt - t


def right(z, t):
    return 1.0 if (z > 0.0) == (t > 0.5) and z == z else 0.0


def reference(z, t):
    with np.errstate(invalid="ignore"):
        yes = np.where(t == 0, 0 * t, t * np.logaddexp(0, -z))  # −t log σ(z)
        no = np.where(t == 1, 0 * t, (1 - t) * np.logaddexp(0, z))
    return np.where(np.isnan(z), z, yes + no)


def reference_derivative(z, t):
    yes, no = np.exp(-np.logaddexp(0, -z)), np.exp(-np.logaddexp(0, z))  # σ(z), 1 − σ(z)
    return np.where(z > 0, (1 - t) - no, yes - t)
