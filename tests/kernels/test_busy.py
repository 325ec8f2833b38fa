"""Beside other busy processes fewer threads, and never other bits."""

import os
import pathlib
import time
import types

import numpy as np
import pytest

import kernels
from kernels import busy, threads

SECOND_NS = 10**9


class Machine:
    """Threads 0 … n − 1; who has no CPU of its own, beside a crowd, waits half of the time."""

    def __init__(self, n, crowd=0, look_s=0.0, loop_s=0.001):
        self.n, self.crowd, self.look_s, self.loop_s, self.now_s = n, crowd, look_s, loop_s, 100.0
        self.told, self.looks = {str(i): (0, 0) for i in range(n)}, 0
        self.room = busy.Room(self.times, lambda: self.now_s)

    def times(self):
        self.looks += 1
        self.now_s += self.look_s
        return dict(self.told)

    def run(self, seconds):
        """One loop after the other; returns how many threads each had."""
        threads_had, loop_ns = [], round(1e9 * self.loop_s)
        for _ in range(round(seconds / self.loop_s)):
            used = self.room.threads(self.n)
            threads_had.append(used)
            pushed = max(0, used - (self.n - self.crowd))
            for i in range(used):
                ran, waited = self.told[str(i)]
                off = loop_ns // 2 if i >= used - pushed else 0
                self.told[str(i)] = ran + loop_ns - off, waited + off
            self.now_s += self.loop_s
        return threads_had


def test_all_threads_on_an_idle_machine():
    assert set(Machine(2).run(3)) == {2}


@pytest.mark.parametrize(("n", "crowd"), [(2, 1), (4, 1), (64, 1), (64, 9)])
def test_as_many_fewer_as_are_pushed_off(n, crowd):
    used = Machine(n, crowd).run(9)
    assert used[0] == n and set(used) == {n, n - crowd}
    assert np.mean(np.array(used[2000:]) == n) < 0.02  # what the tries cost


def test_one_thread_where_even_that_is_pushed_off():
    machine = Machine(2, 2)
    assert set(machine.run(10)[100:]) == {1}
    machine.crowd = 0  # they have ended
    assert set(machine.run(4)[-500:]) == {2}


def test_tries_that_fail_grow_rare_and_are_frequent_again_after_calm():
    machine = Machine(2, 1)
    used = np.array(machine.run(20))
    tries = np.flatnonzero((used[1:] == 2) & (used[:-1] == 1)) / 1000
    pauses_s = np.diff(tries)
    assert pauses_s[0] < 0.3 and (pauses_s[-2:] > 3).all() and (np.diff(pauses_s) > -0.05).all()
    machine.crowd = 0
    machine.run(10)
    machine.crowd = 1
    used = np.array(machine.run(1))
    tries = np.flatnonzero((used[1:] == 2) & (used[:-1] == 1)) / 1000
    assert len(tries) >= 2


@pytest.mark.parametrize("loops", [1, 2000])
def test_what_happened_in_a_gap_says_nothing(loops):
    """Two libraries' threads push each other while ours do nothing: that is no reason for fewer."""
    machine = Machine(2, 1)
    machine.run(loops / 1000)
    machine.crowd = 0
    machine.now_s += 2 * busy.GAP_S
    machine.told = {thread: (ran, waited + 10**8) for thread, (ran, waited) in machine.told.items()}
    assert set(machine.run(1)) == {2}


def test_after_a_gap_all_threads_are_tried_for_a_moment():
    machine = Machine(2, 1, look_s=0.0003)
    machine.run(2)
    machine.now_s += 2 * busy.GAP_S
    used = machine.run(0.09)
    assert used[0] == 2 and used.count(2) <= 1000 * busy.TRY_S + 1


def test_loops_that_take_long_are_no_gaps():
    """Of products of half a second each, too, one in the crowd's way is left out."""
    used = Machine(64, 1, loop_s=0.5).run(60)
    assert used[0] == 64 and used.count(63) > 0.8 * len(used)


