"""The modules of Keras 1.2.2, on Theano and TensorFlow: `import kconvert.keras1 as keras`.

    from kconvert.keras1.models import Sequential
    from kconvert.keras1.layers import Convolution2D

Arguments have the names, the order and the defaults of Keras 1.2.2. A name that Keras 1.2.2 has and kconvert does not
raises KconvertError.
"""

from __future__ import annotations

from typing import Any

from ..backend.image_format import follow_keras_json
from ..backend.seeds import follow_numpy
from ..keras.importing import install
from ..keras.overwriting import follow_answers
from .surface import KERAS1

__version__ = KERAS1.release

install(KERAS1)
follow_numpy()
follow_keras_json()
follow_answers()


def __getattr__(name: str) -> Any:
    """A module of Keras 1.2.2."""
    return KERAS1.find("", name)
