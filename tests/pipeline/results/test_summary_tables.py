"""The summary on the screen."""

import doctest
import math
from dataclasses import replace

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from pipeline.results import summary_tables
from pipeline.results.embeddings import Embeddings
from pipeline.results.records import Summary
from tests.pipeline.results.screens import CONTROLS, SHOWN, printed, rows
from tests.pipeline.results.summaries import SUMMARY
from trainer_module.training.record import Evaluation, WarmStart

AS_IT_SHOULD_BE = replace(
    SUMMARY,
    copies_eval=0,
    replaced_characters=0,
    empty_lines=0,
    distinct_tokens_left_out=0,
    seed=1,
    workers=1,
    threads=1,
)


def summary_rows(summary: Summary) -> list[list[str]]:
    return rows(summary_tables.summary_table(summary))


class TestSummaryTable:
    def test_has_a_line_a_figure(self):
        assert summary_rows(SUMMARY) == [
            ["run", "2026-07-01T10:00:00.000"],
            ["documents", "1,234,567, 61,728 of them held out"],
            ["tokens", "9,876,543"],
            ["vocabulary", "18,984 tokens, 40,123 rarer ones left out"],
            ["near-copies held out", "1,203"],
            ["replaced characters", "12"],
            ["objective", "nce"],
            ["seed", "1,001"],
            ["workers", "2"],
            ["threads", "4"],
            ["training pairs", "50,000,000"],
            ["held-out pairs", "2,600,000"],
            ["training loss", "1,234.5679 nats"],
            ["speed", "400,000 pairs/s"],
            ["time", "1,061.8 s"],
            ["full softmax cross-entropy", "7.2500 nats"],
            ["full sigmoid cross-entropy", "8.1250 nats"],
            ["unigram cross-entropy", "7.8000 nats"],
            ["perplexity", "0.5"],
            ["blessed", "yes"],
        ]

    def test_leaves_out_what_is_as_it_should_be(self):
        assert [name for name, _ in summary_rows(AS_IT_SHOULD_BE)] == [
            *("run", "documents", "tokens", "vocabulary", "objective"),
            *("training pairs", "held-out pairs", "training loss", "speed", "time"),
            *("full softmax cross-entropy", "full sigmoid cross-entropy"),
            *("unigram cross-entropy", "perplexity", "blessed"),
        ]
        assert ["vocabulary", "18,984 tokens"] in summary_rows(AS_IT_SHOULD_BE)
        assert ["empty lines", "3"] in summary_rows(replace(AS_IT_SHOULD_BE, empty_lines=3))

    def test_says_what_was_read_of_a_graph(self):
        graph = replace(AS_IT_SHOULD_BE, read={"edges": 5278, "isolated_nodes": 12})
        rows = summary_rows(graph)
        assert rows[2:4] == [["edges", "5,278"], ["nodes without an edge to train on", "12"]]

    @pytest.mark.parametrize(
        ("read", "label"),
        [
            ({"sessions": 9}, "held-out pairs that have copies"),
            ({"pairs": 9}, "held-out pairs that have copies"),
            ({"edges": 9, "nodes": 3}, "held-out edges that have copies"),
            ({"files_like_edges": 1}, "near-copies held out"),  # a text
        ],
    )
    def test_copies_are_of_what_the_kind_holds_out(self, read, label):
        kind = replace(AS_IT_SHOULD_BE, read=read, copies_eval=4)
        [row] = [row for row in summary_rows(kind) if "cop" in row[0]]
        assert row == [label, "4"]

    def test_that_it_is_not_blessed_stands_out_with_and_without_colours(self):
        withheld = replace(SUMMARY, blessed=False)
        assert summary_rows(withheld)[-1] == ["blessed", "NO, and not pushed"]
        table = summary_tables.summary_table(withheld)
        assert "\x1b[1;31mNO, and not pushed" in printed(table, in_color=True)
        assert "\x1b" not in printed(table)

    def test_says_what_a_warm_run_took_over(self):
        warm = replace(SUMMARY, warm_start=WarmStart(taken_over=9000, new=2, dropped=1))
        assert ["warm start", "9,000 taken over, 2 new, 1 dropped"] in summary_rows(warm)

    def test_puts_standard_errors_beside_what_they_are_of(self):
        metrics = {
            "full_softmax_cross_entropy": 7.25,
            "full_softmax_cross_entropy_error": 0.00126,
            "common_cross_entropy": 7.99731,
            "common_cross_entropy_of_last_blessed": 8.05131,
            "increase": -0.0540,
            "increase_error": 0.00304,
            "raw_full_softmax_cross_entropy": 7.0,
            "recall_at_10": 0.2,
            "recall_at_10_error": 0.01,
            "expected_calibration_error": 0.05,
            "num_common_pairs": 16997.0,
        }
        assert summary_rows(replace(AS_IT_SHOULD_BE, metrics=metrics))[-7:-1] == [
            ["full softmax cross-entropy", "7.2500 +- 0.0013 nats"],
            ["recall at 10 (HR@10)", "20.0% +- 1.0%"],
            ["expected calibration error", "5.0%"],
            ["common cross-entropy", "7.9973 nats"],
            ["common cross-entropy of last blessed", "8.0513 nats"],
            ["increase", "-0.0540 +- 0.0030 nats"],
        ]

    def test_says_what_sets_and_exports_came_to(self):
        asked = {
            "similarity": {"men.txt": {"spearman": 0.59149, "pairs": 3000, "known_pairs": 2875}},
            "analogies": {
                "questions.txt": {
                    "cos_add": 0.324,
                    "cos_mul": 0.336,
                    "questions": 19544,
                    "known_questions": 10000,
                    "sections": {},
                },
                "other.txt": {
                    "cos_add": None,
                    "cos_mul": None,
                    "questions": 5,
                    "known_questions": 0,
                    "sections": {},
                },
            },
            "exports": {"faiss": {"files": [], "recall_at_10": 0.99874}, "npy": {"files": []}},
        }
        assert summary_rows(replace(AS_IT_SHOULD_BE, metrics={}, **asked))[-5:-1] == [
            ["similarity men.txt", "0.591 Spearman, 2,875 of 3,000 pairs known"],
            [
                "analogies questions.txt",
                "3CosAdd 32.4%, 3CosMul 33.6%, 10,000 of 19,544 questions known",
            ],
            ["analogies other.txt", "0 of 5 questions known"],
            ["faiss recall at 10", "99.87%"],
        ]

    def test_of_controls_and_of_what_rich_would_take_for_its_own(self):
        assert summary_rows(replace(SUMMARY, run=CONTROLS))[0] == ["run", SHOWN]
        for run in ("[b]", "[/]", ":heart:", "\\["):
            assert summary_rows(replace(SUMMARY, run=run))[0] == ["run", run]


