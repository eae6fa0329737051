"""`keras.preprocessing`: the functions of the package keras-preprocessing, with the settings of `keras.backend`."""

import sys

import numpy as np
import pytest
from kconvert.keras.preprocessing import image, sequence, text

import kconvert.keras as keras
from kconvert.errors import KconvertError


def test_sequences_are_padded():
    assert sequence.pad_sequences([[1, 2, 3], [4]], maxlen=2).tolist() == [[2, 3], [0, 4]]


def test_words_are_numbered_by_their_frequency():
    tokenizer = text.Tokenizer(num_words=3)
    tokenizer.fit_on_texts(["the cat", "the dog", "the cat sat"])
    assert tokenizer.texts_to_sequences(["the cat sat"]) == [[1, 2]]


def test_none_means_the_settings_of_the_backend():
    x = np.arange(12.0).reshape(2, 2, 3)
    picture = image.array_to_img(x, data_format=None, scale=False)
    assert image.img_to_array(picture, data_format=None, dtype=None).dtype == "float32"
    assert image.ImageDataGenerator(data_format=None, dtype=None).dtype == "float32"


def test_a_generator_of_images_trains_a_model():
    x, y = np.random.default_rng(0).uniform(0, 255, (6, 4, 4, 3)), np.arange(6.0)
    generator = image.ImageDataGenerator(rescale=1 / 255, horizontal_flip=True, rotation_range=20)
    model = keras.models.Sequential([keras.layers.Flatten(input_shape=(4, 4, 3)), keras.layers.Dense(1)])
    model.compile("sgd", "mse", backend="numpy")
    assert isinstance(generator.flow(x, y), image.NumpyArrayIterator)
    assert np.isfinite(model.predict_generator(generator.flow(x, batch_size=3), steps=2)).all()


@pytest.mark.shows(
    "preprocessing.image.array_to_img",
    "preprocessing.image.img_to_array",
    "preprocessing.image.save_img",
    "preprocessing.image.load_img",
    "preprocessing.image.apply_brightness_shift",
    "preprocessing.image.random_brightness",
    "preprocessing.image.DirectoryIterator",
    "preprocessing.image.DataFrameIterator",
)
def test_images_are_written_and_read(tmp_path):
    """As the documentation states: pixels are 0 to 255, a brightness of 1 changes nothing, folders are classes."""
    x = np.arange(60.0).reshape(4, 5, 3)
    np.testing.assert_array_equal(image.img_to_array(image.array_to_img(x, scale=False)), x)
    for name in ("cats/a.png", "dogs/b.png", "dogs/c.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        image.save_img(str(tmp_path / name), x, scale=False)
    np.testing.assert_array_equal(image.img_to_array(image.load_img(str(tmp_path / "cats/a.png"))), x)
    assert image.img_to_array(image.load_img(str(tmp_path / "cats/a.png"), target_size=(2, 3))).shape == (2, 3, 3)
    np.testing.assert_array_equal(image.apply_brightness_shift(x, 1.0), image.img_to_array(image.array_to_img(x)))
    np.testing.assert_array_equal(image.random_brightness(x, (1.0, 1.0)), image.apply_brightness_shift(x, 1.0))
    rows = image.ImageDataGenerator().flow_from_directory(str(tmp_path), (4, 5), batch_size=3, shuffle=False)
    assert isinstance(rows, image.DirectoryIterator) and rows.class_indices == {"cats": 0, "dogs": 1}
    assert rows[0][0].shape == (3, 4, 5, 3) and rows[0][1].tolist() == [[1, 0], [0, 1], [0, 1]]
    assert issubclass(image.DataFrameIterator, image.Iterator)


def test_a_name_that_the_package_does_not_have_is_an_import_error():
    with pytest.raises(ImportError):
        exec("from kconvert.keras.preprocessing.text import Tokeniser")


def test_without_the_package_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_preprocessing.sequence", None)
    with pytest.raises(KconvertError, match=r"\[preprocessing\]"):
        _ = sequence.skipgrams
