"""Loading is converting: what two backends compute differently is rewritten, by load_model and by load_weights."""

import logging

import numpy as np
import pytest

import kconvert as kc
from kconvert import KconvertError, Sequential, load_model
from kconvert import layers as L
from kconvert.conventions.backends import BACKENDS, CHANNELS_FIRST, CHANNELS_LAST
from kconvert.conversion.passes.hazards import hazards
from kconvert.conversion.reading import described_network, read_architecture
from kconvert.conversion.source import Source
from kconvert.formats import hdf5
from kconvert.layers.lists import as_list
from kconvert.models.model import as_model
from tests.fixtures import FOLDER, case

HAZARDS = [
    "1.2.2-theano/conv1d_same_even",
    "1.2.2-theano/maxpooling2d_same_th",
    "1.2.2-tensorflow/maxpooling2d_same_th",
    "2.3.1-theano/averagepooling2d_same_2x3_tf",
    "2.3.1-tensorflow/averagepooling2d_same_2x3_tf",
    "2.3.1-theano/conv2dtranspose_full_th",
    "2.3.1-tensorflow/conv2dtranspose_same_stride2_tf",
    "2.3.1-theano/convlstm2d_same_tf",
    "2.3.1-tensorflow/bidirectional_convlstm2d_even_valid_th",
    "2.3.1-tensorflow/upsampling2d_bilinear_44_tf",
]


def there(found):
    """NumPy, emulating the backend that did not save the case."""
    return kc.get_backend("numpy", found.other)


def loaded(found, **options):
    return load_model(found.model, "numpy", found.backend, None, found.data_format, convention=found.other, **options)


def built(found):
    """A model with the network of a case, which runs on the other backend; its weights are random."""
    with hdf5.read(found.model) as checkpoint:
        model = as_model(described_network(checkpoint, Source(data_format=found.data_format)))
    model.start(there(found), seed=0)
    return model


def check(model, found, atol=1e-4):
    for y, wanted in zip(as_list(model.predict(found.arrays("x"))), found.arrays("y"), strict=True):
        np.testing.assert_allclose(y, wanted, atol=atol)


@pytest.mark.parametrize("name", HAZARDS)
def test_a_loaded_model_computes_what_keras_computed_on_the_other_backend(name):
    found = case(name)
    model = loaded(found)
    check(model, found)
    assert not hazards(model, found.backend, found.other)
    assert any(f"what {found.backend} computes is spelled out" in note for note in model.conversion.notes)


@pytest.mark.parametrize("name", HAZARDS)
def test_weights_make_a_model_that_was_built_there_compute_the_same(name, caplog):
    found = case(name)
    model = built(found)
    model.load_weights(found.model, source=found.backend)
    check(model, found)
    assert f"what {found.backend} computes is spelled out" in caplog.text


@pytest.mark.parametrize("name", HAZARDS)
def test_weights_go_to_a_model_that_was_rewritten_before(name):
    """Also where a kernel grew: the file belongs to the network before the conversion."""
    found = case(name)
    model = loaded(found, compile=False)
    network = model.get_config()
    model.set_weights([np.full_like(array, 0.5) for array in model.get_weights()])
    model.load_weights(found.model, source=found.backend)
    assert model.get_config() == network
    check(model, found)


@pytest.mark.parametrize("name", HAZARDS)
def test_what_a_rewritten_model_saves_belongs_to_it(name, tmp_path):
    found = case(name)
    model = loaded(found, compile=False)
    network, weights = model.get_config(), model.get_weights()
    model.save_weights(tmp_path / "weights.h5")
    model.set_weights([np.zeros_like(array) for array in weights])
    model.load_weights(tmp_path / "weights.h5", source=found.other)
    assert model.get_config() == network
    for one, other in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", HAZARDS)
