"""scikit-learn: MLPClassifier, by NumPy and its BLAS."""

import warnings

import numpy as np
import sklearn
from sklearn.neural_network import MLPClassifier

from . import numpy as on_cpu

DEVICES = ("cpu",)
threads = on_cpu.threads  # of NumPy's BLAS


def why_not(device):
    return ""


def versions():
    return {"scikit-learn": sklearn.__version__} | on_cpu.versions()


def network(net, x, y, weights):
    """An MLPClassifier with those weights. A call of partial_fit makes the arrays; its step, and
    Adam's state, are thrown away."""
    # Its ε is not scaled by √(1 − β₂ᵗ), as others' is: with a tenth of theirs it agrees with them
    model = MLPClassifier(
        net.widths[1:-1],
        alpha=0,
        batch_size=min(net.batch, len(x)),
        learning_rate_init=1e-3,
        epsilon=1e-9,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a batch larger than these few rows
        model.partial_fit(x[:1], y[:1], classes=np.arange(net.classes))
    model.coefs_ = [w.copy() for w in weights[::2]]
    model.intercepts_ = [b.copy() for b in weights[1::2]]
    del model._optimizer
    return model


def trainer(net, device, data, weights):
    x, y = data.images_float32, data.labels
    model = network(net, x, y, weights)

    def epoch():
        model.partial_fit(x, y)
        return float(model.loss_)

    return epoch


def predictor(net, device, weights):
    """The probabilities' logarithms, which are the logits but for a number a row."""
    x, y = np.zeros((1, net.widths[0]), np.float32), np.zeros(1, np.uint8)
    return network(net, x, y, weights).predict_log_proba
