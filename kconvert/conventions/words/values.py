"""Values of JSON from files: checked before anything reads them."""

from __future__ import annotations

import json
from typing import Any

MAX_DEPTH = 200
"""How deep values may be nested in each other: about 50 models."""

MAX_CONTAINERS = 1_000_000
"""How many lists and objects JSON may have: each takes up to 25 times its two characters in memory."""

MAX_INTEGER = 2**64
"""Where integers end: what computes with larger ones, such as the product of sizes, may never end."""

_PLAIN = (bool, int, float, type(None))


def parse_json(text: str | bytes, depth: int = MAX_DEPTH) -> Any:
    """The value that JSON `text` states. Raises ValueError as `checked` does, where it is not JSON, or has too much.

    text: as bytes in UTF-8, UTF-16 or UTF-32.
    """
    begins = ("[", "{") if isinstance(text, str) else (b"[", b"{")
    if sum(map(text.count, begins)) > MAX_CONTAINERS:  # type: ignore[arg-type]
        raise ValueError(f"it has more than {MAX_CONTAINERS:,} lists and objects")
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError(_too_deep(depth)) from None
    return checked(value, depth)


def checked(value: Any, depth: int = MAX_DEPTH) -> Any:
    r"""The same value. Raises ValueError for what JSON does not have, and for what no program reads without harm.

    That are values that are nested more than `depth` times, strings with half of a character, and integers of more than
    64 bits.

    >>> checked({"name": "dense_1"})
    {'name': 'dense_1'}
    >>> checked(["\ud800"])
    Traceback (most recent call last):
    ValueError: the string '\ud800' has half of a character
    """
    todo: list[tuple[Any, int]] = [([value], -1)]
    while todo:
        items, level = todo.pop()
        if level >= depth and items:
            raise ValueError(_too_deep(depth))
        if isinstance(items, dict):
            _check_keys(items)
            items = items.values()
        for item in items:
            if isinstance(item, str):
                _check_text(item)
            elif isinstance(item, (dict, list)):
                todo.append((item, level + 1))
            elif not isinstance(item, _PLAIN):
                raise ValueError(f"{item!r} is of the type {type(item).__name__}, which JSON does not have")
            elif isinstance(item, int) and abs(item) > MAX_INTEGER:
                raise ValueError(f"an integer has more than {MAX_INTEGER.bit_length() - 1} bits")
    return value


def _check_keys(mapping: dict[Any, Any]) -> None:
    for key in mapping:
        if not isinstance(key, str):
            raise ValueError(f"the key {key!r} is not a string")
        _check_text(key)


def _check_text(text: str) -> None:
    if text.isascii():
        return
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise ValueError(f"the string {text!r} has half of a character") from None


def _too_deep(depth: int) -> str:
    return f"values are nested more than {depth} times"


def check_schema(value: Any, schema: Any, name: str = "it") -> None:
    """Raises ValueError where `value` does not have the types of `schema`.

    schema: a type, or a tuple of them; a list with the schema of all items; a dict with the schema for each key, where
    a key that ends in '?' may be missing, and `...` stands for all other keys. name: what the value is called.

    >>> check_schema({"name": 3}, {"name": str})
    Traceback (most recent call last):
    ValueError: name should be a string and is 3
    """
    kinds = schema if isinstance(schema, tuple) else (schema if isinstance(schema, type) else type(schema),)
    if type(value) not in kinds:
        raise ValueError(f"{name} should be {' or '.join(_NAMES[kind] for kind in kinds)} and is {value!r:.60}")
    if isinstance(schema, list):
        for item in value:
            check_schema(item, schema[0], f"an item of {name}")
    elif isinstance(schema, dict):
        named = {key.removesuffix("?"): inner for key, inner in schema.items() if key is not ...}
        if missing := [key for key in schema if key is not ... and not key.endswith("?") and key not in value]:
            raise ValueError(f"{missing[0]} is missing")
        for key, item in value.items():
            if key in named or ... in schema:
                check_schema(item, named.get(key, schema.get(...)), key)


_NAMES = {
    str: "a string",
    bool: "true or false",
    int: "an integer",
    float: "a number",
    type(None): "null",
    list: "a list",
    dict: "an object",
}
