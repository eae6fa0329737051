"""The file of an architecture: its text, or a whole model."""

from __future__ import annotations

from os import PathLike
from pathlib import Path

from ..conventions.words.items import Json
from ..conventions.words.keras3 import KERAS3, is_architecture
from ..conventions.words.texts import no_model, parse_architecture
from . import archive, files, hdf5
from .failures import unreadable
from .limits import LONG_JSON, check_limit, limits
from .missing import missing
from .regular import open_regular

KEY = "keras_version"
"""The release, which `to_json()` of Keras 3 does not state."""


def architecture_json(path: str | PathLike[str]) -> Json:
    """The architecture in a file: what `model.to_json()` or `model.to_yaml()` wrote, or that of a whole model.

    YAML has the ending `.yaml` or `.yml`. Of a whole model, only the architecture, the release and the backend are
    read. Raises KconvertError where there is none.
    """
    path = Path(path)
    try:
        if path.is_dir():
            return _of_whole_model(path)
        with open_regular(path) as file:
            data = file.read(limits().json + 1)
    except FileNotFoundError:
        raise missing(path) from None
    except OSError as error:
        raise unreadable(f"cannot be read ({error.strerror})", path) from error
    if data.startswith((hdf5.SIGNATURE, archive.SIGNATURE)):
        return _of_whole_model(path)
    check_limit("json", len(data), LONG_JSON, str(path))
    found = parse_architecture(data, path.suffix.lower() in (".yaml", ".yml"), str(path))
    return {KEY: KERAS3, **found} if KEY not in found and is_architecture(found) else found


def _of_whole_model(path: Path) -> Json:
    with files.read(path) as checkpoint:
        if checkpoint.model_config is None:
            raise no_model(str(path), "holds weights and no architecture")
        stated = {"keras_version": checkpoint.keras_version, "backend": checkpoint.backend}
        return {**{key: value for key, value in stated.items() if value}, **checkpoint.model_config}
