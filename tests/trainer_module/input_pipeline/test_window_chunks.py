import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer_module.transformed import (
    Document,
    of_epoch,
    pairs_by_target,
    ragged,
    split_of,
    write,
)
from trainer_module.input_pipeline import window_chunks
from trainer_module.input_pipeline.splits import Counts, Split, spread_pairs
from trainer_module.input_pipeline.window_chunks import WindowChunk
from trainer_module.text import skip_grams
from trainer_module.workers.cluster import Worker

WINDOW = 3
# The contexts are 1 2 / 0 2 / 1, none for the lone 5, 2 / 1; 6 and 4 are left out.
DOCUMENTS: list[Document] = [
    [(0, 3), (6, 0), (1, 1), (2, 1)],
    [(5, 3), (6, 0)],
    [],
    [(4, 0)],
    [(1, 2), (2, 1)],
]

ANY_DOCUMENT = st.lists(st.tuples(st.integers(0, 9), st.integers(0, WINDOW)), max_size=9)
ANY_DOCUMENTS = st.lists(ANY_DOCUMENT, max_size=9)
# Target and context, which take turns, in as many places beside each other as the pair occurs.
ANY_GIVEN_PAIR = st.builds(
    lambda target, context, times: [
        (context, -1) if place % 2 else (target, 1) for place in range(times + 1)
    ],
    st.integers(0, 9),
    st.integers(0, 9),
    st.integers(1, 5),
)
MIXED_DOCUMENTS = st.lists(st.one_of(ANY_DOCUMENT, ANY_GIVEN_PAIR), max_size=9)
ANY_KEEP = st.sampled_from([0.05, 0.5, 1.0])


def count(files: Sequence[str], vocabulary_size: int = 7) -> Counts:
    return window_chunks.count(split_of(files, vocabulary_size=vocabulary_size))


def chunks_of(files: Sequence[str], num_targets: int, window: int = WINDOW) -> list[WindowChunk]:
    split = split_of(files, window=window)
    return list(window_chunks.chunks(split, num_targets=num_targets))


def targets_of(documents: Sequence[Document]) -> list[list[tuple[int, int]]]:
    """Brute force: the pairs of each target that has one, and none of a context alone."""
    return [
        pairs
        for document in documents
        for pairs, window in zip(
            pairs_by_target(document), filter(None, (w for _, w in document)), strict=True
        )
        if pairs or window < 0
    ]


def as_lists(chunk: WindowChunk) -> tuple[list[int], list[int], list[int]]:
    ids, left, right = (part.numpy().tolist() for part in chunk)
    return ids, left, right


def test_counts_by_hand(tmp_path: Path) -> None:
    counts = count([write(tmp_path / "a.gz", DOCUMENTS)])
    assert counts[:4] == (5, 5 * 9, 5, 7)  # documents, tokens, targets, pairs
    assert counts.context_counts.tolist() == [1, 3, 3, 0, 0, 0, 0]


def test_counts_of_several_files_add_up(tmp_path: Path) -> None:
    files = [write(tmp_path / name, DOCUMENTS) for name in ("a.gz", "b.gz")]
    counts = count(files)
    assert counts[:4] == (10, 10 * 9, 10, 14)
    assert counts.context_counts.tolist() == [2, 6, 6, 0, 0, 0, 0]


def test_counts_of_more_documents_than_are_parsed_at_once(tmp_path: Path) -> None:
    counts = count([write(tmp_path / "a.gz", DOCUMENTS * 100)])
    assert counts[:4] == (500, 500 * 9, 500, 700)
    assert counts.context_counts.tolist() == [100, 300, 300, 0, 0, 0, 0]


@pytest.mark.parametrize("documents", [[], [[]], [[(1, 3)], [(1, 0)], [(0, 1), (1, 0)]]])
def test_counts_where_there_is_no_pair(tmp_path: Path, documents: list[Document]) -> None:
    counts = count([write(tmp_path / "a.gz", documents)], 2)
    assert counts[:4] == (len(documents), len(documents) * 9, 0, 0)
    assert counts.context_counts.tolist() == [0, 0]


