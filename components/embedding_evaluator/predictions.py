"""The Evaluator's user module: what is asked of tonight's model and of the last blessed one.

TFMA would load both models and ask each for the same. Here both are asked on the same pairs too. Of
the last blessed model the tables alone are loaded, unless its own figures are compared.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_model_analysis as tfma
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.shared import Shared
from apache_beam.utils.windowed_value import WindowedValue
from tensorflow_model_analysis.proto import config_pb2

from components.embedding_evaluator.eval_config import compared_metric_of, max_targets_of
from components.embedding_evaluator.metrics import FULL_CROSS_ENTROPIES
from components.embedding_evaluator.totals import TOTALS, Totals
from trainer_module import features
from trainer_module.evaluation import saved_model
from trainer_module.evaluation.common_cross_entropy import CommonCrossEntropy
from trainer_module.evaluation.export import EVALUATE_SIGNATURE, parse_documents
from trainer_module.evaluation.judged_model import JudgedModel
from trainer_module.evaluation.target_sample import BUCKETS
from trainer_module.features import of_last_blessed
from trainer_module.text.near_copies import is_held_out

# Of documents that are evaluated together: with a window of 5 up to 500,000 pairs, or 50 MB.
_BYTES_AT_ONCE = 1 << 18

Sums = dict[str, npt.NDArray[np.float64]]  # by output, [batch] or, of a sketch, [batch, BUCKETS]


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
    predict = Predict(tonight, last, compared_metric_of(eval_config), max_targets_of(eval_config))
    extractor = tfma.extractors.Extractor("ExtractPredictions", beam.ParDo(predict))
    extractors: list[Any] = tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
        custom_predict_extractor=extractor,
    )
    return extractors


class Predict(beam.DoFn):
    """Makes one row of many documents: their totals, as tonight's prediction.

    TFMA would take each document through its stages by itself, in Python. And its batches have few
    targets each that were not met before, for which the whole table would be read.
    """

    def __init__(self, tonight: str, last: str | None, compared_metric: str, max_targets: int):
        """Says what is loaded.

        Args:
          tonight, last: folders of SavedModels.
          compared_metric: one of metrics.COMPARED_METRICS.
          max_targets: how many may be summed over the vocabulary.
        """
        super().__init__()
        self._arguments = tonight, last, compared_metric, max_targets
        self._names_models = last is not None  # so does TFMA where there are two
        self._shared = Shared()  # several threads of a worker have one copy of the models

    def setup(self) -> None:
        """Loads the models."""
        # It would take longer over a graph that is run a few hundred times than it saves.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        self._models = self._shared.acquire(lambda: _Models(*self._arguments))

    def start_bundle(self) -> None:
        """Nothing waits yet."""
        self._waiting: list[npt.NDArray[Any]] = []
        self._bytes = 0

    def process(self, extracts: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Takes one batch of TFMA's, and gives a row where there is enough for one."""
        examples = np.asarray(extracts[tfma.INPUT_KEY], object)
        self._waiting.append(examples)
        self._bytes += sum(map(len, examples))
        if self._bytes >= _BYTES_AT_ONCE:
            yield self._row()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Gives the row of what is left."""
        if self._waiting:
            yield GlobalWindows.windowed_value(self._row())

    def _row(self) -> dict[str, Any]:
        examples = np.concatenate(self._waiting)
        self.start_bundle()
        totals = {TOTALS: Totals.of_documents(self._models.sums(examples)).vector[np.newaxis]}
        predictions = {tfma.CANDIDATE_KEY: totals} if self._names_models else totals
        return {
            tfma.INPUT_KEY: examples[:1],
            tfma.LABELS_KEY: None,  # there are none, but TFMA asks for them
            tfma.PREDICTIONS_KEY: predictions,
        }


class _Models:
    """Tonight's model and maybe the last blessed one."""

    def __init__(self, tonight: str, last: str | None, compared_metric: str, max_targets: int):
        loaded = tf.saved_model.load(tonight)
        self._tonight = loaded.signatures[EVALUATE_SIGNATURE]
        self._comparison = None
        judged = JudgedModel.of_loaded(loaded)
        if last is None:
            judged.draw(max_targets)
        else:
            self._comparison = _Comparison(judged, last, compared_metric, max_targets)

    def sums(self, examples: npt.NDArray[Any]) -> Sums:
        """The sums of each document; those of a comparison are missing where there is none.

        Args:
          examples: `[batch]` serialized tf.Examples.
        """
        found = _evaluated(self._tonight, examples)
        if self._comparison is None:
            return found
        return found | self._comparison.sums(examples, found)


