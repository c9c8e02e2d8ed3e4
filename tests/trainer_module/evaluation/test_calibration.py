"""Binned probabilities beside a loop over all classes."""

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer_module.evaluation.test_cross_entropies import (
    VOCABULARY_SIZE,
    corrected_scores,
    parameters_of,
)
from trainer_module.evaluation import calibration


def test_bins_are_half_powers_of_ten() -> None:
    assert calibration.NUM_BINS == 10
    np.testing.assert_allclose(
        calibration.EDGES,
        [1e-5, 3.1623e-5, 1e-4, 3.1623e-4, 1e-3, 3.1623e-3, 1e-2, 3.1623e-2, 1e-1],
        rtol=1e-4,
    )
    probabilities = np.array([0.0, 9e-6, 1.1e-5, 0.02, 0.09, 0.11, 1.0])
    assert calibration.bin_of(probabilities).tolist() == [0, 0, 1, 7, 8, 9, 9]


@pytest.mark.parametrize("softmax", [False, True])
@pytest.mark.parametrize(("first", "end"), [(0, VOCABULARY_SIZE), (2, 7), (10, 11)])
def test_all_classes_are_in_their_bins(
    softmax: bool, first: int, end: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calibration, "_CLASSES_AT_ONCE", 3)
    parameters = parameters_of(3, softmax=softmax, temperature=0.5, scale=2.0)
    scores = corrected_scores(parameters)
    logs = np.logaddexp.reduce(scores, 1)
    targets = [4, 0, 9]
    mass, classes = np.zeros([2, 3, 10])
    for row, target in enumerate(targets):
        for probability in np.exp(scores[target] - logs[target])[first:end]:
            place = int(calibration.bin_of(np.array(probability)))
            mass[row, place] += probability
            classes[row, place] += 1
    found = calibration.binned(
        parameters, tf.constant(targets), tf.constant(logs[targets], tf.float32), first, end
    )
    np.testing.assert_allclose(found[0], mass, rtol=1e-5, atol=1e-9)
    np.testing.assert_array_equal(found[1], classes)
    assert classes.sum() == 3 * (end - first)
    assert (mass > 0).sum() >= 3
