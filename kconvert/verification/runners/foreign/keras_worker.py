"""Runs weight files in the real Keras of an interpreter: 0.3 to 2.3 on Theano or TensorFlow 1, tf_keras, and Keras 3.

    python keras_worker.py PACKAGE      (KERAS_BACKEND says on what; requests as in serving.py)

It runs on Python 2.7 and 3.5, without kconvert.
"""

import importlib
import itertools
import os
from collections import OrderedDict

import numpy as np

EAGER_SINCE = (2, 4)  # the first release that is TensorFlow 2's own Keras
CODE = {"channels_first": "th", "channels_last": "tf"}  # what Keras 1 calls a data format


class Keras(object):
    """One release of Keras and its backend. `K` is its backend module."""

    def __init__(self, package):
        if os.environ.get("KERAS_BACKEND") == "theano":
            importlib.import_module("theano.ifelse")  # Keras 1 takes it for a part of `import theano`
        self.package = importlib.import_module(package)
        self.K = importlib.import_module(package + ".backend")
        self.models = importlib.import_module(package + ".models")
        self.release = tuple(int(part) for part in self.package.__version__.split(".")[:2])
        self.backend = self.K.backend() if hasattr(self.K, "backend") else self.K._BACKEND
        self.runs_on = importlib.import_module(self.backend)
        self.ordering = self.K.image_dim_ordering() if self.release[0] == 1 else None

    @property
    def version(self):
        return "{} on {} {}".format(self.package.__version__, self.backend, self.runs_on.__version__)

    def loaded(self, request):
        """The model of a request, in a fresh session; names of layers are counted from 1 again."""
        K = self.K
        if hasattr(K, "clear_session"):
            K.clear_session()
        if hasattr(K, "reset_uids"):
            K.reset_uids()
        elif hasattr(K, "common"):
            getattr(K.common, "_UID_PREFIXES", {}).clear()
        if self.ordering:  # Keras 1 does not store it with every layer
            K.set_image_dim_ordering(CODE.get(request["data_format"], self.ordering))
        model = self.read(request["path"], request["arch"])
        if request["unnamed_sequentials"]:
            name_sequentials(model, itertools.count(1))
        return model

    def read(self, path, arch):
        if arch is None:
            loading = {"compile": False} if self.release >= (2, 0) else {}
            return self.models.load_model(path, **loading)
        with open(arch) as text:
            model = self.models.model_from_json(text.read())
        model.load_weights(path)
        return model

    def tensors(self, request, inputs, overrides):
        """The output of every layer by kconvert's names, in the order of the graph."""
        model = self.loaded(request)
        if self.release < (1, 0):
            return UnnamedGraph(self, model, request["names"]).run(inputs, overrides)
        engine = Eager if self.release >= EAGER_SINCE else Symbolic
        return engine(self, model).run(inputs, overrides)

    def evaluate(self, known, outputs):
        """The values of symbolic tensors, computed from known (tensor, value) pairs anywhere in the graph."""
        if self.backend == "theano":
            tensors = [tensor for tensor, _ in known]
            function = self.runs_on.function(tensors, outputs, on_unused_input="ignore", allow_input_downcast=True)
            return function(*[value for _, value in known])
        session = self.K.get_session() if hasattr(self.K, "get_session") else self.K._get_session()
        return session.run(outputs, dict(known))


def container(model):
    """The object that holds the graph of a model: a Sequential of some releases keeps a Model for that."""
    for name in ("_functional", "model"):
        if getattr(model, name, None) is not None:
            return getattr(model, name)
    return model


def calls(model):
    """(name, layer, call) of every call of a layer in a model, in the order of the graph, without its inputs.

    The name is kconvert's: `dense_1`, `dense_1#1` for the second call, and `model_1#1` for the first of a model.
    """
    depths = attribute(container(model), "_nodes_by_depth", "nodes_by_depth")
    ordered = [call for depth in sorted(depths, reverse=True) for call in depths[depth]]
    members, homes = set(map(id, ordered)), dict(taken_in(model))
    found = []
    for call in ordered:
        layer = attribute(call, "operation", "outbound_layer", "layer")
        if type(layer).__name__ == "InputLayer":
            continue
        own = [id(node) for node in attribute(layer, "_inbound_nodes", "inbound_nodes") if id(node) in members]
        number = own.index(id(call)) + int(is_model(layer))
        name = homes.get(id(layer), "") + layer.name + ("#%d" % number if number else "")
        found.append((name, layer, call))
    return found


