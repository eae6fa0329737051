"""The functions of `scipy.misc` that read, write and resize images, as SciPy 0.19 documents them. They need Pillow."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import KconvertError, Problem


def imread(name: Any, flatten: bool = False, mode: str | None = None) -> np.ndarray:
    """The pixels of an image file: (height, width) or (height, width, channels).

    flatten: as one channel of grey, float32. mode: a mode of Pillow to convert to first.
    """
    with _pillow().open(name) as image:
        image = image.convert(mode) if mode else image
        return np.asarray(image.convert("F") if flatten else image)


def imsave(name: Any, arr: Any, format: str | None = None) -> None:
    """Writes pixels as an image file; those that are not uint8 are scaled to 0 ... 255 first."""
    toimage(arr).save(name, format)


def imresize(arr: Any, size: Any, interp: str = "bilinear", mode: str | None = None) -> np.ndarray:
    """Pixels in another size, uint8.

    size: percent if it is an int, a factor if it is a float, else (height, width). interp: 'nearest', 'bilinear',
    'bicubic', 'lanczos' or 'cubic'.
    """
    image = toimage(arr)
    image = image.convert(mode) if mode else image
    width, height = image.size
    if isinstance(size, int | float | np.number):
        factor = size / 100 if isinstance(size, int | np.integer) else size
        new = (int(width * factor), int(height * factor))
    else:
        new = (int(size[1]), int(size[0]))
    filters = {"nearest": 0, "lanczos": 1, "bilinear": 2, "bicubic": 3, "cubic": 3}
    if interp not in filters:
        raise KconvertError(f"unknown interp {interp!r}", fix=f"one of: {', '.join(filters)}", problem=Problem.USAGE)
    return np.asarray(image.resize(new, filters[interp]))


def toimage(arr: Any) -> Any:
    """Pixels as an image of Pillow; three or four channels may be the first axis or the last one."""
    pixels = bytescale(np.asarray(arr))
    if pixels.ndim == 3:
        at = next((axis for axis in (0, 1, 2) if pixels.shape[axis] == 3), None)
        at = next((axis for axis in (0, 1, 2) if pixels.shape[axis] == 4), None) if at is None else at
        if at is None:
            raise KconvertError(f"an image has 3 or 4 channels, not the shape {pixels.shape}", problem=Problem.USAGE)
        pixels = np.moveaxis(pixels, at, 2)
    elif pixels.ndim != 2:
        raise KconvertError(f"an image has 2 or 3 axes, not the shape {pixels.shape}", problem=Problem.USAGE)
    return _pillow().fromarray(np.ascontiguousarray(pixels))


def bytescale(data: np.ndarray, low: int = 0, high: int = 255) -> np.ndarray:
    """Numbers from their smallest to their largest as uint8 from `low` to `high`; uint8 stay as they are."""
    if data.dtype == np.uint8:
        return data
    smallest, largest = float(data.min()), float(data.max())
    scaled = (data - smallest) * ((high - low) / ((largest - smallest) or 1.0)) + low
    return (scaled.clip(low, high) + 0.5).astype("uint8")


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise KconvertError("images need the package Pillow", fix="pip install pillow", problem=Problem.USAGE) from None
    return Image