def test_on_its_own_backend_nothing_changes(name, caplog):
    found = case(name)
    model = load_model(found.model, "numpy", found.backend, None, found.data_format, convention=found.backend)
    with hdf5.read(found.model) as checkpoint:
        network = described_network(checkpoint, Source(data_format=found.data_format))
    assert model.get_config() == network.get_config()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_sequential_stays_one_and_a_layer_keeps_its_name():
    model = loaded(case("2.3.1-theano/maxpooling2d_same_th"))
    assert isinstance(model, Sequential)
    inner = model.get_layer("max_pooling2d_1")
    assert isinstance(inner, kc.Model) and inner.is_network
    model.add(L.Flatten())
    assert len(model.output_shape) == 2


def test_a_layer_that_cannot_be_rewritten_is_refused_by_name():
    found = case("2.3.1-tensorflow/upsampling2d_bilinear_tf")
    with pytest.raises(KconvertError, match="layer up_sampling2d_1: no layers make the bilinear enlarging"):
        loaded(found)
    model = built(found)
    with pytest.raises(KconvertError, match="layer up_sampling2d_1: no layers make the bilinear enlarging"):
        model.load_weights(found.model)


# ------------------------------------------------- models that users built ----


def strided(name="m"):
    return Sequential(
        [L.Conv2D(3, (2, 3), strides=2, padding="same", input_shape=(8, 6, 2), name="conv"), L.Flatten(), L.Dense(2)],
        name=name,
    )


