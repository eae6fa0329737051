"""Batches on this machine: what is converted, what is not done again, and what a failure costs."""

import json
import os
import shutil
import tracemalloc
from pathlib import Path

import fsspec
import numpy as np
import pytest

import kconvert as kc
from kconvert.batches.journal import Journal
from kconvert.batches.run import BatchSummary
from kconvert.errors import KconvertError, Problem
from kconvert.layers.registry import FUNCTIONS, load_module
from kconvert.verification.report.words import outcome, tally
from tests.cli.commands import HAZARD, LENET, contents

TO = {"source": "theano", "target": "tensorflow"}


def states(done):
    return {entry.name: entry.state for entry in done.entries}


def written(folder):
    """The files of a batch without its journal."""
    return {path: data for path, data in contents(Path(folder)).items() if "journal" not in path.name}


def test_each_result_is_what_convert_writes(models, tmp_path):
    done = kc.batch(models, tmp_path / "out", **TO, verify="none", jobs=2)
    assert states(done) == {"images/lenet.h5": "converted", "lstm.h5": "converted"} and done.code == 0
    kc.convert(models / "lstm.h5", tmp_path / "alone.h5", **TO)
    assert (tmp_path / "out" / "lstm.tensorflow.h5").read_bytes() == (tmp_path / "alone.h5").read_bytes()


@pytest.mark.needs("theano", "tensorflow")
def test_results_are_verified(models, tmp_path):
    done = kc.batch(models, tmp_path / "out", **TO)
    assert states(done) == {"images/lenet.h5": "equal", "lstm.h5": "equal"} and (done.code, done.equal) == (0, True)
    assert done.entries[0].verdict.words.startswith("EQUAL: ")


def test_a_file_that_fails_does_not_stop_the_others(models, tmp_path):
    (models / "a.h5").write_text("no weights")
    done = kc.batch(models, tmp_path / "out", **TO, verify="none")
    assert [entry.state for entry in done.entries] == ["error", "converted", "converted"]
    assert done.code == Problem.SOME_FAILED and "is not an HDF5 file" in done.entries[0].error
    assert len(written(tmp_path / "out")) == 2


def test_what_is_there_already_is_copied(models, tmp_path):
    kc.convert(models / "lstm.h5", models / "done.h5", **TO)
    done = kc.batch(models, tmp_path / "out", target="tensorflow", source=None, verify="none", jobs=2)
    copy = tmp_path / "out" / "done.tensorflow.h5"
    assert copy.read_bytes() == (models / "done.h5").read_bytes()
    assert states(done)["done.h5"] == "copied" and done.agrees
    entry = next(entry for entry in done.entries if entry.name == "done.h5")
    assert outcome(entry).startswith("COPIED: the file already is in the convention keras2/tensorflow")
    assert tally(BatchSummary([entry])) == "COPIED: 1 file, 0 equal, 0 differ, 1 copied unchanged, 0 failed"
    before = copy.stat().st_mtime_ns
    again = kc.batch(models, tmp_path / "out", target="tensorflow", verify="none")
    assert states(again) == states(done) and copy.stat().st_mtime_ns == before


def test_what_kconvert_made_is_copied_whatever_is_said_of_the_others(models, tmp_path):
    kc.convert(models / "lstm.h5", models / "done.h5", **TO)
    done = kc.batch(models, tmp_path / "out", **TO, verify="none")
    assert states(done) == {"done.h5": "copied", "images/lenet.h5": "converted", "lstm.h5": "converted"}
    assert (tmp_path / "out" / "done.tensorflow.h5").read_bytes() == (models / "done.h5").read_bytes()


def test_fail_fast_ends_with_the_first_failure(models, tmp_path):
    for i in range(20):
        shutil.copy(LENET / "model.h5", models / f"z{i}.h5")
    (models / "a.h5").write_text("no weights")
    done = kc.batch(models, tmp_path / "out", **TO, verify="none", fail_fast=True)
    assert done.code == Problem.SOME_FAILED and done.not_tried > 0
    assert done.not_tried + len(done.entries) == 23


def test_what_is_done_is_not_done_again(models, tmp_path):
    out = tmp_path / "out"
    kc.batch(models, out, **TO, verify="none")
    before = {path: path.stat().st_mtime_ns for path in written(out)}
    first = written(out)
    done = kc.batch(models, out, **TO, verify="none")
    assert states(done) == {"images/lenet.h5": "converted", "lstm.h5": "converted"}
    assert {path: path.stat().st_mtime_ns for path in written(out)} == before
    shutil.copy(HAZARD / "model.h5", models / "lstm.h5")
    kc.batch(models, out, **TO, verify="none")
    changed = {path.name for path in first if written(out)[path] != first[path]}
    assert changed == {"lstm.tensorflow.h5"}


