"""c = a b on the CPU, a or b transposed or not, in blocks that fit the caches: the one compiled
product of linear, for its forward pass, dx and dw.

    for columns of b, for halves of k, for STRETCH of k:  b into panels
        for HEIGHT rows of a, for DEPTH (or WORD) of k:  a into tiles, or its zeros marked
            for each panel, for each tile of rows:  the innermost loop, in registers
        what comes after the product, on rows that are still in cache

A part shares the rows of c with the others, or with every second one where `by_halves`: then half
of the parts make the first half of each sum and half the second.

A few rows of a forward pass (THIN) read b as it lies instead, once, without panels.

Zeros of a are skipped where there are enough of them: one row at a time runs over the k that are
marked. That is the same sum, to the bit, as long as b is finite (0 · ∞ is NaN); where it is not,
nothing is skipped.
"""

from kernels import llvm, parallel
from kernels.jit import compiled
from kernels.llvm import start
from kernels.ops.linear.microkernel import marked_rows, thin_row, tiles
from kernels.ops.linear.panels import (
    PAD,
    ROWS_READ,
    add_rows,
    clear,
    count_nonzero,
    finite,
    mark,
    pack_columns,
    pack_rows,
    transpose,
)
from kernels.ops.linear.shape import COLUMNS, LANES, ROWS, WIDE, WORD
from kernels.threads import WIDEST

DENSE_SHARE = 0.7  # of a; above, its zeros are not skipped
DEPTH = 400  # of k: so many rows of a panel stay in the first-level cache
HEIGHT = 72  # rows of a, so deep, that stay in the second-level cache
BREADTH = 1024  # columns and
STRETCH = 1024  # rows of b that are made panels at once
PITCH = DEPTH + WIDEST  # floats between rows of a that were made contiguous
PANELS = STRETCH * (BREADTH + COLUMNS)  # floats of scratch for b's panels
SCRATCH = PANELS + HEIGHT * PITCH + ROWS * COLUMNS + 2 * HEIGHT  # floats of a part, in all
THIN = 4  # rows; for no more, b is read as it lies
FEW = 256  # rows; with fewer, threads share k: each reads its own half of b only
assert HEIGHT % ROWS == 0 and DEPTH % LANES == 0 and WORD % LANES == 0 and WIDEST % LANES == 0

# What a job consists of: addresses, bytes between rows and elements, sizes
WORDS = 18
(
    A, A_ROW, A_K, B, B_K, B_COLUMN, C, ROWS_OF_C, COLUMNS_OF_C, DEPTH_OF_A, REST, BY_HALVES,
    BIAS, SUMS, FUNCTION, TO, GIVEN, SCRATCH_AT,
) = range(WORDS)  # fmt: skip
FORWARD, DX, DW = range(3)


@compiled
def product(kind, a, b, c, rest, bias, sums, function, to, given, scratch, job, part, threads):
    """c = a b (FORWARD), a bᵀ (DX) or aᵀ b (DW), then

        c += rest;  c += bias;  function(to, given, bytes of a row, rows, columns) on blocks of rows

    All are C-contiguous float32; a, b, c, to and given 2-D. rest: as many floats as c has, where
    the sums are made in two halves, or empty. bias: what is added to each row, or empty. sums:
    receives the sums of the columns of b, or is empty. function: the address of the code, or 0; to,
    given: like c. scratch: SCRATCH floats a thread. job: WORDS int64. part: the address of
    `product_part`.
    """
    transposed_a, transposed_b = kind == DW, kind == DX
    job[A], job[B], job[C] = start(a), start(b), start(c)
    job[A_ROW] = 4 if transposed_a else 4 * a.shape[1]
    job[A_K] = 4 * a.shape[1] if transposed_a else 4
    job[B_K] = 4 if transposed_b else 4 * b.shape[1]
    job[B_COLUMN] = 4 * b.shape[1] if transposed_b else 4
    job[ROWS_OF_C], job[COLUMNS_OF_C] = c.shape[0], c.shape[1]
    job[DEPTH_OF_A] = a.shape[0] if transposed_a else a.shape[1]
    job[REST] = start(rest) if rest.size else 0
    job[BY_HALVES] = rest.size > 0 and threads > 1 and c.shape[0] < FEW
    job[BIAS] = start(bias) if bias.size else 0
    job[SUMS] = start(sums) if sums.size else 0
    job[FUNCTION], job[TO], job[GIVEN] = function, start(to), start(given)
    job[SCRATCH_AT] = start(scratch)
    parallel.run(part, start(job), threads)
    if job[BY_HALVES]:
        after_product(start(job), 0, c.shape[0], 0, c.shape[1])


@compiled
def product_part(job, part, parts):
    """For kernels.parallel."""
    write_part(job, part, parts)


