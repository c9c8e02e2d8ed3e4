"""A custom job of Vertex: started, waited for, and cancelled with the process that waits."""

import contextlib
import signal
import time
from collections.abc import Iterator, Mapping
from typing import Any

from absl import logging
from google.api_core.exceptions import GoogleAPIError
from google.cloud.aiplatform_v1.types import JobState

from components.tfx_api import vertex_training_clients

# TFX's client asks again by itself for two minutes; so often in a row it may fail altogether.
_MOST_FAILURES = 5
_POLL_SECONDS = 30.0
# A pod has 30 seconds to end, by default.
_CANCEL_SECONDS = 15.0
# As shells have it.
_TERMINATED = 128 + signal.SIGTERM

_ENDED = (
    JobState.JOB_STATE_SUCCEEDED,
    JobState.JOB_STATE_FAILED,
    JobState.JOB_STATE_CANCELLED,
    # TFX would wait for a job that ended so for ever.
    JobState.JOB_STATE_EXPIRED,
    JobState.JOB_STATE_PARTIALLY_SUCCEEDED,
)


class Client(vertex_training_clients.VertexJobClient):
    """TFX's, which can also cancel its job."""

    def cancel(self) -> None:
        """Asks Vertex to end the job; it says so if that is refused, and raises nothing."""
        name = self.get_job_name()
        try:
            self._client.cancel_custom_job(name=name, timeout=_CANCEL_SECONDS)
        except Exception as error:
            logging.error(
                "The custom job %s goes on, as it could not be cancelled: %s", name, error
            )
        else:
            logging.info("The custom job %s is cancelled.", name)


class _Termination:
    """What a SIGTERM does: it ends the process as soon as the job has a name."""

    is_asked_for = False
    raises = False

    def __call__(self, *_: object) -> None:
        self.is_asked_for = True
        if self.raises:
            raise SystemExit(_TERMINATED)

    def from_now_on(self) -> None:
        """Raises SystemExit, also for a signal that came before."""
        self.raises = True
        if self.is_asked_for:
            raise SystemExit(_TERMINATED)


def run(client: Any, project: str, job: Mapping[str, Any]) -> None:
    """Starts a job and waits for its end.

    Whatever ends the waiting also ends the job: else it would be paid for, and another attempt
    would write the same checkpoints beside it.

    Args:
      client: a Client.
      project: of Google Cloud.
      job: a CustomJob.

    Raises:
      RuntimeError: the job did not succeed.
      SystemExit: with 143, as this process got a SIGTERM; the job was cancelled.
    """
    with _terminating() as termination:
        client.launch_job(project, job)
        try:
            termination.from_now_on()
            ended = _waited_for(client)
        except BaseException:
            termination.raises = False  # to cancel takes its time
            client.cancel()
            raise
    if ended.state != JobState.JOB_STATE_SUCCEEDED:
        raise RuntimeError(
            f"the custom job {client.get_job_name()} ended as {JobState(ended.state).name} "
            f"({ended.error.message or 'its log says why'}); another attempt goes on from the last "
            "checkpoint"
        )


@contextlib.contextmanager
def _terminating() -> Iterator[_Termination]:
    termination = _Termination()
    before = signal.signal(signal.SIGTERM, termination)
    try:
        yield termination
    finally:
        signal.signal(signal.SIGTERM, before)


def _waited_for(client: Any) -> Any:
    """The CustomJob, when it has ended."""
    failures = 0
    while True:
        try:
            job = client.get_job()
        except (ConnectionError, GoogleAPIError) as error:
            failures += 1
            logging.warning("Vertex did not say how %s is: %s", client.get_job_name(), error)
            if failures > _MOST_FAILURES:
                raise
            client.create_client()
        else:
            failures = 0
            if job.state in _ENDED:
                return job
        time.sleep(_POLL_SECONDS)
