"""`sklearn.grid_search` of scikit-learn before 0.18: `sklearn.model_selection`, with the old names of scores."""

from __future__ import annotations

from typing import Any

from sklearn import model_selection  # type: ignore[import-untyped]

SCORES = {
    name: f"neg_{name}" for name in ("log_loss", "mean_squared_error", "mean_absolute_error", "median_absolute_error")
}
"""Scores that were the negative losses already, and what they are called since."""


class _OldScores:
    """Translates the argument `scoring`."""

    def __init__(self, *args: Any, scoring: Any = None, **kwargs: Any) -> None:
        kwargs["scoring"] = SCORES.get(scoring, scoring) if isinstance(scoring, str) else scoring
        super().__init__(*args, **kwargs)


class GridSearchCV(_OldScores, model_selection.GridSearchCV):
    """Tries all combinations of parameters."""


class RandomizedSearchCV(_OldScores, model_selection.RandomizedSearchCV):
    """Tries random combinations of parameters."""


def __getattr__(name: str) -> Any:
    """Any other name of `sklearn.model_selection`."""
    return getattr(model_selection, name)
