import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer_module.transformed import (
    Document,
    pairs_of,
    split_of,
    split_of_pairs,
    write,
    write_pairs,
)
from trainer_module.input_pipeline import pair_chunks, window_chunks
from trainer_module.input_pipeline.pair_chunks import PairChunk
from trainer_module.input_pipeline.splits import Split, spread_pairs
from trainer_module.workers.cluster import Worker

Pair = tuple[int, int]
WINDOW = 3
# Runs of at most six pairs: 7, 3, 7 of the first document, 7 and again 7 of the last.
DOCUMENTS: list[list[Pair]] = [
    [(7, 2), (7, 5), (7, 2), (3, 5), (7, 3)],
    [],
    [(7, context) for context in (1, 2, 3, 1, 2, 3, 1, 2)],
]
RUNS = [(7, [2, 5, 2]), (3, [5]), (7, [3]), (7, [1, 2, 3, 1, 2, 3]), (7, [1, 2])]

ANY_PAIRS = st.lists(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9)), max_size=30), max_size=9
)


def runs_of(documents: Sequence[Sequence[Pair]], most: int = 2 * WINDOW) -> list[list[Pair]]:
    """Brute force: the pairs of each run."""
    found: list[list[Pair]] = []
    for document in documents:
        run: list[Pair] = []
        for pair in document:
            if not run or pair[0] != run[0][0] or len(run) == most:
                run = []
                found.append(run)
            run.append(pair)
    return found


def pairs_in(chunk: PairChunk, rows: Sequence[int]) -> list[Pair]:
    targets, contexts = chunk.pairs_of(rows)
    assert targets.dtype == contexts.dtype == tf.int32
    return list(zip(targets.numpy().tolist(), contexts.numpy().tolist(), strict=True))


def by_target(chunks: Sequence[PairChunk]) -> list[list[Pair]]:
    """The pairs of each row, sorted."""
    return [sorted(pairs_in(chunk, [row])) for chunk in chunks for row in range(len(chunk.targets))]


def split_with(path: Path, documents: Sequence[Sequence[Pair]]) -> Split:
    return split_of_pairs([write_pairs(path, documents)], window=WINDOW)


def test_a_chunk_by_hand(tmp_path: Path) -> None:
    [chunk] = pair_chunks.chunks(split_with(tmp_path / "a.gz", DOCUMENTS), num_targets=16)
    assert chunk.targets.numpy().tolist() == [7, 3, 7, 7, 7, *([0] * 11)]
    assert chunk.contexts.numpy().tolist() == [[2, 5, 3, 1]]  # as they come first
    assert chunk.band.numpy().tolist() == [
        [2, 1, 0, 0],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [2, 0, 2, 2],
        [1, 0, 0, 1],
        *([[0, 0, 0, 0]] * 11),
    ]
    assert int(chunk.num_pairs()) == 13
    assert pairs_in(chunk, [0, 4]) == [(7, 2), (7, 2), (7, 5), (7, 2), (7, 1)]
    assert pairs_in(chunk, []) == []


def test_counts_by_hand(tmp_path: Path) -> None:
    counts = pair_chunks.count(split_with(tmp_path / "a.gz", DOCUMENTS))
    assert counts[:4] == (3, 3 * 9, 5, 13)  # documents, tokens, targets, pairs
    assert counts.context_counts.tolist()[:6] == [0, 3, 5, 3, 0, 2]
    assert counts.frame_width == 4


def test_frames_go_on_from_one_batch_of_documents_to_the_next(tmp_path: Path) -> None:
    # 300 documents, each one run with a context of its own: 16 of them in a frame, 12 in the last.
    documents = [[(row % 2, row)] for row in range(300)]
    split = split_of_pairs([write_pairs(tmp_path / "a.gz", documents)], vocabulary_size=300)
    counts = pair_chunks.count(split)
    assert counts[:4] == (300, 2700, 300, 300)
    assert counts.frame_width == 16
    found = by_target(list(pair_chunks.chunks(split, num_targets=32)))
    assert found == [*documents, *([[]] * 20)]


@pytest.mark.parametrize("documents", [[], [[]], [[], []]])
def test_documents_without_pairs(tmp_path: Path, documents: list[list[Pair]]) -> None:
    split = split_with(tmp_path / "a.gz", documents)
    counts = pair_chunks.count(split)
    assert counts[:4] == (len(documents), 9 * len(documents), 0, 0)
    assert counts.context_counts.tolist() == [0] * 20
    assert counts.frame_width == 0
    assert list(pair_chunks.chunks(split, num_targets=16)) == []
    [chunk] = pair_chunks.chunks(split, num_targets=16, num_chunks=1)
    assert by_target([chunk]) == [[]] * 16


def test_chunks_of_padding_fill_up_an_epoch_and_none_is_too_many(tmp_path: Path) -> None:
    split = split_with(tmp_path / "a.gz", DOCUMENTS)
    first, *others = pair_chunks.chunks(split, num_targets=16, num_chunks=3)
    assert by_target([first])[:5] == [sorted((t, c) for c in contexts) for t, contexts in RUNS]
    assert by_target(others) == [[]] * 32
    assert len(list(pair_chunks.chunks(split, num_targets=16, num_chunks=1))) == 1


