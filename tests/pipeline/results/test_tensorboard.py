"""Read back by TensorBoard itself: its reader of events, its projector's plugin."""

import datetime
import doctest
import json
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest
from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin
from werkzeug.test import Client

from pipeline.results import tensorboard
from pipeline.results.embeddings import Embeddings
from pipeline.results.records import RunRecord, Summary
from tests.pipeline.results.summaries import SUMMARY
from tests.tensorboards import scalars, shown_runs, tags, wall_times
from trainer_module.evaluation import word2vec_format
from trainer_module.training.record import HELD_OUT_SIGMOID, HELD_OUT_SOFTMAX

RUNS = ["20260701030000", "20260702030000", "20260703030000"]
TONIGHT = replace(SUMMARY, run=RUNS[2], model_of=RUNS[2])


def compared(increase: float) -> Summary:
    return replace(TONIGHT, metrics={**SUMMARY.metrics, "increase": increase})


class TestTheLineOfTheLastBlessedModel:
    """SUMMARY ends, and is kept, at step 1600 with 7.5 and 8.41239; its first step is 800."""

    @pytest.mark.parametrize("metric", ["common_cross_entropy", "full_softmax_cross_entropy"])
    def test_is_as_far_from_the_end_as_the_gate_found(self, tmp_path: Path, metric: str):
        # Tonight's is 0.25 nats lower: the last one's stands above it.
        tensorboard.write_last_blessed(tmp_path, compared(-0.25), metric)
        assert shown_runs(tmp_path) == {"last_blessed"}
        assert tags(tmp_path / "last_blessed") == {HELD_OUT_SOFTMAX}
        line = scalars(tmp_path / "last_blessed", HELD_OUT_SOFTMAX)
        assert line == [(800, 7.75), (1600, 7.75)]

    def test_goes_with_the_metric_that_is_compared(self, tmp_path: Path):
        tensorboard.write_last_blessed(tmp_path, compared(0.5), "full_sigmoid_cross_entropy")
        line = scalars(tmp_path / "last_blessed", HELD_OUT_SIGMOID)
        assert line == [(800, pytest.approx(7.91239)), (1600, pytest.approx(7.91239))]

    def test_is_beside_the_model_that_is_kept(self, tmp_path: Path):
        best = replace(compared(0.5), kept_step=800)  # 7.61234
        tensorboard.write_last_blessed(tmp_path, best, "common_cross_entropy")
        line = scalars(tmp_path / "last_blessed", HELD_OUT_SOFTMAX)
        assert line == [(800, pytest.approx(7.11234)), (1600, pytest.approx(7.11234))]

    def test_of_one_evaluation_is_a_point(self, tmp_path: Path):
        one = replace(compared(0.5), evaluations=SUMMARY.evaluations[1:])
        tensorboard.write_last_blessed(tmp_path, one, "common_cross_entropy")
        assert scalars(tmp_path / "last_blessed", HELD_OUT_SOFTMAX) == [(1600, 7.0)]

    @pytest.mark.parametrize(
        "summary", [TONIGHT, compared(math.nan), replace(compared(0.5), evaluations=())]
    )
    def test_is_not_drawn_where_there_is_nothing_to_compare(self, tmp_path: Path, summary: Summary):
        tensorboard.write_last_blessed(tmp_path, summary, "common_cross_entropy")
        assert not list(tmp_path.iterdir())

    def test_written_again_takes_the_place_of_the_first(self, tmp_path: Path):
        for increase in (0.5, 0.25):
            tensorboard.write_last_blessed(tmp_path, compared(increase), "common_cross_entropy")
        line = scalars(tmp_path / "last_blessed", HELD_OUT_SOFTMAX)
        assert line == [(800, 7.25), (1600, 7.25)]


def record(run: str, status: str, **figures: float) -> RunRecord:
    started = datetime.datetime.strptime(run, "%Y%m%d%H%M%S").astimezone()
    return RunRecord(f"{run}-0123456789ab", started, "a.txt", status, {**figures})


RECORDS = [  # the last one first
    record(RUNS[2], "blessed", full_loss=1.0, tokens=30, perplexity=300.0),
    record(RUNS[1], "not blessed", full_loss=1.0, tokens=20, perplexity=math.inf),
    record("20260702020000", "failed", error="no pairs"),
    record(RUNS[0], "blessed", full_loss=1.0, tokens=10),
]


