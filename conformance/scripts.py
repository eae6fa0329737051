"""Runs the example scripts of Keras's repository on both backends: `make scripts KERAS=DIR`.

Each script runs unmodified, by `kconvert run`, in a folder with the stand-ins of what it downloads, shortened. The
results are written into a JSON file, script by script; a script that is known to run on both is left out, unless it has
changed or --again is given.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .stand_ins import STAND_INS, write_all

RESULTS = Path(__file__).parents[1] / "docs" / "example-scripts.json"
RELEASES = ("2.3.1", "1.2.2")
BACKENDS = ("theano", "tensorflow")
RUNS = "runs"
SAMPLES, MORE = 128, {"mnist_denoising_autoencoder.py": 512, "2.3.1/mnist_acgan.py": 512}
"""The samples, and those of scripts that show more of them."""

ALL_EPOCHS = ("reuters_mlp_relu_vs_selu.py",)
"""Scripts that draw the losses of as many epochs as they say."""

SETTINGS: Mapping[str, Mapping[str, str]] = {"1.2.2/mnist_net2net.py": {"image_dim_ordering": "th"}}
"""The `keras.json` of scripts that are written for other settings than the default ones."""

BEFORE = {"lstm_seq2seq_restore.py": "lstm_seq2seq.py"}
"""Scripts that go on with the files of another one, which runs first."""


def main() -> int:
    options = _options()
    for release in RELEASES:
        scripts = dict(_scripts(options.repository, release))
        for name, text in scripts.items():
            if options.only and not re.search(options.only, f"{release}/{name}"):
                continue
            checksum = hashlib.sha256(text).hexdigest()
            known = _results().get(release, {}).get(name, {})
            runs = known.get("sha256") == checksum and all(known.get(backend) == RUNS for backend in BACKENDS)
            if runs and not options.again:
                continue
            outcome = {backend: _outcome(release, name, scripts, backend, options.seconds) for backend in BACKENDS}
            print(release, name, outcome, flush=True)
            results = _results()  # another run may have written some
            results.setdefault(release, {})[name] = {"sha256": checksum, **outcome, **_stand_ins(text.decode())}
            RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    return 0


def _results() -> dict[str, Any]:
    """The results so far."""
    return json.loads(RESULTS.read_text()) if RESULTS.exists() else {}


def _scripts(repository: Path, release: str) -> Iterator[tuple[str, bytes]]:
    """The scripts of the folder examples of a tag: name, text."""
    for path in _git(repository, "ls-tree", "--name-only", release, "examples/").decode().split():
        if path.endswith(".py"):
            yield Path(path).name, _git(repository, "show", f"{release}:{path}")


def _git(repository: Path, *words: str) -> bytes:
    return subprocess.run(["git", "-C", str(repository), *words], check=True, capture_output=True).stdout


def _stand_ins(text: str) -> dict[str, list[str]]:
    """The made-up files that a script names."""
    names = [Path(name).name for name in STAND_INS if Path(name).name in text]
    return {"made_up": names} if names else {}


def _outcome(release: str, name: str, scripts: Mapping[str, bytes], backend: str, seconds: int) -> str:
    """Runs a script; returns RUNS, or the reason in one sentence."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_all(place)
        (place / ".keras").mkdir()
        (place / ".keras" / "keras.json").write_text(json.dumps(SETTINGS.get(f"{release}/{name}", {})))
        found = ""
        for one in (BEFORE.get(name, ""), name):
            if one in scripts:
                (place / one).write_bytes(scripts[one])
                found = _run(release, one, place, backend, seconds)
        return found


def _run(release: str, name: str, place: Path, backend: str, seconds: int) -> str:
    options = ["--backend", backend, "--keras", release, "--samples", str(_samples(release, name)), "--seed", "0"]
    options += [] if name in ALL_EPOCHS else ["--epochs", "1"]
    command = [sys.executable, "-m", "kconvert", "run", name, *options]
    settings = {"KERAS_HOME": str(place / ".keras"), "KCONVERT_DATA": str(place / "datasets"), "MPLBACKEND": "Agg"}
    environment = {**os.environ, **settings}
    try:
        done = subprocess.run(
            command,
            cwd=place,
            env=environment,
            capture_output=True,
            timeout=seconds,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"ended after {seconds} seconds"
    return reason(done.returncode, done.stderr.decode("utf-8", "replace"), name)


def _samples(release: str, name: str) -> int:
    return MORE.get(name) or MORE.get(f"{release}/{name}") or SAMPLES


def reason(code: int, errors: str, name: str) -> str:
    """RUNS, or why a script ended with `code`: the last line of its errors, without its own name and folders.

    >>> reason(2, "kconvert: a.py, line 3: the script needs 'b.txt', which does not exist; the working ...", "a.py")
    "the script needs 'b.txt', which does not exist"
    """
    if code == 0:
        return RUNS
    line = (errors.strip().splitlines() or [f"exit code {code}"])[-1]
    line = re.sub(rf"^kconvert: (\S*{re.escape(name)}(, line \d+)?(, |: ))?", "", line)
    return re.sub(r"; .*$", "", line)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("repository", type=Path, metavar="DIR", help="a checkout of Keras's repository, with its tags")
    parser.add_argument("--only", metavar="PATTERN", help="regular expression for RELEASE/NAME")
    parser.add_argument("--again", action="store_true", help="also scripts that are known to run")
    parser.add_argument("--seconds", type=int, default=600, help="that a script may run")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
