"""The executor on one core and on several."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components.ordered_transform.component import parts_for

ROOT = Path(__file__).resolve().parents[3]
RANDOM = random.Random(1)
WORDS = [f"w{n}" for n in range(50)]
# More than a block in one file, so that two workers share it.
SIZES = {"train": (20_000, 30, 0), "eval": (10, 3)}


def texts_of(split: str, file: int) -> list[str]:
    return [
        " ".join([split, f"f{file}", *RANDOM.choices(WORDS, k=RANDOM.randrange(4))])
        for _ in range(SIZES[split][file])
    ]


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ordered")
    for split, sizes in SIZES.items():
        Path(folder, "examples", f"Split-{split}").mkdir(parents=True)
        for file in range(len(sizes)):
            path = folder / "examples" / f"Split-{split}" / f"some-{file:05d}.gz"
            with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
                for nth, text in enumerate(texts_of(split, file)):
                    writer.write(example(text, nth))
    module = "tests.components.ordered_transform.on_cores"
    command = [sys.executable, "-m", module, str(folder / "examples"), str(folder), "1", "3"]
    subprocess.run(command, check=True, cwd=ROOT)
    return folder


def example(text: str, nth: int) -> bytes:
    feature = {
        "text": tf.train.Feature(bytes_list=tf.train.BytesList(value=[text.encode()])),
        "occurrence": tf.train.Feature(int64_list=tf.train.Int64List(value=[nth])),
    }
    record: bytes = tf.train.Example(
        features=tf.train.Features(feature=feature)
    ).SerializeToString()
    return record


def found(output: Path, split: str) -> dict[str, list[list[int]]]:
    """The values of each feature, document by document in the order of the files."""
    spec = tft.TFTransformOutput(str(output / "graph")).transformed_feature_spec()
    paths = sorted(map(str, (output / "examples" / f"Split-{split}").iterdir()))
    [batch] = tf.data.TFRecordDataset(paths, "GZIP").batch(1 << 20)
    parsed = tf.io.parse_example(batch, spec)
    return {
        name: values.to_list() if isinstance(values, tf.RaggedTensor) else values.numpy().tolist()
        for name, values in parsed.items()
    }


@pytest.mark.slow
def test_several_cores_write_what_one_writes(outputs: Path) -> None:
    one, three = outputs / "1", outputs / "3"
    for name in ("vocabulary", "vocabulary_totals"):
        files = [o / "graph" / "transform_fn" / "assets" / name for o in (one, three)]
        assert files[0].read_bytes() == files[1].read_bytes()
    for split, sizes in SIZES.items():
        assert found(one, split) == found(three, split)
        assert len(found(one, split)["num_tokens"]) == sum(sizes)


def test_files_are_divided_where_they_are_fewer_than_the_cores_want() -> None:
    # Two parts for each core of the large half of the files, four parts at most.
    assert [parts_for(6, cores) for cores in (1, 2, 4, 8)] == [1, 2, 3, 4]
    assert parts_for(40, 8) == 1
