"""A run never succeeds on nothing: whether there is enough to train on and to evaluate."""

import tensorflow as tf

from trainer_module.errors import InputError
from trainer_module.hyperparameters import PreprocessingHyperparameters
from trainer_module.input_pipeline.splits import Counts
from trainer_module.text import subsampling
from trainer_module.vocabulary import Vocabulary


def require_enough(
    vocabulary: Vocabulary,
    contexts: Vocabulary,
    train: Counts,
    held_out: Counts,
    preprocessing: PreprocessingHyperparameters,
) -> None:
    """Checks that there is something to train on, and to evaluate.

    Args:
      vocabulary: of the targets.
      contexts: the same, or the vocabulary of the contexts.
      train, held_out: of the splits.
      preprocessing: what they were made by.

    Raises:
      InputError: there is not, by its cause.
    """
    if contexts is vocabulary:
        _require_tokens(vocabulary, train, held_out, preprocessing)
    else:
        _require_pairs(contexts, train, held_out)


def _require_tokens(
    vocabulary: Vocabulary,
    train: Counts,
    held_out: Counts,
    preprocessing: PreprocessingHyperparameters,
) -> None:
    """There are two tokens (of none, who counts it says so), and a pair in each split."""
    num_tokens = train.tokens + held_out.tokens
    of_all = f"{train.documents + held_out.documents:,} documents"
    if len(vocabulary.tokens) == 1:
        raise InputError(_why_one_token(vocabulary, of_all, num_tokens, preprocessing))
    for split, counts in (("train", train), ("eval", held_out)):
        if not counts.pairs:
            why = _why_no_pair(counts, vocabulary, num_tokens, preprocessing)
            more = "more text" if split == "train" else "more text or hold out more (eval_fraction)"
            raise InputError(f"the {split} split gives no pair: {why}, or give {more}")


def _require_pairs(contexts: Vocabulary, train: Counts, held_out: Counts) -> None:
    """There are two contexts, and a pair in each split."""
    if len(contexts.tokens) == 1:
        raise InputError(
            f"the vocabulary of contexts holds {contexts.tokens[0].decode()!r} alone, and a "
            "candidate needs another: lower preprocessing.min_count or add other pairs"
        )
    for split, counts in (("train", train), ("eval", held_out)):
        if not counts.pairs:
            raise InputError(
                f"the {split} split gives no pair: of none of its {counts.documents:,} pairs are "
                "both sides in the vocabularies: lower preprocessing.min_count, raise "
                "preprocessing.vocab_size, give more pairs or hold out more (eval_fraction)"
            )


def _why_one_token(
    vocabulary: Vocabulary,
    documents: str,
    num_tokens: int,
    preprocessing: PreprocessingHyperparameters,
) -> str:
    token = repr(vocabulary.tokens[0].decode())
    if preprocessing.min_count == 1 or vocabulary.counts.sum() >= num_tokens:
        return (
            f"the {documents} hold one token alone, {token}, {num_tokens:,} times, and a candidate "
            "needs another: add other text"
        )
    return (
        f"the vocabulary holds one token alone, {token}, and a candidate needs another: no other "
        f"occurs {preprocessing.min_count} times in the {documents} ({num_tokens:,} tokens); lower "
        "preprocessing.min_count or add text"
    )


def _why_no_pair(
    counts: Counts,
    vocabulary: Vocabulary,
    num_tokens: int,
    preprocessing: PreprocessingHyperparameters,
) -> str:
    """What left too few tokens in each document, and what to do."""
    held = f"its {counts.documents:,} documents hold {counts.tokens:,} tokens"
    if counts.tokens <= counts.documents:
        return f"{held}, and a pair takes two in one document: put what belongs together on a line"
    in_vocabulary = vocabulary.counts.sum() / num_tokens
    frequencies = vocabulary.frequencies
    keep = subsampling.keep_probability(tf.constant(frequencies), preprocessing.subsample).numpy()
    kept = float(frequencies @ keep)
    if kept < in_vocabulary:
        return (
            f"{held}, and of tokens as frequent as those of the corpus subsampling keeps "
            f"{kept:.2%}: raise preprocessing.subsample ({preprocessing.subsample}; 0 keeps all)"
        )
    dropped = f"{held}, and of all tokens {1 - in_vocabulary:.2%} are not in the vocabulary"
    if len(vocabulary.tokens) == preprocessing.vocab_size:
        return f"{dropped}: raise preprocessing.vocab_size ({preprocessing.vocab_size:,})"
    return f"{dropped}: lower preprocessing.min_count ({preprocessing.min_count})"
