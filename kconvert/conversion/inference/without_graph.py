"""The layers of a file of weights alone: weights as every network lists them, and no graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...arguments import argument
from ...errors import KconvertError
from ...layers import Dense
from ...layers.base import Layer
from ...lazy_dataclasses import dataclass
from ...network.graph import LayerPath, LeafWeights
from ...network.network import Network

CERTAIN, LIKELY, UNDECIDED = "certain", "likely", "undecided"


@dataclass(frozen=True)
class Inferred:
    """What is known about one layer."""

    path: LayerPath
    classes: tuple[str, ...]
    """The classes that fit, which all store the weights in the same way; empty if it is undecided."""
    confidence: str
    """'certain', 'likely' or 'undecided'."""
    evidence: str
    """Why."""

    def __str__(self) -> str:
        what = " or ".join(self.classes) or "unknown"
        return f"layer {'/'.join(self.path)} is {what} ({self.confidence}): {self.evidence}"


@dataclass(eq=False, kw_only=True)
class WithoutGraph(Network):
    """Layers with their weights, and no graph."""

    table: list[LeafWeights]
    """The weights, layer by layer."""
    calls: list[tuple[str, Layer, Any]]
    """(path, layer, shape of its input) of each layer; sizes that are not known are None."""
    inferred: list[Inferred]
    """How each layer was inferred."""
    image_formats: frozenset[str | None]
    """The data formats of image layers; None if it is not known."""

    def _check_ends(self) -> None:
        """Without a graph, there is nothing to check."""

    def weight_table(self) -> list[LeafWeights]:
        return self.table

    def stated_config(self, old_options: bool = False) -> dict[str, Any]:
        """There is no architecture to write."""
        return {}

    def has_other_images(self, data_format: str | None) -> bool:
        """Whether there are images that are not in `data_format`, or may not be."""
        return data_format is not None and not self.image_formats <= {data_format}

    def kept(self, usual: str | None, backend: str) -> str:
        """A note that the data format is kept, although another one is, or may be, usual on the target's backend."""
        known = next(iter(self.image_formats)) if len(self.image_formats) == 1 else None
        dense = ", ".join(self._behind_images())
        return (
            f"the data format stays {known or 'that of the source, which weights alone do not state'}, as without the "
            f"architecture nothing can be brought to {usual}, which is usual on {backend}: load the weights into a "
            "network whose layers state that of the source" + (f"; in another, {dense} would be wrong" if dense else "")
        )

    def _behind_images(self) -> Iterator[str]:
        """The Dense layers whose rows may be features of a Flatten: they do not fit the previous layer in the file."""
        images, features = False, None
        for title, layer, shape in self.calls:
            if isinstance(layer, Dense) and images and shape[-1] != features:
                yield title
            images = images or hasattr(layer, "data_format")
            features = getattr(layer, "filters", None) or getattr(layer, "units", None)

    def refuse_other(self, data_format: str | None) -> None:
        """Raises KconvertError if images would have to be converted to another `data_format`."""
        if not self.has_other_images(data_format):
            return
        raise KconvertError(
            f"without the architecture nothing can be brought to {data_format}: it is not known what follows a Flatten",
            where=self.name,
            fix=f"give it with {argument('arch')}, or keep the data format: {argument('data_format', 'keep')}",
        )