class TestAllRuns:
    def test_count_those_that_came_to_a_model(self, tmp_path: Path):
        tensorboard.write_all_runs(tmp_path, RECORDS, ["perplexity", "new_metric"])
        assert shown_runs(tmp_path) == {"all_runs/blessed", "all_runs/not_blessed"}
        blessed, withheld = (tmp_path / "all_runs" / name for name in ("blessed", "not_blessed"))
        assert tags(blessed) == {"corpus/tokens", "evaluation/perplexity"}
        assert scalars(blessed, "corpus/tokens") == [(1, 10.0), (3, 30.0)]
        assert scalars(blessed, "evaluation/perplexity") == [(3, 300.0)]
        assert tags(withheld) == {"corpus/tokens"}
        assert scalars(withheld, "corpus/tokens") == [(2, 20.0)]

    def test_have_the_figures_of_intrinsic_sets(self, tmp_path: Path):
        questions = {"cos_add": 0.25, "cos_mul": None, "questions": 4, "known_questions": 4}
        result = {**RECORDS[0].result, "analogies": {"animals": questions}}
        tensorboard.write_all_runs(tmp_path, [replace(RECORDS[0], result=result)], [])
        blessed = tmp_path / "all_runs" / "blessed"
        assert tags(blessed) == {"corpus/tokens", "evaluation/analogies/animals"}
        assert scalars(blessed, "evaluation/analogies/animals") == [(1, 0.25)]

    def test_have_the_time_at_which_they_began(self, tmp_path: Path):
        tensorboard.write_all_runs(tmp_path, RECORDS, [])
        began = [RECORDS[3].started.timestamp(), RECORDS[0].started.timestamp()]
        assert wall_times(tmp_path / "all_runs" / "blessed", "corpus/tokens") == began

    def test_the_next_night_takes_the_place_of_the_last_one(self, tmp_path: Path):
        for count in (1, 3, 4):
            tensorboard.write_all_runs(tmp_path, RECORDS[-count:], [])
        for status in ("blessed", "not_blessed"):
            assert len(list((tmp_path / "all_runs" / status).iterdir())) == 1
        blessed = tmp_path / "all_runs" / "blessed"
        assert scalars(blessed, "corpus/tokens") == [(1, 10.0), (3, 30.0)]


AWKWARD = ['"', 'say"', "l'\u00e9t\u00e9", "#1", "\u65e5\u672c", "__proto__", "a,b", "7", "\u00a0x"]


def vectors_of(folder: Path, run: str, tokens: list[str], dim: int = 3) -> Embeddings:
    """As a run leaves them in `vectors/`."""
    folder.mkdir(exist_ok=True)
    found = Embeddings(
        tokens,
        np.random.default_rng(1).normal(size=(len(tokens), dim)),
        list(range(len(tokens), 0, -1)),
    )
    found.save_word2vec(folder / word2vec_format.BINARY_FILE)
    lines = word2vec_format.vocabulary_lines(tokens, found.counts.tolist())
    (folder / word2vec_format.VOCABULARY_FILE).write_text("".join(lines))
    (folder / "run.json").write_text(json.dumps({"run": run, "version": run}))
    return found


class Projector:
    """The plugin, asked as the browser asks it."""

    def __init__(self, folder: Path):
        provider = SimpleNamespace(list_runs=lambda *_, **__: [])
        context = SimpleNamespace(logdir=str(folder), data_provider=provider)
        self._routes = ProjectorPlugin(context).get_plugin_apps()

    def get(self, route: str, **query: Any) -> Any:
        answer = Client(self._routes[route]).get("/?" + urlencode(query))
        assert answer.status_code == 200, answer.text
        return answer

    def embedding(self) -> dict[str, str]:
        assert self.get("/runs").json == ["."]
        [found] = self.get("/info", run=".").json["embeddings"]
        return found

    def cells(self) -> list[list[str]]:
        """The lines of metadata as the page takes them apart."""
        text = self.get("/metadata", run=".", name=self.embedding()["tensorName"]).text
        return [line.split("\t") for line in text.split("\n") if line.strip()]

    def tensor(self, dim: int) -> Any:
        answer = self.get("/tensor", run=".", name=self.embedding()["tensorName"])
        return np.frombuffer(answer.data, np.float32).reshape(-1, dim)


