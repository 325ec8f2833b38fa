"""Instructions of a warp: shuffles, votes, matches, reductions; checked or not."""

import numpy as np
import pytest

from tests.kernels.emulated.snippets import lanes, launch


def test_shuffles():
    words = launch(
        """add.u32 %r20, %tid, 100;
           shfl.sync.up.b32 %r1|%p1, %r20, 3, 0, -1; selp.u32 %r2, 1, 0, %p1;
           shfl.sync.down.b32 %r3|%p1, %r20, 3, 0x1f, -1; selp.u32 %r4, 1, 0, %p1;
           shfl.sync.bfly.b32 %r5, %r20, 16, 0x1f, -1;
           shfl.sync.idx.b32 %r6|%p1, %r20, 5, 0x181f, -1; selp.u32 %r7, 1, 0, %p1;
           shfl.sync.down.b32 %r8|%p1, %r20, 6, 0x1807, -1; selp.u32 %r9, 1, 0, %p1;""",
        threads=32,
        words=9,
    ).T
    lane = lanes()
    assert (words[0] == np.where(lane >= 3, lane - 3, lane) + 100).all()
    assert (words[1] == (lane >= 3)).all()
    assert (words[2] == np.where(lane <= 28, lane + 3, lane) + 100).all()
    assert (words[3] == (lane <= 28)).all()
    assert (words[4] == (lane ^ 16) + 100).all()
    assert (words[5] == (lane & ~7 | 5) + 100).all() and words[6].all()  # segments of eight
    inside = lane % 8 < 2
    assert (words[7] == np.where(inside, lane + 6, lane) + 100).all()
    assert (words[8] == inside).all()


def test_votes_matches_and_reductions():
    words = launch(
        """setp.lt.u32 %p1, %tid, 5; and.b32 %r20, %tid, 1; setp.ge.u32 %p3, %tid, 0;
           vote.sync.ballot.b32 %r1, %p1, -1;
           vote.sync.any.pred %p2, %p1, -1; selp.u32 %r2, 1, 0, %p2;
           vote.sync.all.pred %p2, %p1, -1; selp.u32 %r3, 1, 0, %p2;
           vote.sync.uni.pred %p2, %p3, -1; selp.u32 %r4, 1, 0, %p2;
           match.any.sync.b32 %r5, %r20, -1;
           match.all.sync.b32 %r6|%p2, %r20, -1;
           redux.sync.add.s32 %r7, %tid, -1;
           redux.sync.max.u32 %r8, %tid, -1;
           redux.sync.xor.b32 %r9, %tid, -1;
           activemask.b32 %r10;
           elect.sync %r11|%p2, -1; selp.u32 %r12, 1, 0, %p2;""",
        threads=32,
        words=12,
    ).T
    assert (words[0] == 0b11111).all()
    assert [int(words[i][0]) for i in (1, 2, 3)] == [1, 0, 1]
    assert (words[4] == np.where(lanes() % 2, 0xAAAAAAAA, 0x55555555)).all()
    assert (words[5] == 0).all()
    assert (words[6] == sum(range(32))).all() and (words[7] == 31).all() and (words[8] == 0).all()
    assert (words[9] == 0xFFFFFFFF).all()
    assert (words[10] == 0).all() and words[11].tolist() == [1] + [0] * 31


def test_a_partial_mask_and_lanes_that_left():
    words = launch(
        """mov.u32 %r1, 7; setp.ge.u32 %p1, %tid, 8; @%p1 bra DONE;
           shfl.sync.idx.b32 %r1, %tid, 3, 0x1f, 0xff;
           DONE:""",
        threads=32,
    )
    assert (words == np.where(lanes() < 8, 3, 7)).all()


def test_special_registers():
    words = launch(
        """mov.u32 %r1, %laneid; mov.u32 %r2, %warpid; mov.u32 %r3, %lanemask_lt;
           mov.u32 %r4, %ntid.x; mov.u32 %r5, WARP_SZ;""",
        threads=64,
        words=5,
    )
    assert words[37].tolist() == [5, 1, 0b11111, 64, 32]


@pytest.mark.parametrize("check", [False, True])
def test_an_unchecked_run_gives_the_same(check):
    body = "mul.wide.u32 %d1, %tid, 4; add.s64 %d2, %in, %d1; ld.global.u32 %r1, [%d2];"
    words = launch(body, threads=32, inputs=lanes() ** 2, check=check)
    assert (words == lanes() ** 2).all()
