"""Converts and verifies one file of a batch as the main command does, and reports the result."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from .._version import __version__
from ..arguments import Naming, named_by, naming
from ..conversion.files import AlreadyConverted, Conversion, NothingToConvert, convert_file
from ..conversion.known_plans import KnownPlans
from ..conversion.source import Source
from ..conversion.target import Wanted
from ..errors import KconvertError, Problem
from ..formats.atomic import NamedPath, copy_file, new_path, scratch, writing
from ..formats.limits import Limits, limited, limits
from ..formats.unchanged import unchanged
from ..layers.registry import load_module
from ..lazy_dataclasses import dataclass
from ..verification.pairing import Inputs
from ..verification.report.words import brief
from ..verification.tolerance import DEFAULT_TOLERANCE, Tolerance
from ..verification.value import COPIED, Entry, Verdict
from ..verification.verifier import Running, Verifier
from . import places
from .places import Options

STATES = ("differs", "error", "unproved", "partly", "converted", "copied", "equal")
"""The possible results of a file, failures first."""


@dataclass(frozen=True)
class Setup:
    """What all files of a batch have in common."""

    tolerance: Tolerance = DEFAULT_TOLERANCE
    inputs: Inputs = field(default_factory=Inputs)
    running: Running = field(default_factory=Running)
    custom: Sequence[str] = ()
    """Modules that register layers and functions of the user."""
    storage: Options = field(default_factory=dict)
    written: Sequence[NamedPath] = ()
    """The files that the command writes beside the results, such as reports, with their roles."""
    limits: Limits = field(default_factory=limits)
    """The limits on reading a file: those of the process that started the batch."""
    naming: Naming = field(default_factory=naming)
    """How errors name arguments: as in the process that started the batch."""


@dataclass(frozen=True)
class Task:
    """One file to convert."""

    name: str
    """What it is called in the report."""
    source: Source
    """Its path is a path or a URL."""
    wanted: Wanted
    target: str
    """The path or URL of the result."""
    verify: bool
    setup: Setup
    replaces: bool = False
    """Whether the target exists, and is one that this batch made."""


@dataclass(frozen=True)
class Result:
    """The result of a task."""

    entry: Entry
    targets: Mapping[str, str | None] = field(default_factory=dict)
    """The files that were written, each with its stamp (`places.stamp`)."""
    key: str = ""
    """That of the task (`key_of`); '' where it did not run."""

    def to_json(self) -> dict[str, Any]:
        entry = self.entry
        verdict = asdict(entry.verdict) if entry.verdict else None
        said = {"name": entry.name, "error": entry.error, "code": int(entry.code), "verdict": verdict}
        return {**said, "seconds": entry.seconds, "targets": dict(self.targets)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Result:
        verdict = Verdict(**value["verdict"]) if value["verdict"] else None
        entry = Entry(value["name"], None, value["error"], value["code"], verdict, value["seconds"])
        return cls(entry, value["targets"], value.get("key", ""))

    @property
    def failed(self) -> bool:
        return self.entry.state in ("error", "differs", "unproved")


_ONE_AT_A_TIME = threading.Lock()  # neither HDF5 nor Theano runs in several threads
_PLANS = KnownPlans()  # kept as long as the process lives, like the verifiers with their compiled functions
_VERIFIERS: dict[str, Verifier] = {}  # by what they run


def run(task: Task) -> Result:
    """Converts a file, and verifies the result if requested. The entry of the result states errors."""
    with _ONE_AT_A_TIME:
        start = time.monotonic()
        try:
            key = key_of(task)  # of the source as it is before it is read
            result = _attempt(task)
        except KconvertError as error:
            key, result = "", failure(task, str(error), error.problem)
        return replace(result, entry=replace(result.entry, seconds=time.monotonic() - start), key=key)


def key_of(task: Task) -> str:
    """A hash of what the result of a task depends on: the release of kconvert, the options, the files that are read.

    Raises KconvertError where the file cannot be reached.
    """
    setup, source = task.setup, task.source
    read = [*source.files, *setup.inputs.files, *(("module", one) for one in setup.custom)]
    stamps = [places.stamp(str(place), setup.storage) for _, place in read]
    proof = [asdict(setup.tolerance), asdict(setup.running), setup.inputs.samples, setup.inputs.seed, setup.custom]
    values = {"source": vars(source), "wanted": vars(task.wanted), "stamps": stamps, "proof": proof}
    text = json.dumps({"kconvert": __version__, **values}, sort_keys=True, default=str)
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def _attempt(task: Task) -> Result:
    try:
        for module in task.setup.custom:
            load_module(module)
        with (
            limited(**asdict(task.setup.limits)),
            named_by(task.setup.naming),
            _place_names(task) as local,
        ):
            return _run(task, *local)
    except KconvertError as error:
        return failure(task, str(error), error.problem)
    except RecursionError:
        return failure(task, f"{task.source.path}: the architecture is nested too deeply", Problem.UNREADABLE)
    except Exception as error:  # one file must not end the others
        what = f"{task.source.path}: a bug in kconvert, please report it ({type(error).__name__}: {error})"
        return failure(task, " ".join(what.split()), Problem.UNVERIFIED)


def failure(task: Task, error: str, problem: Problem) -> Result:
    return Result(Entry(task.name, error=error, code=problem))


@contextmanager
def _place_names(task: Task) -> Iterator[tuple[Source, Path]]:
    """The source and the target as files on this machine; errors name the places that they stand for."""
    remote = any(places.is_url(str(place)) for place in (task.source.path, task.source.arch, task.target))
    with scratch() if remote else nullcontext(Path()) as folder:
        yield from _in_folder(task, folder)


def _in_folder(task: Task, folder: Path) -> Iterator[tuple[Source, Path]]:
    """`_place_names`, with what is at URLs in `folder`."""
    names: dict[str, str] = {}

    def here(place: str, part: str) -> str:
        if not places.is_url(place):
            return place
        (folder / part).mkdir()
        names[str(folder / part / places.last_part(place))] = place
        return str(places.fetch(place, folder / part, task.setup.storage))

    target = task.target
    if places.is_url(target):
        (folder / "target").mkdir()
        target = str(folder / "target" / places.last_part(target))
        names[target] = task.target
    try:
        source = replace(
            task.source,
            path=here(str(task.source.path), "source"),
            arch=None if task.source.arch is None else here(str(task.source.arch), "arch"),
        )
        yield source, Path(target)
    except KconvertError as error:
        words = [error.what, error.where, error.fix]
        for name, place in names.items():
            words = [word.replace(name, place) if word else word for word in words]
        raise KconvertError(words[0] or "", words[1], words[2], error.problem) from None


def _run(task: Task, source: Source, target: Path) -> Result:
    if not places.is_url(task.target):
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
    try:
        done = _converted(task, source, target)
    except NothingToConvert as nothing:
        return _copied(task, source, target, nothing.what)
    verdict, error, code = _verified(task, source, done) if task.verify else (None, "", 0)
    written = {str(done.target): task.target}
    if done.architecture:
        written[str(done.architecture)] = str(Path(task.target).with_suffix(".json"))
        if places.is_url(task.target):
            written[str(done.architecture)] = f"{task.target.rpartition('.')[0]}.json"
    return _delivered(task, Entry(task.name, None, error, code, verdict), written)


def _converted(task: Task, source: Source, target: Path) -> Conversion:
    """The conversion of a file. For a file that kconvert wrote, its provenance counts and not `source`."""
    wanted, setup = task.wanted.target(target), task.setup
    convert = partial(convert_file, written=setup.written, read=setup.inputs.files, replaces=task.replaces)
    try:
        return convert(source, wanted, target, planner=_PLANS)
    except AlreadyConverted:
        return convert(replace(source, backend=None), wanted, target, planner=_PLANS)


def _copied(task: Task, source: Source, target: Path, why: str) -> Result:
    """The result where there is nothing to convert: the same bytes, so that there is nothing to verify either."""
    path, force = Path(source.path or ""), task.replaces or source.force
    copy_file(path, new_path(target, path, force), force, unchanged([path]))
    verdict = Verdict(COPIED, f"{COPIED.upper()}: {why}")
    return _delivered(task, Entry(task.name, verdict=verdict), {str(target): task.target})


def _delivered(task: Task, entry: Entry, written: dict[str, str]) -> Result:
    """The result, after the files that were written on this machine have been moved to their places."""
    storage = task.setup.storage
    if places.is_url(task.target):
        for file, place in reversed(written.items()):  # the weights last: with them the result is there
            places.upload(Path(file), place, storage)
    return Result(entry, {place: places.stamp(place, storage) for place in written.values()})


def _verified(task: Task, source: Source, done: Conversion) -> tuple[Verdict | None, str, int]:
    """The verdict on a conversion, or the reason why there is none, with its exit code."""
    setup = task.setup
    verifier = _verifier(setup.running)
    try:
        return brief(verifier.verify(*done.sides(source), setup.tolerance, setup.inputs)), "", 0
    except KconvertError as error:
        return None, f"{done.target} is written but not verified: {error}", Problem.UNVERIFIED
    finally:
        verifier.clear()


def _verifier(running: Running) -> Verifier:
    key = repr(running)
    if key not in _VERIFIERS:
        _VERIFIERS[key] = Verifier(running)
    return _VERIFIERS[key]
