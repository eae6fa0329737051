"""Large arrays: the memory and the time of a conversion, by the size of the file and by how it is stored.

One kernel of a convolution, whose axes change their order; one kernel of a Dense layer, whose rows do; and an array in
gzip chunks, compared with unpacking and packing it once with h5py. Exits with code 1 where a bound is missed.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial
from math import log10
from pathlib import Path
from tempfile import TemporaryDirectory

from large_models import compress, make, one_convolution, one_dense
from measure import KCONVERT, MB, Run, rounds, run, show
from rich.table import Table

PEAK = 100 * MB
PACKING = 1.3  # times the processor time of unpacking and packing once
PER_BYTE = 3.0  # how much more time a byte of the largest file may take than a byte of one of 100 MB
SIZES = (10, 30, 100, 300, 1000)  # MB
MODELS = {"convolution": one_convolution, "dense": one_dense}
COMPRESS = Path(__file__).with_name("large_models.py")


def convert(source: Path, target: Path) -> Run:
    target.unlink(missing_ok=True)
    words = ["--from", "theano", "--to", "tensorflow", "--no-verify", "-o", target]
    return run(*KCONVERT, source, *words)


def by_size(folder: Path, sizes: list[int], count: int) -> dict[tuple[str, int], Run]:
    """The conversion of each kind of array in files of each size, in MB."""
    found = {}
    for size in sizes:
        for kind, model in MODELS.items():
            source = folder / "source.h5"
            source.unlink(missing_ok=True)
            make(source, model(size * MB))
            found[kind, size] = rounds({"": partial(convert, source, folder / "target.h5")}, count)[""]
    return found


def packed(folder: Path, size: int, count: int) -> dict[str, Run]:
    """A convolution in gzip chunks: converted, and unpacked and packed again."""
    plain, source = folder / "plain.h5", folder / "source.h5"
    make(plain, one_convolution(size * MB))
    source.unlink(missing_ok=True)
    compress(plain, source)
    plain.unlink()
    again = partial(run, sys.executable, COMPRESS, source, folder / "again.h5")
    return rounds({"gzip chunks": partial(convert, source, folder / "target.h5"), "unpacking, packing": again}, count)


def plot(found: dict[tuple[str, int], Run], path: Path) -> None:
    """Draws time and memory against size, on log axes, as SVG."""
    style = "text { font: 13px sans-serif } line { stroke: #ccc }"
    marks = [f"<style>{style}</style>", '<rect width="760" height="400" fill="white"/>']
    for left, title, names, measured in (
        (80, "processor time", ("0.1 s", "1 s", "10 s", "100 s"), lambda one: one.processor * 10),
        (460, "peak memory", ("1 MB", "10 MB", "100 MB", "1 GB"), lambda one: one.peak / MB),
    ):
        marks.append(f'<text x="{left}" y="30" font-weight="bold">{title}, by the size of the file</text>')
        for k, name in enumerate(names):
            y = 320 - 280 * k / (len(names) - 1)
            marks.append(f'<line x1="{left}" x2="{left + 280}" y1="{y:.0f}" y2="{y:.0f}"/>')
            marks.append(f'<text x="{left - 8}" y="{y + 4:.0f}" text-anchor="end">{name}</text>')
        for k, name in enumerate(("1 MB", "10 MB", "100 MB", "1 GB", "10 GB")):
            x = left + 70 * k
            marks.append(f'<line x1="{x}" x2="{x}" y1="40" y2="320"/>')
            marks.append(f'<text x="{x}" y="340" text-anchor="middle">{name}</text>')
        for kind, colour in zip(MODELS, ("steelblue", "darkorange"), strict=True):
            runs = [(size, measured(run)) for (one, size), run in found.items() if one == kind]
            dots = [(left + 70 * log10(size), 320 - 280 * log10(max(1, y)) / 3) for size, y in runs]
            line = " ".join(f"{x:.0f},{y:.0f}" for x, y in dots)
            marks.append(f'<polyline points="{line}" fill="none" stroke="{colour}"/>')
            marks += [f'<circle cx="{x:.0f}" cy="{y:.0f}" r="4" fill="{colour}"/>' for x, y in dots]
    for x, kind, colour in ((80, "convolution", "steelblue"), (180, "dense", "darkorange")):
        marks.append(f'<circle cx="{x}" cy="376" r="4" fill="{colour}"/><text x="{x + 10}" y="380">{kind}</text>')
    body = "\n".join(marks)
    path.write_text(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 400">\n{body}\n</svg>\n', "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each command runs (default: 3)")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="of the files, in MB")
    parser.add_argument("--packed", type=int, default=1000, help="the size of the array in gzip chunks, in MB")
    parser.add_argument("--plot", type=Path, help="draws time and memory against size into this file, as SVG")
    given = parser.parse_args()
    with TemporaryDirectory(prefix="kconvert-") as name:
        found = by_size(Path(name), given.sizes, given.rounds)
        chunks = packed(Path(name), given.packed, given.rounds)
    if given.plot:
        plot(found, given.plot)
    table = Table("array", title="Large arrays, converted", title_justify="left")
    for heading in ("size", "time", "CPU", "peak", "bound"):
        table.add_column(heading, justify="right")
    runs = [(kind, size, one) for (kind, size), one in found.items()]
    runs += [(name, given.packed, one) for name, one in chunks.items()]
    for name, size, one in runs:
        times = f"{one.seconds:.2f} s", f"{one.processor:.2f} s"
        bound = f"< {PEAK / MB:.0f} MB" if "packing" not in name else ""
        table.add_row(name, f"{size} MB", *times, f"{one.peak / MB:.0f} MB", bound)
    failures = [f"{name} of {size} MB needs {one.peak / MB:.0f} MB" for name, size, one in runs if one.peak >= PEAK]
    ours, theirs = chunks.values()
    if ours.processor > PACKING * theirs.processor:
        failures.append(f"gzip chunks take {ours.processor / theirs.processor:.1f} times of unpacking and packing")
    for kind in MODELS:
        failures += [f"{kind}: the time is not linear in the size" for _ in [0] if not linear(kind, found)]
    return show(table, failures)


def linear(kind: str, found: dict[tuple[str, int], Run]) -> bool:
    """Whether the time of a byte in the largest file is not far above that in one of about 100 MB."""
    sizes = sorted(size for one, size in found if one == kind)
    middle = min(sizes, key=lambda size: abs(size - 100))
    each = [found[kind, size].processor / size for size in (middle, sizes[-1])]
    return each[1] <= PER_BYTE * each[0]


if __name__ == "__main__":
    sys.exit(main())
