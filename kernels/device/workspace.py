"""Memory that a kernel needs between its own blocks.

    partials, arrived = workspace(x, floats, counters)

is for the next launch on x's device: float32 of any content, and int32 zeros, which the kernel must
leave zero. Launches on one stream run one after the other, so they share one workspace, as large as
the largest has asked for. A graph may run beside anything else, so each has its own; a launch that
it has recorded keeps what it was given. On the emulated device an eager launch gets a new one, so
that the checker sees what is read and was never written.
"""

from kernels.arrays import device_of, namespace
from kernels.device.gpu import require_gpu
from kernels.device.launching import at_once, capturing

_of_streams = {}  # {(device number, stream): {what: array}}


def workspace(like, floats, counters):
    """(float32 array of at least `floats`, int32 zeros of at least `counters`), beside `like`."""
    make, kept = namespace(like), {}
    if graph := capturing():
        kept = graph.workspaces
    elif device_of(like=like) == "gpu":
        cuda = require_gpu().cuda
        where = cuda.runtime.getDevice(), cuda.get_current_stream().ptr
        kept = _of_streams.setdefault(where, {})
    for what, size, new, dtype in (
        ("partials", floats, make.empty, "float32"),
        ("arrived", counters, make.zeros, "int32"),
    ):
        if what not in kept or kept[what].size < size:
            with at_once():
                kept[what] = new(size, dtype)
    return kept["partials"], kept["arrived"]
