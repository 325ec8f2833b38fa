"""The PTX parser: what each construct becomes, what is refused, and every kernel of the tree."""

import re

import pytest

from kernels.device.emulated import ptx
from kernels.device.emulated.operands import (
    Address,
    Arguments,
    Float,
    Integer,
    Name,
    Not,
    Offset,
    Pair,
    Vector,
)
from kernels.device.emulated.parsed import (
    Block,
    Instruction,
    Label,
    Location,
    Prototype,
    Registers,
    Targets,
)
from tests import harness

HEAD = ".version 9.4\n.target sm_90\n.address_size 64\n"


def body_of(text):
    return ptx.parse(HEAD + ".entry k()\n{" + text + "}").entries["k"].body


def one(text):
    (statement,) = body_of(text)
    return statement


# Every kernel


def source_statements(text):
    """The instructions of a PTX text by a way of reading that knows nothing of the parser's."""
    text = re.sub(r"//.*", "", text).split("\t.section")[0]
    text = re.sub(r"^\s*\.(loc|file|version|target|address_size)\b.*", "", text, flags=re.M)
    pieces = re.split(r";|(?<!:):(?!:)|\{(?=\s)|^\s*\{|\}(?=\s)", text, flags=re.M)
    return [" ".join(p.split()) for p in pieces if re.match(r"\s*(@!?%\w+\s+)?[a-z]", p)]


def without_spaces(text):
    return re.sub(r"\s", "", text).rstrip(";").lower()


@pytest.mark.usefixtures("toolchain")
@harness.each_second_compiled_in_turn
def test_every_kernel_survives_being_read_and_printed(unit, arch):
    for text in set(unit.ptx(arch).values()):
        module = ptx.parse(text)
        for entry, function in module.entries.items():
            declared = [
                8 if p.pointer else p.dtype.itemsize
                for p in unit.kernel_file.entry[entry].parameters
            ]
            assert [p.bytes for p in function.parameters] == declared
        again = ptx.parse(str(module))
        assert again.functions == module.functions
        assert again.variables == module.variables
        assert again.files == module.files
        instructions = [i for f in module.functions for i in f.instructions()]
        assert [without_spaces(str(i)) for i in instructions] == [
            without_spaces(s) for s in source_statements(text)
        ]
        assert instructions
        lines = text.split("\n")
        assert all(i.name in lines[i.line - 1] for i in instructions)


# Instructions and operands


def test_an_instruction():
    instruction = one("@!%p1 ld.global.nc.L2::128B.v2.f32 {%f1, _}, [%rd1+-16];")
    assert instruction == Instruction(
        "ld",
        ("global", "nc", "L2::128B", "v2", "f32"),
        (Vector((Name("%f1"), Name("_"))), Address(Name("%rd1"), -16)),
        Not(Name("%p1")),
    )
    assert instruction.name == "ld.global.nc.L2::128B.v2.f32"
    assert instruction.line == 5


@pytest.mark.parametrize(
    ("text", "operand"),
    [
        ("%r1", Name("%r1")),
        ("%tid.x", Name("%tid.x")),
        ("-1", Integer(-1, "-1")),
        ("0x1F", Integer(31, "0x1F")),
        ("0b101", Integer(5, "0b101")),
        ("7U", Integer(7, "7U")),
        ("0f3F800000", Float(0x3F800000, 4)),
        ("0D3FF0000000000000", Float(0x3FF0000000000000, 8)),
        ("1.5", Float(0x3FF8000000000000, 8)),
        ("-2.0", Float(0xC000000000000000, 8)),
        ("table+8", Offset(Name("table"), 8)),
        ("[table+8]", Address(Name("table"), 8)),
        ("[%r1-4]", Address(Name("%r1"), -4)),
        ("[16]", Address(Integer(16, "16"))),
        (
            "[%rd1, {%r1, %r2}]",
            Address(Name("%rd1"), 0, Vector((Name("%r1"), Name("%r2")))),
        ),
        ("!%p1", Not(Name("%p1"))),
        ("%r1|%p1", Pair(Name("%r1"), Name("%p1"))),
        ("{%r1, %r2}", Vector((Name("%r1"), Name("%r2")))),
        ("(%r1, 3)", Arguments((Name("%r1"), Integer(3, "3")))),
    ],
)
def test_operands(text, operand):
    assert one(f"op {text};").operands == (operand,)
    assert one(f"op {operand};").operands == (operand,)


def test_scopes_labels_and_declarations():
    assert body_of("""
        .reg .b32 %r<12>;
        { .reg .pred p, q; again: bra again; }
        $L__BB0_1:
        table: .branchtargets $L__BB0_1, $L__BB0_1;
        brx.idx %r1, table;
        prototype_0 : .callprototype (.param .b32 _) _ (.param .b64 _);
        ;
    """) == (
        Registers("b32", "%r", 12),
        Block(
            (
                Registers("pred", "p"),
                Registers("pred", "q"),
                Label("again"),
                Instruction("bra", (), (Name("again"),)),
            )
        ),
        Label("$L__BB0_1"),
        Targets("table", "branchtargets", ("$L__BB0_1", "$L__BB0_1")),
        Instruction("brx", ("idx",), (Name("%r1"), Name("table"))),
        Prototype("prototype_0", "( .param .b32 _ ) _ ( .param .b64 _ )"),
    )


