"""Metrics of Keras 2.3.1 that count decisions at thresholds.

All are computed from four counts at each threshold (true and false positives and negatives); they differ in `value_of`.
Source: `metrics.py` and `utils/metrics_utils.py` of Keras 2.3.1; MeanIoU: TensorFlow 2.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from ....backend.base import Backend, Tensor
from ....backend.float_settings import as_float, epsilon, floatx
from ....errors import KconvertError, Problem
from ....lazy_dataclasses import dataclass
from ..losses import one_hot
from ..weighting import weighted_values
from .base import OfSums, Sums
from .means import aligned

NEVER = -1e10
"""Stands for minus infinity: the value of predictions that are never positive, and a threshold below all others."""

TRUE_POSITIVES = "true_positives"
FALSE_POSITIVES = "false_positives"
TRUE_NEGATIVES = "true_negatives"
FALSE_NEGATIVES = "false_negatives"
ALL_COUNTS = (TRUE_POSITIVES, TRUE_NEGATIVES, FALSE_POSITIVES, FALSE_NEGATIVES)


def outside(thresholds: Sequence[float | None]) -> list[float | None]:
    """The thresholds that are not in 0 ... 1."""
    return [one for one in thresholds if one is None or not 0 <= one <= 1]


def counts_at(
    K: Backend, y_true: Tensor, y_pred: Tensor, limits: Sequence[float], weight: Tensor | None = None
) -> dict[str, Tensor]:
    """The weighted counts of a batch at each threshold, (thresholds,), by the names in ALL_COUNTS.

    y_true, y_pred: of one shape. limits: the thresholds. weight: see `weighted_values`.
    """
    label = K.cast(K.not_equal(y_true, 0.0), floatx())
    _, weight = weighted_values(K, y_pred, weight)
    # (elements, 2): the weights of positive labels, those of negative labels
    by_label = K.stack([K.reshape(weight * label, (-1,)), K.reshape(weight * (1.0 - label), (-1,))], 1)
    thresholds = K.constant(np.array(limits, floatx())[:, None])
    above = K.cast(K.greater(K.reshape(y_pred, (1, -1)), thresholds), floatx())  # (thresholds, elements)
    hits, totals = K.dot(above, by_label), K.sum(by_label, 0)  # (thresholds, 2), (2,)
    return {
        TRUE_POSITIVES: hits[:, 0],
        FALSE_POSITIVES: hits[:, 1],
        TRUE_NEGATIVES: totals[1] - hits[:, 1],
        FALSE_NEGATIVES: totals[0] - hits[:, 0],
    }


def limited(
    K: Backend, y_true: Tensor, y_pred: Tensor, top_k: int | None, class_id: int | None
) -> tuple[Tensor, Tensor]:
    """Labels and predictions of the class `class_id`, with predictions other than the `top_k` greatest at `NEVER`.

    top_k, class_id: None for all predictions, and for all classes.
    """
    if top_k is not None:
        y_pred = K.where(K.greater(_greatest(K, y_pred, top_k), 0.0), y_pred, NEVER)
    return (y_true, y_pred) if class_id is None else (y_true[..., class_id], y_pred[..., class_id])


@dataclass(frozen=True, kw_only=True)
class _Counts(OfSums):
    """Weighted counts at each threshold. A prediction is positive above the threshold, a label if it is not 0."""

    # The counts that the metric needs.
    counted: ClassVar[tuple[str, ...]] = ALL_COUNTS

    @property
    def limits(self) -> list[float]:
        """The thresholds."""
        raise NotImplementedError

    def sums(self) -> dict[str, tuple[int, ...]]:
        return {name: (len(self.limits),) for name in self.counted}

    def chosen(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
        """The labels and predictions that are counted."""
        return y_true, y_pred

    def add_batch(
        self, K: Backend, sums: Sums, y_true: Tensor, y_pred: Tensor, weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        y_true, y_pred = self.chosen(K, *aligned(K, y_true, y_pred))
        counts = counts_at(K, y_true, y_pred, self.limits, weight)
        return {name: sums[name] + counts[name] for name in self.counted}


@dataclass(frozen=True)
class _AtThresholds(_Counts):
    """A metric with a value at each threshold: a number for one threshold, an array for several."""

    # A number or a list of numbers in 0 ... 1; None: 0.5.
    thresholds: Any = None

    def __post_init__(self) -> None:
        super().__post_init__()
        wrong = outside(_listed(self.thresholds))
        if wrong:
            raise KconvertError(
                f"thresholds of {self.class_name} must be in 0 ... 1, not {wrong[0]}", problem=Problem.USAGE
            )
        vars(self).update(stated=self.thresholds, thresholds=_listed(self.thresholds) or [self.usual])

    @property
    def usual(self) -> float:
        """The threshold where none is stated."""
        return 0.5

    @property
    def limits(self) -> list[float]:
        return list(self.thresholds)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": vars(self)["stated"]}

    def value_of(self, sums: Mapping[str, np.ndarray]) -> Any:
        values = self.values(sums)
        return float(values[0]) if len(self.limits) == 1 else values

    def values(self, sums: Mapping[str, np.ndarray]) -> np.ndarray:
        """The value at each threshold."""
        return np.asarray(sums[self.counted[0]])


@dataclass(frozen=True)
class TruePositives(_AtThresholds):
    counted = (TRUE_POSITIVES,)


@dataclass(frozen=True)
class FalsePositives(_AtThresholds):
    counted = (FALSE_POSITIVES,)


@dataclass(frozen=True)
class TrueNegatives(_AtThresholds):
    counted = (TRUE_NEGATIVES,)


@dataclass(frozen=True)
class FalseNegatives(_AtThresholds):
    counted = (FALSE_NEGATIVES,)


@dataclass(frozen=True)
class Precision(_AtThresholds):
    """The part of the positive predictions that are right."""

    # Only the `top_k` greatest predictions are positive; without `thresholds`, whatever their value. Keras has this
    # option on TensorFlow only.
    top_k: int | None = None
    # Counts this class alone.
    class_id: int | None = None
    counted = (TRUE_POSITIVES, FALSE_POSITIVES)

    @property
    def usual(self) -> float:
        return super().usual if self.top_k is None else NEVER

    def chosen(self, K: Backend, y_true: Tensor, y_pred: Tensor) -> tuple[Tensor, Tensor]:
        return limited(K, y_true, y_pred, self.top_k, self.class_id)

    def values(self, sums: Mapping[str, np.ndarray]) -> np.ndarray:
        right, other = (sums[name] for name in self.counted)
        return _ratio(right, right + other)


@dataclass(frozen=True)
class Recall(Precision):
    """The part of the positive labels that are predicted as positive; options as for `Precision`."""

    counted = (TRUE_POSITIVES, FALSE_NEGATIVES)


@dataclass(frozen=True, kw_only=True)
class _AtRate(_Counts):
    """The value of one rate at the threshold where another rate is nearest to `target`.

    A rate is the first of two counts divided by their sum.
    """

    num_thresholds: int = 200

    # The counts of the rate that is the result.
    result_counts: ClassVar[tuple[str, str]]
    # The counts of the rate that is compared with `target`.
    target_counts: ClassVar[tuple[str, str]]

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.num_thresholds < 1 or not 0 <= self.target <= 1:
            raise KconvertError(
                f"{self.class_name} needs a rate in 0 ... 1 and at least one threshold", problem=Problem.USAGE
            )

    @property
    def target(self) -> float:
        """The value that the other rate should have."""
        raise NotImplementedError

    @property
    def limits(self) -> list[float]:
        n = self.num_thresholds
        return [0.5] if n == 1 else [i / (n - 1) for i in range(n)]

    def value_of(self, sums: Mapping[str, np.ndarray]) -> Any:
        rates, target_rates = (
            _ratio(sums[right], sums[right] + sums[wrong]) for right, wrong in (self.result_counts, self.target_counts)
        )
        nearest = int(np.argmin(np.abs(target_rates - as_float(self.target))))
        return float(rates[nearest])


@dataclass(frozen=True)
class SensitivityAtSpecificity(_AtRate):
    """The sensitivity at the threshold where the specificity is nearest to `specificity`.

    Sensitivity: the part of positive labels that are predicted as positive. Specificity: the same for negative labels.
    """

    specificity: float
    result_counts = (TRUE_POSITIVES, FALSE_NEGATIVES)
    target_counts = (TRUE_NEGATIVES, FALSE_POSITIVES)

    @property
    def target(self) -> float:
        return self.specificity


@dataclass(frozen=True)
class SpecificityAtSensitivity(_AtRate):
    """The specificity at the threshold where the sensitivity is nearest to `sensitivity`."""

    sensitivity: float
    result_counts = (TRUE_NEGATIVES, FALSE_POSITIVES)
    target_counts = (TRUE_POSITIVES, FALSE_NEGATIVES)

    @property
    def target(self) -> float:
        return self.sensitivity


@dataclass(frozen=True)
class AUC(_Counts):
    """The area under a curve through rates at many thresholds."""

    # The number of evenly spaced thresholds.
    num_thresholds: int = 200
    # 'ROC': recall over the false positive rate. 'PR': precision over recall.
    curve: str = "ROC"
    # 'interpolation', 'minoring' (the lower of two neighbouring values) or 'majoring' (the higher one). For PR,
    # interpolation is between the counts, not between the rates (Davis & Goadrich 2006).
    summation_method: str = "interpolation"
    # Thresholds between 0 and 1, in place of the evenly spaced ones.
    thresholds: Sequence[float] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "curve", str(self.curve).upper())
        object.__setattr__(self, "summation_method", str(self.summation_method).lower())
        known = {"curve": ("ROC", "PR"), "summation_method": ("interpolation", "minoring", "majoring")}
        for name, values in known.items():
            if getattr(self, name) not in values:
                raise KconvertError(
                    f"unknown {name} {getattr(self, name)!r} of AUC",
                    fix=f"one of: {', '.join(values)}",
                    problem=Problem.USAGE,
                )
        if self.thresholds is None and self.num_thresholds < 2:
            raise KconvertError("AUC needs at least two thresholds", problem=Problem.USAGE)
        n = self.num_thresholds
        between = [i / (n - 1) for i in range(1, n - 1)] if self.thresholds is None else sorted(self.thresholds)
        vars(self).update(num_thresholds=len(between) + 2, thresholds=[-epsilon(), *between, 1.0 + epsilon()])

    @property
    def limits(self) -> list[float]:
        return list(self.thresholds or ())

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "thresholds": self.limits[1:-1]}

    def value_of(self, sums: Mapping[str, np.ndarray]) -> Any:
        tp, tn, fp, fn = (np.asarray(sums[name]) for name in ALL_COUNTS)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return float(_interpolated_area(tp, fp, fn))
        recall = _ratio(tp, tp + fn)
        x, y = (_ratio(fp, fp + tn), recall) if self.curve == "ROC" else (recall, _ratio(tp, tp + fp))
        pairs = y[:-1], y[1:]
        means = {
            "interpolation": (pairs[0] + pairs[1]) / 2,
            "minoring": np.minimum(*pairs),
            "majoring": np.maximum(*pairs),
        }
        return float(np.sum((x[:-1] - x[1:]) * means[self.summation_method]))


@dataclass(frozen=True)
class MeanIoU(OfSums):
    """The mean over the classes of intersection over union; labels and predictions are integer classes."""

    num_classes: int

    def sums(self) -> dict[str, tuple[int, ...]]:
        return {"total_cm": (self.num_classes, self.num_classes)}

    def add_batch(
        self, K: Backend, sums: Sums, y_true: Tensor, y_pred: Tensor, weight: Tensor | None = None
    ) -> dict[str, Tensor]:
        y_true, y_pred = aligned(K, y_true, y_pred)
        _, weight = weighted_values(K, y_pred, weight)
        classes = K.zeros((1, self.num_classes))
        true, predicted = (one_hot(K, K.reshape(y, (-1,)), classes) for y in (y_true, y_pred))
        true = true * K.reshape(weight, (-1, 1))
        return {"total_cm": sums["total_cm"] + K.dot(K.transpose(true, (1, 0)), predicted)}

    def value_of(self, sums: Mapping[str, np.ndarray]) -> Any:
        matrix = np.asarray(sums["total_cm"])
        intersection = np.diag(matrix)
        union = matrix.sum(0) + matrix.sum(1) - intersection
        return float(_ratio(_ratio(intersection, union).sum(), as_float((union != 0).sum())))


def _greatest(K: Backend, x: Tensor, k: int) -> Tensor:
    """1 at the `k` greatest elements along the last axis, else 0; of equal elements the first ones."""
    taken = 0.0 * x
    for _ in range(k):
        rest = K.where(K.greater(taken, 0.0), 2 * NEVER, x)
        taken = taken + one_hot(K, K.argmax(rest), x)
    return taken


def _listed(thresholds: Any) -> list[Any]:
    if thresholds is None:
        return []
    return list(thresholds) if isinstance(thresholds, Sequence) else [thresholds]


def _ratio(x: Any, y: Any) -> Any:
    """x / y, and 0 where y is not positive."""
    x, y = np.asarray(x), np.asarray(y)
    return np.divide(x, y, out=np.zeros_like(y), where=y > 0)


def _interpolated_area(tp: np.ndarray, fp: np.ndarray, fn: np.ndarray) -> np.ndarray:
    """The area under precision over recall, with the counts interpolated between neighbouring thresholds."""
    p = tp + fp
    slope = _ratio(tp[:-1] - tp[1:], np.maximum(p[:-1] - p[1:], 0))
    intercept = tp[1:] - slope * p[1:]
    both = (p[:-1] > 0) & (p[1:] > 0)
    growth = np.where(both, _ratio(p[:-1], p[1:]), 1)
    return _ratio(slope * (tp[:-1] - tp[1:] + intercept * np.log(growth)), np.maximum(tp[1:] + fn[1:], 0)).sum()


COUNTS = (
    TruePositives,
    FalsePositives,
    TrueNegatives,
    FalseNegatives,
    Precision,
    Recall,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
    AUC,
    MeanIoU,
)
