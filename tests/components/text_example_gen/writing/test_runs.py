"""Runs, and their merge beside Python's own sort."""

import random
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.text_example_gen.writing import runs
from components.text_example_gen.writing.runs import Record, Run, RunFile, merged


def spilled(folder: Path, workers: Iterable[Iterable[tuple[int, Record]]]) -> dict[int, list[Run]]:
    """The runs of some workers by their buckets."""
    found: dict[int, list[Run]] = defaultdict(list)
    for records in workers:
        file = RunFile(str(folder))
        for bucket, record in records:
            for full, run in file.add(bucket, record):
                found[full].append(run)
        for bucket, run in file.runs():
            found[bucket].append(run)
        file.close()
    return found


# Few keys, so that many have the same, and the largest of 64 bits.
keys = st.sampled_from([0, 1, 2, 1 << 63, (1 << 63) + 1, (1 << 64) - 1])
records = st.tuples(st.integers(0, 3), st.tuples(keys, st.binary(max_size=3)))


@given(st.lists(st.lists(records, max_size=30), max_size=4), st.integers(1, 2000))
def test_a_merge_is_all_records_sorted(
    tmp_path_factory: pytest.TempPathFactory,
    workers: list[list[tuple[int, Record]]],
    held: int,
) -> None:
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(runs, "_BYTES_HELD", held)
        patch.setattr(runs, "_BYTES_OF_PIECE", 8)
        found = spilled(folder, workers)
        merges = {bucket: list(merged(some)) for bucket, some in found.items()}
    expected: dict[int, list[Record]] = defaultdict(list)
    for bucket, record in (each for worker in workers for each in worker):
        expected[bucket].append(record)
    assert merges == {bucket: sorted(some) for bucket, some in expected.items()}


def test_records_wait_in_a_file_once_they_are_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runs, "_BYTES_HELD", 3 * 260)
    file = RunFile(str(tmp_path))
    # 100 bytes of content and 160 beside it: the third record is one too many.
    numbers = [len(list(file.add(number % 2, (number, b"x" * 100)))) for number in range(7)]
    assert numbers == [0, 0, 2, 0, 0, 2, 0]
    assert [bucket for bucket, _ in file.runs()] == [0]
    assert list(file.runs()) == []


def test_a_run_is_read_in_pieces_of_a_mebibyte(tmp_path: Path) -> None:
    chance = random.Random(1)
    content = [chance.randbytes(chance.randint(1, 2000)) for _ in range(9_000)]
    file = RunFile(str(tmp_path))
    for record in enumerate(content):
        assert list(file.add(0, record)) == []
    [(_, run)] = file.runs()
    file.close()
    # 9 MB in all.
    assert 8 <= len(run.sizes) <= 10
    assert max(run.sizes) < 1.2 * (1 << 20)
    assert list(merged([run])) == list(enumerate(content))
