"""`keras.engine.training_utils` and `keras.utils.losses_utils`. The losses are those of Keras 2.3.1 on TensorFlow."""

import numpy as np
import pytest
from kconvert.keras.engine import training_utils
from kconvert.keras.utils.losses_utils import Reduction

from kconvert.errors import KconvertError
from kconvert.keras import backend as K
from kconvert.keras import losses

BY_SAMPLE = [1, 0, 2]
BY_STEP = np.arange(12).reshape(3, 4) % 3
MASK = np.arange(12).reshape(3, 4) % 4 != 1


@pytest.mark.parametrize(
    "weights, mask, expected",
    [
        (BY_SAMPLE, None, 3.8125),
        (BY_STEP, None, 3.75),
        (None, MASK, 2.499999523162842),
        (BY_SAMPLE, MASK, 3.8333327770233154),
        (BY_STEP, MASK, 3.91666579246521),
        (None, None, 2.4583332538604736),
    ],
)
def test_a_weighted_masked_objective_is_that_of_keras(weights, mask, expected):
    labels, outputs = np.arange(24) * 7 % 5, np.arange(24) * 3 % 7
    given = [
        None if one is None else K.variable(one)
        for one in (labels.reshape(3, 4, 2), outputs.reshape(3, 4, 2), weights, mask)
    ]
    objective = training_utils.weighted_masked_objective(losses.mean_absolute_error)
    assert float(K.eval(objective(*given))) == pytest.approx(expected, rel=1e-6)
    assert training_utils.weighted_masked_objective(None) is None


def test_batches_cover_all_samples_and_stay_whole_when_shuffled():
    assert training_utils.make_batches(7, 3) == [(0, 3), (3, 6), (6, 7)]
    shuffled = training_utils.batch_shuffle(np.arange(50), 4)
    assert shuffled[-2:].tolist() == [48, 49]
    starts = shuffled[:-2].reshape(-1, 4)
    assert (starts == starts[:, :1] + np.arange(4)).all()
    assert sorted(starts[:, 0]) == list(range(0, 48, 4)) != starts[:, 0].tolist()


def test_validation_runs_by_frequency_or_in_listed_epochs():
    assert [training_utils.should_run_validation(2, epoch) for epoch in range(4)] == [False, True, False, True]
    assert [training_utils.should_run_validation([1, 3], epoch) for epoch in range(4)] == [True, False, True, False]
    for wrong in (0, 1.5):
        with pytest.raises(KconvertError, match="validation_freq is a number"):
            training_utils.should_run_validation(wrong, 0)


@pytest.mark.parametrize("wrong", [{"y": 1}, {"sample_weight": 1}, {"validation_split": 0.1}])
def test_arguments_that_a_generator_excludes(wrong):
    training_utils.check_generator_arguments()
    with pytest.raises(KconvertError, match="generator"):
        training_utils.check_generator_arguments(**wrong)


def test_reductions_are_those_of_losses():
    for reduction in Reduction.all():
        Reduction.validate(reduction)
        losses.MeanSquaredError(reduction=reduction)
    with pytest.raises(KconvertError, match="unknown reduction 'all'"):
        Reduction.validate("all")