def taken_in(model):
    """(id of a layer, prefix of its name) for the layers of a Sequential that begins a Sequential of Keras 1.

    The outer chain lists their calls as its own.
    """
    first = (getattr(model, "layers", None) or [None])[0]
    if type(first).__name__ == "Sequential":
        home = first.name + "#1/"
        inner = dict(taken_in(first))
        for layer in container(first).layers:
            yield id(layer), home + inner.get(id(layer), "")


def branches(model):
    """The Sequentials that a Sequential of Keras 1 merges first: in kconvert, their layers are layers of the model."""
    first = model.layers[0]
    return list(getattr(first, "layers", None) or []) if type(first).__name__ == "Merge" else []


def name_sequentials(model, numbers, named=False):
    """Names the Sequentials in a model whose file has no names for them, as kconvert does: inner ones first."""
    chain = type(model).__name__ == "Sequential"
    merged = branches(model)
    for layer in merged + list(model.layers):
        inner = getattr(layer, "layer", layer)  # of a wrapper
        if hasattr(inner, "layers") and type(inner).__name__ in ("Sequential", "Model"):
            name_sequentials(inner, numbers, named=layer in merged or (not chain and inner is layer))
    if chain and not merged and not named:
        model.name = "sequential_%d" % next(numbers)


def attribute(thing, *names):
    """The first of the attributes `names` that `thing` has: releases call it by different names."""
    return next(getattr(thing, name) for name in names if hasattr(thing, name))


def is_model(layer):
    return hasattr(container(layer), "_nodes_by_depth") or hasattr(container(layer), "nodes_by_depth")


