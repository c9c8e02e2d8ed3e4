"""The Evaluator's user module: what is asked of tonight's model and of the last blessed one.

TFMA would load both models and ask each for the same. Here both are asked on the same pairs too. Of
the last blessed model the tables alone are loaded, unless its own figures are compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_model_analysis as tfma
from apache_beam.transforms.window import GlobalWindows
from apache_beam.utils.shared import Shared
from apache_beam.utils.windowed_value import WindowedValue
from tensorflow_model_analysis.proto import config_pb2

from components.embedding_evaluator.comparison import Comparison, Sums
from components.embedding_evaluator.eval_config import compared_metric_of, max_targets_of
from components.embedding_evaluator.pairs.cells import rows_of
from components.embedding_evaluator.pairs.collecting import Block, Pairs, collected
from components.embedding_evaluator.pairs.losses import PairLosses
from components.embedding_evaluator.pairs.ranking import Summed, TargetJudge
from components.embedding_evaluator.pairs.sampling import Sampling
from components.embedding_evaluator.totals import Totals
from trainer_module import features
from trainer_module.evaluation.judged_model import JudgedModel

# Of documents that are evaluated together: with a window of 5 up to 500,000 pairs, or 50 MB.
_BYTES_AT_ONCE = 1 << 18
# Of the second pass, beside its rows: what the third one needs of it.
_SUMMED = "summed"


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
    predict = ExtractPredictions(
        tonight, last, compared_metric_of(eval_config), max_targets_of(eval_config)
    )
    extractor = tfma.extractors.Extractor("ExtractPredictions", predict)
    extractors: list[Any] = tfma.default_extractors(
        eval_shared_model=eval_shared_model,
        eval_config=eval_config,
        tensor_adapter_config=tensor_adapter_config,
        custom_predict_extractor=extractor,
    )
    return extractors


class ExtractPredictions(beam.PTransform):
    """Rows of totals in the place of TFMA's batches of documents.

    TFMA would take each document through its stages by itself, in Python. And its batches have few
    targets each that were not met before, for which the whole table would be read. So the pairs are
    brought together by their targets, each target is summed once, with the ranks of its contexts,
    and with these sums the documents are gone through again.
    """

    def __init__(self, tonight: str, last: str | None, compared_metric: str, max_targets: int):
        """Says what is loaded.

        Args:
          tonight, last: folders of SavedModels.
          compared_metric: one of metrics.COMPARED_METRICS.
          max_targets: how many may be summed over the vocabulary.
        """
        super().__init__()
        # TFMA names the models where there are two.
        name = tfma.CANDIDATE_KEY if last else None
        self._models = _ModelsToLoad((tonight, last, compared_metric, max_targets), Shared(), name)

    def expand(self, extracts: beam.PCollection) -> beam.PCollection:
        """See beam.PTransform."""
        judged = (
            extracts
            | "CollectPairs" >> beam.ParDo(CollectPairs(self._models))
            | "ByBlockOfTargets" >> beam.GroupByKey()
            | "SumTargets"
            >> beam.ParDo(SumTargets(self._models)).with_outputs(_SUMMED, main="rows")
        )
        predict = beam.ParDo(Predict(self._models), beam.pvalue.AsList(judged[_SUMMED]))
        return (judged.rows, extracts | "Predict" >> predict) | beam.Flatten()


class _ModelsToLoad(NamedTuple):
    """Models that several threads of a worker, and several stages, have one copy of."""

    arguments: tuple[str, str | None, str, int]
    shared: Shared
    name: str | None

    def load(self) -> "_Models":
        # It would take longer over a graph that is run a few hundred times than it saves.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
        models: _Models = self.shared.acquire(lambda: _Models(*self.arguments))
        return models


class _OfManyDocuments(beam.DoFn):
    """Takes TFMA's batches until there are enough documents."""

    def __init__(self, models: _ModelsToLoad):
        super().__init__()
        self._to_load = models

    def setup(self) -> None:
        """Loads the models."""
        self._models = self._to_load.load()

    def start_bundle(self) -> None:
        """Nothing waits yet."""
        self._waiting: list[npt.NDArray[Any]] = []
        self._bytes = 0

    def process(self, extracts: Mapping[str, Any], *unused: Any) -> Iterator[Any]:
        """Takes one batch of TFMA's, and gives what it has where there is enough for it."""
        examples = np.asarray(extracts[tfma.INPUT_KEY], object)
        self._waiting.append(examples)
        self._bytes += sum(map(len, examples))
        if self._bytes >= _BYTES_AT_ONCE:
            yield from self._taken()

    def finish_bundle(self) -> Iterator[WindowedValue]:
        """Gives what it has of those that are left."""
        if self._waiting:
            yield from map(GlobalWindows.windowed_value, self._taken())

    def _taken(self) -> Iterator[Any]:
        examples = np.concatenate(self._waiting)
        self.start_bundle()
        return self.of_documents(examples)

    def of_documents(self, examples: npt.NDArray[Any]) -> Iterator[Any]:
        """Makes something of `[batch]` serialized tf.Examples."""
        raise NotImplementedError


