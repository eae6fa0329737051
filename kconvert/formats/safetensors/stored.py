"""Arrays in a safetensors file, read where they are asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...lazy_dataclasses import dataclass
from ..content import Content
from ..gathering import gather
from ..parts import Box, InOrder, Part
from .header import Entry


@dataclass(frozen=True, eq=False)
class Stored(InOrder):
    """An array in the file."""

    name: str
    entry: Entry
    begin: int
    """The end of the header."""
    content: Content

    @property
    def shape(self) -> tuple[int, ...]:  # type: ignore[override]
        return self.entry.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.entry.dtype

    def read(self, part: Part | None = None) -> np.ndarray:
        """See `LazyArray.read`. Raises KconvertError where the file was cut off, or is closed by now."""
        if part is not None:
            return gather(self, part)
        return self.content.read(self.begin + self.entry.begin, self.shape, self.dtype)

    def __getitem__(self, box: Box) -> np.ndarray:
        """The elements at slices with a positive step."""
        return self.content.boxed(self.begin + self.entry.begin, self.shape, self.dtype, box)
