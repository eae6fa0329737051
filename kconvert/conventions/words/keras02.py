"""Translates names of Keras 0.2.0 to Keras 0.3 and back (keras-facts: keras02-words).

Keras 0.2.0 runs only on Theano, and has only channels_first images.
"""

from __future__ import annotations

from typing import Any

from ...arguments import argument
from ...errors import KconvertError
from .items import Json

JZS = ("JZS1", "JZS2", "JZS3")
_CLASSES: dict[Any, str] = {"UpSample1D": "UpSampling1D", "UpSample2D": "UpSampling2D"}
_POOLINGS = ("MaxPooling1D", "MaxPooling2D")
_IMAGES = ("Convolution2D", "MaxPooling2D", "UpSampling2D", "ZeroPadding2D")
_LATER = ("dim_ordering", "go_backwards", "stateful")
ALONE = {"truncate_gradient", "ignore_border", *_CLASSES, *JZS, "SimpleDeepRNN", "WordContextProduct"}
"""Keys and classes that no other release has."""


def to_keras03(item: Json, name: str) -> Json:
    """A layer of Keras 0.2.0 as Keras 0.3 has it. Raises KconvertError where it has none."""
    if item.get("ignore_border") is False:
        raise KconvertError(
            f"{item['name']}(ignore_border=False) of Keras 0.2.0 pools smaller windows at the end, which no later"
            " release does",
            where=f"layer {name}",
        )
    cls = _CLASSES.get(item["name"], item["name"])
    ordering = {"dim_ordering": "th"} if cls in _IMAGES else {}
    known = {_strides(cls, key, "stride", "strides"): value for key, value in item.items() if key not in ALONE}
    return {**ordering, **known, "name": cls}


def from_keras03(item: Json, name: str) -> Json:
    """A layer of Keras 0.3 as Keras 0.2.0 has it. Raises KconvertError where it has none."""
    cls = item["name"]
    _check(item.get("dim_ordering", "th") == "th", f"a {cls} in channels_last", name)
    _check(cls not in _POOLINGS or item.get("border_mode", "valid") == "valid", f"a {cls} with padding='same'", name)
    _check(not any(item.get(key) for key in ("go_backwards", "stateful")), f"such a {cls}", name)
    dropped = (*_LATER, *(["border_mode"] if cls in _POOLINGS else []))
    known = {_strides(cls, key, "strides", "stride"): value for key, value in item.items() if key not in dropped}
    old = {new: old for old, new in _CLASSES.items()}
    return {**known, "name": old.get(cls, cls), **({"ignore_border": True} if cls in _POOLINGS else {})}


def _strides(cls: Any, key: str, old: str, new: str) -> str:
    return new if (cls, key) == ("MaxPooling2D", old) else key


def _check(has: bool, what: str, name: Any) -> None:
    if not has:
        raise KconvertError(
            f"Keras 0.2.0 has not {what}", where=f"layer {name}", fix=f"use {argument('format', 'keras2')}"
        )
