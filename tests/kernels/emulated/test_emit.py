"""The translation around the instructions: every kernel of the tree, sites, shared layout, and what
an entry is said to write."""

import functools

import pytest

from kernels.device.emulated import emit, ptx
from kernels.device.emulated.emit import layout, sites, written
from kernels.device.emulated.emit.operation import EMITTERS
from tests import harness

HEAD = ".version 9.4\n.target sm_90\n.address_size 64\n"


@functools.cache
def parsed(text):
    return ptx.parse(text)


@pytest.mark.usefixtures("toolchain")
@harness.each_second_compiled_in_turn
def test_every_kernel_is_translated(unit, arch):
    for module in map(parsed, sorted(set(unit.ptx(arch).values()))):
        text = emit.cpp(module)
        lines = set(text.split("\n"))
        for name, entry in module.entries.items():
            assert f"void entry_{name}(" in text
            assert all(f"  // {i.line}: {i}" in lines for i in entry.instructions())


# Their addresses are made of numbers read from memory, which might as well be pointers: everything
# counts as written, and every access is checked for races.
INDEXED_FROM_MEMORY = {"clip_by_norm_scale"}


@pytest.mark.usefixtures("toolchain")
@harness.each_second_compiled_in_turn
def test_what_is_declared_const_is_not_written_and_the_rest_is(unit, arch):
    """Of the parameters that a kernel looks at; a pointer too few would hide races."""
    for name, text in unit.ptx(arch).items():
        module = parsed(text)
        mask = written.written(module, module.entries[name])
        assert (mask == written.UNKNOWN) == (name in INDEXED_FROM_MEMORY), name
        declaration = unit.kernel_file.entry[name].declaration.split(",")
        read = [f"[{p.name}" in text for p in module.entries[name].parameters]
        parameters = unit.kernel_file.entry[name].parameters
        pointers = [i for i, p in enumerate(parameters) if p.pointer and read[i]]
        assert pointers
        if mask != written.UNKNOWN:
            written_to = {i for i in pointers if mask >> i & 1}
            assert written_to == {i for i in pointers if "const" not in declaration[i]}, declaration


def mask_of(body, parameters=3):
    declared = ", ".join(f".param .u64 p{i}" for i in range(parameters))
    loads = "".join(f"ld.param.u64 %rd{i}, [p{i}];" for i in range(parameters))
    text = f"""{HEAD}.global .u32 g; .extern .func f (.param .b64 a);
        .entry k({declared}) {{ .reg .b64 %rd<20>; .reg .b32 %r<9>; .reg .pred %p<3>;
        {loads} {body} ret; }}"""
    module = ptx.parse(text)
    return written.written(module, module.entries["k"])


@pytest.mark.parametrize(
    ("body", "mask"),
    [
        ("st.global.u32 [%rd1+4], %r1;", 0b010),
        ("cvta.to.global.u64 %rd5, %rd0; add.s64 %rd6, %rd5, 8; st.global.u32 [%rd6], %r1;", 0b001),
        ("selp.b64 %rd5, %rd0, %rd2, %p1; red.global.add.u32 [%rd5], %r1;", 0b101),
        ("atom.add.u32 %r1, [%rd2], 1;", 0b100),
        ("LOOP: st.u32 [%rd5], %r1; mov.u64 %rd5, %rd1; @%p1 bra LOOP;", 0b010),
        (
            "ld.global.v2.u32 {%r1, %r2}, [%rd0]; mov.b64 %rd5, {%r1, %r2}; st.u32 [%rd5], %r1;",
            written.UNKNOWN,
        ),
        (
            "mov.b64 {%r1, %r2}, %rd1; shfl.sync.idx.b32 %r3|%p1, %r1, 0, 31, -1;"
            "mov.b64 %rd5, {%r3, %r2}; st.u32 [%rd5], %r1;",
            0b010,
        ),
        ("cvta.global.u64 %rd5, g; add.s64 %rd6, %rd5, 4; st.u32 [%rd6], %r1;", 0),
        ("ld.global.u64 %rd5, [%rd0]; st.global.u32 [%rd5], %r1;", written.UNKNOWN),
        ("ld.global.u32 %r1, [%rd0]; st.global.u32 [g], %r1;", 0),
        ("setp.ne.u64 %p1, %rd2, 0; selp.u64 %rd5, %rd1, 0, %p1; st.u32 [%rd5], %r1;", 0b010),
        ("{ .param .b64 a; st.param.b64 [a], %rd0; call f, (a); }", written.UNKNOWN),
    ],
)
def test_written_parameters(body, mask):
    assert mask_of(body) == mask


def test_shared_arrays_keep_their_distance_and_two_entries_share_a_place():
    module = ptx.parse(f"""{HEAD}
        .shared .align 4 .b8 common[10];
        .extern .shared .align 16 .b8 dynamic[];
        .entry a() {{ .shared .align 128 .b8 mine[64]; .reg .b32 %r<3>;
          mov.u32 %r1, mine; mov.u32 %r2, common; ret; }}
        .entry b() {{ .shared .align 8 .b8 mine[200]; .reg .b32 %r<3>;
          mov.u32 %r1, mine; mov.u32 %r2, dynamic; ret; }}""")
    places = layout.layout(module)
    assert places.own == {"a": {"mine": 256}, "b": {"mine": 144}}
    assert places.common == {"common": 0, "dynamic": places.dynamic}
    assert places.dynamic % 1024 == 0 and places.dynamic >= 256 + 64 + layout.GAP
    listed = {name: layout.static_arrays(module, places, e) for name, e in module.entries.items()}
    assert listed == {"a": [("common", 0, 10), ("mine", 256, 64)], "b": [("mine", 144, 200)]}


def test_a_site_names_the_innermost_line_of_the_kernels_own_file():
    module = ptx.parse(f"""{HEAD}.file 1 "a/gpu.cu"
        .file 2 "a/reduce.cuh"
        .entry k() {{
          .loc 1 30 3
          exit;
          .loc 1 12 3, function_name $x, inlined_at 1 30 3
          exit;
          .loc 2 7 5, function_name $x, inlined_at 1 12 3
          exit;
          .loc 1 0 5
          exit;
        }}""")
    sources = [sites.source(module, i.location) for i in module.entries["k"].instructions()]
    assert sources == [
        ("a/gpu.cu", 30, ""),
        ("a/gpu.cu", 12, "gpu.cu:12 < gpu.cu:30"),
        ("a/gpu.cu", 12, "reduce.cuh:7 < gpu.cu:12 < gpu.cu:30"),
        ("a/gpu.cu", 0, ""),
    ]
    assert sites.source(module, None) == ("", 0, "")


@pytest.mark.parametrize(
    ("mangled", "name"),
    [
        ("_ZZ11differencesE4tile", "tile"),
        ("_ZZN3ops6kernelEPfE7of_warp_0", "of_warp"),
        ("_ZZ7productI7OperandILb1EES0_EvT_T0_E7a_tiles", "a_tiles"),
        ("_ZN3ops4tileE", "_ZN3ops4tileE"),
        ("_cudapy_smem_5", "_cudapy_smem_5"),
        ("tile", "tile"),
    ],
)
def test_an_array_is_called_by_its_name_in_the_source(mangled, name):
    assert sites.plain_name(mangled) == name


def test_there_is_an_emission_for_each_family():
    emit.Unit(ptx.parse(HEAD))
    assert {"add", "ld", "bar", "mma", "cvt", "setp", "shfl", "bra", "mov", "prmt"} <= set(EMITTERS)
