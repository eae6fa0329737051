"""Architecture JSON of Keras 2 and tf.keras, and the names of Sequentials (keras-facts: names-of-sequentials)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import count

from .items import MODELS, Json, check_model, inner
from .tf_keras import in_keras2

NAMED_SEQUENTIALS = (2, 2, 3)  # the first release that stores the name of a Sequential


def read(config: Json) -> Json:
    """The `{'class_name', 'config'}` of an architecture, with a name for every Sequential.

    Those without a name are called `sequential_1`, ..., inner ones first, as Keras does.
    """
    check_model(config)
    return _with_names(in_keras2({"class_name": config["class_name"], "config": config["config"]}), count(1))


def write(item: Json, version: tuple[int, ...]) -> Json:
    """A `{'class_name', 'config'}` as release `version` writes it."""
    return item if version >= NAMED_SEQUENTIALS else _as_lists(item)


def _with_names(item: Json, numbers: Iterator[int]) -> Json:
    config = item["config"]
    if isinstance(config, Mapping):
        return _each_inside(item, lambda one: _with_names(one, numbers))
    layers = [_with_names(layer, numbers) for layer in config]
    return {**item, "config": {"name": item.get("name") or f"sequential_{next(numbers)}", "layers": layers}}


def _as_lists(item: Json) -> Json:
    """Sequentials as the bare lists of their layers."""
    result = _each_inside(item, _as_lists)
    return {**result, "config": result["config"]["layers"]} if item["class_name"] == "Sequential" else result


def _each_inside(item: Json, change: Callable[[Json], Json]) -> Json:
    """An item with every item inside it changed."""
    config = dict(item["config"])
    config.update((key, change(one)) for key, one in inner(config).items())
    if item["class_name"] in MODELS:
        config["layers"] = [change(one) for one in config["layers"]]
    return {**item, "config": config}
