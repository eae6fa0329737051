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
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .stand_ins import STAND_INS, write_all, write_weights

RESULTS = Path(__file__).parents[1] / "docs" / "example-scripts.json"
RELEASES = ("2.3.1", "1.2.2")
BACKENDS = ("theano", "tensorflow")
RUNS = "runs"


@dataclass(frozen=True)
class How:
    """How a script is run."""

    samples: int = 128
    # None: as many as the script says.
    epochs: int | None = 1
    # Its own arguments, and options of `kconvert run`.
    words: Sequence[str] = ()
    # The contents of `keras.json`, of scripts that are written for other settings than the default ones.
    settings: Mapping[str, str] = field(default_factory=dict)
    # The script whose files it goes on with, which runs first.
    before: str = ""
    # The files of weights of networks that it loads.
    weights: Sequence[str] = ()
    # How many filters of the last convolutions of VGG16 ever activate; None: all.
    filters: int | None = None


_VGG16, _VGG19, _INCEPTION = (
    f"{name}_weights_tf_dim_ordering_tf_kernels_notop.h5" for name in ("vgg16", "vgg19", "inception_v3")
)
_RESNET = "resnet50_weights_tf_dim_ordering_tf_kernels.h5"
_DOODLE = ("--nlabels", "2", "--style-image", "picture.png", "--style-mask", "mask.png", "--target-mask", "mask.png")
_STYLE = ("picture.png", "picture.png", "styled", "--iter", "1")
_DREAM = ("picture.png", "dream")
_IN_PREFIX = ("--target-image-prefix", "doodle")

HOW: Mapping[str, How] = {
    "2.3.1/mnist_acgan.py": How(samples=512),
    "class_activation_maps.py": How(words=("picture.png",), weights=(_RESNET,)),
    "1.2.2/conv_filter_visualization.py": How(weights=(_VGG16,), filters=64),
    "2.3.1/conv_filter_visualization.py": How(weights=(_VGG16,), filters=1),
    "conv_lstm.py": How(samples=32),
    "1.2.2/deep_dream.py": How(words=_DREAM, weights=(_VGG16,)),
    "2.3.1/deep_dream.py": How(words=_DREAM, weights=(_INCEPTION,)),
    "image_ocr.py": How(samples=32, epochs=None),
    "lstm_seq2seq_restore.py": How(before="lstm_seq2seq.py"),
    "mnist_denoising_autoencoder.py": How(samples=512),
    # Its filters are indexed by numbers that Python 2 divided.
    "1.2.2/mnist_net2net.py": How(words=("--python", "2"), settings={"image_dim_ordering": "th"}),
    "neural_doodle.py": How(words=(*_DOODLE, *_IN_PREFIX), weights=(_VGG19,)),
    "1.2.2/neural_style_transfer.py": How(words=_STYLE, weights=(_VGG16,)),
    "2.3.1/neural_style_transfer.py": How(words=_STYLE, weights=(_VGG19,)),
    # It draws the losses of as many epochs as it says.
    "reuters_mlp_relu_vs_selu.py": How(epochs=None),
}
"""Scripts that are run in a way of their own: RELEASE/NAME, or NAME in both releases."""


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
            how = HOW.get(f"{release}/{name}") or HOW.get(name) or How()
            outcome = {backend: _outcome(release, name, how, scripts, backend, options.seconds) for backend in BACKENDS}
            print(release, name, outcome, flush=True)
            results = _results()  # another run may have written some
            results.setdefault(release, {})[name] = {"sha256": checksum, **outcome, **_stand_ins(text.decode(), how)}
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


def _stand_ins(text: str, how: How) -> dict[str, list[str]]:
    """The made-up files of a script: those that its text names, or its arguments, and weights."""
    names = [Path(name).name for name in STAND_INS]
    used = [name for name in names if name in text or name in how.words]
    return {"made_up": [*used, *how.weights]} if used or how.weights else {}


def _outcome(release: str, name: str, how: How, scripts: Mapping[str, bytes], backend: str, seconds: int) -> str:
    """Runs a script; returns RUNS, or the reason in one sentence."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        write_all(place)
        write_weights(place, how.weights, how.filters)
        (place / ".keras").mkdir()
        (place / ".keras" / "keras.json").write_text(json.dumps(how.settings))
        found = ""
        for one in (how.before, name):
            if one in scripts:
                (place / one).write_bytes(scripts[one])
                found = _run(release, one, how, place, backend, seconds)
        return found


def _run(release: str, name: str, how: How, place: Path, backend: str, seconds: int) -> str:
    options = ["--backend", backend, "--keras", release, "--samples", str(how.samples), "--seed", "0", "--data", "."]
    options += [] if how.epochs is None else ["--epochs", str(how.epochs)]
    command = [sys.executable, "-m", "kconvert", "run", *options, name, *how.words]
    environment = {**os.environ, "KERAS_HOME": str(place / ".keras"), "MPLBACKEND": "Agg"}
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
