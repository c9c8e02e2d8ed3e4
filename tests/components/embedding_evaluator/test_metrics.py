import math
from collections.abc import Sequence

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.testing.util import assert_that

from components.embedding_evaluator import metrics
from pipeline.beam_arguments import IN_THIS_PROCESS

# Sums over 5 pairs: softmax and sigmoid cross-entropy, both raw, unigram's, pairs.
SUMS = (15.0, 27.0, 32.0, 51.0, 21.0, 5.0)
NOTHING = (0.0,) * 6


def document(*sums: float) -> dict[str, np.ndarray]:
    """What the evaluate signature returns for one document."""
    names = (
        "softmax_cross_entropy",
        "sigmoid_cross_entropy",
        "raw_softmax_cross_entropy",
        "raw_sigmoid_cross_entropy",
        "unigram_cross_entropy",
        "num_pairs",
    )
    return {name: np.array([value], np.float32) for name, value in zip(names, sums, strict=True)}


PARTS = [(10.0, 20.0, 30.0, 40.0, 12.0, 2.0), NOTHING, (5.0, 7.0, 2.0, 11.0, 9.0, 3.0)]
DOCUMENTS = [document(*part) for part in PARTS]


class TestFormulas:
    def test_cross_entropies_are_means_over_the_pairs(self):
        assert metrics.full_softmax_cross_entropy(SUMS) == 3.0
        assert metrics.full_sigmoid_cross_entropy(SUMS) == 5.4
        assert metrics.raw_full_softmax_cross_entropy(SUMS) == 6.4
        assert metrics.raw_full_sigmoid_cross_entropy(SUMS) == 10.2
        assert metrics.unigram_cross_entropy(SUMS) == 4.2

    def test_perplexity_is_e_to_the_softmax_cross_entropy(self):
        assert metrics.perplexity(SUMS) == pytest.approx(20.085537, rel=1e-7)

    def test_perplexity_beyond_what_a_number_holds_is_infinite(self):
        assert metrics.perplexity((710.0, *[0.0] * 4, 1.0)) == math.inf
        largest = metrics.perplexity((709.0, *[0.0] * 4, 1.0))
        assert largest == pytest.approx(8.2184e307, rel=1e-4)

    def test_gain_is_positive_where_the_model_is_better(self):
        assert metrics.gain_over_unigram(SUMS) == pytest.approx(1.2)
        assert metrics.gain_over_unigram((21.0, 0.0, 0.0, 0.0, 15.0, 5.0)) == pytest.approx(-1.2)

    def test_num_pairs(self):
        assert metrics.num_pairs(SUMS) == 5.0

    def test_without_pairs_there_is_no_number(self):
        assert metrics.num_pairs(NOTHING) == 0.0
        for formula in (
            metrics.full_softmax_cross_entropy,
            metrics.full_sigmoid_cross_entropy,
            metrics.raw_full_softmax_cross_entropy,
            metrics.raw_full_sigmoid_cross_entropy,
            metrics.unigram_cross_entropy,
            metrics.gain_over_unigram,
        ):
            assert math.isnan(formula(NOTHING))

    def test_a_model_that_is_not_finite_has_no_finite_number(self):
        sums = (math.nan, *[1.0] * 5)
        assert math.isnan(metrics.gain_over_unigram(sums))
        assert not math.isfinite(metrics.perplexity(sums))


def computation(metric: metrics.SumsMetric, models: Sequence[str] = ("",)):
    """The computation of each model, as TFMA asks for them."""
    return metric.computations(model_names=list(models))


class TestSumsCombiner:
    @pytest.fixture
    def combiner(self):
        [found] = computation(metrics.SumsMetric("full_softmax_cross_entropy"))
        return found.combiner

    def inputs(self, predictions):
        from tensorflow_model_analysis.metrics import metric_types

        return metric_types.StandardMetricInputs(predictions=predictions)

    def test_adds_the_documents(self, combiner):
        total = combiner.create_accumulator()
        for predictions in DOCUMENTS:
            total = combiner.add_input(total, self.inputs(predictions))
        assert total == SUMS

    def test_merges_in_any_grouping(self, combiner):
        assert combiner.merge_accumulators(PARTS) == SUMS
        nested = [combiner.merge_accumulators(PARTS[:2]), PARTS[2]]
        assert combiner.merge_accumulators(iter(nested)) == SUMS

    def test_counts_on_where_single_precision_would_stand_still(self, combiner):
        # 2^24 + 1 is no float32.
        total = (*[0.0] * 5, 2.0**24)
        total = combiner.add_input(total, self.inputs(document(*[0] * 5, 1)))
        assert total[5] == 16_777_217.0

    def test_gives_the_metric_under_its_key(self, combiner):
        [(key, value)] = combiner.extract_output(SUMS).items()
        assert (key.name, key.model_name, value) == ("full_softmax_cross_entropy", "", 3.0)

    def test_takes_the_predictions_of_its_model(self):
        found = computation(metrics.SumsMetric("num_pairs"), ["candidate", "baseline"])
        predictions = {"candidate": document(*[1] * 5, 7), "baseline": document(*[2] * 5, 9)}
        counted = {}
        for one in found:
            start = one.combiner.create_accumulator()
            total = one.combiner.add_input(start, self.inputs(predictions))
            counted |= one.combiner.extract_output(total)
        assert {key.model_name: value for key, value in counted.items()} == {
            "candidate": 7.0,
            "baseline": 9.0,
        }


# Of SUMS.
VALUES = {
    "full_softmax_cross_entropy": 3.0,
    "full_sigmoid_cross_entropy": 5.4,
    "raw_full_softmax_cross_entropy": 6.4,
    "raw_full_sigmoid_cross_entropy": 10.2,
    "unigram_cross_entropy": 4.2,
    "perplexity": 20.085537,
    "gain_over_unigram": 1.2,
    "num_pairs": 5.0,
}


def test_these_are_the_metrics():
    assert list(metrics.FORMULAS) == list(VALUES)


@pytest.mark.parametrize(("name", "expected"), VALUES.items())
def test_each_metric_has_its_formula(name, expected):
    [found] = computation(metrics.SumsMetric(name, code_fingerprint="0123"))
    [(key, value)] = found.combiner.extract_output(SUMS).items()
    assert key.name == name
    assert value == pytest.approx(expected, rel=1e-7)


def test_in_beam_documents_are_combined_whatever_the_bundles():
    from tensorflow_model_analysis.metrics import metric_types

    [found] = computation(metrics.SumsMetric("gain_over_unigram"))

    def check(combined):
        [sums] = combined
        assert {key.name: round(value, 6) for key, value in sums.items()} == {
            "gain_over_unigram": 1.2
        }

    with beam.Pipeline(argv=list(IN_THIS_PROCESS)) as pipeline:
        combined = (
            pipeline
            | beam.Create(DOCUMENTS)
            | beam.Reshuffle()
            | beam.Map(lambda one: metric_types.StandardMetricInputs(predictions=one))
            | beam.CombineGlobally(found.combiner)
        )
        assert_that(combined, check)
