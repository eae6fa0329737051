"""The arguments of `compile` of Keras 1.2.2, by output and as files state them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...errors import AlsoTypeError, KconvertError, Problem, warn


def by_output(spec: Any, names: Sequence[str], what: str) -> list[Any]:
    """The value of each output. Raises KconvertError where there is none."""
    if isinstance(spec, Mapping):
        unknown, missing = sorted(set(spec) - set(names)), [name for name in names if name not in spec]
        if unknown or missing:
            why = f"there is no output {unknown[0]!r}" if unknown else f"output {missing[0]!r} is missing"
            raise KconvertError(why, f"compile({what}=...)", f"the outputs are {', '.join(names)}", Problem.USAGE)
        return [spec[name] for name in names]
    if isinstance(spec, (list, tuple)):
        if len(spec) != len(names):
            why = f"{len(spec)} values were given for {len(names)} outputs"
            raise KconvertError(why, f"compile({what}=...)", f"the outputs are {', '.join(names)}", Problem.USAGE)
        return list(spec)
    return [spec] * len(names)


def metrics_by_output(spec: Any, names: Sequence[str]) -> list[Any]:
    """The metrics of each output: a list is for all of them, a dict states them by output; others have no effect."""
    if isinstance(spec, Mapping):
        for name in sorted(set(spec) - set(names)):
            warn(f"compile: there is no output {name!r}, so its metrics have no effect")
        return [spec.get(name, []) for name in names]
    if spec is not None and not isinstance(spec, (list, tuple)):
        raise AlsoTypeError("metrics must be a list or a dict", "compile(metrics=...)", problem=Problem.USAGE)
    return [spec or []] * len(names)


def as_named(value: Any) -> Any:
    """A value as JSON: functions become their names."""
    if isinstance(value, Mapping):
        return {key: as_named(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_named(one) for one in value]
    return getattr(value, "__name__", value) if callable(value) else value