def test_a_call():
    assert one("call.uni (ret), f, (a, b);").operands == (
        Arguments((Name("ret"),)),
        Name("f"),
        Arguments((Name("a"), Name("b"))),
    )


def test_variables():
    module = ptx.parse(
        HEAD
        + """
        .extern .shared .align 16 .b8 dynamic[];
        .visible .shared .f32 tile[4][8];
        .const .align 4 .b8 bytes[4] = {1, 2};
        .global .f32 two[2] = {0f3F800000, 0fBF800000};
        .global .u64 pointers[2] = {generic(tile), bytes+2};
        .weak .global .u32 one = 1, other = 0x10;
        .global .v4 .f32 vector;
        .global .s32 counted[] = {{1, -2}, {3, 4}};
        """
    )
    dynamic, tile, data, two, pointers, first, other, vector, counted = module.variables
    assert (dynamic.elements, dynamic.alignment, dynamic.linkage) == (None, 16, "extern")
    assert (tile.space, tile.bytes, tile.alignment, tile.initial) == ("shared", 128, 4, None)
    assert data.bytes == 4 and [v.value for v in data.initial] == [1, 2]
    assert two.initial == (Float(0x3F800000, 4), Float(0xBF800000, 4))
    assert pointers.initial == (Name("tile"), Offset(Name("bytes"), 2))
    assert first.initial[0].value == 1 and other.initial[0].value == 16
    assert (vector.elements, vector.alignment) == (4, 16)
    assert counted.elements == 4 and [v.value for v in counted.initial] == [1, -2, 3, 4]


def test_functions():
    module = ptx.parse(
        HEAD
        + """
        .func (.param .b32 result) f (.param .b64 a, .param .align 16 .b8 s[24]);
        .extern .func g () .noreturn;
        .visible .entry k(.param .u8 a, .param .u64 .ptr .global .align 16 p, .param .u32 n)
        .maxntid 128, 2, 1
        .minnctapersm 2 .reqnctapercluster 2, 1, 1 .explicitcluster
        { ret; }
        """
    )
    f, g, k = module.functions
    assert [(p.name, p.bytes, p.alignment, p.offset) for p in f.parameters] == [
        ("a", 8, 8, 0),
        ("s", 24, 16, 16),
    ]
    assert [p.name for p in f.results] == ["result"]
    assert f.body is None and g.directive("noreturn") == ()
    assert [(p.name, p.type, p.offset) for p in k.parameters] == [
        ("a", "u8", 0),
        ("p", "u64", 8),
        ("n", "u32", 16),
    ]
    assert (k.max_threads, k.required_threads, k.cluster) == (256, None, (2, 1, 1))
    assert list(module.entries) == ["k"]


def test_source_locations_keep_the_chain_of_inlining():
    module = ptx.parse(
        HEAD
        + """.file 1 "gpu.cu"
        .file 2 "reduce.cuh", 1234, 56
        .entry k() {
          add.f32 %f1, %f1, %f1;
          .loc 1 30 3
          .loc 2 7 5, function_name $s0, inlined_at 1 30 3
          add.f32 %f1, %f1, %f1;
          .loc 2 9 1, function_name $s1+4, inlined_at 2 7 5
          add.f32 %f1, %f1, %f1;
        }
        .section .debug_str { $s0: .b8 104,105,0 $s1: .b8 98
        .b8 121, 101, 0 }
        .section .debug_info { .b32 $s0+3 .b64 .debug_str }"""
    )
    none, inner, innermost = [i.location for i in module.entries["k"].instructions()]
    assert none is None
    assert list(inner.chain()) == [Location(2, 7, 5, "$s0", Location(1, 30, 3)), Location(1, 30, 3)]
    assert [(at.file, at.line) for at in innermost.chain()] == [(2, 9), (2, 7), (1, 30)]
    assert module.files == {1: "gpu.cu", 2: "reduce.cuh"}
    assert module.strings == {"$s0": "hi", "$s1": "bye"}
    again = [i.location for i in ptx.parse(str(module)).entries["k"].instructions()]
    assert again == [none, inner, innermost]


# Refusals


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("mov.u32 %r1, ^;", 5, "unexpected '^"),
        ("mov.u32 %r1, %r2", 6, "expected ';'"),
        (".reg .b33 %r<2>;", 5, "unknown type .b33"),
        (".nonsense 3;", 5, "expected a word, found '.nonsense'"),
        ("mov.u32 %r1, [%r2;", 5, "expected ']'"),
        (".reg .b32 %r<>;", 5, "expected an integer"),
    ],
)
def test_refused(text, line, message):
    with pytest.raises(ptx.PTXError) as caught:
        ptx.parse(HEAD + ".entry k() {\n" + text + "\n}")
    assert caught.value.line == line
    assert f"PTX line {line}: " in str(caught.value) and message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (".target sm_90", "no .version"),
        (HEAD + ".alias a, b;", "unknown directive .alias"),
        (HEAD + ".entry k() .fast { ret; }", "unknown directive .fast of k"),
        (HEAD + ".entry k() { ret;", "found the end of the text"),
        (HEAD.replace("64", "32"), "only 64-bit addresses"),
        (HEAD + ".entry k(.reg .b32 a) { ret; }", "only .param parameters"),
    ],
)
def test_refused_modules(text, message):
    with pytest.raises(ptx.PTXError, match=message):
        ptx.parse(text)