def test_what_was_lost_is_done_again(models, tmp_path):
    out = tmp_path / "out"
    kc.batch(models, out, **TO, verify="none")
    first = written(out)
    (out / "lstm.tensorflow.h5").unlink()
    (out / "images" / "lenet.tensorflow.h5").write_bytes(b"damaged")
    kc.batch(models, out, **TO, verify="none")
    assert written(out) == first


def test_an_existing_file_that_is_no_result_is_not_replaced(models, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "lstm.tensorflow.h5").write_text("mine")
    done = kc.batch(models, out, **TO, verify="none")
    assert states(done)["lstm.h5"] == "error" and "exists already; pass force=True" in done.entries[0].error
    assert (out / "lstm.tensorflow.h5").read_text() == "mine"
    assert kc.batch(models, out, **TO, verify="none", force=True).code == 0


def test_a_run_that_was_killed_between_a_result_and_its_journal_goes_on(models, tmp_path):
    out = tmp_path / "out"
    kc.batch(models, out, **TO, verify="none")
    first, journal = written(out), out / "kconvert-journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-1]) + lines[-1][:20])
    assert kc.batch(models, out, **TO, verify="none").code == 0
    assert written(out) == first and journal.read_bytes().count(b"\n") == len(lines)


@pytest.mark.parametrize(
    "line", ["{", "[]", '{"schema": 1, "result": {}}', '{"schema": 1, "result": 3}', '{"schema": 9}']
)
def test_a_journal_of_something_else_is_refused(models, tmp_path, line):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "kconvert-journal.jsonl").write_text(f"{line}\n")
    with pytest.raises(KconvertError, match=r"kconvert-journal.jsonl, line 1: is no line of a journal"):
        kc.batch(models, tmp_path / "out", **TO)


def test_a_long_line_of_a_journal_is_not_read(models, tmp_path):
    (tmp_path / "out").mkdir()
    with open(tmp_path / "out" / "kconvert-journal.jsonl", "wb") as file:
        file.truncate(2**30)
    with pytest.raises(KconvertError, match=r"line 1: is no line of a journal of kconvert \(it is longer than"):
        kc.batch(models, tmp_path / "out", **TO)
    assert (tmp_path / "out" / "kconvert-journal.jsonl").stat().st_size == 2**30


def test_a_journal_announces_many_targets_in_lines_that_it_can_read(tmp_path):
    targets = [str(tmp_path / f"{i:0200}.h5") for i in range(100_000)]
    with Journal(str(tmp_path), {}) as journal:
        journal.announce(targets)
    with Journal(str(tmp_path), {}) as journal:
        assert all(journal.owns(target) for target in targets)


def test_journals_at_one_url_do_not_replace_the_parts_of_each_other():
    """Nothing is locked there; before, both wrote part 0, and what one of them had done was lost."""
    folder = "memory://two-at-once"
    with Journal(folder, {}) as first, Journal(folder, {}) as second:
        first.announce([f"{folder}/a.h5"])
        second.announce([f"{folder}/b.h5"])
    with Journal(folder, {}) as both:
        assert both.owns(f"{folder}/a.h5") and both.owns(f"{folder}/b.h5")


def test_the_memory_that_a_journal_takes_does_not_grow_with_it(tmp_path):
    """Before, each line took about 1.3 kB of the memory."""

    def peak(count):
        line = {"name": "", "error": "", "code": 0, "verdict": None, "seconds": 0.1, "targets": {}}
        with open(tmp_path / "kconvert-journal.jsonl", "w") as file:
            for i in range(count):
                said = {"schema": 2, "target": f"{i:064}", "key": "k", "result": {**line, "name": f"{i:064}"}}
                file.write(f"{json.dumps(said)}\n")
        tracemalloc.start()
        with Journal(str(tmp_path), {}) as journal:
            assert journal.owns(str(tmp_path / f"{count - 1:064}"))
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(1)  # what the first journal of a process loads stays
    assert peak(4000) < peak(400) + 50_000


