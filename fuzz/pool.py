"""Trials in worker processes, each with a bound on its memory and each trial with one on its time."""

from __future__ import annotations

import faulthandler
import logging
import multiprocessing
import resource
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

from .mutants import ROOT, fixtures, mutant
from .trial import Trial, bring_companions, tried

SECONDS = 10
BYTES = 2 * 2**30
BATCH = 50  # mutants that a worker tries at a time


def trials(seeds: list[int], jobs: int) -> Iterator[Trial]:
    """All trials. The mutants of a worker that crashed are tried in a process for each."""
    batches = [seeds[i : i + BATCH] for i in range(0, len(seeds), BATCH)]
    while batches:
        rest: list[list[int]] = []
        with _pool(jobs) as pool:
            for batch, future in [(batch, pool.submit(_several, batch)) for batch in batches]:
                try:
                    yield from future.result()
                except BrokenProcessPool:
                    rest.append(batch)
        if rest:  # at least one of them crashes, and the others were ended with it
            yield from map(_alone, rest[0])
        batches = rest[1:]


def _alone(seed: int) -> Trial:
    """The trial of one mutant, in a process of its own."""
    with _pool(1) as pool:
        try:
            return pool.submit(_several, [seed]).result()[0]
        except BrokenProcessPool:
            origin, change, _ = mutant(seed, fixtures())
            return Trial(seed, str(origin.relative_to(ROOT)), change, False, "the process crashed")


def _pool(jobs: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(jobs, multiprocessing.get_context("spawn"), initializer=_prepare)


def _prepare() -> None:
    """Bounds the memory and the time of a worker."""
    logging.disable()
    faulthandler.enable()
    import kconvert.verification.verifier  # noqa: F401  what is imported does not count

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + BYTES, used + BYTES))
    signal.signal(signal.SIGPROF, _too_slow)


def _too_slow(number: int, frame: object) -> None:
    raise TimeoutError(f"it took more than {SECONDS} seconds of a processor")


def _several(seeds: list[int]) -> list[Trial]:
    origins = fixtures()
    return [_one(seed, origins) for seed in seeds]


def _one(seed: int, origins: Mapping[str, Sequence[Path]]) -> Trial:
    origin, change, data = mutant(seed, origins)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        path = Path(folder, f"mutant{origin.suffix}")
        path.write_bytes(data)
        bring_companions(origin, path)
        signal.setitimer(signal.ITIMER_PROF, SECONDS)
        try:
            opened, fault = tried(path, Path(folder, "out.h5"))
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    return Trial(seed, str(origin.relative_to(ROOT)), change, opened, fault)
