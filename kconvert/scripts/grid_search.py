"""`sklearn.grid_search` of scikit-learn before 0.18: `sklearn.model_selection`, with the old names of scores."""

from __future__ import annotations

from functools import update_wrapper
from typing import Any

from sklearn import model_selection  # type: ignore[import-untyped]

SCORES = {
    name: f"neg_{name}" for name in ("log_loss", "mean_squared_error", "mean_absolute_error", "median_absolute_error")
}
"""Scores that were negative losses already, and their current names."""


def _translated(arguments: dict[str, Any]) -> dict[str, Any]:
    """The keyword arguments of a search, with the current name of the score."""
    scoring = arguments.get("scoring")
    return {**arguments, "scoring": SCORES.get(scoring, scoring)} if isinstance(scoring, str) else arguments


class GridSearchCV(model_selection.GridSearchCV):
    """Tries all combinations of parameters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **_translated(kwargs))


class RandomizedSearchCV(model_selection.RandomizedSearchCV):
    """Tries random combinations of parameters."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **_translated(kwargs))


for own in (GridSearchCV, RandomizedSearchCV):
    # scikit-learn finds the parameters of an estimator in the signature of its `__init__`.
    update_wrapper(own.__init__, own.__base__.__init__)


def __getattr__(name: str) -> Any:
    """Any other name of `sklearn.model_selection`."""
    return getattr(model_selection, name)
