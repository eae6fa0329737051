"""Makes the modules of `kconvert.keras` and `kconvert.keras1` importable: `import kconvert.keras.layers.core`.

The modules are made from the tables in `surface`; their names are looked up when they are used.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

from ..errors import AlsoImportError, KconvertError
from .surface import Dialect


class SurfaceModule(ModuleType):
    """A module of a dialect. A name is looked up when it is first used."""

    dialect: Dialect
    # The name of the module in Keras, without the package: `layers.core`.
    inside: str

    @property
    def __all__(self) -> list[str]:
        return [name for name in self.dialect.names(self.inside) if has(self, name)]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return self.dialect.find(self.inside, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self.dialect.names(self.inside)})


def has(module: SurfaceModule, name: str) -> bool:
    """Whether kconvert has the name `name` of a module."""
    try:
        return module.dialect.find(module.inside, name) is not None
    except AttributeError:
        return False


class SurfaceFinder(MetaPathFinder, Loader):
    """Finds the modules of a dialect below the package of the dialect."""

    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module; None where there is none. Raises ImportError for a name of Keras that kconvert does not have.

        Python looks for a module of that name where `from ... import ...` finds no attribute.
        """
        package, _, inside = fullname.partition(f"{self.dialect.package}.")
        if package:
            return None
        if inside not in self.dialect.modules:
            self._check_name(*inside.rpartition(".")[::2])
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def _check_name(self, module: str, name: str) -> None:
        """Raises a KconvertError that is an ImportError for a name of Keras that kconvert does not have."""
        if name in self.dialect.names(module):
            try:
                self.dialect.find(module, name)
            except KconvertError as error:
                raise AlsoImportError(error.what, error.where, error.fix, error.problem) from None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = SurfaceModule(spec.name)
        module.dialect, module.inside = self.dialect, spec.name.removeprefix(f"{self.dialect.package}.")
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing: names are looked up when they are used."""


def install(dialect: Dialect) -> None:
    """Makes the modules of `dialect` importable."""
    sys.meta_path.append(SurfaceFinder(dialect))
