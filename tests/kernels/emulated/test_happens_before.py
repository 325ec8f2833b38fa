"""The race checker against the PTX memory model itself, on random programs.

The runtime keeps clocks, merges and forgets; here the whole order of one execution is a matrix:
program order, barriers and synchronisation (release observed by acquire) closed transitively.
Whatever the runtime reports must be a race by the matrix, and it must report where there is one.
"""

import itertools
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.emulated.test_runtime import program as _program

ACTORS, OPERATIONS, CELLS = 8, 8, 3  # as in bodies.cpp: two blocks of two warps of two threads
(
    NOTHING, LOAD, STORE, STRONG_LOAD, STRONG_STORE, ACQUIRE, RELEASE, ATOMIC, ACQUIRE_RELEASE,
    FENCE, BARRIER, WARP_BARRIER,
) = range(12)  # fmt: skip
CTA, CLUSTER, GPU, SYS = range(4)
READS = {LOAD, STRONG_LOAD, ACQUIRE, ATOMIC, ACQUIRE_RELEASE}
WRITES = {STORE, STRONG_STORE, RELEASE, ATOMIC, ACQUIRE_RELEASE}
ATOMICS = {ATOMIC, ACQUIRE_RELEASE}
ACQUIRES, RELEASES = {ACQUIRE, ACQUIRE_RELEASE, FENCE}, {RELEASE, ACQUIRE_RELEASE, FENCE}

program = _program


