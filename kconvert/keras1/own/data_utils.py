"""Files, and parts of arrays (`keras.utils.data_utils`, `keras.engine.training`) of Keras 1.2.2."""

from __future__ import annotations

from typing import Any

from ...keras.own import utils
from ...keras.own.networks import slice_arrays
from ...models.training.callbacks import Progbar as Progbar


def get_file(
    fname: str, origin: str, untar: bool = False, md5_hash: str | None = None, cache_subdir: str = "datasets"
) -> str:
    """The path of the file `fname` in the folder of the data sets. Raises KconvertError where it is not there.

    origin: a `file:` URL, whose file is copied to there; nothing is downloaded from others. md5_hash: a file with
    another checksum is copied again. untar: see `get_file` of Keras 2.3.1.
    """
    return utils.get_file(fname, origin, untar, md5_hash, cache_subdir=cache_subdir)


def validate_file(fpath: str, md5_hash: str) -> bool:
    """Whether a file has the checksum `md5_hash`."""
    return utils.validate_file(fpath, md5_hash, "md5")


def slice_X(X: Any, start: Any = None, stop: int | None = None) -> Any:
    """`X[start:stop]`, or the samples with the indices `start`; of a list of arrays the same of each."""
    return slice_arrays(X, start, stop)
