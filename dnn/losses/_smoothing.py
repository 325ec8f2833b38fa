"""Label smoothing: a share of every target is spread evenly over the classes.

Source: Szegedy et al., Rethinking the Inception architecture for computer vision, 2016.
"""

import numpy as np


def check_smoothing(share):
    if not 0 <= share < 1:
        raise ValueError(f"label_smoothing: got {share!r}; expected 0 ≤ label_smoothing < 1")


def smoothed(targets, share, classes):
    """t (1 − s) + s / classes, float32; the targets themselves where s is 0."""
    if not share:
        return targets
    return targets * np.float32(1 - share) + np.float32(share / classes)
