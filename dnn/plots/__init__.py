"""Pictures of networks and of their training. Each function returns a matplotlib Figure and saves
it to `path` if given one; as the last line of a notebook's cell it is shown there. matplotlib is
loaded at the first picture, not before."""

from typing import TYPE_CHECKING

from dnn.plots.activation_curves import activation_curves
from dnn.plots.animation import Animation
from dnn.plots.batch_paths import batch_paths
from dnn.plots.comparison import comparison
from dnn.plots.confusion_matrix import confusion_matrix
from dnn.plots.decision_boundary import decision_boundary
from dnn.plots.descent_paths import descent_paths
from dnn.plots.encodings import encodings
from dnn.plots.first_layer_weights import first_layer_weights
from dnn.plots.fitted_curve import fitted_curve
from dnn.plots.gradient_flow import gradient_flow
from dnn.plots.learning_curves import learning_curves
from dnn.plots.local_minima import local_minima
from dnn.plots.loss_curves import loss_curves
from dnn.plots.mistakes import mistakes
from dnn.plots.rate_sweep import rate_sweep
from kernels.names import unknown_attribute

__all__ = [
    "Animation",
    "activation_curves",
    "batch_paths",
    "comparison",
    "confusion_matrix",
    "decision_boundary",
    "descent_paths",
    "encodings",
    "first_layer_weights",
    "fitted_curve",
    "gradient_flow",
    "learning_curves",
    "local_minima",
    "loss_curves",
    "mistakes",
    "rate_sweep",
]
if not TYPE_CHECKING:  # a type checker knows what there is
    __getattr__ = unknown_attribute(__name__)