def test_metrics_table_shows_what_people_see():
    table = summary_tables.metrics_table(
        {"unigram_cross_entropy": 7.5, "raw_full_softmax_cross_entropy": 7.0, "num_pairs": 10.0}
    )
    assert rows(table) == [["unigram cross-entropy", "7.5000 nats"]]


def evaluated(number: int, best: int) -> tuple[Evaluation, ...]:
    return tuple(
        Evaluation(100 * (at + 1), 7.0 + (at != best), 8.0 + (at != best)) for at in range(number)
    )


class TestEvaluationsTable:
    def test_shows_the_steps_and_which_is_kept(self):
        assert rows(summary_tables.evaluations_table(SUMMARY)) == [
            ["800", "7.6123", "8.5000"],
            ["1,600 (kept)", "7.5000", "8.4124"],
        ]
        last_kept = summary_tables.evaluations_table(replace(SUMMARY, kept_step=800))
        assert [step for step, _, _ in rows(last_kept)] == ["800 (kept)", "1,600 (best)"]

    def test_marks_none_as_kept_where_the_model_of_the_end_is_another(self):
        table = summary_tables.evaluations_table(replace(SUMMARY, kept_step=1700))
        assert "kept" not in printed(table)

    def test_the_best_is_by_the_family_of_the_objective(self):
        taken = Evaluation(1, 7.0, 9.0), Evaluation(2, 8.0, 8.0), Evaluation(3, 9.0, 9.0)
        for objective, best in (("nce", "2 (best)"), ("sampled_softmax", "1 (best)")):
            summary = replace(SUMMARY, objective=objective, evaluations=taken, kept_step=3)
            steps = [step for step, _, _ in rows(summary_tables.evaluations_table(summary))]
            assert best in steps
            assert "3 (kept)" in steps

    def test_shows_ten_of_many(self):
        # Evenly: 1, 4, 8, 11, 15, 18, 22, 25, 29, 32; the best is nearest to 8, the kept to 29.
        many = replace(SUMMARY, evaluations=evaluated(32, best=8), kept_step=2800)
        table = summary_tables.evaluations_table(many)
        assert [step for step, _, _ in rows(table)] == [
            *("100", "400", "900 (best)", "1,100", "1,500", "1,800", "2,200", "2,500"),
            *("2,800 (kept)", "3,200"),
        ]
        assert printed(table).startswith("Held out (nats), 10 of 32 evaluations")


