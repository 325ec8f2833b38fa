"""A kernel that shares out its own work: it calls itself for each part, through one parallel loop.

    @compiled
    def negate(x, low, high, threads, loop):
        if threads > 1:
            in_parts(1)                       # each thread calls negate(x, its low, its high, 1, 0)
            return
        for i in range(low, high):
            x[i] = -x[i]

    negate(x, 0, x.size, *team(x.size, SMALL))

So a kernel is one unit for Numba, for any number of threads. in_parts stands in a kernel whose last
four arguments are these, and makes the C function that the loop of parallel.py calls.
"""

import functools

from llvmlite import ir
from numba.core import callconv, cgutils, types
from numba.extending import intrinsic

from kernels import parallel
from kernels.threads import threads_for

I64, POINTER = ir.IntType(64), ir.IntType(8).as_pointer()
C_FUNCTION = ir.FunctionType(ir.VoidType(), [I64] * 3)  # the loop, and what it calls
FINE = callconv.RETCODE_OK, callconv.RETCODE_NONE


def team(work, small):
    """(threads, loop): how a kernel shares out so much work; see threads_for."""
    threads = threads_for(work, small)
    return (threads, _loop()) if threads > 1 else (1, 0)


@functools.cache
def _loop():
    return parallel.address(parallel.run)


@intrinsic
def in_parts(typing_context, step):
    """The kernel around this calls itself, once a thread, for parts of low … high that begin on
    multiples of step from low on. Raises RuntimeError where a part has raised."""

    def code(context, builder, signature, args):
        kernel = builder.function
        *held, low, high, threads, loop = context.call_conv.get_arguments(kernel)
        job = _Job(builder, [*held, low, high, args[0], I64(0)])
        part = _part(builder.module, kernel, job.place.type)
        function = builder.inttoptr(loop, C_FUNCTION.as_pointer())
        at = builder.ptrtoint(job.place, I64)
        builder.call(function, [builder.ptrtoint(part, I64), at, threads])
        raised = builder.icmp_signed("!=", builder.load(job.field(-1)), I64(0))
        with cgutils.if_unlikely(builder, raised):
            text = ("a kernel has raised in one of its threads",)
            context.call_conv.return_user_exc(builder, RuntimeError, text)
        return context.get_dummy_value()

    return types.void(types.int64), code


class _Job:
    """The kernel's arguments, low, high, step, and whether a part has raised, in memory."""

    def __init__(self, builder, values=None, place=None):
        self.builder, self.place = builder, place
        if place is None:
            kinds = ir.LiteralStructType([value.type for value in values])
            self.place = cgutils.alloca_once(builder, kinds)
            for i, value in enumerate(values):
                builder.store(value, self.field(i))

    def field(self, i):
        n = len(self.place.type.pointee.elements)
        return cgutils.gep_inbounds(self.builder, self.place, 0, i % n)

    def values(self):
        n = len(self.place.type.pointee.elements)
        return [self.builder.load(self.field(i)) for i in range(n - 1)]


def _part(module, kernel, job_type):
    """The C function (job, part, parts) that calls the kernel for one part of the job."""
    name = f"{kernel.name}.part"
    if name in module.globals:
        return module.globals[name]
    function = ir.Function(module, C_FUNCTION, name)
    function.linkage = "internal"
    builder = ir.IRBuilder(function.append_basic_block())
    at, part, parts = function.args
    job = _Job(builder, place=builder.inttoptr(at, job_type))
    *held, low, high, step = job.values()
    n = builder.sub(high, low)
    following = builder.add(part, I64(1))
    first, end = (builder.add(low, _begin(builder, n, i, parts, step)) for i in (part, following))
    results = [cgutils.alloca_once(builder, a.type.pointee) for a in kernel.args[:2]]
    status = builder.call(kernel, [*results, *held, first, end, I64(1), I64(0)])
    raised = builder.and_(*(builder.icmp_signed("!=", status, code) for code in FINE))
    with cgutils.if_unlikely(builder, raised):
        builder.store(I64(1), job.field(-1))
    builder.ret_void()
    return function


def _begin(builder, n, part, parts, step):
    """As threads.share."""
    begin = builder.sdiv(builder.mul(n, part), parts)
    begin = builder.sdiv(builder.add(begin, builder.sub(step, I64(1))), step)
    begin = builder.mul(begin, step)
    return builder.select(builder.icmp_signed("<", begin, n), begin, n)
