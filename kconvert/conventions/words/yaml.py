"""The YAML that `model.to_yaml()` of Keras 0.3 - 2.3 wrote, read without running anything.

Keras dumped Python objects: tuples, and numpy's numbers where a size was one. Those few tags are read as
plain values, every other Python tag is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import yaml

from .values import checked

MAX_ITEMS = 1_000_000  # aliases included: a few lines of YAML can stand for billions of items


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, and the tags of tuples, texts and numpy numbers."""


def _tuple(loader: Any, node: Any) -> list[Any]:
    """A tuple as the list that JSON has in its place."""
    return loader.construct_sequence(node, deep=True)


def _text(loader: Any, node: Any) -> str:
    return loader.construct_scalar(node)


def _dtype(loader: Any, node: Any) -> np.dtype[Any]:
    """`numpy.dtype('i8', ...)`: a number's type, by its name alone."""
    name = loader.construct_mapping(node, deep=True)["args"][0]
    if name not in ("i4", "i8", "u4", "u8", "f4", "f8", "b1"):
        raise yaml.YAMLError(f"numpy.dtype {name!r} is no number's")
    return np.dtype(f"<{name}")


def _number(loader: Any, node: Any) -> Any:
    """`numpy.core.multiarray.scalar(dtype, bytes)`: a number."""
    dtype, data = loader.construct_sequence(node, deep=True)
    if not isinstance(dtype, np.dtype) or not isinstance(data, bytes) or len(data) != dtype.itemsize:
        raise yaml.YAMLError("this is no number of numpy")
    return np.frombuffer(data, dtype)[0].item()


for _tag, _constructor in {
    "tuple": _tuple,
    "str": _text,
    "unicode": _text,
    "object/apply:numpy.dtype": _dtype,
    "object/apply:numpy.core.multiarray.scalar": _number,
    "object/apply:numpy._core.multiarray.scalar": _number,
}.items():
    _Loader.add_constructor(f"tag:yaml.org,2002:python/{_tag}", _constructor)


def parse(text: str) -> Any:
    """The value that YAML `text` states, with lists in the place of tuples.

    Raises ValueError where it is no YAML, asks for an object of Python, or stands for too much.

    >>> parse("padding: !!python/tuple [1, 2]")
    {'padding': [1, 2]}
    """
    try:
        value = yaml.load(text, _Loader)
    except (yaml.YAMLError, TypeError, LookupError, RecursionError) as error:
        raise ValueError(" ".join(str(error).split())) from error
    if _items(value, {}) > MAX_ITEMS:
        raise ValueError(f"its aliases stand for more than {MAX_ITEMS} items")
    return checked(value)


def dump(value: Any, **options: Any) -> str:
    """JSON `value` as YAML, in the order of its keys. options: of `yaml.dump`."""
    return str(yaml.safe_dump(value, **{"sort_keys": False, **options}))


def _items(value: Any, known: dict[int, int]) -> int:
    """How many items a value has when its aliases are written out; what contains itself has too many."""
    if not isinstance(value, (dict, list)):
        return 1
    if id(value) not in known:
        known[id(value)] = MAX_ITEMS + 1  # until it is counted
        inner = [*value, *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_items(item, known) for item in inner)
    return known[id(value)]
