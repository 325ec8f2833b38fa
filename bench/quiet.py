"""Waits until the threads that a library left behind have gone to sleep.

Most libraries' threads go on spinning for their next work after they are done, OpenBLAS' for about
0.1 s. Meanwhile they take a CPU from whoever is measured next: in turns with NumPy's, without a
pause, our product of 512 × 784 × 512 made 54 GFLOP/s, and 114 to 121 alone (2 CPUs, AVX2). So
everybody waits before a turn.
"""

import threading
import time
import warnings

from kernels import busy

LOOK_S = 0.003
SHARE = 0.05  # of a look; a thread that ran for less is asleep
LOOKS = 3  # without one that ran
MOST_S = 2.0
UNKNOWN_S = 0.3  # where the system does not tell what threads do


def wait(times=busy.times, sleep=time.sleep, clock=time.perf_counter):
    """Return when no other thread of this process has run for LOOKS looks in a row."""
    own = str(threading.get_native_id())
    before, quiet, began = times(), 0, clock()
    if not before:
        sleep(UNKNOWN_S)
        return
    while quiet < LOOKS:
        looked = clock()
        if looked - began > MOST_S:
            warnings.warn(
                f"threads of this process still run {MOST_S:g} s after the call before: what is "
                "measured next shares the CPUs with them",
                RuntimeWarning,
                stacklevel=2,
            )
            return
        sleep(LOOK_S)
        now, lasted_ns = times(), 1e9 * (clock() - looked)
        ran_ns = [now[t][0] - before.get(t, now[t])[0] for t in now if t != own]
        quiet = quiet + 1 if max(ran_ns, default=0) < SHARE * lasted_ns else 0
        before = now
