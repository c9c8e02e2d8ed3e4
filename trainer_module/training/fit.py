"""The one way to train: from two splits to a model and what is known of it."""

import dataclasses
import functools

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from trainer_module.evaluation import base_model, cross_entropies
from trainer_module.evaluation.cross_entropies import Parameters
from trainer_module.hyperparameters import PreprocessingHyperparameters, TrainerHyperparameters
from trainer_module.input_pipeline import pair_chunks, window_chunks
from trainer_module.input_pipeline.documents import Documents
from trainer_module.input_pipeline.splits import Counts, Form, Pairs, Split, spread_pairs
from trainer_module.sizes import reach
from trainer_module.text import subsampling
from trainer_module.training import warm_start
from trainer_module.training.enough_data import require_enough
from trainer_module.training.loop import TrainingLoop
from trainer_module.training.model import SkipGramModel, unigram_log_probabilities
from trainer_module.training.progress import Listener, UnigramModel, say_nothing
from trainer_module.training.record import TrainingResult, WarmStart
from trainer_module.vocabulary import Vocabulary
from trainer_module.workers.group import WorkerGroup

# By preprocessing.emit.
FORMS: dict[str, Form] = {"windows": window_chunks, "pairs": pair_chunks}
# Of what the sampled loss is shown beside the full one.
_NUMBERS_OF_CANDIDATES = (5, 20, 100, 500)
# Scores that one evaluation during training may take: about a second's work. The most targets are
# for a small vocabulary; their 20,000 pairs give the mean to about 0.02 nats.
_SCORES_PER_EVALUATION = 1 << 26
_TARGETS_PER_EVALUATION = 3_500


@dataclasses.dataclass(frozen=True)
class Fitted:
    """A trained model, and what is known of it."""

    model: SkipGramModel
    parameters: Parameters  # this worker's copies of the model's tables
    unigram: npt.NDArray[np.float32]  # [contexts], model.unigram_log_probabilities
    train: Counts  # of all workers; `targets` of the one that has the most
    held_out: Counts
    held_out_pairs: Pairs  # on which evaluations were taken
    training: TrainingResult
    sampled_losses: dict[int, float]  # nats by number of candidates, on the held-out pairs
    full_loss: float  # what they estimate: the full cross-entropy of the objective's family
    warm_start: WarmStart | None  # None: a cold one


def fit(
    vocabulary: Vocabulary,
    train_split: Split,
    eval_split: Split,
    preprocessing: PreprocessingHyperparameters,
    hyperparameters: TrainerHyperparameters,
    *,
    seed: int,
    group: WorkerGroup,
    checkpoint_folder: str,
    base: str | None = None,
    contexts: Vocabulary | None = None,
    listener: Listener = say_nothing,
) -> Fitted:
    """Trains a model, from the last checkpoint if there is one.

    Args:
      vocabulary: of both splits.
      train_split: of it this worker's share is read.
      eval_split: of it some pairs are held out for evaluations during training.
      preprocessing: what the splits were made by.
      hyperparameters: of the Trainer.
      seed: of the model and of the candidates.
      group: workers.group.join, before TensorFlow does anything else.
      checkpoint_folder: for this model, this data, these hyperparameters and this base alone.
      base: path of the model to begin with, see base_model.read; None: begin anew.
      contexts: the vocabulary of the contexts; None: the same.
      listener: is told about once a second, and at each evaluation.

    Raises:
      InputError: there is nothing to train on, training diverges, or the base does not fit.
    """
    known = (vocabulary, contexts or vocabulary)
    own_share = train_split._replace(worker=group.worker)
    form = FORMS[preprocessing.emit]
    own = form.count(own_share, epochs=hyperparameters.epochs)
    train, held_out = counts_of_all(group, own), form.count(eval_split)
    require_enough(*known, train, held_out, preprocessing)
    unigram = unigram_log_probabilities(train.context_counts)
    model = _new_model(group, unigram, len(vocabulary.tokens), hyperparameters, seed)
    pairs = held_out_pairs(form, eval_split, held_out)
    loop = TrainingLoop(
        group,
        model,
        hyperparameters,
        counts=train,
        window=reach(preprocessing.window),
        seed=seed,
        held_out=pairs,
    )
    taken = None if base is None else _take_over(base, loop, model, known, unigram)
    if group.num_workers > 1:
        own_share = own_share._replace(frame_width=train.frame_width)
    listener(of_unigram_model(unigram, pairs))
    result = loop.train(functools.partial(form.chunks, own_share), checkpoint_folder, listener)
    return Fitted(
        model=model,
        parameters=loop.step.parameters,
        unigram=unigram,
        train=train,
        held_out=held_out,
        held_out_pairs=pairs,
        training=result,
        sampled_losses=_sampled_losses(loop, pairs, seed),
        full_loss=full_loss(loop, result),
        warm_start=taken,
    )


