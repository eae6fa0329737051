"""Files of Keras 3 <-> `Checkpoint`: archives `.keras`, and weights alone, `.weights.h5` (keras-facts: keras3-files).

An archive holds the architecture, as JSON, and a file of weights. In weights, an array has no name of its own: its
place follows from the classes of the layers and their order (`paths.py`).
"""

from .writer import write_archive, write_weights

__all__ = ["write_archive", "write_weights"]
