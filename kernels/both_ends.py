"""Two processes compile what a recorded step needs: this one the ops from its first call on, a fork
of it from the last one back, until they meet. What the fork has compiled this one finds on disk.

An op is a module here: its calls share compiled code, so one process makes all of them. The product
that most ops have in them is this process's alone: the fork, whose numbers nobody reads, leaves it
out.

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

HERE, THERE, DONE = 1, 2, 3  # who compiles an op; the fork has compiled it
PAUSE_S = 0.002

_asked = contextvars.ContextVar("compile from both ends", default=False)
_under_way = contextvars.ContextVar("the fork that compiles", default=None)


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
    with begun(calls) as fork:
        for function, arguments in compiling.counted(calls):
            if fork:
                fork.hands_over(_op(function))
            function(*arguments)


@contextlib.contextmanager
def begun(calls):
    """A fork compiles what these calls need from here on to the end of the block, in which `run` of
    the same calls may stand. Gives the fork, or None where there is none."""
    under_way = _under_way.get()
    if under_way and under_way.calls is calls:
        yield under_way
    elif calls and _asked.get() and _is_worth_a_fork():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's, which counts the threads of NumPy's BLAS
            fork = _Fork(calls)
        token = _under_way.set(fork)
        try:
            yield fork
        finally:
            _under_way.reset(token)
            fork.end()
    else:
        yield None


def _op(function):
    return getattr(function, "__module__", None)


def _calls_of_ops(calls):
    """{op: its calls}, in the order of their first calls."""
    of_op = {}
    for function, arguments in calls:
        of_op.setdefault(_op(function), []).append((function, arguments))
    return of_op


def _is_worth_a_fork():
    from kernels import jit_cache, parallel  # with Numba, which whoever has recorded has loaded

    if (
        sys.platform != "linux"
        or not jit_cache.keeps()
        or len(os.sched_getaffinity(0)) == 1
        or threading.active_count() > 1
    ):
        return False
    parallel.address(parallel.run)  # every op's; where it is on disk, so is most
    return compiling.has_begun()


class _Fork:
    def __init__(self, calls):
        self.calls, ops = calls, _calls_of_ops(calls)
        self.numbers = {op: number for number, op in enumerate(ops)}
        self.marks = mmap.mmap(-1, len(ops))  # shared with the fork
        self.marks[0] = HERE
        self.process = os.fork()
        if not self.process:
            _go_back(list(ops.values()), self.marks)

    def hands_over(self, op):
        """From here on that op is this process's; waits while the fork compiles it."""
        number = self.numbers[op]
        if self.marks[number] == THERE:
            with compiling.going_on(compiling.CPU):
                while self.marks[number] == THERE and self._lives():
                    time.sleep(PAUSE_S)
        self.marks[number] = HERE

    def _lives(self):
        if self.process:
            try:
                ended, _ = os.waitpid(self.process, os.WNOHANG)
            except ChildProcessError:  # the system has taken note of its end already
                ended = True
            self.process = None if ended else self.process
        return bool(self.process)

    def end(self):
        """What it has begun last is of no use any more."""
        if self._lives():
            os.kill(self.process, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.process, 0)


def _go_back(calls_of_ops, marks):
    """The fork's whole life: it returns to nobody."""
    try:
        warnings.simplefilter("ignore")
        from kernels.ops.linear import cpu

        cpu.multiply = lambda *operands, **options: None
        with compiling.told(lambda text: None):
            for op in reversed(range(len(calls_of_ops))):
                if marks[op]:
                    break
                marks[op] = THERE
                for function, arguments in calls_of_ops[op]:
                    function(*arguments)
                marks[op] = DONE
    finally:
        os._exit(0)
