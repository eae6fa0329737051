"""What single releases computed otherwise than their configuration says now: said explicitly when read and written.

The rows of `ODDITIES`. (Source: the backends and the layers' `get_config` of these releases; `tf.nn.fused_batch_norm`.)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ... import layers as L
from ...conventions.backends import BACKENDS, same_padding
from ...conventions.generations import GENERATIONS, release
from ...errors import KconvertError
from ...kernels import Chain, Shift
from ...layers.base import Layer, Shape
from ...network.network import Network
from ...network.rewrite import Piece, Rewritten, chain, changed, names, rewrite
from .hazards import windows
from .repair import CROPPINGS, Context, explicit, known, padded, sized

Change = Callable[[Any, Shape], Sequence[Piece] | None]
Version = tuple[int, ...]


@dataclass(frozen=True)
class Oddity:
    """What releases first to last did with one kind of layer, on one backend or all.

    does: what that is, after the name of the layer. read: what the layer of a file means in today's words.
    write: how a layer must be said so that these releases compute it. None: the layer stays. in_files: only
    what a weight file itself says is odd, not an architecture that the user gives.
    """

    first: Version
    last: Version
    classes: tuple[type[Layer], ...]
    does: str
    read: Change
    write: Change
    backend: str | None = None
    in_files: bool = False

    def holds(self, version: Version, backend: str) -> bool:
        return self.first <= version <= self.last and self.backend in (None, backend)

    @property
    def releases(self) -> str:
        """Which ones: 'Keras 2.0.4 - 2.1.4 on theano'."""
        first, last = (".".join(map(str, version)) for version in (self.first, self.last))
        return f"Keras {first} - {last}" + (f" on {self.backend}" if self.backend else "")


# -------------------------------------------------------------- the oddities ----


def _same_average(layer: Any) -> bool:
    return layer.padding == "same"


def _counted(layer: Any, shape: Shape) -> Sequence[Piece] | None:
    """Zeros around the input, which then count in the mean."""
    if not _same_average(layer):
        return None
    pads = []
    for window in windows(layer, shape):
        n, k, s = known(layer, window.size), window.kernel, window.stride
        pads.append(same_padding(BACKENDS["theano"].pool_padding(n, k, s), n, k, s))
    return chain(*padded(layer, pads), changed(layer, padding="valid"))


_THEANO = Context(BACKENDS["theano"], GENERATIONS["keras2"])


def _uncounted(layer: Any, shape: Shape) -> Sequence[Piece] | None:
    """Windows that hang over the edge become smaller ones."""
    return explicit(layer, shape, _THEANO) if _same_average(layer) else None


def _first_two(layer: Any, shape: Shape) -> Sequence[Piece] | None:
    """Rows by the first number, columns by the second (the file has top, bottom, left, right)."""
    rows, columns = layer.padding[0]
    return None if _symmetric(layer) else [Piece(changed(layer, padding=((rows, rows), (columns, columns))))]


def _symmetric(layer: Any) -> bool:
    return all(before == after for before, after in layer.amounts)


def _cropped(layer: Any, shape: Shape) -> Sequence[Piece] | None:
    """As many zeros on both sides, and the surplus cut off."""
    if _symmetric(layer):
        return None
    most = [max(pair) for pair in layer.amounts]
    cuts = [(n - before, n - after) for n, (before, after) in zip(most, layer.amounts, strict=True)]
    wide = sized(type(layer), [(n, n) for n in most], layer, f"{layer.name}_wide")
    return chain(wide, sized(CROPPINGS[layer.rank], cuts, layer, layer.name))


def _stays(layer: Any, shape: Shape) -> None:
    return None


def _unsaid_shape(layer: Any, shape: Shape) -> None:
    """With strides several output shapes are possible, and the file has only the smallest."""
    if any(stride > 1 for stride in layer.strides):
        raise KconvertError(
            "Keras 1.0.7 - 1.1.1 did not save the output_shape that a Deconvolution2D with strides was given",
            where=f"layer {layer.name}",
            fix="put it into the architecture (model.to_json()) and give that with --arch",
        )


def _sized_batch(layer: Any, shape: Shape) -> None:
    """The whole output shape is a constant of the graph."""
    if not (layer.keras1_output_shape or shape)[0]:
        raise KconvertError(
            "Keras 1.0.7 - 1.2.0 on TensorFlow runs a Deconvolution2D only with a batch size in its output_shape",
            where=f"layer {layer.name}",
            fix="use --format keras2, or put the batch size into the architecture and give that with --arch",
        )


FUSED_EPSILON = 1.001e-5


def _raised_epsilon(layer: Any, shape: Shape) -> Sequence[Piece] | None:
    """variance + epsilon stays what it was: what is added to the one is taken from the other."""
    if len(shape) != 4 or layer.epsilon >= 1e-5:
        return None
    less = Chain((Shift(layer.epsilon - FUSED_EPSILON),))
    return [Piece(changed(layer, epsilon=FUSED_EPSILON), (), {("moving_variance",): less})]


_AVERAGES: tuple[type[Layer], ...] = (L.AveragePooling1D, L.AveragePooling2D)

ODDITIES = (
    Oddity((2, 0, 4), (2, 1, 4), _AVERAGES, "counts the zeros of padding='same'", _counted, _uncounted, "theano"),
    Oddity((1, 0, 0), (1, 1, 0), (L.ZeroPadding2D,), "takes the first two of four numbers", _first_two, _cropped),
    Oddity((1, 0, 0), (1, 1, 0), (L.ZeroPadding1D,), "pads both sides alike", _stays, _cropped),
    Oddity((1, 0, 0), (1, 2, 2), (L.ZeroPadding3D,), "pads both sides alike", _stays, _cropped),
    Oddity(
        (1, 0, 7),
        (1, 1, 1),
        (L.Conv2DTranspose,),
        "with strides saves the smallest output_shape, not the one it was given",
        _unsaid_shape,
        _stays,
        in_files=True,
    ),
    Oddity(
        (1, 0, 7),
        (1, 2, 0),
        (L.Conv2DTranspose,),
        "runs only with a batch size in its output_shape",
        _stays,
        _sized_batch,
        "tensorflow",
    ),
    Oddity(
        (2, 1, 0),
        (2, 3, 1),
        (L.BatchNormalization,),
        f"raises the epsilon of images to {FUSED_EPSILON}",
        _stays,
        _raised_epsilon,
        "tensorflow",
    ),
)


# ---------------------------------------------------------------- applying ----


def read_as(model: Network, version: str | None, backend: str, given: bool = False) -> Rewritten:
    """`model` of a file of release `version`, saying what that computed on `backend`.

    given: the user gave the architecture, so that it says what was meant. Raises KconvertError naming the
    layer whose computation the file does not tell.
    """
    wanted = [one for one in _oddities(version, backend) if not (given and one.in_files)]
    return _rewritten(model, [(one, one.read) for one in wanted], "read")


def write_for(model: Network, version: str, backend: str) -> Rewritten:
    """`model` in words by which release `version` on `backend` computes what they say now."""
    return _rewritten(model, [(one, one.write) for one in _oddities(version, backend)], "written")


def _oddities(version: str | None, backend: str) -> list[Oddity]:
    numbers = release(version)
    return [one for one in ODDITIES if numbers and one.holds(numbers, backend)]


def _rewritten(model: Network, changes: Sequence[tuple[Oddity, Change]], verb: str) -> Rewritten:
    present = {type(layer) for _, layer in model.leaves()}
    fitting = [(oddity, change) for oddity, change in changes if present & set(oddity.classes)]
    notes: list[str] = []

    def apply(layer: Layer, shape: Any) -> Sequence[Piece] | None:
        for oddity, change in fitting:
            pieces = change(layer, shape) if type(layer) in oddity.classes else None
            if pieces is not None:
                said = f"{layer.class_name} of {oddity.releases} {oddity.does}"
                notes.append(f"{layer.name}: {verb} as {names(pieces)}, for {said}")
                return pieces
        return None

    return replace(rewrite(model, apply), notes=notes) if fitting else Rewritten(model)
