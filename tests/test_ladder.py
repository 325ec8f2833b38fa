"""The ladder: its rungs are files that say what they cost, and the page holds what they are counted
at. Their batteries: tests/kernels/test_battery.py."""

import re

import numpy as np
import pytest

import kernels
from bench import ladder, pages
from kernels import dispatch
from kernels.device import emulated
from tests.dnn.helpers import ROOT

OPS = tuple(ladder.SIZES)
RUNGS = [(op, file) for op in OPS for file in ladder.files(op)[:-1]]
each_rung = pytest.mark.parametrize("op, file", RUNGS, ids="/".join)


@pytest.mark.parametrize("op", OPS)
def test_the_rungs_are_numbered_and_listed(op):
    files = ladder.files(op)[:-1]
    assert [int(re.match(r"gpu_(\d+)_", file)[1]) for file in files] == list(
        range(1, len(files) + 1)
    )
    assert list(dispatch.module(op, "ladder").RUNGS) == files


@each_rung
def test_a_rung_says_what_it_changed(op, file):
    number = int(re.match(r"gpu_(\d+)_", file)[1])
    text = (dispatch.OPS / op / file).read_text("utf-8")
    assert text.startswith(f"// {op}, rung {number} of the ladder: ")
    assert number == 1 or f"// Against rung {number - 1} " in text


@pytest.mark.emulated
@pytest.mark.usefixtures("toolchain")
@pytest.mark.parametrize("op", OPS)
def test_the_page_holds_what_is_counted(op):
    """Loads, stores and instructions only where the compilers are those that the page names."""
    page = (ROOT / ladder.PAGE).read_text("utf-8")
    _, generated, _ = pages.between(page, ladder.PAGE, ladder.BEGIN)
    counted = ladder.count(op)
    assert [rung.file for rung in counted] == ladder.files(op)
    for rung in counted:
        numbers = f"{rung.blocks:,} | {rung.bytes:,} | {rung.sectors:,}"
        assert f"| {ladder.begins(op, rung)} | {numbers} | " in generated
        if dispatch.is_rung(rung.file):
            head = (dispatch.OPS / op / rung.file).read_text("utf-8")
            assert f" = {rung.bytes:,} bytes" in head, rung.file
    if ladder.compiled_by() in generated:
        assert ladder.table(op, counted) in generated


@pytest.mark.emulated
@pytest.mark.usefixtures("toolchain")
def test_a_card_times_every_rung(monkeypatch):
    """With the emulated device in the card's place, and calls counted in place of timed."""
    variant, turns = ladder.variant, []

    def device_turns(calls, host_us):
        assert calls.keys() == host_us.keys()
        for call in calls.values():
            call()
            turns.append(call.keywords["variant"])
        return {provider: ([[2.0]], [[1.0]]) for provider in calls}

    monkeypatch.setattr(ladder.ours, "why_not", lambda device: "")
    monkeypatch.setattr(ladder, "put", lambda a, device: emulated.asarray(a))
    monkeypatch.setattr(ladder, "variant", lambda op, _, file: variant(op, "emulated", file))
    monkeypatch.setattr(ladder.measure, "device_turns", device_turns)
    monkeypatch.setitem(ladder.SIZES, "softmax_cross_entropy", {"B": 5, "C": 40})
    timed = ladder.microseconds("softmax_cross_entropy")
    assert turns == ladder.files("softmax_cross_entropy")
    assert timed == dict.fromkeys(turns, 2.0)
    rung = ladder.Rung("gpu_2_warp.cu", "a warp a row", *range(7))
    assert ladder.table("softmax_cross_entropy", [rung], timed).endswith("| 6 | 2.00 |")


@each_rung
@pytest.mark.emulated
def test_what_a_rung_does_not_do_is_refused(op, file):
    x, labels = emulated.zeros((3, 4)), emulated.zeros(3, np.int32)
    refused = [
        lambda: kernels.softmax_cross_entropy(x, emulated.zeros((3, 4)), variant=file),
        lambda: kernels.softmax_cross_entropy(x, labels, weights=x[:, 0].copy(), variant=file),
        lambda: kernels.softmax_cross_entropy(
            x, labels, hit=emulated.zeros(3, np.uint8), variant=file
        ),
    ]
    if op == "linear":
        refused = [
            lambda: kernels.linear_backward(x, x, emulated.zeros((4, 4)), variant=file),
            lambda: kernels.linear(x, emulated.zeros((4, 4)), precision="tf32", variant=file),
        ]
    for call in refused:
        with pytest.raises(ValueError, match=f"variant '{file}'.*Leave variant out"):
            call()


@pytest.mark.emulated
@pytest.mark.usefixtures("toolchain")
@pytest.mark.parametrize("file", [file for op, file in RUNGS if op == "softmax_cross_entropy"])
def test_a_label_outside_makes_its_row_nan(file):
    z, labels = emulated.zeros((3, 8)), emulated.asarray(np.array([8, 1, -1], np.int32))
    loss, dz = (a.get() for a in kernels.softmax_cross_entropy(z, labels, variant=file))
    assert np.isnan(loss).tolist() == [True, False, True]
    assert np.isnan(dz).all(axis=1).tolist() == [True, False, True] and not np.isnan(dz[1]).any()
