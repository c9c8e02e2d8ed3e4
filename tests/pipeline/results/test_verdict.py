"""The sentences of the gate, word by word."""

import pytest

from components.embedding_comparison.comparison import Comparison
from pipeline.results.figures import Figures
from pipeline.results.verdict import verdict
from pipeline.sections.evaluation import EvaluatorConfig

METRICS = {
    "full_softmax_cross_entropy": 7.9,
    "unigram_cross_entropy": 8.5,
    "full_softmax_cross_entropy_error": 0.0,
    "gain_over_unigram": 0.6,
    "least_gain_over_unigram": 0.6,
    "num_pairs": 12_345.0,
    "compared": 8.0123,
    "compared_of_last_blessed": 8.0664,
    "increase": -0.0541,
    "most_increase": -0.0541,
    "increase_error": 0.003,
    "common_coverage": 0.982,
    "common_coverage_of_last_blessed": 0.9105,
    "num_common_pairs": 23_456.0,
}
GAIN = (
    "its full softmax cross-entropy 7.9000 on 12,345 held-out pairs is 0.6000 below the unigram "
    "model's 8.5000"
)
MOVED = Comparison(
    space_id="0",
    compared=True,
    vocabulary_size=900,
    last_vocabulary_size=1_000,
    neighbor_overlap=0.25,
)
EPOCHS = 2
SLICES = {
    "target_frequency": [
        {"slice": "1-100", "num_pairs": 9_000, "recall_at_10": 0.125},
        {"slice": "101-1000", "num_pairs": 3_345, "recall_at_10": 0.25},
    ],
    "context_frequency": [],
}
WORSE = {"compared": 8.1, "increase": 0.0336, "most_increase": 0.0336}


def figures(metrics: dict[str, float], *, compared: bool) -> Figures:
    return Figures(metrics, SLICES, [], compared)


def test_blessed_with_the_margin() -> None:
    assert verdict(
        EvaluatorConfig(), EPOCHS, figures(METRICS, compared=True), MOVED, blessed=True
    ) == (
        "the model is blessed: its common_cross_entropy 8.0123 is 0.0541 (standard error 0.0030) "
        "below the last blessed model's 8.0664 on the same 23,456 pairs, of which it knows 98.2% "
        f"and that one 91.0%; {GAIN}"
    )


def test_the_first_one() -> None:
    said = verdict(
        EvaluatorConfig(),
        EPOCHS,
        figures({**METRICS, "num_common_pairs": 0.0}, compared=False),
        MOVED,
        blessed=True,
    )
    assert said == f"the model is blessed: it is the first one; {GAIN}"


def test_thresholds_that_are_reached_are_named() -> None:
    gate = EvaluatorConfig(thresholds=("recall_at_10 >= 0.05", "mean_rank <= 900"))
    said = verdict(gate, EPOCHS, figures({**METRICS}, compared=False), MOVED, blessed=True)
    assert said.endswith(f"{GAIN}; its recall_at_10, mean_rank reach evaluator.thresholds")


def test_nothing_that_both_have_held_out() -> None:
    said = verdict(
        EvaluatorConfig(),
        EPOCHS,
        figures({**METRICS, "num_common_pairs": 0.0}, compared=True),
        MOVED,
        blessed=True,
    )
    assert said == (
        "the model is blessed: it was not compared with the last blessed model, as there is no "
        f"pair in the documents that both have held out; {GAIN}"
    )


def test_worse_than_the_last() -> None:
    said = verdict(
        EvaluatorConfig(),
        EPOCHS,
        figures({**METRICS, **WORSE}, compared=True),
        MOVED,
        blessed=False,
    )
    assert said == (
        "the model is not blessed and was not pushed: its common_cross_entropy 8.1000 is 0.0336 "
        "(standard error 0.0030) above the last blessed model's 8.0664 on the same 23,456 pairs, "
        "of which it knows 98.2% and that one 91.0%, and evaluator.max_increase allows 0.02: see "
        "what came in, raise it, or give what is of another kind an --output of its own"
    )


def test_worse_than_by_chance() -> None:
    gate = EvaluatorConfig(allow_chance=True)
    metrics = {**METRICS, **WORSE, "sure_increase": 0.0276}
    said = verdict(gate, EPOCHS, figures(metrics, compared=True), MOVED, blessed=False)
    assert "evaluator.max_increase allows 0.02 and two standard errors: see what came in" in said
    metrics = {**metrics, "sure_increase": 0.0199}
    said = verdict(gate, EPOCHS, figures(metrics, compared=True), MOVED, blessed=False)
    assert "evaluator.max_increase" not in said


