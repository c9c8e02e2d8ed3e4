"""What trials read is what Transform would have written by the settings of each."""

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given
from hypothesis import strategies as st

from components.hyperparameter_tuner import data
from components.hyperparameter_tuner.data import Data, evenly, held_out_pairs, require_pairs
from skipgram import training
from tests.trainer_module.transformed import PAIRS_SPEC, SPEC, write, write_pairs
from trainer_module.errors import InputError
from trainer_module.hyperparameters import PreprocessingHyperparameters
from trainer_module.input_pipeline.documents import DocumentsInMemory, TransformedFiles
from trainer_module.sizes import Window
from trainer_module.vocabulary import Vocabulary

RANDOM = random.Random(1)
TEXTS = [
    [f"{RANDOM.randrange(9)}".encode() for _ in range(RANDOM.randrange(12))] for _ in range(50)
]
COUNTED = Counter(token for text in TEXTS for token in text)
VOCABULARY = training._vocabulary(COUNTED, PreprocessingHyperparameters(min_count=1))


def preprocessing(window: Window, subsample: float) -> PreprocessingHyperparameters:
    return PreprocessingHyperparameters(min_count=1, window=window, subsample=subsample)


def transformed(settings: PreprocessingHyperparameters) -> DocumentsInMemory:
    """As Transform writes them: tests of skipgram.train hold it beside Transform itself."""
    documents = training._numbered(TEXTS, seed=1)
    found = training._split(documents, VOCABULARY, settings, 7).documents
    assert isinstance(found, DocumentsInMemory)
    return found


def plain(documents: DocumentsInMemory) -> dict[str, object]:
    return {
        name: tensor.to_list() if isinstance(tensor, tf.RaggedTensor) else tensor.numpy().tolist()
        for name, tensor in documents.tensors.items()
    }


@pytest.mark.parametrize(("window", "subsample"), [(5, 0.1), (2, 0.1), (9, 0.0), (3, 0.02)])
def test_windows_are_drawn_as_transform_draws_them(window: int, subsample: float) -> None:
    written = transformed(preprocessing(5, 0.1))
    shared = Data(VOCABULARY, written, written, 7, False)
    split = shared.train_split(preprocessing(window, subsample))
    assert plain(split.documents) == plain(transformed(preprocessing(window, subsample)))
    assert (split.window, split.seed) == (window, 7)


def test_given_pairs_are_as_they_are(tmp_path: Path) -> None:
    path = write_pairs(tmp_path / "pairs.gz", [[(1, 2)], [(0, 3), (0, 4)]])
    taken = data._taken(TransformedFiles([path], PAIRS_SPEC), 1.0)
    vocabulary = Vocabulary([b"a", b"b", b"c", b"d", b"e"], np.ones(5, np.int64))
    settings = PreprocessingHyperparameters(emit="pairs")
    split = Data(vocabulary, taken, taken, 1, True).eval_split(settings)
    pairs = held_out_pairs(split, "pairs")
    assert (pairs.targets.numpy().tolist(), pairs.contexts.numpy().tolist()) == (
        [1, 0, 0],
        [2, 3, 4],
    )


def test_given_pairs_keep_their_windows_beside_others() -> None:
    documents = DocumentsInMemory(
        {
            "token_ids": tf.ragged.constant(
                [[0, 1], [2, 0, 1]], tf.int64, row_splits_dtype=tf.int64
            ),
            "window_sizes": tf.ragged.constant(
                [[1, -1], [1, 1, 1]], tf.int64, row_splits_dtype=tf.int64
            ),
            "num_tokens": tf.constant([2, 3], tf.int64),
            "document_hash": tf.constant([5, 6], tf.int64),
        }
    )
    shared = Data(VOCABULARY, documents, documents, 7, True)
    found = shared.train_split(preprocessing("all", 0.0)).documents
    assert plain(found)["window_sizes"] == [[1, -1], [100, 100, 100]]


@given(
    share=st.floats(0.001, 1),
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=20),
)
def test_a_share_is_taken_at_equal_distances(share: float, sizes: list[int]) -> None:
    starts = np.cumsum([0, *sizes])
    of_batches = [evenly(int(s), n, share) for s, n in zip(starts, sizes, strict=False)]
    total = sum(sizes)
    joined = np.concatenate(of_batches)
    # However they come in batches, it is the same documents; any first ones give their share.
    assert joined.tolist() == evenly(0, total, share).tolist()
    assert np.all(np.abs(np.cumsum(joined) - np.arange(1, total + 1) * share) < 1 + 1e-6)


def test_all_are_taken_or_enough_of_them(tmp_path: Path) -> None:
    documents = [[(token % 7, 1)] for token in range(600)]
    files = TransformedFiles([write(tmp_path / "a.gz", documents)], SPEC)
    everything = data._taken(files, 1.0)
    assert everything.num_documents == 600
    assert everything.tensors["token_ids"].to_list() == [[n % 7] for n in range(600)]
    tenth = data._taken(files, 0.1)
    assert tenth.tensors["token_ids"].to_list() == [[n % 7] for n in range(9, 600, 10)]
    # Nine tokens each, in batches of 256 documents.
    assert data._taken(files, 1.0, most_tokens=1_000).num_documents == 256
    assert data._taken(files, 0.001).num_documents == 0


def test_other_data_have_another_digest() -> None:
    one, other = (transformed(preprocessing(window, 0.1)) for window in (5, 4))
    digests = {
        Data(VOCABULARY, one, one, 7, False).digest(),
        Data(VOCABULARY, one, other, 7, False).digest(),
        Data(VOCABULARY, other, one, 7, False).digest(),
        Data(VOCABULARY._replace(tokens=VOCABULARY.tokens[::-1]), one, one, 7, False).digest(),
    }
    assert len(digests) == 4
    assert Data(VOCABULARY, transformed(preprocessing(5, 0.1)), one, 7, False).digest() in digests


def test_pairs_are_those_of_targets_at_equal_distances(monkeypatch: pytest.MonkeyPatch) -> None:
    written = transformed(preprocessing(2, 0.0))
    split = Data(VOCABULARY, written, written, 7, False).eval_split(preprocessing(2, 0.0))
    everything = held_out_pairs(split, "windows")
    monkeypatch.setattr(data, "_TARGETS", 10)
    some = held_out_pairs(split, "windows")
    assert len(some.targets) < len(everything.targets)
    known = set(zip(everything.targets.numpy(), everything.contexts.numpy(), strict=True))
    assert set(zip(some.targets.numpy(), some.contexts.numpy(), strict=True)) <= known


def test_without_a_held_out_pair_there_is_nothing_to_measure_on() -> None:
    one_token = training._split(
        training._numbered([[b"1"], [b"2"]], seed=1), VOCABULARY, preprocessing(2, 0.0), 7
    )
    with pytest.raises(InputError, match="the 2 held-out documents give no pair to measure"):
        held_out_pairs(one_token, "windows")
    with pytest.raises(InputError, match=r"a sample of 2 documents gives no pair.*raise --sample"):
        require_pairs(one_token, "windows")
