"""The innermost loops of a product on the CPU: a tile of C held in vector registers.

    for k:  for r in rows:  for v in vectors:  C[r, v] = fma(A[r, k], B[k, v], C[r, v])

B lies in panels: for each k a row of COLUMNS floats, without a gap. Every
sum runs over ascending k, whatever the shape of the tile.
"""

from llvmlite import ir

from kernels import llvm
from kernels.llvm import F32, I1, I64
from kernels.ops.linear.panels import clear, copy, element, whole_vectors
from kernels.ops.linear.shape import COLUMNS, FUSED, LANES, ROWS, VECTOR, VECTORS, WIDE

UNROLLED = 4  # rows of b that a thin product adds at once


def _fma(code, a, b, c):
    if FUSED:
        return code.llvm(f"fma.v{a.type.count}f32", a.type, [a, b, c])
    return code.fadd(code.fmul(a, b), c)  # else a call of the C library for each element


def _broadcast(code, address):
    return code.splat(code.get(address), LANES)


def _vectors(code, row):
    """The addresses of a row's vectors."""
    return [code.add(row, I64(4 * LANES * v)) for v in range(VECTORS)]


def _loaded(code, first, cells, load, then):
    """(zero, the block before, what the cells hold): the vectors that sums begin with, zero where
    `first`, else those loaded in the block `load`. The code goes on in `then`."""
    zero, before = code.vector(F32, LANES, 0.0), code.block
    code.cbranch(code.icmp_signed("!=", first, I64(0)), then, load)
    code.position_at_end(load)
    loaded = [code.get(p, VECTOR) for p in cells]
    code.branch(then)
    code.position_at_end(then)
    return zero, before, loaded


@llvm.function
def tile(code, a, a_row, a_k, b, c, c_row, rows, count, first):
    """c = (0 if first else c) + a b over k < count; COLUMNS columns and rows ≤ ROWS.

    a, c: their rows lie a_row and c_row bytes apart, the elements of a row of a a_k bytes. Where
    there are fewer rows than ROWS the last one is computed again in their place.
    """
    last = code.sub(rows, I64(1))
    row = [code.least(I64(r), last) for r in range(ROWS)]
    a_rows = [code.add(a, code.mul(r, a_row)) for r in row]
    cells = [p for r in row for p in _vectors(code, code.add(c, code.mul(r, c_row)))]
    below = code.add(c, code.mul(c_row, I64(ROWS)))
    for r in range(ROWS):
        code.prefetch(code.add(below, code.mul(c_row, I64(r))))
    load, k, store = (code.append_basic_block(name) for name in ("load", "k", "store"))
    zero, before, loaded = _loaded(code, first, cells, load, k)

    left, a_at, b_at = (code.phi(I64) for _ in range(3))
    sums = [code.phi(VECTOR) for _ in cells]
    b_values = [code.get(p, VECTOR) for p in _vectors(code, b_at)]
    a_values = [_broadcast(code, code.add(a_row, a_at)) for a_row in a_rows]
    pairs = [(x, y) for x in a_values for y in b_values]
    results = [_fma(code, x, y, c) for (x, y), c in zip(pairs, sums, strict=True)]
    for total, start, result in zip(sums, loaded, results, strict=True):
        total.add_incoming(zero, before)
        total.add_incoming(start, load)
        total.add_incoming(result, k)
    rest = code.sub(left, I64(1))
    for phi, begin, after in (
        (left, count, rest),
        (a_at, I64(0), code.add(a_at, a_k)),
        (b_at, b, code.add(b_at, I64(4 * COLUMNS))),
    ):
        phi.add_incoming(begin, before)
        phi.add_incoming(begin, load)
        phi.add_incoming(after, k)
    code.cbranch(code.icmp_signed("!=", rest, I64(0)), k, store)
    code.position_at_end(store)
    for p, result in zip(cells, results, strict=True):
        code.put(result, p)


