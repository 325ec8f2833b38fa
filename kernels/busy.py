"""How many threads to use beside other busy processes: as many as are not pushed off their CPUs.

Threads that share a loop wait for the last of them. One that another process pushes off its CPU
comes back after some milliseconds, where the loop takes a tenth of one. Linux tells how long each
thread ran and how long it waited for a CPU. Where some waited, so many fewer are used; after a
pause all of them are tried again, and a try that fails doubles the pause. What was seen before an
unusually long gap between two loops says nothing of what comes after it: another library's threads
may have pushed each other meanwhile. Where the system does not tell (it has no
/proc/self/task/*/schedstat) all are used always.
"""

import os
import time

TASKS = "/proc/self/task"
LEAST_S, COSTS = 0.02, 300  # between two looks, and so many times as long as a look takes
TRY_S = 0.01  # of all threads, until the look that tells whether they have room
ACTIVE_NS = 10**6  # a thread that neither ran nor waited for so long since the last look is idle
WAITED = 0.2  # of a thread's time; who waits for more is pushed off
PAUSES_S = (0.1, 3.2)  # the shortest and the longest
GAP_S, UNUSUAL = 0.2, 4  # between two calls, and so many times the one before: all is forgotten


def times() -> dict[str, tuple[int, int]]:
    """{thread of this process: (ns that it ran, ns that it waited for a CPU)}."""
    times_of = {}
    for thread in os.listdir(TASKS) if os.path.isdir(TASKS) else ():
        try:
            file = os.open(f"{TASKS}/{thread}/schedstat", os.O_RDONLY)
            try:
                ran, waited, _ = os.read(file, 80).split()
            finally:
                os.close(file)
            times_of[thread] = int(ran), int(waited)
        except (OSError, ValueError):  # it is not told, or the thread has just ended
            continue
    return times_of


class Room:
    """For how many threads there is room. times: as above; clock: gives seconds."""

    def __init__(self, times=times, clock=time.perf_counter):
        self._times, self._clock = times, clock
        self._before = {}
        self._fewer = None  # how many are used while all are too many
        self._pause_s = PAUSES_S[0]
        self._look_at_s = self._try_at_s = self._tried_s = self._asked_s = 0.0
        self._gap_s = 0.0  # between the last two calls: with large loops all are long

    def _forget(self):
        self._before = self._times()
        self._pause_s = PAUSES_S[0]

    def _try(self, now_s):
        """All threads, until the look that tells whether they have room."""
        self._fewer, self._tried_s = None, now_s
        self._look_at_s = now_s + TRY_S

    def threads(self, wanted) -> int:
        """How many of the threads wanted to use now."""
        now_s = self._clock()
        gap_s = now_s - (self._asked_s or now_s)
        if gap_s > max(GAP_S, UNUSUAL * self._gap_s):
            self._forget()
            self._try(now_s)
        self._asked_s, self._gap_s = now_s, gap_s
        if now_s >= self._look_at_s:
            self._look(now_s, wanted)
        return wanted if self._fewer is None else min(wanted, self._fewer)

    def _look(self, now_s, wanted):
        times, before = self._times(), self._before
        pushed = sum(_pushed_off(before[thread], times[thread]) for thread in times.keys() & before)
        self._before = times
        if pushed:
            self._fewer = max(1, (self._fewer or wanted) - pushed)
            self._try_at_s = now_s + self._pause_s
            self._pause_s = min(2 * self._pause_s, PAUSES_S[1])
        elif self._fewer is not None and now_s >= self._try_at_s:
            self._try(now_s)
            return
        elif self._fewer is None and now_s >= self._tried_s + self._pause_s:
            self._pause_s = PAUSES_S[0]
        looked_s = self._clock()
        self._look_at_s = looked_s + max(LEAST_S, COSTS * (looked_s - now_s))


def _pushed_off(before, now):
    ran, waited = now[0] - before[0], now[1] - before[1]
    return ran + waited > ACTIVE_NS and waited > WAITED * (ran + waited)


room = Room()
