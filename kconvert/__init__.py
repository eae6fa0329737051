"""kconvert: converts Keras weight files between Theano and TensorFlow, and verifies the result by running both models.

The public names are imported when they are first used, so importing the package loads no framework.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ._version import __version__

# Each public name, and the module that defines it; for a module, its own path.
_HOMES = {
    "KconvertError": "errors",
    "Problem": "errors",
    "Model": "models.model",
    "Sequential": "models.sequential",
    "convert": "conversion.files",
    "plan": "conversion.planning",
    "export_model": "export.files",
    "Conversion": "conversion.files",
    "Plan": "conversion.planning",
    "verify": "verification.verifier",
    "batch": "batches.run",
    "diff": "verification.difference",
    "Running": "verification.verifier",
    "Report": "verification.value",
    "write_report": "verification.report.writing",
    "Tolerance": "verification.tolerance",
    "inspect": "conversion.inspection",
    "limited": "formats.limits",
    "load_model": "live.loading",
    "load_weights": "live.weights",
    "Loaded": "live.weights",
    "old_files": "live.patching",
    "enable": "live.patching",
    "disable": "live.patching",
    "clone_model": "models.cloning",
    "model_from_config": "models.configurations",
    "model_from_json": "models.configurations",
    "get_backend": "backend",
    "set_backend": "backend",
    "Input": "layers.inputs",
    "plot_model": "network.plot",
    "Sequence": "models.training.data",
    "activations": "layers.activations",
    "callbacks": "models.training.callbacks",
    "constraints": "models.training.constraints",
    "initializers": "models.training.initializers",
    "losses": "models.training.losses",
    "metrics": "models.training.metrics",
    "optimizers": "models.training.optimizers",
    "regularizers": "models.training.regularizers",
    "layers": "layers",
    "register_layer": "layers.registry",
    "register_function": "layers.registry",
}

__all__ = ["__version__", *_HOMES]

if TYPE_CHECKING:
    from . import layers as layers
    from .backend import get_backend as get_backend
    from .backend import set_backend as set_backend
    from .batches.run import batch as batch
    from .conversion.files import Conversion as Conversion
    from .conversion.files import convert as convert
    from .conversion.inspection import inspect as inspect
    from .conversion.planning import Plan as Plan
    from .conversion.planning import plan as plan
    from .errors import KconvertError as KconvertError
    from .errors import Problem as Problem
    from .export.files import export_model as export_model
    from .formats.limits import limited as limited
    from .layers import activations as activations
    from .layers.inputs import Input as Input
    from .layers.registry import register_function as register_function
    from .layers.registry import register_layer as register_layer
    from .live.loading import load_model as load_model
    from .live.patching import disable as disable
    from .live.patching import enable as enable
    from .live.patching import old_files as old_files
    from .live.weights import Loaded as Loaded
    from .live.weights import load_weights as load_weights
    from .models.cloning import clone_model as clone_model
    from .models.configurations import model_from_config as model_from_config
    from .models.configurations import model_from_json as model_from_json
    from .models.model import Model as Model
    from .models.sequential import Sequential as Sequential
    from .models.training import callbacks as callbacks
    from .models.training import constraints as constraints
    from .models.training import initializers as initializers
    from .models.training import losses as losses
    from .models.training import metrics as metrics
    from .models.training import optimizers as optimizers
    from .models.training import regularizers as regularizers
    from .models.training.data import Sequence as Sequence
    from .network.plot import plot_model as plot_model
    from .verification.difference import diff as diff
    from .verification.report.writing import write_report as write_report
    from .verification.tolerance import Tolerance as Tolerance
    from .verification.value import Report as Report
    from .verification.verifier import Running as Running
    from .verification.verifier import verify as verify


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kconvert' has no attribute {name!r}")
    module = import_module(f".{_HOMES[name]}", __name__)
    return module if name == _HOMES[name].rpartition(".")[2] else getattr(module, name)


def __dir__() -> list[str]:
    return sorted(__all__)
