"""The dim_ordering that layers have which state none: `~/.keras/keras.json`, and `K.set_image_dim_ordering`."""

from __future__ import annotations

from ...backend.image_format import DIM_ORDERINGS, default_data_format, set_default_data_format
from ...errors import KconvertError, Problem

GENERATION = "keras1"
"""The generation of Keras in whose form layers and models show their weights, and files are written."""

ORDERINGS = DIM_ORDERINGS
DATA_FORMATS = {ordering: data_format for data_format, ordering in ORDERINGS.items()}


def image_dim_ordering() -> str:
    """'th' or 'tf'. Raises KconvertError where `keras.json` states something else."""
    return ORDERINGS[default_data_format()]


def set_image_dim_ordering(dim_ordering: str) -> None:
    """Sets it to 'th' or 'tf'. Raises KconvertError for anything else."""
    set_default_data_format(data_format_of(dim_ordering))


def data_format_of(dim_ordering: str) -> str:
    """The data format that 'th', 'tf' or 'default' means. Raises KconvertError for anything else."""
    if dim_ordering == "default":
        return default_data_format()
    if dim_ordering not in DATA_FORMATS:
        raise KconvertError(f"unknown dim_ordering {dim_ordering!r}", fix="use 'th' or 'tf'", problem=Problem.USAGE)
    return DATA_FORMATS[dim_ordering]
