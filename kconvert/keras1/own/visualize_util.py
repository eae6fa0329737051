"""The picture of a model (`keras.utils.visualize_util` of Keras 1.2.2)."""

from __future__ import annotations

from typing import Any

from ...network import plot as later
from ...network.plot import Dot


def model_to_dot(model: Any, show_shapes: bool = False, show_layer_names: bool = True) -> Dot:
    """The graph of a model for Graphviz: see `kconvert.keras.utils.model_to_dot`."""
    return later.model_to_dot(model, show_shapes, show_layer_names)


def plot(model: Any, to_file: str = "model.png", show_shapes: bool = False, show_layer_names: bool = True) -> None:
    """Draws the graph of a model into a file: see `kconvert.keras.utils.plot_model`."""
    later.plot_model(model, to_file, show_shapes, show_layer_names)
