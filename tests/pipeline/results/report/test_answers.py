"""What a reader wants to know first, by rules worked out by hand."""

from typing import Any

import pytest

from pipeline.results.records import Blessing
from pipeline.results.report import answers


def test_a_blessed_model_is_called_so_with_the_gates_sentence() -> None:
    found = answers.is_blessed({"blessed": True, "verdict": "the model is blessed: it is better"})
    assert (found.short, found.tone) == ("Yes", "good")
    assert found.sentences == ["The model is blessed: it is better."]
    withheld = answers.is_blessed({"blessed": False, "verdict": "the model is not blessed"})
    assert (withheld.short, withheld.tone) == ("No", "bad")


def test_a_model_that_a_person_blessed_says_who_and_why_before_the_gate() -> None:
    given = [Blessing("7", "ann", "it is fine", "2026-11-28T06:44:19")]
    found = answers.is_blessed({"blessed": False, "verdict": "the model is not blessed"}, given)
    assert (found.short, found.tone) == ("Yes, by hand", "good")
    assert found.sentences == [
        "It was blessed by ann on 2026-11-28 06:44:19: it is fine.",
        "The model is not blessed.",
    ]


LAST = {"last_blessed": {"run": "7"}}


@pytest.mark.parametrize(
    ("increase", "error", "short", "tone"),
    [
        (-0.03, 0.01, "Yes", "good"),
        (0.03, 0.01, "No", "bad"),
        (-0.02, 0.01, "About the same", "neutral"),  # two standard errors
        (-0.03, 0.0, "Yes", "good"),
        (0.0, 0.0, "About the same", "neutral"),
    ],
)
def test_better_is_what_two_standard_errors_say(
    increase: float, error: float, short: str, tone: str
) -> None:
    result = {**LAST, "increase": increase, "increase_error": error, "num_common_pairs": 2500.0}
    found = answers.is_better(result)
    assert (found.short, found.tone) == (short, tone)


def test_better_says_on_what_and_against_which_run() -> None:
    result = {**LAST, "increase": -0.03, "increase_error": 0.01, "num_common_pairs": 2500.0}
    [sentence] = answers.is_better(result).sentences
    assert sentence == (
        "On the same 2,500 held-out pairs its common cross-entropy is 0.0300 nats below that of "
        "run 7, the last blessed one (standard error 0.0100)."
    )
    moved = answers.is_better({**result, "moved": {"neighbor_overlap": 0.4}}).sentences
    assert moved[1:] == ["40.0 % of the nearest neighbours are those of that model."]


def test_without_another_model_there_is_nothing_to_be_better_than() -> None:
    assert answers.is_better({}).short == "It is the first"
    assert answers.is_better(LAST).short == "Not known"


def band(name: str, pairs: int, loss: float, unigram: float) -> dict[str, Any]:
    return {
        "slice": name,
        "num_pairs": pairs,
        "full_softmax_cross_entropy": loss,
        "unigram_cross_entropy": unigram,
    }


def test_bands_that_frequencies_do_as_well_come_first() -> None:
    bands = [band("1-100", 900, 6.0, 6.5), band("101-", 100, 11.0, 10.5)]
    result = {"full_softmax_cross_entropy": 6.5, "slices": {"target_frequency": bands}}
    found = answers.is_weak(result)
    assert found.short == "Words of rank above 100"
    assert found.sentences == ["Of words of rank above 100 it says no more than frequencies alone."]


def test_the_words_of_which_least_is_known_and_the_hardest_contexts() -> None:
    """The contexts of frequent words are easier, and yet less is known of the words."""
    targets = [band("1-100", 900, 6.0, 6.25), band("101-", 100, 7.0, 8.0)]
    contexts = [band("1-100", 600, 5.0, 5.5), band("101-", 400, 12.25, 12.5)]
    found = answers.is_weak(
        {
            "full_softmax_cross_entropy": 6.5,
            "slices": {"target_frequency": targets, "context_frequency": contexts},
        }
    )
    assert found.short == "Words of rank 1-100"
    assert found.sentences == [
        "Least is known of words of rank 1-100: 0.25 nats below the unigram model, on 90.0 % of "
        "the held-out pairs.",
        "Hardest are contexts of rank above 100: 12.25 nats where 6.50 is the mean, on 40.0 % of "
        "the held-out pairs.",
    ]


@pytest.mark.parametrize(
    ("losses", "short"),
    [
        ((8.0, 7.5, 7.4), "short training"),
        ((8.0, 7.4, 7.5), "overfitting"),
        ((8.0, 7.41, 7.4), None),
        ((8.0,), None),
        ((), None),
    ],
)
def test_the_end_of_training(losses: tuple[float, ...], short: str | None) -> None:
    found = answers.weaknesses({"evaluations": [{"softmax": loss} for loss in losses]})
    assert [words for words, _ in found] == ([short] if short else [])


@pytest.mark.parametrize(
    ("predicted", "how"), [(0.05, "high: 0.05 in the mean"), (0.04, "low: 0.003 in the mean")]
)
def test_calibration_names_the_bin_that_is_farthest_off(predicted: float, how: str) -> None:
    """By pairs: 0.1 |p / 0.04 - 1| of the upper bin, 0.04 |0.003 / 0.005 - 1| of the lower."""
    bins = [
        {"from": 0.001, "to": 0.00316, "predicted": 0.003, "observed": 0.005, "share": 0.04},
        {"from": 0.0316, "to": 0.1, "predicted": predicted, "observed": 0.04, "share": 0.1},
        {"from": 0.1, "to": 1.0, "predicted": 0.2, "observed": 0.0, "share": 0.0},
    ]
    [(_, sentence)] = answers.weaknesses({"expected_calibration_error": 0.2, "calibration": bins})
    start = "By ten bins, what it predicts and what came differ by 20.0 % of the pairs. Farthest "
    assert sentence.startswith(start)
    assert f"which are too {how} where " in sentence
    assert answers.weaknesses({"expected_calibration_error": 0.009, "calibration": bins}) == []


def test_scores_that_are_no_log_probabilities() -> None:
    [(words, sentence)] = answers.weaknesses({"mean_log_partition": -0.75})
    assert words == "unnormalised scores"
    assert "-0.75 nats" in sentence
    assert answers.weaknesses({"mean_log_partition": 0.4}) == []


def test_a_model_that_says_no_more_than_frequencies_is_weak_everywhere() -> None:
    found = answers.is_weak({"full_softmax_cross_entropy": 7.2, "unigram_cross_entropy": 7.1})
    assert found.short == "Everywhere"


def test_nothing_weak_is_said_too() -> None:
    assert answers.is_weak({}).short == "Nowhere that shows"
