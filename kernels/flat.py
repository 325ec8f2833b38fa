"""Ops that update flat arrays in place: the optimizers, the moving average, clip_by_value.

What is the same in all of them stands here once: which arrays fit each other, numbers that may live
on the device, and one launch over n elements. An op's file has its formula, its options, and the
Entry that says what it reads (const) and what it updates.
"""

from kernels import arrays, dispatch
from kernels.device import MULTIPROCESSORS, Entry, KernelFile, launch, submit
from kernels.numbers import MOST_STEPS, NOT_NEGATIVE, whole_number


def gpu_files(entry: Entry, *files) -> tuple[KernelFile, ...]:
    """GPU_FILES of an op: 256 threads, eight blocks a multiprocessor of an H100, and a grid that
    strides over the rest."""
    return tuple(
        KernelFile(entry.name, file, (entry,), threads=256, most_blocks=8 * MULTIPROCESSORS)
        for file in files
    )


def update(entry, default, given, counted, numbers, variant, of_gpu=None):
    """One call of the op that `entry` names; returns None.

    given: {name: float32 (n,), or None where it is left out}, as the entry begins, all of one shape
    and on one device. counted: {"step" or "lr": a number, or an array (1,) on the device}, which
    come next: to a GPU both as an array and as a number. numbers: what the CPU kernel takes behind
    them, and a GPU's too, unless it has its own: of_gpu. default: the op's DEFAULT.
    Raises TypeError, ValueError for arguments that do not fit or overlap.
    """
    first, like = next(iter(given.items()))
    like = arrays.result(first, like, ("n",), like)
    updated, read, operands = {first: like}, {}, [like]
    for name, a in list(given.items())[1:]:
        if name in entry.reads:
            a = read[name] = arrays.operand(name, a, like.shape)
        elif a is not None:
            a = updated[name] = arrays.result(name, a, like.shape, like)
        operands.append(a)
    device = arrays.device_of(**updated, **read)
    known = on_device({first: like}, counted)
    for name, (array, _) in known.items():
        read[name] = array
    arrays.refuse_overlap(updated, read)
    if like.size == 0:
        return
    file = dispatch.pick(entry.name, device, variant, default)
    behind = behind_arrays(device, known, numbers, of_gpu or numbers)
    if device == "cpu":
        submit(device, getattr(dispatch.cpu(entry.name, file), entry.name), *operands, *behind)
    else:
        described = dispatch.kernel_file(entry.name, file)
        grid = (described.blocks(like.size),)
        launch(described, entry.name, grid, (*operands, *behind, like.size))


def on_device(like, given):
    """{name: (array (1,) or None, number)} of {"step" or "lr": either}; like: {name: an array of
    the device}."""
    known = {}
    for name, value in given.items():
        dtype, check = COUNTED[name]
        if type(value) is int or type(value) is float:  # the quick way through
            known[name] = None, check(name, value)
        else:
            known[name] = arrays.number_or_array(name, value, like, dtype, check)
    return known


def behind_arrays(device, known, of_cpu, of_gpu):
    """What a kernel takes behind its arrays; known: of `on_device`."""
    counted = []
    for array, number in known.values():
        if device != "cpu":
            counted += array, number
        else:
            counted.append(number if array is None else array)
    return *counted, *(of_cpu if device == "cpu" else of_gpu)


def from_the_first_on(name, value) -> int:
    """A step that is counted from 1."""
    if type(value) is int and 1 <= value <= MOST_STEPS:  # the quick way through
        return value
    step = whole_number(name, value, 0, MOST_STEPS)
    if step < 1:
        raise ValueError(f"{name}: got {step}; expected 1 for the first step")
    return step


COUNTED = {"step": (arrays.INT32, from_the_first_on), "lr": (arrays.FLOAT32, NOT_NEGATIVE)}
