"""The runtime by itself: bodies.cpp stands in for emitted code, so no CUDA compiler is needed."""

import pathlib
import re

import numpy as np
import pytest

from kernels.device.emulated import emulator
from kernels.device.emulated.parsed import Function, Parameter

FILE = pathlib.Path(__file__).with_name("bodies.cpp")
SCHEDULES = [("in order", 0), ("reverse", 0), *(("random", seed) for seed in range(8))]


def lines_of(name):
    """The lines of one body, and of the helper it calls, in bodies.cpp."""
    text = FILE.read_text().splitlines()
    [first] = [i for i, line in enumerate(text) if line.startswith(f"BODY({name})")]
    last = next(
        i for i in range(first, len(text)) if text[i].startswith("}") or text[i].endswith("}")
    )
    lines = set(range(first + 1, last + 2))
    helpers = {"message": "void message", "last_block": "void last_block_sums"}
    helpers |= {"producer": "void ring", "copy_": "void stages"}
    for prefix, head in helpers.items():
        if name.startswith(prefix):
            start = next(i for i, line in enumerate(text) if line.startswith(head))
            lines |= set(range(start + 1, text.index("}", start) + 2))
    return lines


def pointers():
    return tuple(Parameter(name, "u64", 8, 8, 8 * i) for i, name in enumerate("abc"))


@pytest.fixture(scope="module")
def program():
    text = FILE.read_text()
    names = re.findall(r"^BODY\((\w+)\)", text, re.M)
    entries = {name: Function(name, True, pointers()) for name in names}
    table = ", ".join(f"ENTRY({name})" for name in names)
    return emulator.Program(entries, text.replace("{ENTRIES}", "{" + table + "}"))


@pytest.fixture
def launch(program):
    def launch(entry, grid=1, block=32, a=None, b=None, c=None, **options):
        return program.launch(entry, grid, block, [a, b, c], names=("a", "b", "c"), **options)

    return launch


def zeros(size=256):
    return np.zeros(size, np.int32)


# Addresses


def test_arrays_are_read_and_written_in_place(launch):
    a, b = np.arange(64, dtype=np.int32), zeros(64)
    assert not launch("copies", 2, 32, a, b).reports
    assert (a == b).all()


@pytest.mark.parametrize("check", [True, False])
def test_parts_of_one_buffer(launch, check):
    """The card's alignment is the host's, whatever window an array is seen through."""
    memory = np.arange(200, dtype=np.int32)
    assert not launch("copies", 1, 32, memory[3:35], memory[100:132], check=check).reports
    assert (memory[100:132] == np.arange(3, 35)).all()


def test_off_the_end_into_the_neighbour(launch):
    """One past the end is in bounds of the memory, but not of the array."""
    memory = zeros(64)
    [report] = launch("runs_off_the_end", 1, 32, memory[:32], memory[32:]).reports
    assert (report.kind, report.address, report.thread) == (
        "out of bounds",
        "a + 128 bytes",
        (31, 0, 0),
    )
    assert report.line in lines_of("runs_off_the_end") and report.file == "bodies.cpp"
    assert memory[32] == 0
    [report] = launch("runs_off_the_front", 1, 1, memory[32:], memory[:32]).reports
    assert (report.kind, report.address) == ("out of bounds", "a - 4 bytes")
    assert memory[31] != 7


@pytest.mark.parametrize(
    "entry, kind, says",
    [
        ("null_pointer", "out of bounds", "null pointer"),
        ("misaligned", "misaligned", "multiple of 4"),
        ("leaves_a_shared_array", "out of bounds", "outside every shared array"),
        ("local_memory_unwritten", "uninitialised read", "nothing has written"),
    ],
)
def test_bad_address(launch, entry, kind, says):
    for schedule, seed in SCHEDULES:
        reports = launch(entry, 1, 512, zeros(512), zeros(), schedule=schedule, seed=seed).reports
        assert reports[0].kind == kind and says in reports[0].message
        assert reports[0].line in lines_of(entry)
        assert reports[0].count == (512 if entry == "local_memory_unwritten" else 1)


def test_local_memory_is_each_threads_own(launch):
    a = zeros(64)
    assert not launch("local_memory", 1, 64, a).reports
    assert (a == np.arange(64) + 3).all()


