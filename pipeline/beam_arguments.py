"""Beam's own arguments for the runner that the configuration names."""

import socket

from pipeline.config import BeamConfig, Config
from trainer_module.errors import InputError

# The only place that names a runner for this machine. What Beam calls its direct runner is a
# switch: it opens a pool of workers to all addresses, downloads a program, Prism, without a known
# hash, runs it, and comes to the runner that ours is made of only where that one fails.
ON_THIS_MACHINE = (
    "--runner=components.forked_workers.runner.ForkingRunner",
    # Without an image TFX would pack 44 MB of itself for workers elsewhere, for each component, and
    # leave them in the temporary folder.
    "--sdk_container_image=none",
)

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
        return list(ON_THIS_MACHINE)  # a list of the caller's own: TFX adds to it
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
