"""What every loss is."""

from typing import Any

import numpy as np

from dnn.checked import Checked


class Loss(Checked):
    """A subclass is a dataclass that defines:

    prepare(y, units) -> the targets as its kernel takes them, after every check (NumPy).
    __call__(z, targets, scale, loss, dz, hit): per-sample losses (B,), scale · gradient (B, C),
    and 1 where the prediction is right, each into the array given.

    and may define

    from_logits: False for a loss that takes the place of the last layer's activation: it is given
    what goes into that. `activation` names the one it expects there, default "softmax". Default
    True: the loss is given the last layer's outputs as they are.
    takes_probabilities: whether it makes sense of outputs that a softmax or sigmoid has made
    probabilities, where from_logits is True. Default True.
    counts_hits: whether a prediction can be right, so that metrics=["accuracy"] makes sense; else
    hit need not be written. Default True.
    answers: what one target is: "class", one of several (default where counts_hits), "yes or no" of
    each output, or "number" (default else); metrics ask for it.
    gives_probabilities: whether the outputs are probabilities, or logits of some. Default True.
    takes_weights: whether __call__ takes weights=, float32 (B,) or None, which multiply each
    sample's loss and gradient. Default False.
    fused_linear(place, targets, weights, scale, loss, hit): what __call__ does for z = x w + b, the
    last layer's, with z itself to place.y, the gradient to place.dz and, unless it is None, the dz
    of the layer before to place.dx, in one; place: a dnn.place.Place.
    most_fused_units: of so many outputs at most. Default 0: there is no such kernel.
    recordable: as a layer's; class Own(Loss, recordable=True).
    """

    from_logits = True
    activation = "softmax"
    takes_probabilities = True
    counts_hits = True
    gives_probabilities = True
    takes_weights = False
    most_fused_units = 0

    def prepare(self, y: Any, units: int) -> Any:
        raise TypeError(f"{type(self).__name__}: defines no prepare(y, units)")

    def __call__(self, z: Any, targets: Any, scale: float, loss: Any, dz: Any, hit: Any) -> None:
        raise TypeError(f"{type(self).__name__}: defines no __call__")

    @property
    def answers(self) -> str:
        return "class" if self.counts_hits else "number"

    def judged(self, y: Any, outputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(truth, scores) for metrics, of targets as they were given and of outputs as `predict`
        gives them: int labels (n,) beside probabilities (n, C); bool beside probabilities that it
        is yes, both (n, units); or numbers beside numbers. Scores are float64."""
        y, scores = np.asarray(y), outputs.astype(np.float64)
        if self.answers == "number":
            return y, scores
        if self.from_logits:
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            scores /= scores.sum(axis=1, keepdims=True)
        labels = y.argmax(axis=1) if y.shape == scores.shape else y.reshape(len(scores))
        return labels.astype(np.int64), scores

    def total(self, losses: np.ndarray) -> float:
        """The one number to report for per-sample losses (n,): their mean."""
        return float(losses.mean(dtype=np.float64))

    def classes(self, targets: Any) -> np.ndarray | None:
        """int (n,), the class of each sample, from prepared targets; None where there are none.

        A validation split takes its share of every class, and class_weight weighs them. Default:
        the label, or where a sample's largest target stands.
        """
        return targets if targets.ndim == 1 else targets.argmax(axis=1)
