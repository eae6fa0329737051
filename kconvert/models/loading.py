"""model_of: creates a model from a weight file, converted to the backend of the model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from ..backend import default_backend, get_backend
from ..conversion.opening import open_source
from ..conversion.planning import Plan
from ..conversion.reading import read_source
from ..conversion.running import plan_to_run, run_arrays
from ..conversion.source import Source
from ..errors import KconvertError
from ..formats.checkpoint import Checkpoint
from ..layers.registry import with_custom_objects
from ..network.network import Network
from .model import Model
from .restoring import restore_optimizer, warn
from .sequential import as_model
from .store import run_convention
from .training import losses

log = logging.getLogger(__name__)


CompileAs = Callable[[Model, Mapping[str, Any]], None]
"""What compiles a model with the arguments of `compile` that a file states."""


def _compile(model: Model, stated: Mapping[str, Any]) -> None:
    model.compile(
        stated["optimizer_config"],
        losses.restored(stated.get("loss")),
        metrics=stated.get("metrics"),
        loss_weights=stated.get("loss_weights"),
        sample_weight_mode=stated.get("sample_weight_mode"),
        weighted_metrics=stated.get("weighted_metrics"),
    )


def model_of(
    source: Source,
    backend: str | None = None,
    convention: str | None = None,
    compile: bool = True,
    custom_objects: Mapping[str, Any] | None = None,
    make: Callable[[Network, Any], Model] = lambda network, _: as_model(network),
    compile_as: CompileAs = _compile,
) -> Model:
    """The model of kconvert in the file `source`; `kconvert.load_model` describes the other arguments.

    make: a function that creates a model from a network and the configuration in the file. compile_as: a function that
    compiles it as the file states.
    """
    with with_custom_objects(custom_objects), open_source(source) as checkpoint:
        checkpoint = checkpoint if compile else replace(checkpoint, optimizer=())
        found = read_source(checkpoint, source)
        runner = get_backend(backend or default_backend(), convention)
        plan = plan_to_run(checkpoint, found.origin, found.network, run_convention(runner))
        warn(plan, checkpoint)
        model = make(plan.result.model, checkpoint.model_config or {})
        model.bind(runner, run_arrays(plan))
        checkpoint.check_source()
        model.conversion, model.described = plan, found.network
        if compile:
            _restore(model, checkpoint, plan, compile_as)
        return model


def _restore(model: Model, checkpoint: Checkpoint, plan: Plan, compile_as: CompileAs) -> None:
    """Compiles the model as the file states. Where that is not possible, a warning gives the reason."""
    config = plan.training
    if not config or not config.get("optimizer_config"):
        return
    try:
        compile_as(model, config)
        restore_optimizer(model.trainer, plan)
    except KconvertError as error:
        log.warning("%s: the model is not compiled: %s", checkpoint.path, error)
