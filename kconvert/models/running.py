"""What makes a model run: its weights on a backend, and compiled functions that share them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from ..backend.base import Backend, Compiled, Tensor, Variable
from ..conventions.generations import Convention
from ..errors import KconvertError, Problem
from ..layers.phase import Phase
from ..network.nested import Arrays, as_list, nest, one_or_list, walk

if TYPE_CHECKING:
    from ..layers import Layer
    from ..network.network import LayerPath, Network

Build = Callable[[Backend, Any, list[Tensor], Phase], list[Tensor]]


class Runnable:
    """Weights, states of stateful layers, and prediction, for `Model`.

    variables: the weights by layer and weight name, on `backend` and in its convention. states: what stateful
    layers keep from batch to batch.
    """

    backend: Backend | None
    variables: dict[LayerPath, Variable]
    states: dict[LayerPath, Variable]
    _functions: dict[str, Compiled]

    @property
    def _model(self) -> Network:
        return cast("Network", self)

    # -------------------------------------------------------------- weights ----

    def bind(self, backend: Backend, arrays: Arrays) -> Network:
        """Makes the model ready to run on `backend` with `arrays` in that backend's convention."""
        variables = {path: backend.variable(np.asarray(array, "float32")) for path, array in walk(arrays)}
        return self.runs_on(backend, variables)

    def runs_on(self, backend: Backend, variables: dict[LayerPath, Variable]) -> Network:
        """Takes other variables, which functions compiled before do not know."""
        self.backend, self.variables = backend, variables
        self.states, self._functions = {}, {}
        self._model.executor = None
        return self._model

    @property
    def arrays(self) -> Arrays:
        """The weights as they are now, in the convention of the model's backend."""
        K = self.backend
        return nest((path, K.value(variable)) for path, variable in self.variables.items()) if K else {}

    def load_weights(self, path: str | PathLike[str], source: str | None = None) -> Network:
        """Takes the weights of an HDF5 file of any convention, converted to the model's backend.

        source: the backend that saved the file, where it does not tell. The data format of the layers
        must be the one the file was saved with. Raises KconvertError where arrays do not fit.
        """
        from ..conversion.binding import arrays_for
        from ..conversion.source import Source, decide
        from ..formats import hdf5

        backend = self.ready()
        with hdf5.read(path) as checkpoint:
            origin = decide(checkpoint, Source(path, source)).convention
            arrays = arrays_for(self._model, checkpoint, origin, Convention("keras2", backend.convention))
        for where, array in walk(arrays):
            backend.assign(self.variables[where], array)
        return self._model

    def get_weights(self) -> list[np.ndarray]:
        """The weights in Keras's order, in the convention of the model's backend."""
        K = self.ready()
        return [K.value(self.variables[path]) for path in self._paths(K)]

    def set_weights(self, weights: Sequence[np.ndarray]) -> None:
        """Takes weights as `get_weights` gives them. Raises KconvertError where number or shapes differ."""
        K = self.ready()
        paths = self._paths(K)
        wanted = {"/".join(path): K.value(self.variables[path]).shape for path in paths}
        given = [np.shape(array) for array in weights]
        if given != list(wanted.values()):
            pairs = zip(wanted.items(), given, strict=False)
            odd = next((f"{shape} for {name} of {own}" for (name, own), shape in pairs if shape != own), None)
            what = f"the weights do not fit: {odd or f'{len(given)} arrays for {len(wanted)} weights'}"
            raise KconvertError(what, self._model.name, problem=Problem.USAGE)
        for path, array in zip(paths, weights, strict=True):
            K.assign(self.variables[path], np.asarray(array))

    def _paths(self, K: Backend) -> list[LayerPath]:
        """Every weight, in the order of files."""
        from ..conversion.binding import places

        return [place.path for _, found in places(self._model, Convention("keras2", K.convention)) for place in found]

    def ready(self, backend: str | None = None, seed: int | None = None) -> Backend:
        """Gives the model a backend and initial weights, where it has none; the backend.

        backend: the default one if None. seed: of the weights, the same network on every backend.
        """
        from .training.initial import ready

        return ready(self._model, backend, seed)

    # ---------------------------------------------------------------- files ----

    def save(self, path: str | PathLike[str], overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Writes the whole model, with the state of its optimizer, as a file of Keras 2 (HDF5)."""
        from .saving import save

        save(self._model, path, overwrite, include_optimizer)

    def save_weights(self, path: str | PathLike[str], overwrite: bool = True) -> None:
        """Writes the weights alone as a file of Keras 2 (HDF5)."""
        from .saving import save_weights

        save_weights(self._model, path, overwrite)

    def to_json(self, **options: Any) -> str:
        """The architecture as Keras 2 writes it; options are those of `json.dumps`."""
        from .saving import to_json

        return to_json(self._model, **options)

    def summary(self) -> None:
        """Prints the layers with their shapes and numbers of weights."""
        from ..network.summary import summary

        summary(self._model)

    # --------------------------------------------------------------- states ----

    def keep_states(self) -> dict[LayerPath, Variable]:
        """The states that stateful layers keep, zeros at first."""
        K = self.backend
        if not self.states and K is not None:
            found = kept_states(self._model).items()
            self.states = {path: K.variable(np.zeros(shape, "float32")) for path, shape in found}
        return self.states

    def reset_states(self) -> None:
        """Starts the states of stateful layers at zero again."""
        for variable in self.states.values():
            if self.backend is not None:
                self.backend.assign(variable, np.zeros_like(self.backend.value(variable)))

    # -------------------------------------------------------------- running ----

    def predict(self, x: Any, batch_size: int | None = None, verbose: int = 0, steps: int | None = None) -> Any:
        """Outputs for `x` (an array, or a list of them for several inputs), `batch_size` samples at a time.

        x may also give the batches itself, as in `fit`. Raises KconvertError where number or shapes of the
        inputs do not fit.
        """
        self.complete(x)
        function = self._function(
            "predict", lambda K, w, t, phase: as_list(self._model.call(K, w, one_or_list(t), None, phase))
        )
        found = [function(batch) for batch in self._batches(x, batch_size or 32, steps)]
        return one_or_list([np.concatenate(pieces) for pieces in zip(*found, strict=True)])

    def _batches(self, x: Any, size: int, steps: int | None) -> Iterator[list[np.ndarray]]:
        from .training.data import is_stream, stream_of

        if is_stream(x):
            count, stream = stream_of(x, steps, "steps")
            for _ in range(count):
                item = next(stream)
                yield self.checked(item[0] if isinstance(item, tuple) else item)
        else:
            xs = self.checked(x)
            n = len(xs[0]) if steps is None else min(len(xs[0]), steps * size)
            for i in range(0, n, size):
                yield [a[i : i + size] for a in xs]

    def activations(self, x: Any, given: Mapping[str, np.ndarray] | None = None) -> dict[str, np.ndarray]:
        """The output of every layer by name (nested: `outer/inner`), for one batch `x`.

        given: tensors by name that take the place of the model's own in all that comes after: with every one given,
        each layer runs alone. Raises KconvertError where inputs do not fit, or no layer makes a tensor that is given.
        """
        from ..network.outputs import Activations

        function = Activations(self._model, self.ready(), self.arrays, given)
        return function(self.arrays, as_list(x), given)

    def _function(self, name: str, build: Build) -> Compiled:
        """The compiled function called `name`, made at its first use."""
        if name not in self._functions:
            backend = self.ready()
            variables = {**self.variables, **self.keep_states()}

            def function(values: list[Tensor], inputs: list[Tensor]) -> tuple[Sequence[Tensor], dict[int, Tensor]]:
                phase = Phase(backend)
                outputs = build(backend, nest(zip(variables, values, strict=True)), inputs, phase)
                position = {id(tensor): i for i, tensor in enumerate(values)}
                return outputs, {position[id(state)]: new for state, new in phase.updates}

            specs, held = self._model.input_specs, list(variables.values())
            self._functions[name] = (
                backend.step(function, specs, held)
                if self.states
                else backend.reader(lambda values, inputs: function(values, inputs)[0], specs, held)
            )
        return self._functions[name]

    # --------------------------------------------------------------- inputs ----

    def complete(self, x: Any) -> None:
        """Builds a chain that knows no input shape yet, from data."""

    def checked(self, x: Any) -> list[np.ndarray]:
        """The inputs as arrays of the right dtype, after their number and shapes were checked."""
        from .training.data import numbers

        model = self._model
        names = [ref.layer for ref in model.input_refs]
        if isinstance(x, Mapping):
            unknown = set(x) ^ set(names)
            if unknown:
                listed = ", ".join(sorted(unknown))
                raise KconvertError(
                    f"inputs do not match: {listed}", model.name, f"the inputs are {', '.join(names)}", Problem.USAGE
                )
            x = [x[name] for name in names]
        several = isinstance(x, (list, tuple)) and (len(names) > 1 or any(isinstance(a, np.ndarray) for a in x))
        given = list(x) if several else [x]
        if x is None or len(given) != len(names):
            count = 0 if x is None else len(given)
            raise KconvertError(
                f"the model has {len(names)} inputs, {count} were given", where=model.name, problem=Problem.USAGE
            )
        xs = [numbers(array, f"input {name}") for array, name in zip(given, names, strict=True)]
        for array, shape, name in zip(xs, model.input_shapes, names, strict=True):
            fits = len(array.shape) == len(shape) and all(
                want in (None, have) for want, have in zip(shape, array.shape, strict=True)
            )
            if not fits:
                raise KconvertError(
                    f"an array of shape {array.shape} was given where {shape} is expected (None is free)",
                    where=f"input {name}",
                    problem=Problem.USAGE,
                )
        return [a.astype(spec.dtype, copy=False) for a, spec in zip(xs, model.input_specs, strict=True)]


def kept_states(model: Network) -> dict[LayerPath, tuple[int, ...]]:
    """Shapes of the states that stateful layers keep, by path."""
    found: dict[LayerPath, Any] = {}

    def look(layer: Layer, shape: Any, outer: LayerPath) -> None:
        path = (*outer, layer.name)
        found.update(((*path, name), own) for name, own in layer.kept_states(shape).items())
        for inner, inner_shape in zip(layer.sublayers, layer.sublayer_shapes(shape), strict=True):
            look(inner, inner_shape, path)

    shapes = model.sublayer_shapes(one_or_list(model.input_shapes))
    for inner, inner_shape in zip(model.sublayers, shapes, strict=True):
        look(inner, inner_shape, ())
    return found
