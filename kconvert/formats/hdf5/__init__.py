"""HDF5 files <-> `Checkpoint`, array by array; no other module imports h5py.

It knows files and not layers: how each generation of Keras names groups and attributes, and what files must not
contain (keras-facts: keras0-files, named-files, who-wrote-it).
"""

from .reader import (
    NEVER,
    SIGNATURE,
    has_named_weights,
    object_groups,
    object_optimizer,
    opened,
    read,
    regular_file,
    sha256,
)
from .writer import write

__all__ = [
    "NEVER",
    "SIGNATURE",
    "has_named_weights",
    "object_groups",
    "object_optimizer",
    "opened",
    "read",
    "regular_file",
    "sha256",
    "write",
]
