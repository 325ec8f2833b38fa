"""From source text to machine code, with no driver and no card: NVRTC compiles, nvJitLink links.

C++ text ──NVRTC -dlto──► LTO-IR ─┐
scalar Python ──Numba──► LTO-IR ──┴─ nvJitLink ──► cubin, or the linked PTX
Python kernel ──Numba──► PTX ─────── nvJitLink ──► cubin
"""

import functools
import pathlib

from kernels.device.errors import CompileError, toolchain_missing

HEADERS = pathlib.Path(__file__).parent / "cuh"


@functools.cache
def _bindings():
    try:
        from cuda.bindings import nvjitlink, nvrtc

        nvrtc.nvrtcVersion()
        nvjitlink.version()
    except Exception as cause:  # a missing wheel, or one that finds no shared library
        raise toolchain_missing("NVRTC or nvJitLink", cause) from cause
    return nvrtc, nvjitlink


def versions() -> dict[str, str]:
    """{"nvrtc": "13.4", "nvjitlink": "13.5"}; part of every cache key."""
    nvrtc, nvjitlink = _bindings()
    _, major, minor = nvrtc.nvrtcVersion()
    return {"nvrtc": f"{major}.{minor}", "nvjitlink": "{}.{}".format(*nvjitlink.version())}


@functools.cache
def headers() -> dict[str, str]:
    """{file name: text} of the device headers, handed to NVRTC in memory."""
    return {path.name: path.read_text("utf-8") for path in sorted(HEADERS.glob("*.cuh"))}


def compile_cpp(text, name, arch, defines, more_headers=None, folders=()) -> bytes:
    """LTO-IR of C++ `text`. `name` is the file named in messages and line information; NVRTC takes
    a relative one from the current directory. more_headers ({file name: text}) and folders: where
    an #include is looked for beside this package's own headers."""
    nvrtc, _ = _bindings()

    def check(status, *values):
        if status != nvrtc.nvrtcResult.NVRTC_SUCCESS:
            raise CompileError(f"{name}: {nvrtc.nvrtcGetErrorString(status)[1].decode()}")
        return values[0] if values else None

    includes = headers() | (more_headers or {})
    program = check(
        *nvrtc.nvrtcCreateProgram(
            text.encode(),
            str(name).encode(),
            len(includes),
            [body.encode() for body in includes.values()],
            [key.encode() for key in includes],
        )
    )
    options = [f"--gpu-architecture={arch}", "--std=c++17", "-dlto", "-default-device", "-lineinfo"]
    options += ["-diag-suppress=177"]  # constants that one entry reads and another does not
    options += [f"-D{key}={value}" for key, value in defines.items()]
    options += [f"-I{folder}" for folder in folders]
    (status,) = nvrtc.nvrtcCompileProgram(program, len(options), [o.encode() for o in options])
    if status != nvrtc.nvrtcResult.NVRTC_SUCCESS:
        log = b" " * check(*nvrtc.nvrtcGetProgramLogSize(program))
        check(*nvrtc.nvrtcGetProgramLog(program, log))
        raise CompileError(f"{name} for {arch}:\n{log.rstrip(bytes(1)).decode()}")
    code = b" " * check(*nvrtc.nvrtcGetLTOIRSize(program))
    check(*nvrtc.nvrtcGetLTOIR(program, code))
    check(*nvrtc.nvrtcDestroyProgram(program))
    return code


def link(parts, name, arch, output="cubin", entries=()) -> tuple[bytes, str]:
    """Link [("ltoir" | "ptx", bytes), …] to a cubin or to PTX; returns it and the linker's log.

    entries: the kernels to keep of LTO-IR, where not all of them.
    The log holds registers, spills and shared memory of every kernel (`ptxas -v`).
    """
    _, nvjitlink = _bindings()
    options = [f"-arch={arch}", "-lineinfo"]
    if any(kind == "ltoir" for kind, _ in parts):
        options += ["-lto"] + (["-ptx"] if output == "ptx" else [])
        options += [f"-kernels-used={entry}" for entry in entries]
    elif output == "ptx":
        raise ValueError("PTX is linked to a cubin only; it is PTX already")
    if output == "cubin":
        options += ["-Xptxas=-v", "-verbose"]
    try:
        handle = nvjitlink.create(len(options), options)
    except nvjitlink.nvJitLinkError as cause:  # an architecture or an option that it does not know
        raise CompileError(f"{name} for {arch}: {cause}") from cause
    kinds = {"ltoir": nvjitlink.InputType.LTOIR, "ptx": nvjitlink.InputType.PTX}
    try:
        for index, (kind, code) in enumerate(parts):
            nvjitlink.add_data(handle, kinds[kind], code, len(code), f"{name}.{index}")
        nvjitlink.complete(handle)
        size, get = {
            "cubin": (nvjitlink.get_linked_cubin_size, nvjitlink.get_linked_cubin),
            "ptx": (nvjitlink.get_linked_ptx_size, nvjitlink.get_linked_ptx),
        }[output]
        linked = bytearray(size(handle))
        get(handle, linked)
        log = bytearray(nvjitlink.get_info_log_size(handle))
        nvjitlink.get_info_log(handle, log)
        return bytes(linked), log.decode(errors="replace").strip("\0")
    except nvjitlink.nvJitLinkError as cause:
        log = bytearray(nvjitlink.get_error_log_size(handle))
        nvjitlink.get_error_log(handle, log)
        text = log.decode(errors="replace").strip("\0")
        raise CompileError(f"{name} for {arch}: {cause}\n{text}") from cause
    finally:
        nvjitlink.destroy(handle)
