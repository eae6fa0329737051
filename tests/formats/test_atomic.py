"""Files appear whole or not at all, and nothing is left of runs that were killed."""

import errno
import os
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from kconvert.errors import KconvertError, Problem
from kconvert.formats import atomic
from kconvert.formats.atomic import hidden, new_directory, replacing, scratch, writable_path, write_text


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


def test_a_directory_of_many_files_is_not_listed_for_each_new_one(tmp_path, monkeypatch):
    """Where a listing takes long, the next one waits a hundred times as long."""
    listed, now = [], [0.0]

    def slowly(folder):
        listed.append(folder)
        now[0] += 0.02

    monkeypatch.setattr(atomic, "remove_unlocked", slowly)
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    for i in range(10):
        write_text(tmp_path / f"{i}.txt", "x")
    assert listed == [tmp_path]
    now[0] += 2
    write_text(tmp_path / "a.txt", "x")
    assert listed == [tmp_path] * 2


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
    (tmp_path / ".kconvert-0123456789abcdef").symlink_to(tmp_path / "kept")
    write_text(tmp_path / "out", "whole")
    assert sorted(os.listdir(tmp_path)) == ["kept", "out"] and os.listdir(tmp_path / "kept") == ["file"]


def test_names_that_only_begin_alike_are_left_alone(tmp_path):
    names = [".kconvert-notes", ".kconvert-0123456789abcdef.h5", ".kconvert-", "kconvert-0123456789abcdef"]
    for name in names:
        (tmp_path / name).touch()
    write_text(tmp_path / "out", "whole")
    assert sorted(os.listdir(tmp_path)) == sorted([*names, "out"])


def test_temporary_files_of_a_killed_run_are_removed_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    body = "from kconvert.formats.atomic import scratch"
    waiting = "with scratch() as path: (path / 'large').touch(); print('ready', flush=True); time.sleep(60)"
    processes = [start(tmp_path, f"{body}; exec({waiting!r})") for _ in range(2)]
    for made in map(tmp_path.joinpath, os.listdir(tmp_path)):
        assert (made / "large").exists() and made.stat().st_mode & 0o777 == 0o700
    processes[0].kill()
    processes[0].wait()
    with scratch() as path:
        assert len(os.listdir(tmp_path)) == 2 and path.name in os.listdir(tmp_path)
    assert len(os.listdir(tmp_path)) == 1
    processes[1].kill()
    processes[1].wait()


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
    with pytest.raises(KconvertError, match=r"cannot be written \(File name too long\); give a shorter name"):
        write_text(tmp_path / ("x" * 256), "whole")
    assert not os.listdir(tmp_path)


def test_a_file_of_another_user_in_a_sticky_directory(tmp_path, monkeypatch):
    (tmp_path / "out").write_text("theirs")
    tmp_path.chmod(0o1777)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    message = r"belongs to another user, and in \S+ \(sticky\) only its owner may replace it; give another name"
    with pytest.raises(KconvertError, match=message):
        writable_path(tmp_path / "out")
    assert writable_path(tmp_path / "new")
    tmp_path.chmod(0o777)
    assert writable_path(tmp_path / "out")


@pytest.mark.parametrize(
    ("number", "fix"),
    [
        (errno.EPERM, "name a place where you have permission to write"),
        (errno.ENOSPC, "free some space, or name another place"),
        (errno.EROFS, "name a place on a file system that is not read-only"),
    ],
)
def test_an_error_of_the_system_says_what_to_do(tmp_path, monkeypatch, number, fix):
    def fail(*arguments):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(KconvertError, match=f"cannot be written .*; {fix}"):
        write_text(tmp_path / "out", "whole")
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
