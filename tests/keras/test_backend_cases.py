"""Every function of `keras.backend`: on variables and on symbols, with the numbers of real Keras 2.3.1."""

import runpy

import numpy as np
import pytest

from kconvert.keras import backend as K
from tests.fixtures import FOLDER

CASES = runpy.run_path(str(FOLDER / "keras_backend" / "cases.py"))
BY_NAME = {name: (inputs, call) for name, inputs, call in CASES["CASES"]}
RUN = ("theano", "tensorflow")
ON = [pytest.param(n, marks=pytest.mark.needs(n)) for n in RUN]


def on_symbols():
    """Every case with inputs, on NumPy; on the other backends, which take long to compile it, too."""
    for name, (inputs, _) in BY_NAME.items():
        if inputs and name != "gradients" and "slope" not in name:
            yield pytest.param(name, "numpy")
        if inputs:
            yield from (pytest.param(name, on, marks=[pytest.mark.needs(on), pytest.mark.long]) for on in RUN)


@pytest.fixture(scope="module")
def computed():
    return {name: CASES["read"](FOLDER / "keras_backend" / f"{name}.npz") for name in ("theano", "tensorflow")}


def right(computed, on, name):
    """What real Keras computed on the backend; on the other one where that Keras could not compile it."""
    files = computed.get(on, computed["tensorflow"]), computed["tensorflow"]
    found = next(file[name] for file in files if name in file)
    # On Theano it is a row (keras-facts: ctc-on-theano).
    return found.reshape(-1, 1) if name == "ctc_batch_cost" else found


def agree(value, wanted):
    value, wanted = np.asarray(value), np.asarray(wanted)
    assert value.shape == wanted.shape
    np.testing.assert_allclose(value.astype("float64"), wanted.astype("float64"), rtol=2e-4, atol=2e-5)


@pytest.mark.parametrize("on", ON, indirect=True)
@pytest.mark.parametrize("name", BY_NAME)
def test_on_variables(on, computed, name):
    inputs, call = BY_NAME[name]
    given = [K.variable(a, dtype=str(a.dtype)) for a in CASES["arrays"](name, inputs)]
    value = K.eval(call(K, *given))
    agree(value, right(computed, on, name))


@pytest.mark.parametrize(("name", "on"), list(on_symbols()), indirect=["on"])
def test_on_symbols(on, computed, name):
    inputs, call = BY_NAME[name]
    arrays = CASES["arrays"](name, inputs)
    symbols = [K.placeholder(shape=a.shape, dtype=str(a.dtype)) for a in arrays]
    (value,) = K.function(symbols, [call(K, *symbols)])(arrays)
    agree(value, right(computed, on, name))
