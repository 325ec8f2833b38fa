"""Memory that a kernel needs between its own blocks.

    partials, arrived = workspace(x, floats, counters)

is for the next launch on x's device: float32 of any content, and int32 zeros, which the kernel must
leave zero. Launches on one stream run one after the other, so they share one workspace, as large as
the largest has asked for; so do those on a thread's own default stream. A graph may run beside
anything else, so each has its own; a launch that it has recorded keeps what it was given. On the
emulated device an eager launch gets a new one, so that the checker sees what is read and was never
written.

While a user captures the current stream (CuPy's begin_capture), each launch gets a new one, whose
zeroing is recorded with it, and which is kept as long as the process: nobody says here when that
graph is gone.
"""

import threading

from kernels.arrays import device_of, namespace
from kernels.device.gpu import require_gpu
from kernels.device.launching import at_once, capturing

PER_THREAD = 2  # cudaStreamPerThread: one number for another stream in each thread
_of_streams = {}  # {(device number, stream): {what: array}}
_of_captures = []  # what graphs that users captured may still read


class _OfThread(threading.local):
    """streams: the same as _of_streams, of this thread's own default streams."""

    def __init__(self):
        self.streams = {}


_of_thread = _OfThread()


def workspace(like, floats, counters):
    """(float32 array of at least `floats`, int32 zeros of at least `counters`), beside `like`."""
    make, kept = namespace(like), {}
    if graph := capturing():
        kept = graph.workspaces
    elif device_of(like=like) == "gpu":
        cuda = require_gpu().cuda
        stream = cuda.get_current_stream()
        if stream.is_capturing():
            _of_captures.append(kept)
        else:
            streams = _of_thread.streams if stream.ptr == PER_THREAD else _of_streams
            kept = streams.setdefault((cuda.runtime.getDevice(), stream.ptr), {})
    for what, size, new, dtype in (
        ("partials", floats, make.empty, "float32"),
        ("arrived", counters, make.zeros, "int32"),
    ):
        if what not in kept or kept[what].size < size:
            with at_once():
                kept[what] = new(size, dtype)
    return kept["partials"], kept["arrived"]
