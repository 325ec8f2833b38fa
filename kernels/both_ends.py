"""Two processes compile what a recorded step needs: this one from its first call on, a fork of it
from the last one back, until they meet. What the fork has compiled this one finds on disk.

Only where that is asked for, as by the command `dnn train`, on Linux, with a second processor, with
kernels kept on disk and no other thread of Python's. The fork works on a copy of all memory, writes
nothing but the cache, and never outlives the step.
"""

import contextlib
import contextvars
import mmap
import os
import signal
import sys
import threading
import time
import warnings

from kernels import compiling

HERE, THERE, DONE = 1, 2, 3  # who runs a call first; the fork has run it
PAUSE_S = 0.002

_asked = contextvars.ContextVar("compile from both ends", default=False)


@contextlib.contextmanager
def asked():
    """Steps that are recorded in this block are compiled by two processes."""
    token = _asked.set(True)
    try:
        yield
    finally:
        _asked.reset(token)


def run(calls):
    """Run (function, arguments), one after the other, for the first time."""
    if not (calls and _asked.get() and _is_worth_a_fork()):
        for function, arguments in compiling.counted(calls):
            function(*arguments)
        return
    marks = mmap.mmap(-1, len(calls))  # shared with the fork
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python's, which counts the threads of NumPy's BLAS
        fork = _Fork(calls, marks)
    try:
        for i, (function, arguments) in enumerate(compiling.counted(calls)):
            if marks[i]:
                fork.wait_for(i)
            marks[i] = HERE
            function(*arguments)
    finally:
        fork.end()


def _is_worth_a_fork():
    from kernels import jit_cache  # with Numba, which whoever has compiled has loaded

    return (
        sys.platform == "linux"
        and compiling.has_begun()  # else all is on disk already
        and jit_cache.keeps()
        and len(os.sched_getaffinity(0)) > 1
        and threading.active_count() == 1
    )


class _Fork:
    def __init__(self, calls, marks):
        self.marks = marks
        self.number = os.fork()
        if not self.number:
            _go_back(calls, marks)

    def wait_for(self, i):
        with compiling.going_on(compiling.CPU):
            while self.marks[i] != DONE and self._lives():
                time.sleep(PAUSE_S)

    def _lives(self):
        if self.number:
            try:
                ended, _ = os.waitpid(self.number, os.WNOHANG)
            except ChildProcessError:  # the system has taken note of its end already
                ended = True
            self.number = None if ended else self.number
        return bool(self.number)

    def end(self):
        """The last call that it has begun is of no use any more."""
        if self._lives():
            os.kill(self.number, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.number, 0)


def _go_back(calls, marks):
    """The fork's whole life: it returns to nobody."""
    try:
        warnings.simplefilter("ignore")
        with compiling.told(lambda text: None):
            for i in reversed(range(len(calls))):
                if marks[i]:
                    break
                marks[i] = THERE
                function, arguments = calls[i]
                function(*arguments)
                marks[i] = DONE
    finally:
        os._exit(0)
