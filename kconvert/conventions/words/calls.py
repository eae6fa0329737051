"""Translates calls with the names of Keras 0.3 and 1, by the rows of `rules`, as for files.

Only names and values are translated; omitted arguments have the defaults of Keras 2.3. Each such call gives one
warning, which shows the call in Keras 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from reprlib import repr as short
from typing import Any, TypeVar

from ...errors import AlsoTypeError, KconvertError, Problem, warn
from .rules import COUNT_SAMPLES, GONE, IGNORED, METHODS, NOT_STORED, RULES, Key

Method = TypeVar("Method", bound=Callable[..., Any])


def layer_arguments(
    name: str,
    words: Sequence[str],
    known: Iterable[str],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    inner: frozenset[str] = frozenset(),
    ignored: frozenset[str] = frozenset(),
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of a call of layer class `name` in Keras 2's words.

    words: the arguments that may be given by position; known: all arguments of the class; inner: those that messages do
    not name; ignored: those that Keras 2.3 takes although they change nothing, which a warning says. Raises
    KconvertError, a TypeError too, for arguments that Keras 2 does not have, and where one is given twice.
    """
    known = {*words, *known, *ignored}
    keys = [*(key for rule in RULES if rule.new == name for key in rule.keys), *NOT_STORED.get(name, ())]
    new_args, new_kwargs = _sizes_together(name, words, keys, args, kwargs, len(ignored))
    new_kwargs = _renamed(name, keys, known, new_kwargs)
    without_effect = {word for word in new_kwargs if word in ignored or _is_ignored(word, new_kwargs[word])}
    for word in without_effect:
        warn(f"{word} of {name} has no effect, as in Keras")
        del new_kwargs[word]
    for word in new_kwargs:
        if word not in known:
            raise _unknown(name, word, known - inner)
    twice = [word for word in words[: len(new_args)] if word in new_kwargs]
    if twice or len(new_args) > len(words):
        what = f"{twice[0]} is given twice" if twice else f"only {len(words)} arguments may go without a name"
        raise AlsoTypeError(what, _shown(name, args, kwargs), f"they are: {', '.join(words)}", Problem.USAGE)
    if len(new_args) != len(args) or new_kwargs.keys() != kwargs.keys() - without_effect:
        warn_of_old(_shown(name, args, kwargs), _shown(name, new_args, new_kwargs))
    return new_args, new_kwargs


def renamed(name: str, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """The keyword arguments of `name` (a row of METHODS) in Keras 2's words. Raises KconvertError for those of GONE."""
    for word in GONE.keys() & kwargs.keys():
        raise _unknown(name, word, ())
    found = _renamed(name, METHODS.get(name, ()), set(), kwargs)
    old, new = (
        {word: one[word] for word in one if word not in other} for one, other in ((kwargs, found), (found, kwargs))
    )
    if old:
        warn_of_old(_shown(name, (), old), _shown(name, (), new))
    for word in COUNT_SAMPLES & kwargs.keys():
        warn(f"{word}={kwargs[word]} counts batches here, as in Keras 2; in Keras 1, it counted samples")
    return found


def accepts_old_words(name: str | None = None) -> Callable[[Method], Method]:
    """Decorates a method that can be called in the words of Keras 0.3 and 1 too; name: its row of METHODS."""

    def decorate(method: Method) -> Method:
        @wraps(method)
        def called(self: Any, *args: Any, **kwargs: Any) -> Any:
            return method(self, *args, **renamed(name or method.__name__, kwargs))

        return called  # type: ignore[return-value]

    return decorate


def new_name(old: str) -> str | None:
    """The Keras 2 name of the class that Keras 1 called `old`, with a warning; None where the name is the same."""
    new = next((rule.new for rule in RULES if rule.old == old != rule.new), None)
    if new:
        warn_of_old(old, new)
    return new


def _is_ignored(word: str, value: Any) -> bool:
    """Whether an argument of Keras 1 has a value that Keras 2 ignores."""
    return word in IGNORED and value not in IGNORED[word]


def _sizes_together(
    name: str,
    words: Sequence[str],
    keys: Sequence[Key],
    args: tuple[Any, ...],
    kwargs: Mapping[str, Any],
    ignored: int,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """`32, 3, 3` as `32, (3, 3)`, where Keras 1 took sizes one by one; Keras 2.3 also reads such calls this way.

    The last sizes may have names. ignored: how many tuples may follow that Keras 2.3 ignores. Raises KconvertError
    where arguments that only Keras 2 has give the numbers another meaning.
    """
    for key in keys:
        at, n = words.index(key.new) if key.new in words else 0, len(key.olds)
        named = [word for word in key.olds if word in kwargs]
        sizes = args[at : at + n - len(named)]
        rest = args[at + len(sizes) :]
        follows = len(rest) <= ignored and all(isinstance(value, tuple) for value in rest)
        together = len(sizes) + len(named) == n > 1 and named == key.olds[len(sizes) :] and follows
        if together and sizes and all(isinstance(size, int) for size in sizes):
            if any(other.new in kwargs for other in keys if other.old != other.new):
                what = f"{_shown(name, args, kwargs)} is neither Keras 1 nor Keras 2"
                raise KconvertError(what, fix=f"give {key.new}=... by name", problem=Problem.USAGE)
            others = {word: value for word, value in kwargs.items() if word not in named}
            return (*args[:at], tuple(key.read((*sizes, *(kwargs[word] for word in named))))), others
    return args, dict(kwargs)


def _renamed(name: str, keys: Iterable[Key], known: set[str], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(kwargs)
    for key in keys:
        given = [word for word in key.olds if word in found]
        if not given or (key.old != key.new and known.intersection(given)) or _is_ignored(given[0], found[given[0]]):
            continue
        if len(given) < len(key.olds):
            missing = next(word for word in key.olds if word not in given)
            raise AlsoTypeError(f"{name} has {given[0]} but no {missing}", None, f"give {key.new}=...", Problem.USAGE)
        if key.old != key.new and key.new in found:
            what = f"{given[0]} and {key.new} are the same argument of {name}"
            raise AlsoTypeError(what, fix=f"give {key.new} alone", problem=Problem.USAGE)
        key.rename(found)
    return found


def _unknown(name: str, word: str, known: Iterable[str]) -> KconvertError:
    """The error for an argument that a layer does not have."""
    from difflib import get_close_matches  # for this error alone

    near = get_close_matches(word, known, cutoff=0.7)
    fix = f"did you mean {' or '.join(near)}" if near else f"it has: {', '.join(sorted(known))}"
    return AlsoTypeError(f"{name} has no argument {word!r}", fix=GONE.get(word, fix), problem=Problem.USAGE)


def _shown(name: str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> str:
    """A call as Python code, with long values shortened."""
    return f"{name}({', '.join([*map(short, args), *(f'{word}={short(value)}' for word, value in kwargs.items())])})"


def warn_of_old(old: str, new: str) -> None:
    """Gives a warning with the Keras 2 form of what a user wrote."""
    warn(f"{old} is Keras 1: write {new}")
