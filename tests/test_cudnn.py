"""CuDNN layers: what real Keras makes of their files, bit for bit, and where they may not stay."""

import h5py
import numpy as np
import pytest

from kconvert import KconvertError, convert, load_model
from kconvert.backend import get_backend
from kconvert.conformance.cases import ATOL
from kconvert.conventions import GRU_GATES, VECTOR, Convention, Weight, storage
from kconvert.conversion import plan
from kconvert.cudnn import without_cudnn
from kconvert.hdf5 import read
from kconvert.kernels import AddHalves
from kconvert.layers import GRU, LSTM, Bidirectional, CuDNNGRU, CuDNNLSTM, TimeDistributed
from kconvert.layers.base import layer_config
from kconvert.model import Sequential
from tests.fixtures import case

CASES = ["cudnnlstm", "cudnngru", "bidirectional_cudnnlstm"]
SHAPE = (None, 5, 3)


def fixture(name):
    return case(f"2.3.1-tensorflow/{name}")


def planned(name, target="theano", **options):
    with read(fixture(name).model) as checkpoint:
        return plan(checkpoint, None, target, **options)


def keras_made(name, kind):
    """What `_convert_rnn_weights` of Keras made of the file: 'native' arrays, and 'cudnn' ones of those again."""
    with np.load(fixture(name).folder / "rnn_weights.npz") as stored:
        return [stored[key] for key in sorted(stored.files) if key.startswith(kind)]


def written(path):
    with read(path) as checkpoint:
        return [array.read() for group in checkpoint.groups for array in group.arrays]


def classes(model):
    return [leaf.class_name for layer in model.sublayers for _, leaf in layer.leaves()]


def bits(arrays):
    return [(array.shape, array.dtype.str, array.tobytes()) for array in arrays]


# --------------------------------------------------------- as real Keras does ----


@pytest.mark.parametrize("name", CASES)
def test_files_become_what_keras_makes_of_them(name, tmp_path):
    done = convert(fixture(name).model, tmp_path / "out.h5", target="theano")
    assert bits(written(done.target)) == bits(keras_made(name, "native"))
    assert not any("CuDNN" in name for name in classes(done.plan.result.model))


@pytest.mark.parametrize("name", CASES)
def test_the_inverse_makes_what_keras_makes_for_cudnn(name):
    """An LSTM's bias is halved for cuDNN; all else comes back as the file has it."""
    chains = [step.chain.inverse for step in planned(name).steps]
    made = [chain.apply(array)[0] for chain, array in zip(chains, keras_made(name, "native"), strict=True)]
    assert bits(made) == bits(keras_made(name, "cudnn"))
    summed = [AddHalves().inverse in chain.ops for chain in chains]
    assert any(summed) == ("lstm" in name)
    for again, before, halved in zip(made, written(fixture(name).model), summed, strict=True):
        assert (bits([again]) == bits([before])) != halved


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("convention", ["theano", "tensorflow"])
def test_runs_on_any_backend_as_it_is(name, convention):
    """The layers themselves run, so a file needs no conversion to be loaded."""
    found = fixture(name)
    model = load_model(found.model, "numpy", convention=convention)
    assert any("CuDNN" in name for name in classes(model))
    assert np.abs(model.predict(found.arrays("x")[0]) - found.arrays("y")[0]).max() <= ATOL


@pytest.mark.parametrize("name", CASES)
def test_stays_on_tensorflow_bit_for_bit(name):
    made = planned(name, "tensorflow")
    assert not made.changes
    assert made.result.model.get_config() == made.model.get_config()


def test_the_plan_says_what_becomes_of_the_layers():
    assert any("cu_dnngru_1: CuDNNGRU becomes GRU" in note for note in planned(CASES[2]).notes)


# ------------------------------------------------------------ without a file ----


