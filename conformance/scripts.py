"""Runs the example scripts of Keras's repository on both backends: `make scripts KERAS=DIR`.

Each script runs unmodified, by `kconvert run`, in an empty folder, shortened. The results are written into a JSON file,
script by script; a script that is known to run on both is left out, unless it has changed or --again is given.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parents[1] / "docs" / "example-scripts.json"
RELEASES = ("2.3.1", "1.2.2")
BACKENDS = ("theano", "tensorflow")
RUNS = "runs"
SHORTENED = ("--epochs", "1", "--seed", "0")
SAMPLES, MORE = 128, {"mnist_denoising_autoencoder.py": 512}
"""The samples, and those of scripts that show more of them."""


def main() -> int:
    options = _options()
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for release, name, text in _scripts(options.repository):
        if options.only and not re.search(options.only, f"{release}/{name}"):
            continue
        checksum = hashlib.sha256(text).hexdigest()
        known = results.setdefault(release, {}).get(name, {})
        runs = known.get("sha256") == checksum and all(known.get(backend) == RUNS for backend in BACKENDS)
        if runs and not options.again:
            continue
        outcome = {backend: _outcome(release, name, text, backend, options.seconds) for backend in BACKENDS}
        results[release][name] = {"sha256": checksum, **outcome}
        print(release, name, outcome, flush=True)
        RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")
    return 0


def _scripts(repository: Path) -> Iterator[tuple[str, str, bytes]]:
    """The scripts of the folder examples of each tag: release, name, text."""
    for release in RELEASES:
        for path in _git(repository, "ls-tree", "--name-only", release, "examples/").decode().split():
            if path.endswith(".py"):
                yield release, Path(path).name, _git(repository, "show", f"{release}:{path}")


def _git(repository: Path, *words: str) -> bytes:
    return subprocess.run(["git", "-C", str(repository), *words], check=True, capture_output=True).stdout


def _outcome(release: str, name: str, text: bytes, backend: str, seconds: int) -> str:
    """Runs a script; returns RUNS, or the reason in one sentence."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, name)
        script.write_bytes(text)
        options = ["--backend", backend, "--keras", release, *SHORTENED]
        options += ["--samples", str(MORE.get(name, SAMPLES))]
        command = [sys.executable, "-m", "kconvert", "run", name, *options]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, timeout=seconds, stdin=subprocess.DEVNULL, check=False
            )
        except subprocess.TimeoutExpired:
            return f"ended after {seconds} seconds"
        return reason(done.returncode, done.stderr.decode("utf-8", "replace"), name)


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
