"""The layers and the training of `kconvert.keras1` compute what Keras 1.2.2 computed, on the same backend."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from kconvert.backend import get_backend

HERE = Path(__file__).parent.parent / "fixtures" / "keras1"
SPEC = importlib.util.spec_from_file_location("keras1_cases", HERE / "make.py")
MAKE = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(MAKE)
CASES = MAKE.cases()
DATA_FORMATS = {"th": "channels_first", "tf": "channels_last"}
TOLERANCES = {"training saturated": 2e-3}
"""Where the logarithm of a number near 0 enlarges rounding."""
QUICK = (
    "constrained th",
    "conv2d th",
    "generators",
    "lstm th",
    "masked",
    "merged",
    "normalized tf",
    "training nadam",
)
KNOWN = {path.stem: json.loads(path.read_text()) for path in sorted(HERE.glob("*.json"))}


def write(path, stored, backend):
    """Writes the weights that Keras 1.2.2 had, in its form: numbers by their order and shape."""
    count = 0
    with h5py.File(path, "w") as file:
        file.attrs["backend"], file.attrs["keras_version"] = backend.encode(), b"1.2.2"
        file.attrs["layer_names"] = [layer.encode() for layer, _ in stored]
        for layer, weights in stored:
            group = file.create_group(layer)
            group.attrs["weight_names"] = np.array([name.encode() for name, _ in weights], "S80")
            for name, shape in weights:
                array = MAKE.numbers(shape, count) * 0.5 + 0.01
                group[name] = abs(array) if "normalization" in layer else array
                count += 1


def same(found, known, tolerance=1e-4):
    """Whether nested lists and dicts of numbers are equal up to rounding."""
    if isinstance(known, dict):
        assert sorted(found) == sorted(known)
        return all(same(found[key], known[key], tolerance) for key in known)
    if known and isinstance(known[0], (list, dict)):
        return len(found) == len(known) and all(same(*pair, tolerance) for pair in zip(found, known, strict=True))
    return found == pytest.approx(known, rel=tolerance, abs=tolerance, nan_ok=True)


def check(tmp_path, runs_on, case):
    known = KNOWN[runs_on][case]
    model, x, train = CASES[case]()
    write(tmp_path / "weights.h5", known["weights"], runs_on)
    model.start(get_backend(runs_on))
    model.load_weights(tmp_path / "weights.h5", source_data_format=DATA_FORMATS.get(case.split()[-1]))
    found = MAKE.results(model, x, train)
    assert found["output"] == pytest.approx(known["output"], rel=1e-4, abs=1e-5)
    alike = same(found["training"], known["training"], TOLERANCES.get(case, 1e-4))
    assert alike, f"{found['training']}\n{known['training']}"


@pytest.mark.parametrize(("runs_on", "case"), [(backend, case) for backend in KNOWN for case in QUICK])
def test_outputs_and_losses_are_those_of_keras_1_2_2(tmp_path, runs_on, case):
    check(tmp_path, runs_on, case)


@pytest.mark.long
@pytest.mark.parametrize(
    ("runs_on", "case"), [(backend, case) for backend in KNOWN for case in sorted(KNOWN[backend]) if case not in QUICK]
)
def test_all_other_outputs_and_losses_are_those_of_keras_1_2_2(tmp_path, runs_on, case):
    check(tmp_path, runs_on, case)
