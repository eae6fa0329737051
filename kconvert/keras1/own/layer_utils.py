"""Functions of `keras.utils.layer_utils` of Keras 1.2.2, on layers and models."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from typing import Any

from ...backend.image_format import default_data_format
from ...keras.own.backend import count_params
from ...layers import Layer
from ...layers.calls import Call
from ...network.network import Network
from ...network.summary import row
from .np_utils import convert_kernel
from .settings import ORDERINGS

_WITH_KERNELS = ("Conv2D", "Conv3D", "Conv2DTranspose")
"""Classes whose kernels are reversed along their spatial axes."""


def convert_all_kernels_in_model(model: Any) -> None:
    """Reverses the kernels of the convolutions of a model, as needed where another backend saved them.

    `load_weights` of kconvert does so itself.
    """
    for layer in model.layers:
        if layer.class_name == "Conv1D":
            ordering = "tf"
        elif layer.class_name in _WITH_KERNELS:
            ordering = ORDERINGS[layer.data_format or default_data_format()]
        else:
            continue
        kernel, *others = layer.get_weights()
        layer.set_weights([convert_kernel(kernel, ordering), *others])


def count_total_params(layers: Iterable[Any], layer_set: set[Any] | None = None) -> tuple[int, int]:
    """The numbers of elements of the weights that training changes, and of the others.

    layer_set: layers that were counted before; those of `layers` are added to it.
    """
    counted = set() if layer_set is None else layer_set
    trainable = fixed = 0
    for layer in layers:
        if layer in counted:
            continue
        counted.add(layer)
        if isinstance(layer, Network):
            inner = count_total_params(layer.layers, counted)
        else:
            inner = _elements(layer.trainable_weights), _elements(layer.non_trainable_weights)
        trainable, fixed = trainable + inner[0], fixed + inner[1]
    return trainable, fixed


def _elements(weights: Iterable[Any]) -> int:
    return sum(count_params(weight) for weight in weights)


def print_summary(
    layers: Sequence[Layer],
    relevant_nodes: Container[str] | None = None,
    line_length: int = 100,
    positions: Sequence[float] | None = None,
) -> None:
    """Prints a table of layers: names and classes, shapes, numbers of weights, and the layers that they are called on.

    relevant_nodes: the calls that are shown, as `NAME_ib-NUMBER`; None for all. positions: the ends of the columns, as
    parts of the line or as numbers of characters.
    """
    ends = list(positions or (0.33, 0.55, 0.67, 1.0))
    if ends[-1] <= 1:
        ends = [int(line_length * end) for end in ends]
    print("_" * line_length)
    print(row(("Layer (type)", "Output Shape", "Param #", "Connected to"), ends))
    print("=" * line_length)
    for layer in layers:
        behind = _behind(layer, relevant_nodes)
        shapes = {call.outputs[0].shape for call in layer.inbound}
        shape = next(iter(shapes)) if len(shapes) == 1 else "multiple"
        first = (f"{layer.name} ({type(layer).__name__})", shape, layer.count_params(), behind[0] if behind else "")
        for fields in (first, *(("", "", "", one) for one in behind[1:])):
            print(row(fields, ends))
        print(("=" if layer is layers[-1] else "_") * line_length)
    trainable, fixed = count_total_params(layers)
    print(f"Total params: {trainable + fixed:,}")
    print(f"Trainable params: {trainable:,}")
    print(f"Non-trainable params: {fixed:,}")
    print("_" * line_length)


def _behind(layer: Layer, relevant: Container[str] | None) -> list[str]:
    """The outputs that a layer is called on: `NAME[CALL][OUTPUT]`."""
    calls = [call for call in layer.inbound if not relevant or node_name(call) in relevant]
    symbols = [symbol for call in calls for symbol in call.inputs]
    return [f"{one.call.layer.name}[{one.call.index}][{one.index}]" for one in symbols]


def node_name(call: Call) -> str:
    """The name of a call in `container_nodes` of a model."""
    return f"{call.layer.name}_ib-{call.index}"
