"""Two runs beside each other."""

from pipeline.results.report.side_by_side import differing_table, figures_table, side_by_side
from tests.pipeline.results.report.made_up import record


def test_which_is_better_is_what_the_metric_says() -> None:
    first = record("20261127064419", full_softmax_cross_entropy=7.5, recall_at_10=0.125)
    second = record("20261128064419", full_softmax_cross_entropy=7.25, recall_at_10=0.1)
    figures = {one.name: one for one in side_by_side(first, second).figures}
    assert figures["full_softmax_cross_entropy"].difference == -0.25
    assert figures["full_softmax_cross_entropy"].better == "second"
    assert figures["recall_at_10"].better == "first"
    assert figures["unigram_cross_entropy"].better is None
    assert figures["vocabulary_size"].better is None


def test_a_figure_that_one_lacks_is_shown_and_not_compared() -> None:
    second = record("20261128064419")
    del second.result["recall_at_10"]  # type: ignore[attr-defined]
    found = side_by_side(record("20261127064419"), second)
    [recall] = [one for one in found.figures if one.name == "recall_at_10"]
    assert (recall.first, recall.second, recall.difference, recall.better) == (
        *(0.14, None, None, None),
    )
    rows = {row[0]: row[1:] for row in figures_table(found).rows}
    assert rows["recall_at_10"] == ("14.0 %", "", "", "")


def test_figures_of_intrinsic_sets_are_of_the_same_words_and_can_be_compared() -> None:
    sets = {"similarity": {"words": {"spearman": 0.5, "pairs": 9, "known_pairs": 9}}}
    first = record("20261127064419", vocabulary_size=20_000)
    second = record("20261128064419", **sets)
    assert "similarity/words" in {one.name for one in side_by_side(first, second).figures}
    sets = {"similarity": {"words": {"spearman": 0.25, "pairs": 9, "known_pairs": 9}}}
    found = side_by_side(record("20261127064419", vocabulary_size=20_000, **sets), second)
    [one] = [one for one in found.figures if one.name == "similarity/words"]
    assert (one.difference, one.better) == (0.25, "second")


def test_only_what_differs_of_what_was_given_is_listed() -> None:
    first, second = record("20261127064419"), record("20261128064419")
    second.result["configuration"]["trainer"]["dim"] = 100
    found = side_by_side(first, second)
    assert found.differing == {"trainer.dim": (50, 100)}
    assert differing_table(found).rows == [("trainer.dim", "50", "100")]


def test_a_caution_where_figures_are_of_other_pairs_or_vocabularies() -> None:
    first = record("20261127064419")
    assert side_by_side(first, record("20261128064419")).caution is None
    grown = record("20261128064419", vocabulary_size=20_000)
    found = side_by_side(first, grown)
    assert "other vocabularies" in (found.caution or "")
    assert {one.better for one in found.figures} == {None}


def test_as_json() -> None:
    first = record("20261127064419", full_softmax_cross_entropy=7.5)
    found = side_by_side(first, record("20261128064419")).as_json()
    assert found["runs"] == ["20261127064419", "20261128064419"]
    assert found["figures"]["full_softmax_cross_entropy"] == {
        "name": "full_softmax_cross_entropy",
        "first": 7.5,
        "second": 7.25,
        "better": "second",
        "difference": -0.25,
    }