def _new_model(
    group: WorkerGroup,
    unigram: npt.NDArray[np.float32],
    num_targets: int,
    hyperparameters: TrainerHyperparameters,
    seed: int,
) -> SkipGramModel:
    with group.strategy.scope():
        return SkipGramModel(
            unigram,
            dim=hyperparameters.dim,
            bias_initializer=hyperparameters.bias_initializer,
            seed=seed,
            num_targets=num_targets,
        )


def _take_over(
    base: str,
    loop: TrainingLoop,
    model: SkipGramModel,
    known: tuple[Vocabulary, Vocabulary],
    unigram: npt.NDArray[np.float32],
) -> WarmStart:
    """What a model begins with; a checkpoint, which is of later, is taken up after it."""
    targets, contexts = (vocabulary.tokens for vocabulary in known)
    return warm_start.take_over(
        model,
        base_model.read(base, set(targets)),
        targets,
        contexts,
        unigram=unigram,
        parameters=loop.step.parameters,
        is_biased=loop.step.is_biased,
    )


def split_of(
    documents: Documents,
    vocabulary: Vocabulary,
    preprocessing: PreprocessingHyperparameters,
    seed: int,
    *,
    may_have_given_pairs: bool = False,
) -> Split:
    """A split of documents, with what its pairs are drawn by in later epochs.

    Args:
      documents: with the windows that they have by these hyperparameters.
      vocabulary: of the documents.
      preprocessing: subsample, window.
      seed: of the draws.
      may_have_given_pairs: whether some of the documents may be given pairs.
    """
    keep = keep_probabilities(vocabulary, preprocessing)
    return Split(documents, keep, preprocessing.window, seed, may_have_given_pairs)


def keep_probabilities(
    vocabulary: Vocabulary, preprocessing: PreprocessingHyperparameters
) -> npt.NDArray[np.float64]:
    """`[vocab]`, how likely an occurrence of each token survives subsampling."""
    frequencies = tf.constant(vocabulary.frequencies, tf.float64)
    keep: npt.NDArray[np.float64] = subsampling.keep_probability(
        frequencies, preprocessing.subsample
    ).numpy()
    return keep


def counts_of_all(group: WorkerGroup, own: Counts) -> Counts:
    """Adds up the counts of all workers' shares; `targets` and `frame_width` are the largest."""
    numbers = tf.constant(
        [own.documents, own.tokens, own.targets, own.pairs, own.frame_width], tf.int64
    )

    def in_replica() -> tuple[tf.Tensor, tf.Tensor]:
        return group.all_gather(numbers), group.all_reduce_sum(tf.constant(own.context_counts))

    exchanged = group.compiled(in_replica)()
    of_each, context_counts = (part.numpy() for part in exchanged)
    documents, tokens, _, pairs, _ = of_each.sum(0).tolist()
    _, _, targets, _, frame_width = of_each.max(0).tolist()
    return Counts(documents, tokens, targets, pairs, context_counts, frame_width)


def held_out_pairs(form: Form, split: Split, counts: Counts) -> Pairs:
    """Pairs of the eval split, of targets evenly spread over it: as many as can be paid."""
    most = min(_SCORES_PER_EVALUATION // len(counts.context_counts), _TARGETS_PER_EVALUATION)
    return spread_pairs(form, split, counts, max(most, 1))


def of_unigram_model(unigram: npt.NDArray[np.float32], pairs: Pairs) -> UnigramModel:
    """The full cross-entropies of the model whose score of each class is its log probability.

    Args:
      unigram: `[vocab]`, unigram_log_probabilities.
      pairs: held out.
    """
    score = float(unigram[pairs.contexts.numpy()].mean(dtype=np.float64))
    softplus_sum = float(np.logaddexp(0.0, unigram, dtype=np.float64).sum())
    return UnigramModel(softmax=-score, sigmoid=softplus_sum - score)


def _sampled_losses(loop: TrainingLoop, pairs: Pairs, seed: int) -> dict[int, float]:
    step = loop.step
    return cross_entropies.sampled_losses(
        step.parameters, step.sampler, *pairs, numbers=_NUMBERS_OF_CANDIDATES, seed=seed
    )


def full_loss(loop: TrainingLoop, result: TrainingResult) -> float:
    """The full cross-entropy of the model that is kept, of the objective's family, nats."""
    taken = [found for found in result.evaluations if found.step == result.kept_step]
    return loop.measure(taken[0] if taken else loop.evaluate())
