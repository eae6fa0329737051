"""Trains the examples of 2015: the time to the first batch and of an epoch, compared with Keras 3 and Keras 1.2.2.

    python benchmarks/bench_training.py --legacy DIR      DIR: environment with Python 3.6, Theano 1.0.5, keras-1.2.2/

Each figure is the median of several processes; the frameworks run in turns. Keras 3 runs on TensorFlow. Keras 1.2.2, if
`--legacy` is given, runs on Theano 1.0.5 with the BLAS of its NumPy. All have the same data and batches. Writes
RESULTS.md, and exits with code 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from train_once import BATCHES

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "examples"))
import data  # noqa: E402
import imdb_lstm  # noqa: E402

SAMPLES = {"mnist_mlp": 20_000, "mnist_cnn": 4000, "imdb_lstm": 1000}
THEANO, TENSORFLOW, KERAS3, KERAS1 = "theano", "tensorflow", "keras3", "keras1"
TITLES = {
    THEANO: "kconvert on Theano",
    TENSORFLOW: "kconvert on TensorFlow",
    KERAS3: "Keras 3 on TensorFlow",
    KERAS1: "Keras 1.2.2 on Theano",
}


@dataclass(frozen=True)
class Target:
    """An upper bound for a figure of one framework, as a ratio to that of another or in seconds."""

    what: str  # the figure: a name of a time in `Figures.of`
    way: str  # the framework
    other: str | None  # the framework to compare with; None: the bound is in seconds
    most: Mapping[str, float]  # the bound for each task


TARGETS = (
    Target("epoch", TENSORFLOW, KERAS3, {"mnist_mlp": 0.8, "mnist_cnn": 0.95, "imdb_lstm": 0.9}),
    Target("first", TENSORFLOW, KERAS3, dict.fromkeys(SAMPLES, 0.7)),
    Target("epoch", THEANO, KERAS1, dict.fromkeys(SAMPLES, 0.7)),
    Target("epoch", THEANO, TENSORFLOW, {"mnist_cnn": 4.5}),
    Target("cold", THEANO, KERAS1, dict.fromkeys(SAMPLES, 0.4)),
    Target("first", THEANO, None, dict.fromkeys(SAMPLES, 5.0)),
)
REACHED, MISSED = "reached", "missed"
WORDS = {"epoch": "an epoch", "first": "first batch", "cold": "first batch, compiling"}


@dataclass
class Figures:
    """The times of one task in one framework, in seconds."""

    cold: float | None = None  # to the first batch, with an empty compile cache
    firsts: list[float] = field(default_factory=list)  # to the first batch
    epochs: list[float] = field(default_factory=list)

    def add(self, answer: Mapping[str, Any], compiles: bool) -> None:
        if compiles:
            self.cold = answer["first"]
        else:
            self.firsts.append(answer["first"])
            self.epochs += answer["epochs"]

    def of(self, what: str) -> float | None:
        values = {"cold": [self.cold] if self.cold else [], "first": self.firsts, "epoch": self.epochs}[what]
        return median(values) if values else None


# ------------------------------------------------------------------- running ----


THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")


def environments(legacy: Path | None, cache: Path, threads: int | None) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Each framework with its Python and its environment.

    cache: where Theano's modules are compiled.
    threads: the number of threads; None leaves it to each framework.
    """
    ours = {**os.environ, "KCONVERT_THEANO_COMPILEDIR": str(cache / THEANO), "PYTHONPATH": str(HERE.parent)}
    limits = dict.fromkeys(THREADS, str(threads)) if threads else {}
    ours |= limits | {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    yield from ((name, sys.executable, ours) for name in (THEANO, TENSORFLOW, KERAS3))
    if legacy:
        (cache / "home").mkdir(parents=True, exist_ok=True)
        blas = next(iter(legacy.glob("lib/python3*/site-packages/numpy/.libs/libopenblas*.so")), None)
        link = f",blas.ldflags=-L{blas.parent} -l{blas.stem.removeprefix('lib')}" if blas else ""
        bare = {k: v for k, v in os.environ.items() if not k.startswith(("TF", "KERAS", "THEANO", "PYTHON"))}
        bare |= limits | {
            "HOME": str(cache / "home"),
            "KERAS_BACKEND": "theano",
            "PYTHONPATH": str(legacy / "keras-1.2.2"),
        }
        bare["THEANO_FLAGS"] = f"base_compiledir={cache / KERAS1},device=cpu,floatX=float32{link}"
        yield KERAS1, str(legacy / "bin" / "python"), bare


def measured(options: argparse.Namespace, folder: Path) -> dict[tuple[str, str], Figures]:
    """Runs each task in each framework, in turns."""
    files = {task: folder / f"{task}.npz" for task in options.task}
    for task, file in files.items():
        x, y = arrays(task)
        np.savez(file, x=x, y=y)
    found: dict[tuple[str, str], Figures] = {}
    for turn in range(options.rounds + 1):
        for task, file in files.items():
            for name, python, environment in environments(options.legacy, folder / task, options.threads):
                compiles = turn == 0
                if compiles and name in (TENSORFLOW, KERAS3):
                    continue  # they keep nothing between processes
                command = [python, str(HERE / "train_once.py"), name, task, str(file), str(options.epochs)]
                done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
                answer = json.loads(done.stdout.splitlines()[-1])
                found.setdefault((task, name), Figures()).add(answer, compiles)
                print(f"{turn} {task:10} {TITLES[name]:24} {answer}", file=sys.stderr)
    return found


def arrays(task: str) -> tuple[np.ndarray, np.ndarray]:
    """The made-up data of the example."""
    n = SAMPLES[task]
    if task == "imdb_lstm":
        return data.imdb(None, n, 0, imdb_lstm.WORDS, imdb_lstm.LENGTH)[0]
    x, y = data.mnist(None, n, 0)[0]
    return x.reshape(n, -1) if task == "mnist_mlp" else x, y


# ------------------------------------------------------------------- showing ----


def page(found: Mapping[tuple[str, str], Figures], load: Sequence[float], rounds: int, threads: int | None) -> str:
    """The text of RESULTS.md."""
    limit = f"{threads} thread{'s' * (threads > 1)} for BLAS and TensorFlow" if threads else "each framework's threads"
    rows = []
    for task in dict.fromkeys(task for task, _ in found):
        for name in TITLES:
            if (task, name) in found:
                times = [found[task, name].of(what) for what in ("cold", "first", "epoch")]
                rows.append([task, TITLES[name], *map(seconds, times)])
    return f"""\
<!-- Written by `python benchmarks/bench_training.py` (`make bench`): do not edit. -->

# Training: results

{"; ".join(machine())}. {date.today():%d %B %Y}.

Each figure is the median of {rounds} process{"es" * (rounds > 1)}, which run in turns, with {limit}. The load average
was {load[0]:.1f} at the start and {os.getloadavg()[0]:.1f} at the end. If it is more than the number of cores, other
processes used the machine, and the ratios are more reliable than the seconds.

{table(["task", "samples of an epoch", "of a batch"], [[t, str(SAMPLES[t]), str(BATCHES[t])] for t in SAMPLES])}

*First batch*: the time to build the network, compile it and train the first batch, without imports. *First batch,
compiling*: the same with an empty compile cache of Theano.

{table(["task", "framework", "first batch, compiling", "first batch", "epoch"], rows)}

## Targets

{table(["task", "figure", "over", "ratio", "target", ""], list(verdicts(found)))}
"""


def verdicts(found: Mapping[tuple[str, str], Figures]) -> Iterator[list[str]]:
    """A row for each target for which there are figures."""
    none = Figures()
    for target in TARGETS:
        for task, most in target.most.items():
            value = found.get((task, target.way), none).of(target.what)
            base = found.get((task, target.other), none).of(target.what) if target.other else 1.0
            if value is not None and base is not None:
                over = TITLES[target.other] if target.other else "(seconds)"
                words = [task, f"{TITLES[target.way]}: {WORDS[target.what]}", over]
                yield [
                    *words,
                    f"{value / base:.2f}",
                    f"at most {most}",
                    "reached" if value / base <= most else "missed",
                ]


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (heads, ["---"] * len(heads), *rows))


