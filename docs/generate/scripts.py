"""The page docs/example-scripts.md, from the results that `make scripts` wrote."""

from __future__ import annotations

import json
from pathlib import Path

from conformance.scripts import BACKENDS, RELEASES, RESULTS, RUNS

from .markdown import table

PACKAGES = "matplotlib, pandas, scikit-learn, Pillow, opencv-python-headless, cairocffi and editdistance"

SCRIPTS = Path(__file__).parents[1] / "example-scripts.md"


def scripts_page() -> str:
    """The whole page."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    sections = "\n\n".join(_section(release, results.get(release, {})) for release in RELEASES)
    return f"""\
<!-- Written by `python -m docs.generate` (`make docs`): do not edit. -->

# The example scripts of Keras

The scripts in the folder `examples` of Keras's repository, each unmodified, by [`kconvert run`](scripts.md) on each
backend, with 128 samples and 1 epoch (`HOW` in `conformance/scripts.py` has the exceptions): *{RUNS}*, or why not.
`make scripts KERAS=DIR`, with a checkout of the repository, runs those that did not run on both; the checksums of the
scripts are in [example-scripts.json](example-scripts.json). Packages that scripts need beside kconvert have to be
installed; here {PACKAGES} were.

Without the network, data sets are made-up data of the same shapes, and so are the texts and pictures that scripts read;
networks that were trained on ImageNet have initial weights from a seed. The rows name the files.

The scripts that do not run on a backend do not run there with Keras itself either.

{sections}
"""


def _section(release: str, scripts: dict[str, dict[str, str]]) -> str:
    if not scripts:
        return f"## Keras {release}\n\nNot run yet."
    both = sum(all(script[backend] == RUNS for backend in BACKENDS) for script in scripts.values())
    rows = [
        [name, *(script[backend].replace("|", "\\|") for backend in BACKENDS), ", ".join(script.get("made_up", ()))]
        for name, script in scripts.items()
    ]
    heads = ["script", *BACKENDS, "made up"]
    return f"## Keras {release}\n\n{both} of {len(scripts)} scripts run on both.\n\n{table(heads, rows)}"
