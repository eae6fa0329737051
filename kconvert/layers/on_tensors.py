"""Layers that are called on tensors: in a loss, a metric or a Lambda, functions of users call layers and models.

Such a layer computes with the present values of its weights. Its losses and its updates are not those of the model that
runs, as in Keras.
"""

from __future__ import annotations

from typing import Any

from ..backend.computing import TRAINING, current_backend, is_computing
from .lists import as_list
from .operators import Operators
from .phase import Phase
from .shapes import shape_of


def takes_tensors(layer: Any, inputs: Any) -> bool:
    """Whether `inputs` are tensors of a backend that computes, and the weights of the layer are known."""
    if not is_computing() or any(one is None or isinstance(one, Operators) for one in as_list(inputs)):
        return False
    return layer._held() is not None or not layer.weight_specs(shape_of(current_backend(), inputs))


def call_on_tensors(layer: Any, inputs: Any, mask: Any = None, training: Any = None) -> Any:
    """The outputs for tensors.

    mask: that of the inputs, or a list of masks. training: whether it computes as in training; None: as the model that
    runs.
    """
    K, held = current_backend(), layer._held()
    weights = held.tensors(K) if held else {}
    trains = TRAINING.get() if training is None else bool(training)
    phase = Phase(K).of_training(stateful=False) if trains else Phase(K)
    own = weights if layer.is_network else weights.get(layer.name, {})
    return layer.call(K, own, inputs, mask=mask, training=phase)
