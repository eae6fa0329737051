"""Groups of HDF5 files that a script has open: they are read within the limits of files from elsewhere."""

from io import BytesIO

import h5py
import numpy as np
import pytest
from kconvert.keras.engine import saving
from kconvert.keras.layers import Dense
from kconvert.keras.models import Sequential, load_model

from kconvert import KconvertError, limited
from tests.fixtures import FOLDER


def test_names_beyond_the_limit_are_refused(tmp_path):
    """The strings of such a list may all be the same long one, so that a small file stands for gigabytes."""
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file.attrs["layer_names"] = np.array(["x" * 1000] * 1000, dtype=object)
        assert len(saving.load_attributes_from_hdf5_group(file, "layer_names")) == 1000
        with limited(text=100_000), pytest.raises(KconvertError, match=r"w.h5.*layer_names.*too much text"):
            saving.load_attributes_from_hdf5_group(file, "layer_names")


def test_arrays_that_the_file_does_not_hold_are_refused(tmp_path):
    model = Sequential([Dense(2, input_shape=(3,), name="dense_1")])
    with h5py.File(tmp_path / "w.h5", "w") as file:
        saving.save_weights_to_hdf5_group(file, model.layers)
        (name,) = (
            one for one in saving.load_attributes_from_hdf5_group(file["dense_1"], "weight_names") if "kernel" in one
        )
        del file["dense_1"][name]
        file["dense_1"].create_dataset(name, (2**20, 2**20), "float32", chunks=(2**10, 2**10))
        with pytest.raises(KconvertError, match=r"w.h5, dataset /dense_1/.*would expand from 0 bytes"):
            saving.load_weights_from_hdf5_group(file, model.layers)


def test_a_group_inside_a_file_is_read_and_no_link_is_followed(tmp_path):
    first, second = (Sequential([Dense(2, input_shape=(3,), name="dense_1")]) for _ in range(2))
    with h5py.File(tmp_path / "w.h5", "w") as file:
        saving.save_weights_to_hdf5_group(file.create_group("model_weights"), first.layers)
        saving.load_weights_from_hdf5_group(file["model_weights"], second.layers)
        for ours, theirs in zip(first.get_weights(), second.get_weights(), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        file["other"] = h5py.SoftLink("/model_weights/dense_1")
        file.attrs["layer_names"] = [b"other"]
        with pytest.raises(KconvertError, match="'other' is a soft link, which kconvert never follows"):
            saving.load_weights_from_hdf5_group(file, second.layers)


@pytest.mark.parametrize("driver", ["fileobj", "core"])
def test_weights_are_loaded_from_a_group_of_a_file_in_memory(driver):
    path = FOLDER / "2.3.1-tensorflow/lstm_impl1/model.h5"
    model = load_model(path)
    right = model.get_weights()
    model.set_weights([np.zeros_like(array) for array in right])
    place, options = (BytesIO(path.read_bytes()), {}) if driver == "fileobj" else (path, {"driver": "core"})
    with h5py.File(place, "r", **options) as file:
        assert file.driver == driver
        saving.load_weights_from_hdf5_group(file["model_weights"], model.layers)
    for array, loaded in zip(right, model.get_weights(), strict=True):
        np.testing.assert_array_equal(array, loaded)
