"""Reads and writes images, and makes batches of randomly changed images: `keras.preprocessing.image` of Keras 1.2.2."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ....errors import KconvertError, Problem, warn
from ....keras.own.preprocessing.library import library
from ..settings import data_format_of
from .transforms import (
    apply_transform,
    drawn_zoom,
    flip_axis,
    random_channel_shift,
    rotation,
    shearing,
    transform_matrix_offset_center,
    translation,
)
from .transforms import random_rotation as random_rotation
from .transforms import random_shear as random_shear
from .transforms import random_shift as random_shift
from .transforms import random_zoom as random_zoom

# ------------------------------------------------------------ files and arrays ----


def array_to_img(x: Any, dim_ordering: str = "default", scale: bool = True) -> Any:
    """An image of Pillow with the pixels `x`; scale: whether their largest value becomes 255."""
    return library("image").array_to_img(np.asarray(x), data_format_of(dim_ordering), scale)


def img_to_array(img: Any, dim_ordering: str = "default") -> np.ndarray:
    """The pixels of an image of Pillow, float32: (rows, columns, channels), in 'th' (channels, rows, columns)."""
    pixels: np.ndarray = library("image").img_to_array(img, data_format_of(dim_ordering))
    return pixels


def load_img(path: str, grayscale: bool = False, target_size: Any = None) -> Any:
    """The image in a file; target_size: (rows, columns) to scale it to."""
    return library("image").load_img(path, color_mode="grayscale" if grayscale else "rgb", target_size=target_size)


def list_pictures(directory: str, ext: str = "jpg|jpeg|bmp|png") -> list[str]:
    """The paths of the images in a folder and in those below; ext: their endings."""
    files = (os.path.join(root, name) for root, _, names in os.walk(directory) for name in names)
    return [path for path in files if re.match(rf"([\w]+\.(?:{ext}))", os.path.basename(path))]


# --------------------------------------------------------------------- batches ----


def _generator() -> Any:
    """`ImageDataGenerator` of Keras 1.2.2; its base class, which the package has, reads and cuts the data."""

    class ImageDataGenerator(library("image").ImageDataGenerator):  # type: ignore[misc]
        """Batches of randomly changed images, without end."""

        def __init__(
            self,
            featurewise_center: bool = False,
            samplewise_center: bool = False,
            featurewise_std_normalization: bool = False,
            samplewise_std_normalization: bool = False,
            zca_whitening: bool = False,
            rotation_range: float = 0.0,
            width_shift_range: float = 0.0,
            height_shift_range: float = 0.0,
            shear_range: float = 0.0,
            zoom_range: Any = 0.0,
            channel_shift_range: float = 0.0,
            fill_mode: str = "nearest",
            cval: float = 0.0,
            horizontal_flip: bool = False,
            vertical_flip: bool = False,
            rescale: float | None = None,
            preprocessing_function: Callable[..., Any] | None = None,
            dim_ordering: str = "default",
        ) -> None:
            super().__init__(
                rotation_range=rotation_range,
                width_shift_range=width_shift_range,
                height_shift_range=height_shift_range,
                shear_range=shear_range,
                zoom_range=zoom_range,
                channel_shift_range=channel_shift_range,
                fill_mode=fill_mode,
                cval=cval,
                horizontal_flip=horizontal_flip,
                vertical_flip=vertical_flip,
                preprocessing_function=preprocessing_function,
                data_format=data_format_of(dim_ordering),
                dtype="float32",
            )
            # The base class sets some of these where others are set.
            self.featurewise_center, self.samplewise_center = featurewise_center, samplewise_center
            self.featurewise_std_normalization = featurewise_std_normalization
            self.samplewise_std_normalization = samplewise_std_normalization
            self.zca_whitening, self.rescale = zca_whitening, rescale

        def flow(
            self,
            X: Any,
            y: Any = None,
            batch_size: int = 32,
            shuffle: bool = True,
            seed: int | None = None,
            save_to_dir: str | None = None,
            save_prefix: str = "",
            save_format: str = "jpeg",
        ) -> Any:
            """The batches of arrays. Raises KconvertError where images do not have 1, 3 or 4 channels."""
            _check_channels(np.asarray(X), self.channel_axis)
            return super().flow(
                np.asarray(X),
                y,
                batch_size,
                shuffle,
                seed=seed,
                save_to_dir=save_to_dir,
                save_prefix=save_prefix,
                save_format=save_format,
            )

        def flow_from_directory(
            self,
            directory: str,
            target_size: Any = (256, 256),
            color_mode: str = "rgb",
            classes: Any = None,
            class_mode: str | None = "categorical",
            batch_size: int = 32,
            shuffle: bool = True,
            seed: int | None = None,
            save_to_dir: str | None = None,
            save_prefix: str = "",
            save_format: str = "jpeg",
            follow_links: bool = False,
        ) -> Any:
            """The batches of the images in the folders below `directory`, one folder for each class."""
            if class_mode not in ("categorical", "binary", "sparse", None):
                raise KconvertError(f"unknown class_mode {class_mode!r}", problem=Problem.USAGE)
            found = super().flow_from_directory(
                directory,
                target_size,
                color_mode,
                classes,
                class_mode,
                batch_size,
                shuffle,
                seed,
                save_to_dir,
                save_prefix,
                save_format,
                follow_links,
            )
            found.nb_sample, found.nb_class = found.samples, found.num_classes
            return found

        def get_random_transform(self, img_shape: Any, seed: int | None = None) -> dict[str, Any]:
            """Nothing: an image is changed at once, by `apply_transform`."""
            return {}

        def apply_transform(self, x: np.ndarray, transform_parameters: Any = None) -> np.ndarray:
            """The image, randomly changed."""
            rows, columns, channels = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
            x = apply_transform(
                x, self._drawn_matrix(x.shape[rows], x.shape[columns]), channels, self.fill_mode, self.cval
            )
            if self.channel_shift_range != 0:
                x = random_channel_shift(x, self.channel_shift_range, channels)
            for flips, axis in ((self.horizontal_flip, columns), (self.vertical_flip, rows)):
                if flips and np.random.random() < 0.5:
                    x = flip_axis(x, axis)
            return x

        def _drawn_matrix(self, rows: int, columns: int) -> np.ndarray:
            """A random turn, shift, shear and scaling of an image, about its middle."""
            theta = np.pi / 180 * _drawn(self.rotation_range)
            shift = _drawn(self.height_shift_range) * rows, _drawn(self.width_shift_range) * columns
            matrix = rotation(theta) @ translation(*shift) @ shearing(_drawn(self.shear_range))
            return transform_matrix_offset_center(matrix @ drawn_zoom(self.zoom_range), rows, columns)

        def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
            """The image, randomly changed."""
            return self.apply_transform(x)

        def standardize(self, x: np.ndarray) -> np.ndarray:
            """The image with the normalizations that are set; those of a sample are along its channels."""
            x = self.preprocessing_function(x) if self.preprocessing_function else x
            x = x * self.rescale if self.rescale else x
            channels = self.channel_axis - 1
            if self.samplewise_center:
                x = x - np.mean(x, axis=channels, keepdims=True)
            if self.samplewise_std_normalization:
                x = x / (np.std(x, axis=channels, keepdims=True) + 1e-7)
            if self.featurewise_center and self._is_fitted(self.mean):
                x = x - self.mean
            if self.featurewise_std_normalization and self._is_fitted(self.std):
                x = x / (self.std + 1e-7)
            if self.zca_whitening and self._is_fitted(self.principal_components):
                x = np.reshape(np.reshape(x, x.size) @ self.principal_components, x.shape)
            return x

        def _is_fitted(self, statistics: np.ndarray | None) -> bool:
            """Whether `fit` computed the statistics; if not, warns that they have no effect, as Keras does."""
            if statistics is None:
                warn("the ImageDataGenerator was not fitted: call fit(x) first")
            return statistics is not None

        def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
            """Computes the statistics of the data set, before any `rescale`.

            augment: whether of `rounds` times the images, randomly changed. Raises KconvertError where the images do
            not have 1, 3 or 4 channels.
            """
            _check_channels(np.asarray(x), self.channel_axis)
            rescale, self.rescale = self.rescale, None
            super().fit(x, augment, rounds, seed)
            self.rescale = rescale

    return ImageDataGenerator


def _check_channels(x: np.ndarray, axis: int) -> None:
    if x.ndim == _AXES and x.shape[axis] not in _CHANNELS:
        what = f"the images have {x.shape[axis]} channels along axis {axis}, which is neither 1, 3 nor 4"
        raise KconvertError(what, fix="give dim_ordering='th' or 'tf'", problem=Problem.USAGE)


_AXES = 4
"""The number of axes of an array of images."""
_CHANNELS = (1, 3, 4)
"""The numbers of channels that images may have."""


def _drawn(most: float) -> float:
    """A random number from -most to most; nothing is drawn where it is 0."""
    return float(np.random.uniform(-most, most)) if most else 0.0


_OF_THE_PACKAGE = ("Iterator", "NumpyArrayIterator", "DirectoryIterator")


@cache
def __getattr__(name: str) -> Any:
    """`ImageDataGenerator`, and the iterators that it returns. Raises AttributeError for any other name."""
    if name == "ImageDataGenerator":
        return _generator()
    if name in _OF_THE_PACKAGE:
        return getattr(library("image"), name)
    raise AttributeError(name)
