"""One mutant, given to every way that reads a file."""

from __future__ import annotations

import os
import shutil
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kconvert import KconvertError, convert, inspect, load_model
from kconvert.batches.manifest import ENDINGS as MANIFESTS
from kconvert.batches.sources import expand
from kconvert.batches.tasks import NONE, tasks_of
from kconvert.batches.work import Setup, run
from kconvert.conversion.source import Source
from kconvert.conversion.target import Wanted
from kconvert.formats.architectures import architecture_json
from kconvert.verification.stored_inputs import stored_arrays

from .mutants import ROOT

MODELS = {
    "lenet.h5": "1.2.2-theano/lenet_th/model.h5",
    "weights.h5": "1.2.2-theano/lenet_th/weights.h5",
    "lenet.json": "1.2.2-theano/lenet_th/arch.json",
    "lstm.h5": "2.3.1-theano/lstm_impl1/model.h5",
}
"""The files that the manifests among the examples name, by their names in the folder `models`."""


@dataclass(frozen=True)
class Trial:
    """What became of one mutant."""

    seed: int
    origin: str
    change: str
    opened: bool
    """Whether at least one way read it."""
    fault: str = ""
    """What was wrong; '' where it was read or refused as it should be."""


def bring_companions(origin: Path, path: Path) -> None:
    """Puts beside a mutant the files that it needs: models for a manifest, the arrays of a checkpoint."""
    if path.suffix == ".index":
        for data in origin.parent.glob(f"{origin.stem}.data-*"):
            shutil.copy(data, path.with_suffix(data.suffix))
    if path.suffix in MANIFESTS:
        (path.parent / "models").mkdir()
        for name, model in MODELS.items():
            shutil.copy(ROOT / "tests/fixtures" / model, path.parent / "models" / name)


def tried(path: Path, out: Path) -> tuple[bool, str]:
    """Whether a file is read, and what is wrong: an error of another class, one without a file, a file left behind."""
    opened, faults, before = False, [], set(os.listdir(out.parent))
    for name, read in _ways(path, out).items():
        try:
            read()
            opened = True
        except KconvertError as error:
            if path.stem not in str(error):
                faults.append(f"{name}: the error does not name the file: {error}")
            if out.exists():
                faults.append(f"{name}: it was refused, and a file was left")
        except Exception:
            faults.append(f"{name}: {traceback.format_exc(limit=-4)}")
        left = sorted(set(os.listdir(out.parent)) - before - {out.name, out.with_suffix(".json").name})
        if left:
            faults.append(f"{name}: left behind: {', '.join(left)}")
        for made in (out, out.with_suffix(".json")):
            shutil.rmtree(made) if made.is_dir() else made.unlink(missing_ok=True)
    return opened, "\n".join(faults)


def _ways(path: Path, out: Path) -> dict[str, Callable[[], object]]:
    if path.suffix in (".json", ".yaml"):
        return {"architecture": lambda: architecture_json(path)}
    if path.suffix == ".npz":
        return {"inputs": lambda: stored_arrays(path)}
    if path.suffix in MANIFESTS:
        return {"batch": lambda: _batch(path, out)}
    return {
        "inspect": lambda: inspect(path),
        "to tensorflow": lambda: convert(path, out, "theano", "tensorflow", force=True),
        "to theano": lambda: convert(path, out, "tensorflow", "theano", force=True, format="same"),
        "load": lambda: load_model(path, "numpy"),
    }


def _batch(manifest: Path, out: Path) -> None:
    """Converts the files of a manifest in this process. Raises AssertionError where one of them is a bug."""
    items = expand([str(manifest)], str(out), {})
    for task in tasks_of(items, str(out), Source(None, "theano"), Wanted("tensorflow"), Setup(), NONE):
        result = run(task)
        assert "a bug in kconvert" not in result.entry.error, result.entry.error
        assert not result.entry.error or str(manifest.parent) in result.entry.error, result.entry.error
        assert not result.failed or not Path(task.target).exists(), "a file that failed has left a result"
    hidden = [path.name for path in out.rglob(".*")]
    assert not hidden, f"left behind: {hidden}"