def test_a_look_that_takes_long_is_taken_rarely():
    machine = Machine(2, look_s=0.001)
    machine.run(3)
    assert 0 < machine.looks <= 1 + 3 / (busy.COSTS * 0.001)


def test_a_system_that_does_not_tell_gets_all_threads():
    room = busy.Room(dict)
    assert {room.threads(8) for _ in range(1000)} == {8}


@pytest.mark.parametrize("place", ["none", "empty", "other"])
def test_a_folder_that_tells_nothing(tmp_path, monkeypatch, place):
    (tmp_path / "empty").mkdir()
    (tmp_path / "other" / "7").mkdir(parents=True)
    (tmp_path / "other" / "7" / "schedstat").write_text("no numbers\n")
    monkeypatch.setattr(busy, "TASKS", str(tmp_path / place))
    assert busy.times() == {}


@pytest.mark.skipif(not pathlib.Path(busy.TASKS).exists(), reason="not Linux")
def test_what_linux_tells():
    before, ends = busy.times(), time.perf_counter() + 0.05
    while time.perf_counter() < ends:
        pass
    me, now = str(os.getpid()), busy.times()
    ran, waited = (b - a for a, b in zip(before[me], now[me], strict=True))
    assert 0 < ran < SECOND_NS and waited >= 0


class Numba:
    """As much of Numba as threads_for asks."""

    def __init__(self, most):
        self.config = types.SimpleNamespace(NUMBA_NUM_THREADS=most)
        self.threads = most

    def get_num_threads(self):
        return self.threads

    def set_num_threads(self, n):
        self.threads = n

    def threading_layer(self):
        return "omp"


@pytest.fixture
def numba(monkeypatch):
    """Eight threads; room for as many as numba.fitting says."""
    numba = Numba(8)
    numba.fitting = 8
    room = types.SimpleNamespace(threads=lambda wanted: min(wanted, numba.fitting))
    monkeypatch.setattr(threads, "numba", numba)
    monkeypatch.setattr(threads, "_pool", None)
    monkeypatch.setattr(threads, "CHOSEN", False)
    monkeypatch.setattr(threads, "_told", threads._Told())
    monkeypatch.setattr(busy, "room", room)
    return numba


def used():
    return threads.threads_for(10, 10)


def test_threads_for_is_told_and_tells_numba(numba):
    for fitting, has in ((8, 8), (7, 7), (6, 6), (1, 6), (8, 8), (5, 5), (8, 8)):
        numba.fitting = fitting
        assert (used(), numba.threads) == (fitting, has)
    assert threads.threads_for(9, 10) == 1


def test_what_the_user_has_chosen_stays(numba, monkeypatch):
    numba.fitting = 2
    assert used() == 2
    numba.set_num_threads(5)
    assert used() == 5 == numba.threads
    monkeypatch.setattr(threads, "CHOSEN", True)  # NUMBA_NUM_THREADS
    numba.set_num_threads(8)
    assert used() == 8


def test_numba_is_asked_for_the_number_that_it_has_now():
    most = threads.numba.config.NUMBA_NUM_THREADS
    assert threads.numba.get_num_threads() == threads._threads_of_numba() == most
    threads.numba.set_num_threads(1)
    try:
        assert threads._threads_of_numba() == 1
    finally:
        threads.numba.set_num_threads(most)


def test_the_number_may_change_at_any_step(monkeypatch):
    """The same bits, whichever loop runs on fewer threads."""
    rng = np.random.default_rng(0)
    x, w = rng.standard_normal((256, 784), np.float32), rng.standard_normal((784, 128), np.float32)
    dy = rng.standard_normal((256, 128), np.float32)
    numbers = iter([1, 2, 1, 1, 2, 2] * 10)
    monkeypatch.setattr(threads, "CHOSEN", False)
    monkeypatch.setattr(busy, "room", types.SimpleNamespace(threads=lambda n: next(numbers)))
    patterns = set()
    for _ in range(6):
        results = [kernels.linear(x, w), *kernels.linear_backward(dy, x, w)]
        patterns.add(b"".join(a.tobytes() for a in results))
    assert len(patterns) == 1