def listed(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def numbered(name, outputs):
    """(name, output) of each output of one call: `lstm_1`, `lstm_1:1`, ..."""
    return [(name + (":%d" % i if i else ""), output) for i, output in enumerate(outputs)]


class Symbolic(object):
    """Keras 1.0 to 2.3: evaluates all tensors of the graph together, or layer by layer where some are overridden."""

    def __init__(self, keras, model, prefix=""):
        self.keras, self.prefix, self.branches = keras, prefix, branches(model)
        if not getattr(model, "built", True):
            model.build()
        self.graph = container(model)
        self.calls = calls(model)
        self.named = [pair for name, _, call in self.calls for pair in numbered(prefix + name, call.output_tensors)]

    def run(self, inputs, overrides):
        values = self.values(inputs, overrides)
        found = OrderedDict()
        for name, layer, call in self.calls:
            branch = layer in self.branches
            if is_model(layer) and all(mask is None for mask in listed(call.input_masks)):
                entries = [values[id(tensor)] for tensor in call.input_tensors]
                prefix = self.prefix if branch else self.prefix + name + "/"
                found.update(Symbolic(self.keras, layer, prefix).run(entries, overrides))
            if not branch:
                found.update((full, values[full]) for full, _ in numbered(self.prefix + name, call.output_tensors))
        return found

    def values(self, inputs, overrides):
        """The output of each layer by name, and the values used after it, by the id of its tensor."""
        entries = dict((id(tensor), (tensor, x)) for tensor, x in zip(self.graph.inputs, inputs))
        phase = self.keras.K.learning_phase()
        if getattr(self.graph, "uses_learning_phase", False) and not isinstance(phase, int):
            entries[id(phase)] = phase, 0
        instead = dict((id(tensor), (tensor, overrides[name])) for name, tensor in self.named if name in overrides)
        groups = (
            [call.output_tensors for _, _, call in self.calls] if instead else [[tensor for _, tensor in self.named]]
        )
        computed = []
        for outputs in groups:
            known = dict(entries)
            known.update((key, pair) for key, pair in instead.items() if key not in map(id, outputs))
            computed += self.keras.evaluate(known.values(), outputs)
        found = dict(zip([name for name, _ in self.named], computed))
        found.update((id(tensor), value) for (_, tensor), value in zip(self.named, computed))
        for pairs in (entries, instead):
            found.update((key, value) for key, (_, value) in pairs.items())
        return found


class UnnamedGraph(object):
    """Keras 0.3, where only the nodes of a Graph have names: those of a Sequential get kconvert's, in their order."""

    def __init__(self, keras, model, names):
        self.keras, self.model = keras, model
        chain = [] if hasattr(model, "nodes") else model.layers  # `names` begins with the layers inside a first Merge
        self.layers = OrderedDict(zip(names[len(names) - len(chain) :], chain) if chain else model.nodes)

    def run(self, inputs, overrides):
        if overrides:
            raise ValueError("Keras 0.3 cannot run a layer alone")
        entries = self.model.get_input(train=False)
        if isinstance(entries, dict):
            entries = [entries[name] for name in self.model.input_order]
        named = [(name, layer.get_output(train=False)) for name, layer in self.layers.items()]
        named = [(name, tensor) for name, tensor in named if not isinstance(tensor, dict)]
        values = self.keras.evaluate(list(zip(listed(entries), inputs)), [tensor for _, tensor in named])
        return OrderedDict(zip([name for name, _ in named], values))


class Eager(object):
    """TensorFlow 2's Keras and Keras 3: the model is called, and the output of each layer is recorded."""

    def __init__(self, keras, model):
        self.keras, self.model = keras, model
        self.found, self.overrides = OrderedDict(), {}
        self.around = []  # for each model that is being called, the calls to come: (layer, name)
        self.watched = set()

    def run(self, inputs, overrides):
        self.overrides = overrides
        self.watch(self.model)

        def compute(*entries):
            self.found.clear()
            self.around = []
            self.enter(self.model, "")
            self.model(list(entries) if len(entries) > 1 else entries[0], training=False)
            return list(self.found.values())

        if self.keras.backend == "tensorflow":  # as predict does: eager execution rounds some convolutions differently
            compute = self.keras.runs_on.function(compute, autograph=False)
        outputs = compute(*[self.tensor(x) for x in inputs])
        return OrderedDict(zip(self.found, map(self.array, outputs)))

    def enter(self, model, prefix):
        self.around.append([(id(layer), prefix + name) for name, layer, _ in calls(model)])

    def watch(self, model):
        """Makes each layer of a model, and of the models in it, be called through `watching`."""
        for _, layer, _ in calls(model):
            if id(layer) not in self.watched:
                self.watched.add(id(layer))
                layer.call = self.watching(layer, layer.call)
                if is_model(layer):
                    self.watch(layer)

    def watching(self, layer, call):
        def watched(*args, **kwargs):
            waiting = self.around[-1]
            mine = [(key, name) for key, name in waiting if key == id(layer)]
            if not mine:  # a call by a wrapper that also holds the layer
                return call(*args, **kwargs)
            waiting.remove(mine[0])
            name = mine[0][1]
            if is_model(layer):
                self.enter(layer, name + "/")
            output = call(*args, **kwargs)
            if is_model(layer):
                self.around.pop()
            return self.recorded(name, output)

        return watched

    def recorded(self, name, output):
        """Records the output of a layer; returns it, or its override."""
        used = []
        for full, tensor in numbered(name, listed(output)):
            self.found[full] = tensor
            used.append(self.override(tensor, self.overrides[full]) if full in self.overrides else tensor)
        return type(output)(used) if isinstance(output, (list, tuple)) else used[0]

    def override(self, output, array):
        """`array` as a tensor with the mask of `output`."""
        tensor = self.tensor(array)
        if getattr(output, "_keras_mask", None) is not None:
            tensor._keras_mask = output._keras_mask
        return tensor

    def tensor(self, array):
        ops = getattr(self.keras.package, "ops", None)
        return ops.convert_to_tensor(array) if ops else self.keras.K.constant(array)

    def array(self, tensor):
        ops = getattr(self.keras.package, "ops", None)
        return np.asarray(ops.convert_to_numpy(tensor) if ops else tensor)


def save(tensors, folder):
    """Writes each tensor into a file of its own, called by number; returns the paths by name."""
    if not os.path.isdir(folder):
        os.makedirs(folder)
    paths = OrderedDict((name, os.path.join(folder, "%d.npy" % i)) for i, name in enumerate(tensors))
    for name, tensor in tensors.items():
        np.save(paths[name], np.asarray(tensor))
    return paths


def main(package):
    from serving import serve  # type: ignore[import-not-found]  # beside this script

    def start():
        keras = Keras(package)

        def answer(request):
            overrides = dict((name, np.load(path)) for name, path in request["overrides"].items())
            tensors = keras.tensors(request, [np.load(path) for path in request["inputs"]], overrides)
            return {"result": [save(tensors, request["out"]), package, keras.version, None]}

        return answer

    serve(start)


if __name__ == "__main__":
    import sys

    main(sys.argv[1])
