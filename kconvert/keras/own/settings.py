"""The settings of `keras.backend`: types, data formats, the learning phase and the numbers of names."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np

from ...backend import default_backend
from ...backend import functions as F
from ...backend.computing import IMAGES, TRAINING, is_computing
from ...backend.float_settings import epsilon as epsilon
from ...backend.float_settings import floatx as floatx
from ...backend.float_settings import set_epsilon as set_epsilon
from ...backend.float_settings import set_floatx as set_floatx
from ...backend.image_format import default_data_format, set_default_data_format
from ...conventions.words.rules import DIM_ORDERING
from ...errors import KconvertError, Problem
from ...layers.names import next_number, reset_names
from ...layers.phase import FIXED
from ...layers.shapes import data_format_of, one_of


def backend() -> str:
    """The name of the default backend: 'theano' or 'tensorflow'."""
    return F.backend() if is_computing() else default_backend()


def image_data_format() -> str:
    """The data format of images: that of the layers of the running model, else that of layers which state none."""
    return IMAGES.get() or default_data_format()


def set_image_data_format(data_format: str) -> None:
    """Sets the data format of layers that state none. Raises KconvertError for an unknown one."""
    set_default_data_format(str(data_format))


def image_dim_ordering() -> str:
    """The data format of images in the words of Keras 1: 'th' or 'tf'."""
    return str(DIM_ORDERING[1](image_data_format()))


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Sets the data format of layers that state none: 'th' or 'tf'. Raises KconvertError for another word."""
    set_image_data_format(DIM_ORDERING[0](one_of(dim_ordering, ("th", "tf"), "dim_ordering")))


def only(value: Any, known: Any, name: str) -> None:
    """Raises KconvertError where the function `name` is given a value other than the one that is supported."""
    if value != known:
        raise KconvertError(f"{name}({value!r}) is not supported, only {known!r}")


def normalize_data_format(value: str | None) -> str:
    """The data format `value`; that of the configuration for None. Raises KconvertError for an unknown one."""
    return data_format_of(image_data_format() if value is None else value.lower())


class LearningPhase:
    """The flag of the phase as an input of `function`: 1 in training, 0 in testing."""


PHASE = LearningPhase()


def learning_phase() -> Any:
    """The flag of the phase, to be given to `function` as an input; the value that `set_learning_phase` set, if any.

    While a layer computes, it is 1 in training and 0 in testing.
    """
    if is_computing():
        return int(TRAINING.get())
    fixed = FIXED["phase"]
    return PHASE if fixed is None else fixed


def set_learning_phase(value: int) -> None:
    """Sets the phase of `function`, and of the layers that are called from now on: 1 is training, 0 is testing.

    Models compute these layers so in each method: a Dropout of phase 1 drops in `predict`, one of phase 0 never does.
    """
    if value not in (0, 1):
        raise KconvertError(f"the learning phase is 0 or 1, not {value!r}", problem=Problem.USAGE)
    FIXED["phase"] = int(value)


def name_scope(name: str) -> AbstractContextManager[None]:
    """A block that has no effect: operations have no names here."""
    return nullcontext()


def get_uid(prefix: str = "") -> int:
    """The next number for a name that begins with `prefix`; the names of layers and models count on from it."""
    return next_number(prefix)


def reset_uids() -> None:
    """Begins the numbers of `get_uid`, and of the names of layers and models, at 1 again."""
    reset_names()


def clear_session() -> None:
    """Begins the numbers of names and the phase anew; models hold all else themselves."""
    reset_uids()
    FIXED["phase"] = None


def manual_variable_initialization(value: bool) -> None:
    """Has no effect: variables have their values from the beginning."""


def cast_to_floatx(x: Any) -> Any:
    """An array of `floatx` with the values of `x`; a tensor while a backend computes."""
    return F.cast_to_floatx(x) if is_computing() else np.asarray(x, floatx())
