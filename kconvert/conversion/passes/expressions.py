"""Expresses layers that Keras 3 or tf_keras does not have by layers of theirs that compute the same.

(keras-facts: expressions-of-keras3)

The layers that replace one layer are named NAME__CLASS__PART after it, except the one with its weights, which keeps its
name. So they are recognized when the file is converted back, also after its reader saved it again. How an activation is
expressed is said in conventions/words/keras3_writing.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import singledispatch
from itertools import product
from typing import Any

import numpy as np

from ... import layers as L
from ...arguments import argument
from ...conventions.backends import CHANNELS_FIRST
from ...conventions.generations import Reader
from ...errors import KconvertError
from ...kernels import Chain, Fold, Order, Rows, Scale, Transpose
from ...kernels.rows import Block
from ...layers.base import Layer, Shape
from ...layers.component_names import stated
from ...layers.shapes import space, space_axes
from ...lazy_dataclasses import dataclass
from ...network.graph import LayerPath
from ...network.network import Network
from ...network.rewrite import NewLayer, changed, class_names, in_sequence, rewrite
from ...network.rewritten import Rewritten, Source
from .left_out import every, listed
from .masks import masked_layers, refuse_lost_masks, refuse_masked_states, refuse_merged_masks
from .normalized import normalized
from .parts import AXES, part


@singledispatch
def expressed(layer: Layer, shape: Any) -> Sequence[NewLayer] | None:
    """The layers that compute what `layer` does on inputs of `shape`; None where it need not be expressed.

    Raises KconvertError if no layers compute the same.
    """
    return None


@singledispatch
def lacked(layer: Layer) -> bool:
    """Whether a layer of a class that a reader does not have, or computes differently, has to be expressed."""
    return True


@lacked.register(L.BatchNormalization)
def _has_mode(layer: L.BatchNormalization) -> bool:
    return layer.mode != 0


expressed.register(L.BatchNormalization)(normalized)


def with_expressions(model: Network, reader: Reader) -> Rewritten:
    """`model` without the layers that `reader` does not have."""
    notes: list[str] = []
    _refuse_batches_of_steps(model, reader)
    if not reader.masks_of_keras2:
        refuse_masked_states(model, "for which this is written")
        refuse_merged_masks(model, f"use {argument('format', 'keras2')}")
    # in both readers a Softmax computes with the mask (keras-facts: merged-masks)
    masked = {
        name for name, layer, mask, _ in masked_layers(model) if mask is not None and isinstance(layer, L.Softmax)
    }

    def apply(layer: Layer, shape: Any) -> Sequence[NewLayer] | None:
        new = _unmasked(layer, shape, reader) if layer.name in masked else None
        if layer.class_name in reader.lacks and lacked(layer):
            new = expressed(layer, shape)
        if new:
            notes.append(f"{layer.name}: {reader.title} has no such {layer.class_name}; written as {class_names(new)}")
        return new

    done = rewrite(model, apply)
    refuse_lost_masks(model, done.model, reader.title)
    return replace(done, notes=[*dict.fromkeys(notes), *_on_channels_first(done.model, reader)])


def _refuse_batches_of_steps(model: Network, reader: Reader) -> None:
    """Refuses normalization by the batch in a TimeDistributed: is one step the batch, or all of them?"""
    for layer in every(model):
        if isinstance(layer, L.TimeDistributed):
            counting = [
                one.name for one in every(layer.layer) if isinstance(one, L.BatchNormalization) and one.mode == 2
            ]
            if counting:
                raise KconvertError(
                    f"{reader.title} runs a TimeDistributed step by step, and {counting[0]} normalizes by the batch",
                    where=f"layer {layer.name}",
                    fix=f"{argument('format', 'same')} keeps the file in its own generation",
                )


def _on_channels_first(model: Network, reader: Reader) -> Iterator[str]:
    """A note on images that keep channels_first (keras-facts: channels-first-in-keras3)."""
    names = [layer.name for layer in every(model) if getattr(layer, "data_format", None) == CHANNELS_FIRST]
    if names:
        yield (
            f"{listed(names)}: in channels_first, which TensorFlow runs on few CPUs{reader.channels_first};"
            f" leave {argument('data_format')} out"
        )


def _unmasked(layer: Any, shape: Shape, reader: Reader) -> Sequence[NewLayer]:
    if not isinstance(layer.axis, int) or layer.axis % len(shape) != len(shape) - 1:
        raise KconvertError(
            f"{reader.title} has no Softmax of masked inputs along another axis than the last",
            where=f"layer {layer.name}",
            fix=f"use {argument('format', 'keras2')}",
        )
    return [NewLayer(L.Activation("softmax", name=layer.name))]


def refuse_expressed(layer: Layer, reader: Reader | None) -> None:
    """Raises KconvertError for a layer of weights alone that would be written as others."""
    if reader and layer.class_name in reader.lacks and lacked(layer):
        raise KconvertError(
            f"{reader.title} has no {layer.class_name}: the layers that replace it need the architecture",
            where=f"layer {layer.name}",
            fix=f"give the architecture with {argument('arch')}",
        )


# ---------------------------------------------------------- without weights ----


@expressed.register(L.ThresholdedReLU)
def _thresholded(layer: L.ThresholdedReLU, shape: Shape) -> Sequence[NewLayer]:
    """A layer without effect follows, whose name identifies the layer."""
    bent = L.ReLU(threshold=layer.theta, name=layer.name, trainable=layer.trainable)
    return in_sequence(bent, L.Activation("linear", name=part(layer, "output")))


@expressed.register(L.ThresholdedLinear)
def _thresholded_linear(layer: L.ThresholdedLinear, shape: Shape) -> Sequence[NewLayer]:
    """With f, which keeps what is above the number before theta: f(x) - f(-x). It keeps theta and -theta, too.

    tf_keras gives the difference the mask of one of the two; Keras 3 would give it none.
    """
    if layer.theta <= 0:
        return [NewLayer(L.Activation("linear", name=layer.name))]
    below = float(np.nextafter(np.float32(layer.theta), np.float32(0.0)))
    negative = L.Rescaling(-1.0, name=part(layer, "negative"))
    above, under = (L.ReLU(threshold=below, name=part(layer, what)) for what in ("above", "under"))
    return [
        NewLayer(above),
        NewLayer(negative),
        NewLayer(under, (negative.name,)),
        NewLayer(L.Subtract(name=layer.name), (above.name, under.name)),
    ]


@expressed.register(L.UpSampling2D)
def _bilinear(layer: L.UpSampling2D, shape: Shape) -> Sequence[NewLayer] | None:
    """The first pixel keeps its place: each is repeated, the last ones once more, and windows are averaged.

    Keras 3 and tf_keras place the centres of pixels instead (keras-facts: half-pixel-centers).
    """
    if layer.interpolation != "bilinear" or max(layer.size) == 1:
        return None
    sizes = space(shape, layer.data_format)
    if None in sizes:
        raise KconvertError(
            "bilinear enlarging of Keras 2 can be written as other layers only if the size of the image is known",
            where=f"layer {layer.name}",
            fix="state the size in the shape of the model's input",
        )
    new = [NewLayer(changed(layer, name=part(layer, "nearest"), interpolation="nearest"))]
    for i, (axis, n, factor) in enumerate(zip(space_axes(4, layer.data_format), sizes, layer.size, strict=True)):
        if factor > 1:
            before = new[-1].layer.name
            cropping = [(0, 0), (0, 0)]
            cropping[i] = (n * factor - (factor - 1), 0)
            edge = L.Cropping2D(cropping, data_format=layer.data_format, name=part(layer, f"edge_{i}"))
            joined = L.Concatenate(axis, name=part(layer, f"joined_{i}"))
            new += [NewLayer(edge, (before,)), NewLayer(joined, (before, edge.name))]
    mean = L.AveragePooling2D(layer.size, strides=1, data_format=layer.data_format, name=layer.name)
    return [*new, NewLayer(mean, (new[-1].layer.name,))]


# -------------------------------------------------------------------- dense ----


@expressed.register(L.MaxoutDense)
def _maxout(layer: L.MaxoutDense, shape: Shape) -> Sequence[NewLayer]:
    dense = L.EinsumDense(
        equation="bi,fio->bfo",
        declared_shape=(layer.nb_feature, layer.output_dim),
        bias_axes="fo" if layer.bias else None,
        kernel_regularizer=layer.W_regularizer,
        bias_regularizer=layer.b_regularizer,
        kernel_constraint=layer.W_constraint,
        bias_constraint=layer.b_constraint,
        name=layer.name,
        trainable=layer.trainable,
    )
    return in_sequence(dense, L.GlobalMaxPooling1D(name=part(layer, "max")))


@expressed.register(L.Highway)
def _highway(layer: L.Highway, shape: Shape) -> Sequence[NewLayer]:
    """With t, the output of the gate: t * dense(x) + (1 - t) * x."""
    units = layer.known(shape, 1)
    options: dict[str, Any] = {
        "use_bias": layer.bias,
        "trainable": layer.trainable,
        "kernel_regularizer": layer.W_regularizer,
        "bias_regularizer": layer.b_regularizer,
        "kernel_constraint": layer.W_constraint,
        "bias_constraint": layer.b_constraint,
    }
    entry = L.Activation("linear", name=part(layer, "input"))
    dense = L.Dense(units, activation=stated(layer, "activation"), name=layer.name, **options)
    gate = L.Dense(units, activation="sigmoid", name=part(layer, "gate"), **options)
    carry = L.Rescaling(-1.0, 1.0, name=part(layer, "carry"))
    kept, new = (L.Multiply(name=part(layer, what)) for what in ("kept", "new"))
    of_gate: dict[LayerPath, Source] = {("kernel",): ("carry_kernel",)}
    if layer.bias:
        of_gate["bias",] = ("carry_bias",)
    return [
        NewLayer(entry),
        NewLayer(dense, (entry.name,)),
        NewLayer(gate, (entry.name,), sources=of_gate),
        NewLayer(carry, (gate.name,)),
        NewLayer(kept, (carry.name, entry.name)),
        NewLayer(new, (gate.name, dense.name)),
        NewLayer(L.Add(name=part(layer, "sum")), (new.name, kept.name)),
    ]


# -------------------------------------------------------- locally connected ----


@expressed.register(L.LocallyConnected1D)
@expressed.register(L.LocallyConnected2D)
def _local(layer: Any, shape: Shape) -> Sequence[NewLayer]:
    """The elements of all patches as channels, and a product with another kernel at each position.

    Images in channels_first are turned for it, and back. Their patches and their bias have other orders (keras-facts:
    local-patch-order, local-bias-is-reshaped).
    """
    sizes = space(shape, layer.data_format)
    lengths = layer.lengths(sizes)
    letters = AXES[1 : 1 + layer.rank]
    dense = L.EinsumDense(
        equation=f"b{letters}i,{letters}io->b{letters}o",
        declared_shape=(*lengths, layer.filters),
        activation=stated(layer, "activation"),
        bias_axes=f"{letters}o" if layer.use_bias else None,
        kernel_regularizer=stated(layer, "kernel_regularizer"),
        bias_regularizer=stated(layer, "bias_regularizer"),
        activity_regularizer=stated(layer, "activity_regularizer"),
        kernel_constraint=stated(layer, "kernel_constraint"),
        bias_constraint=stated(layer, "bias_constraint"),
        name=layer.name,
        trainable=layer.trainable,
    )
    rows = Chain((Fold(lengths[0]),)) if layer.rank > 1 else Chain()
    if layer.data_format != CHANNELS_FIRST:
        patches = _patches(layer, sizes, lengths) or [NewLayer(L.Activation("linear", name=part(layer, "input")))]
        return [*patches, NewLayer(dense, _last(patches), {("kernel",): rows})]
    turned = L.Permute((2, 3, 1), name=part(layer, "channels_last"))
    back = L.Permute((3, 1, 2), name=part(layer, "channels_first"))
    patches = [replace(new, inputs=new.inputs or (turned.name,)) for new in _patches(layer, sizes, lengths)]
    block = Block("chw", "hwc", (shape[1] or 0, *layer.kernel_size))
    weights: dict[LayerPath, Chain] = {("kernel",): Rows("k", "pko", (block,)) >> rows}
    if layer.use_bias:
        weights["bias",] = Chain((Order("ohw", "hwo", "hwo"),))
    return [
        NewLayer(turned),
        *patches,
        NewLayer(dense, _last(patches) or (turned.name,), weights),
        NewLayer(back, (dense.name,)),
    ]


def _last(new: Sequence[NewLayer]) -> tuple[str, ...]:
    return (new[-1].layer.name,) if new else ()


def _patches(layer: Any, sizes: Sequence[Any], lengths: Sequence[int]) -> list[NewLayer]:
    """The patches of an image in channels_last: (spatial..., elements of one patch)."""
    new: list[NewLayer] = []
    ends: list[str] = []
    for offset in product(*map(range, layer.kernel_size)):
        new += _picked(layer, offset, sizes, lengths)
        ends += _last(new)
    joined = L.Concatenate(-1, name=part(layer, "patches"))
    return [*new, NewLayer(joined, tuple(ends))] if len(ends) > 1 else new


def _picked(layer: Any, offset: tuple[int, ...], sizes: Sequence[Any], lengths: Sequence[int]) -> list[NewLayer]:
    """The element at `offset` of every patch: a crop, and where patches are further apart, a pooling of single ones."""
    croppings, poolings = ((L.Cropping1D, L.MaxPooling1D), (L.Cropping2D, L.MaxPooling2D))[layer.rank - 1]
    spans = [(length - 1) * stride + 1 for length, stride in zip(lengths, layer.strides, strict=True)]
    crops = [(at, size - at - span) for at, size, span in zip(offset, sizes, spans, strict=True)]
    what = "_".join(map(str, offset))
    found: list[Layer] = []
    if any(map(any, crops)):
        found.append(croppings(crops if layer.rank > 1 else crops[0], name=part(layer, f"at_{what}")))
    if max(layer.strides) > 1:
        found.append(poolings(1, strides=layer.strides, name=part(layer, f"picked_{what}")))
    return in_sequence(*found)


# ------------------------------------------------- parameters for each element ----


@dataclass(frozen=True)
class _Elements:
    """Products and sums of a tensor and parameters of its shape, which have size 1 on `shared` axes."""

    layer: Any
    shape: Shape

    @property
    def tensor(self) -> str:
        return AXES[: len(self.shape)]

    @property
    def parameter(self) -> str:
        """The axes of a parameter without those that are shared; the rest of them has size 1."""
        shared = self.layer.shared_axes or ()
        axes = {shared} if isinstance(shared, int) else set(shared)
        found = "".join(axis for i, axis in enumerate(self.tensor) if i and i not in axes)
        if not found:
            raise KconvertError(
                f"a {self.layer.class_name} with one parameter for all elements cannot be written as other layers",
                where=f"layer {self.layer.name}",
            )
        return found

    @property
    def chain(self) -> Chain:
        """From a parameter as the layer has it to one without axes of size 1."""
        stored = "".join(axis if axis in self.parameter else "1" for axis in self.tensor[1:])
        return Chain((Transpose(stored, self.parameter),)).simplified

    @property
    def ones(self) -> np.ndarray:
        sizes = dict(zip(self.tensor, self.shape, strict=True))
        return np.ones([sizes[axis] or 0 for axis in self.parameter], "float32")

    def __call__(
        self, name: str, inputs: tuple[str, ...], factor: str = "", offset: str = "", negative: bool = False
    ) -> NewLayer:
        """`factor * x + offset`, or `x - offset`; factor and offset are weights of the layer, none: 1 and 0."""
        dense = L.EinsumDense(
            equation=f"{self.tensor},{self.parameter}->{self.tensor}",
            declared_shape=self.shape[1:],
            bias_axes=self.parameter if offset else None,
            name=name,
            trainable=self.layer.trainable,
        )
        sources: dict[LayerPath, Source] = {("kernel",): (factor,) if factor else self.ones}
        weights: dict[LayerPath, Chain] = {("kernel",): self.chain} if factor else {}
        if offset:
            sources["bias",] = (offset,)
            weights["bias",] = self.chain >> (Scale(-1.0) if negative else Chain())
        return NewLayer(dense, inputs, weights, sources)


@expressed.register(L.ParametricSoftplus)
def _parametric_softplus(layer: L.ParametricSoftplus, shape: Shape) -> Sequence[NewLayer]:
    scaled = _Elements(layer, shape)
    beta, softplus = part(layer, "beta"), part(layer, "softplus")
    return [
        scaled(beta, (), factor="beta_softplus"),
        NewLayer(L.Activation("softplus", name=softplus), (beta,)),
        scaled(layer.name, (softplus,), factor="alpha"),
    ]


@expressed.register(L.SReLU)
def _s_shaped(layer: L.SReLU, shape: Shape) -> Sequence[NewLayer]:
    """With d = x - t_left and v = relu(d - |t_right|): PReLU(d) - v + a_right * v + t_left.

    If it is bounded (keras-facts: bounded-srelu), min(PReLU(d), |t_right|) takes the place of PReLU(d) - v.
    """
    scaled = _Elements(layer, shape)
    names = ("from_left", "less", "more", "least", "beyond", "slope", "width", "middle", "sum")
    left, less, more, least, beyond, slope, width, middle, total = (part(layer, name) for name in names)
    bent = L.PReLU(shared_axes=layer.shared_axes, name=layer.name, trainable=layer.trainable)
    return [
        scaled(left, (), offset="t_left", negative=True),
        NewLayer(bent, (left,), sources={("alpha",): ("a_left",)}),
        scaled(less, (left,), offset="t_right", negative=True),
        scaled(more, (left,), offset="t_right"),
        NewLayer(L.Minimum(name=least), (less, more)),
        NewLayer(L.ReLU(name=beyond), (least,)),
        scaled(slope, (beyond,), factor="a_right", offset="t_left"),
        *(
            [
                NewLayer(L.Subtract(name=width), (left, least)),
                NewLayer(L.Minimum(name=middle), (bent.name, width)),
            ]
            if layer.bounded
            else [NewLayer(L.Subtract(name=middle), (bent.name, beyond))]
        ),
        NewLayer(L.Add(name=total), (middle, slope)),
    ]
