"""Files that are wrong in one place."""

import json

import h5py
import numpy as np

from kconvert import convert
from tests.fixtures import case


def converted(name, folder, release="2.3.1", saved_by="theano", **options):
    """(source, a conversion of it that may be damaged)."""
    found = case(f"{release}-{saved_by}/{name}")
    out = folder / f"{name}.h5"
    convert(found.model, out, found.backend, found.other, source_data_format=found.data_format, **options)
    return found.model, out


def arrays(file):
    """The datasets of the weights by `layer:weight`."""
    weights = file["model_weights"]
    found = {}
    for layer in weights.attrs["layer_names"].astype(str):
        for name in weights[layer].attrs["weight_names"].astype(str):
            found[f"{layer}:{name.removesuffix(':0').rpartition('/')[2]}"] = weights[layer][name]
    return found


def damage(path, **changes):
    """Changes arrays of a file: `layer:weight` with a function."""
    with h5py.File(path, "r+") as file:
        found = arrays(file)
        for name, change in changes.items():
            dataset = found[name]
            before = dataset[()]
            after = change(before)
            assert not np.array_equal(before, after), "this damage changes nothing"
            dataset[...] = after


def swap(path, first, second):
    with h5py.File(path, "r+") as file:
        found = arrays(file)
        one, two = found[first][()], found[second][()]
        assert not np.array_equal(one, two)
        found[first][...], found[second][...] = two, one


def reconfigure(path, change):
    """Changes the architecture in a file."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        change({entry["config"]["name"]: entry["config"] for entry in config["config"]["layers"]})
        file.attrs["model_config"] = json.dumps(config)
