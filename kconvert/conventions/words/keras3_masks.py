"""Masks in graphs of Keras 3: operations among the layers, given to the calls that take a mask.

Keras 3 writes the mask of an Embedding as an operation on its input, and gives it to each call by keyword
(keras-facts: masks-of-keras3). Keras 2 finds the mask of a call itself. Both are the same mask, or the graph is
refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any

from ...errors import KconvertError
from ...lazy_dataclasses import dataclass
from .items import GRAPHS, Json, refused

TENSOR = "__keras_tensor__"
MODELS = ("Sequential", *GRAPHS)
OPERATIONS = "keras.src.ops"
"""How the modules of operations begin."""

RECURRENT = frozenset({"Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRU", "LSTM", "RNN", "SimpleRNN"})
"""Layers that take initial states, and keep the mask for sequences."""

TAKES_MASK = RECURRENT | {"GlobalAveragePooling1D", "Softmax", "TimeDistributed", *MODELS}
"""Layers that compute something else with a mask."""

ELEMENTWISE = frozenset({"Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"})

STOPS_MASK = frozenset({
    "Conv1D", "Conv1DTranspose", "Conv2D", "Conv2DTranspose", "Conv3D", "Conv3DTranspose", "Cropping1D", "Cropping2D",
    "Cropping3D", "DepthwiseConv1D", "DepthwiseConv2D", "Dot", "EinsumDense", "Flatten", "GlobalAveragePooling1D",
    "GlobalAveragePooling2D", "GlobalAveragePooling3D", "GlobalMaxPooling1D", "GlobalMaxPooling2D",
    "GlobalMaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D", "Lambda", "MaxPooling1D",
    "MaxPooling2D", "MaxPooling3D", "Permute", "RepeatVector", "Reshape", "SeparableConv1D", "SeparableConv2D",
    "UpSampling1D", "UpSampling2D", "UpSampling3D", "ZeroPadding1D", "ZeroPadding2D", "ZeroPadding3D",
})  # fmt: skip
"""Layers whose output has no mask."""

Ref = tuple[str, int, int]
"""A tensor: the name of its layer, the number of the call and that of the output."""


def is_operation(entry: Mapping[str, Any]) -> bool:
    """Whether a layer of a graph is an operation of `keras.ops`. HDF5 states no modules, but only layers are trainable.

    (keras-facts: operations-of-keras3)
    """
    if "module" in entry:
        return str(entry["module"]).startswith(OPERATIONS)
    name, config = entry["class_name"], entry["config"]
    if not isinstance(name, str):  # it is refused as a layer
        return False
    layer = name == "InputLayer" or name.startswith("SpatialDropout") or name in MODELS
    return not layer and isinstance(config, Mapping) and "trainable" not in config


def history(ref: Any) -> Ref:
    kinds: Sequence[type] = (str, int, int)
    if not isinstance(ref, list) or len(ref) != len(kinds) or not all(map(isinstance, ref, kinds)):
        raise refused(f"a tensor should be ['layer', 0, 0], not {ref!r}")
    return ref[0], ref[1], ref[2]


def is_tensor(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("class_name") == TENSOR


def ref_of(value: Any) -> Ref:
    return history((value.get("config") or {}).get("keras_history"))


def tensors(value: Any) -> Iterator[Ref]:
    """The tensors in the arguments of a call, in order."""
    if is_tensor(value):
        yield ref_of(value)
        return
    inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    for one in inside:
        yield from tensors(one)


@dataclass(frozen=True)
class Masks:
    """The masks of the tensors of one graph."""

    entries: Mapping[str, Json]
    known: dict[Ref, Any] = field(default_factory=dict)

    def check(self, entry: Json, call: Json) -> None:
        """Raises KconvertError where a call does not get the mask that it would get in Keras 2."""
        name = entry["class_name"]
        given = (call.get("kwargs") or {}).get("mask")
        first = next(tensors(call.get("args")), None)
        if first is None or (given is None and name not in TAKES_MASK):
            return
        expected = self.of(first)
        if (self._stated(given) if is_tensor(given) else None) != expected:
            raise KconvertError(
                f"Keras 3 computes another mask for {name} than Keras 2 does",
                where=f"layer {entry['name']}",
                fix="build the model without the mask, or with one mask for all inputs of a layer",
            )

    def of(self, ref: Ref) -> Any:
        """The mask that Keras 2 finds for a tensor, as a value to compare; None where there is none."""
        if ref not in self.known:
            self.known[ref] = None  # a circle ends here
            self.known[ref] = self._found(ref)
        return self.known[ref]

    def _found(self, ref: Ref) -> Any:
        entry = self.entries.get(ref[0])
        call = self._call(ref)
        if entry is None or call is None:
            return None
        name, config = entry["class_name"], entry["config"]
        inputs = list(tensors(call.get("args")))
        if name == "Embedding":
            return ("NotEqual", inputs[0], 0) if config.get("mask_zero") and inputs else None
        if name == "Masking":
            return ("Any", ("NotEqual", inputs[0], config.get("mask_value")), -1) if inputs else None
        if name in STOPS_MASK:
            return None
        return self._kept(name, config, ref, [self.of(one) for one in inputs])

    def _kept(self, name: str, config: Json, ref: Ref, masks: list[Any]) -> Any:
        if name in RECURRENT:
            inner = (config.get("layer") or {}).get("config", {}) if name == "Bidirectional" else config
            return masks[0] if inner.get("return_sequences") and ref[2] == 0 and masks else None
        if name in ELEMENTWISE:
            return _merged([mask for mask in masks if mask is not None], "and")
        if name == "Concatenate":
            if config.get("axis") == 1 and any(masks):
                return ("joined", *masks)
            return _merged(masks, "all") if any(masks) else None
        if name in MODELS:
            makers = any(masks) or _makes_mask(config)
            return (name, ref) if makers else None
        return masks[0] if masks else None

    def _call(self, ref: Ref) -> Json | None:
        """The call that gives a tensor."""
        calls = self.entries.get(ref[0], {}).get("inbound_nodes") or []
        return calls[ref[1]] if 0 <= ref[1] < len(calls) and isinstance(calls[ref[1]], Mapping) else None

    # ----------------------------------------------------- masks that are stated ----

    def _stated(self, value: Any) -> Any:
        """What the operations after a mask compute, as a value to compare."""
        if isinstance(value, list):
            return tuple(self._stated(one) for one in value)
        if not is_tensor(value):
            return value
        ref = ref_of(value)
        entry, call = self.entries.get(ref[0]), self._call(ref)
        if entry is None or call is None or not is_operation(entry):
            return ref
        name = entry["class_name"]
        arguments = [self._stated(one) for one in call.get("args") or ()]
        if name == "LogicalOr" and len(arguments) == 2 and arguments[0] == arguments[1]:
            return arguments[0]
        if name == "LogicalOr" and arguments[1:] == [_ZEROS] and arguments[0][:1] == ("ExpandDims",):
            return ("full", arguments[0][1])
        if name in ("OnesLike", "ZerosLike"):
            return ("full", None) if name == "OnesLike" else _ZEROS
        if name == "Concatenate":
            return (name, entry["config"].get("axis"), *arguments)
        if name == "Any":
            return _of_concatenation(arguments[0]) or (name, *arguments, entry["config"].get("axis"))
        return (name, *arguments)


_ZEROS = ("ZerosLike",)


def _merged(masks: list[Any], how: str) -> Any:
    """One mask that all are, else a value that is no stated mask."""
    if len(set(masks)) <= 1:
        return masks[0] if masks else None
    return (how, *masks)


def _of_concatenation(value: Any) -> Any:
    """The mask of a concatenation; None where it is none."""
    if not isinstance(value, tuple) or value[:1] != ("Concatenate",) or not isinstance(value[2], tuple):
        return None
    parts = value[2]
    if not all(isinstance(part, tuple) and part[:1] == ("full",) for part in parts):
        return None
    masks = [part[1] for part in parts]
    if value[1] == 1:
        return ("joined", *masks)
    return masks[0] if len(set(masks)) == 1 else None


def _makes_mask(value: Any) -> bool:
    """Whether a layer inside a configuration makes a mask."""
    if isinstance(value, Mapping):
        config = value.get("config")
        if value.get("class_name") == "Masking" or (isinstance(config, Mapping) and config.get("mask_zero")):
            return True
        value = list(value.values())
    return isinstance(value, list) and any(map(_makes_mask, value))
