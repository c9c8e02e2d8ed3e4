"""All figures of pairs, of the whole and of slices, beside NumPy over the full matrix of scores."""

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import tensorflow_model_analysis as tfma

from components.embedding_evaluator.metric_list import BANDS, METRICS, SLICES
from components.embedding_evaluator.metrics import FORMULAS, calibration
from components.embedding_evaluator.pairs import cells as cells_module
from components.embedding_evaluator.pairs import ranking, sampling
from components.embedding_evaluator.pairs.collecting import Block, Pairs, collected
from components.embedding_evaluator.predictions import _Models
from components.embedding_evaluator.totals import TOTALS, Totals
from tests.saved_models import SETTINGS
from tests.trainer_module.evaluation import test_export
from tests.trainer_module.evaluation.test_export import (
    BIASES,
    OBJECTIVES,
    TABLE,
    UNIGRAM,
    WEIGHTS,
    sigmoid_cross_entropy,
    softmax_of,
)
from trainer_module.evaluation.calibration import bin_of
from trainer_module.evaluation.judged_model import JudgedModel
from trainer_module.evaluation.saved_model import SavedModel
from trainer_module.vocabulary import Vocabulary

Array = np.ndarray[Any, Any]
TEXTS = ["ape bee cow", "cow dog bee bee", "", "dog", "ape bee ape bee dog", "cow cow ape"]
EXAMPLES = np.array([test_export.example(text) for text in TEXTS], object)
# What the texts hold within a window of 1: ids by count are ape, bee, cow, dog.
PAIRS = [
    *[(0, 1), (1, 0), (1, 2), (2, 1)],
    *[(2, 3), (3, 2), (3, 1), (1, 3), (1, 1), (1, 1)],
    *[(0, 1), (1, 0), (1, 0), (0, 1), (0, 1), (1, 0), (1, 3), (3, 1)],
    *[(2, 2), (2, 2), (2, 0), (0, 2)],
]
# The first band and its tokens, and so on: the vocabulary does not reach the last band.
ENDS = (1, 3, 10)
BAND_OF = (0, 1, 1, 2)
OF_SLICES = [metric.name for metric in METRICS if metric.sliced]


@pytest.fixture(autouse=True, scope="module")
def small_bands() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (cells_module, ranking):
            patch.setattr(module, "BAND_ENDS", ENDS)
        yield


