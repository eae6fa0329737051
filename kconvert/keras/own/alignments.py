"""Connectionist temporal classification of `keras.backend`, as functions of tensors.

The last class is the blank. Probabilities are (batch, time, classes), labels (batch, labels), lengths (batch, 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import functions as F
from ...backend.base import Tensor
from ...backend.computing import current_backend

_NEVER = -1e30
"""The logarithm of a probability of 0."""


def ctc_batch_cost(y_true: Tensor, y_pred: Tensor, input_length: Tensor, label_length: Tensor) -> Tensor:
    """The negative logarithm of the probability of the labels, (batch, 1), by the forward algorithm."""
    K = current_backend()
    classes = F.shape(y_pred)[-1]
    logits = K.log(y_pred + F.epsilon())
    logs = logits - F.logsumexp(logits, -1, keepdims=True)

    # Between the labels, and around them, is a blank: places 0, 2, ... of 2 * labels + 1.
    labels = K.cast(y_true, "int32")
    blanks = labels * 0 + (classes - 1)
    places = F.reshape(K.stack([blanks, labels], 2), (F.shape(labels)[0], 2 * F.shape(labels)[1]))
    places = K.concatenate([places, blanks[:, :1]], 1)
    # A label may follow another label, unless they are equal.
    changed = K.cast(K.not_equal(places[:, 2:], places[:, :-2]), "float32")
    is_label = K.cast(K.not_equal(places[:, 2:], classes - 1), "float32")
    jumps = K.concatenate([F.zeros_like(places[:, :2]), changed * is_label], 1)
    # (batch, time, classes) . (batch, places, classes) -> (batch, time, places)
    steps = K.batch_dot(logs, F.one_hot(places, classes), (2, 2))

    start = F.zeros_like(steps[:, 0]) + _NEVER
    start = K.concatenate([start[:, :1] * 0.0, start[:, 1:]], 1)  # before the first step: one place before the first
    lengths = F.zeros_like(start) + K.cast(F.reshape(input_length, (-1, 1)), "float32")

    def step(x: Tensor, states: list[Tensor]) -> tuple[Tensor, list[Tensor]]:
        before, time = states
        never = before[:, :1] * 0.0 + _NEVER
        one = K.concatenate([never, before[:, :-1]], 1)
        two = K.concatenate([never, never, before[:, :-2]], 1)
        two = K.where(K.greater(jumps, 0.5), two, F.zeros_like(two) + _NEVER)
        new = F.logsumexp(K.stack([before, one, two], 2), -1) + x
        new = K.where(K.greater(lengths, time), new, before)
        return new, [new, time + 1.0]

    last = K.rnn(step, steps, [start, lengths * 0.0])[2][0]
    ends = K.cast(F.reshape(label_length, (-1, 1)), "int32") * 2
    numbers = K.expand_dims(K.arange(F.shape(last)[1]), 0)
    at_end = K.logical_or(K.equal(numbers, ends), K.equal(numbers, ends - 1))
    return -F.logsumexp(K.where(at_end, last, F.zeros_like(last) + _NEVER), -1, keepdims=True)


def greedy(y_pred: np.ndarray, lengths: Any) -> tuple[np.ndarray, np.ndarray]:
    """The best path without repeated classes and blanks, (batch, labels) filled up with -1; and minus its log."""
    best, blank = y_pred.argmax(-1), y_pred.shape[-1] - 1
    paths, costs = [], []
    for classes, probabilities, length in zip(best, y_pred, np.ravel(lengths).astype(int), strict=True):
        own = classes[:length]
        kept = [int(c) for i, c in enumerate(own) if c != blank and (i == 0 or c != own[i - 1])]
        paths.append(kept)
        costs.append(-np.log(probabilities[:length].max(-1)).sum())
    width = max(map(len, paths), default=0)
    return np.array([path + [-1] * (width - len(path)) for path in paths], "int64"), np.array(costs)[:, None]
