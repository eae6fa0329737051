"""The functions of `keras.backend` of Keras 1.2.2: those of Keras 2.3.1, and those with other names or arguments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ...backend.base import Tensor
from ...backend.computing import current_backend
from ...keras.own import backend as later
from ...keras.own import settings as later_settings
from ...layers.calls import Symbol
from ...layers.deferred import Variable
from ...layers.recorded import recorded
from ...models.training import losses
from . import backend_images, objectives
from .ignored import THEANO_OPTIONS
from .settings import image_dim_ordering as image_dim_ordering
from .settings import set_image_dim_ordering as set_image_dim_ordering

_SAME = (
    "abs all any arange argmax argmin batch_dot batch_flatten batch_set_value "
    "cast clip concatenate cos count_params ctc_batch_cost ctc_decode ctc_label_dense_to_sparse dot dropout dtype "
    "elu equal eval exp eye flatten foldl foldr gather get_session get_value get_variable_shape gradients "
    "greater greater_equal hard_sigmoid in_test_phase in_top_k in_train_phase int_shape is_sparse "
    "log map_fn max maximum mean min minimum ndim normalize_batch_in_training "
    "not_equal ones ones_like permute_dimensions placeholder pow print_tensor prod random_binomial "
    "random_normal_variable random_uniform_variable relu repeat repeat_elements reshape reverse rnn round "
    "set_session set_value shape sigmoid sign sin softmax softplus softsign sqrt square squeeze stack std "
    "stop_gradient sum switch tanh tile to_dense transpose update update_add update_sub var variable zeros "
    "zeros_like Function"
)

_SETTINGS = (
    "backend cast_to_floatx clear_session epsilon floatx get_uid learning_phase manual_variable_initialization "
    "reset_uids set_epsilon set_learning_phase"
)
"""Settings that mean the same in both releases."""

_RENAMED = {"lesser": "less", "lesser_equal": "less_equal"}
"""Functions that have another name in Keras 2."""

globals().update({name: getattr(later, name) for name in _SAME.split()})
globals().update({name: getattr(later_settings, name) for name in _SETTINGS.split()})
globals().update({old: getattr(later, new) for old, new in _RENAMED.items()})
globals().update(
    {
        name: value
        for name, value in vars(backend_images).items()
        if getattr(value, "__module__", None) == backend_images.__name__ and not name.startswith("_")
    }
)

_SETTINGS_AT_WORK = {
    "_BACKEND": later_settings.backend,
    "_EPSILON": later_settings.epsilon,
    "_FLOATX": later_settings.floatx,
}
"""Variables of modules of Keras 1.2.2, which scripts read, and what they hold."""


def __getattr__(name: str) -> Any:
    """A variable of `keras.backend.common`. Raises AttributeError for any other name."""
    if name not in _SETTINGS_AT_WORK:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _SETTINGS_AT_WORK[name]()


# --------------------------------------------------- with other arguments ----


def expand_dims(x: Any, dim: int = -1) -> Any:
    """`x` with an axis of size 1 at the position `dim`."""
    return later.expand_dims(x, dim)  # type: ignore[attr-defined]


@recorded
def l2_normalize(x: Any, axis: Any) -> Any:
    """`x` with the vectors along `axis` scaled to length 1 (keras-facts: l2-normalize-in-keras1)."""
    K = current_backend()
    squares = later.sum(later.square(x), axis, keepdims=True)  # type: ignore[attr-defined]
    return x / K.sqrt(K.maximum(squares, K.facts.least_square_of_keras1))


def one_hot(indices: Any, nb_classes: int) -> Any:
    """Integer classes (n, k) as one-hot vectors (n, k, nb_classes)."""
    return later.one_hot(indices, nb_classes)  # type: ignore[attr-defined]


def random_normal(
    shape: Sequence[Any], mean: float = 0.0, std: float = 1.0, dtype: str | None = None, seed: int | None = None
) -> Any:
    """Normal random numbers: others in each run."""
    return later.random_normal(shape, mean, std, dtype, seed)  # type: ignore[attr-defined]


def random_uniform(
    shape: Sequence[Any], low: float = 0.0, high: float = 1.0, dtype: str | None = None, seed: int | None = None
) -> Any:
    """Uniform random numbers: others in each run."""
    return later.random_uniform(shape, low, high, dtype, seed)  # type: ignore[attr-defined]


def batch_normalization(x: Any, mean: Any, var: Any, beta: Any, gamma: Any, epsilon: float = 1e-3) -> Any:
    """`(x - mean) / sqrt(var + epsilon) * gamma + beta`, along the last axis for vectors."""
    return later.batch_normalization(x, mean, var, beta, gamma, epsilon=epsilon)  # type: ignore[attr-defined]


def batch_get_value(xs: Sequence[Any]) -> list[Any]:
    """The values of several variables."""
    return later.batch_get_value(xs)


def moving_average_update(variable: Any, value: Any, momentum: float) -> Any:
    """The update that replaces a variable by its moving average with `value`."""
    return later.moving_average_update(variable, value, momentum)


def function(inputs: Sequence[Any], outputs: Any, updates: Sequence[Any] = (), **kwargs: Any) -> Any:
    """A function from arrays to arrays.

    kwargs: options of `theano.function`, which have no effect. Raises KconvertError for other arguments.
    """
    others = {word: value for word, value in kwargs.items() if word not in THEANO_OPTIONS}
    return later.function(inputs, outputs, updates, **others)


def set_floatx(floatx: str) -> None:
    """Sets the type of floats. Raises KconvertError for an unknown one."""
    later_settings.set_floatx(floatx)


def is_keras_tensor(x: Any) -> bool:
    """Whether `x` is a symbol or a variable."""
    return isinstance(x, (Symbol, Variable))


# ----------------------------------------- crossentropies: output, target ----


def _crossentropy(of_logits: Callable[..., Tensor], of_probabilities: Callable[..., Tensor]) -> Callable[..., Any]:
    """A crossentropy of `keras.backend`, from those that losses compute."""

    def function(output: Tensor, target: Tensor, from_logits: bool = False) -> Tensor:
        """The crossentropy of probabilities, or of logits."""
        K = current_backend()
        return of_logits(K, target, output, True) if from_logits else of_probabilities(K, target, output)

    return recorded(function)


binary_crossentropy = _crossentropy(losses.binary_crossentropies, objectives.binary_crossentropies)
categorical_crossentropy = _crossentropy(losses.categorical_crossentropy, objectives.categorical_crossentropy)
sparse_categorical_crossentropy = _crossentropy(
    losses.sparse_categorical_crossentropy, objectives.sparse_categorical_crossentropy
)


# --------------------------------------------------------- weights in files ----


def legacy_weight_ordering() -> bool:
    """False: weights are in the order of Keras 1.2.2."""
    return False


def set_legacy_weight_ordering(value: bool) -> None:
    """Accepts False alone. Raises KconvertError for the order of older releases."""
    later_settings.only(bool(value), False, "set_legacy_weight_ordering")
