"""The networks of `keras.applications`: architectures and outputs of real Keras 2.3.1 (tests/fixtures/applications)."""

import json
import runpy
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from kconvert.keras.applications import imagenet_utils, resnet, resnet50, vgg16

import kconvert.keras as keras
from kconvert.errors import KconvertError
from kconvert.keras.surface import KERAS2

FOLDER = Path(__file__).parents[1] / "fixtures" / "applications"
MAKE = runpy.run_path(str(FOLDER / "make.py"))
BUILT = json.loads((FOLDER / "architectures.json").read_text())
COMPUTED = json.loads((FOLDER / "outputs.json").read_text())
QUICK = ("MobileNet", "MobileNetV2", "ResNet50", "VGG16")


def small(name, **options):
    size, others = MAKE["OUTPUTS"][name]
    return getattr(keras.applications, name)(
        **{"weights": None, "input_shape": (size, size, 3), **others, **options}
    ), MAKE["images"](size)


# ----------------------------------------------------------- architectures ----


@pytest.mark.parametrize("name", BUILT)
def test_architectures_are_those_of_keras(name):
    model = getattr(keras.applications, name)(weights=None)
    shapes = {layer.name: layer.output_shape for layer in model.layers}
    layers = MAKE["canonical"](json.loads(model.to_json()), shapes)
    assert model.count_params() == BUILT[name]["params"]
    assert len(layers) == BUILT[name]["layers"]
    assert MAKE["digest"](layers) == BUILT[name]["sha256"]


def test_resnet50_has_two_forms():
    assert resnet50.ResNet50(weights=None).layers[2].name == "conv1"
    assert resnet.ResNet50(weights=None).layers[2].name == "conv1_conv"
    assert keras.applications.ResNet50 is resnet50.ResNet50


def test_networks_without_their_end():
    images = keras.layers.Input((64, 64, 3))
    model = keras.applications.VGG16(include_top=False, weights=None, input_tensor=images)
    assert model.input == images and model.output_shape == (None, 2, 2, 512)
    assert keras.applications.Xception(include_top=False, weights=None).output_shape == (None, None, None, 2048)
    pooled = keras.applications.MobileNet(include_top=False, weights=None, pooling="max", input_shape=(64, 64, 3))
    assert pooled.output_shape == (None, 1024)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "weights=PATH"),
        ({"weights": "no.h5"}, "no such file"),
        ({"weights": None, "input_shape": (16, 64, 3)}, "at least 32 x 32"),
        ({"weights": None, "input_shape": (None, None, 3)}, "fixed input shape"),
        ({"weights": None, "input_shape": (64, 64)}, "three numbers"),
        ({"weights": None, "include_top": False, "pooling": "min"}, "unknown pooling"),
    ],
)
def test_impossible_requests_are_refused(options, message):
    with pytest.raises(KconvertError, match=message):
        vgg16.VGG16(**options)


# ----------------------------------------------------------------- numbers ----


@pytest.mark.parametrize("name", QUICK)
def test_outputs_are_those_of_keras(name):
    model, images = small(name)
    model.start("tensorflow")
    model.set_weights(MAKE["weights"]([array.shape for array in model.get_weights()]))
    assert np.allclose(model.predict(images)[:, :10], COMPUTED[name], atol=1e-4)


def test_weights_of_a_file_are_loaded(tmp_path):
    model, images = small("MobileNet")
    expected = model.predict(images)
    model.save_weights(tmp_path / "weights.h5")
    again, _ = small("MobileNet", weights=str(tmp_path / "weights.h5"))
    assert np.allclose(again.predict(images), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "file"),
    [
        ("MobileNet", {"alpha": 0.25}, "mobilenet_2_5_224_tf_no_top.h5"),
        ("MobileNetV2", {"alpha": 0.5}, "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_0.5_224_no_top.h5"),
        ("VGG16", {}, "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"),
    ],
)
def test_weights_of_imagenet_are_those_of_the_local_file(tmp_path, monkeypatch, name, options, file):
    monkeypatch.setenv("KCONVERT_DATA", str(tmp_path / "datasets"))
    (tmp_path / "models").mkdir()
    make = partial(getattr(keras.applications, name), input_shape=(32, 32, 3), include_top=False, **options)
    with pytest.raises(KconvertError, match=f"would download '{file}'"):
        make()
    made = make(weights=None)
    made.save_weights(tmp_path / "models" / file)
    assert np.array_equal(make().get_weights()[0], made.get_weights()[0])