class CollectPairs(_OfManyDocuments):
    """The first pass: see collecting."""

    def of_documents(self, examples: npt.NDArray[Any]) -> Iterator[tuple[int, Any]]:
        """Gives blocks with what goes into them."""
        pairs = Pairs.of(self._models.loaded, examples)
        return collected(pairs, examples, self._models.sampling)


class SumTargets(beam.DoFn):
    """The second pass: see ranking."""

    def __init__(self, models: _ModelsToLoad):
        """Takes what is loaded by `setup`."""
        super().__init__()
        self._to_load = models

    def setup(self) -> None:
        """Loads the models."""
        self._models = self._to_load.load()

    def process(self, element: tuple[int, Any]) -> Iterator[Any]:
        """Gives rows of a block, and beside them its targets' sums."""
        block = Block.merged(element[1])
        summed, cells = self._models.judge.judge(block)
        yield cells.rows(self._models.judge.cells_of_block(block), self._to_load.name)
        yield beam.pvalue.TaggedOutput(_SUMMED, summed)


class Predict(_OfManyDocuments):
    """The third pass: the losses of pairs, and the comparison of documents."""

    def process(
        self, extracts: Mapping[str, Any], summed: Sequence[Summed] = ()
    ) -> Iterator[dict[str, Any]]:
        """Takes one batch of TFMA's, and gives rows where there is enough for them.

        Args:
          extracts: TFMA's, of some documents.
          summed: the sums of all targets.
        """
        self._models.remember(summed)
        yield from super().process(extracts)

    def of_documents(self, examples: npt.NDArray[Any]) -> Iterator[dict[str, Any]]:
        """Gives a row of the whole, and a row of each cell."""
        name = self._to_load.name
        totals = Totals.of_documents(self._models.compared(examples))
        yield rows_of(totals.vector[np.newaxis], name)
        pairs = Pairs.of(self._models.loaded, examples)
        if len(pairs.targets):
            cells = self._models.losses.sums(pairs)
            yield cells.rows(np.flatnonzero(cells.found[features.NUM_PAIRS]).tolist(), name)


class _Models:
    """Tonight's model and maybe the last blessed one."""

    def __init__(self, tonight: str, last: str | None, compared_metric: str, max_targets: int):
        self.loaded = loaded = tf.saved_model.load(tonight)
        self._comparison: Comparison | None = None
        judged = JudgedModel.of_loaded(loaded)
        if last is None:
            judged.draw(max_targets)
        else:
            self._comparison = Comparison(judged, loaded, last, compared_metric, max_targets)
        self.sampling = Sampling.of_model(judged, max_targets)
        self.judge = TargetJudge(judged, self.sampling)
        self.losses = PairLosses(judged, loaded.unigram, self.sampling)
        self._targets = judged.targets
        self._remembers = False

    def remember(self, summed: Sequence[Summed]) -> None:
        """Takes the sums of targets, which other workers may have computed, once."""
        if self._remembers:
            return
        for of_block in summed:
            self._targets.remember(of_block.targets, of_block.standing)
        self._remembers = True

    def compared(self, examples: npt.NDArray[Any]) -> Sums:
        """The sums of a comparison by document, of `[batch]` tf.Examples; none without one."""
        return {} if self._comparison is None else self._comparison.sums(examples)
