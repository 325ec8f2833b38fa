"""The innermost loop of a product on the CPU: a tile of C held in vector registers.

    for k:  for r in rows:  for v in vectors:  C[r, v] = fma(A[r, k], B[k, v], C[r, v])

Numba has no vector registers, so the loop is written in LLVM's language, which any processor's
back end lowers; the shape of the tile is chosen so that C, one row of B and one element of A fit
the registers of the one at hand. Every sum runs over ascending k, whatever the shape of the tile.
"""

import functools

import llvmlite.binding as llvm
import numba  # noqa: F401  (initialises LLVM)
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

I1, I32, I64, F32 = ir.IntType(1), ir.IntType(32), ir.IntType(64), ir.FloatType()


def _shape():
    """(lanes of a vector, rows, vectors) of the tile for this processor."""
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 16, 4, 4  # 32 registers of 16 floats
    if features.get("avx2"):
        return 8, 4, 2  # 16 registers of 8
    return 4, 4, 2  # SSE and NEON


LANES, ROWS, VECTORS = _shape()
COLUMNS = LANES * VECTORS


class _Tile:
    """Builds the code of one tile; A may have any strides, B and C have unit stride along a row."""

    def __init__(self, context, builder, signature, args, rows, vectors, columns=None):
        self.builder, self.rows, self.vectors = builder, rows, vectors
        self.cells = [(r, v) for r in range(rows) for v in range(vectors)]
        self.vector = ir.VectorType(F32, LANES)
        views = [
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args[:3], args[:3], strict=True)
        ]
        a, b, c = (builder.bitcast(view.data, ir.IntType(8).as_pointer()) for view in views)
        (a_row, self.a_step), (self.b_step, _), (c_row, _) = (
            cgutils.unpack_tuple(builder, view.strides) for view in views
        )
        self.b = b
        self.a_rows = [self.offset(a, builder.mul(a_row, I64(r))) for r in range(rows)]
        self.c_rows = [self.offset(c, builder.mul(c_row, I64(r))) for r in range(rows)]
        self.zero = ir.Constant(self.vector, [0.0] * LANES)
        self.fma = self.function("fma", self.vector, [self.vector] * 3)
        self.mask = None if columns is None else self.mask_of(columns)

    def offset(self, pointer, n_bytes):
        return self.builder.gep(pointer, [n_bytes])

    def function(self, name, result, arguments, suffix=f".v{LANES}f32"):
        kind = ir.FunctionType(result, arguments)
        return cgutils.get_or_insert_function(self.builder.module, kind, f"llvm.{name}{suffix}")

    def splat(self, value, kind):
        undefined = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(undefined, value, I32(0))
        zeros = ir.Constant(ir.VectorType(I32, LANES), [0] * LANES)
        return self.builder.shuffle_vector(first, undefined, zeros)

    def mask_of(self, columns):
        """Lanes of the last vector that lie below `columns`."""
        kind = ir.VectorType(I32, LANES)
        left = self.builder.sub(columns, I64(LANES * (self.vectors - 1)))
        lanes = ir.Constant(kind, list(range(LANES)))
        return self.builder.icmp_signed("<", lanes, self.splat(self.builder.trunc(left, I32), kind))

    def place(self, row, v):
        return self.builder.bitcast(self.offset(row, I64(4 * LANES * v)), self.vector.as_pointer())

    def load(self, row, v):
        place = self.place(row, v)
        if self.mask is None or v < self.vectors - 1:
            return self.builder.load(place, align=4)
        arguments = [place.type, I32, self.mask.type, self.vector]
        load = self.function("masked.load", self.vector, arguments, f".v{LANES}f32.p0")
        return self.builder.call(load, [place, I32(4), self.mask, self.zero])

    def store(self, values):
        for r, v in self.cells:
            place = self.place(self.c_rows[r], v)
            if self.mask is None or v < self.vectors - 1:
                self.builder.store(values[r, v], place, align=4)
                continue
            arguments = [self.vector, place.type, I32, self.mask.type]
            store = self.function("masked.store", ir.VoidType(), arguments, f".v{LANES}f32.p0")
            self.builder.call(store, [values[r, v], place, I32(4), self.mask])

    def phis(self):
        return {cell: self.builder.phi(self.vector) for cell in self.cells}

    def multiply(self, k, sums):
        """sums + A[:, k] B[k, :]."""
        b_row = self.offset(self.b, self.builder.mul(k, self.b_step))
        along = self.builder.mul(k, self.a_step)
        b = [self.load(b_row, v) for v in range(self.vectors)]
        found = {}
        for r in range(self.rows):
            place = self.builder.bitcast(self.offset(self.a_rows[r], along), F32.as_pointer())
            a = self.splat(self.builder.load(place, align=4), self.vector)
            for v in range(self.vectors):
                found[r, v] = self.builder.call(self.fma, [a, b[v], sums[r, v]])
        return found


def _join(phis, values, block):
    for cell, phi in phis.items():
        phi.add_incoming(values[cell], block)


@functools.cache
def dense(rows, vectors):
    """tile(a, b, c, count, columns): c += a b over k < count.

    a (rows, K), b (K, columns), c (rows, columns) float32; columns ≤ vectors · LANES, and more
    than (vectors − 1) · LANES.
    """

    @intrinsic
    def tile(typing_context, a, b, c, count, columns):
        def code(context, builder, signature, args):
            t = _Tile(context, builder, signature, args, rows, vectors, args[4])
            count = args[3]
            start = {(r, v): t.load(t.c_rows[r], v) for r, v in t.cells}
            before = builder.block
            loop, done = (builder.append_basic_block(name) for name in ("k", "done"))
            builder.cbranch(builder.icmp_signed(">", count, I64(0)), loop, done)
            builder.position_at_end(loop)
            k, sums = builder.phi(I64), t.phis()
            found = t.multiply(k, sums)
            following = builder.add(k, I64(1))
            k.add_incoming(I64(0), before)
            k.add_incoming(following, loop)
            _join(sums, start, before)
            _join(sums, found, loop)
            builder.cbranch(builder.icmp_signed("<", following, count), loop, done)
            builder.position_at_end(done)
            result = t.phis()
            _join(result, start, before)
            _join(result, found, loop)
            t.store(result)
            return context.get_dummy_value()

        return types.void(a, b, c, types.int64, types.int64), code

    return tile