class _Comparison:
    """The last blessed model beside tonight's, on documents that both have held out."""

    def __init__(self, tonight: JudgedModel, last: str, compared_metric: str, max_targets: int):
        self._output = FULL_CROSS_ENTROPIES.get(compared_metric)
        # Its own figures take as long as tonight's.
        self._last = tf.saved_model.load(last) if self._output else None
        # One of an older version sums all targets, whatever is drawn.
        is_ours = hasattr(self._last, "targets")
        judged = (
            JudgedModel.of_loaded(self._last)
            if is_ours
            else JudgedModel.of_tables(saved_model.read(last))
        )
        self._common = CommonCrossEntropy(tonight, judged)
        self._common.draw(max_targets)
        fractions = [model.settings.eval_fraction for model in (tonight, judged)]
        # Splits of two fractions are one in the other; tonight's eval split is what there is.
        self._fraction = min(fractions) if min(fractions) < fractions[0] else None

    def sums(self, examples: npt.NDArray[Any], tonight: Sums) -> Sums:
        """Sums by features.COMPARISON_OUTPUTS, COMPARED_OUTPUTS and COMPARED_SKETCHES.

        Args:
          examples: `[batch]` serialized tf.Examples.
          tonight: what tonight's model evaluates of them.
        """
        documents, occurrences = parse_documents(examples)
        common = _as_numbers(self._common(documents, occurrences))
        found = {name: common[name] for name in features.COMPARISON_OUTPUTS}
        found |= self._compared(examples, tonight, common)
        if self._fraction is None:
            return found
        held_out = np.array([is_held_out(text, self._fraction) for text in documents.numpy()])
        return {name: np.where(held_out, values.T, 0.0).T for name, values in found.items()}

    def _compared(self, examples: npt.NDArray[Any], tonight: Sums, common: Sums) -> Sums:
        """Loss, pairs and sketch, of tonight's model and of the last blessed one."""
        if self._last is None or self._output is None:
            loss, sketch = features.COMMON_CROSS_ENTROPY, features.COMMON_SKETCH
            pairs = common[features.NUM_COMMON_PAIRS]
            of_tonight = common[loss], pairs, common[sketch]
            of_last = common[of_last_blessed(loss)], pairs, common[of_last_blessed(sketch)]
        else:
            last = _evaluated(self._last.signatures[EVALUATE_SIGNATURE], examples)
            no_sketch = np.zeros([len(examples), BUCKETS])  # of an older version
            of_tonight, of_last = (
                (
                    model[self._output],
                    model[features.NUM_PAIRS],
                    model.get(features.SKETCHES[self._output], no_sketch),
                )
                for model in (tonight, last)
            )
        names = features.COMPARED_LOSS, features.COMPARED_PAIRS, features.COMPARED_SKETCH
        return dict(zip(names, of_tonight, strict=True)) | dict(
            zip(map(of_last_blessed, names), of_last, strict=True)
        )


def _evaluated(signature: Any, examples: npt.NDArray[Any]) -> Sums:
    return _as_numbers(signature(examples=tf.constant(examples)))


def _as_numbers(outputs: Mapping[str, tf.Tensor]) -> Sums:
    return {name: values.numpy().astype(np.float64) for name, values in outputs.items()}
