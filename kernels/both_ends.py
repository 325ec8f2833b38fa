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
    ops = _calls_of_ops(calls)
    marks = mmap.mmap(-1, len(ops))  # shared with the fork
    marks[0] = HERE
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python's, which counts the threads of NumPy's BLAS
        fork = _Fork(list(ops.values()), marks)
    try:
        numbers = {op: number for number, op in enumerate(ops)}
        for function, arguments in compiling.counted(calls):
            number = numbers[_op(function)]
            if marks[number] == THERE:
                fork.wait_for(number)
            marks[number] = HERE
            function(*arguments)
    finally:
        fork.end()


def _op(function):
    return getattr(function, "__module__", None)


def _calls_of_ops(calls):
    """{op: its calls}, in the order of their first calls."""
    found = {}
    for function, arguments in calls:
        found.setdefault(_op(function), []).append((function, arguments))
    return found


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
    def __init__(self, calls_of_ops, marks):
        self.marks = marks
        self.number = os.fork()
        if not self.number:
            _go_back(calls_of_ops, marks)

    def wait_for(self, op):
        with compiling.going_on(compiling.CPU):
            while self.marks[op] == THERE and self._lives():
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
        """What it has begun last is of no use any more."""
        if self._lives():
            os.kill(self.number, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self.number, 0)


def _go_back(calls_of_ops, marks):
    """The fork's whole life: it returns to nobody."""
    try:
        warnings.simplefilter("ignore")
        from kernels.linear import cpu

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
