"""Connectionist temporal classification of `keras.backend`, as functions of tensors.

The last class is the blank. Probabilities are (batch, time, classes), labels (batch, labels), lengths (batch, 1).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import default_backend, get_backend
from ...backend import functions as F
from ...backend.base import Backend, InputSpec, Tensor
from ...backend.computing import current_backend
from ...backend.float_settings import floatx

_NEVER = -1e30
"""The logarithm of a probability of 0."""


def ctc_batch_cost(y_true: Tensor, y_pred: Tensor, input_length: Tensor, label_length: Tensor) -> Tensor:
    """The negative logarithm of the probability of the labels, (batch, 1), by the forward algorithm.

    On Theano it is less by the logarithm of the number of steps, as in Keras (keras-facts: ctc-on-theano).
    """
    K = current_backend()
    classes = F.shape(y_pred)[-1]
    # Between the labels, and around them, is a blank: places 0, 2, ... of 2 * labels + 1.
    labels, number = _labels(K, K.cast(y_true, "int32"), K.cast(F.reshape(label_length, (-1, 1)), "int32"), classes - 1)
    blanks = labels * 0 + (classes - 1)
    places = F.reshape(K.stack([blanks, labels], 2), (F.shape(labels)[0], 2 * F.shape(labels)[1]))
    places = K.concatenate([places, blanks[:, :1]], 1)
    # A label may follow another label, unless they are equal.
    changed = K.cast(K.not_equal(places[:, 2:], places[:, :-2]), floatx())
    # Between two blanks nothing has changed.
    jumps = K.concatenate([K.cast(places[:, :2] * 0, floatx()), changed], 1)
    times = K.cast(F.reshape(input_length, (-1, 1)), floatx())
    ends = number * 2
    steps = _logs_of_places(K, y_pred, K.cast(F.one_hot(places, classes), floatx()), K.cast(ends, floatx()) + 1.0)

    start = F.zeros_like(steps[:, 0]) + _NEVER
    start = K.concatenate([start[:, :1] * 0.0, start[:, 1:]], 1)  # before the first step: one place before the first
    lengths = F.zeros_like(start) + times

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
    numbers = K.expand_dims(K.arange(F.shape(last)[1]), 0)
    at_end = K.logical_or(K.equal(numbers, ends), K.equal(numbers, ends - 1))
    cost = -F.logsumexp(K.where(at_end, last, F.zeros_like(last) + _NEVER), -1, keepdims=True)
    return cost - K.log(times) if K.facts.ctc_smoothing else cost


def _labels(K: Backend, labels: Tensor, number: Tensor, blank: Tensor) -> tuple[Tensor, Tensor]:
    """The labels with blanks in the places that do not count, whatever stands there; and how many count, (batch, 1).

    On TensorFlow a label that is the blank ends the labels; on Theano it is one of them (keras-facts: ctc-blank-ends).
    """
    places = K.expand_dims(K.arange(F.shape(labels)[1]), 0) + labels * 0
    if K.facts.ctc_blank_ends:
        after = places * 0 + F.shape(labels)[1]
        number = K.minimum(number, -K.max(-K.where(K.greater(blank, labels), after, places), 1, keepdims=True))
    return K.where(K.greater(number, places), labels, labels * 0 + blank), number


def _logs_of_places(K: Backend, y_pred: Tensor, chosen: Tensor, number: Tensor) -> Tensor:
    """The logarithms of the probabilities of places, (batch, time, places), as Keras on the backend smooths them.

    chosen: (batch, places, classes), 1 for the class of each place. number: the number of places of each sample,
    (batch, 1).
    """
    part = K.facts.ctc_smoothing
    if part:
        return K.log((1.0 - part) * K.batch_dot(y_pred, chosen, (2, 2)) + part / K.expand_dims(number, 1))
    positive = y_pred + F.epsilon()
    return K.log(K.batch_dot(positive / K.sum(positive, [-1], keepdims=True), chosen, (2, 2)))


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


def beam_search(
    y_pred: np.ndarray, lengths: Any, beam_width: int, top_paths: int, merge_repeated: bool
) -> list[np.ndarray]:
    """The `top_paths` most probable labels, (batch, labels) each, and the logarithms of their probabilities.

    merge_repeated: whether a label that follows itself is left out of the result. Raises KconvertError where the
    default backend has no such search.
    """
    K = get_backend(default_backend())
    logs = np.log(y_pred.transpose(1, 0, 2) + F.epsilon())
    steps = np.ravel(lengths).astype("int32")

    def build(values: list[Tensor], inputs: list[Tensor]) -> list[Tensor]:
        return K.ctc_beam_search(inputs[0], inputs[1], beam_width, top_paths, merge_repeated)

    return K.compile_reading(build, [InputSpec(logs.shape), InputSpec(steps.shape, "int32")], [])([logs, steps])
