"""The measure beside its definition: each class held against each context, one by one."""

import math
from typing import get_args

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from components.embedding_evaluator.metric_list import RANK_METRICS
from components.hyperparameter_tuner import measures
from components.hyperparameter_tuner.measures import MEASURES, measure
from pipeline.sections.corpus import Kind
from trainer_module.evaluation.cross_entropies import Parameters
from trainer_module.input_pipeline.splits import Pairs


def model(target_table, context_weights, biases, correction=None, temperature=1.0) -> Parameters:
    tables = (tf.Variable(np.array(t, np.float32)) for t in (target_table, context_weights, biases))
    corrected = None if correction is None else tf.constant(correction, tf.float32)
    return Parameters(*tables, corrected, False, temperature)


def pairs_of(*pairs: tuple[int, int]) -> Pairs:
    targets, contexts = zip(*pairs, strict=True)
    return Pairs(tf.constant(targets, tf.int32), tf.constant(contexts, tf.int32))


def written_out(parameters: Parameters, pairs: Pairs, shift) -> list[float]:
    """The ranks by their definition."""
    found = []
    correction = 0.0 if parameters.correction is None else parameters.correction.numpy()
    for target, context in zip(pairs.targets.numpy(), pairs.contexts.numpy(), strict=True):
        products = parameters.context_weights.numpy() @ parameters.target_table.numpy()[target]
        scores = products / parameters.temperature + parameters.context_biases.numpy()
        scores = scores + correction + shift
        others = np.delete(scores, context)
        own = scores[context]
        found.append(1.0 + (others > own).sum() + (others == own).sum() / 2)
    return found


def test_by_hand() -> None:
    # Scores of target 0: 3, 2, 1; of target 1: 0, 5, 5.
    parameters = model([[1, 0], [0, 1]], [[3, 0], [2, 5], [1, 5]], [0, 0, 0])
    pairs = pairs_of((0, 2), (1, 1), (0, 0))
    none = np.zeros(3, np.float32)
    assert measures.ranks(parameters, pairs, none).tolist() == [3, 1.5, 1]
    found, blocks = measure("mean_reciprocal_rank", parameters, pairs, none)
    assert found == pytest.approx((1 / 3 + 2 / 3 + 1) / 3)
    assert blocks == pytest.approx([1 / 3, 2 / 3, 1])
    found, _ = measure("ndcg_at_10", parameters, pairs, none)
    assert found == pytest.approx((1 / math.log2(4) + 1 / math.log2(2.5) + 1) / 3)
    # Two more for class 2 put it before class 1, and level with class 0.
    shift = np.array([0, 0, 2], np.float32)
    assert measures.ranks(parameters, pairs, shift).tolist() == [1.5, 2, 1.5]


@given(
    seed=st.integers(0, 10_000),
    num_pairs=st.integers(1, 60),
    at_once=st.sampled_from([1, 2, 512]),
    is_corrected=st.booleans(),
)
@settings(max_examples=60)
def test_ranks_beside_their_definition(
    seed: int, num_pairs: int, at_once: int, is_corrected: bool
) -> None:
    random = np.random.default_rng(seed)
    targets, classes, dim = 7, 12, 2
    # Small whole numbers, so that sums are exact and many scores are equal.
    parameters = model(
        random.integers(-2, 3, [targets, dim]),
        random.integers(-2, 3, [classes, dim]),
        random.integers(-2, 3, classes),
        random.integers(-2, 3, classes) if is_corrected else None,
        temperature=0.5,
    )
    pairs = pairs_of(
        *zip(
            random.integers(0, targets, num_pairs).tolist(),
            random.integers(0, classes, num_pairs).tolist(),
            strict=True,
        )
    )
    shift = random.integers(-2, 3, classes).astype(np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measures, "_TARGETS_AT_ONCE", at_once)
        found = measures.ranks(parameters, pairs, shift)
    assert found.tolist() == written_out(parameters, pairs, shift)


def test_scores_may_have_any_scale() -> None:
    random = np.random.default_rng(1)
    tables = random.normal(size=[5, 3]), random.normal(size=[9, 3])
    pairs = pairs_of(*((int(t), int(c)) for t, c in random.integers(0, 5, [40, 2])))
    none = np.zeros(9, np.float32)
    one, other = (
        measures.ranks(model(tables[0] * scale, tables[1], np.zeros(9)), pairs, none)
        for scale in (1.0, 8.0)
    )
    assert one.tolist() == other.tolist()


def test_blocks_hold_all_pairs_in_their_order() -> None:
    random = np.random.default_rng(1)
    parameters = model(random.normal(size=[5, 3]), random.normal(size=[5, 3]), np.zeros(5))
    pairs = pairs_of(*((int(t), int(c)) for t, c in random.integers(0, 5, [250, 2])))
    none = np.zeros(5, np.float32)
    found, blocks = measure("mean_reciprocal_rank", parameters, pairs, none)
    figures = 1 / np.array(written_out(parameters, pairs, none))
    assert len(blocks) == 100
    # 50 blocks of three, then 50 of two.
    assert blocks[:2] == pytest.approx([figures[:3].mean(), figures[3:6].mean()])
    assert blocks[-1] == pytest.approx(figures[-2:].mean())
    assert found == pytest.approx(figures.mean())


def test_each_kind_has_a_measure_of_ranks_of_which_more_is_better() -> None:
    assert set(MEASURES) == set(get_args(Kind))
    assert set(MEASURES.values()) <= set(RANK_METRICS) - {"mean_rank"}
