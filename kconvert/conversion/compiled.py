"""The arguments of `compile`: translates those of tf.keras and Keras 3 to Keras 2.3, and those of Keras 2.3 to Keras 3.

(keras-facts: compiled-by-tf-keras, compiled-for-keras3)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..conventions.optimizers import (
    CUSTOM,
    LOSSES,
    LOSSES_OF_KERAS3,
    METRICS_OF_KERAS3,
    OLD_RATE,
    RATE,
    STRUCTURES,
    WITHOUT_EFFECT,
    plain_name,
)

Json = dict[str, Any]


class NotExpressed(Exception):
    """The target cannot express this; the message names it."""


def for_keras2(stated: Json, has_slots: bool = False, of_keras3: bool = False) -> tuple[Json | None, list[str]]:
    """`stated` for Keras 2.3, and notes. None if Keras 2.3 would train differently, or could not load the file.

    Metrics do not change the training, so a metric that Keras 2.3 does not have is left out. has_slots: whether
    the file stores the moments of the optimizer. of_keras3: whether Keras 3 wrote the file; otherwise tf.keras did.
    """
    optimizer = _dict(stated.get("optimizer_config"))
    later = of_keras3 or str(optimizer.get("class_name", "")).startswith(CUSTOM)

    def made() -> Json:
        return {
            "optimizer_config": _optimizer(optimizer, has_slots, later),
            "loss": _each(stated.get("loss"), _loss),
            "loss_weights": stated.get("loss_weights"),
            "sample_weight_mode": stated.get("sample_weight_mode"),
        }

    done, notes = _compiled("Keras 2.3", stated, made, _metric)
    return done, [*(_on_epsilon(optimizer) if done and later else ()), *notes]


def for_keras3(stated: Json) -> tuple[Json | None, list[str]]:
    """`stated`, from Keras 0.2 - 2.3, in the form of HDF5 files of Keras 3, and notes; see `for_keras2`."""
    optimizer = _dict(stated.get("optimizer_config"))

    def made() -> Json:
        return {
            "optimizer_config": _optimizer_of_keras3(optimizer),
            "loss": _each(stated.get("loss"), _class_of_keras3, _named("the loss", LOSSES_OF_KERAS3)),
            "loss_weights": stated.get("loss_weights"),
        }

    done, notes = _compiled("Keras 3", stated, made, _class_of_keras3, _named("the metric", METRICS_OF_KERAS3))
    return done, [*(_on_epsilon(optimizer) if done else ()), *notes]


def _compiled(
    reader: str,
    stated: Json,
    made: Callable[[], Json],
    metric: Callable[[Json], Any],
    name: Callable[[str], str] = str,
) -> tuple[Json | None, list[str]]:
    """The result of `made` with the metrics, and notes; None if `reader` cannot express it.

    metric, name: the form of a metric that is stated by its configuration, and by its name.
    """
    notes = []
    try:
        done = made()
    except NotExpressed as why:
        return None, [f"the arguments of compile() are left out, as {reader} does not have {why}: compile the model"]
    for key in ("metrics", "weighted_metrics"):
        try:
            done[key] = _each(stated.get(key), metric, name)
        except NotExpressed as why:
            done[key] = None
            notes.append(f"the {key.replace('_', ' ')} are left out, as {reader} does not have {why}")
    return done, notes


def keyed_by(stated: Json, outputs: Mapping[str, str]) -> Json:
    """`stated`, with the outputs renamed.

    >>> keyed_by({"loss": {"concatenate_1": "mse"}, "metrics": ["mae"]}, {"concatenate_1": "size"})
    {'loss': {'size': 'mse'}, 'metrics': ['mae']}
    """
    return {key: _renamed(value, outputs) if isinstance(value, Mapping) else value for key, value in stated.items()}


def _renamed(value: Mapping[str, Any], outputs: Mapping[str, str]) -> Json:
    """A dict by outputs, with the outputs renamed; any other dict is returned unchanged."""
    return {outputs.get(key, key): one for key, one in value.items()} if outputs.keys() >= value.keys() else dict(value)


def _dict(value: Any) -> Json:
    """A copy of a part of the configuration; empty if the part is not a dict."""
    return dict(value) if isinstance(value, Mapping) else {}


def _each(value: Any, made: Callable[[Json], Any], name: Callable[[str], str] = str) -> Any:
    """`value` with `made` of each configuration in it, and `name` of each name, in lists and in dicts by outputs."""
    if isinstance(value, Mapping):
        if "class_name" in value:
            return made(dict(value))
        return {key: _each(item, made, name) for key, item in value.items()}
    if isinstance(value, list):
        return [_each(item, made, name) for item in value]
    return name(value) if isinstance(value, str) else value


def _optimizer(stated: Json, has_slots: bool, later: bool) -> Json:
    name = plain_name(str(stated.get("class_name", "")))
    if name not in STRUCTURES:
        raise NotExpressed(f"the optimizer {name or '(not stated)'}")
    structure = STRUCTURES[name]
    taken = dict(structure.later) if later else {}
    harmless = {*WITHOUT_EFFECT, *(structure.stored if has_slots else ())}
    for key, value in _without_schedule(_dict(stated.get("config"))).items():
        if key in structure.keys and isinstance(value, (int, float)):
            taken[structure.keys[key]] = value
        elif key not in harmless and value:
            raise NotExpressed(f"{key}={value!r} of the optimizer {name}")
    return {"class_name": name, "config": taken}


def _on_epsilon(stated: Json) -> list[str]:
    """A note on an optimizer that adds epsilon at another place in TensorFlow 2.11 and later and in Keras 3."""
    name = plain_name(stated["class_name"])
    if not STRUCTURES[name].epsilon_below_root:
        return []
    return [
        f"{name} of TensorFlow 2.11 and later and of Keras 3 adds epsilon below the square root, Keras 2.3 beside it:"
        " the steps differ for gradients of less than about 1e-3"
    ]


def _loss(stated: Json) -> Json:
    name, config = str(stated["class_name"]), _dict(stated.get("config"))
    if name not in LOSSES:
        raise NotExpressed(f"the loss {name}")
    if config.get("reduction") == "auto":
        config["reduction"] = "sum_over_batch_size"
    if config.pop("axis", -1) != -1:
        raise NotExpressed(f"another axis than the last in {name}")
    config.pop("fn", None)
    return {"class_name": name, "config": config}


def _metric(stated: Json) -> str:
    """The function whose mean the metric computes."""
    function = _dict(stated.get("config")).get("fn")
    if not isinstance(function, str):
        raise NotExpressed(f"the metric {stated['class_name']}")
    return function


# ----------------------------------------------------------------- Keras 3 ----


def _optimizer_of_keras3(stated: Json) -> Json:
    name = str(stated.get("class_name", ""))
    if name not in STRUCTURES:
        raise NotExpressed(f"the optimizer {name or '(not stated)'}")
    structure = STRUCTURES[name]
    later = {ours: theirs for theirs, ours in structure.keys.items() if theirs != OLD_RATE}
    config = {RATE if key == OLD_RATE else key: value for key, value in _dict(stated.get("config")).items()}
    if config.get("clipnorm") and config.get("clipvalue"):
        raise NotExpressed("clipnorm beside clipvalue")
    taken = {}
    for key, value in structure.later.items():
        if config.pop(key, None) != value:
            raise NotExpressed(f"{name} with another {key} than {value}")
    for key, value in config.items():
        if key in later:
            taken[later[key]] = value
        elif value:
            raise NotExpressed(f"{key}={value!r} of the optimizer {name}")
    return {"class_name": name, "config": _with_schedule({key: v for key, v in taken.items() if v is not None})}


SCHEDULE = "InverseTimeDecay"
"""The learning rate divided by 1 + decay x iterations, which Keras 2.3 has as the option `decay`."""


def _with_schedule(config: Json) -> Json:
    """A configuration with the option `decay` as a schedule of the learning rate. The inverse: `_without_schedule`."""
    decay = config.pop("decay", 0)
    if not decay:
        return config
    rates = {"initial_learning_rate": config[RATE], "decay_steps": 1, "decay_rate": decay}
    schedule = {"module": "keras.optimizers.schedules", "class_name": SCHEDULE, "config": rates}
    return {**config, RATE: {**schedule, "registered_name": None}}


def _without_schedule(config: Json) -> Json:
    stated = config.get(RATE)
    if not isinstance(stated, Mapping) or stated.get("class_name") != SCHEDULE:
        return config
    rates = _dict(stated.get("config"))
    if rates.get("decay_steps") != 1 or rates.get("staircase"):
        return config
    return {**config, RATE: rates.get("initial_learning_rate"), "decay": rates.get("decay_rate")}


def _class_of_keras3(stated: Json) -> Json:
    name = str(stated["class_name"])
    if name not in LOSSES:
        raise NotExpressed(name)
    return {"module": "keras.losses", **stated, "registered_name": None}


def _named(what: str, known: Mapping[str, str]) -> Callable[[str], str]:
    """The name in Keras 3 of a function of Keras 2.3. Raises NotExpressed if Keras 3 does not have it."""

    def name_in_keras3(name: str) -> str:
        if name not in known:
            raise NotExpressed(f"{what} {name!r}")
        return known[name]

    return name_in_keras3
