"""What a product does to its operands before and after the tiles, on addresses; all float32, rows
any number of bytes apart.

Panels of rows without a gap: else rows a power of two apart fall into few places of the cache.
"""

from llvmlite import ir

from kernels import llvm
from kernels.llvm import F32, I32, I64
from kernels.ops.linear.shape import COLUMNS, LANES, ROWS, VECTOR


def element(code, row, i):
    return code.add(row, code.shl(i, I64(2)))


def whole_vectors(code, n):
    """The largest multiple of LANES up to n."""
    return code.and_(n, I64(-LANES))


def _row(code, base, row_bytes, i):
    return code.add(base, code.mul(row_bytes, i))


@llvm.function
def copy(code, to, to_row, given, given_row, rows, columns):
    """to[i, j] = given[i, j]."""
    with code.loop(I64(0), rows) as i:
        into, row = _row(code, to, to_row, i), _row(code, given, given_row, i)
        whole = whole_vectors(code, columns)
        with code.loop(I64(0), whole, LANES) as j:
            code.put(code.get(element(code, row, j), VECTOR), element(code, into, j))
        with code.loop(whole, columns) as j:
            code.put(code.get(element(code, row, j)), element(code, into, j))


def _pack(width):
    """pack: to[j // width, k, j % width] = given[k, j] for k < count, j < columns, in panels of
    `width` columns that lie panel_bytes apart.

    Whole vectors are read and written: beyond a row's end, so where k ≥ safe single elements, for
    the array may end there; and beyond a panel's end, which therefore has PAD bytes more.
    """
    vectors = -(-width // LANES)

    def pack(code, to, panel_bytes, given, given_row, columns, count, safe):
        ahead = code.least(count, safe)
        with code.loop(I64(0), ahead) as k:
            row = _row(code, given, given_row, k)
            into = code.add(to, code.mul(k, I64(4 * width)))
            panels = code.udiv(code.add(columns, I64(width - 1)), I64(width))
            with code.loop(I64(0), panels) as p:
                place = code.add(row, code.mul(p, I64(4 * width)))
                target = _row(code, into, panel_bytes, p)
                for v in range(vectors):
                    offset = I64(4 * LANES * v)
                    code.put(code.get(code.add(place, offset), VECTOR), code.add(target, offset))
        with code.loop(code.most(ahead, I64(0)), count) as k:
            row = _row(code, given, given_row, k)
            into = code.add(to, code.mul(k, I64(4 * width)))
            with code.loop(I64(0), columns) as j:
                panel, lane = code.udiv(j, I64(width)), code.urem(j, I64(width))
                target = element(code, _row(code, into, panel_bytes, panel), lane)
                code.put(code.get(element(code, row, j)), target)

    pack.__name__ = f"pack_{width}"
    return llvm.function(pack)


pack_columns, pack_rows = _pack(COLUMNS), _pack(ROWS)
ROWS_READ = -(-ROWS // LANES) * LANES
PAD = 4 * (ROWS_READ - ROWS)


@llvm.function
def clear(code, to, count):
    """to[i] = 0 for i < count."""
    whole = whole_vectors(code, count)
    with code.loop(I64(0), whole, LANES) as i:
        code.put(code.vector(F32, LANES, 0.0), element(code, to, i))
    with code.loop(whole, count) as i:
        code.put(F32(0.0), element(code, to, i))


@llvm.function
def add_rows(code, to, to_row, given, given_row, rows, columns):
    """to[i, j] += given[i, j], in ascending i: with to_row = 0, sums of columns."""
    whole = whole_vectors(code, columns)
    with code.loop(I64(0), rows) as i:
        into, row = _row(code, to, to_row, i), _row(code, given, given_row, i)
        for kind, begin, end, step in ((VECTOR, I64(0), whole, LANES), (F32, whole, columns, 1)):
            with code.loop(begin, end, step) as j:
                place = element(code, into, j)
                total = code.fadd(code.get(place, kind), code.get(element(code, row, j), kind))
                code.put(total, place)


@llvm.function
def transpose(code, to, to_row, given, given_row, rows, columns):
    """to[j, i] = given[i, j]."""
    whole_rows, whole_columns = whole_vectors(code, rows), whole_vectors(code, columns)
    with code.loop(I64(0), whole_rows, LANES) as i:
        row, into = _row(code, given, given_row, i), element(code, to, i)
        with code.loop(I64(0), whole_columns, LANES) as j:
            place, target = element(code, row, j), _row(code, into, to_row, j)
            square = [code.get(_row(code, place, given_row, I64(r)), VECTOR) for r in range(LANES)]
            for r, vector in enumerate(_transposed(code, square)):
                code.put(vector, _row(code, target, to_row, I64(r)))
    for first_row, last_row, first, last in (
        (I64(0), whole_rows, whole_columns, columns),
        (whole_rows, rows, I64(0), columns),
    ):
        with code.loop(first_row, last_row) as i:
            row, into = _row(code, given, given_row, i), element(code, to, i)
            with code.loop(first, last) as j:
                code.put(code.get(element(code, row, j)), _row(code, into, to_row, j))


def _transposed(code, square):
    """The columns of a square of vectors: halves, quarters, … of its rows change places."""
    size = len(square)
    step = size // 2
    while step:
        for r in range(size):
            if not r & step:
                upper, lower = square[r], square[r + step]
                low = [i if not i & step else size + i - step for i in range(size)]
                high = [i + step if not i & step else size + i for i in range(size)]
                square[r], square[r + step] = (
                    code.shuffle_vector(upper, lower, ir.Constant(ir.VectorType(I32, size), mask))
                    for mask in (low, high)
                )
        step //= 2
    return square


def _bits(code, place, kind):
    """The bits of x != 0 of a vector, as an int64. NaN is not 0."""
    value = code.get(place, kind)
    is_set = code.fcmp_unordered("!=", value, ir.Constant(kind, [0.0] * kind.count))
    return code.zext(code.bitcast(is_set, ir.IntType(kind.count)), I64)


@llvm.function
def mark(code, to, x, x_row, rows, columns):
    """to[i], a uint64, has bit t set where x[i, t] is not 0; columns ≤ 64."""
    word = code.alloca(I64)
    whole = whole_vectors(code, columns)
    with code.loop(I64(0), rows) as i:
        row = _row(code, x, x_row, i)
        code.store(I64(0), word)
        for kind, begin, end, step in (
            (VECTOR, I64(0), whole, LANES),
            (ir.VectorType(F32, 1), whole, columns, 1),
        ):
            with code.loop(begin, end, step) as t:
                bits = code.shl(_bits(code, element(code, row, t), kind), t)
                code.store(code.or_(code.load(word), bits), word)
        code.put(code.load(word), code.add(to, code.shl(i, I64(3))))


@llvm.function
def count_nonzero(code, x, x_row, rows, columns):
    """How many of x[:, : columns] are not 0; columns is a multiple of LANES."""
    total = code.alloca(I64)
    code.store(I64(0), total)
    with code.loop(I64(0), rows) as i:
        row = _row(code, x, x_row, i)
        with code.loop(I64(0), columns, LANES) as j:
            bits = _bits(code, element(code, row, j), VECTOR)
            code.store(code.add(code.load(total), code.llvm("ctpop.i64", I64, [bits])), total)
    return code.load(total)


@llvm.function
def finite(code, x, count):
    """1 where all of x[: count] are finite; count is a multiple of LANES."""
    seen = code.alloca(VECTOR)
    code.store(code.vector(F32, LANES, 0.0), seen)
    with code.loop(I64(0), count, LANES) as i:
        nothing = code.fmul(code.get(element(code, x, i), VECTOR), code.vector(F32, LANES, 0.0))
        code.store(code.fadd(code.load(seen), nothing), seen)  # ∞ · 0 and NaN · 0 are NaN
    is_nan = code.fcmp_unordered("uno", code.load(seen), code.load(seen))
    lanes = code.bitcast(is_nan, ir.IntType(LANES))
    return code.zext(code.icmp_signed("==", lanes, ir.Constant(lanes.type, 0)), I64)
