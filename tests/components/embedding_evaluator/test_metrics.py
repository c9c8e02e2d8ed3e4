import math
from typing import Any

import apache_beam as beam
import numpy as np
import pytest
from apache_beam.testing.util import assert_that
from hypothesis import given, settings
from hypothesis import strategies as st
from tensorflow_model_analysis.metrics import metric_types

from components.embedding_evaluator import comparison_metrics, metrics
from components.embedding_evaluator.metric_list import METRICS, RANK_METRICS
from components.embedding_evaluator.totals import OUTPUTS, SKETCHES, TOTALS, Totals, TotalsCombiner
from pipeline.beam_arguments import ON_THIS_MACHINE

EVALUATED = (
    "softmax_cross_entropy",
    "sigmoid_cross_entropy",
    "raw_softmax_cross_entropy",
    "raw_sigmoid_cross_entropy",
    "unigram_cross_entropy",
    "num_pairs",
)
COMPARED = (
    "compared_loss",
    "compared_pairs",
    "compared_loss_of_last_blessed",
    "compared_pairs_of_last_blessed",
)


Documents = dict[str, np.ndarray]  # one or more, by OUTPUTS and SKETCHES


def document(**sums: float) -> Documents:
    """One document; 0 for what is not given."""
    assert set(sums) <= set(OUTPUTS)
    return {name: np.array([sums.get(name, 0.0)]) for name in OUTPUTS}


def evaluated(*sums: float) -> dict[str, float]:
    return dict(zip(EVALUATED, sums, strict=True))


DOCUMENTS = [
    document(
        **evaluated(10.0, 20.0, 30.0, 40.0, 12.0, 2.0),
        num_common_pairs=4.0,
        common_cross_entropy=20.0,
        common_known_pairs=3.0,
        common_cross_entropy_of_last_blessed=24.0,
        common_known_pairs_of_last_blessed=2.0,
        **dict(zip(COMPARED, (20.0, 4.0, 24.0, 4.0), strict=True)),
    ),
    document(),
    document(
        **evaluated(5.0, 7.0, 2.0, 11.0, 9.0, 3.0),
        num_common_pairs=1.0,
        common_cross_entropy=9.0,
        common_known_pairs=1.0,
        common_cross_entropy_of_last_blessed=6.0,
        common_known_pairs_of_last_blessed=0.0,
        **dict(zip(COMPARED, (9.0, 1.0, 6.0, 1.0), strict=True)),
    ),
]
# What is known of their 5 pairs beside: sums.
PAIRS = {
    "log_partition": 10.0,
    "log_partition_deviation": 5.0,
    "log_partition_square": 15.0,
    "ranked": 4.0,
    "ranked_error": 8.0,
    "ranks": np.array([1, 2, 3, 1.5, 2.5, 20, 3.5]),
    "rank_error_sums": np.array([2.0, 4, 6, 3, 5, 40, 7]),
    "rank_error_squares": np.array([2.0, 4, 6, 2, 4, 300, 6.5]),
    "calibrated": 2.0,
    "calibrated_of": 4.0,
    "hits": np.array([3.0, 0, 0, 0, 0, 0, 0, 0, 0, 2]),
    "mass": np.array([1.0, 0.5, 0, 0, 0, 0, 0, 0, 0, 1]),
    "classes": np.array([40.0, 10, 0, 0, 0, 0, 0, 0, 0, 4]),
}
# Means by hand. The common pairs: 29 / 5 = 5.8 and 30 / 5 = 6, so the increase is -0.2; the
# documents' differences are d = -4 and 3 on n = 4 and 1 pairs, and
# sqrt((-4 + 0.2 * 4)^2 + (3 + 0.2 * 1)^2) / 5 = sqrt(10.24 + 10.24) / 5.
VALUES = {
    "full_softmax_cross_entropy": 3.0,
    "full_softmax_cross_entropy_error": 0.0,
    "full_sigmoid_cross_entropy": 5.4,
    "full_sigmoid_cross_entropy_error": 0.0,
    "raw_full_softmax_cross_entropy": 6.4,
    "raw_full_sigmoid_cross_entropy": 10.2,
    "unigram_cross_entropy": 4.2,
    "perplexity": 20.085537,
    "gain_over_unigram": 1.2,
    "least_gain_over_unigram": 1.2,
    # Sums by 4: the mean of 4 ranked pairs.
    "recall_at_1": 0.25,
    "recall_at_10": 0.5,
    "recall_at_100": 0.75,
    "ndcg_at_10": 0.375,
    "mean_reciprocal_rank": 0.625,
    "mean_rank": 5.0,
    "auc": 0.875,
    # The root of squares - 2 mean sums + mean^2 weights, by 4: as 300 - 400 + 200 of the last one.
    "recall_at_1_error": math.sqrt(2 - 1 + 0.5) / 4,
    "recall_at_10_error": math.sqrt(4 - 4 + 2) / 4,
    "recall_at_100_error": math.sqrt(6 - 9 + 4.5) / 4,
    "ndcg_at_10_error": math.sqrt(2 - 2.25 + 1.125) / 4,
    "mean_reciprocal_rank_error": math.sqrt(4 - 6.25 + 3.125) / 4,
    "mean_rank_error": 2.5,
    "auc_error": math.sqrt(6.5 - 12.25 + 6.125) / 4,
    "mean_log_partition": 2.0,
    "std_log_partition": math.sqrt(3 - 1),
    # The mass of two pairs stands for that of four: |3 - 2| + |0 - 1| + |2 - 2| of 5 pairs.
    "expected_calibration_error": 0.4,
    "num_pairs": 5.0,
    "common_cross_entropy": 5.8,
    "common_cross_entropy_of_last_blessed": 6.0,
    "compared": 5.8,
    "compared_of_last_blessed": 6.0,
    "increase": -0.2,
    "most_increase": -0.2,
    "sure_increase": -0.2 - 2 * math.sqrt(20.48) / 5,
    "increase_error": math.sqrt(20.48) / 5,
    "common_coverage": 0.8,
    "common_coverage_of_last_blessed": 0.4,
    "num_common_pairs": 5.0,
}


