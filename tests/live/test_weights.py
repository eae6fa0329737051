"""load_weights: the weights of any file in a model that the user built."""

from shutil import copyfile

import h5py
import numpy as np
import pytest

import kconvert as kc
from conformance.live import spoil
from kconvert import KconvertError, Problem
from tests.fixtures import case

from .conftest import error, predicted

NAMES = [
    *("1.2.2-theano/lenet_th", "1.2.2-theano/crnn_two_gru_th", "1.2.2-theano/siamese_conv_model_th"),
    *("1.2.2-theano/nested_sequential_then_flatten_th", "1.2.2-theano/conv_prelu_shared_rows_th"),
    *("2.3.1-theano/bidirectional_lstm_concat", "2.3.1-theano/separable_conv2d_mult2_tf"),
    *("2.3.1-theano/conv2dtranspose_same_stride2_tf", "2.3.1-theano/td_model_th", "2.3.1-theano/gru_reset_after"),
    *("1.2.2-theano/conv_srelu_shared_th", "1.2.2-theano/dense_prelu_srelu_psoftplus"),
]


@pytest.mark.parametrize("name", NAMES)
def test_every_weight_goes_where_it_belongs(name, library, computed):
    found = case(name)
    model = kc.load_model(found.model, source=found.backend, runner=library.__name__)
    spoil(model)
    arrays = computed(name, library)
    assert error(model, arrays) > 1e-2
    loaded = kc.load_weights(model, found.model, found.backend)
    assert error(model, arrays) < 1e-4
    assert all(loaded.weights.values())


def lenet(library, dense=8, pooling="MaxPooling2D"):
    """The model of the fixture lenet_th, as a user writes it today: channels_last."""
    L = library.layers
    return library.Sequential(
        [
            L.InputLayer((12, 10, 1)),
            *(L.Conv2D(4, 3, activation="relu"), L.Conv2D(5, 3, activation="relu"), getattr(L, pooling)(2)),
            *(L.Flatten(), L.Dense(dense, activation="relu"), L.Dense(6, activation="softmax")),
        ]
    )


def test_a_file_of_theano_in_a_model_that_was_written_today(library, computed):
    """The kernels are flipped, and the rows of the Dense behind the Flatten are in the order of channels_last."""
    name = "1.2.2-theano/lenet_th"
    inputs, _ = arrays = computed(name, library)
    model = lenet(library)
    assert inputs[0].shape[1:] == model.input_shape[1:]
    loaded = kc.load_weights(model, case(name).model, "theano")
    assert error(model, arrays) < 1e-4
    assert not any("something else" in note for note in loaded.notes)  # Activation layers follow those of the file
    first = next(layer.name for layer in model.layers if layer.weights)
    assert loaded.weights[f"{first}/kernel"] == ["convolution2d_1_W"]


@pytest.mark.parametrize("file", ["model.h5", "weights.h5"])
def test_a_file_of_theano_in_layers_of_other_names(file, library, computed):
    """The shapes of the kernels show that the images of the weights are in channels_first."""
    arrays, model = computed("1.2.2-theano/lenet_th", library), lenet(library)
    kc.load_weights(model, case("1.2.2-theano/lenet_th").folder / file, "theano")
    assert error(model, arrays) < 1e-4


def test_a_model_of_another_size_keeps_its_weights(library):
    model = lenet(library, dense=9)
    before = spoil(model)
    with pytest.raises(KconvertError) as raised:
        kc.load_weights(model, case("1.2.2-theano/lenet_th").model, "theano")
    message = str(raised.value)
    first = model.layers[-2].name
    assert f"layer {first} of the model has weights of shapes (60, 9), (9,)" in message
    assert "dense_1 of the file has (60, 8), (8,)" in message
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_by_name_takes_the_layers_that_both_have(library):
    L, found = library.layers, case("2.3.1-theano/lenet_th")
    whole = kc.load_model(found.model, runner=library.__name__)
    first = next(layer for layer in whole.layers if layer.weights)
    kernel = first.get_weights()[0]
    model = library.Sequential(
        [
            L.InputLayer(whole.input_shape[1:]),
            L.Conv2D(kernel.shape[-1], kernel.shape[:2], name=first.name),
            *(L.Flatten(), L.Dense(3, name="mine")),
        ]
    )
    before = spoil(model)
    loaded = kc.load_weights(model, found.model, by_name=True)
    after = model.get_weights()
    np.testing.assert_array_equal(after[0], kernel)
    np.testing.assert_array_equal(after[-1], before[-1])
    assert loaded.partial is not None and list(loaded.weights) == [f"{first.name}/kernel", f"{first.name}/bias"]


