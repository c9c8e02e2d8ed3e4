"""The spec of the quick start's configuration, against golden files; what validation finds."""

import json
import os
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from google.protobuf import json_format
from kfp.pipeline_spec.pipeline_spec_pb2 import ComponentInputsSpec, PipelineSpec

from components import fingerprint
from pipeline import config_file, data_nodes, graph
from pipeline.cluster import job_spec, kubeflow_runner, vertex_runner
from pipeline.config import Config
from pipeline.failures import WrongCommandError
from pipeline.sections.corpus import Kind
from trainer_module.errors import InputError

GOLDEN = Path(__file__).with_name("golden")
SETTINGS = {
    "deployment.image": "registry/skipgram:1",
    "deployment.output": "gs://bucket/output",
    "deployment.project": "words",
    "corpus.files": "['gs://bucket/books/*.txt.gz']",
    "trainer.workers": "3",
    "trainer.sync_every": "64",
}
RUNNERS = {"kubeflow": kubeflow_runner, "vertex": vertex_runner}
# In the order of the data.
NODES = [
    "corpus-listing",
    "text-example-gen",
    "curated-schema",
    "statistics-gen",
    "example-validator",
    "transform",
    "last-blessed-corpus",
    "corpus-gate",
    "trainer",
    "last-blessed-model",
    "embedding-aligner",
    "evaluator",
    "embedding-comparison",
    "pusher",
    "embedding-exporter",
]


def configuration(**changes: str | None) -> Config:
    """SETTINGS with fields changed, named with __ for a dot; None leaves one out."""
    settings = {**SETTINGS, **{name.replace("__", "."): value for name, value in changes.items()}}
    return config_file.load(
        settings=[f"{name}={value}" for name, value in settings.items() if value]
    )


@pytest.fixture(scope="module", params=["kubeflow", "vertex"])
def cluster(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="module")
def compiled(cluster: str) -> dict[str, Any]:
    with pytest.MonkeyPatch.context() as patch:
        for module in (graph, data_nodes):
            patch.setattr(module, "code_fingerprint", lambda *packages: "fingerprint")
        patch.setattr(fingerprint, "code_fingerprint", lambda *packages: "fingerprint")
        return RUNNERS[cluster].compile_job(configuration())


@pytest.fixture
def spec(compiled: dict[str, Any]) -> PipelineSpec:
    return job_spec.parsed(compiled)


def test_is_the_golden_spec(cluster: str, compiled: dict[str, Any], tmp_path: Path) -> None:
    """A change is seen as a diff: UPDATE_GOLDEN=1 writes the files anew."""
    golden = GOLDEN / f"{cluster}.yaml"
    if os.environ.get("UPDATE_GOLDEN"):
        job_spec.write(compiled, golden)
    job_spec.write(compiled, tmp_path / "spec.yaml")
    assert (tmp_path / "spec.yaml").read_text() == golden.read_text()
    assert job_spec.read(golden) == job_spec.parsed(compiled)


def test_is_valid(spec: PipelineSpec) -> None:
    job_spec.validate(spec)
    assert sorted(spec.root.dag.tasks) == sorted(NODES)
    assert spec.default_pipeline_root == "gs://bucket/output/artifacts"


PLACE = {
    "labels": "{}",
    "network": "",
    "project": "words",
    "region": "us-central1",
    "service_account": "",
}


def test_what_is_set_at_submission_are_runtime_parameters(cluster: str, spec: PipelineSpec) -> None:
    parameters = spec.root.input_definitions.parameters
    assert {name: value.default_value.string_value for name, value in parameters.items()} == {
        "corpus": "gs://bucket/books",
        "epochs": "",
        "output": "gs://bucket/output",
        "push_destination": '{"filesystem": {"baseDirectory": "gs://bucket/output/serving"}}',
        **(PLACE if cluster == "vertex" else {}),
    }
    assert parameters["epochs"].default_value.number_value == 2
    inputs = {name: task.inputs.parameters for name, task in spec.root.dag.tasks.items()}
    assert inputs["text-example-gen"]["input_base"].component_input_parameter == "corpus"
    assert inputs["trainer"]["epochs"].component_input_parameter == "epochs"


