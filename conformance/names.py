"""The public names of Keras, and the tests that show them: for docs/names.md, and for the tests that compute the cases.

A case computes something in real Keras and in kconvert, and says which names it shows: those in tests/fixtures/names by
their decorator, others by the names that their code calls. What real Keras computed is stored beside the cases.
"""

from __future__ import annotations

import ast
import importlib
import json
import runpy
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn, get_type_hints

from kconvert.errors import KconvertError
from kconvert.keras.surface import KERAS2, Dialect
from kconvert.keras1.surface import KERAS1
from kconvert.layers.phase import FIXED

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "tests" / "fixtures"
NAMES = FIXTURES / "names"
BACKENDS = ("theano", "tensorflow")
DIALECTS = {"keras2": KERAS2, "keras1": KERAS1}
"""The folder of cases -> the dialect that its cases are written in."""

_PASSED_ON = frozenset({"", "models", "metrics", "objectives"})
"""Modules that have names of other modules as their own; packages have those too."""

_HELPERS = frozenset({"keras.utils.generic_utils", "keras.legacy.interfaces"})
"""Modules whose functions other modules import for their own use."""


@dataclass(frozen=True)
class Shown:
    """A case that shows a name."""

    # Its label.
    case: str
    # The file with the case, from the root of the repository.
    path: str
    # The backends on which real Keras computed it.
    backends: tuple[str, ...]


# -------------------------------------------------------------------- names ----