def test_layers_of_other_options_are_named(library, tmp_path):
    """The weights fit, but the layer computes something else."""
    L = library.layers
    model = library.Sequential([L.InputLayer((5, 3)), L.LSTM(4, recurrent_activation="tanh")])
    trained = kc.Sequential([kc.layers.LSTM(4, input_shape=(5, 3))])
    trained.start("theano")
    trained.save(tmp_path / "trained.h5")
    *_, note = kc.load_weights(model, tmp_path / "trained.h5").notes
    assert "recurrent_activation='sigmoid', that of the model 'tanh'" in note


def test_a_layer_that_is_written_as_others_is_named(library, tmp_path):
    found = case("1.2.2-theano/conv_srelu_shared_th")
    model = kc.load_model(found.model, source="theano", runner=library.__name__)
    other = kc.Sequential([kc.layers.Conv2D(4, 3, input_shape=model.input_shape[1:]), *dense()])
    other.start("theano")
    other.save(tmp_path / "other.h5")
    with pytest.raises(KconvertError, match="a part of the SReLU srelu_1, of the model"):
        kc.load_weights(model, tmp_path / "other.h5")


def dense():
    return kc.layers.Flatten(), kc.layers.Dense(2)


def test_damage_is_no_misfit(library, tmp_path):
    """An array cannot be unpacked, and the file has layers that the model does not have."""
    path = tmp_path / "damaged.h5"
    copyfile(case("1.2.2-theano/lenet_th").model, path)
    with h5py.File(path, "r+") as file:
        group = file["model_weights/dense_2"]
        array = group["dense_2_W"][()]
        del group["dense_2_W"]
        packed = group.create_dataset("dense_2_W", data=array, chunks=array.shape, compression="gzip")
        offset = packed.id.get_chunk_info(0).byte_offset
    with open(path, "r+b") as file:
        file.seek(offset)
        file.write(bytes(20))
    model = library.Sequential([library.layers.InputLayer((8,)), library.layers.Dense(6, name="dense_2")])
    with pytest.raises(KconvertError, match="its data cannot be read"):
        kc.load_weights(model, path, "theano", by_name=True)


def test_a_layer_without_weights_that_computes_something_else_is_named(library):
    model = lenet(library, pooling="AveragePooling2D")
    *_, note = kc.load_weights(model, case("1.2.2-theano/lenet_th").model, "theano").notes
    assert note.startswith("the file has MaxPooling2D(") and "where the model has AveragePooling2D(" in note


def test_what_changes_nothing_is_no_difference(library):
    """Activations in layers of their own, dropout, and the arrangement of features."""
    L = library.layers
    model = library.Sequential(
        [
            L.InputLayer((12, 10, 1)),
            *(L.Conv2D(4, 3), L.Activation("relu"), L.Conv2D(5, 3, activation="relu"), L.MaxPooling2D(2)),
            *(L.Dropout(0.5), L.Flatten(), L.Dense(8), L.ReLU(), L.Dense(6), L.Softmax()),
        ]
    )
    notes = kc.load_weights(model, case("1.2.2-theano/lenet_th").model, "theano").notes
    assert not any("something else" in note for note in notes)


def test_a_model_of_kconvert_is_one_too(tmp_path):
    found = case("1.2.2-theano/lenet_th")
    model = kc.load_model(found.model, backend="tensorflow", source="theano")
    loaded = kc.load_weights(model, found.model, "theano")
    assert any(path.endswith("/kernel") for path in loaded.weights)