def test_the_file_of_a_large_network_has_a_name_of_its_own():
    with pytest.raises(KconvertError, match=r"'nasnet_mobile_no_top\.h5'"):
        keras.applications.NASNetMobile(input_shape=(32, 32, 3), include_top=False)
    with pytest.raises(KconvertError, match="1000 classes"):
        keras.applications.NASNetMobile(classes=10)


def test_images_are_prepared_as_in_keras():
    x = np.arange(12.0).reshape(1, 2, 2, 3)
    prepared = vgg16.preprocess_input(x.copy())
    assert np.allclose(prepared[0, 0, 1], [5 - 103.939, 4 - 116.779, 3 - 123.68])
    first = imagenet_utils.preprocess_input(x.transpose(0, 3, 1, 2).copy(), data_format="channels_first")
    assert np.allclose(first.transpose(0, 2, 3, 1), prepared)
    assert np.allclose(keras.applications.mobilenet.preprocess_input(x.copy()), x / 127.5 - 1)
    torch = keras.applications.densenet.preprocess_input(x.copy())
    assert np.allclose(torch[0, 0, 1], (np.array([3, 4, 5]) / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225])
    assert imagenet_utils.preprocess_input(x.astype("uint8"), mode="tf").dtype == "float32"
    with pytest.raises(KconvertError, match="preprocess_input"):
        imagenet_utils.preprocess_input(x, mode="cafe")


@pytest.mark.parametrize("mode", ["caffe", "tf", "torch"])
def test_symbols_are_prepared_as_arrays_are(mode):
    x = np.arange(12.0, dtype="float32").reshape(1, 2, 2, 3)
    symbol = keras.layers.Input((2, 2, 3))
    model = keras.models.Model(symbol, imagenet_utils.preprocess_input(symbol, mode=mode))
    assert np.allclose(model.predict(x), imagenet_utils.preprocess_input(x.copy(), mode=mode), atol=1e-5)


@pytest.mark.shows(
    "applications.densenet.decode_predictions",
    "applications.imagenet_utils.decode_predictions",
    "applications.inception_resnet_v2.decode_predictions",
    "applications.inception_v3.decode_predictions",
    "applications.mobilenet.decode_predictions",
    "applications.mobilenet_v2.decode_predictions",
    "applications.nasnet.decode_predictions",
    "applications.resnet.decode_predictions",
    "applications.resnet50.decode_predictions",
    "applications.resnet_v2.decode_predictions",
    "applications.vgg16.decode_predictions",
    "applications.vgg19.decode_predictions",
    "applications.xception.decode_predictions",
)
def test_predictions_are_decoded_with_the_file_of_keras(tmp_path, monkeypatch):
    monkeypatch.setenv("KCONVERT_DATA", str(tmp_path / "datasets"))
    predictions = np.zeros((1, 1000))
    predictions[0, [7, 3]] = 0.7, 0.2
    with pytest.raises(KconvertError, match=r"imagenet_class_index\.json"):
        vgg16.decode_predictions(predictions)
    (tmp_path / "models").mkdir()
    names = {str(i): [f"n{i}", f"class {i}"] for i in range(1000)}
    (tmp_path / "models" / "imagenet_class_index.json").write_text(json.dumps(names))
    modules = [module for module in KERAS2.modules if "decode_predictions" in KERAS2.names(module) and "." in module]
    for module in modules:
        decode = KERAS2.find(module, "decode_predictions")
        assert decode(predictions, top=2) == [[("n7", "class 7", 0.7), ("n3", "class 3", 0.2)]]
    with pytest.raises(KconvertError, match="1000"):
        vgg16.decode_predictions(predictions[:, :10])
