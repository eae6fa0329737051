"""Models as estimators of scikit-learn (`keras.wrappers.scikit_learn`)."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from inspect import Parameter, isfunction, ismethod, signature
from typing import Any, ClassVar

import numpy as np

from ...errors import KconvertError, Problem
from ...layers.lists import as_list
from ...models.model import Model
from ...models.sequential import Sequential
from .utils import to_categorical


class BaseWrapper:
    """Base class of the estimators.

    build_fn: a function, or an object with `__call__`, that returns a compiled model; None for a subclass that has
    `__call__` itself. sk_params: arguments of `build_fn`, and of `fit`, `predict` and `evaluate` of models.
    Raises KconvertError for a parameter that none of these takes.
    """

    # The class of models whose methods take the other parameters.
    model_class: ClassVar[type[Model]] = Sequential

    def __init__(self, build_fn: Callable[..., Any] | None = None, **sk_params: Any) -> None:
        self.build_fn, self.sk_params = build_fn, sk_params
        self.check_params(sk_params)

    def _builder(self) -> Callable[..., Any]:
        """What builds the model: a function or a method."""
        given: Any = self if self.build_fn is None else self.build_fn
        return given if isfunction(given) or ismethod(given) else given.__call__

    def check_params(self, params: Mapping[str, Any]) -> None:
        """Raises KconvertError for a parameter that neither `build_fn` nor a method of models takes."""
        cls = self.model_class
        takers = (cls.fit, cls.predict, cls.evaluate, self._builder())
        for name in params:
            if name != "nb_epoch" and not any(_takes(taker, name) for taker in takers):
                raise KconvertError(f"{name} is not a legal parameter", type(self).__name__, problem=Problem.USAGE)

    def get_params(self, **params: Any) -> dict[str, Any]:
        """The parameters by name; params: has no effect."""
        return {**self.sk_params, "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> BaseWrapper:
        """Sets parameters; returns the estimator."""
        self.check_params(params)
        self.sk_params.update(params)
        return self

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks of an estimator since 1.6: nothing is known."""
        from sklearn.utils import Tags, TargetTags  # type: ignore[import-untyped]

        return Tags(estimator_type=None, target_tags=TargetTags(required=True))

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` was called, for pipelines."""
        return hasattr(self, "model")

    def fit(self, x: Any, y: Any, **kwargs: Any) -> Any:
        """Builds a model and trains it; returns the History. kwargs: arguments of `Sequential.fit`."""
        builder = self._builder()
        self.model = builder(**self.filter_sk_params(builder))
        y = np.asarray(y)
        if _loss_name(self.model) == "categorical_crossentropy" and y.ndim != 2:
            y = to_categorical(y)
        return self.model.fit(x, y, **{**copy.deepcopy(self.filter_sk_params(self.model_class.fit)), **kwargs})

    def filter_sk_params(self, fn: Callable[..., Any], override: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Those parameters that `fn` takes, and `override`."""
        own = {name: value for name, value in self.sk_params.items() if _takes(fn, name)}
        return {**own, **(override or {})}


class KerasClassifier(BaseWrapper):
    """A classifier. `classes_` are the classes of the labels that it was trained with."""

    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Builds a model and trains it; returns the History.

        y: classes (n,) or (n, 1), or one-hot labels (n, classes). Raises KconvertError for another shape.
        """
        y = np.array(y)
        if y.ndim == 2 and y.shape[1] > 1:
            self.classes_ = np.arange(y.shape[1])
        elif y.ndim == 1 or y.ndim == 2:
            self.classes_ = np.unique(y)
            y = np.searchsorted(self.classes_, y)
        else:
            raise KconvertError(f"labels of shape {y.shape} are no classes", "y", problem=Problem.USAGE)
        self.n_classes_ = len(self.classes_)
        if sample_weight is not None:
            kwargs["sample_weight"] = sample_weight
        return super().fit(x, y, **kwargs)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The classes (n,), for a model with one output (n, 1)."""
        outputs = self.model.predict(x, **self.filter_sk_params(self.model_class.predict, kwargs))
        classes = outputs.argmax(-1) if outputs.shape[-1] > 1 else (outputs > 0.5).astype("int32")
        return np.asarray(self.classes_[classes])

    def predict_proba(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The probabilities of the classes (n, classes)."""
        outputs = self.model.predict(x, **self.filter_sk_params(self.model_class.predict, kwargs))
        return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else np.asarray(outputs)

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The accuracy. Raises KconvertError where the model was not compiled with it."""
        return self.accuracy(x, np.searchsorted(self.classes_, y), **kwargs)

    def accuracy(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The accuracy for labels that are numbers from 0 on. Raises KconvertError as `score`."""
        y = np.asarray(y)
        if _loss_name(self.model) == "categorical_crossentropy" and y.ndim != 2:
            y = to_categorical(y)
        values = as_list(self.model.evaluate(x, y, **self.filter_sk_params(self.model_class.evaluate, kwargs)))
        for name, value in zip(self.model.metrics_names, values, strict=True):
            if name in ("accuracy", "acc"):
                return float(value)
        fix = "compile it with metrics=['accuracy']"
        raise KconvertError("the model does not compute the accuracy", "score", fix, Problem.USAGE)


class KerasRegressor(BaseWrapper):
    """An estimator of numbers."""

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The numbers (n,); (n, outputs) for a model with several."""
        outputs = np.asarray(self.model.predict(x, **self.filter_sk_params(self.model_class.predict, kwargs)))
        return outputs.squeeze(-1) if outputs.shape[-1] == 1 else outputs

    def score(self, x: Any, y: Any, **kwargs: Any) -> float:
        """The loss with the other sign, so that more is better."""
        values = as_list(self.model.evaluate(x, y, **self.filter_sk_params(self.model_class.evaluate, kwargs)))
        return -float(values[0])


def _takes(function: Callable[..., Any], name: str) -> bool:
    """Whether a function has a parameter `name` that can be given by name."""
    parameter = signature(function).parameters.get(name)
    return parameter is not None and parameter.kind in (Parameter.POSITIONAL_OR_KEYWORD, Parameter.KEYWORD_ONLY)


def _loss_name(model: Any) -> str:
    """The name of the loss; that of a function is its own."""
    loss = model.loss
    return str(getattr(loss, "__name__", getattr(loss, "name", loss)))
