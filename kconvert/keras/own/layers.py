"""The short names of the pooling layers in `keras.layers`."""

from __future__ import annotations

from ... import layers

_SHORT = {"AveragePooling": "AvgPool", "MaxPooling": "MaxPool"}

globals().update(
    {
        f"{prefix}{short}{rank}D": getattr(layers, f"{prefix}{long}{rank}D")
        for long, short in _SHORT.items()
        for prefix in ("", "Global")
        for rank in (1, 2, 3)
    }
)
