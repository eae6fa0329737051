"""The passes in their order.

A pass takes a network and gives a `Rewritten` one, with all that it did to it. The passes of READ make the network
compute what the release that saved the file computed. They do not change weights, so that the arrays of the file can be
bound to the resulting network. The passes of WRITE make the network of the target from that one. Layers without a graph
have separate passes. This table shows what each pass depends on; the passes get no other arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from ...arguments import argument
from ...conventions.generations import keeps_data_formats, release_of_tensorflow
from ...errors import KconvertError
from ...layers.component_names import unchecked
from ...network.network import Network
from ...network.renaming import renamed
from ...network.rewritten import Rewritten
from ..inference.without_graph import CERTAIN, WithoutGraph
from ..source import Origin
from ..target import Goal
from .beyond import notes_on_beyond
from .bounded import mark_bounded, notes_on_bounded
from .carried import notes_on_carried, refuse_carried
from .cudnn import for_cudnn, layers_for_cudnn
from .directions import with_copies
from .early import refuse_other_data_formats
from .expressions import refuse_expressed, with_expressions
from .half_pixel import with_pixel_centers
from .hazards import hazards, hazards_of
from .kept_axes import without_kept_axes
from .lambdas import blamed_on_lambdas, mark_inferring, refuse_code, with_shapes
from .left_out import notes_on_left_out
from .masked_steps import with_zeros, without_zeros
from .modernize import modern, modernize
from .multi_gpu import without_slices
from .on_torch import notes_on_torch
from .phases import without_phases
from .readers import notes_for_readers, notes_on_writer
from .recovery import recovered
from .relayout import relayout
from .releases import of_unknown_release, read_from_release, write_axes_for_release, write_for_release
from .repair import repair
from .repeated_steps import with_repeats
from .several_axes import with_one_axis
from .surplus import with_surplus
from .unstated import note_release, release_notes

ReadPass = Callable[[Network, Origin], Rewritten]
WritePass = Callable[[Any, Origin, Goal], Rewritten]


def read(network: Network, origin: Origin) -> Rewritten:
    """The network that the arrays of a file belong to, from the one that its architecture describes.

    Raises ValueError where a pass changes weights.
    """
    done = Rewritten(network)
    with blamed_on_lambdas(network), unchecked():
        for one in READ:
            done = done.then(one(done.model, origin))
    if done.weights:
        raise ValueError("a pass that reads a network changes its weights")
    return done


def write(network: Network, origin: Origin, goal: Goal, passes: Sequence[WritePass]) -> Rewritten:
    """The network of the target, from that of the source."""
    done = Rewritten(network)
    with unchecked():
        for one in passes:
            done = done.then(one(done.model, origin, goal))
    return done


# ----------------------------------------------------------------- reading ----


def _slices(network: Network, origin: Origin) -> Rewritten:
    return without_slices(network)


def _lambdas(network: Network, origin: Origin) -> Rewritten:
    mark_inferring(network, origin.convention.backend)
    return Rewritten(network)


def _bounds(network: Network, origin: Origin) -> Rewritten:
    mark_bounded(network, origin.computes_as)
    return Rewritten(network)


def _left_out(network: Network, origin: Origin) -> Rewritten:
    return notes_on_left_out(network)


def _from_release(network: Network, origin: Origin) -> Rewritten:
    backend, given = origin.computes_as, origin.arch_given
    if origin.release is None:
        return of_unknown_release(network, origin.convention.generation, backend, given)
    return read_from_release(network, origin.release, backend, given)


def _surplus(network: Network, origin: Origin) -> Rewritten:
    return with_surplus(network, replace(origin.convention, backend=origin.computes_as), origin.release)


def _phases(network: Network, origin: Origin) -> Rewritten:
    return without_phases(network, origin.release)


def _pixel_centers(network: Network, origin: Origin) -> Rewritten:
    return with_pixel_centers(network, origin.release)


def _masked_steps(network: Network, origin: Origin) -> Rewritten:
    return with_zeros(network, origin.release)


def _writer(network: Network, origin: Origin) -> Rewritten:
    return notes_on_writer(network, origin.release)


READ: tuple[ReadPass, ...] = (
    note_release,
    _slices,
    _lambdas,
    _bounds,
    _left_out,
    _phases,
    _from_release,
    _surplus,
    _pixel_centers,
    _masked_steps,
    _writer,
)


# ----------------------------------------------------------------- writing ----


def _recovered(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    """Keras 2 has layers that were expressed for Keras 3 or tf_keras."""
    return recovered(network) if origin.reader and not _has_later_options(goal) else Rewritten(network)


def _directions(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    """The passes after it change each layer by itself."""
    return with_copies(network)


def _shapes_of_lambdas(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return with_shapes(network, origin.convention.backend, goal.convention.backend)


def _code(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    if goal.modernize and goal.reader:
        refuse_code(network, goal.reader)
    return Rewritten(network)


def _carried(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return Rewritten(network, notes=notes_on_carried(network))


def _words(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    """Layers that Keras 2 does not have stay where a later pass expresses them."""
    return modernize(network, goal.reader.lacks if goal.reader else ()) if goal.modernize else Rewritten(network)


def _cudnn(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return for_cudnn(network, goal.convention, goal.release, goal.cudnn)


def _repairs(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return repair(network, origin.computes_as, goal.convention) if goal.repair else Rewritten(network)


def _for_release(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return write_for_release(network, goal.release, goal.convention.backend)


def _hazards(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return Rewritten(network, hazards=hazards(network, origin.computes_as, goal.convention.backend))


def _data_format(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    done = relayout(network, goal.data_format, origin.reordered)
    if any(not layout.is_identity for layout in done.layouts.values()):
        refuse_carried(network)
    if keeps_data_formats(goal.release):
        refuse_other_data_formats(network, done.model)
    return done


def _axes(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return write_axes_for_release(network, goal.release, goal.convention.backend)


def _expressions(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return with_expressions(network, goal.reader) if goal.reader else Rewritten(network)


def _otherwise_bounded(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return notes_on_bounded(network, goal.convention.backend)


def _on_torch(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return notes_on_torch(network) if goal.convention.generation.expresses else Rewritten(network)


def _names(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    """Names without the '/' that Keras 3 does not take."""
    return renamed(network, _without_slash) if goal.reader and not goal.reader.slashes else Rewritten(network)


def _without_slash(name: str) -> str:
    return name.replace("/", "_")


def _other_readers(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return notes_for_readers(network) if _read_by_tf_keras(goal) else Rewritten(network)


def _repeated_steps(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return with_repeats(network) if goal.reader and goal.reader.zeros else Rewritten(network)


def _plain_masked_steps(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return Rewritten(network) if _has_later_options(goal) else without_zeros(network)


def _plain_poolings(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return Rewritten(network) if _has_later_options(goal) else without_kept_axes(network)


def _one_axis(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return Rewritten(network) if _has_later_options(goal) else with_one_axis(network)


def _has_later_options(goal: Goal) -> bool:
    """Whether the result is for tf.keras or Keras 3."""
    return goal.reader is not None or bool(release_of_tensorflow(goal.release))


def _beyond(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    keras2 = goal.modernize and not goal.reader
    return notes_on_beyond(network, _read_by_tf_keras(goal)) if keras2 else Rewritten(network)


def _read_by_tf_keras(goal: Goal) -> bool:
    """Readers of today take the kernels of a file for those of a backend that correlates."""
    convention = goal.convention
    return convention.generation.is_target and not goal.reader and not convention.facts.convolves


WRITE: tuple[WritePass, ...] = (
    _recovered,
    _directions,
    _code,
    _carried,
    _shapes_of_lambdas,
    _words,
    _cudnn,
    _repairs,
    _for_release,
    _hazards,
    _data_format,
    _axes,
    _expressions,
    _otherwise_bounded,
    _on_torch,
    _repeated_steps,
    _names,
    _other_readers,
    _plain_masked_steps,
    _plain_poolings,
    _one_axis,
    _beyond,
)


# ----------------------------------------------------------------- running ----


def _shapes_of_lambdas_elsewhere(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    same = origin.convention.backend == goal.convention.backend
    return Rewritten(network) if same else _shapes_of_lambdas(network, origin, goal)


def _repairs_in_place(network: Network, origin: Origin, goal: Goal) -> Rewritten:
    return repair(network, origin.computes_as, goal.convention, in_place=True)


RUN: tuple[WritePass, ...] = (
    _directions,
    _carried,
    _shapes_of_lambdas_elsewhere,
    _repairs_in_place,
    _hazards,
    _data_format,
)
"""For a model that runs in kconvert: layers of all generations and of cuDNN run on every backend."""


# --------------------------------------------------------- without a graph ----


def _keep_data_format(network: WithoutGraph, origin: Origin, goal: Goal) -> Rewritten:
    network.refuse_other(goal.data_format)
    return Rewritten(network)


def _keep_words(network: WithoutGraph, origin: Origin, goal: Goal) -> Rewritten:
    """Raises KconvertError for a layer that Keras 2 does not have."""
    for leaf in network.table if goal.modernize else ():
        modern(leaf.layer, None)
        refuse_expressed(leaf.layer, goal.reader)
    return Rewritten(network)


def _inference(network: WithoutGraph, origin: Origin, goal: Goal) -> Rewritten:
    """Notes on what is not known without the architecture."""
    uncertain = [known for known in network.inferred if known.confidence != CERTAIN]
    how_many = f"{len(uncertain)} of them not certain" if uncertain else "all certain"
    notes = [f"no architecture: {len(network.inferred)} layers inferred from names and shapes, {how_many}"]
    notes += map(str, uncertain)
    if origin.convention.backend != goal.convention.backend:
        notes.append("what the two backends pad differently (padding='same') cannot be seen without the architecture")
    notes += release_notes((leaf.layer for leaf in network.table), origin)
    return Rewritten(network, notes=notes)


def _cudnn_layers(network: WithoutGraph, origin: Origin, goal: Goal) -> Rewritten:
    if goal.cudnn is not None:
        raise KconvertError(
            f"{argument('cudnn', True)} and {argument('cudnn', False)} need the architecture",
            where=network.name,
            fix=f"give it with {argument('arch')}",
        )
    return layers_for_cudnn(network, goal.convention, goal.release)


def _hazards_of_layers(network: WithoutGraph, origin: Origin, goal: Goal) -> Rewritten:
    found = hazards_of(network.calls, origin.convention.backend, goal.convention.backend)
    return Rewritten(network, hazards=found)


WITHOUT_GRAPH: tuple[WritePass, ...] = (
    _keep_data_format,
    _keep_words,
    _inference,
    _hazards_of_layers,
    _cudnn_layers,
)
