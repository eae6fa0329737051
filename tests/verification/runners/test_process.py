"""A process of its own gives what this one would; whatever happens to it becomes an error, and nothing is left."""

import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import h5py
import numpy as np
import pytest

from kconvert import KconvertError
from kconvert.errors import Problem
from kconvert.verification.runners.here import Here
from kconvert.verification.runners.process import Process
from tests.verification.runners.jobs import LAMBDA, LENET, MASKED, NESTED, SHARED, alive, job, same

DOUBLE = "x = 2 * x"
SAY_WHO = "import os, subprocess, time; subprocess.Popen(['sleep', '300']); Path({!r}).write_text(str(os.getpid()))"
LONG = 60.0
PARENT = """
from tests.verification.runners.jobs import LAMBDA, job
from kconvert.verification.runners.process import Process
from pathlib import Path
work, x = job(LAMBDA, custom=("custom_told",))
with Process() as runner:
    runner.run(work, x, Path({out!r}))
"""


@pytest.fixture
def tell(tmp_path):
    """Says what the Lambda does from now on."""
    return (tmp_path / "told.py").write_text


@pytest.fixture
def who(tmp_path):
    """The file in which the Lambda names its process."""
    return tmp_path / "pid"


def session(who, seconds=LONG):
    """The session of the process that wrote its name, which lives."""
    end = time.monotonic() + seconds
    while not (who.exists() and who.read_text()):
        assert time.monotonic() < end, "it never ran"
        time.sleep(0.02)
    number = int(who.read_text())
    assert number != os.getsid(0)
    return number


def gone(number, seconds=LONG):
    end = time.monotonic() + seconds
    while alive(number):
        assert time.monotonic() < end, f"left behind: {alive(number)}"
        time.sleep(0.02)
    return True


# ------------------------------------------------------------------ as here ----


@pytest.mark.parametrize("name", [LENET, SHARED, NESTED, MASKED])
def test_a_process_gives_what_is_computed_here(name, custom, no_frameworks, tmp_path):
    here, x = job(name)
    there, _ = job(name, custom=(custom,))
    with Here() as first, Process(timeout=LONG) as second:
        ran = first.run(here, x, tmp_path / "here")
        other = second.run(there, x, tmp_path / "there")
        same(ran, other)
        assert (ran.ran_on, ran.version, ran.emulates) == (other.ran_on, other.version, other.emulates)
        assert ran.emulates == here.run_on
        given = ran.load()
        same(first.run(here, x, tmp_path / "h2", given), second.run(there, x, tmp_path / "t2", given))


@pytest.mark.needs("theano", "tensorflow")
@pytest.mark.parametrize("name", [LENET, "2.3.1-tensorflow/lenet_th"])
def test_the_frameworks_in_a_process(name, tmp_path):
    work, x = job(name, required=True)
    with Here() as first, Process() as second:
        ran = second.run(work, x, tmp_path / "there")
        same(first.run(work, x, tmp_path / "here"), ran)
        assert ran.ran_on == work.convention.backend and ran.emulates is None


def test_a_process_is_asked_again_and_takes_other_weights(custom, tell, who, tmp_path):
    work, x = job(LAMBDA, custom=(custom,))
    other = tmp_path / "other.h5"
    shutil.copy(work.path, other)
    with h5py.File(other, "r+") as file:
        for name in ("kernel:0", "bias:0"):
            dataset = file["model_weights/dense_1/dense_1"][name]
            dataset[...] = 2 * dataset[()]
    numbers = set()
    with Process(timeout=LONG) as runner:
        tell(SAY_WHO.format(str(who)))
        runs = []
        for path in (work.path, str(other), work.path):
            again = replace(job(LAMBDA)[0], path=path, custom=(custom,))
            ran = runner.run(again, x, tmp_path / str(len(runs)))
            runs.append(np.asarray(ran.load()["lambda_1"]))
            numbers.add(session(who))
        assert np.array_equal(runs[0], runs[2])
        np.testing.assert_allclose(runs[1], 2 * runs[0], rtol=1e-6)
        tell(DOUBLE)
        assert np.array_equal(runner.run(work, x, tmp_path / "3").load()["lambda_1"], 2 * runs[0])
    assert len(numbers) == 1
    assert gone(numbers.pop())


# ------------------------------------------------------------------ mishaps ----


def test_no_answer_in_time(custom, tell, who, tmp_path):
    work, x = job(LAMBDA, custom=(custom,))
    with Process(timeout=LONG) as runner:
        runner.run(work, x, tmp_path / "a")
        tell(SAY_WHO.format(str(who)) + "\ntime.sleep(300)")
        runner.timeout = 2.5
        with pytest.raises(KconvertError) as refusal:
            runner.run(work, x, tmp_path / "b")
        assert gone(session(who), 0), "the process and the one it started are gone when the error arrives"
        tell("")
        runner.timeout = LONG
        runner.run(work, x, tmp_path / "c")
    assert refusal.value.problem is Problem.UNVERIFIED
    assert str(refusal.value) == (
        f"{work.path}: tensorflow did not finish within 2.5 seconds and was stopped; allow more time with timeout="
    )