class Execution:
    """One execution: its events in order, and which precedes which in causality order."""

    def __init__(self, table, log):
        self.events = [(entry // OPERATIONS, entry % OPERATIONS) for entry in log]
        self.operations = [table[actor][index] for actor, index in self.events]
        self.base = np.zeros((len(log), len(log)), bool)
        self._order_programs()
        self._order_barriers()
        self._observe()
        self._synchronise()
        reach = self.base
        for k in range(len(log)):
            reach |= reach[:, k : k + 1] & reach[k : k + 1, :]
        # An observed write precedes what follows its observer.
        self.causality = reach | (self.observes.astype(int) @ reach.astype(int) > 0)

    def _order_programs(self):
        for i, j in itertools.combinations(range(len(self.events)), 2):
            self.base[i, j] = self.events[i][0] == self.events[j][0]

    def _order_barriers(self):
        """Who arrived at a barrier before the first departure precedes every departure from it.

        An actor that has exited counts as arrived; the runtime's other threads exit at once.
        """
        for what, size in ((BARRIER, 4), (WARP_BARRIER, 2)):
            for group in range(ACTORS // size):
                arrived, leaving, seen = [], {}, set()
                for i, ((actor, index), operation) in enumerate(
                    zip(self.events, self.operations, strict=True)
                ):
                    if operation[0] != what or actor // size != group:
                        continue
                    if (actor, index) not in seen:
                        seen.add((actor, index))
                        arrived.append(i)
                        continue
                    if arrived and actor not in leaving:
                        meeting = arrived + self._exited(i, group, size)
                        leaving = {self.events[a][0]: meeting for a in arrived}
                        arrived = []
                    for a in leaving.pop(actor):
                        self.base[a, i] = True

    def _exited(self, before, group, size):
        """Last events of the actors of a group that do nothing more after `before`."""
        last = {}
        for i, (actor, _) in enumerate(self.events):
            if actor // size == group:
                last[actor] = i
        return [i for i in last.values() if i < before]

    def _observe(self):
        """observes[w, r]: r reads the value of w, or of atomics upon it, both morally strong."""
        self.observes = np.zeros_like(self.base)
        latest = {}
        for i, (what, cell, _) in enumerate(self.operations):
            if what in READS and cell in latest:
                w = latest[cell]
                if self._morally_strong(w, i):
                    self.observes[w, i] = True
                    if self.operations[w][0] in ATOMICS:
                        self.observes[:, i] |= self.observes[:, w]
            if what in WRITES:
                latest[cell] = i

    def _morally_strong(self, i, j):
        """Each is strong and its scope includes the other (or they are of one thread)."""
        (a, _, scope), (b, _, its_scope) = self.operations[i], self.operations[j]
        return not {a, b} & {LOAD, STORE} and self._include(i, scope, j, its_scope)

    def _synchronise(self):
        for first, write, scope in self._release_patterns():
            for read, last, its_scope in self._acquire_patterns():
                if self.observes[write, read] and self._include(first, scope, last, its_scope):
                    self.base[first, last] = True

    def _release_patterns(self):
        """(first event, its write, scope of the first): a release, alone or before a strong write
        of the same cell; a fence before any strong write."""
        for i, (what, cell, scope) in enumerate(self.operations):
            if what not in RELEASES:
                continue
            if what != FENCE:
                yield i, i, scope
            for j in range(i + 1, len(self.operations)):
                later, its_cell, _ = self.operations[j]
                if self.events[j][0] != self.events[i][0] or later not in WRITES - {STORE}:
                    continue
                if what == FENCE or its_cell == cell:
                    yield i, j, scope

    def _acquire_patterns(self):
        for i, (what, _, scope) in enumerate(self.operations):
            if what not in READS - {LOAD}:
                continue
            if what in ACQUIRES:
                yield i, i, scope
            for j in range(i + 1, len(self.operations)):
                if self.events[j][0] == self.events[i][0] and self.operations[j][0] == FENCE:
                    yield i, j, self.operations[j][2]

    def _include(self, a, scope, b, its_scope):
        same_block = self.events[a][0] // 4 == self.events[b][0] // 4
        return same_block or (scope >= GPU and its_scope >= GPU)

    def races(self):
        """Pairs of events of different actors that conflict, unordered."""
        for i, j in itertools.combinations(range(len(self.events)), 2):
            (a, cell, _), (b, its_cell, _) = self.operations[i], self.operations[j]
            if self.events[i][0] == self.events[j][0] or cell != its_cell:
                continue
            if a not in READS | WRITES or b not in READS | WRITES or not {a, b} & WRITES:
                continue
            if not self._morally_strong(i, j) and not self.causality[i, j]:
                yield i, j


def run(program, table, seed):
    log = np.zeros(1 + 2 * ACTORS * OPERATIONS, np.int32)
    cells = np.zeros(CELLS, np.int32)
    result = program.launch(
        "interprets", 2, 64, [np.array(table, np.int32), cells, log], seed=seed, count=False
    )
    return result.reports, log[1 : 1 + log[0]]


nothing = (NOTHING, 0, 0)


@st.composite
def tables(draw):
    """A few operations for each actor, most of them for few actors. The lanes of a warp use one
    kind of barrier, so that they cannot wait for each other at two."""
    table = []
    for actor in range(ACTORS):
        if actor % 2 == 0:
            barrier = draw(st.sampled_from([BARRIER, WARP_BARRIER]))
        operation = st.tuples(
            st.sampled_from([LOAD, STORE, *range(STRONG_LOAD, BARRIER), barrier]),
            st.integers(0, CELLS - 1),
            st.sampled_from([CTA, GPU, GPU, SYS]),
        )
        mine = draw(st.lists(operation, max_size=draw(st.sampled_from([0, 2, OPERATIONS]))))
        table.append(mine + [nothing] * (OPERATIONS - len(mine)))
    return table


@settings(max_examples=200, deadline=None, database=None, derandomize=True)
@given(table=tables(), seed=st.integers(0, 1000))
def test_random_programs(program, table, seed):
    reports, log = run(program, table, seed)
    assert {report.kind for report in reports} <= {"race"}
    execution = Execution(table, log)
    races = list(execution.races())
    assert bool(races) == bool(reports), [str(r) for r in reports]
    racy = {tuple(sorted((event(execution, i), event(execution, j)))) for i, j in races}
    for report in reports:
        other = int(re.search(r"bodies.cpp:(\d+) by", report.other)[1])
        assert tuple(sorted((report.line, other))) in racy, str(report)


def event(execution, i):
    actor, index = execution.events[i]
    return OPERATIONS * actor + index


@pytest.mark.parametrize("seed", range(5))
def test_the_model_knows_a_message(program, seed):
    """data, fence, flag | flag, fence, data: right only where the flag was seen."""
    table = [[nothing] * OPERATIONS for _ in range(ACTORS)]
    table[0][:3] = [(STORE, 0, GPU), (FENCE, 0, GPU), (STRONG_STORE, 1, GPU)]
    table[7][:3] = [(STRONG_LOAD, 1, GPU), (FENCE, 0, GPU), (LOAD, 0, GPU)]
    _, log = run(program, table, seed)
    seen = list(log).index(OPERATIONS * 0 + 2) < list(log).index(OPERATIONS * 7)
    assert bool(list(Execution(table, log).races())) != seen
