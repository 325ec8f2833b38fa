"""A few lines of PTX, run by themselves."""

import numpy as np

from kernels.device.emulated import emulator

HEAD = ".version 8.6\n.target sm_90a\n.address_size 64\n"


def unit(body, module=""):
    return f"""{HEAD}{module}
        .entry k(.param .u64 out, .param .u64 in) {{
          .reg .b16 %h<40>; .reg .b32 %r<40>; .reg .b64 %d<40>; .reg .f32 %f<20>; .reg .pred %p<8>;
          .reg .b64 %out, %in; .reg .b32 %tid;
          ld.param.u64 %out, [out];
          ld.param.u64 %in, [in];
          mov.u32 %tid, %tid.x;
          {body}
          ret;
        }}"""


def launch(body, threads=1, words=1, inputs=None, module="", check=True, **options):
    """Every thread's `words` 32-bit results: the body leaves them in %r1 …; inputs: uint32."""
    stores = f"mad.wide.u32 %out, %tid, {4 * words}, %out;\n" + "\n".join(
        f"st.global.u32 [%out+{4 * i}], %r{i + 1};" for i in range(words)
    )
    out = np.zeros((threads, words), np.uint32)
    given = np.zeros(1, np.uint32) if inputs is None else np.asarray(inputs, np.uint32)
    program = emulator.load(unit(body + stores, module))
    result = program.launch("k", (1,), (threads,), [out, given], check=check, **options)
    assert not result.reports, result.reports[0]
    return out[:, 0] if words == 1 else out


def floats(bits):
    return np.asarray(bits, np.uint32).view(np.float32)


def results(instructions, **options):
    """What each instruction leaves in %r1, all in one program."""
    kept = [f"{text}; mov.u32 %o{i}, %r1;" for i, text in enumerate(instructions)]
    stores = [f"st.global.u32 [%out+{4 * i}], %o{i};" for i in range(len(kept))]
    body = [f".reg .b32 %o<{len(kept)}>;", *kept, *stores]
    out = np.zeros(len(kept), np.uint32)
    given = np.zeros(1, np.uint32)
    emulator.load(unit("\n".join(body))).launch("k", (1,), (1,), [out, given], **options)
    return dict(zip(instructions, map(hex, out), strict=True))


def lanes():
    return np.arange(32)
