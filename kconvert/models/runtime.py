"""Runtime: a network with its weights on a backend, and the compiled functions that use them.

The functions that train, predict, save and load take a Runtime, not a Model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ..backend import default_backend, get_backend
from ..backend.base import Backend, Compiled, Tensor, Variable
from ..backend.computing import PRESENT
from ..backend.context import assigned
from ..backend.float_settings import floatx
from ..backend.seeds import stated_or_fresh
from ..conventions.generations import Convention
from ..conversion.binding import Place, leaf_storage, places
from ..errors import KconvertError, Problem
from ..layers import Layer
from ..layers.custom import giving
from ..layers.drawn import drawn_seeds
from ..layers.phase import Phase
from ..layers.recurrent import KeptState
from ..network.float_type import in_type_of_network
from ..network.graph import LayerPath
from ..network.nested import Arrays, nest, walk
from ..network.network import Network
from .store import (
    as_run,
    as_stored,
    initial_variable,
    last_used,
    run_convention,
    share,
    share_inside,
    shared_variables,
    variable_name,
)

# Builds the outputs of a compiled function: (backend, weights nested by names, inputs, phase) -> outputs.
BuildFromWeights = Callable[[Backend, Any, list[Tensor], Phase], list[Tensor]]


def _backend(name: str | None, network: Network) -> Backend:
    """The backend of that name; None: the one that other models with layers of `network` use, else the default one."""
    if name is None and (used := last_used(network.weight_table())):
        return used
    return get_backend(name or default_backend())


def refuse_empty(network: Network) -> None:
    """Raises KconvertError where a layer has an output without elements, as from a kernel larger than an image."""
    for ref, shape in network.shapes().items():
        if any(size is not None and size < 1 for size in shape[1:]):
            what = f"its output would have the shape {shape}"
            raise KconvertError(what, f"layer {ref.layer}", "give larger inputs or smaller kernels", Problem.USAGE)


def layer_at(network: Network, path: LayerPath) -> Any:
    """The layer at a path, which may be inside wrappers and nested networks."""
    layer: Any = network
    for name in path:
        layer = next(inner for inner in layer.sublayers if inner.name == name)
    return layer


class Runtime:
    """A network that runs on a backend."""

    def __init__(self, network: Network, backend: Backend | None = None) -> None:
        self.network = network
        # None until the network runs for the first time.
        self.backend = backend
        # The weights, in the convention of `backend`, by path: the names of the layers, then that of the weight.
        self.variables: dict[LayerPath, Variable] = {}
        # Whether the layers inside layers of the user have these variables; to find them, `build` and `call` run.
        self._shared_inside = False
        # The states that stateful layers carry from one batch to the next, by path.
        self.states: dict[LayerPath, Variable] = {}
        # The compiled functions by name; they use `variables` and `states`.
        self._functions: dict[str, Compiled] = {}

    # -------------------------------------------------------------- backend ----

    @in_type_of_network
    def start(self, backend: str | Backend | None = None, seed: int | None = None) -> Backend:
        """Gives the network a backend if it has none, and initial weights to layers that have none.

        Returns the backend. Models that contain the same layer share its weights, as in Keras.

        backend: None for that of other models that contain the layers, else the default one. seed: of the initial
        weights, which are the same on every backend.
        """
        K = self.backend = self.backend or (
            backend if isinstance(backend, Backend) else _backend(backend, self.network)
        )
        fresh: int | None = None
        number, table, drawn = 0, self.network.weight_table(), set()
        for leaf in table:
            shared = shared_variables(leaf, K)
            for stored in leaf_storage(leaf, run_convention(K)):
                number += 1
                path = (*leaf.path, stored.weight.name)
                if path not in self.variables:
                    own = shared.get(stored.weight.name)
                    if own is None:
                        drawn.add(path)
                        before = drawn_seeds(leaf.layer) if seed is None else None
                        fresh = stated_or_fresh(seed) if fresh is None and before is None else fresh
                        of_weight = [fresh, number] if before is None else before.get(stored.weight.name, 0)
                        with giving(leaf.layer.custom_objects):
                            own = initial_variable(leaf, stored, K, of_weight)
                    self.variables[path] = own
                    self._shared_inside = False
        share(table, K, self.variables)
        if not self._shared_inside:
            share_inside(table, K, self.variables)
            self._shared_inside = True
        if drawn:
            self._set_first_weights(self.network.sublayers, (), drawn)
        return K

    def _set_first_weights(self, layers: Sequence[Layer], outer: LayerPath, drawn: set[LayerPath]) -> None:
        """Sets the weights that constructors of layers got, inner layers first; drawn: the initial ones."""
        for layer in layers:
            path = (*outer, layer.name)
            self._set_first_weights(layer.sublayers, path, drawn)
            weights = layer.take_first_weights()
            if weights is None:
                continue
            own = [place for place in self.shown_places() if place.path[: len(path)] == path]
            if drawn.issuperset(place.path for place in own):
                self._assign(own, weights, f"weights of layer {'/'.join(path)}")

    @in_type_of_network
    def bind(self, backend: Backend, arrays: Arrays) -> None:
        """Makes the network run on `backend` with the weights `arrays`: in its convention, nested by names."""
        table = self.network.weight_table()
        names = {(*leaf.path, one.name): variable_name(leaf, one.name) for leaf in table for one in leaf.weights}
        made = {path: backend.variable(np.asarray(a, floatx()), names[path]) for path, a in walk(arrays)}
        self.take(backend, made)

    def take(self, backend: Backend, variables: Mapping[LayerPath, Variable]) -> None:
        """Replaces backend and variables. Compiled functions use the old ones, so they are dropped."""
        self.backend, self.variables = backend, dict(variables)
        self.states, self._functions, self._shared_inside = {}, {}, False

    # --------------------------------------------------------------- arrays ----

    @property
    def arrays(self) -> Arrays:
        """The current weights, in the convention of the backend, nested by the names of layers and weights."""
        K = self.backend
        return nest((path, K.value(variable)) for path, variable in self.variables.items()) if K else {}

    def paths(self) -> list[LayerPath]:
        """The paths of all weights, in the order of files."""
        return [place.path for _, found in places(self.network, run_convention(self.start())) for place in found]

    def get_weights(self) -> list[np.ndarray]:
        """The weights in the order and form of the network's release of Keras, in the convention of its backend."""
        K = self.start()
        return [
            np.asarray(as_stored(place.stored, K.value(self.variables[place.path]))[place.index])
            for place in self.shown_places()
        ]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Sets the weights, in the order of `get_weights`. Raises KconvertError where number or shapes differ."""
        self._assign(self.shown_places(), weights, self.network.name)

    def shown_places(self) -> list[Place]:
        """Where the arrays are that `get_weights` gives."""
        return [place for _, found in places(self.network, self.shown_convention()) for place in found]

    def shown_convention(self) -> Convention:
        """The convention of `get_weights` and of files: that of the Keras that the network is of."""
        return Convention(self.network.generation, self.start().convention)

    def _assign(self, found: Sequence[Place], weights: Sequence[Any], where: str) -> None:
        """Sets the arrays at `found`. Raises KconvertError, which names `where`, where number or shapes differ."""
        K = self.start()
        wanted = {"/".join((*place.leaf, place.slot)): place.stored.shapes[place.index] for place in found}
        given = [np.shape(array) for array in weights]
        if given != list(wanted.values()):
            pairs = zip(wanted.items(), given, strict=False)
            wrong = next((f"{name} has shape {own}, not {shape}" for (name, own), shape in pairs if shape != own), None)
            what = f"the weights do not match: {wrong or f'{len(given)} arrays for {len(wanted)} weights'}"
            raise KconvertError(what, where, problem=Problem.USAGE)
        arrays: dict[LayerPath, dict[int, np.ndarray]] = {}
        for place, array in zip(found, weights, strict=True):
            arrays.setdefault(place.path, {})[place.index] = np.asarray(array)
        for path, stored in {place.path: place.stored for place in found}.items():
            own = arrays[path]
            K.assign(self.variables[path], as_run(stored, *(own[i] for i in sorted(own))))

    # --------------------------------------------------------------- states ----

    @in_type_of_network
    def keep_states(self) -> dict[LayerPath, Variable]:
        """The states of stateful layers; at the first call, zeros."""
        K = self.backend
        if not self.states and K is not None:
            shapes = self.network.state_shapes().items()
            for path, shape in shapes:
                layer = layer_at(self.network, path[:-1])
                self.states[path] = variable = K.variable(layer.first_state(path[-1], shape))
                layer.kept.append(KeptState(path[-1], K, variable))
        return self.states

    def reset_states(self) -> None:
        """Sets the states of stateful layers to zero."""
        for variable in self.states.values():
            if self.backend is not None:
                self.backend.assign(variable, np.zeros_like(self.backend.value(variable)))

    # ------------------------------------------------------------ functions ----

    def compiled_function(self, name: str, build: BuildFromWeights) -> Compiled:
        """The compiled function `name` of the inputs of the network. `build` makes its graph, at the first call."""
        if name not in self._functions:
            self._functions[name] = self._compile(build)
        return self._functions[name]

    @in_type_of_network
    def _compile(self, build: BuildFromWeights) -> Compiled:
        """Compiles a function of the inputs of the network.

        If the network has stateful layers, the function also updates the states that they report to the phase.
        """
        K = self.start()
        refuse_empty(self.network)
        variables = {**self.variables, **self.keep_states()}
        position = {path: i for i, path in enumerate(variables)}

        def build_all(values: list[Tensor], inputs: list[Tensor]) -> tuple[Sequence[Tensor], dict[int, Tensor]]:
            phase, weights = Phase(K), nest(zip(variables, values, strict=True))
            with assigned(PRESENT, (K, self.network, weights)):
                outputs = build(K, weights, inputs, phase)
            return outputs, {position[path]: new for path, new in phase.updates.items()}

        specs, held = self.network.input_specs, list(variables.values())
        if self.states:
            return K.compile_updating(build_all, specs, held)
        return K.compile_reading(lambda values, inputs: build_all(values, inputs)[0], specs, held)