def _share(code, n, part, parts):
    """Where a part of 0 … n−1 begins, as kernels.threads.share has it."""
    return code.smaller(n, (n * part // parts + (WIDEST - 1)) // WIDEST * WIDEST)


@llvm.function
def write_part(code, job, part, parts):
    """A part of the product; job: WORDS int64."""
    part, parts = code.ints(part, parts)
    (_, _, a_k, b, b_k, b_column, _, rows, columns, depth, rest, by_halves, _, sums, *_) = (
        code.words(job, WORDS)
    )
    with code.when(sums != 0):
        j = _share(code, columns, part, parts)
        n = _share(code, columns, part + 1, parts) - j
        clear.within(code, sums + j * 4, n)
        add_rows.within(code, sums + j * 4, 0, b + j * 4, b_k, depth, n)
    halves, split = code.choose(rest != 0, 2, 1), by_halves != 0
    first = code.choose(split, part % 2, 0)
    last = code.choose(split, first + 1, halves)
    group = code.choose(split, part // 2, part)
    groups = code.choose(split & (parts > 1), parts // 2, parts)
    low, high = _share(code, rows, group, groups), _share(code, rows, group + 1, groups)
    # The odd one of 3, 5, … parts that share the halves has nothing to do
    some = (group < groups) & (low < high)
    thin = (high - low < THIN + 1) & (a_k == 4) & (b_column == 4)
    with code.when(some & thin):
        write_thin.within(code, job, low, high, first, last, halves)
    with code.when(some & (thin == 0)):
        write_rows.within(code, job, part, low, high, first, last, halves)


@llvm.function
def write_thin(code, job, low, high, first_half, last_half, halves):
    """The same as write_rows, for a few rows of a forward pass: b is read as it lies."""
    low, high, first_half, last_half, halves = code.ints(low, high, first_half, last_half, halves)
    (a, a_row, _, b, b_k, _, c, _, columns, depth, rest, by_halves, *_) = code.words(job, WORDS)
    with code.range(first_half, last_half) as half:
        begin, end = _share(code, depth, half, halves), _share(code, depth, half + 1, halves)
        out = code.choose(half == 1, rest, c)
        with code.range(low, high) as i:
            thin_row.within(
                code,
                a + i * a_row + begin * 4,
                b + begin * b_k,
                b_k,
                out + i * columns * 4,
                columns,
                end - begin,
            )
        with code.when((half + 1 == halves) & (by_halves == 0)):
            after_product.within(code, job, low, high - low, 0, columns)


@llvm.function
def zeros_pay(code, a, a_row, a_k, low, high, depth):
    """Whether a sample of a's rows, every eighth row of memory, has zeros enough to be skipped."""
    a, a_row, a_k, low, high, depth = code.ints(a, a_row, a_k, low, high, depth)
    lies = a_k == 4  # a row of a is one of memory
    some = (code.choose(lies, high - low, depth) + 7) // 8
    n = code.choose(lies, depth, high - low) // LANES * LANES
    step = code.choose(lies, a_row, a_k) * 8
    zeros = count_nonzero.within(code, a + low * a_row, step, some, n)
    return zeros * 10 < some * n * int(10 * DENSE_SHARE)


@llvm.function
def write_rows(code, job, part, low, high, first_half, last_half, halves):
    """Rows low … high − 1 of c, or of some halves of their sums."""
    part, low, high, first_half, last_half, halves = code.ints(
        part, low, high, first_half, last_half, halves
    )
    (a, a_row, a_k, b, b_k, b_column, c, _, columns, depth, rest, by_halves, *_, scratch) = (
        code.words(job, WORDS)
    )
    panels_at = scratch + part * (4 * SCRATCH)
    enough = columns > (WIDE * COLUMNS - 1)
    sampled = code.choose(enough, high, low)  # none of them for nothing
    skip = zeros_pay.within(code, a, a_row, a_k, low, sampled, depth) != 0
    with code.range(0, columns, BREADTH) as j0, code.range(first_half, last_half) as half:
        width = code.smaller(BREADTH, columns - j0)
        begin, end = _share(code, depth, half, halves), _share(code, depth, half + 1, halves)
        out = code.choose(half == 1, rest, c) + j0 * 4
        with code.range(begin, end, STRETCH) as k0:
            length = code.smaller(STRETCH, end - k0)
            place = b + k0 * b_k + j0 * b_column
            write_panels.within(
                code, panels_at, place, b_k, b_column, width, columns, length, depth - k0
            )
            n = code.choose(skip, (width + (COLUMNS - 1)) // COLUMNS * COLUMNS * length, 0)
            skipping = skip & (finite.within(code, panels_at, n) != 0)
            deepest = code.choose(skip, WORD, DEPTH)
            blocks = (length + deepest - 1) // deepest
            step = ((length + blocks - 1) // blocks + (LANES - 1)) // LANES * LANES
            is_last = (half + 1 == halves) & (k0 + length == end) & (by_halves == 0)
            with code.range(low, high, HEIGHT) as i0:
                height = code.smaller(HEIGHT, high - i0)
                with code.range(k0, k0 + length, step) as k:
                    count = code.smaller(step, k0 + length - k)
                    write_block.within(
                        code, job, panels_at, skipping, i0, height, k, count, width,
                        panels_at + (k - k0) * (4 * COLUMNS), length * (4 * COLUMNS),
                        out + i0 * columns * 4, k == begin,
                    )  # fmt: skip
                with code.when(is_last):
                    after_product.within(code, job, i0, height, j0, width)


@llvm.function
def write_panels(code, to, b, b_k, b_column, width, columns, length, depth):
    """`length` rows of b into panels; depth: how many b has from here on."""
    b, b_k, b_column, width, columns, length, depth = code.ints(
        b, b_k, b_column, width, columns, length, depth
    )
    panel = length * (4 * COLUMNS)
    with code.if_else((b_k == 4).value) as (is_transposed, lies):
        with is_transposed, code.range(0, width, COLUMNS) as j:
            n, into = code.smaller(COLUMNS, width - j), length * j * 4 + to
            transpose.within(code, into, 4 * COLUMNS, b + j * b_column, b_column, n, length)
        with lies:
            safe = depth - (columns + (COLUMNS - 1)) // columns
            pack_columns.within(code, to, panel, b, b_k, width, length, safe)


@llvm.function
def write_block(
    code, job, panels_at, skipping, i0, height, k, count, width, right, panel, out, first
):
    """A block of c: `height` rows by so many columns, by `count` of k."""
    panels_at, skipping, i0, height, k, count, width, right, panel, out = code.ints(
        panels_at, skipping, i0, height, k, count, width, right, panel, out
    )
    a, a_row, a_k, _, _, _, _, rows, columns, depth, *_ = code.words(job, WORDS)
    c_row = columns * 4
    a_at = panels_at + 4 * PANELS
    edge_at = a_at + 4 * HEIGHT * PITCH
    marks_at = edge_at + 4 * ROWS * COLUMNS
    # a's block: as it lies, or brought together where its k are far apart
    here, far, skipping = a + i0 * a_row + k * a_k, a_k != 4, skipping != 0
    rowwise, tiled = far & skipping, far & (skipping == 0) & (width > COLUMNS)
    left = code.choose(rowwise | tiled, a_at, here)
    left_row = code.choose(rowwise, 4 * PITCH, a_row)
    left_k = code.choose(rowwise, 4, code.choose(tiled, 4 * ROWS, a_k))
    left_tile = code.choose(tiled, count * (4 * ROWS) + PAD, left_row * ROWS)
    with code.when(rowwise):
        transpose.within(code, a_at, 4 * PITCH, here, a_k, count, height)
    with code.when(tiled):
        safe = depth - (rows + (ROWS_READ - 1)) // rows - k
        pack_rows.within(code, a_at, left_tile, here, a_k, height, count, safe)
    with code.when(skipping):
        mark.within(code, marks_at, left, left_row, height, count)
    wide = code.choose(skipping, width // (WIDE * COLUMNS), 0)
    with code.range(0, wide) as j:
        marked_rows.within(
            code, left, left_row, right + j * WIDE * panel, panel, out + j * (4 * WIDE * COLUMNS),
            c_row, height, marks_at, first,
        )  # fmt: skip
    with code.range(wide * WIDE, (width + (COLUMNS - 1)) // COLUMNS) as j:
        n = code.smaller(COLUMNS, width - j * COLUMNS)
        tiles.within(
            code, left, left_tile, left_row, left_k, right + j * panel, out + j * (4 * COLUMNS),
            c_row, height, n, count, first, edge_at,
        )  # fmt: skip


@llvm.function
def after_product(code, job, i, rows, j, columns):
    """What comes after the product, on a block of c."""
    i, rows, j, columns = code.ints(i, rows, j, columns)
    *_, c, _, all_columns, _, rest, _, bias, _, function, to, given, _ = code.words(job, WORDS)
    c_row = all_columns * 4
    block = i * c_row + j * 4
    with code.when(rest != 0):
        add_rows.within(code, c + block, c_row, rest + block, c_row, rows, columns)
    with code.when(bias != 0):
        add_rows.within(code, c + block, c_row, bias + j * 4, 0, rows, columns)
    with code.when(function != 0):
        whole = columns == all_columns  # one long row
        n = code.choose(whole, columns * rows, columns)
        rows = code.choose(whole, 1, rows)
        llvm.call_at(code, function, to + block, given + block, c_row, rows, n)