@functools.cache
def skipping(rows, vectors):
    """tile(a, b, c, bits): c = a b over the k whose bit is set for one of the rows.

    bits: uint64 (rows, words), any strides; bit t of word w stands for k = 64 w + t. c has
    vectors · LANES columns.
    """

    @intrinsic
    def tile(typing_context, a, b, c, bits):
        def code(context, builder, signature, args):
            t = _Tile(context, builder, signature, args, rows, vectors)
            view = context.make_array(signature.args[3])(context, builder, args[3])
            row_step, word_step = cgutils.unpack_tuple(builder, view.strides)
            words = cgutils.unpack_tuple(builder, view.shape)[1]
            bits_at = builder.bitcast(view.data, ir.IntType(8).as_pointer())
            lowest_set = t.function("cttz", I64, [I64, I1], ".i64")
            before = builder.block
            names = ("words", "word", "bit", "next", "done")
            outer, word, inner, latch, done = map(builder.append_basic_block, names)

            builder.branch(outer)
            builder.position_at_end(outer)
            w, sums = builder.phi(I64), t.phis()
            builder.cbranch(builder.icmp_signed("<", w, words), word, done)

            builder.position_at_end(word)
            mask = I64(0)
            for r in range(rows):
                place = builder.add(builder.mul(row_step, I64(r)), builder.mul(w, word_step))
                pointer = builder.bitcast(t.offset(bits_at, place), I64.as_pointer())
                mask = builder.or_(mask, builder.load(pointer))
            builder.cbranch(builder.icmp_signed("!=", mask, I64(0)), inner, latch)

            builder.position_at_end(inner)
            left, running = builder.phi(I64), t.phis()
            k = builder.add(builder.shl(w, I64(6)), builder.call(lowest_set, [left, I1(1)]))
            found = t.multiply(k, running)
            rest = builder.and_(left, builder.sub(left, I64(1)))
            left.add_incoming(mask, word)
            left.add_incoming(rest, inner)
            _join(running, sums, word)
            _join(running, found, inner)
            builder.cbranch(builder.icmp_signed("!=", rest, I64(0)), inner, latch)

            builder.position_at_end(latch)
            after = t.phis()
            _join(after, sums, word)
            _join(after, found, inner)
            following = builder.add(w, I64(1))
            builder.branch(outer)
            w.add_incoming(I64(0), before)
            w.add_incoming(following, latch)
            _join(sums, dict.fromkeys(t.cells, t.zero), before)
            _join(sums, after, latch)

            builder.position_at_end(done)
            t.store(sums)
            return context.get_dummy_value()

        return types.void(a, b, c, bits), code

    return tile


@intrinsic
def nonzero_bits(typing_context, x, start):
    """The bits of x[start : start + 64] != 0 as a uint64; x contiguous float32. NaN is not 0."""

    def code(context, builder, signature, args):
        x = context.make_array(signature.args[0])(context, builder, args[0])
        kind = ir.VectorType(F32, 64)
        place = builder.bitcast(builder.gep(x.data, [args[1]]), kind.as_pointer())
        zeros = ir.Constant(kind, [0.0] * 64)
        return builder.bitcast(
            builder.fcmp_unordered("!=", builder.load(place, align=4), zeros), I64
        )

    return types.uint64(x, types.int64), code


@intrinsic
def nonzero_bits_of_columns(typing_context, x, words):
    """words[k] bit t: x[t, k] != 0, for LANES columns k and at most 64 rows t of x."""

    def code(context, builder, signature, args):
        x, words = (
            context.make_array(kind)(context, builder, value)
            for kind, value in zip(signature.args, args, strict=True)
        )
        rows = cgutils.unpack_tuple(builder, x.shape)[0]
        step, _ = cgutils.unpack_tuple(builder, x.strides)
        start = builder.bitcast(x.data, ir.IntType(8).as_pointer())
        floats, masks = ir.VectorType(F32, LANES), ir.VectorType(I64, LANES)
        none, ones = (ir.Constant(masks, [n] * LANES) for n in (0, 1))
        before = builder.block
        loop, done = (builder.append_basic_block(name) for name in ("row", "done"))
        builder.branch(loop)
        builder.position_at_end(loop)
        t, bit, found = builder.phi(I64), builder.phi(masks), builder.phi(masks)
        row = builder.bitcast(builder.gep(start, [builder.mul(t, step)]), floats.as_pointer())
        zeros = ir.Constant(floats, [0.0] * LANES)
        is_set = builder.fcmp_unordered("!=", builder.load(row, align=4), zeros)
        following = builder.add(t, I64(1))
        after = builder.or_(found, builder.select(is_set, bit, none))
        for phi, first, later in (
            (t, I64(0), following), (bit, ones, builder.add(bit, bit)), (found, none, after),
        ):  # fmt: skip
            phi.add_incoming(first, before)
            phi.add_incoming(later, loop)
        builder.cbranch(builder.icmp_signed("<", following, rows), loop, done)
        builder.position_at_end(done)
        builder.store(after, builder.bitcast(words.data, masks.as_pointer()), align=8)
        return context.get_dummy_value()

    return types.void(x, words), code