def test_maps_of_initialised_bytes(launch):
    a, b = np.empty(32, np.int32), zeros(32)
    first = launch("writes_first_half", 1, 32, a, initialised=[False])
    assert not first.reports
    written = first.initialised[0]
    assert written[:64].all() and not written[64:].any()
    [report] = launch("reads_all", 1, 32, a, b, initialised=[written]).reports
    assert report.kind == "uninitialised read" and report.count == 16
    assert report.address.startswith("a + ") and "nothing has written" in report.message
    launch("copies", 1, 32, b, a, initialised=[None, written])
    assert written.all()


def test_variables_outlive_a_launch(launch):
    a = zeros(1)
    launch("counts_in_a_variable", 1, 1, a)
    first = a[0]
    launch("counts_in_a_variable", 1, 1, a)
    assert a[0] == first + 1


# Who races with whom: (entry, kind of report or None, grid, block)

CASES = [
    ("neighbouring_bytes", None, 1, 256),
    ("bytes_in_words", None, 1, 32),
    ("one_byte_twice", "race", 1, 64),
    ("one_byte_twice_the_same", None, 1, 64),
    ("atomic_and_store", "race", 1, 64),
    ("message_by_fences", None, 2, 1),
    ("message_without_first_fence", "race", 2, 1),
    ("message_without_second_fence", "race", 2, 1),
    ("message_by_narrow_fence", "race", 2, 1),
    ("message_by_release", None, 2, 1),
    ("message_by_narrow_release", "race", 2, 1),
    ("message_by_relaxed", "race", 2, 1),
    ("last_block", None, 6, 64),
    ("last_block_without_fences", "race", 6, 64),
    ("warp_exchange", None, 1, 64),
    ("warp_exchange_in_lockstep", "race", 1, 64),
    ("half_warps", None, 1, 64),
    ("half_warps_across", "race", 1, 64),
    ("warp_sum", None, 1, 32),
    ("warp_sum_needs_all", "warp", 1, 32),
    ("not_in_the_mask", "warp", 1, 32),
    ("divided_warp", "warp", 1, 32),
    ("divergent_barrier", "barrier", 1, 64),
    ("barrier_within_a_warp", "barrier", 1, 32),
    ("barrier_too_few", "barrier", 1, 64),
    ("waits_for_ever", "deadlock", 3, 64),
    ("overruns_its_stack", "fault", 1, 2),
    ("producer_consumer", None, 1, 64),
    ("producer_does_not_wait", "race", 1, 64),
    ("copy_in_stages", None, 1, 32),
    ("copy_waits_for_too_few", "asynchronous copy", 1, 32),
    ("copy_with_zero_fill", None, 1, 32),
    ("copy_source_overwritten", "asynchronous copy", 1, 32),
]

# What else such a mistake does on some schedules.
CONSEQUENCES = {"race": {"uninitialised read"}, "asynchronous copy": {"race"}}


@pytest.mark.parametrize("entry, kind, grid, block", CASES, ids=[case[0] for case in CASES])
def test_case(launch, entry, kind, grid, block):
    for schedule, seed in SCHEDULES:
        reports = launch(
            entry, grid, block, zeros(512), zeros(512), zeros(), schedule=schedule, seed=seed
        ).reports
        if kind is None:
            assert not reports, f"{schedule} {seed}: {reports[0]}"
            continue
        kinds = {report.kind for report in reports}
        assert kind in kinds and kinds <= {kind, *CONSEQUENCES.get(kind, ())}, f"{schedule} {seed}"
        assert all(report.line in lines_of(entry) for report in reports)
        for race in (report for report in reports if report.kind == "race"):
            [other] = re.findall(r"bodies.cpp:(\d+) by block", race.other)
            assert int(other) in lines_of(entry)


def test_a_report_reads_well(launch):
    [report] = launch("atomic_and_store", 1, 64, zeros(), schedule="in order").reports
    [store_line, add_line] = [
        number
        for number, line in enumerate(FILE.read_text().splitlines(), 1)
        if number in lines_of("atomic_and_store") and re.search(r"store\(A|add\(A", line)
    ]
    assert str(report) == (
        "race: atomic operation of 4 bytes races with a store: nothing orders the two\n"
        f"  in atomic_and_store at bodies.cpp:{add_line}, block (0, 0, 0) thread (40, 0, 0)\n"
        "  address: a + 0 bytes\n"
        f"  other: store at bodies.cpp:{store_line} by block (0, 0, 0) thread (0, 0, 0)\n"
        f"  PTX line {add_line}: an instruction"
    )


