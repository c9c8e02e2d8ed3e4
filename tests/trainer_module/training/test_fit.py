"""The parts of the one way to train; the whole is seen in tests/end_to_end and tests/skipgram."""

import math
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tests.trainer_module.transformed import SPEC, Document, pairs_by_target, split_of, write
from trainer_module.errors import InputError
from trainer_module.hyperparameters import PreprocessingHyperparameters
from trainer_module.input_pipeline import window_chunks
from trainer_module.input_pipeline.documents import TransformedFiles
from trainer_module.input_pipeline.splits import Counts
from trainer_module.training import fit
from trainer_module.training.loop import TrainingResult
from trainer_module.training.record import Evaluation
from trainer_module.vocabulary import Vocabulary

DOCUMENTS = TransformedFiles(["here"], SPEC)
PREPROCESSING = PreprocessingHyperparameters(min_count=7, subsample=0.5)


def counts(pairs: int) -> Counts:
    return Counts(1200, 34567, targets=pairs // 2, pairs=pairs, context_counts=np.array([pairs]))


def refusal(vocabulary: list[bytes], train_pairs: int = 9, eval_pairs: int = 9) -> str:
    with pytest.raises(InputError) as caught:
        fit.require_data(vocabulary, counts(train_pairs), counts(eval_pairs), PREPROCESSING)
    return str(caught.value)


def test_no_token_that_is_frequent_enough() -> None:
    sentence = refusal([])
    assert sentence.startswith("no token occurs 7 times in the 1,200 documents (34,567 tokens)")
    assert "lower preprocessing.min_count" in sentence


def test_one_token_alone() -> None:
    assert "one token alone, 'caf\u00e9'" in refusal(["caf\u00e9".encode()])


@pytest.mark.parametrize(
    ("split", "pairs"), [("train", {"train_pairs": 0}), ("eval", {"eval_pairs": 0})]
)
def test_a_split_without_pairs(split: str, pairs: dict[str, int]) -> None:
    sentence = refusal([b"a", b"b"], **pairs)
    assert sentence.startswith(f"the {split} split gives no pair: 1,200 documents, 34,567 tokens")
    assert "preprocessing.subsample (0.5)" in sentence


def test_enough_is_accepted() -> None:
    fit.require_data([b"a", b"b"], counts(1), counts(1), PREPROCESSING)


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
    result = TrainingResult(1.5, 48, kept_step, 0, 2.0, [1e5], taken)
    assert fit.full_loss(loop, result) == expected
