import datetime
import json
import math
from dataclasses import replace
from pathlib import Path

from pipeline.results import closing
from pipeline.results.records import Blessing, RunRecord
from tests.pipeline.results.summaries import SUMMARY

RUN, LAST = "20260702030000", "20260701030000"
TONIGHT = replace(
    SUMMARY,
    run=RUN,
    model_of=RUN,
    version=RUN,
    moved=None,
    last_blessed={"run": LAST, "documents": 1234600, "tokens": 9876543, "vocabulary_size": 18000},
)


def lines(summary, output: Path = Path("/o")) -> list[str]:
    return [line.plain for line in closing.closing_lines(summary, output)]


def test_tonight_beside_the_last_blessed_run() -> None:
    beside, places = lines(TONIGHT)
    assert beside == (
        f"beside run {LAST}: documents 1,234,567 (-33), tokens 9,876,543 (+0), "
        "vocabulary_size 18,984 (+984)"
    )
    assert places == f"in /o: vectors/ and serving/{RUN}; logs/{RUN}"


def test_with_what_both_models_were_compared_by() -> None:
    metrics = {"common_cross_entropy": 7.99731, "increase": -0.0540, "increase_error": 0.00304}
    assert lines(replace(TONIGHT, metrics=metrics))[0].endswith(
        ", common_cross_entropy 7.9973 (-0.0540 +- 0.0030)"
    )


def test_without_a_pair_in_common() -> None:
    metrics = {"common_cross_entropy": math.nan, "increase": math.nan, "increase_error": math.nan}
    assert lines(replace(TONIGHT, metrics=metrics)) == lines(replace(TONIGHT, metrics={}))


def test_with_what_moved() -> None:
    moved = {"neighbor_overlap": 0.81249, "mean_cosine": 0.9, "common_tokens": 5}
    summary = replace(TONIGHT, moved=moved)
    assert lines(summary)[0].endswith(", neighbor_overlap 0.812, mean_cosine 0.900")
    summary = replace(TONIGHT, moved={"neighbor_overlap": None})
    assert "neighbor_overlap" not in lines(summary)[0]


def test_figures_that_the_last_run_lacks_are_left_out() -> None:
    old = replace(TONIGHT, last_blessed={"run": LAST, "tokens": 1})
    assert lines(old)[0] == f"beside run {LAST}: tokens 9,876,543 (+9,876,542)"
    older = replace(TONIGHT, last_blessed={"run": LAST})
    assert lines(older)[0] == f"beside run {LAST}"


def test_the_first_run_stands_alone() -> None:
    alone = replace(TONIGHT, last_blessed=None, blessed=False, version=None)
    assert lines(alone) == [
        "beside no other run: there was no blessed model to compare this one with",
        f"in /o: logs/{RUN}",
    ]


def test_the_formats_that_were_asked_for_are_told() -> None:
    exports = {"word2vec": {"files": []}}
    assert lines(replace(TONIGHT, exports=exports)) == lines(TONIGHT)
    exports |= {"npy": {"files": []}, "faiss": {"files": [], "recall_at_10": 0.98765}}
    assert lines(replace(TONIGHT, exports=exports))[1] == (
        f"in /o: vectors/ (also for npy, faiss) and serving/{RUN}; logs/{RUN}"
    )


def test_a_withheld_run_and_one_from_the_cache_say_whose_is_what(tmp_path: Path) -> None:
    (tmp_path / "tensorboard" / LAST).mkdir(parents=True)
    withheld = replace(TONIGHT, blessed=False, version=LAST, model_of=LAST)
    assert lines(withheld, tmp_path)[1] == (
        f"in {tmp_path}: vectors/ and serving/{LAST} as before; logs/{RUN}, tensorboard/{LAST}, "
        f"its model from run {LAST}"
    )


def test_where_the_report_lies(tmp_path: Path) -> None:
    (tmp_path / "report.html").touch()
    assert lines(TONIGHT, tmp_path)[-1] == f"report: {tmp_path}/report.html"


def test_runs_for_programs() -> None:
    started = datetime.datetime(2026, 7, 1, 3, 0)
    records = [
        RunRecord(f"{RUN}-0123456789ab", started, "b.txt", "failed", {"error": "no pairs"}),
        RunRecord(LAST, started, "a.txt", "not blessed", {"tokens": 5}),
    ]
    given = [Blessing(LAST, "ann", "it is fine", "2026-07-01T08:00:00")]
    assert json.loads(json.dumps(closing.runs_as_json(records, LAST, given))) == [
        {
            "error": "no pairs",
            "run": RUN,
            "started": "2026-07-01T03:00:00",
            "corpus_files": "b.txt",
            "status": "failed",
            "served": False,
            "blessings": [],
        },
        {
            "tokens": 5,
            "run": LAST,
            "started": "2026-07-01T03:00:00",
            "corpus_files": "a.txt",
            "status": "not blessed",
            "served": True,
            "blessings": [
                {
                    "run": LAST,
                    "by": "ann",
                    "reason": "it is fine",
                    "at": "2026-07-01T08:00:00",
                }
            ],
        },
    ]


def test_blessings_by_hand_the_last_one_first() -> None:
    given = [
        Blessing(LAST, "ann", "it is fine", "2026-07-01T08:00:00"),
        Blessing(RUN, "bob", "\x1b[2J", "2026-07-02T08:00:00"),
    ]
    assert [line.plain for line in closing.by_hand(given)] == [
        rf"{RUN} blessed by bob on 2026-07-02 08:00:00: \x1b[2J",
        f"{LAST} blessed by ann on 2026-07-01 08:00:00: it is fine",
    ]
