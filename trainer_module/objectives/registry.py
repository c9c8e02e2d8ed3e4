"""The objective and the sampler that hyperparameters name, on a vocabulary."""

import functools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trainer_module.hyperparameters import TrainerHyperparameters
from trainer_module.objective_table import OBJECTIVES, ObjectiveSpec
from trainer_module.objectives import distributions
from trainer_module.objectives.candidate_sampling import Sampler


class Objective(NamedTuple):
    """An objective on a vocabulary."""

    name: str
    softmax: bool  # its family; else sigmoid
    num_sampled: int  # candidates; the vocabulary where nothing is sampled
    candidate_weight: float  # of a candidate's term beside the true one's, in the sigmoid family
    temperature: float
    logq_correction: bool
    remove_accidental_hits: bool

    @property
    def spec(self) -> ObjectiveSpec:
        """Its row of the table of objectives."""
        return OBJECTIVES[self.name]


def objective(hyperparameters: TrainerHyperparameters, vocabulary_size: int) -> Objective:
    """The objective that hyperparameters name.

    Args:
      hyperparameters: of the Trainer.
      vocabulary_size: bounds the candidates.
    """
    spec = OBJECTIVES[hyperparameters.objective]
    # Distinct candidates cannot be more than there are classes.
    most = hyperparameters.num_sampled if spec.samples else vocabulary_size
    num_sampled = min(most, vocabulary_size)
    return Objective(
        name=hyperparameters.objective,
        softmax=spec.family == "softmax",
        num_sampled=num_sampled,
        candidate_weight=spec.candidate_weight(hyperparameters, num_sampled),
        temperature=hyperparameters.temperature,
        # Every class is a candidate once: its expected count is 1, its log nothing.
        logq_correction=hyperparameters.logq_correction and spec.samples,
        # The whole vocabulary holds the true class, which counts once.
        remove_accidental_hits=hyperparameters.remove_accidental_hits or not spec.samples,
    )


def sampler(
    hyperparameters: TrainerHyperparameters, context_counts: npt.NDArray[np.int64]
) -> Sampler:
    """The sampler that hyperparameters name.

    Args:
      hyperparameters: of the Trainer.
      context_counts: `[vocab]`, how often each token is the context of a train pair.
    """
    size = len(context_counts)
    probabilities = {
        "log_uniform": lambda: distributions.log_uniform_probabilities(size),
        "unigram": lambda: distributions.unigram_probabilities(
            context_counts, hyperparameters.sampler_power
        ),
        "uniform": lambda: distributions.uniform_probabilities(size),
        # Of all batches together, their contexts are the train pairs' contexts.
        "in_batch": lambda: distributions.unigram_probabilities(context_counts, 1.0),
    }[hyperparameters.sampler]()
    # Distinct pairs of a batch are not distinct classes.
    repeats = hyperparameters.replacement or hyperparameters.sampler == "in_batch"
    inverse = None
    if hyperparameters.sampler == "log_uniform":
        inverse = functools.partial(distributions.log_uniform_classes, vocabulary_size=size)
    return Sampler(probabilities, replacement=repeats, inverse=inverse)


def evaluation_correction(described: Objective, drawing: Sampler) -> npt.NDArray[np.float32] | None:
    """What evaluation adds to the scores to make them estimates of log p(c|t).

    Without logQ correction an objective has its optimum at `s(t, c) = log p(c|t) - log(w n(c))`, n
    the expected count of a class among the candidates and w their weight: for k negatives a pair
    from q that is log(k q(c)) (Levy and Goldberg 2014). A softmax one has any constant of t in
    place of log w (docs/losses.md derives both).

    Args:
      described: the objective.
      drawing: its sampler.

    Returns:
      `[vocab]` float32; None where the objective corrects in training or samples nothing.
    """
    if described.logq_correction or not described.spec.samples:
        return None
    # Of distinct candidates the count depends on how many draws they took: here, one typical set's.
    drawn = drawing.draw(described.num_sampled, np.zeros(2, np.int64))
    expected = drawing.expected_count(np.arange(drawing.vocabulary_size), drawn).numpy()
    correction: npt.NDArray[np.float32] = np.log(described.candidate_weight * expected)
    return correction.astype(np.float32)