def test_figures_of_different_pairs_are_not_called_the_same() -> None:
    gate = EvaluatorConfig(compared_metric="full_softmax_cross_entropy")
    said = verdict(gate, EPOCHS, figures({**METRICS, **WORSE}, compared=True), MOVED, blessed=False)
    assert "its full_softmax_cross_entropy 8.1000 is 0.0336 (standard error 0.0030) above" in said
    assert "same" not in said


@pytest.mark.parametrize(("gain", "side"), [(0.01, "below"), (-0.01, "above")])
def test_hardly_better_than_the_unigram_model(gain: float, side: str) -> None:
    metrics = {**METRICS, "gain_over_unigram": gain, "least_gain_over_unigram": gain}
    said = verdict(
        EvaluatorConfig(), EPOCHS, figures(metrics, compared=False), MOVED, blessed=False
    )
    assert said == (
        "the model is not blessed and was not pushed: its full softmax cross-entropy 7.9000 on "
        f"12,345 held-out pairs is 0.0100 {side} the unigram model's 8.5000, and "
        "evaluator.min_gain_over_unigram asks for 0.05: raise trainer.epochs (it is 2) with "
        "trainer.keep=best, add to the corpus, or ask for less"
    )


def test_what_a_sample_of_the_targets_leaves_open_is_held_against_a_model() -> None:
    sampled = {
        **METRICS,
        "full_softmax_cross_entropy_error": 0.0012,
        "gain_over_unigram": 0.0512,
        "least_gain_over_unigram": 0.0488,
        "increase": 0.019,
        "most_increase": 0.021,
    }
    said = verdict(EvaluatorConfig(), EPOCHS, figures(sampled, compared=True), MOVED, blessed=False)
    assert (
        "its full softmax cross-entropy 7.9000 (standard error 0.0012, by sampled targets) on "
        "12,345 held-out pairs is 0.0512 below the unigram model's 8.5000, and "
        "evaluator.min_gain_over_unigram asks for 0.05 with two standard errors of the sampled "
        "targets to spare: raise"
    ) in said
    assert (
        "evaluator.max_increase allows 0.02 with two standard errors of the sampled targets to "
        "spare: see what came in"
    ) in said


def test_both() -> None:
    metrics = {**METRICS, **WORSE, "least_gain_over_unigram": float("nan")}
    said = verdict(EvaluatorConfig(), EPOCHS, figures(metrics, compared=True), MOVED, blessed=False)
    assert said.count("; and its ") == 1


def test_something_else() -> None:
    said = verdict(EvaluatorConfig(), EPOCHS, figures(METRICS, compared=True), MOVED, blessed=False)
    assert said.endswith("the evaluation says so (artifacts/Evaluator/evaluation)")


def test_neighbours_that_are_others() -> None:
    gate = EvaluatorConfig(min_neighbor_overlap=0.5)
    said = verdict(gate, EPOCHS, figures(METRICS, compared=True), MOVED, blessed=False)
    assert said == (
        "the model is not blessed and was not pushed: 25.0% of the 10 nearest neighbours of its "
        "most frequent tokens are those of the last blessed model, which has 1,000 tokens (this "
        "one has 900), and evaluator.min_neighbor_overlap asks for 50.0%: look at comparison.json "
        "in artifacts/EmbeddingComparison, or ask for less"
    )


def test_a_threshold_on_a_slice_is_told_with_its_value() -> None:
    gate = EvaluatorConfig(
        thresholds=(
            "recall_at_10[target_frequency=1-100]>=0.2",
            "recall_at_10[target_frequency=101-1000] >= 0.2",
            "full_softmax_cross_entropy <= 7",
        )
    )
    said = verdict(gate, EPOCHS, figures(METRICS, compared=True), MOVED, blessed=False)
    assert said == (
        "the model is not blessed and was not pushed: its recall_at_10[target_frequency=1-100] is "
        "0.125, and evaluator.thresholds asks for >= 0.2: look at the slices in summary.json, "
        "train on more text of that kind, or ask for less; and its full_softmax_cross_entropy is "
        "7.9, and evaluator.thresholds asks for <= 7: look at the slices in summary.json, train on "
        "more text of that kind, or ask for less"
    )


def test_a_slice_without_a_pair_reaches_nothing() -> None:
    gate = EvaluatorConfig(thresholds=("mean_rank[context_frequency=10001-] <= 9000",))
    said = verdict(gate, EPOCHS, figures(METRICS, compared=True), MOVED, blessed=False)
    assert said.endswith(
        "no held-out pair is in the slice that evaluator.thresholds names by "
        "'mean_rank[context_frequency=10001-] <= 9000': take that one away, or add to the corpus"
    )
