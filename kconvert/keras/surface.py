"""Where each module of Keras finds its names in kconvert: tables, and the value `Dialect` that reads them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import field
from functools import cached_property
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

from ..backend import probe
from ..errors import AlsoAttributeError, Problem
from ..lazy_dataclasses import dataclass
from . import names

_PACKAGE = "kconvert"

REGISTRIES: dict[str, str] = {
    "constraints": "models.training.constraints:CONSTRAINTS",
    "initializers": "models.training.initializers:INITIALIZERS",
    "optimizers": "models.training.optimizers:OPTIMIZERS",
}
"""Where the other names of the components of a module are: classes, and functions that make a component."""

HOMES: dict[str, str] = {
    "activations": "keras.own.activations keras.own.objects",
    "applications": "keras.own.applications.vgg keras.own.applications.resnet50 keras.own.applications.resnet "
    "keras.own.applications.resnet_v2 keras.own.applications.inception_v3 "
    "keras.own.applications.inception_resnet_v2 keras.own.applications.xception "
    "keras.own.applications.mobilenet keras.own.applications.densenet "
    "keras.own.applications.nasnet",
    "applications.densenet": "keras.own.applications.densenet",
    "applications.imagenet_utils": "keras.own.applications.imagenet",
    "applications.inception_resnet_v2": "keras.own.applications.inception_resnet_v2",
    "applications.inception_v3": "keras.own.applications.inception_v3",
    "applications.mobilenet": "keras.own.applications.mobilenet",
    "applications.mobilenet_v2": "keras.own.applications.mobilenet",
    "applications.nasnet": "keras.own.applications.nasnet",
    "applications.resnet": "keras.own.applications.resnet",
    "applications.resnet50": "keras.own.applications.resnet50",
    "applications.resnet_v2": "keras.own.applications.resnet_v2",
    "applications.vgg16": "keras.own.applications.vgg",
    "applications.vgg19": "keras.own.applications.vgg",
    "applications.xception": "keras.own.applications.xception",
    "backend": "keras.own.settings keras.own.backend",
    "backend.numpy_backend": "keras.own.numpy_functions keras.own.settings keras.own.backend",
    "callbacks": "models.training.callbacks keras.own.callbacks",
    "constraints": "models.training.constraints keras.own.objects",
    "datasets": "",
    "datasets.boston_housing": "keras.own.datasets.boston_housing keras.own.utils",
    "datasets.cifar": "keras.own.datasets.cifar10",
    "datasets.cifar10": "keras.own.datasets.cifar10 keras.own.utils",
    "datasets.cifar100": "keras.own.datasets.cifar100 keras.own.utils",
    "datasets.fashion_mnist": "keras.own.datasets.fashion_mnist keras.own.utils",
    "datasets.imdb": "keras.own.datasets.imdb keras.own.utils",
    "datasets.mnist": "keras.own.datasets.mnist keras.own.utils",
    "datasets.reuters": "keras.own.datasets.reuters keras.own.utils",
    "engine": "keras.own.layers layers network.functional models.model models.sequential keras.own.networks "
    "keras.own.generic",
    "engine.base_layer": "keras.own.layers layers keras.own.generic keras.own.networks",
    "engine.network": "keras.own.layers layers network.functional models.model models.sequential keras.own.networks "
    "keras.own.utils keras.own.generic",
    "engine.saving": "keras.own.saving keras.own.models models.configurations formats.hdf5.dictionary",
    "engine.training_arrays": "keras.own.generic keras.own.training_utils keras.own.training_data "
    "models.training.data models.training.callbacks.progress",
    "engine.training_generator": "keras.own.generator_methods keras.own.generic keras.own.training_utils "
    "models.training.data models.training.callbacks.progress keras.own.enqueuers",
    "engine.training_utils": "keras.own.training_utils keras.own.training_data keras.own.compile_arguments "
    "keras.own.networks models.training.data",
    "initializers": "keras.own.initializers models.training.initializers keras.own.objects",
    "layers": "keras.own.layers layers network.functional keras.own.objects keras.own.generic",
    "legacy": "",
    "legacy.interfaces": "keras.own.interfaces",
    "legacy.layers": "keras.own.layers layers keras.own.generic",
    "losses": "keras.own.losses models.training.losses keras.own.objects keras.own.training_data",
    "metrics": "keras.own.metrics keras.own.losses models.training.metrics models.training.metrics.means "
    "models.training.metrics.counts keras.own.objects",
    "models": "keras.own.models models.model models.sequential models.cloning models.configurations "
    "layers network.functional keras.own.generic",
    "objectives": "keras.own.losses models.training.losses keras.own.objects keras.own.training_data",
    "optimizers": "keras.own.optimizers models.training.optimizers keras.own.objects",
    "preprocessing": "",
    "preprocessing.image": "keras.own.preprocessing.image",
    "preprocessing.sequence": "keras.own.preprocessing.sequence",
    "preprocessing.text": "keras.own.preprocessing.text",
    "regularizers": "models.training.regularizers keras.own.objects",
    "utils": "keras.own.utils keras.own.objects keras.own.networks models.training.callbacks.progress "
    "keras.own.enqueuers formats.hdf5.matrix formats.hdf5.dictionary keras.own.lengths network.plot "
    "models.training.data",
    "utils.generic_utils": "keras.own.generic keras.own.objects keras.own.networks models.training.callbacks.progress",
    "utils.losses_utils": "keras.own.losses_utils",
    "utils.metrics_utils": "keras.own.metrics_utils keras.own.generic",
    "utils.test_utils": "keras.own.testing keras.own.generic network.functional models.model",
    "utils.vis_utils": "network.plot models.model layers keras.own.networks",
    "wrappers": "",
    "wrappers.scikit_learn": "keras.own.scikit_learn keras.own.utils models.sequential keras.own.generic",
}
"""For each module, the modules of kconvert that have its names, in the order in which they are searched.

