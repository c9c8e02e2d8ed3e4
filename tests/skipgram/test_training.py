"""skipgram.train: documents in memory, the pipeline's pairs, losses and defaults."""

import doctest
import math
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import skipgram
from skipgram import training
from tests.trainer_module.test_preprocessing import transform
from trainer_module.hyperparameters import PreprocessingHyperparameters
from trainer_module.training.record import Evaluation, WarmStart

pytestmark = pytest.mark.slow

# Documents of one group's tokens each: a token's contexts are its group's, all as likely.
GROUPS = [[f"{color}{i}" for i in range(4)] for color in ("red", "green", "blue")]
RANDOM = random.Random(1)
WALKS = [RANDOM.choices(RANDOM.choice(GROUPS), k=9) for _ in range(480)]
SETTINGS: dict[str, Any] = {
    "dim": 8,
    "epochs": 20,
    "window": 1,
    "subsample": 0.0,
    "learning_rate": 0.2,
}


@pytest.fixture(scope="module")
def embeddings() -> skipgram.Embeddings:
    return skipgram.train(WALKS, **SETTINGS)


def test_it_learns_what_stands_beside_what(embeddings: skipgram.Embeddings) -> None:
    for group in GROUPS:
        for token in group:
            near = {neighbor.token for neighbor in embeddings.neighbors(token, k=3)}
            assert near == {*group} - {token}


def test_it_says_what_training_gave(embeddings: skipgram.Embeddings) -> None:
    record = embeddings.training
    assert record is not None
    assert record.documents == len(WALKS)
    assert record.tokens == 9 * len(WALKS)
    assert record.vocabulary_size == len(embeddings) == 12
    # Of four contexts each is as likely: log 4; log 12 without knowing the target.
    assert record.evaluations[-1].softmax == pytest.approx(math.log(4), abs=0.1)


def test_lists_of_tokens_are_looked_up_as_they_are() -> None:
    walks = [[token.upper() for token in walk] for walk in WALKS]
    found = skipgram.train(walks, **{**SETTINGS, "epochs": 1})
    assert found.vector("RED0").shape == (8,)
    with pytest.raises(skipgram.InputError):
        found.vector("red0")
    of_text = skipgram.train([" ".join(walk) for walk in walks], **{**SETTINGS, "epochs": 1})
    assert of_text.vector("RED0").tolist() == of_text.vector("red0").tolist()


def test_the_same_seed_gives_the_same_vectors() -> None:
    settings = {**SETTINGS, "epochs": 1}
    one, again, other = (skipgram.train(WALKS, seed=seed, **settings) for seed in (1, 1, 2))
    assert again.vectors.tobytes() == one.vectors.tobytes()
    assert other.vectors.tobytes() != one.vectors.tobytes()


def test_lines_of_a_file_are_documents(tmp_path: Path) -> None:
    path = tmp_path / "walks.txt"
    path.write_text("".join(f"{' '.join(walk)}\n" for walk in WALKS))
    settings = {**SETTINGS, "epochs": 1}
    of_lines = skipgram.train([" ".join(walk) for walk in WALKS], **settings)
    for files in (path, str(path), [path], tmp_path):
        found = skipgram.train(files, **settings)
        assert found.tokens == of_lines.tokens
        assert found.vectors.tobytes() == of_lines.vectors.tobytes()


def test_it_may_begin_with_vectors_that_were_saved(
    embeddings: skipgram.Embeddings, tmp_path: Path
) -> None:
    path = tmp_path / "vectors.bin"
    embeddings.save_word2vec(path)
    settings = {**SETTINGS, "epochs": 1, "learning_rate": 0.01}
    cold = skipgram.train(WALKS, **settings)
    warm = skipgram.train(WALKS, warm_start=str(path), **settings)
    assert cold.training is not None
    assert cold.training.warm_start is None
    assert warm.training is not None
    assert warm.training.warm_start == WarmStart(taken_over=12, new=0, dropped=0)
    # So short a training leaves the vectors where they began.
    assert (
        abs(warm.vectors - embeddings.vectors).max() < abs(cold.vectors - embeddings.vectors).max()
    )


