"""Writes the event files that TensorBoard reads, with TensorFlow. TensorBoard itself is not needed."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike, fspath
from typing import Any

import numpy as np

from . import tensorflow_compat

SCALAR, TENSOR = 1, 2  # values of DataClass in TensorFlow's summary.proto
BUCKETS = 30


class Writer:
    """Writes event files for TensorBoard's plugins `scalars` and `histograms`.

    folder: where the files are written; the first value creates it.
    """

    def __init__(self, folder: str | PathLike[str]) -> None:
        self.tf = tensorflow_compat.load()
        self.folder = fspath(folder)
        self.writer: Any = None

    def scalars(self, step: int, values: Mapping[str, Any]) -> None:
        """Writes one point of each curve, by the name of the curve."""
        self._write("scalars", SCALAR, step, {name: np.float32(value) for name, value in values.items()})

    def histograms(self, step: int, values: Mapping[str, np.ndarray]) -> None:
        """Writes the distribution of each array, by the name of the array."""
        self._write("histograms", TENSOR, step, {name: _buckets(value) for name, value in values.items()})

    def _write(self, plugin: str, data_class: int, step: int, values: Mapping[str, Any]) -> None:
        if not values:
            return
        metadata = self.tf.compat.v1.SummaryMetadata(data_class=data_class)
        metadata.plugin_data.plugin_name = plugin
        self.writer = self.writer or self.tf.summary.create_file_writer(self.folder)
        with self.writer.as_default():
            for name, value in values.items():
                self.tf.summary.write(name, value, step, metadata)
        self.writer.flush()

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()


def _buckets(values: np.ndarray) -> np.ndarray:
    """The histogram of the values: (left edge, right edge, count) of each bucket, (BUCKETS, 3)."""
    counts, edges = np.histogram(values, BUCKETS)
    return np.stack([edges[:-1], edges[1:], counts], 1)
