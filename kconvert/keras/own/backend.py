"""`keras.backend`: functions on values, on tensors inside layers, and on symbols.

While a backend computes (in a Lambda, a loss, a layer of the user), a function works on its tensors. Elsewhere it is
recorded: on symbols of layers as an operation of the network, on variables and values as an expression, which `eval`,
`get_value` and `function` compute.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from types import ModuleType
from typing import Any, NoReturn

from ...backend import functions as F
from ...errors import KconvertError, Problem
from ...layers.deferred import Variable
from ...layers.recorded import recorded, recorded_parts
from . import alignments, convolutions, loops, random_numbers, running, tensors
from .running import Function as Function
from .running import eval as eval
from .running import function as function
from .running import gradients as gradients
from .running import in_test_phase as in_test_phase
from .running import in_train_phase as in_train_phase
from .running import shape as shape
from .running import switch as switch
from .sparse_tensors import concatenate as concatenate
from .sparse_tensors import ctc_label_dense_to_sparse as ctc_label_dense_to_sparse
from .sparse_tensors import is_sparse as is_sparse
from .sparse_tensors import to_dense as to_dense
from .tensor_kinds import dtype as dtype
from .tensor_kinds import get_variable_shape as get_variable_shape
from .tensor_kinds import int_shape as int_shape
from .tensor_kinds import is_keras_tensor as is_keras_tensor
from .tensor_kinds import is_placeholder as is_placeholder
from .tensor_kinds import is_tensor as is_tensor
from .tensor_kinds import is_variable as is_variable
from .tensor_kinds import ndim as ndim
from .variables import batch_get_value as batch_get_value
from .variables import batch_set_value as batch_set_value
from .variables import constant as constant
from .variables import count_params as count_params
from .variables import eye as eye
from .variables import get_value as get_value
from .variables import moving_average_update as moving_average_update
from .variables import ones as ones
from .variables import ones_like as ones_like
from .variables import placeholder as placeholder
from .variables import random_normal_variable as random_normal_variable
from .variables import random_uniform_variable as random_uniform_variable
from .variables import set_value as set_value
from .variables import update as update
from .variables import update_add as update_add
from .variables import update_sub as update_sub
from .variables import variable as variable
from .variables import zeros as zeros
from .variables import zeros_like as zeros_like

_LOG = logging.getLogger(__name__)


def print_tensor(x: Any, message: str = "") -> Any:
    """`x`; a warning says that nothing is printed when it is computed."""
    _LOG.warning("K.print_tensor prints nothing when a model runs%s", f": {message}" if message else "")
    return x


def control_dependencies(control_inputs: Any) -> AbstractContextManager[None]:
    """A block without effect: updates of a step are computed from the values before it."""
    return nullcontext()


def symbolic(func: Callable[..., Any]) -> Callable[..., Any]:
    """`func`: there is no eager mode to leave. It is a decorator."""
    return func


def eager(func: Callable[..., Any]) -> Callable[..., Any]:
    """`func`: there is no symbolic mode to leave. It is a decorator."""
    return func


def _of_tensorflow(name: str, fix: str) -> Callable[..., NoReturn]:
    """The function `name` of Keras, which only TensorFlow 1 has. It raises KconvertError."""

    def refused(*args: Any, **kwargs: Any) -> NoReturn:
        what = f"K.{name} is not supported: there are no sessions and graphs of TensorFlow 1"
        raise KconvertError(what, fix=fix, problem=Problem.UNSUPPORTED)

    return refused


_RUNNING = "K.function, K.eval and K.get_value compute values"
get_session = _of_tensorflow("get_session", _RUNNING)
set_session = _of_tensorflow("set_session", "leave it out")


# ---------------------------------------------------------------- functions ----


def _public(module: ModuleType) -> dict[str, Any]:
    """The functions and classes that a module defines, by name."""
    found = vars(module).items()
    return {n: one for n, one in found if not n.startswith("_") and getattr(one, "__module__", "") == module.__name__}


_OF_TENSORS: dict[str, Any] = {name: getattr(F, name) for name in F.__all__}
_OF_TENSORS |= _public(tensors) | _public(convolutions) | _public(random_numbers)
globals().update({name: recorded(function) for name, function in _OF_TENSORS.items() if name not in globals()})

slice = recorded(tensors.slice_)
_dropout = recorded(random_numbers.dropout)
ctc_batch_cost = recorded(alignments.ctc_batch_cost)
map_fn, foldl, foldr = map(recorded, (loops.map_fn, loops.foldl, loops.foldr))


def rnn(step_function: Any, inputs: Any, initial_states: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any, list[Any]]:
    """A step over time: the last output, all outputs, the last states; further arguments as in `loops.rnn`."""
    run = recorded_parts(loops.rnn, 2 + len(initial_states))
    last, outputs, *states = run(step_function, inputs, initial_states, *args, **kwargs)
    return last, outputs, states


normalize_batch_in_training = recorded_parts(tensors.normalize_batch_in_training, 3)


def dropout(x: Any, level: Any, noise_shape: Any = None, seed: int | None = None) -> Any:
    """`x` with a part `level` of its elements set to 0, and the others scaled up.

    Raises KconvertError for a level below 0, or of 1 or more.
    """
    if isinstance(level, (int, float)) and not 0 <= level < 1:
        raise KconvertError(f"the level of K.dropout is at least 0 and below 1, not {level}", problem=Problem.USAGE)
    return _dropout(x, level, noise_shape, seed)


def ctc_decode(
    y_pred: Any,
    input_length: Any,
    greedy: bool = True,
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = False,
) -> tuple[list[Any], Any]:
    """The labels of the best paths, (batch, labels) filled up with -1, in a list; and what tells how probable they are.

    greedy: whether the class that is the most probable in each step is taken; then the second result is minus the
    logarithm of the probability of that path, (batch, 1). Else the `top_paths` most probable labels are searched for
    among `beam_width` beginnings, with the logarithms of their probabilities, (batch, top_paths). Raises KconvertError
    for symbols, which have no values, and where more paths are asked for than there are beginnings.
    """
    values, lengths = running.eval(y_pred), running.eval(input_length)
    if greedy:
        labels, costs = alignments.greedy(values, lengths)
        return [Variable(labels, "int64")], Variable(costs)
    if top_paths > beam_width:
        what = f"{top_paths} paths are asked for, and the beam has {beam_width}"
        raise KconvertError(what, "K.ctc_decode", "raise beam_width", Problem.USAGE)
    *paths, scores = alignments.beam_search(values, lengths, beam_width, top_paths, merge_repeated)
    return [Variable(one, "int64") for one in paths], Variable(scores)
