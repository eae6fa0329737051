"""What single releases computed otherwise than their configuration says today.

Each row of `ODDITIES` says how such a layer is read from a file of these releases, and how it is written for them
(keras-facts: average-counts-zeros, average-instead-of-maximum, product-rnn, activation-of-the-candidate, tiling,
bias-along-rows, early-masks, dilation-ignored, even-volumes-of-theano, zero-padding-of-four-numbers,
zero-padding-is-symmetric, unsaved-output-shape, output-shape-needs-a-batch-size, crop-without-an-end, raised-epsilon,
pooling-3d-surplus, shared-axes-from-0).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ... import layers as L
from ...conventions.backends import BACKENDS, same_padding
from ...conventions.generations import GENERATIONS, Generation, release
from ...errors import KconvertError
from ...kernels import Chain, Shift
from ...layers.base import Layer, Shape
from ...layers.lists import as_list
from ...network.network import Network
from ...network.rewrite import NewLayer, changed, class_names, in_sequence, rewrite
from ...network.rewritten import Rewritten
from . import early
from .hazards import windows
from .repair import CROPPINGS, PADDINGS, Context, explicit, known, padded, sized
from .surplus_pooling import uncut

Change = Callable[[Any, Shape], Sequence[NewLayer] | None]
Version = tuple[int, ...]


@dataclass(frozen=True)
class Oddity:
    """What some releases did with one kind of layer."""

    first: Version
    """The first of these releases."""
    last: Version
    """The last one."""
    classes: tuple[type[Layer], ...]
    """The classes of these layers."""
    does: str
    """What these releases do, after the name of the layer."""
    read: Change
    """The layers of today that compute what a layer of a file meant; None: it stays."""
    write: Change
    """The layers by which these releases compute what a layer means today; None: it stays."""
    backend: str | None = None
    """The backend on which they do that; None: all."""
    in_files: bool = False
    """Whether only the architecture in a weight file is odd, and not one that the user gives."""
    masks: bool | None = None
    """Whether they do that only in networks where masks matter (True), or only in others (False)."""
    resizes: bool = False
    """Whether the sizes of what comes behind change: such layers are read one after the other."""
    counts_axes: bool = False
    """Whether it is about the numbers of axes, which are written after the data format is changed."""

    def holds(self, version: Version, backend: str) -> bool:
        return self.first <= version <= self.last and self.backend in (None, backend)

    def holds_in(self, network: Network) -> bool:
        return self.masks in (None, early.masks_matter(network, self.last))

    @property
    def releases(self) -> str:
        """Which ones: 'Keras 2.0.4 - 2.1.4 on theano'."""
        first, last = (".".join(map(str, version)) for version in (self.first, self.last))
        releases = first if first == last else f"{first} - {last}"
        return f"Keras {releases}" + (f" on {self.backend}" if self.backend else "")


# -------------------------------------------------------------- the oddities ----


def _same_average(layer: Any) -> bool:
    return layer.padding == "same"


def _counted(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """Zeros around the input, which then count in the mean."""
    if not _same_average(layer):
        return None
    pads = []
    for window in windows(layer, shape):
        n, k, s = known(layer, window.size), window.kernel, window.stride
        pads.append(same_padding(BACKENDS["theano"].pool_padding(n, k, s), n, k, s))
    return in_sequence(*padded(layer, pads), changed(layer, padding="valid"))


_THEANO = Context(BACKENDS["theano"], GENERATIONS["keras2"])


def _uncounted(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """Windows that hang over the edge become smaller ones."""
    return explicit(layer, shape, _THEANO) if _same_average(layer) else None


def _later_windows(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """With an even kernel, the smaller half of the zeros stands before the first element."""
    if layer.padding != "same" or all(k % 2 for k in layer.kernel_size):
        return None
    pads = [((k - 1) // 2, k // 2) for k in layer.kernel_size]
    return in_sequence(*padded(layer, pads), changed(layer, padding="valid"))


def _first_two(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """Rows by the first number, columns by the second (the file has top, bottom, left, right)."""
    rows, columns = layer.padding[0]
    return None if _symmetric(layer) else [NewLayer(changed(layer, padding=((rows, rows), (columns, columns))))]


def _symmetric(layer: Any) -> bool:
    return all(before == after for before, after in layer.amounts)


def _cropped(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """As many zeros on both sides, and the surplus cut off: at least one, as Keras 1.2.0 needs it."""
    if _symmetric(layer):
        return None
    most = [max(pair) + 1 for pair in layer.amounts]
    cuts = [(n - before, n - after) for n, (before, after) in zip(most, layer.amounts, strict=True)]
    wide = sized(type(layer), [(n, n) for n in most], layer, f"{layer.name}_wide")
    return in_sequence(wide, sized(CROPPINGS[layer.rank], cuts, layer, layer.name))


def _from_one(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """Shared axes counted from 1: the batch axis is axis 0."""
    axes = as_list(layer.shared_axes or [])
    return [NewLayer(changed(layer, shared_axes=[axis + 1 for axis in axes]))] if axes else None


def _from_zero(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """Shared axes counted from 0, without the batch axis."""
    axes = as_list(layer.shared_axes or [])
    return [NewLayer(changed(layer, shared_axes=[axis - 1 for axis in axes]))] if axes else None


def _cut_everywhere(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """Zeros around the axes of which the end stays, and a crop that takes them away again."""
    more = [int(after == 0) for _, after in layer.amounts]
    if not any(more):
        return None
    cuts = [(before + n, after + n) for n, (before, after) in zip(more, layer.amounts, strict=True)]
    wide = sized(PADDINGS[layer.rank], [(n, n) for n in more], layer, f"{layer.name}_wide")
    return in_sequence(wide, sized(CROPPINGS[layer.rank], cuts, layer, layer.name))


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


def _raised_epsilon(layer: Any, shape: Shape) -> Sequence[NewLayer] | None:
    """variance + epsilon stays what it was: what is added to the one is taken from the other."""
    if len(shape) != 4 or layer.epsilon >= 1e-5:
        return None
    less = Chain((Shift(layer.epsilon - FUSED_EPSILON),))
    return [NewLayer(changed(layer, epsilon=FUSED_EPSILON), (), {("moving_variance",): less})]


_AVERAGES: tuple[type[Layer], ...] = (L.AveragePooling1D, L.AveragePooling2D)


def _masked(version: Version, does: str) -> Oddity:
    """The recurrent layers of one early release where masks matter."""
    releases = f"Keras {'.'.join(map(str, version))}"
    return Oddity(
        version,
        version,
        early.RECURRENT,
        does,
        lambda layer, shape: early.with_masks(layer, version),
        lambda layer, shape: early.for_masks(layer, version, releases),
        masks=True,
    )


_EARLY = (
    _masked((0, 2, 0), "computes masked steps, and starts from 0 behind them"),
    Oddity(
        (0, 3, 0),
        (0, 3, 0),
        (*early.POOLINGS, *early.POOLINGS.values()),
        "averages",
        early.averaging,
        early.for_averaging,
        "theano",
    ),
    Oddity(
        (0, 3, 0),
        (0, 3, 0),
        (L.SimpleRNN,),
        "multiplies what it should add",
        early.multiplying,
        early.for_multiplying,
    ),
    Oddity(
        (0, 3, 0),
        (0, 3, 0),
        (L.GRU,),
        "has the activation of its gates in its candidate",
        early.gate_activation,
        early.for_gate_activation,
        masks=False,
    ),
    _masked((0, 3, 0), "takes inputs of 0 in a whole batch for masked ones, and gives 0 for them"),
    Oddity(
        (0, 3, 0),
        (0, 3, 0),
        tuple(early.TILING),
        "repeats the whole input, not each element",
        early.tiling,
        early.for_tiling,
    ),
    Oddity(
        (0, 3, 0),
        (0, 3, 0),
        (L.Conv2D,),
        "in channels_last adds the bias along the rows",
        early.bias_along_rows,
        early.for_bias_along_rows,
    ),
    _masked((0, 3, 1), "takes inputs of 0 for masked ones, and gives 0 for them"),
    Oddity(
        (0, 3, 0),
        (0, 3, 1),
        early.MASKS,
        "makes a mask that only recurrent layers with return_sequences read",
        early.without_masks,
        _stays,
        masks=False,
    ),
    Oddity(
        (2, 0, 0),
        (2, 0, 8),
        (L.SeparableConv2D,),
        "ignores dilation_rate",
        early.undilated,
        early.for_undilated,
    ),
)

ODDITIES = (
    *_EARLY,
    Oddity(
        (1, 0, 0),
        (1, 1, 0),
        (L.Conv3D,),
        "with padding='same' and an even kernel starts its windows one element later",
        _later_windows,
        _stays,
        "theano",
    ),
    Oddity((2, 0, 4), (2, 1, 4), _AVERAGES, "counts the zeros of padding='same'", _counted, _uncounted, "theano"),
    Oddity((1, 0, 0), (1, 1, 0), (L.ZeroPadding2D,), "takes the first two of four numbers", _first_two, _cropped),
    Oddity((1, 0, 0), (1, 1, 0), (L.ZeroPadding1D,), "pads both sides alike", _stays, _cropped),
    Oddity((1, 0, 0), (1, 2, 2), (L.ZeroPadding3D,), "pads both sides alike", _stays, _cropped),
    Oddity(
        (1, 2, 0),
        (1, 2, 0),
        (L.Cropping1D, L.Cropping2D, L.Cropping3D),
        "leaves nothing of an axis of which the end stays",
        _stays,
        _cut_everywhere,
    ),
    Oddity(
        (1, 2, 0),
        (1, 2, 0),
        (L.PReLU, L.SReLU, L.ParametricSoftplus),
        "counts shared_axes from 0, without the batch axis",
        _from_one,
        _from_zero,
        counts_axes=True,
    ),
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
        (2, 0, 0),
        (2, 1, 5),
        (L.MaxPooling3D, L.AveragePooling3D),
        "with padding='same' gives more elements than it declares",
        uncut,
        _stays,
        "theano",
        resizes=True,
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


def read_from_release(model: Network, version: str | None, backend: str, given: bool = False) -> Rewritten:
    """`model` of a file of release `version`, with layers that compute today what the release computed on `backend`.

    given: whether the user gave the architecture. Raises KconvertError naming a layer of which the file does not tell
    what it computed.
    """
    found = _oddities(model, version, backend)
    wanted = [one for one in found if not (given and one.in_files)]
    result = _rewritten(model, [(one, one.read) for one in wanted if not one.resizes], "read")
    resizing = [(one, one.read) for one in wanted if one.resizes]
    while (step := _rewritten(result.model, resizing, "read", most=1)).notes:
        result = result.then(step)
    return replace(result, notes=[*result.notes, *_taken([one for one in found if one not in wanted], model)])


def _taken(oddities: Sequence[Oddity], model: Network) -> list[str]:
    """A note on each layer whose options are taken from the given architecture, which that release may have written."""
    concerned = [(oddity, _concerned(model, oddity)) for oddity in oddities]
    return [
        f"{', '.join(layers)}: {oddity.releases} {oddity.does}; what the given architecture states is taken"
        for oddity, layers in concerned
        if layers
    ]


def write_for_release(model: Network, version: str, backend: str) -> Rewritten:
    """`model` with layers by which release `version` on `backend` computes what they mean today."""
    oddities = [one for one in _oddities(model, version, backend) if not one.counts_axes]
    result = _rewritten(model, [(one, one.write) for one in oddities], "written")
    early.refuse_early_layers(result.model, version, backend)
    _refuse_missing(result.model, version)
    return replace(result, notes=[*result.notes, *early.unread(result.model, version, backend)])


def write_axes_for_release(model: Network, version: str, backend: str) -> Rewritten:
    """`model` in its last data format, with the numbers of axes that release `version` on `backend` expects."""
    oddities = [one for one in _oddities(model, version, backend) if one.counts_axes]
    return _rewritten(model, [(one, one.write) for one in oddities], "written")


MISSING: tuple[tuple[Version, Version, tuple[type[Layer], ...]], ...] = (
    ((1, 0, 0), (1, 0, 7), (L.Cropping1D, L.Cropping2D, L.Cropping3D)),
)
"""Layers that a rewriting may need and that the releases from the first to the last lack (keras-facts: no-cropping)."""


def _refuse_missing(network: Network, version: str) -> None:
    for path, layer in network.leaves():
        for first, last, classes in MISSING:
            if first <= release(version) <= last and isinstance(layer, classes):
                raise KconvertError(
                    f"Keras {version} has no {layer.class_name} layer, which is needed to compute the same",
                    where=f"layer {path}",
                    fix="use --format keras2",
                )


def of_unknown_release(model: Network, generation: Generation, backend: str, given: bool) -> Rewritten:
    """`model` of a file whose release nothing tells, with a note on each layer that some release computed otherwise."""
    major = release(generation.last_release)[0]
    notes = []
    for oddity in ODDITIES:
        if oddity.first[0] != major or oddity.backend not in (None, backend) or (given and oddity.in_files):
            continue
        found = _concerned(model, oddity) if oddity.holds_in(model) else []
        if found:
            notes.append(
                f"{', '.join(found)}: {oddity.releases} {oddity.does}; nothing tells the release, and a later one is"
                " taken: state it with --source-release"
            )
    return Rewritten(model, notes=notes)


def _concerned(model: Network, oddity: Oddity) -> list[str]:
    """The layers, with their classes, that would be read as other ones."""
    found: dict[str, None] = {}

    def look(layer: Layer, shape: Any) -> None:
        if not isinstance(layer, oddity.classes):
            return
        try:
            changes = oddity.read(layer, shape) is not None
        except KconvertError:
            changes = True
        if changes:
            found[f"{layer.name} ({layer.class_name})"] = None

    rewrite(model, look)
    return list(found)


def _oddities(model: Network, version: str | None, backend: str) -> list[Oddity]:
    numbers = release(version)
    return [one for one in ODDITIES if numbers and one.holds(numbers, backend) and one.holds_in(model)]


def _rewritten(
    model: Network, changes: Sequence[tuple[Oddity, Change]], verb: str, most: int | None = None
) -> Rewritten:
    """`model` with the `changes`; most: how many layers are changed at most."""
    leaves = [layer for _, layer in model.leaves()]
    fitting = [(oddity, change) for oddity, change in changes if any(isinstance(one, oddity.classes) for one in leaves)]
    notes: list[str] = []
    done: dict[str, None] = {}

    def apply(layer: Layer, shape: Any) -> Sequence[NewLayer] | None:
        if len(done) == most and layer.name not in done:
            return None
        for oddity, change in fitting:
            new = change(layer, shape) if isinstance(layer, oddity.classes) else None
            if new is not None:
                why = f"{layer.class_name} of {oddity.releases} {oddity.does}"
                done[layer.name] = None
                notes.append(f"{layer.name}: {verb} as {class_names(new)}, for {why}")
                return new
        return None

    return replace(rewrite(model, apply), notes=list(dict.fromkeys(notes))) if fitting else Rewritten(model)