def inputs(predictions: Any) -> metric_types.StandardMetricInputs:
    return metric_types.StandardMetricInputs(predictions=predictions)


def prediction(documents: Documents) -> dict[str, np.ndarray]:
    """What Predict makes of a batch."""
    return {TOTALS: Totals.of_documents(documents).vector}


def combiner(model: str = "") -> TotalsCombiner:
    return TotalsCombiner(metric_types.MetricKey(name="_totals", model_name=model))


def added_up(batches: list[Documents]) -> np.ndarray:
    total = combiner().create_accumulator()
    for documents in batches:
        total = combiner().add_input(total, inputs(prediction(documents)))
    return total


def totals(batches: list[Documents]) -> Totals:
    return Totals.of_vector(added_up(batches))


def together(documents: list[Documents]) -> Documents:
    return {name: np.concatenate([one[name] for one in documents]) for name in OUTPUTS}


def test_these_are_the_metrics() -> None:
    assert list(metrics.FORMULAS) == list(VALUES)
    assert list(metrics.FORMULAS) == [one.name for one in METRICS]
    comparisons = [one.name for one in METRICS if one.is_comparison]
    assert list(VALUES)[-len(comparisons) :] == comparisons


@pytest.mark.parametrize(("name", "expected"), VALUES.items())
def test_each_metric_by_hand(name: str, expected: float) -> None:
    of_pairs = Totals.of_pairs(PAIRS).vector
    found = Totals.of_vector(added_up(DOCUMENTS) + of_pairs)
    assert metrics.FORMULAS[name](found) == pytest.approx(expected, rel=1e-7)


def test_the_table_of_calibration_by_hand() -> None:
    found = metrics.calibration(
        Totals.of_vector(added_up(DOCUMENTS) + Totals.of_pairs(PAIRS).vector)
    )
    # Masses, classes and hits of 80, 20 and 8 classes, and of 5 pairs.
    rows = {0: [2 / 80, 3 / 80, 3 / 5], 1: [1 / 20, 0, 0], 9: [2 / 8, 2 / 8, 2 / 5]}
    for nth, row in rows.items():
        np.testing.assert_allclose(found[nth], row)
    assert np.isnan(found[2:9, :2]).all()


def test_names_and_signs_are_those_of_the_list() -> None:
    errors = [one.name for one in METRICS if one.is_error]
    assert [*RANK_METRICS] == [name.removesuffix("_error") for name in errors[2:]]
    assert {one.better for one in METRICS if one.unit == "rank" and not one.is_error} == {"lower"}
    assert len({one.name for one in METRICS}) == len(METRICS)
    # What nobody writes nobody is shown.
    assert not [one.name for one in METRICS if one.shown and not one.written]


def test_perplexity_beyond_what_a_number_holds_is_infinite() -> None:
    assert metrics.perplexity(totals([document(softmax_cross_entropy=710, num_pairs=1)])) == (
        math.inf
    )
    largest = metrics.perplexity(totals([document(softmax_cross_entropy=709, num_pairs=1)]))
    assert largest == pytest.approx(8.2184e307, rel=1e-4)


