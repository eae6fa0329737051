"""The dim_ordering that layers have which state none: `~/.keras/keras.json`, and `K.set_image_dim_ordering`."""

from __future__ import annotations

from pathlib import Path

from ...conventions.words.values import parse_json
from ...errors import KconvertError, Problem

DATA_FORMATS = {"th": "channels_first", "tf": "channels_last"}
ORDERINGS = {data_format: ordering for ordering, data_format in DATA_FORMATS.items()}
_SET: list[str] = []


def image_dim_ordering() -> str:
    """'th' or 'tf'. Raises KconvertError where `keras.json` states something else."""
    if not _SET:
        set_image_dim_ordering(_stated())
    return _SET[-1]


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Sets it to 'th' or 'tf'. Raises KconvertError for anything else."""
    if dim_ordering not in DATA_FORMATS:
        raise KconvertError(f"unknown dim_ordering {dim_ordering!r}", fix="use 'th' or 'tf'", problem=Problem.USAGE)
    _SET[:] = [dim_ordering]


def _stated() -> str:
    path = Path.home() / ".keras" / "keras.json"
    if not path.is_file():
        return "tf"
    try:
        settings = parse_json(path.read_text())
        if not isinstance(settings, dict):
            raise ValueError("it is not an object")
    except ValueError as error:
        raise KconvertError(f"the settings of Keras cannot be read: {error}", str(path), "mend or remove it") from None
    later = ORDERINGS.get(settings.get("image_data_format", ""), "tf")
    return str(settings.get("image_dim_ordering", later))
