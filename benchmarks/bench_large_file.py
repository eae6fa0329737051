"""A whole model of the size of VGG16 (553 MB), converted there and back: time and memory beside `cp` and `h5repack`.

Exits 1 where kconvert needs 300 MB or more, or where the weights do not come back bit for bit.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from measure import MB, Run, rounds, run, show
from rich.table import Table

from kconvert import hdf5
from kconvert.checkpoint import Checkpoint, Group

LIMIT = 300 * MB
KCONVERT = (sys.executable, "-m", "kconvert")
STAGES = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))  # convolutions, filters; each stage ends in a pooling
HEAD = (("fc1", 25088, 4096), ("fc2", 4096, 4096), ("predictions", 4096, 1000))


# ---------------------------------------------------------------- the file ----


@dataclass(frozen=True)
class Seeded:
    """Random weights, made when they are written, block by block; the seed is the name."""

    name: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any] = np.dtype("float32")

    def read(self, rows: Any = None) -> np.ndarray:
        start, stop, _ = slice(None).indices(self.shape[0]) if rows is None else rows.indices(self.shape[0])
        random = np.random.default_rng([start, *self.name.encode()])
        return random.random((stop - start, *self.shape[1:]), np.float32) - np.float32(0.5)


def layer(kind: str, name: str, **config: Any) -> dict[str, Any]:
    return {"class_name": kind, "config": {"name": name, "trainable": True, **config}}


def vgg16() -> tuple[list[dict[str, Any]], list[Group]]:
    """The layers as Keras 1.2.2 writes them, and their weights as Theano holds them: OIHW kernels."""
    layers, groups, channels = [], [], 3
    for stage, (count, filters) in enumerate(STAGES, 1):
        for k in range(1, count + 1):
            name = f"block{stage}_conv{k}"
            first = {} if layers else {"batch_input_shape": [None, 3, 224, 224], "input_dtype": "float32"}
            layers.append(
                layer(
                    "Convolution2D", name, nb_filter=filters, nb_row=3, nb_col=3, init="glorot_uniform",
                    activation="relu", border_mode="same", subsample=[1, 1], dim_ordering="th", bias=True,
                    **NO_REGULARIZER, **first,
                )
            )  # fmt: skip
            groups.append(weights(name, (filters, channels, 3, 3), filters))
            channels = filters
        name = f"block{stage}_pool"
        pool = {"pool_size": [2, 2], "strides": [2, 2], "border_mode": "valid", "dim_ordering": "th"}
        layers.append(layer("MaxPooling2D", name, **pool))
        groups.append(Group(name, []))
    layers.append(layer("Flatten", "flatten"))
    groups.append(Group("flatten", []))
    for name, features, units in HEAD:
        activation = "softmax" if name == "predictions" else "relu"
        layers.append(
            layer(
                "Dense", name, output_dim=units, input_dim=features, init="glorot_uniform",
                activation=activation, bias=True, **NO_REGULARIZER,
            )
        )  # fmt: skip
        groups.append(weights(name, (features, units), units))
    return layers, groups


NO_REGULARIZER = dict.fromkeys(
    ("W_regularizer", "b_regularizer", "activity_regularizer", "W_constraint", "b_constraint")
)


def weights(name: str, kernel: tuple[int, ...], units: int) -> Group:
    return Group(name, [Seeded(f"{name}_W", kernel), Seeded(f"{name}_b", (units,))])


def make(path: Path) -> None:
    """The file that `model.save` of Keras 1.2.2 on Theano would write."""
    layers, groups = vgg16()
    config = {"class_name": "Sequential", "config": layers}
    hdf5.write(path, Checkpoint("keras1", groups, keras_version="1.2.2", whole_model=True, model_config=config))


# --------------------------------------------------------------- the checks ----


def moved_rightly(theano: Path, tensorflow: Path) -> bool:
    """Kernels flipped and HWIO, the rows of fc1 from CHW to HWC: written out once more, without kconvert."""
    with h5py.File(theano) as old, h5py.File(tensorflow) as new:

        def kernel(file: h5py.File, name: str) -> h5py.Dataset:
            group = file["model_weights"][name]
            return group[group.attrs["weight_names"][0].decode()]

        convolutions = all(
            np.array_equal(
                kernel(new, name), kernel(old, name)[:, :, ::-1, ::-1].transpose(2, 3, 1, 0)
            )
            for name in ("block1_conv1", "block5_conv3")
        )
        c, h, w = np.meshgrid([0, 1, 300, 511], [0, 2, 6], [0, 5, 6], indexing="ij")
        pairs = zip(((c * 7 + h) * 7 + w).flat, ((h * 7 + w) * 512 + c).flat, strict=True)
        old_fc1, new_fc1 = kernel(old, "fc1"), kernel(new, "fc1")
        return convolutions and all(np.array_equal(old_fc1[i], new_fc1[j]) for i, j in pairs)


def same_weights(left: Path, right: Path) -> bool:
    """Whether all arrays of two files are equal bit for bit, in order."""
    with hdf5.read(left) as one, hdf5.read(right) as other:
        ours, theirs = ([array for group in file.groups for array in group.arrays] for file in (one, other))
        return len(ours) == len(theirs) and all(
            (a.shape, a.dtype) == (b.shape, b.dtype) and all(
                a.read(rows).tobytes() == b.read(rows).tobytes() for rows in hdf5.blocks(a.shape, a.dtype.itemsize)
            )
            for a, b in zip(ours, theirs, strict=True)
        )
