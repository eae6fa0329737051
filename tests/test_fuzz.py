"""The fuzzer: its mutants are made by their seeds, and the first of them are read or refused as they should be."""

import subprocess
import sys
from pathlib import Path

import pytest

from fuzz.mutants import fixtures, mutant
from fuzz.trial import tried
from tests.cli.commands import ROOT


def test_a_seed_makes_one_mutant():
    origins = fixtures()
    made = {seed: mutant(seed, origins) for seed in range(20)}
    assert made == {seed: mutant(seed, origins) for seed in range(20)}
    assert len({data for _, _, data in made.values()}) == 20


def test_the_first_mutants():
    command = [sys.executable, "-m", "fuzz", "--count", "60", "--jobs", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("\n0 failed\n")


@pytest.mark.parametrize("name", ["bad.json", "bad.npz", "bad.h5", "bad.keras"])
def test_a_file_that_is_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"{")
    assert tried(tmp_path / name, tmp_path / "out.h5") == (False, "")


def test_an_error_of_another_class_is_a_fault(tmp_path, monkeypatch):
    def broken(path):
        raise ZeroDivisionError

    monkeypatch.setattr("fuzz.trial.architecture_json", broken)
    path = Path(tmp_path / "arch.json")
    path.write_text("{}")
    opened, fault = tried(path, tmp_path / "out.h5")
    assert not opened and "ZeroDivisionError" in fault
