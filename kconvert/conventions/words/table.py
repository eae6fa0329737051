"""The words in which each generation of Keras describes architectures, as rows of a table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

from ..._version import __version__
from ...lazy_dataclasses import dataclass
from . import keras0, keras0_writing, keras1, keras2, keras3, keras3_reading, keras3_writing, tf_keras_writing
from .files import keys
from .items import Json
from .keras1 import Defaults


@dataclass(frozen=True)
class Context:
    """What an architecture in some words depends on, beside the `{'class_name', 'config'}` that is written."""

    keras_version: str
    # the numbers of keras_version
    version: tuple[int, ...]
    backend: str
    # the names of the layers in the order in which they were added
    order: Sequence[str]
    # the names of the user's classes
    custom: Collection[str]
    # what a layer of a class has for the keys that its configuration does not state
    defaults: Defaults
    # computes the shapes of the tensors of all networks in the architecture
    graphs: Callable[[], keras3_writing.Graphs]


@dataclass(frozen=True)
class Words:
    """One way to describe architectures."""

    # whether the configurations that `write` takes have the options that Keras 2 dropped
    old_options: bool
    # whether an architecture that states no release is in these words
    recognizes: Callable[[Any], bool]
    # from (architecture, data format of the layers that state none, names of the user's classes) to Keras 2's
    # {'class_name', 'config'}
    read: Callable[[Json, str | None, Collection[str]], Json]
    # from Keras 2's {'class_name', 'config'} to the architecture
    write: Callable[[Json, Context], Json]


# ------------------------------------------------------------------ Keras 0 ----


def _read_keras0(config: Json, data_format: str | None, custom: Collection[str]) -> Json:
    return keras1.to_keras2(keras0.to_keras1(config), data_format, custom)


def _write_keras0(item: Json, context: Context) -> Json:
    written = keras0_writing.to_keras0(keras1.to_keras1(item, context.custom, context.defaults), context.order)
    return keras0_writing.for_release(written, context.version)


KERAS0 = Words(old_options=True, recognizes=keras0.is_keras0, read=_read_keras0, write=_write_keras0)


# ------------------------------------------------------------------ Keras 1 ----

_ONLY_KERAS1 = {"nb_filter", "border_mode", "dim_ordering", "W_regularizer", "consume_less", "input_dtype"}


def _write_keras1(item: Json, context: Context) -> Json:
    written = keras1.write(item, context.version, context.custom, context.defaults)
    return {**written, "keras_version": context.keras_version}


KERAS1 = Words(
    old_options=True,
    recognizes=lambda config: not _ONLY_KERAS1.isdisjoint(keys(config)),
    read=keras1.read,
    write=_write_keras1,
)


# ------------------------------------------------------------------ Keras 2 ----


def _write_keras2(item: Json, context: Context) -> Json:
    """For tf_keras too, which runs on TensorFlow alone."""
    written = keras2.write(item, context.version)
    if context.version >= tf_keras_writing.FIRST_RELEASE and context.backend in tf_keras_writing.BACKENDS:
        written = tf_keras_writing.write(written, context.custom, context.defaults)
    return {**written, "keras_version": context.keras_version, "backend": context.backend}


KERAS2 = Words(
    old_options=False,
    recognizes=lambda config: True,
    read=lambda config, data_format, custom: keras2.read(config),
    write=_write_keras2,
)

# ------------------------------------------------------------------ Keras 3 ----


def _write_keras3(item: Json, context: Context) -> Json:
    return {**keras3_writing.write(item, context.graphs(), context.defaults), keras3.STAMP: __version__}


KERAS3 = Words(
    old_options=False,
    recognizes=keras3.is_architecture,
    read=lambda config, data_format, custom: keras2.read(keras3_reading.read(config)),
    write=_write_keras3,
)

WORDS = (KERAS0, KERAS1, KERAS3, KERAS2)
"""In the order in which they are tried on an architecture: the last one takes what the others do not recognize."""
