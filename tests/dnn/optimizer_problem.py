"""Our optimizers on the problem whose trajectories are stored as figures."""

import numpy as np

from tests.dnn.figures.make_figures import START, trajectory


def ours(optimizer, rate):
    """The trajectory of one of our optimizers, in float32."""
    p = START.astype(np.float32)
    state = {slot: np.full_like(p, optimizer.initial(slot)) for slot in optimizer.used_slots()}

    def step(t, _, g):
        optimizer.update(p, g.astype(np.float32), state, t, rate(t))
        return p.copy()

    return np.array(trajectory(step))
