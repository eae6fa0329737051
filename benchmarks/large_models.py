"""Large files and files of many layers that Keras 1.2.2 on Theano would write, with seeded weights."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from kconvert.conventions.generations import GENERATIONS
from kconvert.formats import hdf5
from kconvert.formats.checkpoint import Checkpoint, Group
from kconvert.formats.parts import InOrder, Part, indices

STAGES = ((64, 64), (128, 128), (256,) * 3, (512,) * 3, (512,) * 3)  # filters; a pooling ends each stage
HEAD = (("fc1", 4096, "relu"), ("fc2", 4096, "relu"), ("predictions", 1000, "softmax"))
FLOAT = np.dtype("float32")
FREE = dict.fromkeys(("W_regularizer", "b_regularizer", "activity_regularizer", "W_constraint", "b_constraint"))
CONVOLUTION = {
    "nb_row": 3, "nb_col": 3, "init": "glorot_uniform", "activation": "relu", "border_mode": "same",
    "subsample": [1, 1], "dim_ordering": "th", "bias": True, **FREE,
}  # fmt: skip
POOLING = {"pool_size": [2, 2], "strides": [2, 2], "border_mode": "valid", "dim_ordering": "th"}
DENSE = {"init": "glorot_uniform", "bias": True, **FREE}

Layer = tuple[str, str, dict[str, Any], tuple[int, ...]]
"""Class, name and configuration of a layer as Keras 1.2.2 stores them, and the shape of its kernel on Theano."""


@dataclass(frozen=True)
class Seeded(InOrder):
    """Random weights, made block by block while they are written; the name is the seed."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any] = FLOAT

    def read(self, part: Part | None = None) -> np.ndarray:
        wanted = indices(part or (slice(None),) * len(self.shape), self.shape)
        random = np.random.default_rng([*(index[0] for index in wanted), *self.name.encode()])
        return random.random([len(index) for index in wanted], np.float32) - np.float32(0.5)


def vgg16() -> Iterator[Layer]:
    """553 MB."""
    channels = 3
    for stage, widths in enumerate(STAGES, 1):
        for k, filters in enumerate(widths, 1):
            shape = {"batch_input_shape": [None, 3, 224, 224], "input_dtype": "float32"} if channels == 3 else {}
            config = {"nb_filter": filters, **CONVOLUTION, **shape}
            yield "Convolution2D", f"block{stage}_conv{k}", config, (filters, channels, 3, 3)
            channels = filters
        yield "MaxPooling2D", f"block{stage}_pool", POOLING, ()
    yield "Flatten", "flatten", {}, ()
    features = 7 * 7 * channels
    for name, units, activation in HEAD:
        config = {"output_dim": units, "input_dim": features, "activation": activation, **DENSE}
        yield "Dense", name, config, (features, units)
        features = units


def one_convolution(size: int) -> Iterator[Layer]:
    """One kernel of about `size` bytes, 3 x 3."""
    filters = channels = round((size / FLOAT.itemsize / 9) ** 0.5)
    shape = {"batch_input_shape": [None, channels, 8, 8], "input_dtype": "float32"}
    yield "Convolution2D", "conv", {"nb_filter": filters, **CONVOLUTION, **shape}, (filters, channels, 3, 3)


def one_dense(size: int) -> Iterator[Layer]:
    """One kernel of about `size` bytes, whose rows a convolution of Theano's data format reorders."""
    channels, units = 64, 4096
    positions = max(1, round((size / FLOAT.itemsize / units / channels) ** 0.5))
    shape = {"batch_input_shape": [None, 3, positions, positions], "input_dtype": "float32"}
    yield "Convolution2D", "conv", {"nb_filter": channels, **CONVOLUTION, **shape}, (channels, 3, 3, 3)
    yield "Flatten", "flatten", {}, ()
    features = positions * positions * channels
    config = {"output_dim": units, "input_dim": features, "activation": "relu", **DENSE}
    yield "Dense", "dense", config, (features, units)


def deep(count: int) -> Iterator[Layer]:
    """`count` small convolutions in a row, with names so short that 10,000 fit into an attribute of Keras 1."""
    for k in range(count):
        shape = {"batch_input_shape": [None, 4, 8, 8], "input_dtype": "float32"} if k == 0 else {}
        yield "Convolution2D", f"c{k + 1}", {"nb_filter": 4, **CONVOLUTION, **shape}, (4, 4, 3, 3)


def weights(kind: str, name: str, kernel: tuple[int, ...]) -> list[Seeded]:
    if not kernel:
        return []
    units = kernel[0] if kind == "Convolution2D" else kernel[-1]
    return [Seeded(f"{name}_W", kernel), Seeded(f"{name}_b", (units,))]


def make(path: Path, model: Iterator[Layer]) -> None:
    """Writes the file that `model.save` of Keras 1.2.2 on Theano would write."""
    described = list(model)
    layers = [
        {"class_name": kind, "config": {"name": name, "trainable": True, **config}}
        for kind, name, config, _ in described
    ]
    groups = [Group(name, weights(kind, name, kernel)) for kind, name, _, kernel in described]
    config = {"class_name": "Sequential", "config": layers}
    checkpoint = Checkpoint(groups, keras_version="1.2.2", whole_model=True, model_config=config)
    hdf5.write(path, checkpoint, GENERATIONS["keras1"])


def compress(path: Path, target: Path) -> None:
    """Copies a file with its large arrays in gzip chunks, chunk by chunk."""
    with h5py.File(path) as source, h5py.File(target, "w") as result:

        def copy(name: str, item: h5py.Group | h5py.Dataset) -> None:
            if isinstance(item, h5py.Group):
                made: Any = result.require_group(name)
            else:
                large = item.nbytes > 2**20
                options = {"chunks": True, "compression": "gzip", "compression_opts": 1} if large else {}
                made = result.create_dataset(name, item.shape, item.dtype, **options)
                for chunk in made.iter_chunks() if large else [()]:
                    made[chunk] = item[chunk]
            made.attrs.update(item.attrs)

        result.attrs.update(source.attrs)
        source.visititems(copy)


if __name__ == "__main__":
    compress(*map(Path, sys.argv[1:]))
