"""CuDNN layers: what real Keras makes of their files, bit for bit, and where they may not stay."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest

from conformance.cases import ATOL
from kconvert import KconvertError, convert, load_model, verify
from kconvert.backend import get_backend
from kconvert.conventions.generations import GENERATIONS, Convention
from kconvert.conventions.roles import GRU_GATES, VECTOR, Weight
from kconvert.conventions.storage import storage
from kconvert.conversion.passes.cudnn import for_cudnn
from kconvert.conversion.planning import plan
from kconvert.conversion.reading import network_of
from kconvert.formats.hdf5 import read, write
from kconvert.kernels import AddHalves, Chain
from kconvert.layers import GRU, LSTM, Bidirectional, CuDNNGRU, CuDNNLSTM, Embedding, Masking, TimeDistributed
from kconvert.layers.base import layer_config
from kconvert.network.architecture import model_config
from kconvert.network.sequential import Sequential
from tests.fixtures import case

CASES = ["cudnnlstm", "cudnngru", "bidirectional_cudnnlstm"]
SHAPE = (None, 5, 3)
TF = Convention("keras2", "tensorflow")


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


def without_cudnn(model):
    return for_cudnn(model, Convention("keras2", "theano"), "2.3.1", None)


def with_cudnn(model, version="2.3.1", backend="tensorflow"):
    return for_cudnn(model, Convention("keras2", backend), version, True)


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
    assert made.result.model.stored_config() == made.model.stored_config()


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
    config, before = found.stored_config(), layer.stored_config()
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
    w = {weight.name: rng.normal(size=weight.shape) for weight in layer.weight_specs(SHAPE)}
    rewritten = without_cudnn(Sequential([layer]))
    (other,) = rewritten.model.sublayers
    bias = rewritten.weights.get(("rnn", "bias"))
    moved = {**w, "bias": bias.apply(w["bias"])[0]} if bias else w
    x = rng.normal(size=(2, 5, 3))
    np.testing.assert_allclose(layer.call(K, w, x), other.call(K, moved, x), rtol=1e-9)


def test_a_gru_that_resets_before_does_not_fit_cudnn():
    """Its bias has one row where that of cuDNN has two: the inverse refuses it."""
    role = VECTOR.with_gates(GRU_GATES, GRU_GATES).cudnn(Chain(), packed=True)
    (kept,) = storage([Weight("bias", (2, 12), role)], Convention("keras2", "tensorflow"))
    assert kept.shapes == ((24,),)
    with pytest.raises(KconvertError, match="2 rows"):
        kept.chain.inverse.apply(np.zeros(12))


# ---------------------------------------------------------------- to cuDNN ----


@pytest.mark.parametrize("name", CASES)
def test_to_cudnn_as_keras_does_it_and_back_bit_for_bit(name, tmp_path):
    native = convert(fixture(name).model, tmp_path / "native.h5", target="tensorflow", cudnn=False).target
    assert bits(written(native)) == bits(keras_made(name, "native"))
    packed = convert(native, tmp_path / "packed.h5", target="tensorflow", cudnn=True).target
    assert bits(written(packed)) == bits(keras_made(name, "cudnn"))
    again = convert(packed, tmp_path / "again.h5", target="tensorflow", cudnn=False).target
    assert bits(written(again)) == bits(written(native))


@pytest.mark.parametrize("name", CASES[2:])  # it has both kinds
@pytest.mark.parametrize("cudnn", [True, False])
def test_both_sides_agree_with_cudnn_and_without(name, cudnn, tmp_path):
    native = convert(fixture(name).model, tmp_path / "native.h5", target="theano").target
    source = native if cudnn else fixture(name).model
    done = convert(source, tmp_path / "out.h5", target="tensorflow", cudnn=cudnn)
    assert any("CuDNN" in name for name in classes(done.plan.result.model)) == cudnn
    report = verify(source, done.target)
    assert report.equal
    assert not report.weights


def lstm(cls=LSTM, **options):
    return Sequential([cls(4, name="rnn", batch_input_shape=SHAPE, **options)])


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (lstm(activation="relu"), "layer rnn: cuDNN has no LSTM with activation='relu'"),
        (lstm(recurrent_activation="hard_sigmoid"), "no LSTM with recurrent_activation='hard_sigmoid'"),
        (lstm(use_bias=False), "use_bias=False"),
        (lstm(dropout=0.5), "dropout=0.5"),
        (lstm(GRU), "no GRU with reset_after=False"),
        (Sequential([Bidirectional(LSTM(4, dropout=0.1, name="rnn"), batch_input_shape=SHAPE)]), "dropout=0.1"),
        (Sequential([Masking(name="mask", batch_input_shape=SHAPE), LSTM(4, name="rnn")]), "layer mask: it masks"),
        (
            Sequential([Embedding(5, 3, mask_zero=True, name="e", batch_input_shape=(None, 5)), LSTM(4, name="rnn")]),
            "layer e: it masks",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cudnn_does_not_have_is_refused_by_name(model, said):
    with pytest.raises(KconvertError, match=f"{said}.*cudnn="):
        with_cudnn(model)


def test_cudnn_came_with_2_0_9_and_never_to_theano():
    with pytest.raises(KconvertError, match=r"Keras 2\.0\.8 has no CuDNN layers"):
        with_cudnn(lstm(), "2.0.8")
    with pytest.raises(KconvertError, match="on theano"):
        with_cudnn(lstm(), backend="theano")
    assert classes(with_cudnn(lstm(), "2.0.9").model) == ["CuDNNLSTM"]


# ---------------------------------------------- weights with an architecture ----


def other_architecture(name, tmp_path, change, **options):
    """What `--arch` of the fixture would be, with the layers that `change` makes of its own."""
    with read(fixture(name).model) as checkpoint:
        model = change(network_of(checkpoint)).model
    for _, layer in model.leaves():
        for key, value in options.items():
            setattr(layer, key, value)
    path = tmp_path / f"{change.__name__}.json"
    path.write_text(json.dumps(model_config(model, "keras2", "2.3.1", "tensorflow")))
    return path


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("target", ["theano", "tensorflow"])
def test_packed_weights_for_an_architecture_without_cudnn(name, target, tmp_path):
    arch = other_architecture(name, tmp_path, without_cudnn)
    weights = fixture(name).folder / "weights.h5"
    done = convert(weights, tmp_path / "out.h5", target=target, arch=arch, force=True)
    assert bits(written(done.target)) == bits(keras_made(name, "native"))
    assert any("weights that cuDNN packed" in note and "does not have" not in note for note in done.plan.notes)


def test_packed_weights_run_in_an_architecture_without_cudnn(tmp_path):
    arch = other_architecture(CASES[2], tmp_path, without_cudnn)
    weights = fixture(CASES[2]).folder / "weights.h5"
    done = convert(weights, tmp_path / "out.h5", target="theano", arch=arch)
    assert verify(weights, done.target, arch=arch).equal
    model = load_model(weights, "numpy", arch=arch)
    assert np.abs(model.predict(fixture(CASES[2]).arrays("x")[0]) - fixture(CASES[2]).arrays("y")[0]).max() <= ATOL


@pytest.mark.parametrize("name", CASES)
def test_other_weights_for_an_architecture_with_cudnn(name, tmp_path):
    arch = other_architecture(name, tmp_path, lambda model: for_cudnn(model, TF, "2.3.1", None))
    native = convert(fixture(name).model, tmp_path / "native.h5", target="theano").target
    bare = tmp_path / "bare.h5"
    with read(native) as checkpoint:
        write(bare, replace(checkpoint, model_config=None, whole_model=False), GENERATIONS["keras2"])
    done = convert(bare, tmp_path / "out.h5", target="tensorflow", arch=arch)
    assert bits(written(done.target)) == bits(keras_made(name, "cudnn"))
    assert any("weights that cuDNN did not pack" in note for note in done.plan.notes)


def test_a_note_says_what_cudnn_computed_otherwise(tmp_path):
    arch = other_architecture("cudnnlstm", tmp_path, without_cudnn, recurrent_activation="hard_sigmoid")
    with read(fixture("cudnnlstm").folder / "weights.h5") as checkpoint:
        notes = plan(checkpoint, None, "theano", arch=arch).notes
    assert any("cuDNN does not have its recurrent_activation='hard_sigmoid'" in note for note in notes)


def test_packed_weights_do_not_fit_a_gru_that_resets_before(tmp_path):
    arch = other_architecture("cudnngru", tmp_path, without_cudnn, reset_after=False)
    with read(fixture("cudnngru").folder / "weights.h5") as checkpoint, pytest.raises(KconvertError, match="bias"):
        plan(checkpoint, None, "theano", arch=arch)


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
