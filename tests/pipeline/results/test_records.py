import datetime
import doctest
import json
from dataclasses import replace
from pathlib import Path

from pipeline.results import records
from pipeline.results.records import Reading, RunRecord
from tests.pipeline.results.summaries import SUMMARY
from trainer_module.training.record import WarmStart

# What summary.json holds, for whoever reads it: names, order and values.
SUMMARY_JSON = """{
  "run": "2026-07-01T10:00:00.000",
  "documents": 1234567,
  "documents_eval": 61728,
  "copies_eval": 1203,
  "corpus": {
    "tokens": 10000000
  },
  "tokens": 9876543,
  "vocabulary_size": 18984,
  "distinct_tokens_left_out": 40123,
  "pairs_train": 50000000,
  "pairs_eval": 2600000,
  "objective": "nce",
  "seed": 1001,
  "train_loss": 1234.56789,
  "sampled_losses": {
    "5": 1.23456,
    "500": 4.0
  },
  "full_loss": 8.41239,
  "evaluations": [
    {
      "step": 800,
      "softmax": 7.61234,
      "sigmoid": 8.5
    },
    {
      "step": 1600,
      "softmax": 7.5,
      "sigmoid": 8.41239
    }
  ],
  "kept_step": 1600,
  "full_softmax_cross_entropy": 7.25,
  "full_sigmoid_cross_entropy": 8.125,
  "raw_full_softmax_cross_entropy": 7.0,
  "raw_full_sigmoid_cross_entropy": 8.0,
  "perplexity": 0.5,
  "unigram_cross_entropy": 7.8,
  "blessed": true,
  "replaced_characters": 12,
  "empty_lines": 0,
  "workers": 2,
  "threads": 4,
  "pairs_per_second": 400000,
  "pairs_per_second_of_workers": [
    200001,
    199999
  ],
  "resumed_at_step": 0,
  "space_id": "0123456789ab",
  "moved": {
    "common_tokens": 18000,
    "neighbor_overlap": 0.5,
    "mean_cosine": 0.75
  },
  "seconds": {
    "Transform": 61.25,
    "Trainer": 1000.5
  },
  "cached": [
    "Transform"
  ],
  "all_cached": false,
  "peak_memory_megabytes": {
    "Transform": 800,
    "Trainer": 1200
  },
  "model_of": "",
  "is_new_version": false,
  "verdict": "it is better"
}"""


def test_a_summary_as_json() -> None:
    assert json.dumps(SUMMARY.as_json(), indent=2) == SUMMARY_JSON


def test_a_summary_says_last_why_its_model_is_not_blessed() -> None:
    withheld = replace(SUMMARY, blessed=False, why_not_blessed="it is worse").as_json()
    assert list(withheld.items())[-1] == ("why_not_blessed", "it is worse")
    assert withheld["blessed"] is False
    assert list(withheld)[:-1] == list(SUMMARY.as_json())


def test_a_summary_of_a_warm_run_says_what_was_taken_over() -> None:
    warm = replace(SUMMARY, warm_start=WarmStart(taken_over=9, new=2, dropped=1)).as_json()
    assert warm.pop("warm_start") == {"taken_over": 9, "new": 2, "dropped": 1}
    assert warm == SUMMARY.as_json()


def test_what_was_read(tmp_path: Path) -> None:
    path = tmp_path / "reading.json"
    path.write_text(
        '{"files": 2, "documents": 7, "documents_eval": 2, "copies_eval": 1, "empty_lines": 1,'
        ' "replaced_characters": 3, "bytes": 99, "nodes": 4, "edges": 5, "walks": 0}'
    )
    assert Reading.read(path) == Reading(
        documents=7,
        documents_eval=2,
        copies_eval=1,
        replaced_characters=3,
        empty_lines=1,
        of_kind={"edges": 5, "nodes": 4},
    )


def test_nothing_new_is_what_all_came_from_the_cache_and_served_nothing_else() -> None:
    assert replace(SUMMARY, all_cached=True).is_unchanged
    for change in ({"all_cached": False}, {"blessed": False}, {"is_new_version": True}):
        assert not replace(SUMMARY, **{"all_cached": True, **change}).is_unchanged


def test_a_run_is_called_by_its_number_and_one_of_an_older_version_by_its_time() -> None:
    ids = ["20261124030000", "20261124030000-0123456789ab", "2026-11-22T12:00:00.005"]
    started = datetime.datetime(2026, 7, 1)
    names = [RunRecord(run_id, started, "a.txt", "blessed", {}).name for run_id in ids]
    assert names == ["20261124030000", "20261124030000", "2026-11-22T12:00:00.005"]


def test_a_run_of_the_store_may_have_come_to_nothing() -> None:
    started = datetime.datetime(2026, 7, 1)
    failed = RunRecord("1", started, "a.txt", "failed", {"error": "no pairs"})
    assert (failed.error, failed.objective) == ("no pairs", None)
    assert failed.full_softmax_cross_entropy is failed.unigram_cross_entropy is None
    ended = RunRecord("2", started, "a.txt", "blessed", SUMMARY.as_json())
    assert (ended.error, ended.objective) == (None, "nce")
    assert (ended.full_softmax_cross_entropy, ended.unigram_cross_entropy) == (7.25, 7.8)


def test_its_examples_run() -> None:
    assert doctest.testmod(records) == (0, 2)
