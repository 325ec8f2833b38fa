"""python -m bench acceptance: steps that pass, fail, hang or cannot run."""

import json
import subprocess
import sys
import types
import zipfile

import pytest

from bench import acceptance, provenance


@pytest.fixture
def stand_ins(monkeypatch):
    """Each step as a line of Python."""
    lines = {"doctor": "print('fine')", "tests": "raise SystemExit(3)", "train": "print('trained')"}
    lines["benchmarks"] = "import time; print('begun', flush=True); time.sleep(60)"

    def commands(step, device, output):
        if step == "sanitizer":
            return [(step, "there is none")]
        return [(step, [sys.executable, "-c", lines[step]])]

    monkeypatch.setattr(acceptance, "commands", commands)
    monkeypatch.setattr(acceptance, "SHARES", dict.fromkeys(acceptance.STEPS, 0.5))


def test_every_outcome_is_written_down(stand_ins, tmp_path, capsys):
    folder = tmp_path / "found"
    assert acceptance.run(folder, 0.12, "cpu") == 1
    summary = json.loads((folder / "summary.json").read_text())
    assert {step["step"]: step["outcome"] for step in summary["steps"]} == {
        "doctor": "passed",
        "tests": "failed",
        "sanitizer": "not run: there is none",
        "train": "passed",
        "benchmarks": "out of time",
    }
    assert {"device", "versions", "commit"} <= set(summary)
    assert (folder / "benchmarks.txt").read_text() == "begun\n"
    assert "train.txt" in zipfile.ZipFile(f"{folder}.zip").namelist()
    assert "out of time" in capsys.readouterr().out


def test_what_cannot_run_is_no_failure(stand_ins, tmp_path):
    assert acceptance.run(tmp_path / "found", 1, "cpu", ("doctor", "sanitizer", "train")) == 0


def test_a_folder_in_use_is_left_alone(stand_ins, tmp_path, capsys):
    (tmp_path / "mine").touch()
    assert acceptance.run(tmp_path, 1, "cpu") == 1
    assert "is not empty" in capsys.readouterr().out and not (tmp_path / "summary.json").exists()


def test_without_a_gpu_it_says_what_was_not_run(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(acceptance.ours, "why_not", lambda device: f"no {device}")
    assert acceptance.run(tmp_path / "found", 1, "gpu") == 1
    printed = capsys.readouterr().out
    assert "no gpu" in printed and all(step in printed for step in acceptance.STEPS)
    assert "--device cpu" in printed and not (tmp_path / "found").exists()


def test_without_pytest_benchmark_the_rest_is_run(monkeypatch, tmp_path):
    monkeypatch.setattr(acceptance, "find_spec", lambda name: name != "pytest_benchmark")
    for step in acceptance.STEPS:
        absent = (
            acceptance.commands(step, "cpu", tmp_path)[0][1] == "pytest_benchmark: not installed"
        )
        assert absent == (step in ("tests", "benchmarks"))


def test_without_the_images_there_is_no_training_run(monkeypatch, tmp_path):
    monkeypatch.setattr(acceptance.datasets, "where", lambda name: None)
    [(_, why)] = acceptance.commands("train", "gpu", tmp_path)
    assert "DNN_DATA_DIR" in why


def test_the_steps_are_commands_that_exist(monkeypatch, tmp_path):
    """pytest knows the options of the suites, and dnn those of the training run."""
    monkeypatch.setattr(acceptance.datasets, "where", lambda name: tmp_path)
    suites = acceptance.commands("benchmarks", "gpu", tmp_path)
    assert suites[0][0].endswith("test_epoch") and suites[-1][0].endswith("others")
    there = {str(path) for path in (provenance.ROOT / "bench").glob("test_*.py")}
    timed = [part for _, command in suites for part in command if part in there]
    assert sorted(timed) == sorted(there)  # every suite, once
    [(_, train)] = acceptance.commands("train", "gpu", tmp_path)
    [(_, tests)] = acceptance.commands("tests", "gpu", tmp_path)
    few = [part if part != "tests" else "tests/test_acceptance.py" for part in tests]
    collect = ([*suites[0][1], "--collect-only"], [*few, "--collect-only", "-m", "not gpu"])
    for command in (*collect, [*train, "--help"]):
        done = subprocess.run(command, cwd=provenance.ROOT, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-500:] + done.stderr[-500:]


def test_the_budget_is_kept_and_shared(monkeypatch, tmp_path):
    """Whatever uses up all it is given: the limits of all steps add up to the budget, and those of
    the suites are by their weights."""
    clock, limits = [0.0], {}

    def perform(name, command, limit_s, output):
        limits[name] = limit_s
        clock[0] += max(0.0, limit_s)
        return acceptance.Outcome(name, command, "out of time", limit_s)

    monkeypatch.setattr(acceptance, "perform", perform)
    monkeypatch.setattr(acceptance.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(acceptance.ours, "why_not", lambda device: "")
    monkeypatch.setattr(acceptance, "write_summary", lambda *_: None)
    monkeypatch.setattr(acceptance.shutil, "which", lambda name: name)
    assert acceptance.run(tmp_path / "found", 10, "gpu") == 1
    assert sum(limits.values()) == pytest.approx(600)
    assert limits["tests"] == 180 and limits["sanitizer memcheck"] == 30
    suites = {name.split()[1]: s for name, s in limits.items() if name.startswith("benchmarks")}
    assert sum(suites.values()) == pytest.approx(270) and set(suites) == set(acceptance.SUITES)
    assert suites["test_linear"] == pytest.approx(3 * suites["test_adam"])
    assert min(suites.values()) > acceptance.SPARE_S


def test_where_there_are_no_process_groups(monkeypatch):
    """Windows has neither os.killpg nor SIGKILL."""
    typed, process = [], types.SimpleNamespace(pid=7, wait=lambda: typed.append("waited"))
    monkeypatch.setattr(acceptance.os, "name", "nt")
    monkeypatch.delattr(acceptance.os, "killpg", raising=False)
    monkeypatch.setattr(acceptance.subprocess, "run", lambda command, **_: typed.append(command))
    acceptance.end(process)
    assert typed == [["taskkill", "/F", "/T", "/PID", "7"], "waited"]
