"""HDF5 files <-> `Checkpoint`, array by array: the only importer of h5py.

It knows files, not layers: what each release of Keras names its groups and attributes, and what a
file must not contain to be read.
"""

from .reader import read, sha256
from .writer import write

__all__ = ["read", "sha256", "write"]