@pytest.mark.slow
@settings(max_examples=8)
@given(MIXED_DOCUMENTS, st.integers(1, 4), ANY_KEEP)
def test_counts_equal_those_of_the_pairs_written_out(
    tmp_path_factory: pytest.TempPathFactory, documents: list[Document], epochs: int, keep: float
) -> None:
    path = write(tmp_path_factory.mktemp("counts") / "a.gz", documents)
    split = split_of([path], vocabulary_size=10, keep=keep, may_have_given_pairs=True)
    counts = window_chunks.count(split, epochs=epochs)
    by_epoch = [targets_of(of_epoch(split, documents, epoch)) for epoch in range(epochs)]
    contexts = Counter(context for pairs in by_epoch[0] for _, context in pairs)
    assert counts.targets == max(map(len, by_epoch))
    assert counts.pairs == sum(map(len, by_epoch[0]))
    assert counts.context_counts.tolist() == [contexts[token] for token in range(10)]


def test_given_pairs_by_hand(tmp_path: Path) -> None:
    # (7, 8) twice, and (3, 4); between them a document of two targets and one of a single one.
    path = write(tmp_path / "a.gz", [[(7, 1), (8, -1), (7, 1)], [(1, 1), (2, 1)], [(5, 1)]])
    last = write(tmp_path / "b.gz", [[(3, 1), (4, -1)]])
    split = split_of([path, last], window=1, may_have_given_pairs=True)
    for epoch in (0, 1):
        [chunk] = window_chunks.chunks(split, num_targets=8, epoch=epoch)
        ids, left, right = as_lists(chunk)
        assert ids == [0, 7, 8, 7, 1, 2, 3, 4, 0, 0]
        assert [left, right] == [[0, 0, 1, 0, 1, 0, 0, 0], [1, 0, 0, 1, 0, 1, 0, 0]]
        assert pairs_of(chunk, range(8)) == [(7, 8), (7, 8), (1, 2), (2, 1), (3, 4)]
    counts = window_chunks.count(split, epochs=2)
    assert counts[:4] == (4, 4 * 9, 7, 5)
    assert counts.context_counts.nonzero()[0].tolist() == [1, 2, 4, 8]


def test_spread_pairs_of_given_pairs_alone(tmp_path: Path) -> None:
    documents: list[Document] = [[(n % 9, 1), (9, -1)] for n in range(40)]
    split = split_of([write(tmp_path / "a.gz", documents)], may_have_given_pairs=True)
    # 80 tokens; of every third, or of every eleventh, each second one is a target.
    assert len(spread(split, 40)) == 14
    assert len(spread(split, 8)) == 4


def test_times_as_context_by_hand() -> None:
    # The first reaches the second and the third, the second the first, the third the second.
    left, right = tf.constant([0, 1, 1]), tf.constant([2, 0, 0])
    assert window_chunks.times_as_context(left, right).numpy().tolist() == [1, 2, 1]


@settings(max_examples=100)
@given(ANY_DOCUMENTS)
def test_times_as_context_equals_brute_force(documents: list[Document]) -> None:
    rows = [[window for _, window in document if window > 0] for document in documents]
    expected = [
        sum(i != j and abs(i - j) <= window for i, window in enumerate(windows))
        for windows in rows
        for j in range(len(windows))
    ]
    left, right = skip_grams.extents(tf.cast(ragged(rows), tf.int32))
    assert window_chunks.times_as_context(left, right).numpy().tolist() == expected


def test_chunks_by_hand(tmp_path: Path) -> None:
    first, second = chunks_of([write(tmp_path / "a.gz", DOCUMENTS)], num_targets=3, window=3)
    # The lone 5 and what has a window of 0 are left out; around the targets stand the last and the
    # next three ids, or padding.
    assert as_lists(first) == ([0, 0, 0, 0, 1, 2, 1, 2, 0], [0, 1, 1], [2, 1, 0])
    assert as_lists(second) == ([0, 1, 2, 1, 2, 0, 0, 0, 0], [0, 1, 0], [1, 0, 0])


