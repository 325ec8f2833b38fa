"""Debian's archive as one more mirror, without root and without the system's lists."""

import re
import shutil
import subprocess
import time

import pytest

from dnn.datasets import (
    DatasetNotFoundError,
    debian,
    pace,
)
from tests.dnn.datasets.tiny import NAMES, OTHERS, files_under, fill, load


def test_apt_gets_configuration_is_ours_and_nothing_is_left(archive, own):
    fill(archive.package / "usr/share/datasets/tiny", zipped=True)
    archive.program(
        "apt-get",
        f'cat "$3" >>"{archive.log}"\ncase "$*" in *download*) touch dataset-tiny_1_all.deb;; esac',
    )
    load(debian_package="dataset-tiny")
    said = archive.log.read_text()
    for command in ("update", "download dataset-tiny", "dpkg-deb -x "):
        assert command in said
    for setting in ("State", "State::lists", "Cache", "Log"):
        assert f'Dir::{setting} "{archive.temporary}/dnn-apt-' in said
    assert files_under(archive.temporary) == [] and list(archive.temporary.iterdir()) == []
    assert files_under(own) == sorted(NAMES)


@pytest.mark.skipif(shutil.which("apt-config") is None, reason="this system has no apt-config")
def test_apt_understands_the_configuration(tmp_path):
    path = tmp_path / "apt.conf"
    systems = 'APT::Update::{} {{ "false"; }};\n'
    hooks = ("Pre-Invoke", "Post-Invoke", "Post-Invoke-Success")
    before = "".join(systems.format(hook) for hook in hooks) + 'Acquire::Languages { "de"; };\n'
    path.write_text(before + debian._CONFIGURATION.format(root=tmp_path))
    command = ["apt-config", "-c", str(path), "dump"]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    assert f'Dir::State::lists "{tmp_path}/state/lists";' in lines
    assert f'Dir::Cache "{tmp_path}/cache";' in lines
    assert not [line for line in lines if re.match(r"APT::Update::\S*Invoke\S*::", line)]
    assert [line for line in lines if line.startswith("Acquire::Languages::")] == [
        'Acquire::Languages:: "none";'
    ]


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (
            'case "$*" in *update*) echo "W: Failed to fetch the list";;'
            ' *) echo "E: Unable to locate package dataset-tiny"; exit 100;; esac',
            "apt-get download dataset-tiny ended with 100: E: Unable to locate package"
            " dataset-tiny; W: Failed to fetch the list",
        ),
        ('echo "E: no space left"; exit 100', "apt-get .*update ended with 100: E: no space left"),
        ("exit 1", "ended with 1: it said nothing"),
        ("exit 0", "left 0 packages, expected 1"),
        ("sleep 20", "nothing came for 0.3 s"),
        ("while :; do printf x >>drip; sleep 0.02; done", r"update: sent [\d,]+ bytes in \d"),
    ],
)
def test_a_failing_apt_get_gives_its_reason(archive, own, monkeypatch, script, reason):
    monkeypatch.setattr(debian, "STALL_S", 0.3)
    monkeypatch.setattr(pace, "GRACE_S", 0.3 if "drip" in script else 20)
    monkeypatch.setattr(pace, "LEAST_BYTES_PER_S", 1 << 20)
    archive.program("apt-get", script)
    began = time.monotonic()
    with pytest.raises(
        DatasetNotFoundError, match=f"the package archive, dataset-tiny: .*{reason}"
    ):
        load(debian_package="dataset-tiny")
    assert time.monotonic() - began < 5
    assert list(archive.temporary.iterdir()) == [] and not own.exists()


def test_a_package_with_other_files_is_refused(archive, own):
    fill(archive.package, names=NAMES[:3])
    with pytest.raises(DatasetNotFoundError, match=f"dataset-tiny lacks {NAMES[3]}"):
        load(debian_package="dataset-tiny")
    shutil.rmtree(own)
    fill(archive.package, OTHERS)
    with pytest.raises(DatasetNotFoundError, match=f"{NAMES[0]}: the SHA-256 of its payload is"):
        load(debian_package="dataset-tiny")
    assert not own.exists()


def test_a_system_without_apt_get(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DatasetNotFoundError, match="this system has no apt-get"):
        load(debian_package="dataset-tiny")
