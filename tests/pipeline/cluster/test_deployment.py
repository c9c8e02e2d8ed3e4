import pytest

from pipeline.cluster import deployment
from tests.pipeline.cluster.test_job_spec import configuration
from trainer_module.errors import InputError


def test_what_both_need_is_enough() -> None:
    deployment.require(configuration(), "vertex")
    exposed = {"deployment__project": None, "trainer__expose_workers": "true"}
    deployment.require(configuration(**exposed), "kubeflow")


def test_workers_of_one_pod_have_no_network_to_a_bucket() -> None:
    with pytest.raises(InputError, match=r"the 3 workers of one pod .*trainer.expose_workers"):
        deployment.require(configuration(), "kubeflow")


def test_one_worker_needs_none() -> None:
    deployment.require(configuration(trainer__workers="1"), "kubeflow")


@pytest.mark.parametrize("field", ["image", "output", "project"])
def test_what_vertex_misses_is_named(field: str) -> None:
    with pytest.raises(InputError, match=rf"vertex needs deployment\.{field}"):
        deployment.require(configuration(**{f"deployment__{field}": None}), "vertex")


def test_all_that_is_missing_is_named_at_once() -> None:
    lacking = {"deployment__image": None, "deployment__project": None, "corpus__files": None}
    with pytest.raises(InputError) as caught:
        deployment.require(configuration(**lacking), "vertex")
    for part in ("deployment.image", "deployment.project", "the corpus is 0"):
        assert part in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["a2-highgpu-1g", "a3-ultragpu-8g", "a4x-highgpu-4g", "g2-standard-4", "ct5lp-hightpu-4t"],
)
def test_a_machine_with_what_nothing_uses_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=rf"machine_type = {name} has a GPU .* n1-standard-8"):
        deployment.require(configuration(deployment__machine_type=name), "vertex")


@pytest.mark.parametrize(
    "name", ["n1-highmem-16", "c3-standard-8", "e2-standard-4", "t2d-standard-8"]
)
def test_other_machines_are_not(name: str) -> None:
    deployment.require(configuration(deployment__machine_type=name), "vertex")


@pytest.mark.parametrize(
    ("output", "complaint"),
    [
        ("~/output", "is a path"),
        ("/mounted/output", r"deployment\.output = '/mounted/output' is a path"),
        ("s3://bucket/output", r"is in s3://, which the TensorFlow of our image"),
        ("gs://bucket/[x]", "a bracket"),
    ],
)
@pytest.mark.parametrize("cluster", deployment.NEEDED)
def test_an_output_that_the_nodes_cannot_use_is_refused(
    cluster: str, output: str, complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        deployment.require(configuration(deployment__output=output), cluster)


@pytest.mark.parametrize(
    ("corpus", "complaint"),
    [
        (None, "reads one glob, and the corpus is 0"),
        ("['gs://books/1.txt', 'gs://books/2.txt']", "reads one glob, and the corpus is 2"),
        ("[books/*.txt]", r"corpus\.files = 'books/\*\.txt' is a path"),
        ("[/books]", r"'/books' is a path, .* name a place in Google Cloud Storage"),
        ("['gs://books*/1.txt']", "names a bucket that cannot be"),
        ("['/logs/{YYYY}-{MM}-{DD}/*']", "holds a date, and a job spec .* --parameter corpus="),
    ],
)
def test_a_corpus_that_a_cluster_cannot_read_is_refused(corpus: str | None, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        deployment.pattern(configuration(corpus__files=corpus))


@pytest.mark.parametrize("base", ["last_blessed", "gs://bucket/glove.txt", "/opt/glove.txt"])
def test_a_base_in_a_bucket_or_in_the_image_is_enough(base: str) -> None:
    deployment.require(configuration(trainer__warm_start=base), "vertex")


@pytest.mark.parametrize(
    ("base", "complaint"),
    [
        ("glove.txt", r"trainer\.warm_start = 'glove\.txt' is not where"),
        ("gs:/bucket/glove.txt", "is no URI"),
        ("s3://bucket/glove.txt", "is in s3://"),
        ("gs:///glove.txt", "as it has no name"),
    ],
)
def test_a_base_that_no_node_sees_is_refused(base: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        deployment.require(configuration(trainer__warm_start=base), "vertex")


def test_intrinsic_sets_are_where_the_evaluator_can_read() -> None:
    reachable = {"evaluator__analogies": "['gs://bucket/q.txt', /image/r.txt]"}
    deployment.require(configuration(**reachable), "vertex")
    wrong = {"evaluator__similarity": "[a.txt]", "evaluator__analogies": "['s3://bucket/q.txt']"}
    with pytest.raises(InputError, match=r"evaluator\.similarity = 'a\.txt' is not where a"):
        deployment.require(configuration(**wrong), "vertex")
    del wrong["evaluator__similarity"]
    with pytest.raises(
        InputError, match=r"evaluator\.analogies = 's3://bucket/q\.txt' is in s3://"
    ):
        deployment.require(configuration(**wrong), "kubeflow")


@pytest.mark.parametrize(
    ("given", "pattern"),
    [
        ("gs://bucket", "gs://bucket/*"),
        ("gs://bucket/books/", "gs://bucket/books/*"),
        ("gs://bucket/emma.txt", "gs://bucket/emma.txt"),
        ("gs://bucket/*/e*", "gs://bucket/*/e*"),
    ],
)
def test_a_folder_stands_for_its_files(given: str, pattern: str) -> None:
    assert deployment.pattern(configuration(corpus__files=f"['{given}']")) == pattern
