"""Random changes of an image, as Keras 1.2.2 makes them: by one affine map, and the nearest pixel.

An image has three axes; row_axis, col_axis and channel_axis say which is which. fill_mode, cval: what is outside of it,
as for `scipy.ndimage`. Angles of shears are in radians. Source: `preprocessing/image.py` of Keras 1.2.2.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ....errors import KconvertError, Problem

Matrix = np.ndarray

# -------------------------------------------------------------------- matrices ----


def rotation(theta: float) -> Matrix:
    """The turn by an angle in radians."""
    return np.array([[np.cos(theta), -np.sin(theta), 0], [np.sin(theta), np.cos(theta), 0], [0, 0, 1]])


def translation(rows: float, columns: float) -> Matrix:
    """The shift by numbers of pixels."""
    return np.array([[1, 0, rows], [0, 1, columns], [0, 0, 1]])


def shearing(angle: float) -> Matrix:
    """The shear by an angle in radians."""
    return np.array([[1, -np.sin(angle), 0], [0, np.cos(angle), 0], [0, 0, 1]])


def zooming(rows: float, columns: float) -> Matrix:
    """The scaling by factors."""
    return np.array([[rows, 0, 0], [0, columns, 0], [0, 0, 1]])


def drawn_zoom(zoom_range: Sequence[float]) -> Matrix:
    """A random scaling by factors in a range."""
    low, high = zoom_range
    return zooming(1, 1) if low == high == 1 else zooming(*np.random.uniform(low, high, 2))


def transform_matrix_offset_center(matrix: Matrix, x: int, y: int) -> Matrix:
    """The same map about the middle of an image with `x` rows and `y` columns."""
    center = translation(x / 2 + 0.5, y / 2 + 0.5)
    return center @ matrix @ translation(-center[0, 2], -center[1, 2])


# ---------------------------------------------------------------------- images ----


def apply_transform(
    x: np.ndarray, transform_matrix: Matrix, channel_axis: int = 0, fill_mode: str = "nearest", cval: float = 0.0
) -> np.ndarray:
    """An image with an affine map applied to each channel."""
    from scipy.ndimage import affine_transform  # type: ignore[import-untyped]

    matrix, offset = transform_matrix[:2, :2], transform_matrix[:2, 2]
    return _by_channel(
        x, channel_axis, lambda one: affine_transform(one, matrix, offset, order=0, mode=fill_mode, cval=cval)
    )


def _by_channel(x: np.ndarray, channel_axis: int, change: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """An image with each of its channels changed."""
    changed = [change(channel) for channel in np.moveaxis(x, channel_axis, 0)]
    return np.moveaxis(np.stack(changed), 0, channel_axis)


def _about_center(
    x: np.ndarray, matrix: Matrix, row_axis: int, col_axis: int, channel_axis: int, fill_mode: str, cval: float
) -> np.ndarray:
    centered = transform_matrix_offset_center(matrix, x.shape[row_axis], x.shape[col_axis])
    return apply_transform(x, centered, channel_axis, fill_mode, cval)


def random_rotation(
    x: np.ndarray,
    rg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
) -> np.ndarray:
    """The image turned by up to `rg` degrees."""
    matrix = rotation(np.pi / 180 * np.random.uniform(-rg, rg))
    return _about_center(x, matrix, row_axis, col_axis, channel_axis, fill_mode, cval)


def random_shift(
    x: np.ndarray,
    wrg: float,
    hrg: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
) -> np.ndarray:
    """The image shifted by up to the part `wrg` of its columns and the part `hrg` of its rows."""
    rows = np.random.uniform(-hrg, hrg) * x.shape[row_axis]
    columns = np.random.uniform(-wrg, wrg) * x.shape[col_axis]
    return apply_transform(x, translation(rows, columns), channel_axis, fill_mode, cval)


def random_shear(
    x: np.ndarray,
    intensity: float,
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
) -> np.ndarray:
    """The image sheared by an angle of up to `intensity`."""
    matrix = shearing(np.random.uniform(-intensity, intensity))
    return _about_center(x, matrix, row_axis, col_axis, channel_axis, fill_mode, cval)


def random_zoom(
    x: np.ndarray,
    zoom_range: Sequence[float],
    row_axis: int = 1,
    col_axis: int = 2,
    channel_axis: int = 0,
    fill_mode: str = "nearest",
    cval: float = 0.0,
) -> np.ndarray:
    """The image scaled by two factors in `zoom_range`. Raises KconvertError where that is not a pair."""
    if len(zoom_range) != 2:
        raise KconvertError(f"zoom_range={zoom_range!r} is not a pair", problem=Problem.USAGE)
    return _about_center(x, drawn_zoom(zoom_range), row_axis, col_axis, channel_axis, fill_mode, cval)


def random_channel_shift(x: np.ndarray, intensity: float, channel_axis: int = 0) -> np.ndarray:
    """The image with up to `intensity` added to each channel, within its smallest and its largest value."""
    low, high = np.min(x), np.max(x)
    return _by_channel(x, channel_axis, lambda one: np.clip(one + np.random.uniform(-intensity, intensity), low, high))


def flip_axis(x: Any, axis: int) -> np.ndarray:
    """The image mirrored along an axis."""
    return np.flip(np.asarray(x), axis)
