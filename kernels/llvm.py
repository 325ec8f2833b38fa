"""Functions in LLVM's language, for what Numba has no word for: vectors, registers, addresses.

    @function
    def add(code, to, a, n):
        "to[i] += a for i < n"
        to, a, n = code.ints(to, a, n)
        with code.range(0, n) as i:
            ...

is a function of int64 arguments (addresses, counts, bytes between rows) that compiled kernels call.
It is made once in a module, however often it is called, and costs next to nothing to compile: its
front end is the few Python calls that write it down.
"""

import contextlib
import inspect

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils, config, types
from numba.extending import intrinsic

I1, I8, I32, I64 = (ir.IntType(bits) for bits in (1, 8, 32, 64))
F32 = ir.FloatType()


def features(forced=True) -> frozenset[str]:
    """What the processor that Numba compiles for can do: NUMBA_CPU_FEATURES where that is set (with
    NUMBA_CPU_NAME=generic it is empty), else what this processor can. forced: False for the latter
    in any case.

    Type NUMBA_CPU_NAME=generic NUMBA_CPU_FEATURES=+avx2,+fma for AVX2 on a processor with AVX-512.
    """
    if forced and config.CPU_FEATURES is not None:
        return frozenset(f[1:] for f in config.CPU_FEATURES.split(",") if f.startswith("+"))
    here = {name for name, is_there in llvm.get_host_cpu_features().items() if is_there}
    return frozenset(f for f in here if config.ENABLE_AVX or not f.startswith("avx"))


def function(write):
    """The function that `write(code, *arguments)` writes; it returns an int64, 0 for None. Code
    that is being written calls it by `.within(code, *arguments)`."""
    name, parameters = f"dnn.{write.__name__}", inspect.signature(write).parameters
    count = len(parameters) - 1

    def within(code, *arguments):
        made = code.module.globals.get(name)
        if made is None:
            made = ir.Function(code.module, ir.FunctionType(I64, [I64] * count), name)
            made.linkage = "internal"
            made.attributes.add("noinline")
            inner = Code(made.append_basic_block("entry"))
            result = write(inner, *made.args)
            inner.ret(I64(0) if result is None else _whole(inner, result))
        return Int(code, code.call(made, [_whole(code, a) for a in arguments]))

    def typed(typing_context, *arguments):
        kinds = types.int64(*[types.int64] * count)
        return kinds, lambda context, builder, signature, values: within(builder, *values).value

    typed.__name__ = write.__name__
    typed.__signature__ = _parameters(*parameters)
    made = intrinsic(typed)
    made.within = within
    return made


def _whole(code, value):
    """An argument as an int64."""
    value = plain(value)
    return code.zext(value, I64) if value.type == I1 else value


def _parameters(*names):
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature([inspect.Parameter(name, kind) for name in names])


def call_at(code, address, *arguments):
    """Call the code at an address."""
    kind = ir.FunctionType(ir.VoidType(), [I64] * len(arguments))
    code.call(code.inttoptr(plain(address), kind.as_pointer()), [plain(a) for a in arguments])


def caller(count):
    """call(address, …): call the code at an address with so many int64 arguments."""

    def call(context, builder, signature, arguments):
        call_at(builder, *arguments)
        return context.get_dummy_value()

    def typed(typing_context, *arguments):
        return types.void(*[types.int64] * (count + 1)), call

    typed.__signature__ = _parameters("code", "function", *(f"argument{i}" for i in range(count)))
    return intrinsic(typed)


@intrinsic
def start(typing_context, array):
    """The address of an array's first element."""

    def code(context, builder, signature, arguments):
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.ptrtoint(data, I64)

    return types.int64(array), code


def _elements(kind):
    """pointer(address): what lies from there on, to be indexed."""

    @intrinsic
    def pointer(typing_context, address):
        def code(context, builder, signature, arguments):
            return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.int64), code

    return pointer


floats, words, octets = map(_elements, (types.float32, types.int64, types.uint8))


