"""A sequence of kernel calls recorded once and replayed as one.

    with device.capture("gpu") as graph:      # or "cpu", "emulated"
        kernels.linear(x, w, b, out=y)        # recorded; nothing runs yet
    graph.replay()                            # runs, on what x, w and b hold by now

The calls are kept with their arguments, checked once. On the CPU and on the emulated device a
replay runs one after the other. On a GPU each kernel is compiled and loaded as it is recorded, and
when the block ends all launches go into one CUDA graph by stream capture: a replay is one call from
the host in place of one a launch, about 1 µs a node. So what stream capture forbids, a compilation,
an allocation, may happen in the block. The graph holds the arrays that it uses.

Only kernels can be recorded. Reading an array of the emulated device, or computing with it, in the
block is an error; with CuPy's arrays it happens at once and is not part of the graph, unnoticed.
"""

import contextlib

from kernels import both_ends, compiling
from kernels.arrays import one_of
from kernels.device import gpu
from kernels.device.errors import DeviceError
from kernels.device.launching import at_once, captured_by, capturing

__all__ = ["Graph", "at_once", "capture", "capturing"]


class Graph:
    """What `capture` recorded. device: "cpu", "gpu" or "emulated"; launches: how many."""

    def __init__(self, device):
        self.device = device
        self.workspaces = {}  # see workspace.py
        self._recorded = []
        self._cuda_graph = self._made = None
        self._complete = self._replayed = False

    @property
    def launches(self) -> int:
        return len(self._recorded)

    def compiled_meanwhile(self):
        """A block in which, before the first replay on the CPU, a second process begins to compile
        what that needs: see both_ends.py."""
        if self.device == "cpu" and not self._replayed:
            return both_ends.begun(self._recorded)
        return contextlib.nullcontext()

    def replay(self):
        """Run all launches in their order; on a GPU, on CuPy's current stream."""
        if not self._complete:
            raise DeviceError("replay: the capture has not ended, or ended with an error")
        if self.device == "gpu":
            if not self._replayed:
                gpu.require_gpu().cuda.get_current_stream().wait_event(self._made)
            self._cuda_graph.launch()
            self._replayed = True
            return
        if self.device == "cpu" and not self._replayed:
            both_ends.run(self._recorded)
        else:
            calls = self._recorded if self._replayed else compiling.counted(self._recorded)
            for run, arguments in calls:
                run(*arguments)
        self._replayed = True

    def record(self, device, run, arguments):
        """Called in place of a launch."""
        if device != self.device:
            raise DeviceError(f"a kernel on device {device!r} in a capture on {self.device!r}")
        if run is gpu.launch:
            unit, entry, *_, shared_bytes = arguments
            gpu.ready(unit, entry.name, shared_bytes)
        self._recorded.append((run, arguments))

    def _instantiate(self):
        """Make the CUDA graph, on a stream of its own: CuPy's default stream cannot be captured.

        What the block did at once on the current stream (it zeroed a workspace, it filled arrays)
        comes before a first replay, on whatever stream that is."""
        cuda = gpu.require_gpu().cuda
        self._made = cuda.Event(disable_timing=True)
        self._made.record()
        with cuda.Stream(non_blocking=True) as stream:
            stream.begin_capture()
            try:
                for run, arguments in self._recorded:
                    run(*arguments)
            finally:  # also after an error: a stream left capturing could not be used again
                self._cuda_graph = stream.end_capture()


@contextlib.contextmanager
def capture(device):
    """Record the kernel calls of a `with` block on "cpu", "gpu" or "emulated"; gives a Graph."""
    one_of("device", device, ("cpu", "gpu", "emulated"))
    if capturing():
        raise DeviceError("a capture is under way already; end it first")
    graph = Graph(device)
    with captured_by(graph):
        yield graph
    if device == "gpu":
        graph._instantiate()
    graph._complete = True