def test_what_cannot_take_weights_is_refused(library):
    found = case("1.2.2-theano/lenet_th")

    class Mine(library.Model):
        def __init__(self):
            super().__init__()
            self.dense = library.layers.Dense(3)

        def call(self, x):
            return self.dense(x)

    mine = Mine()
    for model in (mine, object(), library.Sequential([library.layers.Dense(3)])):
        with pytest.raises(KconvertError) as raised:
            kc.load_weights(model, found.model, "theano")
        assert raised.value.problem is Problem.USAGE
    mine(np.zeros((1, 4), "float32"))
    with pytest.raises(KconvertError, match="does not describe its layers"):
        kc.load_weights(mine, found.model, "theano")
    with pytest.raises(KconvertError, match="skip_mismatch needs by_name"):
        kc.load_weights(lenet(library), found.model, "theano", skip_mismatch=True)
    assert predicted(mine, [np.zeros((1, 4), "float32")])[0].shape == (1, 3)


def dense_file(tmp_path, *layers, shape=(3,)):
    """A file that kconvert saved, of a Sequential of two Dense or of the given layers."""
    first, *rest = layers or (kc.layers.Dense(4), kc.layers.Dense(2))
    first.batch_input_shape = (None, *shape)
    model = kc.Sequential([first, *rest])
    model.start("numpy")
    model.save(tmp_path / "model.h5")
    return tmp_path / "model.h5"


def two_dense(library, *between, **options):
    L = library.layers
    return library.Sequential([L.InputLayer((3,)), L.Dense(4, **options), *between, L.Dense(2)])


def kernels_are_those_of(path, model):
    wanted = kc.load_model(path, "numpy").get_weights()
    return all(np.array_equal(a, b) for a, b in zip(wanted, model.get_weights(), strict=True))


def test_classes_that_inherit_from_models_are_models(library, tmp_path):
    class Mine(library.Model):
        pass

    class Encoder(library.Sequential):
        pass

    L, path = library.layers, dense_file(tmp_path)
    x = L.Input((3,))
    whole = Mine(x, L.Dense(2)(L.Dense(4)(x)))
    kc.load_weights(whole, path)
    assert kernels_are_those_of(path, whole)
    inner = Encoder([L.InputLayer((3,)), L.Dense(4)])
    nested = library.Model(x, L.Dense(2)(inner(x)))
    a = kc.Input((3,))
    outer = kc.Model(a, kc.layers.Dense(2)(kc.Sequential([kc.layers.Dense(4, input_shape=(3,))])(a)))
    outer.start("numpy")
    outer.save(tmp_path / "nested.h5")
    kc.load_weights(nested, tmp_path / "nested.h5")
    assert kernels_are_those_of(tmp_path / "nested.h5", nested)


def test_mixed_precision_keeps_its_weights_in_float32(library, tmp_path):
    path = dense_file(tmp_path)
    model = two_dense(library, dtype="mixed_float16")
    assert not any("rounded" in note for note in kc.load_weights(model, path).notes)
    assert kernels_are_those_of(path, model)
    half = two_dense(library, dtype="float16")
    first = half.layers[-2].name
    assert (
        f"{first}: the weights are rounded to float16, in which the model has them" in kc.load_weights(half, path).notes
    )


def test_layers_that_act_in_training_alone_are_no_difference(library, tmp_path):
    L = library.layers
    path = dense_file(tmp_path, kc.layers.Conv2D(2, 3), kc.layers.Flatten(), kc.layers.Dense(2), shape=(6, 6, 1))
    augmented = library.Sequential([L.RandomFlip(), L.RandomRotation(0.1), L.RandomContrast(0.1)])
    x = L.Input((6, 6, 1))
    y = L.RandomZoom(0.1)(augmented(x))
    model = library.Model(x, L.Dense(2)(L.Flatten()(L.Conv2D(2, 3)(y))))
    assert not any("something else" in note for note in kc.load_weights(model, path).notes)
    assert kernels_are_those_of(path, model)


class Doubled:
    """The methods of a user's layer."""

    def build(self, shape):
        self.factors = self.add_weight(shape=(shape[-1],), initializer="zeros", name="factors")
        self.built = True

    def call(self, x):
        return x * self.factors


