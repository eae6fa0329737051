"""Restoring: sets the weights of an existing model, or the state of its optimizer, from a file."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

from ..conventions.backends import BACKENDS, CHANNELS_FIRST, CHANNELS_LAST, DATA_FORMATS
from ..conventions.generations import Convention, numbers_of
from ..conventions.optimizers import STRUCTURES
from ..conversion.binding import bind, places
from ..conversion.data_formats import other_format
from ..conversion.evidence import kept_from
from ..conversion.given_architecture import FLATTEN_STATES, by_arrays
from ..conversion.opening import open_source
from ..conversion.partial import Selection, select
from ..conversion.passes.order import WRITE, read
from ..conversion.passes.relayout import image_data_format, relayout
from ..conversion.planning import Plan, as_partial, plan_network
from ..conversion.reading import described_network
from ..conversion.running import plan_to_run, run_arrays, run_state
from ..conversion.source import Origin, Source, decide
from ..conversion.target import KEEP, Target, decide_goal
from ..errors import KconvertError
from ..errors import warn as warn_user
from ..formats.checkpoint import Checkpoint
from ..layers import Flatten, Layer
from ..layers.base import layer_config
from ..lazy_dataclasses import dataclass
from ..network.nested import Arrays, walk
from ..network.network import Network
from ..network.rewrite import NewLayer, changed, rebuilt, rewrite
from .orders import refuse_other_orders
from .runtime import Runtime
from .training.trainer import Trainer

log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class Restored:
    """Weights of a file, converted for a network."""

    # The network that the file belongs to.
    described: Network
    # How the network that runs is made from it.
    plan: Plan
    # Nested by the names of layers, in the form in which the layers of the new network hold them.
    arrays: Arrays
    # The network that the file itself describes, if the running network is not its conversion.
    other: Network | None
    # The network of the file, converted for the receiver of the weights; None if it cannot be converted.
    made: Network | None


def same_configuration(first: Network, second: Network) -> bool:
    """Whether two networks have the same layers with the same options."""
    return first.stored_config() == second.stored_config()


@dataclass(frozen=True)
class Taker:
    """The receiver of the weights of a file; by default a model of this process."""

    convention: Convention
    # the value of `format` for its files
    format: str
    # whether the running network is the one that `convert` makes from the file
    same: Callable[[Network, Network], bool] = same_configuration
    # the arrays of a plan in the form in which the layers of the network hold them
    arrays_of: Callable[[Plan], Arrays] = run_arrays


def read_weights(taker: Taker, networks: Sequence[Network], source: Source, skip_mismatch: bool = False) -> Restored:
    """The weights of a file for a network that runs; the conversion may have to rewrite it.

    networks: the one that runs, and the one that an earlier conversion made it from, if one did. source: if it is
    partial, layers are taken by name. Errors: see `Model.load_weights`.
    """
    goal = taker.convention
    with open_source(source, lambda: layer_config(networks[-1])) as checkpoint:
        checkpoint = replace(checkpoint, optimizer=())
        origin, own, owner = decide(checkpoint, source), _own_network(checkpoint), networks[0]
        whole, plan = checkpoint, None
        if own and not source.partial:
            plan = _converted(whole, origin, own, owner, taker)
        made, other = (None if plan is None else plan.result.model), own
        if made is not None:
            plan, other = (plan, None) if taker.same(made, owner) else (None, own)
        if plan is None:
            origin = replace(origin, arch_given=True)
            stated = source.data_format or _stated_format(checkpoint, own)
            shown = None if stated else _shown_format(networks[-1], checkpoint, origin, source.partial)
            file = _File(checkpoint, own, stated or shown, shown is not None)
            partial = _by_name(networks[-1], file, origin, skip_mismatch) if source.partial else None
            if partial:
                networks = [_with_fixed(network, partial, checkpoint) for network in networks]
                checkpoint = partial.of(checkpoint)
                file = replace(file, checkpoint=checkpoint)
            origin = by_arrays(file.network(networks[-1], origin), checkpoint, origin)
            owner = _owner(file, origin, goal, networks)
            plan = _plan(file, origin, owner, goal)
            if own and _has_other_flattens(own, networks[-1]):
                converted = _converted(whole, origin, own, networks[0], taker)
                if converted is not None:
                    refuse_other_orders(plan, converted, str(checkpoint.path))
            plan = _partial_plan(plan, partial) if partial else plan
        warn(plan, checkpoint)
        restored = Restored(owner, plan, taker.arrays_of(plan), other, made)
        checkpoint.check_source()
        return restored


def _by_name(network: Network, file: _File, origin: Origin, skip_mismatch: bool) -> Selection:
    """The layers that a network takes from a file. Their shapes tell the generation of the file."""
    network = file.network(network, origin)
    common = select(network, file.checkpoint, origin.convention, True).of(file.checkpoint)
    found = by_arrays(network, common, origin)
    selection = select(network, file.checkpoint, found.convention, skip_mismatch)
    stored = {group.name for group in file.checkpoint.groups}
    for name in stored.intersection(selection.left):
        warn_user(f"layer {name} keeps its weights: {selection.left[name]}")
    return selection


def _with_fixed(network: Network, partial: Selection, checkpoint: Checkpoint) -> Network:
    """A copy of a network, of which a conversion does not change the layers that take nothing from the file."""
    found = {group.name for group in checkpoint.groups}
    fixed = {layer.name for layer in network.sublayers if layer.name in partial.left or layer.name not in found}
    return rebuilt(network, {name: changed(one, fixed=name in fixed) for name, one in network.by_name.items()})


def _partial_plan(plan: Plan, partial: Selection) -> Plan:
    """The plan of a partial conversion; another one may change each of its layers."""
    for layer in plan.result.model.all_layers:
        layer.fixed = False
    return as_partial(plan, partial)


def _converted(checkpoint: Checkpoint, origin: Origin, own: Network, network: Network, taker: Taker) -> Plan | None:
    """The conversion of the file's own network as `convert` does it for the data format of `network`."""
    target = Target(taker.convention.backend, taker.format, image_data_format(network) or KEEP)
    try:
        plan = plan_network(checkpoint, origin, decide_goal(target, origin), read(own, origin), WRITE)
    except KconvertError:
        return None
    return None if plan.hazards else plan


