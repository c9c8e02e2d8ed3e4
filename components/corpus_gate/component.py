"""Holds tonight's corpus against that of the last blessed model before training is paid for.

TFX's own means do not do it. Its ExampleValidator is given no earlier statistics, so drift
comparators of the schema do nothing there. Its DistributionValidator compares statistics of
features, and a document is one value of one: it sees no token.
"""

import json
import math
import os

import tensorflow_transform as tft

from components.corpus_gate.comparison import CorpusComparison, compare
from components.corpus_gate.kinds import other_kind
from components.tfx_api import (
    InputArtifact,
    OutputArtifact,
    Parameter,
    artifact,
    component,
    fileio,
    io_utils,
    path_utils,
    standard_artifacts,
)
from trainer_module import features, vocabulary
from trainer_module.errors import WithheldError
from trainer_module.evaluation import saved_model
from trainer_module.text.split import TEXT

# In the artifact: tokens, and the fields of CorpusComparison where there is a last blessed model.
COMPARISON_FILE = "corpus.json"


class CorpusFigures(artifact.Artifact):
    """A folder with corpus.json."""

    # TFX imports the class by this name when an artifact comes from a cluster.
    TYPE_NAME = "components.CorpusFigures"


@component
def CorpusGate(  # noqa: N802
    transform_graph: InputArtifact[standard_artifacts.TransformGraph],
    figures: OutputArtifact[CorpusFigures],
    kind: Parameter[str],
    max_token_loss: Parameter[float],
    code_fingerprint: Parameter[str],
    last_model: InputArtifact[standard_artifacts.Model] = None,
) -> None:
    """Writes the figures; ends the run where the last corpus is gone, or was of another kind.

    Args:
      transform_graph: with tonight's vocabulary.
      figures: the artifact.
      kind: of tonight's corpus, `corpus.kind`.
      max_token_loss: share of the last corpus' tokens that may be gone.
      code_fingerprint: is not used; it makes TFX's cache key change with the code.
      last_model: the last blessed one; None, or without a model in it: there is none yet.

    Raises:
      WithheldError: more is gone, or there are two kinds.
    """
    del code_fingerprint
    tonight = tft.TFTransformOutput(transform_graph.uri)
    last = path_utils.serving_model_path(last_model.uri) if last_model else None
    if last and not fileio.exists(last):
        last = None
    if last and (problem := other_kind(kind, _kind_of(last))):
        raise WithheldError(f"the run is withheld before training: {problem}")
    compared = _compared(tonight, last) if last else None
    content = compared._asdict() if compared else {"tokens": _tokens(tonight)}
    path = os.path.join(figures.uri, COMPARISON_FILE)
    io_utils.write_string_file(path, json.dumps(content, indent=2) + "\n")
    if compared:
        require_tokens(compared, max_token_loss)


def require_tokens(compared: CorpusComparison, max_token_loss: float) -> None:
    """Raises WithheldError where more than that share of the last corpus' tokens is gone."""
    loss = compared.token_loss
    if loss <= max_token_loss:
        return
    if not compared.vocabulary_kept:
        raise WithheldError(
            "the run is withheld before training: its corpus and the last blessed run's have no "
            "token in common: give another corpus an --output of its own, or set "
            "evaluator.max_token_loss=1 if it is meant to take this one over"
        )
    enough = min(1.0, math.ceil(loss * 100) / 100)
    raise WithheldError(
        f"the run is withheld before training: its corpus holds {compared.tokens:,} tokens, the "
        f"last blessed run's held {compared.last_tokens:,}, so {loss:.1%} are gone, and "
        f"evaluator.max_token_loss allows {max_token_loss:.1%}: look for files that are missing or "
        f"cut short, or set evaluator.max_token_loss={enough:g} if so little text is meant"
    )


def _kind_of(model: str) -> str:
    settings = saved_model.settings_of(model)
    return settings.kind if settings else TEXT


def _compared(tonight: tft.TFTransformOutput, last: str) -> CorpusComparison:
    assets = os.path.join(last, "assets")
    last_vocabulary = vocabulary.read(os.path.join(assets, features.VOCABULARY))
    last_totals = os.path.join(assets, features.VOCABULARY_TOTALS)
    # Models of older versions do not say more than what their vocabulary holds.
    last_tokens = (
        vocabulary.read_occurrences(last_totals)
        if fileio.exists(last_totals)
        else int(last_vocabulary.counts.sum())
    )
    return compare(
        vocabulary.read(tonight.vocabulary_file_by_name(features.VOCABULARY)),
        last_vocabulary,
        tokens=_tokens(tonight),
        last_tokens=last_tokens,
    )


def _tokens(tonight: tft.TFTransformOutput) -> int:
    totals = tonight.vocabulary_file_by_name(features.VOCABULARY_TOTALS)
    return vocabulary.read_occurrences(totals)
