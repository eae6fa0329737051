"""Layers of a group that have other names in the file: paired by beginnings and numbers, or refused."""

import numpy as np
import pytest

from kconvert import KconvertError, get_backend
from kconvert.conventions.generations import Convention
from kconvert.conversion.binding import arrays_for, bind
from kconvert.conversion.reading import network_of
from kconvert.conversion.renamed import Position, matched
from kconvert.conversion.source import Source, decide
from kconvert.formats.hdf5 import read
from kconvert.models.sequential import as_model
from tests.fixtures import FOLDER

FIELD = FOLDER / "field" / "nested_frozen_other_names"
NESTED = FOLDER / "nested"


@pytest.mark.parametrize(
    ("weights", "arch", "io", "pairs"),
    [
        (FIELD / "weights.h5", "other_arch.json", "io.npz", "dense_1 is dense_4, dense_2 is dense_5"),
        (FIELD / "bn_weights.h5", "bn_other_arch.json", "bn_io.npz", "conv2d_1 is conv2d_3, conv2d_2 is conv2d_4"),
        (NESTED / "1.2.2-tensorflow_bn3" / "weights.h5", "arch.json", "io.npz", "convolution2d_1 is convolution2d_4"),
        (NESTED / "2.0.9-theano_rnn" / "weights.h5", "arch.json", "io.npz", "time_distributed_2 is time_distributed_4"),
        (NESTED / "2.3.1-tensorflow_cells" / "weights.h5", "arch.json", "io.npz", "dense_2 is dense_4, rnn_1 is rnn_2"),
        (NESTED / "2.3.1-theano_custom" / "weights.h5", "arch.json", "io.npz", "dense_1 is dense_4"),
    ],
    ids=lambda value: value.parent.name if hasattr(value, "parent") else None,
)
def test_a_frozen_layer_does_not_change_which_is_which(weights, arch, io, pairs):
    """What real Keras computed, with weights of one session and the architecture of another."""
    said = Source(weights, "theano" if "theano" in weights.parent.name else "tensorflow", arch=weights.parent / arch)
    with read(weights) as checkpoint, np.load(weights.parent / io) as known:
        convention, model = decide(checkpoint, said).convention, network_of(checkpoint, said)
        _, notes = bind(model, checkpoint, convention)
        arrays = arrays_for(model, checkpoint, convention, Convention("keras2", convention.backend))
        running = as_model(model).bind(get_backend("numpy", convention.backend), arrays)
        np.testing.assert_allclose(running.predict(known["x0"]), known["y0"], rtol=1e-4, atol=1e-5)
    assert any(pairs in note for note in notes), notes


def positions(*paths):
    """The kernels of layers in the order in which the architecture has them."""
    return [Position(tuple(path.split("/")), "kernel", rank) for rank, path in enumerate(paths)]


@pytest.mark.parametrize(
    ("names", "paths", "order"),
    [
        pytest.param(["m/dense/kernel:0", "m/dense_1/kernel:0"], ["n/dense_2", "n/dense_3"], [0, 1], id="tf.keras"),
        pytest.param(["dense_1_kernel", "dense_10_kernel", "dense_9_kernel"], ["dense_2", "dense_10", "dense_11"],
                     [0, 2, 1], id="numbers are numbers"),
        pytest.param(["dense_3_1/kernel:0", "dense_2_1/kernel:0"], ["m/dense_2", "m/dense_3"], [1, 0], id="added"),
        pytest.param(["d_1/kernel_2:0", "c_1/kernel_1:0"], ["m/c_3", "m/d_3"], [1, 0], id="added to the slot"),
        pytest.param(["dense_1/kernel", "dense_3/kernel", "mid/kernel"], ["m/dense_5", "m/middle", "m/dense_7"],
                     [0, 2, 1], id="one is left"),
        pytest.param(["a/kernel", "b/kernel"], ["m/c", "m/d"], [0, 1], id="by order"),
        pytest.param(["dense_1/kernel", "dense_2/kernel", "dense_5/kernel"], ["m/dense_1", "m/dense_8", "m/dense_9"],
                     [0, 1, 2], id="numbers and order agree"),
        pytest.param(["td_1/kernel", "dense_1/kernel"], ["m/dense_9", "m/td_4/dense_7"], [1, 0], id="wrapper"),
    ],
)  # fmt: skip
def test_pairs(names, paths, order):
    assert list(matched(names, positions(*paths)).order) == order


@pytest.mark.parametrize(
    ("names", "paths"),
    [
        pytest.param(["dense_1/kernel", "dense_5/kernel", "dense_2/kernel"], ["dense_1", "dense_8", "dense_9"],
                     id="no one offset"),
        pytest.param(["dense_1/kernel", "dense_2/kernel", "dense_3/kernel"], ["dense_6", "dense_5", "dense_4"],
                     id="frozen layers do not explain the order"),
    ],
)  # fmt: skip
def test_numbers_and_order_that_contradict_each_other_are_refused(names, paths):
    with pytest.raises(KconvertError, match=r"in the file \(dense_1, dense_.*their numbers and the order"):
        matched(names, positions(*paths))


def test_names_that_do_not_say_of_which_layer_an_array_is():
    assert matched(["param_0", "param_1"], positions("m/dense_1", "m/dense_2")) is None