def test_a_document_goes_on_across_the_border_of_chunks(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gz", [[(token, 2) for token in range(10, 16)]])
    first, second, third = chunks_of([path], num_targets=2, window=2)
    assert as_lists(first) == ([0, 0, 10, 11, 12, 13], [0, 1], [2, 2])
    assert as_lists(second) == ([10, 11, 12, 13, 14, 15], [2, 2], [2, 2])
    assert as_lists(third) == ([12, 13, 14, 15, 0, 0], [2, 2], [1, 0])


def test_of_a_long_chunk_only_the_next_window_is_around_another(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gz", [[(token, 1) for token in range(10, 18)]])
    first, second = chunks_of([path], num_targets=4, window=1)
    assert as_lists(first)[0] == [0, 10, 11, 12, 13, 14]
    assert as_lists(second)[0] == [13, 14, 15, 16, 17, 0]


def test_a_corpus_shorter_than_a_chunk_is_filled_up(tmp_path: Path) -> None:
    [chunk] = chunks_of([write(tmp_path / "a.gz", [[(7, 1), (8, 1)]])], num_targets=5, window=2)
    assert as_lists(chunk) == ([0, 0, 7, 8, 0, 0, 0, 0, 0], [0, 1, 0, 0, 0], [1, 0, 0, 0, 0])


@pytest.mark.parametrize("documents", [[], [[]], [[(1, 3), (4, 0)], [(2, 3)], [(0, 0)]]])
def test_without_pairs_there_is_no_chunk(tmp_path: Path, documents: list[Document]) -> None:
    assert chunks_of([write(tmp_path / "a.gz", documents)], num_targets=4) == []


def test_shapes_and_types_are_known_to_the_compiled_loop(tmp_path: Path) -> None:
    split = split_of([write(tmp_path / "a.gz", DOCUMENTS)], window=2)
    for num_chunks in (None, 5):
        found = window_chunks.chunks(split, num_targets=4, num_chunks=num_chunks)
        assert found.element_spec == WindowChunk(
            tf.TensorSpec([2 + 4 + 2], tf.int32),
            tf.TensorSpec([4], tf.int32),
            tf.TensorSpec([4], tf.int32),
        )


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    second = write(tmp_path / "b.gz", [[(3, 1), (4, 1)]])
    first = write(tmp_path / "a.gz", [[(1, 1), (2, 1)]])
    for files in ([first, second], [second, first]):
        [chunk] = chunks_of(files, num_targets=4, window=1)
        assert as_lists(chunk)[0] == [0, 1, 2, 3, 4, 0]


def test_a_chunk_shorter_than_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="a chunk of 2 targets is shorter than a window, 3"):
        window_chunks.chunks(split_of([], window=3), num_targets=2)


def test_chunks_of_padding_fill_up_an_epoch_and_none_is_too_many(tmp_path: Path) -> None:
    split = split_of([write(tmp_path / "a.gz", [[(7, 1), (8, 1), (9, 1)]])], window=1)
    found = list(window_chunks.chunks(split, num_targets=2, num_chunks=4))
    assert [as_lists(chunk) for chunk in found] == [
        ([0, 7, 8, 9], [0, 1], [1, 1]),
        ([8, 9, 0, 0], [1, 0], [0, 0]),
        ([0, 0, 0, 0], [0, 0], [0, 0]),
        ([0, 0, 0, 0], [0, 0], [0, 0]),
    ]
    assert len(list(window_chunks.chunks(split, num_targets=2, num_chunks=2))) == 2


def test_an_epoch_without_pairs_is_chunks_of_padding(tmp_path: Path) -> None:
    split = split_of([write(tmp_path / "a.gz", [[(7, 1)]])], window=1)
    [chunk] = window_chunks.chunks(split, num_targets=2, num_chunks=1)
    assert as_lists(chunk) == ([0, 0, 0, 0], [0, 0], [0, 0])


def pairs_of(chunk: WindowChunk, rows: Sequence[int]) -> list[tuple[int, int]]:
    targets, contexts = chunk.pairs_of(rows)
    assert targets.dtype == contexts.dtype == tf.int32
    return list(zip(targets.numpy().tolist(), contexts.numpy().tolist(), strict=True))


def written_out(chunks: Sequence[WindowChunk], num_targets: int) -> list[list[tuple[int, int]]]:
    """The pairs of each target; of a target of padding there are none."""
    found = []
    for ids, left, right in map(as_lists, chunks):
        for row in range(num_targets):
            at = row + WINDOW
            around = ids[at - left[row] : at] + ids[at + 1 : at + 1 + right[row]]
            found.append([(ids[at], context) for context in around])
    return found


@pytest.mark.slow
@settings(max_examples=12)
@given(MIXED_DOCUMENTS, st.integers(WINDOW, 12), ANY_KEEP)
def test_every_target_of_an_epoch_has_all_of_its_contexts_exactly_once(
    tmp_path_factory: pytest.TempPathFactory,
    documents: list[Document],
    num_targets: int,
    keep: float,
) -> None:
    path = write(tmp_path_factory.mktemp("chunks") / "a.gz", documents)
    split = split_of([path], keep=keep, may_have_given_pairs=True)
    by_epoch = [targets_of(of_epoch(split, documents, epoch)) for epoch in range(3)]
    num_chunks = -(-max(map(len, by_epoch)) // num_targets)
    epochs = tf.data.Dataset.range(3).flat_map(
        lambda epoch: window_chunks.chunks(
            split, num_targets=num_targets, num_chunks=num_chunks, epoch=epoch
        )
    )
    places = num_chunks * num_targets
    # What is padding stands at an epoch's end alone.
    filled_up = [by_target + [[]] * (places - len(by_target)) for by_target in by_epoch]
    chunks, expected = list(epochs), [pairs for rows in filled_up for pairs in rows]
    assert written_out(chunks, num_targets) == expected
    found = [pair for chunk in chunks for pair in pairs_of(chunk, range(num_targets))]
    assert found == [pair for pairs in expected for pair in pairs]


def test_pairs_of_some_targets_by_hand() -> None:
    chunk = WindowChunk(
        tf.constant([8, 9, 10, 11, 12, 13, 14]), tf.constant([2, 0, 1]), tf.constant([1, 2, 0])
    )
    assert pairs_of(chunk, [0, 2]) == [(10, 8), (10, 9), (10, 11), (12, 11)]
    assert pairs_of(chunk, [1]) == [(11, 12), (11, 13)]
    assert pairs_of(chunk, []) == []


def test_later_epochs_have_targets_and_windows_of_their_own(tmp_path: Path) -> None:
    documents = [[(i % 5, 3) for i in range(60)]]
    path = write(tmp_path / "a.gz", documents)

    def epochs(keep: float) -> list[tuple[list[int], list[int], list[int]]]:
        split = split_of([path], keep=keep)
        found = tf.data.Dataset.range(3).flat_map(
            lambda epoch: window_chunks.chunks(split, num_targets=64, epoch=epoch)
        )
        return [as_lists(chunk) for chunk in found]

    first, second, third = epochs(1.0)
    assert first[0] == second[0] == third[0]
    assert first[1][:60] == [0, 1, 2, *([3] * 57)]
    assert second[1] != first[1]
    assert second[1] != third[1]
    assert max(second[1]) == 3
    assert epochs(1.0) == [first, second, third]
    # What Transform drew is the first epoch's, whatever a later one keeps.
    same, fewer, other = epochs(0.5)
    assert same == first
    assert fewer[0] != other[0]


# Each id stands once, so that a target says where in the split it was; the lone ones and those
# left out are not there.
SPREAD: list[Document] = [
    [(10 * row + at, (row + at) % (WINDOW + 1)) for at in range(1 + row % 7)] for row in range(40)
]


def spread(split: Split, most: int) -> list[tuple[int, int]]:
    found = spread_pairs(window_chunks, split, window_chunks.count(split), most)
    return list(zip(found.targets.numpy().tolist(), found.contexts.numpy().tolist(), strict=True))


@pytest.mark.parametrize("most", [1, 7, 99, 1000])
def test_spread_pairs_are_those_of_every_so_manieth_target(tmp_path: Path, most: int) -> None:
    split = split_of([write(tmp_path / "eval.gz", SPREAD)], vocabulary_size=400)
    by_target = targets_of(SPREAD)
    chosen = by_target[:: math.ceil(len(by_target) / most)]
    assert len(chosen) <= most
    assert spread(split, most) == [pair for pairs in chosen for pair in pairs]


def test_spread_pairs_of_a_split_shorter_than_a_window(tmp_path: Path) -> None:
    split = split_of([write(tmp_path / "eval.gz", [[(3, 1), (4, 1)]])], window=100)
    assert spread(split, 1000) == [(3, 4), (4, 3)]
    assert spread(split, 1) == [(3, 4)]


@pytest.mark.slow
@settings(max_examples=12)
@given(st.lists(ANY_DOCUMENTS, max_size=3), st.integers(1, 4), st.integers(0, 1))
def test_every_document_is_one_workers_in_each_epoch(
    tmp_path_factory: pytest.TempPathFactory,
    shards: list[list[Document]],
    number: int,
    epoch: int,
) -> None:
    folder = tmp_path_factory.mktemp("workers")
    files = [write(folder / f"{index}.gz", shard) for index, shard in enumerate(shards)]
    split = split_of(files, keep=0.5)
    found: Counter[tuple[int, int]] = Counter()
    documents = 0
    for index in range(number):
        own = split._replace(worker=Worker(index, number))
        documents += window_chunks.count(own).documents
        for chunk in window_chunks.chunks(own, num_targets=WINDOW, epoch=epoch):
            found.update(pairs_of(chunk, range(WINDOW)))
    expected = Counter(
        pair
        for shard in shards
        for pairs in targets_of(of_epoch(split, shard, epoch))
        for pair in pairs
    )
    assert found == expected
    assert documents == sum(map(len, shards))
