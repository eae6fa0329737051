"""Full disks: what is written is there whole or not at all, and the error says that there is no space left."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest

from kconvert.formats import hdf5
from tests.cli.commands import LENET, LSTM, run

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
HERE = "from kconvert.cli import main; main()"
FILLED_MEANWHILE = f"""
from kconvert.formats import atomic
atomic.check_room = lambda target, size: None
{HERE}
"""
FILLED_WHILE_WRITING = f"""
from kconvert.formats.hdf5 import parts
def reserve(path, size, target, reserve=parts.reserve):
    reserve(path, size, target)
    with open(target.parent / "filler", "ab", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
parts.reserve = reserve
{HERE}
"""


@contextmanager
def small_disk(tmp_path, pages):
    """A file system with `pages` free pages."""
    disk = tmp_path / "disk"
    disk.mkdir(exist_ok=True)
    size = f"size={(pages + 24) * 4096}"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", disk]).returncode:
        pytest.skip("this system does not let root mount a file system")
    try:
        (disk / "filler").write_bytes(bytes(24 * 4096))
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def on_disk(disk, code, ending):
    """A conversion with its result on that disk, in a process of its own."""
    words = [LENET / "model.h5", "--to", "tensorflow", "--no-verify", "-q", "-o", disk / f"out{ending}"]
    return subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)


@needs_root
@pytest.mark.parametrize(
    "pages", [pytest.param(n, marks=() if n in (0, 1, 2, 20) else pytest.mark.long) for n in range(21)]
)
def test_a_full_disk(tmp_path, pages):
    """With any number of free pages, a conversion writes the whole file or nothing, and never crashes."""
    with small_disk(tmp_path, pages) as disk:
        done = on_disk(disk, HERE, ".h5")
        assert done.returncode == 2
        assert "there is no space left on the disk" in done.stderr
        assert os.listdir(disk) == ["filler"]


@needs_root
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reserves room")
@pytest.mark.parametrize("ending", [".h5", ".keras", ".weights.h5", ".safetensors"])
@pytest.mark.parametrize("pages", [pytest.param(n, marks=() if n == 4 else pytest.mark.long) for n in range(0, 21, 2)])
def test_a_disk_that_becomes_full_after_its_room_was_seen(tmp_path, ending, pages):
    with small_disk(tmp_path, pages) as disk:
        done = on_disk(disk, FILLED_MEANWHILE, ending)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert "cannot be written (No space left on device)" in done.stderr
        assert os.listdir(disk) == ["filler"]


@needs_root
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux reserves room")
def test_a_disk_that_becomes_full_while_a_file_is_written(tmp_path):
    """HDF5 would crash; the room of the file was kept for it before."""
    with small_disk(tmp_path, 80) as disk:
        done = on_disk(disk, FILLED_WHILE_WRITING, ".h5")
        assert (done.returncode, done.stderr) == (0, "")
        with hdf5.read(disk / "out.h5") as checkpoint:
            assert len(checkpoint.names) == 8


@needs_root
def test_a_file_system_that_cannot_be_written(tmp_path):
    with small_disk(tmp_path, 200) as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        done = on_disk(disk, HERE, ".h5")
        assert done.returncode == 2
        assert f"the directory {disk} is not writable" in done.stderr


@needs_root
@pytest.mark.parametrize("pages", [0, 1, 3, 40])
def test_a_batch_on_a_full_disk(tmp_path, pages):
    """It ends with an error or a report, and nothing but whole files and the journal is there."""
    with small_disk(tmp_path, pages) as disk:
        words = ["batch", LENET / "model.h5", "--out", disk / "out", "--to", "tensorflow", "--verify", "none"]
        done = subprocess.run([sys.executable, "-c", HERE, *words], capture_output=True, text=True)
        assert "No space left" in done.stderr + done.stdout or "no space left" in done.stderr + done.stdout
        assert done.returncode == (7 if pages else 2) and "Traceback" not in done.stderr
        assert os.listdir(disk / "out") == ["kconvert-journal.jsonl"]
        assert pages or "kconvert-journal.jsonl: cannot be written" in done.stderr


@needs_root
@pytest.mark.long
@pytest.mark.parametrize("pages", [*range(21), *range(22, 42, 2)])
def test_the_journal_of_a_batch_on_a_full_disk(tmp_path, pages):
    """The small result and its line in the journal are there, or neither is; with more space, the batch goes on."""
    words = ["--to", "tensorflow", "--verify", "none", "--jobs", "1"]
    with small_disk(tmp_path, pages) as disk:
        batch = [
            sys.executable,
            "-c",
            HERE,
            "batch",
            LSTM / "weights.h5",
            "--arch",
            LSTM / "arch.json",
            "--out",
            disk / "out",
        ]
        done = subprocess.run([*batch, *words], capture_output=True, text=True)
        assert "Traceback" not in done.stderr and "a bug" not in done.stderr
        assert done.returncode in (0, 2, 7)
        if done.returncode:
            assert "o space left on" in done.stderr + done.stdout
        assert set(os.listdir(disk / "out")) <= {"kconvert-journal.jsonl", "weights.tensorflow.h5"}
        (disk / "filler").unlink()
        assert subprocess.run([*batch, *words], capture_output=True).returncode == 0
        with hdf5.read(disk / "out" / "weights.tensorflow.h5") as checkpoint:
            assert checkpoint.names


@needs_root
@pytest.mark.parametrize("ending", [".html", ".xml", ".md", ".json", ".txt"])
def test_a_report_on_a_full_disk(tmp_path, ending):
    """With any number of free pages; the result itself lies on another disk, and is there."""
    whole = tmp_path / f"whole{ending}"
    convert = [LENET / "model.h5", "--to", "tensorflow", "--no-verify", "-q", "--force", "-o"]
    assert run(*convert, tmp_path / "out.h5", "--report", whole).exit_code == 0
    for pages in range(21):
        with small_disk(tmp_path, pages) as disk:
            out = tmp_path / f"{pages}.h5"
            done = run(*convert, out, "--report", disk / f"report{ending}")
            assert out.read_bytes() == (tmp_path / "out.h5").read_bytes()
            if done.exit_code == 0:
                assert len((disk / f"report{ending}").read_bytes()) > whole.stat().st_size - 100
            else:
                assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
                assert "there is no space left on the disk" in done.stderr and f"report{ending}" in done.stderr
                assert os.listdir(disk) == ["filler"]


@needs_root
@pytest.mark.needs("tensorflow")
@pytest.mark.parametrize("ending", [".tflite", ".onnx"])
@pytest.mark.parametrize("pages", [pytest.param(n, marks=() if n in (1, 20) else pytest.mark.long) for n in range(21)])
def test_a_program_on_a_full_disk(tmp_path, ending, pages):
    """With any number of free pages, the program is written whole or not at all."""
    with small_disk(tmp_path, pages) as disk:
        place = disk / f"out{ending}"
        done = run(LENET / "model.h5", "--to", "tensorflow", "--no-verify", "-q", "-o", place)
        if done.exit_code == 0:
            shutil.copy(place, tmp_path)
            assert run("verify", LENET / "model.h5", tmp_path / place.name).exit_code == 0
            return
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1), done.output
        assert "there is no space left on the disk" in done.stderr and place.name in done.stderr
        assert os.listdir(disk) == ["filler"]
