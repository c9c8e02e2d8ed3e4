"""One trial: a model trained by some values and measured on the pairs that all are measured on."""

import gc
import math
import shutil
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from components.hyperparameter_tuner import measures
from components.hyperparameter_tuner.data import Data, held_out_pairs, require_pairs
from components.hyperparameter_tuner.records import Measured, Records, Search
from components.hyperparameter_tuner.search_space import Value, with_values
from trainer_module.errors import InputError
from trainer_module.hyperparameters import PreprocessingHyperparameters, TrainerHyperparameters
from trainer_module.training.fit import fit, keep_probabilities
from trainer_module.training.progress import Listener
from trainer_module.workers.group import WorkerGroup

Sections = Mapping[str, Mapping[str, Any]]


class Settings(NamedTuple):
    """What a trial trains by."""

    preprocessing: PreprocessingHyperparameters
    trainer: TrainerHyperparameters

    @classmethod
    def of(cls, sections: Sections) -> "Settings":
        """By the names of the configuration's sections."""
        return cls(
            PreprocessingHyperparameters(**sections["preprocessing"]),
            TrainerHyperparameters(**sections["trainer"]),
        )

    def for_trial(self) -> "Settings":
        """In this process alone; evaluated during training only where training goes by it."""
        alone: dict[str, Any] = {"workers": 1, "sync_every": 1}
        if self.trainer.keep == "last" and self.trainer.patience is None:
            alone["evaluations_per_epoch"] = 0
        return self._replace(trainer=self.trainer.model_copy(update=alone))


class Trials:
    """Runs trials, each once."""

    def __init__(
        self, data: Data, kind: str, sections: Sections, group: WorkerGroup, records: Records
    ):
        """Takes the pairs that all trials are measured on: those of what is set.

        Args:
          data: what is trained on, and held out.
          kind: of the corpus.
          sections: `preprocessing` and `trainer`, as they are set.
          group: workers.group.join, before TensorFlow does anything else.
          records: of this data and these sections.

        Raises:
          InputError: there is no pair to train on, or none is held out.
        """
        self._data, self._sections = data, sections
        self._group, self._records = group, records
        self.settings = Settings.of(sections)
        self.measure = measures.MEASURES[kind]
        given = self.settings.preprocessing
        require_pairs(data.train_split(given), given.emit)
        # For all trials: none is measured on pairs that it has drawn itself.
        self._judging = _judging(kind, given)
        self._eval_split = data.eval_split(self._judging)
        self._pairs = held_out_pairs(self._eval_split, self._judging.emit)
        self.ended: list[Measured] = []

    def run(self, values: Mapping[str, Value], listener: Listener) -> Measured:
        """Trains and measures, unless these values were measured before.

        A trial that fails by its values, as by a rate that diverges, measures 0. If what is set
        fails, so will most, and the search with it.

        Args:
          values: by section.field; of the first trial what is set.
          listener: of the training.

        Raises:
          InputError: the first trial fails.
        """
        found = self._records.find(values)
        if found is None:
            found = self._run(values, listener)
            self._records.add(found)
        self.ended.append(found)
        return found

    def search(self) -> Search:
        """What is known when all have ended."""
        return Search(
            self.measure,
            self._data.train.num_documents,
            self._data.share,
            len(self._pairs.targets),
            tuple(self.ended),
        )

    def _run(self, values: Mapping[str, Value], listener: Listener) -> Measured:
        started, failure = time.process_time(), None
        folder = self._records.checkpoints(values)
        try:
            measure, blocks = self._measured(values, str(folder), listener)
            if not math.isfinite(measure):
                raise InputError("the model has scores that are no numbers")
        except InputError as error:
            if not self.ended:
                raise
            measure, blocks, failure = 0.0, [], str(error)
        shutil.rmtree(folder, ignore_errors=True)
        gc.collect()  # the tables and graphs of the trial hold each other
        seconds = time.process_time() - started
        return Measured(dict(values), measure, tuple(blocks), round(seconds, 1), failure)

    def _measured(
        self, values: Mapping[str, Value], folder: str, listener: Listener
    ) -> tuple[float, list[float]]:
        preprocessing, trainer = Settings.of(with_values(self._sections, values)).for_trial()
        fitted = fit(
            self._data.vocabulary,
            self._data.train_split(preprocessing),
            self._eval_split,
            preprocessing,
            trainer,
            seed=self._data.seed,
            group=self._group,
            checkpoint_folder=folder,
            base=trainer.base_path,
            contexts=self._data.contexts,
            listener=listener,
        )
        shift = self._shift(preprocessing)
        return measures.measure(self.measure, fitted.parameters, self._pairs, shift)

    def _shift(self, preprocessing: PreprocessingHyperparameters) -> npt.NDArray[np.float32]:
        """`[classes]`: from contexts as a trial subsamples them to contexts as the pairs have them.

        A model's scores estimate log p(c|t) among the occurrences that it was trained on, of which
        each was kept with the probability k(c). If k'(c) are kept instead, p'(c|t) is in proportion
        to p(c|t) k'(c) / k(c). Without that a trial that keeps more frequent tokens would lose for
        their frequency alone.
        """
        own, of_pairs = (
            keep_probabilities(self._data.classes, some) for some in (preprocessing, self._judging)
        )
        return np.log(of_pairs / own).astype(np.float32)


def _judging(kind: str, set_: PreprocessingHyperparameters) -> PreprocessingHyperparameters:
    """What draws the held-out pairs.

    Of text as it is set: half of all pairs as they are read are pairs of a few little words. Other
    kinds hold out single pairs, and each of them counts.
    """
    return set_ if kind == "text" else set_.model_copy(update={"subsample": 0.0})
