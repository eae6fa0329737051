"""The modules of Keras 2.3.1, on Theano and TensorFlow: `import kconvert.keras as keras`.

    from kconvert.keras.models import Sequential
    from kconvert.keras.layers import Dense

The modules and their names are those of Keras 2.3.1, by the tables in `surface`. A name that Keras has and kconvert
does not raises KconvertError.
"""

from __future__ import annotations

from typing import Any

from ..backend.image_format import follow_keras_json
from ..backend.seeds import follow_numpy
from .importing import install
from .overwriting import follow_answers
from .surface import KERAS2

__version__ = KERAS2.release

install(KERAS2)
follow_numpy()
follow_keras_json()
follow_answers()


def __getattr__(name: str) -> Any:
    """A module, or `Input`, `Model`, `Sequential`."""
    if name in ("Input", "Model", "Sequential"):
        return KERAS2.find("models", name)
    return KERAS2.find("", name)
