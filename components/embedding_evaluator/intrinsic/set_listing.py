"""Looks at the files of intrinsic sets, so that a cluster's cache sees a file that has changed."""

import os

from components.tfx_api import OutputArtifact, Parameter, component, fileio, standard_artifacts
from trainer_module.evaluation.intrinsic import sets


@component
def EvaluationSetListing(  # noqa: N802
    similarity: Parameter[str],
    analogies: Parameter[str],
    fingerprint: OutputArtifact[standard_artifacts.String],
) -> None:
    """Makes the fingerprint of the files that the Evaluator will read, and checks them.

    It waits for no other node: a file that is not there is missed before the training.

    Args:
      similarity, analogies: the files, with newlines between them.
      fingerprint: see sets.fingerprint; the file at its URI, and the node's output parameter.

    Raises:
      InputError: a file cannot be read or is no set.
    """
    named = {
        sets.SIMILARITY: similarity.split("\n") if similarity else [],
        sets.ANALOGIES: analogies.split("\n") if analogies else [],
    }
    if "://" not in fingerprint.uri:
        fileio.makedirs(os.path.dirname(fingerprint.uri))
    fingerprint.value = sets.fingerprint(named) or ""
