from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainer_module.transformed import SPEC, Document, pairs_by_target, write
from trainer_module import input_pipeline, skip_grams
from trainer_module.input_pipeline import Chunk

WINDOW = 3
# The contexts are 1 2 / 0 2 / 1, none for the lone 5, 2 / 1.
DOCUMENTS: list[Document] = [[(0, 3), (1, 1), (2, 1)], [(5, 3)], [], [(1, 2), (2, 1)]]

any_documents = st.lists(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, WINDOW)), max_size=9), max_size=9
)


def chunks_of(files: Sequence[str], num_targets: int, window: int = WINDOW) -> list[Chunk]:
    return list(input_pipeline.chunks(files, SPEC, num_targets=num_targets, window=window))


def as_lists(chunk: Chunk) -> tuple[list[int], list[int], list[int]]:
    ids, left, right = (part.numpy().tolist() for part in chunk)
    return ids, left, right


def test_counts_by_hand(tmp_path: Path) -> None:
    counts = input_pipeline.count([write(tmp_path / "a.gz", DOCUMENTS)], SPEC, 7)
    assert counts[:4] == (4, 4 * 9, 5, 7)  # documents, tokens, targets, pairs
    assert counts.context_counts.tolist() == [1, 3, 3, 0, 0, 0, 0]


def test_counts_of_several_files_add_up(tmp_path: Path) -> None:
    files = [write(tmp_path / name, DOCUMENTS) for name in ("a.gz", "b.gz")]
    counts = input_pipeline.count(files, SPEC, 6)
    assert counts[:4] == (8, 8 * 9, 10, 14)
    assert counts.context_counts.tolist() == [2, 6, 6, 0, 0, 0]


def test_counts_of_more_documents_than_are_parsed_at_once(tmp_path: Path) -> None:
    counts = input_pipeline.count([write(tmp_path / "a.gz", DOCUMENTS * 100)], SPEC, 6)
    assert counts[:4] == (400, 400 * 9, 500, 700)
    assert counts.context_counts.tolist() == [100, 300, 300, 0, 0, 0]


@pytest.mark.parametrize("documents", [[], [[]], [[(1, 3)], [], [(0, 1)]]])
def test_counts_where_there_is_no_pair(tmp_path: Path, documents: list[Document]) -> None:
    counts = input_pipeline.count([write(tmp_path / "a.gz", documents)], SPEC, 2)
    assert counts[:4] == (len(documents), len(documents) * 9, 0, 0)
    assert counts.context_counts.tolist() == [0, 0]


@settings(max_examples=20, deadline=None)
@given(any_documents)
def test_counts_equal_those_of_the_pairs_written_out(
    tmp_path_factory: pytest.TempPathFactory, documents: list[Document]
) -> None:
    path = write(tmp_path_factory.mktemp("counts") / "a.gz", documents)
    counts = input_pipeline.count([path], SPEC, 10)
    by_target = [pairs for document in documents for pairs in pairs_by_target(document)]
    contexts = Counter(context for pairs in by_target for _, context in pairs)
    assert counts.targets == sum(bool(pairs) for pairs in by_target)
    assert counts.pairs == sum(map(len, by_target))
    assert counts.context_counts.tolist() == [contexts[token] for token in range(10)]


def test_times_as_context_by_hand() -> None:
    # The first reaches the second and the third, the second the first, the third the second.
    left, right = tf.constant([0, 1, 1]), tf.constant([2, 0, 0])
    assert input_pipeline.times_as_context(left, right).numpy().tolist() == [1, 2, 1]


@settings(max_examples=100, deadline=None)
@given(any_documents)
def test_times_as_context_equals_brute_force(documents: list[Document]) -> None:
    expected = [
        sum(i != j and abs(i - j) <= window for i, (_, window) in enumerate(document))
        for document in documents
        for j in range(len(document))
    ]
    windows = [[window for _, window in document] for document in documents]
    left, right = skip_grams.extents(tf.ragged.constant(windows, tf.int32, ragged_rank=1))
    assert input_pipeline.times_as_context(left, right).numpy().tolist() == expected


def test_chunks_by_hand(tmp_path: Path) -> None:
    first, second = chunks_of([write(tmp_path / "a.gz", DOCUMENTS)], num_targets=3, window=3)
    # The lone 5 is left out; around the targets stand the last and the next three ids, or padding.
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


