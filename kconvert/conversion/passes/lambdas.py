"""Lambdas and other layers whose output shape a file does not state (keras-facts: lambda-output-shape).

Keras on TensorFlow infers the shape from the function, which is never loaded. If the function is registered, the shape
is computed with it. Otherwise the shape is taken to be that of the input, as long as the stored arrays fit, and as
long as the sizes after the Lambda do not decide how a layer is converted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import singledispatch
from itertools import chain
from typing import Any

from ... import layers as L
from ...arguments import argument, own_code
from ...conventions.backends import BACKENDS, BackendFacts
from ...conventions.generations import Reader
from ...errors import KconvertError
from ...layers.base import Layer
from ...network.graph import CallId
from ...network.network import Network
from ...network.rewrite import NewLayer, changed, rewrite
from ...network.rewritten import Rewritten
from .hazards import Window, calls, windows
from .left_out import every


def mark_inferring(network: Network, backend: str) -> None:
    """Marks the Lambdas of a network that was just read from a file of `backend`, where that infers their shapes."""
    for layer in every(network):
        if isinstance(layer, L.Lambda):
            layer.infers = BACKENDS[backend].infers_shapes


def refuse_code(network: Network, reader: Reader) -> None:
    """Raises KconvertError for a Lambda with code, which the Python of `reader` does not load."""
    for layer in every(network):
        if isinstance(layer, L.Lambda) and "lambda" in (layer.function_type, layer.output_shape_type):
            raise KconvertError(
                f"a Lambda stores code that {reader.title} runs only on the Python that saved it",
                where=f"layer {layer.name}",
                fix=f"use {argument('format', 'keras2')}, or build the model with a function that has a name, and load"
                " the weights",
            )


@contextmanager
def blamed_on_lambdas(network: Network) -> Iterator[None]:
    """Where a layer after a Lambda of unknown shape is refused, the error names the Lambda and asks for its shape."""
    try:
        yield
    except KconvertError as error:
        found = {name: first for first in _unknown(network) for name in behind(network, first)}
        named = (error.where or "").rpartition("layer ")[2].split("/")
        first = next((found[name] for name in named if name in found), None)
        if first is None:
            raise
        raise _ask(
            first, f"the shape of its input does not fit layer {'/'.join(named)}: {error.what}", error
        ) from error


def with_shapes(model: Network, source: str, target: str) -> Rewritten:
    """`model` with the shapes of Lambdas that `target` does not infer, and a note on each that is not known.

    Raises KconvertError where such a shape decides how a layer after the Lambda is converted.
    """
    unknown = _unknown(model)
    if source != target and unknown:
        _refuse_if_sizes_matter(model, BACKENDS[source], BACKENDS[target])
    notes = [
        f"{layer.name}: the file does not state its output_shape, and {_taken(layer)} is taken; {_how_to_state(layer)}"
        for layer in unknown
        if behind(model, layer)
    ]
    if BACKENDS[target].infers_shapes or not any(isinstance(layer, L.Lambda) for layer in every(model)):
        return Rewritten(model, notes=notes)
    return replace(rewrite(model, _stated), notes=notes)


def behind(network: Network, source: Layer) -> set[str]:
    """The names of the layers that are called on what `source` computes, directly or not."""
    reached: set[CallId] = set()
    names: set[str] = set()
    for node in network.nodes:
        layer = network.by_name[node.layer]
        depends = any(ref.call in reached for ref in node.inputs)
        if depends:
            names.update(inner.name for inner in every(layer))
        if depends or source in every(layer):
            reached.add(node.output.call)
        if isinstance(layer, Network):
            names |= behind(layer, source)
    return names


def _unknown(network: Network) -> list[Layer]:
    return [layer for layer in every(network) if layer.is_unknown]


def _stated(layer: Layer, shape: Any) -> list[NewLayer] | None:
    """A Lambda that states the shape which its registered function gives."""
    computed = layer.computed_shape(shape) if isinstance(layer, L.Lambda) and layer.infers else None
    return [NewLayer(changed(layer, declared_shape=list(computed[1:])))] if computed else None


# ------------------------------------------------------------ sizes that matter ----


def _refuse_if_sizes_matter(model: Network, first: BackendFacts, second: BackendFacts) -> None:
    """Raises KconvertError for the first Lambda of unknown shape before a window that depends on its sizes."""
    for source in _unknown(model):
        for path, window in _windows_behind(model, source):
            pairs = {replace(window, size=size).paddings(first, second) for size in window.sizes_to_try}
            if pairs != {None} and (len(pairs) > 1 or window.stride > 1):
                raise _ask(source, f"the padding of {path} depends on it")


def _windows_behind(model: Network, source: Layer) -> list[tuple[str, Window]]:
    """(path of the layer, window) for each window of which only the shape of `source` tells the size."""
    strict = [(path, layer, windows(layer, shape)) for path, layer, shape in calls(model)]
    for keep in (-1, 1):
        try:
            loose = list(calls(rewrite(model, _of_sizes(source, keep)).model))
        except KconvertError:
            continue
        return [
            (path, known)
            for (path, _, found), (_, layer, shape) in zip(strict, loose, strict=True)
            for known, unknown in zip(found, windows(layer, shape), strict=True)
            if known.size is not None and unknown.size is None
        ]
    names = behind(model, source)
    return list(chain.from_iterable([(p, one) for one in found] for p, layer, found in strict if layer.name in names))


def _of_sizes(source: Layer, keep: int) -> Callable[[Layer, Any], list[NewLayer] | None]:
    """Replaces `source` by a Lambda of which the batch and the axis `keep` alone are known."""

    def loosened(layer: Layer, shape: Any) -> list[NewLayer] | None:
        if layer is not source:
            return None
        sizes = layer.guessed_shape(shape)
        kept = keep % len(sizes)
        return [NewLayer(changed(layer, assumed=tuple(n if i == kept else None for i, n in enumerate(sizes))[1:]))]

    return loosened


# ------------------------------------------------------------------- messages ----


def _ask(layer: Layer, why: str, error: KconvertError | None = None) -> KconvertError:
    where = f"layer {layer.name}"
    before = (error.where or "").rpartition("layer ")[0].rstrip(", ") if error else ""
    return KconvertError(
        f"the file does not state the output_shape of this {layer.class_name}; {why}",
        where=f"{before}, {where}" if before else where,
        fix=_how_to_state(layer),
    )


def _taken(layer: Layer) -> str:
    return "the shape of its input" if layer.assumed is None else f"{(None, *layer.assumed)}, which the arrays fit,"


@singledispatch
def _how_to_state(layer: Layer) -> str:
    return own_code("class", layer.class_name, "kconvert.register_layer")


@_how_to_state.register(L.Merge)
@_how_to_state.register(L.Lambda)
def _how_to_state_of_function(layer: Layer) -> str:
    call = f"kconvert.register_function({layer.name!r}, output_shape=...)"
    return (
        f"{own_code('function', layer.name, call)},"
        f' or state "output_shape" of the layer in what model.to_json() wrote, passed with {argument("arch")}'
    )
