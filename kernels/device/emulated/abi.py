"""The runtime's C interface as ctypes sees it: abi.h and the tables of runtime.h."""

import ctypes
import functools

from kernels.device.emulated import build

u32, u64, i32, i64 = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_int32, ctypes.c_int64
pointer, text = ctypes.c_void_p, ctypes.c_char_p


class Dim3(ctypes.Structure):
    _fields_ = [(axis, u32) for axis in "xyz"]


class Site(ctypes.Structure):
    _fields_ = [
        ("file", text),
        ("text", text),
        ("inlined", text),
        ("line", i32),
        ("ptx_line", i32),
    ]


class Entry(ctypes.Structure):
    _fields_ = [
        ("name", text),
        ("body", pointer),
        ("shared", pointer),
        ("shared_count", u32),
        ("dynamic_offset", u32),
        ("written", u64),
    ]


class Module(ctypes.Structure):
    _fields_ = [
        ("sites", ctypes.POINTER(Site)),
        ("entries", ctypes.POINTER(Entry)),
        ("variables", pointer),
        ("site_count", u32),
        ("entry_count", u32),
        ("variable_count", u32),
    ]


class Argument(ctypes.Structure):
    _fields_ = [
        ("host", pointer),
        ("bytes", u64),
        ("name", text),
        ("defined", pointer),
        ("item_bytes", u32),
        ("written", u32),
    ]


class Request(ctypes.Structure):
    _fields_ = [
        ("module", pointer), ("parameters", pointer), ("arguments", pointer), ("seed", u64),
        ("steps", i64), ("entry", u32), ("argument_count", u32), ("grid", Dim3), ("block", Dim3),
        ("cluster", Dim3), ("dynamic_shared_bytes", u32), ("schedule", u32), ("check", u32),
        ("count", u32), ("perturb", u32), ("cooperative", u32),
    ]  # fmt: skip


class ReportRecord(ctypes.Structure):
    _fields_ = [
        *((name, text) for name in ("message", "address", "other", "file", "text", "inlined")),
        ("count", u64),
        ("kind", u32),
        ("line", i32),
        ("ptx_line", i32),
        ("has_thread", u32),
        ("block", Dim3),
        ("thread", Dim3),
    ]


# SiteCounters: what is counted per PTX instruction.
COUNTED = (
    "requests", "global_bytes", "sectors", "ideal_sectors", "shared_requests", "wavefronts",
    "ideal_wavefronts", "barriers", "atomics", "matrix_instructions", "multiply_adds",
)  # fmt: skip


@functools.cache
def runtime() -> ctypes.CDLL:
    """The runtime with its functions typed."""
    library = build.runtime()
    library.emu_launch.argtypes = [ctypes.POINTER(Request)]
    library.emu_report.restype = ctypes.POINTER(ReportRecord)
    library.emu_report.argtypes = [u32]
    library.emu_report_count.restype = u32
    library.emu_counters.restype = pointer
    library.emu_instructions.restype = u64
    library.emu_output.restype = text
    return library
