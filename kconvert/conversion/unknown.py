"""What the stored arrays tell of layers that the architecture does not describe: their weights, and their shapes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fnmatch import fnmatchcase
from itertools import islice, product

from ..arguments import argument
from ..conventions.generations import Convention
from ..errors import KconvertError, Problem
from ..formats.checkpoint import Checkpoint, Group, LazyArray
from ..layers.as_is import AsIs, left_alone
from ..layers.base import Layer, Shape
from ..layers.wrappers import TimeDistributed
from ..network.graph import LayerPath
from ..network.network import Network
from ..network.rewrite import NewLayer, rewrite
from .inference.infer import AS_IS
from .passes.left_out import every

TRIED = 200  # combinations of shapes


# ------------------------------------------------------------------ as given ----


def left_as_given(network: Network, given: Sequence[str]) -> Network:
    """`network` with the layers that `given` names ('NAME=as-is') left alone.

    Raises KconvertError for anything else that is given, and for a name that no layer has.
    """
    patterns = [text.rpartition("=")[0] for text in given]
    other = next((text for text in given if text.rpartition("=")[::2] not in ((p, AS_IS) for p in patterns)), None)
    if other is not None:
        what = f"{other!r}: the architecture says what each layer is"
        raise KconvertError(what, fix=f"leave {argument('layers')} out, or give NAME={AS_IS}", problem=Problem.USAGE)
    used: set[str] = set()

    def replaced(layer: Layer, shape: object) -> list[NewLayer] | None:
        named = [pattern for pattern in patterns if fnmatchcase(layer.name, pattern)]
        used.update(named)
        return [NewLayer(left_alone(layer))] if named and not isinstance(layer, AsIs) else None

    found = rewrite(network, replaced).model if patterns else network
    if missing := [pattern for pattern in patterns if pattern not in used]:
        what = f"no layer of the architecture is called {missing[0]!r}"
        raise KconvertError(what, network.name, "kconvert inspect lists them", Problem.USAGE)
    return found


# ------------------------------------------------------------------- weights ----


def learn_weights(network: Network, checkpoint: Checkpoint, convention: Convention) -> None:
    """Sets the weights of layers that are carried as they are: the arrays that the file has for them.

    Raises KconvertError where the file does not name its layers.
    """
    found = list(_carried(network))
    if found and not checkpoint.named:
        path, layer = found[0]
        what = f"a {layer.class_name} cannot be carried as it is: files of Keras 0.2 - 0.3 do not name their layers"
        raise KconvertError(what, f"layer {'/'.join(path)}")
    groups = {group.name: group for group in checkpoint.groups}
    for path, layer in found:
        group = groups.get(path[0])
        arrays = [] if group is None else _arrays(path, group)
        layer.shapes = {_slot(array.name, path[-1]): tuple(array.shape) for array in arrays}


def _carried(network: Network, outer: LayerPath = ()) -> Iterator[tuple[LayerPath, AsIs]]:
    for layer in network.sublayers:
        path = (*outer, layer.name)
        if isinstance(layer, AsIs):
            yield path, layer
        inner = layer.layer if isinstance(layer, TimeDistributed) else layer
        if isinstance(inner, Network):
            yield from _carried(inner, path if inner is layer else (*path, inner.name))


def _arrays(path: LayerPath, group: Group) -> list[LazyArray]:
    """The arrays of a layer in the group of the layer, or of the nested network around it."""
    if len(path) == 1:
        return list(group.arrays)
    return [array for array in group.arrays if _belongs(array.name, path[-1])]


def _belongs(name: str, layer: str) -> bool:
    parts = name.removesuffix(":0").split("/")
    return layer in parts[:-1] or (len(parts) == 1 and parts[0].startswith(f"{layer}_"))


def _slot(name: str, layer: str) -> str:
    """What an array is called within its layer."""
    stem = name.removesuffix(":0")
    for separator in ("/", "_"):
        before, found, after = stem.rpartition(f"{layer}{separator}")
        if found and (not before or before.endswith("/")):
            return after.replace("/", "_")
    return stem.replace("/", "_")


# -------------------------------------------------------------------- shapes ----


def assume_shapes(network: Network, checkpoint: Checkpoint, fits: Callable[[], bool]) -> None:
    """Sets the output shapes of layers that do not state theirs, where those of their inputs do not fit the arrays.

    fits: whether the arrays have the shapes of the network's weights. Where nothing fits, nothing is set.
    """
    unknown = [layer for layer in every(network) if layer.is_unknown]
    if not unknown or fits():
        return
    sizes = sorted({n for group in checkpoint.groups for array in group.arrays for n in array.shape[:-1]})
    guesses: list[Shape | None] = [None]
    guesses += [guess for n in sizes for guess in ((n,), (None, n), (None, None, n), (n, None, None))]
    classes = list(dict.fromkeys(layer.class_name for layer in unknown))
    for names in (classes, [layer.name for layer in unknown]):
        for chosen in islice(product(guesses, repeat=len(names)), TRIED):
            for layer in unknown:
                layer.assumed = chosen[names.index(layer.class_name if names is classes else layer.name)]
            if fits():
                return
    for layer in unknown:
        layer.assumed = None
