"""Given pairs among other documents, beside plain Python."""

import math
from collections.abc import Sequence

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer_module.text.splitmix import reference_uniform
from tests.trainer_module.transformed import pairs_of, ragged
from trainer_module.text import given_pairs, hashing, skip_grams, subsampling
from trainer_module.text.tokenization import tokenize
from trainer_module.text.words import Tokenization

WINDOW, SEED = 3, 5
VOCABULARY = ["a", "b", "c", "d"]  # x is not in it

ITEMS = st.sampled_from([*VOCABULARY, "x"])
SESSIONS = st.lists(ITEMS, max_size=6).map(" ".join)
WEIGHTS = st.sampled_from(["", "\t0", "\t1", "\t0.5", "\t2", "\t2.75", "\t12"])
PAIRS = st.tuples(ITEMS, ITEMS, WEIGHTS).map(lambda pair: f"{pair[0]}\t{pair[1]}{pair[2]}")
DOCUMENTS = st.lists(st.one_of(SESSIONS, PAIRS), max_size=8)


def hashes_of(documents: Sequence[str]) -> tf.Tensor:
    texts = tf.constant(documents, tf.string, [len(documents)])
    return hashing.document_hashes(texts, tf.zeros_like(texts, tf.int64))


def tokens_of(documents: Sequence[str]) -> tuple[tf.RaggedTensor, given_pairs.GivenPairs]:
    texts = tf.constant(documents, tf.string, [len(documents)])
    found = given_pairs.among(texts, hashes_of(documents), seed=SEED)
    return found.tokens(tokenize(texts, Tokenization("whitespace"))), found


def windowed(documents: Sequence[str], keep: float = 1.0) -> subsampling.Windowed:
    tokens, found = tokens_of(documents)
    ids = [VOCABULARY.index(t) if t in VOCABULARY else -1 for t in texts_of(tokens.flat_values)]
    return found.windowed(
        hashes_of(documents),
        tokens.with_values(tf.constant(ids, tf.int64, [len(ids)])),
        tf.fill([len(ids)], tf.constant(keep, tf.float64)),
        window=WINDOW,
        seed=SEED,
    )


def texts_of(tokens: tf.Tensor) -> list[str]:
    return [token.decode() for token in tokens.numpy()]


def times_written_out(document: str) -> int:
    """How often a given pair occurs."""
    _, _, *weight = document.split("\t")
    value = float(weight[0]) if weight else 1.0
    [number] = hashes_of([document]).numpy().tolist()
    whole = math.floor(value)
    return whole + (reference_uniform(number, 0, SEED, stream=4) < value - whole)


def pairs_written_out(document: str, keep: float) -> list[tuple[int, int]]:
    if "\t" in document:
        target, context, *_ = document.split("\t")
        if "x" in (target, context):
            return []
        return [(VOCABULARY.index(target), VOCABULARY.index(context))] * times_written_out(document)
    known = [VOCABULARY.index(item) for item in document.split() if item != "x"]
    [number] = hashes_of([document]).numpy().tolist()
    windows = [
        1 + int(WINDOW * reference_uniform(number, at, SEED, stream=2))
        if reference_uniform(number, at, SEED, stream=1) < keep
        else 0
        for at in range(len(known))
    ]
    return pairs_of(list(zip(known, windows, strict=True)))


class TestTokens:
    def test_by_hand(self) -> None:
        documents = ["a b c", "a\tb", "b\tc\t2", "c\td\t0", "", "a"]
        tokens, found = tokens_of(documents)
        assert tokens.to_list() == [[b"a", b"b", b"c"], [b"a", b"b"], [b"b", b"c"], [], [], [b"a"]]
        assert found.is_pair.numpy().tolist() == [False, True, True, True, False, False]
        assert found.times.numpy().tolist() == [1, 1, 2, 0, 1, 1]

    def test_a_target_or_context_of_two_tokens_or_of_none_is_no_pair(self) -> None:
        documents = ["new york\tparis", "a\tb c\t2", "a\t", "\tb", "\t", "a\tb"]
        assert tokens_of(documents)[0].to_list() == [[], [], [], [], [], [b"a", b"b"]]

    def test_a_fraction_is_drawn_by_the_documents_hash(self) -> None:
        documents = [f"a{n}\tb\t1.25" for n in range(2000)]
        _, found = tokens_of(documents)
        times = found.times.numpy().tolist()
        assert times == [times_written_out(document) for document in documents]
        # The standard deviation is sqrt(2000 * 1/4 * 3/4) = 19.
        assert abs(times.count(2) - 500) < 80
        assert set(times) == {1, 2}

    def test_no_weight_fills_the_memory(self) -> None:
        _, found = tokens_of(["a\tb\t1e30", "a\tb\tinf"])
        assert found.times.numpy().tolist() == [65_536] * 2


class TestWindows:
    def test_by_hand(self) -> None:
        found = windowed(["a\tb", "c\td\t2", "c\ta\t3", "a\tx\t4", "x\ta", "d"])
        assert found.token_ids.to_list() == [[0, 1], [2, 3, 2], [2, 0, 2, 0], [], [], [3]]
        [*given_ones, [size]] = found.window_sizes.to_list()
        assert given_ones == [[1, -1], [1, -1, 1], [1, -1, 1, -1], [], []]
        assert 1 <= size <= WINDOW

    def test_a_given_pair_is_not_subsampled(self) -> None:
        found = windowed(["a\tb\t2", "a b c d"], keep=0.0)
        assert found.window_sizes.to_list() == [[1, -1, 1], [0, 0, 0, 0]]

    @pytest.mark.parametrize("keep", [1.0, 0.5])
    @settings(max_examples=50)
    @given(documents=DOCUMENTS)
    def test_the_pairs_of_mixed_documents_are_those_of_plain_python(
        self, keep: float, documents: list[str]
    ) -> None:
        targets, contexts = skip_grams.pairs(*windowed(documents, keep))
        rows = zip(targets.to_list(), contexts.to_list(), strict=True)
        found = [list(zip(*row, strict=True)) for row in rows]
        assert found == [pairs_written_out(document, keep) for document in documents]

    @settings(max_examples=20)
    @given(documents=st.lists(SESSIONS, max_size=8))
    def test_other_documents_are_windowed_as_text_is(self, documents: list[str]) -> None:
        found = windowed(documents, keep=0.5)
        ids = [
            [VOCABULARY.index(item) if item in VOCABULARY else -1 for item in document.split()]
            for document in documents
        ]
        as_text = subsampling.windowed(
            hashes_of(documents),
            ragged(ids),
            tf.fill([sum(map(len, ids))], tf.constant(0.5, tf.float64)),
            window=WINDOW,
            seed=SEED,
        )
        for one, other in zip(found, as_text, strict=True):
            assert one.to_list() == other.to_list()


def test_later_epochs_keep_given_pairs_and_draw_others_anew() -> None:
    windows = ragged([[1, -1], [], [1, 2, 0], [1, -1, 1]])
    redrawn = ragged([[0, 3], [], [3, 3, 3], [2, 0, 2]])
    found = given_pairs.kept_as_given(windows, redrawn)
    assert found.to_list() == [[1, -1], [], [3, 3, 3], [1, -1, 1]]
