"""clip_by_value: the gradients of a whole network, as one flat array.

After the first call nothing exceeds the limit; what is read and written is the same.
"""

from bench import flat
from kernels import reference

LIMIT = 0.5


@flat.each("clip_by_value")
def test_clip_by_value(bench, providers, shape, precision):
    bench(providers, case, **shape)


def case(n):
    (g,) = flat.draw(n, normal=1)
    want = reference.clip_by_value(g, LIMIT)
    return flat.case("clip_by_value", (g, LIMIT), (want,), (0.0,), operations=2, floats=2)