A module below one of these, as `layers.core`, has the names of the module above it.
"""

SAME: dict[str, str] = {
    "initializations": "initializers",
    "objectives": "losses",
    "regularizers.l1l2": "regularizers.l1_l2",
}
"""Modules and names of Keras 1 that have another name in Keras 2."""

_FINDS_NOTHING = "it gives None for every layer of Keras 2.3.1"
_GRAPHS = "it changes a graph of TensorFlow 1"
_LOOPS = "it runs compiled functions of Keras; fit, evaluate and predict of a model train and compute here"
_WORDS = "it translates arguments for one decorator, which kconvert does by its tables of words"

REASONS: dict[str, str] = {
    "engine.saving.allow_read_from_gcs": "there is no storage of Google in kconvert",
    "engine.saving.allow_write_to_gcs": "there is no storage of Google in kconvert",
    "engine.training_arrays": _LOOPS,
    "engine.training_utils.call_metric_function": _GRAPHS,
    "engine.training_utils.get_input_shape_and_dtype": _FINDS_NOTHING,
    "engine.training_utils.get_static_batch_size": _FINDS_NOTHING,
    "legacy.interfaces": _WORDS,
    "layers.convolutional_recurrent.ConvRNN2D": "ConvLSTM2D is its only cell here",
    "utils.metrics_utils.result_wrapper": _GRAPHS,
    "utils.metrics_utils.update_state_wrapper": _GRAPHS,
}
"""Why kconvert does not have a name, or the names of a module that it does not have."""

_OF_BACKEND = {
    "backend.cntk_backend": "cntk",
    "backend.numpy_backend": "numpy",
    "backend.tensorflow_backend": "tensorflow",
    "backend.theano_backend": "theano",
}
"""Modules of one backend, and its name."""


_WITHOUT_OTHERS = ("", "backend", "datasets", "preprocessing")
"""Modules that do not pass on others."""


@dataclass(frozen=True, eq=False)
class Dialect:
    """One release of Keras as a package: `kconvert.keras` or `kconvert.keras1`."""

    # The package that speaks it.
    package: str
    # The release of Keras.
    release: str
    # The public names of each module, separated by spaces.
    public: Mapping[str, str]
    # For each module, the modules that have its names. None: those of HOMES, and the registries of components.
    # A dialect with homes of its own has its public names alone: another release may mean something else by the rest.
    homes: Mapping[str, str] | None = None
    # The modules of SUBMODULES that the release does not have.
    absent: frozenset[str] = frozenset()
    # Modules that others have as attributes, because they import them: the name there, and the module.
    passed_on: Mapping[str, str] = field(default_factory=dict)
    # By module, names with an underscore that scripts use; separated by spaces.
    private: Mapping[str, str] = field(default_factory=dict)

    @property
    def internal(self) -> Mapping[str, str]:
        """The modules of Keras that its documentation does not have, and their names."""
        return names.INTERNAL[self.release]

    @cached_property
    def modules(self) -> frozenset[str]:
        """Every module, also those that only hold others, as `datasets`."""
        listed = {*self.public, *SUBMODULES, *self.internal} - self.absent
        return frozenset(name for module in listed for name in (module, *_above(module)))

    def names(self, module: str) -> list[str]:
        """The names of a module; one that passes names on has those of the module above it too."""
        if module in self.public:
            return self.public[module].split()
        above = module.rpartition(".")[0] if module in SUBMODULES or module not in self.internal else ""
        return [*self.internal.get(module, "").split(), *(self.names(above) if above else ())]

    def find(self, module: str, name: str) -> Any:
        """The object `name` of a module.

        Raises AttributeError where Keras has no such name, and a KconvertError that is one too where kconvert does not
        have it.
        """
        below = f"{module}.{name}" if module else name
        if below in self.modules:
            return import_module(f"{self.package}.{below}")
        known = [*self.names(module), *self.private.get(module, "").split()]
        if name in self.passed_on and name not in known and module.partition(".")[0] not in _WITHOUT_OTHERS:
            return import_module(f"{self.package}.{self.passed_on[name]}")
        other = self._other_backend(module)
        missing = name not in known
        if missing and (self.homes is not None or (module in self.public and _is_part(module))):
            raise AttributeError(f"module '{self.package}.{module}' has no attribute {name!r}")
        for home in self._homes(module):
            found = getattr(import_module(f"{_PACKAGE}.{home}"), name, None)
            if found is not None and not isinstance(found, ModuleType) and not _of_python(found):
                return _on_backend(found, other) if other and isinstance(found, FunctionType) else found
        if self.homes is None and (maker := _maker(module, name)):
            return maker
        if missing:
            raise AttributeError(f"module '{self.package}.{module}' has no attribute {name!r}")
        what = f"{name} of keras.{module} in Keras {self.release} is not in kconvert"
        why = REASONS.get(f"{module}.{name}") or REASONS.get(module)
        fix = "docs/keras-module.md lists the names that are"
        raise AlsoAttributeError(f"{what}: {why}" if why else what, fix=fix, problem=Problem.UNSUPPORTED)

    def _other_backend(self, module: str) -> str | None:
        """The backend whose functions a module has; None: those of the default backend.

        Raises a KconvertError, as `find`, where kconvert does not have that backend, or it cannot run here.
        """
        needed = _OF_BACKEND.get(module)
        if not needed or needed == self.find("backend", "backend")():
            return None
        probed = probe().get(needed)
        if probed is None or not probed.usable:
            what = f"keras.{module} needs the backend {needed}"
            what += ", which kconvert does not have" if probed is None else f", which cannot run here: {probed.missing}"
            raise AlsoAttributeError(what, fix=probed.fix if probed else None, problem=Problem.UNSUPPORTED)
        return needed

    def _homes(self, module: str) -> list[str]:
        """The modules that may have the names of `module`."""
        homes = HOMES if self.homes is None else self.homes
        for own in (module, *_above(module)):
            name = own if self.homes is not None else SAME.get(own, own)
            if name in homes:
                return homes[name].split()
        return []


def _on_backend(function: Any, name: str) -> Any:
    """A function of `keras.backend` on the backend `name`."""
    return import_module(f"{_PACKAGE}.keras.own.named_backend").on_backend(function, name)


def _is_part(module: str) -> bool:
    """Whether the names of a module come from the homes of the module above it, which has more names."""
    return module.partition(".")[0] == "utils" != module


def _of_python(found: Any) -> bool:
    """Whether an object is of Python's library, so that a module has it only because it imports it."""
    return str(getattr(found, "__module__", "")).partition(".")[0] in sys.stdlib_module_names


