"""old_files: within its block, Keras 3 and tf_keras load old files, which kconvert converts.

`load_model` and `Model.load_weights` of these libraries are replaced by functions that look at the file first. Files
that the library saved itself go to its own function. A library has `load_model` in many modules, also in those of
`tf.keras`; a module that is imported later takes it from one of them, and keeps it: it then does what the own one does.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import wraps
from types import ModuleType
from typing import Any

from ..conventions.generations import release_of_tensorflow
from ..conversion.evidence import generation_of as generation_of_file
from ..conversion.evidence import stated_release
from ..conversion.opening import open_source
from ..conversion.source import Source
from ..errors import KconvertError, Problem
from ..formats import hdf5
from ..formats.hdf5.handles import is_open, path_to_read
from ..lazy_dataclasses import dataclass
from .libraries import Library, installed
from .loading import live_model
from .weights import load_weights

WITHOUT_EFFECT = ("safe_mode",)
"""Options of `load_model` that old files do not need: no code in them is run."""


@dataclass(frozen=True, eq=False)
class _Block:
    """One call of `enable`, or one block of `old_files`."""

    # the backend that saved files which do not state it
    source: str | None
    lasting: bool = False


_lock = threading.RLock()
_blocks: list[_Block] = []
"""The active blocks of all threads; the last one gives the source."""
_replaced: list[tuple[Any, str, Any]] = []
"""(object, attribute, function of the library) of each function that is replaced now."""


def enable(source: str | None = None) -> None:
    """Makes `load_model` and `Model.load_weights` of Keras 3 and tf_keras read old files, until `disable`.

    A file of Keras 0.2 - 2.3 is converted while it is loaded, also one of Theano, and in Keras 3 one of tf.keras too.

    source: the backend that saved the files which do not state it, as those of Keras 1.
    Raises KconvertError where neither library is installed.
    """
    _enter(_Block(source, lasting=True))


def disable() -> None:
    """Ends `enable`. The libraries have their own functions again once no block of `old_files` is open, either."""
    _leave(*(block for block in _blocks if block.lasting))


@contextmanager
def old_files(source: str | None = None) -> Iterator[None]:
    """`enable(source)` while the `with` block runs; of blocks within each other, the innermost says the source."""
    block = _Block(source)
    _enter(block)
    try:
        yield
    finally:
        _leave(block)


def _enter(block: _Block) -> None:
    with _lock:
        libraries = [] if _replaced else installed()
        if not libraries and not _replaced:
            what = "neither Keras 3 nor tf_keras is installed"
            raise KconvertError(what, fix="pip install keras", problem=Problem.USAGE)
        for library in libraries:
            _replace(library)
        _blocks.append(block)


def _leave(*blocks: _Block) -> None:
    with _lock:
        _blocks[:] = [block for block in _blocks if block not in blocks]
        while _replaced and not _blocks:
            holder, name, own = _replaced.pop()
            setattr(holder, name, own)


def _source() -> str | None:
    with _lock:
        return _blocks[-1].source if _blocks else None


def _replace(library: Library) -> None:
    """Replaces the functions of one library, wherever it has them."""
    module, own = library.module, library.module.models.load_model

    @wraps(own)
    def load_model(filepath: Any, custom_objects: Any = None, compile: bool = True, *rest: Any, **options: Any) -> Any:
        with _place(filepath) as place:
            if _blocks and _is_old(place, library):
                return converted(place, custom_objects, compile, options)
        return own(filepath, custom_objects, compile, *rest, **options)

    def converted(place: Any, custom_objects: Any, compile: bool, options: Mapping[str, Any]) -> Any:
        unknown = [name for name in options if name not in WITHOUT_EFFECT]
        if unknown:
            what = f"load_model of an old file has no option {unknown[0]}"
            raise KconvertError(what, str(place), "leave it out", Problem.USAGE)
        return live_model(Source(place, _source()), library.package, compile=compile, custom_objects=custom_objects)

    for holder in _modules(library):
        if vars(holder).get("load_model") is own:
            _set(holder, "load_model", load_model)
    for model in _defining(module):
        _set(model, "load_weights", _loading_weights(model.__dict__["load_weights"], library))


def _modules(library: Library) -> list[Any]:
    """The modules of a library that are imported."""
    names = [name for name in sys.modules if name.partition(".")[0] == library.package]
    return [found for name in names if isinstance(found := sys.modules[name], ModuleType)]


def _defining(module: Any) -> Iterator[type]:
    """The classes of models that define `load_weights` themselves: Model, and in tf_keras others too."""
    for cls in (module.Model, module.Sequential):
        for base in cls.__mro__:
            known = any(holder is base for holder, _, _ in _replaced)
            if "load_weights" in base.__dict__ and not known:
                yield base


def _loading_weights(own: Callable[..., Any], library: Library) -> Callable[..., Any]:
    @wraps(own)
    def loading(model: Any, filepath: Any, skip_mismatch: bool = False, by_name: bool = False, **options: Any) -> Any:
        with _place(filepath) as place:
            if _is_old(place, library):
                load_weights(model, place, _source(), by_name=by_name, skip_mismatch=skip_mismatch)
                return None
        given = {"skip_mismatch": skip_mismatch, **({"by_name": by_name} if by_name else {}), **options}
        return own(model, filepath, **given)

    return loading


def _set(holder: Any, name: str, new: Any) -> None:
    _replaced.append((holder, name, holder.__dict__[name]))
    setattr(holder, name, new)


def _place(file: Any) -> AbstractContextManager[Any]:
    """A path with the content of an open HDF5 file; anything else is returned unchanged."""
    return path_to_read(file) if is_open(file) else nullcontext(file)


def _is_old(path: Any, library: Library) -> bool:
    """Whether the library would read a file incorrectly.

    The library decides on what is no file with named weights. Raises KconvertError where such a file cannot be read.
    """
    if not isinstance(path, (str, os.PathLike)) or not os.path.isfile(path):
        return False
    try:
        with open_source(Source(path)) as checkpoint:
            row, release = generation_of_file(checkpoint), stated_release(checkpoint)
            of_tf_keras = checkpoint.format is not None or bool(release and release_of_tensorflow(release[0]))
    except KconvertError:
        if hdf5.has_named_weights(path):
            raise
        return False
    if of_tf_keras and library.reader.reads_tf_keras:
        return False
    return row.value != library.convention.generation_name or library.reader.reads_tf_keras
