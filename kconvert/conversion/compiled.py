"""The arguments of `compile` in a file of tf.keras, in the words of Keras 2.3 (keras-facts: compiled-by-tf-keras)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ..conventions.optimizers import CUSTOM, LOSSES, STRUCTURES, WITHOUT_EFFECT, plain_name

Json = dict[str, Any]


class NotExpressed(Exception):
    """Keras 2.3 cannot be told this; the message names it."""


def for_keras2(stated: Json, has_slots: bool = False) -> tuple[Json | None, list[str]]:
    """`stated` for Keras 2.3, and notes. None where it would train otherwise, or not load the file.

    Metrics do not change the training: they alone are left out where Keras 2.3 does not have one. has_slots: whether
    the file stores the moments of the optimizer.
    """
    optimizer = _dict(stated.get("optimizer_config"))
    try:
        made: Json = {
            "optimizer_config": _optimizer(optimizer, has_slots),
            "loss": _each(stated.get("loss"), _loss),
            "loss_weights": stated.get("loss_weights"),
            "sample_weight_mode": stated.get("sample_weight_mode"),
        }
    except NotExpressed as why:
        return None, [f"the arguments of compile() are left out, as Keras 2.3 does not have {why}: compile the model"]
    notes = _notes(optimizer)
    for key in ("metrics", "weighted_metrics"):
        try:
            made[key] = _each(stated.get(key), _metric)
        except NotExpressed as why:
            made[key] = None
            notes.append(f"the {key.replace('_', ' ')} are left out, as Keras 2.3 does not have {why}")
    return made, notes


def _dict(value: Any) -> Json:
    """A copy of a part of the configuration; empty where the file has something else there."""
    return dict(value) if isinstance(value, Mapping) else {}


def _each(value: Any, made: Callable[[Json], Any]) -> Any:
    """`value` with `made` of each configuration in it, in lists and in dicts by outputs."""
    if isinstance(value, Mapping):
        if "class_name" in value:
            return made(dict(value))
        return {key: _each(item, made) for key, item in value.items()}
    return [_each(item, made) for item in value] if isinstance(value, list) else value


def _optimizer(stated: Json, has_slots: bool) -> Json:
    name = plain_name(str(stated.get("class_name", "")))
    if name not in STRUCTURES:
        raise NotExpressed(f"the optimizer {name or '(not stated)'}")
    structure = STRUCTURES[name]
    taken = dict(structure.later) if _is_later(stated) else {}
    harmless = {*WITHOUT_EFFECT, *(structure.stored if has_slots else ())}
    for key, value in _dict(stated.get("config")).items():
        if key in structure.keys and isinstance(value, (int, float)):
            taken[structure.keys[key]] = value
        elif key not in harmless and value:
            raise NotExpressed(f"{key}={value!r} of the optimizer {name}")
    return {"class_name": name, "config": taken}


def _is_later(stated: Json) -> bool:
    """Whether TensorFlow 2.11 or later wrote the optimizer."""
    return str(stated.get("class_name", "")).startswith(CUSTOM)


def _notes(stated: Json) -> list[str]:
    note = STRUCTURES[plain_name(stated["class_name"])].later_note
    return [note] if note and _is_later(stated) else []


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
    """The function that a metric is the mean of."""
    function = _dict(stated.get("config")).get("fn")
    if not isinstance(function, str):
        raise NotExpressed(f"the metric {stated['class_name']}")
    return function
