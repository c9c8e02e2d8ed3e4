"""The configuration: one immutable, validated tree. `config_file` reads one."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from pipeline.paths import expanded
from pipeline.sections.corpus import CorpusConfig
from pipeline.sections.deployment import DeploymentConfig
from pipeline.sections.evaluation import EvaluatorConfig, ExporterConfig
from pipeline.sections.kinds import problems, with_preset
from trainer_module.hyperparameters import (
    PreprocessingHyperparameters,
    StrictModel,
    TrainerHyperparameters,
)

# Of the pipeline in its own folder and on a cluster; in a server's store a folder's id follows it.
PIPELINE_NAME = "skipgram"
# The one that MySQL's and MariaDB's client library itself reads where it is given no password: so
# the password is in no message, file or log of ours, of TFX or of ml-metadata.
PASSWORD_VARIABLE = "MYSQL_PWD"

_HOST_AND_PORT = r"^[^:/\s]+:[0-9]+$"


class BeamConfig(StrictModel):
    """Where the components that Beam runs do their work: import, statistics, Transform, Evaluator.

    Each runner's options are Beam's own, which `beam_arguments` spells.
    """

    runner: Literal["direct", "flink", "spark", "dataflow"] = Field(
        default="direct",
        description="direct: on each component's own machine, by forks of its process; flink, "
        "spark: by Beam's job server at job_endpoint; dataflow: Google Cloud's, in "
        "deployment.project and deployment.region",
    )
    job_endpoint: str = Field(
        default="localhost:8099",
        pattern=_HOST_AND_PORT,
        description="host:port of Beam's job server for Flink or Spark (its own default)",
    )
    worker_pool: str = Field(
        default="localhost:50000",
        pattern=_HOST_AND_PORT,
        description="host:port at which each Flink or Spark worker finds the Python workers: "
        "Beam's worker pool, in a container beside it (its own default)",
    )
    parallelism: int = Field(
        default=2,
        ge=1,
        le=10_000,
        description="flink, spark: tasks at a time, and those on one machine share a Python "
        "worker; dataflow: workers at the start",
    )


class MetadataConfig(StrictModel):
    """Where `skipgram run` notes what it did; a cluster has a metadata store of its own."""

    type: Literal["sqlite", "mysql"] = Field(
        default="sqlite",
        description="sqlite: metadata.sqlite in --output; mysql: a MariaDB or MySQL server, whose "
        f"password is taken from the environment variable {PASSWORD_VARIABLE}",
    )
    host: str | None = Field(
        default=None, min_length=1, description="name of the server; none: socket says where it is"
    )
    port: int = Field(
        default=3306,
        ge=1,
        le=65_535,
        description="TCP port of the server at host (MySQL's own default)",
    )
    socket: str | None = Field(
        default=None,
        min_length=1,
        description="path of the socket of a server on this machine; none: host says where it is",
    )
    database: str = Field(
        default=PIPELINE_NAME,
        pattern=r"^[A-Za-z0-9_]{1,64}$",
        description="database on the server; the first run makes it, several output folders may "
        "share it",
    )
    user: str = Field(
        default=PIPELINE_NAME,
        min_length=1,
        description="user of the server, with all rights on database",
    )

    @field_validator("socket")
    @classmethod
    def _at_home(cls, path: str | None) -> str | None:
        return path and expanded(path)

    @model_validator(mode="after")
    def _says_where_the_server_is(self) -> Self:
        places = [name for name in ("host", "socket") if getattr(self, name) is not None]
        problems = []
        if self.type == "sqlite" and places:
            problems.append(f"{places[0]} is of a server: set metadata.type=mysql with it")
        if len(places) == 2 or (self.type == "mysql" and not places):
            problems.append(
                "type mysql takes either host or socket, and "
                f"{'both are' if places else 'none is'} set"
            )
        if problems:
            raise ValueError("; ".join(problems))
        return self


class Config(StrictModel):
    """All that can be set."""

    seed: int = Field(default=1, ge=0, lt=1 << 31, description="the source of every random choice")
    corpus: CorpusConfig = CorpusConfig()
    preprocessing: PreprocessingHyperparameters = PreprocessingHyperparameters()
    trainer: TrainerHyperparameters = TrainerHyperparameters()
    evaluator: EvaluatorConfig = EvaluatorConfig()
    exporter: ExporterConfig = ExporterConfig()
    beam: BeamConfig = BeamConfig()
    metadata: MetadataConfig = MetadataConfig()
    deployment: DeploymentConfig = DeploymentConfig()

    @model_validator(mode="before")
    @classmethod
    def _take_defaults_of_kind(cls, given: Any) -> Any:
        return with_preset(given) if isinstance(given, dict) else given

    @model_validator(mode="after")
    def _fits_the_kind(self) -> Self:
        if found := [*problems(self.corpus.kind, self.preprocessing)]:
            raise ValueError("; ".join(found))
        return self


def fields(model: type[BaseModel] = Config, prefix: str = "") -> Iterator[tuple[str, Any, str]]:
    """Yields (dotted name, default, description) of every field."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from fields(field.annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", field.default, field.description or ""


def as_dict(section: StrictModel) -> Mapping[str, Any]:
    """A section as the plain values that TFX puts into its metadata."""
    return section.model_dump(mode="json")
