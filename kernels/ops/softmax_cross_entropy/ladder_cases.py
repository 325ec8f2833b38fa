"""The ladder's battery: the op's own cases of integer labels without weights, less the hits; few of
them by default, all in the long one."""

import dataclasses
import functools
import re

from kernels.ops.softmax_cross_entropy import cases as whole

FEW = re.compile(
    r"shape [45]×(1|2|33|1024|1025) labels|extreme .* of 40|minus infinity 40|"
    r"(in place|loss alone) of (40|1030)|offset 4 of \d+"
)


def cases(long=False):
    for case in whole.cases(long):
        labels = case.inputs["labels"].ndim == 1 and "weights" not in case.inputs
        if labels and (long or FEW.fullmatch(case.name)):
            yield without_hits(case)


def without_hits(case):
    """The case of a call that asks for no hits."""
    if "hit" not in case.outputs:
        return case

    def expected(precision):
        budget_of = case.expected(precision)
        return {name: budget_of[name] for name in outputs}

    outputs = {name: output for name, output in case.outputs.items() if name != "hit"}
    call = functools.partial(case.call, hit=None)
    return dataclasses.replace(case, outputs=outputs, call=call, expected=expected)
