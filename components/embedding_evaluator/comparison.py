"""The last blessed model beside tonight's, asked on the same pairs."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from components.embedding_evaluator.metrics import FULL_CROSS_ENTROPIES
from trainer_module import features
from trainer_module.evaluation import saved_model
from trainer_module.evaluation.common_cross_entropy import CommonCrossEntropy
from trainer_module.evaluation.export import EVALUATE_SIGNATURE, parse_documents
from trainer_module.evaluation.judged_model import JudgedModel
from trainer_module.evaluation.target_sample import BUCKETS
from trainer_module.features import of_last_blessed
from trainer_module.text.split import is_held_out

Sums = dict[str, npt.NDArray[np.float64]]  # by output, [batch] or, of a sketch, [batch, BUCKETS]


class Comparison:
    """The last blessed model beside tonight's, on documents that both have held out."""

    def __init__(
        self,
        tonight: JudgedModel,
        loaded: Any,
        last: str,
        compared_metric: str,
        max_targets: int,
    ):
        self._tonight = loaded.signatures[EVALUATE_SIGNATURE]
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
        self._kind = tonight.settings.kind

    def sums(self, examples: npt.NDArray[Any]) -> Sums:
        """Sums by features.COMPARISON_OUTPUTS, COMPARED_OUTPUTS and COMPARED_SKETCHES.

        Args:
          examples: `[batch]` serialized tf.Examples.
        """
        documents, occurrences = parse_documents(examples)
        common = _as_numbers(self._common(documents, occurrences))
        found = {name: common[name] for name in features.COMPARISON_OUTPUTS}
        found |= self._compared(examples, common)
        if self._fraction is None:
            return found
        texts = documents.numpy()
        held_out = np.array([is_held_out(text, self._fraction, self._kind) for text in texts])
        return {name: np.where(held_out, values.T, 0.0).T for name, values in found.items()}

    def _compared(self, examples: npt.NDArray[Any], common: Sums) -> Sums:
        """Loss, pairs and sketch, of tonight's model and of the last blessed one."""
        if self._last is None or self._output is None:
            loss, sketch = features.COMMON_CROSS_ENTROPY, features.COMMON_SKETCH
            pairs = common[features.NUM_COMMON_PAIRS]
            of_tonight = common[loss], pairs, common[sketch]
            of_last = common[of_last_blessed(loss)], pairs, common[of_last_blessed(sketch)]
        else:
            tonight = _evaluated(self._tonight, examples)
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
