import pytest

from components.embedding_evaluator.metric_list import METRICS
from components.embedding_evaluator.thresholds import EXAMPLE, Threshold


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mean_rank<=900", Threshold("mean_rank", None, is_least=False, bound=900.0)),
        (
            " recall_at_10 [ target_frequency = 10001- ] >= 5e-2 ",
            Threshold("recall_at_10", ("target_frequency", "10001-"), is_least=True, bound=0.05),
        ),
        # Nobody can say in which direction it is better.
        ("mean_log_partition >= -1", Threshold("mean_log_partition", None, True, -1.0)),
        ("mean_log_partition <= 1", Threshold("mean_log_partition", None, False, 1.0)),
    ],
)
def test_reads(text: str, expected: Threshold) -> None:
    found = Threshold.parse(text)
    assert found == expected
    assert Threshold.parse(str(found)) == expected


def test_the_example_is_one() -> None:
    assert str(Threshold.parse(EXAMPLE)) == EXAMPLE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mean_rank", "is no threshold: write one as 'recall_at_10"),
        ("mean_rank < 3", "is no threshold"),
        ("mean_rank <= many", "'many' is no number"),
        ("recal <= 3", "there is no recal; there are full_softmax_cross_entropy, "),
        ("least_gain_over_unigram >= 0", "there is no least_gain_over_unigram"),
        ("recall_at_10 <= 0.5", "recall_at_10 is better the higher it is, so .* has >="),
        ("mean_rank >= 3", "mean_rank is better the lower it is, so .* has <="),
        ("increase[target_frequency=1-100] <= 0", "there is no increase; a slice has full_soft"),
        ("mean_rank[frequency=1-100] <= 3", "no slices frequency; .* target_frequency, context_"),
        ("mean_rank[target_frequency=1-10] <= 3", "no target_frequency 1-10; there are 1-100, "),
    ],
)
def test_says_what_is_wrong_and_what_there_is(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Threshold.parse(text)


@pytest.mark.parametrize(("value", "expected"), [(3.0, True), (3.1, False), (float("nan"), False)])
def test_no_number_meets_none(value: float, expected: bool) -> None:
    assert Threshold.parse("mean_rank <= 3").is_met(value) is expected
    assert Threshold.parse("recall_at_1 >= -3").is_met(-value) is expected


def test_errors_that_slices_have_are_of_metrics_that_they_have() -> None:
    names = {one.name for one in METRICS if one.sliced}
    for one in METRICS:
        if one.is_error:
            assert one.name.removesuffix("_error") in names