def test_overlapping_arguments_share_their_state(launch):
    memory = zeros(64)
    [report] = launch("overlapping_arguments", 1, 64, memory[:32], memory[1:40]).reports
    assert report.kind == "race"
    assert not launch("overlapping_arguments", 1, 64, memory[:32], memory[32:]).reports


def test_zero_fill(launch):
    a, b = np.arange(1, 257, dtype=np.int32), zeros()
    launch("copy_with_zero_fill", 1, 32, a, b)
    assert (b == np.where(np.arange(256) % 4 == 0, a, 0)).all()


def test_an_endless_loop_ends(launch):
    [report] = launch("endless_loop", steps=1_000_000).reports
    assert report.kind == "fault" and "endless loop" in report.message


def test_the_same_seed_is_the_same_run(launch):
    def run(seed):
        b, c = zeros(), zeros()
        result = launch("last_block_without_fences", 6, 64, zeros(512), b, c, seed=seed)
        return [str(report) for report in result.reports]

    assert run(3) == run(3)
    assert len({tuple(run(seed)) for seed in range(6)}) > 1


# Counters


@pytest.mark.parametrize(
    "entry, expected",
    [
        # 32 lanes x 4 bytes, 8 apart: 256 bytes are touched where 128 would do.
        ("strided_loads", {"global_bytes": 128, "sectors": 8, "ideal_sectors": 4}),
        ("wide_loads", {"global_bytes": 512, "sectors": 16, "ideal_sectors": 16}),
        # Every lane in the same bank.
        ("column_stores", {"shared_requests": 1, "wavefronts": 32, "ideal_wavefronts": 1}),
        ("broadcasts", {"shared_requests": 2, "wavefronts": 2, "bank_conflicts": 0, "barriers": 1}),
        # Odd lanes execute two loads; the second belongs with the even lanes' only one.
        ("diverging_loads", {"requests": 2, "sectors": 1 + 4, "global_bytes": 64 + 128}),
    ],
)
@pytest.mark.parametrize("schedule", ["in order", "random"])
def test_counters(launch, entry, expected, schedule):
    memory = np.zeros(1024 + 32, np.uint8)
    start = -memory.ctypes.data % 32  # sectors are counted from the address
    a = memory[start : start + 1024].view(np.int32)
    total = launch(entry, 1, 32, a, schedule=schedule).counters.total
    assert {name: getattr(total, name) for name in expected} == expected


def test_counters_add_up_by_line(launch):
    array = zeros()  # one: how many sectors its bytes take depends on where it lies
    one = launch("strided_loads", 1, 32, array).counters
    both = one + launch("strided_loads", 2, 32, array).counters
    assert both.launches == 2
    [(place, traffic)] = both.lines.items()
    assert place[0] == "bodies.cpp" and place[1] in lines_of("strided_loads")
    assert traffic == both.total and traffic.sectors == 3 * one.total.sectors


# What a card would refuse


@pytest.mark.parametrize(
    "grid, block, message",
    [
        (0, 32, "from 1 up"),
        (1, 2048, "at most 1024"),
        ((1, 70000), 32, "65535"),
        (1, 0, "from 1 up"),
    ],
)
def test_a_shape_that_no_card_takes(launch, grid, block, message):
    with pytest.raises(ValueError, match=message):
        launch("copies", grid, block, zeros(), zeros())


def test_arguments_that_do_not_fit(program):
    with pytest.raises(TypeError, match="takes 3 arguments, not 2"):
        program.launch("copies", 1, 1, [zeros(), zeros()])
    with pytest.raises(
        TypeError, match=r"a: got 1\.0 .*expected an array or a NumPy scalar of 8 bytes"
    ):
        program.launch("copies", 1, 1, [1.0, None, None], names=("a", "b", "c"))
    with pytest.raises(TypeError, match="not C-contiguous"):
        program.launch("copies", 1, 1, [zeros()[::2], None, None])
    with pytest.raises(ValueError, match="there is no entry 'copy'"):
        program.launch("copy", 1, 1, [None, None, None])
