"""The table of data formats: what happens to each class when images change theirs."""

from __future__ import annotations

from collections.abc import Mapping

from kconvert.conventions.backends import CHANNELS_FIRST, CHANNELS_LAST
from kconvert.conversion.passes.relayout_tables import RuleInput, rule
from kconvert.kernels import Block, Chain
from kconvert.layers.base import Layer
from kconvert.layers.registry import LAYERS
from kconvert.network.layout import Layout, image_layout

from .examples import SHAPES, Example, example, plain
from .markdown import code, table

OLD_ORDER = "in the old order"


def data_format_table() -> str:
    """What happens to each class when images change their data format."""
    rows = []
    for name, found in plain().items():
        images, features = _images(found), _features(LAYERS[name])
        if images or features:
            rows.append([found.title, images, features])
    return table(["class", "images in the other data format", "flattened features in another order"], rows)


def _images(found: Example) -> str:
    """What happens to a class when its images change their data format: (batch, image) or (batch, time, image)."""
    shapes = found.model.input_shapes
    rank = len(shapes[0])
    if rank < 4:
        return ""
    for time in range(rank - 3):
        given = image_layout(CHANNELS_FIRST, rank, time)
        result = rule(found.layer, RuleInput(found.layer, shapes, [given] * len(shapes), CHANNELS_FIRST, "layer"))
        if result.inputs[0] == given:
            break
    else:
        return OLD_ORDER
    old, new = found.layer.stored_config(), result.layer.stored_config()
    words = [f"{code(key for key in new if new[key] != old.get(key))} changes" if new != old else "passed on"]
    if result.outputs[0].features:
        words = ["its features have another order"]
    return "<br>".join(words + _weights(result.weights))


def _features(cls: type[Layer]) -> str:
    found = example(cls, [shape for shape in SHAPES if len(shape) < 4])
    if not found:
        return ""
    shapes = found.model.input_shapes
    given = Layout(tuple(range(len(shapes[0]))), (Block("cw", "wc", (2, 3)),))
    result = rule(found.layer, RuleInput(found.layer, shapes, [given] * len(shapes), CHANNELS_LAST, "layer"))
    if result.inputs[0] != given:
        return OLD_ORDER
    return "<br>".join(_weights(result.weights)) or "passed on"


def _weights(chains: Mapping[tuple[str, ...], Chain]) -> list[str]:
    return list(dict.fromkeys(f"{path[-1]}: `{chain}`" for path, chain in chains.items() if len(chain)))
