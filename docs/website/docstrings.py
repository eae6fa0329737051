"""An extension of griffe: docstrings are Markdown when they are rendered."""

from __future__ import annotations

from typing import Any

import griffe

from docs.website import pages


class Docstrings(griffe.Extension):
    """Rewrites every docstring."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring:
            obj.docstring.value = pages.docstring(obj.docstring.value)
