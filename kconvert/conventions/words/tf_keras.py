"""The words of tf.keras and Keras 3 that Keras 2 has under another name, in Keras 2's words.

Their HDF5 files describe layers as Keras 2 does, but name some classes, objects and dtypes otherwise
(keras-facts: words-of-tf-keras).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...arguments import argument
from ...errors import KconvertError
from .items import ENDS, GRAPHS, MODELS, Json, flat, is_item, shown

CLASSES: Mapping[str, str] = {"Functional": "Model", "BatchNormalizationV1": "BatchNormalization"}
"""Classes of layers and models that have another name in Keras 2."""


def _scaling(scale: float, mode: str, distribution: str) -> Json:
    return {"scale": scale, "mode": mode, "distribution": distribution}


OBJECTS: Mapping[str, tuple[str, Json]] = {
    "GlorotUniform": ("VarianceScaling", _scaling(1.0, "fan_avg", "uniform")),
    "GlorotNormal": ("VarianceScaling", _scaling(1.0, "fan_avg", "normal")),
    "HeUniform": ("VarianceScaling", _scaling(2.0, "fan_in", "uniform")),
    "HeNormal": ("VarianceScaling", _scaling(2.0, "fan_in", "normal")),
    "LecunUniform": ("VarianceScaling", _scaling(1.0, "fan_in", "uniform")),
    "LecunNormal": ("VarianceScaling", _scaling(1.0, "fan_in", "normal")),
    "IdentityInitializer": ("Identity", {}),
    "OrthogonalInitializer": ("Orthogonal", {}),
    "L1": ("L1L2", {"l2": 0.0}),
    "L2": ("L1L2", {"l1": 0.0}),
}
"""Initializers and regularizers that Keras 2 does not have: an equal class of Keras 2, and its further arguments."""

INITIALIZERS: Mapping[str, tuple[str, ...]] = {
    "Zeros": (),
    "Ones": (),
    "Constant": ("value",),
    "RandomNormal": ("mean", "stddev", "seed"),
    "RandomUniform": ("minval", "maxval", "seed"),
    "TruncatedNormal": ("mean", "stddev", "seed"),
    "VarianceScaling": ("scale", "mode", "distribution", "seed"),
    "Orthogonal": ("gain", "seed"),
    "Identity": ("gain",),
}
"""The arguments of each initializer of Keras 2. Any other argument is left out: a trained weight is not drawn again."""

PENALTIES: Mapping[str, tuple[str, ...]] = {
    "L1L2": ("l1", "l2"),
    "MaxNorm": ("max_value", "axis"),
    "NonNeg": (),
    "UnitNorm": ("axis",),
    "MinMaxNorm": ("min_value", "max_value", "rate", "axis"),
}
"""The arguments of each regularizer and constraint of Keras 2."""

LATER_REGULARIZERS = frozenset({"OrthogonalRegularizer"})
"""Regularizers that Keras 2 does not have."""

ONE_AXIS = ("BatchNormalization", "Softmax")
"""Classes that have one axis in Keras 2, and in tf.keras one axis or a list of axes."""

SEVERAL_AXES = ("Softmax",)
"""Those of them for which several axes are known."""

DISTRIBUTIONS = {"truncated_normal": "normal", "untruncated_normal": "normal"}

POLICIES = ("Policy", "PolicyV1", "DTypePolicy")
"""Classes of dtype policies: those that have a plain dtype for a name are that dtype."""

QUANTIZED = "mode"
"""A key of all dtype policies of Keras 3 for quantized weights, and of no other."""

MIXED = "mixed_"
"""How the name of a policy begins that computes with another dtype than it stores."""


def in_keras2(item: Json) -> Json:
    """An item of a checked architecture, with all items inside it, in the words of Keras 2.

    Raises KconvertError where a layer computes with two dtypes, or an option of a regularizer or constraint is unknown.
    """
    config = item["config"]
    name = CLASSES.get(item["class_name"], item["class_name"])
    if isinstance(config, list):
        return {**item, "class_name": name, "config": _value("layers", config, "")}
    where = f"layer {config.get('name') or item.get('name') or '?'}"
    changed = {key: _value(key, value, where) for key, value in config.items()}
    axes = changed.get("axis")
    if name in ONE_AXIS and isinstance(axes, list) and not (name in SEVERAL_AXES and len(axes) > 1):
        changed["axis"] = _one_axis(axes, name, where)
    if item["class_name"] in GRAPHS:
        changed.update({key: flat(config[key]) for key in ENDS if key in config})
    if name == "Sequential" and changed.get("build_input_shape") and isinstance(changed.get("layers"), list):
        changed["layers"] = _with_shape(changed["layers"], changed["build_input_shape"])
    return {**item, "class_name": name, "config": changed}


def _one_axis(axes: list[Any], name: str, where: str) -> Any:
    """The axis in a list. Raises KconvertError where there are several."""
    if len(axes) != 1:
        raise KconvertError(
            f"{name} along the axes {shown(axes)} is of tf.keras: Keras 0.2 - 2.3 has one axis there",
            where=where,
            fix="build the model with a layer along one axis",
        )
    return axes[0]


def _value(key: str, value: Any, where: str) -> Any:
    """The value of one key of a configuration."""
    if key == "dtype":
        return dtype(value, where)
    if key.rpartition("_")[2] in ("initializer", "regularizer", "constraint"):
        return _object(value, where) if _is_named(value) and isinstance(value["config"], Mapping) else value
    if isinstance(value, list):
        return [in_keras2(one) if _is_named(one) else one for one in value]
    return in_keras2(value) if _is_named(value) else value


def _is_named(value: Any) -> bool:
    return is_item(value) and isinstance(value["class_name"], str) and isinstance(value["config"], Mapping | list)


def dtype(value: Any, where: str) -> Any:
    """The dtype that a layer states, by name or as a policy."""
    policy = _is_named(value) and isinstance(value["config"], Mapping) and value["class_name"] in POLICIES
    name = value["config"].get("name") if policy else value
    if _is_named(value) and QUANTIZED in value["config"]:
        raise KconvertError(
            f"the weights are quantized (the dtype policy {shown(value)}), and kconvert reads no quantized weights",
            where=where,
            fix="save the model before model.quantize(...) is called, and convert that file",
        )
    if not isinstance(name, str | None) or str(name).startswith(MIXED):
        raise KconvertError(
            f"mixed precision, the dtype policy {shown(name)}, is not in Keras 2",
            where=where,
            fix="build the model with the policy 'float32', load the weights into it, and save that;"
            f" or state the dtype 'float32' in the architecture and give that with {argument('arch')}",
        )
    return name


def _object(item: Json, where: str) -> Json:
    """An initializer, a regularizer or a constraint; one of the user's own classes stays as it is."""
    name, config = item["class_name"], dict(item["config"])
    if name in OBJECTS:
        name, fixed = OBJECTS[name]
        config.update(fixed)
    if name in INITIALIZERS:
        config = {key: value for key, value in config.items() if key in INITIALIZERS[name]}
        if isinstance(distribution := config.get("distribution"), str):
            config["distribution"] = DISTRIBUTIONS.get(distribution, distribution)
    for key in set(config) - set(PENALTIES.get(name, config)):
        if config.pop(key) is not None:
            raise KconvertError(f"{name} has no option {key!r}", where=where, fix="take it out of the architecture")
    return {"class_name": name, "config": config}


def _with_shape(layers: list[Json], shape: Any) -> list[Json]:
    """The layers of a Sequential that was built for inputs of `shape`, which its first layer then states."""
    if not layers or layers[0]["class_name"] in (*MODELS, *GRAPHS):
        return layers
    first, *rest = layers
    return [{**first, "config": {"batch_input_shape": shape, **first["config"]}}, *rest]