def test_without_pairs_there_is_no_number() -> None:
    nothing = totals([document()])
    zeros = ("num_pairs", "num_common_pairs", "increase", "most_increase", "sure_increase")
    for name, formula in metrics.FORMULAS.items():
        is_error = name.endswith("_error") and name != "expected_calibration_error"
        value, is_zero = formula(nothing), name in zeros or is_error
        assert value == 0 if is_zero else not math.isfinite(value), name


@pytest.mark.parametrize("missing", ["compared_pairs", "compared_pairs_of_last_blessed"])
def test_a_model_without_pairs_is_not_held_against_the_other(missing: str) -> None:
    """As no number it would withhold every later model."""
    known = dict(zip(COMPARED, (9.0, 1.0, 6.0, 1.0), strict=True)) | {missing: 0.0}
    found = totals([document(**known)])
    assert (comparison_metrics.increase(found), comparison_metrics.increase_error(found)) == (0, 0)


def test_a_model_that_is_not_finite_has_no_finite_number() -> None:
    broken = dict(zip(COMPARED, (math.nan, 1.0, 6.0, 1.0), strict=True))
    found = totals([document(**evaluated(math.nan, *[1.0] * 5), **broken)])
    assert math.isnan(metrics.gain_over_unigram(found))
    assert not math.isfinite(metrics.perplexity(found))
    assert math.isnan(comparison_metrics.increase(found))


@settings(max_examples=50)
@given(st.lists(st.tuples(*[st.floats(0, 100), st.integers(1, 20)] * 2), min_size=1, max_size=8))
def test_the_error_beside_its_definition(rows: list[tuple[float, int, float, int]]) -> None:
    found = totals([document(**dict(zip(COMPARED, row, strict=True))) for row in rows])
    a, n, b, m = np.array(rows, np.float64).T
    parts = (a - a.sum() / n.sum() * n) / n.sum() - (b - b.sum() / m.sum() * m) / m.sum()
    expected = math.sqrt((parts**2).sum())
    assert comparison_metrics.increase_error(found) == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_what_is_sure_is_two_errors_below() -> None:
    # Of two documents with a pair each: by 3 and 1 nats worse, so by 2, give or take the root of
    # 1 + 1, by 2.
    rows = [(7.0, 1, 4.0, 1), (5.0, 1, 4.0, 1)]
    found = totals([document(**dict(zip(COMPARED, row, strict=True))) for row in rows])
    assert comparison_metrics.increase(found) == comparison_metrics.most_increase(found) == 2
    assert comparison_metrics.sure_increase(found) == pytest.approx(2 - math.sqrt(2))


def test_of_a_model_and_itself_there_is_no_error() -> None:
    rows = [(7.1, 3, 7.1, 3), (2.3, 1, 2.3, 1)]
    found = totals([document(**dict(zip(COMPARED, row, strict=True))) for row in rows])
    assert comparison_metrics.increase(found) == 0
    assert comparison_metrics.increase_error(found) == pytest.approx(0, abs=1e-7)


class TestErrorsOfSampledTargets:
    @staticmethod
    def sketches(**values: tuple[float, ...]) -> Documents:
        """Of two documents with 4 pairs each: their sketches' first bucket and the last."""
        found = {}
        for name in SKETCHES:
            found[name] = np.zeros([2, 256])
            found[name][:, 0], found[name][:, -1] = np.reshape(values.get(name, (0,) * 4), [2, 2]).T
        pairs = dict.fromkeys(("num_pairs", *COMPARED[1::2]), np.array([4.0, 4.0]))
        return {**together([document(), document()]), **pairs, **found}

    def test_sketches_add_up_over_documents_before_they_are_squared(self) -> None:
        # Buckets 1 + 5 = 6 and 10 - 2 = 8: the root of 36 + 64, of 8 pairs.
        given = self.sketches(softmax_sketch=(1, 10, 5, -2), sigmoid_sketch=(3, 0, 0, 0))
        for batches in (
            [given],
            [{n: v[:1] for n, v in given.items()}, {n: v[1:] for n, v in given.items()}],
        ):
            found = totals(batches)
            assert metrics.full_softmax_cross_entropy_error(found) == pytest.approx(10 / 8)
            assert metrics.full_sigmoid_cross_entropy_error(found) == pytest.approx(3 / 8)

    def test_what_both_models_have_in_common_cancels(self) -> None:
        same = totals(
            [
                self.sketches(
                    compared_sketch=(1, 2, 3, 4), compared_sketch_of_last_blessed=(1, 2, 3, 4)
                )
            ]
        )
        assert comparison_metrics.increase_error(same) == 0
        # They differ by 3 and 4 in the buckets: the root of 9 + 16, of 8 pairs.
        other = totals(
            [
                self.sketches(
                    compared_sketch=(1, 2, 6, 8), compared_sketch_of_last_blessed=(1, 2, 3, 4)
                )
            ]
        )
        assert comparison_metrics.increase_error(other) == pytest.approx(5 / 8)

    def test_the_gate_is_sure_by_two_errors(self) -> None:
        found = totals([self.sketches(softmax_sketch=(6, 8, 0, 0), compared_sketch=(3, 4, 0, 0))])
        assert metrics.gain_over_unigram(found) == comparison_metrics.increase(found) == 0
        assert metrics.least_gain_over_unigram(found) == pytest.approx(-2 * 10 / 8)
        assert comparison_metrics.most_increase(found) == pytest.approx(2 * 5 / 8)