def test_the_cache_sees_what_the_corpus_holds(spec: PipelineSpec) -> None:
    """A node that is never cached looks, and what it finds is among what ExampleGen is asked for.

    No node needs TFX's driver, which Kubeflow Pipelines never runs.
    """
    tasks = spec.root.dag.tasks
    assert [name for name in NODES if not tasks[name].caching_options.enable_cache] == [
        "corpus-listing"
    ]
    listed = tasks["corpus-listing"].inputs.parameters
    assert listed["root"].component_input_parameter == "corpus"
    assert listed["patterns"].runtime_value.constant.string_value == "*.txt.gz"
    found = tasks["text-example-gen"].inputs.parameters["input_fingerprint"].task_output_parameter
    assert found.producer_task == "corpus-listing"
    given = spec.components["corpus-listing"].output_definitions.parameters
    assert list(given) == [found.output_parameter_key]
    assert list(tasks["text-example-gen"].dependent_tasks) == ["corpus-listing"]
    for executor in job_spec.executors_of(spec).values():
        assert not executor.container.HasField("lifecycle")


@pytest.mark.parametrize("name", RUNNERS)
def test_the_cache_sees_what_intrinsic_sets_hold(name: str) -> None:
    sets = {
        "evaluator__similarity": "['gs://bucket/a.txt', 'gs://bucket/b.txt']",
        "evaluator__analogies": "['gs://bucket/q.txt']",
    }
    spec = job_spec.parsed(RUNNERS[name].compile_job(configuration(**sets)))
    job_spec.validate(spec)
    listing = spec.root.dag.tasks["evaluation-set-listing"]
    assert not listing.caching_options.enable_cache
    assert not listing.dependent_tasks
    given = {
        kind: parameter.runtime_value.constant.string_value
        for kind, parameter in listing.inputs.parameters.items()
    }
    assert given == {
        "similarity": "gs://bucket/a.txt\ngs://bucket/b.txt",
        "analogies": "gs://bucket/q.txt",
    }
    evaluator = spec.root.dag.tasks["evaluator"]
    found = evaluator.inputs.parameters["sets_content"].task_output_parameter
    assert found.producer_task == "evaluation-set-listing"
    assert "evaluation-set-listing" in evaluator.dependent_tasks
    config = evaluator.inputs.parameters["eval_config"].runtime_value.constant.string_value
    assert "gs://bucket/q.txt" in config


@pytest.mark.parametrize("name", RUNNERS)
def test_a_last_node_fails_where_that_is_asked_for(name: str) -> None:
    config = configuration(deployment__fail_if_not_blessed="true")
    spec = job_spec.parsed(RUNNERS[name].compile_job(config))
    job_spec.validate(spec)
    last = spec.root.dag.tasks["blessing-required"]
    assert sorted(spec.root.dag.tasks) == sorted([*NODES, "blessing-required"])
    blessing = last.inputs.artifacts["model_blessing"].task_output_artifact
    assert blessing.producer_task == "embedding-comparison"
    assert {"pusher", "embedding-exporter"} <= set(last.dependent_tasks)


@pytest.mark.parametrize("name", RUNNERS)
def test_the_exporter_is_told_of_the_formats_and_the_pusher_waits_for_it(name: str) -> None:
    config = configuration(exporter__formats="[faiss, vertex]", exporter__min_recall="0.9")
    tasks = job_spec.parsed(RUNNERS[name].compile_job(config)).root.dag.tasks
    told = tasks["embedding-exporter"].inputs
    formats = told.parameters["formats"].runtime_value.constant.string_value
    assert formats == "word2vec,faiss,vertex"
    assert told.parameters["min_recall"].runtime_value.constant.number_value == 0.9
    last = told.artifacts["baseline_model"].task_output_artifact
    assert last.producer_task == "last-blessed-model"
    assert "embedding-exporter" in tasks["pusher"].dependent_tasks


def test_an_output_that_ends_with_a_slash_is_the_same_folder() -> None:
    config = configuration(deployment__output="gs://bucket/output/")
    spec = job_spec.parsed(vertex_runner.compile_job(config))
    assert spec.default_pipeline_root == "gs://bucket/output/artifacts"
    [with_slash, without] = map(job_spec.folders, ("gs://bucket/output/", "gs://bucket/output"))
    assert with_slash["push_destination"] == without["push_destination"]


