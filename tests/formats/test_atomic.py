"""Files appear whole or not at all, and nothing is left of runs that were killed."""

import os
import subprocess
import sys
import textwrap
import threading
from contextlib import contextmanager
from pathlib import Path

import pytest

from kconvert.errors import KconvertError, Problem
from kconvert.formats import atomic, hdf5
from kconvert.formats.atomic import hidden, new_directory, replacing, write_text

LENET = Path(__file__).parents[1] / "fixtures/1.2.2-theano/lenet_th/model.h5"


def start(tmp_path, body):
    """A process that runs `body` with `target`, after its first line of output."""
    code = f"""
        import sys, time
        from pathlib import Path
        from kconvert.formats.atomic import new_directory, replacing
        target = Path({str(tmp_path / "out")!r})
        {body}
    """
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(code)], stdout=subprocess.PIPE, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


WAITING = "with replacing(target) as path: path.write_text('half'); print('ready', flush=True); time.sleep(60)"
FILLING = "with new_directory(target) as path: (path / 'a').mkdir(); print('ready', flush=True); time.sleep(60)"


@pytest.mark.parametrize("body", [WAITING, FILLING])
def test_the_file_of_a_killed_run_is_removed_by_the_next(body, tmp_path):
    process = start(tmp_path, body)
    process.kill()
    process.wait()
    assert len(os.listdir(tmp_path)) == 1
    write_text(tmp_path / "other", "whole")
    assert os.listdir(tmp_path) == ["other"]


@pytest.mark.parametrize("body", [WAITING, FILLING])
def test_the_file_of_a_live_run_stays(body, tmp_path):
    process = start(tmp_path, body)
    before = os.listdir(tmp_path)
    write_text(tmp_path / "other", "whole")
    assert sorted(os.listdir(tmp_path)) == sorted([*before, "other"])
    process.kill()
    process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="open files are not locked there")
def test_a_new_file_that_another_run_takes_for_abandoned_is_made_again(tmp_path, monkeypatch):
    """Between the making of a file and its lock, another run may lock it, and remove it a moment later."""
    import fcntl

    opened, others = atomic._opened, []

    def opened_by_another_run_too(path):
        if not others:
            descriptor = opened(path)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            others.append(threading.Timer(0.2, lambda: (path.unlink(), os.close(descriptor))))
            others[0].start()
        return opened(path)

    monkeypatch.setattr(atomic, "_opened", opened_by_another_run_too)
    with hidden(tmp_path / "out") as path:
        others[0].join()
        assert path.exists()


def test_a_directory_appears_whole_or_not_at_all(tmp_path):
    with pytest.raises(ZeroDivisionError), new_directory(tmp_path / "out") as path:
        (path / "inner").mkdir()
        (path / "inner" / "file").write_text("half")
        raise ZeroDivisionError
    assert not os.listdir(tmp_path)
    with new_directory(tmp_path / "out") as path:
        (path / "file").write_text("whole")
    assert os.listdir(tmp_path) == ["out"] and (tmp_path / "out/file").read_text() == "whole"


def test_a_link_to_a_directory_is_not_followed(tmp_path):
    """A link with the name of a hidden directory is removed, and not what it leads to."""
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept" / "file").touch()
    (tmp_path / ".kconvert-link").symlink_to(tmp_path / "kept")
    write_text(tmp_path / "out", "whole")
    assert sorted(os.listdir(tmp_path)) == ["kept", "out"] and os.listdir(tmp_path / "kept") == ["file"]


def test_a_target_that_appears_meanwhile_is_not_replaced(tmp_path):
    target = tmp_path / "out"
    with pytest.raises(KconvertError, match="exists already") as caught, replacing(target, force=False) as path:
        path.write_text("second")
        target.write_text("first")
    assert caught.value.problem == Problem.USAGE
    assert target.read_text() == "first"
    assert os.listdir(tmp_path) == ["out"]


def test_force_replaces_it(tmp_path):
    target = tmp_path / "out"
    with replacing(target, force=True) as path:
        path.write_text("second")
        target.write_text("first")
    assert target.read_text() == "second"
    assert os.listdir(tmp_path) == ["out"]


def test_a_file_system_without_hard_links(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refused)
    with replacing(tmp_path / "out", force=False) as path:
        path.write_text("whole")
    assert os.listdir(tmp_path) == ["out"]
    with pytest.raises(KconvertError, match="exists already"), replacing(tmp_path / "out", force=False):
        pass


@pytest.mark.parametrize("length", [200, 245, 253, 255])
def test_long_names(tmp_path, length):
    write_text(tmp_path / ("x" * length), "whole")
    assert os.listdir(tmp_path) == ["x" * length]


def test_a_name_that_is_too_long(tmp_path):
    with pytest.raises(KconvertError, match=r"cannot be written \(File name too long\)"):
        write_text(tmp_path / ("x" * 256), "whole")
    assert not os.listdir(tmp_path)


def test_files_have_the_usual_permissions(tmp_path):
    (tmp_path / "usual").touch()
    write_text(tmp_path / "text", "whole")
    assert (tmp_path / "text").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_text_that_cannot_be_encoded(tmp_path):
    with pytest.raises(KconvertError, match="cannot be written"):
        write_text(tmp_path / "out", "half a character \ud800")
    assert not os.listdir(tmp_path)


def test_no_room_on_the_disk(tmp_path):
    message = r"no space left on the disk: 1,\S+ bytes are needed, \S+ are free"
    with pytest.raises(KconvertError, match=message), replacing(tmp_path / "out", size=10**15):
        pass
    assert not os.listdir(tmp_path)


def test_hidden_files_are_removed(tmp_path):
    with hidden(tmp_path / "out") as path:
        path.write_text("half")
        assert os.listdir(tmp_path) == [path.name]
    assert not os.listdir(tmp_path)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small file system needs root")
HERE = "from kconvert.cli import main; main()"
FILLED_MEANWHILE = f"""
from kconvert.formats import atomic
atomic._check_room = lambda target, size: None
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
def small_disk(tmp_path, pages, options=""):
    """A file system with `pages` free pages."""
    disk = tmp_path / "disk"
    disk.mkdir()
    size = f"size={(pages + 24) * 4096}{options}"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", disk]).returncode:
        pytest.skip("this system does not let root mount a file system")
    try:
        (disk / "filler").write_bytes(bytes(24 * 4096))
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)


def on_disk(disk, code, ending):
    """A conversion with its result on that disk, in a process of its own."""
    words = [LENET, "--to", "tensorflow", "--no-verify", "-q", "-o", disk / f"out{ending}"]
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
        words = ["batch", LENET, "--out", disk / "out", "--to", "tensorflow", "--verify", "none"]
        done = subprocess.run([sys.executable, "-c", HERE, *words], capture_output=True, text=True)
        assert "No space left" in done.stderr + done.stdout or "no space left" in done.stderr + done.stdout
        assert done.returncode == (7 if pages else 2) and "Traceback" not in done.stderr
        assert os.listdir(disk / "out") == ["kconvert-journal.jsonl"]
        assert pages or "kconvert-journal.jsonl: cannot be written" in done.stderr
