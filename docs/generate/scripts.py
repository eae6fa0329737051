"""The page docs/example-scripts.md, from the results that `make scripts` wrote."""

from __future__ import annotations

import json
from pathlib import Path

from conformance.scripts import BACKENDS, RELEASES, RESULTS, RUNS

from .markdown import table

SCRIPTS = Path(__file__).parents[1] / "example-scripts.md"


def scripts_page() -> str:
    """The whole page."""
    results = json.loads(RESULTS.read_text(encoding="utf-8"))
    sections = "\n\n".join(_section(release, results.get(release, {})) for release in RELEASES)
    return f"""\
<!-- Written by `python -m docs.generate` (`make docs`): do not edit. -->

# The example scripts of Keras

The scripts in the folder `examples` of Keras's repository, each unmodified, by [`kconvert run`](scripts.md) on each
backend, with 128 samples (512 where a script shows more of them) and 1 epoch: *{RUNS}*, or why not. `make scripts
KERAS=DIR`, with a checkout of the repository, runs those that did not run on both; the checksums of the scripts are
in [example-scripts.json](example-scripts.json). Packages that scripts need beside kconvert have to be installed; here
matplotlib, pandas, scikit-learn and Pillow were. Without the network, data sets are made-up data of the same shapes,
and so are texts that scripts download: those rows name them.

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