@llvm.function
def row(code, a, b, b_panel, c, word, first):
    """c = (0 if first else c) + a b over the k whose bit is set in word, for one row of c and WIDE
    panels of b, b_panel bytes apart. a: WORD floats."""
    cells = [p for w in range(WIDE) for p in _vectors(code, code.add(c, I64(4 * COLUMNS * w)))]
    panels = [code.add(b, code.mul(b_panel, I64(w))) for w in range(WIDE)]
    load, some, k, store = (code.append_basic_block(n) for n in ("load", "some", "k", "store"))
    zero, before, loaded = _loaded(code, first, cells, load, some)
    starts = [code.phi(VECTOR) for _ in cells]
    for start, value in zip(starts, loaded, strict=True):
        start.add_incoming(zero, before)
        start.add_incoming(value, load)
    code.cbranch(code.icmp_signed("!=", word, I64(0)), k, store)

    code.position_at_end(k)
    left, sums = code.phi(I64), [code.phi(VECTOR) for _ in cells]
    t = code.llvm("cttz.i64", I64, [left, I1(1)])
    value = _broadcast(code, code.add(a, code.shl(t, I64(2))))
    b_at = code.mul(t, I64(4 * COLUMNS))
    b_values = [code.get(p, VECTOR) for b in panels for p in _vectors(code, code.add(b, b_at))]
    results = [_fma(code, value, y, c) for y, c in zip(b_values, sums, strict=True)]
    rest = code.and_(left, code.sub(left, I64(1)))
    left.add_incoming(word, some)
    left.add_incoming(rest, k)
    for total, start, result in zip(sums, starts, results, strict=True):
        total.add_incoming(start, some)
        total.add_incoming(result, k)
    code.cbranch(code.icmp_signed("!=", rest, I64(0)), k, store)

    code.position_at_end(store)
    totals = [code.phi(VECTOR) for _ in cells]
    for p, total, start, result in zip(cells, totals, starts, results, strict=True):
        total.add_incoming(start, some)
        total.add_incoming(result, k)
        code.put(total, p)


@llvm.function
def tiles(code, a, a_tile, a_row, a_k, b, c, c_row, rows, columns, count, first, edge):
    """c = (0 if first else c) + a b over k < count, for any number of rows and one panel of b.

    a_tile: bytes between the a of two tiles. columns: of c; where they are fewer than COLUMNS a
    tile is made at `edge`, ROWS × COLUMNS floats, for it would write beyond them.
    """
    narrow = code.icmp_signed("<", columns, I64(COLUMNS))
    narrow_again = code.and_(narrow, code.icmp_signed("==", first, I64(0)))
    step = code.mul(c_row, I64(ROWS))
    with code.loop(I64(0), rows, ROWS) as i:
        number = code.udiv(i, I64(ROWS))
        left, place = code.add(a, code.mul(a_tile, number)), code.add(c, code.mul(step, number))
        height = code.least(I64(ROWS), code.sub(rows, i))
        into = code.select(narrow, edge, place)
        into_row = code.select(narrow, I64(4 * COLUMNS), c_row)
        with code.if_then(narrow_again):
            copy.within(code, into, into_row, place, c_row, height, columns)
        tile.within(code, left, a_row, a_k, b, into, into_row, height, count, first)
        with code.if_then(narrow):
            copy.within(code, place, c_row, into, into_row, height, columns)


@llvm.function
def marked_rows(code, a, a_row, b, b_panel, c, c_row, rows, marks, first):
    """c = (0 if first else c) + a b over the k that are marked, for any number of rows and WIDE
    panels of b. marks: a uint64 for each row."""
    with code.loop(I64(0), rows) as i:
        word = code.get(code.add(marks, code.shl(i, I64(3))), I64)
        left, place = code.add(a, code.mul(a_row, i)), code.add(c, code.mul(c_row, i))
        row.within(code, left, b, b_panel, place, word, first)


@llvm.function
def thin_row(code, a, b, b_row, c, columns, count):
    """c = a b for one row of c: a has `count` floats, b rows of `columns` that lie b_row apart.

    b is read once, as it lies, UNROLLED rows at a time, and c is added to: for one row of c panels
    would cost more than the sum.
    """
    clear.within(code, c, columns)
    whole = whole_vectors(code, columns)
    unrolled = code.mul(code.udiv(count, I64(UNROLLED)), I64(UNROLLED))
    for begin, end, rows in ((I64(0), unrolled, UNROLLED), (unrolled, count, 1)):
        with code.loop(begin, end, rows) as k:
            values = [code.get(element(code, a, code.add(k, I64(r)))) for r in range(rows)]
            b_rows = [code.add(b, code.mul(b_row, code.add(k, I64(r)))) for r in range(rows)]
            for lanes, first, last in ((LANES, I64(0), whole), (1, whole, columns)):
                kind = ir.VectorType(F32, lanes)
                spread = [code.splat(value, lanes) for value in values]
                with code.loop(first, last, lanes) as j:
                    place = element(code, c, j)
                    total = code.get(place, kind)
                    for x, row_at in zip(spread, b_rows, strict=True):
                        total = _fma(code, x, code.get(element(code, row_at, j), kind), total)
                    code.put(total, place)
