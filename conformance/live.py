"""Weights of files loaded into live models of Keras 3 and tf_keras, against what real Keras computed.

    python -m conformance.live CORPUS RESULTS [--runner keras|tf_keras] [--group RELEASE-BACKEND] [--every K]

Each case is built in the library, its weights are set to random numbers, and `kconvert.load_weights` loads the file.
"""

from __future__ import annotations

import logging
import tempfile
from typing import Any

import numpy as np

import kconvert as kc
from kconvert.conversion.files import convert_file
from kconvert.conversion.source import Source
from kconvert.conversion.target import Wanted
from kconvert.errors import KconvertError
from kconvert.live.libraries import BACKEND, LIBRARIES, imported
from kconvert.verification.matching import in_layout

from .cases import Case, Result, compared
from .resumable import parser, run

GROUPS = ("1.2.2-theano", "1.2.2-tensorflow", "2.3.1-theano", "2.3.1-tensorflow")


def main() -> int:
    options = parser("live", "live models against real Keras", GROUPS)
    options.add_argument("--runner", action="append", choices=sorted(LIBRARIES), help="by default both")
    chosen = options.parse_args()
    logging.getLogger("kconvert").setLevel(logging.ERROR)
    return run(chosen, tuple(chosen.runner or sorted(LIBRARIES)), checked)


def checked(case: Case, runner: str) -> Result:
    """Whether a live model has the outputs of real Keras after it took the weights; None where it is refused."""
    library = imported(runner)
    source = Source(case.model, case.backend, case.data_format, case.arch)
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/model{'.h5' if library.reader.reads_tf_keras else '.keras'}"
        try:
            done = convert_file(source, Wanted(BACKEND, library.format).target(out), out)
            library.module.backend.clear_session()
            model = library.module.models.load_model(out, compile=False)
            spoil(model)
            kc.load_weights(model, case.model, case.backend)
        except KconvertError as error:
            return Result(None, reason=str(error).replace(folder, ""))
    inputs, wanted = (
        [in_layout(array, layout) for array, layout in zip(case.arrays(letter), layouts, strict=True)]
        for letter, layouts in (("x", done.plan.result.inputs), ("y", done.plan.result.outputs))
    )
    got = model.predict(inputs if len(inputs) > 1 else inputs[0], batch_size=len(inputs[0]), verbose=0)
    return compared(list(got) if isinstance(got, (list, tuple)) else [got], wanted)


def spoil(model: Any) -> Any:
    """Sets all weights to random numbers, none of them negative, as some are variances; returns them."""
    random = np.random.default_rng(0)
    for variable in model.weights:
        if "float" in str(variable.dtype):
            variable.assign(random.uniform(size=tuple(variable.shape)))
    return model.get_weights()


if __name__ == "__main__":
    raise SystemExit(main())