def _owner(file: _File, origin: Origin, goal: Convention, networks: Sequence[Network]) -> Network:
    """The network that a file belongs to: the one that runs now, or the one that it was made from.

    Both have the same weights, but usually different layers without weights, which also have groups in the file. If
    this does not decide it, a file of the model's backend belongs to the network that runs there.
    """
    checkpoint, runs_there = file.checkpoint, origin.convention.backend == goal.backend
    fitting = [one for one in networks if _fits(file.network(one, origin), checkpoint, origin.convention)] or networks
    if len(fitting) > 1 and runs_there and not same_configuration(*fitting):
        log.warning("%s: taken for weights of the model as it runs, with its rewritten layers", checkpoint.path)
    return fitting[0] if runs_there else fitting[-1]


def _fits(network: Network, checkpoint: Checkpoint, convention: Convention) -> bool:
    same_number = len(places(network, convention)) == len(checkpoint.groups) or checkpoint.partial
    return same_number and _binds(network, checkpoint, convention)


def _binds(network: Network, checkpoint: Checkpoint, convention: Convention) -> bool:
    """Whether the arrays have the shapes of the weights, whatever other layers there are."""
    try:
        bind(network, checkpoint, convention)
    except KconvertError:
        return False
    return True


def _plan(file: _File, origin: Origin, network: Network, goal: Convention) -> Plan:
    """The conversion of a file to weights of `network`, also where its images had another data format."""
    wanted = image_data_format(network)
    if file.moved(network):
        stored, kept = file.network(network, origin), file.kept_flattens(network, origin)
        plan = plan_to_run(file.checkpoint, replace(origin, reordered=kept), stored, goal, str(wanted))
        return replace(plan, notes=[*plan.notes, *file.doubts(network, kept)])
    plan = plan_to_run(file.checkpoint, origin, network, goal)
    if wanted and file.data_format is None:
        trained_on = kept_from(file.checkpoint) or origin.convention.backend
        return replace(plan, notes=[*plan.notes, *_doubts(network, origin, wanted, trained_on)])
    return plan


@dataclass(frozen=True)
class _File:
    """A file whose images may have another data format than those of the network that takes its weights."""

    checkpoint: Checkpoint
    # the network that the file itself describes, if it does
    own: Network | None
    # the data format of the images in the file; None if nothing shows it
    data_format: str | None
    # whether only the shapes of the arrays show it
    shown: bool = False

    def moved(self, network: Network) -> bool:
        """Whether the images of `network` have another data format than those of the file."""
        return self.data_format is not None and image_data_format(network) not in (None, self.data_format)

    def network(self, network: Network, origin: Origin) -> Network:
        """`network` in the data format of the file."""
        if not self.moved(network):
            return network
        kept = self.kept_flattens(network, origin)
        return relayout(_stating(network, kept), self.data_format, kept).model

    def doubts(self, network: Network, kept: Collection[str]) -> Iterator[str]:
        """Notes on assumptions about a file whose images have another data format, which it does not state."""
        if self.shown:
            yield f"the images of the weights are taken in {self.data_format}, as the shapes of the arrays show"
        stating = [path for path, layer in _flattens(network) if layer.data_format and path not in kept]
        if self.own is None and self.checkpoint.provenance is None and stating:
            yield (
                f"{', '.join(stating)}: taken for a Flatten with data_format={self.data_format!r} in the saved model,"
                " as its images had it; if it had none, convert the weights with their architecture first"
            )

    def kept_flattens(self, network: Network, origin: Origin) -> frozenset[str]:
        """The Flatten layers whose stated data format holds for the file."""
        if self.own is None and self.checkpoint.provenance is not None:
            return origin.reordered
        return frozenset(_kept_flattens(network, self.own, origin))