def test_two_batches_do_not_share_a_directory(models, tmp_path):
    with Journal(str(tmp_path / "out"), {}), pytest.raises(KconvertError, match="another batch is writing"):
        kc.batch(models, tmp_path / "out", **TO)


def test_a_process_that_dies_costs_one_file(models, tmp_path, monkeypatch):
    (tmp_path / "deadly.py").write_text(
        "import os\nfrom kconvert.batches import work\nconvert = work.convert_file\n"
        "def deadly(source, *rest, **more):\n"
        "    return os._exit(9) if 'lstm' in str(source.path) else convert(source, *rest, **more)\n"
        "work.convert_file = deadly\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("kconvert.batches.run.custom_modules", lambda: ("deadly",))
    done = kc.batch(models, tmp_path / "out", **TO, verify="none")
    assert states(done) == {"images/lenet.h5": "converted", "lstm.h5": "error"}
    assert "ended with exit code 9" in done.entries[0].error


@pytest.mark.needs("theano", "tensorflow")
def test_a_sample_is_verified(models, tmp_path):
    done = kc.batch(models, tmp_path / "out", **TO, verify="sample:1")
    assert sorted(states(done).values()) == ["converted", "equal"]
    for wrong in ("sample:0", "sample:x", "some", "sample:-1", f"sample:{'9' * 5000}"):
        with pytest.raises(KconvertError, match="does not say which files to verify"):
            kc.batch(models, tmp_path / "out", **TO, verify=wrong)


@pytest.mark.parametrize("jobs", [0, -1, 1025, 10**30])
def test_a_number_of_processes_that_no_machine_has_is_refused(models, tmp_path, jobs):
    with pytest.raises(KconvertError, match="a batch has from 1 to 1,024 processes"):
        kc.batch(models, tmp_path / "out", **TO, jobs=jobs)


def test_a_file_url_is_a_path(models, tmp_path):
    (models / "all.csv").write_text(f"path,from,to\nfile://{models}/lstm.h5,theano,tensorflow\n")
    for name, sources in {"a": f"file://{models}", "b": f"file://{models}/all.csv"}.items():
        done = kc.batch(sources, f"file://{tmp_path}/{name}", **TO, verify="none")
        assert done.code == 0 and (tmp_path / name / "lstm.tensorflow.h5").is_file()


def test_a_batch_in_memory(models):
    memory = fsspec.filesystem("memory")
    memory.pipe("/from/lenet.h5", (models / "images" / "lenet.h5").read_bytes())
    assert kc.batch("memory://from", "memory://to", **TO, verify="none").code == 0
    kc.convert(models / "images" / "lenet.h5", models / "alone.h5", **TO)
    assert memory.cat("/to/lenet.tensorflow.h5") == (models / "alone.h5").read_bytes()
    before = memory.modified("/to/lenet.tensorflow.h5")
    assert kc.batch("memory://from", "memory://to", **TO, verify="none").code == 0
    assert memory.modified("/to/lenet.tensorflow.h5") == before


def test_limits_hold_in_the_processes_of_a_batch(tmp_path):
    with kc.limited(arrays=1):
        done = kc.batch(LENET / "model.h5", tmp_path / "out", **TO, verify="none", jobs=1)
    assert done.code == Problem.SOME_FAILED
    assert "has too many arrays" in str(done.to_json())


@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_a_journal_that_is_no_file_is_neither_read_nor_written(models, tmp_path, kind):
    journal = tmp_path / "out" / "kconvert-journal.jsonl"
    journal.parent.mkdir()
    (tmp_path / "precious").write_text("no line ends here")
    {"link": lambda: journal.symlink_to(tmp_path / "precious"), "pipe": lambda: os.mkfifo(journal)}.get(
        kind, journal.mkdir
    )()
    with pytest.raises(KconvertError, match=r"kconvert-journal.jsonl: is no regular file; remove it"):
        kc.batch(models, tmp_path / "out", **TO, verify="none")
    assert (tmp_path / "precious").read_text() == "no line ends here"


@pytest.mark.parametrize("named", ["absolute", "from elsewhere", "moved"])
def test_a_batch_goes_on_where_its_directory_is_named_in_another_way(models, tmp_path, monkeypatch, named):
    monkeypatch.chdir(tmp_path)
    kc.batch(models, "out", **TO, verify="none")
    before = {path: path.stat().st_mtime_ns for path in written("out")}
    (models / "late.h5").write_bytes((models / "lstm.h5").read_bytes())
    out = {"absolute": tmp_path / "out", "from elsewhere": Path("../out"), "moved": Path("moved")}[named]
    if named == "moved":
        Path("out").rename("moved")
        before = {Path("moved", path.relative_to("out")): time for path, time in before.items()}
    if named == "from elsewhere":
        (tmp_path / "folder").mkdir()
        monkeypatch.chdir("folder")
        before = {Path("..", path): time for path, time in before.items()}
    done = kc.batch(models, out, **TO, verify="none")
    assert (done.code, len(done.entries)) == (0, 3)
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize("text", ["notes of a user", '{"path": "lstm.h5"}'])
def test_a_file_of_the_user_with_the_name_of_the_journal_stays(models, tmp_path, text):
    journal = tmp_path / "out" / "kconvert-journal.jsonl"
    journal.parent.mkdir()
    journal.write_text(text)
    with pytest.raises(KconvertError, match="line 1: is no line of a journal of kconvert"):
        kc.batch(models, tmp_path / "out", **TO, verify="none")
    assert journal.read_text() == text


@pytest.mark.parametrize("last", ['{"sche', '{"schema": 2, "targ', '{"schema": 2, "targets": ["lst', "", "\0\0\0"])
def test_a_line_of_the_journal_that_was_not_finished_is_left_out(models, tmp_path, last):
    kc.batch(models, tmp_path / "out", **TO, verify="none")
    before = written(tmp_path / "out")
    journal = tmp_path / "out" / "kconvert-journal.jsonl"
    lines = journal.read_text()
    journal.write_text(lines + last)
    assert kc.batch(models, tmp_path / "out", **TO, verify="none").code == 0
    assert (written(tmp_path / "out"), journal.read_text()) == (before, lines)


@pytest.mark.needs("theano", "tensorflow")
def test_results_are_verified_again_where_what_verifies_them_changed(models, tmp_path, monkeypatch):
    monkeypatch.setitem(FUNCTIONS, "f", None)  # which is forgotten after the test
    inputs, done = tmp_path / "inputs.npy", []
    code = "import kconvert\n\n\n@kconvert.register_function('f')\ndef f(K, x):\n    return x\n"
    (tmp_path / "layers.py").write_text(code)
    load_module(str(tmp_path / "layers.py"))

    def changed():
        now = kc.batch(models / "images", tmp_path / "out", **TO, inputs=inputs, watch=lambda *_: done.append(_[2]))
        assert now.code == 0
        entries = [entry for entry in done if entry]
        done.clear()
        return bool(entries)

    np.save(inputs, np.zeros((1, 1, 12, 10), "f4"))
    assert [changed(), changed()] == [True, False]
    np.save(inputs, np.ones((2, 1, 12, 10), "f4"))
    assert [changed(), changed()] == [True, False]
    with open(tmp_path / "layers.py", "a") as file:
        file.write("# changed\n")
    assert [changed(), changed()] == [True, False]


@pytest.mark.parametrize(
    ("key", "value"), [("name", 5), ("code", "0"), ("seconds", "1"), ("targets", ["x"]), ("verdict", {"state": 1})]
)
def test_a_journal_with_a_value_of_another_type_is_refused_with_its_line(models, tmp_path, key, value):
    kc.batch(models / "lstm.h5", tmp_path / "out", **TO, verify="none")
    journal = tmp_path / "out" / "kconvert-journal.jsonl"
    first, last = journal.read_text().splitlines()
    line = json.loads(last)
    line["result"][key] = value
    journal.write_text(f"{first}\n{json.dumps(line)}\n")
    with pytest.raises(KconvertError, match="line 2: is no line of a journal of kconvert"):
        kc.batch(models / "lstm.h5", tmp_path / "out", **TO, verify="none")


def test_a_journal_with_an_unknown_state_is_refused_with_its_line(models, tmp_path):
    kc.batch(models / "lstm.h5", tmp_path / "out", **TO)
    journal = tmp_path / "out" / "kconvert-journal.jsonl"
    journal.write_text(journal.read_text().replace('"state": "equal"', '"state": "sound"'))
    with pytest.raises(KconvertError, match=r"line 2: is no line of a journal of kconvert [(]the state 'sound'"):
        kc.batch(models / "lstm.h5", tmp_path / "out", **TO)


def test_a_target_directory_without_a_name_is_refused(models):
    with pytest.raises(KconvertError, match="the target directory has no name"):
        kc.batch(models, "", **TO, verify="none")
