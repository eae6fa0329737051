"""Runs a batch, from its sources to one report on all files. Files that an earlier run verified are not done again."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import field, replace
from itertools import islice
from os import PathLike, fspath
from typing import Any

from ..arguments import argument
from ..conversion.source import Source
from ..conversion.target import NATIVE, Wanted
from ..errors import KconvertError, Problem
from ..layers.registry import custom_modules
from ..lazy_dataclasses import dataclass
from ..network.input_shapes import InputShape
from ..verification.pairing import Inputs
from ..verification.tolerance import DEFAULT_TOLERANCE, Tolerance
from ..verification.value import Entry, Summary
from ..verification.verifier import Running
from . import places
from .cluster import connected, on_cluster
from .journal import TOGETHER, Journal
from .local import in_processes
from .sources import expand
from .tasks import ALL, Tasks, tasks_of
from .work import STATES, Result, Setup, Task, failure, run

MOST_JOBS = 1024

FilePath = str | PathLike[str]

Watch = Callable[[int, int, Entry | None], None]
"""Called with the number of finished files, the total number, and the result of the last one, if this run did it."""


@dataclass(frozen=True)
class BatchSummary(Summary):
    """The results of all files of a batch, failures first."""

    UNDECIDED = ("FAILED", "failed")

    @property
    def code(self) -> int:
        """The exit code: 1 where some differ, else 7 where some failed, 6 where some are equal in part, else 0."""
        if self.count("differs"):
            return 1
        if self.count("error") or self.count("unproved"):
            return Problem.SOME_FAILED
        return Problem.PARTLY_VERIFIED if self.count("partly") else 0


@dataclass(frozen=True)
class Job:
    """A batch to run."""

    sources: Sequence[str]
    out: str
    source: Source
    """What holds for every file; without a path."""
    wanted: Wanted
    setup: Setup = field(default_factory=Setup)
    verify: str = ALL
    """'all', 'none' or 'sample:N'."""
    jobs: int = 1
    """Worker processes on this machine."""
    timeout: float | None = None
    """The seconds that one file may take; None: any time."""
    fail_fast: bool = False
    """Whether the first failure ends the batch."""
    client: Any = None
    """A client of a Dask cluster, which runs the tasks in place of processes on this machine."""


def batch(
    sources: FilePath | Sequence[FilePath],
    out: FilePath,
    source: str | None = None,
    target: str | None = None,
    data_format: str = NATIVE,
    format: str | None = None,
    *,
    jobs: int = 1,
    verify: str = ALL,
    fail_fast: bool = False,
    timeout: float | None = None,
    client: Any = None,
    scheduler: str | None = None,
    storage_options: Mapping[str, Any] | None = None,
    tolerance: Tolerance = DEFAULT_TOLERANCE,
    running: Running | None = None,
    samples: int = 4,
    seed: int = 0,
    inputs: FilePath | None = None,
    arch: FilePath | None = None,
    source_data_format: str | None = None,
    source_release: str | None = None,
    repair: bool = True,
    drop_optimizer: bool = False,
    force: bool = False,
    layers: Sequence[str] = (),
    cudnn: bool | None = None,
    partial: bool = False,
    input_shape: InputShape | None = None,
    watch: Watch | None = None,
) -> Summary:
    """Converts many files into a directory and verifies them; returns one report over all.

    sources: paths, directories, globs, manifests (.csv, .jsonl) and URLs of fsspec.
    out: a path or a URL.
    source: the backend that saved the file, where the file does not tell: 'theano', 'tensorflow', or another one.
    target: the backend to convert for, 'theano' or 'tensorflow'. It may be left out with Keras 3 and tf_keras, which
    are for TensorFlow.
    data_format: 'native' (as usual on the target: theano channels_first, tensorflow channels_last), 'keep', or one of
    the two.
    format: 'keras2', 'same' (the generation of each source), 'keras3' or 'tf_keras'.
    jobs: how many processes of this machine work.
    verify: 'all', 'none', or 'sample:N' for N files of all.
    fail_fast: whether the first failure ends the batch.
    timeout: the seconds that one file may take.
    client, scheduler: a client of a Dask cluster, or the address of one, whose workers work instead.
    storage_options: arguments of the fsspec file systems.
    tolerance: how large an error may be.
    running: where the sides of a verification run.
    samples, seed: the number of the random inputs, and their seed.
    inputs: an .npy or .npz file of inputs in place of random ones.
    arch: the file with the architecture (JSON, YAML, or a whole model), for files of weights alone.
    source_data_format: the data format of the weights, where layers do not state it or `arch` was made on another
    backend.
    source_release: the release of Keras that saved the file, where the file does not state it.
    repair: whether layers that the two backends compute differently are rewritten; otherwise they are refused.
    drop_optimizer: whether the state of the optimizer is left out.
    force: whether `source` holds even where files say otherwise, and existing results are replaced.
    layers: 'NAME=Class' or 'NAME=as-is' for layers whose class the weights alone do not show.
    cudnn: whether LSTM and GRU are written as CuDNN layers (True), or those as LSTM and GRU (False); by default what
    the target has.
    partial: whether only the layers are taken that the file and `arch` both have, by name.
    input_shape: the shape of the input without the batch axis, or a dict of them by the names of inputs, for networks
    that leave sizes free.
    watch: is called after each file, as `Watch` says.

    A journal in `out` says what is done. A run that was ended goes on where it was. A file that fails does not stop the
    others. Functions and layers of your own are those that modules register (`register_layer`).

    Raises KconvertError where the batch itself cannot run, such as for a manifest that cannot be read.
    """
    given = [sources] if isinstance(sources, (str, PathLike)) else sources
    setup = Setup(
        tolerance,
        Inputs(samples, seed, None if inputs is None else fspath(inputs)),
        replace(running or Running(), isolate=False),
        custom_modules(),
        dict(storage_options or {}),
    )
    said = Source(
        None, source, source_data_format, arch, tuple(layers), force, source_release, partial, input_shape=input_shape
    )
    wanted = Wanted(target, format, data_format, repair, cudnn, drop_optimizer)
    job = Job(
        [fspath(one) for one in given], fspath(out), said, wanted, setup, verify, jobs, timeout, fail_fast, client
    )
    if scheduler is None:
        return run_batch(job, watch)
    with connected(scheduler) as client:
        return run_batch(replace(job, client=client), watch)


def run_batch(job: Job, watch: Watch | None = None) -> Summary:
    """Runs a batch. Raises KconvertError where it cannot run at all."""
    job = replace(job, sources=list(map(places.without_file, job.sources)), out=places.without_file(job.out))
    storage = job.setup.storage
    _check(job)
    items = expand(job.sources, job.out, storage)
    with (
        closing(tasks_of(items, job.out, job.source, job.wanted, job.setup, job.verify)) as tasks,
        Journal(job.out, storage) as journal,
    ):
        places.abort_uploads(job.out, storage, lambda name: journal.owns(places.joined(job.out, name)))
        run = _Run(job, tasks, journal, watch or (lambda done, total, entry: None))
        run.watch(0, len(tasks), None)
        for task, result in _results(job, run.todo()):
            journal.record(task, result)
            run.add(result.entry)
            if run.ended:
                break
    entries = sorted(run.entries, key=lambda entry: (STATES.index(entry.state), entry.name))
    return BatchSummary(entries, not_tried=len(tasks) - len(entries))


def _check(job: Job) -> None:
    """Refuses a batch that could not run, before it reads its sources."""
    if not 1 <= job.jobs <= MOST_JOBS:
        what = f"a batch has from 1 to {MOST_JOBS:,} processes"
        raise KconvertError(what, fix=f"give {argument('jobs', 1)}", problem=Problem.USAGE)
    if not job.out:
        raise KconvertError("the target directory has no name", fix="name a directory", problem=Problem.USAGE)
    if job.out.startswith(places.READ_ALONE):
        raise KconvertError("nothing is written to http", job.out, "name a directory, s3:// or gs://", Problem.USAGE)
    job.setup.inputs.check()


class _Run:
    """The results of the files of a batch so far."""

    def __init__(self, job: Job, tasks: Tasks, journal: Journal, watch: Watch) -> None:
        self.entries: list[Entry] = []
        self.ended = False
        """Whether a file failed, and that ends the batch."""
        self.watch = watch
        self._job, self._tasks, self._journal = job, tasks, journal

    def add(self, entry: Entry, by_this_run: bool = True) -> None:
        self.entries.append(entry)
        self.watch(len(self.entries), len(self._tasks), entry if by_this_run else None)
        self.ended |= self._job.fail_fast and Result(entry).failed

    def todo(self) -> Iterator[Task]:
        """The remaining tasks. They are checked a few at a time, so that the first one starts immediately."""
        job, tasks = self._job, iter(self._tasks)
        present = places.listing(job.out, job.setup.storage) if places.is_url(job.out) else None
        while some := list(islice(tasks, TOGETHER)):
            left = [one for task in some if not self.ended and (one := self._left(task, present))]
            if self.ended:
                return
            self._journal.announce(task.target for task in left)
            yield from left

    def _left(self, task: Task, present: Container[str] | None) -> Task | None:
        """A task that needs work; for another one, its entry is added and None returned.

        present: the files in the target directory, where that is at a URL.
        """
        there = places.exists(task.target, {}) if present is None else task.target in present
        if there and (proved := self._journal.proved(task)):
            self.add(proved.entry, by_this_run=False)
        elif there and not (self._journal.owns(task.target) or task.source.force):
            error = f"{task.target}: exists already; pass {argument('force', True)} to replace it"
            self.add(failure(task, error, Problem.USAGE).entry)
        else:
            return replace(task, replaces=there)
        return None


def _results(job: Job, tasks: Iterable[Task]) -> Iterator[tuple[Task, Result]]:
    """Each task with its result. Files in the memory of this process are converted by it."""
    if any(place.startswith(places.MEMORY) for place in (*job.sources, job.out)):
        return ((task, run(task)) for task in tasks)
    return in_processes(tasks, job.jobs, job.timeout) if job.client is None else on_cluster(tasks, job.client)
