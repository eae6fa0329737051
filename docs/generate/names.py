"""The page docs/names.md: every public name of Keras 2.3.1 and 1.2.2, and the case that shows it on each backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from conformance import names
from conformance.names import BACKENDS, DIALECTS, Shown
from kconvert.keras.surface import Dialect

from .markdown import table

NAMES = Path(__file__).parents[1] / "names.md"


def names_page() -> str:
    """The whole page."""
    sections = "\n\n".join(_release(folder, dialect) for folder, dialect in DIALECTS.items())
    return f"""\
<!-- Written by `python -m docs.generate` (`make docs`): do not edit. -->

# The names of Keras

This page lists the names of Keras 2.3.1 (`kconvert.keras`) and 1.2.2 (`kconvert.keras1`) by module: the documented
names, and those of internal modules that scripts import. A script listed them in real Keras. For each backend, the
table links to a test case. The expected value of the case was computed by real Keras on that backend, or is stated in
its documentation. If kconvert does not support a name, the table gives the reason. *{_UNKNOWN}* means that
real Keras cannot compute the case on this backend. Different names of one object, such as `losses.mse` and
`losses.mean_squared_error`, have the same cases. For a module that re-exports the names of another one, such as
`backend.theano_backend` or `layers.core`, only additional names are listed.

{sections}
"""


_UNKNOWN = "not on this backend"
_UNSHOWN = "no case yet"


def _release(folder: str, dialect: Dialect) -> str:
    shown = names.shown(folder)
    every: dict[str, list[str]] = {}
    for module, name in names.all_names(dialect):
        every.setdefault(module, []).append(name)
    counts = _counts(dialect, every, shown)
    tables = "\n\n".join(
        f"### {dialect.release}: {module}\n\n" + table(["name", *BACKENDS], _rows(dialect, module, own, shown))
        for module, own in every.items()
    )
    return f"## Keras {dialect.release}\n\n{counts}\n\n{tables}"


def _counts(dialect: Dialect, names_of: Mapping[str, Sequence[str]], shown: dict[str, list[Shown]]) -> str:
    every = [(module, name) for module, own in names_of.items() for name in own]
    refused = sum(names.refusal(dialect, *one) is not None for one in every)
    cells = {backend: sum(_on(shown, *one, backend) is not None for one in every) for backend in BACKENDS}
    listed = ", ".join(f"{count} on {backend}" for backend, count in cells.items())
    return f"Of {len(every)} names, cases cover {listed}; {refused} are not supported."


def _rows(dialect: Dialect, module: str, own: Sequence[str], shown: dict[str, list[Shown]]) -> list[list[str]]:
    return [[f"`{name}`", *_cells(dialect, module, name, shown)] for name in own]


def _cells(dialect: Dialect, module: str, name: str, shown: dict[str, list[Shown]]) -> list[str]:
    why = names.refusal(dialect, module, name)
    if why is not None:
        return [f"refused: {why}"] * len(BACKENDS)
    if f"{module}.{name}" not in shown:
        return [_UNSHOWN] * len(BACKENDS)
    found = [_on(shown, module, name, backend) for backend in BACKENDS]
    return [_UNKNOWN if case is None else f"[{case.case}](../{case.path})" for case in found]


def _on(shown: dict[str, list[Shown]], module: str, name: str, backend: str) -> Shown | None:
    """The first case that shows a name on a backend."""
    return next((case for case in shown.get(f"{module}.{name}", ()) if backend in case.backends), None)