class TestProjector:
    def test_shows_tokens_and_counts_whatever_they_are(self, tmp_path: Path):
        expected = vectors_of(tmp_path / "vectors", RUNS[0], AWKWARD)
        tensorboard.write_projector(tmp_path / "tb", tmp_path / "vectors")
        projector = Projector(tmp_path / "tb")
        assert projector.embedding()["tensorName"] == RUNS[0]
        header, *lines = projector.cells()
        assert header == ["token", "count"]
        counts = range(len(AWKWARD), 0, -1)
        assert lines == [[token, str(n)] for token, n in zip(AWKWARD, counts, strict=True)]
        np.testing.assert_allclose(projector.tensor(3), expected.vectors, rtol=1e-3)

    def test_shows_no_other_number_in_the_place_of_a_token(self, tmp_path: Path):
        ids = [
            "007",
            "1e5",
            "0x1F",
            "12345678901234567890",
            "+1",
            ".5",
            "-0",
            "0",
            "42",
            "Infinity",
        ]
        vectors_of(tmp_path / "vectors", RUNS[0], ids)
        tensorboard.write_projector(tmp_path / "tb", tmp_path / "vectors")
        shown = [token for token, _ in Projector(tmp_path / "tb").cells()[1:]]
        assert [token.strip('"') for token in shown] == ids
        assert [token for token in shown if token in ids] == ["0", "42"]

    def test_shows_the_most_frequent(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
        monkeypatch.setattr(tensorboard, "_PROJECTED", 4)
        expected = vectors_of(tmp_path / "vectors", RUNS[0], AWKWARD)
        tensorboard.write_projector(tmp_path / "tb", tmp_path / "vectors")
        projector = Projector(tmp_path / "tb")
        assert [token for token, _ in projector.cells()[1:]] == AWKWARD[:4]
        np.testing.assert_allclose(projector.tensor(3), expected.vectors[:4], rtol=1e-3)

    def test_another_model_takes_the_place_of_the_last_one(self, tmp_path: Path):
        for run, tokens in zip(RUNS[:2], (["a", "b"], ["c", "d", "e"]), strict=True):
            vectors_of(tmp_path / "vectors", run, tokens)
            tensorboard.write_projector(tmp_path / "tb", tmp_path / "vectors")
        projector = Projector(tmp_path / "tb")
        assert projector.embedding()["tensorName"] == RUNS[1]
        assert [token for token, _ in projector.cells()[1:]] == ["c", "d", "e"]
        assert [path.name for path in (tmp_path / "tb" / "projector").iterdir()] == [RUNS[1]]

    def test_what_is_there_is_not_written_again(self, tmp_path: Path):
        vectors_of(tmp_path / "vectors", RUNS[0], ["a", "b"])
        tensorboard.write_projector(tmp_path / "tb", tmp_path / "vectors")
        before = {path: path.stat().st_mtime_ns for path in (tmp_path / "tb").rglob("*")}
        tensorboard.write_projector(tmp_path / "tb", tmp_path / "vectors")
        assert {path: path.stat().st_mtime_ns for path in (tmp_path / "tb").rglob("*")} == before

    @pytest.mark.parametrize("killed_in", ["_write_projected", "write_aside"])
    def test_a_kill_leaves_the_last_one_and_the_next_run_goes_on(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed_in: str
    ):
        vectors_of(tmp_path / "vectors", RUNS[0], ["a", "b"])
        tensorboard.write_projector(tmp_path / "tb", tmp_path / "vectors")
        vectors_of(tmp_path / "vectors", RUNS[1], ["c", "d"])

        def kill(*_: Any) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(tensorboard, killed_in, kill)
            with pytest.raises(KeyboardInterrupt):
                tensorboard.write_projector(tmp_path / "tb", tmp_path / "vectors")
        assert [token for token, _ in Projector(tmp_path / "tb").cells()[1:]] == ["a", "b"]
        tensorboard.write_projector(tmp_path / "tb", tmp_path / "vectors")
        assert [token for token, _ in Projector(tmp_path / "tb").cells()[1:]] == ["c", "d"]

    def test_there_is_none_before_a_model_was_blessed(self, tmp_path: Path):
        tensorboard.write_projector(tmp_path / "tb", tmp_path / "vectors")
        assert not list(tmp_path.iterdir())


class TestWrite:
    def written(self, tmp_path: Path, summary: Summary) -> set[str]:
        vectors_of(tmp_path / "vectors", RUNS[0], ["a", "b"])
        records = [replace(RECORDS[0], status="unfinished", result={}), *RECORDS[1:]]
        tensorboard.write(
            tmp_path / "tb",
            tmp_path / "vectors",
            summary,
            "blessed",
            records,
            "common_cross_entropy",
        )
        return shown_runs(tmp_path / "tb")

    def test_the_run_that_ends_is_among_all_runs(self, tmp_path: Path):
        assert "all_runs/blessed" in self.written(tmp_path, TONIGHT)
        blessed = tmp_path / "tb" / "all_runs" / "blessed"
        assert scalars(blessed, "corpus/tokens") == [(1, 10.0), (3, 9876543.0)]
        assert scalars(blessed, "evaluation/unigram_cross_entropy") == [(3, pytest.approx(7.8))]
        assert Projector(tmp_path / "tb").embedding()["tensorName"] == RUNS[0]

    def test_the_line_goes_into_the_chart_of_a_run_that_trained(self, tmp_path: Path):
        (tmp_path / "tb" / RUNS[2]).mkdir(parents=True)
        shown = self.written(tmp_path, compared(0.5))
        assert shown == {f"{RUNS[2]}/last_blessed", "all_runs/blessed", "all_runs/not_blessed"}

    def test_what_a_killed_run_has_trained_is_drawn_by_the_one_that_went_on(self, tmp_path: Path):
        assert RUNS[2] in self.written(tmp_path, TONIGHT)
        curves = {HELD_OUT_SOFTMAX: [7.61234, 7.5], HELD_OUT_SIGMOID: [8.5, 8.41239]}
        for tag, losses in curves.items():
            found = scalars(tmp_path / "tb" / RUNS[2], tag)
            assert [step for step, _ in found] == [800, 1600]
            assert [loss for _, loss in found] == pytest.approx(losses)

    def test_and_into_none_where_the_model_came_from_the_cache(self, tmp_path: Path):
        for run in RUNS:
            (tmp_path / "tb" / run).mkdir(parents=True)
        shown = self.written(tmp_path, replace(compared(0.5), model_of=RUNS[0]))
        assert shown == {"all_runs/blessed", "all_runs/not_blessed"}


def test_its_examples_run():
    found = doctest.testmod(tensorboard)
    assert found.attempted
    assert not found.failed