@pytest.fixture(scope="module")
def transform(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return test_export.transform(tmp_path_factory.mktemp("transform"), "windows")


def saved(transform: Path, folder: Path, objective: str) -> str:
    _, softmax, temperature = OBJECTIVES[objective]
    settings = SETTINGS._replace(
        window=1, softmax=softmax, temperature=temperature, eval_fraction=0.5
    )
    return test_export.save(transform, folder, objective, settings)


@pytest.fixture(scope="module")
def nce(transform: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return saved(transform, tmp_path_factory.mktemp("nce"), "nce")


@pytest.fixture(scope="module")
def exact(nce: str, small_bands: None) -> "list[Row]":
    return evaluated(nce, [EXAMPLES])


class Row(NamedTuple):
    bands: tuple[str, ...]  # by SLICES; empty: of the whole alone
    totals: Array


def rows_of(extracts: dict[str, Any]) -> Iterable[Row]:
    totals = extracts[tfma.PREDICTIONS_KEY][TOTALS]
    features = extracts.get(tfma.FEATURES_KEY, {})
    assert all(features[name].shape == (len(totals), 1) for name in features)
    for nth, row in enumerate(totals):
        yield Row(tuple(features[name][nth, 0].decode() for name in features), row)


def evaluated(folder: str, batches: Sequence[Array], max_targets: int = 1000) -> list[Row]:
    """The rows of the three passes, without Beam."""
    models = _Models(folder, None, "common_cross_entropy", max_targets)
    blocks = defaultdict(list)
    for examples in batches:
        pairs = Pairs.of(models.loaded, examples)
        for block, part in collected(pairs, examples, models.sampling):
            blocks[block].append(part)
    rows, summed = [], []
    for parts in blocks.values():
        block = Block.merged(parts)
        sums, cells = models.judge.judge(block)
        summed.append(sums)
        rows += rows_of(cells.rows(models.judge.cells_of_block(block), None))
    models.remember(summed)
    for examples in batches:
        pairs = Pairs.of(models.loaded, examples)
        if not len(pairs.targets):
            continue
        cells = models.losses.sums(pairs)
        which = np.flatnonzero(cells.found["num_pairs"]).tolist()
        rows += rows_of(cells.rows(which, None))
    return rows


def totals(rows: Iterable[Row], feature: str | None = None, band: str | None = None) -> Totals:
    of_slice = [
        row.totals
        for row in rows
        if feature is None or (row.bands and row.bands[SLICES.index(feature)] == band)
    ]
    return Totals.of_vector(np.sum(of_slice, axis=0))


def scores_of(objective: str) -> tuple[Array, Array]:
    """Raw and corrected ones, `[targets, classes]`, float64."""
    correction, _, temperature = OBJECTIVES[objective]
    raw = TABLE.astype(float) @ WEIGHTS.T.astype(float) / temperature + BIASES
    return raw, raw if correction is None else raw + correction


def rank(objective: str, pair: tuple[int, int]) -> float:
    """By scores in single precision, of which some are equal."""
    correction, _, temperature = OBJECTIVES[objective]
    biases = BIASES if correction is None else BIASES + correction
    scores = TABLE @ WEIGHTS.T / np.float32(temperature) + biases
    target, context = pair
    others = np.delete(scores[target], context)
    own = scores[target, context]
    return float(1 + (others > own).sum() + (others == own).sum() / 2)


def share_below(objective: str, pair: tuple[int, int]) -> float:
    """Of the other classes, how many score lower; of those that score alike, half."""
    return (len(BIASES) - rank(objective, pair)) / (len(BIASES) - 1)


def written_out(
    objective: str, pairs: list[tuple[int, int]], asked: list[tuple[int, list[int]]]
) -> dict[str, float]:
    """Every metric of some pairs, and of what their bins were predicted to hold.

    Args:
      objective: of the model.
      pairs: of a slice.
      asked: targets, each as often as it has pairs, with the classes of the slice.
    """
    raw, corrected = scores_of(objective)
    probabilities = softmax_of(corrected)
    comparable = np.log(probabilities) if OBJECTIVES[objective][1] else corrected
    count = len(pairs)
    softmax = -np.mean([math.log(probabilities[pair]) for pair in pairs])
    unigram = -np.mean([float(UNIGRAM[context]) for _, context in pairs])
    ranks = np.array([rank(objective, pair) for pair in pairs])
    logs = np.array([np.log(np.exp(corrected[target]).sum()) for target, _ in pairs])
    predicted, observed = np.zeros([2, 10])
    for target, classes in asked:
        for class_ in classes:
            predicted[bin_of(probabilities[target, class_])] += probabilities[target, class_]
    for pair in pairs:
        observed[bin_of(probabilities[pair])] += 1
    found = {
        "full_softmax_cross_entropy": softmax,
        "full_sigmoid_cross_entropy": sigmoid_cross_entropy(comparable, pairs) / count,
        "raw_full_softmax_cross_entropy": -np.mean(
            [math.log(softmax_of(raw)[pair]) for pair in pairs]
        ),
        "raw_full_sigmoid_cross_entropy": sigmoid_cross_entropy(raw, pairs) / count,
        "unigram_cross_entropy": unigram,
        "perplexity": math.exp(softmax),
        "gain_over_unigram": unigram - softmax,
        "least_gain_over_unigram": unigram - softmax,
        "recall_at_1": np.mean(ranks <= 1),
        "recall_at_10": 1.0,
        "recall_at_100": 1.0,
        "ndcg_at_10": np.mean(1 / np.log2(1 + ranks)),  # there are fewer than ten classes
        "mean_reciprocal_rank": np.mean(1 / ranks),
        "mean_rank": ranks.mean(),
        "auc": np.mean([share_below(objective, pair) for pair in pairs]),
        "mean_log_partition": logs.mean(),
        "std_log_partition": logs.std(),
        "expected_calibration_error": np.abs(observed - predicted).sum() / count,
        "num_pairs": count,
    }
    return found | {
        name: 0.0 for name in OF_SLICES if name.endswith("_error") and name not in found
    }


def check(found: Totals, expected: dict[str, float]) -> None:
    assert set(expected) == set(OF_SLICES)
    for name, value in expected.items():
        assert FORMULAS[name](found) == pytest.approx(value, rel=2e-5, abs=2e-5), name


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_figure_of_the_whole_and_of_each_slice(
    transform: Path, tmp_path: Path, objective: str
) -> None:
    rows = evaluated(saved(transform, tmp_path, objective), [EXAMPLES])
    every = list(range(len(BIASES)))
    check(totals(rows), written_out(objective, PAIRS, [(target, every) for target, _ in PAIRS]))
    for place, feature in enumerate(SLICES):
        for band in range(3):
            pairs = [pair for pair in PAIRS if BAND_OF[pair[place]] == band]
            in_band = [class_ for class_ in every if BAND_OF[class_] == band]
            asked = (
                [(target, every) for target, _ in pairs]
                if feature == "target_frequency"
                else [(target, in_band) for target, _ in PAIRS]
            )
            found = totals(rows, feature, BANDS[band])
            check(found, written_out(objective, pairs, asked))
    assert not [row for row in rows if BANDS[3] in row.bands]


def test_the_table_of_calibration(exact: list[Row]) -> None:
    found = calibration(totals(exact))
    probabilities = softmax_of(scores_of("nce")[1])
    bins = bin_of(probabilities)
    asked = [target for target, _ in PAIRS]
    for nth in range(10):
        in_bin = probabilities[asked][bins[asked] == nth]
        hits = sum(bins[pair] == nth for pair in PAIRS)
        if not len(in_bin):
            assert np.isnan(found[nth, :2]).all()
            continue
        expected = [in_bin.mean(), hits / len(in_bin), hits / len(PAIRS)]
        np.testing.assert_allclose(found[nth], expected, rtol=1e-5)


def test_slices_add_up_to_the_whole(exact: list[Row]) -> None:
    for feature in SLICES:
        of_bands = [totals(exact, feature, band).vector for band in BANDS[:3]]
        np.testing.assert_allclose(np.sum(of_bands, 0), totals(exact).vector, rtol=1e-12)


@pytest.mark.parametrize("batches", [(EXAMPLES[3:], EXAMPLES[:2], EXAMPLES[2:3])], ids=["three"])
def test_any_batches_and_blocks_give_the_same(
    nce: str, exact: list[Row], monkeypatch: pytest.MonkeyPatch, batches: Sequence[Array]
) -> None:
    monkeypatch.setattr(sampling, "_BLOCK", 1)
    found = totals(evaluated(nce, batches)).vector
    np.testing.assert_allclose(found, totals(exact).vector, rtol=1e-6, atol=1e-12)


def test_a_model_that_is_not_finite_has_no_figures(
    transform: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = TABLE.copy()
    table[1] = np.nan
    monkeypatch.setattr(test_export, "TABLE", table)
    found = totals(evaluated(saved(transform, tmp_path, "nce"), [EXAMPLES]))
    for name in ("full_softmax_cross_entropy", "mean_rank", "recall_at_10", "mean_log_partition"):
        assert math.isnan(FORMULAS[name](found)), name


class TestSamples:
    def test_ranked_pairs_stand_for_those_that_were_not_drawn(
        self, nce: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        examples = np.array(
            [test_export.example(f"ape bee cow dog {n} bee cow") for n in range(300)], object
        )
        exact = totals(evaluated(nce, [examples]))
        monkeypatch.setattr(sampling, "_ranked_with", lambda **unused: 0.25)
        rows = evaluated(nce, [examples])
        found = totals(rows)
        assert found.sums["ranked"] == pytest.approx(3000, rel=0.1)
        for name in ("recall_at_1", "mean_reciprocal_rank", "mean_rank"):
            error = FORMULAS[f"{name}_error"](found)
            assert 0 < error < 0.05
            assert abs(FORMULAS[name](found) - FORMULAS[name](exact)) < 3 * error
        # What is not of ranks is of all pairs.
        for name in ("num_pairs", "full_softmax_cross_entropy", "expected_calibration_error"):
            assert FORMULAS[name](found) == pytest.approx(FORMULAS[name](exact), rel=1e-6)
        halves = evaluated(nce, [examples[100:], examples[:100]])
        np.testing.assert_allclose(totals(halves).vector, found.vector, rtol=1e-6, atol=1e-9)

    def test_the_error_beside_its_definition(
        self, nce: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(sampling, "_ranked_with", lambda **unused: 0.5)
        models = _Models(nce, None, "common_cross_entropy", 1000)
        pairs = Pairs.of(models.loaded, EXAMPLES)
        [(_, part)] = collected(pairs, EXAMPLES, models.sampling)
        block = Block.merged([part])
        drawn = np.repeat(
            np.stack([block.pair_targets, block.pair_contexts], 1), block.occurrences, 0
        )
        ranks = np.array([rank("nce", tuple(pair)) for pair in drawn.tolist()])
        assert 0 < len(ranks) < len(PAIRS)
        # Each stands for two; (1 - p) / p^2 is 2.
        error = math.sqrt(2 * ((ranks - ranks.mean()) ** 2).sum()) / (2 * len(ranks))
        found = totals(evaluated(nce, [EXAMPLES]))
        assert FORMULAS["mean_rank"](found) == pytest.approx(ranks.mean())
        assert FORMULAS["mean_rank_error"](found) == pytest.approx(error)

    def test_targets_that_were_not_summed_are_not_ranked(self, nce: str) -> None:
        models = _Models(nce, None, "common_cross_entropy", 1)
        summed = models.sampling.summed
        assert 0 < summed.sum() < 4
        found = totals(evaluated(nce, [EXAMPLES], max_targets=1))
        pairs = [pair for pair in PAIRS if summed[pair[0]]]
        weights = [1 / models.sampling.summed_with[target] for target, _ in pairs]
        assert found.sums["ranked"] == pytest.approx(sum(weights))
        ranks = [rank("nce", pair) for pair in pairs]
        expected = np.average(ranks, weights=weights)
        assert FORMULAS["mean_rank"](found) == pytest.approx(expected)
        assert found.arrays["hits"].sum() == pytest.approx(sum(weights))

    def test_few_scores_are_all_ranked_and_of_many_a_pair_a_target(self) -> None:
        few = {"num_targets": 10_000.0, "num_classes": 20_000}
        assert sampling._ranked_with(num_pairs=4_000_000, **few) == 1
        assert sampling._ranked_with(num_pairs=16_777_216, **few) == 0.5
        many = {"num_targets": 50_000.0, "num_classes": 100_000}
        assert sampling._ranked_with(num_pairs=4_000_000, **many) == 0.0125
        assert sampling._ranked_with(num_pairs=0, **many) == 1
        # 2^32 comparisons are 131,072 pairs.
        some = {"num_targets": 30_000.0, "num_classes": 32_768}
        assert sampling._ranked_with(num_pairs=4 * 131_072, **some) == 0.25

    @pytest.mark.parametrize(("kind", "share"), [("sessions", 1.0), ("text", 0.05)])
    def test_few_held_out_pairs_are_all_ranked_however_many_items_there_are(
        self, kind: str, share: float
    ) -> None:
        # Half a million occurrences of text are held out, of sessions a thousand last items.
        tokens = [f"item {n}".encode() for n in range(1 << 17)]
        counts = np.full(len(tokens), 80)
        table = np.zeros([len(tokens), 1], np.float32)
        held_out = 1_000 if kind == "sessions" else 2_000_000
        model = JudgedModel.of_tables(
            SavedModel(
                SETTINGS._replace(kind=kind, held_out_pairs=held_out),
                Vocabulary(tokens, counts),
                *(table, table, table[:, 0], None, table[:, 0]),
            )
        )
        model.draw(100_000)
        found = sampling.Sampling.of_model(model, 100_000)
        assert found.ranked_with == pytest.approx(share)
        assert found.summed.all() == (kind == "sessions")
