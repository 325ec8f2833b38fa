"""How a CPU kernel's work is shared out among Numba's threads.

No bit of a result depends on their number: threads share rows, columns or elements, and where a sum
is split, its parts are the same for any number. How many there are beside other busy processes is
for busy.py to say.
"""

import os
import threading

# A bound on how long a thread of GNU OpenMP spins for its next loop before it sleeps, longer than
# the gaps within a training step. Unbounded spinning takes a core from every other process; with
# the bound an idle model leaves it. Read when OpenMP is loaded; what the user says of it wins.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "20000")

import numba
from numba.np.ufunc import parallel as _pool

from kernels import busy
from kernels.jit import compiled

CHOSEN = "NUMBA_NUM_THREADS" in os.environ  # by the user, who wants that number
_forked = False  # whether the threads were started in a process that this one was forked from


class _Told(threading.local):
    """threads: how many Numba was told here, in that thread of Python's."""

    threads = None


_told = _Told()


def threads_for(work, small):
    """How many threads share a loop of so much work: one where it is under `small`, else all that
    there are. A kernel told one never calls Numba's threads.

    One in a process that was forked after they were started: they do not live on in it, and GNU
    OpenMP aborts or waits for them for ever. And where Numba has its `workqueue` alone (no OpenMP),
    which aborts when two threads use it at once, one in all threads of Python's but the main one.
    Fewer, where nobody has chosen their number, while others keep the CPUs busy: see busy.py.
    """
    if work < small or _forked:
        return 1
    threads = _threads_of_numba()
    workqueue = numba.threading_layer() == "workqueue"
    if workqueue and threading.current_thread() is not threading.main_thread():
        return 1
    return threads if CHOSEN else _with_room(threads)


def _threads_of_numba():
    """numba.get_num_threads(), which starts the threads and takes two locks for it, each time: 2 µs
    in place of 0.3 for asking those that are started."""
    ask = getattr(_pool, "_get_num_threads", None)  # None until they are
    return ask() if ask else numba.get_num_threads()


def _with_room(threads):
    """As many of all threads as there is room for. Where that is more than one, Numba is told, for
    its loops wait for all that it has. A number that the user told Numba, in this thread, stays."""
    every = numba.config.NUMBA_NUM_THREADS
    if threads not in (every, _told.threads or every):
        return threads
    fitting = busy.room.threads(every)
    if fitting not in (1, threads):
        numba.set_num_threads(fitting)
        _told.threads = fitting
    return fitting


def _after_fork():
    global _forked
    try:
        _forked = numba.threading_layer() != "tbb"  # which does survive it
    except ValueError:  # none was started yet: this process will start its own
        _forked = False


if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
    os.register_at_fork(after_in_child=_after_fork)


LONG = 256  # values; from here on a row has two halves, whatever the number of threads
WIDEST = 16  # floats in a vector of any processor; what is divided among threads by k or by column


@compiled
def share(n, part, parts, step=1):
    """Where part `part` of 0 … n−1 begins; parts begin on multiples of `step`."""
    return min(n, (n * part // parts + step - 1) // step * step)
