"""Label smoothing: a share of every target is spread evenly over the classes.

Source: Szegedy et al., Rethinking the Inception architecture for computer vision, 2016.
"""

import numpy as np

from kernels.numbers import Number, truth

CHECKS = {"from_logits": truth, "label_smoothing": Number(low=0, below=1)}


def smoothed(targets, share, classes):
    """t (1 − s) + s / classes, float32; the targets themselves where s is 0."""
    if not share:
        return targets
    return targets * np.float32(1 - share) + np.float32(share / classes)
