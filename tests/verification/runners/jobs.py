"""What the tests of the runners run, and what must not be left of it."""

from pathlib import Path

import numpy as np

from kconvert.conversion.reading import network_of
from kconvert.conversion.source import Source, decide
from kconvert.formats import hdf5
from kconvert.verification.runners.base import Job
from tests.fixtures import case

LAMBDA = "lambda/2.3.1-tensorflow"
LENET = "2.3.1-theano/lenet_th"
SHARED = "2.3.1-theano/siamese_conv_model_tf"
NESTED = "2.3.1-theano/nested_frozen_bn_th"
MASKED = "2.3.1-tensorflow/bidirectional_none"


def job(name, **options):
    """(the job of a fixture, the inputs that Keras was given)."""
    found, backend = case(name), name.rpartition("-")[2].partition("/")[0]
    with hdf5.read(found.model) as checkpoint:
        said = Source(None, backend, found.data_format, found.arch, force=True)
        convention, model = decide(checkpoint, said).convention, network_of(checkpoint, said)
        return Job(str(found.model), model, convention, backend, **options), found.arrays("x")


def same(ran, other):
    """Two runs: the same tensors in the same order, bit for bit."""
    ours, theirs = ran.load(), other.load()
    assert list(ours) == list(theirs)
    for name, x in ours.items():
        assert x.dtype == theirs[name].dtype and np.array_equal(x, theirs[name]), name


def alive(session):
    """The processes of a session."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, sid = entry.read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has ended meanwhile
            continue
        if int(sid) == session and state != "Z":
            found.append(int(entry.parent.name))
    return found
