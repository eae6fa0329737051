"""The data format of a layer of images that states none: the default one of `backend.image_format`.

Layers that are read from a file do not follow it: what a file leaves out is channels_last.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backend.image_format import default_data_format
from ..conventions.backends import CHANNELS_LAST
from .component_names import are_checked

_OF_IMAGES = (
    "Flatten ConvLSTM2D Conv2D Conv3D Conv2DTranspose Conv3DTranspose SeparableConv2D DepthwiseConv2D "
    "LocallyConnected2D MaxPooling2D MaxPooling3D AveragePooling2D AveragePooling3D GlobalMaxPooling2D "
    "GlobalMaxPooling3D GlobalAveragePooling2D GlobalAveragePooling3D UpSampling2D UpSampling3D ZeroPadding2D "
    "ZeroPadding3D Cropping2D Cropping3D SpatialDropout2D SpatialDropout3D"
)
FOLLOWING = frozenset(_OF_IMAGES.split())
"""The classes whose data format is the default one of Keras; that of sequences is always channels_last."""


def with_default_format(name: str, words: Sequence[str], given: int, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments of the class `name`, with the default data format where it is not channels_last.

    words: those of the arguments that may go by position; given: how many did.
    """
    if name not in FOLLOWING or "data_format" in words[:given] or kwargs.get("data_format") is not None:
        return kwargs
    default = default_data_format() if are_checked() else CHANNELS_LAST
    return kwargs if default == CHANNELS_LAST else {**kwargs, "data_format": default}
