"""How a model is displayed: in one line, in a notebook, and by `dir` and completion."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from math import prod
from typing import Any

from ..drawing.notebook import framed
from ..drawing.words import plural
from ..errors import KconvertError
from ..network.network import Network

PACKAGE = __package__.partition(".")[0]

_OF_KERAS = """
add add_loss add_metric add_update add_weight batch_input_shape build built call compile compute_mask
compute_output_shape count_params dtype evaluate evaluate_generator fit fit_generator from_config get_config
get_input_at get_input_mask_at get_input_shape_at get_layer get_losses_for get_output_at get_output_mask_at
get_output_shape_at get_updates_for get_weights history input input_mask input_names input_shape input_spec inputs
layers load_weights loss loss_weights losses metrics metrics_names name non_trainable_weights optimizer output
output_mask output_names output_shape outputs pop predict predict_classes predict_generator predict_on_batch
predict_proba reset_metrics reset_states sample_weight_mode save save_weights set_weights state_updates stateful
stop_training summary supports_masking test_on_batch to_json to_yaml train_on_batch trainable trainable_weights
updates uses_learning_phase weights
"""

OF_KERAS = frozenset(_OF_KERAS.split())
"""The attributes of models of Keras 2.3.1."""

OF_KCONVERT = frozenset({"backend", "conversion", "custom_objects", "is_compiled"})
"""Public attributes that only models of kconvert have."""

_STATE = """
all_layers by_name described extra input_refs left_out nodes output_refs runtime unstated _symbols _trainer
"""

STATE = frozenset(_STATE.split())
"""The internal attributes of each model."""


def brief(network: Network) -> str:
    """A network in one line: `<Sequential lenet: 12 layers, (None, 12, 10, 1) -> (None, 6), 767 parameters>`."""
    facts = [plural(len(network.all_layers), "layer")]
    try:
        shapes = network.shapes()
        ends = [[shapes[ref] for ref in refs] for refs in (network.input_refs, network.output_refs)]
        parameters = sum(prod(weight.shape) for leaf in network.weight_table() for weight in leaf.weights)
        if all(ends):
            facts.append(" -> ".join(", ".join(map(str, end)) for end in ends))
        facts.append(plural(parameters, "parameter"))
    except KconvertError:  # it is not built yet
        facts.append("not built")
    return f"<{type(network).__name__} {network.name}: {', '.join(facts)}>"


def in_notebook(network: Network) -> str | None:
    """The page of a network in a frame; None where it has no graph yet, or a library for pages is missing."""
    if not network.nodes:
        return None
    try:
        return framed(import_module("..network.page", __package__).render(network), network.name)
    except (ModuleNotFoundError, KconvertError):
        return None


def listed(network: Any, names: Iterable[str]) -> list[str]:
    """Those of `names` that a user may use: the attributes of Keras, and those that a class of the user adds."""
    ours = {name for cls in type(network).__mro__ if _is_ours(cls) for name in vars(cls)}
    hidden = (ours | STATE) - OF_KERAS - OF_KCONVERT
    return sorted(name for name in names if name.startswith("__") or name not in hidden)


def _is_ours(cls: type) -> bool:
    return cls.__module__.partition(".")[0] == PACKAGE