def test_a_process_that_is_killed_says_so(custom, tell, who, tmp_path):
    work, x = job(LAMBDA, custom=(custom,))
    tell(SAY_WHO.format(str(who)) + "\nimport signal; os.kill(os.getpid(), signal.SIGKILL)")
    with Process(timeout=LONG) as runner:
        with pytest.raises(KconvertError, match=r"killed by SIGKILL \(out of memory\?\)") as refusal:
            runner.run(work, x, tmp_path / "a")
        assert gone(session(who))
    assert refusal.value.problem is Problem.UNVERIFIED


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("import os; os._exit(3)", "its process ended with exit code 3"),
        ("import os; os.write(2, b'so long\\n'); os._exit(3)", "exit code 3; the end of its log: so long"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "was killed by SIGSEGV"),
        ("raise MemoryError", "cannot run it \\(MemoryError\\)"),
        ("K.zeros((2**40, 2**10))", "cannot run it \\(Unable to allocate"),
        ("import sys; sys.exit('enough')", "exit code 1; the end of its log: enough"),
    ],
    ids=["exit", "last words", "crash", "memory error", "too large", "sys.exit"],
)
def test_a_process_that_ends_or_fails_is_an_error_and_the_next_job_runs(told, said, custom, tell, tmp_path):
    work, x = job(LAMBDA, custom=(custom,))
    tell(told)
    with Process(timeout=LONG) as runner:
        with pytest.raises(KconvertError, match=said) as refusal:
            runner.run(work, x, tmp_path / "a")
        assert refusal.value.problem is Problem.UNVERIFIED
        assert str(refusal.value).startswith(f"{work.path}: ") and "\n" not in str(refusal.value)
        tell("")
        assert runner.run(work, x, tmp_path / "b").tensors


def test_what_a_model_prints_is_no_answer(custom, tell, tmp_path):
    work, x = job(LAMBDA, custom=(custom,))
    with Process(timeout=LONG) as runner:
        quiet = runner.run(work, x, tmp_path / "a")
        tell("import os; print('{\"ran\": []}', flush=True); os.write(1, b'garbage\\n' * 100000); os.read(0, 1)")
        same(quiet, runner.run(work, x, tmp_path / "b"))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT], ids=["killed", "interrupted"])
def test_nothing_outlives_the_parent(how, custom, tell, who, tmp_path):
    tell(SAY_WHO.format(str(who)) + "\ntime.sleep(300)")
    obeys = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # also below a shell's `&`
    code = f"import sys; sys.path[:] = {sys.path!r}\n{obeys}" + PARENT.format(out=str(tmp_path / "out"))
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as parent:
        number = session(who)
        assert len(alive(number)) >= 2
        parent.send_signal(how)
    assert parent.returncode != 0
    assert gone(number)


def test_threads_share_a_process(custom, tell, tmp_path):
    first, second = (job(name, custom=(custom,)) for name in (LAMBDA, LENET))
    tell("import time; time.sleep(0.2)")
    with Process(timeout=LONG) as runner, ThreadPoolExecutor(2) as pool:
        runs = [pool.submit(runner.run, *work, tmp_path / str(i)) for i, work in enumerate((first, second))]
        for (work, _), ran in zip((first, second), runs, strict=True):
            assert {ref.key for ref in work.model.output_refs} <= set(ran.result().tensors)


def test_a_process_that_is_closed_answers_nobody(custom, tell, who, tmp_path):
    """As when the other side failed, and a thread still waits for this one."""
    work, x = job(LAMBDA, custom=(custom,))
    tell(SAY_WHO.format(str(who)) + "\ntime.sleep(300)")
    with Process() as runner, ThreadPoolExecutor(1) as pool:
        ran = pool.submit(runner.run, work, x, tmp_path / "a")
        number = session(who)
        runner.close()
        with pytest.raises(KconvertError, match="was killed by SIGKILL"):
            ran.result(LONG)
        assert gone(number, 0)


# ------------------------------------------------------------------- errors ----


def test_errors_of_the_file_arrive_as_they_are(custom, tmp_path):
    work, x = job(LAMBDA, custom=(custom,))
    broken = tmp_path / "broken.h5"
    broken.write_bytes(b"no HDF5")
    wrong = replace(work, path=str(broken))
    with pytest.raises(KconvertError) as here:
        Here().run(replace(wrong, custom=()), x, tmp_path / "a")
    with Process(timeout=LONG) as runner, pytest.raises(KconvertError) as there:
        runner.run(wrong, x, tmp_path / "b")
    assert str(here.value) == str(there.value)
    assert here.value.problem is there.value.problem is Problem.UNREADABLE


def test_a_backend_that_is_missing_is_replaced_or_refused(custom, tmp_path):
    with Process(timeout=LONG) as runner:
        work, x = job(LENET, custom=(custom,))
        assert runner.run(work, x, tmp_path / "a").emulates == "theano"
        work, x = job(LENET, custom=(custom,), required=True)
        with pytest.raises(KconvertError, match="backend theano cannot run") as refusal:
            runner.run(work, x, tmp_path / "b")
    assert refusal.value.problem is Problem.UNVERIFIED


def test_an_interpreter_that_is_none(tmp_path):
    work, x = job(LENET)
    with pytest.raises(KconvertError, match="cannot be started") as refusal:
        Process(str(tmp_path / "none")).run(work, x, tmp_path / "a")
    assert refusal.value.problem is Problem.USAGE


def test_a_model_that_cannot_be_sent(tmp_path):
    work, x = job(LENET)

    class Local(type(work.model.sublayers[0])):
        pass

    work.model.sublayers[0].__class__ = Local
    with Process(timeout=LONG) as runner, pytest.raises(KconvertError, match="imported by its name"):
        runner.run(work, x, tmp_path / "a")