def test_a_layer_of_a_user_takes_what_the_file_has_for_it(library, tmp_path):
    own = type("Scale", (Doubled, library.layers.Layer), {})
    saved, model = (two_dense(library, own(name="scale")) for _ in range(2))
    saved.save(tmp_path / "model.h5")
    spoil(model)
    notes = kc.load_weights(model, tmp_path / "model.h5").notes
    assert all(np.array_equal(a, b) for a, b in zip(saved.get_weights(), model.get_weights(), strict=True))
    assert any("weights stay as they are stored" in note for note in notes)


def test_a_layer_of_a_user_does_not_take_the_weights_of_another_class(library, tmp_path):
    L = library.layers
    path = dense_file(tmp_path, kc.layers.Dense(4), kc.layers.BatchNormalization(center=False, scale=False))
    own = type("Twice", (Doubled, L.Layer), {"build": lambda self, shape: build_two(self, shape)})
    model = library.Sequential([L.InputLayer((3,)), L.Dense(4), own(name="own")])
    before = spoil(model)
    with pytest.raises(KconvertError, match=r"a Twice, a class that .* is a BatchNormalization"):
        kc.load_weights(model, path)
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def build_two(layer, shape):
    layer.factors = layer.add_weight(shape=(shape[-1],), initializer="zeros", name="factors")
    layer.others = layer.add_weight(shape=(shape[-1],), initializer="zeros", name="others")
    layer.built = True


def test_a_layer_without_a_configuration_is_refused(library, tmp_path):
    def init(self, thing):
        library.layers.Layer.__init__(self)
        self.thing = thing

    own = type("NoConfig", (library.layers.Layer,), {"__init__": init, "call": lambda self, x: x})
    with pytest.raises(KconvertError, match=r"NotImplementedError.*get_config"):
        kc.load_weights(two_dense(library, own(object())), dense_file(tmp_path))


def test_the_code_of_a_lambda_is_in_no_note(library, tmp_path):
    model = two_dense(library, library.layers.Lambda(lambda x: 2 * x))
    *_, note = kc.load_weights(model, dense_file(tmp_path)).notes
    assert "where the model has Lambda(" in note and len(note) < 200


def test_an_open_file_is_read_as_its_path_is(library, tmp_path):
    path, model = dense_file(tmp_path), two_dense(library)
    with h5py.File(path) as file:
        kc.load_weights(model, file)
    assert kernels_are_those_of(path, model)
    with path.open("rb") as stream:
        assert kernels_are_those_of(path, kc.load_model(stream, runner=library.__name__))
    with pytest.raises(KconvertError, match="int is not a file"):
        kc.load_weights(model, 42)


def test_a_file_of_the_library_says_nothing_of_theano(tmp_path):
    library = pytest.importorskip("keras")
    model = two_dense(library)
    model.save(tmp_path / "own.h5")
    assert not any("theano" in note for note in kc.load_weights(model, tmp_path / "own.h5").notes)


# -------------------------------------------------- what does not fit, and why ----


@pytest.mark.parametrize("wrap", [False, True])
def test_an_option_with_which_the_layer_fits_is_named(library, tmp_path, wrap):
    def wrapped(layers, layer):
        return layers.Bidirectional(layer) if wrap else layer

    L = library.layers
    path = dense_file(tmp_path, wrapped(kc.layers, kc.layers.GRU(2)), shape=(5, 3))
    model = library.Sequential([L.InputLayer((5, 3)), wrapped(L, L.GRU(2))])
    with pytest.raises(KconvertError, match="it fits with reset_after=False"):
        kc.load_weights(model, path)
    with pytest.raises(KconvertError, match="it fits with use_bias=True"):
        kc.load_weights(two_dense(library, use_bias=False), dense_file(tmp_path))


def test_a_nested_model_for_flat_layers_is_named_as_the_reason(library, tmp_path):
    L, path = library.layers, dense_file(tmp_path)
    inner = library.Sequential([L.InputLayer((3,)), L.Dense(4), L.Dense(2)])
    x = L.Input((3,))
    with pytest.raises(KconvertError, match=r"same weights in 2 layers .* they have to be nested alike"):
        kc.load_weights(library.Model(x, L.Flatten()(inner(x))), path)


# ---------------------------------------------------------------- connections ----


