import logging
import re
import socket
from pathlib import Path

import apache_beam as beam
import grpc
import pytest
from apache_beam.options import pipeline_options
from apache_beam.runners.portability import prism_runner
from apache_beam.transforms import environments

from components.forked_workers.runner import ForkingRunner
from pipeline import config, config_file
from pipeline.beam_arguments import beam_arguments, require_job_server
from trainer_module.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


def arguments(*settings: str) -> list[str]:
    return beam_arguments(config_file.load(settings=settings))


def known_to_beam(words: list[str]) -> dict[str, object]:
    """What Beam's own options take the words for; it ignores what it does not know."""
    options = pipeline_options.PipelineOptions(words)
    known = options.get_all_options(retain_unknown_options=False)
    assert known == options.get_all_options(retain_unknown_options=True)
    taken: dict[str, object] = known
    return taken


def test_direct_is_the_runner_that_forks():
    taken = known_to_beam(arguments())
    assert taken["runner"] == "components.forked_workers.runner.ForkingRunner"
    assert type(beam.Pipeline(argv=arguments()).runner) is ForkingRunner


def test_direct_asks_no_switch_that_would_download_prism(caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG)
    with beam.Pipeline(argv=arguments()) as pipeline:
        _ = pipeline | beam.Create([1, 2]) | beam.Reshuffle() | beam.Map(str)
    assert "FnApi" in caplog.text or "fn_runner" in caplog.text
    assert "prism" not in caplog.text.lower()


def test_direct_has_tfx_pack_nothing(monkeypatch: pytest.MonkeyPatch):
    from tfx.utils import dependency_utils

    packed: list[str] = []
    monkeypatch.setattr(dependency_utils, "build_ephemeral_package", lambda: packed.append("tfx"))
    given = arguments()
    assert dependency_utils.make_beam_dependency_flags(given) == given
    assert packed == []


def test_each_caller_has_arguments_of_its_own():
    arguments().append("--labels=one")
    assert "--labels=one" not in arguments()


def test_nobody_else_chooses_the_runner_of_this_machine():
    folders = ("benchmarks", "components", "pipeline", "skipgram", "tests", "trainer_module")
    sources = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    assert len(sources) > 100
    # The switch and what it downloads by their names; and where nothing is named, it is the switch.
    choices = re.compile(
        r"DirectRunner|PrismRunner|--runner=(?!FnApi|components|\{|Dataflow|Portable)"
        r"|beam\.Pipeline\((?!argv=)"
    )
    choosing = {path for path in sources if choices.search(path.read_text(encoding="utf-8"))}
    assert choosing <= {Path(__file__).resolve()}


def test_direct_lets_nobody_in(monkeypatch: pytest.MonkeyPatch):
    """Nothing listens while a pipeline runs, and no other program is asked to run it."""
    opened: list[str] = []
    server = grpc.server
    monkeypatch.setattr(
        grpc, "server", lambda *args, **options: opened.append("server") or server(*args, **options)
    )
    monkeypatch.setattr(prism_runner.PrismRunner, "run_pipeline", lambda *_: opened.append("prism"))
    with beam.Pipeline(argv=arguments()) as pipeline:
        _ = pipeline | beam.Create([1, 2]) | beam.Map(lambda x: x + 1) | beam.GroupBy(lambda x: x)
    assert opened == []


@pytest.mark.parametrize("runner", ["flink", "spark"])
def test_flink_and_spark_are_asked_by_the_job_server(runner: str):
    taken = known_to_beam(
        arguments(
            f"beam.runner={runner}",
            "beam.job_endpoint=jobs:8099",
            "beam.worker_pool=workers:50000",
            "beam.parallelism=7",
        )
    )
    assert taken["runner"] == "PortableRunner"
    assert taken["job_endpoint"] == "jobs:8099"
    assert taken["environment_type"] == "EXTERNAL"
    assert taken["environment_config"] == "workers:50000"
    assert taken["parallelism"] == 7
    assert taken["beam_plugins"] == ["tfx"]
    assert taken["environment_cache_millis"] == "2000"
    # Or TFX would make a package of itself and send it along.
    assert taken["sdk_container_image"] == "none"


DATAFLOW = (
    "beam.runner=dataflow",
    "beam.parallelism=7",
    "deployment.project=my-words",
    "deployment.region=europe-west4",
    "deployment.image=registry/skipgram:1",
    "deployment.output=gs://bucket/output",
)


def test_dataflow_runs_our_image_in_the_project():
    taken = known_to_beam(arguments(*DATAFLOW))
    assert taken["runner"] == "DataflowRunner"
    assert taken["project"] == "my-words"
    assert taken["region"] == "europe-west4"
    assert taken["temp_location"] == "gs://bucket/output/beam"
    assert taken["sdk_container_image"] == "registry/skipgram:1"
    assert taken["num_workers"] == 7


def test_dataflow_would_be_sent_a_job_of_our_image():
    """As far as Beam goes before it looks for credentials."""
    from apache_beam.runners.dataflow.internal import apiclient

    options = pipeline_options.PipelineOptions(arguments(*DATAFLOW))
    pipeline = beam.Pipeline(argv=arguments())
    _ = pipeline | beam.Create([1])
    image = apiclient.get_container_image_from_options(options)
    environment = environments.DockerEnvironment.from_container_image(image)
    proto = pipeline.to_runner_api(default_environment=environment)
    job = apiclient.Environment([], options, "2", "gs://bucket/pipeline", proto).proto
    assert job.temp_storage_prefix == "storage.googleapis.com/bucket/output/beam"
    [pool] = job.worker_pools
    assert pool.num_workers == 7
    [sdk] = pool.sdk_harness_container_images
    assert sdk.container_image == "registry/skipgram:1"


@pytest.mark.parametrize("missing", ["project", "image", "output"])
def test_dataflow_says_what_it_misses(missing: str):
    given = {"project": "words", "image": "registry/skipgram:1", "output": "gs://bucket/output"}
    settings = [f"deployment.{name}={value}" for name, value in given.items() if name != missing]
    with pytest.raises(InputError, match=rf"needs deployment\.{missing}"):
        arguments("beam.runner=dataflow", *settings)


@pytest.mark.parametrize("endpoint", ["jobs", "jobs:", ":8099", "http://jobs:8099"])
def test_an_endpoint_is_host_and_port(endpoint: str):
    with pytest.raises(InputError, match=r"beam\.job_endpoint"):
        arguments("beam.runner=flink", f"beam.job_endpoint={endpoint}")


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("deploy/Dockerfile", "apache/beam_python3.11_sdk:{} "),
        ("docs/deployment.md", "apache/beam_flink1.19_job_server:{} "),
        ("docs/deployment.md", "apache/beam_spark3_job_server:{} "),
    ],
)
def test_what_is_named_of_beam_is_of_the_installed_version(file: str, text: str):
    assert text.format(beam.__version__) in (ROOT / file).read_text()


@pytest.mark.parametrize("runner", ["flink", "spark"])
def test_a_job_server_that_is_not_there_is_said_at_once(runner: str):
    with socket.create_server(("localhost", 0)) as server:
        endpoint = f"localhost:{server.getsockname()[1]}"
        beam_config = config.BeamConfig(runner=runner, job_endpoint=endpoint)
        require_job_server(beam_config)
    with pytest.raises(InputError, match=rf"beam\.job_endpoint = {endpoint} \(.*refused.*start it"):
        require_job_server(beam_config)
    require_job_server(config.BeamConfig(runner="direct", job_endpoint=endpoint))
