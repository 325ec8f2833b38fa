"""Pictures of a training run. Each function returns a matplotlib Figure and saves it to `path` if
given one; matplotlib is loaded at the first picture, not before."""

from dnn.plots.confusion_matrix import confusion_matrix
from dnn.plots.learning_curves import learning_curves

__all__ = ["confusion_matrix", "learning_curves"]
