from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2
from tensorflow_metadata.proto.v0.schema_pb2 import Schema
from tensorflow_metadata.proto.v0.statistics_pb2 import DatasetFeatureStatisticsList
from tfx.dsl.components.base import base_executor
from tfx.types import artifact_utils, standard_artifacts

from components.example_validator.component import (
    Executor,
    StoppingExampleValidator,
    require_no_anomalies,
)
from components.tfx_api import StatsOptions
from pipeline.data_nodes import SCHEMA_FILE
from trainer_module.errors import InputError

NTH = {"occurrence": [[0], [1]]}
GOOD = {"text": [[b"a document"], [b"another"]], **NTH}


def anomalies(**described: str) -> anomalies_pb2.Anomalies:
    found = anomalies_pb2.Anomalies()
    for name, description in described.items():
        found.anomaly_info[name].description = description
    return found


class TestRequireNoAnomalies:
    def test_none_is_well(self):
        require_no_anomalies(anomalies(), "train")

    def test_one_is_named_with_its_feature_and_split(self):
        with pytest.raises(InputError) as caught:
            require_no_anomalies(anomalies(text="it is missing"), "eval")
        assert str(caught.value) == (
            "the eval split does not fit the schema: text: it is missing - mend the corpus or the "
            "schema"
        )

    def test_all_are_named_by_the_alphabet(self):
        with pytest.raises(InputError, match="text: it is missing; title: it is new - "):
            require_no_anomalies(anomalies(title="it is new", text="it is missing"), "eval")

    def test_the_short_description_stands_in_for_a_missing_one(self):
        found = anomalies()
        found.anomaly_info["text"].short_description = "missing"
        with pytest.raises(InputError, match="schema: text: missing - "):
            require_no_anomalies(found, "train")

    def test_one_of_the_whole_data_set(self):
        found = anomalies()
        found.dataset_anomaly_info.description = "too few examples"
        with pytest.raises(InputError, match="schema: the data set: too few examples - "):
            require_no_anomalies(found, "train")


def statistics(folder: Path, splits: dict[str, dict[str, list[Any]]]) -> Any:
    """What StatisticsGen gives, which knows the schema, for examples held in memory."""
    # TFX, imported above, stands in for a module that this one misses.
    from tensorflow_data_validation.statistics import stats_impl

    artifact = standard_artifacts.ExampleStatistics()
    artifact.uri = str(folder)
    artifact.split_names = artifact_utils.encode_split_names(list(splits))
    for split, examples in splits.items():
        options = StatsOptions(schema=text_format.Parse(SCHEMA_FILE.read_text(), Schema()))
        batch = pa.RecordBatch.from_pydict(examples)
        found = stats_impl.generate_statistics_in_memory(batch, options)
        (folder / f"Split-{split}").mkdir(parents=True)
        (folder / f"Split-{split}" / "FeatureStats.pb").write_bytes(found.SerializeToString())
    return artifact


def test_statistics_count_documents_and_hold_none(tmp_path: Path) -> None:
    statistics(tmp_path, {"train": {"text": [[b"a document"], [b"another"], [b"another"]]}})
    written = (tmp_path / "Split-train" / "FeatureStats.pb").read_bytes()
    [found] = DatasetFeatureStatisticsList.FromString(written).datasets
    [text] = [feature for feature in found.features if feature.path.step == ["text"]]
    assert text.string_stats.common_stats.num_non_missing == 3
    assert text.string_stats.avg_length == pytest.approx((10 + 7 + 7) / 3)
    assert b"another" not in written


@pytest.fixture
def validate(tmp_path: Path):
    """Runs the executor on examples by split, with the schema of the pipeline."""

    def run(**splits: dict[str, list[Any]]) -> Any:
        schema, output = standard_artifacts.Schema(), standard_artifacts.ExampleAnomalies()
        schema.uri, output.uri = str(tmp_path / "schema"), str(tmp_path / "anomalies")
        (tmp_path / "schema").mkdir()
        (tmp_path / "schema" / "schema.pbtxt").write_text(SCHEMA_FILE.read_text())
        context = base_executor.BaseExecutor.Context(tmp_dir=str(tmp_path), unique_id="1")
        return Executor(context).Do(
            {"statistics": [statistics(tmp_path / "statistics", splits)], "schema": [schema]},
            {"anomalies": [output]},
            {},
        )

    return run


class TestExecutor:
    def test_documents_pass_and_tfx_is_told(self, validate, tmp_path):
        result = validate(train=GOOD, eval=GOOD)
        [artifact] = result.output_artifacts["anomalies"].artifacts
        blessed = artifact.custom_properties["blessed"].struct_value
        assert dict(blessed.items()) == {"train": 1.0, "eval": 1.0}
        assert (tmp_path / "anomalies" / "Split-eval" / "SchemaDiff.pb").exists()

    @pytest.mark.parametrize(
        ("examples", "said"),
        [
            ({"text": [[b"a document"], None], **NTH}, "text: "),
            ({"text": [[1], [2]], **NTH}, "text: "),
            ({"text": [[b"a"], [b"b", b"c"]], **NTH}, "text: "),
            ({"body": [[b"a"], [b"b"]], **NTH}, "text: "),
            ({**GOOD, "title": [[b"a"], [b"b"]]}, "title: "),
            ({**GOOD, "occurrence": [[0], None]}, "occurrence: "),
        ],
        ids=["missing in one", "numbers", "two in one", "missing in all", "new feature", "number"],
    )
    def test_what_does_not_fit_is_named_with_its_split(self, validate, examples, said):
        with pytest.raises(InputError) as caught:
            validate(train=GOOD, eval=examples)
        assert str(caught.value).startswith("the eval split does not fit the schema: ")
        assert said in str(caught.value)

    def test_the_anomalies_are_written_before_it_stops(self, validate, tmp_path):
        with pytest.raises(InputError, match="the train split"):
            validate(train={"body": [[b"a"]]}, eval=GOOD)
        written = anomalies_pb2.Anomalies()
        path = tmp_path / "anomalies" / "Split-train" / "SchemaDiff.pb"
        written.ParseFromString(path.read_bytes())
        assert "text" in written.anomaly_info


def test_the_component_runs_this_executor():
    assert StoppingExampleValidator.EXECUTOR_SPEC.executor_class is Executor