def plain(value, kind=I64):
    """LLVM's value of an Int or of a Python number."""
    value = getattr(value, "value", value)
    return kind(value) if isinstance(value, int) else value


class Int:
    """An int64 that is 0 or more, or a truth, in code that is being written: what is computed with
    it is written down."""

    def __init__(self, code, value):
        self.code, self.value = code, value

    def _written(name, *condition):
        def operation(self, other):
            write = getattr(self.code, name)
            return Int(self.code, write(*condition, self.value, plain(other, self.value.type)))

        return operation

    def _turned(name):
        def operation(self, other):
            return Int(
                self.code, getattr(self.code, name)(plain(other, self.value.type), self.value)
            )

        return operation

    __add__, __radd__ = _written("add"), _turned("add")
    __sub__, __rsub__ = _written("sub"), _turned("sub")
    __mul__, __rmul__ = _written("mul"), _turned("mul")
    __floordiv__, __mod__ = _written("udiv"), _written("urem")
    __and__, __or__ = _written("and_"), _written("or_")
    __lt__, __gt__ = _written("icmp_signed", "<"), _written("icmp_signed", ">")
    __eq__, __ne__ = _written("icmp_signed", "=="), _written("icmp_signed", "!=")
    __hash__ = None


class Code(ir.IRBuilder):
    """Writes instructions; addresses are int64."""

    def ints(self, *values):
        return [Int(self, value) for value in values]

    def words(self, address, count):
        """The int64 that lie at an address."""
        places = [self.add(address, I64(8 * i)) for i in range(count)]
        return self.ints(*(self.get(place, I64) for place in places))

    def choose(self, condition, a, b):
        return Int(self, self.select(condition.value, plain(a), plain(b)))

    def smaller(self, a, b):
        return Int(self, self.least(plain(a), plain(b)))

    def when(self, condition):
        return self.if_then(condition.value)

    def range(self, begin, end, step=1):
        """A loop's Int."""
        return self.loop(plain(begin), plain(end), step, Int)

    def vector(self, kind, lanes, value=0):
        return ir.Constant(ir.VectorType(kind, lanes), [value] * lanes)

    def at(self, address, kind=F32):
        return self.inttoptr(address, kind.as_pointer())

    def get(self, address, kind=F32):
        return self.load(self.at(address, kind), align=4)

    def put(self, value, address):
        self.store(value, self.at(address, value.type), align=4)

    def llvm(self, name, result, arguments):
        kind = ir.FunctionType(result, [a.type for a in arguments])
        return self.call(
            cgutils.get_or_insert_function(self.module, kind, f"llvm.{name}"), arguments
        )

    def prefetch(self, address):
        """Into the first-level cache, to be written."""
        pointer = self.at(address, I8)
        arguments = [pointer, I32(1), I32(3), I32(1)]
        self.llvm("prefetch.p0", ir.VoidType(), arguments)

    def splat(self, value, lanes):
        kind = ir.VectorType(value.type, lanes)
        first = self.insert_element(ir.Constant(kind, ir.Undefined), value, I32(0))
        return self.shuffle_vector(first, ir.Constant(kind, ir.Undefined), self.vector(I32, lanes))

    def least(self, a, b):
        return self.select(self.icmp_signed("<", a, b), a, b)

    def most(self, a, b):
        return self.select(self.icmp_signed(">", a, b), a, b)

    @contextlib.contextmanager
    def loop(self, begin, end, step=1, kind=None):
        """for i in range(begin, end, step)"""
        before = self.block
        head, body, done = (self.append_basic_block(name) for name in ("head", "body", "done"))
        self.branch(head)
        self.position_at_end(head)
        i = self.phi(I64)
        i.add_incoming(begin, before)
        self.cbranch(self.icmp_signed("<", i, end), body, done)
        self.position_at_end(body)
        yield kind(self, i) if kind else i
        i.add_incoming(self.add(i, plain(step)), self.block)
        self.branch(head)
        self.position_at_end(done)