@cache
def listed(release: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Every module of a release with its names, as tests/fixtures/names/public.py found them in real Keras."""
    return json.loads((NAMES / f"{release}.json").read_text())["names"]


def own_names(release: str, module: str) -> dict[str, dict[str, Any]]:
    """The names that belong to a module: those that it defines, and in packages those that it passes on."""
    found = listed(release)
    passes_on = module in _PASSED_ON or any(other.startswith(f"{module}.") for other in found)
    return {
        name: entry
        for name, entry in found[module].items()
        if _is_defined_in(entry["home"], module) or (passes_on and entry["home"].split(":")[0] not in _HELPERS)
    }


def _is_defined_in(home: str, module: str) -> bool:
    path = home.split(":")[0].partition(".")[2]
    return path == module or path.startswith(f"{module}.")


def all_names(dialect: Dialect) -> Iterator[tuple[str, str]]:
    """Each module with each of its names; of internal modules those that the module above them does not have."""
    for module in sorted({*dialect.public, *dialect.internal}):
        own = dialect.public.get(module, dialect.internal.get(module, ""))
        yield from ((module, name) for name in own.split())


def homes(release: str) -> dict[str, str]:
    """`module.name` -> where real Keras defines it, which is the same for all names of one object.

    Functions of `keras.applications` are all called `wrapper`: a network is found by its name, others by the module.
    """
    found = {}
    for module, names in listed(release).items():
        for name, entry in names.items():
            home, path = entry["home"], f"{module}.{name}"
            if home.endswith(":wrapper"):
                home = f"{home}:{name}" if name[0].isupper() else path
            found[path] = home
    return found


def refusal(dialect: Dialect, module: str, name: str) -> str | None:
    """Why kconvert does not have a name; None where it has it."""
    try:
        found = dialect.find(module, name)
    except KconvertError as error:
        return error.what
    try:
        never_returns = get_type_hints(found).get("return") is NoReturn
    except Exception:  # objects without annotations, and those that need names of their modules
        never_returns = False
    return "it raises an error where it is called" if never_returns else None


# -------------------------------------------------------------------- cases ----


@cache
def cases(folder: str) -> dict[str, tuple[tuple[str, ...], Callable[[Any], Any]]]:
    """FILE.CASE -> the public names that it shows, and the function of the module `keras`."""
    if str(NAMES) not in sys.path:
        sys.path.insert(0, str(NAMES))
    found = {}
    for path in sorted((NAMES / folder).glob("[!_]*.py")):
        module = importlib.import_module(f"{folder}.{path.stem}")
        found.update({f"{path.stem}.{label}": case for label, case in module.shows.all.items()})
    return found


@cache
def known(folder: str, backend: str) -> dict[str, Any]:
    """What real Keras computed on a backend, by case."""
    return json.loads((NAMES / f"{DIALECTS[folder].release}-{backend}.json").read_text())


def is_known(folder: str, backend: str, case: str) -> bool:
    """Whether real Keras could compute the case on the backend."""
    result = known(folder, backend).get(case)
    return result is not None and not (isinstance(result, dict) and "error" in result)


def computed(folder: str, case: str) -> Any:
    """What kconvert computes, on the backend that is set."""
    keras = importlib.import_module(DIALECTS[folder].package)
    FIXED["phase"] = None  # which an earlier case may have set
    return importlib.import_module("collecting").described(cases(folder)[case][1](keras))


def differences(found: Any, wanted: Any, where: str = "") -> Iterator[str]:
    """Where two descriptions differ by more than rounding."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in sorted({*found, *wanted}):
            if key not in found or key not in wanted:
                yield f"{where}.{key}: {found.get(key, 'missing')} is not {wanted.get(key, 'missing')}"
            else:
                yield from differences(found[key], wanted[key], f"{where}.{key}")
    elif isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        for i, pair in enumerate(zip(found, wanted, strict=True)):
            yield from differences(*pair, f"{where}[{i}]")
    elif not _alike(found, wanted):
        yield f"{where}: {found} is not {wanted}"


def _alike(found: Any, wanted: Any) -> bool:
    """Whether two values are the same, numbers up to rounding."""
    if any(isinstance(one, (str, bool, type(None), dict, list)) for one in (found, wanted)):
        return type(found) is type(wanted) and found == wanted
    return abs(found - wanted) <= 1e-4 + 2e-4 * abs(wanted)


# -------------------------------------------------------------------- shown ----


@cache
def shown(folder: str) -> dict[str, list[Shown]]:
    """`module.name` -> the cases that show it, under this name or another one of the same object."""
    by_home: dict[str, list[Shown]] = {}
    known_homes = homes(DIALECTS[folder].release)
    for name, case in _all_shown(folder):
        by_home.setdefault(known_homes.get(name, name), []).append(case)
    alone = {name: found for name, found in by_home.items() if ":" not in name}  # of one backend of real Keras
    return alone | {name: by_home[home] for name, home in known_homes.items() if home in by_home}


def _all_shown(folder: str) -> Iterator[tuple[str, Shown]]:
    for label, (names, _) in cases(folder).items():
        where = f"tests/fixtures/names/{folder}/{label.split('.')[0]}.py"
        on = tuple(backend for backend in BACKENDS if is_known(folder, backend, label))
        if on:
            yield from ((name, Shown(label.split(".")[1], where, on)) for name in names)
    yield from {"keras2": _of_keras2, "keras1": _of_keras1}[folder]()


def _of_keras2() -> Iterator[tuple[str, Shown]]:
    """Tests with the marker `shows`, the cases of `keras.backend`, and the networks of `keras.applications`."""
    yield from _marked("keras2")
    names = sorted(KERAS2.names("backend"), key=len, reverse=True)
    for label, *_ in runpy.run_path(str(FIXTURES / "keras_backend" / "cases.py"))["CASES"]:
        function = next((one for one in names if label == one or label.startswith(f"{one}_")), None)
        if function:
            yield f"backend.{function}", Shown(label, "tests/fixtures/keras_backend/cases.py", BACKENDS)
    for name in json.loads((FIXTURES / "applications" / "architectures.json").read_text()):
        yield f"applications.{name}", Shown(name, "tests/fixtures/applications/architectures.json", BACKENDS)


def _marked(folder: str) -> Iterator[tuple[str, Shown]]:
    """The names in the marker `shows` of tests; its argument `of` is the folder, by default keras2."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text(encoding="utf-8")
        for test in ast.parse(text).body if "mark.shows(" in text else ():
            case = Shown(getattr(test, "name", ""), str(path.relative_to(ROOT)), BACKENDS)
            for mark in getattr(test, "decorator_list", ()):
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.shows":
                    options = {word.arg: ast.literal_eval(word.value) for word in mark.keywords}
                    if options.get("of", "keras2") == folder:
                        yield from ((ast.literal_eval(name), case) for name in mark.args)


def _of_keras1() -> Iterator[tuple[str, Shown]]:
    """Tests with the marker `shows`, and the cases of tests/fixtures/keras1, by the names in their code."""
    yield from _marked("keras1")
    path = FIXTURES / "keras1" / "make.py"
    made = runpy.run_path(str(path), run_name="keras1_cases")
    for label, (_, make) in made["LAYERS"].items():
        case = Shown(label, "tests/fixtures/keras1/make.py", BACKENDS)
        yield from ((f"layers.{name}", case) for name in make.__code__.co_names if name in KERAS1.names("layers"))
        yield from ((f"regularizers.{n}", case) for n in make.__code__.co_names if n in KERAS1.names("regularizers"))
        yield from ((f"constraints.{n}", case) for n in make.__code__.co_names if n in KERAS1.names("constraints"))
    for label, (optimizer, loss, activation, metrics) in made["TRAININGS"].items():
        case = Shown(f"training {label}", "tests/fixtures/keras1/make.py", BACKENDS)
        called = [name for name in optimizer.__code__.co_names if name in KERAS1.names("optimizers")]
        named = [one for one in optimizer.__code__.co_consts if one in KERAS1.names("optimizers")]
        yield from ((f"optimizers.{name}", case) for name in (*called, *named))
        yield from ((f"objectives.{loss}", case) for _ in [0] if loss in KERAS1.names("objectives"))
        yield from ((f"activations.{activation}", case) for _ in [0] if activation in KERAS1.names("activations"))
        yield from ((f"metrics.{one}", case) for one in metrics if one in KERAS1.names("metrics"))
        yield from ((f"models.{name}", case) for name in ("Sequential", "Model"))
