"""The real executor and driver, with Beam's runner in this process."""

import gzip
import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
from tfx.components.example_gen.component import FileBasedExampleGen
from tfx.orchestration.portable.data_types import ExecutionInfo
from tfx.types import standard_artifacts

from components.text_example_gen import executor, matching
from components.text_example_gen.account import Options
from components.text_example_gen.component import Driver, TextExampleGen
from components.text_example_gen.writing import runs, shuffled
from pipeline.beam_arguments import ON_THIS_MACHINE
from trainer_module.errors import InputError

OPTIONS = Options(max_document_bytes=100, eval_fraction=0.1)
WORDS = [f"document number {number} of the corpus" for number in range(400)]


def exec_properties(patterns: Sequence[str], **changes: Any) -> dict[str, Any]:
    """What the launcher hands to the driver, and what the driver makes of it."""
    beside = {name: changes.pop(name) for name in ("code_fingerprint", "span") if name in changes}
    options = replace(OPTIONS, **changes)
    component = TextExampleGen(patterns, options, **({"code_fingerprint": "abc"} | beside))
    properties = dict(component.exec_properties)
    resolved: dict[str, Any] = Driver(None).resolve_exec_properties(properties, None, None)
    return resolved


def run(folder: Path, patterns: Sequence[str], **changes: Any) -> standard_artifacts.Examples:
    examples = standard_artifacts.Examples()
    examples.uri = str(folder)
    context = executor.Executor.Context(beam_pipeline_args=list(ON_THIS_MACHINE))
    properties = exec_properties(patterns, **changes)
    executor.Executor(context).Do({}, {"examples": [examples]}, properties)
    return examples


def documents(examples: standard_artifacts.Examples, split: str) -> list[str]:
    paths = [str(path) for path in Path(examples.uri, f"Split-{split}").iterdir()]
    found = []
    for record in tf.data.TFRecordDataset(paths, compression_type="GZIP"):
        feature = tf.train.Example.FromString(record.numpy()).features.feature
        assert sorted(feature) == ["occurrence", "text"]
        found.append(feature["text"].bytes_list.value[0].decode())
    return sorted(found)


def text_of(record: bytes) -> bytes:
    value: bytes = tf.train.Example.FromString(record).features.feature["text"].bytes_list.value[0]
    return value


def counts(examples: standard_artifacts.Examples) -> dict[str, int]:
    read: dict[str, int] = json.loads(Path(examples.uri, "reading.json").read_text())
    return read


def occurrences(folder: Path) -> Counter[tuple[str, int, str]]:
    """What is written of each document: its text, which copy it is, and the split."""
    found: Counter[tuple[str, int, str]] = Counter()
    for path in folder.glob("Split-*/*"):
        for record in tf.data.TFRecordDataset(str(path), compression_type="GZIP"):
            feature = tf.train.Example.FromString(record.numpy()).features.feature
            [nth] = feature["occurrence"].int64_list.value
            text = feature["text"].bytes_list.value[0].decode()
            found[text, nth, path.parent.name.removeprefix("Split-")] += 1
    return found


def in_eval(words: str) -> bool:
    """Whether the hash of a document in lower case is none of the first 900 of 1000."""
    digest = hashlib.blake2b(words.encode(), digest_size=8).hexdigest()
    return int(digest, 16) % 1000 >= 900


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same documents in one file, and in several of every kind."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "one").mkdir()
    (folder / "several").mkdir()
    (folder / "one" / "all.txt").write_text("\n".join(WORDS))
    (folder / "several" / "a.txt").write_text("\n\n".join(WORDS[:50]) + "\n")
    (folder / "several" / "b.txt.gz").write_bytes(gzip.compress("\n".join(WORDS[50:90]).encode()))
    lines = "".join(json.dumps({"text": text}) + "\n" for text in WORDS[90:])
    (folder / "several" / "c.jsonl").write_text(lines)
    (folder / "several" / "d.txt").touch()
    return folder


