"""Names arguments in messages: as an argument of the library, or as an option of the command line.

A message is made with `argument("arch")`. The library says `arch=`; while the command line runs, it says `--arch`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Naming:
    """The names of the library. Another front end overrides the methods for which its names differ."""

    def argument(self, name: str, values: Sequence[object]) -> str:
        """How to name an argument with one of `values`; without values, the argument itself."""
        return f"{name}={' or '.join(map(repr, values))}"

    def raised_limit(self, name: str, number: int) -> str:
        """How to raise a limit on what a file may cost to read."""
        return f"kconvert.limited({name}={number})"

    def own_code(self, what: str, key: str, call: str) -> str:
        """How to give code: what it is, its name in `custom_objects`, and the call that registers it."""
        return f"give the {what} as custom_objects={{{key!r}: ...}}, or register it with {call}"


_naming = Naming()


def argument(name: str, *values: object) -> str:
    """How a message names an argument of the library.

    values: the values to suggest, of which one is needed. A flag is True or False, a shape is a tuple; an option that
    may be repeated is a list.

    >>> argument("arch"), argument("source", "theano", "tensorflow"), argument("repair", False)
    ('arch=', "source='theano' or 'tensorflow'", 'repair=False')
    """
    return _naming.argument(name, values)


def raised_limit(name: str, number: int) -> str:
    """How a message tells the user to raise a limit.

    >>> raised_limit("calls", 200_000)
    'kconvert.limited(calls=200000)'
    """
    return _naming.raised_limit(name, number)


def own_code(what: str, key: str, call: str) -> str:
    """How a message asks for code of the user.

    what: 'function' or 'class'. key: its name in `custom_objects`. call: what registers it for all files.

    >>> own_code("function", "softmacks", "kconvert.register_function('softmacks')")
    "give the function as custom_objects={'softmacks': ...}, or register it with \
kconvert.register_function('softmacks')"
    """
    return _naming.own_code(what, key, call)


def naming() -> Naming:
    """The current naming, for another process that writes messages for this one."""
    return _naming


@contextmanager
def named_by(naming: Naming) -> Iterator[None]:
    """Within the block, messages of all threads of this process use this naming."""
    global _naming
    before, _naming = _naming, naming
    try:
        yield
    finally:
        _naming = before