@pytest.mark.parametrize("documents", [[], [[]], [[(1, 3)], [(2, 3)]]])
def test_without_pairs_there_is_no_chunk(tmp_path: Path, documents: list[Document]) -> None:
    assert chunks_of([write(tmp_path / "a.gz", documents)], num_targets=4) == []


def test_shapes_and_types_are_known_to_the_compiled_loop(tmp_path: Path) -> None:
    found = input_pipeline.chunks(
        [write(tmp_path / "a.gz", DOCUMENTS)], SPEC, num_targets=4, window=2
    )
    assert found.element_spec == Chunk(
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
        input_pipeline.chunks([], SPEC, num_targets=2, window=3)


@settings(max_examples=25, deadline=None)
@given(any_documents, st.integers(WINDOW, 12))
def test_every_target_has_all_of_its_contexts_exactly_once(
    tmp_path_factory: pytest.TempPathFactory, documents: list[Document], num_targets: int
) -> None:
    path = write(tmp_path_factory.mktemp("chunks") / "a.gz", documents)
    found: list[list[tuple[int, int]]] = []
    padding = 0
    for ids, left, right in map(as_lists, chunks_of([path], num_targets)):
        assert padding == 0  # in the last chunk alone
        for row in range(num_targets):
            at = row + WINDOW
            around = ids[at - left[row] : at] + ids[at + 1 : at + 1 + right[row]]
            if around:
                found.append([(ids[at], context) for context in around])
            else:
                padding += 1
                assert ids[at] == 0
    by_target = [pairs for document in documents for pairs in pairs_by_target(document)]
    assert found == [pairs for pairs in by_target if pairs]
    assert padding < num_targets


def pairs_of(chunk: Chunk, window: int, rows: Sequence[int]) -> list[tuple[int, int]]:
    targets, contexts = input_pipeline.pairs_of(chunk, window, rows)
    assert targets.dtype == contexts.dtype == tf.int32
    return list(zip(targets.numpy().tolist(), contexts.numpy().tolist(), strict=True))


def test_pairs_of_some_targets_by_hand() -> None:
    chunk = Chunk(
        tf.constant([8, 9, 10, 11, 12, 13, 14]), tf.constant([2, 0, 1]), tf.constant([1, 2, 0])
    )
    assert pairs_of(chunk, 2, [0, 2]) == [(10, 8), (10, 9), (10, 11), (12, 11)]
    assert pairs_of(chunk, 2, [1]) == [(11, 12), (11, 13)]
    assert pairs_of(chunk, 2, []) == []


@settings(max_examples=25, deadline=None)
@given(any_documents, st.data())
def test_pairs_of_chunks_are_those_of_skip_grams(
    tmp_path_factory: pytest.TempPathFactory, documents: list[Document], data: st.DataObject
) -> None:
    path = write(tmp_path_factory.mktemp("pairs") / "a.gz", documents)
    num_targets = data.draw(st.integers(WINDOW, 12))
    found = [
        pair
        for chunk in chunks_of([path], num_targets)
        for pair in pairs_of(chunk, WINDOW, range(num_targets))
    ]
    columns = [[[row[at] for row in document] for document in documents] for at in (0, 1)]
    targets, contexts = skip_grams.pairs(
        *(tf.ragged.constant(column, tf.int64, ragged_rank=1) for column in columns)
    )
    expected = np.stack([targets.flat_values, contexts.flat_values], axis=1)
    assert found == [tuple(pair) for pair in expected.tolist()]


def test_later_epochs_have_the_same_targets_with_windows_of_their_own(tmp_path: Path) -> None:
    path = write(tmp_path / "a.gz", [[(i % 5, 3) for i in range(60)]])

    def epoch(number: int) -> tuple[list[int], list[int]]:
        [chunk] = input_pipeline.chunks(
            [path], SPEC, num_targets=64, window=3, epoch=tf.constant(number, tf.int64), seed=1
        )
        return chunk.ids.numpy().tolist(), chunk.left.numpy().tolist()

    first, second, third = (epoch(number) for number in range(3))
    assert first[0] == second[0] == third[0]
    assert first[1][:60] == [0, 1, 2, *([3] * 57)]
    assert second[1] != first[1]
    assert second[1] != third[1]
    assert max(second[1]) == 3
    assert epoch(1) == second
