"""The Evaluator's user module: what is asked of tonight's model and of the last blessed one.

TFMA would load both models and ask each for the same. Here both are asked on the same pairs too. Of
the last blessed model the tables alone are loaded, unless its own figures are compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_model_analysis as tfma
from apache_beam.utils.shared import Shared
from tensorflow_model_analysis.proto import config_pb2

from components.embedding_evaluator.eval_config import compared_metric_of
from components.embedding_evaluator.metrics import FULL_CROSS_ENTROPIES
from trainer_module import features
from trainer_module.evaluation import saved_model
from trainer_module.evaluation.common_cross_entropy import CommonCrossEntropy
from trainer_module.evaluation.export import EVALUATE_SIGNATURE, parse_documents
from trainer_module.features import EVALUATE_OUTPUTS, of_last_blessed
from trainer_module.text.near_copies import is_held_out

Sums = dict[str, npt.NDArray[np.float64]]  # by output, [batch] each
_COMPARISON = (*features.COMPARISON_OUTPUTS, *features.COMPARED_OUTPUTS)


def custom_extractors(
    eval_shared_model: Any, eval_config: config_pb2.EvalConfig, tensor_adapter_config: Any
) -> list[Any]:
    """TFX's hook: TFMA's extractors with our predictions in the place of its own.

    Args:
      eval_shared_model: tonight's model, or a list of it and the last blessed one.
      eval_config: eval_config.eval_config's.
      tensor_adapter_config: TFX's.
    """
    models = eval_shared_model if isinstance(eval_shared_model, list) else [eval_shared_model]
    paths = {model.model_name: model.model_path for model in models}
    last = paths.get(tfma.BASELINE_KEY)
    [tonight] = (path for name, path in paths.items() if name != tfma.BASELINE_KEY)
    predict = Predict(tonight, last, compared_metric_of(eval_config))
    extractor = tfma.extractors.Extractor("ExtractPredictions", beam.ParDo(predict))
    extractors: list[Any] = tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
        custom_predict_extractor=extractor,
    )
    return extractors


class Predict(beam.DoFn):
    """Adds the sums of metrics.OUTPUTS to batches of documents, as tonight's predictions."""

    def __init__(self, tonight: str, last: str | None, compared_metric: str):
        """Says what is loaded.

        Args:
          tonight, last: folders of SavedModels.
          compared_metric: one of metrics.COMPARED_METRICS.
        """
        super().__init__()
        self._tonight, self._last = tonight, last
        self._compared_metric = compared_metric
        self._shared = Shared()  # several threads of a worker have one copy of the models

    def setup(self) -> None:
        """Loads the models."""
        self._models = self._shared.acquire(
            lambda: _Models(self._tonight, self._last, self._compared_metric)
        )

    def process(self, extracts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Adds the predictions of one batch."""
        sums = self._models.sums(np.asarray(extracts[tfma.INPUT_KEY], object))
        # TFMA names the models where there are two.
        predictions = sums if self._last is None else {tfma.CANDIDATE_KEY: sums}
        yield {**extracts, tfma.PREDICTIONS_KEY: predictions}


class _Models:
    """Tonight's model and maybe the last blessed one."""

    def __init__(self, tonight: str, last: str | None, compared_metric: str):
        self._tonight = tf.saved_model.load(tonight).signatures[EVALUATE_SIGNATURE]
        self._comparison = None if last is None else _Comparison(tonight, last, compared_metric)

    def sums(self, examples: npt.NDArray[Any]) -> Sums:
        """The sums of each document; those of a comparison are 0 where there is none.

        Args:
          examples: `[batch]` serialized tf.Examples.
        """
        found = _evaluated(self._tonight, examples)
        if self._comparison is None:
            return found | {name: np.zeros(len(examples)) for name in _COMPARISON}
        return found | self._comparison.sums(examples, found)


class _Comparison:
    """The last blessed model beside tonight's, on documents that both have held out."""

    def __init__(self, tonight: str, last: str, compared_metric: str):
        models = saved_model.read(tonight), saved_model.read(last)
        self._common = CommonCrossEntropy(*models)
        fractions = [model.settings.eval_fraction for model in models]
        # Splits of two fractions are one in the other; tonight's eval split is what there is.
        self._fraction = min(fractions) if min(fractions) < fractions[0] else None
        self._output = FULL_CROSS_ENTROPIES.get(compared_metric)
        # Its own figures take as long as tonight's.
        self._last = tf.saved_model.load(last) if self._output else None

    def sums(self, examples: npt.NDArray[Any], tonight: Sums) -> Sums:
        """Sums by features.COMPARISON_OUTPUTS and features.COMPARED_OUTPUTS.

        Args:
          examples: `[batch]` serialized tf.Examples.
          tonight: what tonight's model evaluates of them.
        """
        documents, occurrences = parse_documents(examples)
        found = {
            name: values.numpy().astype(np.float64)
            for name, values in self._common(documents, occurrences).items()
        }
        compared = self._compared(examples, tonight, found)
        found |= dict(zip(features.COMPARED_OUTPUTS, compared, strict=True))
        if self._fraction is None:
            return found
        held_out = [is_held_out(text, self._fraction) for text in documents.numpy()]
        return {name: np.where(held_out, values, 0.0) for name, values in found.items()}

    def _compared(
        self, examples: npt.NDArray[Any], tonight: Sums, common: Sums
    ) -> Sequence[npt.NDArray[np.float64]]:
        """Loss and pairs, of tonight's model and of the last blessed one."""
        if self._last is None or self._output is None:
            name, pairs = features.COMMON_CROSS_ENTROPY, common[features.NUM_COMMON_PAIRS]
            return common[name], pairs, common[of_last_blessed(name)], pairs
        last = _evaluated(self._last.signatures[EVALUATE_SIGNATURE], examples)
        return [
            model[name] for model in (tonight, last) for name in (self._output, features.NUM_PAIRS)
        ]


def _evaluated(signature: Any, examples: npt.NDArray[Any]) -> Sums:
    outputs = signature(examples=tf.constant(examples))
    return {name: outputs[name].numpy().astype(np.float64) for name in EVALUATE_OUTPUTS}
