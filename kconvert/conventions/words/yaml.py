"""The YAML that `model.to_yaml()` of Keras 0.3 - 2.3 wrote, read without running anything.

Keras dumped Python objects: tuples, and numpy's numbers where a size was one. Those few tags are read as
plain values, every other Python tag is refused.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import yaml

from .values import checked

MAX_CHARACTERS = 2 * 2**20  # PyYAML reads a million in up to two seconds
MAX_NODES = 100_000  # and as many nodes in four; a model of 500 layers has 20,000
MAX_ITEMS = 1_000_000  # aliases included: a few lines of YAML can stand for billions of items
MAX_DIGITS = 100  # of a number; the time of 1:30:59, in base 60, grows with the square of its length

_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, and the tags of tuples, texts and numpy numbers. What costs much is bounded."""

    nodes = 0
    """How many nodes were read; those that merge keys add count, too."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        self._count(1)
        node = super().compose_node(parent, index)
        if isinstance(node, yaml.ScalarNode) and node.tag in _NUMBERS and len(node.value) > MAX_DIGITS:
            raise yaml.MarkedYAMLError(None, None, f"a number has more than {MAX_DIGITS} digits", node.start_mark)
        return node

    def flatten_mapping(self, node: Any) -> None:
        """Takes the items of mappings that `node` merges; it is called for each of these, as often as it is merged."""
        super().flatten_mapping(node)
        self._count(len(node.value))

    def _count(self, nodes: int) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise yaml.YAMLError(f"it has more than {MAX_NODES:,} values; give the architecture as JSON")


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

    Raises ValueError where it is no YAML, asks for an object of Python, or is or stands for too much.

    >>> parse("padding: !!python/tuple [1, 2]")
    {'padding': [1, 2]}
    """
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"it has more than {MAX_CHARACTERS:,} characters of YAML; give the architecture as JSON")
    try:
        value = yaml.load(text, _Loader)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except (yaml.YAMLError, ArithmeticError, AttributeError, LookupError, TypeError) as error:  # not all are YAMLErrors
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
