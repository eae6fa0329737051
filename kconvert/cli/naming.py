"""Names arguments in messages of the command line: by their options."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..arguments import Naming

# The options that are not called as the argument of the library is.
_OPTIONS = {
    "source": "--from",
    "target": "--to",
    "layers": "--layer",
    "folder": "--keep",
    "release": "--keras",
}


def option(name: str) -> str:
    """The option of an argument of the library.

    >>> option("source"), option("source_data_format")
    ('--from', '--source-data-format')
    """
    return _OPTIONS.get(name, "--" + name.replace("_", "-"))


class Options(Naming):
    """The options of the command line.

    >>> Options().argument("source", ("theano", "tensorflow")), Options().argument("repair", (False,))
    ('--from theano or tensorflow', '--no-repair')
    """

    def argument(self, name: str, values: Sequence[object]) -> str:
        if any(value is False for value in values):
            return f"--no-{option(name)[2:]}"
        words = [_word(value) for value in values if value is not True]
        return " ".join([option(name), *([" or ".join(words)] if words else [])])

    def raised_limit(self, name: str, number: int) -> str:
        return f"--limit {name}={number}"

    def own_code(self, what: str, key: str, call: str) -> str:
        return f"register the {what} with {call}, in a module passed with --custom"


def _word(value: Any) -> str:
    """A value as an option takes it: 224,224,3 for a tuple."""
    if isinstance(value, Mapping):
        return " ".join(f"{name}={_word(one)}" for name, one in value.items())
    return ",".join(map(str, value)) if isinstance(value, tuple | list) else str(value)
