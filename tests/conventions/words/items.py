"""Items of architectures for tests: written out, of the fixtures, and compared."""

import json

from kconvert.conventions.words import keras1
from kconvert.layers.registry import CUSTOM
from kconvert.network.architecture import defaults


def to_keras1(item):
    return keras1.to_keras1(item, CUSTOM, defaults)


def arch(found):
    return json.loads((found.folder / "arch.json").read_text())


def item(found):
    config = arch(found)
    return {"class_name": config["class_name"], "config": config["config"]}


def differences(old, new, cls="", key=""):
    """(class, key, old, new) where two configurations differ; None stands for what is not there."""
    if isinstance(old, dict) and isinstance(new, dict):
        cls = old.get("class_name", cls)
        return [found for k in {**old, **new} for found in differences(old.get(k), new.get(k), cls, k)]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        return [found for a, b in zip(old, new, strict=True) for found in differences(a, b, cls, key)]
    return [] if old == new else [(cls, key, old, new)]


def layer(cls, name="layer_1", **config):
    return {"class_name": cls, "config": {"name": name, **config}}


def chain(*entries, shape=(None, 3, 6, 7)):
    entries[0]["config"].setdefault("batch_input_shape", list(shape))
    return {"class_name": "Sequential", "config": list(entries)}


def padding(name="pad", **config):
    return layer("ZeroPadding2D", name, padding=[1, 1], **config)


def conv(name="conv", order="th"):
    return layer("Convolution2D", name, nb_filter=2, nb_row=2, nb_col=3, dim_ordering=order)