def siamese(layers, model, swapped=False, name=None):
    a, b, shared = layers.Input((3,)), layers.Input((3,)), layers.Dense(4)
    ends = [shared(b), shared(a)] if swapped else [shared(a), shared(b)]
    return model([a, b], layers.Dense(2)(layers.Concatenate()(ends)))


def test_inputs_that_are_swapped_are_named(library, tmp_path):
    saved = siamese(kc.layers, kc.Model)
    saved.start("numpy")
    saved.save(tmp_path / "siamese.h5")
    told = "comes of other inputs"
    same, swapped = (siamese(library.layers, library.Model, swapped) for swapped in (False, True))
    assert not any(told in note for note in kc.load_weights(same, tmp_path / "siamese.h5").notes)
    assert told in kc.load_weights(swapped, tmp_path / "siamese.h5").notes[-1]


def test_outputs_in_another_order_are_named(library, tmp_path):
    def two_heads(layers, model, names):
        x = layers.Input((3,))
        return model(x, [layers.Dense(2, name=name)(x) for name in names])

    saved = two_heads(kc.layers, kc.Model, ["one", "two"])
    saved.start("numpy")
    saved.save(tmp_path / "heads.h5")
    swapped = two_heads(library.layers, library.Model, ["two", "one"])
    notes = kc.load_weights(swapped, tmp_path / "heads.h5").notes
    assert sum("comes of other inputs" in note for note in notes) == 2


def test_the_order_of_a_sum_and_of_layers_that_pass_their_input_changes_nothing(library, tmp_path):
    def residual(layers, model, swapped):
        x = layers.Input((4,))
        y = layers.Dense(4, name="dense")(x)
        z = layers.Add()([x, y] if swapped else [y, x])
        return model(x, layers.ReLU()(layers.Dropout(0.5)(z)) if swapped else layers.Activation("relu")(z))

    saved = residual(kc.layers, kc.Model, False)
    saved.start("numpy")
    saved.save(tmp_path / "residual.h5")
    model = residual(library.layers, library.Model, True)
    assert not any("something else" in note for note in kc.load_weights(model, tmp_path / "residual.h5").notes)


def test_an_axis_in_a_list_is_that_axis(library, tmp_path):
    """tf_keras states the axis of a LayerNormalization in a list; one of Theano is in channels_first."""
    L = library.layers
    model = library.Sequential([L.InputLayer((6, 6, 2)), L.Conv2D(3, 3), L.LayerNormalization(), L.Conv2D(2, 2)])
    model.save(tmp_path / "model.h5")
    x = np.random.default_rng(0).standard_normal((2, 6, 6, 2)).astype("float32")
    before = model.predict(x, verbose=0)
    kc.convert(tmp_path / "model.h5", tmp_path / "theano.h5", target="theano")
    spoil(model)
    kc.load_weights(model, tmp_path / "theano.h5")
    np.testing.assert_allclose(model.predict(x, verbose=0), before, atol=1e-5)


@pytest.mark.parametrize("by_name", [False, True])
def test_features_in_another_order_than_the_flatten_of_the_file_gives_are_refused(by_name, library):
    """Keras 2.3 on Theano flattens images with the channels last; a Reshape takes them as they are."""
    L = library.layers
    model = lenet(library)
    layers = [
        type(layer).from_config(layer.get_config()) for layer in model.layers if "Input" not in type(layer).__name__
    ]
    layers = [L.Reshape((-1,)) if type(layer) is L.Flatten else layer for layer in layers]
    names = ["conv2d_1", "conv2d_2", None, None, "dense_1", "dense_2"]
    layers = [with_name(layer, name) for layer, name in zip(layers, names, strict=True)]
    model = library.Sequential([L.InputLayer((12, 10, 1)), *layers])
    before = model.get_weights()
    with pytest.raises(
        KconvertError, match="the features of dense_1 have another order in the file, which has a Flatten"
    ):
        kc.load_weights(model, case("2.3.1-theano/lenet_th").model, by_name=by_name)
    assert all(map(np.array_equal, before, model.get_weights()))


def with_name(layer, name):
    return layer if name is None else type(layer).from_config({**layer.get_config(), "name": name})
