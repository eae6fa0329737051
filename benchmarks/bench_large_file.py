"""Converts a model of the size of VGG16 (553 MB) and back; compares time and memory with `cp` and `h5repack`.

Exits with code 1 if kconvert needs 100 MB or more, if it takes more than 2.2 times of `cp` and `sync`, if a `.keras`
file takes more than 1.5 times as long as an HDF5 file or 1.3 times its processor time, or if a weight is not bit for
bit what it must be.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable
from functools import partial
from os import PathLike
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
from large_models import make, vgg16
from measure import KCONVERT, MB, Run, rounds, run, show
from rich.table import Table

BOUND = 100 * MB
ARCHIVE_BOUNDS = {"time": 1.5, "processor time": 1.3}  # of a .keras file over those of an HDF5 file
TO_TENSORFLOW, TO_THEANO, TO_KERAS3 = "kconvert --to tensorflow", "kconvert --to theano", "kconvert -o NAME.keras"
COPY, SYNCED = "cp", "cp, then sync"
COPY_BOUND = 2.2  # the time of a conversion over that of `cp, then sync`

# ----------------------------------------------------------------- the check ----


def differing(source: Path, tensorflow: Path, back: Path) -> list[str]:
    """The weights that are not bit for bit what they must be; that is computed here again, without kconvert."""
    with h5py.File(source) as a, h5py.File(tensorflow) as b, h5py.File(back) as c:
        return [
            f"{name}, array {k}"
            for _, name, _, _ in vgg16()
            for k, (old, new, again) in enumerate(zip(*(stored(file, name) for file in (a, b, c)), strict=True))
            if not arrived(name, old, new, again)
        ]


def stored(file: h5py.File, layer: str) -> list[h5py.Dataset]:
    group = file["model_weights"][layer]
    return [group[name] for name in group.attrs["weight_names"]]


def arrived(layer: str, old: h5py.Dataset, new: h5py.Dataset, again: h5py.Dataset) -> bool:
    """Whether one array is right in both results.

    Keras 2 stores kernels as HWIO on both backends; on Theano kernels are flipped, and features are flattened as CHW.
    """
    if old.ndim == 4:
        kernel = old[()].transpose(2, 3, 1, 0)
        return np.array_equal(new[()], kernel[::-1, ::-1]) and np.array_equal(again[()], kernel)
    if layer == "fc1" and old.ndim == 2:
        return all(
            np.array_equal(new[512 * p : 512 * (p + 1)], old[p::49])
            and np.array_equal(again[512 * p : 512 * (p + 1)], old[512 * p : 512 * (p + 1)])
            for p in range(49)  # positions of the last map, 7 x 7 of 512 channels
        )
    return np.array_equal(new[()], old[()]) and np.array_equal(again[()], old[()])


# ------------------------------------------------------------- the benchmark ----


def writing(target: Path, *command: str | PathLike[str]) -> Run:
    """Runs a command that makes the file `target`, after removing it."""
    target.unlink(missing_ok=True)
    return run(*command)


def acts(source: Path, tensorflow: Path, back: Path, copy: Path) -> dict[str, Callable[[], Run]]:
    there = (*KCONVERT, source, "--from", "theano", "--to", "tensorflow", "--no-verify", "-o", tensorflow)
    home = (*KCONVERT, tensorflow, "--from", "tensorflow", "--to", "theano", "--no-verify", "-o", back)
    synced = ("sh", "-c", 'cp "$1" "$2" && sync "$2"', "sh", source, copy)
    archive = copy.with_suffix(".keras")
    result = {
        COPY: partial(writing, copy, "cp", source, copy),
        SYNCED: partial(writing, copy, *synced),
        TO_TENSORFLOW: partial(writing, tensorflow, *there),
        TO_THEANO: partial(writing, back, *home),
        TO_KERAS3: partial(writing, archive, *there[:-1], archive),
    }
    if shutil.which("h5repack"):
        result["h5repack"] = partial(writing, copy, "h5repack", source, copy)
    return result


def report(size: int, runs: dict[str, Run], wrong: list[str]) -> int:
    table = Table("command", title=f"A whole model of {size / MB:.0f} MB, converted", title_justify="left")
    for heading in ("time", "/ cp", "/ sync", "CPU", "peak", "bound"):
        table.add_column(heading, justify="right")
    for name, one in runs.items():
        bound = f"< {BOUND / MB:.0f} MB" if name.startswith("kconvert") else ""
        over = [f"{one.seconds / runs[copy].seconds:.1f}" for copy in (COPY, SYNCED)]
        table.add_row(name, f"{one.seconds:.2f} s", *over, f"{one.processor:.2f} s", f"{one.peak / MB:.0f} MB", bound)
    if "h5repack" not in runs:
        table.add_row("h5repack", "not installed")
    peaks = {name: runs[name].peak for name in (TO_TENSORFLOW, TO_THEANO, TO_KERAS3)}
    failures = [f"{name} needs {peak / MB:.0f} MB" for name, peak in peaks.items() if peak >= BOUND]
    over_copy = runs[TO_TENSORFLOW].seconds / runs[SYNCED].seconds
    failures += [f"{TO_TENSORFLOW} takes {over_copy:.1f} times of {SYNCED}"] * (over_copy > COPY_BOUND)
    archive, hdf5 = runs[TO_KERAS3], runs[TO_TENSORFLOW]
    ratios = {"time": archive.seconds / hdf5.seconds, "processor time": archive.processor / hdf5.processor}
    table.caption = ", ".join(f"{what} of .keras / .h5: {ratio:.2f}" for what, ratio in ratios.items())
    failures += [
        f"a .keras file takes {ratio:.2f} times the {what} of an HDF5 file"
        for what, ratio in ratios.items()
        if ratio > ARCHIVE_BOUNDS[what]
    ]
    return show(table, failures + [f"{weight} did not arrive bit for bit" for weight in wrong])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each command runs (default: 5)")
    count = parser.parse_args().rounds
    with TemporaryDirectory(prefix="kconvert-") as folder:
        source, tensorflow, back, copy = (Path(folder, f"{k}.h5") for k in range(4))
        make(source, vgg16())
        runs = rounds(acts(source, tensorflow, back, copy), count)
        return report(source.stat().st_size, runs, differing(source, tensorflow, back))


if __name__ == "__main__":
    sys.exit(main())
