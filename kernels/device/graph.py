"""A sequence of kernel calls recorded once and replayed as one.

    with device.capture("gpu") as graph:      # or "cpu", "emulated"
        kernels.linear(x, w, b, out=y)        # recorded; nothing runs yet
    graph.replay()                            # runs, on what x, w and b hold by now

On a GPU this is CUDA's stream capture: one call from the host in place of one a launch, about 1 µs
a node. On the CPU and on the emulated device the calls are kept and run one after the other; what
is saved is the check of their arguments. Either way the graph holds the arrays that it uses, and
only kernels can be recorded: reading a device's array, or waiting for it, while capturing is an
error. Run the same calls once before, so that every kernel is compiled and loaded.
"""

import contextlib
import contextvars

from kernels.arrays import one_of
from kernels.device.errors import DeviceError
from kernels.device.gpu import require_gpu

_capturing = contextvars.ContextVar("capturing", default=None)


class Graph:
    """What `capture` recorded. device: "cpu", "gpu" or "emulated"; launches: how many."""

    def __init__(self, device):
        self.device = device
        self._recorded = []
        self._cuda_graph = None
        self._complete = False

    @property
    def launches(self) -> int:
        return len(self._recorded)

    def replay(self):
        """Run all launches in their order; on a GPU, on CuPy's current stream."""
        if not self._complete:
            raise DeviceError("replay: the capture has not ended, or ended with an error")
        if self.device == "gpu":
            self._cuda_graph.launch()
            return
        for run, arguments in self._recorded:
            run(*arguments)

    def _record(self, device, run, arguments):
        """Called in place of a launch. CuPy's own launch is what records on a GPU."""
        if device != self.device:
            raise DeviceError(f"a kernel on device {device!r} in a capture on {self.device!r}")
        self._recorded.append((run, arguments))
        if device == "gpu":
            run(*arguments)


@contextlib.contextmanager
def capture(device):
    """Record the kernel calls of a `with` block on "cpu", "gpu" or "emulated"; gives a Graph."""
    one_of("device", device, ("cpu", "gpu", "emulated"))
    if _capturing.get():
        raise DeviceError("a capture is under way already; end it first")
    graph = Graph(device)
    token = _capturing.set(graph)
    try:
        if device == "gpu":
            with _stream_capture(graph):
                yield graph
        else:
            yield graph
        graph._complete = True
    finally:
        _capturing.reset(token)


@contextlib.contextmanager
def _stream_capture(graph):
    stream = require_gpu().cuda.Stream(non_blocking=True)
    with stream:
        stream.begin_capture()
        try:
            yield
        finally:  # also after an error: a stream left capturing could not be used again
            graph._cuda_graph = stream.end_capture()


def submit(device, run, *arguments):
    """run(*arguments), one kernel; or record it where a capture is under way."""
    graph = _capturing.get()
    if graph is None:
        run(*arguments)
    else:
        graph._record(device, run, arguments)


def refuse_while_capturing(what):
    """Called by what a graph cannot record."""
    if _capturing.get():
        raise DeviceError(f"{what}, while a graph is captured: it records launches only")
