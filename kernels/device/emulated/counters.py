"""What launches cost: memory traffic, bank conflicts, barriers and matrix instructions, in total
and per source line.

Requests are counted as a card forms them: what the lanes of a warp ask for by one execution of an
instruction is one request.
"""

import ctypes
import dataclasses
import functools

import numpy as np

from kernels.device.emulated.abi import COUNTED


@dataclasses.dataclass(frozen=True)
class Traffic:
    """Counts of one source line, or of everything.

    requests              warp instructions that accessed memory (a cp.async makes two)
    global_bytes          bytes the lanes asked for in global memory
    sectors               32-byte sectors that takes; ideal_sectors: had the bytes been contiguous
    shared_requests       warp instructions on shared memory
    wavefronts            passes over the 32 banks that takes; ideal_wavefronts: without conflicts
    barriers              warps arriving at a block's or cluster's barrier
    atomics               lanes' atomic operations
    matrix_instructions   mma or wgmma, per warp; multiply_adds: in them
    """

    requests: int = 0
    global_bytes: int = 0
    sectors: int = 0
    ideal_sectors: int = 0
    shared_requests: int = 0
    wavefronts: int = 0
    ideal_wavefronts: int = 0
    barriers: int = 0
    atomics: int = 0
    matrix_instructions: int = 0
    multiply_adds: int = 0

    @property
    def sector_bytes(self) -> int:
        """Bytes that the global accesses move, in whole sectors."""
        return 32 * self.sectors

    @property
    def bank_conflicts(self) -> int:
        """Wavefronts beyond those that the accesses would take without conflicts."""
        return self.wavefronts - self.ideal_wavefronts


class Sites:
    """Source lines of a module's instructions: [(file, line)], compared by identity."""

    def __init__(self, places):
        self.places = places

    @functools.cached_property
    def lines(self):
        """(the distinct places, the index of each instruction's place among them)"""
        order = {place: i for i, place in enumerate(dict.fromkeys(self.places))}
        return list(order), np.array([order[place] for place in self.places], np.intp)


def counted(address, sites):
    """uint64 (instructions, counts): a copy of what the runtime has counted of a module."""
    size = len(sites.places) * len(COUNTED)
    table = (ctypes.c_uint64 * size).from_address(address) if size else ()
    return np.array(table, np.uint64).reshape(-1, len(COUNTED))


class Counters:
    """The counts of one launch or of several; `a + b` adds them.

    blocks: of the launches' grids. instructions: PTX instructions that lanes ran, in all; 32 of
    them are one of a full warp. One that its guard turns off is among them, as it is issued too.

    counters.total.sectors; counters.lines["kernels/ops/linear/gpu.cu", 80].bank_conflicts
    """

    def __init__(self, launches=0, blocks=0, instructions=0):
        self.launches, self.blocks, self.instructions = launches, blocks, instructions
        self._tables = {}  # Sites: uint64 (instructions, counts)

    def add(self, sites, table):
        """Add the counts of a module's instructions."""
        known = self._tables.get(sites)
        self._tables[sites] = table if known is None else known + table

    @property
    def total(self) -> Traffic:
        sums = np.zeros(len(COUNTED), np.uint64)
        for table in self._tables.values():
            sums += table.sum(axis=0, dtype=np.uint64)
        return _traffic(sums)

    @property
    def lines(self) -> dict[tuple[str, int], Traffic]:
        """By (file, line), where anything was counted."""
        sums = {}
        for sites, table in self._tables.items():
            places, index = sites.lines
            by_place = np.zeros((len(places), len(COUNTED)), np.uint64)
            np.add.at(by_place, index, table)
            for place, row in zip(places, by_place, strict=True):
                if row.any():
                    sums[place] = sums.get(place, 0) + row
        return {place: _traffic(row) for place, row in sums.items()}

    def __add__(self, other):
        both = Counters(
            self.launches + other.launches,
            self.blocks + other.blocks,
            self.instructions + other.instructions,
        )
        for counters in (self, other):
            for sites, table in counters._tables.items():
                both.add(sites, table)
        return both

    def __repr__(self):
        return f"Counters(launches={self.launches}, total={self.total})"


def _traffic(row):
    return Traffic(**dict(zip(COUNTED, map(int, row), strict=True)))