def numbers(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


@pytest.fixture
def trained(tmp_path):
    """A model that ran on Theano, its file, inputs and outputs."""
    model = strided()
    model.start(kc.get_backend("numpy", "theano"), seed=1)
    model.save(tmp_path / "theano.h5")
    x = numbers(3, 8, 6, 2)
    return tmp_path / "theano.h5", x, model.predict(x)


def test_a_compiled_model_stays_compiled(trained):
    path, x, wanted = trained
    model = strided()
    model.compile("sgd", "mse", backend="numpy")
    model.load_weights(path)
    np.testing.assert_allclose(model.predict(x), wanted, atol=1e-5)
    assert model.test_on_batch(x, wanted) < 1e-8


def test_weights_of_its_own_backend_bring_the_layers_back(trained, tmp_path):
    path, x, _ = trained
    model = strided()
    model.start("numpy", seed=0)
    network, before = model.get_config(), model.predict(x)
    model.save_weights(tmp_path / "tensorflow.h5")
    model.load_weights(path)
    assert [layer.name for layer in model.layers][:3] == ["conv_pad", "conv_crop", "conv"]
    model.load_weights(tmp_path / "tensorflow.h5")
    assert model.get_config() == network
    np.testing.assert_array_equal(model.predict(x), before)


def test_models_of_the_same_layers_share_the_weights_that_are_loaded(trained):
    path, _, _ = trained
    model = strided()
    model.start("numpy", seed=0)
    dense = model.layers[-1]
    head = Sequential([L.InputLayer(input_shape=(36,)), dense])
    head.start("numpy")
    model.load_weights(path)
    for one, other in zip(head.get_weights(), model.get_weights()[-2:], strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_nested_model_that_the_user_holds_is_rewritten_too(tmp_path):
    def nested():
        base = Sequential([L.Conv2D(2, 2, padding="same", input_shape=(5, 4, 1), name="conv")], name="base")
        return base, Sequential([base, L.Flatten(), L.Dense(1, name="out")], name="m")

    there, source = nested()
    for one in (source, there):
        one.start(kc.get_backend("numpy", "theano"), seed=1)
    source.save_weights(tmp_path / "theano.h5")
    x = numbers(2, 5, 4, 1)
    base, model = nested()
    for one in (model, base):
        one.start("numpy", seed=0)
    before = model.predict(x)
    model.save_weights(tmp_path / "tensorflow.h5")
    model.load_weights(tmp_path / "theano.h5", source="theano")
    np.testing.assert_allclose(model.predict(x), source.predict(x), atol=1e-6)
    np.testing.assert_allclose(base.predict(x), there.predict(x), atol=1e-6)
    assert base in model.layers and model.conversion.model.by_name["base"] is not base
    model.load_weights(tmp_path / "theano.h5", source="theano")
    np.testing.assert_allclose(model.predict(x), source.predict(x), atol=1e-6)
    assert np.abs(before - model.predict(x)).max() > 1e-3


@pytest.mark.parametrize("name", [*HAZARDS, "2.3.1-theano/lenet_th", "1.2.2-tensorflow/lenet_th"])
def test_a_file_fits_the_model_that_its_conversion_is(name, tmp_path):
    """In the data format of the other backend, and with kernels that grew: the weights are converted once more."""
    found = case(name)
    made = kc.convert(found.model, tmp_path / "there.h5", source=found.backend, target=found.other)
    model = load_model(made.target, "numpy", convention=found.other, compile=False)
    network, weights = model.get_config(), model.get_weights()
    model.set_weights([np.zeros_like(array) for array in weights])
    model.load_weights(found.model, source=found.backend)
    assert model.get_config() == network
    for one, other in zip(model.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(one, other)


# ------------------------------------------------------------ data formats ----


def images(data_format, flatten=None):
    shape = (2, 5, 4) if data_format == CHANNELS_FIRST else (5, 4, 2)
    conv = L.Conv2D(3, 2, data_format=data_format, input_shape=shape, name="conv")
    return Sequential([conv, L.Flatten(flatten), L.Dense(2, name="out")], name="m")


def in_other_format(x, wanted):
    return np.ascontiguousarray(x.transpose(0, 2, 3, 1) if wanted == CHANNELS_LAST else x.transpose(0, 3, 1, 2))


@pytest.mark.parametrize("stored", [CHANNELS_FIRST, CHANNELS_LAST])
@pytest.mark.parametrize("whole", [True, False])
def test_features_are_reordered_for_a_model_of_the_other_data_format(stored, whole, tmp_path):
    """A whole model states its data format; of weights alone the user can state it."""
    wanted = CHANNELS_LAST if stored == CHANNELS_FIRST else CHANNELS_FIRST
    source, model = images(stored), images(wanted)
    source.start(kc.get_backend("numpy", "theano"), seed=1)
    (source.save if whole else source.save_weights)(tmp_path / "file.h5")
    x = numbers(3, *source.input_shape[1:])
    model.start("numpy", seed=0)
    network = model.get_config()
    model.load_weights(tmp_path / "file.h5", source_data_format=None if whole else stored)
    assert model.get_config() == network
    np.testing.assert_allclose(model.predict(in_other_format(x, wanted)), source.predict(x), atol=1e-5)


def test_a_flatten_that_states_a_data_format_follows_that_of_the_images(tmp_path):
    """In Keras 2.2 and later, the same code has the same order of features in both data formats."""
    source, model = images(CHANNELS_FIRST, CHANNELS_FIRST), images(CHANNELS_LAST, CHANNELS_LAST)
    source.start(kc.get_backend("numpy", "theano"), seed=1)
    source.save_weights(tmp_path / "file.h5")
    model.start("numpy", seed=0)
    assert conversion(model, tmp_path, name="file.h5", source_data_format=CHANNELS_FIRST)
    x = numbers(3, *source.input_shape[1:])
    np.testing.assert_allclose(model.predict(in_other_format(x, CHANNELS_LAST)), source.predict(x), atol=1e-5)


def test_the_shapes_of_arrays_tell_the_generation():
    """Weights alone of Keras 1.0 state no release; a Convolution1D has other axes there than in 1.2."""
    found = case("1.0.8-theano/conv1d_valid")
    model = as_model(read_architecture(str(found.folder / "arch.json")))
    model.start(there(found), seed=0)
    model.load_weights(found.folder / "weights.h5", source=found.backend)
    check(model, found)


def test_weights_alone_in_an_unusual_data_format_are_doubted(tmp_path):
    """Images of Theano are in channels_first as a rule; weights that come behind them do not say it."""
    source = images(CHANNELS_LAST)
    source.start(kc.get_backend("numpy", "theano"), seed=1)
    source.save_weights(tmp_path / "weights.h5")
    model = images(CHANNELS_LAST)
    model.start("numpy", seed=0)
    doubt = "do not state their data format: channels_last is taken, as the model has it"
    assert any(doubt in note and note.endswith("changes out") for note in conversion(model, tmp_path).notes)
    assert not any(doubt in note for note in conversion(model, tmp_path, source_data_format=CHANNELS_LAST).notes)
    x = numbers(3, 5, 4, 2)
    np.testing.assert_allclose(model.predict(x), source.predict(x), atol=1e-5)


def conversion(model, folder, name="weights.h5", **options):
    return model.load_weights(folder / name, **options).conversion


@pytest.mark.parametrize("saved_by", ["tensorflow", "theano"])
def test_weights_that_were_converted_state_their_data_format(saved_by, tmp_path):
    """Also which Flatten left its new order to the weights, and which has kept the old one."""
    usual = BACKENDS[saved_by].data_format
    source, model = images(usual), images(usual)
    source.start(kc.get_backend("numpy", saved_by), seed=1)
    source.save_weights(tmp_path / "weights.h5")
    (tmp_path / "arch.json").write_text(source.to_json())
    target = "theano" if saved_by == "tensorflow" else "tensorflow"
    made = kc.convert(tmp_path / "weights.h5", tmp_path / "w.h5", target=target, arch=tmp_path / "arch.json")
    assert made.plan.goal.data_format != usual
    model.start("numpy", seed=0)
    model.load_weights(made.target)
    x = numbers(3, *source.input_shape[1:])
    np.testing.assert_allclose(model.predict(x), source.predict(x), atol=1e-5)


# --------------------------------------------------------------- optimizer ----


@pytest.mark.parametrize("optimizer", ["adam", "nadam", "rmsprop", "sgd"])
def test_the_state_of_the_optimizer_takes_the_way_of_its_weights(optimizer, tmp_path):
    """Also through a repair that makes a kernel larger: its moments grow by zeros in the same places."""
    model = Sequential([L.ConvLSTM2D(2, 2, input_shape=(2, 5, 4, 1), name="lstm"), L.Flatten(), L.Dense(1)])
    model.start(kc.get_backend("numpy", "theano"), seed=0)
    model.compile(optimizer, "mse")
    random, executor = np.random.default_rng(1), model.trainer.executor
    state = {key: random.standard_normal(array.shape) + 9 for key, array in executor.read("slot").items()}
    state = {key: array for key, array in state.items() if key[-1] != "vhat"}  # it is not used
    executor.write("slot", state)
    executor.write("scalar", {("iterations",): np.array(7)})
    model.save(tmp_path / "trained.h5")
    again = load_model(tmp_path / "trained.h5", "numpy", convention="tensorflow").trainer.executor
    assert again.read("scalar")["iterations",] == 7
    found = again.read("slot")
    assert found["lstm", "kernel", next(iter(found))[-1]].shape[:2] == (3, 3)
    for key, before in state.items():
        moved, wanted = found[key][found[key] != 0], before.astype("float32")
        np.testing.assert_array_equal(np.sort(moved), np.sort(wanted, axis=None))


# ------------------------------------------------------------------ Lambda ----


def test_a_lambda_of_unknown_shape_is_refused_where_the_shape_decides(tmp_path):
    """As in a conversion: behind it, padding='same' depends on a size that the file does not state."""
    path = FOLDER / "lambda" / "lambda_steps.h5"
    with pytest.raises(KconvertError) as converting:
        kc.convert(path, tmp_path / "out.h5", target="theano")
    with pytest.raises(KconvertError) as loading:
        load_model(path, "numpy", convention="theano")
    assert loading.value.what == converting.value.what and loading.value.where == converting.value.where
