"""The parts of the one way to train; the whole is seen in tests/end_to_end and tests/skipgram."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tests.trainer_module.transformed import SPEC, Document, pairs_by_target, split_of, write
from trainer_module.errors import InputError
from trainer_module.evaluation import cross_entropies
from trainer_module.evaluation.cross_entropies import Parameters
from trainer_module.hyperparameters import PreprocessingHyperparameters
from trainer_module.input_pipeline import window_chunks
from trainer_module.input_pipeline.documents import TransformedFiles
from trainer_module.input_pipeline.splits import Counts, Pairs
from trainer_module.training import enough_data, fit
from trainer_module.training.model import SkipGramModel
from trainer_module.training.record import Evaluation, TrainingResult
from trainer_module.vocabulary import Vocabulary

DOCUMENTS = TransformedFiles(["here"], SPEC)
PREPROCESSING = PreprocessingHyperparameters(min_count=7, subsample=0.5)


def counts(pairs: int, documents: int = 1200, tokens: int = 34_567) -> Counts:
    return Counts(documents, tokens, pairs // 2, pairs, context_counts=np.array([pairs]))


def vocabulary(**times: int) -> Vocabulary:
    return Vocabulary([token.encode() for token in times], np.array([*times.values()], np.int64))


def refusal(
    known: Vocabulary, train: Counts, held_out: Counts, **preprocessing: float | str
) -> str:
    settings = PreprocessingHyperparameters(
        **{"min_count": 7, "subsample": 0.5, **preprocessing}  # type: ignore[arg-type]
    )
    with pytest.raises(InputError) as caught:
        enough_data.require_enough(known, known, train, held_out, settings)
    return str(caught.value)


ENOUGH, NONE = counts(9), counts(0)


class TestWhatCannotBeTrainedOn:
    """Each sentence names the cause, with its figures, and what to do."""

    def test_one_token_of_many_that_is_frequent_enough(self) -> None:
        said = refusal(vocabulary(café=9), NONE, NONE)
        assert said.startswith("the vocabulary holds one token alone, 'café'")
        assert "no other occurs 7 times in the 2,400 documents (69,134 tokens)" in said
        assert "lower preprocessing.min_count" in said

    def test_one_token_of_which_the_whole_corpus_is_made(self) -> None:
        said = refusal(vocabulary(la=69_134), NONE, NONE)
        assert said == (
            "the 2,400 documents hold one token alone, 'la', 69,134 times, and a candidate needs "
            "another: add other text"
        )

    @pytest.mark.parametrize(("train", "held_out"), [(9, 0), (0, 9)])
    def test_documents_of_one_token_each(self, train: int, held_out: int) -> None:
        few = {"documents": 20, "tokens": 20}
        said = refusal(vocabulary(a=9, b=9), counts(train, **few), counts(held_out, **few))
        split, more = ("eval", "(eval_fraction)") if train else ("train", "give more text")
        assert said.startswith(
            f"the {split} split gives no pair: its 20 documents hold 20 tokens, and a pair takes "
            "two in one document: put what belongs together on a line"
        )
        assert said.endswith(more)

    def test_tokens_that_subsampling_thins_out(self) -> None:
        # Two tokens, each half of the corpus: sqrt(0.0002) + 0.0002 = 1.43 % are kept.
        said = refusal(vocabulary(a=34_567, b=34_567), ENOUGH, NONE, subsample=1e-4)
        assert (
            "subsampling keeps 1.43%: raise preprocessing.subsample (0.0001; 0 keeps all)" in said
        )

    def test_tokens_that_are_too_rare(self) -> None:
        # 6,913 and 6,914 of 69,134: four in five are dropped.
        said = refusal(vocabulary(a=6_914, b=6_913), NONE, ENOUGH, subsample=0)
        assert "80.00% are not in the vocabulary: lower preprocessing.min_count (7)" in said

    def test_tokens_for_which_the_vocabulary_has_no_room(self) -> None:
        said = refusal(vocabulary(a=6_914, b=6_913), NONE, ENOUGH, subsample=0, vocab_size=2)
        assert "80.00% are not in the vocabulary: raise preprocessing.vocab_size (2)" in said

    def test_enough_is_accepted(self) -> None:
        known = vocabulary(a=1, b=1)
        enough_data.require_enough(known, known, counts(1), counts(1), PREPROCESSING)
        enough_data.require_enough(vocabulary(a=1), known, counts(1), counts(1), PREPROCESSING)

    def test_pairs_of_one_context_alone(self) -> None:
        with pytest.raises(InputError, match=r"^the vocabulary of contexts holds 'a' alone"):
            enough_data.require_enough(
                vocabulary(u=1, v=1), vocabulary(a=2), ENOUGH, ENOUGH, PREPROCESSING
            )

    def test_pairs_of_which_none_is_known(self) -> None:
        with pytest.raises(
            InputError, match=r"^the eval split gives no pair: of none of its 1,200"
        ):
            enough_data.require_enough(
                vocabulary(u=1, v=1), vocabulary(a=1, b=1), ENOUGH, NONE, PREPROCESSING
            )


# Each id stands once, so a target says where in the split it was; the lone ones are left out.
SPLIT: list[Document] = [
    [(10 * row + at, 1 + (row + at) % 2) for at in range(1 + row % 7)] for row in range(40)
]
PAIRS_BY_TARGET = [pairs for document in SPLIT for pairs in pairs_by_target(document) if pairs]


def held_out(folder: Path) -> list[tuple[int, int]]:
    split = split_of([write(folder / "eval.gz", SPLIT)], vocabulary_size=400, window=2)
    found = fit.held_out_pairs(window_chunks, split, window_chunks.count(split))
    return list(zip(found.targets.numpy().tolist(), found.contexts.numpy().tolist(), strict=True))


def test_a_small_split_is_held_out_whole(tmp_path: Path) -> None:
    assert held_out(tmp_path) == [pair for pairs in PAIRS_BY_TARGET for pair in pairs]


@pytest.mark.parametrize(
    ("scores", "most", "targets"),
    [
        (400 * 20, 1000, 20),
        (400 * 21 - 1, 1000, 20),
        (399, 1000, 1),  # a target is paid for whatever it costs
        (400 * 1000, 7, 7),
    ],
)
def test_of_a_large_split_as_many_targets_are_held_out_as_can_be_paid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scores: int, most: int, targets: int
) -> None:
    monkeypatch.setattr(fit, "_SCORES_PER_EVALUATION", scores)
    monkeypatch.setattr(fit, "_TARGETS_PER_EVALUATION", most)
    chosen = PAIRS_BY_TARGET[:: math.ceil(len(PAIRS_BY_TARGET) / targets)]
    assert held_out(tmp_path) == [pair for pairs in chosen for pair in pairs]


def test_the_unigram_model_is_judged_as_a_model_is() -> None:
    unigram = np.log(np.array([0.5, 0.375, 0.125], np.float32))
    pairs = Pairs(tf.constant([0, 0, 1, 2]), tf.constant([1, 2, 0, 0]))
    found = fit.of_unigram_model(unigram, pairs)
    by_hand = -(math.log(0.375) + math.log(0.125) + 2 * math.log(0.5)) / 4
    assert found.softmax == pytest.approx(by_hand)
    # Scores that are log probabilities: softplus(log p) = log(1 + p).
    assert found.sigmoid == pytest.approx(by_hand + math.log(1.5 * 1.375 * 1.125))
    # A model with these biases and context weights of zero, as training begins with it.
    model = SkipGramModel(unigram, dim=2, bias_initializer="log_frequency", seed=1)
    tables = model.target_table, model.context_weights, model.context_biases
    parameters = Parameters(*tables, correction=None, softmax=False, temperature=1.0)
    same = cross_entropies.mean_cross_entropies(parameters, *pairs, raw=False)
    assert float(same.softmax) == pytest.approx(found.softmax, rel=1e-6)
    assert float(same.sigmoid) == pytest.approx(found.sigmoid, rel=1e-6)


def test_a_split_knows_what_its_pairs_are_drawn_by() -> None:
    vocabulary = Vocabulary([b"the", b"cat"], np.array([6, 2]))
    hyperparameters = PreprocessingHyperparameters(window=4, subsample=0.25)
    split = fit.split_of(DOCUMENTS, vocabulary, hyperparameters, seed=9)
    # The shares are 3/4 and 1/4: sqrt(1/3) + 1/3, and all.
    np.testing.assert_allclose(split.keep_probability, [3**-0.5 + 1 / 3, 1.0], rtol=1e-12)
    assert (split.documents, split.window, split.seed) == (DOCUMENTS, 4, 9)


@pytest.mark.parametrize(
    ("kept_step", "softmax", "expected"),
    [(16, True, 7.0), (16, False, 8.0), (32, True, 5.0), (48, True, 1.0), (48, False, 2.0)],
)
def test_the_full_loss_is_that_of_the_step_that_is_kept(
    kept_step: int, softmax: bool, expected: float
) -> None:
    taken = [Evaluation(16, 7.0, 8.0), Evaluation(32, 5.0, 6.0)]
    loop = SimpleNamespace(
        evaluate=lambda: Evaluation(48, 1.0, 2.0),
        measure=lambda found: found.of_family(softmax=softmax),
    )
    result = TrainingResult(1.5, 48, kept_step, 0, 2.0, [1e5], taken, 1)
    assert fit.full_loss(loop, result) == expected
