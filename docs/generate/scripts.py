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

This page shows the results of running the unmodified scripts in the folder `examples` of Keras's repository with
[`kconvert run`](scripts.md) on each backend: *{RUNS}*, or the error. They ran with 128 samples and 1 epoch (`HOW` in
`conformance/scripts.py` lists the exceptions). `make scripts KERAS=DIR`, where DIR is a clone of that repository, runs
the scripts that did not run on both backends. The checksums of the scripts are in
[example-scripts.json](example-scripts.json). These packages were installed for the scripts:
{PACKAGES}.

The scripts ran without network access. Generated data of the same shapes replace the data sets, texts and pictures that
scripts read, and networks with ImageNet weights have random weights. The last column names the replaced files.

If a script does not run on a backend here, it does not run there with Keras itself either.

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
    heads = ["script", *BACKENDS, "generated files"]
    return f"## Keras {release}\n\n{both} of {len(scripts)} scripts run on both.\n\n{table(heads, rows)}"
