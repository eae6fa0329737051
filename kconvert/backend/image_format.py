"""The default data format of layers. It is set by `keras.backend`, or in `~/.keras/keras.json`."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from contextvars import ContextVar
from pathlib import Path

from ..conventions.backends import CHANNELS_LAST, DATA_FORMATS
from ..conventions.words.values import parse_json
from ..errors import KconvertError, Problem
from .context import assigned

DIM_ORDERINGS = {"channels_first": "th", "channels_last": "tf"}
"""The names of the data formats in Keras 1."""

_WORDS = {"image_data_format": DATA_FORMATS, "image_dim_ordering": tuple(DIM_ORDERINGS.values())}
"""The keys of `keras.json` in Keras 2 and in Keras 1, with their values."""


class _State:
    """The data format that was set, and whether `keras.json` states one."""

    stated: str | None = None
    follows_file = False


def follow_keras_json() -> None:
    """Takes the data format from `~/.keras/keras.json` from now on, where none is set, as Keras does."""
    _State.follows_file = True


_UNSET: ContextVar[bool] = ContextVar("unset", default=False)


def without_settings() -> AbstractContextManager[None]:
    """In the block, layers that state no data format are channels_last, whatever is set."""
    return assigned(_UNSET, True)


def default_data_format() -> str:
    """That of layers which state none. Raises KconvertError where `keras.json` cannot be read."""
    if _UNSET.get():
        return CHANNELS_LAST
    if _State.stated is None and _State.follows_file:
        _State.stated = _in_file()
    return _State.stated or CHANNELS_LAST


def set_default_data_format(data_format: str | None) -> None:
    """Sets it; None: nothing is set. Raises KconvertError for an unknown one."""
    if data_format not in (None, *DATA_FORMATS):
        fix = f"one of: {', '.join(DATA_FORMATS)}"
        raise KconvertError(f"unknown data format {data_format!r}", fix=fix, problem=Problem.USAGE)
    _State.stated = data_format


def _in_file() -> str:
    path = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
    if not path.is_file():
        return CHANNELS_LAST
    try:
        settings = parse_json(path.read_text())
        if not isinstance(settings, dict):
            raise ValueError("it is not an object")
        for word, values in _WORDS.items():
            if settings.get(word, values[0]) not in values:
                raise ValueError(f"{word} is {settings[word]!r}")
    except ValueError as error:
        raise KconvertError(f"the settings of Keras cannot be read: {error}", str(path), "mend or remove it") from None
    formats = {ordering: data_format for data_format, ordering in DIM_ORDERINGS.items()}
    older = formats.get(settings.get("image_dim_ordering", ""), CHANNELS_LAST)
    return str(settings.get("image_data_format", older))
