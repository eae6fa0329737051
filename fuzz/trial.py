"""One mutant, given to every way that reads a file."""

from __future__ import annotations

import os
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kconvert import KconvertError, convert, inspect, load_model
from kconvert.formats.architectures import architecture_json
from kconvert.network.sample_inputs import stored_arrays


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


def tried(path: Path, out: Path) -> tuple[bool, str]:
    """Whether a file is read, and what is wrong: an error of another class, one without a file, a file left behind."""
    opened, faults = False, []
    for name, read in _ways(path, out).items():
        try:
            read()
            opened = True
        except KconvertError as error:
            if path.name not in str(error):
                faults.append(f"{name}: the error does not name the file: {error}")
            if out.exists():
                faults.append(f"{name}: it was refused, and a file was left")
        except Exception:
            faults.append(f"{name}: {traceback.format_exc(limit=-4)}")
        left = sorted(set(os.listdir(out.parent)) - {path.name, out.name, out.with_suffix(".json").name})
        if left:
            faults.append(f"{name}: left behind: {', '.join(left)}")
        for made in (out, out.with_suffix(".json")):
            made.unlink(missing_ok=True)
    return opened, "\n".join(faults)


def _ways(path: Path, out: Path) -> dict[str, Callable[[], object]]:
    if path.suffix in (".json", ".yaml"):
        return {"architecture": lambda: architecture_json(path)}
    if path.suffix == ".npz":
        return {"inputs": lambda: stored_arrays(path)}
    return {
        "inspect": lambda: inspect(path),
        "to tensorflow": lambda: convert(path, out, "theano", "tensorflow", force=True),
        "to theano": lambda: convert(path, out, "tensorflow", "theano", force=True, format="same"),
        "load": lambda: load_model(path, "numpy"),
    }
