"""What every optimizer's step over flat arrays must do."""

import numpy as np

from kernels.device import held_to
from tests import harness
from tests.kernels.argument_checks import ArgumentChecks

N = 37


class StepChecks(ArgumentChecks):
    """Of a step that writes all its arrays but the gradient g.

    names: of its arrays. cases: its battery. kinds: the options of its kernels.
    """

    kinds = ({},)

    @property
    def in_place(self):
        return tuple(name for name in self.names if name != "g")

    def inputs(self):
        return dict(zip(self.names, self.cases.state(N), strict=True))

    def test_more_than_the_largest_grid(self, gpu_variant):
        for options in self.kinds:
            with held_to(2):
                self.cases.case("aligned", 5003, **options).check(gpu_variant)
            self.cases.case("off 16 bytes", 5003, offset_bytes=4, **options).check(gpu_variant)


def check_many_steps(variant, step, state, budget, most, **options):
    """From a state of 0, against a float64 run of its own; errors accumulate as bounded, below
    `most`: a bound that allows anything proves nothing."""
    p, _, *of_zeros = state(N)
    start = [p, *map(np.zeros_like, of_zeros)]
    mine = variant.put(*start)
    want = [(a.astype(float), np.zeros(N)) for a in start]
    for seed in range(1, 201):
        g = state(N, seed=seed)[1]
        step(mine[0], variant.put(g), *mine[1:], **options, **variant.options)
        want = budget([want[0], g, *want[1:]], **options)
    for got, (value, bound) in zip(mine, want, strict=True):
        harness.check(got, value, bound)
        assert np.max(bound) < most