def _shown_format(network: Network, checkpoint: Checkpoint, origin: Origin, by_name: bool) -> str | None:
    """The other data format than that of `network`, where more arrays of the file have the shapes of that one."""

    def fitting(one: Network) -> int:
        if by_name:
            return len(select(one, checkpoint, origin.convention, True).taken)
        return _binds(one, checkpoint, origin.convention)

    own = image_data_format(network)
    if own is None:
        return None
    other = other_format(own)
    try:
        moved = _File(checkpoint, None, other).network(network, origin)
    except KconvertError:
        return None
    return other if fitting(moved) > fitting(network) else None


def _stated_format(checkpoint: Checkpoint, own: Network | None) -> str | None:
    """The data format of the images in a file, as its network or the conversion that wrote it states."""
    stamp = (checkpoint.provenance or {}).get("data_format")
    return image_data_format(own) if own else stamp if stamp in DATA_FORMATS else None


def _doubts(network: Network, origin: Origin, taken: str, backend: str) -> Iterator[str]:
    """A note on the layers whose weights would be read differently in the usual data format of `backend`."""
    usual = BACKENDS[backend].data_format
    try:
        moved = relayout(network, usual, frozenset(_kept_flattens(network, None, origin))).weights
    except KconvertError:
        return
    layers = dict.fromkeys(path[0] for path, chain in moved.items() if len(chain.simplified))
    if usual != taken and layers:
        yield (
            f"the weights are those of {backend} and do not state their data format: {taken} is "
            f"taken, as the model has it; if it was {usual}, give source_data_format, which changes {', '.join(layers)}"
        )


def _own_network(checkpoint: Checkpoint) -> Network | None:
    """The network that the file itself describes, if it can be read."""
    try:
        return None if checkpoint.model_config is None else described_network(checkpoint, Source())
    except KconvertError:
        return None


def _kept_flattens(network: Network, own: Network | None, origin: Origin) -> Iterator[str]:
    """The paths of the Flatten layers of `network` whose stated data format holds for the file.

    Without the file's own network, a Flatten that states a data format followed that of the images, where the release
    has such a Flatten (keras-facts: flatten-data-format).
    """
    theirs = list(_flattens(own)) if own else []
    follow = numbers_of(origin.release or origin.convention.generation.last_release) >= FLATTEN_STATES and not own
    for position, (path, layer) in enumerate(_flattens(network)):
        if position < len(theirs):
            kept = _moves_channels(theirs[position][1]) == _moves_channels(layer)
        else:
            kept = not (follow and layer.data_format)
        if kept:
            yield path


def _stating(network: Network, kept: Collection[str]) -> Network:
    """`network` with the data format stated in each Flatten but those of `kept`, which may have another one then."""
    free = {layer.name for path, layer in _flattens(network) if path not in kept and not layer.data_format}

    def stated(layer: Layer, shape: Any) -> list[NewLayer] | None:
        return [NewLayer(changed(layer, data_format=CHANNELS_LAST))] if layer.name in free else None

    return rewrite(network, stated).model if free else network


def _flattens(network: Network) -> Iterator[tuple[str, Flatten]]:
    for layer in network.sublayers:
        yield from ((path, leaf) for path, leaf in layer.leaves() if isinstance(leaf, Flatten))


def _has_other_flattens(own: Network, network: Network) -> bool:
    """Whether a Flatten of the file orders its features differently from a Reshape, and the network has no such one."""
    theirs = [layer for _, layer in _flattens(own)]
    return any(map(_moves_channels, theirs)) and len(theirs) != len(list(_flattens(network)))


def _moves_channels(layer: Flatten) -> bool:
    return layer.data_format == CHANNELS_FIRST


def warn(plan: Plan, checkpoint: Checkpoint) -> None:
    """Logs the notes of a conversion."""
    for note in plan.notes:
        log.warning("%s: %s", checkpoint.path, note)


def assign(runtime: Runtime, arrays: Arrays) -> bool:
    """Sets the weights of a network that has its variables; False, and sets none, where one has another shape.

    The architecture of Keras 1 does not state every shape (keras-facts: shared-axes-not-stored).
    """
    K, new = runtime.start(), list(walk(arrays))
    if any(K.value(runtime.variables[where]).shape != array.shape for where, array in new):
        return False
    for where, array in new:
        K.assign(runtime.variables[where], array)
    return True


def restore_optimizer(trainer: Trainer, plan: Plan) -> None:
    """Sets the state of the optimizer from a conversion; where that dropped it, the state stays as it is."""
    if trainer.executor.optimizer is not trainer.optimizer:
        if plan.optimizer:
            trainer.optimizer.set_weights([array.read() for array in plan.optimizer])
        return
    used = trainer.optimizer
    stored = used.structure if used.class_name in STRUCTURES else used.shown  # of a class of the user as in the file
    scalars, slots = run_state(plan, stored)
    trainer.executor.write("scalar", {(name,): array for name, array in scalars.items()})
    trainer.executor.write("slot", slots)
