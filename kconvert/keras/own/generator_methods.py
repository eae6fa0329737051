"""The methods of models for generators, as functions of a model (`keras.engine.training_generator`)."""

from __future__ import annotations

from ...models.model import Model

fit_generator = Model.fit_generator
evaluate_generator = Model.evaluate_generator
predict_generator = Model.predict_generator
