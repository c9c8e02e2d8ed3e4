"""What a rehearsal says at its end is by the gate that the job spec was compiled with."""

import pytest

from pipeline import config_file
from pipeline.cluster import job_spec, kubeflow_runner
from pipeline.cluster.rehearsal.closing import gate_of

SETTINGS = [
    "deployment.image=registry/skipgram:1",
    "deployment.output=gs://bucket/output",
    "corpus.files=['gs://bucket/books/*.txt.gz']",
]


@pytest.mark.parametrize(
    "settings",
    [
        [],
        [
            "evaluator.min_gain_over_unigram=0.25",
            "evaluator.max_increase=0.125",
            "evaluator.max_targets=1234",
            "evaluator.thresholds=[mean_rank <= 900]",
            "evaluator.compared_metric=full_sigmoid_cross_entropy",
            "evaluator.min_neighbor_overlap=0.75",
            "trainer.epochs=7",
        ],
    ],
)
def test_the_gate_of_a_spec_is_that_of_its_configuration(settings: list[str]) -> None:
    config = config_file.load(settings=[*SETTINGS, *settings])
    gate, epochs = gate_of(job_spec.parsed(kubeflow_runner.compile_job(config)))
    of_gate = {"max_token_loss"}  # ends a run before there is a model
    assert gate.model_dump(exclude=of_gate) == config.evaluator.model_dump(exclude=of_gate)
    assert epochs == config.trainer.epochs
