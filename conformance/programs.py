"""Exports each case as a program, runs it in its own runtime, and compares its outputs with those of real Keras.

    python -m conformance.programs CORPUS RESULTS [--group RELEASE-BACKEND] [--every K]

The command can be stopped and started again (`resumable.py`).
"""

from __future__ import annotations

import logging
import tempfile
from functools import partial

import numpy as np

from kconvert.conversion.files import Conversion
from kconvert.conversion.source import Source
from kconvert.errors import KconvertError
from kconvert.export.files import export_model
from kconvert.verification.matching import in_layout
from kconvert.verification.pairing import Inputs
from kconvert.verification.verifier import Verifier

from .cases import Case, Result, compared
from .resumable import parser, run

FORMS = {"SavedModel": "saved_model/", "LiteRT": "model.tflite", "ONNX": "model.onnx"}


def main() -> int:
    logging.getLogger("kconvert").setLevel(logging.ERROR)
    with Verifier() as verifier:
        return run(
            parser("programs", "programs against real Keras").parse_args(), tuple(FORMS), partial(checked, verifier)
        )


def checked(verifier: Verifier, case: Case, form: str) -> Result:
    """Whether a program gives the outputs of real Keras; None where it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = export_model(
                case.model,
                f"{folder}/{FORMS[form]}",
                case.backend,
                arch=case.arch,
                source_data_format=case.data_format,
            )
        except KconvertError as error:
            return Result(None, reason=str(error).replace(folder, ""))
        try:
            return _ran(verifier, case, done)
        except KconvertError as error:
            return Result(False, reason=str(error).replace(folder, ""))


def _ran(verifier: Verifier, case: Case, done: Conversion) -> Result:
    source = Source(case.model, case.backend, case.data_format, case.arch)
    pairing = verifier.pair(source, Source(done.target), Inputs(arrays=case.arrays("x")), done.plan)
    tensors = verifier.run_target(pairing).load()
    wanted = [in_layout(y, layout) for y, layout in zip(case.arrays("y"), done.plan.result.outputs, strict=True)]
    return compared([np.asarray(tensors[ref.key]) for ref in pairing.match.model.output_refs], wanted)


if __name__ == "__main__":
    raise SystemExit(main())
