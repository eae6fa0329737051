"""The HDF5 driver that files are read with."""

from __future__ import annotations

import h5py
from h5py.h5p import PropFAID

UNBUFFERED = "kconvert-unbuffered"
"""The name of a driver of h5py: HDF5's own, without a buffer for parts of arrays.

HDF5 fills that buffer of 64 kB for each row of a part that is read, even where the next row is not in it.
"""


def _unbuffered(properties: PropFAID) -> None:
    properties.set_fapl_sec2()
    properties.set_sieve_buf_size(1)


h5py.register_driver(UNBUFFERED, _unbuffered)
