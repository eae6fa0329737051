"""Converts layers that only Keras 1 has to layers of Keras 2 that compute the same.

A layer becomes a sequence of layers, with its weights in the first of them. Keys that were only renamed are
translated in network/architecture.py; here the classes change.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import fields, replace
from functools import singledispatch
from itertools import product
from typing import Any

from ... import layers as L
from ...arguments import argument
from ...conventions.backends import CHANNELS_LAST
from ...errors import KconvertError
from ...layers import early
from ...layers.base import Layer
from ...layers.component_names import stated
from ...layers.merge import in_keras2
from ...network.network import Network
from ...network.rewrite import NewLayer, changed, in_sequence, rewrite
from ...network.rewritten import Rewritten
from ...network.sequential import Sequential


@singledispatch
def modern(layer: Layer, shape: Any) -> Sequence[Layer] | Sequence[NewLayer]:
    """The Keras 2 layers, in sequence or as a small graph, that compute what `layer` does on inputs of `shape`."""
    return [layer]


@singledispatch
def left_out(layer: Layer) -> list[str]:
    """The options of the layer that Keras 2 does not have; none for most layers."""
    return []


def _refused(layer: Layer, why: str) -> KconvertError:
    return KconvertError(
        why, where=f"layer {layer.name}", fix=f"{argument('format', 'same')} keeps the file in its own generation"
    )


@modern.register(L.Flatten)
def _flatten(layer: Any, shape: Any) -> list[Layer]:
    """From 2.2 on, a Flatten without a data format uses the user's global one, so state it."""
    return [layer if layer.data_format else changed(layer, data_format=CHANNELS_LAST)]


@modern.register(L.Embedding)
def _embedding(layer: Any, shape: Any) -> list[Layer]:
    """In Keras 1 the dtype is that of the indices, in Keras 2 that of the table."""
    return [changed(layer, dtype=None) if str(layer.dtype).startswith("int") else layer]


@modern.register(L.ConvLSTM2D)
def _convolutional_recurrent(layer: Any, shape: Any) -> list[Layer]:
    """Keras 2.0 stated an implementation, which later releases do not understand."""
    return [changed(layer, extra={key: value for key, value in layer.extra.items() if key != "implementation"})]


@modern.register(L.BatchNormalization)
def _normalization(layer: Any, shape: Any) -> list[Layer]:
    if layer.mode:
        raise _refused(layer, f"BatchNormalization(mode={layer.mode}) has no equal in Keras 2")
    return [layer]


@modern.register(L.Conv2DTranspose)
def _transposed(layer: Any, shape: Any) -> list[Layer]:
    """Keras 1 states the whole output shape; Keras 2 what to add to the smallest."""
    if layer.keras1_output_shape is None:
        return [layer]
    wanted = layer.compute_output_shape(shape)
    for extra in (None, *product(*(range(stride) for stride in layer.strides))):
        smaller = changed(layer, keras1_output_shape=None, output_padding=extra)
        if smaller.compute_output_shape(shape) == wanted:
            return [smaller]
    raise _refused(layer, f"Keras 2 cannot make the output shape {layer.keras1_output_shape}")


@modern.register(L.SReLU)
@modern.register(L.ParametricSoftplus)
def _gone(layer: Layer, shape: Any) -> list[Layer]:
    raise _refused(layer, f"{layer.class_name} has no equal in Keras 2")


@modern.register(L.TimeDistributedDense)
def _time_distributed_dense(layer: Any, shape: Any) -> list[Layer]:
    """A Keras 2 Dense works on the last axis of any input."""
    shared = {f.name: stated(layer, f.name) for f in fields(L.Dense) if f.init and hasattr(layer, f.name)}
    return [L.Dense(**shared)]


@modern.register(L.AutoEncoder)
def _autoencoder(layer: Any, shape: Any) -> list[Layer]:
    """The encoder alone: the decoder does not run."""
    entry = L.InputLayer(batch_input_shape=shape, name=f"{layer.name}_input")
    return [Sequential([entry, layer.encoder], name=layer.name, trainable=layer.trainable)]


