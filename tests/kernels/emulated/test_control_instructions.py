"""Control: scopes, jumps, functions, hints, and what prints or ends a launch."""

import numpy as np
import pytest

from kernels.device.emulated import emulator
from tests.kernels.emulated.snippets import launch, unit


def test_scopes_have_registers_and_labels_of_their_own():
    body = """mov.u32 %r1, 0;
        { .reg .u32 t; mov.u32 t, 3; AGAIN: add.u32 %r1, %r1, 10; sub.u32 t, t, 1;
          .reg .pred q; setp.ne.u32 q, t, 0; @q bra AGAIN; }
        { .reg .u32 t; mov.u32 t, 2; AGAIN: add.u32 %r1, %r1, 1; sub.u32 t, t, 1;
          { .reg .u32 t; mov.u32 t, 500; }
          .reg .pred q; setp.ne.u32 q, t, 0; @q bra AGAIN; }"""
    assert launch(body) == 32


def test_a_table_of_targets():
    body = """table: .branchtargets ZERO, ONE, TWO;
        brx.idx %tid, table;
        ZERO: mov.u32 %r1, 100; bra DONE;
        ONE: mov.u32 %r1, 101; bra DONE;
        TWO: mov.u32 %r1, 102;
        DONE:"""
    assert launch(body, threads=3).tolist() == [100, 101, 102]


def test_functions_with_parameters_and_results():
    module = """
        .func (.param .b32 sum) add_pair (.param .align 8 .b8 pair[8], .param .b32 times);
        .func (.param .b32 sum) add_pair (.param .align 8 .b8 pair[8], .param .b32 times) {
          .reg .b32 %r<9>; .reg .pred %p1;
          ld.param.v2.u32 {%r1, %r2}, [pair]; ld.param.u32 %r3, [times];
          add.u32 %r4, %r1, %r2; setp.eq.u32 %p1, %r3, 0; @%p1 bra END;
          { .param .align 8 .b8 p[8]; .param .b32 n; .param .b32 s;
            st.param.u32 [p], %r4; st.param.u32 [p+4], %r2; sub.u32 %r5, %r3, 1;
            st.param.u32 [n], %r5;
            call.uni (s), add_pair, (p, n);
            ld.param.u32 %r4, [s]; }
          END: st.param.u32 [sum], %r4; ret;
        }"""
    body = """{ .param .align 8 .b8 p[8]; .param .b32 n; .param .b32 s;
          st.param.v2.u32 [p], {%tid, 5}; mov.u32 %r9, 2; st.param.u32 [n], %r9;
          call (s), add_pair, (p, n); ld.param.u32 %r1, [s]; }"""
    assert launch(body, threads=4, module=module).tolist() == [15, 16, 17, 18]


def test_printf():
    text = "%d of %5.2f, %s and %lld (%c, %%, 0x%08x, %*d)\n"
    data = ", ".join(str(b) for b in (*text.encode(), 0))
    module = f"""
        .extern .func (.param .b32 result) vprintf (.param .b64 format, .param .b64 values);
        .global .align 1 .b8 text[{len(text) + 1}] = {{{data}}};
        .global .align 1 .b8 word[4] = {{104, 105, 0}};"""
    body = """.local .align 8 .b8 depot[64];
        mov.u64 %d1, depot; cvta.local.u64 %d1, %d1; mov.u64 %d2, text; cvta.global.u64 %d2, %d2;
        mov.u32 %r20, -7; st.local.u32 [depot], %r20; mov.f64 %d3, 0d4009333333333333;
        st.local.f64 [depot+8], %d3; mov.u64 %d4, word; cvta.global.u64 %d4, %d4;
        st.local.u64 [depot+16], %d4; mov.u64 %d5, 12345678901; st.local.u64 [depot+24], %d5;
        mov.u32 %r21, 65; st.local.u32 [depot+32], %r21; st.local.u32 [depot+36], %r21;
        mov.u32 %r22, 4; st.local.u32 [depot+40], %r22; st.local.u32 [depot+44], %r21;
        { .param .b64 f; .param .b64 v; .param .b32 n; st.param.b64 [f], %d2; st.param.b64 [v], %d1;
          call.uni (n), vprintf, (f, v); ld.param.b32 %r1, [n]; }
        st.global.u32 [%out], %r1;"""
    out = np.zeros(1, np.uint32)
    result = emulator.load(unit(body, module)).launch("k", (1,), (1,), [out, out.copy()])
    assert not result.reports, result.reports[0]
    assert result.output == "-7 of  3.15, hi and 12345678901 (A, %, 0x00000041,   65)\n"
    assert out == [8]


def test_a_failed_assertion_ends_the_launch_and_says_what_failed():
    texts = {name: [*text.encode(), 0] for name, text in (("what", "x > 0"), ("file", "a.cu"))}
    module = """.extern .func __assertfail (.param .b64 condition, .param .b64 file,
          .param .b32 line, .param .b64 function, .param .b64 size);""" + "".join(
        f".global .b8 {name}[{len(data)}] = {{{', '.join(map(str, data))}}};"
        for name, data in texts.items()
    )
    body = """mov.u64 %d1, what; mov.u64 %d2, file; mov.u32 %r1, 7;
        { .param .b64 c; .param .b64 f; .param .b32 l; .param .b64 n; .param .b64 s;
          st.param.b64 [c], %d1; st.param.b64 [f], %d2; st.param.b32 [l], %r1;
          st.param.b64 [n], %d2; st.param.b64 [s], %d1;
          call.uni __assertfail, (c, f, l, n, s); }"""
    arrays = [np.zeros(1, np.uint32), np.zeros(1, np.uint32)]
    reports = emulator.load(unit(body, module)).launch("k", (1,), (1,), arrays).reports
    assert [(r.kind, r.message) for r in reports] == [("fault", "assertion failed: x > 0 (a.cu:7)")]


def test_hints_change_nothing():
    body = """prefetch.global.L2 [%in]; prefetch.global.L2::evict_last [%in]; prefetchu.L1 [%in];
        createpolicy.fractional.L2::evict_first.b64 %d9, 1.0;
        ldu.global.u32 %r1, [%in]; ld.global.nc.L1::no_allocate.L2::cache_hint.u32 %r2, [%in], %d9;
        nanosleep.u32 20; griddepcontrol.wait; griddepcontrol.launch_dependents; pmevent 3;
        setmaxnreg.inc.sync.aligned.u32 240; applypriority.global.L2::evict_normal [%in], 128;
        fence.proxy.async.shared::cta; ld.global.cv.u32 %r3, [%in];"""
    assert launch(body, words=3, inputs=[9]).tolist() == [[9, 9, 9]]


@pytest.mark.parametrize("opcode", ["trap", "brkpt"])
def test_a_trap_ends_the_launch(opcode):
    out = np.zeros(1, np.uint32)
    text = unit(f"{opcode}; mov.u32 %r1, 1; st.global.u32 [%out], %r1;")
    reports = emulator.load(text).launch("k", (1,), (1,), [out, out.copy()]).reports
    assert [(r.kind, r.message) for r in reports] == [("fault", opcode)] and out == [0]
