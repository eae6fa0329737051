"""kconvert: Keras weight files of one backend made right for the other, and proved by running both.

The names below are loaded when they are first used: importing the package loads no framework.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "KconvertError": "errors",
    "Problem": "errors",
    "Model": "model",
    "Sequential": "model",
    "convert": "conversion",
    "plan": "conversion",
    "Conversion": "conversion",
    "Plan": "conversion",
    "verify": "verification",
    "diff": "verification",
    "Running": "verification",
    "Report": "report",
    "Tolerance": "report",
    "inspect": "inspection",
    "load_model": "loading",
    "get_backend": "backend",
    "set_backend": "backend",
    "Input": "building",
    "plot_model": "plotting",
    "Sequence": "training.data",
    "callbacks": "training.callbacks",
    "constraints": "training.constraints",
    "initializers": "training.initializers",
    "losses": "training.losses",
    "metrics": "training.metrics",
    "optimizers": "training.optimizers",
    "regularizers": "training.regularizers",
    "layers": "layers",
    "register_layer": "layers.custom",
    "register_function": "layers.custom",
}

__all__ = ["__version__", *_HOMES]

if TYPE_CHECKING:
    from . import layers as layers
    from .backend import get_backend as get_backend
    from .backend import set_backend as set_backend
    from .building import Input as Input
    from .conversion import Conversion as Conversion
    from .conversion import Plan as Plan
    from .conversion import convert as convert
    from .conversion import plan as plan
    from .errors import KconvertError as KconvertError
    from .errors import Problem as Problem
    from .inspection import inspect as inspect
    from .layers.custom import register_function as register_function
    from .layers.custom import register_layer as register_layer
    from .loading import load_model as load_model
    from .model import Model as Model
    from .model import Sequential as Sequential
    from .plotting import plot_model as plot_model
    from .report import Report as Report
    from .report import Tolerance as Tolerance
    from .training import callbacks as callbacks
    from .training import constraints as constraints
    from .training import initializers as initializers
    from .training import losses as losses
    from .training import metrics as metrics
    from .training import optimizers as optimizers
    from .training import regularizers as regularizers
    from .training.data import Sequence as Sequence
    from .verification import Running as Running
    from .verification import diff as diff
    from .verification import verify as verify


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kconvert' has no attribute {name!r}")
    module = import_module(f".{_HOMES[name]}", __name__)
    return module if name == _HOMES[name].rpartition(".")[2] else getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)
