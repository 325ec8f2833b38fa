"""Memory: atomics, variables, address spaces, mbarriers, the shared memory of a cluster."""

import numpy as np

from kernels.device.emulated import emulator
from tests.kernels.emulated.snippets import HEAD, launch


def test_atomic_operations():
    body = """.shared .align 8 .b8 s[96];
        setp.ne.u32 %p1, %tid, 0; @%p1 bra WAIT;
        mov.u32 %r20, 0; mov.u32 %r21, 0xFFFFFFFF;
        st.shared.u32 [s], %r20; st.shared.u32 [s+4], %r20; st.shared.u32 [s+8], %r21;
        st.shared.u32 [s+12], %r21; st.shared.u32 [s+16], %r20; st.shared.u32 [s+20], %r20;
        st.shared.u32 [s+24], %r20; st.shared.u32 [s+28], %r20;
        st.shared.u32 [s+32], %r20; st.shared.u32 [s+36], %r20; st.shared.u32 [s+40], %r20;
        WAIT: bar.sync 0;
        atom.shared.add.u32 %r22, [s], 2;
        red.shared.max.s32 [s+4], %tid;
        red.shared.min.u32 [s+8], %tid;
        add.u32 %r23, %tid, 256; red.shared.and.b32 [s+12], %r23;
        shl.b32 %r24, 1, %tid; red.shared.or.b32 [s+16], %r24;
        red.shared.xor.b32 [s+20], %r24;
        atom.shared.inc.u32 %r25, [s+24], 9;
        cvt.rn.f32.u32 %f1, %tid; red.shared.add.f32 [s+28], %f1;
        atom.shared.cas.b32 %r26, [s+32], 0, 5;
        cvt.u64.u32 %d1, %tid; red.shared::cta.add.u64 [s+40], %d1;
        bar.sync 0;
        ld.shared.u32 %r1, [s]; ld.shared.u32 %r2, [s+4]; ld.shared.u32 %r3, [s+8];
        ld.shared.u32 %r4, [s+12]; ld.shared.u32 %r5, [s+16]; ld.shared.u32 %r6, [s+20];
        ld.shared.u32 %r7, [s+24]; ld.shared.u32 %r8, [s+28]; ld.shared.u32 %r9, [s+32];
        ld.shared.u32 %r10, [s+40]; mov.u32 %r11, %r22; mov.u32 %r12, %r25;"""
    body = body.replace("st.shared.u32 [s+40], %r20;", "mov.b64 %d3, 0; st.shared.u64 [s+40], %d3;")
    words = launch(body, threads=32, words=12)
    total = np.float32(sum(range(32))).view(np.uint32)
    assert words[3].tolist()[:10] == [
        64, 31, 0, 0x100, 0xFFFFFFFF, 0xFFFFFFFF, 32 % 10, total, 5, sum(range(32)),
    ]  # fmt: skip
    assert sorted(words[:, 10]) == list(range(0, 64, 2))
    assert sorted(words[:, 11]) == sorted(i % 10 for i in range(32))


def test_variables_with_initial_values():
    module = """.global .align 4 .u32 numbers[3] = {7, 8, 9};
                .const .align 8 .b8 bytes[8] = {1, 2, 3, 4};
                .global .align 8 .u64 pointer = generic(numbers);
                .global .f32 half = 0f3F000000;"""
    (words,) = launch(
        """ld.global.u32 %r1, [numbers+8]; ld.const.u32 %r2, [bytes]; ld.const.u32 %r3, [bytes+4];
           ld.global.u64 %d1, [pointer]; ld.u32 %r4, [%d1+4]; ld.global.u32 %r5, [half];
           mov.u64 %d2, numbers; ld.global.u32 %r6, [%d2]; st.global.u32 [numbers], %r1;""",
        words=6,
        module=module,
    )
    assert [int(w) for w in words] == [9, 0x04030201, 0, 8, 0x3F000000, 7]


def test_local_arrays_generic_addresses_and_spaces():
    (words,) = launch(
        """.local .align 16 .b8 depot[64]; .shared .align 4 .b8 s[16];
           mov.u64 %d1, depot; cvta.local.u64 %d2, %d1; mov.u32 %r20, 11;
           st.local.u32 [%d1+4], %r20; ld.u32 %r1, [%d2+4];
           mov.u32 %r21, s; cvta.shared.u64 %d3, s;
           st.u32 [%d3+8], %r1; ld.shared.u32 %r2, [%r21+8];
           isspacep.shared %p1, %d3; isspacep.local %p2, %d2; isspacep.global %p3, %d2;
           selp.u32 %r3, 1, 0, %p1; selp.u32 %r4, 1, 0, %p2; selp.u32 %r5, 1, 0, %p3;
           cvta.to.shared.u64 %d4, %d3; cvt.u32.u64 %r22, %d4; sub.u32 %r6, %r22, %r21;""",
        words=6,
    )
    assert [int(w) for w in words] == [11, 11, 1, 1, 0, 0]


def test_an_mbarrier_lets_a_warp_see_what_another_wrote():
    body = """.shared .align 8 .b8 barrier[8]; .shared .align 4 .b8 s[4];
        setp.ne.u32 %p1, %tid, 0; @%p1 bra READY;
        mbarrier.init.shared::cta.b64 [barrier], 32;
        READY: bar.sync 0; setp.lt.u32 %p2, %tid, 32; @%p2 bra READER;
        setp.eq.u32 %p3, %tid, 40; mov.u32 %r20, 77; @%p3 st.shared.u32 [s], %r20;
        mbarrier.arrive.shared::cta.b64 _, [barrier]; mov.u32 %r1, 0; bra DONE;
        READER: { .reg .pred done;
          WAIT: mbarrier.try_wait.parity.shared::cta.b64 done, [barrier], 0; @!done bra WAIT; }
        ld.shared.u32 %r1, [s];
        DONE:"""
    assert launch(body, threads=64).tolist() == [77] * 32 + [0] * 32


def test_blocks_of_a_cluster_read_each_others_shared_memory():
    text = f"""{HEAD}.entry k(.param .u64 out) .reqnctapercluster 2, 1, 1 {{
        .reg .b32 %r<9>; .reg .b64 %d<9>; .shared .align 4 .b8 s[4];
        ld.param.u64 %d1, [out]; mov.u32 %r1, %cluster_ctarank; add.u32 %r2, %r1, 50;
        st.shared.u32 [s], %r2;
        barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned;
        mov.u32 %r3, s; xor.b32 %r4, %r1, 1; mapa.shared::cluster.u32 %r5, %r3, %r4;
        ld.shared::cluster.u32 %r6, [%r5]; getctarank.shared::cluster.u32 %r8, %r5;
        mad.lo.u32 %r6, %r8, 1000, %r6;
        mov.u32 %r7, %ctaid.x; mul.wide.u32 %d2, %r7, 4; add.s64 %d1, %d1, %d2;
        st.global.u32 [%d1], %r6;
        barrier.cluster.arrive.aligned; barrier.cluster.wait.aligned; ret; }}"""
    out = np.zeros(4, np.uint32)
    result = emulator.load(text).launch("k", (4,), (1,), [out], cluster=(2, 1, 1))
    assert not result.reports, result.reports[0]
    assert out.tolist() == [1051, 50, 1051, 50]
