"""Models that real tf.keras saved: loaded, and converted to Theano and loaded again, they compute what it computed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

import kconvert as kc
from kconvert.conventions.backends import BACKENDS, DATA_FORMATS
from kconvert.verification.matching import in_layout
from tests.fixtures import FOLDER as FIXTURES

FOLDER = FIXTURES / "tf_keras" / "layers"
TOLERANCE = 1e-5
"""Of the greatest output."""


def check(path: Path, folder: Path, backends: Sequence[str] = ("numpy",)) -> list[str]:
    """Checks the model `path` as it is, and converted to Theano in each data format.

    The numbers are in a file of the same name. folder: where the converted files go. Gives the notes of the conversion.
    """
    with np.load(path.with_suffix(".npz")) as io:
        inputs, outputs = ([io[key] for key in sorted(io, key=_number) if key[0] == kind] for kind in "xy")
    _compare(path, inputs, outputs, backends)
    notes: list[str] = []
    for data_format in DATA_FORMATS:
        plan = kc.convert(path, folder / f"{data_format}.h5", target="theano", data_format=data_format).plan
        there, back = (
            [in_layout(x, layout) for x, layout in zip(arrays, layouts, strict=True)]
            for arrays, layouts in ((inputs, plan.result.inputs), (outputs, plan.result.outputs))
        )
        _compare(folder / f"{data_format}.h5", there, back, backends)
        notes += plan.notes
    return notes


def _compare(path: Path, inputs: list[np.ndarray], outputs: list[np.ndarray], backends: Sequence[str]) -> None:
    for backend in backends:
        for convention in BACKENDS if backend == "numpy" else (None,):
            model: Any = kc.load_model(path, backend, convention=convention)
            found = model.predict(inputs if len(inputs) > 1 else inputs[0])
            for i, (y, expected) in enumerate(zip(found if len(outputs) > 1 else [found], outputs, strict=True)):
                assert y.shape == expected.shape, (path, i)
                error, scale = np.abs(y - expected).max(), np.abs(expected).max()
                assert error <= TOLERANCE * scale, (path, backend, convention, i, error / scale)


def _number(key: str) -> int:
    return int(key[1:])