def test_vertex_has_no_such_region() -> None:
    with pytest.raises(WrongCommandError, match=r"the region 'us-centrall' .* such as us-central1"):
        vertex_runner.compile_job(configuration(deployment__region="us-centrall"))


def test_every_node_runs_our_image(spec: PipelineSpec) -> None:
    executors = job_spec.executors_of(spec)
    assert {executor.container.image for executor in executors.values()} == {"registry/skipgram:1"}


def test_every_node_runs_our_entry_point_and_is_told_of_what_types_its_inputs_are(
    spec: PipelineSpec,
) -> None:
    for name, executor in job_spec.executors_of(spec).items():
        assert list(executor.container.command) == [
            *("python", "-m", "components.entry_point"),
            "--code_fingerprint=fingerprint",
        ]
        arguments = list(executor.container.args)
        declared = arguments[arguments.index("--json_serialized_inputs_spec_args") + 1]
        of_spec = spec.components[name.removesuffix("_executor")].input_definitions
        assert json_format.Parse(declared, ComponentInputsSpec()) == of_spec


@pytest.mark.parametrize("name", RUNNERS)
def test_a_warm_start_has_a_node_of_its_own_before_the_trainer(name: str) -> None:
    config = configuration(trainer__warm_start="last_blessed")
    spec = job_spec.parsed(RUNNERS[name].compile_job(config))
    job_spec.validate(spec)
    tasks = spec.root.dag.tasks
    assert sorted(tasks) == sorted([*NODES, "base-model"])
    source = tasks["trainer"].inputs.artifacts["base_model"].task_output_artifact
    assert source.producer_task == "base-model"
    # As long as neither these nor the configuration change, the cluster's cache answers.
    base = tasks["base-model"].inputs
    assert list(base.artifacts) == ["transform_graph"]
    assert base.parameters["epochs"].component_input_parameter == "epochs"


def test_every_node_says_what_it_needs() -> None:
    given = {"cpus": "3.5", "memory_gigabytes": "7", "node_cpus": "1", "node_memory_gigabytes": "3"}
    config = configuration(**{f"deployment__{name}": value for name, value in given.items()})
    for name, of_trainer in (("kubeflow", (3.5, 7)), ("vertex", (1, 3))):
        spec = job_spec.parsed(RUNNERS[name].compile_job(config))
        found = {}
        for label, executor in job_spec.executors_of(spec).items():
            resources = executor.container.resources
            found[label] = (resources.cpu_limit, resources.memory_limit)
        assert sorted(found) == sorted(f"{node}_executor" for node in NODES)
        assert found.pop("trainer_executor") == of_trainer
        assert set(found.values()) == {(1, 3)}


def test_the_trainer_alone_is_tried_again(cluster: str, spec: PipelineSpec) -> None:
    tasks = spec.root.dag.tasks
    assert [name for name in tasks if tasks[name].HasField("retry_policy")] == ["trainer"]
    policy = tasks["trainer"].retry_policy
    assert policy.max_retry_count == 2
    assert (policy.backoff_duration.seconds, policy.backoff_factor) == (60, 2)
    # From the first attempt on: without it Kubeflow's workflows try nothing again.
    hours = {"kubeflow": 24, "vertex": 1}
    assert policy.backoff_max_duration.seconds == hours[cluster] * 60 * 60


def test_vertex_trains_on_a_chief_and_workers_of_our_image() -> None:
    config = configuration(deployment__timeout_hours="5", deployment__spot="true")
    spec = job_spec.parsed(vertex_runner.compile_job(config))
    inputs = spec.root.dag.tasks["trainer"].inputs.parameters
    custom = yaml.safe_load(inputs["custom_config"].runtime_value.constant.string_value)
    machine = {
        "machine_spec": {"machine_type": "n1-standard-8"},
        "container_spec": {"image_uri": "registry/skipgram:1"},
    }
    assert custom["vertex_job_spec"] == {
        "worker_pool_specs": [{**machine, "replica_count": 1}, {**machine, "replica_count": 2}],
        "scheduling": {
            "timeout": "18000s",
            "restart_job_on_worker_restart": True,
            "strategy": "SPOT",
        },
    }
    for name in PLACE:
        assert inputs[name].component_input_parameter == name


