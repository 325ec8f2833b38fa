"""Loads, stores, atomic operations and fences."""

from kernels.device.emulated.emit.operation import CPP_TYPE, emits, unsigned
from kernels.device.emulated.operands import BYTES, Address, Name

SPACES = ("global", "shared", "shared::cta", "shared::cluster", "local", "const", "param",
          "param::entry", "param::func")  # fmt: skip
TYPES = ("b8", "b16", "b32", "b64", "b128", "u8", "u16", "u32", "u64", "s8", "s16", "s32", "s64",
         "f32", "f64")  # fmt: skip
SCOPES = ("cta", "cluster", "gpu", "sys")
# Hints to the caches, which the emulated device does not have.
CACHE = ("ca", "cg", "cs", "cv", "lu", "wb", "wt")
EVICTION = (
    "L1::evict_normal",
    "L1::evict_unchanged",
    "L1::evict_first",
    "L1::evict_last",
    "L1::no_allocate",
    "L2::evict_normal",
    "L2::evict_first",
    "L2::evict_last",
)
PREFETCH = ("L2::64B", "L2::128B", "L2::256B")
ATOMIC_TYPES = ("b16", "b32", "b64", "u32", "u64", "s32", "s64", "f16", "bf16", "f16x2", "bf16x2",
                "f32", "f64")  # fmt: skip


def state_space(op):
    """ "" is the generic space; shared::cta and the like are their space."""
    return op.choice(*SPACES, default="").partition("::")[0]


def ordering(op, default="weak"):
    """C++ of the access's place in the memory model."""
    if op.flag("volatile"):
        return "kVolatile"
    if op.flag("mmio"):
        op.refuse("memory-mapped devices are not emulated")
    semantics = op.choice("weak", "relaxed", "acquire", "release", "acq_rel", default=default)
    if semantics == "weak":
        return "kWeak"
    return f"Ordering{{Semantics::{semantics}, Scope::{op.choice(*SCOPES, default='gpu')}}}"


def ignore_hints(op, cache_policy_operand=None):
    """What changes the speed of an access, not its effect."""
    for hint in (*CACHE, *EVICTION, *PREFETCH, "nc", "unified"):
        op.flag(hint)
    if op.flag("L2::cache_hint") and cache_policy_operand is not None:
        op.source(cache_policy_operand, "b64")


def width(op):
    return int(op.choice("v2", "v4", "v8", default="v1")[1:])


@emits("ld", "ldu")
def ld(op):
    by_space(op, load, load_parameter)


@emits("st")
def st(op):
    by_space(op, store, store_parameter)


def by_space(op, access, access_parameter):
    """The emission of a load or a store of n registers: of device memory, or of a parameter."""
    of_type, space = op.type(*TYPES), state_space(op)
    if space == "param":
        access_parameter(op, of_type, width(op))
        return
    order, n = ordering(op), width(op)
    ignore_hints(op, 2)
    access(op, of_type, n, space, order)


def load(op, of_type, n, space, order):
    cpp = CPP_TYPE[of_type]
    address = op.address(1, space)
    destinations = vector(op, 0, n)
    if n == 1:
        op.assign(destinations[0], of_type, f"load<{cpp}>({address}, {order}, {op.site})")
        return
    op.write(f"{{ const auto loaded = load<std::array<{cpp}, {n}>>({address}, {order}, {op.site});")
    op.assign_all(destinations, of_type, "loaded")
    op.write("}")


def store(op, of_type, n, space, order):
    vector(op, 1, n)
    values = op.sources(1, of_type)
    value = values[0] if n == 1 else op.array(of_type, values)
    op.write(f"store<{cpp_of(of_type, n)}>({op.address(0, space)}, {value}, {order}, {op.site});")


def cpp_of(of_type, n):
    return CPP_TYPE[of_type] if n == 1 else f"std::array<{CPP_TYPE[of_type]}, {n}>"


def vector(op, index, n):
    names = op.names(index)
    if len(names) != n:
        op.refuse(f"{len(names)} registers, not {n}")
    return names


# The .param space: buffers that a launch or a call has filled


def parameter(op, index):
    """(C++ pointer, offset)"""
    operand = op.operand(index)
    if not isinstance(operand, Address) or not isinstance(operand.base, Name):
        op.refuse("a parameter is addressed by its name")
    buffer = op.function.parameter(operand.base.text)
    if buffer is None:
        op.refuse(f"unknown parameter {operand.base}")
    pointer, offset = buffer
    return pointer, offset + operand.offset


def load_parameter(op, of_type, n):
    pointer, offset = parameter(op, 1)
    for i, destination in enumerate(vector(op, 0, n)):
        at = offset + i * BYTES[of_type]
        op.assign(destination, of_type, f"load_parameter<{CPP_TYPE[of_type]}>({pointer}, {at})")


