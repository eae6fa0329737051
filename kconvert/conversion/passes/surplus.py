"""Separable convolutions of Keras on Theano that give one element too many (keras-facts: surplus-of-separable).

With padding='same', Theano adds kernel // 2 zeros on both sides. With an even kernel this gives more elements than
Keras declares, and Keras crops the result by the size of the kernel. A separable convolution looks at the size of its
pointwise kernel, which is 1, and crops nothing. Most layers after it take the elements that are there; a few take
as many as declared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ... import layers as L
from ...conventions.generations import Convention, release
from ...layers.base import Layer, Shape
from ...network.network import Network
from ...network.rewrite import NewLayer, changed, class_names, in_sequence, rewrite
from ...network.rewritten import Rewritten
from .hazards import spatial_sizes, windows
from .repair import CROPPINGS, padded, sized

SEPARABLE = (L.SeparableConv1D, L.SeparableConv2D)
LOCAL = (L.LocallyConnected1D, L.LocallyConnected2D)
FIRST = (2, 2, 0)
"""The first release with separable convolutions on Theano; all of them do so."""


def with_surplus(model: Network, origin: Convention, version: str | None) -> Rewritten:
    """`model` of a file of `origin`, with layers that have the shapes that Keras on Theano computed.

    version: the release that saved the file; None: not known.
    """
    concerned = origin.facts.surplus and (release(version) or FIRST) >= FIRST
    if not concerned or not any(with_even_kernel(layer) for _, layer in model.leaves()):
        return Rewritten(model)
    declared: dict[Layer, Any] = {}
    notes: list[str] = []

    def uncropped(layer: Layer, shape: Any) -> Sequence[NewLayer] | None:
        declared[layer] = shape
        if not with_even_kernel(layer):
            return None
        new = _uncropped(layer, shape)
        notes.append(f"{layer.name}: read as {class_names(new)}, for with an even kernel Keras on Theano crops nothing")
        return new

    def as_declared(layer: Layer, shape: Any) -> Sequence[NewLayer] | None:
        return _as_declared(layer, shape, declared.get(layer))

    done = rewrite(model, uncropped)
    return replace(done, notes=notes).then(rewrite(done.model, as_declared))


def with_even_kernel(layer: Any) -> bool:
    """Whether Keras on Theano gives more elements than it declares."""
    return (
        isinstance(layer, SEPARABLE)
        and layer.padding == "same"
        and any(_spread(k, d) % 2 == 0 for k, d in zip(layer.kernel_size, layer.dilation_rate, strict=True))
    )


def _spread(kernel: int, dilation: int) -> int:
    return (kernel - 1) * dilation + 1


def _uncropped(layer: Any, shape: Shape) -> list[NewLayer]:
    """The layer with its zeros spelled out, and no crop."""
    pads = [(window.kernel // 2, window.kernel // 2) for window in windows(layer, shape)]
    return in_sequence(*padded(layer, pads), changed(layer, padding="valid"))


def _as_declared(layer: Any, shape: Any, declared: Any) -> list[NewLayer] | None:
    """A layer that takes as many elements as Keras declares, behind a crop; None for any other layer."""
    if isinstance(layer, LOCAL):
        sizes, wanted = spatial_sizes(layer, shape), spatial_sizes(layer, declared)
    elif getattr(layer, "unroll", False) and not isinstance(shape, list):
        sizes, wanted = shape[1:2], declared[1:2]
    else:
        return None
    if sizes == wanted:
        return None
    surplus = [(0, (n or 0) - (want or 0)) for n, want in zip(sizes, wanted, strict=True)]
    crop = sized(CROPPINGS[len(surplus)], surplus, layer, f"{layer.name}_crop")
    return in_sequence(crop, layer)