@left_out.register(L.Merge)
def _function_of_merge(layer: Any) -> list[str]:
    return ["Keras 2 has no merge by a function: a Lambda calls it"] if layer.is_function else []


@left_out.register(L.AutoEncoder)
def _decoder(layer: Any) -> list[str]:
    return [f"the decoder {layer.decoder.name} and its weights are left out: it does not run"]


@modern.register(L.TimeDistributedMerge)
def _time_distributed_merge(layer: Any, shape: Any) -> Sequence[Layer] | Sequence[NewLayer]:
    """The mean of all steps; their sum is that many times the mean; their product takes each by itself."""
    steps = shape[1]
    if layer.mode == "ave":
        return [L.GlobalAveragePooling1D(name=layer.name)]
    if steps is None:
        raise _refused(layer, f"TimeDistributedMerge({layer.mode!r}) over an unknown number of steps")
    if layer.mode == "sum":
        mean = L.GlobalAveragePooling1D(name=f"{layer.name}_mean")
        total = L.Add(name=layer.name) if steps > 1 else L.Activation("linear", name=layer.name)
        return [NewLayer(mean), NewLayer(total, (mean.name,) * steps)]
    crops = [L.Cropping1D((i, steps - 1 - i), name=f"{layer.name}_{i}") for i in range(steps)]
    product = L.Multiply(name=f"{layer.name}_product")
    flat = L.Flatten(name=layer.name, data_format=CHANNELS_LAST)
    if steps == 1:
        return [flat]
    joined = NewLayer(product, tuple(crop.name for crop in crops))
    return [*map(NewLayer, crops), joined, NewLayer(flat, (product.name,))]


@modern.register(L.ThresholdedLinear)
def _thresholded_linear(layer: Layer, shape: Any) -> list[Layer]:
    raise _refused(layer, "ThresholdedLinear has no equal in Keras 2")


@modern.register(early.UpSampling1D030)
@modern.register(early.UpSampling2D030)
def _tiled(layer: Any, shape: Any) -> list[NewLayer]:
    """The whole input, joined to itself along each axis."""
    parts = [(axis, times) for axis, times in layer.by_axis().items() if times > 1]
    made = [NewLayer(L.Activation("linear", name=f"{layer.name}_once"))]
    for axis, times in parts:
        before = made[-1].layer.name
        made.append(NewLayer(L.Concatenate(axis=axis, name=f"{layer.name}_{axis}"), (before,) * times))
    *others, last = made
    return [*others, replace(last, layer=changed(last.layer, name=layer.name))]


@modern.register(early.SimpleRNN020)
@modern.register(early.GRU020)
@modern.register(early.LSTM020)
@modern.register(early.SimpleRNN030)
@modern.register(early.GRU030)
@modern.register(early.LSTM030)
@modern.register(early.SimpleRNN031)
@modern.register(early.GRU031)
@modern.register(early.LSTM031)
@modern.register(early.Conv2D030)
@modern.register(early.JZS1)
@modern.register(early.JZS2)
@modern.register(early.JZS3)
def _of_one_release(layer: Layer, shape: Any) -> list[Layer]:
    raise _refused(layer, f"{early.described(layer)} has no equal in Keras 2")


@modern.register(L.Merge)
def _merge(layer: Any, shape: Any) -> list[Layer]:
    found = in_keras2(layer)
    if not found:
        raise _refused(layer, f"Merge(mode={layer.mode!r}) has no equal in Keras 2")
    return found


def modernize(model: Network, stays: Collection[str] = ()) -> Rewritten:
    """`model` with layers of Keras 2. Raises KconvertError that names a layer without an equivalent.

    stays: the classes of layers that a later pass converts.
    """

    notes: list[str] = []

    def pieces(layer: Layer, shape: Any) -> list[NewLayer]:
        if layer.class_name in stays:
            return [NewLayer(layer)]
        notes.extend(f"{layer.name}: {what}" for what in left_out(layer))
        found = modern(layer, shape)
        plain = [one for one in found if isinstance(one, Layer)]
        return in_sequence(*plain) or [one for one in found if isinstance(one, NewLayer)]

    return replace(rewrite(model, pieces), notes=list(dict.fromkeys(notes)))
