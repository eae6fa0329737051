"""The optimizer's state: the same plan as the weights, in an order that is known or not at all."""

import numpy as np
import pytest

from kconvert import convert
from kconvert.formats.hdf5 import read
from tests.fixtures import case


def state(path):
    with read(path) as checkpoint:
        return [array.read() for array in checkpoint.optimizer]


def weight_names(path):
    with read(path) as checkpoint:
        return [array.name for group in checkpoint.groups for array in group.arrays]


@pytest.mark.parametrize("name", ["2.3.1-theano/lenet_th", "2.3.1-tensorflow/lenet_th"])
def test_comes_back_bit_for_bit(name, tmp_path):
    model = case(name)
    there, back = tmp_path / "there.h5", tmp_path / "back.h5"
    convert(model.model, there, target=model.other)
    convert(there, back, target=model.backend)
    first, last = state(model.model), state(back)
    assert len(first) == len(last) == 1 + 3 * 8
    assert all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(first, last, strict=True))


def test_moments_move_as_their_weights_do(tmp_path):
    source = case("2.3.1-theano/lenet_th").model
    done = convert(source, tmp_path / "out.h5", target="tensorflow")
    made, stored = state(tmp_path / "out.h5"), state(source)
    assert len(done.plan.steps) == 8
    for i, step in enumerate(done.plan.steps, start=1):
        assert np.array_equal(made[i], step.chain.apply(stored[i])[0]), step.path
    assert np.array_equal(made[1], stored[1][::-1, ::-1])
    assert not np.array_equal(made[1], stored[1])


def test_keras_1_on_tensorflow_sorts_parameters_by_name(tmp_path):
    """dense_1 comes before embedding_1 and lstm_1 in the file; the gates are put together again."""
    source = case("1.2.2-tensorflow/imdb_lstm").model
    stored = dict(zip(sorted(weight_names(source)), state(source)[1:], strict=False))
    convert(source, tmp_path / "out.h5", target="theano")
    made = state(tmp_path / "out.h5")
    assert np.array_equal(made[1], stored["embedding_1_W:0"])
    assert np.array_equal(made[2], np.concatenate([stored[f"lstm_1_W_{gate}:0"] for gate in "ifco"], axis=-1))
    assert np.array_equal(made[5], stored["dense_1_W:0"])
    assert len(made) == 1 + 3 * 6, "Keras 2.3 expects iterations, m, v and vhat"


def test_the_file_of_keras_1_on_theano_is_sorted_by_name_too():
    with read(case("1.2.2-theano/imdb_lstm").model) as checkpoint:
        shapes = {array.name: array.shape for group in checkpoint.groups for array in group.arrays}
        moments = [array.shape for array in checkpoint.optimizer if array.shape]
    by_name, by_layer = [shapes[name] for name in sorted(shapes)], list(shapes.values())
    assert moments == by_name * 2
    assert moments != by_layer * 2


def test_keras_1_on_theano_is_dropped_where_shapes_do_not_tell_the_order(tmp_path):
    known = convert(case("1.2.2-theano/lenet_th").model, tmp_path / "known.h5", target="tensorflow")
    assert len(known.plan.optimizer) == 1 + 3 * 8
    unknown = convert(case("1.2.2-theano/imdb_lstm").model, tmp_path / "unknown.h5", target="tensorflow")
    assert state(tmp_path / "unknown.h5") == []
    assert any("an order that the file does not tell" in note for note in unknown.plan.notes)


def test_dropped_on_request(tmp_path):
    done = convert(case("2.3.1-theano/lenet_th").model, tmp_path / "out.h5", target="tensorflow", drop_optimizer=True)
    assert state(tmp_path / "out.h5") == []
    assert "the optimizer's state is dropped: as asked" in done.plan.notes
