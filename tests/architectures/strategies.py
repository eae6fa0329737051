"""The strategies of Hypothesis that draw architectures and inputs."""

from hypothesis import strategies as st

from kconvert.conventions.backends import DATA_FORMATS
from kconvert.network.network import Network

from .draft import Draft


class Architecture:
    """A drawn model, shown call by call where a law fails."""

    def __init__(self, model):
        self.model = model

    def __repr__(self):
        return f"\n{summary(self.model)}"


@st.composite
def architectures(draw, steps=8, paddings=("valid", "same"), forms=(*DATA_FORMATS, None), counted=True):
    """A Sequential or a graph of up to `steps` layers on images, volumes, sequences of images, or vectors."""
    draft = Draft(draw, draw(st.sampled_from(forms)), paddings, counted)
    chain = draw(st.integers(0, 2)) == 0
    shapes = [draw(inputs())] if chain else [draw(inputs()) for _ in range(draw(st.sampled_from([1, 1, 2])))]
    return Architecture(draft.grown(shapes, draw(st.integers(steps // 2, steps)), chain))


@st.composite
def inputs(draw):
    """The shape of an input, without the batch: most often an image."""
    rank = draw(st.sampled_from([3] * 8 + [4] * 5 + [1, 2]))
    free = draw(st.integers(0, 7)) == 7
    sizes = draw(st.permutations([2, 3, 4, 5, 6] if rank < 4 else [2, 3, 4, 3]))[:rank]
    if free and rank > 1:
        sizes[draw(st.integers(0, rank - 1))] = None
    return tuple(sizes)


def summary(model, indent=""):
    """One line a call: what a failing example shows."""
    lines = []
    for node in model.nodes:
        layer = model.by_name[node.layer]
        config = {} if isinstance(layer, Network) else layer.stored_config()
        told = {k: v for k, v in config.items() if k in TOLD and v is not None}
        lines.append(
            f"{indent}{node.output.key} = {layer.class_name}({told}) of {', '.join(ref.key for ref in node.inputs)}"
        )
        if isinstance(layer, Network):
            lines.append(summary(layer, indent + "    "))
    return "\n".join(lines) + f"\n{indent}-> {', '.join(ref.key for ref in model.output_refs)}"


TOLD = [
    "batch_input_shape",
    "units",
    "filters",
    "kernel_size",
    "strides",
    "padding",
    "data_format",
    "dilation_rate",
    "activation",
    "pool_size",
    "cropping",
    "size",
    "axis",
    "shared_axes",
    "target_shape",
    "dims",
    "n",
    "layer",
    "return_sequences",
    "depth_multiplier",
]
