"""Where each module of Keras 1.2.2 finds its names in kconvert."""

from __future__ import annotations

from ..keras import names
from ..keras.surface import Dialect

_HOMES: dict[str, str] = {
    "backend": "keras1.own.backend",
    "callbacks": "keras1.own.callbacks",
    "constraints": "keras1.own.components",
    "datasets.mnist": "keras.own.datasets.mnist",
    "engine": "keras1.own.layers keras1.own.models",
    "initializations": "keras1.own.initializations",
    "layers": "keras1.own.layers",
    "metrics": "keras1.own.metrics",
    "models": "keras1.own.models",
    "objectives": "keras1.own.objectives",
    "optimizers": "keras1.own.components",
    "regularizers": "keras1.own.components",
    "utils.np_utils": "keras1.own.np_utils",
}

_ABSENT = frozenset({"engine.base_layer", "engine.input_layer", "engine.network", "engine.sequential"}) | {
    "layers.cudnn_recurrent",
    "layers.merge",
}

KERAS1 = Dialect("kconvert.keras1", "1.2.2", names.KERAS1, _HOMES, _ABSENT)
"""What `kconvert.keras1` has beside the classes and functions of kconvert."""
