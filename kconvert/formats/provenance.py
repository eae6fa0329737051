"""The provenance that kconvert writes into a file. It is checked when it is read, because anybody can change a file."""

from __future__ import annotations

from typing import Any

from ..conventions.words.values import check_schema
from .failures import unreadable

_TEXT, _FLAG, _NAMES = (str, type(None)), (bool, type(None)), [str]

ORIGINAL = {
    **dict.fromkeys(("architecture", "training"), (dict, type(None))),
    **dict.fromkeys(("keras_version", "release", "data_format"), _TEXT),
    **dict.fromkeys(("release_stated", "arch_given", "modernize", "repair"), bool),
    **dict.fromkeys(("reordered", "groups"), _NAMES),
    "shapes": {...: [int]},
}
"""The types of `original`, the conversion that can be undone."""

STAMP = {
    **dict.fromkeys(("kconvert?", "source_sha256?", "source?", "target?", "trained_on?"), _TEXT),
    **dict.fromkeys(("release?", "data_format?"), _TEXT),
    **dict.fromkeys(("cudnn?", "restored?"), _FLAG),
    "reordered?": _NAMES,
    "original?": (dict, type(None)),
}
"""The types of the provenance."""

_NEEDED = {"release": _TEXT, "data_format": _TEXT, "cudnn": _FLAG, "original": ORIGINAL}  # where there is an `original`


def checked_provenance(value: Any, where: str) -> dict[str, Any] | None:
    """The provenance of a file; None without one. Raises KconvertError where it is not as kconvert writes it."""
    if value is None:
        return None
    try:
        check_schema(value, STAMP)
        if value.get("original") is not None:
            check_schema(value, _NEEDED)
    except ValueError as error:
        raise unreadable(f"what kconvert wrote is damaged: {error}", where) from None
    return dict(value)