def test_a_warm_start_finds_its_base_again_on_larger_machines() -> None:
    """Its node answers out of the cluster's cache as long as its inputs do not change."""

    def base(**changes: str) -> Any:
        config = configuration(trainer__warm_start="last_blessed", **changes)
        return (
            job_spec.parsed(vertex_runner.compile_job(config)).root.dag.tasks["base-model"].inputs
        )

    assert base() == base(deployment__machine_type="n1-highmem-16", deployment__spot="true")


def broken(spec: PipelineSpec, how: str) -> None:
    task = spec.root.dag.tasks["trainer"]
    if how == "producer":
        task.inputs.artifacts["examples"].task_output_artifact.producer_task = "transformer"
    elif how == "output":
        task.inputs.artifacts["examples"].task_output_artifact.output_artifact_key = "pairs"
    elif how == "component":
        task.component_ref.name = "trainers"
    elif how == "parameter":
        task.inputs.parameters["epochs"].component_input_parameter = "passes"
    elif how == "output parameter":
        source = task.inputs.parameters["epochs"].task_output_parameter
        source.producer_task, source.output_parameter_key = "pusher", "passes"
    elif how == "run_fn":
        value = task.inputs.parameters["run_fn"].runtime_value.constant
        value.string_value = "trainer_module.run_fn.run"
    else:
        executor = spec.deployment_spec["executors"]["evaluator_executor"]["container"]
        executor["args"][1] = "components.embedding_evaluator.nothing.Executor"


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ("producer", "trainer does not wait for 'transformer', the producer of .* 'examples'"),
        ("output", "no task gives 'pairs' of 'transform'"),
        ("component", "trainer names no component: 'trainers'"),
        ("parameter", "'epochs' comes from 'passes', which nobody sets"),
        ("output parameter", "trainer does not wait for 'pusher', the producer of .* 'epochs'"),
        ("output parameter", "no task gives 'passes' of 'pusher', the input 'epochs' of trainer"),
        ("run_fn", "'trainer_module.run_fn.run' cannot be imported"),
        ("class", "'components.embedding_evaluator.nothing.Executor' cannot be imported"),
    ],
)
def test_what_could_not_run_is_found(spec: PipelineSpec, how: str, complaint: str) -> None:
    broken(spec, how)
    with pytest.raises(InputError, match=complaint):
        job_spec.validate(spec)


@pytest.mark.parametrize("how", ["run_fn", "class"])
@pytest.mark.parametrize("name", ["stranger.Executor", "tfxs.Executor", "Executor", ""])
def test_code_of_others_is_not_imported(
    spec: PipelineSpec, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str, name: str
) -> None:
    for module in ("stranger", "tfxs"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('it has run')")
    monkeypatch.syspath_prepend(tmp_path)
    if how == "run_fn":
        inputs = spec.root.dag.tasks["trainer"].inputs
        inputs.parameters["run_fn"].runtime_value.constant.string_value = name
    else:
        spec.deployment_spec["executors"]["evaluator_executor"]["container"]["args"][1] = name
    with pytest.raises(WrongCommandError, match=f"the job spec names '{name}', and only what is"):
        job_spec.validate(spec)


def test_an_executor_class_without_a_name_is_found(spec: PipelineSpec) -> None:
    container = spec.deployment_spec["executors"]["evaluator_executor"]["container"]
    del container["args"][1:]
    with pytest.raises(InputError, match="evaluator_executor runs no executor class"):
        job_spec.validate(spec)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"root: [", "is no job spec"),
        (b"\xff", "is no job spec"),
        (b"rooot: {}", "does not fit kfp's PipelineSpec: .*rooot"),
        (b"text", "does not fit kfp's PipelineSpec"),
    ],
)
def test_what_is_no_spec_is_refused(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "spec.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=complaint):
        job_spec.read(path)


def test_a_spec_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"cannot read the job spec .*none\.yaml"):
        job_spec.read(tmp_path / "none.yaml")


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_job_knows_the_kind_of_its_corpus(kind: str) -> None:
    changes = {"trainer__workers": None, "trainer__sync_every": None}
    spec = kubeflow_runner.compile_job(configuration(corpus__kind=kind, **changes))
    written = json.dumps(spec).replace("\\", "")
    # TextExampleGen, Transform and the Trainer.
    assert written.count(f'"kind": "{kind}"') == 3
    assert ('"num_walks": 20' in written) == (kind == "edges")
