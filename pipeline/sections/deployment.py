"""The section `deployment` of the configuration: the cluster, and what its nodes get."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints

from trainer_module.hyperparameters import StrictModel

# As Google Cloud has them.
Label = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,62}$")]
LabelValue = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]{0,63}$")]


class DeploymentConfig(StrictModel):
    """What `skipgram compile` must know of the cluster."""

    image: str | None = Field(
        default=None,
        min_length=1,
        description="the container image in which components run, built from deploy/Dockerfile; "
        "none: only `skipgram compile` needs it",
    )
    output: str | None = Field(
        default=None,
        min_length=1,
        description="gs://... of a folder: artifacts, checkpoints and the pushed model; none: only "
        "`skipgram compile` needs it",
    )
    project: str | None = Field(
        default=None,
        min_length=1,
        description="project of Google Cloud; none: only vertex and dataflow need it",
    )
    region: str = Field(
        default="us-central1",
        min_length=1,
        description="region of Google Cloud, for vertex and dataflow",
    )
    service_account: str | None = Field(
        default=None,
        pattern=r"^[^@\s]+@[^@\s]+$",
        description="vertex: e-mail of the service account as which all nodes and the Trainer's "
        "machines run; none: Vertex's own default",
    )
    network: str | None = Field(
        default=None,
        pattern=r"^projects/[^/\s]+/global/networks/[^/\s]+$",
        description="vertex: full name of the VPC network to which all machines are peered, "
        "projects/NUMBER/global/networks/NAME; none: no network of yours",
    )
    labels: Mapping[Label, LabelValue] = Field(
        default={},
        description="vertex: labels of the run and of the Trainer's job, by which a bill is read: "
        "{team: search}",
    )
    machine_type: str = Field(
        default="n1-standard-8",
        min_length=1,
        description="vertex: type of each of the Trainer's machines; 8 cores and 30 GB have room "
        "for tables of 5 million tokens at 100 dimensions",
    )
    spot: bool = Field(
        default=False,
        description="vertex: whether the Trainer's machines are spot machines, which cost less and "
        "may be taken away; training then goes on from its last checkpoint",
    )
    timeout_hours: int = Field(
        default=24,
        ge=1,
        le=24 * 28,
        description="vertex: hours after which a training is ended, as a hung one would be paid "
        "for; kubeflow: since the first attempt, after which no other is begun or goes on. A night "
        "that takes longer than a day is overtaken by the next",
    )
    cpus: float = Field(
        default=4,
        gt=0,
        le=1024,
        description="kubeflow: cores of the Trainer's pod, which trainer.workers share",
    )
    memory_gigabytes: float = Field(
        default=16, gt=0, le=65_536, description="kubeflow: memory of the Trainer's pod"
    )
    node_cpus: float = Field(
        default=2,
        gt=0,
        le=1024,
        description="cores of every other node; they use little more than one, unless Beam runs "
        "elsewhere and they only wait",
    )
    node_memory_gigabytes: float = Field(
        default=4,
        gt=0,
        le=65_536,
        description="memory of every other node; with 3.7 million words the largest took 1.4 GB "
        "(summary.json of a run says what each takes)",
    )
    fail_if_not_blessed: bool = Field(
        default=False,
        description="whether a last node fails where the model is not blessed, so that the "
        "cluster's own alerts see it; without it such a run has succeeded",
    )
