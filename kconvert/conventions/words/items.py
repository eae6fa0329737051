"""Items: the `{'class_name', 'config'}` of a layer or a model. Checks the structure of their JSON.

An architecture comes from a file, so it may contain anything. Its structure is checked once, before it is translated or
built; the code that does so relies on this. The class of a layer checks the values of its keys.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ...errors import KconvertError, Problem

Json = dict[str, Any]

MODELS = ("Sequential", "Model")
"""Classes whose configuration has a list of items, `layers`."""

GRAPHS = ("Model", "Functional")
"""Those of them that are graphs; tf.keras writes the second name."""

ENDS = ("input_layers", "output_layers")
"""Keys of a graph that hold tensors: a list of them; in tf.keras also a single one, a dict, or a list of lists."""

CONSTANT = "_CONSTANT_VALUE"
"""What tf.keras writes in place of the name of a layer for a constant."""

OPERATIONS = (
    *("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer"),
    *("ClassMethod", "InstanceMethod", "InstanceProperty"),
)
"""Classes that tf.keras puts into a graph for an operation of TensorFlow on its tensors."""

INNER = ("layer", "encoder", "decoder", "cell")
"""Keys of a configuration that hold an item."""

_KINDS: Mapping[Any, str] = {
    Mapping: "an object",
    list: "a list",
    str: "a string",
    int: "an integer",
}


def refused(what: str) -> KconvertError:
    """The error for an architecture that no Keras can have written."""
    what = f"the architecture is not one that Keras writes: {what}"
    return KconvertError(what, fix="give the JSON that model.to_json() wrote", problem=Problem.UNREADABLE)


def is_item(value: Any) -> bool:
    return isinstance(value, Mapping) and "class_name" in value and "config" in value


def not_an_item(value: Any) -> KconvertError:
    return refused(f"a layer should be an object with a class_name and a config, not {shown(value)}")


def inner(config: Mapping[str, Any]) -> Json:
    """The items that a configuration holds by a key of INNER."""
    return {key: config[key] for key in INNER if is_item(config.get(key))}


def flat(tensors: Any) -> list[Any]:
    """The tensors `['layer', 0, 0]` of a nested structure in the order of tf.keras: a dict is sorted by its keys."""
    if isinstance(tensors, Mapping):
        return [tensor for key in sorted(tensors) for tensor in flat(tensors[key])]
    if not isinstance(tensors, list) or (tensors and not isinstance(tensors[0], list | Mapping)):
        return [tensors]
    return [tensor for inside in tensors for tensor in flat(inside)]


def member(holder: Any, key: str, kind: Any, of: str) -> Any:
    """`holder[key]`, which must be of type `kind`; `of` names the holder for the refusal."""
    return checked(checked(holder, Mapping, of).get(key), kind, f"{key!r} of {of}")


def checked(value: Any, kind: Any, what: str) -> Any:
    """`value`, which must be of type `kind` (several, None among them: one of these); `what` it is."""
    kinds = kind if isinstance(kind, tuple) else (kind,)
    if (value is None and None in kinds) or isinstance(value, tuple(one for one in kinds if one is not None)):
        return value
    wanted = " or ".join(_KINDS[one] for one in kinds if one is not None)
    raise refused(f"{what} should be {wanted}" + ("" if value is None else f", not {shown(value)}"))


def each(value: Any, check: Callable[[Any, str], Any], what: str) -> None:
    """Checks every element of `value`, which must be a list."""
    for i, element in enumerate(checked(value, list, what)):
        check(element, f"element {i} of {what}")


def shown(value: Any) -> str:
    """A value for a message, shortened."""
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:37]}..."


# ------------------------------------------------------------------ checks ----


def check_model(config: Any) -> None:
    """Refuses an architecture of Keras 1 or 2 whose JSON is not that of a model, layers and models inside it too."""
    if not isinstance(config, Mapping) or config.get("class_name") not in (*MODELS, *GRAPHS):
        raise KconvertError(
            "this is not the architecture of a Sequential or Model",
            fix="give the JSON that model.to_json() wrote",
            problem=Problem.UNREADABLE,
        )
    _check_item(config, "the architecture")


def _check_item(item: Any, what: str) -> None:
    name = member(item, "class_name", str, what)
    config = member(item, "config", (Mapping, list) if name == "Sequential" else Mapping, what)
    if isinstance(config, list):
        config = {"layers": config}
    called = checked(config.get("name"), (str, None), f"'name' of {what}") or item.get("name")
    what = f"{name} {called!r}" if isinstance(called, str) else what
    checked(config.get("batch_input_shape"), (list, None), f"'batch_input_shape' of {what}")
    if name in GRAPHS:
        _check_graph(config, what)
    elif name == "Sequential" or (name == "Merge" and config.get("layers")):
        each(config.get("layers"), _check_item, f"'layers' of {what}")
    for key, value in inner(config).items():
        _check_item(value, f"{key!r} of {what}")


def _check_graph(config: Json, what: str) -> None:
    each(config.get("layers"), _check_entry, f"'layers' of {what}")
    for key in ENDS:
        checked(config.get(key), (list, Mapping), f"{key!r} of {what}")
        for tensor in flat(config[key]):
            _check_tensor(tensor, f"a tensor in {key!r} of {what}")


def _check_entry(entry: Any, what: str) -> None:
    """A layer of a graph: an item with a name, and the tensors that each of its calls takes."""
    _check_item(entry, what)
    name = member(entry, "name", str, what)
    what = f"{entry['class_name']} {name!r}"
    try:
        each(entry.get("inbound_nodes"), _check_call, f"'inbound_nodes' of {what}")
    except KconvertError:
        if entry["class_name"] in OPERATIONS:  # it keeps the form in which TensorFlow's operation was called
            raise operation(entry["class_name"], f"layer {name}") from None
        raise


def operation(class_name: str, where: str) -> KconvertError:
    """The error for an operation of TensorFlow in a graph of tf.keras."""
    return KconvertError(
        f"{class_name} is an operation of TensorFlow in tf.keras, and no layer of Keras 0.2 - 2.3",
        where=where,
        fix="build the model with layers (Add, Multiply, Reshape, Activation, ...) in place of operations,"
        " load the weights into it, and save that",
    )


def _check_call(call: Any, what: str) -> None:
    if isinstance(call, list) and any(isinstance(ref, list) and ref[:1] == [CONSTANT] for ref in call):
        raise KconvertError(
            "a layer is called on a constant, which no Keras from 0.2 to 2.3 stores",
            where=what,
            fix="build the model with an Input in place of the constant, load the weights into it, and save that",
        )
    each(call, _check_tensor, what)
    if not call:
        raise refused(f"{what} should name a tensor")


def _check_tensor(ref: Any, what: str) -> None:
    """`[layer, call, output]`, perhaps with the further arguments of the call."""
    kinds = (str, int, int, Mapping)
    if not isinstance(ref, list) or len(ref) < 3 or not all(map(isinstance, ref, kinds)):
        raise refused(f"{what} should be a tensor ['layer', 0, 0], not {shown(ref)}")