def _maker(module: str, name: str) -> Any:
    """What makes the component `name` of a module; None where its registry does not have the name."""
    if SAME.get(module, module) not in REGISTRIES:
        return None
    home, registry = REGISTRIES[SAME.get(module, module)].split(":")
    makers = getattr(import_module(f"{_PACKAGE}.{home}"), registry).makers
    folded = {own.replace("_", "").lower(): maker for own, maker in makers.items()}
    return makers.get(name) or folded.get(name.replace("_", "").lower())


def _above(module: str) -> list[str]:
    """The modules around a module, from the inside out: `a.b` and `a` of `a.b.c`."""
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(len(parts) - 1, 0, -1)]


_PARTS = {
    "backend": "cntk_backend common load_backend numpy_backend tensorflow_backend theano_backend",
    "callbacks": "callbacks tensorboard_v1 tensorboard_v2",
    "engine": "base_layer input_layer network sequential topology training",
    "layers": "advanced_activations convolutional convolutional_recurrent core cudnn_recurrent embeddings local merge "
    "noise normalization pooling recurrent wrappers",
}
SUBMODULES = [f"{module}.{part}" for module, parts in _PARTS.items() for part in parts.split()]
"""Modules whose names are those of the module above them."""

_PASSED_ON = ("activations", "constraints", "initializers", "losses", "metrics", "optimizers", "regularizers")

KERAS2 = Dialect(
    "kconvert.keras", "2.3.1", names.KERAS2, passed_on={"K": "backend", **{name: name for name in _PASSED_ON}}
)