class TestTotals:
    def test_of_a_batch_are_those_of_its_documents(self) -> None:
        whole = Totals.of_documents(together(DOCUMENTS))
        np.testing.assert_allclose(whole.vector, added_up(DOCUMENTS), rtol=1e-15)

    def test_what_is_missing_is_zero(self) -> None:
        given = {"num_pairs": np.array([2.0, 3.0])}
        found = Totals.of_vector(Totals.of_documents(given).vector)
        assert found.sums == {name: 5.0 * (name == "num_pairs") for name in OUTPUTS}
        assert not found.products.any()
        assert not any(found.sketches[name].any() for name in SKETCHES)

    def test_products_are_of_documents_not_of_batches(self) -> None:
        rows = [(1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.0, 8.0)]
        both = together([document(**dict(zip(COMPARED, row, strict=True))) for row in rows])
        expected = np.outer(rows[0], rows[0]) + np.outer(rows[1], rows[1])
        np.testing.assert_array_equal(Totals.of_documents(both).products, expected)


class TestTotalsCombiner:
    def test_merges_in_any_grouping(self) -> None:
        one = combiner()
        parts = [added_up([predictions]) for predictions in DOCUMENTS]
        whole = added_up(DOCUMENTS)
        np.testing.assert_allclose(one.merge_accumulators(parts), whole)
        halves = iter([one.merge_accumulators(parts[:2]), parts[2]])
        np.testing.assert_allclose(one.merge_accumulators(halves), whole)

    def test_counts_on_where_single_precision_would_stand_still(self) -> None:
        # 2^24 + 1 is no float32.
        many = [document(num_pairs=2.0**24), document(num_pairs=1)]
        assert metrics.num_pairs(totals(many)) == 16_777_217

    def test_takes_the_predictions_of_its_model(self) -> None:
        predictions = {
            "candidate": prediction(document(num_pairs=7)),
            "baseline": prediction(document(num_pairs=9)),
        }
        one = combiner("candidate")
        total = one.add_input(one.create_accumulator(), inputs(predictions))
        assert metrics.num_pairs(Totals.of_vector(total)) == 7


@pytest.mark.parametrize("model", ["", "candidate"])
def test_tfma_finds_a_metric_by_its_totals(model: str) -> None:
    made = metrics.TotalsMetric("increase", "common_cross_entropy", code_fingerprint="0123")
    combined, derived = made.computations(model_names=[model])
    [totals_key], [key] = combined.keys, derived.keys
    assert (totals_key.name, totals_key.model_name) == ("_totals", model)
    assert (key.name, key.model_name) == ("increase", model)
    found = derived.result({totals_key: added_up(DOCUMENTS)})
    assert found == {key: pytest.approx(-0.2)}


def test_metrics_share_their_totals() -> None:
    """TFMA drops what is equal: a document's sums are added up once."""
    one, other = (
        metrics.TotalsMetric(name).computations(model_names=["candidate"])[0]
        for name in ("num_pairs", "increase")
    )
    assert one == other
    assert hash(one) == hash(other)


def test_in_beam_documents_are_combined_whatever_the_bundles() -> None:
    def check(combined: list[dict[metric_types.MetricKey, np.ndarray]]) -> None:
        [by_key] = combined
        [total] = by_key.values()
        found = Totals.of_vector(total)
        assert comparison_metrics.increase(found) == pytest.approx(-0.2)
        assert comparison_metrics.increase_error(found) == pytest.approx(math.sqrt(20.48) / 5)

    with beam.Pipeline(argv=list(ON_THIS_MACHINE)) as pipeline:
        combined = (
            pipeline
            | beam.Create(DOCUMENTS)
            | beam.Reshuffle()
            | beam.Map(lambda one: inputs(prediction(one)))
            | beam.CombineGlobally(combiner())
        )
        assert_that(combined, check)
