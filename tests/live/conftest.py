"""Live models of the installed Keras 3 and tf_keras, and what real Keras computed of the fixtures."""

from importlib import import_module

import numpy as np
import pytest

from kconvert.conversion.files import convert_file
from kconvert.conversion.source import Source
from kconvert.conversion.target import Wanted
from kconvert.live.libraries import LIBRARIES
from kconvert.verification.matching import in_layout
from tests.fixtures import case


@pytest.fixture(params=sorted(LIBRARIES))
def library(request):
    return import_module(request.param)


@pytest.fixture(scope="session")
def computed(tmp_path_factory):
    """computed(name, library): the inputs and the outputs of a fixture, in channels_last."""

    def arrays(name, library):
        found = case(name)
        out = tmp_path_factory.mktemp("layouts") / "out.h5"
        wanted = Wanted("tensorflow", LIBRARIES[library.__name__][1])
        done = convert_file(Source(found.model, found.backend), wanted.target(out), out)
        layouts = (done.plan.result.inputs, done.plan.result.outputs)
        return tuple(
            [in_layout(array, layout) for array, layout in zip(found.arrays(letter), own, strict=True)]
            for letter, own in zip("xy", layouts, strict=True)
        )

    return arrays


def predicted(model, inputs):
    got = model.predict(inputs if len(inputs) > 1 else inputs[0], batch_size=len(inputs[0]), verbose=0)
    return got if isinstance(got, list) else [got]


def error(model, arrays):
    """How far the outputs of a live model are from those of real Keras."""
    inputs, outputs = arrays
    return max(float(np.abs(a - b).max()) for a, b in zip(predicted(model, inputs), outputs, strict=True))
