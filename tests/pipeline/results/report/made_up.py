"""Runs that never were, with all that a summary may hold, and words that mean harm."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from components.embedding_comparison.comparison import COMPARISON_FILE, Comparison, MovedToken
from pipeline.config import Config
from pipeline.results.embeddings import Embeddings
from pipeline.results.records import RunRecord
from pipeline.results.report.sources import Sources
from tests.pipeline.results.summaries import SUMMARY
from trainer_module.evaluation import word2vec_format

HOSTILE = (
    "<script>document.title='owned'</script>",
    "</script><script>document.title='owned'</script>",
    "<img/src=x/onerror=document.title='owned'>",
    '"><b>',
    "'-alert(1)-'",
    "{{7*7}}",
    "${1}",
    "<!--",
    "\u202egnp",
    "a\x1b[31m",
)
SLICES = {
    kind: [
        {"slice": "1-100", "num_pairs": 1000, "full_softmax_cross_entropy": 6.0,
         "unigram_cross_entropy": 6.5, "recall_at_10": 0.3},
        {"slice": "101-1000", "num_pairs": 600, "full_softmax_cross_entropy": 8.0,
         "unigram_cross_entropy": 8.6, "recall_at_10": 0.1},
        {"slice": "1001-", "num_pairs": 400, "full_softmax_cross_entropy": 10.5,
         "unigram_cross_entropy": 10.0, "recall_at_10": 0.01},
    ]
    for kind in ("target_frequency", "context_frequency")
}  # fmt: skip
CALIBRATION = [
    {"from": 10.0**-power, "to": 10.0 ** (1 - power), "predicted": 4 * 10.0**-power,
     "observed": 3 * 10.0**-power, "share": 0.2}
    for power in range(5, 0, -1)
]  # fmt: skip
RANKS = {
    "recall_at_1": 0.031, "recall_at_10": 0.14, "recall_at_100": 0.4,
    "mean_reciprocal_rank": 0.0712, "mean_rank": 2431.5, "mean_log_partition": 0.6,
    "std_log_partition": 0.21, "expected_calibration_error": 0.02,
}  # fmt: skip
SIMILARITY = {"ws353.tsv": {"spearman": 0.53, "pairs": 353, "known_pairs": 322}}
_ANSWERED = {"cos_add": 0.25, "cos_mul": 0.27, "questions": 19544, "known_questions": 9000}
ANALOGIES = {"questions-words.txt": {**_ANSWERED, "sections": {"capitals": _ANSWERED}}}


def result(**more: Any) -> dict[str, Any]:
    """Of a run with everything in it."""
    config = Config.model_validate({"trainer": {"dim": 50}})
    summary = replace(
        SUMMARY,
        run="20261128064419",
        model_of="20261128064419",
        configuration=config.model_dump(mode="json"),
        versions={"tensorflow": "2.21.0"},
        last_blessed={"run": "20261127064419", "tokens": 1},
    )
    compared = {"common_cross_entropy": 7.5, "increase": -0.03, "increase_error": 0.01,
                "num_common_pairs": 2500.0}  # fmt: skip
    return {
        **summary.as_json(), **compared, **RANKS, "slices": SLICES, "calibration": CALIBRATION,
        "similarity": SIMILARITY, "analogies": ANALOGIES, **more,
    }  # fmt: skip


def record(name: str = "20261128064419", status: str = "blessed", **more: Any) -> RunRecord:
    started = datetime.strptime(name, "%Y%m%d%H%M%S")
    return RunRecord(name, started, "books/<b>.txt", status, result(run=name, **more))


def earlier(number: int = 5) -> list[RunRecord]:
    """The last one first; every other one is not blessed."""
    return [
        record(
            f"202611{27 - day}064419",
            "blessed" if day % 2 == 0 else "not blessed",
            full_softmax_cross_entropy=7.3 + 0.05 * day,
            increase=0.01 * day - 0.02,
        )
        for day in range(number)
    ]


def vectors(size: int = 300, dim: int = 8) -> Embeddings:
    """In ten bunches; the first tokens mean harm."""
    generator = np.random.default_rng(1)
    middles = generator.normal(size=(10, dim))
    rows = middles[np.arange(size) % 10] + 0.3 * generator.normal(size=(size, dim))
    tokens = [*HOSTILE, *(f"word{number}" for number in range(len(HOSTILE), size))]
    counts = (10_000 / np.arange(1, size + 1)).astype(int).tolist()
    return Embeddings(tokens[:size], rows, counts)


def sources(root: Path, **more: Any) -> Sources:
    """Without artifacts."""
    return Sources(record(**more), earlier(), {}, root)


def written(root: Path, size: int = 300) -> Sources:
    """With artifacts that the report reads."""
    folders = {
        ("EmbeddingExporter", "vectors"): _vectors(root / "artifacts" / "vectors", size),
        ("EmbeddingComparison", "comparison"): _comparison(root / "artifacts" / "comparison"),
        ("TextExampleGen", "examples"): write_examples(
            root / "artifacts" / "examples", [b"one two", b"three", b"four five six seven eight"]
        ),
    }
    return sources(root)._replace(folders=folders)


def _vectors(folder: Path, size: int) -> Path:
    folder.mkdir(parents=True)
    found = vectors(size)
    assert found.counts is not None
    found.save_word2vec(folder / word2vec_format.BINARY_FILE)
    lines = word2vec_format.vocabulary_lines(found.tokens, found.counts.tolist())
    (folder / word2vec_format.VOCABULARY_FILE).write_bytes("".join(lines).encode())
    return folder


def _comparison(folder: Path) -> Path:
    folder.mkdir(parents=True)
    moved = MovedToken(HOSTILE[0], -0.25, 0.1, (HOSTILE[1], "near"), ("then",))
    found = Comparison(
        space_id="0123456789ab", compared=True, last_space_id="0123456789ab",
        vocabulary_size=300, last_vocabulary_size=290, common_tokens=280, new_tokens=20,
        gone_tokens=10, most_frequent_new=(HOSTILE[2],), most_frequent_gone=("gone",),
        neighbor_overlap=0.4, neighbor_overlap_by_band={"1-100": 0.5, "101-1,000": 0.3},
        mean_cosine=0.875, moved_most=(moved,),
    )  # fmt: skip
    (folder / COMPARISON_FILE).write_text(found.to_json(), encoding="utf-8")
    return folder


def write_examples(folder: Path, texts: list[bytes]) -> Path:
    """As TextExampleGen leaves them, by TensorFlow's own writer."""
    (folder / "Split-eval").mkdir(parents=True)
    (folder / "reading.json").write_text(json.dumps({"files": 3, "bytes": 1000, "cut_lines": 2}))
    path = folder / "Split-eval" / "data_tfrecord-00000-of-00001.gz"
    with tf.io.TFRecordWriter(str(path), "GZIP") as writer:
        for text in texts:
            feature = tf.train.Feature(bytes_list=tf.train.BytesList(value=[text]))
            features = tf.train.Features(feature={"text": feature})
            writer.write(tf.train.Example(features=features).SerializeToString())
    return folder
