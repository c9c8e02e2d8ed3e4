"""What each node of a cluster runs: TFX's entry point, made to fit Kubeflow Pipelines and us.

`python -m components.entry_point --code_fingerprint=FINGERPRINT ARGUMENTS` is what TFX does with
ARGUMENTS, and four things around it that TFX's own module lacks:

- It compares the code of the spec with that of the image.
- It binds itself to as many cores as its pod may use.
- It says the types of inputs. Kubeflow Pipelines hands an artifact on without its type, and TFX
  would not know of which class to make it.
- It removes the empty objects that stand for folders in an object store. TensorFlow leaves them,
  and the launcher of Kubeflow Pipelines makes a file of each where a folder is to be
  (https://github.com/kubeflow/pipelines/issues/13476).
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

from components import cores, fingerprint
from trainer_module.errors import InputError

FINGERPRINT_OPTION = "--code_fingerprint"
_GCS = "gs://"


def require_same_code(of_spec: str) -> None:
    """Checks that a job spec was compiled with the code that is installed here.

    Args:
      of_spec: the fingerprint of the code that compiled it.

    Raises:
      InputError: it is not this code's.
    """
    here = fingerprint.code_fingerprint(*fingerprint.OF_NODES)
    if here != of_spec:
        raise InputError(
            f"the job spec was compiled with code {of_spec}, and this image holds code {here}: "
            "compile the spec with the version that is in the image, or build the image anew with "
            "the version that compiled the spec, and name it by its digest in deployment.image"
        )


def say_types(told: Any, declared: Any) -> None:
    """Gives each input the type that the spec declares, where the cluster does not name it.

    Args:
      told: kfp's ExecutorInput.
      declared: the node's ComponentInputsSpec.

    Raises:
      InputError: the spec does not declare an input either.
    """
    for key, given in told.inputs.artifacts.items():
        for artifact in given.artifacts:
            kind = artifact.type
            if kind.schema_title or kind.instance_schema:
                continue
            if key not in declared.artifacts:
                raise InputError(
                    f"neither the cluster nor the job spec says of which type the input {key!r} "
                    "is: compile the spec anew with `skipgram compile`"
                )
            kind.CopyFrom(declared.artifacts[key].artifact_type)


def remove_folder_objects(uri: str, storage: Any = None) -> None:
    """Removes the empty objects below an output that stand for folders.

    Args:
      uri: of the output; only where it is in Cloud Storage there are such.
      storage: a client of Cloud Storage; by default, one with the credentials that Beam finds.
    """
    if not uri.startswith(_GCS):
        return
    if storage is None:
        from apache_beam.io.gcp.gcsio import GcsIO

        storage = GcsIO().client
    bucket, _, name = uri.removeprefix(_GCS).partition("/")
    for found in storage.list_blobs(bucket, prefix=f"{name.rstrip('/')}/"):
        if found.name.endswith("/") and not found.size:
            found.delete()


def _run(parsed: tuple[argparse.Namespace, list[str]]) -> None:
    """Runs a node. It is called by absl, as TFX's own main is."""
    from google.protobuf import json_format
    from kfp.pipeline_spec.pipeline_spec_pb2 import ComponentInputsSpec, ExecutorInput

    from components.tfx_api import kubeflow_v2_run_executor

    arguments, of_beam = parsed
    told, declared = ExecutorInput(), ComponentInputsSpec()
    invocation = arguments.json_serialized_invocation_args
    json_format.Parse(invocation, told, ignore_unknown_fields=True)
    inputs_spec = arguments.json_serialized_inputs_spec_args or "{}"
    json_format.Parse(inputs_spec, declared, ignore_unknown_fields=True)
    say_types(told, declared)
    arguments.json_serialized_invocation_args = json_format.MessageToJson(told, indent=None)
    kubeflow_v2_run_executor.main((arguments, of_beam))
    for given in told.outputs.artifacts.values():
        for artifact in given.artifacts:
            remove_folder_objects(artifact.uri)


def main(words: Sequence[str]) -> None:
    """Compares the code before anything large is imported, and runs the node.

    Args:
      words: the command line, as sys.argv has it.
    """
    own = argparse.ArgumentParser(allow_abbrev=False, add_help=False)
    own.add_argument(FINGERPRINT_OPTION, required=True)
    ours, of_tfx = own.parse_known_args(words[1:])
    try:
        require_same_code(ours.code_fingerprint)
    except InputError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    cores.take()
    from absl import app

    from components.tfx_api import kubeflow_v2_run_executor

    app.run(_run, [words[0], *of_tfx], flags_parser=kubeflow_v2_run_executor._parse_flags)


if __name__ == "__main__":
    main(sys.argv)