@pytest.mark.parametrize(
    ("layer", "cls", "options"),
    [
        (CuDNNLSTM(4, return_state=True, go_backwards=True, batch_input_shape=SHAPE), LSTM, {"unit_forget_bias": True}),
        (CuDNNGRU(4, return_sequences=True, trainable=False, batch_input_shape=SHAPE), GRU, {"reset_after": True}),
    ],
    ids=["LSTM", "GRU"],
)
def test_options_go_over_and_those_of_cudnn_are_said(layer, cls, options):
    rewritten = without_cudnn(Sequential([layer]))
    (found,) = rewritten.model.sublayers
    assert type(found) is cls
    assert len(rewritten.notes) == 1
    config, before = found.get_config(), layer.get_config()
    assert {key: config[key] for key in before} == before
    said = {"activation": "tanh", "recurrent_activation": "sigmoid", "use_bias": True, "unroll": False, **options}
    assert {key: config[key] for key in said} == said


def test_found_inside_wrappers_and_models():
    inner = Sequential([CuDNNLSTM(4, name="a", return_sequences=True, batch_input_shape=SHAPE)], name="inner")
    wrapped = Bidirectional(CuDNNGRU(2, name="b", return_sequences=True), name="both", batch_input_shape=SHAPE)
    each = TimeDistributed(Sequential([wrapped], name="steps"), name="each", batch_input_shape=(None, 2, *SHAPE[1:]))
    for layer in (inner, each):
        model = Sequential([layer])
        rewritten = without_cudnn(model)
        assert "CuDNN" in str(layer_config(model))
        assert "CuDNN" not in str(layer_config(rewritten.model))
    assert without_cudnn(Sequential([inner])).weights.keys() == {("inner", "a", "bias")}


@pytest.mark.parametrize("cls", [CuDNNLSTM, CuDNNGRU])
def test_computes_what_the_other_computes_with_its_weights(cls):
    K, rng = get_backend("numpy"), np.random.default_rng(0)
    layer = cls(4, name="rnn", batch_input_shape=SHAPE)
    w = {weight.name: rng.normal(size=weight.shape) for weight in layer.weights(SHAPE)}
    rewritten = without_cudnn(Sequential([layer]))
    (other,) = rewritten.model.sublayers
    bias = rewritten.weights.get(("rnn", "bias"))
    moved = {**w, "bias": bias.apply(w["bias"])[0]} if bias else w
    x = rng.normal(size=(2, 5, 3))
    np.testing.assert_allclose(layer.call(K, w, x), other.call(K, moved, x), rtol=1e-9)


def test_a_gru_that_resets_before_does_not_fit_cudnn():
    """Its bias has one row where that of cuDNN has two: the inverse refuses it."""
    role = VECTOR.gated(GRU_GATES, GRU_GATES).cudnn
    (kept,) = storage([Weight("bias", (2, 12), role)], Convention("keras2", "tensorflow"))
    assert kept.shapes == ((24,),)
    with pytest.raises(KconvertError, match="2 rows"):
        kept.chain.inverse.apply(np.zeros(12))


# ------------------------------------------------------------------ optimizer ----


@pytest.mark.parametrize(("name", "kept"), [("cudnngru", True), ("cudnnlstm", False)])
def test_the_optimizers_state_goes_where_weights_only_move(name, kept, tmp_path):
    """The moments of two biases are not those of their sum."""
    path = tmp_path / "compiled.h5"
    path.write_bytes(fixture(name).model.read_bytes())
    weights = written(path)
    with h5py.File(path, "a") as file:
        file.attrs["training_config"] = b'{"optimizer_config": {"class_name": "SGD", "config": {}}}'
        group = file.create_group("optimizer_weights")
        names = ["iterations:0", *(f"moment_{i}:0" for i in range(len(weights)))]
        group.attrs["weight_names"] = [name.encode() for name in names]
        for key, array in zip(names, [np.array(3, "int64"), *weights], strict=True):
            group[key] = array
    with read(path) as checkpoint:
        made = plan(checkpoint, None, "theano")
        moments = [array.read() for array in made.optimizer]
    assert bits(moments[1:]) == (bits(keras_made(name, "native")) if kept else [])
    assert any("computed anew" in note for note in made.notes) != kept
