"""c = a b on the CPU, a or b transposed or not, in blocks that fit the caches: the one compiled
product of linear, for its forward pass, dx and dw.

    for columns of b, for halves of k, for STRETCH of k:  b into panels
        for HEIGHT rows of a, for DEPTH (or WORD) of k:  a into tiles, or its zeros marked
            for each panel, for each tile of rows:  the innermost loop, in registers
        what comes after the product, on rows that are still in cache

A part shares the rows of c with the others, or with every second one where `by_halves`: then half
of the parts make the first half of each sum and half the second.

Zeros of a are skipped where there are enough of them: one row at a time runs over the k that are
marked. That is the same sum, to the bit, as long as b is finite (0 · ∞ is NaN); where it is not,
nothing is skipped.
"""

from kernels import parallel
from kernels.jit import compiled
from kernels.linear.panels import (
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
from kernels.linear.shape import COLUMNS, LANES, ROWS, WIDE, WORD
from kernels.linear.tile import marked_rows, tiles
from kernels.llvm import caller, start, words
from kernels.threads import WIDEST, share

DENSE_SHARE = 0.7  # of a; above, its zeros are not skipped
DEPTH = 400  # of k: so many rows of a panel stay in the first-level cache
HEIGHT = 72  # rows of a, so deep, that stay in the second-level cache
BREADTH = 1024  # columns and
STRETCH = 1024  # rows of b that are made panels at once
PITCH = DEPTH + WIDEST  # floats between rows of a that were made contiguous
PANELS = STRETCH * (BREADTH + COLUMNS)  # floats of scratch for b's panels
SCRATCH = PANELS + HEIGHT * PITCH + ROWS * COLUMNS + 2 * HEIGHT  # floats of a part, in all
FEW = 256  # rows; with fewer, threads share k: each reads its own half of b only
assert HEIGHT % ROWS == 0 and DEPTH % LANES == 0 and WORD % LANES == 0 and WIDEST % LANES == 0

# What a job consists of: addresses, bytes between rows and elements, sizes
WORDS = 18
(
    A, A_ROW, A_K, B, B_K, B_COLUMN, C, ROWS_OF_C, COLUMNS_OF_C, DEPTH_OF_A, REST, BY_HALVES,
    BIAS, SUMS, FUNCTION, TO, GIVEN, SCRATCH_AT,
) = range(WORDS)  # fmt: skip
FORWARD, DX, DW = range(3)
finish = caller(5)


@compiled
def product(kind, a, b, c, rest, bias, sums, function, to, given, scratch, job, part, threads):
    """c = a b (FORWARD), a bᵀ (DX) or aᵀ b (DW), then

        c += rest;  c += bias;  function(to, given, bytes of a row, rows, columns) on blocks of rows

    All are C-contiguous float32, 2-D but for bias, sums and scratch. rest: like c, where the sums
    are made in two halves, or empty. bias: what is added to each row, or empty. sums: receives the
    sums of the columns of b, or is empty. function: the address of the code, or 0; to, given: like
    c. scratch: SCRATCH floats a thread. job: WORDS int64. part: the address of `product_part`.
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
def product_part(job_at, part, parts):
    job = words(job_at)
    a, a_row, a_k = job[A], job[A_ROW], job[A_K]
    b, b_k, b_column = job[B], job[B_K], job[B_COLUMN]
    rows, columns, depth = job[ROWS_OF_C], job[COLUMNS_OF_C], job[DEPTH_OF_A]
    c_row, rest, sums = 4 * columns, job[REST], job[SUMS]
    panels_at = job[SCRATCH_AT] + part * (4 * SCRATCH)
    a_at = panels_at + 4 * PANELS
    edge_at = a_at + 4 * HEIGHT * PITCH
    marks_at = edge_at + 4 * ROWS * COLUMNS
    if sums:
        j = share(columns, part, parts, WIDEST)
        n = share(columns, part + 1, parts, WIDEST) - j
        clear(sums + 4 * j, n)
        add_rows(sums + 4 * j, 0, b + 4 * j, b_k, depth, n)

    halves = 2 if rest else 1
    group, groups, first_half, last_half = part, parts, 0, halves
    if job[BY_HALVES]:
        group, groups, first_half = part // 2, max(1, parts // 2), part % 2
        last_half = first_half + 1
    if group == groups:  # the odd one out of 3, 5, … parts
        return
    low, high = share(rows, group, groups, WIDEST), share(rows, group + 1, groups, WIDEST)
    if low == high:
        return
    skip = columns >= WIDE * COLUMNS
    if skip:  # every eighth row of the array is a sample
        if a_k == 4:
            some, n = (high - low + 7) // 8, depth // LANES * LANES
        else:
            some, n = (depth + 7) // 8, (high - low) // LANES * LANES
        sampled = count_nonzero(a + low * a_row, 8 * max(a_row, a_k), some, n)
        skip = sampled < DENSE_SHARE * (some * n)
    deepest = WORD if skip else DEPTH

    for j0 in range(0, columns, BREADTH):
        width = min(BREADTH, columns - j0)
        for half in range(first_half, last_half):
            k_begin = share(depth, half, halves, WIDEST)
            k_end = share(depth, half + 1, halves, WIDEST)
            for k0 in range(k_begin, k_end, STRETCH):
                length = min(STRETCH, k_end - k0)
                panel = 4 * COLUMNS * length
                right = b + k0 * b_k + j0 * b_column
                if b_k == 4:
                    for j in range(0, width, COLUMNS):
                        into, n = panels_at + j * 4 * length, min(COLUMNS, width - j)
                        transpose(into, 4 * COLUMNS, right + j * b_column, b_column, n, length)
                else:
                    safe = depth - (COLUMNS + columns - 1) // columns - k0
                    pack_columns(panels_at, panel, right, b_k, width, length, safe)
                n = (width + COLUMNS - 1) // COLUMNS * (COLUMNS * length)
                skipping = skip and finite(panels_at, n)
                blocks = (length + deepest - 1) // deepest
                step = ((length + blocks - 1) // blocks + LANES - 1) // LANES * LANES
                for i0 in range(low, high, HEIGHT):
                    height = min(HEIGHT, high - i0)
                    out = (rest if half else job[C]) + i0 * c_row + 4 * j0
                    for k in range(k0, k0 + length, step):
                        count = min(step, k0 + length - k)
                        first = k == k_begin
                        # a's block: as it lies, or brought together where its k are far apart
                        left = a + i0 * a_row + k * a_k
                        left_tile, left_row, left_k = ROWS * a_row, a_row, a_k
                        if a_k != 4 and skipping:
                            transpose(a_at, 4 * PITCH, left, a_k, count, height)
                            left, left_tile, left_row, left_k = a_at, 4 * PITCH * ROWS, 4 * PITCH, 4
                        elif a_k != 4 and width > COLUMNS:
                            safe = depth - (ROWS_READ + rows - 1) // rows - k
                            left_tile, left_row, left_k = 4 * ROWS * count + PAD, 4, 4 * ROWS
                            pack_rows(a_at, left_tile, left, a_k, height, count, safe)
                            left = a_at
                        if skipping:
                            mark(marks_at, left, left_row, height, count)
                        right, place, j = panels_at + 4 * COLUMNS * (k - k0), out, 0
                        while skipping and j + WIDE * COLUMNS <= width:
                            marked_rows(
                                left, left_row, right, panel, place, c_row, height, marks_at, first
                            )
                            right, place = right + WIDE * panel, place + 4 * WIDE * COLUMNS
                            j += WIDE * COLUMNS
                        while j < width:
                            tiles(
                                left, left_tile, left_row, left_k, right, place, c_row, height,
                                min(COLUMNS, width - j), count, first, edge_at,
                            )  # fmt: skip
                            right, place, j = right + panel, place + 4 * COLUMNS, j + COLUMNS
                    if half + 1 == halves and first_half == 0 and k0 + length == k_end:
                        after_product(job_at, i0, height, j0, width)


@compiled
def after_product(job_at, i, rows, j, columns):
    """What comes after the product, on a block of c."""
    job = words(job_at)
    c_row, rest, bias, function = (
        4 * job[COLUMNS_OF_C], job[REST], job[BIAS], job[FUNCTION]
    )  # fmt: skip
    block = i * c_row + 4 * j
    c = job[C] + block
    if rest:
        add_rows(c, c_row, rest + block, c_row, rows, columns)
    if bias:
        add_rows(c, c_row, bias + 4 * j, 0, rows, columns)
    if function:
        if 4 * columns == c_row:  # one long row
            columns *= rows
            rows = 1
        finish(function, job[TO] + block, job[GIVEN] + block, c_row, rows, columns)
