from __future__ import annotations

import h5py
import numpy as np
import pytest

from kconvert.formats.checkpoint import Checkpoint, Group, InMemory
from kconvert.formats.hdf5 import read
from tests.fixtures import FOLDER

CASES = {
    "0.3.3": ["conv_flatten_dense_th", "lstm"],
    "1.2.2": ["lenet_th", "lstm_cpu", "merge_sequential_sum"],
    "2.3.1": ["lenet_th", "lstm_impl1", "nested_frozen_bn_th"],
}
FILES = [
    path
    for release, cases in CASES.items()
    for backend in ("theano", "tensorflow")
    for case in cases
    for path in sorted((FOLDER / f"{release}-{backend}" / case).glob("*.h5"))
]


def pytest_generate_tests(metafunc):
    if "keras_file" in metafunc.fixturenames:
        metafunc.parametrize("keras_file", FILES, ids=["-".join(path.parts[-3:]) for path in FILES])


@pytest.fixture
def everything():
    """All that a checkpoint holds but its path, in values that == compares bit for bit."""

    def arrays(lazy):
        read_now = [(array, array.read()) for array in lazy]
        assert all((a.shape, a.dtype) == (value.shape, value.dtype) for a, value in read_now)
        return [(a.name, str(value.dtype), value.shape, value.tobytes()) for a, value in read_now]

    def value_of(attribute):
        return (str(np.asarray(attribute).dtype), np.asarray(attribute).tolist())

    def values(checkpoint):
        return {
            **{key: value for key, value in vars(checkpoint).items() if key not in ("path", "groups", "optimizer")},
            "attributes": {key: value_of(value) for key, value in checkpoint.attributes.items()},
            "groups": [(group.name, arrays(group.arrays)) for group in checkpoint.groups],
            "optimizer": arrays(checkpoint.optimizer),
        }

    return values


@pytest.fixture
def stored():
    """All that an HDF5 file holds, as HDF5 stores it: groups, attributes with their types, datasets."""

    def attribute(item, name):
        kind = h5py.h5a.open(item.id, name.encode()).get_type()
        text = isinstance(kind, h5py.h5t.TypeStringID)
        how = (kind.is_variable_str(), kind.get_cset(), kind.get_strpad(), kind.get_size()) if text else str(kind.dtype)
        return how, np.asarray(item.attrs[name]).tolist()

    def contents(path):
        found = {}
        with h5py.File(path, "r") as file:

            def visit(name, item):
                data = (item.dtype.str, item.shape, item[()].tobytes()) if isinstance(item, h5py.Dataset) else "group"
                found[name] = data, {key: attribute(item, key) for key in item.attrs}

            visit("/", file)
            file.visititems(visit)
        return found

    return contents


@pytest.fixture
def small():
    """A checkpoint of two layers, one without weights."""
    kernel = np.arange(12, dtype="float32").reshape(4, 3)
    arrays = [InMemory("dense_1/kernel:0", kernel), InMemory("dense_1/bias:0", np.ones(3, "float32"))]
    groups = [Group("flatten_1", []), Group("dense_1", arrays)]
    return Checkpoint(groups, backend="tensorflow", keras_version="2.3.1")


@pytest.fixture
def load():
    """Reads a file to the end, data and all."""

    def load(path):
        with read(path) as checkpoint:
            for group in checkpoint.groups:
                for array in group.arrays:
                    array.read()
            for array in checkpoint.optimizer:
                array.read()
            return checkpoint

    return load
