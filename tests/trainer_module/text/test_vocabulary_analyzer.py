"""The analyzer through tensorflow_transform itself, beside TFT's own and a count by hand."""

import json
import random
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam

from trainer_module.text import vocabulary_analyzer
from trainer_module.vocabulary import Vocabulary, read, read_distinct_tokens

pytestmark = pytest.mark.slow

RANDOM = random.Random(1)
# Zipf's law, tokens of several scripts, among them quotes, a zero byte and what Python's
# splitlines takes for the end of a line.
NAMES = ["the", "caf\u00e9", '"', "a\0b", "\u2028x", "\x85y", "-1", *(f"w{i}" for i in range(300))]
WEIGHTS = [1 / (1 + rank) for rank in range(len(NAMES))]
DOCUMENTS = [RANDOM.choices(NAMES, WEIGHTS, k=RANDOM.randrange(40)) for _ in range(300)]


def analyzed(
    documents: Sequence[Sequence[str]], analyze: Any, *, batch: int | None = None
) -> tft.TFTransformOutput:
    """What `analyze`, a function of tokens, leaves."""

    def preprocessing_fn(inputs: Any) -> Any:
        tokens = inputs["tokens"]
        path = analyze(tokens.flat_values)
        known = tft.apply_vocabulary(tokens.flat_values, path, lookup_fn=_found)
        return {"ids": tokens.with_flat_values(known)}

    spec = {"tokens": tf.io.RaggedFeature(tf.string, row_splits_dtype=tf.int64)}
    metadata = tft.DatasetMetadata.from_feature_spec(spec)
    data = [{"tokens": [token.encode() for token in document]} for document in documents]
    folder = tempfile.mkdtemp()
    with tft_beam.Context(temp_dir=f"{folder}/tmp", desired_batch_size=batch):
        transform_fn = (data, metadata) | tft_beam.AnalyzeDataset(preprocessing_fn)
        transform_fn | tft_beam.WriteTransformFn(f"{folder}/transform")
    return tft.TFTransformOutput(f"{folder}/transform")


def _found(tokens: tf.Tensor, path: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    initializer = tf.lookup.TextFileInitializer(path, tf.string, 1, tf.int64, 0, delimiter=" ")
    table = tf.lookup.StaticHashTable(initializer, -1)
    return table.lookup(tokens), table.size()


def counted(
    documents: Sequence[Sequence[str]], *, batch: int | None = None, **limits: int
) -> tuple[Vocabulary, int, int]:
    """The vocabulary, and how many different tokens and occurrences there are."""
    output = analyzed(
        documents, lambda tokens: vocabulary_analyzer.vocabulary(tokens, **limits), batch=batch
    )
    totals = output.vocabulary_file_by_name("vocabulary_totals")
    occurrences = json.loads(Path(totals).read_text())["occurrences"]
    return (
        read(output.vocabulary_file_by_name("vocabulary")),
        read_distinct_tokens(totals),
        occurrences,
    )


@pytest.mark.parametrize("limits", [(1, 1000), (3, 1000), (2, 20), (40, 1000)])
def test_tokens_are_counted_as_by_hand_whatever_the_batch(limits: tuple[int, int]) -> None:
    min_count, vocab_size = limits
    by_hand = Counter(token for document in DOCUMENTS for token in document)
    expected = sorted(
        ((n, token.encode()) for token, n in by_hand.items() if n >= min_count), reverse=True
    )[:vocab_size]
    for batch in (7, None):
        found, distinct, occurrences = counted(
            DOCUMENTS, batch=batch, min_count=min_count, vocab_size=vocab_size
        )
        assert list(zip(found.counts.tolist(), found.tokens, strict=True)) == expected
        assert (distinct, occurrences) == (len(by_hand), by_hand.total())


def test_file_and_ties_are_those_of_tft() -> None:
    documents = [[token for token in document if token in NAMES[6:]] for document in DOCUMENTS]
    ours = analyzed(
        documents,
        lambda tokens: vocabulary_analyzer.vocabulary(tokens, min_count=2, vocab_size=50),
    )
    theirs = analyzed(
        documents,
        lambda tokens: tft.vocabulary(
            tokens,
            top_k=50,
            frequency_threshold=2,
            vocab_filename="vocabulary",
            store_frequency=True,
        ),
    )
    [one, other] = (
        Path(output.vocabulary_file_by_name("vocabulary")).read_bytes() for output in (ours, theirs)
    )
    assert one == other


def test_a_worker_passes_on_what_it_cannot_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vocabulary_analyzer, "_MOST_HELD", 5)
    whole, distinct, _ = counted(DOCUMENTS, batch=10, min_count=1, vocab_size=1000)
    by_hand = Counter(token for document in DOCUMENTS for token in document)
    assert dict(zip(whole.tokens, whole.counts.tolist(), strict=True)) == {
        token.encode(): count for token, count in by_hand.items()
    }
    assert distinct == len(by_hand)


@pytest.mark.parametrize(
    ("documents", "sentence"),
    [
        (
            [["a", "b"], ["a", "c"]],
            "no token occurs 3 times among the corpus's 4 (3 different); the most frequent, 'a', "
            "occurs 2 times: lower preprocessing.min_count or add text",
        ),
        (
            [[], []],
            "no document holds a token: give text, or try preprocessing.tokenizer=",
        ),
    ],
)
def test_nothing_to_keep_names_its_cause(documents: list[list[str]], sentence: str) -> None:
    with pytest.raises(Exception, match=re.escape(sentence)):
        counted(documents, min_count=3, vocab_size=10)
