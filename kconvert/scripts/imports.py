"""Redirects imports while a script runs: `import keras` imports kconvert's module; moved packages are found."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

KERAS = ("keras", "tensorflow.keras")
"""The names under which scripts import Keras."""

MOVED = {
    "cPickle": "pickle",
    "scipy.misc": "kconvert.scripts.scipy_misc",
    "sklearn.cross_validation": "sklearn.model_selection",
    "sklearn.grid_search": "kconvert.scripts.grid_search",
}
"""Modules that no release for a current Python has, and the module that takes the place of each."""


class Renaming(MetaPathFinder, Loader):
    """Finds modules under other names.

    names: the name that a script uses, and the module that it gets; modules below them are found likewise.
    """

    def __init__(self, names: Mapping[str, str]) -> None:
        self.names = names

    def target(self, name: str) -> str | None:
        """The module that `name` means; None if it is none of these."""
        for own, other in self.names.items():
            if name == own or name.startswith(f"{own}."):
                return other + name.removeprefix(own)
        return None

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        other = self.target(fullname)
        if other is None or find_spec(other) is None:
            return None
        return ModuleSpec(fullname, self, origin=other)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = import_module(str(spec.origin))
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """The module has run under its own name already, and keeps it."""
        assert module.__spec__
        module.__spec__ = module.__spec__.loader_state


@contextmanager
def renamed(names: Mapping[str, str]) -> Iterator[None]:
    """In the block, the modules `names` are others; modules of these names that are loaded come back after it."""
    finder = Renaming(names)
    hidden = {name: sys.modules.pop(name) for name in list(sys.modules) if finder.target(name)}
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if finder.target(name)]:
            del sys.modules[name]
        sys.modules.update(hidden)
