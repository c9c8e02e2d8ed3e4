"""Beam's worker pool for one machine: starts the Python workers that Flink asks for.

    python worker_pool.py PORT

In a cluster this is our image with the argument --worker_pool. Two things differ. It listens on the
loopback interface alone, for whoever reaches it can have code of his own run. And its workers are
forked from a process that has imported TFX, so that none pays 20 s of imports, at its first start
or after it was killed.
"""

import multiprocessing
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.process import BaseProcess
from typing import Any

import grpc
from apache_beam.portability.api import (
    beam_fn_api_pb2,
    beam_fn_api_pb2_grpc,
    beam_provision_api_pb2,
    beam_provision_api_pb2_grpc,
    endpoints_pb2,
)
from google.protobuf import json_format, text_format

_server = multiprocessing.get_context("forkserver")
_server.set_forkserver_preload(["pipeline.graph", "apache_beam.runners.worker.sdk_worker_main"])


class WorkerPool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """Starts and stops workers, each a process."""

    def __init__(self) -> None:
        self._workers: dict[str, BaseProcess] = {}

    def StartWorker(  # noqa: N802
        self, request: beam_fn_api_pb2.StartWorkerRequest, context: Any
    ) -> beam_fn_api_pb2.StartWorkerResponse:
        """Starts a worker; it reports to the runner by itself."""
        environment = {
            "WORKER_ID": request.worker_id,
            "PIPELINE_OPTIONS": _pipeline_options(request),
            "LOGGING_API_SERVICE_DESCRIPTOR": _descriptor(request.logging_endpoint),
            "CONTROL_API_SERVICE_DESCRIPTOR": _descriptor(request.control_endpoint),
        }
        worker = self._workers[request.worker_id] = _server.Process(
            target=_work, args=(environment,)
        )
        worker.start()
        print(f"worker {request.worker_id} is process {worker.pid}", flush=True)
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(  # noqa: N802
        self, request: beam_fn_api_pb2.StopWorkerRequest, context: Any
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """Ends a worker that is not needed any more."""
        if worker := self._workers.pop(request.worker_id, None):
            worker.kill()  # what it has done the runner has
            worker.join()
        return beam_fn_api_pb2.StopWorkerResponse()


def _pipeline_options(request: beam_fn_api_pb2.StartWorkerRequest) -> str:
    """The options that the runner was given, among them --beam_plugin, in JSON."""
    with grpc.insecure_channel(request.provision_endpoint.url) as channel:
        answer = beam_provision_api_pb2_grpc.ProvisionServiceStub(channel).GetProvisionInfo(
            beam_provision_api_pb2.GetProvisionInfoRequest(),
            metadata=[("worker_id", request.worker_id)],
        )
    return str(json_format.MessageToJson(answer.info.pipeline_options))


def _descriptor(endpoint: endpoints_pb2.ApiServiceDescriptor) -> str:
    return str(text_format.MessageToString(endpoint))


def _work(environment: dict[str, str]) -> None:
    from apache_beam.runners.worker import sdk_worker_main

    os.environ.update(environment)
    sdk_worker_main.main([])


def _import() -> None:
    """What the first process that is forked waits for."""


def main(port: int) -> None:
    """Serves until the process is ended."""
    first = _server.Process(target=_import)
    first.start()
    first.join()
    server = grpc.server(ThreadPoolExecutor())
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(WorkerPool(), server)
    server.add_insecure_port(f"localhost:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(int(sys.argv[1]))
