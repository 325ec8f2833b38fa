"""Squared error: ℓ = (z − t)², dℓ/dz = 2 (z − t). Without the factor ½, as in Keras and PyTorch.

Source: Legendre, Nouvelles méthodes pour la détermination des orbites des comètes, 1805.
"""

aliases = ("mse", "mean_squared_error")


def value(z, t):
    return (z - t) * (z - t)


def derivative(z, t):
    return 2.0 * (z - t)


def reference(z, t):
    return (z - t) ** 2


def reference_derivative(z, t):
    return 2 * (z - t)
