"""What a rank adds to the metrics, by hand and beside a count of the classes one by one."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.embedding_evaluator.metric_list import RANK_METRICS
from components.embedding_evaluator.pairs.ranking import rank_figures


def figures(ranks: list[float], num_classes: int) -> dict[str, list[float]]:
    found = rank_figures(np.array(ranks), num_classes)
    return dict(zip(RANK_METRICS, found.T.tolist(), strict=True))


def test_by_hand() -> None:
    found = figures([1, 3, 10, 10.5, 21], 21)
    assert found["recall_at_10"] == [1, 1, 1, 0, 0]
    # log2 of 2, 4 and 11; from beyond the tenth place nothing.
    assert found["ndcg_at_10"] == pytest.approx([1, 0.5, 0.2890648, 0, 0])
    # Of 20 others all, 18, 11, 10 and one that is equal, none score lower.
    assert found["auc"] == pytest.approx([1, 0.9, 0.55, 0.525, 0])


def test_without_a_rank_there_are_no_figures() -> None:
    assert all(math.isnan(values[0]) for values in figures([math.nan], 5).values())


def test_of_a_single_class_there_is_no_other_to_beat() -> None:
    assert figures([1.0], 1)["auc"] == [0]


@given(st.lists(st.integers(0, 6), min_size=2, max_size=40), st.data())
def test_beside_a_count_of_the_classes(scores: list[int], data: st.DataObject) -> None:
    context = data.draw(st.integers(0, len(scores) - 1))
    others = [score for place, score in enumerate(scores) if place != context]
    own = scores[context]
    above = sum(score > own for score in others)
    equal = sum(score == own for score in others)
    found = figures([1 + above + equal / 2], len(scores))
    # The chance that it beats another class, drawn uniformly; of equal ones a coin decides.
    beaten = sum(1.0 if own > score else 0.5 if own == score else 0.0 for score in others)
    assert found["auc"][0] == pytest.approx(beaten / len(others))
    place = 1 + above + equal / 2
    gain = 1 / math.log2(1 + place) if place <= 10 else 0.0
    assert found["ndcg_at_10"][0] == pytest.approx(gain)
