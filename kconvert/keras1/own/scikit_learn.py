"""Models as estimators of scikit-learn (`keras.wrappers.scikit_learn`) of Keras 1.2.2."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...keras.own import scikit_learn as later
from .models import Sequential as Sequential
from .np_utils import to_categorical as to_categorical


class BaseWrapper(later.BaseWrapper):
    """Base class of the estimators: see `kconvert.keras.wrappers.scikit_learn`."""

    model_class = Sequential


class KerasClassifier(BaseWrapper, later.KerasClassifier):
    """A classifier, whose classes are numbers from 0 on."""

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:  # type: ignore[override]
        """Builds a model and trains it; returns the History. y: classes (n,) or (n, 1), or one-hot labels."""
        return BaseWrapper.fit(self, x, y, **kwargs)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The classes: (n,), or (n, 1) for a model with one output."""
        return np.asarray(self.model.predict_classes(x, **self.filter_sk_params(Sequential.predict_classes, kwargs)))

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The accuracy. Raises KconvertError where the model was not compiled with it."""
        return self.accuracy(x, y, **kwargs)


class KerasRegressor(BaseWrapper, later.KerasRegressor):
    """An estimator of numbers."""

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The numbers, without axes of size 1."""
        return np.squeeze(self.model.predict(x, **self.filter_sk_params(Sequential.predict, kwargs)))

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The loss."""
        return -super().score(x, y, **kwargs)
