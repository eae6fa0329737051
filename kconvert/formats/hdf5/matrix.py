"""HDF5Matrix: a data set of an HDF5 file in place of an array (`keras.utils.io_utils`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import h5py
import numpy as np

from ...errors import AlsoKeyError, KconvertError, Problem


class HDF5Matrix:
    """The samples `start` to `end` of a data set in an HDF5 file, which are read when they are needed.

    datapath: of the file. dataset: its name there. end: None for the last sample.
    normalizer: a function that is applied to all that is read. Raises KconvertError where there is no such data set.
    """

    def __init__(
        self,
        datapath: str,
        dataset: str,
        start: int = 0,
        end: int | None = None,
        normalizer: Callable[[Any], Any] | None = None,
    ) -> None:
        try:
            self.data = h5py.File(datapath, "r")[dataset]
        except KeyError:
            what = f"it has no data set {dataset!r}"
            raise AlsoKeyError(what, str(datapath), problem=Problem.UNREADABLE) from None
        except OSError as error:
            raise KconvertError(str(error), str(datapath), problem=Problem.UNREADABLE) from error
        self.start, self.end, self.normalizer = start, len(self.data) if end is None else end, normalizer
        self._first = self._read(slice(0, 1))

    def __len__(self) -> int:
        return self.end - self.start

    def __getitem__(self, key: Any) -> Any:
        """Samples by index, slice, or increasing indices. Raises IndexError for one beyond the end."""
        if isinstance(key, slice):
            start, stop = key.start or 0, len(self) if key.stop is None else key.stop
            return self._read(self._checked(slice(start + self.start, stop + self.start, key.step), stop))
        if isinstance(key, (int, np.integer)):
            return self._read(self._checked(int(key) + self.start, int(key) + 1))
        indices = np.asarray(key)
        return self._read(self._checked((indices + self.start).tolist(), int(indices.max()) + 1))

    def _checked(self, key: Any, end: int) -> Any:
        if end > len(self):
            raise IndexError(f"there are {len(self)} samples, not {end}")
        return key

    def _read(self, key: Any) -> Any:
        return self.data[key] if self.normalizer is None else self.normalizer(self.data[key])

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        """All samples."""
        return np.asarray(self[:], dtype)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, with the number of samples."""
        return (len(self), *self._first.shape[1:])

    @property
    def dtype(self) -> Any:
        """The dtype of what is read."""
        return self._first.dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return int(self._first.ndim)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape))
