"""Barriers of a warp, a block and a cluster; asynchronous copies; mbarrier objects."""

from kernels.device.emulated.emit.memory import SCOPES, ignore_hints
from kernels.device.emulated.emit.operation import emits

REDUCE = {"popc": "popc", "and": "all", "or": "any"}


@emits("bar", "barrier")
def barrier(op):
    if op.flag("warp"):
        op.choice("sync")
        op.write(f"warp_barrier({op.source(0, 'u32')}, {op.site});")
    elif op.flag("cluster"):
        cluster_barrier(op)
    else:
        block_barrier(op)


def block_barrier(op):
    op.flag("cta")
    aligned = op.flag("aligned") or op.instruction.opcode == "bar"
    aligned = str(aligned).lower()
    what = op.choice("sync", "arrive", "red")
    if what == "red":
        how = op.choice(*REDUCE)
        result = op.type("u32" if how == "popc" else "pred")
        count = op.source(2, "u32") if op.count == 4 else "0"
        call = (
            f"barrier_reduce({op.source(1, 'u32')}, {count}, Reduce::{REDUCE[how]}, "
            f"{op.source(op.count - 1, 'pred')}, {aligned}, {op.site})"
        )
        op.result(0, result, call if how == "popc" else f"{call} != 0")
        return
    count = op.source(1, "u32") if op.count > 1 else "0"
    op.write(f"barrier_{what}({op.source(0, 'u32')}, {count}, {aligned}, {op.site});")


def cluster_barrier(op):
    aligned = str(op.flag("aligned")).lower()
    if op.choice("arrive", "wait") == "arrive":
        semantics = op.choice("release", "relaxed", default="release")
        op.write(f"cluster_arrive(Semantics::{semantics}, {aligned}, {op.site});")
    else:
        op.flag("acquire")
        op.write(f"cluster_wait({aligned}, {op.site});")


# cp.async


@emits("cp")
def cp_async(op):
    if not op.flag("async"):
        op.refuse("cp is known as cp.async only")
    if op.flag("bulk"):
        bulk_copy(op)
    elif op.flag("commit_group"):
        op.write(f"async_commit({op.site});")
    elif op.flag("wait_group"):
        op.write(f"async_wait({op.integer(0)}, {op.site});")
    elif op.flag("wait_all"):
        op.write(f"async_wait_all({op.site});")
    elif op.flag("mbarrier"):
        op.choice("arrive")
        noinc = str(op.flag("noinc")).lower()
        space = shared_space(op)
        op.type("b64")
        op.write(f"async_arrive({op.address(0, space)}, {noinc}, {op.site});")
    else:
        copy(op)


def shared_space(op):
    return op.choice("shared", "shared::cta", default="").partition("::")[0]


def copy(op):
    """cp.async.ca.shared.global [to], [from], bytes {, bytes read or a predicate to read none}"""
    how = op.choice("ca", "cg")
    shared_space(op) or op.refuse("cp.async goes to shared memory")
    op.choice("global")
    ignore_hints(op, op.count - 1)
    size = op.integer(2)
    if size not in ((16,) if how == "cg" else (4, 8, 16)):
        op.refuse(f"cp.async.{how} does not copy {size} bytes")
    read = str(size)
    if 3 in op.unread:
        operand = op.instruction.operands[3]
        register = op.function.register(getattr(operand, "text", ""))
        if register and register.type == "pred":  # ignore-src
            read = f"({op.source(3, 'pred')} ? 0u : {size}u)"
        else:
            read = op.source(3, "u32")
    op.write(
        f"async_copy({op.address(0, 'shared')}, {op.address(1, 'global')}, {size}, {read}, "
        f"{op.site});"
    )


def bulk_copy(op):
    """cp.async.bulk.shared::cluster.global.mbarrier::… [to], [from], bytes, [mbarrier]"""
    where = ("shared::cluster", "shared::cta"), ("global",), ("mbarrier::complete_tx::bytes",)
    if not all(any(op.flag(name) for name in names) for names in where):
        op.refuse("of the bulk copies (TMA), only that from global to shared memory is emulated")
    ignore_hints(op, 4)
    op.write(
        f"bulk_copy({op.address(0, 'shared')}, {op.address(1, 'global')}, {op.source(2, 'u32')}, "
        f"{op.address(3, 'shared')}, {op.site});"
    )


# mbarrier


def mbarrier_order(op, default):
    semantics = op.choice("relaxed", "acquire", "release", default=default)
    return f"Ordering{{Semantics::{semantics}, Scope::{op.choice(*SCOPES, default='cta')}}}"


@emits("mbarrier")
def mbarrier(op):
    what = op.choice(
        "init",
        "inval",
        "arrive_drop",
        "arrive",
        "expect_tx",
        "complete_tx",
        "pending_count",
        "test_wait",
        "try_wait",
    )
    space = op.choice("shared", "shared::cta", "shared::cluster", default="").partition("::")[0]
    if what == "pending_count":
        op.type("b64")
        op.result(0, "u32", f"mbarrier_pending({op.source(1, 'u64')})")
    elif what in ("test_wait", "try_wait"):
        wait(op, space)
    elif what in ("arrive", "arrive_drop"):
        arrive(op, space, drop=what == "arrive_drop")
    else:
        change(op, what, space)


def wait(op, space):
    parity = op.flag("parity")
    op.type("b64")
    order = mbarrier_order(op, "acquire")
    if op.count > 3:
        op.source(3, "u32")  # a time limit: the scheduler decides anyway
    function = "mbarrier_test_parity" if parity else "mbarrier_test"
    state = op.source(2, "u32" if parity else "u64")
    op.result(0, "pred", f"{function}({op.address(1, space)}, {state}, {order}, {op.site})")


def arrive(op, space, drop):
    expect = op.flag("expect_tx")
    op.flag("noComplete")
    op.type("b64")
    order = mbarrier_order(op, "release")
    # The state is left out where the barrier belongs to another block.
    to = 1 if op.count > 1 and not is_address(op, 0) else 0
    address = op.address(to, space)
    value = op.source(to + 1, "u32") if op.count > to + 1 else "1"
    if expect:
        op.write(f"mbarrier_expect_tx({address}, {value}, {order}, {op.site});")
        value = "1"
    call = f"mbarrier_arrive({address}, {value}, {str(drop).lower()}, {order}, {op.site})"
    if to:
        op.result(0, "b64", call)
    else:
        op.write(f"{call};")


def is_address(op, index):
    return str(op.instruction.operands[index]).startswith("[")


def change(op, what, space):
    op.type("b64") if op.rest and op.rest[-1] == "b64" else None
    address = op.address(0, space)
    if what == "init":
        op.write(f"mbarrier_init({address}, {op.source(1, 'u32')}, {op.site});")
    elif what == "inval":
        op.write(f"mbarrier_invalidate({address}, {op.site});")
    else:
        order = mbarrier_order(op, "relaxed")
        op.write(f"mbarrier_{what}({address}, {op.source(1, 'u32')}, {order}, {op.site});")
