"""A script of a user, checked by mypy --strict: the package states the types of what it takes and gives."""

import os
import sys
from subprocess import run

import pytest

from tests.checkout import ROOT

SCRIPT = """
from collections.abc import Sequence

import numpy as np
import kconvert as kc

done = kc.convert("old.h5", "new.h5", target="tensorflow", force=True)
report = kc.verify("old.h5", done.target, tolerance=kc.Tolerance(rtol=1e-3), running=kc.Running(isolate=True))
equal: bool = report.equal
kc.write_report("report.html", report)
found = kc.inspect("old.h5")
notes: Sequence[str] = found.notes
model: kc.Model = kc.load_model("old.h5", backend="numpy")
weights = model.get_weights()
dense = kc.layers.Dense(3, "relu", input_shape=(4,), kernel_initializer="zeros", name="first")
network = kc.Sequential([dense, kc.layers.Embedding(5, 2, input_length=3)])
network.compile("sgd", "mse", metrics=["mae"])
losses: list[float] = network.fit(np.zeros((4, 4)), np.zeros((4, 3)), epochs=1, verbose=0).history["loss"]
summary = kc.batch(["old.h5"], "results", target="tensorflow")
"""


@pytest.mark.long
def test_a_strict_script(tmp_path):
    (tmp_path / "script.py").write_text(SCRIPT)

    def check():
        command = [sys.executable, "-m", "mypy", "--strict", "--follow-imports=silent", "--config-file=", "script.py"]
        return run(command, cwd=tmp_path, env={**os.environ, "MYPYPATH": str(ROOT)}, capture_output=True, text=True)

    assert check().stdout == "Success: no issues found in 1 source file\n"
    (tmp_path / "script.py").write_text(
        SCRIPT.replace("equal: bool", "equal: str").replace("input_shape=(4,)", "inputs=4")
    )
    assert check().stdout.endswith("Found 2 errors in 1 file (checked 1 source file)\n")