def seconds(value: float | None) -> str:
    return "" if value is None else f"{value:.2f} s"


def machine() -> Iterator[str]:
    """The machine and the versions of the packages."""
    info = Path("/proc/cpuinfo")
    names = [line.partition(": ")[2] for line in info.read_text().splitlines() if line.startswith("model name")]
    yield f"{os.cpu_count()} cores ({names[0] if names else platform.machine()}), {platform.system()}"
    yield f"Python {platform.python_version()}"
    for package in ("numpy", "Theano", "keras"):
        yield f"{package} {version(package)}"
    yield next(f"{name} {version(name)}" for name in ("tensorflow-cpu", "tensorflow") if installed(name))


def installed(package: str) -> bool:
    try:
        return bool(version(package))
    except PackageNotFoundError:
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    about = "environment with Keras 1.2.2 and Theano 1.0.5 (default: the variable LEGACY, which make sets)"
    parser.add_argument("--legacy", type=Path, default=os.environ.get("LEGACY"), help=about)
    parser.add_argument("--rounds", type=int, default=3, help="processes for each figure (default: %(default)s)")
    parser.add_argument("--epochs", type=int, default=2, help="timed in each process (default: %(default)s)")
    parser.add_argument("--threads", type=int, help="of BLAS and TensorFlow (default: what each takes)")
    parser.add_argument("--task", action="append", choices=[*SAMPLES], help="only these (repeatable)")
    parser.add_argument("--out", type=Path, default=HERE / "RESULTS.md")
    options = parser.parse_args()
    options.task = options.task or [*SAMPLES]
    load = os.getloadavg()
    with tempfile.TemporaryDirectory(prefix="kconvert-") as folder:
        found = measured(options, Path(folder))
    text = page(found, load, options.rounds, options.threads)
    options.out.write_text(text, encoding="utf-8")
    print(text)
    return int(any(row[-1] == MISSED for row in verdicts(found)))


if __name__ == "__main__":
    sys.exit(main())