def store_parameter(op, of_type, n):
    pointer, offset = parameter(op, 0)
    vector(op, 1, n)
    for i, value in enumerate(op.sources(1, of_type)):
        at = offset + i * BYTES[of_type]
        op.write(f"store_parameter<{CPP_TYPE[of_type]}>({pointer}, {at}, {value});")


# Atomic operations


def changed(op, name, of_type, space, values):
    """C++ of the new value, from `old` and the operands."""
    first = values[0]
    cpp = CPP_TYPE[of_type]
    integer = of_type[0] in "usb" and of_type != "bf16" and of_type != "bf16x2"
    if name == "exch":
        return first
    if name == "cas":
        return f"old == {first} ? {values[1]} : old"
    if name in ("and", "or", "xor"):
        return f"{cpp}(old {dict(zip(('and', 'or', 'xor'), '&|^', strict=True))[name]} {first})"
    if name in ("inc", "dec"):
        return f"wrapped_{name}rement(old, {first})"
    if name == "add":
        if of_type == "f32":
            shared = "kSharedBase" if space == "shared" else "address"
            return f"atomic_sum(old, {first}, {shared})"
        if of_type == "f64":
            return f"old + {first}"
    if name in ("min", "max") and integer:
        return f"std::{name}<{cpp}>(old, {first})"
    if not integer:
        element = cpp.removesuffix("x2")
        return f"each(half_{name}<{element}>, old, {first})"
    return f"add<{cpp}>(old, {first})"


@emits("atom", "red")
def atom(op):
    of_type, space = op.type(*ATOMIC_TYPES), state_space(op)
    name = op.choice("add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec")
    if of_type in ("f32", "f64") and name not in ("add", "exch"):
        op.refuse(f"no atomic {name} of .{of_type}")
    if of_type in ("f16", "bf16", "f16x2", "bf16x2"):
        op.flag("noftz")
        if name not in ("add", "min", "max"):
            op.refuse(f"no atomic {name} of .{of_type}")
    order = ordering(op, default="relaxed")
    ignore_hints(op, 3 if op.instruction.opcode == "atom" else 2)
    at = 1 if op.instruction.opcode == "atom" else 0
    compared = of_type if name not in ("cas", "exch", "and", "or", "xor") else bits(of_type)
    cpp = CPP_TYPE[compared]
    values = [op.source(at + 1 + i, compared) for i in range(2 if name == "cas" else 1)]
    # A function object is called inside: registers are captured by reference.
    op.write(f"{{ const Address address = {op.address(at, space)};")
    call = (
        f"atomic<{cpp}>(address, {order}, {op.site}, "
        f"[&]({cpp} old) -> {cpp} {{ return {changed(op, name, compared, space, values)}; }})"
    )
    if at:
        op.result(0, compared, call)
    else:
        op.write(f"{call};")
    op.write("}")


def bits(of_type):
    """Compared, exchanged and masked as bits."""
    return f"b{8 * BYTES[of_type]}" if BYTES[of_type] > 1 else unsigned(of_type)


# Fences and hints


@emits("membar")
def membar(op):
    scope = {"cta": "cta", "gl": "gpu", "sys": "sys"}[op.choice("cta", "gl", "sys")]
    op.write(f"fence(Semantics::sc, Scope::{scope}, {op.site});")


@emits("fence")
def fence(op):
    if op.flag("proxy"):
        # Between kinds of access to memory: of them, only mbarriers and bulk copies are checked.
        op.choice("async", "alias", "async::generic", "tensormap::generic")
        op.choice("global", "shared::cta", "shared::cluster", default="all")
        op.write(f"fence_proxy({op.site});")
        return
    if op.flag("mbarrier_init"):
        op.choice("release")
        op.choice("cluster")
        op.write(f"fence(Semantics::release, Scope::cluster, {op.site});")
        op.write(f"fence_proxy({op.site});")
        return
    semantics = op.choice("sc", "acq_rel", "acquire", "release", default="acq_rel")
    op.write(f"fence(Semantics::{semantics}, Scope::{op.choice(*SCOPES)}, {op.site});")


@emits("prefetch", "prefetchu", "discard", "applypriority")
def cache_hint(op):
    """Nothing happens to any byte."""
    op.choice("global", "local", default="")
    op.choice("L1", "L2", *EVICTION, default="none")
    for i in range(op.count):
        op.operand(i)


@emits("createpolicy")
def createpolicy(op):
    """A policy is a hint; its bits are opaque."""
    op.rest.clear()
    for i in range(1, op.count):
        op.operand(i)
    op.result(0, "b64", "u64(0)")