@pytest.fixture(scope="module")
def from_one_file(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return run(tmp_path_factory.mktemp("one"), [f"{corpus}/one/*.txt"])


def test_documents_are_split_by_their_hash(from_one_file: standard_artifacts.Examples) -> None:
    assert documents(from_one_file, "eval") == sorted(filter(in_eval, WORDS))
    assert documents(from_one_file, "train") == sorted(set(WORDS) - set(filter(in_eval, WORDS)))
    assert from_one_file.split_names == '["train", "eval"]'


def test_several_files_give_the_same_splits(
    corpus: Path, from_one_file: standard_artifacts.Examples, tmp_path: Path
) -> None:
    several = corpus / "several"
    # a.txt and d.txt are named twice and read once.
    patterns = [f"{several}/*.txt", f"{several}/a.txt", f"{several}/*.jsonl", f"{several}/*.gz"]
    examples = run(tmp_path, patterns)
    for split in ("train", "eval"):
        assert documents(examples, split) == documents(from_one_file, split)
    evaluated = sum(map(in_eval, WORDS))
    assert counts(examples) == {
        "files": 4,
        "empty_files": 1,
        "documents": 400,
        "documents_train": 400 - evaluated,
        "documents_eval": evaluated,
        "distinct": 400,
        "copies_train": 0,
        "copies_eval": 0,
        "empty_lines": 49,
        "cut_lines": 0,
        "replaced_characters": 0,
        # 30 letters and 1090 digits; newlines of a and b; {"text": ""} and a newline in c.
        "bytes": 400 * 30 + 1090 + (49 * 2 + 1) + 39 + 310 * 13,
    }


def test_each_bucket_is_a_file_of_each_split_in_the_order_of_the_keys(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = corpus / "one" / "all.txt"
    monkeypatch.setattr(shuffled, "_BYTES_A_BUCKET", path.stat().st_size // 2)
    examples = run(tmp_path, [str(path)])
    keys = {document.encode(): shuffled.shuffle_key(0, document.encode()) for document in WORDS}
    for split in ("train", "eval"):
        found = []
        for bucket in range(3):
            file = tmp_path / f"Split-{split}" / f"data_tfrecord-{bucket:05d}-of-00003.gz"
            records = tf.data.TFRecordDataset(str(file), "GZIP").as_numpy_iterator()
            order = [keys[text_of(record)] for record in records]
            assert order == sorted(order)
            assert {int.from_bytes(key, "big") % 3 for key in order} == {bucket}
            found += order
        assert len(found) == counts(examples)[f"documents_{split}"]
        assert len(list((tmp_path / f"Split-{split}").iterdir())) == 3
    assert not (tmp_path / "unfinished").exists()


@pytest.mark.parametrize("files", [1, 3])
@pytest.mark.parametrize("bytes_a_bucket", [1 << 24, 1 << 10])
def test_near_copies_are_numbered_and_in_one_split(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int, bytes_a_bucket: int
) -> None:
    """However many files and buckets there are."""
    monkeypatch.setattr(shuffled, "_BYTES_A_BUCKET", bytes_a_bucket)
    monkeypatch.setattr(runs, "_BYTES_HELD", 5000)
    texts = [f"Pair {number}" for number in range(60)]
    lines = [*texts * 4, *(text.lower() for text in texts), *(f"{text} !" for text in texts)]
    for file in range(files):
        (tmp_path / f"{file}.txt").write_text("\n".join(lines[file::files]))
    examples = run(tmp_path / "out", [f"{tmp_path}/*.txt"])
    expected: Counter[tuple[str, int, str]] = Counter()
    for text in texts:
        split = "eval" if in_eval(text.lower()) else "train"
        # By their bytes: capitals first, "pair" last.
        near_copies = [*[text] * 4, f"{text} !", text.lower()]
        expected.update((copy, nth, split) for nth, copy in enumerate(near_copies))
    assert occurrences(tmp_path / "out") == expected
    evaluated = sum(in_eval(text.lower()) for text in texts)
    assert evaluated > 0
    found = counts(examples)
    assert found["distinct"] == 60
    assert found["copies_eval"] == found["documents_eval"] == 6 * evaluated
    assert found["copies_train"] == found["documents_train"] == 6 * (60 - evaluated)


def test_the_order_does_not_depend_on_how_documents_lie_in_files(
    tmp_path: Path,
) -> None:
    lines = [*WORDS, *WORDS[:50] * 3]
    for name, order in (("a", lines), ("b", lines[::-1])):
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.txt").write_text("\n".join(order[:100]))
        (tmp_path / name / "2.txt").write_text("\n".join(order[100:]))
        run(tmp_path / f"out-{name}", [f"{tmp_path}/{name}/*.txt"])
    written = [
        {path.relative_to(folder): gzip.decompress(path.read_bytes()) for path in paths}
        for folder in (tmp_path / "out-a", tmp_path / "out-b")
        for paths in [sorted(folder.glob("Split-*/*"))]
    ]
    assert written[0] == written[1]


def test_options_reach_the_reader(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"body": "a b c d e f g h i j k l m n o p"}\n' * 2)
    examples = run(
        tmp_path / "out", [f"{tmp_path}/in.jsonl"], columns=("body",), max_document_bytes=1
    )
    assert counts(examples)["cut_lines"] == 2
    assert counts(examples)["documents"] == 32


def test_the_reader_names_file_and_line_through_beam(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n{"txt": "b"}\n')
    with pytest.raises(Exception, match="has no field 'text'") as caught:
        run(tmp_path / "out", [f"{tmp_path}/a.jsonl"])
    assert f"'{tmp_path}/a.jsonl', line 2, has no field 'text'" in str(caught.value)


def test_no_documents() -> None:
    nothing = {"documents": 0, "empty_files": 1, "empty_lines": 2}
    with pytest.raises(InputError) as caught:
        executor.check_counts(nothing, ["/c/a.txt", "/c/b.txt"], {"train": 9, "eval": 1}, "text")
    assert str(caught.value) == (
        "the corpus holds no document: 1 of its 2 files are empty and 2 lines are blank"
        " ('/c/a.txt', '/c/b.txt'); give files with text"
    )


def test_an_empty_split(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one line\n" * 7)
    assert not in_eval("one line")
    with pytest.raises(InputError) as caught:
        run(tmp_path / "out", [f"{tmp_path}/a.txt"])
    assert str(caught.value) == (
        "none of the corpus's 7 documents fell into the split 'eval', which gets 10.0% of the 1"
        " that differ by more than case, blanks and punctuation; give more of those or change"
        " corpus.eval_fraction"
    )


def test_files_that_are_not_there_or_not_known(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").touch()
    with pytest.raises(InputError, match=r"no file matches '.*/b.txt' here"):
        matching.matching_files(str(tmp_path), "b.txt")
    with pytest.raises(InputError, match=r"a.xlsx' cannot be read: the known endings are .txt, "):
        matching.matching_files(str(tmp_path), "*")


def test_a_file_that_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone.txt' cannot be read \(.*\); check that it exists"):
        matching.open_file(str(tmp_path / "gone.txt"))


def test_counts_are_added_name_by_name() -> None:
    added = executor.add_counts([{"a": 1, "b": 0}, {"a": 2, "c": 5}])
    assert added == {"a": 3, "b": 0, "c": 5}


# The driver and the cache.


def fingerprint(*patterns: str) -> str:
    return str(exec_properties(patterns)["input_fingerprint"])


def test_fingerprint_sees_every_file_of_every_pattern(tmp_path: Path) -> None:
    for name in ("a.txt", "b[1].txt", "c.jsonl"):
        (tmp_path / name).write_text("some words\n")
    patterns = (f"{tmp_path}/[!.]*.txt", f"{tmp_path}/*.jsonl")
    before = fingerprint(*patterns)
    assert before == fingerprint(*patterns)
    # By two patterns, and once.
    assert before == fingerprint(*patterns, f"{tmp_path}/a.txt")
    assert before.startswith("num_files:3,")
    assert fingerprint(f"{tmp_path}/b[[]1].txt").startswith("num_files:1,")

    changed = {before}
    for name in ("a.txt", "b[1].txt", "c.jsonl"):
        (tmp_path / name).write_text("same words\n")
        changed.add(fingerprint(*patterns))
    (tmp_path / "d.txt").write_text("more\n")
    changed.add(fingerprint(*patterns))
    assert len(changed) == 5


def driven(folder: Path, *patterns: str, span: int | None = None) -> str:
    """What the driver notes in the metadata store, run as TFX's launcher runs it."""
    component = TextExampleGen(patterns, OPTIONS, "abc", span=span)
    info = ExecutionInfo(
        exec_properties=dict(component.exec_properties),
        output_dict={"examples": [standard_artifacts.Examples()]},
        execution_output_uri=str(folder / ".system" / "driver_execution" / "1" / "out.pb"),
    )
    Path(info.execution_output_uri).parent.mkdir(parents=True, exist_ok=True)
    output = Driver(None).run(info)
    [artifact] = output.output_artifacts["examples"].artifacts
    noted = str(artifact.custom_properties["input_fingerprint"].string_value)
    assert output.exec_properties["input_fingerprint"].string_value == noted
    assert output.exec_properties["span"].int_value == (span or 0)
    assert artifact.custom_properties["span"].int_value == (span or 0)
    return noted


def test_the_driver_remembers_hashes_beside_the_artifacts(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some words\n")
    before = driven(tmp_path / "out", f"{tmp_path}/*.txt")
    [record] = (tmp_path / "out").rglob("*.json")
    assert record.parent == tmp_path / "out" / ".system"
    assert before == fingerprint(f"{tmp_path}/*.txt")


def test_the_driver_notes_the_span(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some words\n")
    (tmp_path / "b.txt").write_text("some words\n")
    # 2026-11-24, by `date -d 2026-11-24 +%s` / 86400.
    driven(tmp_path / "out", f"{tmp_path}/a.txt", f"{tmp_path}/b.txt", span=20_781)


@pytest.mark.parametrize("name", ["b.txt", "*.jsonl"])
def test_the_driver_says_what_is_not_there(name: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some words\n")
    with pytest.raises(InputError, match=r"no file matches '.*' here; check"):
        fingerprint(f"{tmp_path}/a.txt", f"{tmp_path}/{name}")


def test_what_makes_the_cache_key(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("some words\n")
    same = exec_properties([f"{tmp_path}/a.txt"])
    assert same == exec_properties([f"{tmp_path}/a.txt"])
    assert same["span"] == 0
    for change in (
        {"code_fingerprint": "abd"},
        {"columns": ("body",)},
        {"max_document_bytes": 99},
        {"eval_fraction": 0.2},
        {"kind": "edges"},
        {"seed": 2},
        {"span": 20_781},
    ):
        assert exec_properties([f"{tmp_path}/a.txt"], **change) != same


@pytest.mark.parametrize(
    ("fraction", "buckets"), [(0.05, 50), (0.0001, 1), (0.0146, 15), (0.99999, 999)]
)
def test_eval_fraction_is_rounded_to_thousandths(fraction: float, buckets: int) -> None:
    component = TextExampleGen(["/a/*.txt"], Options(100, fraction), "abc")
    splits = json.loads(component.exec_properties["output_config"])["split_config"]["splits"]
    assert splits == [
        {"name": "train", "hash_buckets": 1000 - buckets},
        {"name": "eval", "hash_buckets": buckets},
    ]


def test_one_pattern_is_what_tfx_understands_by_itself() -> None:
    component = TextExampleGen(["/a/b/*.txt"], OPTIONS, "abc")
    assert isinstance(component, FileBasedExampleGen)
    assert component.exec_properties["input_base"] == "/a/b"
    splits = json.loads(component.exec_properties["input_config"])["splits"]
    assert splits == [{"name": "corpus", "pattern": "*.txt"}]
