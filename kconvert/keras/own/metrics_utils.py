"""How decisions at thresholds are counted: `keras.utils.metrics_utils` of Keras 2.3.1."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Any

from ...backend.base import Tensor
from ...backend.computing import current_backend
from ...backend.float_settings import floatx
from ...errors import KconvertError, Problem
from ...layers.recorded import recorded
from ...models.training.metrics import counts
from ...models.training.metrics.means import aligned
from . import backend

NEG_INF = counts.NEVER
"""Stands for minus infinity."""


class Reduction:
    """How the weighted values of samples become a metric."""

    # Their sum.
    SUM = "sum"
    # Their sum over their number.
    SUM_OVER_BATCH_SIZE = "sum_over_batch_size"
    # Their sum over the sum of the weights.
    WEIGHTED_MEAN = "weighted_mean"


class ConfusionMatrix(Enum):
    """The four counts of decisions."""

    TRUE_POSITIVES = "tp"
    FALSE_POSITIVES = "fp"
    TRUE_NEGATIVES = "tn"
    FALSE_NEGATIVES = "fn"


class AUCCurve(Enum):
    """The curves whose area `AUC` computes."""

    ROC = "ROC"
    PR = "PR"

    @staticmethod
    def from_str(key: str) -> AUCCurve:
        """The curve of a name. Raises KconvertError for an unknown one."""
        return _of_name(AUCCurve, {"pr": "PR", "roc": "ROC"}.get(key, key))


class AUCSummationMethod(Enum):
    """The sums that may stand for the integral of a curve."""

    INTERPOLATION = "interpolation"
    MAJORING = "majoring"
    MINORING = "minoring"

    @staticmethod
    def from_str(key: str) -> AUCSummationMethod:
        """The sum of a name. Raises KconvertError for an unknown one."""
        return _of_name(AUCSummationMethod, key[:1].lower() + key[1:])


def _of_name(kind: Any, key: str) -> Any:
    known = {one.value: one for one in kind}
    if key not in known:
        raise KconvertError(
            f"unknown {kind.__name__} {key!r}", fix=f"one of: {', '.join(known)}", problem=Problem.USAGE
        )
    return known[key]


def assert_thresholds_range(thresholds: Any) -> None:
    """Raises KconvertError for thresholds outside 0 ... 1."""
    if wrong := counts.outside(thresholds or ()):
        raise KconvertError(f"thresholds lie in 0 ... 1, not {wrong}", problem=Problem.USAGE)


def parse_init_thresholds(thresholds: Any, default_threshold: Any = 0.5) -> list[Any]:
    """Thresholds as a list; None: `default_threshold`. Raises KconvertError for those outside 0 ... 1."""
    listed = default_threshold if thresholds is None else thresholds
    listed = listed if isinstance(listed, list) else [listed]
    if thresholds is not None:
        assert_thresholds_range(listed)
    return listed


# ----------------------------------------------------------------- counting ----

_COUNTS = {
    ConfusionMatrix.TRUE_POSITIVES: counts.TRUE_POSITIVES,
    ConfusionMatrix.FALSE_POSITIVES: counts.FALSE_POSITIVES,
    ConfusionMatrix.TRUE_NEGATIVES: counts.TRUE_NEGATIVES,
    ConfusionMatrix.FALSE_NEGATIVES: counts.FALSE_NEGATIVES,
}


def update_confusion_matrix_variables(
    variables_to_update: Mapping[ConfusionMatrix, Any] | None,
    y_true: Any,
    y_pred: Any,
    thresholds: Any = 0.5,
    top_k: int | None = None,
    class_id: int | None = None,
    sample_weight: Any = None,
) -> list[Any] | None:
    """The updates that add the counts of a batch to variables (thresholds,); None where there are no variables.

    thresholds: a number or a list. top_k: only so many predictions are positive. class_id: counts this class alone.
    Raises KconvertError for keys that are no `ConfusionMatrix`.
    """
    if variables_to_update is None:
        return None
    unknown = [key for key in variables_to_update if not isinstance(key, ConfusionMatrix)]
    if unknown or not variables_to_update:
        fix = f"the keys are {', '.join(map(str, ConfusionMatrix))}"
        raise KconvertError(f"unknown keys {unknown}", "variables_to_update", fix, Problem.USAGE)
    limits = thresholds if isinstance(thresholds, list) else [thresholds]
    found = _counted(y_true, y_pred, limits, top_k, class_id, sample_weight)
    position = {key: i for i, key in enumerate(_COUNTS)}
    return [backend.update_add(variable, found[position[key]]) for key, variable in variables_to_update.items()]


@recorded
def _counted(y_true: Tensor, y_pred: Tensor, limits: list[Any], top_k: Any, class_id: Any, weight: Any) -> Tensor:
    """(counts, thresholds), the counts in the order of _COUNTS."""
    K = current_backend()
    labels, values = aligned(K, K.cast(y_true, floatx()), K.cast(y_pred, floatx()))
    found = counts.counts_at(K, *counts.limited(K, labels, values, top_k, class_id), limits, weight)
    return K.stack([found[name] for name in _COUNTS.values()], 0)


@recorded
def filter_top_k(x: Tensor, k: int) -> Tensor:
    """The `k` greatest values along the last axis, and NEG_INF in place of the others."""
    return counts.limited(current_backend(), x, x, k, None)[1]


def weighted_assign_add(label: Any, pred: Any, weights: Any, var: Any) -> Any:
    """The update that adds the weighted number of elements where `label` and `pred` are true to `var` (thresholds,).

    label, pred, weights: (thresholds, elements); weights may be None.
    """
    return backend.update_add(var, _number_of_both(label, pred, weights))


@recorded
def _number_of_both(label: Tensor, pred: Tensor, weights: Any) -> Tensor:
    K = current_backend()
    both = K.cast(label, floatx()) * K.cast(pred, floatx())
    return K.sum(both if weights is None else both * weights, 1)
