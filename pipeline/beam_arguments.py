"""Beam's own arguments for the runner that the configuration names."""

import socket

from pipeline.config import BeamConfig, Config
from trainer_module.errors import InputError

# Beam's default runner and its DirectRunner first try Prism: they open a pool of workers to all
# addresses, download a program without a known hash, and run it. Then they fall back to this.
_DIRECT = ["--runner=FnApiRunner", "--direct_running_mode=in_memory"]


_CONNECT_SECONDS = 5.0


def require_job_server(beam: BeamConfig) -> None:
    """Checks that Beam's job server answers; Beam itself would wait for minutes.

    Raises:
      InputError: the runner needs one, and nobody answers.
    """
    if beam.runner not in ("flink", "spark"):
        return
    host, _, port = beam.job_endpoint.rpartition(":")
    try:
        socket.create_connection((host, int(port)), _CONNECT_SECONDS).close()
    except OSError as error:
        raise InputError(
            f"no job server of Beam answers at beam.job_endpoint = {beam.job_endpoint} "
            f"({error.strerror or error}): start it, as docs/deployment.md shows under 'Beam on a "
            "cluster', or set beam.job_endpoint to where it is"
        ) from error


def beam_arguments(config: Config) -> list[str]:
    """The arguments that components which use Beam are started with.

    Raises:
      InputError: the runner needs a field that is not set.
    """
    beam, deployment = config.beam, config.deployment
    if beam.runner == "direct":
        return _DIRECT
    # In a worker TFX would not be imported before tensorflow-data-validation, which needs it.
    in_workers = "--beam_plugin=tfx"
    if beam.runner == "dataflow":
        for name in ("project", "image", "output"):
            if getattr(deployment, name) is None:
                raise InputError(f"beam.runner = dataflow needs deployment.{name}: set it")
        return [
            "--runner=DataflowRunner",
            f"--project={deployment.project}",
            f"--region={deployment.region}",
            f"--temp_location={deployment.output}/beam",
            f"--sdk_container_image={deployment.image}",
            f"--num_workers={beam.parallelism}",
            in_workers,
        ]
    # The job server that listens at the endpoint, Flink's or Spark's, is what runs the pipeline.
    return [
        "--runner=PortableRunner",
        f"--job_endpoint={beam.job_endpoint}",
        "--environment_type=EXTERNAL",
        f"--environment_config={beam.worker_pool}",
        f"--parallelism={beam.parallelism}",
        # At 0 the workers end with each stage of the job, and pay their 20 s of imports once more.
        # A dead worker is kept as long: Flink must wait longer before it tries again.
        "--environment_cache_millis=2000",
        # Workers have our packages. Without an image TFX would send them one of itself to install.
        f"--sdk_container_image={deployment.image or 'none'}",
        in_workers,
    ]
