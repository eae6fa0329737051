"""`keras.preprocessing` and `keras.utils.np_utils` of Keras 1.2.2 do what that Keras did, with the same seeds."""

from __future__ import annotations

import runpy

import numpy as np
import pytest
from kconvert.keras1.preprocessing import image, text
from kconvert.keras1.utils import np_utils

from tests.fixtures import FOLDER

HERE = FOLDER / "keras1_preprocessing"
TOLERANCES = {"whitened": 2e-3}
"""Where the inverse of a matrix enlarges rounding."""
CASES = runpy.run_path(str(HERE / "cases.py"))["CASES"]


@pytest.mark.parametrize("name", CASES)
def test_data_are_prepared_as_in_keras_1_2_2(name):
    with np.load(HERE / "computed.npz") as known:
        for i, found in enumerate(CASES[name](image, text, np_utils)):
            wanted = known[f"{name}/{i}"]
            assert np.shape(found) == wanted.shape
            np.testing.assert_allclose(np.asarray(found, "float32"), wanted, rtol=1e-4, atol=TOLERANCES.get(name, 2e-4))


def test_a_generator_that_was_not_fitted_warns_as_in_keras():
    generator = image.ImageDataGenerator(featurewise_center=True)
    with pytest.warns(UserWarning, match="was not fitted"):
        assert (generator.standardize(np.ones((4, 4, 3))) == 1).all()


def test_images_are_read_with_the_dim_ordering(tmp_path):
    pixels = np.arange(24.0).reshape(4, 2, 3)
    image.array_to_img(pixels, "tf", scale=False).save(tmp_path / "one.png")
    assert image.list_pictures(str(tmp_path)) == [str(tmp_path / "one.png")]
    read = image.img_to_array(image.load_img(str(tmp_path / "one.png")), "th")
    assert np.array_equal(read, pixels.transpose(2, 0, 1))
    assert image.img_to_array(image.load_img(str(tmp_path / "one.png"), True, (2, 2)), "tf").shape == (2, 2, 1)


def test_images_have_one_three_or_four_channels():
    generator = image.ImageDataGenerator(dim_ordering="tf")
    with pytest.raises(ValueError, match="the images have 7 channels along axis 3, which is neither 1, 3 nor 4"):
        generator.fit(np.zeros((2, 5, 5, 7)))
    with pytest.raises(ValueError, match="the images have 2 channels"):
        generator.flow(np.zeros((2, 5, 5, 2)))
    assert next(generator.flow(np.zeros((2, 5, 5, 4)), batch_size=2)).shape == (2, 5, 5, 4)
