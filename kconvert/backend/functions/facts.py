"""Functions that return settings of Keras, for code of users."""

from __future__ import annotations

from ...errors import KconvertError
from ..computing import IMAGES, current_backend


def backend() -> str:
    """The backend whose convention the weights have: 'theano' or 'tensorflow'."""
    return current_backend().convention


def image_data_format() -> str:
    """The data format of the model's images. Raises KconvertError where the layers of the model do not state one."""
    data_format = IMAGES.get()
    if data_format is None:
        raise KconvertError(
            "the layers of the model do not state one data format",
            fix="write the axis of the channels into the function in place of K.image_data_format()",
        )
    return data_format


def image_dim_ordering() -> str:
    """`image_data_format` in the words of Keras 1: 'th' or 'tf'."""
    return {"channels_first": "th", "channels_last": "tf"}[image_data_format()]