@pytest.mark.parametrize("frame_width", [None, 4, 9])
def test_shapes_and_types_are_known_to_the_compiled_loop(
    tmp_path: Path, frame_width: int | None
) -> None:
    split = split_with(tmp_path / "a.gz", DOCUMENTS)._replace(frame_width=frame_width)
    for num_chunks in (None, 2):
        found = pair_chunks.chunks(split, num_targets=32, num_chunks=num_chunks)
        assert found.element_spec == PairChunk(
            tf.TensorSpec([32], tf.int32),
            tf.TensorSpec([2, frame_width], tf.int32),
            tf.TensorSpec([32, frame_width], tf.uint8),
        )
        assert by_target(list(found))[:5] == [
            sorted((target, context) for context in contexts) for target, contexts in RUNS
        ]


@pytest.mark.slow
@settings(max_examples=12)
@given(ANY_PAIRS, st.integers(1, 3), st.booleans())
def test_every_run_of_any_pairs_is_one_target_in_their_order(
    tmp_path_factory: pytest.TempPathFactory,
    documents: list[list[Pair]],
    frames: int,
    is_width_given: bool,
) -> None:
    split = split_with(tmp_path_factory.mktemp("pairs") / "a.gz", documents)
    counts, expected = pair_chunks.count(split), runs_of(documents)
    contexts = Counter(context for document in documents for _, context in document)
    assert counts.targets == len(expected)
    assert counts.pairs == sum(map(len, documents))
    assert counts.context_counts.tolist() == [contexts[token] for token in range(20)]
    in_frames = [expected[begin : begin + 16] for begin in range(0, len(expected), 16)]
    widths = [len({context for run in frame for _, context in run}) for frame in in_frames]
    assert counts.frame_width == max(widths, default=0)
    if is_width_given:
        split = split._replace(frame_width=counts.frame_width)
    chunks = list(pair_chunks.chunks(split, num_targets=16 * frames, epoch=2))
    found = by_target(chunks)
    assert found[: len(expected)] == [sorted(run) for run in expected]
    assert not any(found[len(expected) :])
    assert sum(int(chunk.num_pairs()) for chunk in chunks) == counts.pairs


def test_blocks_are_what_the_chunk_holds_of_them(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    documents = [random.integers(0, 20, [length, 2]).tolist() for length in range(40)]
    [chunk, *_] = pair_chunks.chunks(split_with(tmp_path / "a.gz", documents), num_targets=96)
    for index in range(3):
        pairs = chunk.block(index, 32)
        rows = slice(32 * index, 32 * (index + 1))
        np.testing.assert_array_equal(pairs.targets, chunk.targets[rows])
        np.testing.assert_array_equal(pairs.contexts, chunk.contexts[2 * index : 2 * (index + 1)])
        np.testing.assert_array_equal(tf.reshape(pairs.band, [32, -1]), chunk.band[rows])
        assert pairs.band.dtype == tf.float32
        assert pairs.band.shape[:2] == (2, 16)


# Ids from few: tokens stand beside themselves, and windows reach the same token twice.
@pytest.mark.slow
@settings(max_examples=8)
@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 3), st.integers(0, WINDOW)), max_size=40), max_size=6
    )
)
def test_both_forms_have_the_same_first_epoch(
    tmp_path_factory: pytest.TempPathFactory, documents: list[Document]
) -> None:
    folder = tmp_path_factory.mktemp("forms")
    windows = split_of([write(folder / "windows.gz", documents)])
    pairs = split_with(folder / "pairs.gz", [pairs_of(document) for document in documents])
    of_windows, of_pairs = window_chunks.count(windows), pair_chunks.count(pairs)
    assert of_windows.pairs == of_pairs.pairs
    assert of_windows.context_counts.tolist() == of_pairs.context_counts.tolist()
    assert of_pairs.targets <= of_windows.targets
    found = [
        Counter(
            pair
            for chunk in form.chunks(split, num_targets=48)
            for pair in pairs_in(chunk, range(48))
        )
        for form, split in ((window_chunks, windows), (pair_chunks, pairs))
    ]
    assert found[0] == found[1]


@pytest.mark.parametrize("most", [1, 7, 1000])
def test_spread_pairs_are_those_of_every_so_manieth_run(tmp_path: Path, most: int) -> None:
    documents = [[(row, at) for at in range(1 + row % 5)] for row in range(60)]
    split = split_of_pairs([write_pairs(tmp_path / "eval.gz", documents)], vocabulary_size=60)
    found = spread_pairs(pair_chunks, split, pair_chunks.count(split), most)
    chosen = documents[:: math.ceil(60 / most)]
    assert len(chosen) <= most
    assert list(zip(*(ids.numpy().tolist() for ids in found), strict=True)) == [
        pair for pairs in chosen for pair in pairs
    ]


def test_a_chunk_of_more_pairs_than_its_bytes_count(tmp_path: Path) -> None:
    # 60 runs of 6 pairs: a count in the band is a byte, the sum of all is not.
    documents = [[(row % 2, (row + at) % 20) for at in range(6)] for row in range(60)]
    split = split_with(tmp_path / "a.gz", documents)
    [chunk] = pair_chunks.chunks(split, num_targets=64)
    assert int(chunk.num_pairs()) == 360
    assert Counter(pairs_in(chunk, range(64))) == Counter(
        pair for document in documents for pair in document
    )


def test_every_document_is_one_workers(tmp_path: Path) -> None:
    split = split_with(tmp_path / "a.gz", DOCUMENTS)
    found = []
    for index in (0, 1):
        own = split._replace(worker=Worker(index, 2))
        found.append(by_target(list(pair_chunks.chunks(own, num_targets=16))))
    shares = [DOCUMENTS[0::2], DOCUMENTS[1::2]]
    assert [[run for run in share if run] for share in found] == [
        [sorted(run) for run in runs_of(share)] for share in shares
    ]
