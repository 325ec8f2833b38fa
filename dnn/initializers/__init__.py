"""Weight initializers, by Keras' names. Each call is told seed and stream, so a model's weights are
the same on every device, and two layers never share their numbers.

Every class in a file of this folder is here by its name: initializers.HeNormal.
"""

from dnn.catalog import Catalog
from dnn.initializers.base import Initializer

catalog = Catalog("initializer", __name__, Initializer)
get = catalog.get


def check(name, value):
    """What a layer keeps of an argument: an Initializer."""
    return get(value)


globals().update(catalog.classes)

__all__ = ["Initializer", "catalog", "check", "get", *catalog.classes]
__getattr__ = catalog.unknown_attribute