@pytest.mark.parametrize(("subsample", "window"), [(0.0, 3), (0.01, 3), (0.01, "all")])
def test_pairs_are_those_of_transform(subsample: float, window: Any) -> None:
    lines = ["the cat sat", "the dog the cat and a mouse", "rare", "a", "a the cat sat the a"]
    given = {"min_count": 2, "subsample": subsample, "window": window}
    preprocessing = PreprocessingHyperparameters(**given)
    tokens = [[token.encode() for token in line.split()] for line in lines]
    counted = Counter(token for document in tokens for token in document)
    known = training._vocabulary(counted, preprocessing)
    documents = [training._Document(some, 0, nth) for nth, some in enumerate(tokens)]
    split = training._split(documents, known, preprocessing, seed=1)
    expected = transform(lines, occurrences=range(len(lines)), **given)
    assert split.documents.tensors["token_ids"].to_list() == [row["token_ids"] for row in expected]
    assert split.documents.tensors["window_sizes"].to_list() == [
        row["window_sizes"] for row in expected
    ]


@pytest.mark.parametrize("fraction", [0.05, 0.5, 0.95])
def test_near_copies_are_held_out_together(fraction: float) -> None:
    tokens = [b"w%d" % (number % 30) for number in range(330)] + [b"heavy"] * 100
    documents = training._numbered([[token] for token in tokens], seed=1)
    assert sorted((one.tokens[0], one.nth) for one in documents) == sorted(
        [(b"w%d" % number, nth) for number in range(30) for nth in range(11)]
        + [(b"heavy", nth) for nth in range(100)]
    )
    kept, held_out = training._dealt_out(documents, fraction)
    assert len(kept) + len(held_out) == 430
    assert not {one.near_copies for one in kept} & {one.near_copies for one in held_out}
    # As near to the fraction as whole groups of 11 allow.
    assert round(430 * fraction) - 11 < len(held_out) <= round(430 * fraction)


def test_where_no_group_is_small_enough_the_smallest_is_held_out() -> None:
    documents = training._numbered([[b"a"]] * 50 + [[b"b"]] * 40, seed=1)
    kept, held_out = training._dealt_out(documents, 0.05)
    assert [len(kept), len(held_out)] == [50, 40]


def test_what_is_said_goes_to_the_listener() -> None:
    heard: list[Any] = []
    skipgram.train(WALKS, listener=heard.append, **{**SETTINGS, "epochs": 1})
    assert any(isinstance(one, Evaluation) for one in heard)


@pytest.mark.parametrize(
    ("documents", "settings", "message"),
    [
        (WALKS, {"epoch": 3}, "epoch is no field of preprocessing or trainer; .* epochs"),
        (WALKS, {"workers": 2}, "workers = 2 is for `run`"),
        (WALKS, {"warm_start": "last_blessed"}, "warm_start = last_blessed is for `run`"),
        (WALKS, {"warm_start": "/no/such/file"}, "there is no /no/such/file to take over from"),
        (WALKS, {"emit": "pairs"}, "emit = pairs is for `run`: it says what Transform writes"),
        (WALKS, {"epochs": 0}, "trainer.epochs = 0 is not allowed"),
        (WALKS, {"eval_fraction": 0.0}, "eval_fraction = 0.0 is not between 0 and 1"),
        ([], {}, "there are no documents to train on"),
        (
            [["once"], ["twice", "twice"]],
            {},
            r"no token occurs 5 times among the corpus's 3 \(2 different\); the most frequent, "
            "'twice', occurs 2 times: lower preprocessing.min_count",
        ),
        (["!", "?"], {}, "no document holds a token: .* preprocessing.tokenizer=whitespace"),
        (["a b", "a  B!"] * 9, {}, "the 18 documents differ by no more than case, blanks and"),
        (["a b", "b a"] * 9, {"subsample": 1e-9}, "split gives no pair"),
    ],
)
def test_what_cannot_work_says_why(documents: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(skipgram.InputError, match=message):
        skipgram.train(documents, **settings)


def test_the_examples_run() -> None:
    found = doctest.testmod(training)
    assert found.attempted > 0
    assert found.failed == 0