@given(st.data(), st.integers(1, 60), st.integers(4, 12))
def test_positions_are_spread_and_hold_what_is_wanted(data, length, most):
    wanted = data.draw(st.sets(st.integers(0, length - 1), max_size=2))
    found = summary_tables.evenly(length, most, wanted)
    assert len(found) == min(length, most)
    assert found == sorted(set(found))
    assert {0, length - 1} | wanted <= set(found)
    # Two wanted ones may take two from one place, and no gap is more than three of the even ones.
    gaps = np.diff(found)
    assert len(gaps) == 0 or max(gaps) <= 3 * math.ceil((length - 1) / (most - 1))


class TestApproximationTable:
    def test_ends_with_the_whole_vocabulary(self):
        assert rows(summary_tables.approximation_table(SUMMARY)) == [
            ["5", "1.2346"],
            ["500", "4.0000"],
            ["all 18,984", "8.4124"],
        ]

    def test_of_a_tiny_vocabulary_has_the_full_loss_alone(self):
        tiny = replace(SUMMARY, vocabulary_size=4, sampled_losses={})
        assert rows(summary_tables.approximation_table(tiny)) == [["all 4", "8.4124"]]


class TestNeighborsTable:
    def test_shows_frequent_words_with_theirs(self):
        tokens = ["time", "life", "day"]
        vectors = np.array([[1, 0], [1, 1], [0, 1]], np.float32)
        # Too few are long: any will do.
        assert rows(summary_tables.neighbors_table(Embeddings(tokens, vectors))) == [
            ["time", "life, day"],
            ["life", "time, day"],
            ["day", "life, time"],
        ]

    def test_shows_items_too(self):
        vectors = np.array([[1, 0], [1, 1], [0, 1]], np.float32)
        table = summary_tables.neighbors_table(Embeddings(["17", "b-2", CONTROLS], vectors))
        assert rows(table) == [["17", f"b-2, {SHOWN}"], ["b-2", f"17, {SHOWN}"], [SHOWN, "b-2, 17"]]


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(0.12345, "share", "12.3%"), (1234.4, "pairs", "1,234"), (17.25, "rank", "17.2")],
)
def test_figures_have_their_units(value, unit, shown):
    assert summary_tables.figure(value, unit) == shown


def test_its_examples_run():
    found = doctest.testmod(summary_tables)
    assert found.attempted
    assert not found.failed
