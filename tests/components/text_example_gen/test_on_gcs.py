"""A corpus in an object store, where there are no folders, and files that are no local ones."""

import io
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from components.text_example_gen import matching, reading
from components.text_example_gen.account import Options, ReadingCounts
from components.text_example_gen.writing import read_corpus
from components.text_example_gen.writing.runs import merged
from tests.components.text_example_gen.reading_bytes import COMPRESS
from tests.gcs.emulator import emulator
from tests.gcs.store import Store
from trainer_module.errors import InputError


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    with emulator(tmp_path, "books") as gcs:
        for name, value in gcs.environment.items():
            monkeypatch.setenv(name, value)
        yield gcs.store
    assert gcs.foreign == []


def test_folders_and_hidden_files_are_no_part_of_a_corpus(store: Store) -> None:
    # Such an object is what a folder is that someone makes in the console.
    for name in ("all/", "all/a.txt", "all/.b.txt", "all/old/", "all/old/c.txt", "all/older/d.txt"):
        store.put("books", name, b"a line\n")
    assert matching.matching_files("gs://books/all", "*") == ["gs://books/all/a.txt"]
    assert matching.matching_files("gs://books/all", ".*") == ["gs://books/all/.b.txt"]
    assert matching.matching_files("gs://books", "all/old*/*.txt") == [
        "gs://books/all/old/c.txt",
        "gs://books/all/older/d.txt",
    ]
    with pytest.raises(InputError, match=r"no file matches 'gs://books/\*' here"):
        matching.matching_files("gs://books", "*")
    store.put("books", "all/table.xlsx", b"a,b\n")
    with pytest.raises(InputError, match=r"table.xlsx' cannot be read: the known endings are"):
        matching.matching_files("gs://books/all", "*")


@pytest.mark.parametrize("ending", COMPRESS)
def test_every_compression(ending: str, store: Store) -> None:
    text = "".join(f"line {i} of the même text\n" for i in range(20_000)).encode()
    store.put("books", f"a.txt{ending}", COMPRESS[ending](text))
    read = read_corpus.ReadFiles(Options(1000, 0.05), "gs://books/unfinished", num_buckets=1)
    read.start_bundle()
    [counts] = read.process(f"gs://books/a.txt{ending}")
    [run] = [windowed.value for windowed in read.finish_bundle()]
    assert counts.value["documents"] == 20_000
    assert counts.value["bytes"] == len(text)
    # What waits for its turn is in the object store too.
    assert b"\n".join(sorted(line for _, line in merged([run[1]]))) == b"\n".join(
        sorted(text.splitlines())
    )


def test_parquet_which_is_read_from_its_end(store: Store) -> None:
    texts = [f"line {i} of the même text" for i in range(20_000)]
    parquet.write_table(pa.table({"text": texts}), written := io.BytesIO(), row_group_size=3000)
    store.put("books", "a.parquet", written.getvalue())
    options, counts = Options(1000, 0.05), ReadingCounts()
    with matching.open_file("gs://books/a.parquet") as file:
        found = list(reading.read_documents(file, "gs://books/a.parquet", options, counts))
    assert [one.decode() for one in found] == texts


def test_what_is_not_there_or_not_allowed_is_named(store: Store) -> None:
    with pytest.raises(InputError, match=r"'gs://books/a.txt' cannot be read \(404 GET"):
        matching.open_file("gs://books/a.txt")
    with pytest.raises(InputError, match=r"no file matches 'gs://films/\*' here"):
        matching.matching_files("gs://films", "*")
    store.forbidden.add("books")
    with pytest.raises(InputError, match=r"'gs://books/a.txt' cannot be read \(403 GET"):
        matching.open_file("gs://books/a.txt")
    with pytest.raises(InputError, match=r"'gs://books/\*' cannot be looked for \(.*403"):
        matching.matching_files("gs://books", "*")
