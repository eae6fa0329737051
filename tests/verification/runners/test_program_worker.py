"""What is wrong with a program whose inputs or outputs do not fit is said in words."""

from types import SimpleNamespace

import numpy as np
import pytest

from kconvert.verification.runners.foreign.program_worker import Program, checked, outputs_of, type_of


class Twice(Program):
    """Multiplies its input by 2."""

    def __init__(self, shape):
        self.inputs = {"x": (shape, "float32")}

    def run(self, arrays):
        return {"y": 2 * arrays["x"]}


def test_batches_of_any_size_have_all_samples():
    x = np.arange(10.0, dtype="float32").reshape(5, 2)
    for size in (None, -1, 1, 2, 7):
        np.testing.assert_array_equal(outputs_of(Twice([size, 2]), {"x": x})["y"], 2 * x)


def test_what_does_not_fit_is_named():
    x = np.ones((5, 2), "float32")
    with pytest.raises(ValueError, match=r"its inputs are \['x'\], not \['z'\]"):
        outputs_of(Twice([None, 2]), {"z": x})
    with pytest.raises(ValueError, match="its inputs take 0 samples"):
        outputs_of(Twice([0, 2]), {"x": x})
    with pytest.raises(
        ValueError, match=r"its input 'x' has the type tensor\(string\), not one of \['tensor\(double\)'"
    ):
        type_of(SimpleNamespace(name="x", type="tensor(string)"))
    with pytest.raises(ValueError, match=r"its outputs are \['y'\], without 'z'"):
        checked({"y": x}, ["z"])
    with pytest.raises(ValueError, match="its output 'y' holds no numbers"):
        checked({"y": np.array(["text"])}, ["y"])
    assert checked({"y": x}, ["y"]) == [x]
